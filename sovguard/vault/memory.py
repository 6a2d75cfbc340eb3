"""The in-process vault: values live in this process's memory and end with it.

What a ``Guard`` uses when it is given no other. Nothing is written anywhere, so a surrogate cannot be
restored after the process has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sovguard.errors import VaultError
from sovguard.surrogates import NUMBERS_PER_NAMESPACE, mint, new_key, new_namespace, word_for
from sovguard.vault.store import Entry, SessionRef, SessionState

_DRAWS = 64


class _Record:
    """One session: its state, both directions of its table, and the next number of its newest namespace."""

    __slots__ = ("entries", "lock", "namespace", "next_number", "state", "surrogates")

    def __init__(self, namespace: str) -> None:
        self.lock = threading.Lock()
        self.state = SessionState(new_key(), frozenset({namespace}), frozenset())
        self.namespace = namespace
        self.next_number = 0
        self.surrogates: dict[Entry, str] = {}
        self.entries: dict[str, Entry] = {}


class MemoryVault:
    """A vault in this process's memory, shared by as many threads as you like."""

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
                "entries": [
                    [surrogate, entry.entity_type, entry.value, entry.kind]
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
        record.entries = {
            surrogate: Entry(entity_type, value, kind)
            for surrogate, entity_type, value, kind in dump["entries"]
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
        namespace, number, state = record.namespace, record.next_number, record.state
        namespaces, words = state.namespaces, state.words
        minted: dict[Entry, str] = {}
        for entry in entries:
            word = word_for(entry.entity_type)
            while True:
                if number == NUMBERS_PER_NAMESPACE:
                    with self._lock:
                        namespace = self._draw_namespace()
                    number = 0
                    namespaces |= {namespace}
                surrogate = mint(state.key, word, namespace, number)
                number += 1
                if not avoid or surrogate[len(word) + 1 :] not in avoid:
                    break
            minted[entry] = surrogate
            if word not in words:
                words |= {word}
        # The number moves first: if this thread is interrupted here, numbers are skipped but none is given
        # twice. A reader takes no lock, so a surrogate has to resolve before the state says that it may
        # exist.
        record.namespace, record.next_number = namespace, number
        record.entries.update({surrogate: entry for entry, surrogate in minted.items()})
        if words is not state.words or namespace not in state.namespaces:
            record.state = SessionState(state.key, namespaces | {namespace}, words)
        record.surrogates.update(minted)

    def _draw_namespace(self) -> str:
        """Return a namespace that no other session of this vault uses, as long as such are easily found."""
        for _ in range(_DRAWS):
            namespace = new_namespace()
            if namespace not in self._namespaces:
                break
        self._namespaces.add(namespace)
        return namespace
