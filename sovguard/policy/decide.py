"""What becomes of a request: judged at its destination, and judged again at each destination that it is rerouted to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sovguard.entities import Detection
from sovguard.policy.decision import CIRCLE, UNKNOWN_DESTINATION, Decision, Request
from sovguard.policy.destinations import Destination
from sovguard.policy.judge import Judge
from sovguard.policy.rules import Action, Policy

if TYPE_CHECKING:
    from sovguard.policy.explain import Explanation

_MANY = 1024
"""How many judges are kept."""


class Judges:
    """The judges of one policy, each made when it is first needed.

    Attributes:
        policy: The policy.
        topics: The sensitive topics that its rules are about.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.topics = frozenset(
            topic
            for rule in policy.rules
            for topic in (*rule.topics, *(each[6:] for each in rule.all_of if each.startswith("topic:")))
        )
        self._made: dict[tuple[str, str, str | None, str], Judge] = {}

    def at(self, destination: Destination, purpose: str | None, tenant: str) -> Judge:
        """Return the judge for a destination, a purpose and a tenant."""
        key = (destination.id, destination.region, purpose, tenant)
        judge = self._made.get(key)
        if judge is None:
            if len(self._made) >= _MANY:
                self._made.clear()
            judge = self._made[key] = Judge(self.policy, destination, purpose, tenant)
        return judge

    def decide(
        self,
        request: Request,
        destination: Destination | None,
        *,
        purpose: str | None = None,
        tenant: str = "default",
    ) -> Decision:
        """Return what becomes of a request; one that is rerouted is judged where it goes, as if addressed there.

        Of several targets the first, by their ids, at which it is sent is taken.
        """
        if destination is None:
            count = len(request.detections)
            return Decision(
                "block", None, (Action.BLOCK,) * count, ((UNKNOWN_DESTINATION,),) * count, (UNKNOWN_DESTINATION,),
                dry_run=False,
            )  # fmt: skip
        return self._followed(request, destination, purpose, tenant, ())

    def explain(
        self,
        detections: Sequence[Detection],
        *,
        destination: str,
        topics: Collection[str] = (),
        people: int = 0,
        purpose: str | None = None,
        tenant: str = "default",
    ) -> Explanation:
        """Return what would become of what was found at a destination, why, and what would change that.

        Args:
            detections: What was found; each counts as another value.
            destination: The id of the destination.
            topics: The sensitive topics of the text.
            people: How many people the session has named.
            purpose: What it is for.
            tenant: Whose it is.

        Raises:
            ConfigError: There is no such destination.
        """
        from sovguard.policy.explain import explain

        values = [str(place) for place in range(len(detections))]
        request = Request(detections, values, frozenset(topics), people)
        return explain(
            self, request, self.policy.catalogue.named(destination), purpose=purpose, tenant=tenant
        )

    def _followed(
        self,
        request: Request,
        destination: Destination,
        purpose: str | None,
        tenant: str,
        seen: tuple[str, ...],
    ) -> Decision:
        here = self.at(destination, purpose, tenant).decide(request)
        if here.outcome != "reroute":
            return here
        if destination.id in seen:
            return replace(here, outcome="block", rules=(*here.rules, CIRCLE), reroute_to="")
        refused = None
        for target_id in here.targets:
            target = self.policy.targets[target_id]
            there = self.policy.catalogue.named(target.destination)
            final = self._followed(request, there, purpose, tenant, (*seen, destination.id))
            rules = tuple(sorted({*here.rules, *final.rules}))
            warnings = tuple(sorted({*here.warnings, *final.warnings}))
            final = replace(
                final,
                outcome="reroute" if final.outcome == "send" else final.outcome,
                rules=rules,
                warnings=warnings,
                reroute_to=final.reroute_to or (target_id if final.outcome == "send" else ""),
                came_from=destination,
            )
            if final.outcome != "block":
                return final
            refused = refused or final
        assert refused is not None  # noqa: S101
        return replace(refused, destination=destination, came_from=None)
