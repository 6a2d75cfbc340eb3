"""Tables of a page that says only where its words stand: their columns are the strips that stay blank from row to row.

A value in a cell is told by the head of its column, which a reader of the lines alone could not find. So tables are read a
second time, cells parted by tabs, empty ones included. That reading only adds to what the lines say: a form may look like a
table, with a box for each digit of a number.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sovguard.entities import Detection

Strip = tuple[float, float]
"""From where to where, in points from the left."""

_WIDE = 1.0
"""Heights of a line that part two cells and never two words: no table is without such a blank."""
_SEEN = 0.1
"""Heights of a line that a strip has to be wide to be seen at all."""
_NEXT = 5.0
"""Heights of a line down to the next row of the same table."""
_JUDGED = 8
"""Rows of a table by which its columns are told."""
_BETWEEN = 3
"""Characters between two words of a text that follow each other."""
_NOWHERE = -1
_MOST_WORDS = 100
"""Of a row; what has more is none."""


@dataclass(slots=True, repr=False, eq=False)
class Word:
    """A word and where it stands.

    Attributes:
        text: What it says.
        places: Where each of its characters stands in the text of the pages, in order.
        left: Where it begins on the page, in points.
        right: Where it ends.
    """

    text: str
    places: Sequence[int]
    left: float
    right: float

    def __repr__(self) -> str:
        return f"Word({len(self.text)} characters)"


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """A line of a page.

    Attributes:
        words: Its words, in the order in which they are read.
        bottom: Where it stands, in points from below.
        height: How high its highest word is.
    """

    words: Sequence[Word]
    bottom: float
    height: float

    def __repr__(self) -> str:
        return f"Line({len(self.words)} words)"


Row = list[list[Word]]
"""Cells, each some words or none."""


class Tables:
    """The tables of a document, as a text of their own."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._places: list[int] = []

    def __repr__(self) -> str:
        return f"Tables({len(self._places)} characters)"

    @property
    def text(self) -> str:
        """Rows in lines, cells parted by tabs."""
        return "".join(self._parts)

    def add_page(self, lines: Sequence[Line]) -> None:
        """Add the tables of the next page; the first may be one that goes on."""
        for number, table in enumerate(tables(lines)):
            self._part("\n" * bool(number))
            for row in table:
                for column, cell in enumerate(row):
                    self._part("\t" * bool(column))
                    for place, word in enumerate(cell):
                        self._part(" " * bool(place))
                        self._parts.append(word.text)
                        self._places += word.places
                self._part("\n")

    def located(self, hits: Iterable[Detection]) -> Iterator[Detection]:
        """Yield what was found in the tables, with offsets into the text of the pages: in pieces where it stands in several."""
        for hit in hits:
            start = end = -1
            for place in self._places[hit.start : hit.end]:
                if place == _NOWHERE:
                    continue
                if start >= 0 and not 0 <= place - end <= _BETWEEN:
                    yield replace(hit, start=start, end=end)
                    start = -1
                start, end = start if start >= 0 else place, place + 1
            if start >= 0:
                yield replace(hit, start=start, end=end)

    def _part(self, between: str) -> None:
        self._parts.append(between)
        self._places += [_NOWHERE] * len(between)


def tables(lines: Sequence[Line]) -> Iterator[list[Row]]:
    """Yield the tables of a page, from above to below."""
    lines = _across(lines)
    at, (strips, _) = 0, _table(lines, 0, _JUDGED)
    while at < len(lines):
        below, _ = _table(lines, at + 1, _JUDGED)
        # A title above a table is no row of it, even where its words leave a strip of the table blank.
        if strips and len(strips) >= len(below):
            strips, end = _table(lines, at, len(lines))
            yield _rows(lines[at:end], strips)
            at, (strips, _) = end, _table(lines, end, _JUDGED)
        else:
            at, strips = at + 1, below


