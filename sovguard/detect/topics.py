"""Sensitive topics (민감정보, PIPA Art. 23 and Decree Art. 18): whether a text is about health, a union, a conviction.

Topics are no values to swap: a policy warns, reroutes or blocks by them. They are found by the words of
``recognizers/topics.toml`` alone, without Kiwi, so that they are there with ``names="off"`` as well. What a word list cannot
know is missed (docs/topics.md says how much); no policy may take silence for proof.

Korean glues particles, endings and other words to a word. The rule here: Hangul of three syllables and more may stand
anywhere, since so many syllables seldom meet by chance, and the lists of false friends take care of the rest. A shorter word
must begin a word, or follow a listed prefix or a particle, and only listed suffixes, particles and endings may follow it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

from sovguard.detect.definition_parser import parse
from sovguard.detect.literals import Literals
from sovguard.errors import RecognizerDefinitionError
from sovguard.text import View, normalized_view

FILE = "topics.toml"
STRONG, WEAK = "strong", "weak"
REACH = 80
"""How many characters away what makes a weak word count may be: about two clauses."""
_NAME, _NOT, _PERSON = "name", "not", "person"
_SETTINGS = frozenset({"kind", "tails", "person"})
_LISTS = frozenset({STRONG, WEAK, "names", _NOT, "before", "after"})

# A short word may also follow a particle that closes a word before it: 제가당뇨라서. One syllable before the particle is
# asked for, and only the particles that few nouns end with are taken.
_GLUED = "[가-힣](?:에서|에게|한테|께서|으로|[가는은를을의])"
_LEFT = 8
"""How many characters before a word are looked at."""
_HANGUL_OPEN = 3


@dataclass(frozen=True, slots=True)
class TopicHit:
    """One word that says what a text is about; the text itself is not in it.

    Attributes:
        topic: The topic (``health``, ``union`` …).
        start: Where the word begins in the original text.
        end: Where it ends.
        word_class: ``strong`` if it counts alone, ``weak`` if something nearby made it count.
    """

    topic: str
    start: int
    end: int
    word_class: str


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the lists: what it says, of which topics, and what may be glued to it."""

    text: str
    roles: tuple[tuple[str, str], ...]
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None
    exact: bool
    inner: tuple[tuple[int, int], ...] = ()


_Match = tuple[int, int, int]


