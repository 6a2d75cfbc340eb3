"""Fields and columns that ask for a name outright (성명: …, a column headed 이름): their values are names.

The form decides here, not the model: what stands in such a place is a name unless it says that there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from sovguard.detect.name_lexicon import NameLexicon, load
from sovguard.detect.name_patterns import Shape

_DELIMITERS = ",\t|;"
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NOT_ASKED = frozenset({"개명", "surname", "last_name", "lastname"})
# Things have them too, so what stands around must show that a person is meant.
_OPEN_LABELS = frozenset({"이름", "name", "nm"})
_WHOSE = frozenset({"제", "내", "그", "아이", "아기"})
_PERSONAL = re.compile(
    "(?i:연락처|전화(?:번호)?|휴대폰|휴대전화|핸드폰|이메일|메일|e-?mail|phone|mobile|tel|주소|address|부서|소속|dept|department"
    "|직급|직책|직위|나이|연령|age|성별|gender|생년월일|birth(?:day|date)?|생일|사번|학번|학년|학과|계좌(?:번호)?|내선|주민등록번호|rrn)"
)
_CELL = re.compile("[가-힣]{2,5}[A-Z]?|[가-힣]{1,2} [가-힣]{1,5}|[가-힣](?: [가-힣]){1,3}")
# What every label that asks for a name ends with; most texts and lines have none of it.
_MENTIONED = re.compile("[명름함](?![가-힣]{2})|예금주|명의자|[Nn][Aa][Mm][Ee]|[Nn][Mm]")
_SET = re.compile("[:=：]")
_QUOTED = re.compile('"[^"]*"')
_FOUR_DIGITS = re.compile("[0-9]{4}")
_WORD_BEFORE = re.compile("([A-Za-z]{1,12}|[가-힣]{1,12}?)의?[ _.-]{1,2}$")


@cache
def _asked() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Returns the patterns of a labelled value and of a header cell, for labels that ask for a name outright."""
    endings = ("성명", "이름", "성함", "존함", "실명", "본명", "명", "예금주", "명의자", "name", "_nm")
    words = [
        re.escape(word)
        for word in load().labels
        if word.endswith(endings) and word not in _NOT_ASKED and not word.startswith(("user", "eng", "영문"))
    ]
    words += ["성 {1,6}명", "이 {1,6}름"]
    starts = "".join(sorted({word[0] for word in words}))
    label = "|".join(sorted(words, key=lambda word: (-len(word), word)))
    value = (
        rf"(?=[{starts}])(?<![A-Za-z0-9가-힣_])({label})"
        r"""(?:["'*`]{0,2}[ ]{0,6}(?:\([가-힣]{1,6}\) ?)?[:=：][ \t"'*`]{0,4}|()[은는이] | {1,4})"""
        r"([가-힣]{2,5}?(?-i:[A-Z])?|[가-힣]{1,2} [가-힣]{1,5}?)"
        r"(입니다만?|이에요|예요|이고요?|이구요|이며|인데요?|이라고(?:요|해요)?)?"
        r"(?![가-힣])(?=([ \t]*(?:$|[\n,|)\]/\"'`;<}.(&]|님(?![가-힣]))| +(?:[0-9]|[가-힣A-Za-z]{1,10} ?[:=(]))?)"
    )
    return re.compile(value, re.IGNORECASE), re.compile(rf"(?:{label})(?: ?\(.{{1,8}}\))?", re.IGNORECASE)


def fields(text: str, lexicon: NameLexicon) -> Iterator[Shape]:
    """Gives the values of fields that ask for a name outright (이름: 이윤)."""
    if not _MENTIONED.search(text):
        return
    for match in _asked()[0].finditer(text):
        label, said, name, copula, closing = match.groups()
        if not copula and (closing is None or said is not None):
            continue
        plain = label.lower() in _OPEN_LABELS
        if plain and not _of_a_person(text, match.start(), match.end(), label, lexicon):
            if not label.isascii() and said is None:
                yield Shape(match.start(3), match.end(3), "", 0.0)  # the name of a thing (파일 이름)
            continue
        spoken = said is not None or _SET.search(text, match.end(1), match.start(3)) is None
        if spoken and not lexicon.full_name_like(name):
            continue
        if _answers(name, not plain and not spoken, lexicon):
            yield Shape(match.start(3), match.end(3), "label", 0.75, label.replace(" ", ""))


