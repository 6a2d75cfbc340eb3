"""Requests that a policy sends elsewhere: asked of the target in its format, and answered in the caller's.

Between the transport, which has a request redacted for the target, and ``sovguard.reroute``, which translates. All that is read
here holds surrogates; values are put back behind the translation, in the caller's format.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from sovguard.clients.ndjson import line
from sovguard.clients.sse import Event, EventReader, event
from sovguard.errors import ConfigError, UnsupportedPayload
from sovguard.payloads.formats import Format
from sovguard.payloads.json_text import dump, load
from sovguard.payloads.lanes import AnswerStream, Frame
from sovguard.policy import Target
from sovguard.reroute import Translation, as_chunk, streamed, translation, unreadable

_PATH = "/chat/completions"


class Elsewhere:
    """One request on its way to a target.

    Args:
        target: Where it goes.
        payload: The format that the caller made it in.
        body: The request in that format, as it may be sent.
        asked: The model that the caller asked for.
        as_events: Whether the caller takes the answer as events though its body does not say so (CLOVA Studio).

    Attributes:
        body: The request in the target's format.

    Raises:
        UnsupportedPayload: It cannot be said in the target's format.
    """

    def __init__(
        self,
        target: Target,
        payload: Format,
        body: dict[str, Any],
        asked: str | None,
        *,
        as_events: bool = False,
    ) -> None:
        found = translation(payload.name)
        if found is None:
            raise UnsupportedPayload(
                f"the request could not be rerouted: {payload.name} has no answer that another model could give; "
                "let the policy block it, or send it elsewhere yourself"
            )
        self._translation: Translation = found
        self._target = target
        self._asked = body
        model = target.models.get(asked or "") or target.models.get("*") or asked
        if not model:
            raise ConfigError(
                f'target {target.id} needs models = {{ "*" = "…" }}: the request names no model'
            )
        chat = found.to_chat(body, model)
        self.body = streamed(chat) if as_events else chat

    def __repr__(self) -> str:
        return f"Elsewhere({self._target.id!r})"

    def request(self, library: Any, extensions: Any) -> Any:
        """Return the request to send, of an HTTP library; nothing of the caller's credentials is in it.

        Raises:
            ConfigError: The target's key is not in the environment.
        """
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        if self._target.key_env:
            key = os.environ.get(self._target.key_env)
            if not key:
                raise ConfigError(
                    f"target {self._target.id} takes its key from {self._target.key_env}, which is not set; set it, or take "
                    "key_env out if it needs none"
                )
            headers["authorization"] = f"Bearer {key}"
        written = dump(self.body, ascii_only=True) or ""
        return library.Request(
            "POST",
            self._target.url.rstrip("/") + _PATH,
            headers=headers,
            content=written.encode(),
            # Others, such as the name that TLS asks for, are of the host that the caller meant.
            extensions={key: value for key, value in extensions.items() if key == "timeout"},
        )

    @property
    def streams(self) -> bool:
        """Whether the target is asked for a stream."""
        return bool(self.body.get("stream"))

    def answer(self, said: Any) -> Any:
        """Return an answer of the target in the caller's format."""
        return self._translation.answer(said, self._asked)

    def events(self, answer: AnswerStream) -> TranslatedEvents:
        """Return what turns the target's stream into the caller's, restored by ``answer``."""
        return TranslatedEvents(self._translation, self._asked, answer)

    @property
    def content_type(self) -> bytes:
        """What the caller's stream comes as."""
        return b"application/x-ndjson" if self._translation.lines else b"text/event-stream"


def asked_elsewhere(
    target: Target, payload: Format, body: dict[str, Any], asked: str | None, request: Any
) -> Elsewhere:
    """Return how an HTTP request is asked of a target.

    Raises:
        UnsupportedPayload: It cannot be asked there, or answered as the caller wants it.
    """
    sse = "event-stream" in request.headers.get("accept", "")
    if payload.name == "Gemini streamGenerateContent" and b"alt=sse" not in request.url.query:
        raise UnsupportedPayload(
            "the request could not be rerouted: its answer would have to be one JSON array; ask with alt=sse"
        )
    return Elsewhere(target, payload, body, asked, as_events=sse and payload.name.startswith("CLOVA"))


class TranslatedEvents:
    """Turns the bytes of a target's streamed answer into those of the caller's format, with real values in them."""

    def __init__(self, found: Translation, asked: dict[str, Any], answer: AnswerStream) -> None:
        self._answer = answer
        self._reader = EventReader()
        self._events = found.stream(asked)
        self._write: Callable[..., bytes] = line if found.lines else event
        self._last = found.last
        self._ready: list[bytes] = []
        self._failed = False
        self.done = False

    @property
    def error(self) -> str:
        """What to record of an answer that is not whole."""
        return "broke_off" if self._events.broken else ""

    def feed(self, chunk: bytes) -> bytes:
        """Returns what can be passed on after ``chunk``; may be empty.

        Raises:
            UnsupportedPayload: Something in it cannot be read or given back; ``rest`` then has what came before, and the end.
            ForeignSurrogate: The arguments of a tool hold a surrogate of another session; likewise.
        """

        def reads() -> None:
            for each in self._reader.feed(chunk):
                self._read(each)

        return self._given(reads)

    def rest(self) -> bytes:
        """Returns what is left once nothing more comes.

        Raises:
            UnsupportedPayload: As for ``feed``.
            ForeignSurrogate: As for ``feed``.
        """

        def ends() -> None:
            for each in self._reader.rest():
                self._read(each)
            self._end()

        return self._given(ends)

    def whole(self, answer: Any) -> bytes:
        """Returns all events for an answer that came whole, from a server that does not stream though it was asked to.

        Raises:
            UnsupportedPayload: It is no answer, or cannot be given back.
            ForeignSurrogate: As for ``feed``.
        """

        def gives() -> None:
            self._restore(self._events.feed(as_chunk(answer)))
            self._end()
            self._ready.append(self._last)

        return self._given(gives)

    def _given(self, work: Callable[[], object]) -> bytes:
        try:
            work()
        except Exception:
            self._failed = True
            self._events.fail()
            raise
        given, self._ready = b"".join(self._ready), []
        return given

    def _read(self, each: Event) -> None:
        if self.done or self._failed or (not (each.data or "").strip() and not each.is_garbled):
            return
        if (each.data or "").strip() == "[DONE]":
            self._end()
            self._ready.append(self._last)
            return
        parsed = load(each.data or "")
        if parsed is None or not isinstance(parsed.value, dict):
            raise unreadable("an event of it is not a JSON object")
        self._restore(self._events.feed(parsed.value))

    def _end(self) -> None:
        if self.done:
            return
        if self._failed:
            # What cannot be given back is not asked for again: what ends the answer says that it broke off.
            self._ready += map(self._new, self._events.end())
        else:
            self._restore(self._events.end())
            self._ready += map(self._new, self._answer.rest())
        self.done = True

    def _restore(self, frames: list[Frame]) -> None:
        for frame in frames:
            self._ready += map(self._new, self._answer.frames(frame))

    def _new(self, frame: Frame) -> bytes:
        return self._write(frame.name, dump(frame.data, ascii_only=True) or "", like=None)
