"""HTML that cannot be broken into: text becomes part of a page through ``tag`` alone, and ``tag`` escapes it.

A tenant, a model or a rule can be called anything, by whoever made the request. So no page is put together by formatting
strings; what is not ``Html`` already is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

_LONG = 80
# Control characters, halves of pairs (a page with one cannot be written), and what turns the direction of text around it.
_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]"
)
_EMPTY = frozenset(("meta", "input", "br"))


class Html(str):
    """A piece of HTML."""

    __slots__ = ()


def fit(text: str) -> str:
    """Return a text with what a page cannot hold, or what would turn the text around it, made visible."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)


def short(text: str, most: int = _LONG) -> str:
    """Return a text not longer than people read."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def text(said: object) -> Html:
    """Return a text as HTML; what is HTML stays so."""
    return said if isinstance(said, Html) else Html(escape(fit(str(said))))


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """Return an element.

    Args:
        name: Its name.
        children: What is in it; ``None`` is nothing, and all but ``Html`` is text.
        attributes: Its attributes: ``class_`` is ``class``, ``stroke_width`` is ``stroke-width``. One that is ``None`` or
            ``False`` is left out.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}"
        + ("" if value is True else f'="{escape(fit(_number(value)))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _EMPTY:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(children)}</{name}>")


def joined(pieces: Iterable[object], between: str = "") -> Html:
    """Return pieces one after the other; all but ``Html`` is text."""
    return Html(escape(between).join(text(piece) for piece in pieces if piece is not None))


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
