"""A ledger in PostgreSQL (version 12 or newer), in a schema of its own, for any number of machines.

Each writer has one connection, which holds its log with an advisory lock: a line can be written only while the lock is held,
and whoever dies lets go of it. Lines are committed at once and without waiting for the disk; a checkpoint waits for it, and so
for all lines before it.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, NoReturn

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from sovguard.errors import ConfigError, LedgerError
from sovguard.ledger.forks import HELD
from sovguard.ledger.notes import is_writer
from sovguard.ledger.stores import State
from sovguard.postgres_errors import what_failed

_NAME = re.compile("[a-z_][a-z0-9_]{0,62}")
_FIRST, _PAGE = 16, 2_000
_TABLES = (
    "CREATE TABLE identity (one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one), note BYTEA NOT NULL)",
    "CREATE TABLE writers (writer TEXT PRIMARY KEY, state TEXT NOT NULL)",
    "CREATE TABLE records (writer TEXT, number BIGINT, line BYTEA NOT NULL, PRIMARY KEY (writer, number))",
    "CREATE TABLE checkpoints (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, writer TEXT NOT NULL, note BYTEA NOT NULL)",
    "CREATE INDEX ON checkpoints (writer, id)",
    "CREATE TABLE merged (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note BYTEA NOT NULL)",
)
_WRITERS = """
WITH RECURSIVE found AS (
  (SELECT MIN(writer) AS writer FROM records)
  UNION ALL SELECT (SELECT MIN(writer) FROM records r WHERE r.writer > found.writer) FROM found WHERE found.writer IS NOT NULL
)
SELECT writer FROM found WHERE writer IS NOT NULL UNION SELECT writer FROM writers UNION SELECT writer FROM checkpoints
"""
"""From one writer to the next in the index: DISTINCT would read all records."""
_ABANDONED: list[psycopg.Connection[Any]] = []
"""Connections of a parent process: kept, since an end of one would be said to the parent's server."""


