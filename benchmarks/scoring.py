"""Scores an engine's spans against the annotated ones: pure functions, no engine and no file.

What each number means is written in METHODOLOGY.md. In short: a *leak* is an annotated span of which at
least one character that is not a space is covered by no predicted span of any type; a *false span* is a
prediction that overlaps no annotated span of any type, whether that type is scored or not.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

Span = tuple[int, int, str]

ALL = "all"


@dataclass(frozen=True, slots=True)
class Document:
    """One annotated text."""

    id: str
    genre: str
    text: str
    spans: tuple[Span, ...]


@dataclass(slots=True)
class Counts:
    """What was counted for one type, or for all together.

    Attributes:
        gold: Annotated spans.
        leaked: Of these, with an uncovered character.
        missed: Of these, overlapped by no prediction at all.
        predicted: Predicted spans that count for precision.
        strict: Predictions with the start, end and type of an annotated span.
        bare_gold: Distinct annotated (start, end).
        bare_found: Of these, the ones some prediction, of whatever type, has exactly.
        bare_predicted: Distinct predicted (start, end).
        bare_right: Of these, the ones some annotated span, of whatever type, has exactly.
        false: Predicted spans that overlap nothing annotated.
    """

    gold: int = 0
    leaked: int = 0
    missed: int = 0
    predicted: int = 0
    strict: int = 0
    bare_gold: int = 0
    bare_found: int = 0
    bare_predicted: int = 0
    bare_right: int = 0
    false: int = 0


@dataclass(frozen=True, slots=True)
class Mistake:
    """One leak or one false span, for a developer's eye."""

    kind: str
    document: str
    entity_type: str
    start: int
    end: int


@dataclass(slots=True)
class Score:
    """The counts of every type and of all, over how many characters, and every mistake."""

    characters: int = 0
    counts: dict[str, Counts] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def of(self, entity_type: str) -> Counts:
        """The counts of a type, begun at nought."""
        return self.counts.setdefault(entity_type, Counts())


def wilson(hits: int, total: int, z: float = 1.959964) -> tuple[float, float] | None:
    """The 95 % interval of a share by Wilson's formula, or ``None`` for no trials."""
    if total == 0:
        return None
    share = hits / total
    middle = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def share(hits: int, total: int) -> float | None:
    """``hits / total``, or ``None`` for no trials."""
    return hits / total if total else None


def f1(precision: float | None, recall: float | None) -> float | None:
    """The harmonic mean, or ``None`` where there was neither anything to find nor anything found."""
    if precision is None and recall is None:
        return None
    if not precision or not recall:
        return 0.0
    return 2 * precision * recall / (precision + recall)


def is_covered(text: str, start: int, end: int, predicted: Iterable[Span]) -> bool:
    """Whether every character of ``text[start:end]`` that is not a space lies in a predicted span."""
    touching = [(left, right) for left, right, _ in predicted if left < end and right > start]
    return all(
        text[at].isspace() or any(left <= at < right for left, right in touching) for at in range(start, end)
    )


def overlaps(span: Span, others: Iterable[Span]) -> bool:
    """Whether a span shares a character with any of the others."""
    return any(span[0] < right and span[1] > left for left, right, _ in others)


def score(
    documents: Sequence[Document],
    predictions: Sequence[Sequence[Span]],
    *,
    types: Collection[str] | None = None,
    exclude: Collection[str] = (),
) -> Score:
    """The score of one engine.

    Args:
        documents: The annotated corpus.
        predictions: The engine's spans for each document, in types of this project.
        types: Types to score; ``None`` for all of them.
        exclude: Types not to score. Predictions of these types are dropped before anything is counted, so
            they cover nothing. Annotated spans of a type that is not scored are neutral ground: they cannot
            leak, a prediction over them is not false, and one that touches nothing else counts neither for
            nor against precision.
    """
    result = Score(characters=sum(len(document.text) for document in documents))
    result.of(ALL)
    for document, raw in zip(documents, predictions, strict=True):
        predicted = sorted({span for span in raw if span[2] not in exclude})
        scored = [span for span in document.spans if _is_scored(span[2], types, exclude)]
        _score_gold(result, document, scored, predicted)
        _score_predicted(result, document, scored, predicted, types)
    return result


def _is_scored(entity_type: str, types: Collection[str] | None, exclude: Collection[str]) -> bool:
    return entity_type not in exclude and (types is None or entity_type in types)


def _score_gold(result: Score, document: Document, scored: list[Span], predicted: list[Span]) -> None:
    for span in scored:
        start, end, entity_type = span
        leaked = not is_covered(document.text, start, end, predicted)
        missed = not overlaps(span, predicted)
        for counts in (result.of(entity_type), result.of(ALL)):
            counts.gold += 1
            counts.leaked += leaked
            counts.missed += missed
        if leaked:
            kind = "missed" if missed else "leaked"
            result.mistakes.append(Mistake(kind, document.id, entity_type, start, end))


def _score_predicted(
    result: Score,
    document: Document,
    scored: list[Span],
    predicted: list[Span],
    types: Collection[str] | None,
) -> None:
    gold = set(scored)
    counting: list[Span] = []
    false: list[Span] = []
    for span in predicted:
        if not overlaps(span, document.spans):
            # Asked about some types only, a false span of another type says nothing about these.
            if types is None or span[2] in types:
                false.append(span)
                counting.append(span)
        elif overlaps(span, scored):
            counting.append(span)
    for span in counting:
        for counts in (result.of(span[2]), result.of(ALL)):
            counts.predicted += 1
            counts.strict += span in gold
    gold_bounds, predicted_bounds = _bounds(scored), _bounds(counting)
    for entity_type in sorted({span[2] for span in (*scored, *counting)}):
        of_type = _bounds(span for span in scored if span[2] == entity_type)
        said_type = _bounds(span for span in counting if span[2] == entity_type)
        _count_bare(result.of(entity_type), of_type, predicted_bounds, said_type, gold_bounds)
    _count_bare(result.of(ALL), gold_bounds, predicted_bounds, predicted_bounds, gold_bounds)
    for span in false:
        result.of(span[2]).false += 1
        result.mistakes.append(Mistake("false", document.id, span[2], span[0], span[1]))
    result.of(ALL).false += len(_bounds(false))


def _bounds(spans: Iterable[Span]) -> set[tuple[int, int]]:
    return {(start, end) for start, end, _ in spans}


def _count_bare(
    counts: Counts,
    gold: set[tuple[int, int]],
    any_predicted: set[tuple[int, int]],
    predicted: set[tuple[int, int]],
    any_gold: set[tuple[int, int]],
) -> None:
    counts.bare_gold += len(gold)
    counts.bare_found += len(gold & any_predicted)
    counts.bare_predicted += len(predicted)
    counts.bare_right += len(predicted & any_gold)
