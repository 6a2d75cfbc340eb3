"""JSON lines as records: read once by the parser, taken to pieces only where something in them changes.

Nearly all lines are read the short way: the parser hands over strings as what they say and numbers as they are written, and
that is all that has to be known of a line in which nothing is found. What is odd in any way (not JSON, a key twice, nested
deeply, white space around it) goes the long way, which decides alone what is an error and what comes out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from sovguard.errors import InputError
from sovguard.payloads.json_lines import JsonLine, chosen, line_of, literal
from sovguard.payloads.json_text import load, unique
from sovguard.pipeline.files.answers import Answers, Pair
from sovguard.shapes import MAX_CONTEXT, Leaf

_LITERAL = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*"|-?(?:[0-9][0-9.eE+-]*|Infinity)|NaN)')
_SHALLOW = 150
"""Levels that the short way goes down: fewer than are refused."""
_SHORT_NUMBER = 600
"""Digits up to which Python reads an integer in any of its settings."""
_REMEDY = "correct the line"
_SAME_KEYS = "two keys of an object would become the same"


class _Integer(str):
    __slots__ = ()


class _Real(str):
    __slots__ = ()


def _integer(digits: str) -> _Integer:
    if len(digits) > _SHORT_NUMBER:
        int(digits)  # what the parser of the long way refuses
    return _Integer(digits)


_DECODER = json.JSONDecoder(
    object_pairs_hook=unique, parse_int=_integer, parse_float=_Real, parse_constant=_Real
)


class Writes(Protocol):
    """What a record needs to know to be written."""

    @property
    def encoding(self) -> str:
        """The file's encoding."""

    @property
    def restores(self) -> bool:
        """Whether values are put back."""

    def encode(self, text: str) -> bytes:
        """Return text in the file's encoding."""

    def number(self, text: str, kind: str, hit_type: str | None, label: str) -> str | None:
        """Return what takes the place of a number, or the number that a text takes the place of."""


