"""Servers that speak the providers' formats: a model that repeats what it is told and calls a tool with whom it was told of.

Answers are made of what arrived and of nothing else. Told to answer in JSON, it does; told what a tool gave, it calls none
again. Streams come in the events that the providers document, a few letters at a time, cut into pieces of any size.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sovguard.demo_server import Received, Reply
from tests.servers import SURROGATE

EVENTS = {"content-type": "text/event-stream; charset=utf-8"}


def pieces(raw: bytes, size: int) -> tuple[bytes, ...]:
    """``raw`` in pieces of ``size`` bytes."""
    return tuple(raw[at : at + size] for at in range(0, len(raw), size))


def events(datas: Iterator[dict[str, Any]], *, named: bool) -> bytes:
    """Events with their data, under their type if they are ``named``."""
    written = ""
    for data in datas:
        written += f"event: {data['type']}\n" if named else ""
        written += f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
    return written.encode()


def fragments(text: str, size: int = 3) -> list[str]:
    """A text a few letters at a time."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def said_in(value: Any) -> str:
    """Every text of a request's content, one after another."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(said_in, value))
    if not isinstance(value, dict):
        return ""
    result = value.get("functionResponse", {}).get("response", {}).get("result")
    return said_in(value.get("text") or value.get("content") or value.get("output") or result or "")


def reply_to(said: str) -> str:
    """What the model says to a text: the text, or a JSON document with whom and what it was told."""
    if "JSON" in said:
        return json.dumps({"who": arguments_for(said)["who"], "memo": said}, ensure_ascii=False)
    return f"받은 말: {said}"


def calls_tool(body: dict[str, Any], last: Any) -> bool:
    """Whether the model calls a tool: if there is one and what was said last is not what it gave."""
    kind = json.dumps(last)
    gave = any(name in kind for name in ('"tool"', '"tool_result"', "_call_output", '"functionResponse"'))
    return bool(body.get("tools")) and not gave


def arguments_for(said: str) -> dict[str, Any]:
    """Arguments of a tool call with the first surrogate of a text, if it has one."""
    people = SURROGATE.findall(said)
    return {"who": people[0] if people else "nobody", "n": 1}


def chat(request: Received, size: int = 40) -> Reply:
    """Chat Completions: a message that repeats the last one, and a call of ``notify`` if there are tools; ``n`` times."""
    body = request.json()
    last = body["messages"][-1]
    said = reply_to(said_in(last))
    source = json.dumps(arguments_for(said), ensure_ascii=False)
    call = {"id": "c1", "type": "function", "function": {"name": "notify", "arguments": source}}
    calls = [call] if calls_tool(body, last) else []
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    like = {"id": "x", "created": 1, "model": "m"}
    indexes = range(body.get("n") or 1)
    finish = "tool_calls" if calls else "stop"
    if not body.get("stream"):
        message = {"role": "assistant", "content": said, **({"tool_calls": calls} if calls else {})}
        choices = [{"index": index, "message": message, "finish_reason": finish} for index in indexes]
        whole = {**like, "object": "chat.completion", "choices": choices, "usage": usage}
        return Reply(json.dumps(whole, ensure_ascii=False).encode())

    def chunk(index: int, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**like, "object": "chat.completion.chunk", "choices": [choice]}

    def steps() -> Iterator[dict[str, Any]]:
        for index in indexes:
            yield chunk(index, {"role": "assistant", "content": ""})
        for piece in fragments(said):
            yield from (chunk(index, {"content": piece}) for index in indexes)
        for index in indexes:
            if calls:
                opening = {**call, "index": 0, "function": {"name": "notify", "arguments": ""}}
                yield chunk(index, {"tool_calls": [opening]})
                for piece in fragments(source):
                    yield chunk(index, {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
            yield chunk(index, {}, finish)

    raw = events(steps(), named=False) + b"data: [DONE]\n\n"
    return Reply(b"", headers=EVENTS, pieces=pieces(raw, size))


def responses(request: Received, size: int = 40) -> Reply:
    """The Responses API: a message that repeats the input, then a call of ``notify`` if there are tools."""
    body = request.json()
    last = body["input"][-1] if isinstance(body["input"], list) else body["input"]
    said = reply_to(said_in(last))
    source = json.dumps(arguments_for(said), ensure_ascii=False)
    part = {"type": "output_text", "text": said, "annotations": []}
    message = {"type": "message", "id": "m1", "status": "completed", "role": "assistant", "content": [part]}
    call = {
        "type": "function_call",
        "id": "f1",
        "call_id": "c1",
        "name": "notify",
        "arguments": source,
        "status": "completed",
    }
    output = [message, call] if calls_tool(body, last) else [message]
    whole = {
        "id": "r1", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": output,
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None,
        "instructions": None, "metadata": {}, "temperature": 1, "top_p": 1,
    }  # fmt: skip
    if not body.get("stream"):
        return Reply(json.dumps(whole, ensure_ascii=False).encode())

    def steps() -> Iterator[dict[str, Any]]:
        yield {"type": "response.created", "response": {**whole, "output": [], "status": "in_progress"}}
        at = {"item_id": "m1", "output_index": 0, "content_index": 0}
        yield {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**message, "content": [], "status": "in_progress"},
        }
        yield {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
        for piece in fragments(said):
            yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
        yield {"type": "response.output_text.done", **at, "text": said, "logprobs": []}
        yield {"type": "response.content_part.done", **at, "part": part}
        yield {"type": "response.output_item.done", "output_index": 0, "item": message}
        if len(output) > 1:
            at = {"item_id": "f1", "output_index": 1}
            yield {"type": "response.output_item.added", "output_index": 1, "item": {**call, "arguments": ""}}
            for piece in fragments(source):
                yield {"type": "response.function_call_arguments.delta", **at, "delta": piece}
            yield {
                "type": "response.function_call_arguments.done",
                **at,
                "name": "notify",
                "arguments": source,
            }
            yield {"type": "response.output_item.done", "output_index": 1, "item": call}
        yield {"type": "response.completed", "response": whole}

    numbered = ({**data, "sequence_number": number} for number, data in enumerate(steps()))
    return Reply(b"", headers=EVENTS, pieces=pieces(events(numbered, named=True), size))


def messages(request: Received, size: int = 40) -> Reply:
    """The Messages API: thinking, a text that repeats the last message, then a call of ``notify`` if there are tools."""
    body = request.json()
    last = body["messages"][-1]
    said = reply_to(said_in(last))
    given = arguments_for(said)
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": f"{given['who']}에 대해", "signature": "s"},
        {"type": "text", "text": said, "citations": None},
    ]
    if calls_tool(body, last):
        blocks.append({"type": "tool_use", "id": "t1", "name": "notify", "input": given})
    usage = {"input_tokens": 1, "output_tokens": 1}
    whole = {
        "id": "m1", "type": "message", "role": "assistant", "model": "m", "content": blocks, "stop_reason": "end_turn",
        "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    if not body.get("stream"):
        return Reply(json.dumps(whole, ensure_ascii=False).encode())

    def steps() -> Iterator[dict[str, Any]]:
        yield {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
        yield {"type": "ping"}
        empty: dict[str, Any] = {
            "thinking": {"thinking": "", "signature": ""},
            "text": {"text": ""},
            "tool_use": {"input": {}},
        }
        for index, block in enumerate(blocks):
            kind = block["type"]
            yield {"type": "content_block_start", "index": index, "content_block": {**block, **empty[kind]}}
            deltas: list[dict[str, Any]]
            if kind == "text":
                deltas = [{"type": "text_delta", "text": piece} for piece in fragments(block["text"])]
            elif kind == "thinking":
                deltas = [
                    {"type": "thinking_delta", "thinking": piece} for piece in fragments(block["thinking"])
                ]
                deltas.append({"type": "signature_delta", "signature": "s"})
            else:
                source = json.dumps(block["input"], ensure_ascii=False)
                deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in fragments(source)]
            for delta in deltas:
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": usage,
        }
        yield {"type": "message_stop"}

    return Reply(b"", headers=EVENTS, pieces=pieces(events(steps(), named=True), size))


def embeddings(request: Received, size: int = 40) -> Reply:
    """The embeddings API."""
    given = request.json()["input"]
    texts = given if isinstance(given, list) else [given]
    data = [
        {"object": "embedding", "index": index, "embedding": [float(len(text))]}
        for index, text in enumerate(texts)
    ]
    whole = {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    return Reply(json.dumps(whole).encode())


def clova(request: Received, size: int = 40) -> Reply:
    """CLOVA Studio v3: thinking, a message that repeats the last one, and a call of ``notify`` if there are tools."""
    body = request.json()
    last = body["messages"][-1]
    said = reply_to(said_in(last))
    thought = f"{arguments_for(said)['who']}에 대해"
    message: dict[str, Any] = {"role": "assistant", "content": said, "thinkingContent": thought}
    if calls_tool(body, last):
        function = {"name": "notify", "arguments": arguments_for(said)}
        message["toolCalls"] = [{"id": "t1", "type": "function", "function": function}]
    usage = {"promptTokens": 1, "completionTokens": 1, "totalTokens": 2}
    result = {"message": message, "finishReason": "stop", "usage": usage}
    if "event-stream" not in request.headers.get("accept", ""):
        whole = {"status": {"code": "20000", "message": "OK"}, "result": result}
        return Reply(json.dumps(whole, ensure_ascii=False).encode())
    written = ""
    for key in ("thinkingContent", "content"):
        for piece in fragments(message[key]):
            data = {"message": {"role": "assistant", "content": "", key: piece}, "finishReason": None}
            written += f"id: x\nevent: token\ndata:{json.dumps(data, ensure_ascii=False)}\n\n"
    written += f"id: x\nevent: result\ndata:{json.dumps(result, ensure_ascii=False)}\n\n"
    return Reply(b"", headers=EVENTS, pieces=pieces(written.encode(), size))


def gemini(request: Received, size: int = 40) -> Reply:
    """Gemini: a thought, a text that repeats the last content, and a call of ``notify`` if there are tools."""
    body = request.json()
    last = body["contents"][-1]
    said = reply_to(said_in(last["parts"]))
    given = arguments_for(said)
    parts: list[dict[str, Any]] = [
        {"text": f"{given['who']}에 대해", "thought": True},
        {"text": said, "thoughtSignature": "s"},
    ]
    if calls_tool(body, last):
        parts.append({"functionCall": {"name": "notify", "args": given}})

    def chunk(some: list[dict[str, Any]], finish: str | None = None) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": some}, "index": 0}
        ends = {"finishReason": finish} if finish else {}
        return {
            "candidates": [{**candidate, **ends}],
            "modelVersion": "m",
            "usageMetadata": {"totalTokenCount": 1},
        }

    path, _, query = request.path.partition("?")
    if path.endswith(":generateContent"):
        return Reply(json.dumps(chunk(parts, "STOP"), ensure_ascii=False).encode())
    steps = [
        chunk([{**part, "text": piece}]) if "text" in part else chunk([part])
        for part in parts
        for piece in (fragments(part["text"]) if "text" in part else [""])
    ]
    steps.append(chunk([], "STOP"))
    if "alt=sse" in query:
        return Reply(b"", headers=EVENTS, pieces=pieces(events(iter(steps), named=False), size))
    return Reply(json.dumps(steps, ensure_ascii=False).encode())


def ollama(request: Received, size: int = 40) -> Reply:
    """Ollama: thinking, a message that repeats the last one or the prompt, and a call of ``notify`` if there are tools."""
    body = request.json()
    chat = "messages" in body
    last = body["messages"][-1] if chat else body["prompt"]
    said = reply_to(said_in(last))
    thought = f"{arguments_for(said)['who']}에 대해"
    like = {"model": "m", "created_at": "2026-01-01T00:00:00Z"}
    call = {"function": {"name": "notify", "arguments": arguments_for(said)}}
    calls = [call] if calls_tool(body, last) else []

    def step(key: str, piece: str, **more: Any) -> dict[str, Any]:
        if chat:
            message = {"role": "assistant", "content": "", key: piece, **more}
            return {**like, "message": message, "done": False}
        return {**like, "response": "", {"content": "response"}.get(key, key): piece, "done": False}

    ends = {"done": True, "done_reason": "stop", "total_duration": 1}
    if body.get("stream") is False:
        whole = step("thinking", thought)
        holder = whole["message"] if chat else whole
        holder["content" if chat else "response"] = said
        if calls:
            holder["tool_calls"] = calls
        return Reply(json.dumps({**whole, **ends}, ensure_ascii=False).encode())
    steps = [step("thinking", piece) for piece in fragments(thought)]
    steps += [step("content", piece) for piece in fragments(said)]
    if calls:
        steps.append(step("content", "", tool_calls=calls))
    steps.append({**step("content", ""), **ends})
    raw = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in steps).encode()
    return Reply(b"", headers={"content-type": "application/x-ndjson"}, pieces=pieces(raw, size))


ANSWERS: dict[str, Callable[..., Reply]] = {
    "/v1/chat/completions": chat,
    "/responses": responses,
    "/messages": messages,
    "/embeddings": embeddings,
    "/api/chat": ollama,
    "/api/generate": ollama,
    "/v3/chat-completions/HCX-007": clova,
    "/models/m:generateContent": gemini,
    "/models/m:streamGenerateContent": gemini,
}


def provider(request: Received, size: int = 40) -> Reply:
    """Answers in the format of the path that was asked."""
    path = request.path.partition("?")[0]
    answer = next((answer for end, answer in ANSWERS.items() if path.endswith(end)), None)
    return answer(request, size) if answer is not None else Reply(b"{}", 404)
