"""Drawings of numbers: stacked columns over time, as counts or as shares, and bars of rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sovguard.reports.drawing import WIDTH, Label, axis, clip, drawing, legend, name_label
from sovguard.reports.markup import Html, joined, tag
from sovguard.reports.rows import Answered
from sovguard.reports.words import plainly

_LEFT, _TOP, _HIGH, _FOOT = 56, 12, 200, 26
_SERIES = 7
_TICKS = 8
_BARS = 12
_ENOUGH = 30
"""Of how many surrogates a rate says something."""


@dataclass(frozen=True, slots=True)
class Series:
    """One part of each column: the key of its counts, its class in the style, and what it is called."""

    key: str
    style: str
    label: Label


def shown_names(counted: Sequence[Mapping[str, int]]) -> tuple[list[str], list[str]]:
    """Return the names that get a colour of their own, the most frequent first, and those put together as others."""
    total: Counter[str] = Counter()
    for each in counted:
        total.update(each)
    names = sorted(total, key=lambda name: (-total[name], name))
    return (names, []) if len(names) <= _SERIES else (names[: _SERIES - 1], names[_SERIES - 1 :])


def columns(
    title: str,
    description: str,
    names: Sequence[str],
    counted: Sequence[Mapping[str, int]],
    series: Sequence[Series],
    *,
    shares: bool = False,
) -> Html:
    """Return stacked columns with their legend.

    Args:
        title: Of the drawing.
        description: Of the drawing.
        names: Of the columns, in order.
        counted: What is in each.
        series: The parts, from the foot up.
        shares: Whether every column is as high as the whole.
    """
    totals = [sum(each.get(part.key, 0) for part in series) for each in counted]
    marks = [0.0, 0.25, 0.5, 0.75, 1.0] if shares else list(axis(max(totals, default=0)))
    grid = joined(_mark(mark / marks[-1], f"{mark:.0%}" if shares else f"{mark:,.0f}") for mark in marks)
    step = (WIDTH - _LEFT) / max(1, len(names))
    drawn = []
    for place, (name, each, total) in enumerate(zip(names, counted, totals, strict=True)):
        scale = _HIGH / ((total or 1) if shares else marks[-1])
        width = min(step * 0.82, 64)
        drawn.append(_column(name, each, series, _LEFT + step * (place + 0.5) - width / 2, width, scale))
    every = max(1, -(-len(names) // _TICKS))
    below = joined(
        tag("text", name, x=_LEFT + step * (place + 0.5), y=_TOP + _HIGH + 18, class_="tick middle")
        for place, name in enumerate(names)
        if place % every == 0
    )
    frame = drawing(title, description, _TOP + _HIGH + _FOOT, (grid, *drawn, below))
    return joined((legend((part.style, part.label.shown) for part in series), frame))


def _mark(share: float, label: str) -> Html:
    y = _TOP + _HIGH * (1 - share)
    line = tag("line", x1=_LEFT, x2=WIDTH, y1=y, y2=y, class_="base" if not share else "grid")
    return joined((line, tag("text", label, x=_LEFT - 8, y=y + 4, class_="tick end")))


def _column(
    name: str, counted: Mapping[str, int], series: Sequence[Series], x: float, width: float, scale: float
) -> Html | None:
    y = float(_TOP + _HIGH)
    parts, told = [], []
    for part in series:
        count = counted.get(part.key, 0)
        if count:
            height = count * scale
            y -= height
            parts.append(tag("rect", x=x, y=y, width=width, height=height, class_=part.style))
            told.append(f"{part.label.plain} {count:,}")
    return tag("g", tag("title", f"{name}: {', '.join(told)}"), *parts) if parts else None


def rates(answered: Sequence[Answered]) -> Html:
    """Return bars of the share of surrogates not put back, the greatest first; rates of few of them only for want of others."""
    enough = [each for each in answered if each.restored + each.unresolved >= _ENOUGH]
    shown = sorted(
        enough or answered, key=lambda each: (-each.rate, -each.answers, each.destination, each.model)
    )[:_BARS]
    greatest = max([0.01, *(each.rate for each in shown)])
    left, room, row = 330, 480, 26
    drawn = []
    for place, each in enumerate(shown):
        y = 6 + place * row
        label = name_label(f"{each.destination} · {each.model}" if each.model else each.destination)
        width = max(1.5 if each.rate else 0.0, each.rate / greatest * room)
        total = each.restored + each.unresolved
        told = f"{each.rate:.2%}" if total else "–"
        count = tag("tspan", f"  {each.unresolved:,}/{total:,}", class_="count")
        name = clip(label, left - 14, counted=False)
        drawn += [
            tag("text", tag("title", label.plain), name, x=left - 10, y=y + 14, class_="label end"),
            tag("rect", x=left, y=y + 2, width=room, height=16, class_="track"),
            tag("rect", x=left, y=y + 2, width=width, height=16, class_="rate"),
            tag("text", told, count, x=left + room + 10, y=y + 14, class_="label start"),
        ]
    title, description = plainly("answers", "chart"), plainly("answers", "chart_desc")
    return drawing(title, description, 12 + row * len(shown), drawn)
