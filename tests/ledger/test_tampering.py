"""Whoever has the ledger's files but not its key changes something: it is found, and named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sovguard.errors import LedgerError
from sovguard.ledger import Problem, Verification, verify
from sovguard.ledger.notes import split_notes
from sovguard.ledger.records import link, parse, serialize
from tests.ledger.places import (
    KEY,
    OTHER,
    copied,
    fill,
    filled,
    left_behind,
    lines_of,
    opened,
    verify_only,
    write_lines,
)
from tests.vault.places import POSTGRES

COUNT = 35  # checkpoints at 10, 20, 30 and 35


def verified(folder: Path, *kept: str) -> Verification:
    """What is found."""
    return verify(str(folder), KEY.verifier, kept=kept)


def only(found: Verification) -> Problem:
    """The one thing that is wrong."""
    (problem,) = found.bad
    return problem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a ledger is made."""
    return tmp_path / "l"


@pytest.fixture
def log(folder: Path) -> Path:
    """The only log of a ledger."""
    (writer,) = filled(folder, COUNT)
    assert verified(folder).ok
    return folder / writer


def changed(line: bytes, **fields: Any) -> bytes:
    """A line whose record says something else, in canonical form."""
    return serialize({**parse(line[:-1]), **fields}) + b"\n"


def relinked(lines: list[bytes], first: int) -> list[bytes]:
    """The lines with the links behind one of them made to fit, as someone would who knows the format."""
    made = lines[: first + 1]
    for line in lines[first + 1 :]:
        made.append(changed(line, p=link(made[-1][:-1])))
    return made


@pytest.mark.parametrize("number", [0, 4, 9, 10, 22, 33])
def test_an_edit_is_named(log: Path, number: int) -> None:
    """The record that was changed, though checkpoints fix only every tenth."""
    lines = lines_of(log)
    lines[number] = changed(lines[number], dry_run=True)
    write_lines(log, lines)
    problem = only(verified(log.parent))
    assert (problem.writer, problem.number) == (log.name, number)


def test_an_edit_of_a_link_is_named(log: Path) -> None:
    """As the record whose link it is, where the one before it is signed; else both may be."""
    lines = lines_of(log)
    write_lines(log, [*lines[:20], changed(lines[20], p="x" * 22), *lines[21:]])
    assert only(verified(log.parent)).number == 20
    write_lines(log, [*lines[:25], changed(lines[25], p="x" * 22), *lines[26:]])
    problem = only(verified(log.parent))
    assert (problem.number, problem.what) == (
        24,
        "it, or record 25, was changed: record 25 does not follow it",
    )


def test_an_edit_with_all_links_made_to_fit_is_named_by_its_range(log: Path) -> None:
    """Between the last checkpoint that fits and the first that does not; the last record before one by itself."""
    lines = lines_of(log)
    lines[13] = changed(lines[13], dry_run=True)
    write_lines(log, relinked(lines, 13))
    problem = only(verified(log.parent))
    assert problem.number == 10
    assert "one of the records 10 to 19 was changed" in problem.what
    assert "checkpoint 2 of 20 records" in problem.what


@pytest.mark.parametrize("number", [12, COUNT - 1])
def test_another_form_of_a_record_is_named(log: Path, number: int) -> None:
    """The same record with a space in it is another line."""
    lines = lines_of(log)
    lines[number] = lines[number].replace(b":", b": ", 1)
    write_lines(log, lines)
    assert only(verified(log.parent)).number == number


def test_a_deletion_is_named(log: Path) -> None:
    """The record that is missing."""
    lines = lines_of(log)
    for number in (0, 13, COUNT - 2):
        write_lines(log, lines[:number] + lines[number + 1 :])
        problem = only(verified(log.parent))
        assert problem.number == number
        assert "it is missing" in problem.what


def test_an_insertion_is_named(log: Path) -> None:
    """A copy by its place, a forged one by the number that two records then have."""
    lines = lines_of(log)
    write_lines(log, [*lines[:20], lines[3], *lines[20:]])
    problem = only(verified(log.parent))
    assert (problem.number, "put in or moved here" in problem.what) == (20, True)
    forged = changed(lines[13], dry_run=True)
    write_lines(log, [*lines[:13], forged, *lines[13:]])
    problem = only(verified(log.parent))
    assert (problem.number, "two records have this number" in problem.what) == (13, True)


