"""What is done to a vault by whoever answers for it: look, erase, sweep; for all sessions at once, see ``rotation``.

Erasing a session or a tenant destroys data keys (crypto-shredding): what those sealed is noise from then on, in backups
too. Each act is written down as an ``Event``, without any value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sovguard.errors import InputError
from sovguard.vault.changes import Changes, changed, note, tell
from sovguard.vault.rows import EntryRow, Event, SessionRow
from sovguard.vault.sealed import SealedVault
from sovguard.vault.store import Entry, SessionRef

GRACE = timedelta(days=1)
"""How long after its end a value is left in place, so that a clock that jumped ahead destroys nothing."""


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
    return _erase(vault, session, "erased person", lambda entry, each: each.person == row.person, person=True)


def erase_session(vault: SealedVault, session: SessionRef) -> int:
    """Erase a session: its data key goes, and with it everything in it; return 1, or 0 if there is none."""
    erased = _shred(vault, vault.sid(session), "erased session")
    vault.store.scrub()
    return int(erased)


def erase_tenant(vault: SealedVault, tenant: str) -> int:
    """Erase every session of a tenant; return how many that were."""
    sids = [row.sid for row in vault.store.sessions(vault.tenant_tag(tenant)) if row.wrapped]
    erased = sum(_shred(vault, sid, "erased session") for sid in sids)
    note(vault, "erased tenant", None, erased)
    vault.store.scrub()
    return erased


def sweep(vault: SealedVault, *, grace: timedelta = GRACE) -> int:
    """Destroy what ended at least ``grace`` ago; return how many values that were.

    Until then a value that has ended is not given out, but is still there: a clock that jumped ahead does no harm as long
    as nothing is swept.
    """
    before = vault.now() - int(grace.total_seconds())
    swept = 0

    def over(row: SessionRow) -> bool:
        return row.expires is not None and row.expires <= before

    for row in list(vault.store.sessions()):
        if not row.wrapped:
            continue
        count = sum(_counts(vault, row).values()) if over(row) else 0
        if over(row) and _shred(vault, row.sid, None, only=over):
            swept += count
        else:
            swept += _empty(
                vault, row.sid, lambda each: each.expires is not None and each.expires <= before, None
            )
    note(vault, "swept", None, swept)
    vault.store.scrub()
    return swept


def _counts(vault: SealedVault, row: SessionRow) -> dict[str, int]:
    return dict(Counter(each.entity_type for each in vault.store.entries(row.sid) if each.record is not None))


def _erase(
    vault: SealedVault,
    session: SessionRef,
    what: str,
    meant: Callable[[Entry, EntryRow], bool],
    *,
    person: bool = False,
) -> int:
    sid = vault.sid(session)
    row = vault.store.session(sid)
    if row is None or not row.wrapped:
        return 0
    keys, _ = vault.opened_row(row, session)
    erased = _empty(vault, sid, lambda each: meant(keys.open_entry(each), each), what, person=person)
    vault.store.scrub()
    return erased


def _empty(
    vault: SealedVault,
    sid: bytes,
    meant: Callable[[EntryRow], bool],
    what: str | None,
    *,
    person: bool = False,
) -> int:
    """Empty what is meant, and write down how much that was, in one commit."""
    gone: list[EntryRow] = []

    def work(row: SessionRow) -> Changes | None:
        gone[:] = [
            each.emptied(person=person)
            for each in vault.store.entries(sid)
            if each.record is not None and meant(each)
        ]
        event = None if what is None else Event(vault.now(), what, sid, len(gone))
        if gone:
            return replace(row, version=row.version + 1), {"changed": gone, "event": event}
        if event is not None:
            vault.store.add_event(event)
        return None

    done = changed(vault, sid, work)
    tell(vault, what, sid, len(gone))
    return len(gone) if done else 0


def _shred(
    vault: SealedVault, sid: bytes, what: str | None, *, only: Callable[[SessionRow], bool] = lambda row: True
) -> bool:
    """Destroy a session's data key and its entries, if it is still one that is meant, and write that down."""

    def work(row: SessionRow) -> Changes | None:
        if not only(row):
            return None
        new = replace(
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
        event = None if what is None else Event(vault.now(), what, sid, 1)
        return new, {"shreds": True, "event": event}

    shredded = changed(vault, sid, work)
    if shredded:
        tell(vault, what, sid, 1)
    return shredded
