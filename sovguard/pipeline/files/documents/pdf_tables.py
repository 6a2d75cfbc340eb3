"""Tables of a page that says only where its words stand: their columns are the strips that stay blank from row to row.

A value in a cell is told by the head of its column, which a reader of the text alone could not find: so cells of a table are
parted by tabs, empty ones included, and what is no table is left as it is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Strip = tuple[float, float]
"""From where to where, in points from the left."""

_WIDE = 1.0
"""Heights of a line that part two cells and never two words: no table is without such a blank."""
_SEEN = 0.1
"""Heights of a line that a strip has to be wide to be seen at all."""
_SAME = 0.5
"""Heights of a line by which the bottoms of words in it differ: those that hang below it, and signs above it."""
_NEXT = 5.0
"""Heights of a line down to the next row of the same table."""
_JUDGED = 8
"""Rows of a table by which its columns are told."""
_MOST_WORDS = 200
"""Of a page that people read; what has more is no table."""


@dataclass(frozen=True, slots=True, repr=False)
class Word:
    """A word and where it stands.

    Attributes:
        text: What it says.
        left: Where it begins, in points.
        right: Where it ends.
    """

    text: str
    left: float
    right: float

    def __repr__(self) -> str:
        return f"Word({len(self.text)} characters)"


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """A line of a page.

    Attributes:
        text: What it says, where it is no row.
        words: Its words, in the order in which they are read.
        bottom: Where it stands, in points from below.
        height: How high its highest word is.
    """

    text: str
    words: Sequence[Word]
    bottom: float
    height: float

    def __repr__(self) -> str:
        return f"Line({len(self.words)} words)"


def with_cells(lines: Sequence[Line]) -> Iterator[str]:
    """Yield what lines say, with the cells of tables parted by tabs."""
    lines = _across(lines)
    at, found = 0, _table(lines, 0)
    while at < len(lines):
        below = _table(lines, at + 1)
        # A title above a table is no row of it, even where its words leave a strip of the table blank.
        if len(found.strips) < max(1, len(below.strips)):
            yield lines[at].text
            at, found = at + 1, below
        else:
            yield from ("\t".join(cells) for cells in _rows(lines[at : found.end], found.strips))
            at, found = found.end, _table(lines, found.end)


def _across(lines: Sequence[Line]) -> list[Line]:
    """Return lines with those put together that stand behind one another at one height: a row with an empty cell."""
    rows: list[Line] = []
    group: list[Line] = []
    for line in (*lines, None):
        if group and (line is None or not _goes_on(group[-1], line)):
            rows.append(group[0] if len(group) == 1 else _joined(group))
            group = []
        if line is not None:
            group.append(line)
    return rows


def _goes_on(line: Line, behind: Line) -> bool:
    if not line.words or not behind.words:
        return False
    return (
        abs(behind.bottom - line.bottom) < _SAME * min(line.height, behind.height)
        and behind.words[0].left > line.words[-1].right
    )


def _joined(lines: Sequence[Line]) -> Line:
    return Line(
        "\t".join(line.text for line in lines),
        [word for line in lines for word in line.words],
        min(line.bottom for line in lines),
        max(line.height for line in lines),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    strips: Sequence[Strip]
    end: int


def _table(lines: Sequence[Line], first: int) -> _Table:
    """Return the strips between the columns of a table that begins with a line, none if none does, and where it ends."""
    if first >= len(lines) or len(lines[first].words) > _MOST_WORDS or not _wide(lines[first]):
        return _Table((), first + 1)
    strips, end, row = _blanks(lines[first]), first + 1, first + 1
    # What stands below a table may leave its strips blank by chance, and is no row of it.
    while strips and row < len(lines) and row - end < _JUDGED and _follows(lines[row - 1], lines[row]):
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
    return _Table(strips if end > first + 1 else (), end)


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


def _rows(lines: Sequence[Line], strips: Sequence[Strip]) -> list[list[str]]:
    """Return the cells of lines; neighbours that stand far apart in no line are one column."""
    edges = [strip[0] for strip in strips]
    columns: list[list[list[Word]]] = [[[] for _ in lines] for _ in range(len(strips) + 1)]
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
    return [[" ".join(word.text for word in cell) for cell in row] for row in zip(*made, strict=True)]
