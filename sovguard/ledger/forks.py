"""What a process holds of logs, so that one that is forked off lets go of it: it would keep them held when its parent dies."""

from __future__ import annotations

import contextlib
import os
from typing import Protocol
from weakref import WeakSet


class Holding(Protocol):
    """Something that is held for this process alone."""

    def abandon(self) -> None:
        """Let go of it in a process that was forked off; it stays the parent's."""
        ...


class HeldFile:
    """A file that is held and belongs to nothing yet.

    Args:
        handle: Its descriptor.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        HELD.add(self)

    def abandon(self) -> None:
        """Close it."""
        with contextlib.suppress(OSError):
            os.close(self._handle)

    def passed_on(self) -> None:
        """Say that something else has it now."""
        HELD.discard(self)


HELD: WeakSet[Holding] = WeakSet()


def _let_go() -> None:
    for each in list(HELD):
        with contextlib.suppress(OSError):
            each.abandon()
    HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
