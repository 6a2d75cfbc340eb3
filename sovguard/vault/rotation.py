"""What is done to all sessions of a vault: their data keys wrapped anew, their numbers drawn from a new place."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from sovguard.vault.changes import Changes, changed, note
from sovguard.vault.keys import KeyProvider, Keyring
from sovguard.vault.minting import renumbered
from sovguard.vault.records import Meta, session_context
from sovguard.vault.rows import SessionRow
from sovguard.vault.sealed import SealedVault


def rotate(
    vault: SealedVault, keys: KeyProvider, *, progress: Callable[[int, int], None] | None = None
) -> int:
    """Wrap every data key anew with the key that is active in ``keys``; return how many were.

    Processes that have this key in their keyring go on meanwhile, whichever they use; those that do not have it fail from now
    on, and nothing of theirs is lost. A rotation that was interrupted is finished by another one.

    Args:
        vault: The vault.
        keys: The keyring with the new key, and all keys that wrap anything.
        progress: Called with how many sessions are done and how many there are.
    """
    vault.refresh()
    meta = vault.meta
    index = meta.index_key(keys)
    if meta.key_id != keys.active:
        # First: from here on, no session is made under the old key.
        key_id, wrapped = keys.wrap(index, meta.context())
        vault.store.set_meta(Meta(meta.vault_id, key_id, wrapped).encode())
    vault.keys = keys
    vault.refresh()
    rotated = 0
    while waiting := [row.sid for row in vault.store.sessions() if row.wrapped and row.key_id != keys.active]:
        for done, sid in enumerate(waiting, 1):
            rotated += _rewrap(vault, sid, keys)
            if progress is not None:
                progress(done, len(waiting))
    note(vault, "rotated", None, rotated)
    return rotated


def renumber(vault: SealedVault, *, progress: Callable[[int, int], None] | None = None) -> int:
    """Make every session number from a namespace of its own from now on; return how many sessions that were.

    For a vault that was put back from a backup: what was minted after that backup, and sent, is unknown to it. Without this
    the same numbers would be given to other values, and an answer that still holds the older ones would be restored wrongly.
    With it those stay unknown. Nothing may use the vault meanwhile. One who is mentioned in a new form is numbered anew.

    Args:
        vault: The vault.
        progress: Called with how many sessions are done and how many there are.
    """
    sids = [row.sid for row in vault.store.sessions() if row.wrapped]
    count = 0
    for done, sid in enumerate(sids, 1):
        count += _renumber(vault, sid)
        if progress is not None:
            progress(done, len(sids))
    note(vault, "renumbered", None, count)
    return count


def idle_keys(vault: SealedVault, keys: Keyring) -> list[str]:
    """Return the ids of those keys of a keyring that wrap nothing in the vault and are older than the one in use."""
    vault.refresh()
    used = {vault.meta.key_id, *(row.key_id for row in vault.store.sessions() if row.wrapped)}
    return [key_id for key_id in keys.ids if key_id not in used and keys.precedes(key_id, keys.active)]


def _rewrap(vault: SealedVault, sid: bytes, keys: KeyProvider) -> bool:
    context = session_context(vault.meta.vault_id, sid)

    def work(row: SessionRow) -> Changes | None:
        if row.key_id == keys.active:
            return None
        key_id, wrapped = keys.wrap(keys.unwrap(row.key_id, row.wrapped, context), context)
        return replace(row, version=row.version + 1, key_id=key_id, wrapped=wrapped), {}

    return changed(vault, sid, work)


def _renumber(vault: SealedVault, sid: bytes) -> bool:
    def work(row: SessionRow) -> Changes:
        keys, header = vault.opened_row(row)
        header = renumbered(header)
        new = replace(
            row,
            # At random: a process that held on to the session as it was before the backup must not take it for that.
            version=random.SystemRandom().getrandbits(47),
            header=keys.seal_header(header),
            namespaces=tuple(sorted(header.state.namespaces)),
        )
        return new, {}

    return changed(vault, sid, work)
