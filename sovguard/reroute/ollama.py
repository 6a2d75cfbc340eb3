"""Ollama's own ``/api/chat`` and ``/api/generate`` through Chat Completions, and back as JSON lines.

Options about how a model is run (its context, its layers) and ways of sampling that Chat Completions does not have are dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sovguard.payloads.lanes import Frame
from sovguard.reroute.answers import Said, arguments_of, read
from sovguard.reroute.conversation import Conversation, image_data, text_part
from sovguard.reroute.fields import (
    SAMPLED,
    function,
    items,
    kind_of,
    only,
    refusal,
    renamed,
    schema_format,
    streamed,
    string,
)
from sovguard.reroute.pieces import BROKE_OFF, AnswerEvents, Step

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "stop": "stop",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
_CARRIED = {"model", "stream", "format", "options"}
_DROPPED = {"keep_alive", "think"}
_REFUSED = {
    "logprobs": SAMPLED,
    "top_logprobs": SAMPLED,
    "raw": "asks for no template",
    "template": "is a template for another model",
    "suffix": "asks for what stands between two texts",
    "context": "holds tokens of another model",
}


def chat_to_chat(body: dict[str, Any], model: str) -> dict[str, Any]:
    """Return a request to ``/api/chat`` as Chat Completions has it.

    Args:
        body: The request, with surrogates.
        model: What the target calls the model.

    Raises:
        UnsupportedPayload: It asks for something that Chat Completions cannot say.
    """
    fields = only(body, "", {*_CARRIED, "messages", "tools"}, _DROPPED, _REFUSED)
    talk = Conversation()
    for path, message in items(fields.get("messages"), "messages"):
        _message(message, path, talk)
    talk.is_asked("messages")
    tools = [_tool(tool, path) for path, tool in items(fields.get("tools"), "tools")]
    return _request(fields, model, talk, {"tools": tools} if tools else {})


def generate_to_chat(body: dict[str, Any], model: str) -> dict[str, Any]:
    """Return a request to ``/api/generate`` as Chat Completions has it.

    Args:
        body: The request, with surrogates.
        model: What the target calls the model.

    Raises:
        UnsupportedPayload: It asks for something that Chat Completions cannot say.
    """
    fields = only(body, "", {*_CARRIED, "prompt", "system", "images"}, _DROPPED, _REFUSED)
    if not fields.get("prompt"):
        raise refusal("prompt", "is empty, which only loads a model", "ask something")
    talk = Conversation()
    if fields.get("system"):
        talk.system(string(fields["system"], "system"))
    images = [image_data(image, path) for path, image in items(fields.get("images"), "images")]
    talk.user([text_part(string(fields["prompt"], "prompt")), *images])
    return _request(fields, model, talk, {})


def chat_answer(answer: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return a Chat Completions answer as that of ``/api/chat`` to ``request``.

    Raises:
        UnsupportedPayload: It cannot be read, or a call in it cannot be written as an object.
    """
    said = read(answer)
    message: dict[str, Any] = {"role": "assistant", "content": said.text}
    if said.reasoning and _thinks(request):
        message["thinking"] = said.reasoning
    if calls := [_call(call.id, call.name, values) for call, values in said.called()]:
        message["tool_calls"] = calls
    return {**_like(said, request), "message": message, **_ending(said)}


