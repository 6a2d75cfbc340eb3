"""A store in PostgreSQL (version 12 or newer): for any number of machines, over pooled connections of psycopg 3.

Durable as the server is: leave ``synchronous_commit`` on. The tables lie in a schema of their own.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NoReturn

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from sovguard.errors import ConfigError, VaultError
from sovguard.postgres_errors import what_failed
from sovguard.vault.sql import SqlStore, schema
from sovguard.vault.waiting import LoopWaiting

# Its warnings quote the address that failed, and parts of a password with it; what failed is in our error.
logging.getLogger("psycopg.pool").addFilter(lambda record: False)
_NAME = re.compile("[a-z_][a-z0-9_]{0,62}")


class PostgresStore(SqlStore):
    """Rows in PostgreSQL.

    Args:
        address: A connection string (``postgresql://…``); its password may come from elsewhere, as libpq takes it.
        schema_name: The schema that holds the tables; made by ``create``.
        connections: Most connections at once.
        wait: Seconds to wait for the server or for a free connection.
        limit: Seconds that one statement may take, with what it waits for; 0 for no limit.

    Raises:
        ConfigError: The name of the schema is none.
        VaultError: The server cannot be reached.
    """

    placeholder = "%s"
    locking = " FOR UPDATE"
    _pooled: ClassVar[Any] = ConnectionPool

    def __init__(
        self,
        address: str,
        *,
        schema_name: str = "sovguard",
        connections: int = 8,
        wait: float = 10.0,
        limit: float = 30.0,
    ) -> None:
        if not _NAME.fullmatch(schema_name):
            raise ConfigError("the name of a schema has to be of lower-case letters, digits and underscores")
        self.schema_name = schema_name
        self._limit = int(limit * 1000)
        try:
            given = conninfo_to_dict(address)
        except psycopg.Error:
            # Its message quotes the address, and the password in it.
            raise ConfigError(
                "the address of the server is none that libpq reads: postgresql://USER@HOST:PORT/DATABASE"
            ) from None
        # A server that is gone without a word is noticed, if the address does not say otherwise.
        waits = {
            "connect_timeout": max(1, int(wait)),
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": self._limit,
        }
        self._pool: Any = self._pooled(
            address,
            min_size=1,
            max_size=max(2, connections),
            timeout=wait,
            open=False,
            kwargs={
                "autocommit": True,
                **{name: value for name, value in waits.items() if name not in given},
            },
            configure=self._configure,
        )
        # Half of the connections at most: whoever is in an exclusive context needs another one for its work.
        self._exclusive = self.waiting.semaphore(max(1, connections // 2))
        try:
            self.waiting.call(self._pool.open, wait=True, timeout=wait)
        except (psycopg.Error, PoolTimeout) as error:
            self.close()
            _explain(error)

    def __repr__(self) -> str:
        return f"PostgresStore(schema {self.schema_name!r})"

    def _settings(self) -> list[sql.Composed]:
        """Return the statements that a new connection begins with."""
        return [
            sql.SQL("SET search_path TO {}").format(sql.Identifier(self.schema_name)),
            sql.SQL("SET statement_timeout TO {}").format(sql.Literal(self._limit)),
        ]

    def _configure(self, connection: psycopg.Connection[Any]) -> Any:
        for statement in self._settings():
            connection.execute(statement)

    def make_tables(self) -> None:
        """Make the schema and the tables where they are missing."""
        with self.transaction() as run:
            run.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"sovguard {self.schema_name}",))
            run.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self.schema_name)))
            found = run.execute("SELECT to_regclass('meta')").fetchone()
            if found is None or found[0] is None:
                for statement in schema("BYTEA", "BIGINT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"):
                    run.execute(statement)

    def meta(self) -> bytes | None:
        """Return what the vault says of itself; ``None`` if there is none."""
        if self.rows("SELECT to_regclass('meta')")[0][0] is None:
            return None
        return super().meta()

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return the rows that a statement gives."""
        try:
            try:
                return self._read(statement, parameters)
            except psycopg.errors.QueryCanceled:
                raise
            except psycopg.OperationalError:
                # The server was restarted, perhaps, and this connection is from before.
                self.waiting.call(self._pool.check)
                return self._read(statement, parameters)
        except (psycopg.Error, PoolTimeout) as error:
            _explain(error)

    def _read(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        call = self.waiting.call
        with self.waiting.entered(self._pool.connection()) as connection:
            rows: list[Any] = call(call(connection.execute, statement, parameters, prepare=True).fetchall)
            return rows

    @contextmanager
    def exclusive(self, sid: bytes) -> Iterator[None]:
        """Keep other processes that change the session out, for as long as this lasts."""
        key = int.from_bytes(sid[:8], "big", signed=True)
        try:
            with self._exclusive, self.waiting.entered(self._pool.connection()) as connection:
                self.waiting.call(connection.execute, "SELECT pg_advisory_lock(%s)", (key,))
                try:
                    yield
                finally:
                    self.waiting.call(connection.execute, "SELECT pg_advisory_unlock(%s)", (key,))
        except (psycopg.Error, PoolTimeout) as error:
            _explain(error)

    @contextmanager
    def transaction(self) -> Iterator[_Run]:
        """Run statements that are committed together or not at all."""
        entered = self.waiting.entered
        try:
            with (
                entered(self._pool.connection()) as connection,
                entered(connection.transaction()),
                entered(connection.cursor()) as cursor,
            ):
                yield _Run(self.waiting.call, cursor)
        except (psycopg.Error, PoolTimeout) as error:
            _explain(error)

    def size(self) -> int:
        """Return how many octets the tables and their indexes take."""
        statement = "SELECT COALESCE(SUM(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c JOIN pg_namespace n "
        statement += "ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind = 'r'"
        size: int = self.rows(statement, (self.schema_name,))[0][0]
        return size

    def close(self) -> None:
        """End the connections."""
        self.waiting.call(self._pool.close)


class AsyncPostgresStore(PostgresStore):
    """Rows in PostgreSQL, waited for by the event loop in which this is made; ``open_vault_async`` makes one.

    Takes what ``PostgresStore`` takes.
    """

    _pooled: ClassVar[Any] = AsyncConnectionPool

    def __init__(self, address: str, **settings: Any) -> None:
        self.waiting = LoopWaiting()
        super().__init__(address, **settings)

    async def _configure(self, connection: Any) -> None:
        for statement in self._settings():
            await connection.execute(statement)


class _Run:
    """A cursor, asked as its store waits."""

    def __init__(self, call: Callable[..., Any], cursor: Any) -> None:
        self._call, self._cursor = call, cursor

    def execute(self, statement: Any, parameters: Sequence[Any] = ()) -> _Run:
        self._call(self._cursor.execute, statement, parameters)
        return self

    def executemany(self, statement: Any, rows: Sequence[Sequence[Any]]) -> None:
        self._call(self._cursor.executemany, statement, rows)

    def fetchone(self) -> Any:
        return self._call(self._cursor.fetchone)

    @property
    def rowcount(self) -> int:
        count: int = self._cursor.rowcount
        return count


def _explain(error: Exception) -> NoReturn:
    raise VaultError(
        f"the vault's database failed: {what_failed(error)}. Nothing was sent and nothing was lost"
    ) from None
