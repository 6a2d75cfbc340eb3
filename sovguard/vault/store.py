"""What a vault must do: keep, per session, which surrogate stands for which value.

The seam between the surrogate grammar and storage. Every backend answers the same three questions in batches;
none sees a text, and none tells a value to anyone but the caller of ``get``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Kind = Literal["str", "int", "float"]
"""What the value was where it was found: text, or a JSON number that has to come back as one."""


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One value and what it is; equal entries of one session share one surrogate.

    Attributes:
        person: For a name, the key of who is meant (``sovguard.people``): surrogates of one person share a number. Empty
            for everything else.
        stood: What stood right behind the value in the user's own text though it does not agree with it (민준가): quotation
            marks and a particle. Not part of what the entry is.
    """

    entity_type: str
    value: str
    kind: Kind = "str"
    person: str = ""
    stood: frozenset[str] = field(default=frozenset(), compare=False)

    def __repr__(self) -> str:
        return f"Entry({self.entity_type}, {self.kind} of {len(self.value)} characters)"


@dataclass(frozen=True, slots=True, repr=False)
class SessionRef:
    """Which session is meant. Ids are the caller's and may name a person, so they are not shown."""

    tenant: str
    session_id: str

    def __repr__(self) -> str:
        return f"SessionRef({len(self.tenant)} + {len(self.session_id)} characters)"


@dataclass(frozen=True, slots=True, repr=False)
class SessionState:
    """What finding a session's surrogates in a text takes, without any value.

    Attributes:
        key: Key of the check characters; random, made once for a session, never shown.
        namespaces: Every namespace the session has used.
        words: The words of every surrogate it has minted.
        former: Namespaces that sessions of the same name had before they ended: what they stood for is gone.
    """

    key: bytes
    namespaces: frozenset[str]
    words: frozenset[str]
    former: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"SessionState({len(self.namespaces)} namespaces, {len(self.words)} words)"


class Vault(Protocol):
    """Where values wait for their surrogates to come back. Implementations are safe to share between threads.

    One that answers at once, out of this process's memory, says so with an attribute ``waits`` that is false; any other is
    asked beside the event loop of asynchronous code.

    A method that cannot do all of what it was asked raises ``VaultError`` and leaves the vault as it was.
    """

    def open(self, session: SessionRef) -> SessionState:
        """Return the state of ``session``, making the session first if there is none.

        The state covers at least everything whose ``put`` has returned, in any process.
        """
        ...

    def put(self, session: SessionRef, entries: Sequence[Entry], *, avoid: Collection[str] = ()) -> list[str]:
        """Return one surrogate for each of ``entries``, in their order, minting those that have none.

        Minting is atomic: however many callers ask for one entry at once, it gets one surrogate.

        Args:
            session: A session that ``open`` has answered for.
            entries: What to store; may repeat.
            avoid: Bodies (the eight characters after the dash) that already stand in the caller's text and so
                must not be minted.
        """
        ...

    def get(self, session: SessionRef, surrogates: Collection[str]) -> Mapping[str, Entry | None]:
        """Return the entries of those ``surrogates`` (canonical spelling) that this session knows.

        ``None`` stands for one whose value has come to its end or was erased.
        """
        ...

    def note(self, session: SessionRef, stood: Mapping[str, Collection[str]]) -> None:
        """Add to what stood behind values (``Entry.stood``); restoring leaves it as it is.

        Args:
            session: A session that ``open`` has answered for.
            stood: For surrogates that this session knows, what to add.
        """
        ...

    def forget(self, session: SessionRef) -> None:
        """Drop a session and everything in it; its surrogates stand for nothing from then on."""
        ...

    def people(self, session: SessionRef, *, after: int = 0) -> Sequence[str]:
        """Return the ``person`` of every entry of this session that has one, each once, in the order of minting.

        Args:
            session: Which session; one that was never opened has none.
            after: How many the caller knows already; they are left out.
        """
        ...

    def entries(self, session: SessionRef, *, after: int = 0) -> Sequence[Entry | None]:
        """Return every entry of this session, in the order of minting; ``None`` for what has ended or was erased.

        Args:
            session: Which session; one that was never opened has none.
            after: How many the caller knows already; they are left out.
        """
        ...