def _across(lines: Sequence[Line]) -> list[Line]:
    """Return lines with those put together that stand behind one another at one height: a row with an empty cell."""
    rows: list[list[Line]] = []
    for line in lines:
        if rows and _goes_on(rows[-1][-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [group[0] if len(group) == 1 else _joined(group) for group in rows]


def _goes_on(line: Line, behind: Line) -> bool:
    if not line.words or not behind.words or behind.words[0].left <= line.words[-1].right:
        return False
    low, high = sorted((line, behind), key=lambda each: each.height)
    return high.bottom <= low.bottom + low.height / 2 <= high.bottom + high.height


def _joined(lines: Sequence[Line]) -> Line:
    return Line(
        [word for line in lines for word in line.words],
        min(line.bottom for line in lines),
        max(line.height for line in lines),
    )


def _table(lines: Sequence[Line], first: int, most: int) -> tuple[list[Strip], int]:
    """Return the strips between the columns of a table that begins with a line, none if none does, and where it ends.

    Args:
        lines: The lines.
        first: The line.
        most: How many rows are looked at.
    """
    if first >= len(lines) or len(lines[first].words) > _MOST_WORDS or not _wide(lines[first]):
        return [], first + 1
    strips, end, row = _blanks(lines[first]), first + 1, first + 1
    last = min(len(lines), first + most)
    # What stands below a table may leave its strips blank by chance, and is no row of it.
    while strips and row < last and row - end < _JUDGED and _follows(lines[row - 1], lines[row]):
        line = lines[row]
        left = list(_shared(strips, _blanks(line, outside=True), line.height))
        if row == first + 1 or len(left) >= len(strips):
            strips = left
        elif len(left) < 2 or 2 * len(left) <= len(strips):
            break
        # else one cell reaches over its border, while others stand as they did
        row += 1
        if row == first + _JUDGED:
            strips = _parting(strips, lines[first:row])
        if _parting(strips, [line]):
            end = row
    strips = _parting(strips, lines[first : min(row, first + _JUDGED)])
    return (strips, end) if end > first + 1 else ([], end)


def _parting(strips: Sequence[Strip], lines: Sequence[Line]) -> list[Strip]:
    """Return those strips at which in some line no two words of one text stand: they are too far apart."""
    parting: set[Strip] = set()
    for line in lines:
        wide = _wide(line)
        lefts = [left for left, _ in wide]
        for strip in strips:
            at = bisect_right(lefts, strip[0]) - 1
            if at >= 0 and strip[1] <= wide[at][1]:
                parting.add(strip)
    return [strip for strip in strips if strip in parting]


def _wide(line: Line) -> list[Strip]:
    return [(left, right) for left, right in _blanks(line) if right - left >= _WIDE * line.height]


def _follows(line: Line, below: Line) -> bool:
    if len(below.words) > _MOST_WORDS:
        return False
    return line.bottom - _NEXT * max(line.height, below.height) < below.bottom < line.bottom


def _blanks(line: Line, *, outside: bool = False) -> list[Strip]:
    """Return the strips of a line that are blank, between its words and, if ``outside``, around them."""
    blanks: list[Strip] = []
    right = float("-inf")
    for word in sorted(line.words, key=lambda word: word.left):
        if word.left > right and (outside or right > float("-inf")):
            blanks.append((right, word.left))
        right = max(right, word.right)
    if outside:
        blanks.append((right, float("inf")))
    return blanks


def _shared(strips: Sequence[Strip], blanks: Sequence[Strip], height: float) -> Iterator[Strip]:
    """Yield where strips are blank in a line; both are in order."""
    at = 0
    for blank in blanks:
        while at < len(strips) and strips[at][1] <= blank[0]:
            at += 1
        place = at
        while place < len(strips) and strips[place][0] < blank[1]:
            both = max(blank[0], strips[place][0]), min(blank[1], strips[place][1])
            if both[1] - both[0] >= _SEEN * height:
                yield both
            place += 1


def _rows(lines: Sequence[Line], strips: Sequence[Strip]) -> list[Row]:
    """Return the cells of lines; neighbours that stand far apart in no line are one column."""
    edges = [strip[0] for strip in strips]
    columns: list[Row] = [[[] for _ in lines] for _ in range(len(strips) + 1)]
    for at, line in enumerate(lines):
        for word in line.words:
            columns[bisect_left(edges, word.left)][at].append(word)
    made = columns[:1]
    for column in columns[1:]:
        if any(
            left and right and right[0].left - left[-1].right >= _WIDE * line.height
            for left, right, line in zip(made[-1], column, lines, strict=True)
        ):
            made.append(column)
        else:
            made[-1] = [[*left, *right] for left, right in zip(made[-1], column, strict=True)]
    return [list(row) for row in zip(*made, strict=True)]
