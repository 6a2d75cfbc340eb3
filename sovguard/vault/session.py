"""A vault as one session sees it: the session filled in, and every failure a ``VaultError``.

Between the steps that need a vault and whatever vault was given to the Guard.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from sovguard.errors import SovguardError, VaultError
from sovguard.vault.store import Entry, SessionRef, SessionState, Vault

T = TypeVar("T")


class VaultSession:
    """One session's part of a vault."""

    __slots__ = ("_session", "_vault")

    def __init__(self, vault: Vault, session: SessionRef) -> None:
        self._vault = vault
        self._session = session

    def __repr__(self) -> str:
        return f"VaultSession({self._session!r})"

    def state(self) -> SessionState:
        """Return the session's state now."""
        return shielded(VaultError, "the vault failed", self._vault.open, self._session)

    def put(self, entries: Sequence[Entry], avoid: Collection[str]) -> list[str]:
        """Return a surrogate for each entry; newly minted ones have no body that is in ``avoid``."""
        if not entries:
            return []
        put, session = self._vault.put, self._session
        surrogates = shielded(VaultError, "the vault failed", lambda: put(session, entries, avoid=avoid))
        if len(surrogates) != len(entries):
            raise VaultError("the vault did not answer for every value; nothing was sent: check the vault")
        return surrogates

    def note(self, stood: Mapping[str, Collection[str]]) -> None:
        """Add to what stood behind values."""
        if stood:
            shielded(VaultError, "the vault failed", self._vault.note, self._session, stood)

    def forget(self) -> None:
        """Drop the session."""
        shielded(VaultError, "the vault failed", self._vault.forget, self._session)

    def people(self, after: int) -> Sequence[str]:
        """Return the keys of the people whom the session knows, but for the first ``after``."""
        people, session = self._vault.people, self._session
        return shielded(VaultError, "the vault failed", lambda: people(session, after=after))

    def entries(self, after: int) -> Sequence[Entry | None]:
        """Return what the session knows but for the first ``after`` entries; ``None`` for what is gone."""
        entries, session = self._vault.entries, self._session
        return shielded(VaultError, "the vault failed", lambda: entries(session, after=after))

    def get(self, surrogates: Collection[str]) -> Mapping[str, Entry | None]:
        """Return the entries of the surrogates that are known; ``None`` for what is gone."""
        return shielded(VaultError, "the vault failed", self._vault.get, self._session, surrogates)


def shielded(error: type[SovguardError], what: str, call: Callable[..., T], *args: Any) -> T:
    """Return what ``call`` returns, and let nothing out of it that could carry a value.

    An error of this package passes; any other exception leaves as ``error`` with the name of its type alone.
    """
    try:
        return call(*args)
    except SovguardError:
        raise
    except Exception as cause:
        name = type(cause).__name__
    # Raised outside the handler, so that not even __context__ leads to the foreign exception.
    raise error(f"{what} ({name}); nothing was sent: look into that failure and try again")
