"""Where text lives in Haystack's chat messages, in the form that their ``to_dict`` gives."""

from __future__ import annotations

from typing import Any

from sovguard.payloads.rules import (
    NO_TEXT,
    SAY_IT,
    Answer,
    by_role,
    each,
    encoded,
    kept,
    many,
    media,
    of_model,
    prose,
    record,
    setting,
    shown,
    text_or,
    untouched,
    values,
    within,
)
from sovguard.payloads.slots import Slots, refusal

_CALL = record({"tool_name": setting, "arguments": values, "id": prose, "extra": of_model})
# Beside the octets of a medium; ``meta`` is for the pipeline, but what of it a generator sends nobody knows.
_MEDIUM = {"mime_type": setting, "detail": setting, "meta": values, "extra": values, "validation": setting}


def _part(part: Any, path: str, slots: Slots, keep: bool) -> Any:
    if not isinstance(part, dict) or len(part) != 1 or not part.keys() <= _PARTS.keys():
        raise refusal(path, NO_TEXT, SAY_IT)
    return record(_PARTS)(part, path, slots, keep)


_PARTS = {
    "text": prose,
    "tool_call": kept(_CALL),
    "tool_call_result": kept(record({"result": text_or(many(_part)), "origin": _CALL, "error": setting})),
    "reasoning": record({"reasoning_text": prose, "extra": of_model}),
    "image": media("image", record({"base64_image": encoded, **_MEDIUM})),
    "file": media("file", record({"base64_data": encoded, "filename": prose, **_MEDIUM})),
}
MESSAGES = many(
    by_role(
        # What is known of a message besides its content is for the pipeline and not sent.
        record({"role": setting, "meta": untouched, "name": prose, "content": many(_part)}),
        {"system": False, "user": False, "assistant": True, "tool": True},
    )
)


def _call(call: Any, answer: Answer) -> Any:
    if not isinstance(call, dict) or call.get("tool_name") not in answer.tools:
        return call
    return {**call, "arguments": answer.values(call.get("arguments"))}


REPLIES = each(
    within(
        {
            "content": each(
                within({"text": shown, "reasoning": within({"reasoning_text": shown}), "tool_call": _call})
            )
        }
    )
)
"""Restores messages of a model."""
