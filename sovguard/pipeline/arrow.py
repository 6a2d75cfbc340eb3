"""Redaction of Arrow batches and tables: the one shape that every frame, engine and file format can be brought into.

Rows, their order and their number, nulls and types stay. Every cell stands for itself, read together with the name of its
column; equal cells of a batch are looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.arrays import Texts, has_text, take_apart
from sovguard.pipeline.cells import Ask, Cells, Outcome
from sovguard.pipeline.columns import Column, Columns, chosen
from sovguard.pipeline.ways import Mode

if TYPE_CHECKING:
    from sovguard.guard import Guard

BatchT = TypeVar("BatchT")
DeadLetter = Callable[[pa.Table], None]
DETECTIONS = pa.list_(
    pa.struct(
        [
            pa.field("column", pa.string()),
            pa.field("type", pa.string()),
            pa.field("start", pa.int32()),
            pa.field("end", pa.int32()),
            pa.field("score", pa.float32()),
        ]
    )
)
"""The type of a column of detections: where in the original cell, in characters, and never what."""
_ROWS = 8_192
"""Rows that are worked on at a time."""


def redact_batch(
    data: BatchT,
    mode: Mode,
    *,
    columns: Columns | None = None,
    guard: Guard | None = None,
    detections: str | None = None,
    errors: str | None = None,
    dead_letter: DeadLetter | None = None,
) -> BatchT:
    """Return a batch or a table whose texts have what was found in them replaced.

    Args:
        data: The batch or table; it is not changed.
        mode: How values are replaced: a ``Vaultless``, a session, ``"mask"``, ``"remove"`` … (``sovguard.pipeline.Mode``).
        columns: Which columns, by name or as ``Column``; by default every one that holds texts, also in lists, structs, maps
            and dictionaries. Numbers, times and octets are not looked at.
        guard: What finds; by default a ``Guard()``.
        detections: Add a column of this name that says what was replaced where (``DETECTIONS``).
        errors: Add a column of this name: for a row in which something could not be worked on, what is wrong, without a value.
            What could not be worked on is null.
        dead_letter: Is given rows in which something could not be worked on, as they came, with what is wrong in a column
            ``error``; they are not in what is returned.

    Returns:
        As many rows as ``data`` has, but for those that went to ``dead_letter``, in its order and its types.

    Raises:
        InputError: Something could not be worked on, and there is neither ``errors`` nor ``dead_letter``.
        ConfigError: A column is not there, holds no text, or cannot be replaced in the way that was asked for.
    """
    cells = Cells(_guard(guard), mode)
    return worked_on(
        data, columns, cells.redact, detections=detections, errors=errors, dead_letter=dead_letter
    )


def restore_batch(
    data: BatchT,
    mode: Mode,
    *,
    columns: Columns | None = None,
    unresolved: str | None = None,
    errors: str | None = None,
    dead_letter: DeadLetter | None = None,
) -> BatchT:
    """Return a batch or a table with the values back in their places.

    Args:
        data: What ``redact_batch`` returned, or came of it.
        mode: The one that it was redacted with.
        columns: As for ``redact_batch``: a column with an action of its own needs it here too.
        unresolved: Add a column of this name that lists what looks like a surrogate and could not be opened.
        errors: As for ``redact_batch``.
        dead_letter: As for ``redact_batch``.

    Raises:
        InputError: Something could not be put back, and there is neither ``errors`` nor ``dead_letter``.
        ConfigError: A column is not there, holds no text, or was replaced in a way that cannot be undone.
    """
    cells = Cells(_guard(None), mode)
    return worked_on(
        data,
        columns,
        cells.restore,
        unresolved=unresolved,
        errors=errors,
        dead_letter=dead_letter,
    )


def _guard(guard: Guard | None) -> Guard:
    from sovguard.guard import Guard

    return Guard() if guard is None else guard


def worked_on(
    data: BatchT,
    columns: Columns | None,
    work: Callable[[Sequence[Ask]], list[Outcome]],
    *,
    detections: str | None = None,
    unresolved: str | None = None,
    errors: str | None = None,
    dead_letter: DeadLetter | None = None,
) -> BatchT:
    """Return a batch or a table whose texts ``work`` has worked on; for the adapters. The rest is as for ``redact_batch``."""
    if not isinstance(data, (pa.RecordBatch, pa.Table)):
        raise ConfigError(
            f"a pyarrow.RecordBatch or pyarrow.Table is worked on, not a {type(data).__name__}; see sovguard.pipeline for "
            "frames and rows"
        )
    if not data.schema.names:
        return data
    wanted = _wanted(data.schema, columns)
    added = {
        name: type_
        for name, type_ in (
            (detections, DETECTIONS),
            (unresolved, pa.list_(pa.string())),
            (errors, pa.string()),
        )
        if name is not None
    }
    if clash := added.keys() & set(data.schema.names):
        raise ConfigError(f"there is a column {min(clash)!r} already; name the one to add otherwise")
    if len(added) < sum(name is not None for name in (detections, unresolved, errors)):
        raise ConfigError("columns that are added need different names")
    schema = data.schema
    if errors is not None:  # what could not be worked on is null
        for name in {each.partition(".")[0] for each in wanted} & set(schema.names):
            schema = schema.set(schema.get_field_index(name), schema.field(name).with_nullable(True))
    for name, type_ in added.items():
        schema = schema.append(pa.field(name, type_))
    done: list[pa.RecordBatch] = []
    start = 0
    for batch in _batches(data):
        made = _Batch(batch, wanted, start).run(work)
        start += batch.num_rows
        if made.errors and dead_letter is not None:
            dead_letter(made.bad())
        elif made.errors and errors is None:
            row, what = min(made.errors.items())
            raise InputError(
                f"row {row + made.start}: {what}. Nothing was returned; name a column for errors, or a dead_letter"
            )
        more = []
        if detections is not None:
            more.append(made.detections())
        if unresolved is not None:
            more.append(made.unresolved())
        if errors is not None:
            more.append(pa.array([made.errors.get(row) for row in range(batch.num_rows)], pa.string()))
        worked = pa.RecordBatch.from_arrays([*made.columns, *more], schema=schema)
        done.append(worked.filter(made.good()) if made.errors and dead_letter is not None else worked)
    whole = pa.Table.from_batches(done, schema=schema)
    result: BatchT = whole if isinstance(data, pa.Table) else _one(whole)
    return result


def _one(table: Any) -> Any:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def _batches(data: Any) -> Iterator[pa.RecordBatch]:
    table = pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data
    yield from table.to_batches(max_chunksize=_ROWS)


def _wanted(schema: Any, columns: Columns | None) -> dict[str, Column]:
    """Return the columns to work on; one that is not there, or holds no text, would be passed on unread without a word."""
    paths: dict[str, bool] = {}
    for field in schema:
        for name, text in _paths(field.type, field.name):
            paths[name] = paths.get(name, False) or text
    tops = [field.name for field in schema if has_text(field.type)]
    wanted = chosen(columns, tops)
    for name in wanted:
        if name not in paths:
            raise ConfigError(f"there is no column {name!r}; there are: {', '.join(map(repr, schema.names))}")
        if not paths[name]:
            raise ConfigError(f"the column {name!r} holds no text; cast it to string, or leave it out")
    return wanted


def _paths(type_: Any, name: str) -> Iterator[tuple[str, bool]]:
    yield name, has_text(type_)
    if isinstance(type_, pa.BaseExtensionType):
        yield from _paths(type_.storage_type, name)
    elif pa.types.is_struct(type_):
        for index in range(type_.num_fields):
            yield from _paths(type_.field(index).type, f"{name}.{type_.field(index).name}")
    elif pa.types.is_map(type_):
        yield from _paths(type_.key_type, f"{name}.key")
        yield from _paths(type_.item_type, f"{name}.value")
    elif hasattr(type_, "value_type"):
        yield from _paths(type_.value_type, name)


class _Batch:
    """One batch that is worked on."""

    def __init__(self, batch: pa.RecordBatch, wanted: dict[str, Column], start: int) -> None:
        self._batch, self._wanted, self.start = batch, wanted, start
        self._worked: list[tuple[Texts, Outcome]] = []
        self.columns: list[Any] = []
        self.errors: dict[int, str] = {}

    def run(self, work: Callable[[Sequence[Ask]], list[Outcome]]) -> _Batch:
        texts: list[Texts] = []
        builds = [
            take_apart(column, name, texts)
            for column, name in zip(self._batch.columns, self._batch.schema.names, strict=True)
        ]
        asked: list[tuple[Texts, Ask]] = []
        for each in texts:
            column = self._column(each.name)
            if column is None:
                each.new = list(each.unique)
            else:
                asked.append((each, Ask(column, each.unique)))
        for (each, _), outcome in zip(asked, work([ask for _, ask in asked]), strict=True):
            for place in each.broken:
                outcome.texts[place], outcome.errors[place] = None, "it is not UTF-8"
            each.new = outcome.texts
            self._worked.append((each, outcome))
            for row, place in each.where(outcome.errors):
                said = f"{each.name}: {outcome.errors[place]}"
                self.errors[row] = f"{self.errors[row]}; {said}" if row in self.errors else said
        self.columns = [build() for build in builds]
        return self

    def _column(self, name: str) -> Column | None:
        """Return what is done to a column: what was said of it, or of one that it is in."""
        while name not in self._wanted:
            name, dot, _ = name.rpartition(".")
            if not dot:
                return None
        return self._wanted[name]

    def good(self) -> Any:
        """Which rows have no error."""
        return pa.array([row not in self.errors for row in range(self._batch.num_rows)])

    def bad(self) -> pa.Table:
        """Rows with an error, as they came."""
        rows = sorted(self.errors)
        table = pa.Table.from_batches([self._batch]).take(pa.array(rows, pa.int64()))
        name = "error" if "error" not in self._batch.schema.names else "sovguard_error"
        return table.append_column(pa.field(name, pa.string()), pa.array([self.errors[row] for row in rows]))

    def detections(self) -> Any:
        """What was replaced where, by row."""
        found: list[list[dict[str, Any]]] = [[] for _ in range(self._batch.num_rows)]
        for each, outcome in self._worked:
            for row, place in each.where(place for place, hits in enumerate(outcome.found) if hits):
                found[row] += [
                    {
                        "column": each.name,
                        "type": hit.entity_type,
                        "start": hit.start,
                        "end": hit.end,
                        "score": hit.score,
                    }
                    for hit in outcome.found[place]
                ]
        return pa.array(found, DETECTIONS)

    def unresolved(self) -> Any:
        """What looks like a surrogate and could not be opened, by row."""
        found: list[list[str]] = [[] for _ in range(self._batch.num_rows)]
        for each, outcome in self._worked:
            for row, place in each.where(outcome.unresolved):
                found[row] += outcome.unresolved[place]
        return pa.array(found, pa.list_(pa.string()))
