"""Anthropic Messages through Chat Completions, and back.

Thinking that the caller sends back is dropped: another model cannot use it. What the target thought is shown as thinking where
the request asks for thinking, with an empty signature, since nobody but Anthropic can sign it.
"""

from __future__ import annotations

from typing import Any

from sovguard.payloads.lanes import Frame
from sovguard.reroute.answers import Said, Usage, read
from sovguard.reroute.conversation import Conversation, image_data, image_part, text_of, text_part
from sovguard.reroute.fields import (
    ELSEWHERE,
    HOSTED,
    function,
    items,
    kind_of,
    named_function,
    only,
    refusal,
    renamed,
    schema_format,
    streamed,
    string,
)
from sovguard.reroute.pieces import BROKE_OFF, AnswerEvents, Step

_NAMES = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "stop_sequences": "stop",
}
_CARRIED = {
    *_NAMES, "model", "messages", "system", "tools", "tool_choice", "stream", "output_config", "output_format",
}  # fmt: skip
_DROPPED = {"cache_control", "inference_geo", "metadata", "service_tier", "speed", "thinking", "top_k"}
_REFUSED = {"container": ELSEWHERE, "mcp_servers": HOSTED}
_TOOL_DROPPED = {"type", "cache_control", "eager_input_streaming", "input_examples"}
_CITED = "asks for citations, which Chat Completions has none of"
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
_STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


def to_chat(body: dict[str, Any], model: str) -> dict[str, Any]:
    """Return the request as Chat Completions has it.

    Args:
        body: The Messages request, with surrogates.
        model: What the target calls the model.

    Raises:
        UnsupportedPayload: It asks for something that Chat Completions cannot say.
    """
    fields = only(body, "", _CARRIED, _DROPPED, _REFUSED)
    talk = Conversation()
    if system := _text(fields.get("system"), "system"):
        talk.system(system)
    for path, message in items(fields.get("messages"), "messages"):
        _message(message, path, talk)
    talk.is_asked("messages")
    chat = {"model": model, "messages": talk.messages, **renamed(fields, _NAMES), **_output(fields)}
    tools = [_tool(tool, path) for path, tool in items(fields.get("tools"), "tools")]
    if tools:
        chat["tools"] = tools
        if "tool_choice" in fields:
            chat.update(_choice(fields["tool_choice"]))
    return streamed(chat) if fields.get("stream") else chat


