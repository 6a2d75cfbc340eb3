"""Where text lives in a request to Ollama's own API, in its answer and in the lines of a streamed one.

Of ``/api/chat`` and ``/api/generate`` (docs.ollama.com/api); its OpenAI-compatible paths are read by ``openai_chat``. Answers
are streamed unless the request says otherwise, one JSON object a line.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sovguard.payloads.lanes import Frame, Lanes
from sovguard.payloads.rules import (
    Answer,
    Request,
    by_role,
    definition,
    each,
    encoded,
    many,
    media,
    numbers,
    prose,
    record,
    setting,
    shown,
    values,
    within,
)
from sovguard.payloads.slots import PayloadSession

_ROLES = {"system": False, "user": False, "assistant": True, "tool": True}
_CALLED = record({"name": setting, "index": setting, "description": values, "arguments": values})
_MESSAGE = record(
    {
        "role": setting,
        "content": prose,
        "thinking": prose,
        "images": media("image", many(encoded)),
        "tool_calls": many(record({"id": prose, "type": setting, "function": _CALLED})),
        "tool_name": setting,
        "tool_call_id": prose,
    }
)


_SETTINGS = dict.fromkeys(
    ("model", "stream", "options", "keep_alive", "think", "raw", "logprobs", "top_logprobs"), setting
)
CHAT = Request(
    record(
        {
            **_SETTINGS,
            "messages": many(by_role(_MESSAGE, _ROLES)),
            "tools": many(record({"type": setting, "function": definition})),
            "format": values,
        }
    ),
    "a chat request",
    "messages",
)
GENERATE = Request(
    record(
        {
            **_SETTINGS,
            **dict.fromkeys(("prompt", "suffix", "system", "template"), prose),
            "images": media("image", many(encoded)),
            "format": values,
            "context": numbers,
        }
    ),
    "a generate request",
    "model",
)


def _call(call: Any, answer: Answer) -> Any:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or function.get("name") not in answer.tools:
        return call
    return {**call, "function": {**function, "arguments": answer.values(function.get("arguments") or {})}}


_MESSAGE_TEXTS = ("content", "thinking")
_TEXTS = ("response", "thinking")
_WHOLE = within(
    {
        **dict.fromkeys(_TEXTS, shown),
        "message": within({**dict.fromkeys(_MESSAGE_TEXTS, shown), "tool_calls": each(_call)}),
    }
)


def restore_answer(answer: object, session: PayloadSession, restore_tools: Collection[str] = ()) -> Any:
    """Returns the answer with real values in place of surrogates; anything of another shape as it is.

    Raises:
        ForeignSurrogate: The arguments of a tool that may hold real values hold a surrogate of another session.
    """
    return _WHOLE(answer, Answer(session, restore_tools))


class OllamaStream:
    """Restores one streamed answer.

    Args:
        session: The session that redacted the request.
        restore_tools: Names of tools whose arguments may hold real values.
    """

    def __init__(self, session: PayloadSession, restore_tools: Collection[str] = ()) -> None:
        self._lanes = Lanes(session.stream)
        self._answer = Answer(session, restore_tools)
        self._like: dict[str, Any] = {}

    def frames(self, frame: Frame) -> list[Frame]:
        """Returns the line with real values in it, after those that give out what was held."""
        if not isinstance(frame.data, dict):
            return [frame]
        data = dict(frame.data)
        self._like = {key: data[key] for key in ("model", "created_at") if key in data}
        message = data.get("message")
        before: list[Frame] = []
        if isinstance(message, dict):
            data["message"] = new = dict(message)
            self._texts(new, _MESSAGE_TEXTS, before, last=bool(data.get("done")))
            if "tool_calls" in message:
                before += self.rest()
                new["tool_calls"] = each(_call)(message["tool_calls"], self._answer)
        else:
            self._texts(data, _TEXTS, before, last=bool(data.get("done")))
        return [*before, Frame(frame.name, data)]

    def rest(self) -> list[Frame]:
        """Returns lines with what is still held."""
        return [frame for key in self._lanes.keys() for frame in self._held(key)]  # noqa: SIM118

    def _texts(
        self, holder: dict[str, Any], texts: Collection[str], before: list[Frame], *, last: bool
    ) -> None:
        speaks = [key for key in texts if isinstance(holder.get(key), str) and holder[key]]
        for key in self._lanes.keys():  # noqa: SIM118
            if speaks and key[1] not in speaks:
                before += self._held(key)
        for key in texts:
            lane = (texts is _MESSAGE_TEXTS, key)
            if key in speaks:
                holder[key] = self._lanes.feed(lane, holder[key], "answer")
            if last and (held := self._lanes.flush(lane)):
                holder[key] = (holder.get(key) or "") + held

    def _held(self, lane: tuple[bool, str]) -> list[Frame]:
        held = self._lanes.flush(lane)
        if not held:
            return []
        said = (
            {"message": {"role": "assistant", "content": "", lane[1]: held}}
            if lane[0]
            else {"response": "", lane[1]: held}
        )
        return [Frame("", {**self._like, **said, "done": False})]
