"""Where LiteLLM would send a request: by the name that was given, or by the address or the provider of its model.

A model of the proxy may stand for several deployments, and a request may name others to fall back on. All of them have to be
one destination; otherwise nothing tells which policy holds.
"""

from __future__ import annotations

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


def _deployments(data: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield the model and the address of every deployment that a request may come to."""
    address = data.get("api_base") or data.get("base_url")
    if address:
        yield str(data.get("model")), str(address)
        return
    # Only where the proxy runs is it there, and its models with it.
    router = getattr(sys.modules.get("litellm.proxy.proxy_server"), "llm_router", None)
    others = [name for key in _FALLBACKS for name in _names(data.get(key))]
    for name in (str(data.get("model")), *others):
        known = router.get_model_list(model_name=name) if router is not None else None
        if not known:
            yield name, None
        for each in known or ():
            parameters = each["litellm_params"]
            yield str(parameters["model"]), parameters.get("api_base")


def _names(fallbacks: Any) -> Iterator[str]:
    for each in fallbacks or ():
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            yield from (
                [str(each["model"])] if "model" in each else [str(n) for v in each.values() for n in v]
            )


def _of(guard: Guard, model: str, address: str | None) -> Destination | None:
    catalogue = guard.policy.policy.catalogue
    try:
        _, provider, _, default = litellm.get_llm_provider(model, api_base=address)
    except Exception:  # it raises what a provider would
        provider, default = "", None
    if address or default:
        return catalogue.match(str(address or default))
    provider = _OTHERWISE.get(provider, provider)
    offered = [each for each in catalogue if provider in (each.provider, each.id)]
    return offered[0] if len(offered) == 1 else next((each for each in offered if each.id == provider), None)