def columns(text: str, lexicon: NameLexicon) -> Iterator[Shape]:
    """Gives the cells of table columns headed 이름, 성명, name; a header row as a shape without a pattern."""
    if not _MENTIONED.search(text) or not any(delimiter in text for delimiter in _DELIMITERS):
        return
    heading = _asked()[1]
    at, delimiter, width, column, sure = 0, "", 0, -1, False
    held: list[tuple[int, str]] = []
    for line in [*text.split("\n"), ""]:
        cells = _cells(line, delimiter) if delimiter else []
        if delimiter and len(cells) == width and not (found := _header(line, heading)):
            start, cell = cells[column]
            held.append((at + start, cell))
        elif line.strip(" |-+:=") or not line:
            if held:
                yield from _column(held, sure, lexicon)
            held, delimiter = [], ""
            if found := _header(line, heading):
                delimiter, column = found
                cells = _cells(line, delimiter)
                width = len(cells)
                others = [cell for index, (_, cell) in enumerate(cells) if index != column]
                plain = cells[column][1].lower() in _OPEN_LABELS
                sure = not plain or any(_PERSONAL.fullmatch(cell) for cell in others)
                if width > 2 and not any(lexicon.full_name_like(cell) for cell in others):
                    yield Shape(at, at + len(line), "", 0.0)
        at += len(line) + 1


def _header(line: str, heading: re.Pattern[str]) -> tuple[str, int] | None:
    """Returns the delimiter of a header row and the index of its column of names."""
    if not 4 <= len(line) <= 400 or not _MENTIONED.search(line) or _FOUR_DIGITS.search(line):
        return None
    for delimiter in _DELIMITERS:
        cells = _cells(line, delimiter) if delimiter in line else []
        for index, (_, cell) in enumerate(cells):
            if heading.fullmatch(cell) and all(len(other) <= 24 for _, other in cells):
                return delimiter, index
    return None


def _cells(line: str, delimiter: str) -> list[tuple[int, str]]:
    """Splits a row; a delimiter inside double quotes is text. Each cell comes with its offset in the row."""
    plain = line if '"' not in line else _QUOTED.sub(lambda quoted: "_" * len(quoted.group()), line)
    cells: list[tuple[int, str]] = []
    start = 0
    for part in plain.split(delimiter):
        cell = line[start : start + len(part)]
        bare = cell.strip(" \t\r\"'`*")
        cells.append((start + cell.find(bare), bare))
        start += len(part) + 1
    return cells


def _column(cells: Sequence[tuple[int, str]], sure: bool, lexicon: NameLexicon) -> Iterator[Shape]:
    if not sure:
        alike = sum(lexicon.full_name_like(cell.replace(" ", "").rstrip(_CAPITALS)) for _, cell in cells)
        if alike * 2 <= len(cells):
            return
    for start, cell in cells:
        if _CELL.fullmatch(cell) and _answers(cell, True, lexicon):
            yield Shape(start, start + len(cell), "label", 0.75)


def _answers(name: str, sure: bool, lexicon: NameLexicon) -> bool:
    """Tells whether what stands in a name's field is one; ``sure`` where the field can be of nothing else."""
    compact = name.replace(" ", "").rstrip(_CAPITALS)
    no_names = (lexicon.placeholders, lexicon.labels, lexicon.titles)
    if any(part in words for part in (compact, *name.split(" ")) for words in no_names):
        return False
    if lexicon.full_name_like(compact):
        return True
    first, _, second = name.partition(" ")
    if second:
        return first in lexicon.surnames and second not in lexicon.lookalikes
    if compact in lexicon.lookalikes:
        return sure and (len(compact) == 2 or (len(compact) == 3 and compact[0] in lexicon.surnames))
    return len(compact) == 2 and (compact[0] in lexicon.surnames or lexicon.given_like(compact))


def _of_a_person(text: str, start: int, end: int, label: str, lexicon: NameLexicon) -> bool:
    """Tells whether a plain 이름 or name is a person's, not a file's or a product's."""
    if label.isascii() and not _PERSONAL.search(text, max(0, start - 120), end + 160):
        return False
    before = _WORD_BEFORE.search(text, max(0, start - 16), start)
    word = before.group(1) if before is not None else "제"
    return (
        word in _WHOSE
        or word in lexicon.introducers
        or bool(lexicon.label(word) or lexicon.title_before(word))
    )