class Topics:
    """The words of all topics, ready to be found; safe to share between threads.

    Args:
        table: The content of a file like ``topics.toml``.

    Raises:
        RecognizerDefinitionError: Something in it is wrong.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.topics = tuple(name for name in table if name not in _SETTINGS)
        tails = _Tails(_section(table, "tails", frozenset({"particles", "verbs"})))
        words: dict[str, list[tuple[str, str, str, str]]] = {}
        for topic in self.topics:
            section = _section(table, topic, _LISTS, text="law")
            before, after = section.get("before", ()), section.get("after", ())
            tails.add(topic, before, after)
            for given, role in ((STRONG, STRONG), (WEAK, WEAK), ("names", _NAME), (_NOT, _NOT)):
                _collect(words, section.get(given, ()), topic, role)
            clash = {word for word, roles in words.items() if len({r[1] for r in roles if r[0] == topic}) > 1}
            if clash:
                raise RecognizerDefinitionError(
                    f"{FILE} [{topic}]: in two lists at once: {', '.join(sorted(clash))}"
                )
        person: dict[str, list[tuple[str, str, str, str]]] = {}
        people = _section(table, "person", frozenset({"words", _NOT}))
        tails.add(_PERSON, (), ())
        _collect(person, people.get("words", ()), _PERSON, _PERSON)
        _collect(person, people.get(_NOT, ()), _PERSON, _NOT)
        self._words = _Finder(words, tails)
        self._person = _Finder(person, tails)

    def find(self, texts: Sequence[str]) -> list[list[TopicHit]]:
        """Returns the words of each text that say what it is about, in order."""
        return [self._of(text) for text in texts]

    def _of(self, text: str) -> list[TopicHit]:
        view = normalized_view(text)
        lowered = _lower(view.text)
        hits: list[tuple[int, int, str, str]] = []
        unsure: dict[str, list[tuple[int, int, str, str]]] = {}
        for which, start, end in self._words.matches(view.text, lowered):
            word = self._words.words[which]
            for topic, role in word.roles:
                if role == STRONG:
                    hits.append((start, end, topic, STRONG))
                elif role != _NOT:
                    # Names of one kind are one word: two parties are news, not somebody's opinion.
                    unsure.setdefault(topic, []).append(
                        (start, end, role, "" if role == _NAME else word.text)
                    )
        if unsure:
            people: _People | None = None
            for topic, found in unsure.items():
                for (start, end, _, _), company in zip(found, _in_company(found), strict=True):
                    if not company:
                        if people is None:
                            people = _People(self._person, view.text, lowered)
                        company = people.near(start, end)
                    if company:
                        hits.append((start, end, topic, WEAK))
            hits.sort()
        return [_hit(view, *hit) for hit in hits]


class _Tails:
    """What may be glued to short words, per topic."""

    def __init__(self, section: Mapping[str, tuple[str, ...]]) -> None:
        self._particles = section.get("particles", ())
        self._verbs = section.get("verbs", ())
        self.before: dict[str, re.Pattern[str]] = {}
        self.after: dict[str, re.Pattern[str]] = {}
        self.closed = re.compile(f"(?:{_any(self._particles)})?(?![가-힣])")

    def add(self, topic: str, before: Sequence[str], after: Sequence[str]) -> None:
        """Compiles the prefixes and suffixes of a topic; both patterns look at a few characters only."""
        if any(len(each) > _LEFT for each in before):
            raise RecognizerDefinitionError(
                f"{FILE} [{topic}]: before has a word longer than {_LEFT} characters"
            )
        fronts = f"{_GLUED}|{_any(before)}"
        self.before[topic] = re.compile(f"(?:[^가-힣]|{fronts})\\Z")
        # Everything here is bounded: two suffixes, 들, then one particle or the first syllables of a verb.
        self.after[topic] = re.compile(
            f"(?:{_any(after)}){{0,2}}(?:들?(?:{_any(self._particles)})?(?![가-힣])|{_any(self._verbs)})"
        )


class _Finder:
    """Finds words as the lists mean them: with what may stand beside them."""

    def __init__(self, collected: Mapping[str, Sequence[tuple[str, str, str, str]]], tails: _Tails) -> None:
        keys = list(collected)
        places = {key: place for place, key in enumerate(keys)}
        self.words = [_word(key, collected[key], tails, places) for key in keys]
        self._literals = Literals(keys, often=True)

    def matches(self, text: str, lowered: str) -> Iterator[_Match]:
        """Yields (which, start, end) of the words that stand in ``text``, of which ``lowered`` is the lower case."""
        words = self.words
        for match in self._literals.matches(lowered):
            which, start, end = match
            word = words[which]
            if _stands(word, text, start, end):
                yield match
                continue
            # The longest word at this place is none; a shorter one in it may be. Nothing is searched again for that.
            reached = start
            for inner, offset in word.inner:
                begin = start + offset
                finish = begin + len(words[inner].text)
                if begin >= reached and _stands(words[inner], text, begin, finish):
                    yield inner, begin, finish
                    reached = finish


def _stands(word: _Word, text: str, start: int, end: int) -> bool:
    if word.exact and not text.startswith(word.text, start):
        return False
    before, after = word.before, word.after
    if before is not None and start and not before.search(text[max(0, start - _LEFT) : start]):
        return False
    return after is None or after.match(text, end) is not None


class _People:
    """Where people are spoken of in one text."""

    def __init__(self, finder: _Finder, text: str, lowered: str) -> None:
        words = finder.words
        found = [match for match in finder.matches(text, lowered) if words[match[0]].roles[0][1] != _NOT]
        self._starts = [start for _, start, _ in found]
        self._ends = [end for _, _, end in found]

    def near(self, start: int, end: int) -> bool:
        """Tells whether somebody is in reach of ``start:end``; the spans do not overlap."""
        at = bisect_left(self._ends, start - REACH)
        return at < len(self._ends) and self._starts[at] <= end + REACH


def _in_company(found: Sequence[tuple[int, int, str, str]]) -> list[bool]:
    """Tells of each weak word of a topic whether another one is in reach.

    The nearest different word is beside a run of equal words, so one pass each way is enough.
    """
    near = [False] * len(found)
    for order in (range(len(found)), range(len(found) - 1, -1, -1)):
        other: int | None = None
        for last, this in pairwise(order):
            if found[last][3] != found[this][3]:
                other = last
            if other is not None:
                gap = max(found[this][0] - found[other][1], found[other][0] - found[this][1])
                near[this] = near[this] or gap <= REACH
    return near


def _hit(view: View, start: int, end: int, topic: str, word_class: str) -> TopicHit:
    return TopicHit(topic, *view.origin(start, end), word_class)


def _lower(text: str) -> str:
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text.replace("İ", "I").lower()  # the one character that is two in lower case
    return lowered


def _collect(
    words: dict[str, list[tuple[str, str, str, str]]], given: Iterable[str], topic: str, role: str
) -> None:
    """Adds the words of one list, without their marks, and those with a space without it too."""
    for entry in given:
        core = entry.strip("*|")
        forms = (
            {core, core.replace(" ", "")} if "가" <= core[0] <= "힣" or "가" <= core[-1] <= "힣" else {core}
        )
        for form in sorted(forms):
            roles = words.setdefault(form.lower(), [])
            if all((topic, role) != (each[0], each[1]) for each in roles):
                roles.append((topic, role, entry, form))


def _word(
    key: str, roles: Sequence[tuple[str, str, str, str]], tails: _Tails, places: Mapping[str, int]
) -> _Word:
    topic, role, entry, form = roles[0]
    open_word = role == _NOT or len(form) >= _HANGUL_OPEN
    inner = [
        (places[key[first:last]], first)
        for first in range(len(key))
        for last in range(len(key), first, -1)
        if key[first:last] in places and key[first:last] != key
    ]
    return _Word(
        text=form,
        roles=tuple((each[0], each[1]) for each in roles),
        before=_border(form[0], entry, 0, open_word, tails.before[topic], _APART_BEFORE),
        after=_border(
            form[-1],
            entry,
            -1,
            open_word,
            tails.after[topic] if "|" not in entry else tails.closed,
            _APART_AFTER,
        ),
        exact=form.isascii() and form.isupper(),
        inner=tuple(inner),
    )


_APART_BEFORE = re.compile("[^0-9A-Za-z_]\\Z")
_APART_AFTER = re.compile("(?:e?s)?(?![0-9A-Za-z_])")


def _border(
    letter: str,
    entry: str,
    side: int,
    open_word: bool,
    hangul: re.Pattern[str],
    other: re.Pattern[str],
) -> re.Pattern[str] | None:
    """Returns the test of what stands on one side of a word; ``None`` where anything may."""
    if entry[side] == "*":
        return None
    if "가" <= letter <= "힣":
        return None if open_word and entry[side] != "|" else hangul
    return other if letter.isascii() and letter.isalnum() else None


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True))) or "(?!)"


def _section(
    table: Mapping[str, Any], name: str, lists: frozenset[str], text: str = ""
) -> dict[str, tuple[str, ...]]:
    """Returns the lists of one section, each a tuple of strings that are not empty."""
    section = table.get(name)
    if not isinstance(section, dict):
        raise RecognizerDefinitionError(f"{FILE}: [{name}] must be a table of word lists")
    found: dict[str, tuple[str, ...]] = {}
    for key, value in section.items():
        if key == text and isinstance(value, str):
            continue
        if key not in lists:
            raise RecognizerDefinitionError(
                f"{FILE} [{name}]: unknown field {key!r}; known are {', '.join(sorted(lists))}"
            )
        if not isinstance(value, list) or not all(
            isinstance(word, str) and word.strip("*| ") for word in value
        ):
            raise RecognizerDefinitionError(f"{FILE} [{name}]: {key} must be a list of words")
        found[key] = tuple(value)
    return found


@cache
def load() -> Topics:
    """Returns the topics of the built-in lists, read once.

    Raises:
        RecognizerDefinitionError: The lists are missing or wrong.
    """
    try:
        text = resources.files("sovguard.recognizers").joinpath(FILE).read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise RecognizerDefinitionError(
            f"{FILE} of the recognizer pack cannot be read; reinstall sovguard."
        ) from error
    return Topics(parse(text, FILE))