def test_another_order_is_named(log: Path) -> None:
    """The first record that does not stand where it stood."""
    lines = lines_of(log)
    write_lines(log, [*lines[:13], lines[14], lines[13], *lines[15:]])
    assert only(verified(log.parent)).number == 13


@pytest.mark.parametrize("kept", [0, 1, 9, 10, 34])
def test_a_truncation_is_named(log: Path, kept: int) -> None:
    """From where records are gone, and what says that there were more."""
    write_lines(log, lines_of(log)[:kept])
    problem = only(verified(log.parent))
    assert problem.number == kept
    assert f"the records from {kept} on are gone" in problem.what


def test_a_truncation_with_its_checkpoints_is_named(log: Path) -> None:
    """By a merged note in the ledger, or one kept elsewhere."""
    notes = split_notes((log / "checkpoints").read_bytes())[0]
    ledger = opened(log.parent)
    merged = ledger.merge()
    ledger.close()
    write_lines(log, lines_of(log)[:20])
    (log / "checkpoints").write_bytes(b"".join(note + b"\n" for note in notes[:2]))
    bad = verified(log.parent).bad
    assert {each.writer for each in bad} == {log.name}
    assert {each.number for each in bad} == {20, None}
    (log.parent / "merged").unlink()
    assert "its last one is gone" in only(verified(log.parent)).what
    (log / "ended").unlink()
    assert verified(log.parent).ok  # nothing in the ledger knows any more
    for kept in (merged, notes[-1].decode(), merged.replace("\n", "\r\n"), merged.strip()):
        bad = verified(log.parent, kept).bad
        assert bad[0].number == 20
        assert "the kept note says that there are 35" in bad[0].what


def test_checkpoints_that_are_gone_are_missed(log: Path) -> None:
    """The log was ended, so all of it was signed."""
    notes = split_notes((log / "checkpoints").read_bytes())[0]
    (log / "checkpoints").write_bytes(b"".join(note + b"\n" for note in notes[:2]))
    problem = only(verified(log.parent))
    assert "its last checkpoint is gone" in problem.what
    (log / "ended").unlink()
    found = verified(log.parent)
    assert (found.ok, found.unsigned) == (True, 15)
    assert only(verified(log.parent, notes[-1].decode())).what.startswith(
        "its checkpoint of 35 records is gone"
    )


@pytest.mark.parametrize("position", range(4))
def test_an_edited_checkpoint_is_named(log: Path, position: int) -> None:
    """Its size, its root or its signature: it is no longer what the key has signed."""
    path = log / "checkpoints"
    notes = split_notes(path.read_bytes())[0]
    size = b"\n%d\n" % (10, 20, 30, 35)[position]
    for old, new in ((size, b"\n9\n"), (b"=\n", b"\n"), (b"/ledger", b"/Ledger"), (b"\n\n", b"\nended\n\n")):
        edited = list(notes)
        edited[position] = edited[position].replace(old, new, 1)
        path.write_bytes(b"".join(note + b"\n" for note in edited))
        bad = verified(log.parent).bad
        assert bad, (old, new)
        assert bad[0].writer == log.name


def test_a_checkpoint_of_another_key_is_named(log: Path) -> None:
    """Someone rewrites a record, makes all links fit and signs with a key of their own of the same name."""
    path = log / "checkpoints"
    notes = split_notes(path.read_bytes())[0]
    body = notes[-1].decode().rpartition("\n\n")[0] + "\n"
    path.write_bytes(b"".join(note + b"\n" for note in [*notes[:-1], OTHER.sign(body).encode()]))
    problem = verified(log.parent).bad[0]
    assert (problem.writer, problem.number) == (log.name, None)
    assert "checkpoint 4" in problem.what
    assert "signed with another key" in problem.what


def test_a_ledger_of_another_key_is_named(folder: Path) -> None:
    """All of it made anew with another key: nothing of it is this ledger."""
    filled(folder, 5, key=OTHER)
    problem = only(verified(folder))
    assert (problem.writer, problem.number) == (None, None)
    assert "another key" in problem.what


