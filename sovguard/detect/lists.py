"""Exact values of one's own: a staff directory, customers, project names, from one value to a million.

A recognizer file may name a text or CSV file (``[list]``) whose values are found wherever they stand as words, particles and
titles glued to them or not. All lists share one automaton, so the cost of a text does not grow with their length.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from sovguard.detect.definitions import ListDefinition, RecognizerDefinition
from sovguard.detect.literals import Literals
from sovguard.detect.name_lexicon import closed, tail_of
from sovguard.entities import Detection, Evidence
from sovguard.errors import RecognizerDefinitionError
from sovguard.text import normalized_view

PATTERN = "list"
_SHORTEST = 2
_HANGUL = re.compile("[가-힣]+")
_LONGEST_TAIL = 24


class Lists:
    """The values of all lists, ready to be found; safe to share between threads.

    Args:
        definitions: Recognizers; those without a list are passed over.

    Raises:
        RecognizerDefinitionError: A file cannot be read, has no such column or holds a value that is too short.
    """

    def __init__(self, definitions: Sequence[RecognizerDefinition]) -> None:
        owners: dict[str, tuple[RecognizerDefinition, float]] = {}
        for definition in definitions:
            if definition.list is not None:
                for value in _values(definition.list, definition.name):
                    owners.setdefault(value, (definition, definition.list.score))
        self._owners = list(owners.values())
        self._literals = Literals(list(owners)) if owners else None

    def __bool__(self) -> bool:
        return self._literals is not None

    def find(self, text: str) -> Iterator[Detection]:
        """Yields the values that stand in ``text`` as words, in order and without overlap."""
        for which, start, end in self._literals.matches(text) if self._literals else ():
            if _stands(text, start, end):
                definition, score = self._owners[which]
                yield Detection(definition.entity_type, start, end, score, definition.name, Evidence(PATTERN))


def _stands(text: str, start: int, end: int) -> bool:
    """Tells whether a value is a word of its own: no syllable or letter of its script before, only a particle behind."""
    before = text[start - 1] if start else " "
    if "가" <= text[start] <= "힣":
        if "가" <= before <= "힣":
            return False
    elif before.isascii() and before.isalnum():
        return False
    last = text[end - 1]
    if "가" <= last <= "힣":
        following = _HANGUL.match(text, end)
        rest = following.group() if following is not None else ""
        return len(rest) <= _LONGEST_TAIL and tail_of(rest, closed(last)) is not None
    after = text[end] if end < len(text) else " "
    return not (after.isascii() and after.isalnum())


def _values(source: ListDefinition, name: str) -> Iterator[str]:
    """Yields the values of a file, as a text's view would show them; lines that are empty or begin with # are none."""
    where = f"{name}.toml [list]"
    try:
        text = source.file.read_text("utf-8").removeprefix("\ufeff")
    except (OSError, UnicodeDecodeError):
        raise RecognizerDefinitionError(
            f"{where}: file {source.file.name!r} cannot be read as UTF-8 text"
        ) from None
    lines = text.splitlines()
    if source.column:
        rows = csv.DictReader(io.StringIO(text), delimiter="\t" if source.file.name.endswith(".tsv") else ",")
        if source.column not in (rows.fieldnames or ()):
            raise RecognizerDefinitionError(f"{where}: {source.file.name!r} has no column {source.column!r}")
        lines = [row[source.column] or "" for row in rows]
    count = 0
    for number, line in enumerate(lines, start=1):
        value = normalized_view(line).text.strip()
        if not value or value.startswith("#"):
            continue
        if len(value) < _SHORTEST:
            raise RecognizerDefinitionError(
                f"{where}: value {number} of {source.file.name!r} is shorter than {_SHORTEST} characters"
            )
        count += 1
        yield value
    if not count:
        raise RecognizerDefinitionError(f"{where}: {source.file.name!r} holds no value")
