"""Where text lives in an Anthropic Messages request, in its answer and in the events of a streamed one.

Thinking blocks are signed by the provider: they pass untouched in both directions, with the surrogates that the model wrote.
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
    of_model,
    prose,
    record,
    setting,
    shown,
    text_or,
    values,
    within,
)
from sovguard.payloads.slots import PayloadSession, Slots, refusal

_BASE64 = record({"type": setting, "media_type": setting, "data": encoded})
_ELSEWHERE = {
    "url": record({"type": setting, "url": address}),
    "file": record({"type": setting, "file_id": setting}),
}
_IMAGE = media(
    "image",
    record(
        {
            "type": setting,
            "source": kinds({"base64": _BASE64, **_ELSEWHERE}, what=NO_TEXT, remedy=SAY_IT),
            "cache_control": setting,
        }
    ),
)
_TEXT = record({"type": setting, "text": prose, "cache_control": setting, "citations": values})
_DOCUMENT = record(
    {
        "type": setting,
        "source": kinds(
            {
                "text": record({"type": setting, "media_type": setting, "data": prose}),
                "base64": media("file", _BASE64),
                **{name: media("file", rule) for name, rule in _ELSEWHERE.items()},
            },
            what=NO_TEXT,
            remedy=SAY_IT,
        ),
        "title": prose,
        "context": prose,
        "citations": setting,
        "cache_control": setting,
    }
)
_RESULT = record(
    {
        "type": setting,
        "tool_use_id": prose,
        "content": text_or(
            many(kinds({"text": _TEXT, "document": _DOCUMENT, "image": _IMAGE}, what=NO_TEXT, remedy=SAY_IT))
        ),
        "is_error": setting,
        "cache_control": setting,
    }
)
_BLOCKS = kinds(
    {
        "text": _TEXT,
        "document": _DOCUMENT,
        "image": _IMAGE,
        "tool_use": kept(
            record(
                {
                    "type": setting,
                    "id": prose,
                    "name": setting,
                    "input": values,
                    "cache_control": setting,
                    "caller": setting,
                }
            )
        ),
        "tool_result": kept(_RESULT),
        "thinking": of_model,
        "redacted_thinking": of_model,
    },
    what=NO_TEXT,
    remedy=SAY_IT,
)
_CONTENT = text_or(many(_BLOCKS))


_MESSAGE = by_role(
    record({"role": setting, "content": _CONTENT}), {"user": False, "assistant": True, "system": False}
)


def _tool(tool: Any, path: str, slots: Slots, keep: bool) -> Any:
    kind = tool.get("type", "custom") if isinstance(tool, dict) else None
    if kind != "custom":
        raise refusal(path, "is a tool that runs elsewhere, out of sight", "leave the tool out")
    return record(
        {
            "type": setting,
            "name": setting,
            "description": values,
            "input_schema": values,
            "input_examples": values,
            "cache_control": setting,
            "strict": setting,
            "defer_loading": setting,
            "eager_input_streaming": setting,
        }
    )(tool, path, slots, keep)


_REQUEST = record(
    {
        "messages": many(_MESSAGE),
        "system": text_or(many(kinds({"text": _TEXT}, what=NO_TEXT, remedy=SAY_IT))),
        "tools": many(_tool),
        "metadata": values,
        "stop_sequences": values,
        **dict.fromkeys(
            ("model", "max_tokens", "stream", "temperature", "top_k", "top_p", "thinking", "tool_choice"),
            setting,
        ),
        **dict.fromkeys(("service_tier", "inference_geo", "cache_control", "speed"), setting),
        "output_config": values,
        "output_format": values,
    }
)
REQUEST = Request(_REQUEST, "a Messages request", "messages")


_CITED = within({"cited_text": shown, "document_title": shown})


def _block(block: Any, answer: Answer) -> Any:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind == "text":
        return within({"text": shown, "citations": each(_CITED)})(block, answer)
    if kind == "tool_use" and block.get("name") in answer.tools:
        return {**block, "input": answer.values(block.get("input"))}
    return block


def restore_answer(answer: object, session: PayloadSession, restore_tools: Collection[str] = ()) -> Any:
    """Returns the answer with real values in place of surrogates; anything of another shape as it is.

    Raises:
        ForeignSurrogate: The input of a tool that may hold real values holds a surrogate of another session.
    """
    return within({"content": each(_block)})(answer, Answer(session, restore_tools))


class MessagesStream:
    """Restores one streamed answer.

    Args:
        session: The session that redacted the request.
        restore_tools: Names of tools whose input may hold real values.
    """

    def __init__(self, session: PayloadSession, restore_tools: Collection[str] = ()) -> None:
        self._lanes = Lanes(session.stream)
        self._answer = Answer(session, restore_tools)
        self._restored_tools: set[Any] = set()

    def frames(self, frame: Frame) -> list[Frame]:
        """Returns the event with real values in it, after one that gives out what was held."""
        data = frame.data
        kind = data.get("type") if isinstance(data, dict) else None
        index = data.get("index") if isinstance(data, dict) else None
        if kind == "message_start":
            message = restore_answer(data.get("message"), self._answer.session, self._answer.tools)
            return [Frame(frame.name, {**data, "message": message})]
        if kind == "content_block_start":
            block = data.get("content_block")
            if (
                isinstance(block, dict)
                and block.get("type") == "tool_use"
                and block.get("name") in self._answer.tools
            ):
                self._restored_tools.add(index)
            return [Frame(frame.name, {**data, "content_block": _block(block, self._answer)})]
        if kind == "content_block_delta" and isinstance(data.get("delta"), dict):
            return [Frame(frame.name, {**data, "delta": self._delta(data["delta"], index)})]
        if kind == "content_block_stop":
            return [*self._held(index), frame]
        if kind in ("message_delta", "message_stop", "error"):
            return [*self.rest(), frame]
        return [frame]

    def rest(self) -> list[Frame]:
        """Returns events with what is still held."""
        return [frame for index, _ in self._lanes.keys() for frame in self._held(index)]  # noqa: SIM118

    def _delta(self, delta: dict[str, Any], index: Any) -> dict[str, Any]:
        kind = delta.get("type")
        if kind == "text_delta" and isinstance(delta.get("text"), str):
            return {**delta, "text": self._lanes.feed((index, "text"), delta["text"], "answer")}
        if (
            kind == "input_json_delta"
            and index in self._restored_tools
            and isinstance(delta.get("partial_json"), str)
        ):
            piece = self._lanes.feed((index, "partial_json"), delta["partial_json"], "json", tool=True)
            return {**delta, "partial_json": piece}
        if kind == "citations_delta":
            return {**delta, "citation": _CITED(delta.get("citation"), self._answer)}
        return delta

    def _held(self, index: Any) -> list[Frame]:
        frames: list[Frame] = []
        for key, kind in (("text", "text_delta"), ("partial_json", "input_json_delta")):
            if held := self._lanes.flush((index, key)):
                delta = {"type": kind, key: held}
                data = {"type": "content_block_delta", "index": index, "delta": delta}
                frames.append(Frame("content_block_delta", data))
        return frames
