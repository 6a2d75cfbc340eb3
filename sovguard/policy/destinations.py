"""Destinations: who runs a model, under whose law, and where; found by the real URL of a request.

The catalogue is data (``destinations.toml``), each fact with its source and its date, ``unknown`` where it is not known. A
policy file adds destinations of its own and corrects those of the catalogue.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any
from urllib.parse import unquote, urlsplit

from sovguard.errors import ConfigError

UNKNOWN = "unknown"
FACTS = ("legal_entity", "jurisdiction", "inference_region", "storage_region", "retention", "training_use")
"""What is known of a destination; ``own`` as a place means the user's own machines."""
_BY_REGION = "by region"
_ODD = re.compile(r"[\x00-\x20\\\x7f]")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact.

    Attributes:
        value: What holds, or ``unknown``.
        source: Where that is said; empty if it is the user's own word.
        date: Of the source, as YYYY-MM-DD.
    """

    value: str
    source: str = ""
    date: str = ""


_NOTHING = Fact(UNKNOWN)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where requests can go.

    Attributes:
        id: Its name in policies and records.
        provider: Who offers it.
        name: For people to read.
        name_ko: The same in Korean.
        urls: What its URLs begin with.
        trust: ``own`` for one's own machines, ``contracted`` for a provider under a contract, else ``standard``.
        dialects: The request formats it takes.
        facts: By the names in ``FACTS``.
        regions: For hosts with a region in them, the country of each.
        region: The region that the URL of a request named.
    """

    id: str
    provider: str
    name: str
    name_ko: str
    urls: tuple[str, ...]
    trust: str = "standard"
    dialects: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict, hash=False)
    regions: Mapping[str, str] = field(default_factory=dict, hash=False)
    region: str = ""

    def fact(self, name: str) -> Fact:
        """Return a fact; ``unknown`` if nothing is said."""
        found = self.facts.get(name, _NOTHING)
        if found.value != _BY_REGION:
            return found
        return replace(found, value=self.regions.get(self.region, UNKNOWN))

    def value(self, name: str) -> str:
        """Return what a condition of a policy compares: a fact, ``provider``, ``trust`` or ``destination``."""
        if name == "destination":
            return self.id
        if name in ("provider", "trust"):
            return self.provider if name == "provider" else self.trust
        return self.fact(name).value


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One URL of a destination, taken apart."""

    scheme: str
    host: re.Pattern[str]
    port: int | None
    path: str
    rank: tuple[int, bool, int]
    destination: Destination


class Catalogue:
    """Destinations, by their ids and their URLs.

    Args:
        destinations: All of them; a later one takes the place of an earlier one with its id.

    Raises:
        ConfigError: A URL is none, or two destinations claim the same one.
    """

    def __init__(self, destinations: Iterable[Destination]) -> None:
        self._by_id = {each.id: each for each in destinations}
        self._patterns = sorted(
            (_pattern(url, each) for each in self._by_id.values() for url in each.urls),
            key=lambda pattern: pattern.rank,
            reverse=True,
        )
        claimed: dict[tuple[str, str, int | None, str], str] = {}
        for each in self._patterns:
            key = (each.scheme, each.host.pattern, each.port, each.path)
            if claimed.setdefault(key, each.destination.id) != each.destination.id:
                raise ConfigError(f"destinations {claimed[key]} and {each.destination.id} claim the same URL")

    def __repr__(self) -> str:
        return f"Catalogue({len(self._by_id)} destinations)"

    def __iter__(self) -> Any:
        return iter(self._by_id.values())

    def named(self, destination_id: str) -> Destination:
        """Return the destination with an id.

        Raises:
            ConfigError: There is none.
        """
        found = self._by_id.get(destination_id)
        if found is None:
            raise ConfigError(
                f"there is no destination {destination_id!r}; 'sovguard policy destinations' lists them, and a policy file "
                "can add one"
            )
        return found

    def match(self, url: str) -> Destination | None:
        """Return the destination that a URL leads to; ``None`` if it is none that is known.

        The most exact of its URLs counts: a host before a pattern of hosts, a longer path before a shorter one.
        """
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            return None
        path = unquote(parts.path) or "/"
        # What is read in two ways, or climbs out of where it begins, leads nowhere that is known.
        if _ODD.search(url) or ".." in path.split("/") or "\\" in path:
            return None
        port = _PORTS.get(parts.scheme) if port is None else port
        for each in self._patterns:
            if (
                each.scheme == parts.scheme
                and (each.port is None or each.port == port)
                and (found := each.host.fullmatch(host)) is not None
                and f"{path}/".startswith(f"{each.path}/")
            ):
                region = found.groupdict().get("region") or ""
                return replace(each.destination, region=region) if region else each.destination
        return None

    def joined(self, tables: Iterable[Mapping[str, Any]]) -> Catalogue:
        """Return a catalogue with what a policy file says of destinations: new ones, and other facts of known ones."""
        known = dict(self._by_id)
        for table in tables:
            before = known.get(str(table.get("id")))
            known[str(table["id"])] = _destination(table, before)
        return Catalogue(known.values())


@functools.cache
def shipped() -> Catalogue:
    """Return the catalogue that comes with sovguard."""
    text = files("sovguard.policy").joinpath("destinations.toml").read_text("utf-8")
    return Catalogue(_destination(table, None) for table in tomllib.loads(text)["destination"])


def _destination(table: Mapping[str, Any], before: Destination | None) -> Destination:
    """Return a destination from its table; what the table leaves out is as in ``before``."""
    facts = dict(before.facts) if before is not None else {}
    for name, fact in table.get("facts", {}).items():
        if isinstance(fact, str):
            facts[name] = Fact(fact)
        else:
            facts[name] = Fact(fact["value"], fact.get("source", ""), str(fact.get("date", "")))
    if before is None:
        for needed in ("provider", "urls"):
            if needed not in table:
                raise ConfigError(f"destination {table['id']} needs {needed!r}")
        name = str(table.get("name", table["id"]))
        before = Destination(table["id"], table["provider"], name, str(table.get("name_ko", name)), ())
    return replace(
        before,
        provider=table.get("provider", before.provider),
        name=table.get("name", before.name),
        name_ko=table.get("name_ko", table.get("name", before.name_ko)),
        urls=tuple(table.get("urls", before.urls)),
        trust=table.get("trust", before.trust),
        dialects=tuple(table.get("dialects", before.dialects)),
        facts=facts,
        regions={**before.regions, **table.get("regions", {})},
    )


def _pattern(url: str, destination: Destination) -> _Pattern:
    try:
        parts = urlsplit(url.replace("{region}", "-region-"))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.scheme not in _PORTS or parts.query or parts.username or url.count("{region}") > 1:
        raise ConfigError(
            f"destination {destination.id}: a URL is written https://HOST[:PORT]/PATH; *.HOST stands for any host below it"
        )
    named = port is not None
    if port is None and not is_loopback(host):
        port = _PORTS[parts.scheme]
    written = re.escape(host).replace(re.escape("-region-"), "(?P<region>[a-z0-9-]+)")
    wild = host.startswith("*.")
    if wild:
        written = "[a-z0-9.-]+" + written.removeprefix(re.escape("*"))
    exact = 2 if not wild and "-region-" not in host else 1 if not wild else 0
    path = parts.path.rstrip("/")
    return _Pattern(
        parts.scheme, re.compile(written), port, path, (exact, named, len(path) + len(host)), destination
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