def answer(chat_answer: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return a Chat Completions answer as the Messages answer to ``request``.

    Raises:
        UnsupportedPayload: It cannot be read, or a call in it cannot be written as an object.
    """
    said = read(chat_answer)
    blocks: list[dict[str, Any]] = []
    if said.reasoning and _shows_thinking(request):
        blocks.append({"type": "thinking", "thinking": said.reasoning, "signature": ""})
    if said.text:
        blocks.append({"type": "text", "text": said.text, "citations": None})
    blocks += (
        {"type": "tool_use", "id": call.id, "name": call.name, "input": values}
        for call, values in said.called()
    )
    return {
        **_envelope(said, request),
        "content": blocks,
        **_ending(said, request),
        "usage": _usage(said.usage),
    }


class MessagesEvents(AnswerEvents):
    """Turns the chunks of a streamed answer into events of the Messages API.

    Args:
        request: The request, in the caller's format.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(request, reasoning=_shows_thinking(request))
        self._index = -1

    def _begins(self, said: Said) -> list[Frame]:
        message = {
            **_envelope(said, self._request),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": _usage(Usage()),
        }
        return [_event("message_start", message=message)]

    def _step(self, step: Step) -> list[Frame]:
        stretch = step.stretch
        if step.what == "closes":
            return [_event("content_block_stop", index=self._index)]
        if step.what == "opens":
            self._index += 1
            blocks: dict[str, dict[str, Any]] = {
                "reasoning": {"type": "thinking", "thinking": "", "signature": ""},
                "text": {"type": "text", "text": "", "citations": None},
                "call": {"type": "tool_use", "id": stretch.id, "name": stretch.name, "input": {}},
            }
            return [_event("content_block_start", index=self._index, content_block=blocks[stretch.kind])]
        kind, key = {
            "reasoning": ("thinking_delta", "thinking"),
            "text": ("text_delta", "text"),
            "call": ("input_json_delta", "partial_json"),
        }[stretch.kind]
        return [_event("content_block_delta", index=self._index, delta={"type": kind, key: step.piece})]

    def _ends(self, said: Said) -> list[Frame]:
        return [
            _event("message_delta", delta=_ending(said, self._request), usage=_usage(said.usage)),
            _event("message_stop"),
        ]

    def _breaks(self, said: Said) -> list[Frame]:
        return [_event("error", error={"type": "api_error", "message": BROKE_OFF})]


def _event(kind: str, **data: Any) -> Frame:
    return Frame(kind, {"type": kind, **data})


def _envelope(said: Said, request: dict[str, Any]) -> dict[str, Any]:
    model = said.model or request.get("model")
    return {"id": f"msg_{said.id}", "type": "message", "role": "assistant", "model": model}


def _ending(said: Said, request: dict[str, Any]) -> dict[str, Any]:
    if said.finish == "stop" and said.stopped_by in (request.get("stop_sequences") or ()):
        return {"stop_reason": "stop_sequence", "stop_sequence": said.stopped_by}
    return {"stop_reason": _STOPS[said.finish], "stop_sequence": None}


def _usage(usage: Usage) -> dict[str, int]:
    # Here tokens from a cache are counted apart, and not among those of the request.
    return {
        "input_tokens": max(0, usage.prompt - usage.cached),
        "output_tokens": usage.completion,
        "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": 0,
    }


def _shows_thinking(request: dict[str, Any]) -> bool:
    thinking = request.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive")


def _output(fields: dict[str, Any]) -> dict[str, Any]:
    config = only(fields.get("output_config") or {}, "output_config", {"format"}, {"effort"})
    path = "output_config.format" if "format" in config else "output_format"
    said = config.get("format") or fields.get("output_format")
    if said is None:
        return {}
    if kind_of(said, path) != "json_schema":
        raise refusal(path, "is of a type that is not known", "use json_schema")
    return {"response_format": schema_format(only(said, path, {"type", "schema"}).get("schema"))}


def _tool(tool: Any, path: str) -> dict[str, Any]:
    if kind_of(tool, path, "custom") != "custom":
        raise refusal(path, HOSTED)
    said = only(tool, path, {"name", "description", "input_schema", "strict"}, _TOOL_DROPPED)
    return function(said.get("name"), said.get("description"), said.get("input_schema"), said.get("strict"))


def _choice(choice: Any) -> dict[str, Any]:
    kind = kind_of(choice, "tool_choice")
    said = only(choice, "tool_choice", {"type", "name", "disable_parallel_tool_use"})
    parallel = {"parallel_tool_calls": False} if said.get("disable_parallel_tool_use") else {}
    if kind == "tool":
        return {"tool_choice": named_function(string(said.get("name"), "tool_choice.name")), **parallel}
    if kind not in _CHOICES:
        raise refusal("tool_choice.type", "is not known", "use auto, any, tool or none")
    return {"tool_choice": _CHOICES[kind], **parallel}


def _message(message: Any, path: str, talk: Conversation) -> None:
    said = only(message, path, {"role", "content"})
    role, blocks = said.get("role"), _blocks(said.get("content"), f"{path}.content")
    if role == "system":
        talk.system(_text(said.get("content"), f"{path}.content"))
    elif role == "assistant":
        _assistant(blocks, talk)
    elif role == "user":
        _user(blocks, talk)
    else:
        raise refusal(f"{path}.role", "is not known", "use user, assistant or system")


def _assistant(blocks: list[tuple[str, dict[str, Any]]], talk: Conversation) -> None:
    parts: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    for path, block in blocks:
        if block["type"] == "tool_use":
            said = only(block, path, {"type", "id", "name", "input"}, {"cache_control", "caller"})
            calls.append(
                talk.call(string(said.get("name"), f"{path}.name"), said.get("input") or {}, said.get("id"))
            )
        elif block["type"] not in ("thinking", "redacted_thinking"):
            parts += _part(block, path)
    if parts or calls:
        talk.assistant(text_of(parts, "what the assistant said"), calls)


def _user(blocks: list[tuple[str, dict[str, Any]]], talk: Conversation) -> None:
    parts: list[dict[str, Any]] = []
    for path, block in blocks:
        if block["type"] != "tool_result":
            parts += _part(block, path)
            continue
        said = only(block, path, {"type", "tool_use_id", "content", "is_error"}, {"cache_control"})
        gave = _text(said.get("content"), f"{path}.content")
        # Chat Completions has no field for it; unsaid, the model would take the failure for a result.
        gave = f"Error: {gave}" if said.get("is_error") else gave
        talk.result(gave, path, given_id=said.get("tool_use_id"))
    if parts:
        talk.user(parts)


def _blocks(value: Any, path: str) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(value, str):
        return [(path, text_part(value))] if value else []
    found = list(items(value, path))
    for place, block in found:
        if not kind_of(block, place):
            raise refusal(place, "names no type", "send a content block")
    return found


def _text(value: Any, path: str) -> str:
    parts = [part for place, block in _blocks(value, path) for part in _part(block, place)]
    return text_of(parts, path)


def _part(block: dict[str, Any], path: str) -> list[dict[str, Any]]:
    kind = block["type"]
    if kind == "text":
        said = only(block, path, {"type", "text"}, {"cache_control", "citations"})
        return [text_part(string(said.get("text"), f"{path}.text"))]
    if kind == "image":
        said = only(block, path, {"type", "source"}, {"cache_control"})
        return [_image(said.get("source"), f"{path}.source")]
    if kind == "document":
        return _document(block, path)
    raise refusal(path, "is a content block that Chat Completions has none for")


def _image(source: Any, path: str) -> dict[str, Any]:
    kind = kind_of(source, path)
    if kind == "base64":
        return image_data(source.get("data"), path, source.get("media_type"))
    if kind == "url":
        return image_part(string(source.get("url"), f"{path}.url"))
    raise refusal(path, ELSEWHERE, "send the image itself in base64")


def _document(block: dict[str, Any], path: str) -> list[dict[str, Any]]:
    said = only(block, path, {"type", "source", "title", "context", "citations"}, {"cache_control"})
    if (said.get("citations") or {}).get("enabled"):
        raise refusal(f"{path}.citations", _CITED)
    if kind_of(said.get("source"), f"{path}.source") != "text":
        raise refusal(f"{path}.source", "is a file, which other servers cannot read", "send it as text")
    texts = (said.get("title"), said.get("context"), said["source"].get("data"))
    return [text_part("\n".join(string(text, path) for text in texts if text))]
