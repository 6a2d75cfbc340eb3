from __future__ import annotations

import gc
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard.reports import summarize, to_json
from sovguard.reports.reading import OUTCOMES
from sovguard.reports.rows import Answered, Group, InForce, Stopped, Waited, Warned
from tests.reports.records import (
    BY_HAND,
    CLOVA,
    DAY,
    OPENAI,
    OWN,
    SEOUL,
    START,
    Record,
    answer,
    made_up,
    place,
    request,
)


def test_the_small_set_in_numbers() -> None:
    """Seven requests worked out by hand: outcomes, sessions, what could not be read and what else there was."""
    got = summarize(iter(BY_HAND))
    assert (got.requests, got.sessions, got.sessions_exact) == (7, 6, True)
    assert got.outcomes == {"send": 2, "reroute": 1, "dry_run": 1, "block": 2, "refused": 1}
    assert (got.first, got.last, got.unit) == (START, START + 5 * DAY, "day")
    assert got.others == {"recovered": 1, "vault": 1}
    assert (got.unreadable, got.unmatched) == (1, 1)
    assert repr(got) == "Summary(7 requests, 3 flows)"


def test_flows_are_of_what_left() -> None:
    """Provider, law, region, and the values by type, class and action; what was stopped is in none."""
    flows = {each.provider: each for each in summarize(BY_HAND).flows}
    assert set(flows) == {"openai", "naver", "aws"}
    to_openai = flows["openai"]
    assert (to_openai.jurisdiction, to_openai.region, to_openai.side, to_openai.requests) == (
        "US",
        "US",
        "abroad",
        2,
    )
    assert to_openai.values == {"KR_BRN": {"allow": 1}, "KR_RRN": {"remove": 1}, "PERSON": {"tokenize": 2}}
    assert to_openai.classes == {"identity": {"allow": 1, "tokenize": 2}, "unique_identifier": {"remove": 1}}
    assert (flows["naver"].side, flows["naver"].requests, flows["naver"].dry_run) == ("home", 1, 0)


def test_a_dry_run_went_where_it_was_first_to_go_with_surrogates() -> None:
    """Whatever the policy said: that is told apart, and a region in Korea under foreign law is abroad."""
    got = summarize(BY_HAND)
    (flow,) = [each for each in got.flows if each.provider == "aws"]
    assert (flow.region, flow.side, flow.requests, flow.dry_run) == ("KR", "abroad", 1, 1)
    assert flow.values == {"KR_RRN": {"tokenize": 3}}
    assert (got.dry_run.requests, got.dry_run.outcomes) == (1, {"reroute": 1})
    assert got.dry_run.stopped == (Stopped("reroute", "r/keep", "bedrock-seoul", "", 1),)


def test_what_was_stopped_by_rule_and_destination() -> None:
    """A request that two rules decided is in two rows; one that was refused has its reason."""
    assert set(summarize(BY_HAND).stopped) == {
        Stopped("block", "r/a", "openai", "", 1),
        Stopped("block", "r/b", "openai", "", 1),
        Stopped("block", "unknown-destination", "(unlisted)", "", 1),
        Stopped("refused", "egress", "openai", "", 1),
        Stopped("reroute", "r/keep", "openai", "clova", 1),
    }


def test_a_rule_that_lets_requests_go_stopped_none() -> None:
    """Under the same policy; alone it is told all the same, since something has to be."""
    both = request(2, START, OPENAI, outcome="block", rules=["r/tokenize", "r/block"])
    alone = request(3, START, CLOVA, outcome="block", rules=["r/tokenize"])
    elsewhere = request(
        4, START, OPENAI, outcome="block", rules=["r/tokenize"], policy={"name": "o", "digest": "e"}
    )
    got = summarize([both, alone, elsewhere, request(1, START, OPENAI, rules=["r/tokenize"])])
    assert set(got.stopped) == {
        Stopped("block", "r/block", "openai", "", 1),
        Stopped("block", "r/tokenize", "clova", "", 1),
        Stopped("block", "r/tokenize", "openai", "", 1),
    }


def test_answers_belong_to_the_request_of_their_writer() -> None:
    """Their rates and times are those of its destination and model; an answer of another writer is nobody's."""
    got = summarize(BY_HAND)
    assert got.answered == (Answered("openai", "m-1", 2, 1, 5, 1),)
    assert got.answered[0].rate == pytest.approx(1 / 6)
    (waited,) = got.waited
    assert (waited.destination, waited.answers, waited.greatest) == ("openai", 2, 300.0)
    assert waited.p50 == pytest.approx(100, rel=0.025)
    assert waited.p99 == pytest.approx(300, rel=0.025)


