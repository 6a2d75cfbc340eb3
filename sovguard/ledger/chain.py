"""The log that this process writes: each record linked to the one before it, and signed now and then.

Not safe for threads by itself; ``Ledger`` lets one in at a time. A signal handler that comes in the middle of something is
turned away.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from sovguard.errors import LedgerError
from sovguard.ledger.notes import Checkpoint, Identity
from sovguard.ledger.records import line_of, link
from sovguard.ledger.signing import LedgerKey
from sovguard.ledger.stores import Log
from sovguard.ledger.tree import Frontier, leaf


class Chain:
    """A log that grows.

    Args:
        log: Where; empty.
        key: Signs its checkpoints and tags its lines.
        identity: Which ledger it is in.

    Attributes:
        signed: How many of its records the last checkpoint covers.
    """

    def __init__(self, log: Log, key: LedgerKey, identity: Identity) -> None:
        self._log, self._key = log, key
        self._origin = identity.origin(log.writer)
        self._tree = Frontier()
        self._previous = link(self._origin.encode())
        self._state: Literal["ready", "busy", "writing", "broken"] = "ready"
        self._ending = False
        self.signed = 0

    @property
    def writer(self) -> str:
        """The id of its writer."""
        return self._log.writer

    @property
    def unsigned(self) -> int:
        """How many records no checkpoint covers yet."""
        return self._tree.size - self.signed

    def append(self, kind: str, fields: Mapping[str, Any], milliseconds: int) -> int:
        """Write a record; return its number.

        Raises:
            LedgerError: It could not be written, or an earlier failure left open what was.
        """
        with self._writing():
            number, previous = self._tree.size, self._previous
            when, tag = milliseconds, self._key.tag
            line = line_of(kind, fields, number=number, milliseconds=when, previous=previous, tag=tag)
            self._state = "writing"
            self._log.append(line)
            self._previous = link(line)
            self._tree.append(leaf(line))
        return number

    def checkpoint(self) -> None:
        """Make durable and sign what was written since the last checkpoint; nothing if there is none.

        Raises:
            LedgerError: It could not be.
        """
        if self.unsigned:
            with self._writing():
                self._sign(self._now())

    def close(self) -> None:
        """Sign that the log ends here, and end it. After a failure it is left for the next opening to recover.

        In a signal handler that came in the middle of a record, that is done once the record is.

        Raises:
            LedgerError: The last checkpoint could not be written.
        """
        if self._state in ("busy", "writing"):
            self._ending = True
            return
        if self._state == "broken":
            self._log.release()
            return
        try:
            if self._tree.size:
                with self._writing():
                    self._sign(self._now().ended())
        except BaseException:
            self._state = "broken"
            with contextlib.suppress(OSError):
                self._log.release()
            raise
        self._state = "broken"
        self._log.end("ended")

    def abandon(self) -> None:
        """Forget the log in a process that was forked off."""
        self._state = "broken"
        self._log.abandon()

    def _now(self) -> Checkpoint:
        return Checkpoint(self._origin, self._tree.size, self._tree.root())

    def _sign(self, point: Checkpoint) -> None:
        self._state = "writing"
        self._log.sync()  # before anything is signed: a checkpoint never covers what a power cut could take
        self._log.add_checkpoint(self._key.sign(point.body))
        self.signed = point.size

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Let one thing be written; whatever ends that between the write and what is remembered of it leaves the two apart."""
        if self._state in ("busy", "writing"):
            raise LedgerError(
                "the ledger is in the middle of a record; nothing was written: do not use it in a signal handler"
            )
        if self._state == "broken":
            raise LedgerError(
                "an earlier failure left open what the ledger holds; nothing was written: open the ledger again, which "
                "recovers its logs"
            )
        self._state = "busy"
        try:
            yield
        except BaseException as error:
            known = self._state == "busy" or (isinstance(error, LedgerError) and self._log.certain)
            self._state = "ready" if known else "broken"
            raise
        else:
            self._state = "ready"
        finally:
            if self._ending:
                self._ending = False
                with contextlib.suppress(LedgerError):  # the next opening recovers it
                    self.close()
