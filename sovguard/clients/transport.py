"""The transport that redacts what leaves and restores what comes back, for httpx and httpx2 alike.

Sits below a client, so that retries, redirects and authentication above it each pass through here again;
the same request gives the same bytes every time. The real sending is left to another client of the same
library, with all of its own settings. What the policy sends elsewhere is asked there, and answered as it was asked.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sovguard.clients.rerouting import Elsewhere, TranslatedEvents
from sovguard.clients.streaming import RestoredEvents, body_of
from sovguard.clients.wire import (
    comes_as,
    format_in,
    header_texts,
    headers_without,
    readable_body,
    refuse_unread,
    url_texts,
)
from sovguard.errors import LedgerError, PolicyBlocked, SovguardError, UnsupportedPayload
from sovguard.payloads.formats import Format
from sovguard.payloads.json_text import dump, load
from sovguard.payloads.slots import harmless
from sovguard.sending import Sending

if TYPE_CHECKING:
    from sovguard.guard import Guard
    from sovguard.policy import Target
    from sovguard.session import Session

_OUT = frozenset({502, 503, 504, 529})
"""Statuses by which a provider says that it is out."""


class _Sent:
    """A request that may be sent.

    Attributes:
        request: The request.
        sending: What is known of it, and what restores its answer.
        elsewhere: If it goes to another model than it was made for: how it is asked there.
    """

    def __init__(
        self,
        request: Any,
        sending: Sending,
        payload: Format | None = None,
        *,
        asked_for_stream: bool = False,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.request = request
        self.sending = sending
        self.elsewhere = elsewhere
        self._payload = payload
        self._asked_for_stream = asked_for_stream

    @property
    def payload(self) -> Format:
        """The format that the caller made it in."""
        assert self._payload is not None  # noqa: S101
        return self._payload

    def answer(self, response: Any) -> str:
        """Tell how the answer comes: "json", "events", "lines", or "" if there is nothing to restore in it."""
        return "" if self._payload is None else comes_as(response, asked_for_stream=self._asked_for_stream)


def _elsewhere(
    target: Target, payload: Format, body: dict[str, Any], asked: str | None, request: Any
) -> Elsewhere:
    """Return how a request is asked of a target.

    Raises:
        UnsupportedPayload: It cannot be asked there, or answered as the caller wants it.
    """
    sse = "event-stream" in request.headers.get("accept", "")
    if payload.name == "Gemini streamGenerateContent" and b"alt=sse" not in request.url.query:
        raise UnsupportedPayload(
            "the request could not be rerouted: its answer would have to be one JSON array; ask with alt=sse"
        )
    return Elsewhere(target, payload, body, asked, as_events=sse and payload.name.startswith("CLOVA"))


class GuardedTransport:
    """A transport, sync and async: redacts, has its client send, restores.

    Args:
        guard: Whose current session is used.
        client: The client that does the sending.
        library: The module whose requests and responses are made.
    """

    def __init__(self, guard: Guard, client: Any, library: Any) -> None:
        self._guard = guard
        self._client = client
        self._library = library

    def handle_request(self, request: Any) -> Any:
        """Send a request and return its answer; nothing is sent if any step before it fails."""
        refuse_unread(request)
        session, body = self._guard.current_session(), request.read()
        sent = self._outgoing(request, body, session)
        others = self._others(sent)
        while True:
            try:
                # Authentication and redirects are the outer client's: done once more here, a password could follow a
                # redirect to another host.
                with sent.sending.under_way():
                    response = self._client.send(sent.request, stream=True, auth=None, follow_redirects=False)
            except self._library.TransportError:
                if (following := self._following(request, body, session, others)) is None:
                    raise
            else:
                following = None
                if response.status_code in _OUT:
                    following = self._following(request, body, session, others)
                if following is None:
                    break
                sent.sending.answered(status=response.status_code, error="out")
                response.close()
            sent = following
        kind = sent.answer(response)
        if kind in ("events", "lines"):
            return self._streamed(response, sent, lines=kind == "lines")
        if kind != "json":
            if sent.elsewhere is not None and 300 <= response.status_code < 400:
                response.close()
                raise self._redirected(sent, response)
            sent.sending.answered(status=response.status_code)
            return self._without_cookies(response, sent)
        with sent.sending.under_way():
            try:
                response.read()
            finally:
                response.close()
            return self._incoming(response, sent)

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request and return its answer, as ``handle_request`` does; detection runs in a thread."""
        refuse_unread(request)
        aside, session, body = self._guard.aside, self._guard.current_session(), await request.aread()
        sent = await aside(self._outgoing, request, body, session)
        others = self._others(sent)
        while True:
            try:
                with sent.sending.under_way():
                    response = await self._client.send(
                        sent.request, stream=True, auth=None, follow_redirects=False
                    )
            except self._library.TransportError:
                if (following := await aside(self._following, request, body, session, others)) is None:
                    raise
            else:
                following = None
                if response.status_code in _OUT:
                    following = await aside(self._following, request, body, session, others)
                if following is None:
                    break
                sent.sending.answered(status=response.status_code, error="out")
                await response.aclose()
            sent = following
        kind = sent.answer(response)
        if kind in ("events", "lines"):
            return self._streamed(response, sent, lines=kind == "lines")
        if kind != "json":
            if sent.elsewhere is not None and 300 <= response.status_code < 400:
                await response.aclose()
                raise self._redirected(sent, response)
            await aside(sent.sending.answered, status=response.status_code)
            return self._without_cookies(response, sent)
        with sent.sending.under_way():
            try:
                await response.aread()
            finally:
                await response.aclose()
            return await aside(self._incoming, response, sent)

    def close(self) -> None:
        """Close the sending client."""
        self._client.close()

    async def aclose(self) -> None:
        """Close the sending client."""
        await self._client.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    def _outgoing(self, request: Any, body: bytes, session: Session, via: Target | None = None) -> _Sent:
        """Return the request that may be sent, and what is known of its answer.

        Args:
            request: The caller's.
            body: What it holds.
            session: Whose surrogates are used.
            via: The target to ask in place of where it is addressed to.
        """
        payload = format_in(request)
        parsed = readable_body(request, body)
        policy = self._guard.policy.policy
        addressed = policy.catalogue.match(str(request.url))
        asked = None if payload is None or parsed is None else payload.model(request.url.path, parsed.value)
        sending = Sending(
            session,
            addressed if via is None else policy.catalogue.named(via.destination),
            caller="http",
            operation="request" if payload is None else payload.operation,
            addressed=None if via is None else addressed,
            reroutes=True,
        )
        with sending.refusing():
            places = url_texts(request.url)
            if any(self._guard.scan([text for text in places if not harmless(text)])):
                raise UnsupportedPayload(
                    "the request was not sent: its URL holds personal information, which cannot be swapped "
                    "there; put it into a message"
                )
            own, technical = header_texts(request.headers)
            if any(self._guard.scan([text for text in own if not harmless(text)])):
                raise UnsupportedPayload(
                    "the request was not sent: one of its headers holds personal information, which cannot be swapped "
                    "there; put it into a message, or leave it out"
                )
            if "target" in request.extensions:
                raise UnsupportedPayload(
                    "the request was not sent: its target is not its URL; leave that extension out"
                )
            beside = [*places, *own, *technical]
            if parsed is None or payload is None:
                if via is not None or sending.decision.enforced().outcome != "send":
                    raise UnsupportedPayload(
                        "the request was not sent: the policy sends it elsewhere, and no other model could answer it"
                    )
                sending.release(beside)
                return _Sent(request, sending)
            redacted = payload.request.redact(parsed.value, sending)
            sending.asks(asked)
            done = sending.decision.enforced()
            # In a dry run too: who is asked in place of another is so because the policy names it, or not at all.
            if via is not None and sending.decision.outcome != "send":
                raise PolicyBlocked(
                    "this target may not be asked in place of the destination", sending.decision
                )
            target = policy.targets.get(done.reroute_to, via)
            elsewhere = None if target is None else _elsewhere(target, payload, redacted, asked, request)
            if elsewhere is not None:
                outgoing = elsewhere.request(self._library, request.extensions)
                sending.release(elsewhere.body)
            else:
                outgoing = self._rewritten(request, redacted)
                sending.release([redacted, beside])
        streams = payload.streams(parsed.value)
        return _Sent(outgoing, sending, payload, asked_for_stream=streams, elsewhere=elsewhere)

    def _rewritten(self, request: Any, body: dict[str, Any]) -> Any:
        text = dump(body)
        if text is None:
            raise UnsupportedPayload(
                "the request was not sent: it holds half of a UTF-16 pair, which is no character; "
                "clean the text with .encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
            )
        headers = headers_without(
            request.headers, "content-length", "transfer-encoding", "content-encoding", "content-type"
        )
        return self._library.Request(
            request.method,
            request.url,
            headers=[*headers, (b"content-type", b"application/json")],
            content=text.encode(),
            extensions=request.extensions,
        )

    @staticmethod
    def _redirected(sent: _Sent, response: Any) -> UnsupportedPayload:
        """Return the error for a target that sends a request on: with it would go what the caller meant for another host."""
        sent.sending.answered(status=response.status_code, error="redirect")
        return UnsupportedPayload(
            "the target that the policy names redirects; nothing more was sent: give the target's final URL in the policy"
        )

    @staticmethod
    def _without_cookies(response: Any, sent: _Sent) -> Any:
        """Return an answer that is passed on, without what a target would leave with the caller under another host's name."""
        if sent.elsewhere is not None:
            for name in ("set-cookie", "location"):
                if name in response.headers:
                    del response.headers[name]
        return response

    def _others(self, sent: _Sent) -> list[Target]:
        """Return the targets that may be tried if the one that was asked is out; the last is tried first."""
        policy, at = self._guard.policy.policy, sent.sending.destination
        names = () if at is None else policy.fallbacks.get(at.id, ())
        return [policy.targets[name] for name in reversed(names)]

    def _following(self, request: Any, body: bytes, session: Session, others: list[Target]) -> _Sent | None:
        """Return the request for the next target that it may go to; ``None`` if there is none. Those tried are taken out."""
        while others:
            target = others.pop()
            try:
                return self._outgoing(request, body, session, target)
            except LedgerError:
                raise
            except SovguardError:
                continue  # the caller hears of the failure that brought us here
        return None

    def _streamed(self, response: Any, sent: _Sent, *, lines: bool) -> Any:
        """Return the answer with a body that is restored while it is read."""
        answer = sent.payload.stream(sent.sending, self._guard.restore_tools)
        headers = headers_without(response.headers, "content-length", "content-encoding")
        events: RestoredEvents | TranslatedEvents
        if sent.elsewhere is None:
            events = RestoredEvents(answer, lines=lines)
        else:
            events = sent.elsewhere.events(answer)
            headers = headers_without(
                response.headers, "content-length", "content-encoding", "content-type", "set-cookie"
            )
            headers.append((b"content-type", sent.elsewhere.content_type))
        return self._library.Response(
            response.status_code,
            headers=headers,
            stream=body_of(self._library, response, events, self._guard.vault, sent.sending.answered),
            extensions=response.extensions,
        )

    def _incoming(self, response: Any, sent: _Sent) -> Any:
        """Return the answer, read and decoded, with the real values in it."""
        body: bytes = response.content
        parsed = load(body)
        if parsed is not None:
            said = parsed.value if sent.elsewhere is None else sent.elsewhere.answer(parsed.value)
            answer = sent.payload.restore_answer(said, sent.sending, self._guard.restore_tools)
            if answer != parsed.value:
                # ASCII alone: right in whatever charset the headers name, and for half a UTF-16 pair too.
                body = (dump(answer, ascii_only=True) or "").encode()
        sent.sending.answered(status=response.status_code)
        dropped = ["content-length", "transfer-encoding", "content-encoding"]
        if sent.elsewhere is not None:
            dropped.append("set-cookie")  # of a host that the caller does not know
        headers = headers_without(response.headers, *dropped)
        return self._library.Response(
            response.status_code,
            headers=[*headers, (b"content-length", str(len(body)).encode())],
            stream=self._library.ByteStream(body),
            extensions=response.extensions,
        )
