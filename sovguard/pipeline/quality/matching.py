"""A text before and after: what stands in the place of what was found, and whether the rest is what it was.

The rest is looked for in its order, whatever stands between: which surrogates, masks or made-up values somebody chose does not
matter. Where what was found does not lead through, what reads as surrogates does: then somebody else found more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sovguard.pipeline.quality.substitutes import ours, without

Span = tuple[int, int, str]
"""A stretch of a text and its entity type."""
_TOUCHING = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_MORE = 24
"""By how many characters a substitute that is no surrogate may be longer than twice what it stands for."""
_LONGEST = 200
"""Of a value that only its surrogate tells."""


@dataclass(slots=True, repr=False)
class Gap:
    """A stretch that was something else before.

    Attributes:
        start: Where it begins before.
        end: Where it ends before.
        into: Where it stands after.
        until: Where that ends.
        types: What was found there.
        certain: Whether nothing else could stand in its place.
    """

    start: int
    end: int
    into: int
    until: int
    types: list[str]
    certain: bool

    def __repr__(self) -> str:
        return f"Gap({self.end - self.start} characters)"


def matched(before: str, found: Sequence[Span], after: str, hits: Sequence[Span] = ()) -> list[Gap] | None:
    """Return what stands in the place of what; ``None`` if the rest of the text is not what it was.

    Args:
        before: The text as it was.
        found: What was found in it, in order and without overlap.
        after: The text as it is.
        hits: What is found in that, which tells where a substitute ends.
    """
    if before == after:
        return [Gap(start, end, start, end, [kind], True) for start, end, kind in found]
    surrogates = ours(after, before)
    ends: dict[int, list[int]] = {}
    for start, end, _ in (*surrogates, *hits):
        ends.setdefault(start, []).append(end)
    for spans in (list(found), [_widened(before, span) for span in found]):
        gaps = _through(before, _united(spans), after, ends)
        if gaps is not None and all(_plausible(before, gap, after, surrogates) for gap in gaps):
            return gaps
    if not surrogates:
        return None
    ends = {}
    for start, end, _ in found:
        ends.setdefault(start, []).append(end)
    turned = _through(after, _united(surrogates), before, ends)
    if turned is None:
        return None
    gaps = [Gap(gap.into, gap.until, gap.start, gap.end, gap.types, gap.certain) for gap in turned]
    for gap in gaps:
        inside = [kind for start, end, kind in found if start < gap.end and end > gap.start]
        gap.types = inside or gap.types
        value = before[gap.start : gap.end]
        if not value.strip() or len(value) > _LONGEST or "\n" in value:
            return None
    left = [span for span in found if not any(span[0] < gap.end and span[1] > gap.start for gap in gaps)]
    return _with_left(gaps, left)


def _with_left(gaps: list[Gap], left: Sequence[Span]) -> list[Gap]:
    """Return gaps with those stretches among them that were found and are what they were."""
    done, shift, rest = [], 0, list(gaps)
    for start, end, kind in left:
        while rest and rest[0].end <= start:
            shift = rest[0].until - rest[0].end
            done.append(rest.pop(0))
        done.append(Gap(start, end, start + shift, end + shift, [kind], True))
    return done + rest


def _widened(text: str, span: Span) -> Span:
    """Return a stretch with the letters and digits that touch it, which a surrogate that holds its value takes in."""
    start, end, kind = span
    while start and text[start - 1] in _TOUCHING:
        start -= 1
    while end < len(text) and text[end] in _TOUCHING:
        end += 1
    return start, end, kind


def _united(spans: Sequence[Span]) -> list[tuple[int, int, list[str]]]:
    """Return stretches with those in one that touch each other."""
    united: list[tuple[int, int, list[str]]] = []
    for start, end, kind in spans:
        if united and start <= united[-1][1]:
            first, last, kinds = united[-1]
            united[-1] = (first, max(last, end), [*kinds, kind])
        else:
            united.append((start, end, [kind]))
    return united


def _through(
    text: str, spans: Sequence[tuple[int, int, list[str]]], other: str, ends: Mapping[int, Sequence[int]]
) -> list[Gap] | None:
    if not spans:
        return None
    first, last = text[: spans[0][0]], text[spans[-1][1] :]
    if (
        len(first) + len(last) > len(other)
        or not other.startswith(first)
        or (last and not other.endswith(last))
    ):
        return None
    # Once by what tells where a substitute ends, and if that leads nowhere by the nearest place where the text goes on.
    return _walked(text, spans, other, ends, len(first), len(other) - len(last)) or (
        _walked(text, spans, other, {}, len(first), len(other) - len(last))
    )


def _walked(
    text: str,
    spans: Sequence[tuple[int, int, list[str]]],
    other: str,
    ends: Mapping[int, Sequence[int]],
    at: int,
    limit: int,
) -> list[Gap] | None:
    gaps: list[Gap] = []
    for place, (start, end, kinds) in enumerate(spans):
        if place + 1 == len(spans):
            gaps.append(Gap(start, end, at, limit, kinds, True))
            return gaps
        between = text[end : spans[place + 1][0]]
        value = text[start:end]
        told = [*ends.get(at, ()), *([at + len(value)] if ends and other.startswith(value, at) else [])]
        until = next((each for each in told if other.startswith(between, each)), -1)
        certain = until >= 0
        if until < 0:
            until = other.find(between, at, limit)
            if until < 0:
                return None
            certain = other.find(between, until + 1, limit) < 0
        if until + len(between) > limit:
            return None
        gaps.append(Gap(start, end, at, until, kinds, certain))
        at = until + len(between)
    return gaps


def _plausible(before: str, gap: Gap, after: str, surrogates: Sequence[Span]) -> bool:
    """Tell whether what stands in a gap is a substitute, and not text that somebody wrote."""
    value, substitute = before[gap.start : gap.end], after[gap.into : gap.until]
    if value == substitute:
        return True
    inside = [
        (start - gap.into, end - gap.into)
        for start, end, _ in surrogates
        if start >= gap.into and end <= gap.until
    ]
    if inside:
        return not without(substitute, inside, "")
    return len(substitute) <= 2 * len(value) + _MORE and substitute.count("\n") <= value.count("\n")
