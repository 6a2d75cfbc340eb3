"""An OpenAI Responses request as Chat Completions has it; its answers are written in ``responses_answers``.

What the provider keeps between requests (an earlier response, a conversation, a stored prompt) is not at hand where the request
goes, so a request that leans on it is refused: the whole conversation has to stand in ``input``.
"""

from __future__ import annotations

from typing import Any

from sovguard.reroute.conversation import Conversation, image_part, text_of, text_part
from sovguard.reroute.fields import (
    ELSEWHERE,
    HOSTED,
    SAMPLED,
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

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_output_tokens": "max_tokens",
    "parallel_tool_calls": "parallel_tool_calls",
}
_CARRIED = {*_NAMES, "model", "input", "instructions", "tools", "tool_choice", "text", "stream", "include"}
_DROPPED = {
    "max_tool_calls", "metadata", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning",
    "safety_identifier", "service_tier", "store", "stream_options", "truncation", "user",
}  # fmt: skip
_REFUSED = {
    "previous_response_id": ELSEWHERE,
    "conversation": ELSEWHERE,
    "prompt": ELSEWHERE,
    "background": "asks for an answer to fetch later, which other servers do not keep",
    "context_management": "asks the provider to shorten the conversation",
    "moderation": HOSTED,
    "top_logprobs": SAMPLED,
}
_OWN = {"id", "type", "status", "phase"}
_CALL_REMEDY = "send the tool as a function"


def to_chat(body: dict[str, Any], model: str) -> dict[str, Any]:
    """Return the request as Chat Completions has it.

    Args:
        body: The Responses request, with surrogates.
        model: What the target calls the model.

    Raises:
        UnsupportedPayload: It asks for something that Chat Completions cannot say.
    """
    fields = only(body, "", _CARRIED, _DROPPED, _REFUSED)
    if "message.output_text.logprobs" in [each for _, each in items(fields.get("include"), "include")]:
        raise refusal("include", SAMPLED)
    talk = Conversation()
    if fields.get("instructions"):
        talk.system(string(fields["instructions"], "instructions"))
    said = fields.get("input")
    if isinstance(said, str):
        talk.user([text_part(said)])
    else:
        for path, item in items(said, "input"):
            _item(item, path, talk)
    chat = {
        "model": model,
        "messages": talk.messages,
        **renamed(fields, _NAMES),
        **_output(fields.get("text")),
    }
    tools = [_tool(tool, path) for path, tool in items(fields.get("tools"), "tools")]
    if tools:
        chat["tools"] = tools
        if "tool_choice" in fields:
            chat["tool_choice"] = _choice(fields["tool_choice"])
    else:
        chat.pop("parallel_tool_calls", None)
    return streamed(chat) if fields.get("stream") else chat


def _item(item: Any, path: str, talk: Conversation) -> None:
    kind = kind_of(item, path, "message")
    if kind == "message":
        _message(item, path, talk)
    elif kind == "function_call":
        said = only(item, path, {"call_id", "name", "arguments"}, _OWN)
        name, arguments = (string(said.get(key), f"{path}.{key}") for key in ("name", "arguments"))
        talk.assistant("", [talk.call(name, arguments, said.get("call_id"))])
    elif kind == "function_call_output":
        said = only(item, path, {"call_id", "output"}, _OWN)
        gave = text_of(_parts(said.get("output"), f"{path}.output"), f"{path}.output")
        talk.result(gave, path, given_id=said.get("call_id"))
    elif kind == "item_reference":
        raise refusal(path, ELSEWHERE, "send the item itself")
    elif kind != "reasoning":  # another model cannot use what this one thought
        raise refusal(path, "is neither a message, a call of a function nor its output", _CALL_REMEDY)


def _message(item: Any, path: str, talk: Conversation) -> None:
    said = only(item, path, {"role", "content"}, _OWN)
    role, parts = said.get("role"), _parts(said.get("content"), f"{path}.content")
    if role == "user":
        talk.user(parts)
    elif role == "assistant":
        talk.assistant(text_of(parts, f"{path}.content"))
    elif role in ("system", "developer"):
        talk.system(text_of(parts, f"{path}.content"))
    else:
        raise refusal(f"{path}.role", "is not known", "use user, assistant, system or developer")


def _parts(value: Any, path: str) -> list[dict[str, Any]]:
    if isinstance(value, str):
        return [text_part(value)]
    return [_part(part, place) for place, part in items(value, path)]


def _part(part: Any, path: str) -> dict[str, Any]:
    kind = kind_of(part, path)
    if kind in ("input_text", "output_text", "text"):
        return text_part(string(part.get("text"), f"{path}.text"))
    if kind == "refusal":
        return text_part(string(part.get("refusal"), f"{path}.refusal"))
    if kind == "input_image":
        if part.get("file_id"):
            raise refusal(f"{path}.file_id", ELSEWHERE, "send the image itself as a data URL")
        return image_part(string(part.get("image_url"), f"{path}.image_url"))
    raise refusal(path, "is neither text nor an image", "send what it says as text")


def _output(text: Any) -> dict[str, Any]:
    said = only(text or {}, "text", {"format"}, {"verbosity"}).get("format") or {"type": "text"}
    kind = kind_of(said, "text.format")
    if kind == "text":
        return {}
    if kind == "json_object":
        return {"response_format": {"type": "json_object"}}
    if kind != "json_schema":
        raise refusal("text.format.type", "is not known", "use text, json_object or json_schema")
    known = only(said, "text.format", {"type", "name", "schema", "strict", "description"})
    described = {"description": known["description"]} if "description" in known else {}
    name = string(known.get("name", "answer"), "text.format.name")
    return {
        "response_format": schema_format(known.get("schema"), name, strict=known.get("strict"), **described)
    }


def _tool(tool: Any, path: str) -> dict[str, Any]:
    kind = kind_of(tool, path)
    if kind != "function":
        raise refusal(path, "takes free text" if kind == "custom" else HOSTED, _CALL_REMEDY)
    said = only(tool, path, {"name", "description", "parameters", "strict"}, {"type"})
    return function(said.get("name"), said.get("description"), said.get("parameters"), said.get("strict"))


def _choice(choice: Any) -> Any:
    if isinstance(choice, str):
        return choice
    if kind_of(choice, "tool_choice") != "function":
        raise refusal(
            "tool_choice", "is neither a mode nor a function", "use auto, none, required or a function"
        )
    return named_function(string(choice.get("name"), "tool_choice.name"))
