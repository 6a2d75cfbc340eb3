"""The providers' own clients, whose requests are rerouted and whose answers come from another model."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import anthropic
import httpx
import ollama
import openai
import pytest
from pydantic import BaseModel

from sovguard.clients.sse import EventReader
from tests.reroute.conftest import Rerouted
from tests.reroute.target import Model

SCHEMA = {"type": "object", "properties": {"who": {"type": "string"}, "n": {"type": "integer"}}}
TOOL = {"name": "notify", "description": "알림을 보낸다.", "parameters": SCHEMA}
ASKED = "PERSON-K7QM001R에게 알려 줘"
SAID = f"받은 말: {ASKED}"
GIVEN = {"who": "PERSON-K7QM001R", "n": 1}
THOUGHT, TOLD = "곰곰이 생각", "답은 이것입니다."
THINKER = Model(TOLD, THOUGHT, (("c1", "notify", json.dumps(GIVEN)), ("c2", "notify", "")), "tool_calls")


class Memo(BaseModel):
    """A document that is asked for."""

    who: str
    memo: str


def test_chat_completions(rerouted: Rerouted, kept: ExitStack) -> None:
    """A loop of tools whole, and an answer in pieces with its usage."""
    server, asked = rerouted()
    client = kept.enter_context(openai.OpenAI(api_key="key", base_url=server.base_url))
    talk: list[Any] = [{"role": "developer", "content": "짧게"}, {"role": "user", "content": ASKED}]
    tools: list[Any] = [{"type": "function", "function": TOOL}]
    first = client.chat.completions.create(model="m", messages=talk, tools=tools, max_completion_tokens=9)
    message = first.choices[0].message
    assert message.content == SAID
    assert message.tool_calls
    assert json.loads(message.tool_calls[0].function.arguments) == GIVEN  # type: ignore[union-attr]
    talk += [message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "알렸음"}]
    assert client.chat.completions.create(model="m", messages=talk, tools=tools).choices[0].message.content
    assert asked[0]["model"] == "domestic"
    assert asked[0]["max_tokens"] == 9
    assert [each["role"] for each in asked[1]["messages"]] == ["system", "user", "assistant", "tool"]
    told, usage = "", None
    for each in client.chat.completions.create(
        model="m", messages=talk[:2], stream=True, stream_options={"include_usage": True}
    ):
        told += "".join(choice.delta.content or "" for choice in each.choices)
        usage = each.usage or usage
    assert told == SAID
    parsed = client.chat.completions.parse(
        model="m", messages=[{"role": "user", "content": "JSON으로"}], response_format=Memo
    )
    assert isinstance(parsed.choices[0].message.parsed, Memo)


def test_responses(rerouted: Rerouted, kept: ExitStack) -> None:
    """A loop of tools whole and in events, through the helper that gathers them, and a document after a schema."""
    server, asked = rerouted()
    client = kept.enter_context(openai.OpenAI(api_key="key", base_url=server.base_url))
    tools: list[Any] = [{"type": "function", **TOOL, "strict": False}]
    talk: list[Any] = [{"role": "user", "content": [{"type": "input_text", "text": ASKED}]}]
    ask: Any = {"model": "m", "instructions": "짧게", "tools": tools}
    first = client.responses.create(**ask, input=talk)
    call: Any = first.output[1]
    assert first.output_text == SAID
    assert json.loads(call.arguments) == GIVEN
    dumped: Any = first.to_dict()
    following = [
        *talk,
        *dumped["output"],
        {"type": "function_call_output", "call_id": call.call_id, "output": "알렸음"},
    ]
    assert client.responses.create(**ask, input=following).status == "completed"
    assert [each["role"] for each in asked[1]["messages"]] == ["system", "user", "assistant", "tool"]
    assert asked[1]["messages"][2]["tool_calls"][0]["id"] == asked[1]["messages"][3]["tool_call_id"] == "c1"
    with client.responses.stream(**ask, input=talk) as stream:
        numbers, told = [], ""
        for event in stream:
            numbers.append(event.sequence_number)
            told += event.delta if event.type == "response.output_text.delta" else ""
        final: Any = stream.get_final_response()
    assert numbers == list(range(len(numbers)))
    assert told == final.output_text == SAID
    assert json.loads(final.output[1].arguments) == GIVEN
    parsed = client.responses.parse(model="m", input="JSON으로", text_format=Memo)
    assert isinstance(parsed.output_parsed, Memo)
    assert asked[-1]["response_format"]["json_schema"]["name"] == "Memo"


def test_what_a_responses_model_thought(rerouted: Rerouted, kept: ExitStack) -> None:
    """Thinking is an item of its own, whole and in events alike, and the numbers of tokens are there."""
    server, _ = rerouted(THINKER)
    client = kept.enter_context(openai.OpenAI(api_key="key", base_url=server.base_url))
    ask: Any = {"model": "m", "input": ASKED, "reasoning": {"effort": "low"}}
    whole = client.responses.create(**ask)
    with client.responses.stream(**ask) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    for each in (whole, final):
        said: Any = each.output
        assert [item.type for item in said] == ["reasoning", "message", "function_call", "function_call"]
        assert said[0].content[0].text == THOUGHT
        assert [json.loads(item.arguments) for item in said[2:]] == [GIVEN, {}]
        assert each.usage is not None
        assert (each.usage.input_tokens, each.usage.output_tokens, each.usage.total_tokens) == (11, 7, 18)
        assert each.usage.output_tokens_details.reasoning_tokens == 3
    assert kinds.count("response.output_item.added") == kinds.count("response.output_item.done") == 4
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")


def test_messages(rerouted: Rerouted, kept: ExitStack) -> None:
    """A loop of tools whole and in events, and a document after a schema."""
    server, asked = rerouted()
    client = kept.enter_context(
        anthropic.Anthropic(api_key="key", base_url=server.base_url.removesuffix("/v1"))
    )
    tools: list[Any] = [{"name": "notify", "description": "알림", "input_schema": SCHEMA}]
    talk: list[Any] = [{"role": "user", "content": ASKED}]
    ask: Any = {"model": "m", "max_tokens": 99, "system": "짧게", "tools": tools}
    first: Any = client.messages.create(**ask, messages=talk)
    assert first.stop_reason == "tool_use"
    assert first.content[0].text == SAID
    assert first.content[1].input == GIVEN
    with client.messages.stream(**ask, messages=talk) as stream:
        told = "".join(stream.text_stream)
        final: Any = stream.get_final_message()
    assert told == SAID
    assert final.content[1].input == GIVEN
    result = {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "알렸음"}]}
    talk += [{"role": "assistant", "content": final.content}, {"role": "user", "content": [result]}]
    second: Any = client.messages.create(**ask, messages=talk)
    assert second.stop_reason == "end_turn"
    assert second.content[0].text == "받은 말: 알렸음"
    assert [each["role"] for each in asked[-1]["messages"]] == ["system", "user", "assistant", "tool"]
    parsed = client.messages.parse(
        model="m", max_tokens=9, messages=[{"role": "user", "content": "JSON으로"}], output_format=Memo
    )
    assert isinstance(parsed.parsed_output, Memo)


def test_what_a_messages_model_thought(rerouted: Rerouted, kept: ExitStack) -> None:
    """Thinking is a block where it is asked for, whole and in events alike, and left out where it is not."""
    server, _ = rerouted(THINKER)
    client = kept.enter_context(
        anthropic.Anthropic(api_key="key", base_url=server.base_url.removesuffix("/v1"))
    )
    ask: Any = {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": ASKED}]}
    thinks: Any = {"type": "enabled", "budget_tokens": 1024}
    whole = client.messages.create(**ask, thinking=thinks)
    with client.messages.stream(**ask, thinking=thinks) as stream:
        kinds = [event.type for event in stream if event.type.count("_")]
        final = stream.get_final_message()
    for each in (whole, final):
        said: Any = each.content
        assert [block.type for block in said] == ["thinking", "text", "tool_use", "tool_use"]
        assert (said[0].thinking, said[1].text) == (THOUGHT, TOLD)
        assert [block.input for block in said[2:]] == [GIVEN, {}]
        assert each.stop_reason == "tool_use"
        usage = each.usage
        assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (7, 4, 7)
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 4
    assert client.messages.create(**ask).content[0].type == "text"


def test_ollama_chat(rerouted: Rerouted, kept: ExitStack) -> None:
    """A loop of tools whole and in lines, by a client that knows no ids, and a document after a schema."""
    server, asked = rerouted()
    client = kept.enter_context(ollama.Client(host=server.base_url.removesuffix("/v1")))
    tools: list[Any] = [{"type": "function", "function": TOOL}]
    talk: list[Any] = [{"role": "system", "content": "짧게"}, {"role": "user", "content": ASKED}]
    first = client.chat(model="m", messages=talk, tools=tools, options={"num_predict": 5, "top_k": 3})
    assert first.message.content == SAID
    assert first.message.tool_calls is not None
    assert first.message.tool_calls[0].function.arguments == GIVEN
    talk += [first.message, {"role": "tool", "tool_name": "notify", "content": "알렸음"}]
    lines = list(client.chat(model="m", messages=talk, tools=tools, stream=True))
    assert "".join(line.message.content or "" for line in lines) == "받은 말: 알렸음"
    assert [line.done for line in lines] == [False] * (len(lines) - 1) + [True]
    assert asked[0]["max_tokens"] == 5
    call = asked[1]["messages"][2]["tool_calls"][0]
    assert call["id"] == asked[1]["messages"][3]["tool_call_id"]
    form = {"type": "object", "properties": {"who": {"type": "string"}}}
    said = client.chat(model="m", messages=[{"role": "user", "content": "JSON으로"}], format=form)
    assert json.loads(said.message.content or "")["who"] == "nobody"
    assert asked[-1]["response_format"]["json_schema"]["schema"] == form


def test_ollama_generate(rerouted: Rerouted, kept: ExitStack) -> None:
    """A prompt is a user's message, and what the model says is the response, whole and in lines."""
    server, asked = rerouted(Model(TOLD, THOUGHT))
    client = kept.enter_context(ollama.Client(host=server.base_url.removesuffix("/v1")))
    whole = client.generate(model="m", prompt=ASKED, system="짧게", think=True)
    lines = list(client.generate(model="m", prompt=ASKED, think=True, stream=True))
    assert (whole.response, whole.thinking) == (TOLD, THOUGHT)
    assert "".join(line.response for line in lines) == TOLD
    assert "".join(line.thinking or "" for line in lines) == THOUGHT
    assert (lines[-1].prompt_eval_count, lines[-1].eval_count, lines[-1].done_reason) == (11, 7, "stop")
    assert asked[0]["messages"] == [
        {"role": "system", "content": "짧게"},
        {"role": "user", "content": ASKED},
    ]


