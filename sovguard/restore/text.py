"""Put the real values back into a text: one pass from left to right, exact look-ups, no guessing.

Between the vault and whoever reads the answer. Restored text is never looked at again, so a value that
happens to read like a surrogate stays as it is. A surrogate in a changed spelling counts only if its check
character verifies and the vault knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sovguard.entities import ENTITY_TYPES, LITERAL_TYPE
from sovguard.restore.particles import Agreement, agreement
from sovguard.restore.prose import Prose, structured
from sovguard.spellings import Candidate, find, stands_alone
from sovguard.surrogates import verifies, word_for
from sovguard.text import Change, changed
from sovguard.vault.store import Entry, SessionState

FAMILY_WORDS = frozenset(entity.word for entity in ENTITY_TYPES.values()) | {word_for(LITERAL_TYPE)}
"""Words that make a string of the right shape look like a surrogate of some session."""

Lookup = Callable[[Collection[str]], Mapping[str, Entry | None]]


@dataclass(frozen=True, slots=True, repr=False)
class Restoration:
    """A text with its real values back.

    Attributes:
        text: The restored text.
        unresolved: Strings left in it that look like surrogates but stand for nothing in this session, each
            once.
        expired: Surrogates left in it whose values have come to their end or were erased, each once.
    """

    text: str
    unresolved: list[str] = field(hash=False)
    expired: list[str] = field(default_factory=list, hash=False)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Restoration({len(self.text)} characters)"


@dataclass(frozen=True, slots=True, repr=False)
class Hit:
    """``text[start:end]`` is a surrogate that stands for ``entry``.

    Attributes:
        start: Offset of its first character.
        end: Offset after its last.
        dash: Offset of its dash.
        entry: What it stands for.
        marks: Marks of emphasis or code that stood within it, and now stand before the value and behind it.
    """

    start: int
    end: int
    dash: int
    entry: Entry
    marks: tuple[str, str] = ("", "")

    def __repr__(self) -> str:
        return f"Hit({self.start}, {self.end}, {self.entry!r})"

    def written(self, value: str | None = None) -> str:
        """Return what takes its place; ``value`` if the sink spells the value in another way."""
        before, behind = self.marks
        return f"{before}{self.entry.value if value is None else value}{behind}"


@dataclass(frozen=True, slots=True, repr=False)
class Resolved:
    """What a session's surrogates in one text stand for, in the order of the text, without overlap."""

    text: str
    hits: list[Hit]
    unresolved: list[str]
    expired: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Resolved({len(self.hits)} in {len(self.text)} characters)"

    def restoration(self, *, particles: bool = False) -> Restoration:
        """Return the text with every hit replaced by its value.

        Args:
            particles: Make Korean particles agree with the values, where the text is prose.
        """
        text = changed(self.text, self.changes(particles=particles)) if self.hits else self.text
        return Restoration(text, self.unresolved, self.expired)

    def changes(self, *, particles: bool = False) -> list[Change]:
        """Return what ``restoration`` changes in the text, in order."""
        if particles and self.hits and not structured(self.text):
            agreed: Iterable[tuple[Hit, Agreement | None]] = agreements(self.text, self.hits, Prose())
        else:
            agreed = ((hit, None) for hit in self.hits)
        changes: list[Change] = []
        for hit, change in agreed:
            changes.append(Change(hit.start, hit.end, hit.written()))
            if change is not None:
                changes.append(Change(change.start, change.end, change.written))
        return changes

    def leaf(self) -> str | int | float:
        """Return what this text is as a JSON leaf: a number, if it is exactly the surrogate of one."""
        if len(self.hits) == 1:
            hit = self.hits[0]
            if hit.end - hit.start == len(self.text) and hit.entry.kind != "str":
                return int(hit.entry.value) if hit.entry.kind == "int" else float(hit.entry.value)
        return self.restoration().text


