"""Weighs what speaks for and against each candidate name.

Evidence is additive: every class of surroundings and every reading by Kiwi is worth so many points (log-odds)
in ``person.toml``, and a candidate's score is their sum. After a first weighing, names that are certain lend
support to others in the same text: the same name elsewhere, its given name alone, neighbours in a list or
column.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from sovguard.detect.morphology import Morpheme
from sovguard.detect.name_candidates import Candidate
from sovguard.detect.name_lexicon import NameLexicon

UNREAD = "unread"
"""The reading of a candidate in ``fast`` mode, where there are no morphemes."""

_NOUN_LIKE = frozenset({"NNG", "NNP", "NNB", "MM", "NR", "XPN", "XR", "SN", "XSN", "SH"})
_BETWEEN = re.compile(r"[ ,、·/|;\t\n&+()\[\]\"'-]{1,4}")
_DELIMITERS = ",\t|;"
_LONGEST_ROW = 2000
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


def confidence(points: float) -> float:
    """Returns points as a probability, two decimals."""
    return round(1.0 / (1.0 + math.exp(-max(-20.0, min(20.0, points)))), 2)
