"""Running a guard beside an event loop, so that long texts do not hold up everything else on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sovguard.vault.store import Vault
from sovguard.vault.waiting import in_loop

P = ParamSpec("P")
R = TypeVar("R")


async def aside(vault: Vault, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run what detects and asks ``vault``, and return its result.

    In a thread; or here, with detection in a thread, where the loop itself waits for the vault. Under a loop that is not
    asyncio's all of it runs here.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return function(*args, **kwargs)
    if getattr(vault, "asynchronous", False):
        return await in_loop(function, *args, **kwargs)
    return await asyncio.to_thread(function, *args, **kwargs)


async def beside(vault: Vault, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run what takes no time but the vault's as ``aside`` does, or here if the vault answers at once.

    A piece of a stream takes microseconds, less than handing it to a thread: worth that only if a server or a disk may have
    to be waited for.
    """
    if getattr(vault, "waits", True):
        return await aside(vault, function, *args, **kwargs)
    return function(*args, **kwargs)
