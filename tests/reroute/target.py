"""A model that speaks Chat Completions, and a server that answers in every other format by asking it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sovguard.clients.ndjson import line
from sovguard.clients.sse import EventReader, event
from sovguard.demo_server import Received, Reply
from sovguard.payloads.formats import format_of
from sovguard.reroute import Events, Translation, streamed, translation
from tests.wire import EVENTS, chat, pieces

Call = tuple[str, str, str]
USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 18,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
NAMES = [
    "OpenAI Chat Completions",
    "OpenAI Responses",
    "Anthropic Messages",
    "Ollama chat",
    "Ollama generate",
    "CLOVA Studio v3",
    "Gemini streamGenerateContent",
]


@dataclass(frozen=True)
class Model:
    """What a model answers, whatever it is asked; without a reason to end, its stream breaks off."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = "stop"
    usage: dict[str, Any] | None = field(default_factory=lambda: dict(USAGE))

    def whole(self) -> dict[str, Any]:
        """The answer."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None}
        if self.reasoning:
            message["reasoning_content"] = self.reasoning
        if self.calls:
            message["tool_calls"] = [
                {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
                for call_id, name, arguments in self.calls
            ]
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        return {**LIKE, "object": "chat.completion", "choices": [choice], "usage": self.usage}

    def chunks(self, cut: Callable[[str], Iterable[str]]) -> list[dict[str, Any]]:
        """The answer in chunks, its texts cut by ``cut``."""
        given = [chunk(role="assistant", content="")]
        given += [chunk(reasoning_content=piece) for piece in cut(self.reasoning)]
        given += [chunk(content=piece) for piece in cut(self.text)]
        for index, (call_id, name, arguments) in enumerate(self.calls):
            given.append(called(index, call_id=call_id, name=name, arguments=""))
            given += [called(index, arguments=piece) for piece in cut(arguments)]
        given.append(chunk(finish=self.finish or None))
        if self.usage:
            given.append({**LIKE, "object": "chat.completion.chunk", "choices": [], "usage": self.usage})
        return given


LIKE = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": "domestic"}


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """One chunk of a streamed answer."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {**LIKE, "object": "chat.completion.chunk", "choices": [choice]}


def called(index: int | None, *, call_id: str = "", name: str = "", arguments: str = "") -> dict[str, Any]:
    """A chunk with a fragment of a tool call."""
    function = {**({"name": name} if name else {}), "arguments": arguments}
    call: dict[str, Any] = {"function": function}
    if call_id:
        call = {"id": call_id, "type": "function", **call}
    if index is not None:
        call["index"] = index
    return chunk(tool_calls=[call])


def of(name: str) -> Translation:
    """The translation of a format."""
    found = translation(name)
    assert found is not None
    return found


def events(stream: Events, chunks: Iterable[dict[str, Any]]) -> list[Any]:
    """Every event of a streamed answer."""
    frames = [frame for each in chunks for frame in stream.feed(each)]
    return [*frames, *stream.end()]


def rerouting(asked: list[dict[str, Any]], model: Model | None = None) -> Callable[[Received], Reply]:
    """A server that reroutes whatever it is asked to a model.

    Args:
        asked: Takes up the requests that the model got.
        model: The model; one that repeats what it is told if there is none.
    """

    def answer(request: Received) -> Reply:
        kind = format_of("POST", request.path.partition("?")[0])
        assert kind is not None
        how, body = of(kind.name), request.json()
        question = how.to_chat(body, "domestic")
        if "event-stream" in request.headers.get("accept", "") and kind.name.startswith("CLOVA"):
            question = streamed(question)
        asked.append(question)
        if not question.get("stream"):
            whole = model.whole() if model else ask(question)[0]
            return Reply(json.dumps(how.answer(whole, body)).encode())
        chunks = model.chunks(lambda text: pieces_of(text, 2)) if model else ask(question)
        write = line if how.lines else event
        raw = b"".join(
            write(frame.name, json.dumps(frame.data)) for frame in events(how.stream(body), chunks)
        )
        return Reply(b"", headers=EVENTS, pieces=pieces(raw + how.last, 50))

    return answer


def pieces_of(text: str, size: int) -> list[str]:
    """A text in pieces of a size."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def ask(question: dict[str, Any]) -> list[dict[str, Any]]:
    """The chunks of what a model that repeats what it is told answers; one if it was not asked for a stream."""
    reply = chat(Received("POST", "/v1/chat/completions", {}, json.dumps(question).encode()))
    reader = EventReader()
    found = [each for piece in reply.pieces for each in reader.feed(piece)]
    return [json.loads(each.data) for each in found if each.data and each.data != "[DONE]"] or [
        json.loads(reply.body)
    ]
