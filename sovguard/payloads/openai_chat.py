"""Where text lives in an OpenAI Chat Completions request and in its answer.

Called by the transport with parsed JSON and a session. Every string of a request is either swapped, or
known to be a setting and shown to hold nothing personal, or the request is refused: nothing is passed on
because it was not understood. Nothing here knows HTTP, and the objects passed in are never changed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sovguard.errors import UnsupportedPayload
from sovguard.payloads.json_text import load
from sovguard.payloads.rules import Answer
from sovguard.payloads.slots import (
    Kind,
    PayloadSession,
    Slot,
    add,
    below,
    fill,
    fixed,
    refusal,
    text,
    unknown,
)
from sovguard.restore.stream import Sink

# What a model or a tool said holds surrogates of this session rightly; what a person wrote does not.
_KEEPS_SURROGATES = {
    "system": False,
    "developer": False,
    "user": False,
    "assistant": True,
    "tool": True,
    "function": True,
}
_SETTINGS = frozenset(
    {
        "audio",
        "frequency_penalty",
        "function_call",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "modalities",
        "model",
        "moderation",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "seed",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "top_logprobs",
        "top_p",
        "verbosity",
    }
)
_VALUES = frozenset(
    {
        "metadata",
        "prompt_cache_key",
        "response_format",
        "safety_identifier",
        "stop",
        "user",
        "web_search_options",
    }
)
MESSAGE_TEXTS = frozenset({"content", "refusal", "reasoning_content", "reasoning"})
CALL_TEXTS: tuple[tuple[str, Sink], ...] = (("arguments", "json"), ("input", "text"))
"""What a call of a tool says, and how values go into it."""
_PART_SETTINGS = frozenset({"cache_control", "prompt_cache_breakpoint"})


def redact_request(body: object, session: PayloadSession) -> dict[str, Any]:
    """Return the request with surrogates in place of personal information.

    Args:
        body: The parsed body.
        session: Whose surrogates are used.

    Raises:
        UnsupportedPayload: It holds something whose text cannot be found for certain.
    """
    slots: list[Slot] = []
    tree = _request(body, slots)
    filled: dict[str, Any] = fill(tree, slots, session)
    return filled


def check_request(body: object) -> None:
    """Raise what ``redact_request`` would raise about the shape of ``body``, without looking at any text."""
    _request(body, [])


def restore_answer(answer: object, session: PayloadSession, restore_tools: Collection[str] = ()) -> Any:
    """Return the answer with real values in place of surrogates; anything of another shape as it is.

    Tool arguments keep their surrogates unless the tool is named: real values in them go wherever the tool
    sends them, and that is the caller's decision. Positions in ``annotations`` refer to the text as the model
    wrote it.

    Args:
        answer: The parsed answer.
        session: The session that redacted the request.
        restore_tools: Names of tools whose arguments may hold real values.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("choices"), list):
        return answer
    choices = [_restored_choice(choice, session, restore_tools) for choice in answer["choices"]]
    return {**answer, "choices": choices}


def _request(body: object, slots: list[Slot]) -> dict[str, Any]:
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        raise UnsupportedPayload(
            "the request was not sent: its body is not a JSON object with a list of messages; "
            "send a Chat Completions request"
        )
    return {key: _parameter(key, value, slots) for key, value in body.items()}


def _parameter(key: str, value: Any, slots: list[Slot]) -> Any:
    if key == "messages":
        return [_message(item, f"messages[{index}]", slots) for index, item in enumerate(value)]
    if key == "tools" and isinstance(value, list):
        return [_tool(item, f"tools[{index}]", slots) for index, item in enumerate(value)]
    if key == "functions" and isinstance(value, list):
        return [_definition(item, f"functions[{index}]", slots) for index, item in enumerate(value)]
    if key == "prediction" and isinstance(value, dict):
        return {
            name: _content(item, "prediction.content", slots, keep=False)
            if name == "content"
            else fixed(item, below("prediction", name), slots)
            for name, item in value.items()
        }
    if key in _SETTINGS:
        return fixed(value, key, slots)
    if key in _VALUES:
        return add(slots, Kind.VALUE, key, value)
    return unknown(key, value, "", slots)


def _message(message: object, path: str, slots: list[Slot]) -> dict[str, Any]:
    if not isinstance(message, dict):
        raise refusal(path, "is not a JSON object", "send each message as an object with role and content")
    role = message.get("role")
    if not isinstance(role, str) or role not in _KEEPS_SURROGATES:
        roles = ", ".join(_KEEPS_SURROGATES)
        raise refusal(f"{path}.role", "is not a known role", f"use one of {roles}")
    keep = _KEEPS_SURROGATES[role]
    built: dict[str, Any] = {}
    for key, value in message.items():
        where = below(path, key)
        if value is None or key == "role":
            built[key] = value
        elif key in MESSAGE_TEXTS:
            built[key] = _content(value, where, slots, keep=keep)
        elif key in {"name", "tool_call_id"}:
            built[key] = text(value, where, slots, keep=keep)
        elif key == "tool_calls" and isinstance(value, list):
            built[key] = [_call(item, f"{where}[{i}]", slots, keep=keep) for i, item in enumerate(value)]
        elif key == "function_call":
            built[key] = _called(value, where, slots, keep=keep)
        elif key == "annotations":
            built[key] = add(slots, Kind.VALUE, where, value, keep=keep)
        elif key == "audio" and isinstance(value, dict) and value.keys() <= {"id"}:
            built[key] = fixed(value, where, slots)
        else:
            built[key] = unknown(key, value, path, slots)
    return built


