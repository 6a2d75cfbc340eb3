"""What the barometer's drawings are made of: a card with its own ground, scales, labels that do not touch.

A drawing is one SVG file that needs nothing else: no script, no font, no style sheet. It brings its own ground, so it
can be read on a page of any colour, and follows the reader's preference for dark where the viewer passes it on.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from unicodedata import east_asian_width

from sovguard.reports.markup import Html, joined, tag

WIDTH = 960
FONT = 13.0
MARGIN = 24
HEAD = 74

# Two hues and a grey, light and dark: ours, the peers, the floor. Steps within a hue tell engines apart.
COLOURS = {
    "sovguard": ("#1d4ed8", "#7aa2ff"),
    "sovguard-fast": ("#0e7490", "#4cc9e6"),
    "sovguard-off": ("#0f766e", "#4fd1b8"),
    "presidio": ("#b45309", "#f0a04b"),
    "piighost": ("#92600a", "#d6b25e"),
    "ko-pii": ("#be185d", "#f27fb2"),
    "rust_pii_transformer": ("#7c3aed", "#b99bff"),
    "kiwi": ("#6b7280", "#a2a9b5"),
    "empty": ("#9ca3af", "#7d8592"),
}
_STYLE = """
text{font:13px system-ui,sans-serif;fill:#1f2937}
.ground{fill:#ffffff;stroke:#d7dce3}
.title{font-size:19px;font-weight:600}
.under,.tick{fill:#5b6472}
.under{font-size:13px}
.tick,.small{font-size:12px}
.head{font-weight:600}
.ours{font-weight:600}
.end{text-anchor:end}
.middle{text-anchor:middle}
.grid{stroke:#e3e7ec}
.base{stroke:#8b93a0}
.track{fill:#eef1f5}
.over{fill:#ffffff}
@media (prefers-color-scheme:dark){
text{fill:#e6e9ee}
.ground{fill:#14181f;stroke:#333b47}
.under,.tick{fill:#a3acb9}
.grid{stroke:#2a313c}
.base{stroke:#7d8795}
.track{fill:#222935}
.over{fill:#0d1117}
}
"""


def style_class(engine: str) -> str:
    """The class of an engine's colour."""
    return f"e-{engine}"


def _colours() -> str:
    light = "".join(f".e-{name}{{fill:{pair[0]};stroke:{pair[0]}}}" for name, pair in COLOURS.items())
    dark = "".join(f".e-{name}{{fill:{pair[1]};stroke:{pair[1]}}}" for name, pair in COLOURS.items())
    return f"{light}.line{{fill:none;stroke-width:2}}\n@media (prefers-color-scheme:dark){{{dark}.line{{fill:none}}}}\n"


def card(title: str, under: str, height: float, pieces: Iterable[object]) -> str:
    """A whole SVG file: the ground, the title, a line under it, and the pieces."""
    frame = tag(
        "svg",
        tag("title", title),
        tag("desc", under),
        tag("style", Html(_STYLE + _colours())),
        tag("rect", x=0.5, y=0.5, width=WIDTH - 1, height=height - 1, rx=10, class_="ground"),
        label(MARGIN, 34, title, "title"),
        label(MARGIN, 56, under, "under"),
        *pieces,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height:.0f}",
        role="img",
        aria_label=f"{title}. {under}",
    )
    return f"{frame}\n"


def label(x: float, y: float, text: object, classes: str = "") -> Html:
    """A text at a place."""
    return tag("text", text, x=x, y=y, class_=classes or None)


def name_of(x: float, y: float, engine: str, own: bool) -> Html:
    """An engine's name to the left of a place, ours in bold."""
    return label(x, y, engine, "end ours" if own else "end")


def dot(x: float, y: float, engine: str, told: str, radius: float = 5.0) -> Html:
    """A point that says what it is when it is pointed at."""
    return tag("circle", tag("title", told), cx=x, cy=y, r=radius, class_=style_class(engine))


def rule(x1: float, y1: float, x2: float, y2: float, classes: str = "grid") -> Html:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=classes)


def width_of(text: str, size: float = FONT) -> float:
    """How wide a text will be, rather too wide than too narrow."""
    return sum(size if east_asian_width(character) in "WF" else 0.6 * size for character in text)


def logarithmic(low: float, high: float, left: float, right: float) -> Callable[[float], float]:
    """A scale on which ten times as much is always as far."""
    span = math.log(high / low) or 1.0
    return lambda value: left + (right - left) * math.log(max(value, low) / low) / span


def linear(low: float, high: float, left: float, right: float) -> Callable[[float], float]:
    """A scale on which as much is always as far."""
    span = (high - low) or 1.0
    return lambda value: left + (right - left) * (value - low) / span


def bounds(values: Iterable[float]) -> tuple[float, float]:
    """Where a logarithmic scale begins and ends so that all values are on it: at a 1, a 2 or a 5."""
    found = [value for value in values if value > 0] or [1.0]
    low, high = min(found), max(found)
    below, above = (10.0 ** math.floor(math.log10(value)) for value in (low, high))
    first = max(below * part for part in (1, 2, 5) if below * part <= low * (1 + 1e-9))
    last = min(above * part for part in (1, 2, 5, 10) if above * part >= high * (1 - 1e-9))
    return (first, last) if last > first else (first, first * 10)


def decades(low: float, high: float) -> list[float]:
    """The powers of ten between two bounds, or the bounds where there are none."""
    powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
    return [10.0**power for power in powers] or [low, high]


def steps(greatest: float, most: int = 5) -> list[float]:
    """Round marks from nothing to at least the greatest value."""
    size = 10.0 ** math.floor(math.log10(greatest)) if greatest > 0 else 1.0
    step = next(size * part for part in (0.1, 0.2, 0.5, 1, 2, 5, 10) if size * part * most >= greatest)
    return [step * number for number in range(max(1, math.ceil(greatest / step - 1e-9)) + 1)]


def short(value: float) -> str:
    """A number with two digits that count, and a letter for thousands and millions."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.995 * size:
            return f"{_two(value / size)} {letter}"
    return _two(value)


def _two(value: float) -> str:
    if value >= 9.95 or value == 0:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 0.995 else f"{value:#.2g}"


def mark(value: float) -> str:
    """A round number of a scale, with a letter for thousands and millions."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places moved apart until no two are nearer than ``gap``, in the same order, inside the bounds."""
    order = sorted(range(len(places)), key=lambda at: places[at])
    moved = list(places)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    if order and moved[order[-1]] > high:
        moved[order[-1]] = high
        for after, before in itertools.pairwise(order[::-1]):
            moved[before] = min(moved[before], moved[after] - gap)
    return [max(low, place) for place in moved]


def horizontal_axis(
    marks: Sequence[float],
    at: Callable[[float], float],
    top: float,
    bottom: float,
    said: Callable[[float], str],
) -> Html:
    """Upright lines at the marks, with what they stand for under them."""
    return joined(
        joined(
            (rule(at(mark), top, at(mark), bottom), label(at(mark), bottom + 18, said(mark), "tick middle"))
        )
        for mark in marks
    )
