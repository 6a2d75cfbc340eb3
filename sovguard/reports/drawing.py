"""What drawings have in common: their frame, their labels, and how wide a text will be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from unicodedata import east_asian_width

from sovguard.reports.markup import Html, fit, short, tag, text
from sovguard.reports.reading import UNLISTED
from sovguard.reports.words import both, country_pair, plainly, said, words

WIDTH = 960
_EM = 13.0
_COUNTED = 82.0
"""Room for a count behind a label."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text of a drawing.

    Attributes:
        shown: In both languages, one of which is shown.
        plain: For the titles of shapes.
    """

    shown: Html
    plain: str
    pair: tuple[str, str] | None = None


def drawing(title: str, description: str, height: float, pieces: Iterable[object]) -> Html:
    """Return a drawing, with what it is for those who cannot see it."""
    return tag(
        "svg",
        tag("title", title),
        tag("desc", description),
        *pieces,
        viewBox=f"0 0 {WIDTH} {height:.0f}",
        role="img",
        aria_label=f"{title}. {description}",
    )


def name_label(name: str) -> Label:
    """Return the label of a name out of a record."""
    if name == UNLISTED or not name.strip():
        key = "unlisted" if name == UNLISTED else "unnamed"
        return Label(said("page", key, in_svg=True), plainly("page", key), words()["page"][key])
    shown = short(name)
    return Label(text(shown), shown, (shown, shown))


def place_label(code: str) -> Label:
    """Return the label of a country."""
    korean, english = country_pair(code)
    shown = (short(korean), short(english))
    return Label(both(*shown, in_svg=True), " / ".join(dict.fromkeys(shown)), shown)


def clip(label: Label, room: float, *, counted: bool = True) -> Html:
    """Return a label shortened to the room there is, less that for a count behind it."""
    if label.pair is None:
        return label.shown
    most = room - (_COUNTED if counted else 0)
    return both(*(_clipped(fit(each), most) for each in label.pair), in_svg=True)


def _clipped(said: str, room: float) -> str:
    if sum(map(_wide, said)) <= room:
        return said
    used, kept = _EM, 0
    for character in said:
        used += _wide(character)
        if used > room:
            break
        kept += 1
    return f"{said[:kept]}…"


def _wide(character: str) -> float:
    """Return how wide a character is, rather too wide than too narrow."""
    return _EM if east_asian_width(character) in "WF" else _EM * (0.72 if character.isupper() else 0.56)


def legend(entries: Iterable[tuple[str, object]]) -> Html:
    """Return what the colours of a drawing mean: pairs of a class and a text."""
    return tag(
        "ul",
        *(
            tag("li", tag("span", class_=f"swatch {name}", aria_hidden="true"), shown)
            for name, shown in entries
        ),
        class_="legend",
    )


def axis(value: float) -> Iterable[float]:
    """Yield the marks of an axis from nothing to at least ``value``: round ones, four or five of them."""
    step = 1.0
    while step * 4 < value:
        step *= 2.5 if f"{step:.0f}"[0] == "2" and step > 1 else 2
    mark = 0.0
    while mark < value or mark == 0:
        yield mark
        mark += step
    yield mark