class PostgresStore:
    """The logs of a ledger in PostgreSQL.

    Args:
        address: A connection string (``postgresql://…``); its password may come from elsewhere, as libpq takes it.
        schema_name: The schema that holds the tables; made by ``create``.
        wait: Seconds to wait for the server.
        limit: Seconds that one statement may take.

    Raises:
        ConfigError: The name of the schema is none, or the address.
    """

    def __init__(
        self, address: str, *, schema_name: str = "sovguard_ledger", wait: float = 10.0, limit: float = 30.0
    ) -> None:
        if not _NAME.fullmatch(schema_name):
            raise ConfigError("the name of a schema has to be of lower-case letters, digits and underscores")
        try:
            given = conninfo_to_dict(address)
        except psycopg.Error:
            # Its message quotes the address, and the password in it.
            raise ConfigError(
                "the address of the server is none that libpq reads: postgresql://USER@HOST:PORT/DATABASE"
            ) from None
        self.schema_name = schema_name
        self._address, self._limit = address, int(limit * 1000)
        # A server that is gone without a word is noticed, if the address does not say otherwise.
        waits = {
            "connect_timeout": max(1, int(wait)),
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": self._limit,
        }
        self._waits = {name: value for name, value in waits.items() if name not in given}
        self._lock = threading.Lock()
        self._reading: psycopg.Connection[Any] | None = None

    def __repr__(self) -> str:
        return f"PostgresStore(schema {self.schema_name!r})"

    def connect(self) -> psycopg.Connection[Any]:
        """Return a new connection, in which the tables are named without their schema.

        Raises:
            LedgerError: The server cannot be reached.
        """
        try:
            made = psycopg.connect(self._address, autocommit=True, **self._waits)  # type: ignore[arg-type]  # settings of libpq
            made.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(self.schema_name)))
            made.execute(sql.SQL("SET statement_timeout TO {}").format(sql.Literal(self._limit)))
        except psycopg.Error as error:
            _explain(error)
        return made

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return the rows that a statement gives."""
        try:
            with self._lock:
                if self._reading is None or self._reading.closed:
                    self._reading = self.connect()
                    # Pages of a log are read along the index. Before the first ANALYZE the planner would sort the whole log
                    # for each of them.
                    for way in ("bitmapscan", "seqscan", "sort"):
                        self._reading.execute(
                            sql.SQL("SET {} TO off").format(sql.Identifier(f"enable_{way}"))
                        )
                # As binary: lines are octets, and twice as long as text.
                return self._reading.execute(statement, parameters, prepare=True, binary=True).fetchall()
        except psycopg.Error as error:
            _explain(error)

    def lock_key(self, what: str) -> int:
        """Return the number of an advisory lock; locks are of the whole database, so the schema is in it."""
        digest = sha256(f"sovguard ledger {self.schema_name} {what}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)

    def create(self, note: str) -> None:
        """Make an empty ledger."""
        with self._transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (self.lock_key("create"),))
            connection.execute(
                sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self.schema_name))
            )
            found = connection.execute("SELECT to_regclass('identity')").fetchone()
            if found is not None and found[0] is not None:
                raise ConfigError(f"the schema {self.schema_name} has a ledger already; name another one")
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute("INSERT INTO identity (note) VALUES (%s)", (note.encode(),))

    def identity(self) -> bytes | None:
        """Return the note that identifies the ledger."""
        if self.rows("SELECT to_regclass('identity')")[0][0] is None:
            return None
        return next((bytes(note) for (note,) in self.rows("SELECT note FROM identity")), None)

    def writers(self) -> list[str]:
        """Return the ids of all writers; also of one that only its records are left of."""
        return sorted(writer for (writer,) in self.rows(_WRITERS) if is_writer(writer))

    def state(self, writer: str) -> State:
        """Return what is noted of a log."""
        said = self.rows("SELECT state FROM writers WHERE writer = %s", (writer,))
        return said[0][0] if said and said[0][0] in ("ended", "damaged") else "open"

    def lines(self, writer: str) -> Iterator[bytes]:
        """Yield the lines of a log by their numbers."""
        statement = (
            "SELECT number, line FROM records WHERE writer = %s AND number > %s ORDER BY number LIMIT %s"
        )
        last, more, size = -(2**63), True, _FIRST
        while more:
            page = self.rows(statement, (writer, last, size))
            for last, line in page:  # noqa: B007  where the next page begins
                yield bytes(line)
            more, size = len(page) == size, _PAGE

    def octets(self, writer: str) -> int:
        """Return how many octets a log has, with a line feed for each line."""
        statement = "SELECT COALESCE(SUM(octet_length(line) + 1), 0)::bigint FROM records WHERE writer = %s"
        return int(self.rows(statement, (writer,))[0][0])

    def notes(self, writer: str, *, durable: bool = False) -> list[bytes]:
        """Return the checkpoints of a log; none can be seen before it is durable."""
        return [
            bytes(note)
            for (note,) in self.rows("SELECT note FROM checkpoints WHERE writer = %s ORDER BY id", (writer,))
        ]

    def merged(self) -> list[bytes]:
        """Return the merged notes."""
        return [bytes(note) for (note,) in self.rows("SELECT note FROM merged ORDER BY id")]

    def add_merged(self, note: str) -> None:
        """Write a merged note."""
        with self._transaction() as connection:
            connection.execute("INSERT INTO merged (note) VALUES (%s)", (note.encode(),))

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection for one transaction, durable when it is over."""
        connection = self.connect()
        try:
            with connection, connection.transaction():
                yield connection
        except psycopg.Error as error:
            _explain(error)

    @contextmanager
    def merging(self) -> Iterator[None]:
        """Keep other processes from merging."""
        connection = self.connect()
        try:
            connection.execute("SELECT pg_advisory_lock(%s)", (self.lock_key("merge"),))
        except psycopg.Error as error:
            connection.close()
            _explain(error)
        try:
            yield
        finally:
            connection.close()

    def open_log(self, writer: str) -> PostgresLog:
        """Make the log of a new writer."""
        log = PostgresLog(self, writer)
        try:
            if not log.hold():
                raise LedgerError("the lock of a new log is taken; open the ledger again")
            log.run("INSERT INTO writers (writer, state) VALUES (%s, 'open')", (writer,))
        except BaseException:
            log.release()
            raise
        return log

    def take_over(self, writer: str) -> PostgresLog | None:
        """Return a log that was left behind."""
        if self.state(writer) != "open":
            return None
        log = PostgresLog(self, writer)
        if log.hold() and self.state(writer) == "open":
            return log
        log.release()
        return None

    def close(self) -> None:
        """End the connection that reads."""
        with self._lock:
            reading, self._reading = self._reading, None
            if reading is not None:
                reading.close()

    def abandon(self) -> None:
        """Forget the connection that reads."""
        self._lock = threading.Lock()
        if self._reading is not None:
            _abandon(self._reading)
        self._reading = None


