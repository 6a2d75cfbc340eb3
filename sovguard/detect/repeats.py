"""A value found once is found everywhere in its text, and so are numbers of the same form as a labelled one.

A label stands beside the first mention only: the number that was 고객번호 C-2209 in one line is as personal in the next, and
a list headed 수험번호 labels its first entry. Within a text, names have their own propagation; among the texts of one request
(a system prompt, the turns of a conversation) names are carried as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from sovguard.detect.literals import Literals
from sovguard.detect.name_lexicon import load
from sovguard.detect.name_mentions import Forms, mentions
from sovguard.entities import Detection, Evidence

_SHORTEST = 6
_REPEATED = "repeats a value found in this text"
_CARRIED = "repeats a value found in this request"
_SURE = 0.6
_HANGUL_NAME = re.compile("[가-힣]{3,5}")
_ALIKE = "same form as a labelled one"
_SCORE = 0.6
_FEW = 8
_MOST_FORMS = 16  # a text with more labels each of its numbers


def repeated(text: str, hits: Sequence[Detection]) -> list[Detection]:
    """Returns detections for further mentions of the values in ``hits``; overlaps are left to ``resolve``."""
    values: dict[str, Detection] = {}
    forms: dict[str, Detection] = {}
    few = len(hits) <= _FEW
    for hit in hits:
        if hit.end - hit.start < _SHORTEST or hit.entity_type == "PERSON":
            continue
        value = text[hit.start : hit.end]
        # Counting is cheaper than an automaton for few values, and most of them stand once.
        if not value.isalpha() and not (few and text.count(value) == 1):
            values.setdefault(value, hit)
        if (
            hit.entity_type == "ID_NUMBER"
            and hit.evidence.context is not None
            and _has_form(value)
            and len(forms) < _MOST_FORMS
        ):
            forms.setdefault(_form(value), hit)
    found: list[Detection] = []
    if values:
        found += _mentions(text, list(values.values()), Literals(list(values)))
    if forms:
        firsts = list(forms.values())
        for match in _expression(tuple(forms)).finditer(text):
            which = match.lastindex or 1
            found.append(_again(firsts[which - 1], match.start(), match.end(which), _ALIKE))
    return found


def carried(
    texts: Sequence[str], found: Sequence[list[Detection]], known: Forms | None = None
) -> list[list[Detection]]:
    """Returns ``found`` with what is known from one of ``texts`` found in all of them, none overlapping another.

    Args:
        texts: The texts of one request.
        found: The detections in each.
        known: The forms in which people known from before may be mentioned.
    """
    values: dict[str, Detection] = {}
    names: dict[str, None] = {}
    for text, hits in zip(texts, found, strict=True):
        for hit in hits:
            value = text[hit.start : hit.end]
            if hit.entity_type == "PERSON":
                if hit.score >= _SURE and _is_telling_name(value):
                    names[value] = None
            elif len(value) >= _SHORTEST and not value.isalpha():
                values.setdefault(value, hit)
    literals = Literals(list(values), often=len(values) > _FEW) if values else None
    told = Forms(names, load()) if names and len(texts) > 1 else None
    if literals is None and not known and not told:
        return list(found)
    firsts = list(values.values())
    together: list[list[Detection]] = []
    for text, hits in zip(texts, found, strict=True):
        taken = bytearray(len(text))
        for hit in hits:
            taken[hit.start : hit.end] = b"\x01" * (hit.end - hit.start)
        more = [
            _again(firsts[which], start, end, _CARRIED)
            for which, start, end in (literals.matches(text) if literals else ())
            if not any(taken[start:end]) and _stands_alone(text, start, end)
        ]
        for forms_of in (told, known):
            for start, end, _ in mentions(text, forms_of, load()) if forms_of else ():
                if not any(taken[start:end]):
                    taken[start:end] = b"\x01" * (end - start)
                    more.append(Detection("PERSON", start, end, _SCORE, "person", Evidence(_CARRIED)))
        together.append(sorted([*hits, *more], key=lambda hit: hit.start) if more else hits)
    return together


def _is_telling_name(name: str) -> bool:
    """Whether a name says by itself, without what stood around it, whom it means."""
    return _HANGUL_NAME.fullmatch(name) is not None or (len(name) > _SHORTEST and " " in name)


def _mentions(text: str, hits: Sequence[Detection], literals: Literals) -> list[Detection]:
    firsts = {(hit.start, hit.end) for hit in hits}
    return [
        _again(hits[which], start, end, _REPEATED)
        for which, start, end in literals.matches(text)
        if (start, end) not in firsts and _stands_alone(text, start, end)
    ]


def _again(hit: Detection, start: int, end: int, why: str) -> Detection:
    return Detection(hit.entity_type, start, end, _SCORE, hit.recognizer, Evidence(why))


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if "가" <= text[start] <= "힣" and "가" <= before <= "힣":
        return False
    return not (before.isascii() and before.isalnum()) and not (after.isascii() and after.isalnum())


def _has_form(value: str) -> bool:
    """Whether a number has letters or hyphens that tell its kind from any other number."""
    return value.isascii() and not value.isdigit() and " " not in value


def _form(value: str) -> str:
    """Returns the form of a number: digits and later letters open, the first letters and marks fixed."""
    first = re.match("[A-Za-z]*", value)
    fixed = first.end() if first is not None else 0
    opened = re.sub(
        "[A-Za-z]", "[A-Z]", re.sub("[0-9]", "@", re.sub(r"[^0-9A-Za-z]", r"\\\g<0>", value[fixed:]))
    )
    return value[:fixed] + opened.replace("@", "[0-9]")


@lru_cache(maxsize=512)
def _expression(forms: tuple[str, ...]) -> re.Pattern[str]:
    """Returns an expression for any of ``forms``, in one pass; the group that matched says which, and where it ends."""
    any_of = "|".join(f"({form})(?![0-9A-Za-z]|-[0-9A-Za-z])" for form in forms)
    # The set in front lets the search skip all else; what follows looks back at what it took.
    return re.compile(f"[0-9A-Za-z](?<![0-9A-Za-z].)(?<![0-9A-Za-z]-.)(?<=(?={any_of}).)")
