"""What streamed answers have in common: a lane for each text in them, and frames that may become several.

Every text of a stream (a choice's content, a tool call's arguments) comes in pieces, mixed with those of others; each has a
lane that holds back what may still become a surrogate. The modules of the providers say which is which.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol

from sovguard.errors import ForeignSurrogate
from sovguard.restore.stream import Lane, Sink


@dataclass(frozen=True, slots=True, repr=False)
class Frame:
    """One message of a stream.

    Attributes:
        name: The name of its event; empty where the provider gives none.
        data: What it says, parsed.
    """

    name: str
    data: Any

    def __repr__(self) -> str:
        return f"Frame({self.name!r})"


class AnswerStream(Protocol):
    """Restores the frames of one streamed answer."""

    def frames(self, frame: Frame) -> list[Frame]:
        """Returns what takes the place of ``frame``; the same object where nothing changes."""
        ...

    def rest(self) -> list[Frame]:
        """Returns what is still held when the stream ends."""
        ...


class Lanes:
    """The lanes of one streamed answer, by key.

    Args:
        open_lane: Makes a lane for a text that goes into a sink.
    """

    def __init__(self, open_lane: Callable[[Sink], Lane]) -> None:
        self._open = open_lane
        self._lanes: dict[Hashable, tuple[Lane, bool]] = {}

    def __repr__(self) -> str:
        return f"Lanes({len(self._lanes)})"

    def feed(self, key: Hashable, piece: str, sink: Sink, *, tool: bool = False) -> str:
        """Returns what of the text ``key`` can be given out after ``piece``; ``tool``: it goes to a tool."""
        if key not in self._lanes:
            self._lanes[key] = self._open(sink), tool
        return self._lanes[key][0].feed(piece)

    def flush(self, key: Hashable) -> str:
        """Returns what is held of the text ``key``, which ends here; a piece that comes later begins another.

        Raises:
            ForeignSurrogate: It goes to a tool and holds a surrogate that is not this session's.
        """
        lane, tool = self._lanes.pop(key, (None, False))
        if lane is None:
            return ""
        held = lane.flush()
        if tool and (lane.unresolved or lane.expired):
            raise foreign()
        return held

    def keys(self) -> list[Any]:
        """Returns the keys of the texts that have begun and not ended, in the order they began."""
        return list(self._lanes)


def foreign() -> ForeignSurrogate:
    """Returns the error for a surrogate of another session in the arguments of a tool."""
    return ForeignSurrogate(
        "the arguments of a tool call hold a surrogate that does not belong to this session: do not run the tool; "
        "ask the model again in the session that redacted its messages"
    )