def _content(value: object, path: str, slots: list[Slot], *, keep: bool) -> Any:
    if not isinstance(value, list):
        return text(value, path, slots, keep=keep)
    return [_part(part, f"{path}[{index}]", slots, keep=keep) for index, part in enumerate(value)]


def _part(part: object, path: str, slots: list[Slot], *, keep: bool) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or kind not in ("text", "refusal"):
        raise refusal(
            path,
            "is not text, and sovguard cannot see personal information in images, audio or files",
            "send what it says as a part of type text, or send it with a client that is not protected",
        )
    built: dict[str, Any] = {}
    for key, value in part.items():
        where = below(path, key)
        if key == "type":
            built[key] = value
        elif key == kind:
            built[key] = text(value, where, slots, keep=keep)
        elif key in _PART_SETTINGS:
            built[key] = fixed(value, where, slots)
        else:
            built[key] = unknown(key, value, path, slots)
    return built


def _call(call: object, path: str, slots: list[Slot], *, keep: bool) -> dict[str, Any]:
    kind = call.get("type", "function") if isinstance(call, dict) else None
    if not isinstance(call, dict) or kind not in ("function", "custom"):
        raise refusal(path, "is not a call of a function or custom tool", "leave the call out")
    built: dict[str, Any] = {}
    for key, value in call.items():
        where = below(path, key)
        if value is None or key == "type":
            built[key] = value
        elif key == "id":
            # An id may read like a card number. Swapped here and in tool_call_id alike, the two still match.
            built[key] = text(value, where, slots, keep=keep)
        elif key == kind:
            built[key] = _called(value, where, slots, keep=keep)
        else:
            built[key] = unknown(key, value, path, slots)
    return built


def _called(called: object, path: str, slots: list[Slot], *, keep: bool) -> dict[str, Any]:
    if not isinstance(called, dict):
        raise refusal(path, "is not a JSON object", "send the name and arguments that the model gave")
    built: dict[str, Any] = {}
    for key, value in called.items():
        where = below(path, key)
        if value is None:
            built[key] = value
        elif key == "name":
            built[key] = fixed(value, where, slots)
        elif key == "arguments" and isinstance(value, str):
            parsed = load(value, unique_keys=True)
            if parsed is None:
                built[key] = text(value, where, slots, keep=keep)
            else:
                built[key] = add(slots, Kind.ARGUMENTS, where, parsed.value, keep=keep, written=value)
        elif key == "input":
            built[key] = text(value, where, slots, keep=keep)
        else:
            built[key] = unknown(key, value, path, slots)
    return built


def _tool(tool: object, path: str, slots: list[Slot]) -> dict[str, Any]:
    kind = tool.get("type") if isinstance(tool, dict) else None
    if not isinstance(tool, dict) or kind not in ("function", "custom"):
        raise refusal(path, "is not a function or custom tool", "leave the tool out")
    return {
        key: value
        if key == "type"
        else _definition(value, below(path, key), slots)
        if key == kind
        else unknown(key, value, path, slots)
        for key, value in tool.items()
    }


def _definition(definition: object, path: str, slots: list[Slot]) -> dict[str, Any]:
    if not isinstance(definition, dict):
        raise refusal(path, "is not a JSON object", "send the definition of the tool")
    # Of a schema every string is inspected, property names too: text may stand anywhere in one.
    return {
        key: fixed(value, below(path, key), slots)
        if key == "name"
        else add(slots, Kind.VALUE, below(path, key), value)
        for key, value in definition.items()
    }


def _restored_choice(choice: Any, session: PayloadSession, restore_tools: Collection[str]) -> Any:
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        return choice
    message = dict(choice["message"])
    for key in MESSAGE_TEXTS & message.keys():
        message[key] = _restored_content(message[key], session)
    if isinstance(message.get("tool_calls"), list):
        message["tool_calls"] = [
            _restored_call(call, session, restore_tools) for call in message["tool_calls"]
        ]
    if "function_call" in message:
        message["function_call"] = _restored_called(message["function_call"], session, restore_tools)
    return {**choice, "message": message}


def _restored_content(content: Any, session: PayloadSession) -> Any:
    if isinstance(content, list):
        return [
            {
                key: _restored_content(value, session) if key in {"text", "refusal"} else value
                for key, value in part.items()
            }
            if isinstance(part, dict)
            else part
            for part in content
        ]
    if not isinstance(content, str):
        return content
    return Answer(session, ()).text(content)


def _restored_call(call: Any, session: PayloadSession, restore_tools: Collection[str]) -> Any:
    if not isinstance(call, dict):
        return call
    return {
        key: _restored_called(value, session, restore_tools) if key in {"function", "custom"} else value
        for key, value in call.items()
    }


def _restored_called(called: Any, session: PayloadSession, restore_tools: Collection[str]) -> Any:
    name = called.get("name") if isinstance(called, dict) else None
    if not isinstance(name, str) or name not in restore_tools:
        return called
    new = dict(called)
    for key, sink in CALL_TEXTS:
        if isinstance(called.get(key), str):
            new[key] = Answer(session, restore_tools).text(called[key], sink, tool=True)
    return new
