"""What stands beside a value: labels directly before it and table headers above it.

A label (``사번:``, ``"rrn": "``, 계좌번호는) says what a number is, so the nearest one wins over the number's shape: a
13-digit number labelled 운송장 is no resident number. One pass over a text finds every label, and the gap of separators
and at most one particle behind it says where its value begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sovguard.detect.literals import Literals

FALSE_FRIEND = ""
"""Owner of labels that mark a number as something that is not personal (주문번호, 운송장)."""

_OPENING = r"""[ \t:=|,"'`(\[{<>~*·.\-#/\\“”‘’「」『』【】〈〉《》（）…?!)\]]"""
# Bounded: between a label and its value stand a few marks, not a page of them.
_PARTICLE = "(?:은|는|이|가|을|를|도|의|로는|으로|로|란|만|에|엔|요|님|임|값)?"
_GAP = re.compile(
    f"(?: ?(?:번호|[Nn][Oo])\\.?)?{_PARTICLE}{_OPENING}{{0,12}}(\n {{0,8}}{_OPENING}{{0,4}})?@?"
)


@dataclass(frozen=True, slots=True)
class Label:
    """A label found beside a value and the recognizers it speaks for.

    Attributes:
        word: The label in lower case.
        owners: The recognizers; ``FALSE_FRIEND`` among them if it speaks against all.
        speaks: Whether it speaks for any.
        families: The recognizers without the patterns: the label of one pattern (뒷자리) speaks for its recognizer as a
            whole, if not for every pattern of it.
    """

    word: str
    owners: frozenset[str]
    speaks: bool
    families: frozenset[str]


@dataclass(slots=True)
class Scan:
    """What one pass over a text found: the label before each value start, and where trigger words stand."""

    labels: dict[int, Label] = field(default_factory=dict)
    words: list[tuple[int, str]] = field(default_factory=list)


_SPREADABLE = re.compile("[가-힣]{2,7}")


def _forms(word: str) -> set[str]:
    """Returns the spellings of a label: employee_id, employee id and employeeId are one; so are 후원자 번호 and 후원자번호."""
    if not word.isascii():
        stem = word.removesuffix("번호").rstrip()
        forms = {word, f"{stem}번호", f"{stem} 번호"} if stem and stem != word else {word}
        if _SPREADABLE.fullmatch(word):
            forms.add(" ".join(word))  # as on forms: 생 년 월 일
        return forms
    return {word, *(word.replace("_", gap).replace(" ", gap) for gap in ("_", " ", "-", ""))}


class Labels:
    """All labels of a set of recognizers, and the trigger words of their patterns, ready to be found in one pass."""

    def __init__(self, owners: Mapping[str, frozenset[str]], triggers: Iterable[str] = ()) -> None:
        merged: dict[str, frozenset[str]] = {}
        for word, names in owners.items():
            for form in _forms(word.lower()):
                merged[form] = merged.get(form, frozenset()) | names
        self._labels = {
            word: Label(
                word,
                names,
                names != {FALSE_FRIEND},
                frozenset(name.partition("/")[0] for name in names),
            )
            for word, names in merged.items()
        }
        self._triggers = frozenset(triggers)
        words = sorted({*self._triggers, *self._labels})
        self._words = [(word, word in self._triggers, self._labels.get(word), _guard(word)) for word in words]
        self._literals = Literals(words, often=True)

    def scan(self, text: str) -> Scan:
        """Returns the labels and trigger words of ``text``."""
        found = Scan()
        labels, words, gap = found.labels, self._words, _GAP.match
        for which, start, end in self._matches(text):
            word, triggers, label, guard = words[which]
            if triggers:
                found.words.append((start, word))
            if label is None or (guard is not None and not guard(text, start, end)):
                continue
            match = gap(text, end)
            value = match.end() if match is not None else end
            if match is not None and match[1] is not None and _in_table(text, start):
                continue
            if value == end + 1 and text[end] == "-" and word.isascii():
                continue  # the first part of a code (KB-2026-…), whatever it spells
            labels[value] = label
        return found

    def of_cell(self, cell: str) -> Label | None:
        """Returns the label that a table's header cell is, or ends with."""
        trimmed = cell.strip(" \t\r\"'`*#").lower()
        whole = self._labels.get(trimmed) or self._labels.get(trimmed.rstrip("0123456789 _"))
        if whole is not None:
            return whole
        return self.scan(trimmed).labels.get(len(trimmed))

    def _matches(self, text: str) -> list[tuple[int, int, int]]:
        lowered = text.lower()
        if len(lowered) != len(text):
            lowered = text.replace("İ", "I").lower()  # the one character that is two in lower case
        return self._literals.matches(lowered)


def _guard(word: str) -> Callable[[str, int, int], bool] | None:
    """Returns the check that a match of ``word`` is a word of its own, where its letters alone do not show that."""
    if word.isascii():
        return _apart_in_ascii
    return _apart_in_hangul if len(word) == 1 else None


def _apart_in_ascii(text: str, start: int, end: int) -> bool:
    """Grid is no id: no ASCII letter or digit may touch the word, if it begins and ends with one."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return not (before.isascii() and before.isalnum()) and not (
        after.isascii() and after.isalnum() and text[end - 1].isalnum()
    )


def _apart_in_hangul(text: str, start: int, end: int) -> bool:
    """A label of one syllable (생, 차) must not be part of a longer word; one particle may follow."""
    before = text[start - 1] if start else " "
    return not "가" <= before <= "힣" and _HANGUL_WORD.match(text, end) is None


_HANGUL_WORD = re.compile("[가-힣]{2}|(?![은는이가을를도의로])[가-힣]")


def _in_table(text: str, start: int) -> bool:
    """Whether a label that ends its line shares it with a delimiter: then it is a column, not the next line's label."""
    line = text[text.rfind("\n", max(0, start - 200), start) + 1 : start]
    return re.search("[,\t|;]", line) is not None


_DELIMITERS = (",", "\t", "|", ";", " / ")


def label_cells(text: str, low: int, high: int, labels: Labels, scan: Scan) -> None:
    """Adds to ``scan`` the header label of every cell of a delimited table in ``text[low:high]``."""
    header: list[Label | None] = []
    delimiter = ""
    at = low
    for line in _records(text[low:high].split("\n")):
        if header and len(parts := _split(line, delimiter)) == len(header):
            _label_row(parts, at, header, scan, delimiter)
        else:
            delimiter, header = _header(line, labels, delimiter, header)
        at += len(line) + 1


_MOST_LINES = 20
_QUOTED_CELL = re.compile('(?:^|[,\t|;]) ?"')
"""Only at the beginning of a cell does a quote open it; elsewhere it is a mark of inches."""


def _records(lines: Iterable[str]) -> Iterator[str]:
    """Yields the rows of a table; a row goes on in the next line while a quoted cell is open (RFC 4180)."""
    held: list[str] = []
    for line in lines:
        opens = line.count('"') % 2 == 1 and (bool(held) or _QUOTED_CELL.search(line) is not None)
        if not held and not opens:
            yield line
            continue
        held.append(line)
        if (opens and len(held) > 1) or len(held) == _MOST_LINES:
            yield from ("\n".join(held),) if opens else held
            held = []
    yield from held


_INSERT = re.compile(r"(?i:insert\s{1,8}into)\s{1,8}[^\s()]{1,80}\s{0,8}\(([^()]{3,600})\)\s{0,8}(?i:values)")
_TUPLE = re.compile(r"\s{0,40},?\s{0,40}\(((?:[^()'\"]|'[^'\n]*'|\"[^\"\n]*\")*)\)")
_FIELD = re.compile(r"(?:'[^']*'|\"[^\"]*\"|[^,'\"])+")


def label_inserts(text: str, low: int, high: int, labels: Labels, scan: Scan) -> None:
    """Adds to ``scan`` the column names of SQL ``INSERT`` statements in ``text[low:high]`` as labels of their values."""
    for statement in _INSERT.finditer(text, low, high):
        columns = [labels.of_cell(name) for name in statement[1].split(",")]
        at = statement.end()
        while row := _TUPLE.match(text, at, high):
            at = row.end()
            fields = list(_FIELD.finditer(text, *row.span(1)))
            if len(fields) == len(columns):
                for name, cell in zip(columns, fields, strict=True):
                    _label_row([cell[0]], cell.start(), [name], scan)


def may_hold_insert(text: str) -> bool:
    """Whether ``text`` has an SQL ``INSERT`` with values in it at all."""
    return _INSERT.search(text) is not None if "VALUES" in text or "values" in text else False


def may_hold_table(text: str) -> bool:
    """Whether ``text``, of several lines, has a delimiter at all."""
    return any(delimiter in text for delimiter in _DELIMITERS)


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
    return (delimiter, header) if not line.strip(" |-+:=\r") or len(line) > 4000 else (delimiter, [])


def _split(line: str, delimiter: str) -> list[str]:
    """Splits a row at ``delimiter``, which inside double quotes is text."""
    if '"' not in line or delimiter not in line:
        return line.split(delimiter)
    return re.findall(f'(?:"[^"]*"|[^{delimiter}"])+|(?<![^{delimiter}])(?={delimiter}|$)', line)


def _label_row(
    parts: list[str], at: int, header: list[Label | None], scan: Scan, delimiter: str = ","
) -> None:
    for part, label in zip(parts, header, strict=True):
        if label is not None:
            inner = at + len(part) - len(part.lstrip(" \"'`("))
            scan.labels.setdefault(inner, label)
        at += len(part) + len(delimiter)