@pytest.mark.parametrize("path", ["generateContent", "streamGenerateContent"])
def test_gemini(rerouted: Rerouted, path: str) -> None:
    """A loop of tools, whole and in chunks, with thoughts and the numbers of tokens."""
    server, asked = rerouted(THINKER)
    url = f"{server.base_url}beta/models/m:{path}"
    contents: list[Any] = [{"role": "user", "parts": [{"text": ASKED}]}]
    body = {
        "contents": contents,
        "systemInstruction": {"parts": [{"text": "짧게"}]},
        "tools": [{"functionDeclarations": [{"name": "notify", "parameters": {"type": "OBJECT"}}]}],
        "generationConfig": {"thinkingConfig": {"includeThoughts": True}, "maxOutputTokens": 5},
    }

    def ask() -> list[Any]:
        raw = httpx.post(url, json=body, params={"alt": "sse"}).content
        return [json.loads(each.data or "") for each in EventReader().feed(raw)] or [json.loads(raw)]

    chunks = ask()
    parts = [part for each in chunks for part in each["candidates"][0]["content"]["parts"]]
    assert "".join(part["text"] for part in parts if part.get("thought")) == THOUGHT
    assert "".join(part.get("text", "") for part in parts if not part.get("thought")) == TOLD
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    assert [(call["name"], call["args"]) for call in calls] == [("notify", GIVEN), ("notify", {})]
    assert chunks[-1]["candidates"][0]["finishReason"] == "STOP"
    assert chunks[-1]["usageMetadata"] == {
        "promptTokenCount": 11,
        "candidatesTokenCount": 4,
        "thoughtsTokenCount": 3,
        "totalTokenCount": 18,
        "cachedContentTokenCount": 4,
    }
    responses = [
        {"functionResponse": {"name": call["name"], "response": {"result": number}}}
        for number, call in enumerate(calls)
    ]
    contents += [{"role": "model", "parts": parts}, {"role": "user", "parts": responses}]
    ask()
    messages = asked[1]["messages"]
    assert [each["role"] for each in messages] == ["system", "user", "assistant", "tool", "tool"]
    assert [each["id"] for each in messages[2]["tool_calls"]] == ["c1", "c2"]
    assert [each["tool_call_id"] for each in messages[3:]] == ["c1", "c2"]
    assert bool(asked[0].get("stream")) is (path == "streamGenerateContent")


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_clova(rerouted: Rerouted, accept: str) -> None:
    """Pieces come as token events, and the whole message in the result, with thinking, calls and numbers of tokens."""
    server, asked = rerouted(THINKER)
    url = f"{server.base_url.removesuffix('/v1')}/v3/chat-completions/HCX-007"
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": ASKED}],
        "tools": [{"type": "function", "function": TOOL}],
    }
    raw = httpx.post(url, json=body, headers={"accept": accept}).content
    found = [(each.name, json.loads(each.data or "")) for each in EventReader().feed(raw)]
    result = found[-1][1] if found else json.loads(raw)["result"]
    message = result["message"]
    assert (message["content"], message["thinkingContent"]) == (TOLD, THOUGHT)
    assert [call["function"]["arguments"] for call in message["toolCalls"]] == [GIVEN, {}]
    assert result["finishReason"] == "tool_calls"
    assert result["usage"]["totalTokens"] == 18
    if found:
        assert [name for name, _ in found] == ["token"] * (len(found) - 1) + ["result"]
        assert "".join(data["message"]["content"] for _, data in found[:-1]) == TOLD
    call = message["toolCalls"][0]
    talk = [*body["messages"], message, {"role": "tool", "toolCallId": call["id"], "content": "알렸음"}]
    httpx.post(url, json={**body, "messages": talk}, headers={"accept": accept})
    assert asked[1]["messages"][-1] == {"role": "tool", "tool_call_id": "c1", "content": "알렸음"}


def test_clients_notice_an_answer_that_breaks_off(rerouted: Rerouted, kept: ExitStack) -> None:
    """Each raises or reports an error of its own kind, as it would for the provider's."""
    server, _ = rerouted(Model("반쯤", finish=""))
    host = server.base_url.removesuffix("/v1")
    claude = kept.enter_context(anthropic.Anthropic(api_key="key", base_url=host))
    with (
        pytest.raises(anthropic.APIError, match="broke off"),
        claude.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]
        ) as messages,
    ):
        list(messages)
    gpt = kept.enter_context(openai.OpenAI(api_key="key", base_url=server.base_url))
    last: Any = list(gpt.responses.create(model="m", input="x", stream=True))[-1]
    assert (last.type, last.response.error.code) == ("response.failed", "server_error")
    llama = kept.enter_context(ollama.Client(host=host))
    with pytest.raises(ollama.ResponseError, match="broke off"):
        list(llama.chat(model="m", messages=[{"role": "user", "content": "x"}], stream=True))
