"""A Chat Completions answer, whole: what was thought, said and called, why it ended, and how many tokens it took.

Read here once, whatever server gave it; the modules of the formats write it down again.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from sovguard.errors import UnsupportedPayload
from sovguard.payloads.json_text import dump, load

Finish = Literal["stop", "length", "tool_calls", "content_filter"]
_PLAIN = re.compile("[^A-Za-z0-9_-]")
_MOST = 2**53
_LAST = 253_402_300_799
"""The last second of the year 9999, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How many tokens an answer took; zero where the server does not say.

    Attributes:
        prompt: Of the request.
        completion: Of the answer, thinking included.
        cached: Of the request, from a cache.
        reasoning: Of the answer, thinking alone.
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    reasoning: int = 0

    @classmethod
    def read(cls, usage: Any) -> Usage:
        """Return what the ``usage`` of an answer says."""
        if not isinstance(usage, dict):
            return cls()
        return cls(
            _count(usage.get("prompt_tokens")),
            _count(usage.get("completion_tokens")),
            _count(_within(usage, "prompt_tokens_details", "cached_tokens")),
            _count(_within(usage, "completion_tokens_details", "reasoning_tokens")),
        )


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """One call of a tool.

    Attributes:
        id: What it is known by.
        name: The tool.
        arguments: JSON text, as the model wrote it.
    """

    id: str
    name: str
    arguments: str

    def __repr__(self) -> str:
        return f"Call({len(self.arguments)} characters)"


@dataclass(frozen=True, slots=True, repr=False)
class Said:
    """A whole answer.

    Attributes:
        id: What the server calls it, in characters that every format takes.
        model: Which model gave it, as the server says.
        created: When, in seconds since 1970; zero where the server does not say.
        reasoning: What was thought.
        text: What was said.
        calls: Which tools were called.
        finish: Why it ended.
        stopped_by: The stop sequence that ended it, where the server says so (vLLM).
        usage: How many tokens it took.
    """

    id: str
    model: str
    created: int
    reasoning: str
    text: str
    calls: tuple[Call, ...]
    finish: Finish
    stopped_by: str | None
    usage: Usage

    def __repr__(self) -> str:
        return f"Said({len(self.text)} characters, {len(self.calls)} calls)"

    def called(self) -> list[tuple[Call, dict[str, Any]]]:
        """Return the calls with their arguments as values; without one that the limit of tokens cut off.

        Raises:
            UnsupportedPayload: The model wrote arguments that are no JSON object.
        """
        found: list[tuple[Call, dict[str, Any]]] = []
        for call in self.calls:
            values = arguments_of(call.arguments)
            if values is not None:
                found.append((call, values))
            elif self.finish != "length":
                raise unreadable("the arguments of a tool call are not a JSON object")
        return found


