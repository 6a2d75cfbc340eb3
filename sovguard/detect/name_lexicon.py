"""The word lists that person names are recognised by, and the grammar of what may follow a name in its word.

Everything here is read once from the pack (``sovguard.recognizers``) and compiled; nothing looks at a whole
text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from sovguard.errors import RecognizerDefinitionError

HONORIFICS = frozenset({"님", "씨", "군", "양", "쌤", "샘"})


@dataclass(frozen=True, slots=True)
class Tail:
    """What follows a name inside the same word.

    Attributes:
        kind: ``none``, ``particle`` (조사 or copula), ``infix`` (민준이가), ``title`` or ``honorific``.
        title: The title, if there is one.
    """

    kind: str
    title: str = ""


_NONE, _PARTICLE, _INFIX = Tail("none"), Tail("particle"), Tail("infix")


@dataclass(frozen=True, slots=True)
class NameLexicon:
    """The lists, as sets."""

    surnames: frozenset[str]
    rare_surnames: frozenset[str]
    given_first: frozenset[str]
    given_last: frozenset[str]
    titles: frozenset[str]
    labels: frozenset[str]
    introducers: frozenset[str]
    lookalikes: frozenset[str]
    placeholders: frozenset[str]
    foreign_surnames: frozenset[str]
    latin_surnames: frozenset[str]
    latin_given: frozenset[str]
    latin_words: frozenset[str]
    after_consonant: frozenset[str]
    after_vowel: frozenset[str]
    title_pattern: re.Pattern[str]
    title_starts: frozenset[str]
    longest_tail: int

    def particle(self, form: str, before: str) -> bool:
        """Tells whether ``form`` is a particle or copula that agrees with the final sound of ``before``."""
        return form in (self.after_consonant if closed(before) else self.after_vowel)

    def label(self, word: str) -> str:
        """Returns the label that ``word`` is, particle or number taken off, or an empty string."""
        word = word.lower()
        if word in self.labels:
            return word
        if len(word) > 2 and word[-1] in "은는이가을를의":
            return word[:-1] if word[:-1] in self.labels else ""
        return ""

    def given_like(self, given: str) -> bool:
        """Tells whether ``given`` begins and ends like a given name."""
        return given[0] in self.given_first and given[-1] in self.given_last

    def full_name_like(self, name: str) -> bool:
        """Tells whether ``name`` is built of a surname and a given name, and is no common word."""
        size = 2 if name[:2] in self.surnames and len(name) > 2 else 1
        return (
            size < len(name) <= size + 2
            and name[:size] in self.surnames
            and self.given_like(name[size:])
            and name not in self.lookalikes
            and name not in self.placeholders
        )

    def title_before(self, word: str) -> str:
        """Returns the title that ``word`` is or ends with (도로과장, 담당의사), or an empty string."""
        if word in self.titles:
            return word
        if word.endswith("님") and word[:-1] in self.titles:
            return word[:-1]
        for length in (4, 3, 2):
            if len(word) > length and word[-length:] in self.titles:
                return word[-length:]
        return ""


def closed(text: str) -> bool:
    """Tells whether the last syllable of ``text`` ends in a consonant (받침)."""
    return (ord(text[-1]) - 0xAC00) % 28 > 0


def tail_of(form: str, consonant: bool) -> Tail | None:
    """Returns what ``form`` is after a name ending in a consonant or vowel; ``None`` if it cannot be."""
    if not form:
        return _NONE
    lexicon = load()
    if form in (lexicon.after_consonant if consonant else lexicon.after_vowel):
        return _PARTICLE
    infix = consonant and form[0] == "이"
    if infix and form[1:] in lexicon.after_vowel:
        return _INFIX
    if len(form) > lexicon.longest_tail:
        return None
    # Only what begins like a title is remembered, so the cache does not come to hold given names.
    if form[:2] in lexicon.title_starts or form[0] in HONORIFICS:
        found = _title_tail(form)
        if found is not None:
            return found
    if infix and (form[1:3] in lexicon.title_starts or form[1:2] in HONORIFICS):
        return _title_tail(form[1:])  # 지은이언니
    return None


@lru_cache(maxsize=8192)
def _title_tail(form: str) -> Tail | None:
    lexicon = load()
    match = lexicon.title_pattern.match(form)
    if match is None:
        return None
    # The longest title may have swallowed a particle, so shorter ones are tried too.
    for end in range(match.end(), 0, -1):
        title = form[:end]
        if title not in lexicon.titles:
            continue
        rest = form[end:].removeprefix("님")
        before = form[: len(form) - len(rest)]
        if not rest or rest in ("들", "들이", "분", "네") or lexicon.particle(rest, before):
            return Tail("honorific" if title in HONORIFICS else "title", title)
        inner = tail_of(rest, closed(before))
        if inner is not None and inner.title:
            return Tail("title", title)
    return None


@cache
def load() -> NameLexicon:
    """Returns the built-in lists.

    Raises:
        RecognizerDefinitionError: If a list is missing or wrong.
    """
    consonant: set[str] = set()
    vowel: set[str] = set()
    for line in _lines("name_particles_ko.txt"):
        closed_form, _, open_form = line.partition("|")
        consonant.add(closed_form)
        vowel.add(open_form or closed_form)
    titles = frozenset(_lines("titles_ko.txt"))
    return NameLexicon(
        surnames=frozenset(_lines("surnames_ko.txt")),
        rare_surnames=frozenset(_lines("surnames_rare_ko.txt")),
        given_first=frozenset(_lines("given_first_ko.txt")),
        given_last=frozenset(_lines("given_last_ko.txt")),
        titles=titles,
        labels=frozenset(word.lower() for word in _lines("name_labels_ko.txt")),
        introducers=frozenset(_lines("name_introducers_ko.txt")),
        lookalikes=frozenset(_lines("name_lookalikes_ko.txt")),
        placeholders=frozenset(_lines("name_placeholders_ko.txt")),
        foreign_surnames=frozenset(_lines("foreign_surnames_ko.txt")),
        latin_surnames=frozenset(_lines("surnames_latin.txt")),
        latin_given=frozenset(_lines("given_latin.txt")),
        latin_words=frozenset(_lines("latin_words.txt")),
        after_consonant=frozenset(consonant),
        after_vowel=frozenset(vowel),
        title_pattern=_longest_first(titles),
        title_starts=frozenset(title[:2] for title in titles),
        longest_tail=max(map(len, titles)) + max(map(len, consonant | vowel)) + 4,
    )


def _read(name: str) -> str:
    try:
        return resources.files("sovguard.recognizers").joinpath(name).read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise RecognizerDefinitionError(
            f"{name} of the recognizer pack cannot be read; reinstall sovguard."
        ) from error


def _lines(name: str) -> list[str]:
    lines = (line.strip() for line in _read(name).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _longest_first(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word)))))
