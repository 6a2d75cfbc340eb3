"""Who is meant: which mentions in a request are of one person, so that their surrogates can share a number.

Between detection and redaction. Every PERSON detection gets a key; mentions with one key are one person. A full name is its
own key. A given name, a surname with a title or a part of a foreign name gets the key of a full name only if no other comes
into question: two people whom a model takes for one are worse than one whom it takes for two. Keys hold names and are never
shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sovguard.detect.name_evidence import title_beside
from sovguard.detect.name_lexicon import HONORIFICS, NameLexicon, load
from sovguard.detect.name_mentions import parts_of, surname_of
from sovguard.entities import Detection

_SURNAME = re.compile("[가-힣]{1,2}")
_ANONYMOUS = "모"
_ANONYMOUS_AFTER = re.compile(" ?모(?:[ (]|씨|군|양)")
_MASKED = re.compile("[*○●◯〇□OX]")


@dataclass(slots=True, repr=False)
class _Person:
    """A person told by a full name: the titles it was mentioned with, ranks and honorifics apart."""

    key: str
    surname: str
    ranks: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, repr=False)
class _Mention:
    name: str
    title: str


def keys(
    texts: Sequence[str], found: Sequence[Sequence[Detection]], known: Iterable[str] = ()
) -> list[list[str]]:
    """Returns a key for each detection: one for all mentions of a person, empty for what is no person.

    Args:
        texts: The texts of one request.
        found: The detections in each.
        known: Keys that earlier requests of the session were given.
    """
    lexicon = load()
    mentions = [list(_mentions(text, hits, lexicon)) for text, hits in zip(texts, found, strict=True)]
    used = dict.fromkeys(known)
    people = _People(used, [m for each in mentions for m in each if m is not None], lexicon)
    return [["" if m is None else people.key_of(m) for m in each] for each in mentions]


class _People:
    """The people told by full names in a request or before, by the short forms they could be called."""

    def __init__(self, used: Iterable[str], mentions: Iterable[_Mention], lexicon: NameLexicon) -> None:
        self._lexicon = lexicon
        self._used = frozenset(used)
        self._heads: dict[str, _Person] = {}
        self._by_part: dict[str, list[_Person]] = {}
        self._by_surname: dict[str, list[_Person]] = {}
        for key in self._used:
            self._add(key)
        for mention in mentions:
            person = self._add(_compact(mention.name))
            if person is not None and mention.title and mention.title not in HONORIFICS:
                person.ranks.add(mention.title)

    def key_of(self, mention: _Mention) -> str:
        """Returns the key of a mention."""
        name = _compact(mention.name)
        if name in self._heads:
            return name
        if _SURNAME.fullmatch(name) and mention.title and self._is_surname(name):
            return self._key_of_surname(name, mention.title)
        meant = self._by_part.get(name, ())
        # A form that had a number of its own keeps it, so that its surrogate stays the same.
        return meant[0].key if len(meant) == 1 and name not in self._used else name

    def _key_of_surname(self, surname: str, title: str) -> str:
        own = f"{surname} {'씨' if title == _ANONYMOUS else title}"
        candidates = self._by_surname.get(surname, [])
        if own in self._used:
            return own
        if title in HONORIFICS or title == _ANONYMOUS:
            return candidates[0].key if len(candidates) == 1 and title != _ANONYMOUS else own
        ranked = [person for person in candidates if title in person.ranks]
        return ranked[0].key if len(ranked) == 1 else own

    def _is_surname(self, name: str) -> bool:
        return name in self._lexicon.surnames or name in self._lexicon.rare_surnames

    def _add(self, name: str) -> _Person | None:
        if name in self._heads:
            return self._heads[name]
        surname = surname_of(name, self._lexicon)
        parts = [] if _MASKED.search(name) else parts_of(name, self._lexicon)
        if not surname and (" " not in name or not parts):
            return None
        person = self._heads[name] = _Person(name, surname)
        for part in dict.fromkeys(parts):
            self._by_part.setdefault(part, []).append(person)
        if surname:
            self._by_surname.setdefault(surname, []).append(person)
        return person


def _compact(name: str) -> str:
    """Returns 홍 길 동 as 홍길동; the words of other names stay apart."""
    squeezed = name.replace(" ", "")
    syllables = re.fullmatch("[가-힣]{1,2}(?: +[가-힣]){1,3}", name)
    return squeezed if syllables else name


def _mentions(text: str, hits: Sequence[Detection], lexicon: NameLexicon) -> Iterator[_Mention | None]:
    for hit in hits:
        if hit.entity_type != "PERSON":
            yield None
            continue
        yield _Mention(text[hit.start : hit.end], _title(text, hit.start, hit.end, lexicon))


def _title(text: str, start: int, end: int, lexicon: NameLexicon) -> str:
    """Returns the title, honorific or 모 that stands with a name, or an empty string."""
    if _ANONYMOUS_AFTER.match(text, end):
        return _ANONYMOUS
    title = title_beside(text, start, end, lexicon)
    return title.removesuffix("님") or title
