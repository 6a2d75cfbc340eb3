"""CLOVA Studio's own v3 chat through Chat Completions, and back.

Whether a stream is asked for stands in a header, not in the request: ``streamed`` turns it into one. Pieces of the answer come
as ``token`` events, the whole message and the calls of tools in the ``result`` event.
"""

from __future__ import annotations

from typing import Any

from sovguard.payloads.lanes import Frame
from sovguard.reroute.answers import Said, read
from sovguard.reroute.conversation import Conversation, image_data, image_part, text_of, text_part
from sovguard.reroute.fields import (
    function,
    items,
    kind_of,
    named_function,
    only,
    refusal,
    renamed,
    schema_format,
    string,
)
from sovguard.reroute.pieces import BROKE_OFF, AnswerEvents, Step

_NAMES = {
    "topP": "top_p",
    "temperature": "temperature",
    "maxTokens": "max_tokens",
    "maxCompletionTokens": "max_tokens",
}
_CARRIED = {*_NAMES, "stop", "stopBefore", "messages", "tools", "toolChoice", "responseFormat", "seed"}
_DROPPED = {"topK", "repeatPenalty", "repetitionPenalty", "includeAiFilters", "thinking"}


def to_chat(body: dict[str, Any], model: str) -> dict[str, Any]:
    """Return the request as Chat Completions has it; not streamed.

    Args:
        body: The request, with surrogates.
        model: What the target calls the model.

    Raises:
        UnsupportedPayload: It asks for something that Chat Completions cannot say.
    """
    fields = only(body, "", _CARRIED, _DROPPED)
    talk = Conversation()
    for path, message in items(fields.get("messages"), "messages"):
        _message(message, path, talk)
    chat = {"model": model, "messages": talk.messages, **renamed(fields, _NAMES)}
    if stops := [each for key in ("stop", "stopBefore") for _, each in items(fields.get(key), key)]:
        chat["stop"] = stops
    if fields.get("seed"):  # 0 asks for a random one
        chat["seed"] = fields["seed"]
    if "responseFormat" in fields:
        form = only(fields["responseFormat"], "responseFormat", {"type", "schema"})
        if form.get("type") != "json":
            raise refusal("responseFormat.type", "is not known", "use json")
        chat["response_format"] = (
            schema_format(form["schema"]) if form.get("schema") else {"type": "json_object"}
        )
    tools = [_tool(tool, path) for path, tool in items(fields.get("tools"), "tools")]
    if tools:
        chat["tools"] = tools
        if "toolChoice" in fields:
            chat["tool_choice"] = _choice(fields["toolChoice"])
    return chat


def answer(chat_answer: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return a Chat Completions answer as that of CLOVA Studio to ``request``.

    Raises:
        UnsupportedPayload: It cannot be read, or a call in it cannot be written as an object.
    """
    return {
        "status": {"code": "20000", "message": "OK"},
        "result": _result(read(chat_answer), request),
    }


class ClovaEvents(AnswerEvents):
    """Turns the chunks of a streamed answer into events of CLOVA Studio.

    Args:
        request: The request, in the caller's format.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(request, reasoning=_thinks(request))

    def _step(self, step: Step) -> list[Frame]:
        if step.what != "says" or step.stretch.kind == "call":
            return []
        key = "content" if step.stretch.kind == "text" else "thinkingContent"
        message = {"role": "assistant", "content": "", key: step.piece}
        created = self._pieces.head().created
        return [Frame("token", {"message": message, "finishReason": None, "created": created, "usage": None})]

    def _ends(self, said: Said) -> list[Frame]:
        return [Frame("result", _result(said, self._request))]

    def _breaks(self, said: Said) -> list[Frame]:
        return [Frame("error", {"status": {"code": "50000", "message": BROKE_OFF}})]


def _result(said: Said, request: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.text}
    if said.reasoning and _thinks(request):
        message["thinkingContent"] = said.reasoning
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": values}}
        for call, values in said.called()
    ]
    if calls:
        message["toolCalls"] = calls
    usage = said.usage
    counts: dict[str, Any] = {
        "promptTokens": usage.prompt,
        "completionTokens": usage.completion,
        "totalTokens": usage.prompt + usage.completion,
    }
    if usage.reasoning:
        counts["completionTokensDetails"] = {"thinkingTokens": usage.reasoning}
    return {
        "message": message,
        "finishReason": said.finish,
        "created": said.created,
        "seed": request.get("seed") or 0,
        "usage": counts,
    }


def _thinks(request: dict[str, Any]) -> bool:
    thinking = request.get("thinking")
    return not (isinstance(thinking, dict) and thinking.get("effort") == "none")


def _message(message: Any, path: str, talk: Conversation) -> None:
    said = only(message, path, {"role", "content", "toolCalls", "toolCallId"}, {"thinkingContent"})
    role, place = said.get("role"), f"{path}.content"
    content = said.get("content", "")
    parts = (
        [text_part(content)]
        if isinstance(content, str)
        else [_part(part, where) for where, part in items(content, place)]
    )
    if role == "user":
        talk.user(parts)
    elif role == "system":
        talk.system(text_of(parts, place))
    elif role == "assistant":
        calls = [
            _call(call, where, talk) for where, call in items(said.get("toolCalls"), f"{path}.toolCalls")
        ]
        talk.assistant(text_of(parts, place), calls)
    elif role == "tool":
        talk.result(text_of(parts, place), path, given_id=said.get("toolCallId"))
    else:
        raise refusal(f"{path}.role", "is not known", "use system, user, assistant or tool")


def _call(call: Any, path: str, talk: Conversation) -> dict[str, Any]:
    kind_of(call, path)
    said = only(call.get("function"), f"{path}.function", {"name", "arguments"})
    name = string(said.get("name"), f"{path}.function.name")
    return talk.call(name, said.get("arguments") or {}, call.get("id"))


def _part(part: Any, path: str) -> dict[str, Any]:
    kind = kind_of(part, path)
    if kind == "text":
        return text_part(string(part.get("text"), f"{path}.text"))
    if kind != "image_url":
        raise refusal(path, "is neither text nor an image", "send what it says as text")
    for key, field in (("dataUri", "data"), ("imageUrl", "url")):
        if isinstance(inner := part.get(key), dict):
            given = string(inner.get(field), f"{path}.{key}.{field}")
            return image_data(given, path) if key == "dataUri" else image_part(given)
    raise refusal(path, "holds no image", "send it as imageUrl or dataUri")


def _tool(tool: Any, path: str) -> dict[str, Any]:
    if kind_of(tool, path, "function") != "function":
        raise refusal(path, "is not a function", "send it as a function")
    said = only(tool.get("function"), f"{path}.function", {"name", "description", "parameters"})
    return function(said.get("name"), said.get("description"), said.get("parameters"))


def _choice(choice: Any) -> Any:
    if isinstance(choice, str):
        return choice
    kind_of(choice, "toolChoice")
    inner = choice.get("function")
    name = inner.get("name") if isinstance(inner, dict) else None
    return named_function(string(name, "toolChoice.function.name"))
