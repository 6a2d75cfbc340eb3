"""The written rule for spans that overlap.

1. The higher score wins: a label or a passed check is worth more than a bare shape.
2. At equal score the longer span wins, so that no part of it leaks.
3. At equal length the one that starts first, and then the alphabetical entity type: the order is always the same.

A loser that reaches beyond the winners keeps nothing: its remains would be a fragment of a value with no type of its
own. The one exception is a loser that holds a winner inside (an address holding a number taken for something else):
the longer one is taken when its score is at least that of the span inside, less ``CONTAINMENT``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from sovguard.entities import Detection

CONTAINMENT = 0.15
"""How much lower than an inner span a span that wholly contains it may score and still win."""


def resolve(detections: Sequence[Detection]) -> list[Detection]:
    """Returns the detections that stand, sorted by start, none overlapping another."""
    if len(detections) < 2:
        return list(detections)
    ordered = sorted(detections, key=lambda detection: detection.start)
    standing: list[Detection] = []
    group = [ordered[0]]
    reach = ordered[0].end
    for detection in ordered[1:]:
        if detection.start < reach:
            group.append(detection)
            reach = max(reach, detection.end)
        else:
            standing += _settle(group)
            group, reach = [detection], detection.end
    return standing + _settle(group)


def _settle(group: list[Detection]) -> list[Detection]:
    if len(group) == 1:
        return group
    # What is kept never overlaps, so that it stays sorted and the rivals of a detection are neighbours in it.
    kept: list[Detection] = []
    starts: list[int] = []
    for detection in sorted(group, key=_rank):
        first = bisect_right(starts, detection.start) - 1
        if first < 0 or kept[first].end <= detection.start:
            first += 1
        last = bisect_left(starts, detection.end, lo=first)
        if all(_contains(detection, rival) for rival in kept[first:last]):
            kept[first:last] = [detection]
            starts[first:last] = [detection.start]
    return kept


def _contains(outer: Detection, inner: Detection) -> bool:
    return (
        outer.start <= inner.start
        and inner.end <= outer.end
        and outer.end - outer.start > inner.end - inner.start
        and outer.score >= inner.score - CONTAINMENT
    )


def _rank(detection: Detection) -> tuple[float, int, int, str, str]:
    return (
        -detection.score,
        detection.start - detection.end,
        detection.start,
        detection.entity_type,
        detection.recognizer,
    )