def generate_answer(answer: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return a Chat Completions answer as that of ``/api/generate`` to ``request``.

    Raises:
        UnsupportedPayload: It cannot be read.
    """
    said = read(answer)
    thought = {"thinking": said.reasoning} if said.reasoning and _thinks(request) else {}
    return {**_like(said, request), "response": said.text, **thought, **_ending(said)}


class OllamaEvents(AnswerEvents):
    """Turns the chunks of a streamed answer into lines of ``/api/chat`` or ``/api/generate``.

    Args:
        request: The request, in the caller's format.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(request, reasoning=_thinks(request))
        self._write: Callable[..., dict[str, Any]] = _spoken if "messages" in request else _generated

    def _step(self, step: Step) -> list[Frame]:
        said, stretch = self._pieces.head(), step.stretch
        if stretch.kind != "call":
            key = "content" if stretch.kind == "text" else "thinking"
            return [self._line(said, **{key: step.piece})] if step.what == "says" else []
        if step.what != "closes":
            return []
        values = arguments_of(stretch.text)
        if values is None:  # cut off: nothing to run
            return []
        return [self._line(said, tool_calls=[_call(stretch.id, stretch.name, values)])]

    def _ends(self, said: Said) -> list[Frame]:
        return [Frame("", {**_like(said, self._request), **self._write(), **_ending(said)})]

    def _breaks(self, said: Said) -> list[Frame]:
        return [Frame("", {"error": BROKE_OFF})]

    def _line(self, said: Said, **message: Any) -> Frame:
        return Frame("", {**_like(said, self._request), **self._write(**message), "done": False})


def _spoken(**message: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": "", **message}}


def _generated(*, content: str = "", **more: Any) -> dict[str, Any]:
    return {"response": content, **more}


def _call(call_id: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"id": call_id, "function": {"name": name, "arguments": values}}


def _like(said: Said, request: dict[str, Any]) -> dict[str, Any]:
    when = datetime.fromtimestamp(said.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"model": said.model or request.get("model"), "created_at": when}


def _ending(said: Said) -> dict[str, Any]:
    return {
        "done": True,
        "done_reason": "length" if said.finish == "length" else "stop",
        "prompt_eval_count": said.usage.prompt,
        "eval_count": said.usage.completion,
    }


def _thinks(request: dict[str, Any]) -> bool:
    return request.get("think") is not False


def _request(fields: dict[str, Any], model: str, talk: Conversation, more: dict[str, Any]) -> dict[str, Any]:
    options = fields.get("options") or {}
    kind_of(options, "options")
    chat = {"model": model, "messages": talk.messages, **more, **renamed(options, _NAMES)}
    limit = options.get("num_predict")
    if (
        isinstance(limit, (int, float)) and not isinstance(limit, bool) and 0 < limit < 2**31
    ):  # anything else: no limit
        chat["max_tokens"] = int(limit)
    form = fields.get("format")
    if form == "json":
        chat["response_format"] = {"type": "json_object"}
    elif isinstance(form, dict) and form:
        chat["response_format"] = schema_format(form)
    elif form:
        raise refusal("format", "is neither json nor a schema", "use one of them")
    return streamed(chat) if fields.get("stream", True) else chat


def _tool(tool: Any, path: str) -> dict[str, Any]:
    if kind_of(tool, path, "function") != "function":
        raise refusal(path, "is not a function", "send it as a function")
    said = only(tool.get("function"), f"{path}.function", {"name", "description", "parameters", "strict"})
    return function(said.get("name"), said.get("description"), said.get("parameters"), said.get("strict"))


def _message(message: Any, path: str, talk: Conversation) -> None:
    said = only(
        message,
        path,
        {"role", "content", "images", "tool_calls", "tool_name", "tool_call_id"},
        {"thinking"},
    )
    role, text = said.get("role"), string(said.get("content", ""), f"{path}.content")
    images = [image_data(image, place) for place, image in items(said.get("images"), f"{path}.images")]
    if images and role != "user":
        raise refusal(
            f"{path}.images", "stand where Chat Completions has text alone", "send them as the user's"
        )
    if role == "user":
        talk.user([*([text_part(text)] if text or not images else []), *images])
    elif role == "system":
        talk.system(text)
    elif role == "assistant":
        calls = [
            talk.call(*_called(call, place), call.get("id"))
            for place, call in items(said.get("tool_calls"), f"{path}.tool_calls")
        ]
        talk.assistant(text, calls)
    elif role == "tool":
        talk.result(text, path, given_id=said.get("tool_call_id"), name=said.get("tool_name"))
    else:
        raise refusal(f"{path}.role", "is not known", "use system, user, assistant or tool")


def _called(call: Any, path: str) -> tuple[str, Any]:
    kind_of(call, path)
    said = only(call.get("function"), f"{path}.function", {"name", "arguments"}, {"index", "description"})
    return string(said.get("name"), f"{path}.function.name"), said.get("arguments") or {}