def test_a_copied_checkpoint_is_named(folder: Path) -> None:
    """One of another log, and one of this log in another place."""
    first, second = filled(folder, 25, 25)
    path = folder / second / "checkpoints"
    own, others = path.read_bytes(), (folder / first / "checkpoints").read_bytes()
    path.write_bytes(own + others)
    assert {"it was copied here" in each.what for each in verified(folder).bad} == {True}
    path.write_bytes(own + own)
    assert "stands behind the signed end of the log" in verified(folder).bad[0].what
    ten, twenty, _ = split_notes(own)[0]
    path.write_bytes(ten + b"\n" + twenty + b"\n" + ten + b"\n")
    assert "goes back from 20 records to 10" in verified(folder).bad[0].what


def test_a_whole_log_that_is_gone_is_named(folder: Path) -> None:
    """With how many records it had: by a merged note in the ledger, and by one that was kept."""
    first, second = filled(folder, 12, 7)
    ledger = opened(folder)
    note = ledger.merge()
    ledger.close()
    shutil.rmtree(folder / first)
    problem = only(verified(folder))
    assert (problem.writer, problem.number) == (first, None)
    assert "the whole log is gone: merged note 1 says that it had 12 records" in problem.what
    (folder / "merged").unlink()
    assert verified(folder).ok
    assert only(verified(folder, note)).writer == first
    assert second in verified(folder, note).bad[0].what or len(verified(folder, note).bad) == 1


def test_an_older_copy_is_named(folder: Path, tmp_path: Path) -> None:
    """Of one log by a merged note in the ledger, of all of it by a note that was kept elsewhere."""
    ledger = opened(folder, create=True)
    fill(ledger, 20)
    old = copied(folder, tmp_path / "old")
    fill(ledger, 13)
    writer = ledger.writer
    ledger.close()
    ledger = opened(folder)
    fill(ledger, 3)
    note = ledger.merge()
    last = ledger.writer
    ledger.close()
    assert verified(old).ok  # by itself it is as it was
    bad = verified(old, note).bad
    assert {(each.writer, each.number) for each in bad} == {(writer, 20), (writer, None), (last, None)}
    assert "whole log is gone" in next(each.what for each in bad if each.writer == last)
    shutil.rmtree(folder / writer)
    copied(old / writer, folder / writer)
    assert {(each.writer, each.number) for each in verified(folder).bad} == {(writer, 20), (writer, None)}


def test_a_splice_of_two_ledgers_is_named(tmp_path: Path) -> None:
    """A log of one in the other, and the end of a log of one behind the beginning of one of the other: same key, same names."""
    (mine,) = filled(tmp_path / "a", COUNT)
    (other,) = filled(tmp_path / "b", COUNT)
    a, b = tmp_path / "a", tmp_path / "b"
    lines = lines_of(a / mine)
    write_lines(a / mine, lines[:13] + lines_of(b / other)[13:])
    problem = only(verified(a))
    assert (problem.writer, problem.number) == (mine, 12)
    write_lines(a / mine, lines)
    copied(b / other, a / other)
    bad = verified(a).bad
    assert (bad[0].writer, bad[0].number) == (other, 0)
    assert "taken from another log or ledger" in bad[0].what
    shutil.copy(b / "ledger", a / "ledger")
    assert {each.writer for each in verified(a).bad} == {mine}


def test_a_kept_note_of_another_ledger_is_named(folder: Path, tmp_path: Path) -> None:
    """The whole ledger was put in the place of another one of the same key."""
    filled(folder, 5)
    ledger = opened(tmp_path / "other", create=True)
    note = ledger.merge()
    ledger.close()
    assert "of another ledger" in only(verified(folder, note)).what
    for kept in (OTHER.sign("a\n"), "x", KEY.sign("a\n")):
        assert only(verified(folder, kept)).writer is None
    assert [each.what.partition(":")[0] for each in verified(folder, "x", "y").bad] == [
        "the kept note 1",
        "the kept note 2",
    ]