class PostgresLog:
    """A log in PostgreSQL, which one connection holds."""

    def __init__(self, store: PostgresStore, writer: str) -> None:
        self.writer, self.certain = writer, True
        self._store = store
        self._connection = store.connect()
        self._cursor = self._connection.cursor()
        self._number: int | None = None
        HELD.add(self)

    def hold(self) -> bool:
        """Take the lock of the log, if no other has it."""
        found = self.run("SELECT pg_try_advisory_lock(%s)", (self._store.lock_key(self.writer),)).fetchone()
        self.run("SET synchronous_commit TO off")
        return found is not None and bool(found[0])

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
        """Run a statement in the connection that holds the log."""
        try:
            return self._cursor.execute(statement, parameters, prepare=True)
        except psycopg.Error as error:
            # After an error of a living connection nothing was written. Without one, it may have been.
            self.certain = not self._connection.closed and not isinstance(error, psycopg.OperationalError)
            _explain(error, writing=True)

    def append(self, line: bytes) -> None:
        """Write a line and commit it."""
        if self._number is None:
            self._number = self._count()
        self.run(
            "INSERT INTO records (writer, number, line) VALUES (%s, %s, %b)",
            (self.writer, self._number, line),
        )
        self._number += 1

    def _count(self) -> int:
        found = self.run("SELECT COALESCE(MAX(number) + 1, 0) FROM records WHERE writer = %s", (self.writer,))
        row = found.fetchone()
        return int(row[0]) if row else 0

    def sync(self) -> None:
        """Do nothing: a checkpoint's commit makes durable what was committed before it."""

    def add_checkpoint(self, note: str) -> None:
        """Write a checkpoint, and wait for the disk."""
        try:
            with self._connection.transaction():
                self._connection.execute("SET LOCAL synchronous_commit TO on")
                self._connection.execute(
                    "INSERT INTO checkpoints (writer, note) VALUES (%s, %s)", (self.writer, note.encode())
                )
        except psycopg.Error as error:
            self.certain = not self._connection.closed and not isinstance(error, psycopg.OperationalError)
            _explain(error, writing=True)

    def octets(self) -> int:
        """Return how many octets it has."""
        return self._store.octets(self.writer)

    def cut(self, records: int, octets: int) -> None:
        """Drop what stands behind its first records, whatever their numbers are."""
        self.run(
            "DELETE FROM records WHERE writer = %s AND number IN "
            "(SELECT number FROM records WHERE writer = %s ORDER BY number OFFSET %s)",
            (self.writer, self.writer, records),
        )

    def end(self, state: State) -> None:
        """Give it up for good."""
        try:
            self.run(
                "INSERT INTO writers (writer, state) VALUES (%s, %s) ON CONFLICT (writer) DO UPDATE SET state = EXCLUDED.state",
                (self.writer, state),
            )
            self.run(
                "DELETE FROM writers w WHERE w.writer = %s AND NOT EXISTS (SELECT FROM records r WHERE r.writer = w.writer) "
                "AND NOT EXISTS (SELECT FROM checkpoints c WHERE c.writer = w.writer)",
                (self.writer,),
            )
        finally:
            self.release()

    def release(self) -> None:
        """Give it up as it is."""
        self.certain = False
        self._connection.close()

    def abandon(self) -> None:
        """Forget the connection; the lock stays the parent's."""
        self.certain = False
        _abandon(self._connection)


def _abandon(connection: psycopg.Connection[Any]) -> None:
    """Let go of a connection of the parent's without a word to the server, which would end it for the parent too."""
    with contextlib.suppress(psycopg.Error, OSError):
        # The number of the socket stays taken: whatever still uses it reaches nothing, and no file that is opened later.
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, connection.fileno())
        os.close(nothing)
    _ABANDONED.append(connection)


def _explain(error: psycopg.Error, *, writing: bool = False) -> NoReturn:
    lost = ". What was to be recorded must not be sent" if writing else ""
    raise LedgerError(f"the ledger's database failed: {what_failed(error)}{lost}") from None
