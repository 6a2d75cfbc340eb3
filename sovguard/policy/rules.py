"""A policy: rules over what was found and where it would go.

The strictest of the rules that apply wins, so their order does not matter; what no rule covers is blocked. The files that hold
them are checked against the JSON Schema that is published beside this module (``policy.schema.json``).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from sovguard.entities import ENTITY_TYPES
from sovguard.policy.destinations import Catalogue

PROFILES = ("kr-pipa", "kr-finance", "kr-public", "kr-medical", "eu-gdpr", "us", "cn-pipl", "air-gapped")
"""The policies that come with sovguard; the first is the default."""
RESIDENT_NUMBERS = frozenset({"KR_RRN", "KR_FRN"})
"""Never sent as they are without a statute (PIPA Art. 24-2; foreigners' numbers: Art. 24, Decree Art. 19)."""
TOPICS = (
    "health", "sex_life", "union", "politics", "belief", "criminal_record", "genetic", "biometric", "race_ethnicity",
)  # fmt: skip
"""The sensitive topics (PIPA Art. 23, Decree Art. 18) that a rule can be about."""


class Action(IntEnum):
    """What happens to a value, or to a request that holds it; a greater one is stricter."""

    ALLOW = 0
    WARN = 1
    TOKENIZE = 2
    MASK = 3
    REMOVE = 4
    REROUTE = 5
    BLOCK = 6

    @property
    def word(self) -> str:
        """How it is written."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. It applies where all that it says holds.

    Attributes:
        id: Its name, with that of its policy before it.
        action: What it asks for.
        why: Why, for people to read.
        why_ko: The same in Korean.
        law: The articles that it rests on.
        data: Entity types and legal classes of the values it is about; ``*`` for all.
        but: Those among them that it is not about.
        everything: Whether it is about every request, whatever is in it.
        topics: Sensitive topics (``sovguard.detect.topics``) of the texts it is about.
        to: What the destination has to be: for each fact, the values that count.
        to_not: For each fact, the values that do not.
        purpose: Purposes that it is about; none for all.
        tenant: Tenants that it is about; none for all.
        min_score: How sure a detection has to be.
        more_than: How many different values of its data a request has to hold at least, less one.
        people_over: How many people the session has to have named at least, less one.
        all_of: Entity types, legal classes and topics (``topic:health``) that have to be in one request together.
        reroute_to: For ``reroute``, the target.
        statute: For values that may not leave as they are, the law that allows it.
    """

    id: str
    action: Action
    why: str = ""
    why_ko: str = ""
    law: tuple[str, ...] = ()
    data: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()
    everything: bool = False
    topics: frozenset[str] = frozenset()
    to: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)
    to_not: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)
    purpose: frozenset[str] = frozenset()
    tenant: frozenset[str] = frozenset()
    min_score: float = 0.0
    more_than: int = 0
    people_over: int = 0
    all_of: frozenset[str] = frozenset()
    reroute_to: str = ""
    statute: str = ""

    @property
    def depends(self) -> bool:
        """Whether it takes more than the type of a value to tell if it applies."""
        counted = self.min_score or self.more_than or self.people_over or self.all_of
        return bool(counted or (self.data and self.topics))

    def about(self, entity_type: str) -> bool:
        """Tell whether values of a type are among its data."""
        names = names_of(entity_type)
        return ("*" in self.data or not self.data.isdisjoint(names)) and self.but.isdisjoint(names)


@functools.cache
def names_of(entity_type: str) -> frozenset[str]:
    """Return what a rule can call a type: by its name and by its legal class."""
    known = ENTITY_TYPES.get(entity_type)
    return frozenset({entity_type} if known is None else {entity_type, known.legal_class.value})


@dataclass(frozen=True, slots=True)
class Target:
    """A model that requests are rerouted to, or that takes over when another is out.

    Attributes:
        id: Its name in rules.
        destination: Its destination.
        url: What its API begins with.
        dialect: The format it is asked in.
        key_env: The environment variable that holds its key; empty for none.
        models: Its model for each that was asked for; ``*`` for all others.
    """

    id: str
    destination: str
    url: str
    dialect: str
    key_env: str = ""
    models: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules, destinations and what holds where no rule does.

    Attributes:
        name: What it is called.
        rules: All of them, those of the policies it extends included.
        catalogue: The destinations it knows.
        targets: Where it reroutes to.
        fallbacks: For a destination that may be out, the targets that are tried then, in their order.
        dry_run: Whether it only records what would have happened.
        digest: SHA-256 of what it says, in hex.
    """

    name: str
    rules: tuple[Rule, ...]
    catalogue: Catalogue = field(hash=False)
    targets: Mapping[str, Target] = field(hash=False)
    dry_run: bool
    digest: str
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    def __repr__(self) -> str:
        return f"Policy({self.name!r}, {len(self.rules)} rules, {self.digest[:12]})"
