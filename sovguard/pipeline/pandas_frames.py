"""Columns of pandas frames worked on: texts, Python objects, categories, and those that Arrow holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.columns import Column, Columns, chosen
from sovguard.pipeline.streams import Gathered, Work


def worked_frame(frame: Any, columns: Columns | None, work: Work, errors: str | None) -> Any:
    """Return a frame whose texts ``work`` has worked on; the rest is as for ``redact_frame``."""
    names = list(frame.columns)
    if len(set(map(str, names))) < len(names):
        raise ConfigError("two columns of the frame have one name; rename one of them")
    by_name = {str(name): name for name in names}
    wanted = chosen(columns, [str(name) for name in names if _holds_text(frame[name])])
    for name in wanted:
        top = name if name in by_name else name.partition(".")[0]
        if top not in by_name:
            raise ConfigError(f"there is no column {name!r}; there are: {', '.join(map(repr, by_name))}")
        if not _holds_text(frame[by_name[top]]):
            raise ConfigError(f"the column {name!r} holds no text; cast it to str, or leave it out")
    if errors is not None and errors in by_name:
        raise ConfigError(f"there is a column {errors!r} already; name the one to add otherwise")
    gathered = Gathered(wanted)
    values: dict[str, list[Any]] = {}
    done = frame.copy()
    bad: list[list[str]] = [[] for _ in range(len(frame))]
    for name, original in by_name.items():
        if _is_arrow(frame[original]) and any(each == name or each.startswith(f"{name}.") for each in wanted):
            own = [column for each, column in wanted.items() if each == name or each.startswith(f"{name}.")]
            done[original] = _arrow_column(frame[original], name, own, work, bad)
        elif _holds_text(frame[original]) and any(
            each == name or each.startswith(f"{name}.") for each in wanted
        ):
            series = frame[original]
            values[name] = list(series.cat.categories) if _is_category(series) else series.tolist()
            gathered.add(values[name], name)
    gathered.work(work)
    for name, cells in values.items():
        done[by_name[name]] = _column(frame[by_name[name]], name, cells, gathered, bad)
    if any(bad) and errors is None:
        row = next(index for index, each in enumerate(bad) if each)
        raise InputError(f"row {row}: {'; '.join(bad[row])}. Nothing was returned; name a column for errors")
    if errors is not None:
        done[errors] = ["; ".join(each) or None for each in bad]
    return done


def _column(series: Any, name: str, cells: Iterable[Any], gathered: Gathered, bad: list[list[str]]) -> Any:
    said: list[list[str]] = []
    new: list[Any] = []
    for cell in cells:
        wrong: list[str] = []
        new.append(gathered.new(cell, name, wrong))
        said.append(wrong)
    if not _is_category(series):
        for row, wrong in enumerate(said):
            bad[row] += wrong
        return pd.Series(new, index=series.index, dtype=series.dtype, name=series.name)
    codes = series.cat.codes.tolist()
    for row, code in enumerate(codes):
        if code >= 0:
            bad[row] += said[code]
    whole = pd.Series(
        [None if code < 0 else new[code] for code in codes], index=series.index, name=series.name
    )
    kinds = list(dict.fromkeys(each for each in new if each is not None))
    return whole.astype(pd.CategoricalDtype(kinds, ordered=series.cat.ordered))


def _arrow_column(series: Any, name: str, columns: list[Column], work: Work, bad: list[list[str]]) -> Any:
    import pyarrow as pa

    from sovguard.pipeline.arrow import worked_on

    table = pa.table({name: series.array.__arrow_array__()})
    made = worked_on(table, columns, work, errors="sovguard_error" if name != "sovguard_error" else "error")
    for row, what in enumerate(made.column(1).to_pylist()):
        if what is not None:
            bad[row].append(what)
    array = pd.arrays.ArrowExtensionArray(made.column(0))
    return pd.Series(array, index=series.index, name=series.name)


def _is_arrow(series: Any) -> bool:
    return isinstance(series.dtype, pd.ArrowDtype)


def _holds_text(series: Any) -> bool:
    if _is_arrow(series):
        from sovguard.pipeline.arrays import has_text

        return has_text(series.dtype.pyarrow_dtype)
    if isinstance(series.dtype, pd.SparseDtype):
        if series.dtype.subtype.kind == "O":
            raise ConfigError("a sparse column of objects is not looked into; make it dense first")
        return False
    if _is_category(series):
        return _holds_text(pd.Series(series.cat.categories))
    return bool(series.dtype == object or pd.api.types.is_string_dtype(series.dtype))


def _is_category(series: Any) -> bool:
    return isinstance(series.dtype, pd.CategoricalDtype)
