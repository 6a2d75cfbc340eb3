"""How code waits for a server: a thread stands still, an event loop goes on with something else.

Between the stores that speak to servers and their client libraries, each of which comes twice, synchronous and asynchronous.
What a store, a vault and a session do is written once, as plain calls. For an asynchronous store it runs in a greenlet
(``in_loop``): where it has to wait, the event loop gets what there is to wait for, and the greenlet goes on with the outcome.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ParamSpec, TypeVar

from sovguard.errors import ConfigError, VaultError

P = ParamSpec("P")
R = TypeVar("R")


class Waiting:
    """How the callers of a synchronous store wait: as threads do.

    Attributes:
        asynchronous: Whether it is the event loop that waits.
    """

    asynchronous = False

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return what a client library's function returns, once it is there."""
        return function(*args, **kwargs)

    def entered(self, manager: Any) -> AbstractContextManager[Any]:
        """Return a client library's context as a plain one."""
        plain: AbstractContextManager[Any] = manager
        return plain

    def lock(self) -> AbstractContextManager[Any]:
        """Return a new lock, which may be held while a store is waited for."""
        return threading.Lock()

    def semaphore(self, count: int) -> AbstractContextManager[Any]:
        """Return what ``count`` callers may be in at once."""
        return threading.Semaphore(count)

    def pause(self, seconds: float) -> None:
        """Let that much time pass."""
        time.sleep(seconds)


THREADS = Waiting()


class LoopWaiting(Waiting):
    """How the callers of an asynchronous store wait: in greenlets of one event loop, or in threads beside it.

    To be made while the loop runs; it is the only one that the store can be used with.
    """

    asynchronous = True

    def __init__(self) -> None:
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigError(
                "an asynchronous store is made within an event loop: await open_vault_async(…)"
            ) from None
        # For want of greenlets say so now, not in the middle of a request.
        _greenlets()

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return the outcome of a coroutine function.

        Raises:
            VaultError: The loop would be held up, or is not the store's.
        """
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            if not self._loop.is_running():
                raise VaultError(
                    "the event loop of this asynchronous vault has ended; open the vault in the loop that uses it. "
                    "Nothing was sent"
                ) from None

            async def in_store_loop() -> Any:
                return await function(*args, **kwargs)

            return asyncio.run_coroutine_threadsafe(in_store_loop(), self._loop).result()
        if running is not self._loop:
            raise VaultError(
                "this asynchronous vault was opened in another event loop; open one in each. Nothing was sent"
            )
        if (wait := _waits_for()) is None:
            raise VaultError(
                "an asynchronous vault was asked by a plain call within its event loop, which would stand still: write "
                "'await guard.aside(session.redact, text)', or 'await in_loop(…)'. Nothing was sent"
            )
        return wait(function(*args, **kwargs))

    @contextmanager
    def entered(self, manager: Any) -> Iterator[Any]:
        """Return an asynchronous context as a plain one."""
        value = self.call(manager.__aenter__)
        try:
            yield value
        except BaseException as error:
            if not self.call(manager.__aexit__, type(error), error, error.__traceback__):
                raise
        else:
            self.call(manager.__aexit__, None, None, None)

    def lock(self) -> AbstractContextManager[Any]:
        """Return a new lock."""
        return _Again(self, asyncio.Lock())

    def semaphore(self, count: int) -> AbstractContextManager[Any]:
        """Return what ``count`` callers may be in at once."""
        return _Again(self, asyncio.Semaphore(count))

    def pause(self, seconds: float) -> None:
        """Let that much time pass."""
        self.call(asyncio.sleep, seconds)


class _Again(AbstractContextManager[Any]):
    """An asynchronous context as a plain one that many callers can enter again and again."""

    def __init__(self, waiting: LoopWaiting, manager: Any) -> None:
        self._waiting, self._manager = waiting, manager

    def __enter__(self) -> Any:
        return self._waiting.call(self._manager.__aenter__)

    def __exit__(self, *raised: Any) -> None:
        self._waiting.call(self._manager.__aexit__, *raised)


async def in_loop(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a plain function returns that asks asynchronous stores, without holding up the event loop.

    Detection within it runs in a thread. The function sees a copy of the caller's context variables, as in
    ``asyncio.to_thread``.

    Raises:
        ConfigError: The package greenlet is not installed.
    """
    work = _greenlets()(function)
    work.gr_context = contextvars.copy_context()
    outcome = work.switch(*args, **kwargs)
    while not work.dead:
        try:
            answer = await outcome
        except BaseException:
            outcome = work.throw(*sys.exc_info())
        else:
            outcome = work.switch(answer)
    result: R = outcome
    return result


def elsewhere(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what ``function`` returns, which takes time of its own: within ``in_loop`` from a thread, else from here."""
    if (wait := _waits_for()) is None:
        return function(*args, **kwargs)
    result: R = wait(asyncio.to_thread(function, *args, **kwargs))
    return result


_kind: Any = None
"""The class of the greenlets that ``in_loop`` makes; there are none before the first."""


def _greenlets() -> Any:
    global _kind
    if _kind is None:
        try:
            from greenlet import greenlet
        except ImportError:
            raise ConfigError("an asynchronous vault needs greenlet: pip install 'sovguard[async]'") from None
        _kind = type("Work", (greenlet,), {})
    return _kind


def _waits_for() -> Callable[[Awaitable[Any]], Any] | None:
    """Return what waits for an awaitable within ``in_loop``; ``None`` for a caller that is not in it."""
    if _kind is None:
        return None
    from greenlet import getcurrent

    current = getcurrent()
    if not isinstance(current, _kind) or current.parent is None:
        return None
    switch: Callable[[Awaitable[Any]], Any] = current.parent.switch
    return switch
