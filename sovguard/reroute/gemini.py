"""Gemini ``generateContent`` and ``streamGenerateContent`` through Chat Completions, and back.

Gemini's calls need no ids; where the caller gives none, a result is matched to the call before it by the tool's name.
"""

from __future__ import annotations

from typing import Any

from sovguard.payloads.lanes import Frame
from sovguard.payloads.slots import below
from sovguard.reroute.answers import Said, arguments_of, read
from sovguard.reroute.conversation import Conversation, image_data, text_of, text_part
from sovguard.reroute.fields import (
    ELSEWHERE,
    HOSTED,
    SAMPLED,
    function,
    items,
    named_function,
    one_answer,
    only,
    refusal,
    renamed,
    schema_format,
    source,
    streamed,
    string,
)
from sovguard.reroute.pieces import BROKE_OFF, AnswerEvents, Step
from sovguard.reroute.schemas import camel, json_schema

_NAMES = {
    "temperature": "temperature",
    "topP": "top_p",
    "maxOutputTokens": "max_tokens",
    "stopSequences": "stop",
    "seed": "seed",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
}
_CONFIG = {
    *_NAMES, "candidateCount", "responseMimeType", "responseSchema", "responseJsonSchema", "responseModalities",
}  # fmt: skip
_CONFIG_REFUSED = {"responseLogprobs": SAMPLED, "logprobs": SAMPLED, "speechConfig": "asks for speech"}
_CARRIED = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig"}
_DROPPED = {"labels", "model", "safetySettings"}
_MARKS = {"thought", "thoughtSignature", "videoMetadata", "mediaResolution"}
_MODES = {"AUTO": "auto", "MODE_UNSPECIFIED": "auto", "ANY": "required", "NONE": "none"}
_FINISH = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}


def to_chat(body: dict[str, Any], model: str) -> dict[str, Any]:
    """Return a request to ``generateContent`` as Chat Completions has it.

    Args:
        body: The request, with surrogates.
        model: What the target calls the model.

    Raises:
        UnsupportedPayload: It asks for something that Chat Completions cannot say.
    """
    fields = _only(body, "", _CARRIED, _DROPPED, {"cachedContent": ELSEWHERE})
    talk = Conversation()
    if "systemInstruction" in fields:
        said = _only(fields["systemInstruction"], "systemInstruction", {"parts"}, {"role"})
        talk.system(_text(said.get("parts"), "systemInstruction.parts"))
    contents = fields.get("contents")
    for path, content in items([contents] if isinstance(contents, dict) else contents, "contents"):
        _content(content, path, talk)
    talk.is_asked("contents")
    chat = {"model": model, "messages": talk.messages, **_config(fields.get("generationConfig") or {})}
    tools = [each for path, tool in items(fields.get("tools"), "tools") for each in _functions(tool, path)]
    return {**chat, **_choice(fields.get("toolConfig") or {}, tools)}


def stream_to_chat(body: dict[str, Any], model: str) -> dict[str, Any]:
    """Return a request to ``streamGenerateContent`` as Chat Completions has it.

    Raises:
        UnsupportedPayload: It asks for something that Chat Completions cannot say.
    """
    return streamed(to_chat(body, model))


