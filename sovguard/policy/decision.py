"""What a policy looks at, and what it says: no text, and no value in what it says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sovguard.entities import Detection
from sovguard.policy.destinations import Destination
from sovguard.policy.rules import Action

Outcome = Literal["send", "reroute", "block"]
DEFAULT = "default"
"""In place of a rule's id: no rule covers the value, so that it is blocked."""
UNKNOWN_DESTINATION = "unknown-destination"
RESIDENT_FLOOR = "resident-numbers-need-a-statute"
CIRCLE = "rerouted-in-a-circle"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with a request. No value is in it.

    Attributes:
        outcome: Whether it is sent to its destination, to another one, or not at all.
        destination: Where it goes; ``None`` if where it would go is no destination.
        actions: What becomes of each value, in the order in which they were given.
        deciding: For each value, the rules that decided.
        rules: Every rule that decided anything, in alphabetical order.
        warnings: Topics that were warned of.
        reroute_to: The target, if it was rerouted.
        targets: Every target that a rule would reroute it to, in alphabetical order.
        came_from: The destination that it was addressed to, if it was rerouted.
        dry_run: Whether this is only recorded; values are swapped for surrogates then, and all is sent.
    """

    outcome: Outcome
    destination: Destination | None
    actions: tuple[Action, ...] = ()
    deciding: tuple[tuple[str, ...], ...] = ()
    rules: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reroute_to: str = ""
    targets: tuple[str, ...] = ()
    came_from: Destination | None = None
    dry_run: bool = False

    def enforced(self) -> Decision:
        """Return what is done: in a dry run, everything is swapped for surrogates and sent."""
        if not self.dry_run:
            return self
        there = self.came_from if self.came_from is not None else self.destination
        tokenized = (Action.TOKENIZE,) * len(self.actions)
        return replace(
            self, outcome="send", destination=there, actions=tokenized, reroute_to="", came_from=None
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What a policy looks at.

    Attributes:
        detections: What was found in all of its texts.
        values: The value of each, to tell how many different ones there are.
        topics: The sensitive topics of its texts.
        people: How many people the session has named with it.
    """

    detections: Sequence[Detection] = ()
    values: Sequence[str] = ()
    topics: frozenset[str] = frozenset()
    people: int = 0

    def __repr__(self) -> str:
        return f"Request({len(self.detections)} detections, {len(self.topics)} topics)"


def counts(
    detections: Iterable[Detection], values: Iterable[str], actions: Iterable[Action]
) -> Mapping[str, Mapping[str, int]]:
    """Return how many different values of each type had which action, as a ledger keeps it."""
    different: Collection[tuple[str, str, str]] = {
        (hit.entity_type, action.word, value)
        for hit, value, action in zip(detections, values, actions, strict=True)
    }
    found: dict[str, dict[str, int]] = {}
    for entity_type, word, _ in sorted(different):
        of_type = found.setdefault(entity_type, {})
        of_type[word] = of_type.get(word, 0) + 1
    return found
