"""Where a framework's model sends what it is told: by the name that was given, or by the address that the model has.

For adapters, which sit above whatever does the sending and never see a URL.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sovguard.guard import Guard
from sovguard.policy import Destination

_ADDRESSES = (
    "base_url", "api_base", "openai_api_base", "anthropic_api_url", "api_base_url", "azure_endpoint", "endpoint_url", "host",
    "url",
)  # fmt: skip
_CLIENTS = (
    "_client",
    "client",
    "root_client",
    "_aclient",
    "async_client",
    "root_async_client",
    "_http_client",
)
_DEPTH = 3


def destination_of(guard: Guard, named: str | None, model: Any) -> Destination | None:
    """Return the destination of a model; ``None`` if nothing tells it, or it is none that the policy knows.

    Args:
        guard: Whose policy.
        named: The id of the destination, if it was given.
        model: The model, of any framework.

    Raises:
        ConfigError: There is no destination of this name.
    """
    if named is not None:
        return guard.destination(named)
    catalogue = guard.policy.policy.catalogue
    for address in _addresses(model, _DEPTH):
        return catalogue.match(address)
    return None


def _addresses(thing: Any, depth: int) -> Iterator[str]:
    """Yield the addresses that a model says it has, its own before those of its clients."""
    for name in _ADDRESSES:
        address = str(getattr(thing, name, None) or "")
        if "://" in address:
            yield address
    if depth:
        for name in _CLIENTS:
            client = getattr(thing, name, None)
            if client is not None:
                yield from _addresses(client, depth - 1)
