"""One file worked on from its beginning to its end, by one process or several, or from where it was cut off.

The output grows beside its place and is put there when it is whole. Pieces are written in their order, whoever was first.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.files.cutting import Piece, pieces
from sovguard.pipeline.files.journal import Journal, Progress
from sovguard.pipeline.files.processes import worked
from sovguard.pipeline.files.records import Shape, Worked, Worker
from sovguard.pipeline.files.settings import Form, Settings
from sovguard.pipeline.files.shapes import shape_for
from sovguard.pipeline.files.source import Source
from sovguard.private_files import sync_folder

_EVERY = 2.0
"""Seconds between two entries of the journal."""
_TOLD = 1_000
_WORKER: list[Worker] = []
"""What this process works with, in a process that a job has begun."""


@dataclass(slots=True)
class Report:
    """What a job did.

    Attributes:
        records: How many records came out.
        bad: Lines that could not be worked on, and why; of many, the first thousand.
        bad_count: How many there are.
        values: How many values were replaced, by type; equal texts near each other count once.
        unresolved: How many texts have what looks like a surrogate and could not be opened; likewise.
        octets: How many octets the file has, opened.
        seconds: How long it took, this time.
        shape: What the file was taken for.
        notes: What else somebody has to know, such as what could not be read.
        left: Of a document: what looks like a surrogate and could not be opened, each once.
    """

    records: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    bad_count: int = 0
    values: Counter[str] = field(default_factory=Counter)
    unresolved: int = 0
    octets: int = 0
    seconds: float = 0.0
    shape: Shape | None = None
    notes: list[str] = field(default_factory=list)
    left: dict[str, None] = field(default_factory=dict)


class Job:
    """Works on one file.

    Args:
        source: The file: plain, gzip or zstd.
        target: Where its outcome goes, compressed as it is. Nothing is there before all of it is.
        settings: What is done.
        workers: How many processes work; 1 is this one.
        resume: Go on where a job with the same file and settings was cut off.
        rejects: Where lines go that could not be worked on, as they came; by default nowhere: they are in the source.
        form: What its records are; by default what its name says.
        encoding: The encoding of its text; told by its beginning if ``None``.
        delimiter: Of CSV.
        header: Whether CSV begins with the names of its columns.
        progress: Is told how many stored octets are done, of how many.

    Raises:
        ConfigError: The target is the file itself, or there are no workers.
        InputError: The file cannot be read.
    """

    def __init__(
        self,
        source: Path,
        target: Path,
        settings: Settings,
        *,
        workers: int = 1,
        resume: bool = False,
        rejects: Path | None = None,
        form: Form | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        header: bool | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        if workers < 1:
            raise ConfigError("at least one process works")
        self._source, self._target, self._settings = Source(source), target, settings
        if target.exists() and target.samefile(source):
            raise ConfigError("the output would replace the only copy; name another file")
        if target.exists() and not target.is_file():
            raise ConfigError(f"{target} is no file, and would be replaced by one; name another")
        self._workers, self._resume, self._rejects = workers, resume, rejects
        self._told = {"form": form, "encoding": encoding, "delimiter": delimiter, "header": header}
        self._progress = progress
        self._journal = Journal(target)
        places = [source, target, *self._journal.places, *([] if rejects is None else [rejects])]
        if len({Path(os.path.realpath(place)) for place in places}) < len(places):
            raise ConfigError(
                "the file, its outcome, what stands beside that while it grows (.partial, .progress) and the rejects have to "
                "be different files"
            )

    def __repr__(self) -> str:
        return f"Job({self._workers} workers)"

    def run(self) -> Report:
        """Work on the file, and return what was done.

        Raises:
            InputError: The file is damaged, or it is not the one that the job was begun with.
            ConfigError: The settings are not those that the job was begun with, or there is nothing to go on from.
            SovguardError: A worker could not begin.
            OSError: The disk failed. What is written stays: the job can go on.
        """
        begun = time.monotonic()
        state, shape, skipped = self._begin()
        if not state.done:
            self._write(state, shape, skipped)
        if self._journal.partial.exists():
            self._journal.partial.replace(self._target)
            sync_folder(self._target.absolute().parent)
        self._journal.end()
        return told(state, shape, time.monotonic() - begun)

    def _write(self, state: Progress, shape: Shape, skipped: int) -> None:
        with ExitStack() as kept:
            stream = kept.enter_context(self._source.opened())
            head = self._source.read(stream, skipped)
            left = state.offset or skipped
            self._skip(stream, left - skipped)
            if not state.offset:
                self._journal.end()
                with suppress(FileNotFoundError):
                    self._journal.partial.unlink()
            out = kept.enter_context(_grown(self._journal.partial, state.written))
            rejected = (
                None if self._rejects is None else kept.enter_context(_grown(self._rejects, state.rejected))
            )
            if not state.offset:
                state.written += out.write(shape.stored(head))
                state.offset, state.line = skipped, 1 + head.count(b"\n")
            delimiter = shape.delimiter.encode() if shape.form == "csv" else b""
            found = pieces(self._source, stream, delimiter=delimiter, offset=state.offset, line=state.line)
            last = time.monotonic()
            for piece, done in worked_on(found, self._settings, shape, self._workers):
                state.written += out.write(done.data)
                if rejected is not None:
                    state.rejected += rejected.write(done.rejected)
                count(state, piece, done)
                self._progress(self._source.done, self._source.size)
                if time.monotonic() - last > _EVERY:
                    self._note(state, out, rejected)
                    last = time.monotonic()
            try:
                check_fields(self._source, self._settings, shape, state)
            except ConfigError:
                self._journal.end()
                self._journal.partial.unlink()
                raise
            state.done = True
            self._note(state, out, rejected)

    def _begin(self) -> tuple[Progress, Shape, int]:
        shape, skipped = shape_for(self._source, self._settings, **self._told)  # type: ignore[arg-type]  # of several kinds
        settings = self._settings.digest() + repr(shape)
        source = self._source.fingerprint(self._settings.key or b"none")
        rejects = None if self._rejects is None else str(self._rejects.absolute())
        state = self._journal.read() if self._resume else None
        if state is None:
            if self._rejects is not None and os.path.lexists(self._rejects):
                raise ConfigError(
                    f"{self._rejects} exists; rejected lines go into a file of their own: name another"
                )
            return Progress(settings, source, rejects=rejects), shape, skipped
        if state.rejects != rejects:
            raise ConfigError(
                "the job was begun with other --rejects; use those, or begin anew without --resume"
            )
        if state.settings != settings:
            raise ConfigError(
                "the job was begun with other settings or another key; use those, or begin anew without --resume"
            )
        if state.source != source:
            raise InputError(
                f"{self._source.path} is not the file that the job was begun with; begin anew without --resume"
            )
        return state, shape, skipped

    def _skip(self, stream: IO[bytes], octets: int) -> None:
        if not self._source.compression and not self._source.wide and stream.seekable():
            stream.seek(octets, os.SEEK_CUR)
            return
        while octets and (part := self._source.read(stream, min(octets, 1 << 20))):
            octets -= len(part)

    def _note(self, state: Progress, out: IO[bytes], rejected: IO[bytes] | None) -> None:
        _flush(out)
        if rejected is not None:
            _flush(rejected)
        self._journal.write(state)


def worked_on(
    found: Iterator[Piece], settings: Settings, shape: Shape, workers: int
) -> Iterator[tuple[Piece, Worked]]:
    """Yield what becomes of pieces, in their order, by this process or by several."""
    if workers == 1:
        worker = Worker(settings, shape)
        for piece in found:
            yield piece, worker.work(piece)
    else:
        yield from worked(found, _work, workers, _prepare, settings, shape)


def told(state: Progress, shape: Shape, seconds: float) -> Report:
    """Return what is said of a job that is done."""
    values = Counter(state.values or {})
    bad = state.bad or []
    return Report(state.records, bad, state.bad_count, values, state.unresolved, state.offset, seconds, shape)


def check_fields(source: Source, settings: Settings, shape: Shape, state: Progress) -> None:
    """Return if some record had each of the fields that were asked for: with a slip of the pen all would be as it was.

    Raises:
        ConfigError: None had one.
    """
    missing = set(settings.columns) - set(state.seen or ()) if shape.form == "jsonl" and state.records else ()
    if missing:
        raise ConfigError(f"nothing in {source.path} has the field {min(missing)!r}; check its name")


def _prepare(settings: Settings, shape: Shape) -> None:
    _WORKER[:] = [Worker(settings, shape)]


def _work(piece: Piece) -> Worked:
    return _WORKER[0].work(piece)


@contextmanager
def _grown(path: Path, size: int) -> Iterator[IO[bytes]]:
    """Open a file to be written to behind its first octets; what stands behind them is dropped.

    Raises:
        ConfigError: It has fewer.
    """
    handle = os.open(
        path,
        os.O_RDWR | os.O_NOFOLLOW | (os.O_CREAT | os.O_EXCL if not size and not path.exists() else 0),
        0o600,
    )
    with open(handle, "r+b") as file:
        if os.fstat(handle).st_size < size:
            raise ConfigError(f"{path} is shorter than it was; begin anew without --resume")
        file.truncate(size)
        file.seek(size)
        yield file


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def count(state: Progress, piece: Piece, done: Worked) -> None:
    """Count what became of a piece."""
    state.offset, state.line = piece.offset + piece.size, piece.line + piece.lines
    state.records += done.records
    state.bad_count += len(done.bad)
    told = state.bad or []
    state.bad = [*told, *done.bad[: max(0, _TOLD - len(told))]]
    state.unresolved += done.unresolved
    state.seen = sorted({*(state.seen or ()), *done.seen})
    values = Counter(state.values or {})
    values.update(done.values)
    state.values = dict(values)
