"""Where text lives in a Google Gemini ``generateContent`` request, in its answer and in the chunks of a streamed one.

Parts that the model marked as thought are restored like any text; their signatures pass untouched. A stream that was not
asked for as events (``alt=sse``) is one JSON array, which is read whole.
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
    encoded,
    kept,
    many,
    media,
    of_model,
    prose,
    record,
    setting,
    values,
)
from sovguard.payloads.slots import PayloadSession, Slots, refusal

_PART = record(
    {
        "text": prose,
        "thought": setting,
        "thoughtSignature": of_model,
        "functionCall": kept(record({"id": prose, "name": setting, "args": values})),
        "functionResponse": kept(
            record(
                {
                    "id": prose,
                    "name": setting,
                    "response": values,
                    "willContinue": setting,
                    "scheduling": setting,
                }
            )
        ),
    }
)
_READABLE = frozenset({"text", "functionCall", "functionResponse"})
_MEDIUM = record(
    {
        "inlineData": record({"mimeType": setting, "data": encoded, "displayName": prose}),
        "fileData": record({"mimeType": setting, "fileUri": address, "displayName": prose}),
        "thought": setting,
        "thoughtSignature": of_model,
        **dict.fromkeys(("videoMetadata", "mediaResolution"), setting),
    }
)


def _part(part: Any, path: str, slots: Slots, keep: bool) -> Any:
    if isinstance(part, dict) and (found := part.get("inlineData") or part.get("fileData")):
        kind = str(found.get("mimeType", "")).partition("/")[0] if isinstance(found, dict) else ""
        rule = media(kind if kind in ("image", "audio", "video") else "file", _MEDIUM)
        return rule(part, path, slots, keep)
    if not isinstance(part, dict) or not _READABLE & part.keys():
        raise refusal(path, NO_TEXT, SAY_IT)
    return _PART(part, path, slots, keep)


_CONTENT = by_role(
    record({"role": setting, "parts": many(_part)}),
    {"user": False, "model": True, "function": False, "system": False},
    default="user",
)


def _one_or_many(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    return (
        many(_CONTENT)(value, path, slots, keep)
        if isinstance(value, list)
        else _CONTENT(value, path, slots, keep)
    )


_FUNCTION = record(
    {
        "name": setting,
        **dict.fromkeys(
            (
                "description",
                "parameters",
                "response",
                "parametersJsonSchema",
                "responseJsonSchema",
                "parameters_json_schema",
                "response_json_schema",
            ),
            values,
        ),
        "behavior": setting,
    }
)
_TOOL = record({"functionDeclarations": many(_FUNCTION)})
_REQUEST = record(
    {
        "contents": _one_or_many,
        "systemInstruction": _CONTENT,
        "tools": many(_TOOL),
        "generationConfig": values,
        "labels": values,
        **dict.fromkeys(("toolConfig", "safetySettings", "cachedContent", "model"), setting),
    }
)
REQUEST = Request(_REQUEST, "a generateContent request", "contents")


def restore_answer(answer: object, session: PayloadSession, restore_tools: Collection[str] = ()) -> Any:
    """Returns the answer with real values in place of surrogates; anything of another shape as it is.

    Raises:
        ForeignSurrogate: The arguments of a tool that may hold real values hold a surrogate of another session.
    """
    stream = GeminiStream(session, restore_tools)
    if isinstance(answer, list):
        chunks = [frame for chunk in answer for frame in stream.frames(Frame("", chunk))]
        return [frame.data for frame in (*chunks, *stream.rest())]
    (restored,) = stream.frames(Frame("", answer), last=True)
    return restored.data


class GeminiStream:
    """Restores one streamed answer, whose chunks have the shape of whole answers.

    Args:
        session: The session that redacted the request.
        restore_tools: Names of tools whose arguments may hold real values.
    """

    def __init__(self, session: PayloadSession, restore_tools: Collection[str] = ()) -> None:
        self._lanes = Lanes(session.stream)
        self._answer = Answer(session, restore_tools)
        self._like: dict[str, Any] = {}

    def frames(self, frame: Frame, *, last: bool = False) -> list[Frame]:
        """Returns the chunk with real values in it; ``last``: none follows."""
        chunk = frame.data
        if not isinstance(chunk, dict) or not isinstance(chunk.get("candidates"), list):
            return [frame]
        self._like = {
            key: value for key, value in chunk.items() if key not in ("candidates", "usageMetadata")
        }
        candidates = [self._candidate(each, last) for each in chunk["candidates"]]
        return [Frame(frame.name, {**chunk, "candidates": candidates})]

    def rest(self) -> list[Frame]:
        """Returns chunks with what is still held."""
        given: list[Frame] = []
        for candidate, thought in self._lanes.keys():  # noqa: SIM118
            if parts := self._held(candidate, thought):
                content = {"role": "model", "parts": parts}
                given.append(
                    Frame("", {**self._like, "candidates": [{"index": candidate, "content": content}]})
                )
        return given

    def _candidate(self, candidate: Any, last: bool) -> Any:
        content = candidate.get("content") if isinstance(candidate, dict) else None
        index = candidate.get("index", 0) if isinstance(candidate, dict) else 0
        parts = content.get("parts") if isinstance(content, dict) else None
        ends = last or (isinstance(candidate, dict) and candidate.get("finishReason") is not None)
        new: list[Any] = []
        for part in parts if isinstance(parts, list) else []:
            thought = bool(part.get("thought")) if isinstance(part, dict) else False
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                new += self._held(index, not thought)
                new.append({**part, "text": self._lanes.feed((index, thought), part["text"], "answer")})
            else:
                new += [*self._held(index, False), *self._held(index, True), self._called(part)]
        if ends:
            held = [*self._held(index, True), *self._held(index, False)]
            # A whole answer keeps its parts as they were.
            for part in held:
                if new and "text" in new[-1] and bool(new[-1].get("thought")) == bool(part.get("thought")):
                    new[-1] = {**new[-1], "text": new[-1]["text"] + part["text"]}
                else:
                    new.append(part)
        if not isinstance(parts, list) and not new:
            return candidate
        content = content if isinstance(content, dict) else {"role": "model"}
        return {**candidate, "content": {**content, "parts": new}}

    def _called(self, part: Any) -> Any:
        call = part.get("functionCall") if isinstance(part, dict) else None
        if not isinstance(call, dict) or call.get("name") not in self._answer.tools:
            return part
        return {**part, "functionCall": {**call, "args": self._answer.values(call.get("args") or {})}}

    def _held(self, candidate: Any, thought: bool) -> list[Any]:
        held = self._lanes.flush((candidate, thought))
        return [{"text": held, **({"thought": True} if thought else {})}] if held else []