def test_merged_notes_that_were_changed_are_named(folder: Path) -> None:
    """Edited, and put in another order."""
    for count in (3, 4):
        filled(folder, count, create=count == 3)
        ledger = opened(folder)
        ledger.merge()
        ledger.close()
    path = folder / "merged"
    first, second = split_notes(path.read_bytes())[0]
    path.write_bytes(second + b"\n" + first + b"\n")
    assert "goes back" in only(verified(folder)).what
    path.write_bytes(first.replace(b" 3\n", b" 2\n") + b"\n")
    assert "merged note 1: the note was changed" in only(verified(folder)).what


def test_a_merged_note_fixes_a_log_without_its_checkpoints(folder: Path) -> None:
    """Rewritten from its beginning, with no checkpoint of its own left: the merged root does not fit."""
    (writer,) = filled(folder, 9)
    ledger = opened(folder)
    note = ledger.merge()
    ledger.close()
    log = folder / writer
    lines = lines_of(log)
    write_lines(log, relinked([changed(lines[0], dry_run=True), *lines[1:]], 0))
    (log / "checkpoints").write_bytes(b"")
    (log / "ended").unlink()
    (folder / "merged").unlink()
    whats = {each.writer: each.what for each in verified(folder, note).bad if "other records" in each.what}
    assert whats == {writer: "the kept note was made of other records than there are"}


def test_a_file_in_the_middle_that_is_gone_is_named(folder: Path) -> None:
    """With the first record that it had."""
    (writer,) = filled(folder, 50, segment_octets=2000)
    segments = sorted((folder / writer).glob("*.jsonl"))
    before = sum(len(path.read_bytes().splitlines()) for path in segments[:2])
    segments[2].unlink()
    assert only(verified(folder)).number == before


def test_what_is_put_behind_a_log_that_was_ended_is_named(log: Path) -> None:
    """Half a line, which a living log may end with, and a record that fits but for its signature."""
    lines = lines_of(log)
    write_lines(log, [*lines, b"{"])
    assert "octets that are no record were put behind its 35 records" in only(verified(log.parent)).what
    write_lines(log, [*lines, changed(lines[-1], n=COUNT, p=link(lines[-1][:-1]))])
    for mark in (True, False):
        assert "the records from 35 on are not signed: they stand behind its signed end" in (
            only(verified(log.parent)).what
        )
        if mark:
            (log / "ended").unlink()
    opened(log.parent).close()
    assert (log / "damaged").exists()
    assert "they stand behind its signed end" in only(verified(log.parent)).what


def test_what_was_not_written_with_the_key_is_not_signed(folder: Path) -> None:
    """Records that fit but for their tag, behind the last checkpoint of a log that was left: opening signs none of it."""
    writer = left_behind(folder, 25)
    log = folder / writer
    lines, before = lines_of(log), (log / "checkpoints").read_bytes()
    forged = relinked([*lines[:22], changed(lines[22], dry_run=True), *lines[23:]], 22)
    for content in (forged, [*lines, changed(lines[-1], n=25, p=link(lines[-1][:-1]))]):
        write_lines(log, content)
        found = verified(folder)
        assert (found.ok, found.unsigned) == (True, len(content) - 20)  # nobody can tell without the key
        opened(folder).close()
        assert (log / "checkpoints").read_bytes() == before
        assert "the records from 20 on are not signed" in only(verified(folder)).what
        (log / "damaged").unlink()


def test_a_log_that_was_put_in_is_not_signed(folder: Path, tmp_path: Path) -> None:
    """One that nobody with the key has written, with records of its own that fit each other."""
    filled(folder, 3)
    (other,) = filled(tmp_path / "other", 5, key=OTHER)
    origin = (
        KEY.name
        + "/"
        + (folder / "ledger").read_text("utf-8").split("\n")[1].rpartition("/")[2]
        + "/"
        + other
    )
    lines = lines_of(tmp_path / "other" / other)
    (folder / other).mkdir()
    write_lines(folder / other, relinked([changed(lines[0], p=link(origin.encode())), *lines[1:]], 0))
    found = verified(folder)
    assert (found.ok, found.unsigned) == (True, 5)
    opened(folder).close()
    problem = only(verified(folder))
    assert (problem.writer, "the records from 0 on are not signed" in problem.what) == (other, True)


