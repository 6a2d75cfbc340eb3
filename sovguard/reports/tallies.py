"""What counts in little memory, whatever is counted: different things, waiting times, and what happened when.

Nothing here knows what a ledger is.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from heapq import heappush, heappushpop
from itertools import accumulate
from typing import Literal

Unit = Literal["hour", "day", "month", "year"]

_KEPT = 2048
_SPACE = 2.0**64
_HOUR, _DAY = 3_600_000, 86_400_000
_COARSER: dict[Unit, Unit] = {"hour": "day", "day": "month", "month": "year"}
_MOST: dict[Unit, int] = {"hour": 72, "day": 186, "month": 240}
"""How many bins of a unit are kept at most; a longer period is told in the next unit."""


class Distinct:
    """Counts different texts: exactly up to 2,048 of them, and within some 5 % beyond, in the same memory.

    The smallest hashes are kept; how close together they lie says how many there are.
    """

    __slots__ = ("_heap", "_kept")

    def __init__(self) -> None:
        self._heap: list[int] = []  # negated, so that the greatest of the kept hashes is at hand
        self._kept: set[int] = set()

    def add(self, text: str) -> None:
        """Count a text."""
        hashed = int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        if hashed in self._kept:
            return
        if len(self._heap) < _KEPT:
            self._kept.add(hashed)
            heappush(self._heap, -hashed)
        elif hashed < -self._heap[0]:
            self._kept.add(hashed)
            self._kept.remove(-heappushpop(self._heap, -hashed))

    @property
    def exact(self) -> bool:
        """Whether ``count`` is the number itself and no estimate."""
        return len(self._heap) < _KEPT

    @property
    def count(self) -> int:
        """How many different texts there were."""
        if self.exact:
            return len(self._heap)
        return round((_KEPT - 1) * _SPACE / -self._heap[0])


_GROWTH = 1.05
_EDGES = tuple(accumulate([1.0] + [_GROWTH] * 280, lambda edge, growth: edge * growth))
"""From 1 ms to some 14 minutes: what a percentile says is within 2.5 % of what it was."""


class Latencies:
    """Waiting times in milliseconds, in a histogram of a fixed size."""

    __slots__ = ("_bins", "count", "greatest", "least")

    def __init__(self) -> None:
        self._bins = [0] * (len(_EDGES) + 1)
        self.count = 0
        self.least, self.greatest = math.inf, 0.0

    def add(self, milliseconds: float) -> None:
        """Count one."""
        self._bins[bisect_left(_EDGES, milliseconds)] += 1
        self.count += 1
        self.least = min(self.least, milliseconds)
        self.greatest = max(self.greatest, milliseconds)

    def percentile(self, share: float) -> float | None:
        """Return what ``share`` of them were not longer than; ``None`` if there is none."""
        if not self.count:
            return None
        wanted = max(1, math.ceil(share * self.count))
        place = next(place for place, total in enumerate(accumulate(self._bins)) if total >= wanted)
        if place == len(_EDGES):
            return self.greatest
        middle: float = _EDGES[place] / math.sqrt(_GROWTH)
        return min(max(middle, self.least), self.greatest)


class Timeline:
    """Counts by time, in hours as long as the period is a short one, then in days, months, years.

    Args:
        offset: How far local time is ahead of UTC, in milliseconds. It is the same all year: Korea has no summer time.
    """

    def __init__(self, offset: int = 0) -> None:
        self.unit: Unit = "hour"
        self._offset = offset
        self._bins: dict[int, dict[tuple[str, ...], int]] = {}

    def add(self, milliseconds: int, *keys: tuple[str, ...]) -> None:
        """Count each of ``keys`` at a time."""
        place = self._place((milliseconds + self._offset) // _HOUR)
        counted = self._bins.get(place)
        if counted is None:
            counted = self._bins[place] = {}
            while self.unit != "year" and max(self._bins) - min(self._bins) >= _MOST[self.unit]:
                self._fold()
            counted = self._bins[self._place((milliseconds + self._offset) // _HOUR)]
        for key in keys:
            counted[key] = counted.get(key, 0) + 1

    def bins(self) -> Iterator[tuple[str, dict[tuple[str, ...], int]]]:
        """Yield each bin with how it is called, in order; those between in which nothing was are empty."""
        if self._bins:
            for place in range(min(self._bins), max(self._bins) + 1):
                yield self._called(place), dict(self._bins.get(place, {}))

    def _place(self, hour: int) -> int:
        if self.unit == "hour":
            return hour
        if self.unit == "day":
            return hour // 24
        when = _EPOCH + timedelta(days=hour // 24)
        return when.year if self.unit == "year" else when.year * 12 + when.month - 1

    def _fold(self) -> None:
        """Go over to the next unit."""
        hours = {"hour": 1, "day": 24}.get(self.unit, 0)
        was, self.unit = self._bins, _COARSER[self.unit]
        self._bins = {}
        for place, counted in was.items():
            into = self._bins.setdefault(self._place(place * hours) if hours else place // 12, {})
            for key, count in counted.items():
                into[key] = into.get(key, 0) + count

    def _called(self, place: int) -> str:
        if self.unit == "year":
            return f"{place:04}"
        if self.unit == "month":
            return f"{place // 12:04}-{place % 12 + 1:02}"
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
            hours=place if self.unit == "hour" else place * 24
        )
        return when.strftime("%Y-%m-%d %H:00" if self.unit == "hour" else "%Y-%m-%d")


_EPOCH = date(1970, 1, 1)
