"""Made-up names: built as the real one is, with the same hint of a gender, the parts of a name the same in every mention."""

from __future__ import annotations

import re
from itertools import product
from string import ascii_uppercase
from typing import Any

from sovguard.realistic.drawn import DATA, Ring

_DATA: dict[str, Any] = DATA["names"]
_HANGUL = re.compile("([가-힣]+(?: +[가-힣]+)*)")
_LATIN = re.compile("([A-Za-zÀ-ÖØ-öø-ɏ]+)")
_LONGEST = 4
"""Syllables of a Korean name at most."""


def _pairs(first: str, last: str) -> list[str]:
    return [one + other for one, other in product(first, last) if one != other]


WORDS = {
    "surname": _DATA["surnames"],
    "long surname": _DATA["long_surnames"],
    "woman": _pairs(_DATA["first_of_women"], _DATA["female"]),
    "man": _pairs(_DATA["first_of_men"], _DATA["male"]),
    "either": _pairs(_DATA["first_of_either"], _DATA["neutral"]),
    "syllable": sorted({*_DATA["single"], *_DATA["female"], *_DATA["male"], *_DATA["neutral"]}),
    "foreign": _DATA["foreign"],
    "latin surname": _DATA["latin_surnames"],
    "western surname": _DATA["western_surnames"],
    "latin syllable": _DATA["latin_syllables"],
    "latin given": [
        one + other.lower() for one, other in product(_DATA["latin_syllables"], repeat=2) if one != other
    ],
    "western given": _DATA["western_given"],
    "initial": ascii_uppercase,
}
_FOREIGN = frozenset(WORDS["foreign"])
_LONG = frozenset(WORDS["long surname"])
_LATIN_KINDS = {
    kind: frozenset(WORDS[kind])
    for kind in ("latin surname", "western surname", "western given", "latin given", "latin syllable")
}


class MadeUpNames:
    """Makes names up.

    Two that are built of common syllables never become one: such are mapped one to one. Others may meet them.

    Args:
        key: 32 octets.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._rings: dict[str, Ring] = {}

    def __repr__(self) -> str:
        return "MadeUpNames()"

    def __reduce__(self) -> tuple[type[MadeUpNames], tuple[bytes]]:
        return MadeUpNames, (self._key,)

    def made(self, name: str) -> str:
        """Return a name in the place of one; signs and digits in it stay."""
        parts = _HANGUL.split(name)
        parts[1::2] = map(self._hangul, parts[1::2])
        return "".join(part if place % 2 else self._latin(part) for place, part in enumerate(parts))

    def _hangul(self, name: str) -> str:
        words = name.split()
        spread = "".join(words)
        if len(spread) > _LONGEST or all(word in _FOREIGN for word in words):
            return " ".join(self._made("foreign", word) for word in words)
        surname = surname_of(spread)
        given = spread[len(surname) :]
        if not surname:
            return "".join(self._given(spread[at : at + 2]) for at in range(0, len(spread), 2))
        if len(surname) > 1:
            return self._made("long surname", surname) + (self._given(given) if given else "")
        made, new = self._made("surname", surname), self._given(given) if given else ""
        while made + new[:1] in _LONG:  # 선 and 우진 would be read as 선우 and 진, which another name becomes
            made, new = self._made("surname", made), self._given(new)
        return made + new

    def _given(self, given: str) -> str:
        if len(given) == 1:
            return self._made("syllable", given)
        female, male = given[-1] in _DATA["female"], given[-1] in _DATA["male"]
        return self._made("woman" if female else "man" if male else "either", given)

    def _latin(self, name: str) -> str:
        parts = _LATIN.split(name)
        kinds = [_kind(word.title()) for word in parts[1::2]]
        has_surname = any("surname" in kind for kind in kinds)
        for place, kind in enumerate(kinds):
            word = parts[2 * place + 1]
            if not kind:
                kind = (
                    "initial"
                    if len(word) == 1
                    else "latin given"
                    if has_surname or not place
                    else "latin surname"
                )
            new = self._made(kind, word.title())
            parts[2 * place + 1] = new.upper() if word.isupper() else new.lower() if word.islower() else new
        return "".join(parts)

    def _made(self, kind: str, word: str) -> str:
        ring = self._rings.get(kind)
        if ring is None:
            ring = self._rings[kind] = Ring(self._key, kind, WORDS[kind])
        return ring.made(word)


def _kind(word: str) -> str:
    return next((kind for kind, words in _LATIN_KINDS.items() if word in words), "")


def surname_of(name: str) -> str:
    """Return the surname of a name; nothing for a given name alone, and for one that is built otherwise."""
    long = next((each for each in _DATA["long_surnames"] if name.startswith(each)), "")
    if long and len(name) <= _LONGEST:
        return long
    if len(name) == 3:
        return name[0]
    alone = len(name) == 1 or (len(name) == 2 and name[1] in _DATA["one_syllable"])
    return name[0] if alone and name[0] in _DATA["common_surnames"] else ""
