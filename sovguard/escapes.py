"""Lay open escapes that may hide a surrogate, with the way back to where they stood.

HTML (``&#45;``), URLs (``%2D``, RFC 3986) and JSON (``\\u002d``, RFC 8259) can each spell a character in other ones. Which are
worth opening is the caller's to say: everything else stays as it is written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Container
from urllib.parse import unquote

from sovguard.text import View, ViewBuilder

_ESCAPE = re.compile(
    "&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,15});"
    "|%(?:[0-7][0-9A-Fa-f]|[CcDd][0-9A-Fa-f]%[89ABab][0-9A-Fa-f]|[Ee][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f]){2})"
    r"|\\{1,4}(?:u[0-9A-Fa-f]{4}|[nrt])"
)
_WHITE = {"n": "\n", "r": "\r", "t": "\t"}
_BEGUN = re.compile(
    r"(?:&(?:#(?:[0-9]{0,7}|[xX][0-9A-Fa-f]{0,6})|[A-Za-z]{0,15})|(?:%[0-9A-Fa-f]{0,2}){1,3}|\\{1,4}(?:u[0-9A-Fa-f]{0,3})?)\Z"
)
FIRST = "&%\\"
"""The characters that escapes begin with."""


def opened(text: str, wanted: Container[str]) -> View | None:
    """Return a view of ``text`` with those of its escapes laid open that spell a wanted character; ``None`` without any."""
    if not any(first in text for first in FIRST):
        return None
    builder = ViewBuilder()
    position = 0
    for match in _ESCAPE.finditer(text):
        char = _spelled(match[0])
        if char not in wanted:
            continue
        start, end = match.span()
        builder.add(text[position:start], position, start - position, linear=True)
        builder.add(char, start, end - start, linear=False)
        position = end
    if position == 0:
        return None
    builder.add(text[position:], position, len(text) - position, linear=True)
    return builder.view()


def begun(text: str) -> int | None:
    """Return where an escape begins that ``text`` may end within; ``None`` if there is none."""
    match = _BEGUN.search(text)
    return None if match is None else match.start()


def _spelled(escape: str) -> str:
    """Return the character that an escape spells, or an empty string if it spells none or several."""
    if escape[0] == "&":
        char = html.unescape(escape)
    elif escape[0] == "%":
        char = unquote(escape, errors="replace")
    else:
        name = escape.lstrip("\\")
        char = _WHITE.get(name) or chr(int(name[1:], 16))
    return char if len(char) == 1 else ""
