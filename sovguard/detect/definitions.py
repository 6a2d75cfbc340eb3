"""Recognizer definitions: what a TOML file of the pack says, as checked and typed data.

One file describes one entity type: its patterns, the check that may raise or refute a match (named, since a pack holds
data and no code), the labels and context words that count, and examples that run as tests. ``definition_parser`` reads
the files, ``packs`` knows where they lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Literal

from sovguard.entities import LegalClass

Requires = Literal["nothing", "context", "label"]


@dataclass(frozen=True, slots=True)
class PatternDefinition:
    """One written form of an identifier.

    Attributes:
        name: Unique within its file; appears in the evidence.
        regex: Matches normalised text; a group named ``value`` narrows the span.
        score: Confidence of the bare match.
        requires: What must stand beside the match for it to count: ``nothing``, a ``context`` word in reach, or a
            ``label`` directly before it.
        validator: Name of a check in ``validators``; it may refute a match.
        pass_score: Score once the check passed; ``score`` where the file says nothing.
        first_digits: Lengths of the digit run that a match begins with. Lets the cheap scan skip the pattern elsewhere.
        first_letters: ASCII letters that a match may begin with; likewise.
        first_words: Words that a match may begin with; likewise, for matches that begin with Hangul.
        lead: What directly before the match belongs to the value (the region of an old licence plate).
        lead_required: The match counts only with its lead; implied by ``after``.
        behind: What has to stand directly before the match without belonging to the value.
        then: One of these characters stands behind the run of digits or letters that the match begins with; likewise.
        after: One of these characters stands before the match (one space allowed); lets the cheap scan skip the pattern
            elsewhere. How an address is found from its first number.
        ignores_labels: Keeps its score beside the label of another type (an e-mail address is one anywhere).
        labels: The labels that speak for this pattern, in place of those of the file.
    """

    name: str
    regex: str
    score: float
    requires: Requires = "nothing"
    validator: str | None = None
    pass_score: float | None = None
    first_digits: tuple[int, ...] = ()
    first_letters: str = ""
    first_words: tuple[str, ...] = ()
    lead: str | None = None
    lead_required: bool = False
    behind: str | None = None
    after: str = ""
    then: str = ""
    ignores_labels: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContextDefinition:
    """Words that speak for a type.

    Attributes:
        labels: Stand directly before the value, with at most a particle, a separator and an opening mark between.
        words: Count within ``before`` characters ahead of the match or ``after`` characters behind it.
        before: Reach ahead of the match, in characters.
        after: Reach behind the match, in characters.
        boost: Added to the score where a context word was found.
    """

    labels: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    before: int = 32
    after: int = 14
    boost: float = 0.3


@dataclass(frozen=True, slots=True)
class ListDefinition:
    """A file of values that are found as they stand (a staff directory, customers).

    Attributes:
        file: UTF-8 text with a value in each line, or CSV or TSV with a header.
        column: The column of a CSV or TSV file; empty where lines are values.
        score: Confidence of a hit.
    """

    file: Traversable
    column: str = ""
    score: float = 0.9


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what has to be found in it; ``match`` is ``None`` for a counterexample."""

    text: str
    match: str | None = None


@dataclass(frozen=True, slots=True)
class RecognizerDefinition:
    """Everything one TOML file says about one entity type."""

    name: str
    entity_type: str
    korean: str
    legal_class: LegalClass
    patterns: tuple[PatternDefinition, ...]
    context: ContextDefinition
    examples: tuple[Example, ...]
    counterexamples: tuple[Example, ...]
    trusted: bool
    list: ListDefinition | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """The definitions in use and the labels that mark a number as something else (주문번호, 운송장, ISBN)."""

    recognizers: tuple[RecognizerDefinition, ...]
    false_friends: tuple[str, ...]
