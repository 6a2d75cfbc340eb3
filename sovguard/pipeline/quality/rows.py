"""Rows taken apart into cells, and what is found in each: many rows with one call of the detector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from sovguard.errors import InputError
from sovguard.pipeline.cells import Ask, Cells
from sovguard.pipeline.columns import Column
from sovguard.pipeline.quality.matching import Span
from sovguard.pipeline.quality.substitutes import ours
from sovguard.shapes import MAX_DEPTH

if TYPE_CHECKING:
    from sovguard.guard import Guard

HIDDEN = "•"
"""Stands for the name of a field that may be somebody's: one in which something is found."""
OTHERS = "…"
"""Stands for the columns beyond the first ``_COLUMNS``."""
_COLUMNS = 256
_KEYS = 100_000
_AT_ONCE = 512
TEXT = "text"
"""What the column of rows that are texts is called."""


@dataclass(frozen=True, slots=True, repr=False)
class Numbered:
    """A row as it came.

    Attributes:
        number: Its number, from 1; of a file, that of the line where it begins.
        value: A text, or a dict as JSON has it.
        broken: Whether the file does not hold it as it should: no JSON, another encoding, too few cells.
    """

    number: int
    value: Any
    broken: bool = False

    def __repr__(self) -> str:
        return f"Numbered({self.number})"


@dataclass(slots=True, repr=False)
class Cell:
    """One text, number or name of a field.

    Attributes:
        path: The names that lead to it.
        text: What it says.
        is_key: Whether it is a name of a field in which something is found.
        column: What its column is called, without anything that is found.
        found: What is found in it.
        unread: Whether nobody could look.
    """

    path: tuple[str, ...]
    text: str
    is_key: bool = False
    column: str = ""
    found: Sequence[Span] = ()
    unread: bool = False

    def __repr__(self) -> str:
        return f"Cell({len(self.text)} characters)"


@dataclass(slots=True, repr=False)
class Row:
    """A row taken apart."""

    number: int
    cells: list[Cell] = field(default_factory=list)
    broken: bool = False

    def __repr__(self) -> str:
        return f"Row({self.number}, {len(self.cells)} cells)"

    @property
    def columns(self) -> list[str]:
        """The columns of its cells, in order."""
        return [cell.column for cell in self.cells]


