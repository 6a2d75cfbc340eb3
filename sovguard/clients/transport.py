"""The transport that redacts what leaves and restores what comes back, for httpx and httpx2 alike.

Sits below a client, so that retries, redirects and authentication above it each pass through here again;
the same request gives the same bytes every time. The real sending is left to another client of the same
library, with all of its own settings. Neither library is imported before a client of it is asked for.
"""

from __future__ import annotations

import functools
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sovguard.clients.streaming import RestoredEvents, body_of
from sovguard.clients.wire import (
    comes_as,
    format_in,
    headers_without,
    readable_body,
    refuse_unread,
    url_texts,
)
from sovguard.errors import ConfigError, InputError, UnsupportedPayload
from sovguard.payloads.formats import Format
from sovguard.payloads.json_text import dump, load
from sovguard.payloads.slots import harmless
from sovguard.sending import Sending

if TYPE_CHECKING:
    from sovguard.guard import Guard
    from sovguard.session import Session

LIBRARIES = ("httpx2", "httpx")
"""The HTTP libraries whose clients can be made or built upon, the preferred one first."""


def http_client(guard: Guard, *, client: Any = None, library: str | None = None, **settings: Any) -> Any:
    """Return an ``httpx2.Client`` or ``httpx.Client`` that redacts chat requests and restores answers.

    What a model client sends by another way, such as a websocket, does not come by here; ``wrap`` refuses it.

    Args:
        guard: Whose current session is used, at the time of each request.
        client: Build upon this client: its transport, proxies, hooks, authentication and headers stay in use,
            and it is not changed. Closing the one closes the other, as with any transport.
        library: ``"httpx2"`` or ``"httpx"``; by default the first of these that is installed.
        **settings: Passed on to the client, as in ``httpx2.Client(timeout=30)``.
    """
    return _guarded(guard, client, library, settings, "Client")


def async_http_client(
    guard: Guard, *, client: Any = None, library: str | None = None, **settings: Any
) -> Any:
    """Return the asynchronous twin of ``http_client``: an ``AsyncClient`` of httpx2 or httpx."""
    return _guarded(guard, client, library, settings, "AsyncClient")


def guard_of(client: Any) -> Guard | None:
    """Return the guard that protects an HTTP client, or ``None`` if none does."""
    guard: Guard | None = getattr(client, "sovguard_guard", None)
    return guard


