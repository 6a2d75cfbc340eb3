"""``guard.protect``: functions that are given surrogates and whose results hold real values again.

For whatever is neither an HTTP client nor a model client. What kind of function it is, is decided once,
when it is decorated. A generator function runs, as ever, from the first ``next()``; that is when its
session is looked up.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Collection, Generator
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

from sovguard.clients.aside import beside
from sovguard.errors import InputError
from sovguard.sending import Sending
from sovguard.shapes import has_shape, take_apart

if TYPE_CHECKING:
    from sovguard.guard import Guard
    from sovguard.session import Session


def protect(
    guard: Guard,
    fn: Callable[..., Any] | None = None,
    *,
    restore: bool = True,
    fields: Collection[str] | None = None,
    destination: str | None = None,
) -> Any:
    """Return ``fn`` with its arguments redacted and its result restored, or a decorator that does so.

    The session is the guard's current one at each call. What a function returns or yields that is not JSON-like, by itself
    or within a list or dict, is passed on as it is. The strings a generator yields are pieces of one text: a piece that
    may end within a surrogate is held until the next one.

    Args:
        guard: Whose sessions are used.
        fn: A function, coroutine function, generator function or asynchronous generator function.
        restore: Put real values back into what it returns or yields.
        fields: Redact these parameters alone (``"prompt"``), or parts of them (``"request.text"``); the others are passed
            on unread.
        destination: The id of the destination that the function sends to. Without it everything is swapped for surrogates, and
            the policy is asked by the protected clients that the function uses, if by any.

    Raises:
        ConfigError: There is no such destination.
        InputError: It is not a function whose parameters can be seen.
    """
    if fn is None:
        return functools.partial(protect, guard, restore=restore, fields=fields, destination=destination)
    if not callable(fn):
        raise InputError(
            f"protect() takes a function, not a {type(fn).__name__}: "
            "put @guard.protect below @staticmethod or @classmethod"
        )
    call = _Call(guard, fn, restore=restore, fields=fields, destination=destination)
    kind = fn if inspect.isroutine(fn) or isinstance(fn, functools.partial) else type(fn).__call__
    if inspect.isasyncgenfunction(kind):
        protected = _async_generator(call)
    elif inspect.isgeneratorfunction(kind):
        protected = _generator(call)
    elif inspect.iscoroutinefunction(kind):
        protected = _coroutine(call)
    else:
        protected = _function(call)
    return functools.wraps(fn)(protected)


class _Call:
    """A function to call, its parameters, and what to do on the way in and out."""

    def __init__(
        self,
        guard: Guard,
        fn: Callable[..., Any],
        *,
        restore: bool,
        fields: Collection[str] | None,
        destination: str | None,
    ) -> None:
        try:
            self.signature = inspect.signature(fn)
        except (TypeError, ValueError):
            raise InputError(
                "protect() cannot see the parameters of this function: wrap it in one of your own"
            ) from None
        if isinstance(fields, str):
            raise InputError("fields has to be a collection of names, not one name: put it in a tuple")
        self.only = None if fields is None else [tuple(name.split(".")) for name in fields]
        for path in self.only or ():
            if path[0] not in self.signature.parameters:
                raise InputError(f"fields names {path[0]!r}, which is no parameter of the function")
        first = next(iter(self.signature.parameters), None)
        self.owner = first if first in {"self", "cls"} and _is_method(fn) else None
        self.guard = guard
        self.fn = fn
        self.restore = restore
        self.destination = guard.destination(destination)

    def redacted(self, session: Session, args: Any, kwargs: Any) -> inspect.BoundArguments:
        """Return the arguments of one call with surrogates in them; all are inspected in one batch."""
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{getattr(self.fn, '__name__', 'the protected function')}(): {error}") from None
        for name, parameter in self.signature.parameters.items():
            if name not in bound.arguments and isinstance(parameter.default, str):
                bound.arguments[name] = parameter.default
        names = [name for name in bound.arguments if name != self.owner]
        given = {name: bound.arguments[name] for name in names}
        sending = session if self.destination is None else Sending(session, self.destination)
        if self.only is not None:
            bound.arguments.update(sending.redact_chosen(given, self.only))
            return bound
        for name in names:
            # Each alone first, so that an error can say which one it is.
            take_apart([given[name]], f"protect() (parameter {name!r}, unless fields= names the others)")
        # Read with its name, a bare number is known for what it is: phone, rrn.
        bound.arguments.update(zip(names, sending.redact_chosen(given, None).values(), strict=True))
        return bound

    def restored(self, session: Session, result: Any) -> Any:
        """Return a result with real values in it; what in it cannot be looked into stays as it is."""
        if not self.restore:
            return result
        if isinstance(result, str):
            return session.restore_text(result).text
        try:
            return session.restore_within(result) if has_shape(result) else result
        except InputError:
            return result


def _is_method(fn: Callable[..., Any]) -> bool:
    """Tell whether a function was written in a class: only there is ``self`` the object and no argument."""
    where = getattr(fn, "__qualname__", "").rpartition(".")[0]
    return bool(where) and not where.endswith("<locals>")


class _Yields:
    """Decides what a generator's consumer is shown for each thing the generator yields."""

    def __init__(self, call: _Call, session: Session) -> None:
        self._call = call
        self._session = session
        self._lane = session.stream()

    def shown(self, item: Any) -> list[Any]:
        """Return what to yield for ``item``: for a string one piece of text, which may be empty."""
        if not self._call.restore:
            return [item]
        if isinstance(item, str):
            return [self._lane.feed(item)]
        return [*self.rest(), self._call.restored(self._session, item)]

    def rest(self) -> list[str]:
        """Return the text that was held, if any, now that it is certain."""
        held = self._lane.flush()
        return [held] if held else []

    def sent(self, value: Any) -> Any:
        """Return what the consumer sends into the generator, with surrogates in it."""
        return self._session.redact([value])[0]


