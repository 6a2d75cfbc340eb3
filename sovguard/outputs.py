"""Where results of the command line go: files that appear whole or not at all, folders, standard output."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sovguard.documents import check_source
from sovguard.errors import InputError

CLOSED_PIPE = 128 + 13
"""Exit code when the reader of the output went away, as of a program that SIGPIPE ends."""


def targets(
    files: Sequence[str], output: str | None, *, together: bool = False
) -> list[tuple[str, Path | None]]:
    """Return each file with where its result goes; ``None`` is standard output.

    Args:
        files: Paths or ``-``; none is ``-``.
        output: A file, a folder (also one to be made), or ``-`` or ``None`` for standard output.
        together: Whether several results may go to standard output.

    Raises:
        InputError: A file cannot be read, or the results of several would land in one place.
    """
    sources = list(files) or ["-"]
    if sources.count("-") > 1:
        raise InputError("standard input can be read once only; name it once")
    for position, source in enumerate(sources, 1):
        check_source(source, position)
    if output is None or output == "-":
        if len(sources) > 1 and not together:
            raise InputError(
                "several files would run into one another; name a folder with -o, or take --json"
            )
        return [(source, None) for source in sources]
    place = Path(output)
    if len(sources) == 1 and not place.is_dir() and not output.endswith(("/", os.sep)):
        return [(sources[0], place)]
    if "-" in sources:
        raise InputError("what comes from standard input has no name in a folder; name a file with -o")
    names = [Path(source).name for source in sources]
    if len(set(names)) < len(names):
        raise InputError(
            "two of the files have the same name and would overwrite each other; use two folders"
        )
    if not place.is_dir() and (os.path.lexists(place) or not place.parent.is_dir()):
        raise InputError(f"{place} has to be a folder, and none can be made there; name another with -o")
    return [(source, place / name) for source, name in zip(sources, names, strict=True)]


def refuse_same(path: Path, others: Iterable[str | Path | None], why: str) -> None:
    """Return if none of ``others`` is the same file as ``path``.

    Raises:
        InputError: One is; ``why`` is the message.
    """
    for other in others:
        if other is not None and os.path.realpath(other) == os.path.realpath(path):
            raise InputError(why)


class Outputs:
    """What a run writes, gathered beside its places until all of it is there.

    Args:
        folder: Made if something is to be written into it and it does not exist.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._made: Path | None = None
        self._mapping: Path | None = None
        self._waiting: list[tuple[Path, Path]] = []
        self._direct: list[tuple[bytes, Path | None]] = []
        self._placed = 0

    def write(self, data: bytes, target: Path | None) -> None:
        """Take what is to be written to ``target``; ``None`` is standard output."""
        if target is None or (target.exists() and not target.is_file()):
            self._direct.append((data, target))
            return
        try:
            if self._folder is not None and target.parent == self._folder and not self._folder.exists():
                self._folder.mkdir()
                self._made = self._folder
            self._waiting.append((_staged(data, target.resolve()), target.resolve()))
        except OSError as error:
            raise InputError(f"{target} cannot be written ({error.strerror}); name another place") from None

    def keep(self, mapping: Path) -> None:
        """Take note of a mapping that was written for this run: should the run fail, nothing needs it."""
        self._mapping = mapping

    def put(self) -> None:
        """Write everything to its place."""
        try:
            # First what can fail halfway, then the files, which only change their names.
            for data, place in self._direct:
                if place is None:
                    write_out(data)
                else:  # a device or a pipe, which must not be replaced by a file
                    place.write_bytes(data)
            for staged, target in self._waiting:
                os.replace(staged, target)
                self._placed += 1
        except OSError as error:
            raise InputError(f"the result cannot be written ({error.strerror}); name another place") from None

    def undo(self) -> None:
        """Remove the mapping, unless a file was replaced that it alone can restore."""
        if self._mapping is not None and not self._placed:
            self._mapping.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove what did not come to its place, and a folder that was made for it."""
        for staged, _ in self._waiting:
            staged.unlink(missing_ok=True)
        if self._made is not None:
            with suppress(OSError):  # results are in it
                self._made.rmdir()


@contextmanager
def outputs(folder: Path | None = None) -> Iterator[Outputs]:
    """Give what takes the results; all of them are written if the block ends well, else nothing is left.

    Files are written beside their places first and put there in the end, so that none is ever seen half written.
    """
    results = Outputs(folder)
    try:
        yield results
        results.put()
    except SystemExit:  # the reader of the output went away, and what it has read may have to be restored
        raise
    except BaseException:
        results.undo()
        raise
    finally:
        results.clear()


def _staged(data: bytes, target: Path) -> Path:
    """Return a file beside ``target`` that holds ``data`` and may be read by whom ``target`` may."""
    if target.exists():
        mode = stat.S_IMODE(target.stat().st_mode)
    else:
        mask = os.umask(0o077)
        os.umask(mask)
        mode = 0o666 & ~mask
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".sovguard-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def write_out(data: bytes) -> None:
    """Write to standard output, and end the program quietly where nobody reads it any more.

    Raises:
        InputError: It cannot be written.
    """
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        drop_stdout()
        raise SystemExit(CLOSED_PIPE) from None
    except OSError as error:
        drop_stdout()
        raise InputError(
            f"standard output cannot be written ({error.strerror}); send it to another place"
        ) from None


def drop_stdout() -> None:
    """Let what is still to be written to standard output go nowhere: Python flushes once more at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