def read(answer: Any) -> Said:
    """Return what a Chat Completions answer says.

    Raises:
        UnsupportedPayload: It is none.
    """
    choices = answer.get("choices") if isinstance(answer, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise unreadable("the model that it was rerouted to gave no Chat Completions answer")
    answer_id = plain_id(answer.get("id"))
    calls = [_call(call, answer_id, index) for index, call in enumerate(calls_of(message))]
    stopped_by = choice.get("stop_reason")
    return Said(
        answer_id,
        text_or_empty(answer.get("model")),
        moment(answer.get("created")),
        reasoning_of(message),
        text_of(message),
        tuple(calls),
        finish_of(choice.get("finish_reason"), called=bool(calls)),
        stopped_by if isinstance(stopped_by, str) else None,
        Usage.read(answer.get("usage")),
    )


def as_chunk(answer: Any) -> dict[str, Any]:
    """Return a whole answer as the one chunk of a stream, of a server that does not stream though it was asked to.

    Raises:
        UnsupportedPayload: It is no answer.
    """
    said = read(answer)
    choices = [
        {
            **{key: value for key, value in choice.items() if key != "message"},
            "index": index,
            "delta": plainly(choice["message"], numbered=True),
        }
        for index, choice in enumerate(answer["choices"])
        if isinstance(choice, dict) and isinstance(choice.get("message"), dict)
    ]
    choices[0]["finish_reason"] = choices[0].get("finish_reason") or said.finish
    return {**answer, "object": "chat.completion.chunk", "choices": choices}


def plainly(message: dict[str, Any], *, numbered: bool = False) -> dict[str, Any]:
    """Return a message in the words that all clients read: text as a string, arguments as text; the same object if it is so.

    Args:
        message: The message, or a piece of one.
        numbered: Whether calls get numbers, as in streams.

    Raises:
        UnsupportedPayload: It cannot be read.
    """
    new: dict[str, Any] = {}
    if message.get("content") is not None and not isinstance(message["content"], str):
        new["content"] = _content(message, "text")
        if thought := reasoning_of(message):
            new["reasoning_content"] = thought
    calls = calls_of(message)
    if calls != (message.get("tool_calls") or []) or any(not _is_plain(call, numbered) for call in calls):
        new["tool_calls"] = [
            {
                "type": "function",
                **({"index": index} if numbered else {}),
                **call,
                "function": {**(_within({"": call}, "", "function") or {}), "arguments": source_of(call)},
            }
            for index, call in enumerate(calls)
        ]
    return (
        {key: value for key, value in {**message, **new}.items() if not (new and key == "function_call")}
        if new
        else message
    )


def _is_plain(call: dict[str, Any], numbered: bool) -> bool:
    arguments = _within(call, "function", "arguments")
    return (arguments is None or isinstance(arguments, str)) and not (
        numbered and not isinstance(call.get("index"), int)
    )


def unreadable(what: str) -> UnsupportedPayload:
    """Return the error for an answer that cannot be given back."""
    return UnsupportedPayload(f"the answer could not be given back: {what}; ask again")


def finish_of(reason: Any, *, called: bool) -> Finish:
    """Return why an answer ended; servers disagree on what to say of one that calls tools."""
    if reason in ("length", "content_filter"):
        finish: Finish = reason
        return finish
    return "tool_calls" if called else "stop"


def reasoning_of(message: dict[str, Any]) -> str:
    """Return what was thought, under either name that servers have for it, or as parts of the content.

    Raises:
        UnsupportedPayload: There is a part that is neither thinking nor text.
    """
    named = text_or_empty(message.get("reasoning_content")) or text_or_empty(message.get("reasoning"))
    return named + _content(message, "thinking")


def text_of(message: dict[str, Any]) -> str:
    """Return what was said; to refuse is to say something too.

    Raises:
        UnsupportedPayload: There is a part that is neither thinking nor text.
    """
    return _content(message, "text") + text_or_empty(message.get("refusal"))


def calls_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the calls of tools in a message or in a piece of one; the one in the form that they replaced if there are none.

    Some servers say one call in both forms.

    Raises:
        UnsupportedPayload: One of them cannot be read.
    """
    given = message.get("tool_calls") or []
    if not isinstance(given, list) or not all(isinstance(call, dict) for call in given):
        raise unreadable("its tool calls are no list of objects")
    old = message.get("function_call")
    return [{"function": old}] if not given and isinstance(old, dict) and old else given


def source_of(call: dict[str, Any]) -> str:
    """Return the arguments of a call, or a piece of them, as JSON text; some servers give them as an object.

    Raises:
        UnsupportedPayload: They are neither.
    """
    arguments = _within(call, "function", "arguments")
    if isinstance(arguments, dict):
        return dump(arguments) or dump(arguments, ascii_only=True) or ""
    if arguments is not None and not isinstance(arguments, str):
        raise unreadable("the arguments of a tool call are not a JSON object")
    return arguments or ""


def moment(value: Any) -> int:
    """Return a time in seconds since 1970, where a server may give milliseconds; zero for what is none."""
    seconds = _count(value)
    seconds = seconds // 1000 if seconds > _LAST else seconds
    return seconds if seconds <= _LAST else 0


def arguments_of(source: str) -> dict[str, Any] | None:
    """Return the arguments of a call as values, or ``None`` if they are no JSON object; no text at all means none."""
    if not source.strip():
        return {}
    parsed = load(source)
    return parsed.value if parsed is not None and isinstance(parsed.value, dict) else None


def plain_id(value: Any) -> str:
    """Return an id in the characters that every format takes."""
    return _PLAIN.sub("_", value) if isinstance(value, str) and value else "rerouted"


def call_id(given: Any, answer_id: str, index: int) -> str:
    """Return the id of a call as it is, or one made of its answer's and its place."""
    return given if isinstance(given, str) and given else f"call_{answer_id}_{index}"


def text_or_empty(value: Any) -> str:
    """Return a string as it is, and an empty one for anything else."""
    return value if isinstance(value, str) else ""


def _call(call: dict[str, Any], answer_id: str, index: int) -> Call:
    name = _within(call, "function", "name")
    if not isinstance(name, str) or not name:
        raise unreadable("a tool call names no function")
    return Call(call_id(call.get("id"), answer_id, index), name, source_of(call) or "{}")


def _within(value: Any, first: str, second: str) -> Any:
    inner = value.get(first) if isinstance(value, dict) else None
    return inner.get(second) if isinstance(inner, dict) else None


def _content(message: dict[str, Any], kind: Literal["text", "thinking"]) -> str:
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or "" if kind == "text" else ""
    said: list[str] = []
    for part in content if isinstance(content, list) else [content]:
        of = part.get("type") if isinstance(part, dict) else None
        inner = part.get(of) if of in ("text", "thinking") else None
        if of == "thinking" and isinstance(inner, (str, list)):  # Mistral's, in parts of its own
            said += [_content({"content": inner}, "text")] if kind == "thinking" else []
        elif of == "text" and isinstance(inner, str):
            said += [inner] if kind == "text" else []
        else:
            raise unreadable("it holds something else than text")
    return "".join(said)


def _count(value: Any) -> int:
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return 0
    return max(0, min(int(value), _MOST))
