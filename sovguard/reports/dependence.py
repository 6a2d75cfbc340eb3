"""Can we leave? What rests on each vendor and on each country's law, and what a switch would touch.

A destination that speaks the same request formats (dialects) can take the place of another without a change to the code that
asks. What that leaves to do is told: which callers, purposes and models are behind a vendor, and how many sessions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sovguard.policy import Catalogue, Destination
from sovguard.reports.reading import HOME, OWN, UNKNOWN, Asked, Reader
from sovguard.reports.tallies import Distinct

Kind = Literal["vendor", "jurisdiction"]

_LISTED = 12
"""How many names of a kind are said in a line."""


@dataclass(frozen=True, slots=True)
class Part:
    """How much of something rests on one vendor or law: ``count`` of ``of``."""

    count: int
    of: int

    @property
    def share(self) -> float:
        """The count as a share, never above the whole: counts of sessions are estimates beyond 2,048."""
        return min(1.0, self.count / self.of) if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Alternative:
    """A destination that could take the place of another.

    Attributes:
        destination: Its id.
        provider: Who offers it.
        jurisdiction: Under whose law.
        region: Where it works.
        home: Whether its law and region are Korea, or it is one's own: no transfer abroad.
        dialects: The request formats that both speak.
    """

    destination: str
    provider: str
    jurisdiction: str
    region: str
    home: bool
    dialects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Used:
    """A destination in use.

    Attributes:
        destination: Its id.
        requests: How many went there.
        known: Whether the catalogue has it: without that nothing can be said about what could take its place.
        alternatives: What could, under another law or at home; those at home first.
    """

    destination: str
    requests: int
    known: bool
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Reliance:
    """What rests on one vendor, or on one country's law.

    Attributes:
        kind: Which of the two.
        name: The provider, or the country.
        requests: How many of all requests that left.
        sessions: How many of all their sessions; estimates beyond 2,048.
        tenants: How many of all their tenants.
        values: How many of all values in them.
        models: The models, with their requests: each has to be mapped to one elsewhere.
        callers: What asks, with its requests; an empty name is nobody named.
        purposes: What for.
        destinations: Where it went, and what could take its place.
    """

    kind: Kind
    name: str
    requests: Part
    sessions: Part
    tenants: Part
    values: Part
    models: Mapping[str, int]
    callers: Mapping[str, int]
    purposes: Mapping[str, int]
    destinations: tuple[Used, ...]

    @property
    def bound(self) -> int:
        """How many requests went where nothing known under another law or at home speaks the same format."""
        return sum(each.requests for each in self.destinations if not each.alternatives)


@dataclass(frozen=True, slots=True)
class Dependence:
    """What rests on whom: the vendors and the laws, those with most requests first."""

    requests: int
    vendors: tuple[Reliance, ...]
    jurisdictions: tuple[Reliance, ...]

    def __repr__(self) -> str:
        return f"Dependence({self.requests} requests, {len(self.vendors)} vendors)"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON-like data, with the shares worked out."""
        table = asdict(self)
        for kind, reliances in (("vendors", self.vendors), ("jurisdictions", self.jurisdictions)):
            for row, each in zip(table[kind], reliances, strict=True):
                row["bound"] = each.bound
                for name in ("requests", "sessions", "tenants", "values"):
                    row[name]["share"] = round(getattr(each, name).share, 6)
        return table

    def as_lines(self) -> Iterator[str]:
        """Yield it for a terminal. Names come from records: whoever prints them makes them printable."""
        if not self.requests:
            yield "nothing was sent"
            return
        for heading, reliances in (
            ("vendors (제공자)", self.vendors),
            ("laws (관할)", self.jurisdictions),
        ):
            yield heading
            for each in reliances:
                yield from _lines(each)


@dataclass(slots=True)
class _Tally:
    requests: int = 0
    values: int = 0
    sessions: Distinct = field(default_factory=Distinct)
    tenants: set[str] = field(default_factory=set)
    models: Counter[str] = field(default_factory=Counter)
    callers: Counter[str] = field(default_factory=Counter)
    purposes: Counter[str] = field(default_factory=Counter)
    destinations: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, asked: Asked) -> None:
        self.requests += 1
        self.values += sum(sum(actions.values()) for actions in asked.counts.values())
        if asked.session:
            self.sessions.add(asked.session)
        self.tenants.add(asked.tenant)
        self.models[asked.model] += 1
        self.callers[asked.caller] += 1
        self.purposes[asked.purpose] += 1
        self.destinations[asked.place.id, asked.place.jurisdiction] += 1


