"""What policies decide: the shipped profiles against a table worked out by hand, and properties of any policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard.entities import ENTITY_TYPES, Detection, Evidence
from sovguard.policy import PROFILES, Action, Judges, Policy, Request, Rule, Target, load
from sovguard.policy.decision import DEFAULT, RESIDENT_FLOOR
from tests.policy.places import CATALOGUE

TABLE = Path(__file__).resolve().parents[1] / "data" / "policy-decisions.txt"
HOLDS: dict[str, tuple[tuple[str, ...], frozenset[str]]] = {
    "name": (("PERSON",), frozenset()),
    "phone": (("PHONE_NUMBER",), frozenset()),
    "rrn": (("KR_RRN",), frozenset()),
    "account": (("KR_BANK_ACCOUNT",), frozenset()),
    "both": (("PERSON", "KR_BANK_ACCOUNT"), frozenset()),
    "health": (("PERSON",), frozenset({"health"})),
    "patient": (("PERSON", "DATE_OF_BIRTH"), frozenset({"health"})),
    "nothing": ((), frozenset()),
}
EVIDENCE = Evidence("test")


def request(
    *types: str, topics: frozenset[str] = frozenset(), people: int = 0, score: float = 1.0
) -> Request:
    """A request with one value of each type."""
    hits = [Detection(name, 0, 1, score, "test", EVIDENCE) for name in types]
    return Request(hits, [str(place) for place in range(len(hits))], topics, people)


def table() -> Iterator[tuple[str, str, str, str]]:
    """Each cell: profile, destination, what the request holds, and what becomes of it."""
    profile, columns = "", list[str]()
    for line in TABLE.read_text("utf-8").splitlines():
        words = line.split()
        if not words or words[0] == "#":
            continue
        if words[1] == "name":
            profile, columns = words[0], words[1:]
            continue
        for column, cell in zip(columns, words[1:], strict=True):
            yield profile, words[0], column, cell


CELLS = list(table())


def test_the_table_is_whole() -> None:
    """Every profile at every destination with everything a request can hold: at least 300 cases."""
    assert len(CELLS) >= 300
    assert len(set(CELLS)) == len(CELLS)
    assert {profile for profile, *_ in CELLS} == set(PROFILES)
    places = {each.id for each in CATALOGUE} | {"none"}
    assert {(p, d, c) for p, d, c, _ in CELLS} == {(p, d, c) for p in PROFILES for d in places for c in HOLDS}


@pytest.mark.usefixtures("own_catalogue")
@pytest.mark.parametrize("profile", PROFILES)
def test_profiles_decide_as_the_table_says(profile: str) -> None:
    """To the last cell."""
    judges = Judges(load(profile))
    wrong = []
    for _, place, column, cell in (each for each in CELLS if each[0] == profile):
        types, topics = HOLDS[column]
        destination = None if place == "none" else CATALOGUE.named(place)
        decision = judges.decide(request(*types, topics=topics), destination)
        if decision.outcome == "block":
            said = "X"
        elif not types:
            said = "-"
        else:
            said = {Action.TOKENIZE: "T", Action.REMOVE: "R", Action.MASK: "M", Action.ALLOW: "A"}[
                decision.actions[0]
            ]
            said = "W" if decision.warnings and said == "T" else said
        if said != cell:
            wrong.append((place, column, cell, said, decision.rules))
    assert wrong == []


@pytest.mark.usefixtures("own_catalogue")
@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_says_why(profile: str) -> None:
    """Each rule names its reason in two languages; resident numbers are never sent as they are; nothing is odd about it."""
    from sovguard.policy.lint import lint

    policy = load(profile)
    for rule in policy.rules:
        assert rule.why
        assert rule.why_ko
        assert rule.action is not Action.ALLOW
    assert [odd for odd in lint(policy) if odd.kind not in ("unknown-fact", "shadowed")] == []


TYPES = ("PERSON", "KR_RRN", "KR_BANK_ACCOUNT", "PHONE_NUMBER")
NAMES = (*TYPES, "unique_identifier", "financial", "contact", "*")
LAWS = ("KR", "US", "CN", "own", "unknown")
SETS = st.frozensets(st.sampled_from(NAMES), min_size=1, max_size=3)


@st.composite
def a_rule(draw: st.DrawFn, name: str = "r") -> Rule:
    """A rule of any kind."""
    conditions = {"jurisdiction": draw(st.frozensets(st.sampled_from(LAWS), min_size=1))}
    to, to_not = draw(st.sampled_from([({}, {}), (conditions, {}), ({}, conditions)]))
    common = {"id": name, "to": to, "to_not": to_not}
    kind = draw(st.sampled_from(["data", "topics", "everything", "together", "people"]))
    strict = draw(st.sampled_from([Action.REROUTE, Action.BLOCK]))
    if kind == "data":
        return Rule(
            action=draw(st.sampled_from([a for a in Action if a is not Action.WARN])),
            data=draw(SETS),
            but=draw(st.sampled_from([frozenset[str](), frozenset({"KR_RRN"})])),
            min_score=draw(st.sampled_from([0.0, 0.5, 0.9])),
            more_than=draw(st.sampled_from([0, 1, 2])),
            topics=draw(st.sampled_from([frozenset[str](), frozenset({"health"})])),
            statute=draw(st.sampled_from(["", "some law"])),
            reroute_to="t",
            **common,
        )
    if kind == "topics":
        return Rule(action=strict, topics=frozenset({"health"}), reroute_to="t", **common)
    if kind == "everything":
        return Rule(action=strict, everything=True, reroute_to="t", **common)
    if kind == "people":
        return Rule(action=strict, people_over=draw(st.integers(1, 4)), reroute_to="t", **common)
    together = frozenset({"PERSON", draw(st.sampled_from(["KR_RRN", "topic:health", "financial"]))})
    action = draw(st.sampled_from([Action.TOKENIZE, Action.MASK, Action.REMOVE, strict]))
    return Rule(action=action, all_of=together, reroute_to="t", **common)


@st.composite
def a_policy(draw: st.DrawFn) -> Policy:
    """A policy of up to five rules, which reroutes to a destination that may refuse."""
    rules = tuple(draw(a_rule(name)) for name in "abcde"[: draw(st.integers(0, 5))])
    there = draw(st.sampled_from(["own", "kr", "us"]))
    return Policy(
        "p", rules, CATALOGUE, {"t": Target("t", there, "http://localhost/", "openai-chat")}, False, ""
    )


@st.composite
def a_request(draw: st.DrawFn) -> Request:
    """A request with some values."""
    hits = [
        Detection(name, 0, 1, draw(st.sampled_from([0.3, 0.6, 1.0])), "test", EVIDENCE)
        for name in draw(st.lists(st.sampled_from(TYPES), max_size=5))
    ]
    values = [draw(st.sampled_from("xyz")) for _ in hits]
    topics = draw(st.sampled_from([frozenset[str](), frozenset({"health"})]))
    return Request(hits, values, topics, draw(st.integers(0, 5)))


PLACES = st.sampled_from([each.id for each in CATALOGUE])


def holds(rule: Rule, request: Request, place: str) -> list[bool]:
    """Whether a rule applies to each value of a request and, last, to the request as such: told one by one, from its words."""
    law = CATALOGUE.named(place).value("jurisdiction")
    here = all(law in wanted or law == "unknown" for wanted in rule.to.values())
    here = here and not any(law in unwanted for unwanted in rule.to_not.values())
    names = {hit.entity_type for hit in request.detections}
    names |= {ENTITY_TYPES[name].legal_class.value for name in names} | {f"topic:{t}" for t in request.topics}
    here = here and (not rule.topics or bool(rule.topics & request.topics))
    here = here and rule.all_of <= names and (not rule.people_over or request.people > rule.people_over)
    about = [
        bool(
            {hit.entity_type, ENTITY_TYPES[hit.entity_type].legal_class.value, "*"}
            & (rule.data or rule.all_of)
        )
        and hit.entity_type not in rule.but
        and hit.score >= rule.min_score
        for hit in request.detections
    ]
    if rule.more_than:
        counted = {
            (hit.entity_type, value)
            for hit, value, each in zip(request.detections, request.values, about, strict=True)
            if each
        }
        here = here and len(counted) > rule.more_than
    return [*(here and each for each in about), here and not rule.data]


@given(a_policy(), a_rule("new"), a_request(), PLACES)
def test_a_rule_is_a_floor(policy: Policy, rule: Rule, request: Request, place: str) -> None:
    """Whatever else a policy says, what it decides with one more rule is never weaker than that rule where it applies."""
    more = Policy(policy.name, (*policy.rules, rule), CATALOGUE, policy.targets, False, "")
    decision = Judges(more).decide(request, CATALOGUE.named(place))
    *values, whole = holds(rule, request, place)
    if rule.action in (Action.REROUTE, Action.BLOCK):
        if any(values) or whole:
            assert decision.outcome != "send"
            assert rule.action is not Action.BLOCK or decision.outcome == "block"
    elif decision.outcome == "send":
        for applies, action in zip(values, decision.actions, strict=True):
            assert not applies or action >= rule.action


@given(a_policy(), a_request(), PLACES, st.randoms(use_true_random=False))
def test_order_does_not_matter(policy: Policy, request: Request, place: str, random: object) -> None:
    """Shuffled, the rules decide the same."""
    shuffled = list(policy.rules)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    other = Policy(policy.name, tuple(shuffled), CATALOGUE, policy.targets, False, "")
    one, two = (Judges(each).decide(request, CATALOGUE.named(place)) for each in (policy, other))
    assert (one.outcome, one.actions, one.rules, one.warnings) == (
        two.outcome,
        two.actions,
        two.rules,
        two.warnings,
    )


@given(a_policy(), a_request(), PLACES)
def test_what_is_rerouted_is_judged_where_it_goes(policy: Policy, request: Request, place: str) -> None:
    """It is sent to its target with just what a request that was addressed there gets, and blocked if that would be."""
    judges = Judges(policy)
    decision = judges.decide(request, CATALOGUE.named(place))
    if decision.outcome == "reroute":
        assert decision.destination is not None
        assert decision.came_from == CATALOGUE.named(place)
        direct = judges.decide(request, CATALOGUE.named(policy.targets[decision.reroute_to].destination))
        assert (direct.outcome, direct.actions) == ("send", decision.actions)


@given(a_policy(), a_request(), PLACES)
def test_what_no_rule_covers_is_blocked_and_resident_numbers_have_a_floor(
    policy: Policy, request: Request, place: str
) -> None:
    """A value is sent only under a rule that surely applies to it, and a resident number never as it is without a statute."""
    decision = Judges(policy).decide(request, CATALOGUE.named(place))
    if decision.outcome != "send":
        return
    law = CATALOGUE.named(place).value("jurisdiction")
    sure = [rule for rule in policy.rules if all(law in wanted for wanted in rule.to.values())]
    for number, hit in enumerate(request.detections):
        covering = [rule for rule in sure if holds(rule, request, place)[number]]
        assert covering
        assert DEFAULT not in decision.deciding[number]
        if hit.entity_type == "KR_RRN" and decision.actions[number] is Action.ALLOW:
            assert any(rule.statute for rule in covering)
        if decision.deciding[number] == (RESIDENT_FLOOR,):
            assert decision.actions[number] is Action.TOKENIZE


@given(a_policy(), a_request(), PLACES)
def test_a_dry_run_changes_nothing_but_what_is_done(policy: Policy, request: Request, place: str) -> None:
    """It says what the policy says, and does what no policy does: everything swapped, everything sent where it was to go."""
    dry = Policy(policy.name, policy.rules, CATALOGUE, policy.targets, True, "")
    wet, said = (Judges(each).decide(request, CATALOGUE.named(place)) for each in (policy, dry))
    assert (wet.outcome, wet.actions, wet.rules) == (said.outcome, said.actions, said.rules)
    done = said.enforced()
    assert (done.outcome, done.destination) == ("send", CATALOGUE.named(place))
    assert set(done.actions) <= {Action.TOKENIZE}
    assert wet.enforced() is wet
