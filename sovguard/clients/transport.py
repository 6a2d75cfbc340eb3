"""The transport that redacts what leaves and restores what comes back, for httpx and httpx2 alike.

Sits below a client, so that retries, redirects and authentication above it each pass through here again;
the same request gives the same bytes every time. The real sending is left to another client of the same
library, with all of its own settings. What the policy sends elsewhere is asked there, and answered as it was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self

from sovguard.clients.exchange import Exchange
from sovguard.clients.rerouting import asked_elsewhere
from sovguard.clients.wire import (
    format_in,
    header_texts,
    headers_without,
    readable_body,
    refuse_unread,
    url_texts,
)
from sovguard.errors import LedgerError, PolicyBlocked, SovguardError, UnsupportedPayload
from sovguard.payloads.json_text import dump
from sovguard.payloads.slots import harmless
from sovguard.sending import Sending

if TYPE_CHECKING:
    from sovguard.guard import Guard
    from sovguard.policy import Target
    from sovguard.session import Session

P = ParamSpec("P")
_OUT = frozenset({502, 503, 504, 529})
"""Statuses by which a provider says that it is out."""


def _dropped(task: asyncio.Task[Exchange | None]) -> None:
    """End in the records a request that was prepared for somebody who has gone."""
    if not task.cancelled() and task.exception() is None and (made := task.result()) is not None:
        made.sending.answered(error="CancelledError")


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
                if response.status_code not in _OUT:
                    break
                try:
                    with sent.sending.under_way(response.status_code):
                        following = self._following(request, body, session, others)
                    if following is not None:
                        sent.sending.answered(status=response.status_code, error="out")
                except BaseException:
                    response.close()
                    raise
                if following is None:
                    break
                response.close()
            sent = following
        if (error := sent.refused(response)) is not None:
            response.close()
            sent.sending.answered(status=response.status_code, error=type(error).__name__)
            raise error
        kind = sent.comes_as(response)
        if kind in ("events", "lines"):
            return sent.streamed(response, lines=kind == "lines")
        if kind != "json":
            sent.sending.answered(status=response.status_code)
            return sent.unread(response)
        with sent.sending.under_way(response.status_code):
            try:
                response.read()
            finally:
                response.close()
            return sent.restored(response)

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request and return its answer, as ``handle_request`` does; detection runs in a thread."""
        refuse_unread(request)
        aside, session, body = self._guard.aside, self._guard.current_session(), await request.aread()
        sent = await self._prepared(self._outgoing, request, body, session)
        assert sent is not None  # noqa: S101
        others = self._others(sent)
        while True:
            try:
                async with self._under_way(sent):
                    response = await self._client.send(
                        sent.request, stream=True, auth=None, follow_redirects=False
                    )
            except self._library.TransportError:
                if (
                    following := await self._prepared(self._following, request, body, session, others)
                ) is None:
                    raise
            else:
                if response.status_code not in _OUT:
                    break
                try:
                    async with self._under_way(sent, response.status_code):
                        following = await self._prepared(self._following, request, body, session, others)
                    if following is not None:
                        with following.sending.under_way():  # if this is cut off, that is not sent
                            await aside(sent.sending.answered, status=response.status_code, error="out")
                except BaseException:
                    await response.aclose()
                    raise
                if following is None:
                    break
                await response.aclose()
            sent = following
        if (error := sent.refused(response)) is not None:
            await response.aclose()
            await aside(sent.sending.answered, status=response.status_code, error=type(error).__name__)
            raise error
        kind = sent.comes_as(response)
        if kind in ("events", "lines"):
            return sent.streamed(response, lines=kind == "lines")
        if kind != "json":
            try:
                await aside(sent.sending.answered, status=response.status_code)
            except BaseException:
                await response.aclose()
                raise
            return sent.unread(response)
        async with self._under_way(sent, response.status_code):
            try:
                await response.aread()
            finally:
                await response.aclose()
            return await aside(sent.restored, response)

    @asynccontextmanager
    async def _under_way(self, sent: Exchange, status: int | None = None) -> AsyncIterator[None]:
        """While this lasts, an error ends the request in the records; written down beside the event loop."""
        try:
            yield
        except Exception as error:
            await self._guard.aside(sent.sending.answered, status=status, error=type(error).__name__)
            raise
        except BaseException as error:
            # Nothing can be waited for any more.
            sent.sending.answered(status=status, error=type(error).__name__)
            raise

    async def _prepared(
        self, prepare: Callable[P, Exchange | None], *args: P.args, **kwargs: P.kwargs
    ) -> Exchange | None:
        """Return what ``prepare`` returns, run beside the event loop; if that is cut off, the request ends in the records.

        What runs in a thread cannot be cut off, and writes down that it is sent.
        """
        made = self._guard.aside(prepare, *args, **kwargs)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return await made
        task = asyncio.ensure_future(made)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_dropped)
            raise

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

    def _outgoing(self, request: Any, body: bytes, session: Session, via: Target | None = None) -> Exchange:
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
                return Exchange(self._library, request, sending)
            redacted = payload.request.redact(parsed.value, sending)
            sending.asks(asked)
            done = sending.decision.enforced()
            # In a dry run too: who is asked in place of another is so because the policy names it, or not at all.
            if via is not None and sending.decision.outcome != "send":
                raise PolicyBlocked(
                    "this target may not be asked in place of the destination", sending.decision
                )
            target = policy.targets.get(done.reroute_to, via)
            elsewhere = None if target is None else asked_elsewhere(target, payload, redacted, asked, request)
            if elsewhere is not None:
                outgoing = elsewhere.request(self._library, request.extensions)
                sending.release(elsewhere.body)
            else:
                outgoing = self._rewritten(request, redacted)
                sending.release([redacted, beside])
        streams = payload.streams(parsed.value)
        return Exchange(
            self._library, outgoing, sending, payload, asked_for_stream=streams, elsewhere=elsewhere
        )

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

    def _others(self, sent: Exchange) -> list[Target]:
        """Return the targets that may be tried if the one that was asked is out; the last is tried first."""
        policy, at = self._guard.policy.policy, sent.sending.destination
        names = () if at is None else policy.fallbacks.get(at.id, ())
        return [policy.targets[name] for name in reversed(names)]

    def _following(
        self, request: Any, body: bytes, session: Session, others: list[Target]
    ) -> Exchange | None:
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
