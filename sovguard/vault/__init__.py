"""Where values wait for their surrogates to come back.

``MemoryVault`` ends with its process. ``open_vault`` and ``create_vault`` give one that lasts, sealed, in SQLite, PostgreSQL or
Redis, under the keys of a ``Keyring`` or another ``KeyProvider``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sovguard.vault.memory import MemoryVault
from sovguard.vault.store import Entry, Kind, SessionRef, SessionState, Vault
from sovguard.vault.waiting import in_loop

if TYPE_CHECKING:
    from sovguard.vault.keys import KeyProvider, Keyring, MissingKey
    from sovguard.vault.places import (
        create_vault,
        create_vault_async,
        open_store,
        open_vault,
        open_vault_async,
    )
    from sovguard.vault.sealed import SealedVault

# Imported where they are used: they need the cryptography package, which a Guard in memory does not.
_LATER = {
    **dict.fromkeys(("KeyProvider", "Keyring", "MissingKey"), "keys"),
    **dict.fromkeys(
        ("create_vault", "create_vault_async", "open_store", "open_vault", "open_vault_async"), "places"
    ),
    "SealedVault": "sealed",
}

__all__ = [
    "Entry",
    "KeyProvider",
    "Keyring",
    "Kind",
    "MemoryVault",
    "MissingKey",
    "SealedVault",
    "SessionRef",
    "SessionState",
    "Vault",
    "create_vault",
    "create_vault_async",
    "in_loop",
    "open_store",
    "open_vault",
    "open_vault_async",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
