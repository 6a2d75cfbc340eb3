"""JSON Lines and whole JSON files as text: where strings and numbers stand, and others in their place.

Used by the command line. Everything in a line or file stays character for character but the strings and numbers that change;
a line that cannot be read for certain is refused by its number.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from sovguard.detect.overlap import resolve
from sovguard.entities import Detection
from sovguard.errors import InputError
from sovguard.payloads.json_text import load
from sovguard.shapes import Leaf, read, take_apart

_TOKEN = re.compile(
    r'(?P<literal>"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:[0-9][0-9.eE+-]*|Infinity)|NaN)(?P<colon>[ \t\r\n]*:)?'
)
_PLAIN = json.JSONEncoder(ensure_ascii=False).encode
_UNIT = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|.", re.DOTALL)


@dataclass(frozen=True, slots=True, repr=False)
class JsonLine:
    """One line of a JSONL document, or a whole JSON document.

    Attributes:
        place: Name of the document and number of the line, if it is one, for messages.
        start: Offset of its first character in the document.
        text: The line without its end.
        end: Its line end.
        value: What it says; ``None`` for an empty line.
        tokens: Where its strings and numbers stand in ``text``.
        leaves: The same strings and numbers as what they say, in the same order.
    """

    place: str
    start: int
    text: str
    end: str
    value: Any
    tokens: list[re.Match[str]]
    leaves: list[Leaf]

    def __repr__(self) -> str:
        return f"JsonLine({len(self.leaves)} leaves)"

    @property
    def size(self) -> int:
        """Number of its characters, line end included."""
        return len(self.text) + len(self.end)

    @property
    def blank(self) -> bool:
        """Whether there is nothing in it."""
        return not self.text.strip()


def batches(name: str, text: str, size: int) -> Iterator[list[JsonLine]]:
    """Yield the lines of a JSONL document, as many at a time as make ``size`` characters.

    Args:
        name: What to call the document in messages.
        text: The document.
        size: Characters of a batch.

    Raises:
        InputError: A line is not JSON that can be worked on; the message names its number.
    """
    batch: list[JsonLine] = []
    start = pending = 0
    # Only \n ends a line: U+2028 and its like may stand in a JSON string as they are.
    for number, whole in enumerate(io.StringIO(text, newline="\n"), 1):
        line = line_of(f"{name}, line {number}", start, whole)
        start += len(whole)
        if pending and pending + line.size > size:
            yield batch
            batch, pending = [], 0
        batch.append(line)
        pending += line.size
    if batch:
        yield batch


def as_one(name: str, text: str) -> JsonLine:
    """Return a document that is one JSON value, on however many lines, as if it was a line.

    Args:
        name: What to call the document in messages.
        text: The document.

    Raises:
        InputError: It is not JSON that can be worked on.
    """
    return line_of(
        name, 0, text, "correct it, or read it with --format jsonl (a value on each line) or --format text"
    )


def line_of(place: str, start: int, whole: str, remedy: str = "") -> JsonLine:
    """Return one line, or a document that is one value.

    Args:
        place: What to call it in messages.
        start: Where it begins in its document.
        whole: The line with its end.
        remedy: What to do if it is none.

    Raises:
        InputError: It is not JSON that can be worked on.
    """
    text = whole.rstrip("\r\n")
    end = whole[len(text) :]
    if not text.strip():
        return JsonLine(place, start, text, end, None, [], [])
    parsed = load(text, unique_keys=True)
    if parsed is None:
        remedy = remedy or "correct the line, or read the file as text with --format text"
        raise InputError(f"{place}: not one valid JSON value, or an object with one key twice; {remedy}")
    try:
        leaves = take_apart([parsed.value], "this").leaves
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    return JsonLine(place, start, text, end, parsed.value, list(_TOKEN.finditer(text)), leaves)


def picked(line: JsonLine, fields: Collection[str]) -> Any:
    """Return what ``fields`` choose of the line's value: all of it if there are none.

    Raises:
        InputError: The line is no object, so that it has no fields to choose from.
    """
    if not fields or line.blank:
        return line.value
    if not isinstance(line.value, dict):
        raise InputError(f"{line.place}: not an object, so it has no fields; leave out --field")
    return {name: item for name, item in line.value.items() if name in fields}


def put_back(line: JsonLine, part: Any, fields: Collection[str]) -> Any:
    """Return the line's value with ``part``, a new version of what ``picked`` gave, in it; keys stay."""
    if not fields or not isinstance(line.value, dict):
        return part
    items = iter(part.values())
    return {name: next(items) if name in fields else item for name, item in line.value.items()}


