"""Where text lives in LlamaIndex's messages: what of their blocks is inspected, and how it is put back.

Blocks are read by their ``block_type``; no LlamaIndex is imported here.
"""

from __future__ import annotations

from typing import Any

from sovguard.payloads.rules import (
    NO_TEXT,
    SAY_IT,
    address,
    by_role,
    kept,
    many,
    media,
    of_model,
    prose,
    record,
    setting,
    source,
    values,
)
from sovguard.payloads.slots import Slots, refusal

_MEDIA = {"image": "image", "audio": "audio", "video": "video", "document": "file"}
_TEXTS = {
    "text": ("text",),
    "tool_call": ("tool_call_id", "tool_name", "tool_kwargs"),
    "citable": ("title", "source", "content"),
    "citation": ("title", "source", "cited_content"),
    "thinking": ("content", "additional_information"),
    "image": ("url", "detail", "image_mimetype"),
    "audio": ("url", "format"),
    "video": ("url", "detail", "video_mimetype"),
    "document": ("url", "title", "document_mimetype"),
}
"""The fields of each type of block that say something; a medium's own octets are none."""


def fields_of(thing: Any) -> Any:
    """Return what a message or block says, as a mapping, with the block itself where it is passed as it is."""
    kind = getattr(thing, "block_type", None)
    if kind is None:
        names: tuple[str, ...] = ("role", "blocks", "additional_kwargs")
    elif kind in _TEXTS:
        names = _TEXTS[kind]
    else:
        return {"block_type": kind, "block": thing}
    said: dict[str, Any] = {"block_type": kind} if kind else {}
    for name in names:
        value = getattr(thing, name, None)
        if name == "url" and value is not None:
            value = str(value)
        elif name in ("blocks", "content") and isinstance(value, list):
            value = [fields_of(each) for each in value]
        elif name == "cited_content" and value is not None:
            value = fields_of(value)
        elif name == "role":
            value = getattr(value, "value", value)
        elif name == "additional_kwargs":
            value = {key: _plain(item) for key, item in (value or {}).items()}
        said[name] = value
    return said


def with_fields(thing: Any, said: Any) -> Any:
    """Return a copy of a message or block that says what is given; what is left alone comes back itself."""
    if "block" in said:
        return said["block"]
    update = {key: value for key, value in said.items() if key not in ("block_type", "role", "url")}
    for name in ("blocks", "content"):
        if isinstance(update.get(name), list):
            update[name] = [
                with_fields(*pair) for pair in zip(getattr(thing, name), update[name], strict=True)
            ]
    if isinstance(update.get("cited_content"), dict):
        update["cited_content"] = with_fields(thing.cited_content, update["cited_content"])
    return thing.model_copy(update=update)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.model_dump() if hasattr(value, "model_dump") else value


def _block(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    kind = value.get("block_type")
    if kind == "cache":
        return value
    if kind not in _TEXTS:
        raise refusal(path, NO_TEXT, SAY_IT)
    return _RULES[kind](value, path, slots, keep)


_KIND = {"block_type": setting}
_OF_MEDIA = ("detail", "format", "image_mimetype", "video_mimetype", "document_mimetype")
_CITED = {**_KIND, "title": prose, "source": prose}
_RULES = {
    "text": record({**_KIND, "text": prose}),
    "tool_call": kept(record({**_KIND, "tool_call_id": prose, "tool_name": setting, "tool_kwargs": values})),
    "citable": record({**_CITED, "content": many(_block)}),
    "citation": record({**_CITED, "cited_content": _block}),
    "thinking": record({**_KIND, "content": of_model, "additional_information": of_model}),
    **{
        kind: media(
            name, record({**_KIND, "url": address, "title": prose, **dict.fromkeys(_OF_MEDIA, setting)})
        )
        for kind, name in _MEDIA.items()
    },
}
_CALL = record(
    {
        **dict.fromkeys(("type", "index"), setting),
        "id": prose,
        "function": record({"name": setting, "arguments": source}),
    }
)
_MESSAGE = record(
    {
        "role": setting,
        "blocks": many(_block),
        "additional_kwargs": record(
            {
                "tool_calls": many(_CALL),
                "tool_call_id": prose,
                "name": setting,
                **dict.fromkeys(("refusal", "reasoning_content"), prose),
            }
        ),
    }
)
_ROLES = {
    **dict.fromkeys(("system", "developer", "user"), False),
    **dict.fromkeys(("assistant", "tool", "function", "chatbot", "model"), True),
}
MESSAGES = many(by_role(_MESSAGE, _ROLES))
