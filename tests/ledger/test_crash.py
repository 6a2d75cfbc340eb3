"""Writers that are killed at any moment: what they were told is written is there."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sovguard.ledger import verify
from sovguard.ledger.notes import split_notes
from tests.ledger.places import KEY, filled, left_behind, lines_of, opened, verify_only, write_lines

KILLS = 5
WRITER = """
import sys
from sovguard.ledger import LedgerKey, open_ledger
ledger = open_ledger(sys.argv[1], LedgerKey.from_environment(), every=20, seconds=0.02)
while True:
    print(ledger.writer, ledger.append("x", {"text": "가나다" * 50}), flush=True)
"""


def test_what_was_acknowledged_survives(address: str) -> None:
    """Every record that a killed writer was told of is there after recovery, in its place, and signed."""
    opened(address, create=True).close()
    told: set[tuple[str, int]] = set()
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, address],
            env={"SOVGUARD_LEDGER_KEY": KEY.export(), "PATH": ""},
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline()]
            time.sleep(random.uniform(0, 0.05))  # noqa: S311
            writer.kill()
            lines += writer.stdout.readlines()
        assert writer.returncode == -signal.SIGKILL
        for line in lines:
            if line.endswith("\n"):
                name, number = line.split()
                told.add((name, int(number)))
    ledger = opened(address)
    assert len({name for name, _ in told}) == KILLS
    assert told <= {(each["writer"], each["n"]) for each in ledger.records()}
    ledger.close()
    found = verify(address, KEY.verifier)
    assert (found.ok, found.unsigned, found.torn_octets) == (True, 0, 0)


def test_half_a_line_is_dropped_and_counted(tmp_path: Path) -> None:
    """Wherever the last line was torn: whole ones stay, and the ledger says how much went."""
    writer = left_behind(tmp_path / "l", 12)
    log = tmp_path / "l" / writer
    lines = lines_of(log)
    for kept in (0, 1, 57, len(lines[-1]) - 1):
        (log / "ended").unlink(missing_ok=True)
        write_lines(log, [*lines[:11], lines[11][:kept]])
        assert verify(str(tmp_path / "l"), KEY.verifier).torn_octets == kept
        checkpoints = (log / "checkpoints").read_bytes()
        ledger = opened(tmp_path / "l")
        said = [each for each in ledger.records() if each["writer"] == ledger.writer]
        ledger.close()
        assert [(each["log"], each["records"], each["torn_octets"]) for each in said] == [(writer, 11, kept)]
        assert lines_of(log) == lines[:11]
        found = verify(str(tmp_path / "l"), KEY.verifier)
        assert (found.ok, found.unsigned) == (True, 0)
        (log / "checkpoints").write_bytes(checkpoints)


def test_half_a_checkpoint_is_dropped(tmp_path: Path) -> None:
    """What was torn of the notes does not hide the next one."""
    writer = left_behind(tmp_path / "l")
    path = tmp_path / "l" / writer / "checkpoints"
    whole = path.read_bytes()
    for cut in range(1, len(whole) // 2, 7):
        (path.parent / "ended").unlink(missing_ok=True)
        path.write_bytes(whole[:-cut])
        opened(tmp_path / "l").close()
        found = verify_only(tmp_path / "l", writer)
        assert (found.ok, found.records) == (True, 25)


def test_what_a_power_cut_left_is_dropped_behind_the_last_checkpoint(tmp_path: Path) -> None:
    """Octets that never reached the disk read as zeros: what is signed stays, and what is readable before them."""
    writer = left_behind(tmp_path / "l")
    log = tmp_path / "l" / writer
    lines = lines_of(log)
    write_lines(log, [*lines[:22], bytes(len(lines[22])), *lines[23:]])
    found = verify(str(tmp_path / "l"), KEY.verifier)
    torn = len(b"".join(lines[22:]))
    assert (found.ok, found.records, found.unsigned, found.torn_octets) == (True, 22, 2, torn)
    opened(tmp_path / "l").close()
    assert lines_of(log) == lines[:22]
    assert verify(str(tmp_path / "l"), KEY.verifier).ok


@pytest.mark.parametrize("number", [3, 21])
def test_a_changed_log_is_not_signed_again(tmp_path: Path, number: int) -> None:
    """Recovery notes it as damaged and leaves it to be named, once."""
    writer = left_behind(tmp_path / "l")
    log = tmp_path / "l" / writer
    lines = lines_of(log)
    lines[number] = lines[number].replace(b"openai-us", b"openai-kr")
    write_lines(log, lines)
    before = (log / "checkpoints").read_bytes()
    for _ in range(2):
        opened(tmp_path / "l").close()
    assert (log / "checkpoints").read_bytes() == before
    own = [path for path in (tmp_path / "l").iterdir() if len(path.name) == 16 and path.name != writer]
    (said,) = [json.loads(line) for path in own for line in lines_of(path)]
    assert (said["kind"], said["log"]) == ("damaged", writer)
    (problem,) = verify(str(tmp_path / "l"), KEY.verifier).bad
    assert (problem.writer, problem.number) == (writer, number)


def test_checkpoints_that_were_taken_away_are_not_made_anew(tmp_path: Path) -> None:
    """A merged note in the ledger speaks of them: what was rewritten behind their back is not signed."""
    (writer,) = filled(tmp_path / "l", 25)
    ledger = opened(tmp_path / "l")
    ledger.merge()
    ledger.close()
    log = tmp_path / "l" / writer
    (log / "checkpoints").write_bytes(b"")
    (log / "ended").unlink()
    opened(tmp_path / "l").close()
    assert (log / "checkpoints").read_bytes() == b""
    problem = verify(str(tmp_path / "l"), KEY.verifier).bad[0]
    assert (problem.writer, "checkpoint of 25 records is gone" in problem.what) == (writer, True)


def test_a_merged_note_that_cannot_be_read_harms_no_other_log(tmp_path: Path) -> None:
    """It is named, and the log of a process that died is recovered as ever."""
    writer = left_behind(tmp_path / "l")
    (tmp_path / "l" / "merged").write_bytes(b"x\n\ny\n\n")
    ledger = opened(tmp_path / "l")
    (said,) = [each for each in ledger.records() if each["writer"] == ledger.writer]
    ledger.close()
    assert (said["kind"], said["log"]) == ("recovered", writer)
    (problem,) = verify(str(tmp_path / "l"), KEY.verifier).bad
    assert problem.what.startswith("merged note 1")


def test_a_recovery_that_is_cut_off_is_finished(tmp_path: Path) -> None:
    """Whoever dies between the signed end of a log and its mark leaves nothing to be recovered."""
    writer = left_behind(tmp_path / "l")
    opened(tmp_path / "l").close()
    (tmp_path / "l" / writer / "ended").unlink()
    ledger = opened(tmp_path / "l")
    ledger.close()
    assert ledger.recovered == 0
    assert (tmp_path / "l" / writer / "ended").exists()
    assert verify(str(tmp_path / "l"), KEY.verifier).ok


def test_half_a_note_in_zeros_is_no_note(tmp_path: Path) -> None:
    """Its first page never reached the disk and its second did: of a checkpoint and of a merged note."""
    writer = left_behind(tmp_path / "l")
    path = tmp_path / "l" / writer / "checkpoints"
    notes = split_notes(path.read_bytes())[0]
    path.write_bytes(notes[0] + b"\n" + bytes(40) + notes[1][40:] + b"\n")
    ledger = opened(tmp_path / "l")
    ledger.merge()
    merged = (tmp_path / "l" / "merged").read_bytes()
    (tmp_path / "l" / "merged").write_bytes(merged + bytes(30) + merged[30:])
    ledger.merge()
    ledger.close()
    found = verify(str(tmp_path / "l"), KEY.verifier)
    assert (found.ok, found.records, found.merged) == (True, 26, 2)


def test_a_signed_end_that_is_not_on_the_disk_yet_is_put_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the mark that nobody has to look again: its writer may have died before it did that."""
    (writer,) = filled(tmp_path / "l", 5)
    (tmp_path / "l" / writer / "ended").unlink()
    synced: list[str] = []
    fsync = os.fsync

    def noted(file: Any) -> None:
        handle = file if isinstance(file, int) else file.fileno()
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    opened(tmp_path / "l").close()
    notes = str(tmp_path / "l" / writer / "checkpoints")
    assert notes in synced[: synced.index(str(tmp_path / "l" / writer))]