def test_marks_that_nothing_else_says_are_named(log: Path) -> None:
    """A log that is not damaged and is marked so, and one that no checkpoint ends and is marked as ended."""
    (log / "ended").rename(log / "damaged")
    opened(log.parent).close()
    assert "marked as damaged, and is not" in only(verified(log.parent)).what
    (log / "damaged").rename(log / "ended")
    assert verified(log.parent).ok
    notes = split_notes((log / "checkpoints").read_bytes())[0]
    write_lines(log, lines_of(log)[:30])
    (log / "checkpoints").write_bytes(b"".join(note + b"\n" for note in notes[:3]))
    assert "marked as ended, and no checkpoint says so" in only(verified(log.parent)).what


@pytest.mark.parametrize("name", ["0123456789abcdef", "checkpoints", "00000001.jsonl", "ledger", "merged"])
def test_what_is_no_file_stops_nobody(log: Path, name: str) -> None:
    """A pipe in the place of a file, which would be waited for, or of a log: it is an error or named."""
    place = (log if name in ("checkpoints", "00000001.jsonl") else log.parent) / name
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    if name in ("0123456789abcdef", "00000001.jsonl"):
        assert verified(log.parent).ok is (name == "0123456789abcdef")
    else:
        with pytest.raises(LedgerError, match="is no file"):
            verified(log.parent)


def test_octets_that_are_no_lines_are_named(log: Path) -> None:
    """However long they go on without a line feed."""
    lines = lines_of(log)
    write_lines(log, [*lines[:13], b"x" * 1_000_000, *lines[13:]])
    problem = only(verified(log.parent))
    assert (problem.number, problem.what) == (13, "it is no record")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_octet_of_a_log_can_be_changed(log: Path, data: st.DataObject) -> None:
    """Any octet of any line, changed, taken out or put in, makes the first bad record one of those around it."""
    path = log / "00000001.jsonl"
    content = path.read_bytes()
    try:
        place = data.draw(st.integers(0, len(content) - 1))
        octet = data.draw(st.binary(max_size=2).filter(lambda some: some != content[place : place + 1]))
        path.write_bytes(content[:place] + octet + content[place + 1 :])
        problem = only(verified(log.parent))
        number = content[:place].count(b"\n")
        # Behind the last record there is no link to tell which one of its range it was.
        beyond = (30, None) if number == COUNT - 1 else ()
        # What is put in behind a line feed is the next record, or no record.
        behind = (number + 1,) if content[place : place + 1] == b"\n" else ()
        assert problem.number in (number - 1, number, *behind, *beyond)
    finally:
        path.write_bytes(content)


EDITS: list[tuple[str, str, Callable[[Problem], bool]]] = [
    (
        "UPDATE records SET line = convert_to(replace(convert_from(line, 'UTF8'), '\"of\":13', '\"of\":14'), 'UTF8') "
        "WHERE number = 13",
        "edit",
        lambda problem: problem.number == 13,
    ),
    ("DELETE FROM records WHERE number = 13", "delete", lambda problem: problem.number == 13),
    ("DELETE FROM records WHERE number > 20", "truncate", lambda problem: problem.number == 21),
    (
        "UPDATE records SET number = CASE number WHEN 13 THEN -1 ELSE 13 END WHERE number IN (13, 14)",
        "reorder",
        lambda problem: problem.number == 0,
    ),
    (
        "INSERT INTO records SELECT writer, 100, line FROM records WHERE number = 3",
        "insert",
        lambda problem: problem.number == COUNT,
    ),
    (
        "UPDATE checkpoints SET note = overlay(note PLACING '\\x41' FROM 90)",
        "checkpoint",
        lambda problem: "checkpoint" in problem.what,
    ),
    ("DELETE FROM checkpoints", "checkpoints", lambda problem: "checkpoint" in problem.what),
    (
        "DELETE FROM records; DELETE FROM checkpoints; DELETE FROM writers",
        "writer",
        lambda problem: "whole log is gone" in problem.what,
    ),
]


