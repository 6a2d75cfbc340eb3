"""One log of a ledger in a folder: its files, of which the last one grows, its checkpoints, and the lock that is held."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path
from typing import NoReturn

from sovguard.errors import LedgerError
from sovguard.ledger.forks import HELD
from sovguard.ledger.notes import split_notes
from sovguard.ledger.stores import State
from sovguard.private_files import sync_folder

CHECKPOINTS = "checkpoints"
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND


class FileLog:
    """A log in a folder, of which this process has the lock."""

    def __init__(self, place: Path, lock: int, segment_octets: int) -> None:
        self.writer, self.certain = place.name, True
        self._place, self._limit = place, segment_octets
        self._handles: list[int] = []
        try:
            paths = segments(place)
            self._number = int(paths[-1].stem) if paths else 1
            self._file = self._opened(segment_name(self._number))
            self._size = os.fstat(self._file).st_size
            self._notes = self._opened(CHECKPOINTS)
            self._notes_size = os.fstat(self._notes).st_size
        except BaseException:
            self.release()
            raise
        self._handles.insert(0, lock)
        HELD.add(self)

    def _opened(self, name: str) -> int:
        handle = opened(self._place / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
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
            explain(error, writing=True)
        self._size += len(data)

    def _begin_segment(self) -> None:
        self.certain = False
        os.fsync(self._file)  # a checkpoint makes the last file alone durable
        self.certain = True
        handle = self._opened(segment_name(self._number + 1))
        try:
            sync_folder(self._place)
        except OSError:
            self._handles.remove(handle)
            os.close(handle)
            raise
        self._handles.remove(self._file)
        os.close(self._file)
        self._file, self._size, self._number = handle, os.fstat(handle).st_size, self._number + 1

    def _add(self, handle: int, data: bytes, size: int) -> None:
        """Write all of ``data`` or nothing."""
        self.certain = False
        try:
            write(handle, data)
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
            explain(error, writing=True)

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
            explain(error, writing=True)

    def octets(self) -> int:
        """Return how many octets it has."""
        try:
            return sum(path.stat().st_size for path in segments(self._place))
        except OSError as error:
            explain(error)

    def cut(self, records: int, octets: int) -> None:
        """Drop what stands behind its first octets, and half a checkpoint."""
        try:
            whole = split_notes(content(self._place / CHECKPOINTS))[1]
            os.ftruncate(self._notes, whole)
            self._notes_size = whole
            for path in segments(self._place):
                handle = opened(path, os.O_WRONLY)
                try:
                    size = os.fstat(handle).st_size
                    if size > octets:
                        os.ftruncate(handle, octets)
                    octets = max(0, octets - size)
                    os.fsync(handle)
                finally:
                    os.close(handle)
        except OSError as error:
            explain(error, writing=True)

    def end(self, state: State) -> None:
        """Give it up for good."""
        try:
            if self._notes_size or any(path.stat().st_size for path in segments(self._place)):
                os.close(opened(self._place / state, os.O_WRONLY | os.O_CREAT))
                sync_folder(self._place)
            else:
                # Another process may just be looking into it: an empty log that stays does no harm.
                shutil.rmtree(self._place, ignore_errors=True)
        except OSError as error:
            explain(error, writing=True)
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


def segment_name(number: int) -> str:
    """Return how a file of a log is named."""
    return f"{number:08d}.jsonl"


def segments(place: Path) -> list[Path]:
    """Return the files of a log, the first one first; what else lies there is none of it.

    Raises:
        OSError: The folder cannot be read.
    """
    try:
        with os.scandir(place) as entries:
            names = [
                entry.name
                for entry in entries
                if entry.name.endswith(".jsonl")
                and entry.name[:-6].isdecimal()
                and entry.is_file(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []
    return [place / name for name in sorted(names)]


def content(path: Path, *, durable: bool = False) -> bytes:
    """Return what a file holds, nothing if there is none.

    Args:
        path: The file.
        durable: Make it durable first.

    Raises:
        LedgerError: It cannot be read, or is no file.
    """
    try:
        with open(opened(path, os.O_RDONLY), "rb") as file:
            if durable:
                os.fsync(file)
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError as error:
        explain(error)


def opened(path: Path, flags: int) -> int:
    """Return a descriptor of a file of the ledger: never of what a link leads to, and without waiting for anybody.

    Args:
        path: The file.
        flags: As for ``os.open``.

    Raises:
        OSError: It cannot be opened; of something else than a file ``EINVAL``.
    """
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "no file")
    return handle


def write(handle: int, data: bytes) -> None:
    """Write all of ``data``.

    Raises:
        OSError: Not all of it could be written.
    """
    done = os.write(handle, data)
    while done < len(data):  # the disk is full, as a rule: the next call says so
        done += os.write(handle, data[done:])


def explain(error: OSError, *, writing: bool = False) -> NoReturn:
    """Raise what a failure of the disk means for whoever uses the ledger.

    Raises:
        LedgerError: Always.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = "the disk is full; make room"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        what = f"its files may not be used ({error.strerror}); look at who owns the folder and how the disk is mounted"
    elif error.errno in (errno.ELOOP, errno.EINVAL, errno.ENXIO, errno.EISDIR):
        what = "something is no file that has to be one, and was put in its place"
    else:
        what = f"{error.strerror}; look at the disk and the system's log"
    lost = ". What was to be recorded must not be sent" if writing else ""
    raise LedgerError(f"the ledger's files failed: {what}{lost}") from None