class JsonRecords:
    """Reads the lines of one piece.

    Args:
        columns: Only these top-level fields; all if empty.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = frozenset(columns)
        self._in_order = columns
        self._known: set[str] = set()

    def __repr__(self) -> str:
        return f"JsonRecords({len(self._known)} keys)"

    @property
    def keys(self) -> set[Pair]:
        """Keys as texts; the first record with a key has it among its texts, the others not."""
        return {("", key) for key in self._known}

    def read(self, line: int, raw: bytes, whole: str, seen: set[str]) -> JsonRecord | OddJsonRecord:
        """Return the record that a line is.

        Args:
            line: Its number.
            raw: Its octets.
            whole: Its text, line end included.
            seen: Is added to: the fields that were asked for and are there.

        Raises:
            InputError: It is none.
        """
        text = whole.rstrip("\r\n")
        try:
            value, end = _DECODER.raw_decode(text)
        except (ValueError, RecursionError):
            end = -1
        brackets = text.count("[") + text.count("{")
        if end != len(text) or (brackets > _SHALLOW and _is_deep(value, _SHALLOW)):
            return self.read_odd(line, raw, whole, seen)
        pairs: list[Pair] = []
        if self._columns and type(value) is dict:
            seen.update(self._columns.intersection(value))
            for name, item in value.items():
                if name in self._columns:
                    self._gather(item, name if len(name) <= MAX_CONTEXT else "", pairs)
        else:
            self._gather(value, "", pairs)
        return JsonRecord(line, raw, whole, value, pairs, self._columns)

    def read_odd(self, line: int, raw: bytes, whole: str, seen: set[str]) -> OddJsonRecord:
        """Return the record that a line is that may be odd.

        Raises:
            InputError: It is none.
        """
        record = OddJsonRecord(line, raw, whole, self._in_order)
        seen.update(record.fields)
        return record

    def _gather(self, value: Any, label: str, pairs: list[Pair]) -> None:
        """Add the texts of a value, and keys that no record had before, in the order in which they stand."""
        if type(value) is dict:
            known = self._known
            for name, item in value.items():
                if name not in known:
                    known.add(name)
                    pairs.append(("", name))
                under = name if len(name) <= MAX_CONTEXT else ""
                if isinstance(item, str):
                    pairs.append((under, item))
                elif type(item) is not bool and item is not None:
                    self._gather(item, under, pairs)
        elif type(value) is list:
            for item in value:
                self._gather(item, label, pairs)
        elif isinstance(value, str):
            pairs.append((label, value))


def _is_deep(value: Any, levels: int) -> bool:
    """Tell whether a value is nested more deeply than some levels."""
    if type(value) is dict:
        value = list(value.values())
    if type(value) is not list:
        return False
    return not levels or any(_is_deep(item, levels - 1) for item in value)


class JsonRecord:
    """One line that was read the short way."""

    __slots__ = ("_columns", "_value", "_whole", "line", "pairs", "raw")

    def __init__(
        self,
        line: int,
        raw: bytes,
        whole: str,
        value: Any,
        pairs: list[Pair],
        columns: frozenset[str],
    ) -> None:
        self.line, self.raw, self.pairs = line, raw, pairs
        self._whole, self._value, self._columns = whole, value, columns

    def __repr__(self) -> str:
        return f"JsonRecord({len(self.pairs)} texts)"

    def written(self, answers: Answers, worker: Writes) -> bytes:
        """Return it with its texts replaced.

        Raises:
            InputError: That cannot be done.
        """
        parts = _LITERAL.split(self._whole)
        tokens: list[Pair | None] = []
        self._find(tokens)
        if 2 * len(tokens) + 1 != len(parts):  # never so, and never passed over
            raise InputError("its strings and numbers cannot be told apart; correct the line")
        changed = keys_changed = False
        for place, pair in enumerate(tokens):
            if pair is None or not answers.touches(pair):
                continue
            text, made = pair[1], answers.new(pair)
            if isinstance(text, (_Integer, _Real)):
                hits = answers.found(pair)
                kind = "int" if isinstance(text, _Integer) else "float"
                number = worker.number(str(text), kind, hits[0].entity_type if hits else None, pair[0])
                if number is None:
                    continue
                made = number
            elif made == text:
                continue
            parts[2 * place + 1] = literal(made, parts[2 * place + 1], worker.encoding)
            changed = True
            keys_changed = keys_changed or parts[2 * place + 2].lstrip(" \t\r\n").startswith(":")
        if not changed:
            return self.raw
        if keys_changed and load("".join(parts), unique_keys=True) is None:
            raise InputError(_SAME_KEYS)
        return worker.encode("".join(parts))

    def _find(self, tokens: list[Pair | None]) -> None:
        """Add what stands at each string and number of the line, in order; nothing at those that were not asked for."""
        value = self._value
        if not self._columns or type(value) is not dict:
            _find(value, "", tokens)
            return
        for name, item in value.items():
            tokens.append(None)
            first = len(tokens)
            _find(item, name if len(name) <= MAX_CONTEXT else "", tokens)
            if name not in self._columns:
                tokens[first:] = [None] * (len(tokens) - first)


def _find(value: Any, label: str, tokens: list[Pair | None]) -> None:
    if isinstance(value, str):
        tokens.append((label, value))
    elif type(value) is dict:
        for name, item in value.items():
            tokens.append(("", name))
            _find(item, name if len(name) <= MAX_CONTEXT else "", tokens)
    elif type(value) is list:
        for item in value:
            _find(item, label, tokens)


class OddJsonRecord:
    """One line that is read with great care, or not at all."""

    __slots__ = ("_parsed", "_parts", "fields", "line", "pairs", "raw")

    def __init__(self, line: int, raw: bytes, whole: str, columns: Sequence[str]) -> None:
        self.line, self.raw = line, raw
        self._parsed: JsonLine = line_of("it", 0, whole, _REMEDY)
        value = self._parsed.value
        self.fields = [name for name in columns if name in value] if isinstance(value, dict) else []
        found = [] if self._parsed.blank else chosen(self._parsed, columns if isinstance(value, dict) else ())
        self._parts = [(leaf, token) for leaf, token in found if token is not None]
        self.pairs = [
            (_label(leaf), token["literal"] if leaf.kind != "str" else leaf.text)
            for leaf, token in self._parts
        ]

    def __repr__(self) -> str:
        return f"OddJsonRecord({len(self.pairs)} texts)"

    def written(self, answers: Answers, worker: Writes) -> bytes:
        """Return it with its texts replaced.

        Raises:
            InputError: That cannot be done.
        """
        parts: list[str] = []
        position, text = 0, self._parsed.text
        for made, token in self._replaced(answers, worker):
            parts += (text[position : token.start()], made)
            position = token.end("literal")
        if not parts:
            return self.raw
        made = "".join((*parts, text[position:]))
        if (
            any(token["colon"] is not None for _, token in self._parts)
            and load(made, unique_keys=True) is None
        ):
            raise InputError(_SAME_KEYS)
        return worker.encode(made + self._parsed.end)

    def _replaced(self, answers: Answers, worker: Writes) -> Iterator[tuple[str, re.Match[str]]]:
        """Yield what takes the place of strings and numbers that change, each with where it stands."""
        for (leaf, token), pair in zip(self._parts, self.pairs, strict=True):
            label, said = pair
            new = answers.new(pair)
            if leaf.kind != "str":
                hits = () if worker.restores else answers.found(pair)
                made = worker.number(said, leaf.kind, hits[0].entity_type if hits else None, label)
                if made is not None and not worker.restores:
                    yield literal(made, token["literal"], worker.encoding), token
            elif (
                worker.restores
                and token["colon"] is None
                and (number := worker.number(said, "", None, label))
            ):
                yield number, token
            elif new != said:
                yield literal(new, token["literal"], worker.encoding), token


def _label(leaf: Leaf) -> str:
    key = leaf.key
    return key.text if key is not None and len(key.text) <= MAX_CONTEXT else ""
