"""The ledger in numbers: one pass over its records, in memory for its tables and not for its records."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from sovguard.reports.notices import Noticed
from sovguard.reports.reading import OUTCOMES, Asked, Reader, class_of, key, number
from sovguard.reports.rows import (
    Answered,
    Bin,
    DryRun,
    Flow,
    Found,
    Group,
    InForce,
    Stopped,
    Summary,
    Waited,
    Warned,
)
from sovguard.reports.tallies import Distinct, Latencies, Timeline

K = TypeVar("K")

KOREA = 9 * 60
"""Minutes that Korean time is ahead of UTC."""
_WAITING = 16_384
"""How many requests are kept in mind until their answer comes."""


def summarize(
    records: Iterable[Mapping[str, Any]],
    *,
    since_ms: int | None = None,
    until_ms: int | None = None,
    offset_minutes: int = KOREA,
) -> Summary:
    """Return what was sent where, and what became of it.

    Args:
        records: Of the ledger, each writer's in its order. They are read once; memory does not grow with their number.
        since_ms: The first moment that counts, in milliseconds since 1970; ``None`` for all.
        until_ms: The first moment after it that does not.
        offset_minutes: How far local time is ahead of UTC: where days begin.
    """
    tally = _Tally(Timeline(offset_minutes * 60_000))
    reader = Reader()
    for record in records:
        kind = record.get("kind")
        if kind == "request":
            asked = reader.request(record)
            if asked is None:
                tally.unreadable += 1
            elif (since_ms is None or asked.when >= since_ms) and (until_ms is None or asked.when < until_ms):
                tally.request(asked)
            else:
                tally.wait(asked.key, None)
        elif kind == "answer":
            tally.answer(record)
        else:
            tally.others[kind if isinstance(kind, str) else ""] += 1
    return tally.summary(since_ms, until_ms, offset_minutes)


def to_json(summary: Summary) -> dict[str, Any]:
    """Return a summary as JSON-like data, with the rates that its rows work out; times are milliseconds since 1970."""
    table = asdict(summary)
    for row, answered in zip(table["answered"], summary.answered, strict=True):
        row["rate"] = round(answered.rate, 6)
    return table


@dataclass(slots=True)
class _Flow:
    requests: int = 0
    dry_run: int = 0
    values: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


@dataclass(slots=True)
class _Group:
    outcomes: Counter[str] = field(default_factory=Counter)
    abroad: int = 0
    values: int = 0


@dataclass(slots=True)
class _Span:
    first: int
    last: int
    requests: int = 0


@dataclass(slots=True)
class _Came:
    answers: int = 0
    failed: int = 0
    restored: int = 0
    unresolved: int = 0


_StoppedBy = Counter[tuple[str, str, str, str, str]]
"""By outcome, rule, destination, where it went instead and digest of the policy."""


class _Tally:
    """What is counted while records are read."""

    def __init__(self, timeline: Timeline) -> None:
        self.others: Counter[str] = Counter()
        self.unreadable = 0
        self._timeline = timeline
        self._span: _Span | None = None
        self._outcomes: Counter[str] = Counter()
        self._fallbacks: Counter[str] = Counter()
        self._sessions = Distinct()
        self._flows: dict[tuple[str, str, str], _Flow] = defaultdict(_Flow)
        self._sides: dict[tuple[str, str, str], Any] = {}
        self._sent: dict[str, Counter[str]] = defaultdict(Counter)
        self._held: Counter[str] = Counter()
        self._stopped: _StoppedBy = Counter()
        self._harmless: set[tuple[str, str]] = set()
        self._tried: Counter[str] = Counter()
        self._tried_stopped: _StoppedBy = Counter()
        self._warned: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        self._policies: dict[tuple[str, ...], _Span] = {}
        self._detectors: dict[tuple[str, ...], _Span] = {}
        self._tenants: dict[str, _Group] = defaultdict(_Group)
        self._purposes: dict[str, _Group] = defaultdict(_Group)
        self._noticed = Noticed()
        self._waiting: OrderedDict[tuple[str, int], tuple[str, str] | None] = OrderedDict()
        self._came: dict[tuple[str, str], _Came] = defaultdict(_Came)
        self._latencies: dict[str, Latencies] = defaultdict(Latencies)
        self._unmatched = 0

    def request(self, asked: Asked) -> None:
        """Count a request."""
        outcome = asked.outcome
        if asked.fallback:
            self._fallbacks[outcome] += 1
        else:
            self._once(asked)
        abroad = asked.sent and bool(asked.place.abroad)
        values = sum(sum(actions.values()) for actions in asked.counts.values())
        for group in (self._tenants[asked.tenant], self._purposes[asked.purpose]):
            group.outcomes[outcome] += not asked.fallback
            group.abroad += abroad
            group.values += values if asked.sent else 0
        for topic in asked.warnings:
            warned = self._warned[topic]
            warned[0] += not asked.fallback
            warned[1] += abroad
        if asked.sent:
            self._left(asked, values)

    def _once(self, asked: Asked) -> None:
        """Count what a request is counted for once, however often it is tried."""
        when = asked.when
        if self._span is None:
            self._span = _Span(when, when)
        _extend(self._span, when)
        self._outcomes[asked.outcome] += 1
        self._timeline.add(when, ("outcome", asked.outcome))
        if asked.session:
            self._sessions.add(asked.session)
        _extend(self._policies.setdefault(asked.policy, _Span(when, when)), when)
        _extend(self._detectors.setdefault(asked.detectors, _Span(when, when)), when)
        if not asked.sent:
            for name, actions in asked.counts.items():
                self._held[name] += sum(actions.values())
        self._judged(asked)

    def _left(self, asked: Asked, values: int) -> None:
        place = asked.place
        self._timeline.add(asked.when, ("provider", place.provider), ("jurisdiction", place.jurisdiction))
        at = (place.provider, place.jurisdiction, place.inference_region)
        flow = self._flows[at]
        self._sides[at] = place.side
        flow.requests += 1
        flow.dry_run += asked.outcome == "dry_run"
        if values:
            for name, actions in asked.counts.items():
                flow.values[name].update(actions)
                self._sent[name].update(actions)
        self._noticed.add(asked)
        self.wait(asked.key, (place.id, asked.model))

    def _judged(self, asked: Asked) -> None:
        """Count which rules stopped a request, or would have in a dry run."""
        dry = asked.outcome == "dry_run"
        if dry:
            self._tried[asked.judged] += 1
        if asked.judged == "send":
            self._harmless.update((asked.policy[1], rule) for rule in asked.rules)
            return
        reasons = (asked.reason,) if asked.judged == "refused" else asked.rules or ("",)
        instead = asked.place.id if asked.judged == "reroute" and not dry else ""
        stopped = self._tried_stopped if dry else self._stopped
        for reason in reasons:
            stopped[asked.judged, reason, asked.addressed.id, instead, asked.policy[1]] += 1

    def wait(self, asked: tuple[str, int], of: tuple[str, str] | None) -> None:
        """Keep in mind whose answer is to come; ``None`` for one that does not count."""
        self._waiting[asked] = of
        if len(self._waiting) > _WAITING:
            self._waiting.popitem(last=False)

    def answer(self, record: Mapping[str, Any]) -> None:
        """Count an answer, for the destination and the model of its request."""
        asked = key(record, "of")
        if asked[1] < 0 or asked not in self._waiting:
            self._unmatched += 1
            return
        of = self._waiting.pop(asked)
        if of is None:
            return
        came = self._came[of]
        came.answers += 1
        status = record.get("status")
        came.failed += record.get("outcome") != "ok" or (isinstance(status, int) and status >= 400)
        came.restored += int(number(record.get("restored")) or 0)
        came.unresolved += int(number(record.get("unresolved")) or 0)
        latency = number(record.get("latency_ms"))
        if latency is not None:
            self._latencies[of[0]].add(latency)

    def summary(self, since: int | None, until: int | None, offset: int) -> Summary:
        """Return what was counted, the most frequent first."""
        span = self._span
        return Summary(
            since=since,
            until=until,
            offset_minutes=offset,
            first=None if span is None else span.first,
            last=None if span is None else span.last,
            requests=0 if span is None else span.requests,
            fallbacks=dict(self._fallbacks),
            outcomes={name: self._outcomes[name] for name in OUTCOMES},
            sessions=self._sessions.count,
            sessions_exact=self._sessions.exact,
            flows=tuple(self._flow(at) for at in _most(self._flows, lambda flow: flow.requests)),
            found=tuple(map(self._found, sorted(self._sent.keys() | self._held.keys()))),
            unit=self._timeline.unit,
            timeline=tuple(_bin(name, counted) for name, counted in self._timeline.bins()),
            stopped=_stopped(self._stopped, self._harmless),
            dry_run=DryRun(
                self._tried.total(), dict(self._tried), _stopped(self._tried_stopped, self._harmless)
            ),
            warnings=tuple(
                Warned(topic, *self._warned[topic])
                for topic in _most(self._warned, lambda counted: counted[0])
            ),
            answered=tuple(
                Answered(*of, came.answers, came.failed, came.restored, came.unresolved)
                for of, came in sorted(self._came.items())
            ),
            unmatched=self._unmatched,
            waited=tuple(_waited(name, each) for name, each in sorted(self._latencies.items())),
            policies=_in_force(self._policies),
            detectors=_in_force(self._detectors),
            tenants=_groups(self._tenants),
            purposes=_groups(self._purposes),
            notices=self._noticed.notices(),
            others=dict(sorted(self.others.items())),
            unreadable=self.unreadable,
        )

    def _flow(self, at: tuple[str, str, str]) -> Flow:
        flow = self._flows[at]
        classes: dict[str, Counter[str]] = defaultdict(Counter)
        for name, actions in flow.values.items():
            classes[class_of(name)].update(actions)
        return Flow(*at, self._sides[at], flow.requests, flow.dry_run, _plain(flow.values), _plain(classes))

    def _found(self, name: str) -> Found:
        return Found(name, class_of(name), dict(sorted(self._sent[name].items())), self._held[name])


def _extend(span: _Span, when: int) -> None:
    span.requests += 1
    if when < span.first:
        span.first = when
    if when > span.last:
        span.last = when


def _most(table: Mapping[K, Any], count: Callable[[Any], int]) -> list[K]:
    """Return the keys of a table, that with the most first; those alike in their own order."""
    return sorted(table, key=lambda each: (-count(table[each]), each))


def _plain(table: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    return {name: dict(sorted(actions.items())) for name, actions in sorted(table.items())}


def _bin(name: str, counted: Mapping[tuple[str, ...], int]) -> Bin:
    of: dict[str, dict[str, int]] = {"outcome": {}, "provider": {}, "jurisdiction": {}}
    for (what, which), count in sorted(counted.items()):
        of[what][which] = count
    return Bin(name, of["outcome"], of["provider"], of["jurisdiction"])


def _stopped(table: _StoppedBy, harmless: Collection[tuple[str, str]]) -> tuple[Stopped, ...]:
    """Return the rules that stopped requests.

    A record names every rule that decided anything. One that under the same policy also decided requests that were sent asks
    for nothing that stops one, and is left out beside another that may.
    """
    explained = {
        (outcome, *rest)
        for outcome, rule, *rest in table
        if outcome == "refused" or (rest[2], rule) not in harmless
    }
    counted: Counter[tuple[str, str, str, str]] = Counter()
    for (outcome, rule, destination, instead, digest), count in table.items():
        may = outcome == "refused" or (digest, rule) not in harmless
        if may or (outcome, destination, instead, digest) not in explained:
            counted[outcome, rule, destination, instead] += count
    return tuple(Stopped(*each, counted[each]) for each in _most(counted, int))


def _waited(name: str, each: Latencies) -> Waited:
    p50, p95, p99 = (round(each.percentile(share) or 0.0, 1) for share in (0.5, 0.95, 0.99))
    return Waited(name, each.count, p50, p95, p99, round(each.greatest, 1))


def _in_force(table: Mapping[tuple[str, ...], _Span]) -> tuple[InForce, ...]:
    spans = [InForce(what, span.first, span.last, span.requests) for what, span in table.items()]
    return tuple(sorted(spans, key=lambda each: (each.first, each.what)))


def _groups(table: Mapping[str, _Group]) -> tuple[Group, ...]:
    return tuple(
        Group(
            name,
            {each: table[name].outcomes[each] for each in OUTCOMES},
            table[name].abroad,
            table[name].values,
        )
        for name in _most(table, lambda group: group.outcomes.total())
    )
