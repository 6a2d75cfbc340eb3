"""What SQLite and PostgreSQL have in common: the tables, and the statements upon them.

A store names how it runs a statement, what a transaction is and what its types are called; every statement is written once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sovguard.errors import VaultError
from sovguard.vault.rows import Change, EntryRow, Event, SessionRow
from sovguard.vault.waiting import THREADS, Waiting

_SESSION = "sid, tenant, version, name, key_id, wrapped, header, namespaces, former, created, expires"
_ENTRY = "surrogate, seq, entity_type, lookup, person, person_no, record, expires"
_MANY = 400
"""Parameters of one statement: SQLite before 3.32 takes 999."""


def schema(octets: str, number: str, counted: str) -> list[str]:
    """Return the statements that make the tables.

    Args:
        octets: What a column of octets is called.
        number: What a column of 64-bit integers is called.
        counted: What a column is called whose integers the database counts.
    """
    return [
        f"CREATE TABLE meta (id {number} PRIMARY KEY CHECK (id = 1), content {octets} NOT NULL)",
        f"CREATE TABLE sessions (sid {octets} PRIMARY KEY, tenant {octets} NOT NULL, version {number} NOT NULL, "
        f"name {octets} NOT NULL, key_id TEXT NOT NULL, wrapped {octets} NOT NULL, header {octets} NOT NULL, "
        f"namespaces TEXT NOT NULL, former TEXT NOT NULL, created {number} NOT NULL, expires {number})",
        "CREATE INDEX sessions_of_tenant ON sessions (tenant)",
        f"CREATE TABLE entries (sid {octets} NOT NULL, surrogate TEXT NOT NULL, seq {number} NOT NULL, "
        f"entity_type TEXT NOT NULL, lookup {octets}, person {octets}, person_no {number}, record {octets}, "
        f"expires {number}, PRIMARY KEY (sid, surrogate))",
        "CREATE INDEX entries_in_order ON entries (sid, seq)",
        "CREATE UNIQUE INDEX entries_by_value ON entries (sid, lookup) WHERE lookup IS NOT NULL",
        "CREATE INDEX entries_by_person ON entries (sid, person, seq) WHERE person IS NOT NULL",
        "CREATE INDEX entries_people ON entries (sid, person_no) WHERE person_no IS NOT NULL",
        f"CREATE TABLE events (id {counted}, at {number} NOT NULL, what TEXT NOT NULL, sid {octets}, "
        f"count {number} NOT NULL)",
    ]


class SqlStore(ABC):
    """A store in tables."""

    waiting: Waiting = THREADS
    placeholder = "?"
    """What stands for a parameter."""
    locking = ""
    """What locks a row that is read in a transaction until its end."""

    @abstractmethod
    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return the rows that a statement gives, outside of any transaction."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Any]:
        """Return a context in which statements (``execute`` of what it gives) are committed together or not at all."""

    @abstractmethod
    def make_tables(self) -> None:
        """Make the tables where they are missing."""

    @abstractmethod
    def close(self) -> None:
        """End its connections."""

    def create(self, meta: bytes) -> None:
        """Make a new vault."""
        self.make_tables()
        with self.transaction() as run:
            if run.execute("SELECT 1 FROM meta").fetchone() is not None:
                raise VaultError("there is a vault here already; it was not changed: name another place")
            if run.execute("SELECT 1 FROM sessions LIMIT 1").fetchone() is not None:
                raise VaultError(
                    "there are sessions here of a vault that has lost what it says of itself; restore a backup, or name "
                    "another place. Nothing was changed"
                )
            run.execute(self._with("INSERT INTO meta (id, content) VALUES (1, ?)"), (meta,))

    def meta(self) -> bytes | None:
        """Return what the vault says of itself; ``None`` if there is none."""
        found = self.rows("SELECT content FROM meta WHERE id = 1")
        return bytes(found[0][0]) if found else None

    def set_meta(self, meta: bytes) -> None:
        """Replace what the vault says of itself."""
        with self.transaction() as run:
            run.execute(self._with("UPDATE meta SET content = ? WHERE id = 1"), (meta,))

    def session(self, sid: bytes) -> SessionRow | None:
        """Return a session."""
        found = self.rows(self._with(f"SELECT {_SESSION} FROM sessions WHERE sid = ?"), (sid,))
        return _session(found[0]) if found else None

    def find(self, sid: bytes, lookups: Sequence[bytes]) -> Mapping[bytes, EntryRow]:
        """Return the entries with these lookups, by lookup."""
        found: dict[bytes, EntryRow] = {}
        for row in self._among(sid, "lookup", lookups):
            if row.lookup is not None:
                found[row.lookup] = row
        return found

    def read(self, sid: bytes, surrogates: Sequence[str]) -> Mapping[str, EntryRow]:
        """Return the entries with these surrogates."""
        return {row.surrogate: row for row in self._among(sid, "surrogate", surrogates)}

    def of_people(self, sid: bytes, people: Sequence[bytes]) -> Mapping[bytes, EntryRow]:
        """Return the entry of each of these people that was minted last, for those that have one."""
        last: dict[bytes, EntryRow] = {}
        for row in self._among(sid, "person", people):
            if row.person is not None and (row.person not in last or last[row.person].seq < row.seq):
                last[row.person] = row
        return last

    def people(self, sid: bytes, after: int) -> list[EntryRow]:
        """Return the first mention of each person but for the first ``after``, in order."""
        statement = f"SELECT {_ENTRY} FROM entries WHERE sid = ? AND person_no > ? ORDER BY person_no"
        return [_entry(row) for row in self.rows(self._with(statement), (sid, after))]

    def commit(self, change: Change) -> bool:
        """Make a change, durably; ``False``, and nothing changed, if the session or the vault is not as expected."""
        row = change.row
        with self.transaction() as run:
            said = run.execute("SELECT content FROM meta WHERE id = 1").fetchone()
            if said is None or bytes(said[0]) != change.meta:
                return False
            statement = f"SELECT version FROM sessions WHERE sid = ?{self.locking}"
            found = run.execute(self._with(statement), (row.sid,)).fetchone()
            if (None if found is None else found[0]) != change.expected:
                return False
            if found is None:
                # Of two that make a session at once, the second finds it made.
                insert = self._with(_insert("sessions", _SESSION) + " ON CONFLICT DO NOTHING")
                if run.execute(insert, _of_session(row)).rowcount != 1:
                    return False
            else:
                self._update(run, row)
            if change.shreds:
                run.execute(self._with("DELETE FROM entries WHERE sid = ?"), (row.sid,))
            self._put(run, row.sid, change.added, change.changed)
            if change.event is not None:
                self._write_down(run, change.event)
        return True

    def exclusive(self, sid: bytes) -> AbstractContextManager[None]:
        """Return a context; a store that can keeps others out of it."""
        return nullcontext()

    def drop(self, sid: bytes) -> None:
        """Delete a session and its entries."""
        with self.transaction() as run:
            # The session first: whoever is about to add to it is waited for, or finds it gone.
            for table in ("sessions", "entries"):
                run.execute(self._with(f"DELETE FROM {table} WHERE sid = ?"), (sid,))

    def sessions(self, tenant: bytes | None = None) -> Iterator[SessionRow]:
        """Give every session, or every one of a tenant."""
        where, parameters = ("", ()) if tenant is None else (" WHERE tenant = ?", (tenant,))
        for row in self.rows(
            self._with(f"SELECT {_SESSION} FROM sessions{where} ORDER BY created, sid"), parameters
        ):
            yield _session(row)

    def entries(self, sid: bytes, after: int = 0) -> Iterator[EntryRow]:
        """Give every entry of a session from a place in the order of minting on."""
        statement = f"SELECT {_ENTRY} FROM entries WHERE sid = ? AND seq >= ? ORDER BY seq"
        for row in self.rows(self._with(statement), (sid, after)):
            yield _entry(row)

    def add_event(self, event: Event) -> None:
        """Write down what was done."""
        with self.transaction() as run:
            self._write_down(run, event)

    def events(self) -> list[Event]:
        """Return what was written down, the oldest first."""
        rows = self.rows("SELECT at, what, sid, count FROM events ORDER BY id")
        return [Event(at, what, None if sid is None else bytes(sid), count) for at, what, sid, count in rows]

    def scrub(self) -> bool:
        """Overwrite what was deleted: the database does so in its own time."""
        return True

    def _write_down(self, run: Any, event: Event) -> None:
        statement = "INSERT INTO events (at, what, sid, count) VALUES (?, ?, ?, ?)"
        run.execute(self._with(statement), (event.at, event.what, event.sid, event.count))

    def _with(self, statement: str) -> str:
        return statement if self.placeholder == "?" else statement.replace("?", self.placeholder)

    def _among(self, sid: bytes, column: str, values: Sequence[Any]) -> Iterator[EntryRow]:
        for start in range(0, len(values), _MANY):
            some = values[start : start + _MANY]
            statement = (
                f"SELECT {_ENTRY} FROM entries WHERE sid = ? AND {column} IN ({', '.join('?' * len(some))})"
            )
            for row in self.rows(self._with(statement), (sid, *some)):
                yield _entry(row)

    def _update(self, run: Any, row: SessionRow) -> None:
        columns = _SESSION.split(", ")[1:]
        statement = f"UPDATE sessions SET {', '.join(f'{name} = ?' for name in columns)} WHERE sid = ?"
        run.execute(self._with(statement), (*_of_session(row)[1:], row.sid))

    def _put(self, run: Any, sid: bytes, added: Sequence[EntryRow], changed: Sequence[EntryRow]) -> None:
        if changed:
            columns = _ENTRY.split(", ")[1:]
            update = f"UPDATE entries SET {', '.join(f'{name} = ?' for name in columns)} WHERE sid = ? AND surrogate = ?"
            run.executemany(
                self._with(update), [(*_of_entry(row)[1:], sid, row.surrogate) for row in changed]
            )
        if added:
            insert = self._with(_insert("entries", f"sid, {_ENTRY}"))
            run.executemany(insert, [(sid, *_of_entry(row)) for row in added])


def _insert(table: str, columns: str) -> str:
    return f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * (columns.count(',') + 1))})"


def _octets(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def _session(row: Any) -> SessionRow:
    sid, tenant, version, name, key_id, wrapped, header, namespaces, former, created, expires = row
    return SessionRow(
        bytes(sid), bytes(tenant), version, bytes(name), key_id, bytes(wrapped), bytes(header),
        tuple(namespaces.split()), tuple(former.split()), created, expires,
    )  # fmt: skip


def _of_session(row: SessionRow) -> tuple[Any, ...]:
    return (
        row.sid, row.tenant, row.version, row.name, row.key_id, row.wrapped, row.header, " ".join(row.namespaces),
        " ".join(row.former), row.created, row.expires,
    )  # fmt: skip


def _entry(row: Any) -> EntryRow:
    surrogate, seq, entity_type, lookup, person, person_no, record, expires = row
    return EntryRow(
        surrogate, seq, entity_type, _octets(lookup), _octets(person), person_no, _octets(record), expires
    )


def _of_entry(row: EntryRow) -> tuple[Any, ...]:
    return (
        row.surrogate, row.seq, row.entity_type, row.lookup, row.person, row.person_no, row.record, row.expires,
    )  # fmt: skip
