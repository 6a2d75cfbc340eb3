"""The log that this process writes: each record linked to the one before it, and signed now and then.

Not safe for threads by itself; ``Ledger`` lets one in at a time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

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
        key: Signs its checkpoints.
        identity: Which ledger it is in.

    Attributes:
        signed: How many of its records the last checkpoint covers.
    """

    def __init__(self, log: Log, key: LedgerKey, identity: Identity) -> None:
        self._log, self._key = log, key
        self._origin = identity.origin(log.writer)
        self._tree = Frontier()
        self._previous = link(self._origin.encode())
        self._broken = False
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
        self._check()
        number = self._tree.size
        line = line_of(kind, fields, number=number, milliseconds=milliseconds, previous=self._previous)
        # Whatever ends this between the write and what is remembered of it leaves the two apart.
        self._broken = True
        try:
            self._log.append(line)
        except LedgerError:
            self._broken = not self._log.certain
            raise
        self._previous = link(line)
        self._tree.append(leaf(line))
        self._broken = False
        return number

    def checkpoint(self) -> None:
        """Make durable and sign what was written since the last checkpoint; nothing if there is none.

        Raises:
            LedgerError: It could not be.
        """
        if not self.unsigned:
            return
        self._check()
        self._broken = True
        try:
            self._log.sync()  # before anything is signed: a checkpoint never covers what a power cut could take
            point = Checkpoint(self._origin, self._tree.size, self._tree.root())
            self._log.add_checkpoint(self._key.sign(point.body))
        except LedgerError:
            self._broken = not self._log.certain
            raise
        self.signed = self._tree.size
        self._broken = False

    def close(self) -> None:
        """Sign what is not signed yet, and end the log. After a failure it is left for the next opening to recover.

        Raises:
            LedgerError: The last checkpoint could not be written.
        """
        if self._broken:
            self._log.release()
            return
        try:
            self.checkpoint()
        except BaseException:
            self._broken = True
            with contextlib.suppress(OSError):
                self._log.release()
            raise
        self._broken = True
        self._log.end("ended")

    def abandon(self) -> None:
        """Forget the log in a process that was forked off."""
        self._broken = True
        self._log.abandon()

    def _check(self) -> None:
        if self._broken:
            raise LedgerError(
                "an earlier failure left open what the ledger holds; nothing was written: open the ledger again, which "
                "recovers its logs"
            )
