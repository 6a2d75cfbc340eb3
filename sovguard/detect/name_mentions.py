"""Other mentions of people whose names are known: the full name again, the given name alone, part of a foreign name.

A name that was told from its surroundings once stands elsewhere without them (길동이는, 길동아). What a mention needs depends
on the form: a full name only has to stand as a word; a given name that is also a word (하늘, 보라) needs something beside it
that only people have: a title, 씨, the 이 of 하늘이가, a call, 에게.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sovguard.detect.name_lexicon import NameLexicon, closed, tail_of

_HANGUL = re.compile("[가-힣]+")
_WORD = re.compile("[가-힣]+|[A-Za-z]+")
_NEXT = re.compile(" ([가-힣]{1,24})")
_PARTS = re.compile("[가-힣]{2,}|[A-Z][a-zA-Z'-]{2,}")
_LONGEST, _LONGEST_TAIL = 40, 24
_TO_PEOPLE = ("에게", "한테", "께", "아", "야", "랑", "이랑")
_FEW = 16
"""Forms up to which each is searched for; of more, each word of the text is looked up."""


class Form(NamedTuple):
    """One way a known person may be mentioned.

    Attributes:
        name: The name it comes from.
        whole: Whether it is the whole name, which needs less beside it.
    """

    name: str
    whole: bool


class Mention(NamedTuple):
    """A further mention, and the name it is a form of."""

    start: int
    end: int
    name: str


class Forms:
    """The forms in which some people may be mentioned; grows person by person."""

    __slots__ = ("_lexicon", "sizes", "words")

    def __init__(self, names: Iterable[str], lexicon: NameLexicon) -> None:
        self._lexicon = lexicon
        self.words: dict[str, Form] = {}
        self.sizes: list[int] = []
        for name in names:
            self.add(name)

    def __len__(self) -> int:
        return len(self.words)

    def add(self, name: str) -> None:
        """Adds a person; a whole name goes before a part of another."""
        lexicon = self._lexicon
        if not 2 <= len(name) <= _LONGEST or name in lexicon.titles or name in lexicon.labels:
            return
        self._put(name, Form(name, whole=len(name) > 2))
        for part in parts_of(name, lexicon):
            if part not in self.words and part not in lexicon.titles and part not in lexicon.labels:
                self._put(part, Form(name, whole=False))

    def _put(self, word: str, form: Form) -> None:
        self.words[word] = form
        if len(word) not in self.sizes:
            self.sizes = sorted([*self.sizes, len(word)], reverse=True)


def parts_of(name: str, lexicon: NameLexicon) -> list[str]:
    """Returns the parts of a name by which people are called: the given name, or the words of a foreign one."""
    surname = surname_of(name, lexicon)
    if surname:
        given = name[len(surname) :]
        return [given] if len(given) > 1 else []
    if " " in name:
        return [
            part for part in _PARTS.findall(name) if part != name and part.lower() not in lexicon.latin_words
        ]
    return []


def surname_of(name: str, lexicon: NameLexicon) -> str:
    """Returns the surname of a Korean full name of three or four syllables; empty for any other name."""
    if not _HANGUL.fullmatch(name):
        return ""
    if len(name) in (3, 4) and name[:2] in lexicon.surnames:
        return name[:2]
    known = name[0] in lexicon.surnames or name[0] in lexicon.rare_surnames
    return name[0] if len(name) == 3 and known else ""


def mentions(text: str, known: Forms, lexicon: NameLexicon) -> Iterator[Mention]:
    """Yields where ``text`` mentions people by one of the ``known`` forms, in order and without overlap."""
    if not known:
        return
    for word, start, end in _places(text, known):
        form = known.words[word]
        if _stands(text, start, end, word, form.whole, lexicon):
            yield Mention(start, end, form.name)


def _places(text: str, known: Forms) -> Iterator[tuple[str, int, int]]:
    """Yields where known forms stand, the leftmost and longest first, without overlap."""
    words, reach = known.words, 0
    if len(words) > _FEW:
        for match in _WORD.finditer(text):
            start = match.start()
            for size in known.sizes if start >= reach else ():
                word = text[start : start + size]
                if word in words:
                    reach = start + size
                    yield word, start, reach
                    break
        return
    places: list[tuple[int, int, str]] = []
    for word in list(words):  # others may be adding people
        at = text.find(word)
        while at >= 0:
            places.append((at, -len(word), word))
            at = text.find(word, at + 1)
    for start, size, word in sorted(places):
        if start >= reach:
            reach = start - size
            yield word, start, reach


def _stands(text: str, start: int, end: int, word: str, whole: bool, lexicon: NameLexicon) -> bool:
    before = text[start - 1] if start else " "
    if word[-1].isascii():
        after = text[end] if end < len(text) else " "
        return not (before.isascii() and (before.isalnum() or before in "@._-")) and not (
            after.isascii() and (after.isalnum() or after in "@_")
        )
    if "가" <= before <= "힣" or (before.isascii() and before.isalnum()):
        return False
    following = _HANGUL.match(text, end)
    rest = following.group() if following is not None else ""
    if len(rest) > _LONGEST_TAIL:
        return False
    tail = tail_of(rest, closed(word))
    if tail is None:
        return False
    if whole or (word not in lexicon.lookalikes and tail.kind != "none"):
        return True
    if tail.kind in ("infix", "title", "honorific") or rest.startswith(_TO_PEOPLE):
        return True
    next_word = _NEXT.match(text, end) if not rest else None
    if next_word is not None:
        found = tail_of(next_word.group(1), False) or tail_of(next_word.group(1), True)
        if found is not None and found.title:
            return True
    return word not in lexicon.lookalikes and len(word) > 1 and not rest
