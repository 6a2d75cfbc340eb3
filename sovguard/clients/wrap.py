"""Protected twins of model clients: the same type and settings, over a protected HTTP client.

Uses what the clients offer their users: ``copy`` and an HTTP client of one's own, where they do. No class is patched, and
no client's package is imported. Methods that leave by another way than HTTP are refused.
"""

from __future__ import annotations

import copy
import functools
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from sovguard.clients.http_clients import async_http_client, guard_of, http_client
from sovguard.errors import InputError, UnsupportedPayload

if TYPE_CHECKING:
    from sovguard.guard import Guard

_SUPPORTED = (
    "clients of openai (OpenAI, AsyncOpenAI and those built on them), of anthropic (Anthropic, AsyncAnthropic) and of ollama "
    "(Client, AsyncClient)"
)
_CLIENTS = {
    "openai": {"OpenAI", "AsyncOpenAI"},
    "anthropic": {"Anthropic", "AsyncAnthropic"},
    "ollama": {"Client", "AsyncClient"},
}

_ERRORS = {"openai": "OpenAIError", "anthropic": "AnthropicError"}
"""What a package's clients raise, which they neither try again upon nor hide in another error."""


def wrap(guard: Guard, client: Any) -> Any:
    """Return a client of the same type whose requests are redacted and whose answers are restored.

    The client passed in is not changed. The two share their connections, so that closing one closes the
    other, as with copies made by ``with_options``; such copies of the result are protected too. Wrapping a
    wrapped client returns it.

    Args:
        guard: Whose current session is used, at the time of each request.
        client: A client of the openai, the anthropic or the ollama package.

    What sovguard raises when a request is made is an error of the client's package too (``AnthropicError``), so that the client
    neither tries again nor hides it; what it raises while a stream is read is not.

    Raises:
        InputError: It is no client that can be wrapped, or another guard protects it.
    """
    http, package = getattr(client, "_client", None), _package(client)
    if http is None or package is None:
        raise InputError(
            f"wrap() cannot protect a {type(client).__name__}: it takes {_SUPPORTED}. For another client, "
            "pass guard.http_client() to its constructor, or decorate the function that calls it with "
            "guard.protect"
        )
    protect = async_http_client if hasattr(http, "aclose") else http_client
    if package == "ollama":  # it takes no HTTP client of one's own, and opens no websockets
        twin = copy.copy(client)
        twin._client = protect(guard, client=http)
        return client if twin._client is http else twin
    base = getattr(sys.modules.get(package), _ERRORS[package], None)
    if guard_of(http) is guard:
        protect(guard, client=http, error_base=base)
        return client if "copy" in vars(client) else _sealed(guard, client.copy())
    return _sealed(guard, client.copy(http_client=protect(guard, client=http, error_base=base)))


def _sealed(guard: Guard, client: Any) -> Any:
    """Return ``client`` with the ways around its HTTP client closed, in every copy of it as well."""
    original = client.copy

    @functools.wraps(original)
    def protected_copy(**options: Any) -> Any:
        copied = original(**options)
        return _sealed(guard, copied) if guard_of(copied._client) is guard else wrap(guard, copied)

    client.copy = client.with_options = protected_copy
    # The realtime, live and responses resources open websockets on their own, to this address.
    client.websocket_base_url = _refusing_url(type(client.base_url))
    return client


def _package(client: Any) -> str | None:
    """Return the package that a client comes from, or is built on, if it is one of those that can be wrapped."""
    for klass in type(client).__mro__:
        package = klass.__module__.partition(".")[0]
        if klass.__name__ in _CLIENTS.get(package, ()):
            return package
    return None


def _refusing_url(base: type[Any]) -> Any:
    """Return a URL that raises a typed error as soon as anything of it is read."""

    def refuse(self: Any, *_: Any) -> NoReturn:
        raise UnsupportedPayload(
            "nothing was sent: this method opens a websocket, whose messages this version cannot redact; "
            "use chat.completions, or a client that is not protected if nothing personal is said"
        )

    names = {"__getattr__": refuse, "__str__": refuse, "__repr__": lambda self: "RefusingURL()"}
    return object.__new__(type("RefusingURL", (base,), names))
