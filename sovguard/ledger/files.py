"""A ledger in a folder: for each writer a folder of line files, of which the last one grows, and a file of checkpoints.

A writer holds its log with ``flock``, so two processes never write one log, and whoever dies lets go of it. On network file
systems that do not keep these locks, use PostgreSQL.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from sovguard.errors import ConfigError, LedgerError
from sovguard.ledger.notes import is_writer, split_notes
from sovguard.ledger.records import LIMIT
from sovguard.ledger.stores import SEGMENT, State
from sovguard.private_files import sync_folder

_CHUNK = 2**18
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
_IDENTITY, _MERGED, _CHECKPOINTS, _LOCK = "ledger", "merged", "checkpoints", "lock"
_ENDED: tuple[State, ...] = ("ended", "damaged")


class FileStore:
    """The logs of a ledger in a folder.

    Args:
        folder: Where.
        segment_octets: Most octets of one file; a new one is begun before it would be exceeded.
    """

    def __init__(self, folder: Path, *, segment_octets: int = SEGMENT) -> None:
        if segment_octets < 1:
            raise ConfigError("a file of a log has at least one octet")
        # As it is now: the process may go to another folder.
        self.folder, self._segment_octets = Path(os.path.abspath(folder)), segment_octets

    def __repr__(self) -> str:
        return f"FileStore({str(self.folder)!r})"

    def create(self, note: str) -> None:
        """Make an empty ledger."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(self.folder.iterdir()):
                raise ConfigError(f"{self.folder} is not empty; a ledger is made in a folder of its own")
            self.folder.chmod(0o700)
            handle = os.open(self.folder / _IDENTITY, _NEW, 0o600)
            try:
                _write(handle, note.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
            sync_folder(self.folder)
            sync_folder(self.folder.parent)
        except FileExistsError:
            raise ConfigError(f"{self.folder} cannot be a ledger's folder: something is there") from None
        except OSError as error:
            raise ConfigError(f"the ledger cannot be made in {self.folder} ({error.strerror})") from None

    def identity(self) -> bytes | None:
        """Return the note that identifies the ledger."""
        try:
            return (self.folder / _IDENTITY).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            _explain(error)

    def writers(self) -> list[str]:
        """Return the ids of all writers."""
        try:
            return sorted(name for name in os.listdir(self.folder) if is_writer(name))
        except OSError as error:
            _explain(error)

    def state(self, writer: str) -> State:
        """Return what is noted of a log."""
        return next((state for state in _ENDED if (self.folder / writer / state).exists()), "open")

    def lines(self, writer: str) -> Iterator[bytes]:
        """Yield the lines of a log, of which its files hold one after the other; line feeds alone end them."""
        rest = b""
        try:
            for path in _segments(self.folder / writer):
                offset, more = 0, True
                while more:
                    # Not held open: a ledger can have more writers than a process may have files.
                    with path.open("rb") as file:
                        file.seek(offset)
                        piece = file.read(_CHUNK)
                    offset, more = offset + len(piece), len(piece) == _CHUNK
                    *found, rest = (rest + piece).split(b"\n")
                    yield from found
                    if len(rest) > LIMIT:
                        # No line: whoever reads it says so. Memory does not grow with it.
                        yield rest
                        rest = b""
        except FileNotFoundError:  # it held nothing, and its writer has just ended it
            return
        except OSError as error:
            _explain(error)

    def octets(self, writer: str) -> int:
        """Return how many octets a log has."""
        try:
            return sum(path.stat().st_size for path in _segments(self.folder / writer))
        except FileNotFoundError:
            return 0
        except OSError as error:
            _explain(error)

    def notes(self, writer: str) -> list[bytes]:
        """Return the checkpoints of a log."""
        return split_notes(_content(self.folder / writer / _CHECKPOINTS))[0]

    def merged(self) -> list[bytes]:
        """Return the merged notes."""
        return split_notes(_content(self.folder / _MERGED))[0]

    def add_merged(self, note: str) -> None:
        """Write a merged note."""
        path = self.folder / _MERGED
        try:
            content = _content(path)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                whole = split_notes(content)[1]
                os.ftruncate(handle, whole)  # half a note of a process that died
                os.lseek(handle, whole, os.SEEK_SET)
                _write(handle, f"{note}\n".encode())
                os.fsync(handle)
            finally:
                os.close(handle)
            sync_folder(self.folder)
        except OSError as error:
            _explain(error)

    @contextmanager
    def merging(self) -> Iterator[None]:
        """Keep other processes from merging."""
        try:
            handle = os.open(self.folder / f"{_MERGED}.lock", os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            _explain(error)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def open_log(self, writer: str) -> FileLog:
        """Make the log of a new writer: held before others can see it, so that none takes it for one left behind."""
        made = self.folder / f".new-{writer}-{secrets.token_hex(4)}"
        place = self.folder / writer
        lock = -1
        try:
            made.mkdir(mode=0o700)
            lock = os.open(made / _LOCK, _NEW, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for name in (_segment(1), _CHECKPOINTS):
                os.close(os.open(made / name, _NEW, 0o600))
            sync_folder(made)
            os.rename(made, place)
            sync_folder(self.folder)
            return FileLog(place, lock, self._segment_octets)
        except OSError as error:
            if lock >= 0:
                os.close(lock)
            shutil.rmtree(made, ignore_errors=True)
            _explain(error)

    def take_over(self, writer: str) -> FileLog | None:
        """Return a log that was left behind."""
        place = self.folder / writer
        if self.state(writer) != "open":
            return None
        try:
            # Made anew only for a log that holds something: nobody removes that one meanwhile.
            lock = os.open(place / _LOCK, os.O_WRONLY | (os.O_CREAT if self.octets(writer) else 0), 0o600)
        except FileNotFoundError:  # it held nothing, and its writer has just ended it
            return None
        except OSError as error:
            _explain(error)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if place.is_dir() and self.state(writer) == "open":
                return FileLog(place, lock, self._segment_octets)
        except BlockingIOError:
            pass
        except OSError as error:
            os.close(lock)
            _explain(error)
        os.close(lock)
        return None

    def close(self) -> None:
        """Do nothing: no file is held."""

    def abandon(self) -> None:
        """Do nothing: no file is held."""


class FileLog:
    """A log in a folder, of which this process has the lock."""

    def __init__(self, place: Path, lock: int, segment_octets: int) -> None:
        self.writer, self.certain = place.name, True
        self._place, self._limit = place, segment_octets
        self._handles = [lock]
        paths = _segments(place)
        self._number = int(paths[-1].stem) if paths else 1
        self._file = self._opened(_segment(self._number))
        self._size = os.fstat(self._file).st_size
        self._notes = self._opened(_CHECKPOINTS)
        self._notes_size = os.fstat(self._notes).st_size

    def _opened(self, name: str) -> int:
        handle = os.open(self._place / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._handles.append(handle)
        return handle

    def append(self, line: bytes) -> None:
        """Write a line, with one call, to the operating system."""
        data = line + b"\n"
        try:
            if self._size and self._size + len(data) > self._limit:
                self._begin_segment()
            self._add(self._file, data, self._size)
        except OSError as error:
            _explain(error)
        self._size += len(data)

    def _begin_segment(self) -> None:
        self.certain = False
        os.fsync(self._file)  # a checkpoint makes the last file alone durable
        self.certain = True
        handle = self._opened(_segment(self._number + 1))
        sync_folder(self._place)
        self._handles.remove(self._file)
        os.close(self._file)
        self._file, self._size, self._number = handle, os.fstat(handle).st_size, self._number + 1

    def _add(self, handle: int, data: bytes, size: int) -> None:
        """Write all of ``data`` or nothing."""
        self.certain = False
        try:
            _write(handle, data)
        except OSError:
            # What was written of it is taken back; if that fails too, nobody knows what is there.
            with contextlib.suppress(OSError):
                os.ftruncate(handle, size)
                self.certain = os.fstat(handle).st_size == size
            raise
        self.certain = True

    def sync(self) -> None:
        """Make the lines durable."""
        try:
            os.fsync(self._file)
        except OSError as error:
            # The pages that could not be written are forgotten by then: another fsync would succeed and say nothing.
            self.certain = False
            _explain(error)

    def add_checkpoint(self, note: str) -> None:
        """Write a checkpoint."""
        data = f"{note}\n".encode()
        try:
            self._add(self._notes, data, self._notes_size)
            self._notes_size += len(data)
            self.certain = False
            os.fsync(self._notes)
            self.certain = True
        except OSError as error:
            _explain(error)

    def octets(self) -> int:
        """Return how many octets it has."""
        try:
            return sum(path.stat().st_size for path in _segments(self._place))
        except OSError as error:
            _explain(error)

    def cut(self, records: int, octets: int) -> None:
        """Drop what stands behind its first octets, and half a checkpoint."""
        try:
            for path in _segments(self._place):
                size = path.stat().st_size
                if size > octets:
                    os.truncate(path, octets)
                octets = max(0, octets - size)
            whole = split_notes(_content(self._place / _CHECKPOINTS))[1]
            os.ftruncate(self._notes, whole)
            self._notes_size = whole
            for path in _segments(self._place):
                handle = os.open(path, os.O_WRONLY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
        except OSError as error:
            _explain(error)

    def end(self, state: State) -> None:
        """Give it up for good."""
        try:
            if self._notes_size or any(path.stat().st_size for path in _segments(self._place)):
                os.close(os.open(self._place / state, os.O_WRONLY | os.O_CREAT, 0o600))
                sync_folder(self._place)
            else:
                shutil.rmtree(self._place)
        except OSError as error:
            _explain(error)
        finally:
            self.release()

    def release(self) -> None:
        """Give it up as it is."""
        self.certain = False
        handles, self._handles = self._handles, []
        # Their numbers are given to other files: whoever is still about to write must not write there.
        self._file = self._notes = -1
        for handle in reversed(handles):  # the lock in the end
            os.close(handle)

    def abandon(self) -> None:
        """Close what was inherited; the parent's lock stays, which it would not if it were unlocked here."""
        self.release()


def _segment(number: int) -> str:
    return f"{number:08d}.jsonl"


def _segments(place: Path) -> list[Path]:
    try:
        names = [name for name in os.listdir(place) if name.endswith(".jsonl") and name[:-6].isdecimal()]
    except FileNotFoundError:
        return []
    return [place / name for name in sorted(names)]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        _explain(error)


def _write(handle: int, data: bytes) -> None:
    done = os.write(handle, data)
    while done < len(data):  # the disk is full, as a rule: the next call says so
        done += os.write(handle, data[done:])


def _explain(error: OSError) -> NoReturn:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = "the disk is full; make room"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        what = f"its files may not be used ({error.strerror}); look at who owns the folder and how the disk is mounted"
    else:
        what = f"{error.strerror}; look at the disk and the system's log"
    raise LedgerError(
        f"the ledger's files failed: {what}. What was to be recorded must not be sent"
    ) from None
