"""The in-process vault: values live in this process's memory and end with it.

What a ``Guard`` uses when it is given no other. Nothing is written anywhere, so a surrogate cannot be
restored after the process has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sovguard.errors import VaultError
from sovguard.surrogates import mint, new_key, new_namespace, word_for
from sovguard.vault.numbering import Block, Numbers
from sovguard.vault.store import Entry, SessionRef, SessionState

_DRAWS = 64


class _Record:
    """One session: its state, both directions of its table, and the numbers that are left.

    Attributes:
        namespace: The newest namespace.
        next_number: Its first number that belongs to no block.
        blocks: For each person, and under an empty key for everything else, the block in use: its namespace, its next
            number and the number behind its last.
        people: Whom there are blocks for, in the order of their first.
    """

    __slots__ = ("blocks", "entries", "lock", "namespace", "next_number", "people", "state", "surrogates")

    def __init__(self, namespace: str) -> None:
        self.lock = threading.Lock()
        self.state = SessionState(new_key(), frozenset({namespace}), frozenset())
        self.namespace = namespace
        self.next_number = 0
        self.blocks: dict[str, Block] = {}
        self.people: list[str] = []
        self.surrogates: dict[Entry, str] = {}
        self.entries: dict[str, Entry] = {}


class MemoryVault:
    """A vault in this process's memory, shared by as many threads as you like.

    Attributes:
        waits: It answers at once, so asynchronous code asks it where it is.
    """

    waits: ClassVar[bool] = False
    __slots__ = ("_lock", "_namespaces", "_records")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[SessionRef, _Record] = {}
        self._namespaces: set[str] = set()

    def __repr__(self) -> str:
        return f"MemoryVault({len(self._records)} sessions)"

    def open(self, session: SessionRef) -> SessionState:
        """Return the state of ``session``, making the session first if there is none."""
        record = self._records.get(session)
        if record is None:
            with self._lock:
                record = self._records.get(session)
                if record is None:
                    record = self._records[session] = _Record(self._draw_namespace())
        return record.state

    def put(self, session: SessionRef, entries: Sequence[Entry], *, avoid: Collection[str] = ()) -> list[str]:
        """Return one surrogate for each of ``entries``, in their order, minting those that have none."""
        record = self._record(session)
        with record.lock:
            known = record.surrogates
            try:
                return [known[entry] for entry in entries]
            except KeyError:
                pass
            self._mint(record, dict.fromkeys(entry for entry in entries if entry not in known), avoid)
            return [known[entry] for entry in entries]

    def get(self, session: SessionRef, surrogates: Collection[str]) -> Mapping[str, Entry]:
        """Return the entries of those ``surrogates`` that this session knows."""
        known = self._record(session).entries
        return {surrogate: known[surrogate] for surrogate in surrogates if surrogate in known}

    def note(self, session: SessionRef, stood: Mapping[str, Collection[str]]) -> None:
        """Add to what stood behind values."""
        record = self._record(session)
        with record.lock:
            for surrogate, forms in stood.items():
                entry = record.entries[surrogate]
                if not entry.stood.issuperset(forms):
                    record.entries[surrogate] = replace(entry, stood=entry.stood.union(forms))

    def forget(self, session: SessionRef) -> None:
        """Drop a session and everything in it."""
        with self._lock:
            record = self._records.pop(session, None)
            if record is not None:
                self._namespaces -= record.state.namespaces

    def people(self, session: SessionRef, *, after: int = 0) -> Sequence[str]:
        """Return the keys of the people whom this session knows, but for the first ``after``."""
        record = self._records.get(session)
        return record.people[after:] if record is not None else []

    def entries(self, session: SessionRef, *, after: int = 0) -> Sequence[Entry | None]:
        """Return what this session knows, but for the first ``after`` entries."""
        record = self._records.get(session)
        if record is None or len(record.entries) <= after:
            return []
        with record.lock:
            return list(record.entries.values())[after:]

    def dump(self, session: SessionRef) -> dict[str, Any]:
        """Return everything this vault knows of ``session`` as JSON-like data, values and key included."""
        record = self._record(session)
        with record.lock:
            return {
                "key": record.state.key.hex(),
                "namespaces": sorted(record.state.namespaces),
                "words": sorted(record.state.words),
                "namespace": record.namespace,
                "next_number": record.next_number,
                "blocks": {person: list(block) for person, block in record.blocks.items()},
                "entries": [
                    [surrogate, entry.entity_type, entry.value, entry.kind, entry.person, sorted(entry.stood)]
                    for surrogate, entry in record.entries.items()
                ],
            }

    def load(self, session: SessionRef, dump: Mapping[str, Any]) -> None:
        """Put a session that ``dump`` gave into this vault, in place of what it knew of it."""
        record = _Record(dump["namespace"])
        record.state = SessionState(
            bytes.fromhex(dump["key"]), frozenset(dump["namespaces"]), frozenset(dump["words"])
        )
        record.next_number = dump["next_number"]
        record.blocks = {person: (name, first, end) for person, (name, first, end) in dump["blocks"].items()}
        record.people = [person for person in record.blocks if person]
        record.entries = {
            surrogate: Entry(name, value, kind, person, frozenset(stood))
            for surrogate, name, value, kind, person, stood in dump["entries"]
        }
        record.surrogates = {entry: surrogate for surrogate, entry in record.entries.items()}
        with self._lock:
            self._records[session] = record
            self._namespaces |= record.state.namespaces

    def _record(self, session: SessionRef) -> _Record:
        record = self._records.get(session)
        if record is None:
            raise VaultError("this session was never opened in this vault; open() it first")
        return record

    def _mint(self, record: _Record, entries: Collection[Entry], avoid: Collection[str]) -> None:
        # Everything is worked out first and stored last, so that a failure half way stores nothing.
        numbers = Numbers(record.namespace, record.next_number, record.blocks)
        state, words = record.state, record.state.words
        minted: dict[Entry, str] = {}
        for entry in entries:
            word = word_for(entry.entity_type)
            while True:
                namespace, number = numbers.next_for(entry.person, self._new_namespace)
                surrogate = mint(state.key, word, namespace, number)
                if not avoid or surrogate[len(word) + 1 :] not in avoid:
                    break
            minted[entry] = surrogate
            if word not in words:
                words |= {word}
        # The numbers move first: if this thread is interrupted here, numbers are skipped but none is given
        # twice. A reader takes no lock, so a surrogate has to resolve before the state says that it may
        # exist.
        record.namespace, record.next_number = numbers.namespace, numbers.next_number
        record.people += [person for person in numbers.blocks if person and person not in record.blocks]
        record.blocks.update(numbers.blocks)
        record.entries.update({surrogate: entry for entry, surrogate in minted.items()})
        if words is not state.words or numbers.drawn:
            record.state = SessionState(state.key, state.namespaces.union(numbers.drawn), words)
        record.surrogates.update(minted)

    def _new_namespace(self) -> str:
        with self._lock:
            return self._draw_namespace()

    def _draw_namespace(self) -> str:
        """Return a namespace that no other session of this vault uses, as long as such are easily found."""
        for _ in range(_DRAWS):
            namespace = new_namespace()
            if namespace not in self._namespaces:
                break
        self._namespaces.add(namespace)
        return namespace
