"""Where LiteLLM would send a request: by the name that was given, or by the address or the provider of its model.

A model of the proxy may stand for several deployments, and a request may name others to fall back on. All of them have to be
one destination; otherwise nothing tells which policy holds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import litellm

from sovguard.guard import Guard
from sovguard.policy import Destination

_OTHERWISE = {
    "anthropic_text": "anthropic",
    "azure": "azure-openai",
    "azure_ai": "azure-openai",
    "bedrock_converse": "bedrock",
    "gemini": "google-gemini",
    "ollama_chat": "loopback",
    "text-completion-openai": "openai",
    "vertex_ai": "google-vertex",
    "vertex_ai_beta": "google-vertex",
}
"""What LiteLLM calls otherwise than the catalogue does."""
_FALLBACKS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")


def destination_of_call(guard: Guard, named: str | None, data: Mapping[str, Any]) -> Destination | None:
    """Return the destination of a request; ``None`` if nothing tells it, if it is none, or if there are several.

    Args:
        guard: Whose policy.
        named: The id of the destination, if it was given.
        data: The request, as LiteLLM's hooks get it.
    """
    if named is not None:
        return guard.destination(named)
    found = {_of(guard, *each) for each in _deployments(data)}
    return found.pop() if len(found) == 1 else None


def _deployments(data: Mapping[str, Any]) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield the model, the address and the provider of every deployment that a request may come to."""
    said = data.get("custom_llm_provider")
    address = data.get("api_base") or data.get("base_url")
    if address:
        yield str(data.get("model")), str(address), said
        return
    # Only where the proxy runs is it there, and its models with it.
    router = getattr(sys.modules.get("litellm.proxy.proxy_server"), "llm_router", None)
    asked = str(data.get("model"))
    others = [name for key in _FALLBACKS for name in _names(data.get(key))]
    for key in (*_FALLBACKS, "default_fallbacks"):
        others += _names(getattr(router, key, None))
    for name in (asked, *others):
        known = router.get_model_list(model_name=name) if router is not None else None
        if not known:
            yield name, None, said
        for each in known or ():
            own = each["litellm_params"]
            yield (
                str(own["model"]),
                own.get("api_base") or own.get("base_url"),
                own.get("custom_llm_provider"),
            )


def _names(fallbacks: Any) -> Iterator[str]:
    for each in fallbacks or ():
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            yield from (
                [str(each["model"])] if "model" in each else [str(n) for v in each.values() for n in v]
            )


def _of(guard: Guard, model: str, address: str | None, said: str | None) -> Destination | None:
    catalogue = guard.policy.policy.catalogue
    try:
        _, provider, _, default = litellm.get_llm_provider(model, custom_llm_provider=said, api_base=address)
    except Exception:  # it raises what a provider would
        provider, default = "", None
    # What the environment or the library's settings say goes before what a provider is known for.
    names = (f"{provider.upper()}_{end}" for end in ("API_BASE", "BASE_URL"))
    set_apart = next((os.environ[name] for name in names if os.environ.get(name)), None) or litellm.api_base
    if address or set_apart or default:
        return catalogue.match(str(address or set_apart or default))
    provider = _OTHERWISE.get(provider, provider)
    offered = [each for each in catalogue if provider in (each.provider, each.id)]
    return offered[0] if len(offered) == 1 else next((each for each in offered if each.id == provider), None)