def test_tenants_purposes_topics_and_what_was_in_force() -> None:
    """Each with its counts; a purpose that nobody named is one of its own."""
    got = summarize(BY_HAND)
    assert got.tenants == (
        Group("은행", {"send": 2, "reroute": 1, "dry_run": 1, "block": 1, "refused": 1}, 3, 8),
        Group("병원", {"send": 0, "reroute": 0, "dry_run": 0, "block": 1, "refused": 0}, 0, 0),
    )
    assert [(each.name, sum(each.outcomes.values())) for each in got.purposes] == [("상담 요약", 6), ("", 1)]
    assert got.warnings == (Warned("health", 1, 1),)
    assert got.policies == (InForce(("kr-pipa", "d" * 64), START, START + 5 * DAY, 7),)
    assert got.detectors == (InForce(("0.1.0", "full", "a" * 64), START, START + 5 * DAY, 7),)


def test_values_that_did_not_leave_are_told_apart() -> None:
    """By type: what became of those that left, and how many were held back."""
    found = {each.entity_type: (dict(each.sent), each.held) for each in summarize(BY_HAND).found}
    assert found == {
        "CREDIT_CARD": ({}, 4),
        "KR_BRN": ({"allow": 1}, 0),
        "KR_RRN": ({"remove": 1, "tokenize": 3}, 0),
        "PERSON": ({"tokenize": 3}, 1),
    }


def test_notices_have_what_the_law_asks_for() -> None:
    """Of each recipient abroad: who, where, what, when, what for and how long; what was removed was not transferred."""
    openai, seoul = summarize(BY_HAND).notices
    assert (openai.place.legal_entity, openai.place.jurisdiction) == ("OpenAI OpCo, LLC", "US")
    assert openai.items == {"KR_BRN": {"allow": 1}, "PERSON": {"tokenize": 2}}
    assert openai.purposes == {"상담 요약": 1, "": 1}
    assert (openai.requests, openai.first, openai.last) == (2, START, START + 1)
    assert openai.missing == ("purpose", "contact", "refusal")
    assert (seoul.place.id, seoul.abroad, seoul.missing) == (
        "bedrock-seoul",
        ("jurisdiction",),
        ("contact", "refusal"),
    )


def test_what_is_not_known_is_abroad_and_to_be_found_out() -> None:
    """A destination in no catalogue gets a notice that asks for everything; one's own machines and Korea get none."""
    records = [request(1, START, None), request(2, START, OWN), request(3, START, CLOVA)]
    (notice,) = summarize(records).notices
    assert notice.missing == (
        "legal_entity", "jurisdiction", "inference_region", "storage_region", "retention", "contact", "refusal",
    )  # fmt: skip
    kept_abroad = place("x", "x", "엑스 주식회사", "KR", "KR", storage_region="JP")
    (notice,) = summarize([request(1, START, kept_abroad)]).notices
    assert notice.abroad == ("storage_region",)


def test_a_period_has_its_beginning_and_not_its_end() -> None:
    """Answers to requests outside it do not count, and are not called unmatched either."""
    got = summarize(BY_HAND[:6], since_ms=START + DAY, until_ms=START + DAY + 1)
    assert (got.requests, got.outcomes["reroute"], got.answered, got.unmatched) == (1, 1, (), 1)
    assert (got.since, got.until) == (START + DAY, START + DAY + 1)


def test_days_begin_in_korea() -> None:
    """Unless another offset is asked for."""
    records = [request(1, START - 1, OWN), request(2, START, OWN), request(3, START + 80 * DAY, OWN)]
    assert [each.name for each in summarize(records).timeline][:2] == ["2026-08-31", "2026-09-01"]
    assert summarize(records, offset_minutes=0).timeline[0].outcomes == {"send": 2}


@pytest.mark.parametrize(
    ("days", "unit", "bins", "first"),
    [
        (1, "hour", 25, "2026-09-01 00:00"),
        (4, "day", 5, "2026-09-01"),
        (400, "month", 14, "2026-09"),
        (9000, "year", 26, "2026"),
    ],
)
def test_the_timeline_tells_a_period_in_the_unit_that_fits(
    days: int, unit: str, bins: int, first: str
) -> None:
    """And loses no request when it goes over to the next, in whatever order the requests come."""
    records = [request(1, START + days * DAY, OWN), *(request(n, START + n, OWN) for n in range(2, 9))]
    got = summarize(records)
    assert (got.unit, len(got.timeline), got.timeline[0].name) == (unit, bins, first)
    assert sum(each.outcomes.get("send", 0) for each in got.timeline) == 8


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.text(max_size=3), max_size=2)
)


