"""Running a guard beside an event loop, so that long texts do not hold up everything else on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sovguard.vault.store import Vault

P = ParamSpec("P")
R = TypeVar("R")


async def aside(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run ``function`` in a thread and return its result; under a loop that is not asyncio's, run it here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return function(*args, **kwargs)
    return await asyncio.to_thread(function, *args, **kwargs)


async def beside(vault: Vault, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run what takes no time but the vault's as ``aside`` does, or here if the vault answers at once.

    A piece of a stream takes microseconds, less than handing it to a thread: worth that only if a server or a disk may have
    to be waited for.
    """
    if getattr(vault, "waits", True):
        return await aside(function, *args, **kwargs)
    return function(*args, **kwargs)
