"""The text of a document as people read it, put together from where its pieces stand, and changed there.

A word may stand in several runs of a paragraph, a string in many cells. What is found in the text is carried to the passages
that it was put together from; a passage that changes writes what is new into the first of its slots that had some of the old.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Protocol

from sovguard.detect.literals import Literals
from sovguard.entities import Detection, Evidence
from sovguard.shapes import in_order
from sovguard.text import Change
from sovguard.vault.store import Kind

_WHOLE = Evidence("field")
_NAME = re.compile("[가-힣]{3,5}")
_SYLLABLE = re.compile("[가-힣]")
_SHORTEST = 3
"""Characters of a name from a field that is looked for elsewhere."""


class Slot(Protocol):
    """A place that holds text."""

    def read(self) -> str:
        """Return what stands there."""

    def write(self, text: str) -> None:
        """Put something else there."""


@dataclass(slots=True, repr=False, eq=False)
class Passage:
    """Text without a break, in one slot or several.

    Attributes:
        slots: Where it stands, in order.
        is_a: What all of it is, whatever detection says: the author of a document.
        kind: What it is there: a number is replaced as a whole.
        hits: What was found in it.
        on_change: Is called when it has changed, with what it was read as and what it is.
        text: What it was read as.
        has_changed: Whether it has changed since.
    """

    slots: Sequence[Slot]
    is_a: str | None = None
    kind: Kind = "str"
    hits: list[Detection] = field(default_factory=list)
    on_change: Callable[[str, str], None] | None = None
    text: str = ""
    has_changed: bool = False

    def __post_init__(self) -> None:
        self.text = "".join(slot.read() for slot in self.slots)
        if self.is_a is not None and self.text.strip():
            self.hits = [Detection(self.is_a, 0, len(self.text), 1.0, "field", _WHOLE)]

    def __repr__(self) -> str:
        return f"Passage({len(self.text)} characters in {len(self.slots)} slots)"

    def settle(self) -> None:
        """Put what was found into order: what is read in several places is found in each of them."""
        if len(self.hits) > 1:
            self.hits = in_order(self.hits)

    def apply(self, changes: Sequence[Change]) -> None:
        """Make changes to it, which are in order."""
        if not changes:
            return
        self.has_changed = True
        old = [slot.read() for slot in self.slots]
        ends = list(accumulate(map(len, old)))
        new: list[list[str]] = [[] for _ in old]
        position = 0
        for change in (*changes, Change(len(self.text), len(self.text), "")):
            for place, start, end in _spread(ends, position, change.start):
                new[place].append(self.text[start:end])
            if change.new:
                new[min(bisect_right(ends, change.start), len(ends) - 1)].append(change.new)
            position = change.end
        for slot, before, parts in zip(self.slots, old, new, strict=True):
            if (made := "".join(parts)) != before:
                slot.write(made)
        if self.on_change is not None:
            before = self.text
            self.on_change(before, "".join(map("".join, new)))


def _spread(ends: Sequence[int], start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the slots over which a stretch lies, each with its part of it."""
    place = bisect_right(ends, start)
    while start < end:
        stop = min(end, ends[place])
        if start < stop:
            yield place, start, stop
        start, place = stop, place + 1


Line = list["Passage | str"]
"""What is read in one line: passages, and what stands between them for the reader alone."""


class Reading:
    """The text of a document, line by line."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._starts: list[int] = []
        self._places: list[Passage] = []
        self._known: dict[int, Passage] = {}
        self.lines = 0

    def __repr__(self) -> str:
        return f"Reading({self.lines} lines)"

    @property
    def text(self) -> str:
        """What is read."""
        return "".join(self._parts)

    @property
    def passages(self) -> Iterable[Passage]:
        """Its passages, each once."""
        return self._known.values()

    @property
    def hits(self) -> list[Detection]:
        """What was found, with offsets into the text; what stands in several places, in each."""
        return [
            Detection(
                hit.entity_type, start + hit.start, start + hit.end, hit.score, hit.recognizer, hit.evidence
            )
            for start, passage in zip(self._starts, self._places, strict=True)
            for hit in passage.hits
        ]

    def add(self, lines: Iterable[Line]) -> None:
        """Add lines; those without text are left out."""
        for line in lines:
            if not any(part.text for part in line if isinstance(part, Passage)):
                continue
            self.lines += 1
            for part in line:
                if isinstance(part, Passage):
                    self._known.setdefault(id(part), part)
                    self._starts.append(self._length)
                    self._places.append(part)
                    self._say(part.text)
                else:
                    self._say(part)
            self._say("\n")

    def part(self) -> None:
        """Begin another part of the document, which is no table that goes on."""
        if self._parts:
            self._say("\n")

    def found(self, hits: Iterable[Detection]) -> None:
        """Carry what was found in the text to its passages."""
        for hit in hits:
            place = bisect_right(self._starts, hit.start) - 1
            # Passages without text share their start with the next one.
            for at in range(max(place, 0), len(self._starts)):
                start, passage = self._starts[at], self._places[at]
                if start >= hit.end:
                    break
                if start + len(passage.text) > hit.start and passage.is_a is None:
                    passage.hits.append(
                        Detection(
                            hit.entity_type,
                            max(hit.start - start, 0),
                            min(hit.end - start, len(passage.text)),
                            hit.score,
                            hit.recognizer,
                            hit.evidence,
                        )
                    )
        for passage in self._known.values():
            passage.settle()

    def find_again(self) -> None:
        """Find again what somebody is called in a field, and values that are all of another passage."""
        told: dict[str, str] = {}
        values: dict[str, str] = {}
        for passage in self._known.values():
            for hit in passage.hits:
                value = passage.text[hit.start : hit.end].strip()
                values.setdefault(value, hit.entity_type)
                if len(value) >= _SHORTEST and (
                    _NAME.fullmatch(value)
                    if hit.recognizer != "field"
                    else hit.entity_type == "PERSON" and not value.isascii()
                ):
                    told[value] = hit.entity_type
        names, kinds = Literals(list(told)) if told else None, list(told.values())
        for passage in self._known.values():
            if passage.is_a is not None:
                continue
            text = passage.text
            if len(text) > _SHORTEST and (kind := values.get(text.strip())) is not None:
                passage.hits.append(Detection(kind, 0, len(text), 1.0, "field", _WHOLE))
            for which, start, end in names.matches(text) if names is not None else ():
                # A short one with a syllable beside it may be a part of another word; what stands behind names is known to
                # detection.
                alone = _SYLLABLE.match(text, end) is None and (
                    not start or _SYLLABLE.match(text, start - 1) is None
                )
                if alone or _NAME.fullmatch(text[start:end]) is None:
                    passage.hits.append(Detection(kinds[which], start, end, 1.0, "field", _WHOLE))
            passage.settle()

    def _say(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
