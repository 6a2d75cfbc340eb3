"""What stands in the place of a value: surrogates by their grammar, words for what was removed, masks, made-up values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from sovguard.entities import ENTITY_TYPES
from sovguard.irreversible import REMOVED
from sovguard.surrogates import ALPHABET, BODY_LENGTH, MAX_WORD, MIN_WORD, mixed
from sovguard.vaultless import VERSION

Kind = Literal["surrogate", "masked", "removed", "made_up"]
KINDS: tuple[Kind, ...] = ("surrogate", "masked", "removed", "made_up")
OTHER = "OTHER"
"""The type of a surrogate whose word is none of the built-in types."""

_SEALED = 30
"""Symbols of the shortest surrogate that holds its value, at least."""
_OURS = re.compile(
    f"(?<![A-Za-z0-9])(?P<word>[A-Z]{{{MIN_WORD},{MAX_WORD}}})"
    f"(?:~{VERSION}[{ALPHABET}]{{{_SEALED},}}|-(?P<body>[{ALPHABET}]{{{BODY_LENGTH}}})|#[{ALPHABET}]{{16}})(?![A-Za-z0-9])"
    f"|{re.escape(REMOVED)}"
)
_TYPES = {entity.word: name for name, entity in ENTITY_TYPES.items()}

# Of these, two people may have the same: a made-up one that is somebody's in another row is no leak.
_COMMON = frozenset(("PERSON", "DATE_OF_BIRTH", "KR_ADDRESS", "USERNAME"))
_DIGITS = 7
_NAME = re.compile("[가-힣]{3,5}")
_MAIL = re.compile("[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+[A-Za-z0-9]")
_NUMBER = re.compile("[0-9]+(?:[-.][0-9]+)*")
_SPACED = re.compile("[0-9]+(?: [0-9]+)+")
_HANGUL = re.compile("[가-힣]{3,}")
_NOT_DIGIT = re.compile("[^0-9]")


def ours(text: str, but: str = "") -> list[tuple[int, int, str]]:
    """Return where surrogates, pseudonyms and words for what was removed stand in a text, each with the type that it tells.

    Args:
        text: Any text.
        but: A text: what stands in it too was there before, and only looks like one.
    """
    found = []
    for match in _OURS.finditer(text):
        if match["body"] is not None and not mixed(match["body"]):
            continue
        if not but or match[0] not in but:
            found.append((*match.span(), _TYPES.get(match["word"] or "", OTHER)))
    return found


def kind_of(substitute: str) -> Kind:
    """Return what kind of substitute a text is that stands in the place of a value."""
    if not substitute or substitute == REMOVED:
        return "removed"
    spans = ours(substitute)
    if spans and not without(substitute, [span[:2] for span in spans], "").strip():
        return "surrogate"
    return "masked" if "*" in substitute else "made_up"


def without(text: str, spans: list[tuple[int, int]], blank: str = "\0") -> str:
    """Return a text with something else in place of stretches of it, which are in order."""
    parts: list[str] = []
    at = 0
    for start, end in spans:
        parts += (text[at:start], blank)
        at = max(at, end)
    parts.append(text[at:])
    return "".join(parts)


def form(value: str, entity_type: str) -> str | None:
    """Return what a value is looked for as in other rows, however it is spelt; ``None`` if it is too common or too short."""
    if "@" in value:
        return value.strip().lower()
    if entity_type == "PERSON":
        name = value.replace(" ", "")
        return name if _NAME.fullmatch(name) else None
    digits = _NOT_DIGIT.sub("", value)
    return digits if len(digits) >= _DIGITS and entity_type not in _COMMON else None


def is_common(entity_type: str) -> bool:
    """Tell whether two people may have the same value of a type, so that a made-up one may be somebody's."""
    return entity_type in _COMMON


def candidates(text: str) -> Iterator[str]:
    """Yield what in a text could be the ``form`` of a value."""
    for pattern in (_NUMBER, _SPACED):
        for match in pattern.finditer(text):
            digits = _NOT_DIGIT.sub("", match[0])
            if len(digits) >= _DIGITS:
                yield digits
    for match in _MAIL.finditer(text) if "@" in text else ():
        yield match[0].lower()
    for match in _HANGUL.finditer(text):
        for size in range(3, min(5, len(match[0])) + 1):
            yield match[0][:size]


def stands(value: str, text: str) -> bool:
    """Tell whether a value stands in a text by itself, and is long enough for that to be no chance."""
    digits = len(_NOT_DIGIT.sub("", value))
    hangul = _HANGUL.search(value) is not None
    if not (digits >= _DIGITS or hangul or "@" in value or len(value) >= 6):
        return False
    at = text.find(value)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(value) : at + len(value) + 1]
        inside = _same_run(before, value[0]) or (not hangul and _same_run(value[-1], after))
        if not inside:
            return True
        at = text.find(value, at + 1)
    return False


def _same_run(left: str, right: str) -> bool:
    """Tell whether two characters are of one number or one word."""
    if not left or not right:
        return False
    return any(low <= left <= high and low <= right <= high for low, high in (("0", "9"), ("가", "힣")))
