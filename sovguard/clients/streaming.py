"""Answers that arrive as a stream of events: read, restored and passed on frame by frame.

Between the transport and the payload modules. Nothing of an answer waits but what a lane holds back; if the stream breaks off,
what was held is given out before the error goes on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Protocol

from sovguard.clients.aside import aside, beside
from sovguard.clients.ndjson import LineReader, line
from sovguard.clients.sse import EventReader, event
from sovguard.payloads.json_text import dump, load
from sovguard.payloads.lanes import AnswerStream, Frame
from sovguard.vault.store import Vault

Ended = Callable[..., None]
"""Is told that an answer has ended, with the name of the error if one ended it; only the first time counts."""


class _Message(Protocol):
    """One message of a stream, as it came."""

    @property
    def raw(self) -> bytes: ...
    @property
    def name(self) -> str: ...
    @property
    def data(self) -> str | None: ...
    def with_data(self, data: str) -> bytes: ...


class Events(Protocol):
    """Turns the bytes of an answer's events into others.

    Attributes:
        done: Whether the answer has said that it is at its end; clients stop reading there.
    """

    done: bool

    @property
    def error(self) -> str:
        """What to record of an answer that is not whole though it has ended; empty for others."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """Returns what can be passed on after ``chunk``; may be empty."""
        ...

    def rest(self) -> bytes:
        """Returns what is left once nothing more comes."""
        ...


class RestoredEvents:
    """Turns the bytes of an answer's events into those with real values in them.

    Args:
        answer: Restores its frames.
        lines: Whether they come one JSON object a line, and not as server-sent events.
    """

    def __init__(self, answer: AnswerStream, *, lines: bool = False) -> None:
        self._answer = answer
        self._reader: EventReader | LineReader = LineReader() if lines else EventReader()
        self._write: Callable[..., bytes] = line if lines else event
        self._last: _Message | None = None
        self.done = False

    @property
    def error(self) -> str:
        """Nothing: how a provider ends its answers is the client's to judge."""
        return ""

    def feed(self, chunk: bytes) -> bytes:
        """Returns what can be passed on after ``chunk``; may be empty."""
        return b"".join(self._written(each) for each in self._reader.feed(chunk))

    def rest(self) -> bytes:
        """Returns what is left once nothing more comes."""
        return b"".join([*map(self._written, self._reader.rest()), self._held()])

    def _written(self, each: _Message) -> bytes:
        if each.data is None:
            return each.raw
        parsed = load(each.data)
        if parsed is None:  # [DONE], and whatever else is no JSON
            self.done = self.done or each.data.strip() == "[DONE]"
            return self._held() + each.raw
        self._last = each
        frames = self._answer.frames(Frame(each.name, parsed.value))
        if len(frames) == 1 and frames[0].data is parsed.value:
            return each.raw
        parts = [
            each.with_data(_json(frame))
            if index == len(frames) - 1 and frame.name == each.name
            else self._new(frame)
            for index, frame in enumerate(frames)
        ]
        return b"".join(parts)

    def _held(self) -> bytes:
        return b"".join(map(self._new, self._answer.rest()))

    def _new(self, frame: Frame) -> bytes:
        return self._write(frame.name, _json(frame), like=self._last)


def _json(frame: Frame) -> str:
    # ASCII alone: right in whatever charset the headers name, and for half a UTF-16 pair too.
    return dump(frame.data, ascii_only=True) or ""


def restored(chunks: Iterable[bytes], events: Events, ended: Ended) -> Iterator[bytes]:
    """Gives the bytes of a stream with real values in them, and says when it has ended."""
    try:
        for chunk in chunks:
            if written := events.feed(chunk):
                yield written
        written = events.rest()
    except Exception as error:
        ended(error=type(error).__name__)
        if written := events.rest():
            yield written
        raise
    ended(error=events.error)
    if written:
        yield written


async def restored_async(
    chunks: AsyncIterator[bytes], events: Events, vault: Vault, ended: Ended
) -> AsyncIterator[bytes]:
    """Gives the bytes of a stream with real values in them, as ``restored`` does, beside the event loop if ``vault`` waits."""
    try:
        async for chunk in chunks:
            if written := await beside(vault, events.feed, chunk):
                yield written
        written = await beside(vault, events.rest)
    except Exception as error:
        await aside(vault, ended, error=type(error).__name__)
        if written := await beside(vault, events.rest):
            yield written
        raise
    await aside(vault, ended, error=events.error)
    if written:
        yield written


def body_of(library: Any, response: Any, events: Events, vault: Vault, answered: Ended) -> Any:
    """Returns the body of a response of ``library`` that gives another response's events, restored from ``vault``.

    Args:
        library: The HTTP library.
        response: The other response.
        events: Restores its events.
        vault: Where values come from.
        answered: Called once it has ended, whether it was read to its end or not.
    """

    def ended(**how: Any) -> None:
        answered(status=response.status_code, **how)

    if hasattr(response, "is_stream_consumed") and isinstance(response.stream, library.SyncByteStream):
        return _sync_body(library.SyncByteStream)(response, events, ended)
    return _async_body(library.AsyncByteStream)(response, events, vault, ended)


def _closed(events: Events) -> dict[str, str]:
    """Return how an answer ended whose reader has stopped reading."""
    return {"error": events.error if events.done else "closed"}


def _sync_body(base: Any) -> Any:
    class Body(base):  # type: ignore[misc]
        def __init__(self, response: Any, events: Events, ended: Ended) -> None:
            self._response, self._events, self._ended = response, events, ended
            self._pieces: Iterator[bytes] | None = None

        def __iter__(self) -> Iterator[bytes]:
            # Who has read the end drains what is left by asking again.
            if self._pieces is None:
                self._pieces = restored(self._response.iter_bytes(), self._events, self._ended)
            return self._pieces

        def close(self) -> None:
            try:
                self._ended(**_closed(self._events))
            finally:
                self._response.close()

    return Body


def _async_body(base: Any) -> Any:
    class Body(base):  # type: ignore[misc]
        def __init__(self, response: Any, events: Events, vault: Vault, ended: Ended) -> None:
            self._response, self._events, self._vault, self._ended = response, events, vault, ended
            self._pieces: AsyncIterator[bytes] | None = None

        def __aiter__(self) -> AsyncIterator[bytes]:
            if self._pieces is None:
                chunks = self._response.aiter_bytes()
                self._pieces = restored_async(chunks, self._events, self._vault, self._ended)
            return self._pieces

        async def aclose(self) -> None:
            try:
                await aside(self._vault, self._ended, **_closed(self._events))
            finally:
                await self._response.aclose()

    return Body
