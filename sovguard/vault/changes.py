"""A change of one session by whoever answers for a vault: made again until nobody else was faster, and written down."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sovguard.vault.rows import Event, SessionRow
from sovguard.vault.sealed import SealedVault

_TRIES = 200

Changes = tuple[SessionRow, dict[str, Any]]
"""A session as it will be, and what else ``SealedVault.committed`` is to be told of."""


def changed(vault: SealedVault, sid: bytes, work: Callable[[SessionRow], Changes | None]) -> bool:
    """Commit what ``work`` makes of a session that was not erased, again and again until nobody else was faster.

    ``False`` if there is no such session, or nothing to change.
    """
    for turn in range(_TRIES):
        with vault.store.exclusive(sid):
            row = vault.store.session(sid)
            changes = work(row) if row is not None and row.wrapped else None
            if row is None or changes is None:
                return False
            new, others = changes
            if vault.committed(new, row.version, **others):
                return True
        vault.store.waiting.pause(random.uniform(0, min(0.005 * 2 ** min(turn, 5), 0.1)))  # noqa: S311
    raise vault.busy()


def note(vault: SealedVault, what: str, sid: bytes | None, count: int) -> None:
    """Write down what was done, in the vault and in its ledger."""
    vault.store.add_event(Event(vault.now(), what, sid, count))
    tell(vault, what, sid, count)


def tell(vault: SealedVault, what: str | None, sid: bytes | None, count: int) -> None:
    """Write what was done into the ledger too, if the vault has one; if that fails it is done and in the vault."""
    if vault.ledger is not None and what is not None:
        session = {} if sid is None else {"sid": sid.hex()}
        vault.ledger.append(
            "vault", {"what": what, "count": count, "vault": vault.meta.vault_id.hex(), **session}
        )