def agreements(
    text: str, hits: Iterable[Hit], prose: Prose, position: int = 0
) -> Iterator[tuple[Hit, Agreement | None]]:
    """Give each hit and how the particle behind it has to change, if it has to.

    Args:
        text: A text that is not JSON.
        hits: What in it is a surrogate.
        prose: Where ``text[position:]`` stands in Markdown; moved on to the last hit.
        position: Offset that ``prose`` has come to.
    """
    for hit in hits:
        prose.come_to(text[position : hit.start])
        position = hit.start
        yield hit, None if prose.in_block else agreement_at(text, hit, prose.in_span)


def agreement_at(text: str, hit: Hit, in_span: bool) -> Agreement | None:
    """Return how the particle behind ``hit`` has to change; ``in_span`` tells whether it lies in a span of code."""
    entry = hit.entry
    change = agreement(text, hit.start, hit.end, entry.value, called=entry.entity_type == "PERSON")
    if change is None or text[hit.end : change.end] in entry.stood:
        return None
    return None if in_span and "`" not in text[hit.end : change.start] else change


def resolve(texts: Sequence[str], state: SessionState, lookup: Lookup) -> list[Resolved]:
    """Return what the surrogates in each of ``texts`` stand for, after one look-up for all of them.

    Args:
        texts: Any texts.
        state: The session's state.
        lookup: The session's vault look-up: canonical surrogates to the entries it knows.
    """
    found: list[list[_Row]] = []
    wanted: set[str] = set()
    for text in texts:
        rows = [(candidate, _spellings(candidate, state)) for candidate in find(text)]
        wanted.update(spelling for _, spellings in rows for spelling, _ in spellings)
        found.append(rows)
    known = lookup(wanted) if wanted else {}
    family = FAMILY_WORDS if state.words <= FAMILY_WORDS else FAMILY_WORDS | state.words
    return [_select(text, rows, known, state, family) for text, rows in zip(texts, found, strict=True)]


_Row = tuple[Candidate, list[tuple[str, Candidate]]]
"""A place, and the surrogates that it can be, each with how it has to be read for it."""


def _spellings(candidate: Candidate, state: SessionState) -> list[tuple[str, Candidate]]:
    """Return the canonical surrogates that ``candidate`` can be, as written first, longest word first; those that verify."""
    return [
        (spelling, reading)
        for reading in candidate.readings()
        if reading.namespace in state.namespaces
        for word in reading.words(state.words)
        if verifies(state.key, spelling := f"{word}-{reading.body}")
    ]


def _select(
    text: str,
    rows: Iterable[_Row],
    known: Mapping[str, Entry | None],
    state: SessionState,
    family: Collection[str],
) -> Resolved:
    """Take the leftmost of whatever resolves, and name what did once and what only looks as if it should."""
    hits: list[Hit] = []
    left: list[tuple[int, int, bool]] = []
    position = 0
    for candidate, spellings in rows:
        spelling, reading = next(((each, how) for each, how in spellings if each in known), (None, candidate))
        entry = known[spelling] if spelling is not None else None
        if spelling is not None and entry is not None:
            word = spelling[: spelling.index("-")]
            start = reading.start(word)
            if start >= position:
                if left and left[-1][1] > start:
                    del left[-1]
                marks = ("", "") if reading.exact else reading.marks_around(text, word)
                hits.append(Hit(start, reading.end, candidate.dash, entry, marks))
                position = reading.end
                continue
        likely = next(iter(candidate.words(family)), None)
        own = any(each.namespace in state.namespaces for each in candidate.readings())
        gone = spelling is not None or (likely is not None and candidate.namespace in state.former)
        if own or gone or (likely is not None and stands_alone(text, candidate, likely)):
            left.append((max(candidate.start(likely), position), candidate.end, gone))
    unresolved, expired = (
        list(dict.fromkeys(text[start:end] for start, end, gone in left if gone is which))
        for which in (False, True)
    )
    return Resolved(text, hits, unresolved, expired)
