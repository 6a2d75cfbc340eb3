"""Where text lives in LangChain's messages and in the definitions of tools that are bound to its models.

Messages come as the mappings of their fields; no LangChain is imported here. Content blocks of the providers and LangChain's
standard ones are known; anything else is refused, like any text that nobody can place.
"""

from __future__ import annotations

from typing import Any

from sovguard.payloads.rules import (
    NO_TEXT,
    SAY_IT,
    Rule,
    address,
    by_role,
    definition,
    encoded,
    kept,
    kinds,
    many,
    media,
    of_model,
    prose,
    record,
    setting,
    source,
    text_or,
    values,
)
from sovguard.payloads.slots import Slots, below, refusal

_BLOCK = {
    **dict.fromkeys(("type", "id", "index", "cache_control"), setting),
    **dict.fromkeys(("annotations", "citations"), values),
    "extras": of_model,
}


def _address_or(rule: Rule) -> Rule:
    return lambda value, path, slots, keep: (
        address(value, path, slots, keep) if isinstance(value, str) else rule(value, path, slots, keep)
    )


def _medium(kind: str) -> Rule:
    fields = dict.fromkeys(("mime_type", "source_type", "file_id", "detail", "media_type"), setting)
    names = dict.fromkeys(("title", "context", "filename"), prose)
    spelled = {"base64": encoded, "data": encoded, "url": address, **fields, **names, "metadata": values}
    held = {
        "source": record({"type": setting, **spelled}),
        "image_url": _address_or(record(spelled)),
        "input_audio": record({"data": encoded, "format": setting}),
        "file": record({"file_data": encoded, "file_id": setting, "filename": prose}),
    }
    return media(kind, record({**_BLOCK, **spelled, **held}))


def _piece(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    return prose(value, path, slots, keep) if isinstance(value, str) else _KINDS(value, path, slots, keep)


_TEXT = record({**_BLOCK, "text": prose})
_CALL = {**_BLOCK, "name": setting}
_KINDS = kinds(
    {
        **dict.fromkeys(("text", "input_text", "output_text"), _TEXT),
        "text-plain": record(
            {**_BLOCK, **dict.fromkeys(("text", "title", "context"), prose), "mime_type": setting}
        ),
        "refusal": record({**_BLOCK, "refusal": prose}),
        "reasoning": record({**_BLOCK, "reasoning": prose, "summary": values, "encrypted_content": of_model}),
        **dict.fromkeys(("thinking", "redacted_thinking"), of_model),
        "tool_use": kept(record({**_CALL, "input": values, "partial_json": source, "caller": setting})),
        "tool_call": kept(record({**_CALL, "args": values})),
        "function_call": kept(record({**_CALL, "call_id": prose, "arguments": source, "status": setting})),
        "tool_result": kept(
            record({**_BLOCK, "tool_use_id": prose, "content": text_or(many(_piece)), "is_error": setting})
        ),
        **dict.fromkeys(("image", "image_url", "input_image"), _medium("image")),
        **dict.fromkeys(("audio", "input_audio"), _medium("audio")),
        "video": _medium("video"),
        **dict.fromkeys(("file", "document", "input_file"), _medium("file")),
    },
    what=NO_TEXT,
    remedy=SAY_IT,
)
_CALLED = record({"name": setting, "arguments": source})
_MESSAGE = record(
    {
        "role": setting,
        "said_role": setting,
        "content": text_or(many(_piece)),
        "name": prose,
        "tool_call_id": prose,
        "tool_calls": many(record({"name": setting, "args": values, "id": prose, "type": setting})),
        "invalid_tool_calls": values,
        "additional_kwargs": record(
            {
                "tool_calls": many(
                    record({"id": prose, "type": setting, "index": setting, "function": _CALLED})
                ),
                "function_call": _CALLED,
                **dict.fromkeys(("refusal", "reasoning_content", "reasoning"), prose),
                "__openai_role__": setting,
                "__openai_function_call_ids__": of_model,
                "__gemini_function_call_thought_signatures__": of_model,
            }
        ),
    }
)
ROLES = {"system": False, "human": False, "chat": False, "ai": True, "tool": True, "function": True}
"""The types of messages, and whether what they say holds surrogates rightly."""
MESSAGES = many(by_role(_MESSAGE, ROLES))


def _tool(tool: Any, path: str, slots: Slots, keep: bool) -> Any:
    kind = tool.get("type", "custom") if isinstance(tool, dict) else None
    if kind not in ("function", "custom"):
        raise refusal(path, "is a tool that runs elsewhere, out of sight", "leave the tool out")
    if "function" in tool:
        return record({"type": setting, "function": definition})(tool, path, slots, keep)
    described = {key: item for key, item in tool.items() if key != "type"}
    types = {key: item for key, item in tool.items() if key == "type"}
    return {**types, **definition(described, path, slots, keep)}


_BOUND = {
    "tools": many(_tool),
    "functions": many(definition),
    **dict.fromkeys(
        (
            "stop", "user", "metadata", "prediction", "response_format", "extra_body", "system", "instructions", "format",
            "prompt_cache_key", "safety_identifier",
        ),
        values,
    ),
}  # fmt: skip


def bound(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    """The arguments that a model is called with besides its messages; a class among them (a schema) is passed as it is."""
    return {
        key: item
        if item is None or isinstance(item, type)
        else _BOUND.get(key, setting)(item, below(path, key), slots, keep)
        for key, item in value.items()
    }
