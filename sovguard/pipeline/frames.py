"""Redaction of pandas and Polars frames and series, of columns in DuckDB, and of Hugging Face datasets.

None of them is imported here: what is passed in says what it is, and has its module with it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.cells import Cells
from sovguard.pipeline.columns import Column, Columns, chosen
from sovguard.pipeline.streams import Gathered, Work
from sovguard.pipeline.ways import Mode

if TYPE_CHECKING:
    from sovguard.guard import Guard

FrameT = TypeVar("FrameT")
SeriesT = TypeVar("SeriesT")


def redact_frame(
    frame: FrameT,
    mode: Mode,
    *,
    columns: Columns | None = None,
    guard: Guard | None = None,
    errors: str | None = None,
) -> FrameT:
    """Return a pandas or Polars DataFrame, or a Polars LazyFrame, whose texts have what was found in them replaced.

    Args:
        frame: The frame; it is not changed. A LazyFrame stays lazy, and is worked on batch by batch when it is collected.
        mode: How values are replaced (``sovguard.pipeline.Mode``).
        columns: Which columns, by name or as ``Column``; by default every one that holds texts.
        guard: What finds; by default a ``Guard()``.
        errors: Add a column of this name that says of a row what could not be worked on in it and why; that is then null.

    Returns:
        The same kind of frame, with the same rows, index, columns and types.

    Raises:
        InputError: It is no such frame; or something could not be worked on, and no column was named for ``errors``.
        ConfigError: A column is not there, holds no text, or cannot be replaced in the way that was asked for.
    """
    cells = _cells(guard, mode)
    done: FrameT = _frame(frame, columns, cells.redact, errors)
    return done


def restore_frame(
    frame: FrameT, mode: Mode, *, columns: Columns | None = None, errors: str | None = None
) -> FrameT:
    """Return a frame with the values back, as ``redact_frame`` returns it redacted. What cannot be opened stays as it is."""
    cells = _cells(None, mode)
    done: FrameT = _frame(frame, columns, cells.restore, errors)
    return done


def redact_series(
    series: SeriesT, mode: Mode, *, column: Column | None = None, guard: Guard | None = None
) -> SeriesT:
    """Return a pandas or Polars Series whose texts have what was found in them replaced.

    Args:
        series: The series; its name is read together with each of its texts.
        mode: How values are replaced.
        column: What is special about it; the name in it is not used.
        guard: What finds; by default a ``Guard()``.

    Raises:
        InputError: It is no such series, or something could not be worked on.
        ConfigError: It cannot be replaced in the way that was asked for.
    """
    cells = _cells(guard, mode)
    done: SeriesT = _series(series, column, cells.redact)
    return done


def restore_series(series: SeriesT, mode: Mode, *, column: Column | None = None) -> SeriesT:
    """Return a series with the values back, as ``redact_series`` returns it redacted."""
    cells = _cells(None, mode)
    done: SeriesT = _series(series, column, cells.restore)
    return done


def polars_namespace(name: str = "sovguard") -> None:
    """Give Polars expressions ``.sovguard.redact(mode, guard=…)`` and ``.sovguard.restore(mode)``.

    Args:
        name: What to call it.
    """
    import polars as pl

    if hasattr(pl.Expr, name):
        return

    class Namespace:
        def __init__(self, expression: pl.Expr) -> None:
            self._expression = expression

        def redact(self, mode: Mode, *, column: Column | None = None, guard: Guard | None = None) -> pl.Expr:
            """Return the expression with what is found in its texts replaced."""
            cells = _cells(guard, mode)
            return self._expression.map_batches(
                lambda series: _series(series, column, cells.redact), is_elementwise=True
            )

        def restore(self, mode: Mode, *, column: Column | None = None) -> pl.Expr:
            """Return the expression with the values back."""
            return self._expression.map_batches(
                lambda series: restore_series(series, mode, column=column), is_elementwise=True
            )

    pl.api.register_expr_namespace(name)(Namespace)


def duckdb_functions(
    connection: Any,
    mode: Mode,
    *,
    guard: Guard | None = None,
    label: str = "text",
    redact: str = "redact",
    restore: str | None = "restore",
) -> None:
    """Add functions of one VARCHAR to a DuckDB connection: ``SELECT redact(memo) FROM calls``.

    Args:
        connection: The connection.
        mode: How values are replaced.
        guard: What finds; by default a ``Guard()``.
        label: What texts are read together with; DuckDB does not tell the name of the column.
        redact: What the function is called.
        restore: What the one that puts values back is called; ``None`` for none.
    """
    import pyarrow as pa

    cells = _cells(guard, mode)
    column = Column(label)

    def worked(work: Work) -> Callable[[Any], Any]:
        def run(values: Any) -> Any:
            batch = pa.table({label: values.cast(pa.large_string())})
            from sovguard.pipeline.arrow import worked_on

            return worked_on(batch, [column], work).column(0).cast(values.type)

        return run

    text = ["VARCHAR"]
    settings: dict[str, Any] = {"type": "arrow", "null_handling": "default", "side_effects": False}
    connection.create_function(redact, worked(cells.redact), text, "VARCHAR", **settings)
    if restore is not None:
        back = worked(cells.restore)
        connection.create_function(restore, back, text, "VARCHAR", **settings)


def redact_dataset(
    dataset: Any, mode: Mode, *, columns: Columns | None = None, guard: Guard | None = None, **settings: Any
) -> Any:
    """Return a Hugging Face ``Dataset``, ``IterableDataset`` or ``DatasetDict`` with what was found in its texts replaced.

    Args:
        dataset: The dataset.
        mode: How values are replaced.
        columns: Which columns; by default all that hold texts.
        guard: What finds; by default a ``Guard()``.
        **settings: Passed on to its ``map``, as ``batch_size`` or ``num_proc``.
    """
    if isinstance(dataset, dict):
        return type(dataset)(
            {
                name: redact_dataset(part, mode, columns=columns, guard=guard, **settings)
                for name, part in dataset.items()
            }
        )
    wanted = None if columns is None else chosen(columns, ())
    for name in wanted or ():
        if name not in dataset.column_names and name.partition(".")[0] not in dataset.column_names:
            raise ConfigError(
                f"there is no column {name!r}; there are: {', '.join(map(repr, dataset.column_names))}"
            )
    # As plain values: in the form of another library cells are no texts, and some columns are not given at all.
    shown = getattr(dataset, "format", None)
    mapper = batch_mapper(mode, columns=None if wanted is None else wanted.values(), guard=guard)
    done = dataset.with_format(None).map(mapper, batched=True, **settings)
    if not isinstance(shown, dict) or shown["type"] is None:
        return done
    return done.with_format(
        shown["type"], shown["columns"], shown["output_all_columns"], **shown["format_kwargs"]
    )


def batch_mapper(
    mode: Mode, *, columns: Columns | None = None, guard: Guard | None = None
) -> Callable[[dict[str, list[Any]]], dict[str, list[Any]]]:
    """Return a function of a dict of columns, each a list of values, as ``datasets.map(batched=True)`` calls it."""
    cells = _cells(guard, mode)
    wanted = None if columns is None else chosen(columns, ())

    def mapped(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        gathered = Gathered(wanted)
        gathered.add(dict(batch), "")
        gathered.work(cells.redact)
        errors: list[str] = []
        new = {name: gathered.new(list(values), name, errors) for name, values in batch.items()}
        if errors:
            raise InputError(f"{errors[0]}. Nothing was returned")
        return new

    return mapped


def _cells(guard: Guard | None, mode: Mode) -> Cells:
    from sovguard.guard import Guard

    return Cells(Guard() if guard is None else guard, mode)


def _library(thing: object) -> str:
    return type(thing).__module__.partition(".")[0]


def _frame(frame: Any, columns: Columns | None, work: Work, errors: str | None) -> Any:
    library, kind = _library(frame), type(frame).__name__
    if library == "pandas" and hasattr(frame, "columns"):
        from sovguard.pipeline.pandas_frames import worked_frame

        return worked_frame(frame, columns, work, errors)
    if library == "polars" and kind == "LazyFrame":
        schema = frame.collect_schema()
        if errors is not None:
            schema = {**schema, errors: sys.modules["polars"].String}
        wanted = columns if columns is None else list(columns)
        return frame.map_batches(
            lambda part: _polars_frame(part, wanted, work, errors), schema=schema, streamable=True
        )
    if library == "polars" and kind == "DataFrame":
        return _polars_frame(frame, columns, work, errors)
    raise InputError(
        f"a pandas or Polars frame is worked on, not a {kind}; for Arrow there is redact_batch, for rows redact_rows"
    )


def _series(series: Any, column: Column | None, work: Work) -> Any:
    library = _library(series)
    if library not in ("pandas", "polars") or type(series).__name__ != "Series":
        raise InputError(f"a pandas or Polars Series is worked on, not a {type(series).__name__}")
    name = str(series.name) if series.name not in (None, "") else "text"
    column = Column(name) if column is None else _named(column, name)
    frame = series.to_frame(name)
    done = _frame(frame, [column], work, None)
    return done[name].rename(series.name) if library == "pandas" else done[name].alias(series.name)


def _named(column: Column, name: str) -> Column:
    return Column(name, column.types, column.action, column.join_group, column.is_a)


def _polars_frame(frame: Any, columns: Columns | None, work: Work, errors: str | None) -> Any:
    from sovguard.pipeline.arrays import has_text
    from sovguard.pipeline.arrow import worked_on

    pl = sys.modules["polars"]
    odd = [name for name, kind in frame.schema.items() if kind == pl.Object]
    if odd and (columns is None or set(odd) & {str(getattr(each, "name", each)) for each in columns}):
        raise ConfigError(
            f"the column {odd[0]!r} holds Python objects; cast it to String, or name the other columns"
        )
    whole, frame = frame, frame.select(pl.exclude(odd)) if odd else frame
    table = frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)).to_arrow()
    asked = chosen(columns, [field.name for field in table.schema if has_text(field.type)])
    tops = {each for name in asked for each in (name, name.partition(".")[0]) if each in table.schema.names}
    for name in tops & frame.schema.keys():
        if _has_enum(frame.schema[name]):
            raise ConfigError(f"the column {name!r} is an Enum, whose words are fixed; cast it to String")
    made = pl.from_arrow(worked_on(table, asked.values(), work, errors=errors))
    # What was not worked on is taken as it was: Arrow knows fewer types than Polars.
    made = made.with_columns(
        made.get_column(name).cast(kind) if name in tops else frame.get_column(name)
        for name, kind in frame.schema.items()
        if name not in tops or kind == pl.Categorical
    )
    added = [name for name in made.columns if name not in whole.columns]
    return made.with_columns(whole.get_column(name) for name in odd).select([*whole.columns, *added])


def _has_enum(kind: Any) -> bool:
    pl = sys.modules["polars"]
    if isinstance(kind, pl.Struct):
        return any(_has_enum(field.dtype) for field in kind.fields)
    return isinstance(kind, pl.Enum) or (hasattr(kind, "inner") and _has_enum(kind.inner))
