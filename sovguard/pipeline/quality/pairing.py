"""Which row after is which row before: in their order, and within a window of rows where something is missing, new or moved."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from sovguard.pipeline.quality.matching import Gap, matched
from sovguard.pipeline.quality.rows import Cell, Row

WINDOW = 256
"""How many rows are looked through for one that is not where it was."""
_NEAR = 8
_PATIENCE = 64
"""After so many rows in succession of which none was found, only a few are looked through, and now and then many."""
_FAR = 8192
_SURE = 3
"""So many rows in succession have to be the same for a place that is far away."""


@dataclass(slots=True, repr=False)
class CellPair:
    """A cell before and after.

    Attributes:
        before: As it was.
        after: As it is.
        gaps: What stands in the place of what; ``None`` if the rest is not what it was.
    """

    before: Cell
    after: Cell
    gaps: list[Gap] | None

    def __repr__(self) -> str:
        return f"CellPair({'changed' if self.gaps is None else len(self.gaps)})"


@dataclass(slots=True, repr=False)
class Pair:
    """A row before and after; one of them is ``None`` where it is missing.

    Attributes:
        before: As it was.
        after: As it is.
        cells: Its cells that are there before and after.
        same_fields: Whether all of them are.
        moved: Whether it stands in another order.
    """

    before: Row | None
    after: Row | None
    cells: list[CellPair]
    same_fields: bool = True
    moved: bool = False

    def __repr__(self) -> str:
        return f"Pair({len(self.cells)} cells)"


def pairs(before: Iterator[Row], after: Iterator[Row]) -> Iterator[Pair]:
    """Yield rows before and after with each other; those that are missing or new by themselves.

    Args:
        before: The rows as they were.
        after: The rows as they are.
    """
    was, now = _Ahead(before), _Ahead(after)
    in_vain = 0
    while (old := was.head()) is not None and (new := now.head()) is not None:
        pair = _whole(old, new)
        if pair is not None:
            was.take(0)
            now.take(0)
            in_vain = 0
            yield pair
            continue
        if in_vain in (_PATIENCE, _PATIENCE * 16, _PATIENCE * 256) and (alone := list(_jump(was, now))):
            in_vain = 0
            yield from alone
            continue
        window = WINDOW if in_vain < _PATIENCE else _NEAR
        later = next((at for at in range(1, window) if (row := now.at(at)) and _whole(old, row)), 0)
        earlier = next((at for at in range(1, window) if (row := was.at(at)) and _whole(row, new)), 0)
        if not later and not earlier:
            in_vain += 1
            yield _changed(was.take(0), now.take(0))
            continue
        in_vain = 0
        if later and earlier:
            # Whichever has the longer way is the one that moved.
            found = (
                _whole(was.take(0), now.take(later))
                if later >= earlier
                else _whole(was.take(earlier), now.take(0))
            )
            if found is not None:
                found.moved = True
                yield found
        elif earlier:
            yield Pair(was.take(0), None, [])
        else:
            yield Pair(None, now.take(0), [])
    while was.head() is not None:
        yield Pair(was.take(0), None, [])
    while now.head() is not None:
        yield Pair(None, now.take(0), [])


def _jump(was: _Ahead, now: _Ahead) -> Iterator[Pair]:
    """Yield rows as missing or as new up to where both go on alike, however many those are; none if that is not near enough."""
    for far in range(1, _FAR):
        if was.at(far) is None and now.at(far) is None:
            return
        if _alike(was, far, now, 0):
            yield from [Pair(was.take(0), None, []) for _ in range(far)]
            return
        if _alike(was, 0, now, far):
            yield from [Pair(None, now.take(0), []) for _ in range(far)]
            return


def _alike(was: _Ahead, left: int, now: _Ahead, right: int) -> bool:
    """Tell whether rows from two places on are the same, one after another."""
    for step in range(_SURE):
        old, new = was.at(left + step), now.at(right + step)
        if old is None or new is None or _whole(old, new) is None:
            return False
    return True


class _Ahead:
    """Rows, some of which are looked at before they are taken."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._held: deque[Row] = deque()

    def head(self) -> Row | None:
        return self.at(0)

    def at(self, place: int) -> Row | None:
        while len(self._held) <= place:
            row = next(self._rows, None)
            if row is None:
                return None
            self._held.append(row)
        return self._held[place]

    def take(self, place: int) -> Row:
        row = self._held[place]
        del self._held[place]
        return row


def _whole(before: Row, after: Row) -> Pair | None:
    """Return two rows as a pair if all text outside of values is the same; ``None`` if not."""
    if len(before.cells) != len(after.cells):
        return None
    sides, same = _sides(before, after)
    done = []
    for old, new in sides:
        gaps = matched(old.text, old.found, new.text, new.found)
        if gaps is None:
            return None
        done.append(CellPair(old, new, gaps))
    return Pair(before, after, done, same)


def _changed(before: Row, after: Row) -> Pair:
    sides, same = _sides(before, after)
    cells = [CellPair(old, new, matched(old.text, old.found, new.text, new.found)) for old, new in sides]
    return Pair(before, after, cells, same)


def _sides(before: Row, after: Row) -> tuple[list[tuple[Cell, Cell]], bool]:
    """Return which cell is which, and whether all of them are there: by their columns, or else by their places."""
    names, others = before.columns, after.columns
    if names == others:
        return list(zip(before.cells, after.cells, strict=True)), True
    same = sorted(names) == sorted(others)
    if not same and len(names) == len(others):
        return list(zip(before.cells, after.cells, strict=True)), False
    waiting: dict[str, deque[Cell]] = {}
    for cell in after.cells:
        waiting.setdefault(cell.column, deque()).append(cell)
    sides = [(cell, waiting[cell.column].popleft()) for cell in before.cells if waiting.get(cell.column)]
    return sides, same
