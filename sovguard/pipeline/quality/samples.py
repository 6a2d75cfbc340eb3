"""What counts different values in bounded memory, by hashes under a key that lasts as long as the report is made."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, TypeVar

T = TypeVar("T")
LIMIT = 1 << 18
"""How many different values are kept; of more, one in two, in four, … by their hashes: always the same ones."""
COUNTED = 1 << 16
"""The same for the different cells of a column."""


class Hashes:
    """Hashes of 64 bits under a random key: of no use to anybody once the report is made."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def __repr__(self) -> str:
        return "Hashes()"

    def __call__(self, *texts: str) -> int:
        """Return the hash of some texts."""
        said = "\0".join(texts).encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(said, digest_size=8, key=self._key).digest(), "big")


class Sample(Generic[T]):
    """Something about each of many hashed values; of too many, about one in ``one_in`` of them.

    Args:
        limit: How many are kept.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept: dict[int, T] = {}
        self.one_in = 1

    def __repr__(self) -> str:
        return f"Sample({len(self._kept)} of 1 in {self.one_in})"

    def __contains__(self, hashed: int) -> bool:
        return hashed in self._kept

    def get(self, hashed: int) -> T | None:
        """Return what is kept about a value."""
        return self._kept.get(hashed)

    def put(self, hashed: int, about: T) -> None:
        """Keep something about a value, if it is one of those that are kept."""
        if hashed & (self.one_in - 1):
            return
        self._kept[hashed] = about
        while len(self._kept) > self._limit:
            self.one_in *= 2
            self._kept = {each: told for each, told in self._kept.items() if not each & (self.one_in - 1)}

    def items(self) -> Iterator[tuple[int, T]]:
        """Yield what is kept."""
        yield from self._kept.items()

    @property
    def count(self) -> int:
        """How many different values there were: exactly as long as ``one_in`` is 1."""
        return len(self._kept) * self.one_in


@dataclass(slots=True)
class _Told:
    """What one value, or one substitute, was seen with.

    Attributes:
        other: The hash of the first that it was seen with.
        column: The column where that was.
        several: Whether it was seen with another one as well.
        columns: Whether it was seen in another column as well.
    """

    other: int
    column: int
    several: bool = False
    columns: bool = False


class Consistency:
    """Whether each value became always the same, and whether that stands for nothing else: within columns and across them."""

    def __init__(self) -> None:
        self._within: Sample[_Told] = Sample()
        self._backwards: Sample[_Told] = Sample()
        self._across: Sample[_Told] = Sample()

    def add(self, hashes: Hashes, column: int, value: str, substitute: str, *, reversible: bool) -> None:
        """Take note of a value and what stands in its place.

        Args:
            hashes: The hashes of this report.
            column: The number of the column.
            value: The value.
            substitute: What stands there.
            reversible: Whether a substitute of this kind may stand for one value only.
        """
        name = str(column)
        old, new = hashes(value), hashes(substitute)
        _note(self._within, hashes(name, value), new, column)
        _note(self._across, old, new, column)
        if reversible:
            _note(self._backwards, hashes(name, substitute), old, column)

    def by_column(self) -> dict[int, tuple[int, int, int]]:
        """Return for each column how many values, how many with several substitutes, how many substitutes of several values."""
        counted: dict[int, list[int]] = {}
        for place, sample in ((0, self._within), (2, self._backwards)):
            for _, told in sample.items():
                row = counted.setdefault(told.column, [0, 0, 0])
                if place == 0:
                    row[0] += sample.one_in
                    row[1] += sample.one_in * told.several
                else:
                    row[2] += sample.one_in * told.several
        return {column: (row[0], row[1], row[2]) for column, row in counted.items()}

    def across(self) -> tuple[int, int, int]:
        """Return how many values stand in several columns, how many of them became the same in all, and which part was kept."""
        shared = joined = 0
        for _, told in self._across.items():
            shared += told.columns
            joined += told.columns and not told.several
        one_in = self._across.one_in
        return shared * one_in, joined * one_in, max(one_in, self._within.one_in, self._backwards.one_in)


def _note(sample: Sample[_Told], hashed: int, other: int, column: int) -> None:
    told = sample.get(hashed)
    if told is None:
        sample.put(hashed, _Told(other, column))
        return
    told.several = told.several or told.other != other
    told.columns = told.columns or told.column != column
