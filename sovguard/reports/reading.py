"""What a record of the ledger says, in the words of reports.

The only place that knows the fields of a record. What is missing or of another type is taken for not known, and never for
harmless: a destination that cannot be read is one abroad of which nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeGuard

from sovguard.entities import ENTITY_TYPES

UNKNOWN = "unknown"
OWN = "own"
HOME = "KR"
"""Reports are told from here: every other country is abroad."""
UNLISTED = "(unlisted)"
"""The id of a destination that is in no catalogue."""
OTHER_CLASS = "other"
LATEST = 253_402_300_799_999 - 86_400_000
"""The last day that a date can be of, in milliseconds since 1970."""
OUTCOMES = ("send", "reroute", "dry_run", "block", "refused")
"""What became of a request; ``dry_run``: it was sent with surrogates, and what the policy said was only recorded."""

Side = Literal["own", "home", "abroad", "unknown"]
Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Place:
    """A destination as it was known when something went there.

    Attributes:
        id: Its name in the policy.
        provider: Who offers it.
        legal_entity: Who receives what is sent.
        jurisdiction: Under whose law that is; a country, ``own`` or ``unknown``.
        inference_region: Where it is worked on.
        storage_region: Where it is kept.
        retention: For how long.
        training_use: Whether it is trained on.
        trust: ``own``, ``contracted`` or ``standard``.
    """

    id: str = UNLISTED
    provider: str = UNKNOWN
    legal_entity: str = UNKNOWN
    jurisdiction: str = UNKNOWN
    inference_region: str = UNKNOWN
    storage_region: str = UNKNOWN
    retention: str = UNKNOWN
    training_use: str = UNKNOWN
    trust: str = UNKNOWN

    @property
    def side(self) -> Side:
        """Whether its law and where it works are one's own, at home, abroad or not known."""
        return side(self.jurisdiction, self.inference_region)

    @property
    def abroad(self) -> tuple[str, ...]:
        """Names of those facts that do not say it is at home: what a transfer abroad is seen in."""
        named = ("jurisdiction", "inference_region", "storage_region")
        return tuple(name for name in named if getattr(self, name) not in (HOME, OWN))


NOWHERE = Place()
_FACTS = tuple(field.name for field in fields(Place) if field.name != "id")


def side(*places: str) -> Side:
    """Return where a law or a place is; of several, the one farthest away counts."""
    if any(each not in (OWN, HOME, UNKNOWN) for each in places):
        return "abroad"
    if UNKNOWN in places:
        return "unknown"
    return "home" if HOME in places else "own"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as reports look at it.

    Attributes:
        when: Milliseconds since 1970.
        key: Its writer and number.
        tenant: Whose it was.
        session: The session, keyed.
        caller: What asked.
        purpose: What for; empty if nobody said.
        model: Which model; empty if none was named.
        outcome: One of ``OUTCOMES``.
        judged: What the policy said: in a dry run, other than what was done.
        place: Where it went; for one that went nowhere, where it was to go.
        addressed: Where it was first to go.
        fallback: Whether it is another try of a request whose destination was out.
        rules: The rules that decided.
        reason: Why it was refused.
        counts: How many values of each type had which action, as it was sent.
        warnings: Sensitive topics.
        policy: Name and digest.
        detectors: What looked: version, names, pack.
    """

    when: int
    key: tuple[str, int]
    tenant: str
    session: str
    caller: str
    purpose: str
    model: str
    outcome: str
    judged: str
    place: Place
    addressed: Place
    fallback: bool
    rules: tuple[str, ...]
    reason: str
    counts: Counts
    warnings: tuple[str, ...]
    policy: tuple[str, str]
    detectors: tuple[str, str, str]

    @property
    def sent(self) -> bool:
        """Whether anything left."""
        return self.outcome in ("send", "reroute", "dry_run")


class Reader:
    """Reads records; what many records say alike is made once."""

    def __init__(self) -> None:
        self._places: dict[tuple[Any, ...], Place] = {}

    def request(self, record: Mapping[str, Any]) -> Asked | None:
        """Return a request; ``None`` if the record cannot be placed in time or has no outcome that is known."""
        when, judged = record.get("t"), record.get("outcome")
        if not _whole(when) or not 0 <= when <= LATEST or judged not in OUTCOMES or judged == "dry_run":
            return None
        dry = record.get("dry_run") is True and judged != "refused"
        place = self._place(record.get("destination"))
        addressed = self._place(record["addressed"]) if record.get("addressed") else place
        counts = _counts(record.get("counts"))
        if dry:
            # Nothing but surrogates left, and to where it was first to go, or to whom was asked because that was out; the rest
            # is what would have been.
            place = place if judged == "send" else addressed
            counts = {name: {"tokenize": sum(actions.values())} for name, actions in counts.items()}
        policy, detectors = _table(record.get("policy")), _table(record.get("detectors"))
        return Asked(
            when=when,
            key=key(record, "n"),
            tenant=_text(record.get("tenant")),
            session=_text(record.get("session")),
            caller=_text(record.get("caller")),
            purpose=_text(record.get("purpose")),
            model=_text(record.get("model")),
            outcome="dry_run" if dry else judged,
            judged=judged,
            place=place,
            addressed=addressed,
            fallback=record.get("fallback") is True,
            rules=_texts(record.get("rules")),
            reason=_text(record.get("reason")),
            counts=counts,
            warnings=_texts(record.get("warnings")),
            policy=(_text(policy.get("name")), _text(policy.get("digest"))),
            detectors=(
                _text(detectors.get("sovguard")),
                _text(detectors.get("names")),
                _text(detectors.get("pack")),
            ),
        )

    def _place(self, table: Any) -> Place:
        if not isinstance(table, Mapping):
            return NOWHERE
        said = (_text(table.get("id")) or UNLISTED, *(_text(table.get(name)) or UNKNOWN for name in _FACTS))
        place = self._places.get(said)
        if place is None:
            place = self._places[said] = Place(*said)
        return place


def key(record: Mapping[str, Any], name: str) -> tuple[str, int]:
    """Return what a request and its answer have in common: the writer and the number under ``name``."""
    number = record.get(name)
    return _text(record.get("writer")), number if _whole(number) else -1


def number(value: Any) -> float | None:
    """Return a count or a time of a record; ``None`` if it is none."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if good else None


def class_of(entity_type: str) -> str:
    """Return the legal class of a type; ``other`` for a type of the user's own."""
    known = ENTITY_TYPES.get(entity_type)
    return OTHER_CLASS if known is None else known.legal_class.value


def _counts(table: Any) -> Counts:
    found = {}
    for name, actions in _table(table).items():
        counted = {
            str(action): count for action, count in _table(actions).items() if _whole(count) and count > 0
        }
        if counted:
            found[str(name)] = counted
    return found


def _whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(_text, value)))) if isinstance(value, list | tuple) else ()
