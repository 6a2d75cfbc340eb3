"""What cannot be undone, done to texts before surrogates are: values that a policy masks or removes."""

from __future__ import annotations

from collections.abc import Sequence

from sovguard.entities import Detection
from sovguard.errors import DetectionError
from sovguard.policy.rules import Action

LIVE = "surrogate of the session"
"""The recognizer of a detection that is a surrogate already."""


def applied(
    texts: list[str],
    found: list[list[Detection]],
    people: list[list[str]],
    actions: Sequence[Sequence[Action]],
) -> tuple[list[str], list[list[Detection]], list[list[str]]]:
    """Return texts after masks and removals, and the detections that are left to be swapped, in their new places.

    Args:
        texts: The texts of one request.
        found: What was found in each, in order and without overlap.
        people: Whom each detection names.
        actions: What becomes of each.
    """
    live = any(hit.recognizer == LIVE for each in found for hit in each)
    if not live and all(action is Action.TOKENIZE for each in actions for action in each):
        return texts, found, people
    triples = [_one(*each) for each in zip(texts, found, people, actions, strict=True)]
    return [each[0] for each in triples], [each[1] for each in triples], [each[2] for each in triples]


def _one(
    text: str, hits: Sequence[Detection], people: Sequence[str], actions: Sequence[Action]
) -> tuple[str, list[Detection], list[str]]:
    from sovguard.irreversible import mask, remove

    parts: list[str] = []
    kept: list[Detection] = []
    who: list[str] = []
    position = shift = 0
    for hit, name, action in zip(hits, people, actions, strict=True):
        if hit.start < position:
            raise DetectionError(
                "detections overlap, so that what is masked would leave a rest; nothing was sent"
            )
        if hit.recognizer == LIVE:
            # A surrogate already: it stays one, unless not even that may be there.
            if action in (Action.MASK, Action.REMOVE):
                parts += (text[position : hit.start], remove("", hit.entity_type))
                shift += len(parts[-1]) - (hit.end - hit.start)
                position = hit.end
            continue
        if action in (Action.MASK, Action.REMOVE):
            written = (mask if action is Action.MASK else remove)(text[hit.start : hit.end], hit.entity_type)
            parts += (text[position : hit.start], written)
            shift += len(written) - (hit.end - hit.start)
            position = hit.end
        elif action is not Action.ALLOW:
            start, end = hit.start + shift, hit.end + shift
            kept.append(Detection(hit.entity_type, start, end, hit.score, hit.recognizer, hit.evidence))
            who.append(name)
    parts.append(text[position:])
    return "".join(parts), kept, who
