"""What a store keeps: rows of which it understands nothing but their keys, and changes that happen whole or not at all.

Between ``SealedVault``, which seals and opens, and the stores (SQLite, PostgreSQL, Redis, memory), which see sealed bytes,
keyed hashes, random surrogates, names of entity types and times.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sovguard.vault.waiting import Waiting


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session.

    Attributes:
        sid: Keyed hash of tenant and session id.
        tenant: Keyed hash of the tenant.
        version: Counts the changes of the session; a change that was worked out on an older one is refused.
        name: Sealed: its tenant and id, for whoever administers the vault; empty once it is erased.
        key_id: Which key-encryption key wrapped its data key; empty once that is destroyed.
        wrapped: The data key, wrapped; empty once it is destroyed.
        header: Sealed: what the session's surrogates are made of.
        namespaces: Its namespaces.
        former: Namespaces that it had before it was erased.
        created: When it was made, in seconds since 1970.
        expires: When what is in it now ends; ``None`` for never.
    """

    sid: bytes
    tenant: bytes
    version: int
    name: bytes
    key_id: str
    wrapped: bytes
    header: bytes
    namespaces: tuple[str, ...]
    former: tuple[str, ...]
    created: int
    expires: int | None

    def __repr__(self) -> str:
        return f"SessionRow(version {self.version})"


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One value.

    Attributes:
        surrogate: What stands for it.
        seq: Its place in the order of minting in its session.
        entity_type: What it is.
        lookup: Keyed hash of the value and what it is; ``None`` once it is gone.
        person: Keyed hash of who is meant; ``None`` for what is no person, or gone.
        person_no: For the first mention of a person: how many there are with this one.
        record: Sealed: the value; ``None`` once it is gone.
        expires: When it ends; ``None`` for never.
    """

    surrogate: str
    seq: int
    entity_type: str
    lookup: bytes | None
    person: bytes | None
    person_no: int | None
    record: bytes | None
    expires: int | None

    def __repr__(self) -> str:
        return f"EntryRow({self.entity_type})"

    def emptied(self, *, person: bool = False) -> EntryRow:
        """Return the row without its value: its surrogate is known to have stood for something.

        Args:
            person: Whether whom it named is forgotten too. Otherwise that stays, as a keyed hash, so that the next mention of
                the same person is numbered behind it and never like it.
        """
        return replace(self, lookup=None, record=None, person=None if person else self.person)


@dataclass(frozen=True, slots=True)
class Event:
    """What was done to a vault, for whoever keeps its records; no value is in it.

    Attributes:
        at: When, in seconds since 1970.
        what: ``erased values``, ``erased person``, ``erased session``, ``erased tenant``, ``swept``, ``rotated`` or
            ``renumbered``.
        sid: The session's keyed hash, if it was about one.
        count: How many values or sessions.
    """

    at: int
    what: str
    sid: bytes | None
    count: int


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one session, in one commit.

    Attributes:
        meta: What the vault has to say of itself for the change to be made.
        row: The session as it will be.
        expected: The version it has now; ``None`` if there is no such session.
        added: Entries that are new; it is an error if there is one with the same surrogate.
        changed: Entries that take the place of those with the same surrogate.
        shreds: Whether all other entries are deleted.
        event: What is written down with it.
    """

    meta: bytes
    row: SessionRow
    expected: int | None
    added: Sequence[EntryRow] = ()
    changed: Sequence[EntryRow] = ()
    shreds: bool = False
    event: Event | None = None

    def __repr__(self) -> str:
        return f"Change({len(self.added)} + {len(self.changed)} entries)"


class Store(Protocol):
    """Where rows lie. Safe to share between threads and, but for memory, between processes.

    A method that cannot do all of what it was asked raises ``VaultError`` and changes nothing.

    Attributes:
        waiting: How its callers wait for it.
    """

    waiting: Waiting

    def create(self, meta: bytes) -> None:
        """Make a new vault; ``VaultError`` if there is one."""
        ...

    def meta(self) -> bytes | None:
        """Return what ``create`` or ``set_meta`` was given; ``None`` if there is no vault."""
        ...

    def set_meta(self, meta: bytes) -> None:
        """Replace it."""
        ...

    def session(self, sid: bytes) -> SessionRow | None:
        """Return a session as it is after every change that was committed, in any process."""
        ...

    def find(self, sid: bytes, lookups: Sequence[bytes]) -> Mapping[bytes, EntryRow]:
        """Return the entries with these lookups, by lookup."""
        ...

    def read(self, sid: bytes, surrogates: Sequence[str]) -> Mapping[str, EntryRow]:
        """Return the entries with these surrogates."""
        ...

    def of_people(self, sid: bytes, people: Sequence[bytes]) -> Mapping[bytes, EntryRow]:
        """Return the entry of each of these people that was minted last, for those that have one."""
        ...

    def people(self, sid: bytes, after: int) -> list[EntryRow]:
        """Return the first mention of each person but for the first ``after``, in order."""
        ...

    def commit(self, change: Change) -> bool:
        """Make a change, durably; ``False``, and nothing changed, if the session or the vault is not as expected."""
        ...

    def exclusive(self, sid: bytes) -> AbstractContextManager[None]:
        """Return a context that only one caller is in at a time for a session, in any process, as far as the store can.

        Not needed for a change to be right, only for it to come through where many change one session at once.
        """
        ...

    def drop(self, sid: bytes) -> None:
        """Delete a session and its entries."""
        ...

    def sessions(self, tenant: bytes | None = None) -> Iterator[SessionRow]:
        """Give every session, or every one of a tenant."""
        ...

    def entries(self, sid: bytes, after: int = 0) -> Iterator[EntryRow]:
        """Give every entry of a session from a place in the order of minting on."""
        ...

    def add_event(self, event: Event) -> None:
        """Write down what was done."""
        ...

    def events(self) -> list[Event]:
        """Return what was written down, the oldest first."""
        ...

    def scrub(self) -> bool:
        """Overwrite what was deleted, as far as the store can; ``False`` if something is in the way just now."""
        ...

    def close(self) -> None:
        """End its connections."""
        ...


class Recorder(Protocol):
    """What keeps records: a ``Ledger``."""

    def append(self, kind: str, fields: Mapping[str, Any], /) -> int:
        """Write a record down, and return its number."""
        ...
