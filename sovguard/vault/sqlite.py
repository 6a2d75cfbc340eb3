"""A store in an SQLite file: for one machine, with as many processes as you like on it.

Write-ahead log, ``synchronous=FULL`` (what was acknowledged survives a power cut), ``secure_delete`` (what is deleted is
overwritten), one commit a request. The file has mode 0600 from its first byte on, and its companions (-wal, -shm) with it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from sovguard.errors import ConfigError, VaultError
from sovguard.vault.sql import SqlStore, schema

_WAIT = 30.0
"""Seconds to wait for another process that writes."""


class SqliteStore(SqlStore):
    """Rows in an SQLite file.

    Args:
        path: The file.
        create: Make it if it is missing; otherwise a missing file is an error, and never replaced by an empty one.

    Raises:
        ConfigError: There is no such file, or it cannot be made.
    """

    def __init__(self, path: str | os.PathLike[str], *, create: bool = False) -> None:
        self.path = Path(path)
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        if not self.path.exists():
            if not create:
                raise ConfigError(
                    f"there is no vault at {self.path}; make one with 'sovguard vault init', or name the file where it is"
                )
            try:
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            except FileExistsError:
                pass
            except OSError as error:
                raise ConfigError(
                    f"{self.path} cannot be made ({error.strerror}); name another place"
                ) from None

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"

    def make_tables(self) -> None:
        """Make the tables where they are missing."""
        with self.transaction() as run:
            if run.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is None:
                for statement in schema("BLOB", "INTEGER"):
                    run.execute(statement)

    def meta(self) -> bytes | None:
        """Return what the vault says of itself; ``None`` if there is none."""
        if not self.rows("SELECT 1 FROM sqlite_master WHERE name = 'meta'"):
            return None
        return super().meta()

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return the rows that a statement gives."""
        try:
            return self._connection().execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            _explain(error)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run statements that are committed together or not at all."""
        connection = self._connection()
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
            try:
                connection.execute("COMMIT")
            except sqlite3.Error:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            _explain(error)

    def size(self) -> int:
        """Return how many octets the file and its companions take."""
        return sum(
            place.stat().st_size
            for suffix in ("", "-wal", "-shm")
            if (place := self.path.with_name(self.path.name + suffix)).exists()
        )

    def close(self) -> None:
        """End the connections of all threads."""
        with self._lock:
            for connection in self._all:
                with suppress(sqlite3.Error):
                    connection.close()
            self._all.clear()
        self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None and self._local.process == os.getpid():
            return connection
        # mode=rw: a file that has gone is an error, not an empty vault.
        place = f"file:{quote(str(self.path))}?mode=rw"
        connection = sqlite3.connect(
            place, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        self._local.connection, self._local.process = connection, os.getpid()
        with self._lock:
            self._all.append(connection)
        return connection


_REMEDIES = {
    "SQLITE_BUSY": "another process holds it; try again, or find out what keeps writing",
    "SQLITE_LOCKED": "another process holds it; try again, or find out what keeps writing",
    "SQLITE_FULL": "the disk is full; make room",
    "SQLITE_READONLY": "it may not be written; check the permissions of the file and its folder",
    "SQLITE_CANTOPEN": "it cannot be opened; check that the file is there and who may read it",
    "SQLITE_IOERR": "the disk failed; look at it before anything else",
    "SQLITE_CORRUPT": "the file is damaged; put it aside and restore a backup",
    "SQLITE_NOTADB": "the file is no SQLite file; name the vault's file, or restore a backup",
}


def _explain(error: sqlite3.Error) -> NoReturn:
    name = "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
    remedy = _REMEDIES.get(name, f"{type(error).__name__} {name}; look into it")
    # The message of SQLite's error may quote a statement, though never a parameter.
    raise VaultError(f"the vault's file failed: {remedy}. Nothing was sent and nothing was lost") from None
