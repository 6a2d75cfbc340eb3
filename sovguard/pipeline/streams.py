"""Redaction of rows that come one after another, without an end: texts, or dicts as JSON has them. Memory does not grow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import numpy as np

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.cells import Ask, Cells, Outcome
from sovguard.pipeline.columns import Column, Columns, chosen
from sovguard.pipeline.ways import Mode

if TYPE_CHECKING:
    from sovguard.guard import Guard

RowT = TypeVar("RowT")
Work = Callable[[Sequence[Ask]], list[Outcome]]
_TEXT = "text"
"""What the column of rows that are texts is called."""
_AT_ONCE = 512


def redact_rows(
    rows: Iterable[RowT],
    mode: Mode,
    *,
    columns: Columns | None = None,
    guard: Guard | None = None,
    dead_letter: Callable[[RowT, str], None] | None = None,
    at_once: int = _AT_ONCE,
) -> Iterator[RowT]:
    """Yield rows with what was found in their texts replaced, as they come and in their order.

    Args:
        rows: Texts, or dicts (lists and dicts within them too). Keys and numbers are not looked at.
        mode: How values are replaced (``sovguard.pipeline.Mode``).
        columns: Which keys; of a dict within a dict, the names on the way with dots between. By default all.
        guard: What finds; by default a ``Guard()``.
        dead_letter: Is given a row in which something could not be worked on, and what is wrong; it is not yielded.
        at_once: How many are read before the first is yielded.

    Raises:
        InputError: Something could not be worked on, and there is no ``dead_letter``; or a row is neither text nor dict.
        ConfigError: A column is named twice, or cannot be replaced in the way that was asked for.
    """
    from sovguard.guard import Guard

    cells = Cells(Guard() if guard is None else guard, mode)
    return _worked(rows, columns, cells.redact, dead_letter, at_once)


def restore_rows(
    rows: Iterable[RowT],
    mode: Mode,
    *,
    columns: Columns | None = None,
    dead_letter: Callable[[RowT, str], None] | None = None,
    at_once: int = _AT_ONCE,
) -> Iterator[RowT]:
    """Yield rows with the values back, as ``redact_rows`` yields them redacted. What cannot be opened stays as it is."""
    from sovguard.guard import Guard

    cells = Cells(Guard(), mode)
    return _worked(rows, columns, cells.restore, dead_letter, at_once)


class Gathered:
    """The texts of some values, each under the names that lead to it, and what they become.

    Args:
        columns: Which names to look at; all if ``None``.
    """

    def __init__(self, columns: dict[str, Column] | None) -> None:
        self._columns = columns
        self._known: dict[str, Column | None] = {}
        self.seen: set[str] = set()
        """Which of the columns that were asked for there are."""
        self._texts: dict[str, dict[str, int]] = {}
        self._outcomes: dict[str, Outcome] = {}

    def __repr__(self) -> str:
        return f"Gathered({len(self._texts)} columns)"

    def add(self, value: Any, name: str) -> None:
        """Look for texts in a value that is called ``name``."""
        if self._columns is not None and name in self._columns:
            self.seen.add(name)
        if isinstance(value, str):
            if self.column(name) is not None:
                texts = self._texts.setdefault(name, {})
                texts.setdefault(str.__str__(value), len(texts))
        elif isinstance(value, Mapping):
            for key, item in value.items():
                self.add(item, f"{name}.{key}" if name else str(key))
        elif (items := _items(value)) is not None:
            for item in items:
                self.add(item, name)

    def work(self, work: Work) -> None:
        """Have all of them worked on."""
        asks = [Ask(self._column(name), list(texts)) for name, texts in self._texts.items()]
        self._outcomes = dict(zip(self._texts, work(asks), strict=True))

    def new(self, value: Any, name: str, errors: list[str]) -> Any:
        """Return a value with its texts replaced; what is wrong with it is added to ``errors``."""
        if isinstance(value, str):
            texts = self._texts.get(name)
            said = str.__str__(value)
            if texts is None or said not in texts:
                return value
            place, outcome = texts[said], self._outcomes[name]
            if place in outcome.errors:
                # The name of a field may be somebody's, unless it was asked for.
                known = name == _TEXT or (self._columns is not None and name in self._columns)
                errors.append(f"{name if known else 'a field'}: {outcome.errors[place]}")
            return value if outcome.texts[place] == said else outcome.texts[place]
        if isinstance(value, Mapping):
            return {
                key: self.new(item, f"{name}.{key}" if name else str(key), errors)
                for key, item in value.items()
            }
        items = _items(value)
        if items is None:
            if self.column(name) is not None and not _is_plain(value):
                errors.append(f"{type(value).__name__}: it is a kind of thing that is not looked into")
                return None
            return value
        new = [self.new(item, name, errors) for item in items]
        if isinstance(value, list):
            return new
        if isinstance(value, np.ndarray):
            made = np.empty(len(new), dtype=object)
            made[:] = new
            return made
        return getattr(value, "_make", type(value))(new)

    def column(self, name: str) -> Column | None:
        """Return what is done to a name: what was said of it, or of one that it is in."""
        if name not in self._known:
            found: Column | None = None
            if self._columns is None:
                found = Column(name)
            else:
                at = name
                while at and found is None:
                    found, at = self._columns.get(at), at.rpartition(".")[0]
            self._known[name] = found
        return self._known[name]

    def _column(self, name: str) -> Column:
        column = self.column(name)
        assert column is not None  # noqa: S101  only those were added
        return column


def _items(value: Any) -> list[Any] | None:
    """Return what is in a value that holds several; ``None`` for one that does not."""
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return list(value)
    if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "OUST":
        listed: list[Any] = value.tolist()
        return listed
    return None


def _is_plain(value: Any) -> bool:
    """Tell whether a value is one that holds no text: a number, a time, octets, nothing."""
    if value is None or isinstance(
        value, (bool, int, float, complex, bytes, bytearray, memoryview, Decimal, Fraction)
    ):
        return True
    if isinstance(value, (date, time, timedelta, UUID)):
        return True
    module = type(value).__module__.partition(".")[0]
    return module in ("numpy", "pandas") and not hasattr(value, "items") and not hasattr(value, "iloc")


def _worked(
    rows: Iterable[RowT],
    columns: Columns | None,
    work: Work,
    dead_letter: Callable[[RowT, str], None] | None,
    at_once: int,
) -> Iterator[RowT]:
    if at_once < 1:
        raise ConfigError("at_once is at least one row")
    wanted = None if columns is None else chosen(columns, ())
    absent = set(wanted or ())
    ahead = iter(rows)
    place = 0
    while some := list(islice(ahead, at_once)):
        gathered = Gathered(wanted)
        for number, row in enumerate(some, place):
            if not isinstance(row, (str, dict)):
                raise InputError(f"row {number} is a {type(row).__name__}; rows are texts or dicts")
            gathered.add(row, _top(row))
        gathered.work(work)
        absent -= gathered.seen
        for number, row in enumerate(some, place):
            errors: list[str] = []
            new: RowT = gathered.new(row, _top(row), errors)
            if not errors:
                yield new
            elif dead_letter is None:
                raise InputError(
                    f"row {number}: {'; '.join(errors)}. Name a dead_letter to go on without such rows"
                )
            else:
                dead_letter(row, "; ".join(errors))
        place += len(some)
    if absent and place:
        # With a slip of the pen everything would be as it was.
        raise ConfigError(f"no row had the column {min(absent)!r}; check its name")


def _top(row: object) -> str:
    return _TEXT if isinstance(row, str) else ""
