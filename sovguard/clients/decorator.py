"""``guard.protect``: functions that are given surrogates and whose results hold real values again.

For whatever is neither an HTTP client nor a model client. What kind of function it is, is decided once,
when it is decorated. A generator function runs, as ever, from the first ``next()``; that is when its
session is looked up.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterator
from contextlib import aclosing, closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from sovguard.clients.aside import beside
from sovguard.errors import InputError
from sovguard.sending import Sending
from sovguard.shapes import has_shape, take_apart

if TYPE_CHECKING:
    from sovguard.guard import Guard
    from sovguard.shapes import Only


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

    def named(self, args: Any, kwargs: Any) -> tuple[inspect.BoundArguments, dict[str, Any]]:
        """Return the arguments of one call, and those of them that are looked into, by name."""
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{getattr(self.fn, '__name__', 'the protected function')}(): {error}") from None
        for name, parameter in self.signature.parameters.items():
            if name not in bound.arguments and isinstance(parameter.default, str):
                bound.arguments[name] = parameter.default
        given = {name: bound.arguments[name] for name in bound.arguments if name != self.owner}
        if self.only is None:
            for name, value in given.items():
                # Each alone first, so that an error can say which one it is.
                take_apart([value], f"protect() (parameter {name!r}, unless fields= names the others)")
        return bound, given


class _Turn:
    """One call: what of it may be sent, and what comes back with real values in it."""

    def __init__(self, call: _Call) -> None:
        self.session = call.guard.current_session()
        self.lane = self.session.stream()
        self._call = call
        self._sending: Sending | None = None
        if call.destination is not None:
            name = f"{getattr(call.fn, '__module__', '')}.{getattr(call.fn, '__qualname__', '')}"
            self._sending = Sending(self.session, call.destination, caller=f"protect {name}")
            self.lane = self._sending.stream()

    def redacted(self, args: Any, kwargs: Any) -> inspect.BoundArguments:
        """Return the arguments as they may be sent; all are inspected in one batch."""
        bound, given = self._call.named(args, kwargs)
        # Read with its name, a bare number is known for what it is: phone, rrn.
        bound.arguments.update(self._redacted(given, self._call.only, self._sending))
        return bound

    def sent(self, value: Any) -> Any:
        """Return what the consumer sends into a generator, as it may be sent: a request of its own."""
        sending = self._sending
        if sending is not None:
            sending = Sending(self.session, self._call.destination, caller=sending.caller)
        redacted = self._redacted({"sent": value}, None, sending)["sent"]
        if sending is not None:
            sending.answered()
        return redacted

    def _redacted(self, given: dict[str, Any], only: Only | None, sending: Sending | None) -> dict[str, Any]:
        if sending is None:
            return self.session.redact_chosen(given, only)
        with sending.refusing():
            redacted = sending.redact_chosen(given, only)
            # What is passed on unread may be anything: it is the caller's to answer for.
            sending.release([leaf.text for leaf in take_apart(redacted, "protect()", only=only).leaves])
        return redacted

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the function itself runs: what it sends was redacted before, and its errors are written down."""
        with self.session.protecting(), nullcontext() if self._sending is None else self._sending.under_way():
            yield

    def restored(self, result: Any) -> Any:
        """Return a result with real values in it; what in it cannot be looked into stays as it is."""
        if not self._call.restore:
            return result
        if isinstance(result, str):
            found = self.session.restore_text(result)
            if self._sending is not None:
                self._sending.missed([*found.unresolved, *found.expired])
            return found.text
        try:
            return self.session.restore_within(result) if has_shape(result) else result
        except InputError:
            return result

    def ended(self, result: Any = None) -> Any:
        """Return a result restored, the last thing of the call."""
        restored = self.restored(result)
        if self._sending is not None:
            self._sending.answered()
        return restored

    def closed(self) -> None:
        """Note that whoever reads has stopped reading."""
        if self._sending is not None:
            self._sending.answered(error="closed")

    def shown(self, item: Any) -> list[Any]:
        """Return what to yield for what a generator yields: for a string one piece of text, which may be empty."""
        if not self._call.restore:
            return [item]
        if isinstance(item, str):
            return [self.lane.feed(item)]
        return [*self.rest(), self.restored(item)]

    def rest(self) -> list[str]:
        """Return the text that was held, if any, now that it is certain."""
        held = self.lane.flush()
        return [held] if held else []


