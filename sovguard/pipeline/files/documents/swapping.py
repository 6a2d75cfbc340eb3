"""How what is found in the passages of a document is swapped, and put back: with a key, or by a session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from sovguard.documents import found_in, pieces, table_labels
from sovguard.entities import Detection
from sovguard.guard import Guard
from sovguard.pipeline.files.documents.passages import Passage
from sovguard.pipeline.files.settings import Settings
from sovguard.session import Session
from sovguard.text import Change


class Swapping(Protocol):
    """Finds, and says what to change in passages."""

    def found(self, text: str) -> Iterator[Detection]:
        """Yield what is in a text, in order."""

    def changes(self, passages: Sequence[Passage]) -> list[list[Change]]:
        """Return what to change in each passage, by what was found in it."""

    def openings(self, passages: Sequence[Passage]) -> list[tuple[list[Change], list[str]]]:
        """Return what to change in each passage to put values back, and the surrogates in it that cannot be opened."""

    def number(self, text: str) -> str | None:
        """Return the number that a text takes the place of, as it was written; ``None`` if it is none."""


class KeySwapping:
    """Swaps for surrogates that hold their values, masks or removes.

    Args:
        settings: How.

    Raises:
        ConfigError: That cannot be done.
    """

    def __init__(self, settings: Settings) -> None:
        self._way, self._recognizers = settings.way(), settings.recognizers
        self._guard = settings.guard()

    def found(self, text: str) -> Iterator[Detection]:
        """Yield what is in a text, in order."""
        return found_by(self._guard, text, self._recognizers)

    def changes(self, passages: Sequence[Passage]) -> list[list[Change]]:
        """Return what to change in each passage, by what was found in it."""
        return [self._changes(passage) for passage in passages]

    def _changes(self, passage: Passage) -> list[Change]:
        if passage.kind == "str" or not passage.hits:
            return self._way.changes(passage.text, passage.hits)
        new = self._way.replace_number(passage.text.strip(), passage.kind, passage.hits[0].entity_type)
        return [Change(0, len(passage.text), new)]

    def openings(self, passages: Sequence[Passage]) -> list[tuple[list[Change], list[str]]]:
        """Return what to change in each passage to put values back, and the surrogates in it that cannot be opened."""
        return [self._way.openings(passage.text) for passage in passages]

    def number(self, text: str) -> str | None:
        """Return the number that a text takes the place of, as it was written; ``None`` if it is none."""
        return self._way.number(text)


class SessionSwapping:
    """Swaps for the surrogates of a session, which finds again what it knows.

    Args:
        session: The session.
        recognizers: Paths of further recognizers that its guard has.
    """

    def __init__(self, session: Session, recognizers: Sequence[str] = ()) -> None:
        self._session, self._recognizers = session, recognizers

    def found(self, text: str) -> Iterator[Detection]:
        """Yield what is in a text, in order."""
        return found_by(self._session.guard, text, self._recognizers)

    def changes(self, passages: Sequence[Passage]) -> list[list[Change]]:
        """Return what to change in each passage, by what was found in it."""
        return self._session.changes(
            [passage.text for passage in passages],
            [passage.hits for passage in passages],
            [passage.kind for passage in passages],
        )

    def openings(self, passages: Sequence[Passage]) -> list[tuple[list[Change], list[str]]]:
        """Return what to change in each passage to put values back, and the surrogates in it that cannot be opened."""
        return self._session.openings([passage.text for passage in passages])

    def number(self, text: str) -> str | None:
        """Return the number that a text takes the place of, as it was written; ``None`` if it is none."""
        hits = self._session.resolved(text).hits
        if len(hits) != 1 or hits[0].entry.kind == "str" or (hits[0].start, hits[0].end) != (0, len(text)):
            return None
        return hits[0].entry.value


def found_by(guard: Guard, text: str, recognizers: Sequence[str]) -> Iterator[Detection]:
    """Yield what a guard with further recognizers finds in the text of a document, in order."""
    return found_in(pieces(text, lambda: table_labels(recognizers)), guard.scan)
