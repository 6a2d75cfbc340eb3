"""One request that may be sent, and its answer with real values in it: whole, in events, or passed on unread.

Between the transport, which sends, and what restores. For httpx and httpx2 alike, whose responses are made anew.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from sovguard.clients.rerouting import Elsewhere
from sovguard.clients.streaming import Events, RestoredEvents, body_of
from sovguard.clients.wire import comes_as, headers_without
from sovguard.errors import UnsupportedPayload
from sovguard.payloads.formats import Format
from sovguard.payloads.json_text import dump, load
from sovguard.sending import Sending

_CODED = ("content-length", "transfer-encoding", "content-encoding")


class Exchange:
    """A request that may be sent, and what is known of its answer.

    Args:
        library: The module whose responses are made.
        request: The request.
        sending: What is known of it, and what restores its answer.
        payload: The format that the caller made it in; ``None`` for one without anything to restore in its answer.
        asked_for_stream: Whether the caller wants the answer in pieces.
        elsewhere: If it goes to another model than it was made for: how it is asked there.
    """

    def __init__(
        self,
        library: ModuleType,
        request: Any,
        sending: Sending,
        payload: Format | None = None,
        *,
        asked_for_stream: bool = False,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.request, self.sending = request, sending
        self._library = library
        self._payload = payload
        self._elsewhere = elsewhere
        self._asked_for_stream = asked_for_stream if elsewhere is None else elsewhere.streams

    def __repr__(self) -> str:
        return f"Exchange({self.sending!r})"

    def comes_as(self, response: Any) -> str:
        """Tell how the answer comes: "json", "events", "lines", or "" if there is nothing to restore in it."""
        return "" if self._payload is None else comes_as(response, asked_for_stream=self._asked_for_stream)

    def refused(self, response: Any) -> UnsupportedPayload | None:
        """Return the error for an answer of another model that may not be followed or cannot be read; ``None`` for others."""
        if self._elsewhere is None:
            return None
        if 300 <= response.status_code < 400:  # with it would go what the caller meant for another host
            return UnsupportedPayload(
                "the target that the policy names redirects; nothing more was sent: give the target's final URL in the policy"
            )
        kind = self.comes_as(response)
        if (
            200 <= response.status_code < 300
            and kind != "json"
            and (kind != "events" or not self._asked_for_stream)
        ):
            return UnsupportedPayload(
                "the answer could not be given back: the target that the policy names gave no Chat Completions answer; see "
                "whether its url in the policy is the one that /chat/completions is under"
            )
        return None

    def unread(self, response: Any) -> Any:
        """Return an answer that is passed on, without what a target would leave with the caller under another host's name."""
        if self._elsewhere is not None:
            for name in ("set-cookie", "location"):
                if name in response.headers:
                    del response.headers[name]
        return response

    def streamed(self, response: Any, *, lines: bool) -> Any:
        """Return the answer with a body that is restored while it is read."""
        answer = self._known.stream(self.sending, self.sending.guard.restore_tools)
        events: Events = (
            RestoredEvents(answer, lines=lines) if self._elsewhere is None else self._elsewhere.events(answer)
        )
        body = body_of(self._library, response, events, self.sending.guard.vault, self.sending.answered)
        kind = None if self._elsewhere is None else self._elsewhere.content_type
        return self._response(response, body, headers_without(response.headers, *_CODED[::2]), kind)

    def restored(self, response: Any) -> Any:
        """Return the answer, read and decoded, with the real values in it.

        Raises:
            UnsupportedPayload: It is of another model, and cannot be given back.
        """
        body, kind, error = response.content, None, ""
        parsed = load(body)
        tools = self.sending.guard.restore_tools
        if self._elsewhere is not None and self._asked_for_stream:
            events = self._elsewhere.events(self._known.stream(self.sending, tools))
            body = events.whole(None if parsed is None else parsed.value)
            kind, error = self._elsewhere.content_type, events.error
        elif parsed is not None or self._elsewhere is not None:
            said = None if parsed is None else parsed.value
            said = said if self._elsewhere is None else self._elsewhere.answer(said)
            answer = self._known.restore_answer(said, self.sending, tools)
            if parsed is None or answer != parsed.value:
                # ASCII alone: right in whatever charset the headers name, and for half a UTF-16 pair too.
                body = (dump(answer, ascii_only=True) or "").encode()
        self.sending.answered(status=response.status_code, error=error)
        headers = headers_without(response.headers, *_CODED)
        headers.append((b"content-length", str(len(body)).encode()))
        return self._response(response, self._library.ByteStream(body), headers, kind)

    @property
    def _known(self) -> Format:
        assert self._payload is not None  # noqa: S101
        return self._payload

    def _response(
        self, response: Any, body: Any, headers: list[tuple[bytes, bytes]], kind: bytes | None
    ) -> Any:
        if self._elsewhere is not None:  # cookies are of a host that the caller does not know
            headers = [(name, value) for name, value in headers if name.lower() != b"set-cookie"]
        if kind is not None:
            headers = [(name, value) for name, value in headers if name.lower() != b"content-type"]
            headers.append((b"content-type", kind))
        return self._library.Response(
            response.status_code, headers=headers, stream=body, extensions=response.extensions
        )