@given(
    st.lists(
        st.builds(
            lambda base, key, value: base | {key: value},
            st.sampled_from(BY_HAND),
            st.sampled_from(sorted({key for each in BY_HAND for key in each})),
            st.one_of(ODD, st.dictionaries(st.text(max_size=5), ODD, max_size=3)),
        ),
        max_size=30,
    )
)
def test_any_record_is_counted_once(records: list[Record]) -> None:
    """Whatever is wrong with one: outcomes, tenants, purposes, timeline and the rest add up to what was read."""
    got = summarize(records)
    answers = sum(each.answers for each in got.answered)
    kinds = [each.get("kind") for each in records]
    assert got.requests + got.unreadable == kinds.count("request")
    assert sum(got.others.values()) == len(kinds) - kinds.count("request") - kinds.count("answer")
    assert answers + got.unmatched == kinds.count("answer")
    for total in (
        got.outcomes.values(),
        *(
            (sum(each.outcomes.values()) for each in rows)
            for rows in (got.tenants, got.purposes, got.timeline)
        ),
    ):
        assert sum(total) == got.requests
    left = got.outcomes["send"] + got.outcomes["reroute"] + got.outcomes["dry_run"]
    assert sum(each.requests for each in got.flows) == left
    assert sum(sum(each.providers.values()) for each in got.timeline) == left
    assert (
        sum(each.requests for each in got.policies)
        == sum(each.requests for each in got.detectors)
        == got.requests
    )


def test_totals_of_a_made_up_ledger_agree() -> None:
    """Flows, types, classes and notices are the same values counted in other ways."""
    got = summarize(made_up(3000))

    def of(tables: Any) -> int:
        return sum(count for table in tables for actions in table.values() for count in actions.values())

    sent = sum(sum(each.sent.values()) for each in got.found)
    assert of(each.values for each in got.flows) == of(each.classes for each in got.flows) == sent
    assert sum(each.values for each in got.tenants) == sum(each.values for each in got.purposes) == sent
    assert sum(each.requests for each in got.notices) == sum(each.abroad for each in got.tenants)


def test_a_million_records_would_take_no_more_memory_than_these() -> None:
    """200,000 records out of a generator, each session another, are summed up in less than 12 MB."""

    def records() -> Any:
        for number in range(100_000):
            yield request(
                number,
                START + number * 60_000,
                (OPENAI, SEOUL, CLOVA)[number % 3],
                counts={"PERSON": {"tokenize": 1}},
            )
            if number % 2:
                yield answer(number)
                yield {"kind": "vault", "what": "opened session", "count": 1}

    gc.collect()
    tracemalloc.start()
    try:
        got = summarize(records())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert got.requests == 100_000
    assert not got.sessions_exact
    assert got.sessions == pytest.approx(100_000, rel=0.1)
    assert peak < 12_000_000, peak


def test_percentiles_are_within_the_bound_that_is_promised() -> None:
    """2.5 % for waits of 1 ms to 14 minutes."""
    records = [
        each for n in range(1, 1001) for each in (request(n, START, OPENAI), answer(n, latency_ms=n * 7.0))
    ]
    (waited,) = summarize(records).waited
    assert waited == Waited("openai", 1000, waited.p50, waited.p95, waited.p99, 7000.0)
    for got, exact in ((waited.p50, 3500), (waited.p95, 6650), (waited.p99, 6930)):
        assert got == pytest.approx(exact, rel=0.026)


def test_json_is_json() -> None:
    """Everything is in it, with rates."""
    table = json.loads(json.dumps(to_json(summarize(BY_HAND)), ensure_ascii=False))
    assert list(table["outcomes"]) == list(OUTCOMES)
    assert table["answered"][0]["rate"] == 0.166667
    assert table["notices"][0]["place"]["legal_entity"] == "OpenAI OpCo, LLC"
    assert table["requests"] == 7


def test_fallbacks_are_no_requests_of_their_own() -> None:
    """Another try is told where things went and in the notices, since something was sent; one that was not is counted alone."""
    counts = {"PERSON": {"tokenize": 2}}
    got = summarize(
        [
            request(1, START, OPENAI, counts=counts),
            answer(1, outcome="failed", status=503),
            request(2, START + 1, CLOVA, addressed=OPENAI, fallback=True, outcome="block", rules=["r/a"]),
            request(3, START + 2, SEOUL, addressed=OPENAI, fallback=True, counts=counts),
            answer(3),
        ]
    )
    assert (got.requests, got.outcomes["send"], got.outcomes["block"]) == (1, 1, 0)
    assert got.fallbacks == {"block": 1, "send": 1}
    assert {flow.provider: flow.requests for flow in got.flows} == {"openai": 1, "aws": 1}
    assert (got.stopped, got.unmatched) == ((), 0)
    assert [(each.outcomes["send"], each.abroad, each.values) for each in got.tenants] == [(1, 2, 4)]
    assert sum(each.requests for each in got.notices) == 2
    (bin_,) = got.timeline
    assert (bin_.outcomes, sum(bin_.providers.values())) == ({"send": 1}, 2)


def test_an_answer_that_names_no_request_has_none() -> None:
    """Not even one that has no number either."""
    bare = {key: value for key, value in request(1, START, OPENAI).items() if key != "n"}
    unnumbered = {key: value for key, value in answer(1).items() if key != "of"}
    assert summarize([bare, unnumbered]).unmatched == 1
