"""Destinations: which URL leads to which, what is known of each, and the shipped catalogue."""

from __future__ import annotations

import re

import pytest

from sovguard import ConfigError
from sovguard.policy import Catalogue, Destination, Fact, parse, shipped
from sovguard.policy.destinations import FACTS


def place(name: str, *urls: str, regions: dict[str, str] | None = None, **facts: str) -> Destination:
    """A destination with some URLs."""
    return Destination(
        name,
        name,
        name,
        name,
        urls,
        facts={key: Fact(value) for key, value in facts.items()},
        regions=regions or {},
    )


KNOWN = Catalogue(
    [
        place("whole", "https://api.example/"),
        place("part", "https://api.example/v1/special/"),
        place("wild", "https://*.example/"),
        place(
            "regional",
            "https://run.{region}.cloud.example/",
            "https://{region}-ai.cloud.example/",
            regions={"north-1": "KR", "east-2": "US"},
            jurisdiction="US",
            inference_region="by region",
        ),
        place("machine", "http://localhost/", "http://127.0.0.1/", "http://[::1]/"),
        place("port", "http://127.0.0.1:8001/"),
        place("bare", "http://host.test:80/api"),
    ]
)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://api.example/v1/chat", "whole"),
        ("https://API.Example/v1/chat", "whole"),
        ("https://api.example./v1/chat", "whole"),
        ("https://api.example:443/", "whole"),
        ("https://api.example", "whole"),
        ("https://api.example/v1/special/chat", "part"),
        ("https://api.example/v1/special", "part"),
        ("https://api.example/v1/specially", "whole"),
        ("https://other.example/", "wild"),
        ("https://a.b.example/", "wild"),
        ("https://example/", None),
        ("https://notexample/", None),
        ("http://api.example/", None),
        ("https://api.example:8443/", None),
        ("https://api.example.evil.test/", None),
        ("https://evil.test/api.example/", None),
        ("https://evil.test/?https://api.example/", None),
        ("https://evil.test#@api.example/", None),
        ("https://api.example@evil.test/", None),
        ("https://evil.test\\@api.example/", None),
        ("https://api.example/v1/special/../../else", None),
        ("https://api.example/v1/%2e%2e/else", None),
        ("https://run.north-1.cloud.example/model", "regional"),
        ("https://east-2-ai.cloud.example/v1", "regional"),
        ("https://run.a.b.cloud.example/model", "wild"),
        ("http://localhost:11434/api/chat", "machine"),
        ("http://127.0.0.1:9/v1", "machine"),
        ("http://[::1]:9/v1", "machine"),
        ("http://127.0.0.1:8001/v1", "port"),
        ("http://host.test/api/chat", "bare"),
        ("http://host.test/other", None),
        ("ftp://api.example/", None),
        ("api.example", None),
        ("https://[::1", None),
        ("https://api.example:port/", None),
        ("", None),
    ],
)
def test_a_url_leads_to_one_destination_or_to_none(url: str, found: str | None) -> None:
    """By scheme, host, port and path; nothing that only looks like a host is taken for it."""
    match = KNOWN.match(url)
    assert (None if match is None else match.id) == found


def test_a_region_in_the_host_tells_where_inference_runs() -> None:
    """Under the same law; a region that is not listed is not known."""
    found = [KNOWN.match(f"https://run.{name}.cloud.example/") for name in ("north-1", "east-2", "west-9")]
    assert [each.value("inference_region") for each in found if each] == ["KR", "US", "unknown"]
    assert {each.value("jurisdiction") for each in found if each} == {"US"}
    assert KNOWN.named("regional").value("inference_region") == "unknown"


def test_a_policy_adds_destinations_and_corrects_facts() -> None:
    """What it does not say of a known one stays."""
    joined = KNOWN.joined(
        [
            {"id": "whole", "facts": {"jurisdiction": "KR"}, "trust": "contracted"},
            {"id": "new", "provider": "me", "urls": ["https://new.test/"], "name": "New"},
        ]
    )
    whole = joined.match("https://api.example/")
    assert whole is not None
    assert (whole.value("jurisdiction"), whole.trust, whole.name) == ("KR", "contracted", "whole")
    assert joined.named("new").value("jurisdiction") == "unknown"
    assert KNOWN.named("whole").trust == "standard"
    with pytest.raises(ConfigError, match="policy destinations"):
        joined.named("none")


def test_the_shipped_catalogue_is_sound() -> None:
    """Every destination has all facts, each with a source or none known, a country or a word for it, and a name in Korean."""
    catalogue = list(shipped())
    assert len(catalogue) >= 30
    for each in catalogue:
        assert each.name
        assert each.name_ko
        assert each.urls
        assert each.trust in ("own", "standard")
        assert set(each.facts) == set(FACTS)
        for name in ("jurisdiction", "inference_region", "storage_region"):
            value = each.facts[name].value
            assert re.fullmatch("[A-Z]{2}|unknown|own|by region", value), (each.id, name, value)
        assert each.facts["training_use"].value in ("yes", "no", "unknown", "own")
        for name, fact in each.facts.items():
            if fact.value not in ("unknown", "own") and name != "jurisdiction":
                assert fact.source.startswith("https://"), (each.id, name)
                assert re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", fact.date), (each.id, name)
        assert all(re.fullmatch("[A-Z]{2}", country) for country in each.regions.values())


@pytest.mark.parametrize(
    ("url", "found", "law"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai", "US"),
        ("https://api.anthropic.com/v1/messages", "anthropic", "US"),
        ("https://clovastudio.stream.ntruss.com/v1/openai/chat/completions", "clova", "KR"),
        ("https://api.deepseek.com/chat/completions", "deepseek", "CN"),
        ("https://api.mistral.ai/v1/chat/completions", "mistral", "FR"),
        ("http://localhost:11434/api/chat", "loopback", "own"),
        ("http://127.0.0.1:8000/v1/chat/completions", "loopback", "own"),
        ("https://bedrock-runtime.ap-northeast-2.amazonaws.com/model/x/invoke", "bedrock", "US"),
    ],
)
def test_well_known_addresses(url: str, found: str, law: str) -> None:
    """Lead where everybody knows that they do."""
    match = shipped().match(url)
    assert match is not None
    assert match.id.startswith(found)
    assert match.value("jurisdiction") == law


def test_every_destination_is_reached_by_its_own_urls() -> None:
    """None stands in the way of another."""
    for each in shipped():
        for url in each.urls:
            region = next(iter(each.regions), "region-1")
            found = shipped().match(url.replace("{region}", region).replace("*.", "some.") + "x")
            assert found is not None
            assert found.id == each.id, url


def test_a_seoul_region_of_a_foreign_company_stays_under_its_law() -> None:
    """Two facts, and rules that tell them apart."""
    seoul = shipped().match("https://bedrock-runtime.ap-northeast-2.amazonaws.com/")
    assert seoul is not None
    assert (seoul.value("jurisdiction"), seoul.value("inference_region")) == ("US", "KR")
    assert parse('version = 1\nname = "p"').catalogue.match("https://api.openai.com/") is not None
