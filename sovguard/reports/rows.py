"""What a summary of the ledger is made of: rows of numbers, none of which holds a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sovguard.reports.reading import Place, Side
from sovguard.reports.tallies import Unit


@dataclass(frozen=True, slots=True)
class Flow:
    """What went to one provider under one law in one region.

    Attributes:
        provider: Whose technology.
        jurisdiction: Under whose law.
        region: Where it was worked on.
        side: Whether that is one's own, at home, abroad or not known.
        requests: How many requests.
        dry_run: How many of them went in a dry run.
        values: How many values of each entity type had which action.
        classes: The same by legal class.
    """

    provider: str
    jurisdiction: str
    region: str
    side: Side
    requests: int
    dry_run: int
    values: Mapping[str, Mapping[str, int]]
    classes: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Found:
    """What became of the values of one entity type.

    Attributes:
        entity_type: The type.
        legal_class: Its legal class, or ``other``.
        sent: In requests that left, how many had which action.
        held: How many were in requests that did not leave.
    """

    entity_type: str
    legal_class: str
    sent: Mapping[str, int]
    held: int


@dataclass(frozen=True, slots=True)
class Bin:
    """An hour, a day, a month or a year.

    Attributes:
        name: Which.
        outcomes: How many requests ended how.
        providers: How many went to whom.
        jurisdictions: How many went under whose law.
    """

    name: str
    outcomes: Mapping[str, int]
    providers: Mapping[str, int]
    jurisdictions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Stopped:
    """Requests that did not go where they were to go.

    Attributes:
        outcome: ``block``, ``reroute`` or ``refused``.
        rule: A rule that decided, or why it was refused. A request that several rules decided is in several rows.
        destination: Where they were to go.
        instead: Where they went.
        requests: How many.
    """

    outcome: str
    rule: str
    destination: str
    instead: str
    requests: int


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a policy said that was only tried: its requests were all sent, with surrogates.

    Attributes:
        requests: How many.
        outcomes: What would have become of them.
        stopped: Which rules would have stopped them.
    """

    requests: int
    outcomes: Mapping[str, int]
    stopped: tuple[Stopped, ...]


@dataclass(frozen=True, slots=True)
class Warned:
    """Requests that touched a sensitive topic; ``abroad`` of them left for abroad, or nobody knows where."""

    topic: str
    requests: int
    abroad: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back from one model at one destination.

    Attributes:
        destination: Its id.
        model: The model.
        answers: How many answers.
        failed: How many of them failed.
        restored: How many surrogates were put back.
        unresolved: How many were not.
    """

    destination: str
    model: str
    answers: int
    failed: int
    restored: int
    unresolved: int

    @property
    def rate(self) -> float:
        """Which share of the surrogates was not put back."""
        total = self.restored + self.unresolved
        return self.unresolved / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Waited:
    """How long a destination took, in milliseconds; percentiles are within 2.5 %."""

    destination: str
    answers: int
    p50: float
    p95: float
    p99: float
    greatest: float


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy (name, digest) or detectors (version, names, pack), and the first and last request they decided."""

    what: tuple[str, ...]
    first: int
    last: int
    requests: int


@dataclass(frozen=True, slots=True)
class Group:
    """The requests of one tenant, or for one purpose.

    Attributes:
        name: Which; empty if none was named.
        outcomes: How many ended how.
        abroad: How many left for abroad, or nobody knows where.
        values: How many values were in those that left.
    """

    name: str
    outcomes: Mapping[str, int]
    abroad: int
    values: int


@dataclass(frozen=True, slots=True)
class Notice:
    """The facts of a notice about a transfer abroad (PIPA Art. 28-8(2)), of one recipient.

    Attributes:
        place: The recipient: legal entity, countries, retention.
        abroad: The facts of it that do not say it is in Korea.
        items: How many values of each entity type were sent, as they are, as a surrogate or masked.
        purposes: For how many requests each purpose was named; an empty one for those without.
        requests: How many requests.
        first: When the first was.
        last: When the last was.
        missing: What an officer has to find out, ``contact`` and ``refusal`` always among it.
    """

    place: Place
    abroad: tuple[str, ...]
    items: Mapping[str, Mapping[str, int]]
    purposes: Mapping[str, int]
    requests: int
    first: int
    last: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What was sent where, in one period. Times are milliseconds since 1970.

    Attributes:
        since: The beginning that was asked for.
        until: The end that was asked for, itself not in it.
        offset_minutes: How far the times of the timeline are ahead of UTC.
        first: When the first request was; ``None`` if there is none.
        last: When the last was.
        requests: How many requests, however often one was tried.
        fallbacks: How many more tries there were where a destination was out, by what became of them; those that left are in
            the flows and the notices, since something was sent.
        outcomes: How many ended how (``sovguard.reports.reading.OUTCOMES``).
        sessions: How many sessions, an estimate unless ``sessions_exact``.
        sessions_exact: See ``sessions``.
        flows: What went where.
        found: What became of the values, by entity type.
        unit: What a bin of the timeline is.
        timeline: Bin by bin.
        stopped: What did not go where it was to go.
        dry_run: What was only tried.
        warnings: Sensitive topics.
        answered: What came back.
        unmatched: Answers whose request is not known.
        waited: How long it took.
        policies: Which policies were in force when.
        detectors: Which detectors were.
        tenants: By tenant.
        purposes: By purpose.
        notices: The facts of notices about transfers abroad.
        others: How many other records there were, by kind; they are of any time.
        unreadable: How many records could not be read.
    """

    since: int | None
    until: int | None
    offset_minutes: int
    first: int | None
    last: int | None
    requests: int
    fallbacks: Mapping[str, int]
    outcomes: Mapping[str, int]
    sessions: int
    sessions_exact: bool
    flows: tuple[Flow, ...]
    found: tuple[Found, ...]
    unit: Unit
    timeline: tuple[Bin, ...]
    stopped: tuple[Stopped, ...]
    dry_run: DryRun
    warnings: tuple[Warned, ...]
    answered: tuple[Answered, ...]
    unmatched: int
    waited: tuple[Waited, ...]
    policies: tuple[InForce, ...]
    detectors: tuple[InForce, ...]
    tenants: tuple[Group, ...]
    purposes: tuple[Group, ...]
    notices: tuple[Notice, ...]
    others: Mapping[str, int]
    unreadable: int

    def __repr__(self) -> str:
        return f"Summary({self.requests} requests, {len(self.flows)} flows)"