def _function(call: _Call) -> Callable[..., Any]:
    def protected(*args: Any, **kwargs: Any) -> Any:
        session = call.guard.current_session()
        bound = call.redacted(session, args, kwargs)
        with session.protecting():
            result = call.fn(*bound.args, **bound.kwargs)
        return call.restored(session, result)

    return protected


def _coroutine(call: _Call) -> Callable[..., Any]:
    async def protected(*args: Any, **kwargs: Any) -> Any:
        session = call.guard.current_session()
        bound = await session.guard.aside(call.redacted, session, args, kwargs)
        with session.protecting():
            result = await call.fn(*bound.args, **bound.kwargs)
        return await session.guard.aside(call.restored, session, result)

    return protected


def _generator(call: _Call) -> Callable[..., Any]:
    def protected(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        session = call.guard.current_session()
        bound = call.redacted(session, args, kwargs)
        yields = _Yields(call, session)
        with closing(call.fn(*bound.args, **bound.kwargs)) as source:
            advance: Callable[[], Any] = functools.partial(next, source)
            while True:
                try:
                    with session.protecting():
                        item = advance()
                except StopIteration as stop:
                    yield from yields.rest()
                    return call.restored(session, stop.value)
                except Exception:
                    yield from yields.rest()
                    raise
                pieces, sent = yields.shown(item), None
                try:
                    for piece in pieces:
                        sent = yield piece
                except GeneratorExit:
                    raise
                except BaseException as error:
                    advance = functools.partial(source.throw, error)
                else:
                    advance = functools.partial(source.send, yields.sent(sent))

    return protected


def _async_generator(call: _Call) -> Callable[..., Any]:
    async def protected(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        session, vault = call.guard.current_session(), call.guard.vault
        bound = await session.guard.aside(call.redacted, session, args, kwargs)
        yields = _Yields(call, session)
        async with aclosing(call.fn(*bound.args, **bound.kwargs)) as source:
            advance: Callable[[], Any] = functools.partial(anext, source)
            while True:
                try:
                    with session.protecting():
                        item = await advance()
                except StopAsyncIteration:
                    for piece in await beside(vault, yields.rest):
                        yield piece
                    return
                except Exception:
                    for piece in await beside(vault, yields.rest):
                        yield piece
                    raise
                pieces, sent = await beside(vault, yields.shown, item), None
                try:
                    for piece in pieces:
                        sent = yield piece
                except GeneratorExit:
                    raise
                except BaseException as error:
                    advance = functools.partial(source.athrow, error)
                else:
                    advance = functools.partial(source.asend, await session.guard.aside(yields.sent, sent))

    return protected