class Reader:
    """Takes rows apart and has their texts looked at.

    Args:
        guard: What finds.
        columns: Which columns to look at, all if ``None``.
    """

    def __init__(self, guard: Guard, columns: dict[str, Column] | None) -> None:
        self._cells = Cells(guard, "remove")
        self._columns = columns
        self._keys: dict[str, Sequence[Span]] = {}
        self._names: set[str] = set()
        self._chosen: dict[str, Column | None] = {}
        self.seen: set[str] = set()
        """Which columns there are, of those that were asked for."""

    def __repr__(self) -> str:
        return f"Reader({len(self._names)} columns)"

    def read(self, rows: Iterable[Numbered]) -> Iterator[Row]:
        """Yield rows with what is found in them."""
        ahead = iter(rows)
        while some := list(islice(ahead, _AT_ONCE)):
            taken = self._taken(some)
            self._look(taken)
            yield from taken

    def taken(self, rows: Iterable[Numbered]) -> Iterator[Row]:
        """Yield rows taken apart, without looking for anything in their texts."""
        ahead = iter(rows)
        while some := list(islice(ahead, _AT_ONCE)):
            yield from self._taken(some)

    def _taken(self, some: Sequence[Numbered]) -> list[Row]:
        taken = []
        keys: dict[str, None] = {}
        for each in some:
            row = Row(each.number, broken=each.broken)
            _take(each.value, (), row.cells, keys, 0)
            taken.append(row)
        fresh = [key for key in keys if key not in self._keys]
        if fresh:
            if len(self._keys) > _KEYS:
                self._keys.clear()
            self._keys.update(zip(fresh, self._spans(Column("key"), "", fresh), strict=True))
        for row in taken:
            self._named(row)
        return taken

    def _named(self, row: Row) -> None:
        """Give the cells of a row the names of their columns; names in which something is found become cells themselves."""
        cells: list[Cell] = []
        told: set[tuple[str, ...]] = set()
        for cell in row.cells:
            for depth, key in enumerate(cell.path, 1):
                hits = self._keys.get(key, ())
                if hits and cell.path[:depth] not in told and self._asked(cell.path[:depth]) is None:
                    told.add(cell.path[:depth])
                    column = self._called((*cell.path[: depth - 1], HIDDEN))
                    cells.append(Cell(cell.path[:depth], key, True, column, hits))
            cell.column = self._called(cell.path) if cell.path else TEXT
            cells.append(cell)
        row.cells = cells

    def _called(self, path: tuple[str, ...]) -> str:
        asked = self._asked(path)
        if asked is not None:
            return asked
        name = ".".join(HIDDEN if self._keys.get(key, ()) else key for key in path)
        if name not in self._names:
            if len(self._names) >= _COLUMNS:
                return OTHERS
            self._names.add(name)
        return name

    def _asked(self, path: tuple[str, ...]) -> str | None:
        """Return the name of a column that somebody named, which may be shown whatever it says."""
        name = ".".join(path)
        if self._columns is None or name not in self._columns:
            return None
        self.seen.add(name)
        return name

    def _look(self, rows: Sequence[Row]) -> None:
        asks: dict[tuple[str, str], dict[str, list[Cell]]] = {}
        options: dict[tuple[str, str], Column] = {}
        for row in rows:
            for cell in row.cells:
                name = ".".join(cell.path) or TEXT
                column = self._column(name)
                if column is None or cell.is_key or not cell.text:
                    continue
                label = "" if not cell.path or cell.path[-1].isdigit() else cell.path[-1]
                key = (column.name if self._columns is not None else "", label)
                options[key] = column
                asks.setdefault(key, {}).setdefault(cell.text, []).append(cell)
        for key, texts in asks.items():
            for cells, found in zip(
                texts.values(), self._spans(options[key], key[1], list(texts)), strict=True
            ):
                for cell in cells:
                    cell.found, cell.unread = (found, False) if found is not None else ((), True)

    def _column(self, name: str) -> Column | None:
        """Return what was said of a name, or of one that it is in; ``None`` if it is not to be looked at."""
        if self._columns is None:
            return _ANY
        if name not in self._chosen:
            if len(self._chosen) > _KEYS:
                self._chosen.clear()
            steps = [name]
            while "." in steps[-1]:
                steps.append(steps[-1].rpartition(".")[0])
            asked = [step for step in steps if step in self._columns]
            self.seen.update(asked)
            self._chosen[name] = self._columns[asked[0]] if asked else None
        return self._chosen[name]

    def _spans(self, column: Column, label: str, texts: list[str]) -> list[Any]:
        """Return what is found in each of some texts; ``None`` for one that could not be looked at."""
        ask = Ask(Column(label, types=column.types, is_a=column.is_a), texts)
        (outcome,) = self._cells.redact([ask])
        return [
            None if place in outcome.errors else _without_ours(text, hits)
            for place, (text, hits) in enumerate(zip(texts, outcome.found, strict=True))
        ]


_ANY = Column("")


def _without_ours(text: str, hits: Iterable[Any]) -> list[Span]:
    """Return what was found that is not, for the greater part, a surrogate or a word for what was removed."""
    spans = [(hit.start, hit.end, hit.entity_type) for hit in hits]
    if not spans:
        return spans
    blank = ours(text)
    return [
        span
        for span in spans
        if 2 * sum(max(0, min(span[1], end) - max(span[0], start)) for start, end, _ in blank)
        < span[1] - span[0]
    ]


def _take(value: Any, path: tuple[str, ...], cells: list[Cell], keys: dict[str, None], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InputError(f"a row is nested more than {MAX_DEPTH} levels deep: flatten it first")
    if isinstance(value, Mapping):
        for key, item in value.items():
            name = str(key)
            keys[name] = None
            _take(item, (*path, name), cells, keys, depth + 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            _take(item, path, cells, keys, depth + 1)
    elif value is None or isinstance(value, bool):
        cells.append(Cell(path, {None: "null", True: "true", False: "false"}[value]))
    else:
        cells.append(Cell(path, str.__str__(value) if isinstance(value, str) else str(value)))
