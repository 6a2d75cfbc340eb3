"""HTTP clients that are protected: made anew, or built upon one that is there.

Neither httpx nor httpx2 is imported before a client of it is asked for.
"""

from __future__ import annotations

import functools
import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sovguard.clients.transport import GuardedTransport
from sovguard.clients.wire import format_in, readable_body, refuse_unread
from sovguard.errors import ConfigError, InputError, SovguardError
from sovguard.sending import Sending

if TYPE_CHECKING:
    from sovguard.guard import Guard

_IN_BOTH: dict[tuple[type[SovguardError], type[Exception]], type[SovguardError]] = {}
"""Errors of sovguard that are errors of a model client too."""
LIBRARIES = ("httpx2", "httpx")
"""The HTTP libraries whose clients can be made or built upon, the preferred one first."""


def http_client(
    guard: Guard,
    *,
    client: Any = None,
    library: str | None = None,
    error_base: type[Exception] | None = None,
    **settings: Any,
) -> Any:
    """Return an ``httpx2.Client`` or ``httpx.Client`` that redacts chat requests and restores answers.

    What a model client sends by another way, such as a websocket, does not come by here; ``wrap`` refuses it.

    Args:
        guard: Whose current session is used, at the time of each request.
        client: Build upon this client: its transport, proxies, hooks, authentication and headers stay in use,
            and it is not changed. Closing the one closes the other, as with any transport.
        library: ``"httpx2"`` or ``"httpx"``; by default the first of these that is installed.
        error_base: What errors of sovguard are raised as too. Some model clients take every other error for a broken
            connection, try again and hide it in one of their own: anthropic's, for which ``wrap`` sets ``AnthropicError``.
        **settings: Passed on to the client, as in ``httpx2.Client(timeout=30)``.
    """
    return _guarded(guard, client, library, settings, "Client", error_base)


def async_http_client(
    guard: Guard,
    *,
    client: Any = None,
    library: str | None = None,
    error_base: type[Exception] | None = None,
    **settings: Any,
) -> Any:
    """Return the asynchronous twin of ``http_client``: an ``AsyncClient`` of httpx2 or httpx."""
    return _guarded(guard, client, library, settings, "AsyncClient", error_base)


def guard_of(client: Any) -> Guard | None:
    """Return the guard that protects an HTTP client, or ``None`` if none does."""
    guard: Guard | None = getattr(client, "sovguard_guard", None)
    return guard


def _guarded(
    guard: Guard,
    client: Any,
    library: str | None,
    settings: dict[str, Any],
    kind: str,
    error_base: type[Exception] | None,
) -> Any:
    _checked(error_base)
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
            client.sovguard_error_base = error_base or client.sovguard_error_base
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
    outer.sovguard_guard, outer.sovguard_error_base = guard, error_base
    return outer


@functools.cache
def _guarded_class(base: Any) -> Any:
    """Return ``base`` with refusals raised while a request is built, and errors that are the model client's own too.

    openai before version 3 takes whatever a transport raises for a broken connection: it would try again, and
    then hide our error in its own. Building a request is outside of that.
    """

    def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return base.send(self, *args, **kwargs)
        except SovguardError as error:
            raise _as_one_of(error, self.sovguard_error_base) from error.__cause__

    async def send_async(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await base.send(self, *args, **kwargs)
        except SovguardError as error:
            raise _as_one_of(error, self.sovguard_error_base) from error.__cause__

    def build_request(self: Any, *args: Any, **kwargs: Any) -> Any:
        request = base.build_request(self, *args, **kwargs)
        guard = self.sovguard_guard
        try:
            refuse_unread(request)
            if type(request.stream).__name__ == "ByteStream":
                parsed = readable_body(request, request.content)
                payload = format_in(request)
                if parsed is not None and payload is not None:
                    payload.request.check(parsed.value, guard.allow_media)
        except SovguardError as error:
            at = guard.policy.policy.catalogue.match(str(request.url))
            Sending(guard.current_session(), at, caller="http").refused(error)
            raise _as_one_of(error, self.sovguard_error_base) from error.__cause__
        return request

    added = {
        "build_request": build_request,
        "send": send_async if inspect.iscoroutinefunction(base.send) else send,
        "sovguard_guard": None,
        "sovguard_error_base": None,
    }
    return type(f"Guarded{base.__name__}", (base,), added)


def _as_one_of(error: SovguardError, base: type[Exception] | None) -> SovguardError:
    """Return an error of sovguard that is one of ``base`` too."""
    if base is not None and not isinstance(error, base):
        kind = type(error)
        if (kind, base) not in _IN_BOTH:
            said = {"__module__": kind.__module__, "__doc__": kind.__doc__, "__reduce__": _reduced}
            _IN_BOTH[kind, base] = type(kind.__name__, (kind, base), said)
        error.__class__ = _IN_BOTH[kind, base]
    return error


def _reduced(error: SovguardError) -> tuple[Any, ...]:
    kind, base = next(pair for pair, both in _IN_BOTH.items() if both is type(error))
    return _rebuilt, (kind, base, error.args), error.__dict__


def _rebuilt(kind: type[SovguardError], base: type[Exception], args: tuple[Any, ...]) -> SovguardError:
    return _as_one_of(kind(*args), base)


def _checked(base: type[Exception] | None) -> None:
    """Raise an error if errors of sovguard cannot be of another kind too."""
    try:
        _as_one_of(SovguardError(), base)
    except TypeError:
        raise ConfigError(
            "error_base has to be a class of errors that others can be made from, as anthropic.AnthropicError is"
        ) from None


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
