"""Who is meant: which mentions in a request are of one person, so that their surrogates can share a number.

Between detection and redaction. Every PERSON detection gets a key; mentions with one key are one person. A full name is its
own key. A given name, a surname with a title or a part of a foreign name gets the key of a full name only if no other comes
into question: two people whom a model takes for one are worse than one whom it takes for two. Keys hold names and are never
shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sovguard.detect.name_evidence import title_beside
from sovguard.detect.name_lexicon import HONORIFICS, NameLexicon, load
from sovguard.detect.name_mentions import Forms, parts_of, surname_of
from sovguard.entities import Detection

_SURNAME = re.compile("[가-힣]{1,2}")
_SPREAD = re.compile("[가-힣]{1,2}(?: +[가-힣]){1,3}")
_ANONYMOUS = "모"
_ANONYMOUS_AFTER = re.compile(" ?모(?:[ (]|씨|군|양)")
_MASKED = re.compile("[*○●◯〇□OX]")


@dataclass(frozen=True, slots=True, repr=False)
class _Mention:
    name: str
    title: str


class People:
    """The people told by full names, by the short forms they could be called; grows, and forgets nobody.

    Made once for a session and once for each request, which looks into its session's.

    Args:
        before: Who was known before; looked into, never changed.

    Attributes:
        forms: The forms in which those told by full names may be mentioned.
    """

    def __init__(self, before: People | None = None) -> None:
        self._before = before
        self._lexicon: NameLexicon = load() if before is None else before._lexicon
        self._keys: set[str] = set()
        self._by_part: dict[str, list[str]] = {}
        self._by_surname: dict[str, list[str]] = {}
        self.forms = Forms((), self._lexicon)

    def __repr__(self) -> str:
        return f"People({len(self._keys)})"

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, names: Iterable[str]) -> None:
        """Adds people, or forms with a number of their own, that are not known yet."""
        for name in names:
            if name in self:
                continue
            self._keys.add(name)
            if not is_whole(name, self._lexicon):
                continue
            self.forms.add(name)
            for part in dict.fromkeys(parts_of(name, self._lexicon)):
                self._by_part.setdefault(part, []).append(name)
            if surname := surname_of(name, self._lexicon):
                self._by_surname.setdefault(surname, []).append(name)

    def __contains__(self, name: str) -> bool:
        return name in self._keys or (self._before is not None and name in self._before)

    def called(self, part: str) -> list[str]:
        """Returns the people who could be called by a given name or a part of a foreign one."""
        return [*(self._before.called(part) if self._before else ()), *self._by_part.get(part, ())]

    def surnamed(self, surname: str) -> list[str]:
        """Returns the people of a surname."""
        return [*(self._before.surnamed(surname) if self._before else ()), *self._by_surname.get(surname, ())]


def is_whole(name: str, lexicon: NameLexicon) -> bool:
    """Tells whether a name is one that says by itself who is meant: surname and given name, or several words."""
    if _MASKED.search(name):
        return False
    return bool(surname_of(name, lexicon)) or (" " in name and bool(parts_of(name, lexicon)))


def keys(
    texts: Sequence[str], found: Sequence[Sequence[Detection]], before: People | None = None
) -> list[list[str]]:
    """Returns a key for each detection: one for all mentions of a person, empty for what is no person.

    Args:
        texts: The texts of one request.
        found: The detections in each.
        before: Who was known before the request.
    """
    lexicon = load()
    before = People() if before is None else before
    mentions = [list(_mentions(text, hits, lexicon)) for text, hits in zip(texts, found, strict=True)]
    told = [(_compact(m.name), m.title) for each in mentions for m in each if m is not None]
    people = People(before)
    people.add(name for name, _ in told if is_whole(name, lexicon))
    ranks: dict[str, set[str]] = {}
    for name, title in told:
        if title and title not in HONORIFICS and name in people:
            ranks.setdefault(name, set()).add(title)
    return [["" if m is None else _key(m, before, people, ranks, lexicon) for m in each] for each in mentions]


def _key(
    mention: _Mention, before: People, people: People, ranks: dict[str, set[str]], lexicon: NameLexicon
) -> str:
    name = _compact(mention.name)
    if is_whole(name, lexicon):
        return name
    if (
        _SURNAME.fullmatch(name)
        and mention.title
        and (name in lexicon.surnames or name in lexicon.rare_surnames)
    ):
        return _key_of_surname(name, mention.title, before, people, ranks)
    meant = people.called(name)
    # A form that had a number of its own keeps it, so that its surrogate stays the same.
    return meant[0] if len(meant) == 1 and name not in before else name


def _key_of_surname(
    surname: str, title: str, before: People, people: People, ranks: dict[str, set[str]]
) -> str:
    own = f"{surname} {'씨' if title == _ANONYMOUS else title}"
    if own in before or title == _ANONYMOUS:
        return own
    meant = people.surnamed(surname)
    if title not in HONORIFICS:
        meant = [name for name in meant if title in ranks.get(name, ())]
    return meant[0] if len(meant) == 1 else own


def _compact(name: str) -> str:
    """Returns 홍 길 동 as 홍길동; the words of other names stay apart."""
    return name.replace(" ", "") if _SPREAD.fullmatch(name) else name


def _mentions(text: str, hits: Sequence[Detection], lexicon: NameLexicon) -> Iterator[_Mention | None]:
    for hit in hits:
        if hit.entity_type == "PERSON":
            yield _Mention(text[hit.start : hit.end], _title(text, hit.start, hit.end, lexicon))
        else:
            yield None


def _title(text: str, start: int, end: int, lexicon: NameLexicon) -> str:
    """Returns the title, honorific or 모 that stands with a name, or an empty string."""
    if _ANONYMOUS_AFTER.match(text, end):
        return _ANONYMOUS
    title = title_beside(text, start, end, lexicon)
    return title.removesuffix("님") or title
