"""The barometer's drawings with two scales: speed against what is left, and time by length."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from barometer_frames import (
    HEAD,
    MARGIN,
    WIDTH,
    bounds,
    card,
    decades,
    dot,
    horizontal_axis,
    label,
    linear,
    logarithmic,
    mark,
    rule,
    short,
    spread,
    steps,
    style_class,
    width_of,
)
from barometer_record import Barometer
from engine_client import engine_specs

from sovguard.reports.markup import Html, joined, tag

PANEL = (WIDTH - 3 * MARGIN) / 2
HIGH = 330.0
Box = tuple[float, float, float, float]
"""Left, right, top and bottom."""


def against(record: Barometer) -> str:
    """How fast an engine is against how much it leaves: fast and blind is at the upper right."""
    rates = {name: rate for name in record.detecting if (rate := record.middle_rate(name))}
    ends = bounds(rates.values())
    pieces = []
    for place, (title, names) in enumerate(
        (("every planted value", True), ("without names of people", False))
    ):
        left, top, bottom = MARGIN + place * (PANEL + MARGIN) + 40, HEAD + 26.0, HEAD + 26 + HIGH
        leaks = {name: leak for name in rates if (leak := record.leak(name, names=names)) is not None}
        # Room at the left for the name of a point whose right is taken.
        at = logarithmic(*ends, left + 84, left + PANEL - 48)
        heights = steps(100 * max(leaks.values(), default=1.0))
        up = linear(0, heights[-1], bottom, top)
        pieces += [
            label(left - 40, HEAD + 12, title, "head"),
            horizontal_axis(decades(*ends), at, top, bottom, mark),
            *(_level(left, left + PANEL - 48, up(level), f"{level:g} %") for level in heights),
            _named(
                [(name, at(rates[name]), up(100 * leak), f"{leak:.1%} left") for name, leak in leaks.items()],
                (left, left + PANEL - 48),
                (top, bottom),
            ),
            label(
                left + (PANEL - 48) / 2,
                bottom + 36,
                "characters a second (geometric mean of the workloads)",
                "tick middle",
            ),
        ]
    under = "Percent of planted values that are left, by speed. Low is safe, right is fast: upper right is fast and blind."
    return card("Speed against what is left", under, HEAD + 26 + HIGH + 54, pieces)


def _level(left: float, right: float, y: float, said: str) -> Html:
    return joined((rule(left, y, right, y), label(left - 6, y + 4, said, "tick end")))


def _named(
    points: Sequence[tuple[str, float, float, str]], across: tuple[float, float], upright: tuple[float, float]
) -> Html:
    """Points with their names beside them; a name whose place is taken goes to the other side, or higher, with a line to it."""
    taken = [(x - 7, x + 7, y - 7, y + 7) for _, x, y, _ in points]
    pieces = []
    for name, x, y, told in sorted(points, key=lambda point: (-point[2], -point[1])):
        is_right, moved, box = _beside(x, y, width_of(name), taken, across, upright)
        taken.append(box)
        side = 10 if is_right else -10
        classes = " ".join(
            (*(["ours"] if engine_specs()[name].is_ours else []), *([] if is_right else ["end"]))
        )
        if abs(moved - y) > 8:
            pieces.append(rule(x, y, x + side * 0.8, moved, "base"))
        pieces += [dot(x, y, name, f"{name}: {told}"), label(x + side, moved + 4, name, classes)]
    return joined(pieces)


def _beside(
    x: float,
    y: float,
    wide: float,
    taken: Sequence[Box],
    across: tuple[float, float],
    upright: tuple[float, float],
) -> tuple[bool, float, Box]:
    """The first place for a name that is free: right or left of its point, then higher and higher."""
    for lift in range(0, int(upright[1] - upright[0]), 16):
        for is_right in (True, False):
            start = x + 10 if is_right else x - 10 - wide
            box = (start, start + wide, y - lift - 8, y - lift + 8)
            if box[1] > across[1] or box[0] < across[0] - 84 or box[2] < upright[0] - 8:
                continue
            if not any(box[0] < o[1] and o[0] < box[1] and box[2] < o[3] and o[2] < box[3] for o in taken):
                return is_right, y - lift, box
    return True, y, (x + 10, x + 10 + wide, y - 8, y + 8)


def sizes(record: Barometer) -> str:
    """Nanoseconds for a character by the length of the text."""
    texts = ("ordinary", "digits")
    lines = {
        (name, text): found
        for name in record.engines
        for text in texts
        if (found := record.growth(name, text))
    }
    times = bounds(time for found in lines.values() for _, time in found)
    lengths = bounds(float(length) for found in lines.values() for length, _ in found)
    pieces = []
    for place, (text, title) in enumerate(zip(texts, ("ordinary text", "a run of digits"), strict=True)):
        left, top, bottom = MARGIN + place * (PANEL + MARGIN) + 40, HEAD + 26.0, HEAD + 26 + HIGH
        right = left + PANEL - 40 - 180
        at, up = logarithmic(*lengths, left, right), logarithmic(*times, bottom, top)
        drawn = {name: found for (name, kind), found in lines.items() if kind == text}
        pieces += [
            label(left - 40, HEAD + 12, title, "head"),
            horizontal_axis(decades(*lengths), at, top, bottom, mark),
            *(_level(left, right, up(level), mark(level)) for level in decades(*times)),
            _lines(drawn, at, up, right, (top, bottom)),
            label((left + right) / 2, bottom + 36, "characters in one text", "tick middle"),
        ]
    under = "Nanoseconds for a character by the length of the text. A flat line grows in step; a line that stops took too long."
    return card("Growth with the length of a text", under, HEAD + 26 + HIGH + 54, pieces)


def _lines(
    drawn: dict[str, list[tuple[int, float]]],
    at: Callable[[float], float],
    up: Callable[[float], float],
    right: float,
    upright: tuple[float, float],
) -> Html:
    """A line for each engine, with its name at the end of it."""
    heights = spread([up(found[-1][1]) for found in drawn.values()], 16, upright[0] + 6, upright[1] - 6)
    pieces = []
    for (name, found), moved in zip(drawn.items(), heights, strict=True):
        path = "M" + "L".join(f"{at(length):.1f} {up(time):.1f}" for length, time in found)
        last, time = found[-1]
        classes = "small ours" if engine_specs()[name].is_ours else "small"
        pieces += [
            tag("path", d=path, class_=f"{style_class(name)} line"),
            *(dot(at(n), up(t), name, f"{name}, {n:,} characters: {t:,.0f} ns each", 3.5) for n, t in found),
            rule(at(last) + 6, up(time), right + 16, moved, "grid"),
            label(right + 20, moved + 4, f"{name} {short(time)}", classes),
        ]
    return joined(pieces)
