"""The count of pairs of rows: one pass, in memory that does not grow with the rows."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sovguard.pipeline.quality.figures import Place, What
from sovguard.pipeline.quality.matching import Span
from sovguard.pipeline.quality.pairing import CellPair, Pair
from sovguard.pipeline.quality.rows import Cell, Row
from sovguard.pipeline.quality.samples import COUNTED, Consistency, Hashes, Sample
from sovguard.pipeline.quality.substitutes import (
    candidates,
    form,
    is_common,
    kind_of,
    ours,
    stands,
    without,
)

LENGTHS = tuple(dict.fromkeys([0, *(round(2 ** (step / 2)) for step in range(61))]))
"""The greatest length of each range: each about 1.4 times that of the one before."""
_PLACES = 20
"""How many places of each kind are kept."""
_IN_MIND = 1 << 18
"""How many values that are left are kept in mind, so that none is counted again when other rows are looked through."""
ANONYMITY_ROWS = 5_000_000
"""Of how many rows k-anonymity is told: the first."""


@dataclass(slots=True)
class TypeCount:
    """What is counted of a type, or of a type in a column."""

    found: int = 0
    substitutes: Counter[str] = field(default_factory=Counter)
    standing: int = 0
    newly: int = 0
    elsewhere: int = 0


@dataclass(slots=True, repr=False)
class ColumnCount:
    """What is counted of a column."""

    place: int
    cells: list[int] = field(default_factory=lambda: [0, 0])
    characters: int = 0
    changed: int = 0
    distinct: tuple[Sample[None], Sample[None]] = field(
        default_factory=lambda: (Sample(COUNTED), Sample(COUNTED))
    )
    types: dict[str, TypeCount] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"ColumnCount({self.place})"


class Comparison:
    """Counts pairs of rows.

    Args:
        quasi_identifiers: Columns by which a person could be told.
    """

    def __init__(self, quasi_identifiers: Sequence[str] = ()) -> None:
        self.hashes = Hashes()
        self.consistency = Consistency()
        self.columns: dict[str, ColumnCount] = {}
        self.counts: Counter[str] = Counter()
        self.places: list[Place] = []
        self.rows = [0, 0]
        self.broken = [0, 0]
        self.words = [0, 0]
        self.lengths: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
        self.quasi = {name: (array("q"), array("q")) for name in quasi_identifiers}
        self._values: Sample[str] = Sample()
        self._made: Sample[Place] = Sample()
        self._known: set[tuple[int, int]] = set()

    def __repr__(self) -> str:
        return f"Comparison({self.rows[0]} rows)"

    def add(self, pair: Pair) -> None:
        """Count a pair."""
        for side, row in enumerate((pair.before, pair.after)):
            if row is not None:
                self._row(side, row)
        before, after = pair.before, pair.after
        if before is None or after is None:
            self._alone(before, after)
            return
        if pair.moved:
            self._note("moved", before, after)
        if not pair.same_fields:
            self._note("fields", before, after)
        if after.broken and not before.broken:
            self._note("broken", before, after)
        paired_after = {id(each.after) for each in pair.cells}
        newly = [cell for cell in after.cells if id(cell) not in paired_after]
        rest = {id(each): _rest(each) for each in pair.cells} if pair.cells else {}
        whole = "\n".join([*rest.values(), *(without(cell.text, _spans(ours(cell.text))) for cell in newly)])
        same = True
        for each in pair.cells:
            same = self._cells(each, before, after, whole) and same
        for cell in newly:
            for span in cell.found:
                self._found(span, cell, None, after)
        paired_before = {id(each.before) for each in pair.cells}
        for cell in before.cells:
            if id(cell) not in paired_before:
                self._lost(cell, before, after, whole)
        if not same:
            self._note("changed", before, after)

    def elsewhere(self, rows: Iterable[Row]) -> bool:
        """Count values that were replaced in one row and stand in another; return whether that could be told.

        Args:
            rows: The rows after, once more.
        """
        if len(self._known) >= _IN_MIND:
            return False
        both = max(self._values.one_in, self._made.one_in) - 1
        for row in rows:
            for cell in row.cells:
                text = without(cell.text, _spans(ours(cell.text)))
                for each in dict.fromkeys(candidates(text)):
                    hashed = self.hashes(each)
                    entity_type = None if hashed & both else self._values.get(hashed)
                    if entity_type is None or (row.number, hashed) in self._known or hashed in self._made:
                        continue
                    self._type(cell.column, entity_type).elsewhere += 1
                    self._note("elsewhere", None, row, cell.column, entity_type)
        return True

    def finish(self) -> None:
        """Count made-up values that are somebody's: in a corpus whose values changed places nothing else would tell."""
        for hashed, place in self._made.items():
            if hashed in self._values and not is_common(place.entity_type):
                self._type(place.column, place.entity_type).standing += 1
                self._keep(place)

    def _row(self, side: int, row: Row) -> None:
        self.rows[side] += 1
        self.broken[side] += row.broken
        length = 0
        for cell in row.cells:
            length += 0 if cell.is_key else len(cell.text)
            column = self._column(cell.column)
            column.cells[side] += 1
            column.distinct[side].put(self.hashes(cell.text), None)
            if cell.unread:
                self._note("unread", None if side else row, row if side else None, cell.column)
        self.lengths[side][bisect_left(LENGTHS, length)] += 1
        for name, sides in self.quasi.items():
            if len(sides[side]) < ANONYMITY_ROWS:
                said = [cell.text for cell in row.cells if cell.column == name]
                sides[side].append(self.hashes("1", *said) - (1 << 63) if said else 0)

    def _alone(self, before: Row | None, after: Row | None) -> None:
        self._note("missing" if after is None else "added", before, after)
        for cell in before.cells if before is not None else ():
            column = self._column(cell.column)
            column.characters += len(cell.text)
            column.changed += len(cell.text)
            self.words[0] += len(without(cell.text, _spans(cell.found), " ").split())
            for _, _, entity_type in cell.found:
                self._type(cell.column, entity_type).found += 1
        if after is not None:
            for cell in after.cells:
                for span in cell.found:
                    self._found(span, cell, None, after)

    def _cells(self, pair: CellPair, before: Row, after: Row, whole: str) -> bool:
        """Count a cell; return whether text outside of values is what it was."""
        old, new = pair.before, pair.after
        column = self._column(old.column)
        column.characters += len(old.text)
        if pair.gaps is None:
            return self._other(pair, before, after, whole)
        words = len(without(old.text, [(gap.start, gap.end) for gap in pair.gaps], " ").split())
        self.words[0] += words
        self.words[1] += words
        left: list[str] = []
        for gap in pair.gaps:
            value, substitute = old.text[gap.start : gap.end], new.text[gap.into : gap.until]
            if value != substitute:
                column.changed += len(value)
            if gap.certain:
                kind = kind_of(substitute) if value != substitute else "surrogate"
                self.consistency.add(
                    self.hashes,
                    column.place,
                    value,
                    substitute,
                    reversible=kind in ("surrogate", "made_up") and len(gap.types) == 1,
                )
            for entity_type in gap.types:
                counted = self._type(old.column, entity_type)
                counted.found += 1
                told = form(value, entity_type)
                stood = value == substitute or (told is not None and told == form(substitute, entity_type))
                if stood or stands(value, substitute) or stands(value, whole):
                    left.append(value)
                    self._standing(value, entity_type, old, before, after)
                    continue
                self._replaced(value, substitute, entity_type, new, before, after)
        for start, end, entity_type in new.found:
            inside = any(2 * (min(end, gap.until) - max(start, gap.into)) >= end - start for gap in pair.gaps)
            if not inside and not any(new.text[start:end] in value for value in left):
                self._found((start, end, entity_type), new, before, after)
        return True

    def _other(self, pair: CellPair, before: Row, after: Row, whole: str) -> bool:
        """Count a cell of which nobody can say what stands in the place of what."""
        old, new = pair.before, pair.after
        self._column(old.column).changed += _changed(old.text, new.text)
        words = Counter(without(old.text, _spans(old.found), " ").split())
        self.words[0] += words.total()
        self.words[1] += (words & Counter(new.text.split())).total()
        left: list[str] = []
        for start, end, entity_type in old.found:
            value = old.text[start:end]
            self._type(old.column, entity_type).found += 1
            if value in new.text or stands(value, whole):
                left.append(value)
                self._standing(value, entity_type, old, before, after)
            else:
                self._remember(value, entity_type)
        for start, end, entity_type in new.found:
            hit = new.text[start:end]
            if hit in old.text and not any(hit in value for value in left):
                self._found((start, end, entity_type), new, before, after)
        return False

    def _lost(self, cell: Cell, before: Row, after: Row, whole: str) -> None:
        """Count a cell that is not there any more."""
        column = self._column(cell.column)
        column.characters += len(cell.text)
        column.changed += len(cell.text)
        for start, end, entity_type in cell.found:
            self._type(cell.column, entity_type).found += 1
            value = cell.text[start:end]
            if stands(value, whole):
                self._standing(value, entity_type, cell, before, after)
            else:
                self._remember(value, entity_type)

    def _replaced(
        self, value: str, substitute: str, entity_type: str, cell: Cell, before: Row, after: Row
    ) -> None:
        kind = kind_of(substitute)
        self._type(cell.column, entity_type).substitutes[kind] += 1
        self._remember(value, entity_type)
        if kind == "made_up" and (told := form(substitute, entity_type)) is not None:
            hashed = self.hashes(told)
            if hashed not in self._made:
                place = Place("standing", before.number, after.number, cell.column, entity_type)
                self._made.put(hashed, place)

    def _remember(self, value: str, entity_type: str) -> None:
        told = form(value, entity_type)
        if told is not None:
            self._values.put(self.hashes(told), entity_type)

    def _standing(self, value: str, entity_type: str, cell: Cell, before: Row, after: Row) -> None:
        self._type(cell.column, entity_type).standing += 1
        self._mind(value, entity_type, after)
        self._note("standing", before, after, cell.column, entity_type)

    def _found(self, span: Span, cell: Cell, before: Row | None, after: Row) -> None:
        start, end, entity_type = span
        self._type(cell.column, entity_type).newly += 1
        self._mind(cell.text[start:end], entity_type, after)
        self._note("found", before, after, cell.column, entity_type)

    def _mind(self, value: str, entity_type: str, after: Row) -> None:
        told = form(value, entity_type)
        if told is not None and len(self._known) < _IN_MIND:
            self._known.add((after.number, self.hashes(told)))

    def _note(
        self, what: What, before: Row | None, after: Row | None, column: str = "", entity_type: str = ""
    ) -> None:
        self._keep(
            Place(
                what,
                None if before is None else before.number,
                None if after is None else after.number,
                column,
                entity_type,
            )
        )

    def _keep(self, place: Place) -> None:
        self.counts[place.what] += 1
        if self.counts[place.what] <= _PLACES:
            self.places.append(place)

    def _column(self, name: str) -> ColumnCount:
        column = self.columns.get(name)
        if column is None:
            column = self.columns[name] = ColumnCount(len(self.columns))
        return column

    def _type(self, column: str, entity_type: str) -> TypeCount:
        return self._column(column).types.setdefault(entity_type, TypeCount())


def _rest(pair: CellPair) -> str:
    """Return what stands after outside of substitutes."""
    if pair.gaps is None:
        return without(pair.after.text, _spans(ours(pair.after.text)))
    return without(pair.after.text, [(gap.into, gap.until) for gap in pair.gaps])


def _spans(spans: Iterable[Any]) -> list[tuple[int, int]]:
    return [(start, end) for start, end, _ in spans]


def _changed(old: str, new: str) -> int:
    """Return how many characters of a text are between what its beginning and its end have in common with another."""
    most = min(len(old), len(new))
    begin = next((at for at in range(most) if old[at] != new[at]), most)
    end = next((at for at in range(most - begin) if old[-1 - at] != new[-1 - at]), most - begin)
    return len(old) - begin - end
