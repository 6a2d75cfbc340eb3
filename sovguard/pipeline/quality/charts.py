"""The drawings of the quality page: pairs of bars, shares, and pairs of columns."""

from __future__ import annotations

from collections.abc import Sequence

from sovguard.pipeline.quality.words import plainly, said, words
from sovguard.reports.drawing import WIDTH, Label, axis, clip, drawing, legend
from sovguard.reports.markup import Html, joined, tag

BARS = 14
_LEFT, _ROOM = 250, 580
_ROW, _BAR = 40, 13
_FOOT, _TOP, _HIGH, _MARGIN = 26, 12, 180, 64
_TICKS = 16


def paired_bars(
    section: str, key: str, entries: Sequence[tuple[Label, int, int]], last: tuple[str, str], *, alarm: bool
) -> Html:
    """Return two bars for each of some names: before and after.

    Args:
        section: Where in the words the title and the description of the drawing are.
        key: Which ones.
        entries: Names with both counts.
        last: What the second bars are called in the words.
        alarm: Whether the second bars are something that should not be.
    """
    greatest = max([1, *(max(was, now) for _, was, now in entries)])
    second = "c-1" if alarm else "c-0"
    drawn: list[Html] = []
    for place, (label, was, now) in enumerate(entries):
        y = 6 + place * _ROW
        drawn.append(_label(label, y + 19))
        for row, (count, style) in enumerate(((was, "c-5"), (now, second))):
            top = y + row * (_BAR + 2)
            width = max(1.5 if count else 0.0, count / greatest * _ROOM)
            series = plainly("page", "before") if not row else plainly(*last)
            shape = tag("rect", x=_LEFT, y=top, width=width, height=_BAR, class_=style)
            drawn.append(tag("g", tag("title", f"{label.plain}: {series} {count:,}"), shape))
            drawn.append(tag("text", f"{count:,}", x=_LEFT + width + 8, y=top + 11, class_="tick"))
    frame = drawing(
        plainly(section, key),
        plainly(section, f"{key}_desc"),
        10 + _ROW * len(entries),
        [_base(len(entries)), *drawn],
    )
    return joined((legend((("c-5", said("page", "before")), (second, said(*last)))), frame))


def share_bars(entries: Sequence[tuple[Label, float]]) -> Html:
    """Return a bar for each column: which part of it changed."""
    drawn: list[Html] = []
    row = 26
    for place, (label, share) in enumerate(entries):
        y = 4 + place * row
        drawn += [
            _label(label, y + 14),
            tag("rect", x=_LEFT, y=y + 2, width=_ROOM, height=16, class_="track"),
            tag(
                "rect",
                x=_LEFT,
                y=y + 2,
                width=max(1.5 if share else 0.0, share * _ROOM),
                height=16,
                class_="c-5",
            ),
            tag("text", f"{share:.1%}", x=_LEFT + _ROOM + 10, y=y + 14, class_="label start"),
        ]
    title, description = plainly("useful", "share_chart"), plainly("useful", "share_chart_desc")
    return drawing(title, description, 8 + row * len(entries), drawn)


def length_columns(lengths: Sequence[tuple[int, int, int]]) -> Html:
    """Return two columns for each range of lengths: how many rows are so long, before and after."""
    marks = list(axis(max([1, *(max(was, now) for _, was, now in lengths)])))
    grid = [_mark(mark, marks[-1]) for mark in marks]
    step = (WIDTH - _MARGIN) / max(1, len(lengths))
    wide = min(step * 0.38, 30)
    every = max(1, -(-len(lengths) // _TICKS))
    drawn: list[Html] = []
    for place, (most, was, now) in enumerate(lengths):
        middle = _MARGIN + step * (place + 0.5)
        for count, style, x in ((was, "c-5", middle - wide - 1), (now, "c-0", middle + 1)):
            if count:
                height = max(1.0, count / marks[-1] * _HIGH)
                word = plainly("page", "before" if style == "c-5" else "after")
                told = " / ".join(each.format(count=f"{most:,}") for each in words()["useful"]["up_to"])
                shape = tag("rect", x=x, y=_TOP + _HIGH - height, width=wide, height=height, class_=style)
                drawn.append(tag("g", tag("title", f"{told}: {word} {count:,}"), shape))
        if place % every == 0:
            drawn.append(tag("text", f"≤ {most:,}", x=middle, y=_TOP + _HIGH + 18, class_="tick middle"))
    title, description = plainly("useful", "lengths_chart"), plainly("useful", "lengths_chart_desc")
    frame = drawing(title, description, _TOP + _HIGH + _FOOT, (*grid, *drawn))
    return joined((legend((("c-5", said("page", "before")), ("c-0", said("page", "after")))), frame))


def _label(label: Label, y: float) -> Html:
    shown = clip(label, _LEFT - 16, counted=False)
    return tag("text", tag("title", label.plain), shown, x=_LEFT - 10, y=y, class_="label end")


def _base(count: int) -> Html:
    return tag("line", x1=_LEFT, x2=_LEFT, y1=2, y2=6 + _ROW * count - 6, class_="base")


def _mark(mark: float, most: float) -> Html:
    y = _TOP + _HIGH * (1 - mark / most)
    line = tag("line", x1=_MARGIN, x2=WIDTH, y1=y, y2=y, class_="grid" if mark else "base")
    return joined((line, tag("text", f"{mark:,.0f}", x=_MARGIN - 8, y=y + 4, class_="tick end")))