class _Sent:
    """A request that may be sent.

    Attributes:
        request: The request.
        sending: What is known of it, and what restores its answer.
    """

    def __init__(
        self, request: Any, sending: Sending, payload: Format | None = None, *, asked_for_stream: bool = False
    ) -> None:
        self.request = request
        self.sending = sending
        self._payload = payload
        self._asked_for_stream = asked_for_stream

    @property
    def payload(self) -> Format:
        """The format it is in."""
        assert self._payload is not None  # noqa: S101
        return self._payload

    def answer(self, response: Any) -> str:
        """Tell how the answer comes: "json", "events", "lines", or "" if there is nothing to restore in it."""
        return "" if self._payload is None else comes_as(response, asked_for_stream=self._asked_for_stream)


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
        session = self._guard.current_session()
        sent = self._outgoing(request, request.read(), session)
        # Authentication and redirects are the outer client's: done once more here, a password could follow a
        # redirect to another host.
        with sent.sending.under_way():
            response = self._client.send(sent.request, stream=True, auth=None, follow_redirects=False)
        kind = sent.answer(response)
        if kind in ("events", "lines"):
            return self._streamed(response, sent, lines=kind == "lines")
        if kind != "json":
            sent.sending.answered(status=response.status_code)
            return response
        with sent.sending.under_way():
            try:
                response.read()
            finally:
                response.close()
            return self._incoming(response, sent)

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request and return its answer, as ``handle_request`` does; detection runs in a thread."""
        refuse_unread(request)
        session = self._guard.current_session()
        sent = await self._guard.aside(self._outgoing, request, await request.aread(), session)
        with sent.sending.under_way():
            response = await self._client.send(sent.request, stream=True, auth=None, follow_redirects=False)
        kind = sent.answer(response)
        if kind in ("events", "lines"):
            return self._streamed(response, sent, lines=kind == "lines")
        if kind != "json":
            sent.sending.answered(status=response.status_code)
            return response
        with sent.sending.under_way():
            try:
                await response.aread()
            finally:
                await response.aclose()
            return await self._guard.aside(self._incoming, response, sent)

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

    def _outgoing(self, request: Any, body: bytes, session: Session) -> _Sent:
        """Return the request that may be sent, and what is known of its answer."""
        payload = format_in(request)
        parsed = readable_body(request, body)
        sending = Sending(
            session,
            self._guard.policy.policy.catalogue.match(str(request.url)),
            caller="http",
            model=None
            if payload is None or parsed is None
            else payload.model(request.url.path, parsed.value),
            operation="request" if payload is None else payload.operation,
        )
        with sending.refusing():
            texts = [text for text in url_texts(request.url) if not harmless(text)]
            if any(self._guard.scan(texts)):
                raise UnsupportedPayload(
                    "the request was not sent: its URL holds personal information, which cannot be swapped "
                    "there; put it into a message"
                )
            others = [value for _, value in headers_without(request.headers, "authorization", "x-api-key")]
            plain = [value.decode("utf-8", "replace") for value in others]
            if parsed is None or payload is None:
                sending.release(plain)
                return _Sent(request, sending)
            redacted = payload.request.redact(parsed.value, sending)
            text = dump(redacted)
            if text is None:
                raise UnsupportedPayload(
                    "the request was not sent: it holds half of a UTF-16 pair, which is no character; "
                    "clean the text with .encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
                )
            headers = headers_without(
                request.headers, "content-length", "transfer-encoding", "content-encoding", "content-type"
            )
            outgoing = self._library.Request(
                request.method,
                request.url,
                headers=[*headers, (b"content-type", b"application/json")],
                content=text.encode(),
                extensions=request.extensions,
            )
            sending.release([redacted, plain])
        return _Sent(outgoing, sending, payload, asked_for_stream=payload.streams(parsed.value))

    def _streamed(self, response: Any, sent: _Sent, *, lines: bool) -> Any:
        """Return the answer with a body that is restored while it is read."""
        answer = sent.payload.stream(sent.sending, self._guard.restore_tools)
        events = RestoredEvents(answer, lines=lines)
        headers = headers_without(response.headers, "content-length", "content-encoding")
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
            answer = sent.payload.restore_answer(parsed.value, sent.sending, self._guard.restore_tools)
            if answer != parsed.value:
                # ASCII alone: right in whatever charset the headers name, and for half a UTF-16 pair too.
                body = (dump(answer, ascii_only=True) or "").encode()
        sent.sending.answered(status=response.status_code)
        headers = headers_without(response.headers, "content-length", "transfer-encoding", "content-encoding")
        return self._library.Response(
            response.status_code,
            headers=[*headers, (b"content-length", str(len(body)).encode())],
            stream=self._library.ByteStream(body),
            extensions=response.extensions,
        )


def _guarded(guard: Guard, client: Any, library: str | None, settings: dict[str, Any], kind: str) -> Any:
    if client is None:
        module = _library(library)
        inner = getattr(module, kind)(**settings)
    else:
        if settings or library is not None:
            raise ConfigError(
                "an existing client keeps its own settings: pass it alone, or the settings alone"
            )
        module, inner = _library_of(client, kind), client
        present = guard_of(client)
        if present is guard:
            return client
        if present is not None:
            raise InputError("this client is protected by another Guard already: use the original client")
    outer = _guarded_class(getattr(module, kind))(
        transport=GuardedTransport(guard, inner, module),
        auth=inner.auth,
        base_url=inner.base_url,
        cookies=inner.cookies,
        follow_redirects=inner.follow_redirects,
        headers=inner.headers,
        max_redirects=inner.max_redirects,
        params=inner.params,
        timeout=inner.timeout,
        trust_env=inner.trust_env,
    )
    outer.sovguard_guard = guard
    return outer


@functools.cache
def _guarded_class(base: Any) -> Any:
    """Return ``base`` with refusals raised while a request is built.

    openai before version 3 takes whatever a transport raises for a broken connection: it would try again, and
    then hide our error in its own. Building a request is outside of that.
    """

    def build_request(self: Any, *args: Any, **kwargs: Any) -> Any:
        request = base.build_request(self, *args, **kwargs)
        refuse_unread(request)
        if type(request.stream).__name__ == "ByteStream":
            parsed = readable_body(request, request.content)
            payload = format_in(request)
            if parsed is not None and payload is not None:
                payload.request.check(parsed.value, self.sovguard_guard.allow_media)
        return request

    return type(f"Guarded{base.__name__}", (base,), {"build_request": build_request, "sovguard_guard": None})


def _library(name: str | None) -> Any:
    if name is not None and name not in LIBRARIES:
        raise ConfigError(f"library has to be one of {', '.join(map(repr, LIBRARIES))}")
    for candidate in LIBRARIES if name is None else (name,):
        try:
            return import_module(candidate)
        except ImportError:
            continue
    wanted = name or LIBRARIES[0]
    raise ConfigError(f"{wanted} is not installed: pip install 'sovguard[{wanted}]'")


def _library_of(client: Any, kind: str) -> Any:
    for klass in type(client).__mro__:
        root = klass.__module__.partition(".")[0]
        if root in LIBRARIES and klass.__name__ == kind:
            return import_module(root)
    raise InputError(
        f"client has to be an httpx2.{kind} or httpx.{kind}, not {type(client).__name__}: "
        "use http_client() for synchronous clients and async_http_client() for asynchronous ones"
    )
