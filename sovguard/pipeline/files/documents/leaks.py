"""The last look at a document that was redacted: whether something that was found still stands in its octets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from sovguard.detect.literals import OctetLiterals
from sovguard.errors import InputError

_FEW = 6
_LONG = 9
_NAME = re.compile("[가-힣]{3,5}")
_WORD = re.compile(rb"[0-9A-Za-z]")


def check(contents: Iterable[tuple[str, bytes, bool]], values: Iterable[str]) -> None:
    """Return if no part of a document holds one of the values.

    Args:
        contents: Its parts: name, octets, and whether they are text, all of which was read: a name of three syllables may
            stand there as a part of a word.
        values: What was found in it. Short ones, which stand anywhere, are not looked for.

    Raises:
        InputError: One does; it says where, and not which.
    """
    # Eight digits are a size, a colour or the id of a revision as well.
    numbers = [
        value
        for value in set(values)
        if sum(map(str.isalnum, value)) >= _FEW and not (value.isdigit() and len(value) < _LONG)
    ]
    names = [value for value in set(values) if _NAME.fullmatch(value)]
    inside = _octets(numbers)
    anywhere = _octets([*numbers, *names])
    for name, data, is_text in contents:
        if any(value in name for value in (*numbers, *names)):
            raise InputError("the name of a file within it says something of somebody; name that otherwise")
        found = inside if is_text else anywhere
        if any(_stands(data, start, end) for start, end in found.matches(data)):
            suffix = PurePosixPath(name).suffix or "no suffix"
            raise InputError(
                f"something that was found in it also stands in a part ({suffix}) where nothing can be replaced; take that out"
            )


def _octets(values: Iterable[str]) -> OctetLiterals:
    return OctetLiterals(value.encode(codec) for value in values for codec in ("utf-8", "utf-16-le"))


def _stands(data: bytes, start: int, end: int) -> bool:
    """Tell whether octets stand by themselves, and are no part of a longer number or word."""
    before, behind = data[max(0, start - 1) : start], data[end : end + 1]
    return _WORD.fullmatch(before) is None and (behind == b"T" or _WORD.fullmatch(behind) is None)
