"""Weighs what speaks for and against each candidate name.

Evidence is additive: every class of surroundings and every reading by Kiwi is worth so many points (log-odds)
in ``person.toml``, and a candidate's score is their sum. After a first weighing, names that are certain lend
support to others in the same text: the same name elsewhere, its given name alone, neighbours in a list or
column. The value of a field or column that asks for a name outright (성명, 이름, name) is decided here as well:
it is a name unless it says that there is none.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from sovguard.detect.morphology import Morpheme
from sovguard.detect.name_candidates import Candidate
from sovguard.detect.name_lexicon import NameLexicon, load
from sovguard.detect.name_patterns import Shape

UNREAD = "unread"
"""The reading of a candidate in ``fast`` mode, where there are no morphemes."""

_NOUN_LIKE = frozenset({"NNG", "NNP", "NNB", "MM", "NR", "XPN", "XR", "SN", "XSN", "SH"})
# Kiwi's readings of names. What it reads as nouns owns things too (배송지 주소).
_NAME_LIKE = frozenset(
    {
        "proper",
        "new_proper",
        "new_noun",
        "pieces",
        "surname_proper",
        "piece_proper",
        "piece_noun",
        "proper_piece",
    }
)
_BETWEEN = re.compile(r"[ ,、·/|;\t\n&+()\[\]\"'-]{1,4}")
_DELIMITERS = ",\t|;"
_LONGEST_ROW = 2000
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
_VALUE_EDGES = ("comma", "separator", "open", "start", "end", "close", "number_start")


def reading(analysed: Sequence[Morpheme], starts: Sequence[int], start: int, end: int) -> str:
    """Returns how Kiwi reads ``text[start:end]``, as one word.

    Args:
        analysed: The text's morphemes, ordered by start.
        starts: Their start offsets.
        start: Start of the candidate.
        end: End of the candidate.
    """
    index = bisect_left(starts, start)
    if index == len(analysed) or analysed[index].start != start:
        return "inside"
    first = analysed[index]
    if first.end == end:
        if index + 1 < len(analysed) and analysed[index + 1].start < end:
            return "functional"
        return _whole(first)
    if first.end > end:
        if first.unknown:
            return "cross_new"
        return "cross_proper" if first.tag == "NNP" else "cross"
    pieces: list[Morpheme] = []
    at = start
    while index < len(analysed) and analysed[index].start < end:
        piece = analysed[index]
        if piece.start != at or piece.end == piece.start or piece.tag not in _NOUN_LIKE:
            return _with_function_word(pieces)
        pieces.append(piece)
        at = piece.end
        index += 1
    return "pieces_cross" if at > end else _pieces(pieces, end - start)


def _whole(only: Morpheme) -> str:
    if only.tag == "NNP":
        return "new_proper" if only.unknown else "proper"
    if only.tag == "NNG":
        return "new_noun" if only.unknown else "noun"
    return "root" if only.tag == "XR" else "word"


def _with_function_word(pieces: Sequence[Morpheme]) -> str:
    if pieces and pieces[0].end - pieces[0].start > 1:
        if pieces[0].tag == "NNP":
            return "proper_functional"
        if pieces[0].tag == "NNG" and not pieces[0].unknown:
            return "noun_functional"
    return "functional"


def _pieces(pieces: Sequence[Morpheme], size: int) -> str:
    first, last = pieces[0], pieces[-1]
    if len(pieces) == size:
        counter = size == 2 and (last.tag in ("NNB", "XSN") or first.tag == "NNB")
        return "counter" if counter else "pieces"
    if first.end - first.start == 1:
        surname = "surname" if first.tag == "NNP" else "piece"
        return f"{surname}_proper" if last.tag == "NNP" else f"{surname}_noun"
    if first.tag == "NNP":
        return "proper_piece"
    return "noun_suffix" if last.tag in ("XSN", "NNB") else "noun_piece"


def weigh(candidates: Iterable[Candidate], analysed: Sequence[Morpheme] | None, lexicon: NameLexicon) -> None:
    """Sets each candidate's reading and score; ``analysed`` is ``None`` in ``fast`` mode."""
    starts = [morpheme.start for morpheme in analysed] if analysed is not None else []
    for candidate in candidates:
        if analysed is None:
            candidate.reading = UNREAD
        else:
            candidate.reading = reading(analysed, starts, candidate.start, candidate.end)
        points = lexicon.points[candidate.kind]
        candidate.score = points["base"] + points.get(f"reading.{candidate.reading}", 0.0)
        for name in candidate.evidence:
            if name != "owner" or (
                candidate.reading in _NAME_LIKE and "place_ending" not in candidate.evidence
            ):
                candidate.score += points.get(name, 0.0)


