from __future__ import annotations

import errno
import gc
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sovguard.errors import ConfigError, LedgerError
from sovguard.ledger import create_ledger, open_ledger, verify
from tests.ledger.places import KEY, OTHER, RECORD, fill, filled, lines_of, opened, ticking


def test_what_is_appended_is_there(address: str) -> None:
    """Records come back by time, with their writer, and the ledger verifies."""
    ledger = opened(address, create=True)
    assert [ledger.append("request", {"of": number}) for number in range(25)] == list(range(25))
    assert ledger.unsigned == 5
    assert [(each["n"], each["writer"]) for each in ledger.records()] == [
        (number, ledger.writer) for number in range(25)
    ]
    found = ledger.verify()
    assert (found.ok, found.records, found.checkpoints, found.unsigned) == (True, 25, 2, 5)
    ledger.close()
    ledger.close()
    found = verify(address, KEY.verifier)
    assert (found.ok, found.records, found.writers, found.checkpoints, found.unsigned) == (True, 25, 1, 3, 0)
    with pytest.raises(LedgerError, match="closed"):
        ledger.append("request", {})


def test_logs_are_merged_by_time(address: str) -> None:
    """Records of several writers come in the order of their times, those of one writer in their own."""
    first = opened(address, create=True, clock=lambda: 10.0)
    second = opened(address, clock=iter([0.0, 5.0, 20.0, 7.0, 30.0]).__next__)
    for ledger in (first, second):
        for _ in range(2):
            ledger.append("x", {})
    times = [(each["t"], each["writer"]) for each in first.records()]
    assert [when for when, _ in times] == [5000, 10000, 10000, 20000]
    second.append("x", {})
    assert [each["t"] for each in first.records()].index(20000) < [
        each["t"] for each in first.records()
    ].index(7000)
    assert first.writers() == sorted([first.writer, second.writer])
    first.close()
    second.close()


def test_a_ledger_is_made_once(address: str) -> None:
    """A second one at its place, another key, and no ledger at all are each refused."""
    opened(address, create=True).close()
    with pytest.raises(ConfigError, match=r"is not empty|has a ledger"):
        create_ledger(address, KEY)
    with pytest.raises(ConfigError, match="not one of this key"):
        open_ledger(address, OTHER)
    with pytest.raises(ConfigError, match="no ledger"):
        open_ledger(f"{address}_none", KEY)
    with pytest.raises(ConfigError, match="no ledger"):
        verify(f"{address}_none", KEY.verifier)
    assert verify(address, KEY.verifier).writers == 0  # a log that held nothing is not left behind


