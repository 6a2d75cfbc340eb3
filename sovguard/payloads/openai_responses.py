"""Where text lives in an OpenAI Responses request, in its answer and in the events of a streamed one.

What an earlier response of the conversation holds (``previous_response_id``) lies with the provider, with surrogates in it; the
session restores them as long as it is the same. Encrypted reasoning passes untouched.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sovguard.payloads.lanes import Frame, Lanes
from sovguard.payloads.rules import (
    NO_TEXT,
    SAY_IT,
    Answer,
    Request,
    address,
    by_role,
    each,
    encoded,
    kept,
    kinds,
    many,
    media,
    prose,
    record,
    setting,
    shown,
    source,
    text_or,
    untouched,
    values,
    within,
)
from sovguard.payloads.slots import PayloadSession
from sovguard.restore.stream import Sink

_PART = kinds(
    {
        "input_text": record({"type": setting, "text": prose}),
        "output_text": record({"type": setting, "text": prose, "annotations": values, "logprobs": untouched}),
        "text": record({"type": setting, "text": prose}),
        "refusal": record({"type": setting, "refusal": prose}),
        "summary_text": record({"type": setting, "text": prose}),
        "reasoning_text": record({"type": setting, "text": prose}),
        "input_image": media(
            "image", record({"type": setting, "image_url": address, "file_id": setting, "detail": setting})
        ),
        "input_audio": media(
            "audio", record({"type": setting, "input_audio": record({"data": encoded, "format": setting})})
        ),
        "input_file": media(
            "file",
            record(
                {
                    "type": setting,
                    "file_data": encoded,
                    "file_id": setting,
                    "file_url": address,
                    "filename": prose,
                    "detail": setting,
                }
            ),
        ),
    },
    what=NO_TEXT,
    remedy=SAY_IT,
)
_CONTENT = text_or(many(_PART))
_OWN = {"id": prose, "type": setting, "status": setting}


_MESSAGE = by_role(
    record({**_OWN, "role": setting, "phase": setting, "content": _CONTENT}),
    {"user": False, "assistant": True, "system": False, "developer": False},
)
_ITEM = kinds(
    {
        "message": _MESSAGE,
        "function_call": kept(record({**_OWN, "call_id": prose, "name": setting, "arguments": source})),
        "custom_tool_call": kept(record({**_OWN, "call_id": prose, "name": setting, "input": prose})),
        "function_call_output": kept(record({**_OWN, "call_id": prose, "output": _CONTENT})),
        "custom_tool_call_output": kept(record({**_OWN, "call_id": prose, "output": _CONTENT})),
        "reasoning": kept(
            record({**_OWN, "summary": many(_PART), "content": many(_PART), "encrypted_content": untouched})
        ),
        "item_reference": record(_OWN),
    },
    what="is neither a message, a call of a function nor its output",
    remedy="leave it out, or send what it says as a message",
    default="message",
)
_TOOL = kinds(
    {
        "function": record(
            {
                "type": setting,
                "name": setting,
                "description": values,
                "parameters": values,
                "strict": setting,
                "defer_loading": setting,
            }
        ),
        "custom": record({"type": setting, "name": setting, "description": values, "format": values}),
    },
    what="is a tool that runs elsewhere, out of sight",
    remedy="leave the tool out",
)
_SETTINGS = (
    "background", "include", "max_output_tokens", "max_tool_calls", "model", "parallel_tool_calls", "previous_response_id",
    "prompt_cache_retention", "reasoning", "service_tier", "store", "stream", "stream_options", "temperature", "tool_choice",
    "top_logprobs", "top_p", "truncation", "conversation", "context_management", "moderation",
)  # fmt: skip
_REQUEST = record(
    {
        "input": text_or(many(_ITEM)),
        "instructions": prose,
        "tools": many(_TOOL),
        "text": values,
        "prompt": values,
        **dict.fromkeys(_SETTINGS, setting),
        **dict.fromkeys(("metadata", "prompt_cache_key", "safety_identifier", "user"), values),
    }
)
REQUEST = Request(_REQUEST, "a Responses request", "input")


_SHOWN_PART = within({"text": shown, "refusal": shown})
_CALLS: dict[str, tuple[str, Sink]] = {
    "function_call": ("arguments", "json"),
    "custom_tool_call": ("input", "text"),
}


def _item(item: Any, answer: Answer) -> Any:
    kind = item.get("type") if isinstance(item, dict) else None
    if kind == "message":
        return within({"content": each(_SHOWN_PART)})(item, answer)
    if kind == "reasoning":
        return within({"summary": each(_SHOWN_PART), "content": each(_SHOWN_PART)})(item, answer)
    if kind in _CALLS and item.get("name") in answer.tools:
        key, sink = _CALLS[kind]
        return {**item, key: answer.text(item.get(key), sink, tool=True)}
    return item


def restore_answer(answer: object, session: PayloadSession, restore_tools: Collection[str] = ()) -> Any:
    """Returns the answer with real values in place of surrogates; anything of another shape as it is.

    Raises:
        ForeignSurrogate: The arguments of a tool that may hold real values hold a surrogate of another session.
    """
    return within({"output": each(_item)})(answer, Answer(session, restore_tools))


# The last part of an event's type says which of its fields is the text: response.output_text.delta, .done.
_TEXTS: dict[str, tuple[str, Sink]] = {
    "response.output_text": ("text", "answer"),
    "response.refusal": ("refusal", "answer"),
    "response.reasoning_text": ("text", "answer"),
    "response.reasoning_summary_text": ("text", "answer"),
    "response.function_call_arguments": ("arguments", "json"),
    "response.custom_tool_call_input": ("input", "text"),
}
_PLACE = ("item_id", "output_index", "content_index", "summary_index")


class ResponsesStream:
    """Restores one streamed answer.

    Args:
        session: The session that redacted the request.
        restore_tools: Names of tools whose arguments may hold real values.
    """

    def __init__(self, session: PayloadSession, restore_tools: Collection[str] = ()) -> None:
        self._lanes = Lanes(session.stream)
        self._answer = Answer(session, restore_tools)
        self._restored_calls: set[Any] = set()
        self._places: dict[Any, dict[str, Any]] = {}
        self._added = 0

    def frames(self, frame: Frame) -> list[Frame]:
        """Returns the event with real values in it, after those that give out what was held."""
        if not isinstance(frame.data, dict):
            return [frame]
        data = dict(frame.data)
        kind = data.get("type") if isinstance(data.get("type"), str) else ""
        text, _, step = str(kind).rpartition(".")
        before: list[Frame] = []
        if text in _TEXTS and step in ("delta", "done"):
            self._text(data, text, step, before)
        elif isinstance(data.get("response"), dict):
            before = self._all(data)
            data["response"] = restore_answer(data["response"], self._answer.session, self._answer.tools)
        elif isinstance(data.get("item"), dict):
            item = data["item"]
            if item.get("type") in _CALLS and item.get("name") in self._answer.tools:
                self._restored_calls.add(item.get("id") or data.get("output_index"))
            data["item"] = _item(item, self._answer)
        elif isinstance(data.get("part"), dict):
            data["part"] = _SHOWN_PART(data["part"], self._answer)
        return [*map(self._numbered, before), self._numbered(Frame(frame.name, data), new=False)]

    def rest(self) -> list[Frame]:
        """Returns events with what is still held."""
        return self._all({})

    def _all(self, like: dict[str, Any]) -> list[Frame]:
        given: list[Frame] = []
        for key in self._lanes.keys():  # noqa: SIM118
            self._flush(key, like, given)
        return given

    def _text(self, data: dict[str, Any], text: str, step: str, before: list[Frame]) -> None:
        field, sink = _TEXTS[text]
        tool = field in ("arguments", "input")
        if tool and not self._restored_calls & {data.get("item_id"), data.get("output_index")}:
            return
        key = (text, *(data.get(name) for name in _PLACE))
        if step == "delta" and isinstance(data.get("delta"), str):
            self._places[key] = {name: data[name] for name in _PLACE if name in data}
            data["delta"] = self._lanes.feed(key, data["delta"], sink, tool=tool)
        elif step == "done":
            self._flush(key, data, before)
            data[field] = self._answer.text(data.get(field), sink, tool=tool)

    def _flush(self, key: Any, like: dict[str, Any], given: list[Frame]) -> None:
        """Adds an event that gives out what is held of one text."""
        if held := self._lanes.flush(key):
            kind = f"{key[0]}.delta"
            data: dict[str, Any] = {"type": kind, **self._places.get(key, {}), "delta": held}
            if key[0] == "response.output_text":
                data["logprobs"] = []
            if "sequence_number" in like:
                data["sequence_number"] = like["sequence_number"]
            given.append(Frame(kind, data))

    def _numbered(self, frame: Frame, *, new: bool = True) -> Frame:
        """Returns an event with its place in a stream that has become longer."""
        if "sequence_number" in frame.data:
            frame = Frame(
                frame.name, {**frame.data, "sequence_number": frame.data["sequence_number"] + self._added}
            )
        self._added += new
        return frame
