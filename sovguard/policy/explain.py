"""Why a request is sent, rerouted or blocked: the rules that decided, the facts they rest on, and what would change it.

No value is in an explanation: it speaks of types, counts, rules and destinations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sovguard.policy.decide import Judges
from sovguard.policy.decision import DEFAULT, RESIDENT_FLOOR, UNKNOWN_DESTINATION, Decision, Request, counts
from sovguard.policy.destinations import FACTS, Destination, Fact
from sovguard.policy.judge import open_questions
from sovguard.policy.rules import Policy, Rule

_BUILT_IN = {
    DEFAULT: "no rule covers it, and what no rule covers is blocked",
    RESIDENT_FLOOR: "resident numbers never leave as they are unless a rule names the statute that allows it (PIPA Art. 24-2)",
    UNKNOWN_DESTINATION: "the address is no destination that the policy knows, and nothing is sent to such",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that decided something.

    Attributes:
        rule: Its id.
        action: What it asks for, in a word.
        why: Why, in the policy's words.
        law: The articles that it names.
        rests_on: The facts of the destination that it looked at, by name.
    """

    rule: str
    action: str
    why: str
    law: tuple[str, ...]
    rests_on: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What becomes of a request, and why.

    Attributes:
        decision: What was decided.
        counts: How many different values of each type have which action.
        reasons: The rules that decided, in alphabetical order.
        facts: What is known of the destination.
        without: The rules without any one of which the outcome would be another, and that outcome.
        elsewhere: The destinations to which it would be sent under this policy.
        unknown: Facts that are not known and that a rule looked at: knowing them could change the outcome.
    """

    decision: Decision
    counts: Mapping[str, Mapping[str, int]]
    reasons: tuple[Reason, ...]
    facts: Mapping[str, Fact]
    without: Mapping[str, str]
    elsewhere: tuple[str, ...]
    unknown: tuple[str, ...]


def explain(
    judges: Judges,
    request: Request,
    destination: Destination | None,
    *,
    purpose: str | None = None,
    tenant: str = "default",
) -> Explanation:
    """Return what becomes of a request at a destination, and why."""
    policy = judges.policy
    decision = judges.decide(request, destination, purpose=purpose, tenant=tenant)
    at = decision.came_from or decision.destination
    rules = {rule.id: rule for rule in policy.rules}
    reasons = tuple(_reason(name, rules.get(name), at) for name in decision.rules)
    without = {}
    for name in decision.rules if destination is not None else ():
        if name in rules:
            other = Judges(_less(policy, name)).decide(request, destination, purpose=purpose, tenant=tenant)
            if _outcome(other) != _outcome(decision):
                without[name] = _said(other)
    elsewhere = tuple(
        sorted(
            each.id
            for each in policy.catalogue
            if judges.decide(request, each, purpose=purpose, tenant=tenant).outcome == "send"
        )
    )
    unknown = [] if at is None else open_questions(policy, at)
    return Explanation(
        decision,
        counts(request.detections, request.values, decision.actions),
        reasons,
        {} if at is None else {name: at.fact(name) for name in FACTS},
        without,
        elsewhere,
        tuple(unknown),
    )


def _less(policy: Policy, rule_id: str) -> Policy:
    return replace(policy, rules=tuple(rule for rule in policy.rules if rule.id != rule_id))


def _outcome(decision: Decision) -> object:
    blocked = decision.outcome == "block"
    return decision.outcome, None if blocked else (decision.destination, decision.actions)


def _said(decision: Decision) -> str:
    where = "" if decision.destination is None else f" to {decision.destination.id}"
    actions = ", ".join(sorted({action.word for action in decision.actions}))
    return {"send": "sent", "reroute": "rerouted", "block": "blocked"}[decision.outcome] + (
        f"{where}: {actions or 'nothing to do'}" if decision.outcome != "block" else ""
    )


def _reason(name: str, rule: Rule | None, at: Destination | None) -> Reason:
    if rule is None:
        return Reason(
            name, "block" if name != RESIDENT_FLOOR else "tokenize", _BUILT_IN.get(name, ""), (), {}
        )
    looked_at = {} if at is None else {key: at.fact(key) for key in (*rule.to, *rule.to_not) if key in FACTS}
    if at is not None:
        looked_at |= {key: Fact(at.value(key)) for key in (*rule.to, *rule.to_not) if key not in FACTS}
    return Reason(name, rule.action.word, rule.why, rule.law, looked_at)
