"""Parquet: batch by batch, written with the same schema, compression and row groups, and put in its place when it is whole.

What a file says of itself besides (statistics, key-value metadata of its maker) is made anew or worked on like a cell.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.cells import Ask, Outcome
from sovguard.pipeline.columns import Column
from sovguard.pipeline.files.job import Report
from sovguard.pipeline.files.processes import worked
from sovguard.pipeline.files.settings import Settings
from sovguard.private_files import placed

_ROWS = 16_384
_TOLD = 1_000
_OWN = ("ARROW:schema", "pandas", "huggingface", "org.apache.spark", "spark", "parquet.", "geo")
"""Keys of metadata by which programs know columns and types."""
_ERROR = "sovguard error"
_WORKER: list[_Worker] = []


@dataclass(slots=True, repr=False)
class _Done:
    batch: Any
    bad: list[tuple[int, str]] = field(default_factory=list)
    values: Counter[str] = field(default_factory=Counter)
    unresolved: int = 0


class _Worker:
    """Works on batches."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._cells = settings, settings.cells()
        self._values: Counter[str] = Counter()
        self._unresolved = 0

    def work(self, batch: Any) -> _Done:
        """Return a batch without the rows that could not be worked on, and which those are."""
        import pyarrow as pa

        from sovguard.pipeline.arrow import worked_on

        self._values, self._unresolved = Counter(), 0
        columns = self._settings.columns or None
        made = worked_on(batch, columns, self._asked, errors=_ERROR)
        errors = made.column(_ERROR).to_pylist()
        bad = [(place, what) for place, what in enumerate(errors) if what is not None]
        made = made.select([name for name in made.schema.names if name != _ERROR])
        if bad:
            made = made.filter(pa.array([what is None for what in errors]))
        return _Done(made, bad, self._values, self._unresolved)

    def metadata(self, said: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """Return what a file says of itself, worked on; what says which columns there are stays."""
        made: dict[bytes, bytes] = {}
        for key, value in said.items():
            name = key.decode("utf-8", "replace")
            if name.startswith(_OWN):
                made[key] = value
                continue
            try:
                (outcome,) = self._asked([Ask(Column(name), [value.decode()])])
            except UnicodeDecodeError:
                raise InputError(
                    "its metadata holds something that is no text, under a key that is not known"
                ) from None
            if outcome.texts[0] is None:
                raise InputError(f"its metadata could not be worked on: {outcome.errors[0]}")
            made[key] = outcome.texts[0].encode()
        return made

    def _asked(self, asks: Sequence[Ask]) -> list[Outcome]:
        outcomes = self._cells.restore(asks) if self._settings.restores else self._cells.redact(asks)
        for outcome in outcomes:
            self._values.update(hit.entity_type for hits in outcome.found for hit in hits)
            self._unresolved += len(outcome.unresolved)
        return outcomes


def work_on_parquet(
    source: Path,
    target: Path,
    settings: Settings,
    *,
    workers: int = 1,
    rejects: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Redact or restore a Parquet file.

    Args:
        source: The file.
        target: Where the outcome goes.
        settings: What is done; ``columns`` are its columns, by default all that hold text.
        workers: How many processes work.
        rejects: A Parquet file for rows that could not be worked on, as they came, with what is wrong in a column ``error``.
        progress: Is told how many octets are done, of how many, about.

    Raises:
        InputError: It is damaged, encrypted or no Parquet.
        ConfigError: pyarrow is not installed, a column is not there or holds no text, or the target is the file itself.
    """
    begun = time.monotonic()
    if target.exists() and target.samefile(source):
        raise ConfigError("the output would replace the only copy; name another file")
    if rejects is not None and os.path.lexists(rejects):
        raise ConfigError(f"{rejects} exists; rejected rows go into a file of their own: name another")
    library, file = _opened(source)
    report = Report(octets=source.stat().st_size)
    worker = _Worker(settings)
    schema = file.schema_arrow
    try:
        schema = schema.with_metadata(worker.metadata(schema.metadata or {}))
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    with (
        closing(file),
        closing(_Rejects(library, rejects)) as bad,
        placed(target) as path,
        library.ParquetWriter(path, schema, compression=_compression(file)) as writer,
    ):
        left = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
        group: list[Any] = []
        for batch, done in _batches(file, source, settings, worker, workers):
            _count(report, batch, done)
            bad.add(batch, done.bad)
            group.append(done.batch)
            left[0] -= batch.num_rows
            if not left[0]:
                left.pop(0)
                _write(writer, schema, group)
                group = []
            # In octets like every other file's: each row counts as much as the others.
            rows = report.records + report.bad_count
            progress(report.octets * rows // file.metadata.num_rows, report.octets)
    report.seconds = time.monotonic() - begun
    return report


def _opened(source: Path) -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as library
    except ImportError:
        raise ConfigError("Parquet needs pyarrow: pip install 'sovguard[arrow]'") from None
    try:
        return library, library.ParquetFile(source)
    except OSError as error:
        if isinstance(error, pa.ArrowException) or error.errno is None:
            raise InputError(f"{source} is damaged, encrypted or no Parquet") from None
        raise InputError(
            f"{source} cannot be read ({error.strerror}); check what it is and who may"
        ) from None
    except pa.ArrowException:
        raise InputError(f"{source} is damaged, encrypted or no Parquet") from None


def _batches(
    file: Any, source: Path, settings: Settings, worker: _Worker, workers: int
) -> Iterator[tuple[Any, _Done]]:
    found = _read(file, source)
    if workers == 1:
        for batch in found:
            yield batch, worker.work(batch)
        return
    yield from worked(found, _work, workers, _prepare, settings)


def _read(file: Any, source: Path) -> Iterator[Any]:
    """Yield batches, none of which reaches over the end of a row group."""
    import pyarrow as pa

    try:
        for number in range(file.metadata.num_row_groups):
            yield from file.iter_batches(batch_size=_ROWS, row_groups=[number])
    except (pa.ArrowException, OSError):
        raise InputError(f"{source} is damaged: rows of it cannot be read") from None


def _prepare(settings: Settings) -> None:
    _WORKER[:] = [_Worker(settings)]


def _work(batch: Any) -> _Done:
    return _WORKER[0].work(batch)


def _write(writer: Any, schema: Any, group: Iterable[Any]) -> None:
    import pyarrow as pa

    table = pa.Table.from_batches(list(group)).replace_schema_metadata(schema.metadata)
    if table.num_rows:
        writer.write_table(table, row_group_size=table.num_rows)


def _compression(file: Any) -> Any:
    if not file.metadata.num_row_groups:
        return "snappy"
    group = file.metadata.row_group(0)
    told = {}
    for number in range(group.num_columns):
        column = group.column(number)
        told[column.path_in_schema] = {"UNCOMPRESSED": "none"}.get(
            column.compression, column.compression.lower()
        )
    return told or "snappy"


def _count(report: Report, batch: Any, done: _Done) -> None:
    first = report.records + report.bad_count + 1
    report.records += batch.num_rows - len(done.bad)
    report.bad_count += len(done.bad)
    report.bad += [(first + place, what) for place, what in done.bad[: max(0, _TOLD - len(report.bad))]]
    report.values.update(done.values)
    report.unresolved += done.unresolved


class _Rejects:
    """Rows that could not be worked on, in a file of their own if one is asked for."""

    def __init__(self, library: Any, path: Path | None) -> None:
        self._library, self._path, self._writer = library, path, None

    def add(self, batch: Any, bad: Sequence[tuple[int, str]]) -> None:
        """Write those of a batch."""
        if self._path is None or not bad:
            return
        import pyarrow as pa

        rows = pa.Table.from_batches([batch]).take([place for place, _ in bad])
        name = "error" if "error" not in rows.schema.names else _ERROR
        rows = rows.append_column(name, pa.array([what for _, what in bad], pa.string()))
        if self._writer is None:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(handle, "wb")
            self._writer = self._library.ParquetWriter(self._file, rows.schema)
        self._writer.write_table(rows)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Make the file whole."""
        if self._writer is not None:
            self._writer.close()
            self._file.close()
