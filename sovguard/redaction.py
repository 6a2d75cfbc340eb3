"""Swap detected values for surrogates so that restoring gives back exactly what came in.

Between detection and whoever sends the text: decides which stretches of a text become surrogates, has the
vault mint them, and proves on the finished text that the scan restoring uses will find these and no others.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from sovguard.entities import LITERAL_TYPE, Detection
from sovguard.errors import DetectionError, VaultError
from sovguard.restore.prose import Prose, structured
from sovguard.restore.text import FAMILY_WORDS, Hit, agreements, resolve
from sovguard.spellings import Candidate, count_bodies, find
from sovguard.surrogates import namespace_of
from sovguard.vault.session import VaultSession
from sovguard.vault.store import Entry, Kind, SessionState

_REPAIRS = 6


@dataclass(frozen=True, slots=True, repr=False)
class Redaction:
    """A text whose personal information has been swapped for surrogates.

    Attributes:
        text: What may be sent.
        detections: What was found, with offsets into the original text.
        session_id: The session that can restore it.
    """

    text: str
    detections: list[Detection] = field(hash=False)
    session_id: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Redaction({len(self.text)} characters)"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the original text that becomes one surrogate."""

    start: int
    end: int
    entity_type: str
    person: str = ""


@dataclass(slots=True, repr=False)
class Draft:
    """One text on its way to being redacted.

    Attributes:
        text: The original.
        detections: What was found in it.
        kind: For a number, what kind; it becomes a surrogate as a whole or not at all.
        people: For each detection, the key of the person it names (``sovguard.people``), or an empty string.
        keep: Leave surrogates of the session that resolve as they are, and cover the rest around them.
        redacted: The outcome, once ``tokenize`` is done with it.
    """

    text: str
    detections: Sequence[Detection]
    kind: Kind = "str"
    keep: bool = False
    people: Sequence[str] = ()
    redacted: str = ""
    candidates: list[Candidate] = field(default_factory=list)
    literals: list[Span] = field(default_factory=list)
    live: list[Candidate] = field(default_factory=list)
    kept: list[tuple[int, int]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    minted: list[tuple[Span, str]] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Draft({self.kind} of {len(self.text)} characters)"


def tokenize(drafts: Sequence[Draft], vault: VaultSession, *, particles: bool = False) -> None:
    """Fill in ``redacted`` of every draft, with one vault call for all of them.

    Args:
        drafts: The texts of one request.
        vault: The session's vault.
        particles: Whether restoring will make particles agree: those that do not agree in these texts are then noted, so
            that they come back as they stood.
    """
    state = vault.state()
    for draft in drafts:
        draft.candidates = find(draft.text, state.namespaces) if draft.kind == "str" else []
    if keeping := [draft for draft in drafts if draft.keep and draft.candidates]:
        _mark_live(keeping, state, vault)
    family = FAMILY_WORDS | state.words
    for draft in drafts:
        dashes = {candidate.dash for candidate in draft.live}
        draft.literals = [
            Span(
                min(each.start(next(iter(each.words(family)), None)) for each in candidate.readings()),
                max(each.end for each in candidate.readings()),
                LITERAL_TYPE,
            )
            for candidate in draft.candidates
            if candidate.dash not in dashes
        ]
    pending = drafts
    for repair in range(_REPAIRS + 1):
        pending = _attempt(pending, vault, state.namespaces)
        if not pending:
            if particles:
                vault.note(_stood(drafts))
            return
        if repair == _REPAIRS - 1:
            # Text built to read as a surrogate wherever one is put: cover it whole rather than chase it.
            for draft in pending:
                draft.literals = [Span(0, len(draft.text), LITERAL_TYPE)]
    raise DetectionError("a text could not be redacted so that it restores exactly; do not send it")


def _mark_live(drafts: Sequence[Draft], state: SessionState, vault: VaultSession) -> None:
    for draft, resolved in zip(
        drafts, resolve([draft.text for draft in drafts], state, vault.get), strict=True
    ):
        by_dash = {candidate.dash: candidate for candidate in draft.candidates}
        draft.live = [by_dash[hit.dash] for hit in resolved.hits]
        draft.kept = [(hit.start, hit.end) for hit in resolved.hits]


def _attempt(drafts: Sequence[Draft], vault: VaultSession, namespaces: frozenset[str]) -> list[Draft]:
    """Redact ``drafts`` and return, widened, those whose outcome does not restore exactly."""
    entries: list[Entry] = []
    for draft in drafts:
        draft.spans = _plan(draft)
        for span in draft.spans:
            value = draft.text[span.start : span.end]
            entries.append(Entry(span.entity_type, value, draft.kind, span.person))
    avoid = {candidate.body for draft in drafts for candidate in draft.candidates}
    surrogates = vault.put(entries, avoid)
    # A namespace may have been taken while minting; what the text holds of it has to be found as well.
    namespaces = namespaces.union([namespace_of(surrogate) for surrogate in surrogates])
    following = iter(surrogates)
    failed: list[Draft] = []
    for draft in drafts:
        if not draft.spans:
            draft.redacted, draft.minted = draft.text, []
            continue
        draft.minted = minted = [(span, next(following)) for span in draft.spans]
        draft.redacted = _compose(draft.text, minted)
        strays = _strays(draft, minted, namespaces)
        if strays:
            draft.literals = [*draft.literals, *strays]
            failed.append(draft)
    return failed


def _plan(draft: Draft) -> list[Span]:
    """Return the stretches of a draft that become surrogates, in order and without overlap."""
    people = draft.people or [""] * len(draft.detections)
    detections = [
        Span(hit.start, hit.end, hit.entity_type, person)
        for hit, person in zip(draft.detections, people, strict=True)
    ]
    if draft.kind != "str":
        return [Span(0, len(draft.text), detections[0].entity_type)] if detections else []
    if not draft.literals and not draft.kept and len(detections) < 2:
        return detections
    united: list[Span] = []
    for span in sorted([*detections, *draft.literals], key=lambda span: (span.start, -span.end)):
        if united and span.start < united[-1].end:
            last = united[-1]
            # What was detected says what the stretch is; literal text only widens it.
            name = span.entity_type if last.entity_type == LITERAL_TYPE else last.entity_type
            united[-1] = Span(last.start, max(last.end, span.end), name)
        else:
            united.append(span)
    return list(_around(draft.text, united, draft.kept)) if draft.kept else united


def _around(text: str, spans: Iterable[Span], kept: Sequence[tuple[int, int]]) -> Iterable[Span]:
    """Yield what is left of ``spans`` outside ``kept``, without blank edges or bare punctuation."""
    index = 0
    for span in spans:
        while index < len(kept) and kept[index][1] <= span.start:
            index += 1
        position, ahead = span.start, index
        while position < span.end:
            stop, resume = span.end, span.end
            if ahead < len(kept) and kept[ahead][0] < span.end:
                stop, resume = max(kept[ahead][0], position), kept[ahead][1]
                ahead += 1
            piece = text[position:stop]
            if len(piece) == span.end - span.start:
                yield span
            elif any(char.isalnum() for char in piece):
                start = position + len(piece) - len(piece.lstrip())
                yield Span(start, start + len(piece.strip()), span.entity_type)
            position = resume


def _compose(text: str, minted: Iterable[tuple[Span, str]]) -> str:
    parts: list[str] = []
    position = 0
    for span, surrogate in minted:
        parts.append(text[position : span.start])
        parts.append(surrogate)
        position = span.end
    parts.append(text[position:])
    return "".join(parts)


def _stood(drafts: Iterable[Draft]) -> dict[str, set[str]]:
    """Return what stands behind surrogates that restoring would change, by surrogate."""
    stood: dict[str, set[str]] = {}
    for draft in drafts:
        if draft.kind != "str" or not draft.minted or structured(draft.redacted):
            continue
        surrogates: dict[int, str] = {}
        hits: list[Hit] = []
        shift = 0
        for span, surrogate in draft.minted:
            start = span.start + shift
            shift += len(surrogate) - (span.end - span.start)
            surrogates[start] = surrogate
            entry = Entry(span.entity_type, draft.text[span.start : span.end])
            hits.append(Hit(start, start + len(surrogate), start + surrogate.index("-"), entry))
        for hit, change in agreements(draft.redacted, hits, Prose()):
            if change is not None:
                stood.setdefault(surrogates[hit.start], set()).add(draft.redacted[hit.end : change.end])
    return stood


def _strays(draft: Draft, minted: Sequence[tuple[Span, str]], namespaces: Collection[str]) -> list[Span]:
    """Return the stretches of the original that read as surrogates in the outcome though none was put there.

    A value can stand right after ``-K7QM00``: put a surrogate in its place and the first letters of it
    complete a body. Such text is covered together with the value.
    """
    # Every surrogate put or kept is among those found, so equal numbers mean that there is no other.
    expected = len(minted) + len(draft.live)
    if count_bodies(draft.redacted, namespaces) == expected:
        return []
    found = find(draft.redacted, namespaces)
    if len(found) == expected:
        return []
    after: list[int] = []
    before: list[int] = []
    shift = 0
    for span, surrogate in minted:
        after.append(span.start + shift)
        shift += len(surrogate) - (span.end - span.start)
        before.append(span.end + shift)
    shifts = [0, *(end - span.end for end, (span, _) in zip(before, minted, strict=True))]
    ends = set(before)
    originals = [span.end for span, _ in minted]
    ends.update(kept.end + shifts[bisect_right(originals, kept.dash)] for kept in draft.live)

    def origin(offset: int, *, end: bool) -> int:
        index = bisect_left(after, offset)
        if index and offset < before[index - 1]:
            inside = minted[index - 1][0]
            return inside.end if end else inside.start
        return offset - shifts[index]

    strays = [
        Span(origin(stray.start(), end=False), origin(stray.end, end=True), LITERAL_TYPE)
        for stray in found
        if stray.end not in ends
    ]
    if not strays:
        raise VaultError("the vault gave something that is no surrogate; nothing was sent: check the vault")
    return strays
