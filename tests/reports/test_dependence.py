from __future__ import annotations

import json

import pytest

from sovguard.policy import Catalogue, Destination, Fact
from sovguard.reports import dependence
from sovguard.reports.dependence import Alternative, Part
from tests.reports.records import BY_HAND, CLOVA, DAY, OPENAI, START, made_up, request


def destination(name: str, provider: str, law: str, region: str, *dialects: str) -> Destination:
    """A destination of a catalogue."""
    facts = {"jurisdiction": Fact(law), "inference_region": Fact(region)}
    return Destination(
        name, provider, name, name, (f"https://{name}.example/",), dialects=dialects, facts=facts
    )


CATALOGUE = Catalogue(
    [
        destination("openai", "openai", "US", "US", "openai-chat", "openai-responses"),
        destination("groq", "groq", "US", "US", "openai-chat"),
        destination("clova", "naver", "KR", "KR", "openai-chat"),
        destination("upstage", "upstage", "KR", "KR", "openai-chat"),
        destination("clova-gov", "naver", "KR", "KR", "openai-chat"),
        destination("mistral", "mistral", "FR", "FR", "openai-chat"),
        destination("vllm", "own", "own", "own", "openai-chat", "openai-responses"),
        destination("bedrock-seoul", "aws", "US", "KR", "anthropic"),
        destination("odd", "odd", "unknown", "unknown", "openai-chat"),
    ]
)


def test_what_rests_on_each_vendor_and_law() -> None:
    """Shares of requests, sessions, tenants and values that left; of those that were stopped nothing."""
    got = dependence(iter(BY_HAND), CATALOGUE)
    assert (got.requests, [each.name for each in got.vendors]) == (4, ["openai", "aws", "naver"])
    openai = got.vendors[0]
    assert (openai.requests, openai.sessions, openai.tenants) == (Part(2, 4), Part(1, 3), Part(1, 1))
    assert openai.values == Part(4, 8)
    assert openai.requests.share == 0.5
    assert (openai.models, openai.callers, openai.purposes) == (
        {"m-1": 2},
        {"상담앱": 2},
        {"": 1, "상담 요약": 1},
    )
    us, kr = got.jurisdictions
    assert (us.name, us.requests, kr.name, kr.requests) == ("US", Part(3, 4), "KR", Part(1, 4))
    assert repr(got) == "Dependence(4 requests, 3 vendors)"


def test_what_could_take_its_place() -> None:
    """What speaks the same format under another law that is known, those at home first; at home, another vendor too."""
    got = dependence(BY_HAND, CATALOGUE)
    openai, aws, naver = got.vendors
    (used,) = openai.destinations
    assert [each.destination for each in used.alternatives] == [
        "clova",
        "clova-gov",
        "upstage",
        "vllm",
        "mistral",
    ]
    assert used.alternatives[3] == Alternative(
        "vllm", "own", "own", "own", True, ("openai-chat", "openai-responses")
    )
    assert (aws.bound, aws.destinations[0].known, aws.destinations[0].alternatives) == (1, True, ())
    assert {each.destination for each in naver.destinations[0].alternatives} == {
        "upstage",
        "vllm",
        "mistral",
        "groq",
        "openai",
    }
    (nowhere,) = dependence([request(1, START, None)], CATALOGUE).vendors
    assert (nowhere.destinations[0].known, nowhere.bound) == (False, 1)


def test_a_period() -> None:
    """Only its requests count."""
    records = [request(1, START, OPENAI), request(2, START + DAY, CLOVA), request(3, START + 2 * DAY, OPENAI)]
    got = dependence(records, CATALOGUE, since_ms=START + DAY, until_ms=START + 2 * DAY)
    assert [each.name for each in got.vendors] == ["naver"]


def test_lines_say_what_a_switch_would_touch() -> None:
    """Callers, purposes, models, sessions, and where one could go; or that nothing was sent."""
    lines = "\n".join(dependence(BY_HAND, CATALOGUE).as_lines())
    assert "  openai                  50.0% requests   33.3% sessions  100.0% tenants   50.0% values" in lines
    assert "at home or own: clova [KR; openai-chat], clova-gov [KR; openai-chat]" in lines
    assert "elsewhere: mistral [FR; openai-chat]" in lines
    assert "nothing known under another law speaks the same format" in lines
    assert "callers    상담앱 2" in lines
    assert list(dependence([], CATALOGUE).as_lines()) == ["nothing was sent"]


def test_parts_add_up() -> None:
    """Requests and values of the vendors are all there are, and so are those of the laws; JSON has the shares."""
    got = dependence(made_up(2000), CATALOGUE)
    for reliances in (got.vendors, got.jurisdictions):
        assert sum(each.requests.count for each in reliances) == got.requests
        assert sum(each.values.count for each in reliances) == reliances[0].values.of
        for each in reliances:
            assert sum(each.models.values()) == sum(each.callers.values()) == each.requests.count
            assert sum(used.requests for used in each.destinations) == each.requests.count
    table = json.loads(json.dumps(got.as_json()))
    assert sum(each["requests"]["share"] for each in table["vendors"]) == pytest.approx(1, abs=1e-4)
    assert table["vendors"][0]["destinations"][0]["destination"]
