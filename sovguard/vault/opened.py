"""Sessions as they were at one version, with their keys: the latest ones are kept, so that a data key is unwrapped once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from sovguard.vault.records import Header, SessionKeys
from sovguard.vault.rows import SessionRow

_CACHED = 512


@dataclass(frozen=True, slots=True)
class Opened:
    """A session as it was at one version."""

    row: SessionRow
    keys: SessionKeys
    header: Header

    def __repr__(self) -> str:
        return f"Opened({self.row!r})"


class OpenedSessions:
    """Those that were opened last; safe to share between threads."""

    def __init__(self) -> None:
        self._held: OrderedDict[bytes, Opened] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"OpenedSessions({len(self._held)})"

    def as_it_is(self, row: SessionRow) -> Opened | None:
        """Return a session that is held, if it is still what the store says."""
        with self._lock:
            held = self._held.get(row.sid)
            if held is None or held.row != row:
                return None
            self._held.move_to_end(row.sid)
            return held

    def keep(self, opened: Opened) -> Opened:
        """Hold a session, and return it."""
        with self._lock:
            self._held[opened.row.sid] = opened
            self._held.move_to_end(opened.row.sid)
            while len(self._held) > _CACHED:
                self._held.popitem(last=False)
        return opened

    def drop(self, sid: bytes) -> None:
        """Hold a session no longer."""
        with self._lock:
            self._held.pop(sid, None)
