"""Stretches of a text that could be a person's name, each with what stands around it.

First half of name detection: characters and word lists only, one pass over the words of the text. Nothing is
decided here; ``name_rules`` weighs the evidence. The cost is linear in the text: per word a fixed number of
look-ups.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sovguard.detect.name_lexicon import HONORIFICS, NameLexicon, Tail, closed, tail_of

_WORD = re.compile("[가-힣]+|[A-Za-z][A-Za-z_]*|[0-9]+")
_SIGNS = {
    **dict.fromkeys(",、", "comma"),
    **dict.fromkeys("·/|;\t&+→>~↔", "separator"),
    **dict.fromkeys("([{「『<《【\"'“‘*`_", "open"),
    **dict.fromkeys(")]}」』》】”’", "close"),
    **dict.fromkeys(".!?…;^", "stop"),
    ":": "colon",
    "=": "colon",
    "-": "dash",
    "@": "at",
    "#": "at",
}
_LONGEST_WORD = 24
_LINE_START = frozenset({"start", "number_start", "close"})
_CELL_START = frozenset({"start", "comma", "separator", "open"})
_CELL_END = frozenset({"end", "comma", "separator", "close"})
_PLACE_ENDINGS = frozenset("시도구군동읍면역로길리산강")
_TO_PERSON = ("에게", "에겐", "한테", "께", "랑", "이랑", "더러", "네")
_COPULA = (
    "입니",
    "이에요",
    "예요",
    "에요",
    "이예요",
    "이라고",
    "라고",
    "이요",
    "요",
    "인데",
    "이고",
    "이야",
    "이었",
    "였",
)
_NAMED = frozenset({"label", "label_space", "title"})
_TITLED = frozenset({"title", "honorific", "next_title", "next_honorific"})
_PERSONAL = _TITLED | {"colon"}
_VALUE_START = _CELL_START | {"label", "label_space", "colon", "number_start"}
_VALUE_END = _CELL_END | {"stop", "particle"}
# Who heads a place or an office: the two syllables before are its name (강남 지점장).
_PLACE_HEADS = frozenset(
    {
        "지점장",
        "지사장",
        "점장",
        "센터장",
        "지부장",
        "지회장",
        "법인장",
        "공장장",
        "구청장",
        "시장",
        "군수",
        "도지사",
        "지사",
        "읍장",
        "면장",
        "동장",
    }
)
_PHONE = re.compile("0[0-9]{1,2}[-. )]?[0-9]{3,4}[-. ]?[0-9]{4}(?![0-9])")


class Word(NamedTuple):
    """One run of Hangul, Latin letters or digits, with the gap before it."""

    text: str
    start: int
    end: int
    gap: str


@dataclass(slots=True)
class Candidate:
    """A stretch that could be a name.

    Attributes:
        kind: ``full3`` or ``full4`` (surname and given name, by length), ``two`` (two syllables: a given
            name, or a surname with a short one), ``bare`` (surname before a title) or ``other`` (any other
            word in a name's place).
        before: Class of what stands before it.
        after: Class of what stands after it.
        context: The label or title that spoke for it.
        evidence: Names of everything that counts for or against it.
        word_end: End of the Hangul run it begins.
        reading: How Kiwi reads it; set by ``name_rules``.
        score: Points, in log-odds; set by ``name_rules``.
    """

    start: int
    end: int
    kind: str
    surface: str
    before: str
    after: str
    context: str
    word_end: int
    evidence: list[str] = field(default_factory=list)
    reading: str = ""
    score: float = 0.0


def candidates(text: str, lexicon: NameLexicon) -> list[Candidate]:
    """Returns every stretch of ``text`` that could be a name written in Hangul, in order of appearance."""
    words: list[Word] = []
    last = 0
    for match in _WORD.finditer(text):
        words.append(Word(match.group(), match.start(), match.end(), text[last : match.start()]))
        last = match.end()
    found: list[Candidate] = []
    for index, word in enumerate(words):
        if word.text[0] >= "가":
            found += _of_word(words, index, text, lexicon)
    return found


def _of_word(words: list[Word], index: int, text: str, lexicon: NameLexicon) -> Iterator[Candidate]:
    word = words[index]
    form = word.text[:_LONGEST_WORD]
    length = len(form)
    two = length > 1 and form[:2] in lexicon.surnames
    rare = form[0] not in lexicon.surnames and form[0] in lexicon.rare_surnames
    one = rare or form[0] in lexicon.surnames
    before: tuple[str, str] | None = None
    for size in (4, 3, 2, 1):
        if size > length:
            continue
        surface = form[:size]
        kinds = _kinds(size, two, one)
        if not kinds:
            continue
        tail = tail_of(form[size:], closed(surface))
        if tail is None or (size > 1 and (surface in lexicon.titles or surface in lexicon.labels)):
            continue
        before = before or before_of(words, index, lexicon)
        after, title = _after(words, index, tail, text, lexicon)
        for kind in kinds:
            odd = _odd(surface, kind, two, lexicon)
            if not _plausible(kind, odd, before[0], after, title):
                continue
            candidate = Candidate(
                word.start,
                word.start + size,
                kind,
                surface,
                before[0],
                after,
                title or before[1],
                word.end,
            )
            evidence = candidate.evidence
            evidence += _surroundings(candidate, tail, form[size:])
            if rare and kind != "other" and not (two and size > 2):
                evidence.append("rare_surname")
            elif kind == "two" and one:
                evidence.append("surname")
            if odd:
                evidence.append(odd)
            if tail.title and text.startswith("님", word.start + size + len(tail.title)):
                evidence.append("courtesy")
            if kind == "bare" and surface in lexicon.modifiers:
                evidence.append("modifier" if after.startswith("next") else "modifier_joined")
            if (
                kind == "full3"
                and not rare
                and tail.kind in ("none", "particle")
                and _owns(words, index, form[size:], text, lexicon)
            ):
                evidence.append("owner")
            if (
                size > 1
                and surface[-1] in _PLACE_ENDINGS
                and not (size == 3 and one and surface[1:] in lexicon.given_place_like)
                and not _person_like(candidate)
            ):
                evidence.append("place_ending")
            if after == "next_title" and kind == "two" and title in _PLACE_HEADS:
                evidence.append("place_head")
            if surface in lexicon.placeholders and before[0] in _VALUE_START and after in _VALUE_END:
                evidence.append("placeholder")
            if surface in lexicon.lookalikes:
                evidence.append("lookalike")
            yield candidate


def _plausible(kind: str, odd: str, before: str, after: str, title: str) -> bool:
    """Tells whether a candidate is worth weighing; what fails here has no chance, and most words do."""
    if kind == "bare":
        return after in _TITLED and title != "본인"
    if kind != "other" and odd != "odd_syllables":
        return True
    if before in _NAMED or after in _PERSONAL:
        return True
    return kind == "full3" and before in _CELL_START and after in _CELL_END


def _person_like(candidate: Candidate) -> bool:
    return (
        candidate.after in _PERSONAL
        or candidate.before in _NAMED
        or not {"introduced", "particle.person", "particle.vocative"}.isdisjoint(candidate.evidence)
    )


def _owns(words: list[Word], index: int, ending: str, text: str, lexicon: NameLexicon) -> bool:
    """Tells whether something a person has is named next: 홍길동 번호, 홍길동의 연락처, 홍길동 010-…."""
    following = words[index + 1] if index + 1 < len(words) else None
    if following is None or following.gap != " " or ending not in ("", "의"):
        return False
    return lexicon.belonging(following.text) or _PHONE.match(text, following.start) is not None


def _surroundings(candidate: Candidate, tail: Tail, ending: str) -> Iterator[str]:
    before, after = candidate.before, candidate.after
    yield f"before.{before}"
    yield f"after.{after}"
    if before in _LINE_START and after == "colon":
        yield "speaker"
    if before in _CELL_START and after in _CELL_END:
        yield "cell"
    if candidate.kind == "bare":
        yield f"title.{candidate.context}" if candidate.context in ("씨", "님") else "title.rank"
    if tail.kind == "particle":
        said = particle_class(ending)
        yield f"particle.{said}"
        if before == "introducer" and said == "copula":
            yield "introduced"


def _kinds(size: int, two: bool, one: bool) -> tuple[str, ...]:
    if size == 4:
        return ("full4",) if two else ("other",)
    if size == 3:
        return ("full3",) if one or two else ("other",)
    if size == 2:
        return ("bare", "two") if two else ("two",)
    return ("bare",) if one else ()


def _odd(surface: str, kind: str, two: bool, lexicon: NameLexicon) -> str:
    """Returns how a name's syllables are unlike those of given names; an empty string where they are not."""
    if kind == "full3" and not lexicon.given_like(surface[2:] if two else surface[1:]):
        return "odd_syllables"
    if kind == "two" and not lexicon.given_like(surface):
        return "odd_syllables" if surface[1] not in lexicon.given_last else "odd_first"
    return ""


def particle_class(form: str) -> str:
    """Returns what a particle says about its word: people are given to and called, things are not."""
    if form.startswith(_TO_PERSON):
        return "person"
    if form in ("아", "야"):
        return "vocative"
    if form.startswith(_COPULA):
        return "copula"
    if form[0] in "에로" or form.startswith("으로"):
        return "place"
    return "case" if len(form) == 1 else "other"


def before_of(words: list[Word], index: int, lexicon: NameLexicon) -> tuple[str, str]:
    """Returns the class of what stands before a word, and the label or title if that is what it is."""
    gap = words[index].gap
    if index == 0 or "\n" in gap:
        return ("start", "") if gap.rpartition("\n")[2].strip(' \t-*·>"') == "" else _sign(gap)
    word = words[index - 1].text
    core = gap.strip(" ")
    if not core:
        if word[0].isdigit():
            # "1 홍길동" at the start of a line is a numbered list.
            first = index == 1 or "\n" in words[index - 1].gap
            return ("number_start" if first else "number"), ""
        if not gap:
            return "glued", ""
        if label := lexicon.label(word):
            return "label_space", label
        if title := lexicon.title_before(word):
            return "title", title
        return ("introducer" if word in lexicon.introducers else "word"), ""
    if word[0].isdigit() and core[0] in ".)" and (index == 1 or "\n" in words[index - 1].gap):
        return "number_start", ""
    if len(core) <= 4 and "," not in core and "." not in core:
        label = lexicon.label(word)
        if label and core[-1] != ")":
            return "label", label
        if core in (":", "(", ':"', "=") and (title := lexicon.title_before(word)):
            return "title", title
    return _sign(gap)


def _sign(gap: str) -> tuple[str, str]:
    core = gap.strip(" ")
    return _SIGNS.get(core[-1], "mark") if core else "start", ""


def _after(words: list[Word], index: int, tail: Tail, text: str, lexicon: NameLexicon) -> tuple[str, str]:
    """Returns the class of what follows a name, and the title if one follows."""
    word = words[index]
    if tail.kind != "none":
        return tail.kind, tail.title
    following = words[index + 1] if index + 1 < len(words) else None
    gap = following.gap if following else text[word.end : word.end + 3]
    if following and not gap:
        return "glued", ""
    if gap == " " and following:
        if following.text[0] >= "가":
            found = tail_of(following.text[:_LONGEST_WORD], False) or tail_of(
                following.text[:_LONGEST_WORD], True
            )
            if found and found.title:
                return ("next_honorific" if found.title in HONORIFICS else "next_title"), found.title
            return "word", ""
        return ("number" if following.text[0].isdigit() else "latin"), ""
    core = gap.strip(" ")
    if not core or gap[0] == "\n":
        return "end", ""
    return _SIGNS.get(core[0], "end" if core[0] == "\n" else "mark"), ""