def support(text: str, candidates: Sequence[Candidate], lexicon: NameLexicon) -> None:
    """Adds what certain names of the same text say for the others, as evidence and points."""
    certain = [c for c in candidates if c.score >= lexicon.thresholds["certain"]]
    if not certain:
        return
    surfaces = Counter(c.surface for c in certain)
    given = {c.surface[-2:] for c in certain if c.kind in ("full3", "full4") and len(c.surface) > 2}
    starts = {c.start for c in certain}
    ends = {c.end: c for c in certain}
    ends.update({c.word_end: c for c in certain})
    columns = _columns(text, certain, candidates)
    for candidate in candidates:
        found: list[str] = []
        if surfaces[candidate.surface] > (candidate.score >= lexicon.thresholds["certain"]):
            if candidate.kind != "bare":
                found.append("known")
        elif candidate.kind == "two" and candidate.surface in given:
            found.append("known_given")
        if candidate.before in _VALUE_EDGES and _beside(text, candidate, starts, ends):
            found.append("beside")
        if candidate.start in columns:
            found.append("column")
        points = lexicon.points[candidate.kind]
        for name in found:
            candidate.score += points.get(name, 0.0)
        candidate.evidence += found


def _beside(text: str, candidate: Candidate, starts: set[int], ends: dict[int, Candidate]) -> bool:
    """Tells whether a certain name stands next to the candidate with nothing but separators between."""
    back = candidate.start
    while back > 0 and candidate.start - back < 4 and not text[back - 1].isalnum():
        back -= 1
        if back in ends:
            return _BETWEEN.fullmatch(text, back, candidate.start) is not None
    forward = candidate.end
    while forward < len(text) and forward - candidate.end < 4 and not text[forward].isalnum():
        forward += 1
        if forward in starts:
            return _BETWEEN.fullmatch(text, candidate.end, forward) is not None
    return False


def _columns(text: str, certain: Sequence[Candidate], candidates: Sequence[Candidate]) -> set[int]:
    """Returns starts of candidates whose cell stands in a column with at least two certain names."""
    cells: dict[int, tuple[str, int]] = {}
    offset = 0
    bounds = [c.start for c in candidates]
    for line in text.splitlines(keepends=True):
        low, high = bisect_left(bounds, offset), bisect_left(bounds, offset + len(line))
        if low < high and len(line) <= _LONGEST_ROW:
            delimiter = max(_DELIMITERS, key=line.count)
            if line.count(delimiter) >= 2:
                for candidate in candidates[low:high]:
                    if candidate.before in _VALUE_EDGES and candidate.after in _VALUE_EDGES:
                        column = text.count(delimiter, offset, candidate.start)
                        cells[candidate.start] = (delimiter, column)
        offset += len(line)
    named = Counter(cells[start] for start in {c.start for c in certain} if start in cells)
    return {start for start, cell in cells.items() if named[cell] >= 2}


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


def fields(text: str, read: Sequence[Morpheme] | None, lexicon: NameLexicon) -> Iterator[Shape]:
    """Gives the values of fields that ask for a name outright (이름: 이윤)."""
    if not _MENTIONED.search(text):
        return
    for match in _asked()[0].finditer(text):
        label, said, name, copula, closing = match.groups()
        if not copula and (closing is None or said is not None):
            continue
        plain = label.lower() in _OPEN_LABELS
        if plain and not _of_a_person(text, match.start(), match.end(), label, lexicon):
            continue
        spoken = said is not None or _SET.search(text, match.end(1), match.start(3)) is None
        if spoken and not lexicon.full_name_like(name):
            continue
        if _answers(name, match.start(3), not plain and not spoken, read, lexicon):
            yield Shape(match.start(3), match.end(3), "label", 0.75, label.replace(" ", ""))


def columns(text: str, read: Sequence[Morpheme] | None, lexicon: NameLexicon) -> Iterator[Shape]:
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
                yield from _column(held, sure, read, lexicon)
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


def _column(
    cells: Sequence[tuple[int, str]], sure: bool, read: Sequence[Morpheme] | None, lexicon: NameLexicon
) -> Iterator[Shape]:
    if not sure:
        alike = sum(lexicon.full_name_like(cell.replace(" ", "").rstrip(_CAPITALS)) for _, cell in cells)
        if alike * 2 <= len(cells):
            return
    for start, cell in cells:
        if _CELL.fullmatch(cell) and _answers(cell, start, True, read, lexicon):
            yield Shape(start, start + len(cell), "label", 0.75)


def _answers(
    name: str, start: int, sure: bool, read: Sequence[Morpheme] | None, lexicon: NameLexicon
) -> bool:
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
        return sure and len(compact) == 2
    if len(compact) == 2:
        return compact[0] in lexicon.surnames or lexicon.given_like(compact)
    if read is None:
        return False
    index = bisect_left(read, start, key=lambda morpheme: morpheme.start)
    whole = index < len(read) and read[index].start == start and read[index].end >= start + len(compact)
    return whole and (read[index].tag == "NNP" or (read[index].unknown and sure))


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


def confidence(points: float) -> float:
    """Returns points as a probability, two decimals."""
    return round(1.0 / (1.0 + math.exp(-max(-20.0, min(20.0, points)))), 2)
