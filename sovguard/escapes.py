"""A text with some of its escaped characters laid open, and where each of them stood.

HTML (``&#45;``), URLs (``%2D``, RFC 3986) and JSON (``\\u002d``, RFC 8259) can each spell a character in other ones. Which are
worth opening is the caller's to say: everything else stays as it is written.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Container
from dataclasses import dataclass
from urllib.parse import unquote

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
LONGEST = 17
"""Characters of the longest escape."""


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """A text with escapes laid open.

    Attributes:
        text: The text that they spell.
        at: For each character of ``text`` that was escaped, its offset.
        spans: For each of them, where it stood in the original.
    """

    text: str
    at: list[int]
    spans: list[tuple[int, int]]

    def __repr__(self) -> str:
        return f"Opened({len(self.at)} in {len(self.text)} characters)"

    def start(self, offset: int) -> int:
        """Return where in the original the character at ``offset`` begins."""
        index = bisect_right(self.at, offset) - 1
        if index < 0:
            return offset
        start, end = self.spans[index]
        return start if self.at[index] == offset else end + offset - self.at[index] - 1

    def end(self, offset: int) -> int:
        """Return where in the original the character before ``offset`` ends."""
        index = bisect_right(self.at, offset - 1) - 1
        if index < 0:
            return offset
        return self.spans[index][1] + offset - 1 - self.at[index]


def opened(text: str, wanted: Container[str]) -> Opened | None:
    """Return ``text`` with those of its escapes laid open that spell a wanted character; ``None`` if there are none."""
    if not any(first in text for first in FIRST):
        return None
    parts: list[str] = []
    at: list[int] = []
    spans: list[tuple[int, int]] = []
    position = length = 0
    for match in _ESCAPE.finditer(text):
        char = _spelled(match[0])
        if char not in wanted:
            continue
        start, end = match.span()
        length += start - position
        parts += (text[position:start], char)
        at.append(length)
        spans.append((start, end))
        length += 1
        position = end
    if not at:
        return None
    parts.append(text[position:])
    return Opened("".join(parts), at, spans)


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
