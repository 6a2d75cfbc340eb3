"""A ledger in a folder: for each writer a folder of line files, of which the last one grows, and a file of checkpoints.

A writer holds its log with ``flock``, so two processes never write one log, and whoever dies lets go of it. On network file
systems that do not keep these locks, use PostgreSQL.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sovguard.errors import ConfigError, LedgerError
from sovguard.ledger.file_log import (
    CHECKPOINTS,
    NEW,
    FileLog,
    content,
    explain,
    opened,
    segment_name,
    segments,
    write,
)
from sovguard.ledger.forks import HeldFile
from sovguard.ledger.notes import is_writer, split_notes
from sovguard.ledger.records import LIMIT
from sovguard.ledger.stores import SEGMENT, State
from sovguard.private_files import sync_folder

_FIRST, _CHUNK = 2**13, 2**18
"""Octets that are read of a log at first, for whoever wants its beginning, and later."""
_IDENTITY, _MERGED, _LOCK = "ledger", "merged", "lock"
_MAKING = ".new-"
"""How what is being made is called; one that stays there was left by a process that died, and is nothing."""
_ENDED: tuple[State, ...] = ("ended", "damaged")


class FileStore:
    """The logs of a ledger in a folder.

    Args:
        folder: Where.
        segment_octets: Most octets of one file; a new one is begun before it would be exceeded.
        patience: Seconds to wait for another process that merges.
    """

    def __init__(self, folder: Path, *, segment_octets: int = SEGMENT, patience: float = 30.0) -> None:
        if segment_octets < 1:
            raise ConfigError("a file of a log has at least one octet")
        # As it is now: the process may go to another folder.
        self.folder, self._segment_octets = Path(os.path.abspath(folder)), segment_octets
        self._patience = patience

    def __repr__(self) -> str:
        return f"FileStore({str(self.folder)!r})"

    def create(self, note: str) -> None:
        """Make an empty ledger."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(not path.name.startswith(_MAKING) for path in self.folder.iterdir()):
                raise ConfigError(f"{self.folder} is not empty; a ledger is made in a folder of its own")
            self.folder.chmod(0o700)
            # Whole or not at all: half of it would stand in the way of the next try.
            made = self.folder / f"{_MAKING}{secrets.token_hex(8)}"
            handle = os.open(made, NEW, 0o600)
            try:
                write(handle, note.encode())
                os.fsync(handle)
                os.link(made, self.folder / _IDENTITY)
            finally:
                os.close(handle)
                made.unlink()
            sync_folder(self.folder)
            sync_folder(self.folder.parent)
        except FileExistsError:
            raise ConfigError(f"{self.folder} cannot be a ledger's folder: something is there") from None
        except OSError as error:
            raise ConfigError(f"the ledger cannot be made in {self.folder} ({error.strerror})") from None

    def identity(self) -> bytes | None:
        """Return the note that identifies the ledger."""
        try:
            return content(self.folder / _IDENTITY) if self.folder.is_dir() else None
        except OSError as error:
            explain(error)

    def writers(self) -> list[str]:
        """Return the ids of all writers."""
        try:
            with os.scandir(self.folder) as entries:
                return sorted(
                    entry.name
                    for entry in entries
                    if is_writer(entry.name) and entry.is_dir(follow_symlinks=False)
                )
        except OSError as error:
            explain(error)

    def state(self, writer: str) -> State:
        """Return what is noted of a log."""
        return next((state for state in _ENDED if (self.folder / writer / state).exists()), "open")

    def lines(self, writer: str) -> Iterator[bytes]:
        """Yield the lines of a log, of which its files hold one after the other; line feeds alone end them."""
        rest, chunk = b"", _FIRST
        try:
            for path in segments(self.folder / writer):
                offset, more = 0, True
                while more:
                    # Not held open: a ledger can have more writers than a process may have files.
                    with open(opened(path, os.O_RDONLY), "rb") as file:
                        file.seek(offset)
                        piece = file.read(chunk)
                    offset, more, chunk = offset + len(piece), len(piece) == chunk, min(2 * chunk, _CHUNK)
                    *found, rest = (rest + piece).split(b"\n")
                    yield from found
                    if len(rest) > LIMIT:
                        # No line: whoever reads it says so. Memory does not grow with it.
                        yield rest
                        rest = b""
        except FileNotFoundError:  # it held nothing, and its writer has just ended it
            return
        except OSError as error:
            explain(error)

    def octets(self, writer: str) -> int:
        """Return how many octets a log has."""
        try:
            return sum(path.stat().st_size for path in segments(self.folder / writer))
        except FileNotFoundError:
            return 0
        except OSError as error:
            explain(error)

    def notes(self, writer: str, *, durable: bool = False) -> list[bytes]:
        """Return the checkpoints of a log."""
        return split_notes(content(self.folder / writer / CHECKPOINTS, durable=durable))[0]

    def merged(self) -> list[bytes]:
        """Return the merged notes."""
        return split_notes(content(self.folder / _MERGED))[0]

    def add_merged(self, note: str) -> None:
        """Write a merged note."""
        path = self.folder / _MERGED
        try:
            whole = split_notes(content(path))[1]
            handle = opened(path, os.O_WRONLY | os.O_CREAT)
            try:
                os.ftruncate(handle, whole)  # half a note of a process that died
                os.lseek(handle, whole, os.SEEK_SET)
                write(handle, f"{note}\n".encode())
                os.fsync(handle)
            finally:
                os.close(handle)
            sync_folder(self.folder)
        except OSError as error:
            explain(error, writing=True)

    @contextmanager
    def merging(self) -> Iterator[None]:
        """Keep other processes from merging."""
        try:
            handle = opened(self.folder / f"{_MERGED}.lock", os.O_WRONLY | os.O_CREAT)
        except OSError as error:
            explain(error)
        try:
            self._wait_for(handle)
            try:
                yield
            finally:
                # Also for a process that was forked off meanwhile, and has the lock too for as long as it lives.
                fcntl.flock(handle, fcntl.LOCK_UN)
        finally:
            os.close(handle)

    def _wait_for(self, handle: int) -> None:
        end = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > end:
                    raise LedgerError(
                        f"another process has been merging the ledger for {self._patience:.0f} seconds; end it, or try again"
                    ) from None
                time.sleep(0.02)
            except OSError as error:
                explain(error)

    def open_log(self, writer: str) -> FileLog:
        """Make the log of a new writer: held before others can see it, so that none takes it for one left behind."""
        made = self.folder / f"{_MAKING}{writer}-{secrets.token_hex(4)}"
        place = self.folder / writer
        lock, held = -1, None
        try:
            made.mkdir(mode=0o700)
            lock = os.open(made / _LOCK, NEW, 0o600)
            held = HeldFile(lock)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for name in (segment_name(1), CHECKPOINTS):
                os.close(os.open(made / name, NEW, 0o600))
            sync_folder(made)
            os.rename(made, place)
            sync_folder(self.folder)
            return FileLog(place, lock, self._segment_octets)
        except OSError as error:
            if lock >= 0:
                os.close(lock)
            shutil.rmtree(made, ignore_errors=True)
            explain(error, writing=True)
        finally:
            if held is not None:
                held.passed_on()

    def take_over(self, writer: str) -> FileLog | None:
        """Return a log that was left behind."""
        place = self.folder / writer
        if self.state(writer) != "open":
            return None
        try:
            # Made anew only for a log that holds something: as a rule nobody removes that one meanwhile.
            lock = opened(place / _LOCK, os.O_WRONLY | (os.O_CREAT if self.octets(writer) else 0))
        except FileNotFoundError:  # it held nothing, and its writer has just ended it
            return None
        except OSError as error:
            explain(error)
        held = HeldFile(lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if place.is_dir() and self.state(writer) == "open":
                return FileLog(place, lock, self._segment_octets)
        except BlockingIOError:
            pass
        except OSError as error:
            os.close(lock)
            explain(error)
        finally:
            held.passed_on()
        os.close(lock)
        return None

    def close(self) -> None:
        """Do nothing: no file is held."""

    def abandon(self) -> None:
        """Do nothing: no file is held."""
