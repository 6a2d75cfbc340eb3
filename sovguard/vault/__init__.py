"""Where values wait for their surrogates to come back: the protocol (store) and the backends."""

from __future__ import annotations

from sovguard.vault.memory import MemoryVault
from sovguard.vault.store import Entry, Kind, SessionRef, SessionState, Vault

__all__ = ["Entry", "Kind", "MemoryVault", "SessionRef", "SessionState", "Vault"]