@pytest.mark.parametrize(
    "address",
    ["", "file:x", "redis://x", "sqlite:///x", "host=x", "postgresql://u:p@[", "postgresql://x?schema=A-B"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    """With an error that names the kinds, and no password."""
    with pytest.raises(ConfigError) as caught:
        open_ledger(address, KEY)
    assert "u:p" not in str(caught.value)


def test_settings_that_make_no_checkpoint_are_refused(files: str) -> None:
    """After no record or no time nothing could ever be signed."""
    opened(files, create=True).close()
    for settings in ({"every": 0}, {"seconds": 0}, {"segment_octets": 0}):
        with pytest.raises(ConfigError):
            opened(files, **settings)


def test_a_checkpoint_comes_in_time(address: str) -> None:
    """What waits for longer than was allowed is signed, though nothing more is written."""
    ledger = opened(address, create=True, seconds=0.05)
    ledger.append("x", {})
    end = time.monotonic() + 10
    while ledger.unsigned and time.monotonic() < end:
        time.sleep(0.01)
    assert (ledger.unsigned, ledger.verify().checkpoints) == (0, 1)
    ledger.close()


def test_files_are_for_their_owner_alone_and_rotate(tmp_path: Path) -> None:
    """Folders have mode 0700, files 0600, and a file that would become too long is followed by another."""
    (writer,) = filled(tmp_path / "l", 50, segment_octets=2000)
    paths = [tmp_path / "l", *(tmp_path / "l").rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_file()} == {0o600}
    segments = sorted((tmp_path / "l" / writer).glob("*.jsonl"))
    assert len(segments) > 5
    assert [path.name for path in segments][:2] == ["00000001.jsonl", "00000002.jsonl"]
    assert max(path.stat().st_size for path in segments) <= 2000
    assert verify(str(tmp_path / "l"), KEY.verifier).records == 50


def test_threads_append_at_once(address: str) -> None:
    """Every record has a number of its own, and is there."""
    ledger = opened(address, create=True)
    numbers: list[int] = []

    def work() -> None:
        numbers.extend(ledger.append("x", {}) for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(400))
    ledger.close()
    assert verify(address, KEY.verifier).records == 400


WORK = """
import sys
from sovguard.ledger import LedgerKey, open_ledger
ledger = open_ledger(sys.argv[1], LedgerKey.from_environment(), every=7)
for number in range(int(sys.argv[2])):
    ledger.append("x", {"of": number})
print(ledger.writer)
"""


def test_processes_append_at_once(address: str) -> None:
    """Each has a log of its own, which the end of the interpreter signs and ends though nobody closed it."""
    opened(address, create=True).close()
    command = [sys.executable, "-c", WORK, address, "100"]
    env = {"SOVGUARD_LEDGER_KEY": KEY.export(), "PATH": ""}
    working = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    writers = {process.communicate()[0].strip() for process in working}
    assert [process.returncode for process in working] == [0] * 4
    found = verify(address, KEY.verifier)
    assert (found.ok, found.records, found.writers, found.unsigned) == (True, 400, 4, 0)
    ledger = opened(address)
    assert (set(ledger.writers()) - {ledger.writer}, ledger.recovered) == (writers, 0)
    ledger.close()


def test_a_living_log_is_left_alone(address: str) -> None:
    """Whoever opens the ledger meanwhile does not end the log of another writer."""
    first = opened(address, create=True)
    fill(first, 5)
    second = opened(address)
    assert second.recovered == 0
    second.close()
    fill(first, 5)
    first.close()
    assert verify(address, KEY.verifier).records == 10


def child(ledger: Any, said: Any) -> None:
    """In a process that was forked off: write, and end."""
    fill(ledger, 5)
    said.put((ledger.writer, ledger.unsigned))
    said.close()
    said.join_thread()
    ledger.close()


def test_a_forked_process_has_a_log_of_its_own(address: str) -> None:
    """Its parent's log goes on and stays the parent's, whichever ends first."""
    ledger = opened(address, create=True)
    fill(ledger, 3)
    context = multiprocessing.get_context("fork")
    said = context.Queue()
    process = context.Process(target=child, args=(ledger, said))
    process.start()
    writer, unsigned = said.get(timeout=30)
    process.join(30)
    assert (process.exitcode, unsigned) == (0, 5)
    assert writer != ledger.writer
    other = opened(address)
    assert other.recovered == 0  # the parent's lock is still there
    other.close()
    fill(ledger, 3)
    ledger.close()
    found = verify(address, KEY.verifier)
    assert (found.ok, found.records, found.writers) == (True, 11, 2)
    gc.collect()


def test_a_child_does_not_hold_the_log_of_a_dead_parent(files: str) -> None:
    """A parent that is killed lets go of its log, though a process that it forked off lives on."""
    code = """
import os, sys, time
from sovguard.ledger import LedgerKey, create_ledger
ledger = create_ledger(sys.argv[1], LedgerKey.from_environment())
ledger.append("x", {})
child = os.fork()
if not child:
    time.sleep(60)
print(child, flush=True)
os.kill(os.getpid(), 9)
"""
    env = {"SOVGUARD_LEDGER_KEY": KEY.export(), "PATH": ""}
    with subprocess.Popen(
        [sys.executable, "-c", code, files], env=env, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        forked = int(parent.stdout.readline())
        try:
            parent.wait(30)
            ledger = opened(files)
            assert ledger.recovered == 1
            ledger.close()
        finally:
            os.kill(forked, 9)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A disk that has room for some octets and no more; ``truncate``: whether what was half written can be taken back."""
    state: dict[str, Any] = {"room": None, "truncate": True}
    write, truncate = os.write, os.ftruncate

    def limited(handle: int, data: bytes) -> int:
        if state["room"] is None or handle < 3:
            return write(handle, data)
        if state["room"] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = write(handle, data[: state["room"]])
        state["room"] -= done
        return done

    def taken_back(handle: int, size: int) -> None:
        if not state["truncate"]:
            raise OSError(errno.EIO, "Input/output error")
        truncate(handle, size)

    monkeypatch.setattr(os, "write", limited)
    monkeypatch.setattr(os, "ftruncate", taken_back)
    yield state
    state.update(room=None, truncate=True)


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path, full: dict[str, Any]) -> None:
    """Half a line is taken back; when there is room again, the ledger goes on."""
    ledger = opened(tmp_path / "l", create=True)
    fill(ledger, 3)
    full["room"] = 100
    with pytest.raises(LedgerError, match="disk is full"):
        ledger.append("x", RECORD)
    full["room"] = None
    assert ledger.append("x", {}) == 3
    ledger.close()
    assert verify(str(tmp_path / "l"), KEY.verifier).records == 4


def test_what_is_not_known_stops_the_ledger(tmp_path: Path, full: dict[str, Any]) -> None:
    """Where half a line stays, nothing more is written until the ledger is opened again, which drops and counts it."""
    ledger = opened(tmp_path / "l", create=True)
    fill(ledger, 3)
    full.update(room=100, truncate=False)
    with pytest.raises(LedgerError, match="disk is full"):
        ledger.append("x", RECORD)
    full.update(room=None, truncate=True)
    for call in (lambda: ledger.append("x", {}), ledger.checkpoint):
        with pytest.raises(LedgerError, match="open the ledger again"):
            call()
    writer = ledger.writer
    ledger.close()
    ledger = opened(tmp_path / "l")
    (record,) = [each for each in ledger.records() if each["kind"] == "recovered"]
    assert {name: record[name] for name in ("log", "records", "signed", "torn_octets")} == {
        "log": writer,
        "records": 3,
        "signed": 0,
        "torn_octets": 100,
    }
    ledger.close()
    assert verify(str(tmp_path / "l"), KEY.verifier).records == 4


def test_a_checkpoint_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an fsync that failed nobody knows what is on the disk: the ledger stops."""
    ledger = opened(tmp_path / "l", create=True)
    fill(ledger, 3)

    def failing(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(LedgerError, match="Input/output"):
            ledger.checkpoint()
    with pytest.raises(LedgerError, match="open the ledger again"):
        ledger.append("x", {})
    ledger.close()
    opened(tmp_path / "l").close()
    assert verify(str(tmp_path / "l"), KEY.verifier).ok


def test_a_folder_that_may_not_be_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a ledger on a read-only disk says so, and reading it goes on."""
    filled(tmp_path / "l", 3)

    def refusing(path: object, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(os, "mkdir", refusing)
        with pytest.raises(LedgerError, match="may not be used"):
            opened(tmp_path / "l")
    assert verify(str(tmp_path / "l"), KEY.verifier).records == 3


def test_a_server_that_ends_the_connection_stops_the_ledger(postgres: str) -> None:
    """Whether the last record was written is not known, so the ledger has to be opened again, which finds out."""
    import psycopg

    from sovguard.ledger.postgres import PostgresLog

    ledger = opened(postgres, create=True)
    fill(ledger, 3)
    log: Any = ledger._chain._log  # type: ignore[union-attr]
    assert isinstance(log, PostgresLog)
    with psycopg.connect(postgres.partition("?")[0], autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (log._connection.info.backend_pid,))
    with pytest.raises(LedgerError, match="gave up"):
        ledger.append("x", {"secret": "값"})
    with pytest.raises(LedgerError, match="open the ledger again"):
        ledger.append("x", {})
    ledger.close()
    ledger = opened(postgres)
    assert ledger.recovered == 1
    ledger.close()
    assert verify(postgres, KEY.verifier).records == 4


def interrupted(*args: Any, **more: Any) -> bytes:
    """Somebody presses Ctrl-C."""
    raise KeyboardInterrupt


def test_a_record_that_is_refused_leaves_the_ledger_as_it_was(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be a record takes no number, and its value is in no message; nor does what is cut off before that."""
    from sovguard.ledger import chain

    ledger = opened(address, create=True)
    with pytest.raises(LedgerError, match="a record holds") as caught:
        ledger.append("x", {"a": ("홍길동",)})
    assert "홍길동" not in str(caught.value)
    with pytest.raises(LedgerError, match="65,536"):
        ledger.append("x", {"a": "a" * 70_000})
    with pytest.raises(LedgerError, match="a table"):
        ledger.append("x", None)  # type: ignore[arg-type]
    with monkeypatch.context() as patch:
        patch.setattr(chain, "line_of", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ledger.append("x", {})
    assert ledger.append("x", {}) == 0
    ledger.close()
    assert verify(address, KEY.verifier).records == 1


def test_nothing_shows_what_it_holds(tmp_path: Path) -> None:
    """Neither key nor address nor record is in the repr of anything."""
    ledger = opened(tmp_path / "l", create=True)
    fill(ledger, 1)
    for thing in (ledger, ledger._store, ledger._key):
        assert "은행" not in repr(thing)
        assert KEY.export()[50:90] not in repr(thing)
    assert ledger.keyed("a", "b") == KEY.keyed("a", "b")
    with ledger:
        assert ledger.verifier == KEY.verifier
    (line,) = lines_of(tmp_path / "l" / verify_writer(tmp_path / "l"))
    assert line.endswith(b'"v":1}\n')


def verify_writer(folder: Path) -> str:
    """The only log of a ledger."""
    (found,) = (path.name for path in folder.iterdir() if len(path.name) == 16)
    return found


def test_a_signal_handler_is_turned_away(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a record it can write none, and ends the log once that is there; no number is given twice."""
    ledger = opened(address, create=True)
    log: Any = ledger._chain._log  # type: ignore[union-attr]
    write, errors = log.append, []

    def interrupted(line: bytes) -> None:
        for call in (lambda: ledger.append("x", {}), ledger.checkpoint):
            try:
                call()
            except LedgerError as error:
                errors.append(str(error))
        write(line)

    monkeypatch.setattr(log, "append", interrupted)
    assert [ledger.append("x", {}) for _ in range(2)] == [0, 1]
    assert len(errors) == 3  # there was nothing to sign at first
    assert all("signal handler" in error for error in errors)
    others: list[int] = []
    other = tmp_path / "other"

    def closing(line: bytes) -> None:
        ledger.close()
        others.append(os.open(other, os.O_RDWR | os.O_CREAT))  # it gets the first number that is free
        write(line)

    monkeypatch.setattr(log, "append", closing)
    assert ledger.append("x", {}) == 2
    os.close(others[0])
    assert other.stat().st_size == 0
    with pytest.raises(LedgerError, match="closed"):
        ledger.append("x", {})
    with pytest.raises(LedgerError, match="closed"):
        ledger.merge()
    ledger = opened(address)
    assert ledger.recovered == 0
    ledger.close()
    found = verify(address, KEY.verifier)
    assert (found.ok, found.records, found.unsigned) == (True, 3, 0)


def test_a_child_does_not_hold_up_merging(files: str) -> None:
    """One that was forked off while its parent merged has the lock too, and lives on; a lock that stays is an error."""
    from sovguard.ledger.files import FileStore

    ledger = opened(files, create=True)
    fill(ledger, 3)
    store: Any = ledger._store
    with store.merging():
        child = os.fork()
        if not child:
            time.sleep(60)
            os._exit(0)
    try:
        ledger.merge()
        other = FileStore(store.folder, patience=0.1)
        with store.merging(), pytest.raises(LedgerError, match="has been merging"), other.merging():
            pass
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        ledger.close()


def test_a_process_forked_off_while_a_ledger_is_opened_lets_go(
    files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parent's log is recovered when the parent dies, though the child lives on; and while one is closed."""
    from sovguard.ledger import chain
    from sovguard.ledger import ledger as module

    opened(files, create=True).close()
    children = []

    def fork(*_: Any, **__: Any) -> int:
        children.append(os.fork())
        if not children[-1]:
            time.sleep(60)
            os._exit(0)
        return 0

    with monkeypatch.context() as patch:
        patch.setattr(module, "recover", fork)
        first = opened(files)
        patch.setattr(chain.Chain, "_sign", fork)
        fill(first, 3)
        first.close()
    try:
        store: Any = first._store
        (writer,) = store.writers()
        os.unlink(store.folder / writer / "ended")
        end = time.monotonic() + 10  # the children let go when they first run
        while (taken := store.take_over(writer)) is None and time.monotonic() < end:
            time.sleep(0.01)
        assert taken is not None
    finally:
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)


def test_a_disk_that_is_full_leaves_no_half_ledger(tmp_path: Path, full: dict[str, Any]) -> None:
    """What could not be made is made when there is room; what could not be begun is begun then, and nothing is held open."""
    full["room"] = 50
    with pytest.raises(ConfigError, match="No space"):
        opened(tmp_path / "l", create=True)
    full["room"] = None
    opened(tmp_path / "l", create=True).close()


def test_a_file_that_cannot_be_begun_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As often as it is tried."""
    from sovguard.ledger import file_log

    ledger = opened(tmp_path / "l", create=True, segment_octets=400)
    fill(ledger, 1)

    def failing(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    held = len(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patch:
        patch.setattr(file_log, "sync_folder", failing)
        for _ in range(5):
            with pytest.raises(LedgerError, match=r"Input/output.*must not be sent"):
                fill(ledger, 1)
    assert len(os.listdir("/proc/self/fd")) == held
    fill(ledger, 1)
    ledger.close()
    assert verify(str(tmp_path / "l"), KEY.verifier).records == 2


def test_reading_holds_the_logs_of_one_time_alone(files: str) -> None:
    """However many there are: one that begins later is opened then, and one that is over is let go."""
    from sovguard.ledger.reading import records_in

    for begin in range(5):
        filled(files, 30, create=not begin, clock=ticking(1_000.0 * begin))
    ledger = opened(files)
    store: Any = ledger._store
    held, most = 0, 0
    lines = store.lines

    def counted(writer: str) -> Iterator[bytes]:
        nonlocal held, most
        held, read = held + 1, 0
        try:
            for line in lines(writer):
                read += 1
                most = max(most, held)
                yield line
        finally:
            held -= 1

    store.lines = counted
    times = [record["t"] for record in records_in(store)]
    ledger.close()
    assert (len(times), times == sorted(times), held) == (150, True, 0)
    assert most <= 2


def test_a_timer_that_cannot_be_started_is_started_later(files: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is appended meanwhile is there, and is signed in time once there are threads again."""
    ledger = opened(files, create=True, seconds=0.05)

    def failing(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", failing)
        ledger.append("x", {})
    ledger.append("x", {})
    end = time.monotonic() + 10
    while ledger.unsigned and time.monotonic() < end:
        time.sleep(0.01)
    assert ledger.unsigned == 0
    ledger.close()


def test_a_process_forked_off_while_a_log_is_made_lets_go(
    files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a lock that belongs to no log yet."""
    import sovguard.ledger.files as module

    opened(files, create=True).close()
    children: list[int] = []
    sync = module.sync_folder

    def forking(folder: Path) -> None:
        sync(folder)
        if not children:
            children.append(os.fork())
            if not children[0]:
                time.sleep(60)
                os._exit(0)

    with monkeypatch.context() as patch:
        patch.setattr(module, "sync_folder", forking)
        first = opened(files)
    fill(first, 3)
    first.close()
    try:
        store: Any = first._store
        (writer,) = store.writers()
        os.unlink(store.folder / writer / "ended")
        end = time.monotonic() + 10
        while (taken := store.take_over(writer)) is None and time.monotonic() < end:
            time.sleep(0.01)
        assert taken is not None
    finally:
        os.kill(children[0], 9)
        os.waitpid(children[0], 0)


def test_what_a_killed_maker_left_is_in_nobodys_way(tmp_path: Path) -> None:
    """Half an identity has another name, and the next try succeeds."""
    (tmp_path / "l").mkdir()
    (tmp_path / "l" / ".new-0123").write_bytes(b"sov")
    opened(tmp_path / "l", create=True).close()
    assert verify(str(tmp_path / "l"), KEY.verifier).ok


def test_a_log_that_cannot_be_taken_over_is_not_held(tmp_path: Path) -> None:
    """As often as it is tried."""
    (writer,) = filled(tmp_path / "l", 3)
    log = tmp_path / "l" / writer
    (log / "ended").unlink()
    (log / "checkpoints").unlink()
    (log / "checkpoints").mkdir()
    held = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(LedgerError, match="has to be"):
            opened(tmp_path / "l")
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == held
