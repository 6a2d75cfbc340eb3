"""Where text lives in a CLOVA Studio v3 chat request (Naver HyperCLOVA X), in its answer and in the events of a streamed one.

The native shape, with camel-case fields and tool arguments as objects; the OpenAI-compatible endpoint is read by
``openai_chat``. A stream is asked for by the header ``Accept: text/event-stream``; its ``token`` events bring pieces, its
``result`` event the whole message.
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
    definition,
    each,
    encoded,
    kinds,
    many,
    media,
    prose,
    record,
    setting,
    shown,
    text_or,
    values,
    within,
)
from sovguard.payloads.slots import PayloadSession

_CONTENT = text_or(
    many(
        kinds(
            {
                "text": record({"type": setting, "text": prose}),
                "image_url": media(
                    "image",
                    record(
                        {
                            "type": setting,
                            "imageUrl": record({"url": address}),
                            "dataUri": record({"data": encoded}),
                        }
                    ),
                ),
            },
            what=NO_TEXT,
            remedy=SAY_IT,
        )
    )
)
_CALL = record({"id": prose, "type": setting, "function": record({"name": setting, "arguments": values})})
_ROLES = {"system": False, "user": False, "assistant": True, "tool": True}
_MESSAGE = record(
    {
        "role": setting,
        "content": _CONTENT,
        "thinkingContent": prose,
        "toolCalls": many(_CALL),
        "toolCallId": prose,
    }
)
_TOOL = record({"type": setting, "function": definition})
_SETTINGS = (
    "topP", "topK", "maxTokens", "maxCompletionTokens", "temperature", "repeatPenalty", "repetitionPenalty", "seed",
    "includeAiFilters", "thinking", "toolChoice",
)  # fmt: skip
_REQUEST = record(
    {
        "messages": many(by_role(_MESSAGE, _ROLES)),
        "tools": many(_TOOL),
        "stop": values,
        "stopBefore": values,
        "responseFormat": values,
        **dict.fromkeys(_SETTINGS, setting),
    }
)
REQUEST = Request(_REQUEST, "a CLOVA Studio chat request", "messages")


def _restored_call(call: Any, answer: Answer) -> Any:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or function.get("name") not in answer.tools:
        return call
    arguments = function.get("arguments")
    given = (
        answer.text(arguments, "json", tool=True) if isinstance(arguments, str) else answer.values(arguments)
    )
    return {**call, "function": {**function, "arguments": given}}


_SHOWN = ("content", "thinkingContent")
_WHOLE = within({**dict.fromkeys(_SHOWN, shown), "toolCalls": each(_restored_call)})


def restore_answer(answer: object, session: PayloadSession, restore_tools: Collection[str] = ()) -> Any:
    """Returns the answer with real values in place of surrogates; anything of another shape as it is.

    Raises:
        ForeignSurrogate: The arguments of a tool that may hold real values hold a surrogate of another session.
    """
    return within({"result": within({"message": _WHOLE})})(answer, Answer(session, restore_tools))


class ClovaStream:
    """Restores one streamed answer.

    Args:
        session: The session that redacted the request.
        restore_tools: Names of tools whose arguments may hold real values.
    """

    def __init__(self, session: PayloadSession, restore_tools: Collection[str] = ()) -> None:
        self._lanes = Lanes(session.stream)
        self._answer = Answer(session, restore_tools)

    def frames(self, frame: Frame) -> list[Frame]:
        """Returns the event with real values in it, after those that give out what was held."""
        data = frame.data
        message = data.get("message") if isinstance(data, dict) else None
        if not isinstance(message, dict):
            return [*self.rest(), frame]
        if frame.name == "result":
            return [*self.rest(), Frame(frame.name, {**data, "message": _WHOLE(message, self._answer)})]
        new = dict(message)
        before: list[Frame] = []
        speaks = [key for key in _SHOWN if isinstance(message.get(key), str) and message[key]]
        for key in self._lanes.keys():  # noqa: SIM118
            if speaks and key not in speaks:
                before += self._held(key)
        for key in speaks:
            new[key] = self._lanes.feed(key, message[key], "answer")
        if "toolCalls" in message:
            before += self.rest()
            new = {**new, "toolCalls": each(_restored_call)(message["toolCalls"], self._answer)}
        return [*before, Frame(frame.name, {**data, "message": new})]

    def rest(self) -> list[Frame]:
        """Returns events with what is still held."""
        return [frame for key in self._lanes.keys() for frame in self._held(key)]  # noqa: SIM118

    def _held(self, key: Any) -> list[Frame]:
        held = self._lanes.flush(key)
        message = {"role": "assistant", "content": "", key: held}
        return [Frame("token", {"message": message, "finishReason": None})] if held else []