def dependence(
    records: Iterable[Mapping[str, Any]],
    catalogue: Iterable[Destination] | Catalogue,
    *,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> Dependence:
    """Return what rests on each vendor and on each law.

    Args:
        records: Of the ledger; only requests that left count. They are read once.
        catalogue: The destinations that are known.
        since_ms: The first moment that counts, in milliseconds since 1970; ``None`` for all.
        until_ms: The first moment after it that does not.
    """
    reader, whole = Reader(), _Tally()
    tallies: dict[Kind, dict[str, _Tally]] = {"vendor": {}, "jurisdiction": {}}
    for record in records:
        asked = reader.request(record) if record.get("kind") == "request" else None
        if asked is None or not asked.sent:
            continue
        if (since_ms is not None and asked.when < since_ms) or (
            until_ms is not None and asked.when >= until_ms
        ):
            continue
        whole.add(asked)
        tallies["vendor"].setdefault(asked.place.provider, _Tally()).add(asked)
        tallies["jurisdiction"].setdefault(asked.place.jurisdiction, _Tally()).add(asked)
    known = {each.id: each for each in catalogue}
    return Dependence(
        whole.requests,
        _reliances("vendor", tallies["vendor"], whole, known),
        _reliances("jurisdiction", tallies["jurisdiction"], whole, known),
    )


def _reliances(
    kind: Kind, tallies: Mapping[str, _Tally], whole: _Tally, known: Mapping[str, Destination]
) -> tuple[Reliance, ...]:
    return tuple(
        Reliance(
            kind=kind,
            name=name,
            requests=Part(tally.requests, whole.requests),
            sessions=Part(tally.sessions.count, whole.sessions.count),
            tenants=Part(len(tally.tenants), len(whole.tenants)),
            values=Part(tally.values, whole.values),
            models=_most(tally.models),
            callers=_most(tally.callers),
            purposes=_most(tally.purposes),
            destinations=tuple(
                Used(each, count, each in known, tuple(_alternatives(known.get(each), law, known)))
                for (each, law), count in sorted(
                    tally.destinations.items(), key=lambda each: (-each[1], each[0])
                )
            ),
        )
        for name, tally in sorted(tallies.items(), key=lambda each: (-each[1].requests, each[0]))
    )


def _alternatives(
    now: Destination | None, law: str, known: Mapping[str, Destination]
) -> Iterator[Alternative]:
    """Yield what speaks a format of a destination, under a law that is known and another than the one it is under."""
    if now is None:
        return
    found = []
    for each in known.values():
        shared = tuple(dialect for dialect in now.dialects if dialect in each.dialects)
        theirs, region = each.value("jurisdiction"), each.value("inference_region")
        home = {theirs, region} <= {HOME, OWN}
        # Under the same law another vendor is a way out only at home: there nothing is transferred abroad.
        elsewhere = theirs not in (law, UNKNOWN) or (home and each.provider != now.provider)
        if shared and each.id != now.id and elsewhere:
            found.append(Alternative(each.id, each.provider, theirs, region, home, shared))
    yield from sorted(found, key=lambda each: (not each.home, each.jurisdiction, each.destination))


def _most(counted: Counter[str]) -> dict[str, int]:
    return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0])))


def _lines(reliance: Reliance) -> Iterator[str]:
    parts = ("requests", "sessions", "tenants", "values")
    shares = "  ".join(f"{getattr(reliance, name).share:>6.1%} {name}" for name in parts)
    yield f"  {reliance.name:<22} {shares}"
    for label, counted in (
        ("models", reliance.models),
        ("callers", reliance.callers),
        ("purposes", reliance.purposes),
    ):
        yield f"    {label:<10} {_named(counted)}"
    yield f"    {'sessions':<10} {reliance.sessions.count:,}"
    for used in reliance.destinations:
        yield f"    {used.destination} ({used.requests:,} requests)"
        if not used.known:
            yield "      is not in the catalogue: nothing can be said of what could take its place"
        elif not used.alternatives:
            yield "      nothing known under another law speaks the same format"
        for words, home in (("at home or own", True), ("elsewhere", False)):
            there = [each for each in used.alternatives if each.home is home]
            if there:
                shown = ", ".join(
                    f"{each.destination} [{each.jurisdiction}; {'+'.join(each.dialects)}]"
                    for each in there[:_LISTED]
                )
                yield f"      {words}: {shown}{_left(len(there))}"


def _named(counted: Mapping[str, int]) -> str:
    listed = [f"{name or '(not named)'} {count:,}" for name, count in counted.items()]
    return ", ".join(listed[:_LISTED]) + _left(len(listed))


def _left(count: int) -> str:
    return f", and {count - _LISTED:,} more" if count > _LISTED else ""
