"""What stands beside a value: labels directly before it, table headers above it, context words around it.

A label (``사번:``, ``"rrn": "``, 계좌번호는) says what a number is, so the nearest one wins over the number's shape: a
13-digit number labelled 운송장 is no resident number. Labels are matched backwards from the value over a gap of
separators and at most one particle.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FALSE_FRIEND = ""
"""Owner of labels that mark a number as something that is not personal (주문번호, 운송장)."""

_REACH = 40
_GAP = r"""[ \t:=|,"'`(\[{<>~*·.\-#/\\“”‘’「『…?!]*"""
_PARTICLE = "(?:은|는|이|가|을|를|도|의|로|로는|으로|란|만|에|엔|요|님|임|번|[0-9]{1,2}|값|:)?"


@dataclass(frozen=True, slots=True)
class Label:
    """A label found beside a value and the recognizers it speaks for."""

    word: str
    owners: frozenset[str]


def trie_regex(words: Iterable[str]) -> str:
    """Returns one regex for all ``words``, longest first, sharing prefixes so that matching cost stays flat."""
    root: dict[str, dict] = {}  # type: ignore[type-arg]  # nested by itself
    for word in words:
        node = root
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return _trie(root)


def _trie(node: Mapping[str, dict]) -> str:  # type: ignore[type-arg]  # nested by itself
    branches = [re.escape(character) + _trie(child) for character, child in sorted(node.items()) if character]
    if not branches:
        return ""
    body = branches[0] if len(branches) == 1 and "" not in node else f"(?:{'|'.join(branches)})"
    return f"{body}?" if "" in node else body


def _forms(word: str) -> set[str]:
    """Returns the spellings of a label: employee_id, employee id, employee-id and employeeId are one."""
    if not word.isascii():
        return {word}
    return {word, *(word.replace("_", gap).replace(" ", gap) for gap in ("_", " ", "-", ""))}


class Labels:
    """All labels of a set of recognizers, ready to look backwards from a value."""

    def __init__(self, owners: Mapping[str, frozenset[str]]) -> None:
        self._owners = {form: names for word, names in owners.items() for form in _forms(word.lower())}
        reversed_words: dict[str, list[str]] = {"ascii": [], "short": [], "plain": []}
        for word in self._owners:
            kind = "ascii" if word[0].isascii() else "short" if len(word) == 1 else "plain"
            reversed_words[kind].append(word[::-1])
        guards = {"ascii": "(?![a-z0-9])", "short": "(?![가-힣])", "plain": ""}
        body = "|".join(f"(?:{trie_regex(words)}){guards[kind]}" for kind, words in reversed_words.items() if words)
        # Backwards: gap, particle, gap, label. The lazy second gap keeps "번호 (" and "번호는 :" apart from prose.
        self._before = re.compile(f"{_GAP}(\n {{0,8}})?{_GAP}{_PARTICLE[::1]}[ )\\]]{{0,2}}({body or '(?!)'})")

    def before(self, text: str, start: int, low: int) -> Label | None:
        """Returns the label directly before ``start``, looking no further back than ``low``."""
        if text[start - 1 : start] == "-" and text[start - 2 : start - 1].isascii():
            return None  # the middle of a code (KB-2026-…), whatever its first part spells
        window = text[max(low, start - _REACH) : start][::-1].lower()
        match = self._before.match(window)
        if match is None:
            return None
        if match[1] is not None:
            # A label on the line above counts only if it has that line to itself; else it is a column of a table.
            line = window[match.start(2) :].partition("\n")[0]
            if re.search("[,\t|;]", line):
                return None
        word = match[2][::-1]
        return Label(word, self._owners[word])

    def of_cell(self, cell: str) -> Label | None:
        """Returns the label that a table's header cell is, or ends with."""
        trimmed = cell.strip(" \t\"'`*#").lower()
        owners = self._owners.get(trimmed)
        if owners is None:
            match = self._before.match(trimmed[::-1])
            if match is None or match.start(2):
                return None
            trimmed = match[2][::-1]
            owners = self._owners[trimmed]
        return Label(trimmed, owners)


_DELIMITERS = (",", "\t", "|", ";")


class Table:
    """The labelled cells of a delimited table inside a text: which header stands above an offset."""

    def __init__(self, cells: list[tuple[int, int, Label]]) -> None:
        self._starts = [start for start, _, _ in cells]
        self._cells = cells

    def label(self, start: int) -> Label | None:
        """Returns the header label of the cell that holds offset ``start``."""
        index = bisect_right(self._starts, start) - 1
        if index < 0 or start >= self._cells[index][1]:
            return None
        return self._cells[index][2]


def find_table(text: str, low: int, high: int, labels: Labels) -> Table | None:
    """Returns the labelled cells in ``text[low:high]``, or ``None`` where there is no table with a known header."""
    cells: list[tuple[int, int, Label]] = []
    header: list[Label | None] = []
    delimiter = ""
    at = low
    for line in text[low:high].split("\n"):
        if header and len(parts := _split(line, delimiter)) == len(header):
            cells += _row(parts, at, header)
        else:
            delimiter, header = _header(line, labels, delimiter, header)
        at += len(line) + 1
    return Table(cells) if cells else None


def _header(
    line: str, labels: Labels, delimiter: str, header: list[Label | None]
) -> tuple[str, list[Label | None]]:
    for candidate in _DELIMITERS:
        parts = line.split(candidate)
        if not 2 <= len(parts) <= 64 or len(line) > 400 or re.search("[0-9]{4}", line):
            continue
        found = [labels.of_cell(part) for part in parts]
        if any(found) and all(len(part) <= 24 for part in parts):
            return candidate, found
    # A rule under a header (|---|---|) or an empty line does not end a table; other prose does.
    return (delimiter, header) if not line.strip(" |-+:=") or len(line) > 4000 else (delimiter, [])


def _split(line: str, delimiter: str) -> list[str]:
    """Splits a row at ``delimiter``, which inside double quotes is text."""
    if '"' not in line or delimiter not in line:
        return line.split(delimiter)
    return re.findall(f'(?:"[^"]*"|[^{delimiter}"])+|(?<![^{delimiter}])(?={delimiter}|$)', line)


def _row(parts: list[str], at: int, header: list[Label | None]) -> Iterable[tuple[int, int, Label]]:
    for part, label in zip(parts, header, strict=True):
        if label is not None and part.strip():
            yield at, at + len(part), label
        at += len(part) + 1
