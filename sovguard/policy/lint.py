"""What is odd about a policy: rules that never decide, rules that speak against each other, facts that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from sovguard.entities import ENTITY_TYPES, Detection, Evidence
from sovguard.policy.decide import Judges
from sovguard.policy.decision import Request
from sovguard.policy.destinations import UNKNOWN
from sovguard.policy.judge import applies, open_questions
from sovguard.policy.rules import RESIDENT_NUMBERS, Action, Policy, Rule

_EVIDENCE = Evidence("lint")


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something that whoever wrote the policy should look at.

    Attributes:
        kind: ``unreachable``, ``shadowed``, ``contradictory``, ``dead-end``, ``resident-numbers``, ``unknown-type`` or
            ``unknown-fact``.
        about: The rule or destination.
        what: What is odd, and what to do.
    """

    kind: str
    about: str
    what: str


def lint(policy: Policy) -> list[Oddity]:
    """Return everything odd about a policy, the rules first."""
    return [
        *_unreachable(policy),
        *_shadowed(policy),
        *_contradictory(policy),
        *_dead_ends(policy),
        *_resident_numbers(policy),
        *_unknown_types(policy),
        *_unknown_facts(policy),
    ]


def _unreachable(policy: Policy) -> Iterator[Oddity]:
    for rule in policy.rules:
        # What is only ruled out (law_not), or speaks of what is not known, is there for destinations yet to come.
        closed = rule.to and not any(UNKNOWN in values for values in rule.to.values())
        if closed and not any(list(applies(rule, each)) for each in policy.catalogue):
            yield Oddity(
                "unreachable",
                rule.id,
                "no destination in the catalogue is what it asks for; look at its 'to', or add the destination",
            )


def _shadowed(policy: Policy) -> Iterator[Oddity]:
    """Yield rules that nowhere decide anything, because a stricter one always applies too."""
    for rule in policy.rules:
        if rule.depends or not rule.data:
            continue
        mine = replace(rule, purpose=frozenset(), tenant=frozenset())
        others = tuple(
            mine if each.id == rule.id else each
            for each in policy.rules
            # One that holds for some purposes or on some conditions alone leaves room for this one.
            if each.id == rule.id or not (each.depends or each.purpose or each.tenant)
        )
        judges = Judges(replace(policy, rules=others))
        reached = [each for each in policy.catalogue if list(applies(rule, each))]
        types = [name for name in ENTITY_TYPES if rule.about(name)] or sorted(rule.data)
        if reached and not any(
            mine.id in judges.at(each, None, "default").decide(_one(name)).rules
            for each in reached
            for name in types
        ):
            yield Oddity(
                "shadowed",
                rule.id,
                "wherever it applies a stricter rule does too, so that it never decides; take it out, or narrow the other",
            )


def _contradictory(policy: Policy) -> Iterator[Oddity]:
    for one, other in combinations(policy.rules, 2):
        if one.action != other.action and _about(one) == _about(other) and (one.data or one.topics):
            weaker, stricter = sorted((one, other), key=lambda rule: rule.action)
            yield Oddity(
                "contradictory",
                weaker.id,
                f"{stricter.id} says {stricter.action.word} of just the same, and the stricter wins; take one of them out",
            )


def _dead_ends(policy: Policy) -> Iterator[Oddity]:
    judges = Judges(policy)
    for rule in policy.rules:
        if rule.action is not Action.REROUTE:
            continue
        target = policy.catalogue.named(policy.targets[rule.reroute_to].destination)
        types = [name for name in ENTITY_TYPES if rule.about(name)] if rule.data else ["PERSON"]
        for name in types:
            if judges.decide(_one(name), target).outcome == "block":
                yield Oddity(
                    "dead-end",
                    rule.id,
                    f"it reroutes to {target.id}, where {name} is blocked; let that target take it, or block at once",
                )
                break


def _resident_numbers(policy: Policy) -> Iterator[Oddity]:
    for rule in policy.rules:
        if rule.action is Action.ALLOW and not rule.statute:
            for name in sorted(RESIDENT_NUMBERS):
                if rule.about(name):
                    yield Oddity(
                        "resident-numbers",
                        rule.id,
                        f"it lets {name} through among others; they are swapped for surrogates all the same, unless it names a "
                        "statute. Leave them out with except",
                    )


def _unknown_types(policy: Policy) -> Iterator[Oddity]:
    for rule in policy.rules:
        for name in sorted((rule.data | rule.but | rule.all_of) - ENTITY_TYPES.keys()):
            if name.isupper():
                yield Oddity(
                    "unknown-type",
                    rule.id,
                    f"{name} is no type of sovguard's; right if a recognizer of your own finds it, else misspelt",
                )


def _unknown_facts(policy: Policy) -> Iterator[Oddity]:
    for each in policy.catalogue:
        unknown = [] if each.regions else open_questions(policy, each)
        if unknown:
            yield Oddity(
                "unknown-fact",
                each.id,
                f"rules ask for what is not known: {', '.join(unknown)}; find out, if it is used, and add a [[destination]]",
            )


def _one(entity_type: str) -> Request:
    return Request([Detection(entity_type, 0, 1, 1.0, "lint", _EVIDENCE)], ["x"])


def _about(rule: Rule) -> object:
    return (
        rule.data, rule.but, rule.topics, rule.everything, dict(rule.to), dict(rule.to_not), rule.purpose, rule.tenant,
        rule.min_score, rule.more_than, rule.people_over, rule.all_of,
    )  # fmt: skip