def rewritten(line: JsonLine, value: Any, encoding: str) -> str:
    """Return the line with those of its strings and numbers replaced that are others in ``value``.

    Args:
        line: The line.
        value: A value of the same shape as the line's.
        encoding: What the document will be written in.

    Raises:
        InputError: Two keys of an object have become the same.
    """
    after = take_apart([value], "this").leaves
    if len(after) != len(line.leaves):
        raise InputError(f"{line.place}: two keys of an object would become the same; rename one of them")
    parts: list[str] = []
    position = 0
    for token, old, new in zip(line.tokens, line.leaves, after, strict=True):
        if old.kind == new.kind and old.text == new.text:
            continue
        outcome = new.text if token["colon"] is not None else new.original
        parts += (line.text[position : token.start()], literal(outcome, token["literal"], encoding))
        position = token.end("literal")
    return "".join((*parts, line.text[position:], line.end))


def literal(value: Any, before: str, encoding: str) -> str:
    """Return ``value`` as JSON, with escapes where what stood there had them or the encoding needs them."""
    plain = _PLAIN(value)
    if "\\u" not in before or not before.isascii():
        with suppress(UnicodeEncodeError):
            plain.encode(encoding)
            return plain
    return json.dumps(value)


def scan_lines(
    lines: Sequence[JsonLine],
    scan: Callable[[list[str]], list[list[Detection]]],
    fields: Collection[str] = (),
) -> list[Detection]:
    """Return what is found in the strings and numbers of ``lines``, each read together with its key.

    Args:
        lines: The lines.
        scan: Finds what is in each of several texts.
        fields: Only these top-level fields.

    Returns:
        Detections with offsets into the document: where the value is written, escapes included.
    """
    leaves: list[Leaf] = []
    places: list[tuple[JsonLine, re.Match[str]] | None] = []
    for line in lines:
        for leaf, token in chosen(line, fields):
            leaves.append(leaf)
            places.append((line, token) if token is not None else None)
    found: list[Detection] = []
    for hits, at in zip(read(leaves, scan), places, strict=True):
        if hits and at is not None:
            # A key is read with each item of the list that stands under it, and found as often.
            for hit in resolve(hits):
                start, end = _span(*at, hit)
                found.append(replace(hit, start=start, end=end))
    return found


def chosen(line: JsonLine, fields: Collection[str]) -> Iterator[tuple[Leaf, re.Match[str] | None]]:
    """Yield the leaves that ``fields`` choose with where they stand; a chosen field's own name has no place."""
    if not fields:
        yield from zip(line.leaves, line.tokens, strict=True)
        return
    index = 0
    chosen = picked(line, fields) or {}
    for name, item in (line.value or {}).items():
        size = len(take_apart({name: item}, "this").leaves)
        if name in chosen:
            yield line.leaves[index], None
            yield from zip(
                line.leaves[index + 1 : index + size], line.tokens[index + 1 : index + size], strict=True
            )
        index += size


def _span(line: JsonLine, token: re.Match[str], hit: Detection) -> tuple[int, int]:
    """Return where in the document that is written which ``hit`` found in what a string or number says."""
    literal, first = token["literal"], line.start + token.start()
    if not literal.startswith('"'):
        # 1.50 says 1.5: a number is one thing, whatever part of it was found.
        return first, first + len(literal)
    offsets = [first + 1 + unit.start() for unit in _UNIT.finditer(literal[1:-1])]
    offsets.append(first + len(literal) - 1)
    return offsets[hit.start], offsets[hit.end]
