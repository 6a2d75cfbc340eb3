"""Where values wait for their surrogates to come back.

``MemoryVault`` ends with its process. ``open_vault`` and ``create_vault`` give one that lasts, sealed, in SQLite, PostgreSQL or
Redis, under the keys of a ``Keyring`` or another ``KeyProvider``.
"""

from __future__ import annotations

from sovguard.vault.keys import KeyProvider, Keyring, MissingKey
from sovguard.vault.memory import MemoryVault
from sovguard.vault.places import create_vault, open_store, open_vault
from sovguard.vault.sealed import SealedVault
from sovguard.vault.store import Entry, SessionRef, SessionState, Vault

__all__ = [
    "Entry",
    "KeyProvider",
    "Keyring",
    "MemoryVault",
    "MissingKey",
    "SealedVault",
    "SessionRef",
    "SessionState",
    "Vault",
    "create_vault",
    "open_store",
    "open_vault",
]
