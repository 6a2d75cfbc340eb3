"""JSON as text: read it strictly, write it, and lay open what its escapes hide.

Used by the payload modules and by the transport. Tool-call arguments are JSON inside a JSON string, and
prompts often quote JSON: both hide Korean behind ``\\uXXXX`` and stick a letter to the next digit with
``\\n``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

# Only where a run of backslashes begins: from within it the same would be found, once for each of them.
_ESCAPE = re.compile(
    r"(?<!\\)\\+(?:u(?P<code>[0-9A-Fa-f]{4})(?:(?<=[dD][89ABab]..)\\+u(?P<low>[dD][C-Fc-f][0-9A-Fa-f]{2}))?"
    r"|(?P<slash>/)|[nrtbf](?! ))"
)
# json.dumps would make such an encoder for every call, which takes as long as encoding an event of a stream.
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ASCII = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a JSON text says; its own type, because ``null`` is an answer too."""

    value: Any = field(repr=False)


def load(text: str | bytes, *, unique_keys: bool = False) -> Parsed | None:
    """Return what ``text`` says, or ``None`` if it is not JSON.

    The error of the parser is not passed on: it carries the whole text.

    Args:
        text: JSON in a str, or in bytes of UTF-8, UTF-16 or UTF-32.
        unique_keys: Read an object that holds a key twice as not JSON, since only one would be seen.
    """
    try:
        return Parsed(json.loads(text, object_pairs_hook=unique if unique_keys else None))
    except (ValueError, RecursionError):
        return None


def dump(value: Any, *, ascii_only: bool = False) -> str | None:
    """Return ``value`` as JSON text, or ``None`` if UTF-8 cannot hold it (half of a UTF-16 pair)."""
    text = (_ASCII if ascii_only else _COMPACT)(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return text


def open_escapes(text: str) -> str:
    """Return ``text`` with what JSON escapes hide laid open, still the same JSON where it was JSON.

    ``\\ud64d`` becomes its character; after ``\\n``, ``\\t`` and their like comes a space, so that the letter
    of the escape does not stand against a digit.
    """
    return _ESCAPE.sub(_opened, text) if "\\" in text else text


def _opened(match: re.Match[str]) -> str:
    if match["slash"]:
        return "/"
    if match["code"] is None:
        return match[0] + " "
    code = int(match["code"], 16)
    if match["low"] is not None:
        return chr(0x10000 + (code - 0xD800 << 10) + int(match["low"], 16) - 0xDC00)
    character = chr(code)
    if character in '"\\' or 0xD800 <= code <= 0xDFFF:
        return match[0]
    return match[0] + " " if code < 0x20 or code == 0x7F else character


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, for a parser.

    Raises:
        ValueError: It holds a key twice.
    """
    built = dict(pairs)
    if len(built) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return built
