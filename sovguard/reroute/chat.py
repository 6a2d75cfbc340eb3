"""OpenAI Chat Completions to itself: another model's name, and without what servers of open models refuse.

Their answers come back as they are.
"""

from __future__ import annotations

from typing import Any

from sovguard.payloads.lanes import Frame
from sovguard.reroute.answers import plainly, read
from sovguard.reroute.fields import ELSEWHERE, HOSTED, items, kind_of, only, refusal
from sovguard.reroute.pieces import BROKE_OFF

_DROPPED = frozenset(
    {
        "max_completion_tokens", "metadata", "prediction", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "reasoning_effort", "safety_identifier", "service_tier", "store", "user", "verbosity",
    }
)  # fmt: skip
_REFUSED = {
    "audio": "asks for speech",
    "function_call": "is the old form of tool_choice, which other servers do not know",
    "functions": "is the old form of tools, which other servers do not know",
    "moderation": HOSTED,
    "logit_bias": "names tokens of the model that the request does not go to",
    "web_search_options": HOSTED,
}
_MARKS = frozenset({"cache_control", "prompt_cache_breakpoint"})
_NOT_SENT_BACK = frozenset(
    {"annotations", "audio", "function_call", "reasoning", "reasoning_content", "refusal"}
)


def to_chat(body: dict[str, Any], model: str) -> dict[str, Any]:
    """Return the request for another model.

    Args:
        body: The request as the caller made it, with surrogates.
        model: What the target calls the model.

    Raises:
        UnsupportedPayload: It asks for something that other servers cannot do.
    """
    for key, what in _REFUSED.items():
        if body.get(key):
            raise refusal(key, what)
    if body.get("modalities") not in (None, ["text"]):
        raise refusal("modalities", "asks for more than text")
    chat = {
        key: value
        for key, value in body.items()
        if value is not None and key not in _DROPPED and key not in _REFUSED and key != "modalities"
    }
    # What a reasoning model counts apart, others know by the older name alone.
    limit = body.get("max_completion_tokens")
    if limit is not None:
        chat["max_tokens"] = limit
    if "stream_options" in chat:
        chat["stream_options"] = only(
            chat["stream_options"], "stream_options", {"include_usage"}, {"include_obfuscation"}
        )
    for path, tool in items(body.get("tools"), "tools"):
        _function_only(tool, path)
    if isinstance(body.get("tool_choice"), dict):
        _function_only(body["tool_choice"], "tool_choice")
    chat["messages"] = [_message(message, path) for path, message in items(body.get("messages"), "messages")]
    return {**chat, "model": model}


def answer(chat_answer: Any, request: dict[str, Any]) -> Any:
    """Return the answer as it is, but for what other servers say in words that clients do not read.

    Raises:
        UnsupportedPayload: It is none, or cannot be read.
    """
    read(chat_answer)
    choices = [
        {**choice, "message": plainly(choice["message"])}
        if isinstance(choice, dict) and isinstance(choice.get("message"), dict)
        else choice
        for choice in chat_answer["choices"]
    ]
    return {**chat_answer, "choices": choices}


class ChatEvents:
    """Passes the chunks of a streamed answer on, in words that clients read.

    Args:
        request: The request, in the caller's format.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self._chunks = 0
        self._said_so = self._failed = False
        self._open: dict[Any, bool] = {}
        self._calls: dict[Any, int] = {}

    def __repr__(self) -> str:
        return f"ChatEvents({self._chunks} chunks)"

    @property
    def broken(self) -> bool:
        """Whether the answer has broken off, or could not be given back."""
        return self._said_so or self._failed or not self._open or any(self._open.values())

    def fail(self) -> None:
        """Have the answer end as one that broke off: something in it could not be given back."""
        self._failed = True

    def feed(self, chunk: dict[str, Any]) -> list[Frame]:
        """Returns the chunk.

        Raises:
            UnsupportedPayload: It cannot be read.
        """
        self._chunks += 1
        self._said_so = self._said_so or bool(chunk.get("error"))
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            return [Frame("", chunk)]
        return [Frame("", {**chunk, "choices": [self._choice(choice) for choice in choices]})]

    def end(self) -> list[Frame]:
        """Returns nothing after the last chunk, which has been passed on; an error for an answer that broke off."""
        if self._said_so or not self.broken:
            return []
        return [Frame("", {"error": {"message": BROKE_OFF, "type": "server_error"}})]

    def _choice(self, choice: Any) -> Any:
        if not isinstance(choice, dict):
            return choice
        index = choice.get("index") or 0
        index = index if isinstance(index, int) else 0
        self._open[index] = self._open.get(index, True) and not choice.get("finish_reason")
        delta = choice.get("delta")
        return (
            {**choice, "index": index, "delta": self._delta(delta, index)}
            if isinstance(delta, dict)
            else choice
        )

    def _delta(self, delta: dict[str, Any], choice: int) -> dict[str, Any]:
        new = plainly(delta)
        calls = new.get("tool_calls")
        if not calls:
            return new
        return {**new, "tool_calls": [{**call, "index": self._number(call, choice)} for call in calls]}

    def _number(self, call: dict[str, Any], choice: int) -> int:
        """Return the number of a call: its own, or, where a server gives none, that of the last one until another begins."""
        last = self._calls.get(choice, -1)
        given = call.get("index")
        if not isinstance(given, int):
            function = call.get("function")
            named = isinstance(function, dict) and bool(function.get("name"))
            given = last + 1 if named or last < 0 else last
        self._calls[choice] = max(last, given)
        return given


def _function_only(tool: Any, path: str) -> None:
    if kind_of(tool, path, "function") != "function":
        raise refusal(path, "is not a function", "send it as a function")


def _message(message: Any, path: str) -> dict[str, Any]:
    kind_of(message, path)
    role = message.get("role")
    if role == "function" or message.get("function_call"):
        raise refusal(
            path, "is the old form of a tool's, which other servers do not know", "send it as tool_calls"
        )
    if message.get("audio"):
        raise refusal(f"{path}.audio", ELSEWHERE)
    for place, call in items(message.get("tool_calls"), f"{path}.tool_calls"):
        _function_only(call, place)
    new = {key: value for key, value in message.items() if key not in _NOT_SENT_BACK}
    if role == "developer":
        new["role"] = "system"
    if message.get("refusal") and not message.get("content"):
        new["content"] = message["refusal"]
    if isinstance(message.get("content"), list):
        new["content"] = [_part(part, where) for where, part in items(message["content"], f"{path}.content")]
    return new


def _part(part: Any, path: str) -> dict[str, Any]:
    kind = kind_of(part, path)
    if kind == "file":
        raise refusal(path, "is a file, which other servers cannot read", "send what it says as text")
    if kind == "refusal":
        return {"type": "text", "text": part.get("refusal")}
    return {key: value for key, value in part.items() if key not in _MARKS}
