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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from sovguard.errors import ConfigError, VaultError
from sovguard.vault.sql import SqlStore, schema

_WAIT = 30.0
"""Seconds to wait for another process that writes."""
_KEPT = 16
"""Connections that are kept for the next caller."""


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
        self._free: list[_Held] = []
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
                for statement in schema("BLOB", "INTEGER", "INTEGER PRIMARY KEY AUTOINCREMENT"):
                    run.execute(statement)

    def meta(self) -> bytes | None:
        """Return what the vault says of itself; ``None`` if there is none."""
        if not self.rows("SELECT 1 FROM sqlite_master WHERE name = 'meta'"):
            return None
        return super().meta()

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return the rows that a statement gives."""
        with self._connection() as connection:
            return connection.execute(statement, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run statements that are committed together or not at all."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def scrub(self) -> bool:
        """Write the log back into the file and cut it, so that what was deleted is in neither; others may be in the way."""
        with self._connection() as connection:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def size(self) -> int:
        """Return how many octets the file and its companions take."""
        return sum(
            place.stat().st_size
            for suffix in ("", "-wal", "-shm")
            if (place := self.path.with_name(self.path.name + suffix)).exists()
        )

    def close(self) -> None:
        """End the connections that nobody is using."""
        with self._lock:
            free, self._free = self._free, []
        for held in free:
            with suppress(sqlite3.Error):
                held.connection.close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to the file that is there now."""
        held: _Held | None = None
        try:
            there = os.stat(self.path)
            which = (os.getpid(), there.st_dev, there.st_ino)
            with self._lock:
                while self._free and held is None:
                    held = self._free.pop()
                    if held.which != which:
                        # A file that was replaced, or a connection of the process that this one was forked from.
                        held = None
            held = held or _Held(which, self._connected())
            yield held.connection
        except sqlite3.Error as error:
            _explain(error)
        except FileNotFoundError:
            raise VaultError(
                f"the vault's file failed: {_REMEDIES['SQLITE_CANTOPEN']}. Nothing was sent and nothing was lost"
            ) from None
        finally:
            if held is not None:
                with self._lock:
                    kept = len(self._free) < _KEPT
                    if kept:
                        self._free.append(held)
                if not kept:
                    held.connection.close()

    def _connected(self) -> sqlite3.Connection:
        # mode=rw: a file that has gone is an error, not an empty vault.
        place = f"file:{quote(str(self.path))}?mode=rw"
        connection = sqlite3.connect(
            place, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


@dataclass(frozen=True)
class _Held:
    """A connection, and the process and file that it is of."""

    which: tuple[int, int, int]
    connection: sqlite3.Connection

    def __repr__(self) -> str:
        return "_Held()"


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