def answer(chat_answer: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return a Chat Completions answer as that of ``generateContent`` to ``request``.

    Raises:
        UnsupportedPayload: It cannot be read, or a call in it cannot be written as an object.
    """
    said = read(chat_answer)
    parts: list[dict[str, Any]] = []
    if said.reasoning and _shows_thoughts(request):
        parts.append({"text": said.reasoning, "thought": True})
    calls = said.called()
    if said.text or not calls:
        parts.append({"text": said.text})
    parts += (_call(call.id, call.name, values) for call, values in calls)
    return _chunk(said, request, parts, ends=True)


class GeminiEvents(AnswerEvents):
    """Turns the chunks of a streamed answer into those of ``streamGenerateContent``.

    Args:
        request: The request, in the caller's format.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(request, reasoning=_shows_thoughts(request))

    def _step(self, step: Step) -> list[Frame]:
        said, stretch = self._pieces.head(), step.stretch
        part: dict[str, Any] | None = None
        if stretch.kind != "call" and step.what == "says":
            thought = {"thought": True} if stretch.kind == "reasoning" else {}
            part = {"text": step.piece, **thought}
        elif stretch.kind == "call" and step.what == "closes":
            values = arguments_of(stretch.text)
            part = (
                None if values is None else _call(stretch.id, stretch.name, values)
            )  # cut off: nothing to run
        return [Frame("", _chunk(said, self._request, [part]))] if part else []

    def _ends(self, said: Said) -> list[Frame]:
        return [Frame("", _chunk(said, self._request, [{"text": ""}], ends=True))]

    def _breaks(self, said: Said) -> list[Frame]:
        return [Frame("", {"error": {"code": 502, "message": BROKE_OFF, "status": "UNAVAILABLE"}})]


def _chunk(
    said: Said, request: dict[str, Any], parts: list[dict[str, Any]], *, ends: bool = False
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    like = {"modelVersion": said.model or request.get("model"), "responseId": said.id}
    if not ends:
        return {"candidates": [candidate], **like}
    usage = said.usage
    # Here what was thought is counted apart, and not among the tokens of the answer.
    counts = {
        "promptTokenCount": usage.prompt,
        "candidatesTokenCount": max(0, usage.completion - usage.reasoning),
        "totalTokenCount": usage.prompt + usage.completion,
        **({"thoughtsTokenCount": usage.reasoning} if usage.reasoning else {}),
        **({"cachedContentTokenCount": usage.cached} if usage.cached else {}),
    }
    return {
        "candidates": [{**candidate, "finishReason": _FINISH[said.finish]}],
        "usageMetadata": counts,
        **like,
    }


def _only(value: Any, path: str, *fields: Any) -> dict[str, Any]:
    return only(camel(value), path, *fields)


def _call(call_id: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"functionCall": {"id": call_id, "name": name, "args": values}}


def _shows_thoughts(request: dict[str, Any]) -> bool:
    config = camel(camel(request).get("generationConfig"))
    thinking = camel(config.get("thinkingConfig")) if isinstance(config, dict) else None
    return isinstance(thinking, dict) and bool(thinking.get("includeThoughts"))


def _config(value: Any) -> dict[str, Any]:
    path = "generationConfig"
    config = _only(value, path, _CONFIG, {"thinkingConfig", "topK", "mediaResolution"}, _CONFIG_REFUSED)
    one_answer(config.get("candidateCount"), f"{path}.candidateCount")
    if config.get("responseModalities") not in (None, [], ["TEXT"]):
        raise refusal(f"{path}.responseModalities", "asks for more than text")
    chat = renamed(config, _NAMES)
    kind = config.get("responseMimeType", "text/plain")
    schema = config.get("responseJsonSchema") or json_schema(config.get("responseSchema"))
    if kind == "application/json":
        chat["response_format"] = schema_format(schema) if schema else {"type": "json_object"}
    elif kind != "text/plain" or schema:
        raise refusal(f"{path}.responseMimeType", "is neither text nor JSON", "use application/json")
    return chat


def _functions(tool: Any, path: str) -> list[dict[str, Any]]:
    if isinstance(tool, dict):
        for key, value in camel(tool).items():
            if key != "functionDeclarations" and value is not None:
                raise refusal(below(path, key), HOSTED)
    declared = _only(tool, path, {"functionDeclarations"}).get("functionDeclarations")
    return [_function(each, place) for place, each in items(declared, f"{path}.functionDeclarations")]


def _function(value: Any, path: str) -> dict[str, Any]:
    said = _only(
        value,
        path,
        {"name", "description", "parameters", "parametersJsonSchema", "behavior"},
        {"response", "responseJsonSchema"},
    )
    if said.get("behavior") not in (None, "BLOCKING", "UNSPECIFIED"):
        raise refusal(f"{path}.behavior", "asks for an answer before the result of the tool is there")
    schema = said.get("parametersJsonSchema") or json_schema(said.get("parameters"))
    return function(said.get("name"), said.get("description"), schema)


def _choice(value: Any, tools: list[dict[str, Any]]) -> dict[str, Any]:
    path = "toolConfig.functionCallingConfig"
    said = _only(value, "toolConfig", {"functionCallingConfig"}).get("functionCallingConfig") or {}
    said = _only(said, path, {"mode", "allowedFunctionNames"})
    mode = said.get("mode", "AUTO")
    if not isinstance(mode, str) or mode not in _MODES:
        raise refusal(f"{path}.mode", "is not known", "use AUTO, ANY or NONE")
    place = f"{path}.allowedFunctionNames"
    names = [string(name, where) for where, name in items(said.get("allowedFunctionNames"), place)]
    # Chat Completions cannot name several: those that may not be called are not offered.
    offered = [each for each in tools if not names or each["function"].get("name") in names]
    if not offered and (names or mode == "ANY"):
        raise refusal(path, "asks for calls of tools that are not declared", "declare them")
    if len(names) == 1 and mode == "ANY":
        return {"tools": offered, "tool_choice": named_function(names[0])}
    chosen = {"tool_choice": _MODES[mode]} if "mode" in said else {}
    return {"tools": offered, **chosen} if offered else {}


def _content(content: Any, path: str, talk: Conversation) -> None:
    said = _only(content, path, {"role", "parts"})
    role, place = said.get("role", "user"), f"{path}.parts"
    if role == "system":
        talk.system(_text(said.get("parts"), place))
        return
    if role not in ("user", "model", "function"):
        raise refusal(f"{path}.role", "is not known", "use user or model")
    parts: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    for where, each in items(said.get("parts"), place):
        part = camel(each)
        if isinstance(part, dict) and "functionCall" in part:
            called = _only(part["functionCall"], f"{where}.functionCall", {"id", "name", "args"})
            name = string(called.get("name"), f"{where}.functionCall.name")
            calls.append(talk.call(name, called.get("args") or {}, called.get("id")))
        elif isinstance(part, dict) and "functionResponse" in part:
            gave = _only(
                part["functionResponse"],
                f"{where}.functionResponse",
                {"id", "name", "response"},
                {"scheduling"},
            )
            talk.result(source(gave.get("response")), where, given_id=gave.get("id"), name=gave.get("name"))
        else:
            parts += _part(part, where)
    if role == "model" and (parts or calls):
        talk.assistant(text_of(parts, place), calls)
    elif parts:
        talk.user(parts)


def _text(parts: Any, path: str) -> str:
    return text_of([each for place, part in items(parts, path) for each in _part(part, place)], path)


def _part(part: Any, path: str) -> list[dict[str, Any]]:
    said = _only(part, path, {"text", "inlineData"}, _MARKS, {"fileData": ELSEWHERE})
    if "inlineData" in said:
        data = _only(said["inlineData"], f"{path}.inlineData", {"mimeType", "data"}, {"displayName"})
        return [image_data(data.get("data"), f"{path}.inlineData", data.get("mimeType") or "")]
    if part.get("thought"):  # another model cannot use what this one thought
        return []
    return [text_part(string(said.get("text"), f"{path}.text"))]
