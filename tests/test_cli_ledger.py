from __future__ import annotations

import json
from pathlib import Path

import pytest

from sovguard.ledger import LedgerKey
from tests.command import Done, run
from tests.ledger.places import OTHER, fill, lines_of, opened, write_lines


@pytest.fixture
def named(tmp_path: Path) -> list[object]:
    """The options that name a ledger that was made, with some records."""
    options: list[object] = ["--ledger", tmp_path / "l", "--key", tmp_path / "key"]
    assert run("ledger", "init", *options, "--name", "bank.example/ledger").code == 0
    ledger = opened(tmp_path / "l", LedgerKey.load(tmp_path / "key"))
    fill(ledger, 25)
    ledger.close()
    return options


def log_of(named: list[object]) -> Path:
    """The log with the records."""
    (log,) = (path for path in Path(str(named[1])).iterdir() if len(path.name) == 16)
    return log


def test_a_ledger_is_made_once(named: list[object], tmp_path: Path) -> None:
    """With its key, mode 0600; neither is replaced, and one key serves several ledgers."""
    key = (tmp_path / "key").read_text("utf-8")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    again = run("ledger", "init", *named)
    assert (again.code, "not empty" in again.err) == (2, True)
    made = run("ledger", "init", "--ledger", tmp_path / "second", "--key", tmp_path / "key")
    assert made.code == 0
    assert (tmp_path / "key").read_text("utf-8") == key
    public = run("ledger", "public-key", "--key", tmp_path / "key").text.strip()
    assert public == made.text.splitlines()[-1]
    assert json.loads(key)["private"] not in made.text + public


def test_status_says_how_far_logs_are_signed(named: list[object]) -> None:
    """For people and for programs, without a key."""
    plain = run("ledger", "status", *named[:2])
    assert (plain.code, "25 records signed" in plain.text) == (0, True)
    (row,) = json.loads(run("ledger", "status", "--json", *named[:2]).out)["writers"]
    assert (row["writer"], row["state"], row["signed"], row["checkpoints"]) == (
        log_of(named).name,
        "ended",
        25,
        3,
    )


def test_verify_needs_the_public_string_alone(named: list[object], tmp_path: Path) -> None:
    """And says what is there; 0 if nothing was changed."""
    public = run("ledger", "public-key", *named[2:]).text.strip()
    for options in (["--verifier", public], named[2:]):
        done = run("ledger", "verify", *named[:2], *options)
        assert (done.code, "25 records in 1 logs" in done.text) == (0, True)
        assert "nothing was changed" in done.text
    said = json.loads(run("ledger", "verify", "--json", *named).out)
    assert (said["ok"], said["records"], said["bad"]) == (True, 25, [])
    for options in ([], ["--verifier", public, "--key", tmp_path / "key"], ["--verifier", "x"]):
        assert run("ledger", "verify", *named[:2], *options).code == 2


def changed(named: list[object]) -> Done:
    """Change a record, and verify."""
    lines = lines_of(log_of(named))
    lines[3] = lines[3].replace(b"false", b"true")
    write_lines(log_of(named), lines)
    return run("ledger", "verify", *named)


def test_a_change_is_named_with_exit_code_1(named: list[object]) -> None:
    """The log and the record; for programs as well."""
    done = changed(named)
    assert done.code == 1
    assert f"BAD log {log_of(named).name}, record 3:" in done.text
    assert "THE LEDGER IS NOT WHAT WAS WRITTEN" in done.text
    (bad,) = json.loads(run("ledger", "verify", "--json", *named).out)["bad"]
    assert (bad["writer"], bad["number"]) == (log_of(named).name, 3)


def test_a_kept_note_finds_what_the_ledger_cannot(named: list[object], tmp_path: Path) -> None:
    """A whole log was deleted, with the merged notes that name it."""
    note = run("ledger", "checkpoint", *named)
    assert note.code == 0
    (tmp_path / "kept").write_bytes(note.out.replace(b"\n", b"\r\n") + b"\r\n")
    kept = ["--kept", tmp_path / "kept"]
    assert run("ledger", "verify", *named, *kept).code == 0
    log = log_of(named)
    for path in log.iterdir():
        path.unlink()
    log.rmdir()
    (Path(str(named[1])) / "merged").unlink()
    assert run("ledger", "verify", *named).code == 0
    done = run("ledger", "verify", *named, *kept)
    assert (done.code, "the whole log is gone" in done.text) == (1, True)
    (tmp_path / "kept").write_bytes(b"nothing")
    assert run("ledger", "verify", *named, *kept).code == 2


def test_a_record_is_proved_and_checked(named: list[object], tmp_path: Path) -> None:
    """By who has the proof and the public string; 1 if it proves nothing, 2 if it is no proof at all."""
    public = run("ledger", "public-key", *named[2:]).text.strip()
    proof = run("ledger", "prove", *named[:2], log_of(named).name, 7)
    assert proof.code == 0
    (tmp_path / "proof").write_bytes(proof.out)
    done = run("ledger", "check", tmp_path / "proof", "--verifier", public)
    assert (done.code, '"of": 7' in done.text) == (0, True)
    piped = run("ledger", "check", "--json", "--verifier", public, stdin=proof.out)
    assert json.loads(piped.out)["of"] == 7
    assert run("ledger", "check", "--verifier", public, stdin=proof.out.replace(b"7", b"8", 1)).code == 1
    assert run("ledger", "check", "--verifier", public, stdin=b"[]").code == 1
    assert run("ledger", "check", "--verifier", public, stdin=b"{").code == 2
    assert run("ledger", "prove", *named[:2], log_of(named).name, 70).code == 1
    assert run("ledger", "prove", *named[:2], "none", 7).code == 2


def test_what_is_not_named_is_asked_for(tmp_path: Path) -> None:
    """No ledger, no key, and a ledger that is not there, are bad usage."""
    for command in ("init", "status", "verify", "checkpoint"):
        assert run("ledger", command).code == 2
    assert run("ledger", "public-key").code == 2
    assert run("ledger", "status", "--ledger", tmp_path / "none").code == 2


def test_a_named_key_goes_before_the_environment(
    named: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verifier in the environment is what is used if nothing is named, and stands in nobody's way."""
    monkeypatch.setenv("SOVGUARD_LEDGER_VERIFIER", OTHER.verifier)
    assert run("ledger", "verify", *named).code == 0
    assert run("ledger", "verify", *named[:2]).code == 1
