"""Texts of columns, found in and replaced: one call of the detector for many of them, and an error for each that is bad.

Below every adapter. A text that cannot be worked on is an error of its own and never comes out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from sovguard.entities import Detection, Evidence
from sovguard.errors import DetectionError, InputError, SovguardError
from sovguard.pipeline.columns import Column
from sovguard.pipeline.ways import Mode, SessionWay, Way, way_of
from sovguard.shapes import MAX_CONTEXT, read_labelled

if TYPE_CHECKING:
    from sovguard.guard import Guard

_WHOLE = Evidence("column")
_OWN_ERRORS = (DetectionError, InputError)
"""What is wrong with one text; everything else is wrong with all of them."""


@dataclass(frozen=True, slots=True, repr=False)
class Ask:
    """Different texts of one column.

    Attributes:
        column: Where they stand, and what is done to them.
        texts: The texts.
    """

    column: Column
    texts: Sequence[str]

    def __repr__(self) -> str:
        return f"Ask({len(self.texts)} texts)"


@dataclass(slots=True, repr=False)
class Outcome:
    """What became of the texts of an ``Ask``, in their order.

    Attributes:
        texts: The new ones; ``None`` for one that could not be worked on.
        found: What was replaced in each, with offsets into the original.
        errors: What is wrong with those that could not be worked on, by their place.
        unresolved: Of texts that were to be restored: what looks like a surrogate and could not be opened, by place.
    """

    texts: list[str | None] = field(default_factory=list)
    found: list[Sequence[Detection]] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)
    unresolved: dict[int, list[str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Outcome({len(self.texts)} texts, {len(self.errors)} errors)"

    def add(
        self, text: str | None, found: Sequence[Detection] = (), error: SovguardError | None = None
    ) -> None:
        """Add what became of the next text."""
        if error is not None:
            self.errors[len(self.texts)] = str(error)
        self.texts.append(text)
        self.found.append(found)


class Cells:
    """Replaces what is found in the texts of columns.

    Args:
        guard: What finds.
        mode: How it is replaced where a column does not say otherwise.
    """

    def __init__(self, guard: Guard, mode: Mode) -> None:
        self._guard, self._mode = guard, mode
        self._ways: dict[int, tuple[Column, Way]] = {}

    def __repr__(self) -> str:
        return f"Cells({self._guard!r})"

    def way(self, column: Column) -> Way:
        """Return how values of a column are replaced.

        Raises:
            ConfigError: That cannot be done.
        """
        known = self._ways.get(id(column))
        if known is None or known[0] is not column:
            mode = self._mode if column.action is None else column.action
            known = self._ways[id(column)] = column, way_of(mode, column.join_group)
        return known[1]

    def redact(self, asks: Sequence[Ask]) -> list[Outcome]:
        """Return what becomes of the texts of several columns.

        Raises:
            ConfigError: A column cannot be replaced in the way that it asks for.
            VaultError: A session's vault failed.
        """
        outcomes = [Outcome() for _ in asks]
        searched: list[tuple[Ask, Outcome]] = []
        for ask, outcome in zip(asks, outcomes, strict=True):
            way = self.way(ask.column)
            if ask.column.is_a is not None:
                _replaced(ask, way, ask.column.is_a, outcome)
            elif isinstance(way, SessionWay):
                _by_session(ask, way, list(ask.texts), outcome)
            else:
                searched.append((ask, outcome))
        for (ask, outcome), hits in zip(searched, self._found([ask for ask, _ in searched]), strict=True):
            way = self.way(ask.column)
            mark = way.mark
            outcome.texts, outcome.found = list(ask.texts), cast("list[Sequence[Detection]]", list(hits))
            # Most texts hold nothing: those are not gone through one by one in steps of Python.
            for place, text in enumerate(ask.texts):
                if (found := hits[place]) or mark is None or mark in text:
                    _replace_found(outcome, place, way, text, found)
        return outcomes

    def restore(self, asks: Sequence[Ask]) -> list[Outcome]:
        """Return the texts of several columns with the values back.

        Raises:
            ConfigError: What was done to a column cannot be undone.
            VaultError: A session's vault failed.
        """
        return [self._restored(ask) for ask in asks]

    def _restored(self, ask: Ask) -> Outcome:
        way, outcome = self.way(ask.column), Outcome()
        for text in ask.texts:
            try:
                restored = way.restore(text, ask.column.is_a)
            except InputError as error:
                outcome.add(None, error=error)
                continue
            if restored.unresolved:
                outcome.unresolved[len(outcome.texts)] = list(restored.unresolved)
            outcome.add(restored.text)
        return outcome

    def _found(self, asks: Sequence[Ask]) -> list[Sequence[list[Detection] | SovguardError]]:
        """Return what is found in each text, each read together with the label of its column, in one go."""
        found: Iterator[Sequence[list[Detection] | SovguardError]]
        if not asks:
            return []
        try:
            found = iter(read_labelled([(_label(ask), ask.texts) for ask in asks], self._guard.scan))
        except _OWN_ERRORS:
            each = iter(self._each([(_label(ask), text) for ask in asks for text in ask.texts]))
            found = ([next(each) for _ in ask.texts] for ask in asks)
        return [_only(ask.column.types, hits) for ask, hits in zip(asks, found, strict=True)]

    def _each(self, texts: Sequence[tuple[str, str]]) -> list[list[Detection] | SovguardError]:
        """Return what is found in each text, or what is wrong with it, if something is wrong with one of them."""
        if not texts:
            return []
        try:
            found = read_labelled([(label, [text]) for label, text in texts], self._guard.scan)
        except _OWN_ERRORS as error:
            if len(texts) == 1:
                return [error]
        else:
            return [hits for (hits,) in found]
        middle = len(texts) // 2
        return [*self._each(texts[:middle]), *self._each(texts[middle:])]


def _replace_found(
    outcome: Outcome, place: int, way: Way, text: str, found: list[Detection] | SovguardError
) -> None:
    if isinstance(found, SovguardError):
        error: SovguardError = found
    else:
        try:
            outcome.texts[place] = way.redact(text, found)
            return
        except _OWN_ERRORS as failure:
            error = failure
    outcome.texts[place], outcome.found[place], outcome.errors[place] = None, (), str(error)


def _label(ask: Ask) -> str:
    label = ask.column.label
    return label if len(label) <= MAX_CONTEXT else ""


def _only(
    types: Collection[str] | None, found: Sequence[list[Detection] | SovguardError]
) -> Sequence[list[Detection] | SovguardError]:
    if types is None:
        return found
    return [
        hits if isinstance(hits, SovguardError) else [hit for hit in hits if hit.entity_type in types]
        for hits in found
    ]


def _replaced(ask: Ask, way: Way, entity_type: str, outcome: Outcome) -> None:
    for text in ask.texts:
        found = [Detection(entity_type, 0, len(text), 1.0, "column", _WHOLE)] if text else []
        try:
            outcome.add(way.replace(text, entity_type), found)
        except _OWN_ERRORS as error:
            outcome.add(None, error=error)


def _by_session(ask: Ask, way: SessionWay, texts: list[str], outcome: Outcome) -> None:
    if not texts:
        return
    try:
        redacted, found = way.redact_all(ask.column.label, texts, ask.column.types)
    except _OWN_ERRORS as error:
        if len(texts) == 1:
            outcome.add(None, error=error)
            return
        middle = len(texts) // 2
        _by_session(ask, way, texts[:middle], outcome)
        _by_session(ask, way, texts[middle:], outcome)
        return
    for text, hits in zip(redacted, found, strict=True):
        outcome.add(text, hits)
