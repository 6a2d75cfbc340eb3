"""Where lines and notes are kept: what a store has to do, and which one an address names.

A store moves octets. It knows no key and takes nothing that it reads for true.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import unquote

from sovguard.errors import ConfigError

State = Literal["open", "ended", "damaged"]
"""Of a log: written to or left behind by a process that died; ended with a checkpoint; found not to fit its checkpoints.

A hint that saves reading logs again: nothing is believed because of it.
"""
SEGMENT = 64 * 2**20
"""Most octets of one file of a log, by default."""
_KINDS = "a folder, file:///FOLDER or postgresql://…?schema=NAME"


class Log(Protocol):
    """The log of one writer, held by this process alone until it is ended or released.

    Attributes:
        writer: Its id.
        certain: Whether it is known what was written; ``False`` after a failure that left that open.
    """

    writer: str
    certain: bool

    def append(self, line: bytes) -> None:
        """Write a line so that the end of this process cannot lose it.

        Raises:
            LedgerError: It could not be written.
        """
        ...

    def sync(self) -> None:
        """Make durable what was written.

        Raises:
            LedgerError: That is not certain.
        """
        ...

    def add_checkpoint(self, note: str) -> None:
        """Write a checkpoint, and make it durable.

        Raises:
            LedgerError: It could not be written.
        """
        ...

    def octets(self) -> int:
        """Return how many octets it has, with what is behind its last whole line."""
        ...

    def cut(self, records: int, octets: int) -> None:
        """Drop whatever stands behind its first records and their octets, and half a checkpoint."""
        ...

    def end(self, state: State) -> None:
        """Give it up for good; one that holds nothing is removed."""
        ...

    def release(self) -> None:
        """Give it up as it is, for another process to take over."""
        ...

    def abandon(self) -> None:
        """Forget it in a process that was forked off: it stays the parent's."""
        ...


class Store(Protocol):
    """The logs of a ledger; may be shared by threads. All of it raises ``LedgerError`` for what cannot be read or written."""

    def create(self, note: str) -> None:
        """Make an empty ledger that is identified by a note.

        Raises:
            ConfigError: There is one, or something else is there.
        """
        ...

    def identity(self) -> bytes | None:
        """Return the note that identifies the ledger; ``None`` if there is no ledger."""
        ...

    def writers(self) -> list[str]:
        """Return the ids of all writers, sorted."""
        ...

    def state(self, writer: str) -> State:
        """Return what is noted of a log."""
        ...

    def lines(self, writer: str) -> Iterator[bytes]:
        """Yield the whole lines of a log, without line feeds."""
        ...

    def octets(self, writer: str) -> int:
        """Return how many octets a log has, with what is behind its last whole line."""
        ...

    def notes(self, writer: str, *, durable: bool = False) -> list[bytes]:
        """Return the checkpoints of a log, the oldest first; if asked, ones that no power cut can take back."""
        ...

    def merged(self) -> list[bytes]:
        """Return the merged notes, the oldest first."""
        ...

    def add_merged(self, note: str) -> None:
        """Write a merged note, and make it durable."""
        ...

    def merging(self) -> AbstractContextManager[None]:
        """Keep other processes from merging for as long as this lasts."""
        ...

    def open_log(self, writer: str) -> Log:
        """Make the log of a new writer, and hold it."""
        ...

    def take_over(self, writer: str) -> Log | None:
        """Return a log that was left behind, held; ``None`` if it is ended, or a living process holds it."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...

    def abandon(self) -> None:
        """Forget connections in a process that was forked off: they stay the parent's."""
        ...


def open_store(address: str, *, segment_octets: int = SEGMENT) -> Store:
    """Return the store at an address.

    Args:
        address: A folder as a path or as ``file:///FOLDER``, or ``postgresql://…`` with the schema as ``?schema=``.
        segment_octets: Most octets of one file of a log.

    Raises:
        ConfigError: It is no such address.
        LedgerError: The server cannot be reached.
    """
    scheme, _, rest = address.partition(":")
    if scheme in ("postgresql", "postgres"):
        bare, schema = _without_schema(address)
        try:
            from sovguard.ledger.postgres import PostgresStore
        except ImportError:
            raise ConfigError("PostgreSQL needs psycopg: pip install 'sovguard[postgres]'") from None
        return PostgresStore(bare, schema_name=schema or "sovguard_ledger")
    if scheme == "file" and not rest.startswith("///"):
        raise ConfigError(f"a ledger in files is named file:///FOLDER; the kinds are {_KINDS}")
    if scheme != "file" and ("://" in address or "=" in address or not address):
        raise ConfigError(f"this is no address of a ledger; the kinds are {_KINDS}")
    try:
        from sovguard.ledger.files import FileStore
    except ImportError:
        raise ConfigError("a ledger in files needs a POSIX system; here, keep it in PostgreSQL") from None
    return FileStore(
        Path(unquote(rest[2:])) if scheme == "file" else Path(address), segment_octets=segment_octets
    )


def _without_schema(address: str) -> tuple[str, str | None]:
    """Return an address without its parameter ``schema``, and what that said; the rest stays as it is written."""
    bare, mark, query = address.partition("?")
    parts = query.split("&") if mark else []
    kept = [part for part in parts if part.partition("=")[0] != "schema"]
    said = [part.partition("=")[2] for part in parts if part.partition("=")[0] == "schema"]
    return bare + (f"?{'&'.join(kept)}" if kept else ""), unquote(said[-1]) if said else None
