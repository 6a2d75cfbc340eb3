"""The durable vault: seals what it is given and keeps it in a store, for as many processes as there are.

Between a Guard and a ``Store``. Every change of a session is worked out on one version of it and committed only if that is
still its version, so two processes that meet a value at once mint one surrogate for it.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any, Self

from sovguard.errors import VaultError
from sovguard.surrogates import new_key
from sovguard.vault.crypto import invalid, tag
from sovguard.vault.crypto import new_key as new_secret
from sovguard.vault.keys import KeyProvider, Keyring, MissingKey
from sovguard.vault.lifetimes import Lifetimes
from sovguard.vault.minting import drawn, new_rows
from sovguard.vault.opened import Opened, OpenedSessions
from sovguard.vault.records import ID, Header, Meta, SessionKeys, open_name, seal_name, session_context
from sovguard.vault.rows import Change, EntryRow, Recorder, SessionRow, Store
from sovguard.vault.store import Entry, SessionRef, SessionState
from sovguard.vault.waiting import elsewhere

_Rows = Sequence[EntryRow]
_ATTEMPTS = 200
_LOCKS = 64


class SealedVault:
    """A vault whose records are sealed and outlive the process.

    Args:
        store: Where they lie.
        keys: What wraps the data keys of sessions.
        ttl: How long a session lives from its first use; ``None`` for ever.
        ttls: How long values live from their first mention, by entity type or legal class (``"unique_identifier"``); the
            type counts before the class.
        clock: Seconds since 1970.
        ledger: Where erasures, sweeps and rotations are written down too (``sovguard.ledger``), besides in the vault.

    Raises:
        ConfigError: A time to live is none.
        VaultError: There is no vault in the store: make one with ``SealedVault.create``. Or the keys are not its keys.
    """

    def __init__(
        self,
        store: Store,
        keys: KeyProvider,
        *,
        ttl: timedelta | None = None,
        ttls: Mapping[str, timedelta] | None = None,
        clock: Callable[[], float] = time.time,
        ledger: Recorder | None = None,
    ) -> None:
        self.store, self.keys, self.ledger = store, keys, ledger
        self.lifetimes = Lifetimes(ttl, ttls or {}, clock)
        stored = store.meta()
        if stored is None:
            raise VaultError(
                "there is no vault here; make one with 'sovguard vault init' or SealedVault.create(), or name the place "
                "where it is. A vault is never made anew by itself"
            )
        self.meta, self._said = Meta.decode(stored), stored
        self._index = elsewhere(self.meta.index_key, keys)
        self._sessions = OpenedSessions()
        self._locks = [store.waiting.lock() for _ in range(_LOCKS)]

    def __repr__(self) -> str:
        return f"SealedVault({type(self.store).__name__})"

    @classmethod
    def create(cls, store: Store, keys: KeyProvider, **settings: object) -> Self:
        """Make a vault in an empty store and return it.

        Raises:
            VaultError: There is one already.
        """
        vault_id, index = os.urandom(ID), new_secret()
        key_id, wrapped = elsewhere(keys.wrap, index, Meta(vault_id, "", b"").context())
        store.create(Meta(vault_id, key_id, wrapped).encode())
        return cls(store, keys, **settings)  # type: ignore[arg-type]

    @property
    def asynchronous(self) -> bool:
        """Whether the event loop waits for it, and plain calls have to go through ``in_loop``."""
        return self.store.waiting.asynchronous

    def close(self) -> None:
        """End the store's connections."""
        self.store.close()

    def sid(self, session: SessionRef) -> bytes:
        """Return what a session's rows are found by."""
        parts = (
            session.tenant.encode("utf-8", "surrogatepass"),
            session.session_id.encode("utf-8", "surrogatepass"),
        )
        return tag(self._index, b"session", *parts)[:ID]

    def tenant_tag(self, tenant: str) -> bytes:
        """Return what a tenant's rows are found by."""
        return tag(self._index, b"tenant", tenant.encode("utf-8", "surrogatepass"))[:ID]

    def now(self) -> int:
        """Return the time by the vault's clock, in whole seconds since 1970."""
        return self.lifetimes.now()

    @staticmethod
    def busy() -> VaultError:
        """Return the error for a session that others kept changing."""
        return VaultError(
            "the vault was changed by others each time this session was to be; nothing was sent: try again"
        )

    def open(self, session: SessionRef) -> SessionState:
        """Return the state of ``session``, making the session first if there is none."""
        return self._opened(session, make=True).header.state

    def put(self, session: SessionRef, entries: Sequence[Entry], *, avoid: Collection[str] = ()) -> list[str]:
        """Return one surrogate for each of ``entries``, in their order, minting those that have none."""
        opened = self._opened(session, renew=True)
        wanted = dict.fromkeys(entries)
        rows = self._rows(opened, wanted)
        if any(entry not in rows or self.lifetimes.over(rows[entry].expires) for entry in wanted):
            rows = self._minted(session, wanted, avoid, opened, rows)
        return [rows[entry].surrogate for entry in entries]

    def get(self, session: SessionRef, surrogates: Collection[str]) -> Mapping[str, Entry | None]:
        """Return the entries of those ``surrogates`` that this session knows; ``None`` for what has ended or was erased."""
        opened = self._opened(session)
        rows = self.store.read(opened.row.sid, list(surrogates))
        return {
            surrogate: self._entry(rows[surrogate], opened) for surrogate in surrogates if surrogate in rows
        }

    def _entry(self, row: EntryRow, opened: Opened) -> Entry | None:
        if row.record is None or self.lifetimes.over(row.expires):
            return None
        return opened.keys.open_entry(row)

    def note(self, session: SessionRef, stood: Mapping[str, Collection[str]]) -> None:
        """Add to what stood behind values."""

        def change(opened: Opened) -> list[EntryRow]:
            changed: list[EntryRow] = []
            for surrogate, row in self.store.read(opened.row.sid, list(stood)).items():
                if row.record is None:
                    continue
                entry = opened.keys.open_entry(row)
                if not entry.stood.issuperset(stood[surrogate]):
                    entry = replace(entry, stood=entry.stood.union(stood[surrogate]))
                    changed.append(replace(row, record=opened.keys.seal_entry(entry, surrogate, row.expires)))
            return changed

        self._changed(session, lambda opened: (opened.header, [], change(opened)))

    def people(self, session: SessionRef, *, after: int = 0) -> Sequence[str]:
        """Return the keys of the people whom this session knows, but for the first ``after``.

        One who was erased or whose time has come is an empty key, so that the others keep their places.
        """
        row = self.store.session(self.sid(session))
        if row is None or not row.wrapped:
            return []
        opened = self._opened(session)
        if after >= opened.header.people:
            return []
        firsts = self.store.people(opened.row.sid, after)
        entries = [self._entry(first, opened) for first in firsts]
        # Whose first mention has gone is still known by another one.
        gone = [
            first.person
            for first, entry in zip(firsts, entries, strict=True)
            if entry is None and first.person
        ]
        others = self.store.of_people(opened.row.sid, gone) if gone else {}
        found: list[str] = []
        for first, entry in zip(firsts, entries, strict=True):
            other = others.get(first.person) if entry is None and first.person is not None else None
            known = self._entry(other, opened) if other is not None else entry
            found.append("" if known is None else known.person)
        return found

    def entries(self, session: SessionRef, *, after: int = 0) -> Sequence[Entry | None]:
        """Return what this session knows, but for the first ``after`` entries; ``None`` for what has ended or was erased."""
        row = self.store.session(self.sid(session))
        if row is None or not row.wrapped:
            return []
        opened = self._opened(session)
        if after >= opened.header.count:
            return []
        return [self._entry(each, opened) for each in self.store.entries(opened.row.sid, after)]

    def forget(self, session: SessionRef) -> None:
        """Drop a session and everything in it."""
        sid = self.sid(session)
        self.store.drop(sid)
        self._sessions.drop(sid)

    def ref_of(self, row: SessionRow) -> SessionRef:
        """Return the tenant and id of a session that was not erased."""
        return open_name(self._index, row.name, row.sid)

    def opened_row(self, row: SessionRow, ref: SessionRef | None = None) -> tuple[SessionKeys, Header]:
        """Return the keys and the header of a session that was not erased.

        Args:
            row: The session.
            ref: Its tenant and id, if they are known.
        """
        context = session_context(self.meta.vault_id, row.sid)
        data_key = elsewhere(self.keys.unwrap, row.key_id, row.wrapped, context)
        keys = SessionKeys(data_key, self.meta.vault_id, self.ref_of(row) if ref is None else ref)
        return keys, keys.open_header(row.header, frozenset(row.former))

    def refresh(self) -> None:
        """Look again at what the vault says of itself: its key may have been rotated.

        Raises:
            VaultError: It has gone, or another vault is in its place.
            MissingKey: It was rotated to a key that is not in the keyring.
        """
        stored = self.store.meta()
        meta = None if stored is None else Meta.decode(stored)
        if stored is None or meta is None or meta.vault_id != self.meta.vault_id:
            raise VaultError(
                "the vault has gone from its place, or another one has taken it; nothing was sent: restore it from a backup"
            )
        if stored != self._said:
            self._index = elsewhere(meta.index_key, self.keys)
            self.meta, self._said = meta, stored

    def committed(self, row: SessionRow, expected: int | None, **change: Any) -> bool:
        """Commit a change of a session, if the vault is still what it was; ``False`` if it has to be worked out again."""
        if self.store.commit(Change(self._said, row, expected, **change)):
            return True
        self.refresh()
        return False

    def _opened(self, session: SessionRef, *, make: bool = False, renew: bool = False) -> Opened:
        sid = self.sid(session)
        for _ in range(_ATTEMPTS):
            row = self.store.session(sid)
            if row is None or not row.wrapped:
                if not make:
                    raise VaultError(
                        "this session was never opened in this vault, or it was erased; open() it first"
                    )
                made = self._new(session, sid, row)
                if self.committed(made.row, None if row is None else row.version):
                    return self._sessions.keep(made)
                continue
            if (make or renew) and self.lifetimes.over(row.expires):
                # What it held has ended and stays so; what comes now lives anew.
                self.committed(
                    replace(row, version=row.version + 1, expires=self.lifetimes.session_ends()), row.version
                )
                continue
            if (held := self._sessions.as_it_is(row)) is not None:
                return held
            return self._sessions.keep(Opened(row, *self.opened_row(row, session)))
        raise self.busy()

    def _new(self, session: SessionRef, sid: bytes, erased: SessionRow | None) -> Opened:
        data_key = new_secret()
        key_id, wrapped = elsewhere(self.keys.wrap, data_key, session_context(self.meta.vault_id, sid))
        if isinstance(self.keys, Keyring) and self.keys.precedes(key_id, self.meta.key_id):
            raise MissingKey(
                f"the vault was rotated to the key {self.meta.key_id}, and this process still wraps with {key_id}: load the "
                "keyring again. Nothing was sent"
            )
        former = erased.former if erased is not None else ()
        namespace = drawn(frozenset(former))
        keys = SessionKeys(data_key, self.meta.vault_id, session)
        state = SessionState(new_key(), frozenset({namespace}), frozenset(), frozenset(former))
        header = Header(state, namespace, 0, None, 0, 0)
        row = SessionRow(
            sid=sid,
            tenant=self.tenant_tag(session.tenant),
            # Not from 1 on: what was worked out on a session that was dropped must not fit one of the same name.
            version=random.SystemRandom().getrandbits(47) if erased is None else erased.version + 1,
            name=seal_name(self._index, session, sid),
            key_id=key_id,
            wrapped=wrapped,
            header=keys.seal_header(header),
            namespaces=(namespace,),
            former=former,
            created=self.now(),
            expires=self.lifetimes.session_ends(),
        )
        return Opened(row, keys, header)

    def _rows(self, opened: Opened, entries: Collection[Entry]) -> dict[Entry, EntryRow]:
        """Return the rows of those entries that have one, ended or not."""
        lookups = {opened.keys.lookup(entry): entry for entry in entries}
        found = self.store.find(opened.row.sid, list(lookups))
        for lookup, row in found.items():
            # The lookup is not sealed: whoever could write to the store might have moved it.
            if not self.lifetimes.over(row.expires) and self._entry(row, opened) != lookups[lookup]:
                raise invalid()
        return {lookups[lookup]: row for lookup, row in found.items()}

    def _changed(self, session: SessionRef, work: Callable[[Opened], tuple[Header, _Rows, _Rows]]) -> Opened:
        """Commit what ``work`` makes of a session, working it out again if someone else was faster."""
        sid = self.sid(session)
        with self._locks[sid[0] % _LOCKS]:
            for attempt in range(_ATTEMPTS):
                # At first in hope that nobody else changes it, then one after another.
                with self.store.exclusive(sid) if attempt else nullcontext():
                    opened = self._opened(session, renew=True)
                    header, added, changed = work(opened)
                    if not added and not changed and header is opened.header:
                        return opened
                    row = replace(
                        opened.row,
                        version=opened.row.version + 1,
                        header=opened.row.header
                        if header is opened.header
                        else opened.keys.seal_header(header),
                        namespaces=tuple(sorted(header.state.namespaces)),
                    )
                    if self.committed(row, opened.row.version, added=added, changed=changed):
                        return self._sessions.keep(Opened(row, opened.keys, header))
                self.store.waiting.pause(random.uniform(0, min(0.002 * 2 ** min(attempt, 5), 0.05)))  # noqa: S311
        raise self.busy()

    def _minted(
        self,
        session: SessionRef,
        entries: Collection[Entry],
        avoid: Collection[str],
        seen: Opened,
        rows: dict[Entry, EntryRow],
    ) -> dict[Entry, EntryRow]:
        """Return a row for each entry; ``rows`` is what there was when the session was as ``seen``."""
        minted: dict[Entry, EntryRow] = {}

        def mint_missing(opened: Opened) -> tuple[Header, _Rows, _Rows]:
            found = rows if opened is seen else self._rows(opened, entries)
            ended = {entry for entry, row in found.items() if self.lifetimes.over(row.expires)}
            minted.clear()
            minted.update({entry: row for entry, row in found.items() if entry not in ended})
            missing = [entry for entry in entries if entry not in minted]
            if not missing:
                return opened.header, [], []
            people = {opened.keys.person(entry.person) for entry in missing if entry.person}
            last = self.store.of_people(opened.row.sid, list(people))
            ends = {
                name: self.lifetimes.ends(name, opened.row.expires)
                for name in {entry.entity_type for entry in missing}
            }
            header, new = new_rows(opened.keys, opened.header, missing, last, ends, avoid)
            minted.update(zip(missing, new, strict=True))
            # What has ended is found no more, but stays until a sweep: the clock may be wrong.
            return header, new, [replace(found[entry], lookup=None) for entry in ended]

        self._changed(session, mint_missing)
        return minted