def _is_method(fn: Callable[..., Any]) -> bool:
    """Tell whether a function was written in a class: only there is ``self`` the object and no argument."""
    where = getattr(fn, "__qualname__", "").rpartition(".")[0]
    return bool(where) and not where.endswith("<locals>")


def _function(call: _Call) -> Callable[..., Any]:
    def protected(*args: Any, **kwargs: Any) -> Any:
        turn = _Turn(call)
        bound = turn.redacted(args, kwargs)
        with turn.running():
            result = call.fn(*bound.args, **bound.kwargs)
        return turn.ended(result)

    return protected


def _coroutine(call: _Call) -> Callable[..., Any]:
    async def protected(*args: Any, **kwargs: Any) -> Any:
        turn = _Turn(call)
        bound = await call.guard.aside(turn.redacted, args, kwargs)
        with turn.running():
            result = await call.fn(*bound.args, **bound.kwargs)
        return await call.guard.aside(turn.ended, result)

    return protected


def _generator(call: _Call) -> Callable[..., Any]:
    def protected(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        turn = _Turn(call)
        bound = turn.redacted(args, kwargs)
        with closing(call.fn(*bound.args, **bound.kwargs)) as source:
            advance: Callable[[], Any] = functools.partial(next, source)
            while True:
                try:
                    with turn.running():
                        item = _advanced(advance)
                except Exception:
                    yield from turn.rest()
                    raise
                if isinstance(item, _Ended):
                    yield from turn.rest()
                    return turn.ended(item.value)
                pieces, sent = turn.shown(item), None
                try:
                    for piece in pieces:
                        sent = yield piece
                except GeneratorExit:
                    turn.closed()
                    raise
                except BaseException as error:
                    advance = functools.partial(source.throw, error)
                else:
                    advance = functools.partial(source.send, None if sent is None else turn.sent(sent))

    return protected


def _async_generator(call: _Call) -> Callable[..., Any]:
    async def protected(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        turn, vault = _Turn(call), call.guard.vault
        bound = await call.guard.aside(turn.redacted, args, kwargs)
        async with aclosing(call.fn(*bound.args, **bound.kwargs)) as source:
            advance: Callable[[], Any] = functools.partial(anext, source)
            while True:
                try:
                    with turn.running():
                        item = await _advanced_async(advance)
                except Exception:
                    for piece in await beside(vault, turn.rest):
                        yield piece
                    raise
                if item is _END:
                    for piece in await beside(vault, turn.rest):
                        yield piece
                    turn.ended()
                    return
                pieces, sent = await beside(vault, turn.shown, item), None
                try:
                    for piece in pieces:
                        sent = yield piece
                except GeneratorExit:
                    turn.closed()
                    raise
                except BaseException as error:
                    advance = functools.partial(source.athrow, error)
                else:
                    advance = functools.partial(
                        source.asend, None if sent is None else await call.guard.aside(turn.sent, sent)
                    )

    return protected


_END = object()


class _Ended:
    """What a generator returned at its end."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _advanced(advance: Callable[[], Any]) -> Any:
    """Return what a generator yields next, or its end: which is no error of the function."""
    try:
        return advance()
    except StopIteration as stop:
        return _Ended(stop.value)


async def _advanced_async(advance: Callable[[], Any]) -> Any:
    try:
        return await advance()
    except StopAsyncIteration:
        return _END
