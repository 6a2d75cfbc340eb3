"""What is done to a vault by whoever answers for it: erase, sweep, rotate keys, look.

Erasing a session or a tenant destroys data keys (crypto-shredding): what those sealed is noise from then on, in backups
too. Each act is written down as an ``Event``, without any value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sovguard.errors import InputError
from sovguard.vault.keys import KeyProvider
from sovguard.vault.records import Meta, session_context
from sovguard.vault.rows import Change, EntryRow, Event, SessionRow
from sovguard.vault.sealed import SealedVault, emptied
from sovguard.vault.store import Entry, SessionRef

GRACE = timedelta(days=1)
"""How long after its end a value is left in place, so that a clock that jumped ahead destroys nothing."""
_TRIES = 50


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One session, for a list.

    Attributes:
        ref: Its tenant and id; ``None`` once it is erased.
        created: When it was made, in seconds since 1970.
        expires: When what is in it ends; ``None`` for never.
        counts: How many values there are of each type.
        key_id: Which key wraps its data key.
    """

    ref: SessionRef | None
    created: int
    expires: int | None
    counts: Mapping[str, int]
    key_id: str


@dataclass(frozen=True, slots=True)
class Status:
    """What is in a vault.

    Attributes:
        sessions: How many sessions there are.
        erased: How many were erased besides.
        values: How many values there are of each type.
        keys: How many sessions each key-encryption key wraps.
        events: How many acts were written down.
    """

    sessions: int
    erased: int
    values: Mapping[str, int]
    keys: Mapping[str, int]
    events: int


def sessions(vault: SealedVault, tenant: str | None = None) -> Iterator[SessionSummary]:
    """Give every session, or every one of a tenant, the oldest first."""
    for row in vault.store.sessions(None if tenant is None else vault.tenant_tag(tenant)):
        if row.wrapped:
            yield SessionSummary(vault.ref_of(row), row.created, row.expires, _counts(vault, row), row.key_id)
        else:
            yield SessionSummary(None, row.created, None, {}, "")


def status(vault: SealedVault) -> Status:
    """Return what is in a vault."""
    values: Counter[str] = Counter()
    keys: Counter[str] = Counter()
    found = erased = 0
    for row in vault.store.sessions():
        if not row.wrapped:
            erased += 1
            continue
        found += 1
        keys[row.key_id] += 1
        values.update(_counts(vault, row))
    return Status(found, erased, dict(values), dict(keys), len(vault.store.events()))


def erase_value(vault: SealedVault, session: SessionRef, entry_type: str, value: str) -> int:
    """Erase one value of a session, in every form in which it was kept; return how many that were."""

    def meant(entry: Entry, row: EntryRow) -> bool:
        return entry.entity_type == entry_type and entry.value == value

    return _erase(vault, session, "erased values", meant)


def erase_surrogate(vault: SealedVault, session: SessionRef, surrogate: str, *, person: bool = False) -> int:
    """Erase what a surrogate stands for; return how many values that were.

    Args:
        vault: The vault.
        session: Whose surrogate it is.
        surrogate: In its canonical spelling.
        person: Erase every mention of the person that it names.

    Raises:
        InputError: The session has no such surrogate, or it names no person.
    """
    row = vault.store.read(vault.sid(session), [surrogate]).get(surrogate)
    if row is None or row.record is None:
        raise InputError(
            "the session has no such surrogate, or it was erased already; name it as it was sent"
        )
    if not person:
        return _erase(vault, session, "erased values", lambda entry, each: each.surrogate == surrogate)
    if row.person is None:
        raise InputError("this surrogate names no person; erase it without the whole person")
    return _erase(vault, session, "erased person", lambda entry, each: each.person == row.person)


def erase_session(vault: SealedVault, session: SessionRef) -> int:
    """Erase a session: its data key goes, and with it everything in it; return 1, or 0 if there is none."""
    row = vault.store.session(vault.sid(session))
    if row is None or not row.wrapped:
        return 0
    _shred(vault, row)
    _note(vault, "erased session", row.sid, 1)
    return 1


