"""Destinations whose facts tests rely on, whatever the shipped catalogue comes to say."""

from __future__ import annotations

import pytest

from sovguard.policy import Catalogue, Destination, Fact, loading


def destination(
    name: str, law: str, inference: str, trust: str = "standard", trains: str = "no", url: str = ""
) -> Destination:
    """A destination under a law, with inference in a country."""
    facts = {
        "legal_entity": Fact(f"{name} Inc."),
        "jurisdiction": Fact(law),
        "inference_region": Fact(inference),
        "storage_region": Fact(inference),
        "retention": Fact("unknown"),
        "training_use": Fact(trains),
    }
    return Destination(
        name, name, name, name, (url or f"https://{name.replace('+', '-plus')}.example/",), trust, (), facts
    )


CATALOGUE = Catalogue(
    [
        destination("own", "own", "own", "own", "own", "http://localhost/"),
        destination("kr", "KR", "KR"),
        destination("kr+", "KR", "KR", "contracted"),
        destination("us", "US", "US"),
        destination("us+", "US", "US", "contracted"),
        destination("seoul", "US", "KR"),
        destination("de", "DE", "DE"),
        destination("cn", "CN", "CN"),
        destination("what", "unknown", "unknown", trains="unknown"),
        destination("trains", "KR", "KR", trains="yes"),
    ]
)


@pytest.fixture
def own_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Profiles and policies know the destinations above and no others."""
    monkeypatch.setattr(loading, "shipped", lambda: CATALOGUE)
    loading.profile.cache_clear()
    yield  # type: ignore[misc]
    loading.profile.cache_clear()