@pytest.mark.parametrize(("statement", "named"), [(a, c) for a, _, c in EDITS], ids=[b for _, b, _ in EDITS])
def test_changes_in_the_database_are_named(
    postgres: str, statement: str, named: Callable[[Problem], bool]
) -> None:
    """Whoever may write the tables changes them: as in files."""
    import psycopg

    (writer,) = filled(postgres, COUNT)
    ledger = opened(postgres)
    ledger.merge()
    ledger.close()
    assert verify(postgres, KEY.verifier).ok
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"SET search_path TO {postgres.partition('schema=')[2]}")  # type: ignore[arg-type]
        connection.execute(statement)  # type: ignore[arg-type]
    bad = verify(postgres, KEY.verifier).bad
    assert bad
    assert bad[0].writer == writer
    assert named(bad[0]), bad


def test_problems_say_where(log: Path) -> None:
    """As text: the log, the record, what is wrong; a log that is alone verifies alone."""
    assert str(Problem("ab", 3, "x")) == "log ab, record 3: x"
    assert str(Problem(None, None, "x")) == "the ledger: x"
    assert verify_only(log.parent, log.name).ok
    assert json.loads(lines_of(log)[0])["kind"] == "request"


@pytest.mark.parametrize("name", ["checkpoints", "00000001.jsonl", "lock", "merged.lock", "merged"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_nobody_is_led_out_of_the_ledger(folder: Path, tmp_path: Path, name: str, kind: str) -> None:
    """Neither is what a link leads to changed, nor is a pipe waited for: it is an error, or the log is named."""
    writer = left_behind(folder, 25)
    outside = tmp_path / "ledger.key"
    outside.write_text(KEY.export())
    place = (folder if name.startswith("merged") else folder / writer) / name
    place.unlink(missing_ok=True)
    if kind == "link":
        place.symlink_to(outside)
    else:
        os.mkfifo(place)
    said = ""
    try:
        ledger = opened(folder)
        try:
            ledger.merge()
        finally:
            ledger.close()
    except LedgerError as error:
        said = str(error)
    assert "has to be" in said or not verified(folder).ok
    assert outside.read_text() == KEY.export()


def test_a_log_that_is_a_link_is_no_log(folder: Path, tmp_path: Path) -> None:
    """What it leads to is neither read as one nor recovered."""
    filled(folder, 3)
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "00000001.jsonl").write_text("{}\n")
    (folder / "aaaaaaaaaaaaaaaa").symlink_to(victim)
    opened(folder).close()
    assert [path.name for path in victim.iterdir()] == ["00000001.jsonl"]
    assert verified(folder).writers == 1


def test_what_was_cut_off_at_its_last_checkpoint_leaves_a_record(folder: Path) -> None:
    """A process died, and nothing says how much it had written: that much is told."""
    writer = left_behind(folder, 25)
    write_lines(folder / writer, lines_of(folder / writer)[:20])
    ledger = opened(folder)
    (said,) = [each for each in ledger.records() if each["kind"] == "recovered"]
    assert (ledger.recovered, said["records"], said["signed"]) == (1, 20, 20)
    ledger.close()


def test_a_note_that_somebody_wrote_keeps_nobody_from_fixing_the_rest(folder: Path) -> None:
    """It is named; what is signed of its log and of the others is merged."""
    first, second = filled(folder, 12, 7)
    path = folder / first / "checkpoints"
    path.write_bytes(path.read_bytes() + b"x\n\ny\n\n")
    ledger = opened(folder)
    note = ledger.merge()
    ledger.close()
    assert f"{first} 12\n" in note
    assert f"{second} 7\n" in note
    assert only(verified(folder, note)).writer == first


def test_records_that_were_given_other_numbers_are_not_deleted(postgres: str) -> None:
    """Recovery goes by their order, as verifying does."""
    import psycopg

    left_behind(postgres, 25)
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"SET search_path TO {postgres.partition('schema=')[2]}")  # type: ignore[arg-type]
        connection.execute("UPDATE records SET number = number + 100")
    opened(postgres).close()
    found = verify(postgres, KEY.verifier)
    assert (found.ok, found.records) == (True, 26)