def erase_tenant(vault: SealedVault, tenant: str) -> int:
    """Erase every session of a tenant; return how many that were."""
    erased = 0
    for row in list(vault.store.sessions(vault.tenant_tag(tenant))):
        if row.wrapped:
            _shred(vault, row)
            erased += 1
    _note(vault, "erased tenant", None, erased)
    return erased


def sweep(vault: SealedVault, *, grace: timedelta = GRACE) -> int:
    """Destroy what ended at least ``grace`` ago; return how many values that were.

    Until then a value that has ended is not given out, but is still there: a clock that jumped ahead does no harm as long
    as nothing is swept.
    """
    before = vault.now() - int(grace.total_seconds())
    swept = 0
    for row in list(vault.store.sessions()):
        if not row.wrapped:
            continue
        if row.expires is not None and row.expires <= before:
            swept += sum(_counts(vault, row).values())
            _shred(vault, row)
            continue
        swept += _empty(vault, row.sid, lambda each: each.expires is not None and each.expires <= before)
    _note(vault, "swept", None, swept)
    return swept


def rotate(
    vault: SealedVault, keys: KeyProvider, *, progress: Callable[[int, int], None] | None = None
) -> int:
    """Wrap every data key anew with the key that is active in ``keys``; return how many were.

    The vault stays in use meanwhile: what is not wrapped anew yet opens with its old key, which ``keys`` must still have.

    Args:
        vault: The vault.
        keys: The keyring with the new key, and all keys that wrap anything.
        progress: Called with how many sessions are done and how many there are.
    """
    meta = vault.meta
    index = meta.index_key(keys)
    if meta.key_id != keys.active:
        key_id, wrapped = keys.wrap(index, meta.context())
        vault.store.set_meta(Meta(meta.vault_id, key_id, wrapped).encode())
    rows = list(vault.store.sessions())
    rotated = 0
    for done, row in enumerate(rows, 1):
        rotated += _rewrap(vault, row.sid, keys)
        if progress is not None:
            progress(done, len(rows))
    vault.keys = keys
    _note(vault, "rotated", None, rotated)
    return rotated


def _rewrap(vault: SealedVault, sid: bytes, keys: KeyProvider) -> bool:
    context = session_context(vault.meta.vault_id, sid)
    for _ in range(_TRIES):
        row = vault.store.session(sid)
        if row is None or not row.wrapped or row.key_id == keys.active:
            return False
        key_id, wrapped = keys.wrap(keys.unwrap(row.key_id, row.wrapped, context), context)
        new = replace(row, version=row.version + 1, key_id=key_id, wrapped=wrapped)
        if vault.store.commit(Change(new, row.version)):
            return True
    raise vault.busy()


def _counts(vault: SealedVault, row: SessionRow) -> dict[str, int]:
    return dict(Counter(each.entity_type for each in vault.store.entries(row.sid) if each.record is not None))


def _erase(
    vault: SealedVault, session: SessionRef, what: str, meant: Callable[[Entry, EntryRow], bool]
) -> int:
    sid = vault.sid(session)
    row = vault.store.session(sid)
    if row is None or not row.wrapped:
        return 0
    keys, _ = vault.opened_row(row, session)

    def matches(each: EntryRow) -> bool:
        return each.record is not None and meant(
            keys.open_entry(each.record, each.entity_type, each.surrogate), each
        )

    erased = _empty(vault, sid, matches)
    _note(vault, what, sid, erased)
    return erased


def _empty(vault: SealedVault, sid: bytes, meant: Callable[[EntryRow], bool]) -> int:
    for _ in range(_TRIES):
        row = vault.store.session(sid)
        if row is None:
            return 0
        gone = [emptied(each) for each in vault.store.entries(sid) if each.record is not None and meant(each)]
        if not gone:
            return 0
        if vault.store.commit(Change(replace(row, version=row.version + 1), row.version, gone)):
            return len(gone)
    raise vault.busy()


def _shred(vault: SealedVault, row: SessionRow) -> None:
    vault.store.shred(
        replace(
            row,
            version=row.version + 1,
            name=b"",
            key_id="",
            wrapped=b"",
            header=b"",
            namespaces=(),
            former=(*row.former, *row.namespaces),
            expires=None,
        )
    )


def _note(vault: SealedVault, what: str, sid: bytes | None, count: int) -> None:
    vault.store.add_event(Event(vault.now(), what, sid, count))
