"""The Responses and Messages APIs and embeddings, through their own clients, whole and streamed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import ollama
import pytest
from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from sovguard import Guard, UnsupportedPayload
from sovguard.clients.sse import EventReader
from sovguard.demo_server import Received, Reply
from tests.clients.conftest import Serve
from tests.servers import NAME, SURROGATE, TEXT, PatternAnalyzer, assert_only_surrogates
from tests.wire import EVENTS, events, provider

TOOL: dict[str, Any] = {
    "type": "function",
    "name": "notify",
    "parameters": {"type": "object"},
    "strict": False,
}
SAID = f"받은 말: {TEXT}"


@pytest.fixture(params=[True, False], ids=["restored tool", "other tool"])
def tools(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Tools whose arguments may hold real values."""
    return ("notify",) if request.param else ()


def check(said: str, arguments: Any, tools: tuple[str, ...]) -> None:
    """The text is restored, and the arguments of a tool that may know."""
    assert said == SAID
    if tools:
        assert arguments == {"who": NAME, "n": 1}
    else:
        assert SURROGATE.fullmatch(arguments["who"])


@pytest.mark.parametrize("size", [1, 17, 10_000])
def test_responses(run_server: Serve, tools: tuple[str, ...], size: int) -> None:
    """Whole, streamed, and through the helper that gathers events."""
    server = run_server(lambda request: provider(request, size))
    guard = Guard(_analyzer=PatternAnalyzer(), restore_tools=tools)
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        ask: Any = {"model": "m", "input": [{"role": "user", "content": TEXT}], "tools": [TOOL]}
        whole = client.responses.create(**ask)
        call: Any = whole.output[1]
        check(whole.output_text, json.loads(call.arguments), tools)
        text = arguments = ""
        numbers = []
        for event in client.responses.create(**ask, stream=True):
            numbers.append(event.sequence_number)
            if event.type == "response.output_text.delta":
                text += event.delta
            elif event.type == "response.function_call_arguments.delta":
                arguments += event.delta
            elif event.type == "response.output_text.done":
                assert event.text == text
            elif event.type == "response.completed":
                check(event.response.output_text, json.loads(event.response.output[1].arguments), tools)  # type: ignore[union-attr]
        check(text, json.loads(arguments), tools)
        assert numbers == list(range(len(numbers)))
        with client.responses.stream(**ask) as stream:
            final: Any = stream.get_final_response()
        check(final.output_text, json.loads(final.output[1].arguments), tools)
    assert_only_surrogates(server)


def test_a_conversation_of_responses(run_server: Serve) -> None:
    """Items of an earlier answer and a tool's output go back with the surrogates they had."""
    server = run_server(provider)
    guard = Guard(_analyzer=PatternAnalyzer(), restore_tools=("notify",))
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        first = client.responses.create(model="m", input=TEXT, tools=[TOOL])  # type: ignore[list-item]
        items: list[Any] = [{"role": "user", "content": TEXT}, *first.output]
        items.append({"type": "function_call_output", "call_id": "c1", "output": f"{NAME}에게 알렸음"})
        second = client.responses.create(
            model="m", input=items, previous_response_id="r0", instructions=f"{NAME} 응대"
        )
    assert second.output_text.endswith(f"{TEXT}{NAME}에게 알렸음") or NAME in second.output_text
    assert_only_surrogates(server)


@pytest.mark.parametrize("size", [1, 17, 10_000])
def test_messages(run_server: Serve, tools: tuple[str, ...], size: int) -> None:
    """Whole, streamed, and through the helper that gathers events; thinking keeps its surrogates."""
    server = run_server(lambda request: provider(request, size))
    guard = Guard(_analyzer=PatternAnalyzer(), restore_tools=tools)
    with guard.wrap(Anthropic(api_key="key", base_url=server.base_url.removesuffix("/v1"))) as client:
        ask: Any = {
            "model": "m",
            "max_tokens": 9,
            "system": f"{NAME} 응대",
            "messages": [{"role": "user", "content": [{"type": "text", "text": TEXT}]}],
            "tools": [{"name": "notify", "input_schema": {"type": "object"}}],
        }
        whole: Any = client.messages.create(**ask)
        assert SURROGATE.match(whole.content[0].thinking)
        check(whole.content[1].text, whole.content[2].input, tools)
        text = source = ""
        for event in client.messages.create(**ask, stream=True):
            if event.type == "content_block_delta":
                text += event.delta.text if event.delta.type == "text_delta" else ""
                source += event.delta.partial_json if event.delta.type == "input_json_delta" else ""
        check(text, json.loads(source), tools)
        with client.messages.stream(**ask) as stream:
            final: Any = stream.get_final_message()
        assert final.content[0].thinking == whole.content[0].thinking
        check(final.content[1].text, final.content[2].input, tools)
        result = [{"type": "tool_result", "tool_use_id": "t1", "content": f"{NAME} 확인"}]
        turns = [
            *ask["messages"],
            {"role": "assistant", "content": whole.content},
            {"role": "user", "content": result},
        ]
        third: Any = client.messages.create(**{**ask, "messages": turns})
        assert third.content[1].text == f"받은 말: {NAME} 확인"
    assert_only_surrogates(server)


def test_async_clients(run_server: Serve) -> None:
    """AsyncOpenAI and AsyncAnthropic."""
    server = run_server(provider)
    guard = Guard(_analyzer=PatternAnalyzer())

    async def run() -> list[str]:
        async with (
            guard.wrap(AsyncOpenAI(api_key="key", base_url=server.base_url)) as openai,
            openai.responses.stream(model="m", input=TEXT) as stream,
        ):
            one = (await stream.get_final_response()).output_text
        async with guard.wrap(
            AsyncAnthropic(api_key="key", base_url=server.base_url.removesuffix("/v1"))
        ) as anthropic:
            said: list[Any] = [{"role": "user", "content": TEXT}]
            async with anthropic.messages.stream(model="m", max_tokens=9, messages=said) as events:
                two = "".join([piece async for piece in events.text_stream])
        return [one, two]

    assert asyncio.run(run()) == [SAID, SAID]
    assert_only_surrogates(server)


def test_embeddings(guard: Guard, run_server: Serve) -> None:
    """Inputs are redacted; tokens are refused."""
    server = run_server(provider)
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        found = client.embeddings.create(model="m", input=[TEXT, "가"], encoding_format="float")
        assert len(found.data) == 2
        with pytest.raises(UnsupportedPayload, match="tokens"):
            client.embeddings.create(model="m", input=[[1, 2]], encoding_format="float")
    assert_only_surrogates(server)


def test_copies_of_an_anthropic_client_are_protected(guard: Guard, run_server: Serve) -> None:
    """with_options gives a protected client of the same type; wrapping twice is wrapping once."""
    server = run_server(provider)
    with guard.wrap(Anthropic(api_key="key", base_url=server.base_url.removesuffix("/v1"))) as client:
        copied = client.with_options(timeout=5)
        assert type(copied) is Anthropic
        assert guard.wrap(client) is client
        raw = copied.messages.with_raw_response.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": TEXT}]
        )
        assert raw.parse().content[1].text == SAID  # type: ignore[union-attr]
    assert_only_surrogates(server)


def test_helpers_that_parse(guard: Guard, run_server: Serve) -> None:
    """What the clients parse into a model's fields are real values, in every place where they have such a helper."""

    class Memo(BaseModel):
        who: str
        memo: str

    server = run_server(provider)
    said: list[Any] = [{"role": "user", "content": f"{NAME}: JSON"}]
    expected = Memo(who=NAME, memo=f"{NAME}: JSON")
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as openai:
        assert openai.responses.parse(model="m", input=said, text_format=Memo).output_parsed == expected
        raw = openai.responses.with_raw_response.parse(model="m", input=said, text_format=Memo)
        assert raw.parse().output_parsed == expected
        beta = openai.beta.chat.completions.parse(model="m", messages=said, response_format=Memo)
        assert beta.choices[0].message.parsed == expected
    with guard.wrap(Anthropic(api_key="key", base_url=server.base_url.removesuffix("/v1"))) as anthropic:
        one = anthropic.messages.parse(model="m", max_tokens=9, messages=said, output_format=Memo)
        two = anthropic.beta.messages.parse(model="m", max_tokens=9, messages=said, output_format=Memo)
    assert one.parsed_output == two.parsed_output == expected
    assert_only_surrogates(server)


def test_logprobs_are_about_what_the_model_wrote(guard: Guard, run_server: Serve) -> None:
    """They pass with surrogates in them, whole and streamed, beside the text that is restored."""

    def answer(request: Received) -> Reply:
        person = SURROGATE.findall(request.text)[0]
        probable = {
            "content": [{"token": person, "logprob": -0.1, "bytes": None, "top_logprobs": []}],
            "refusal": None,
        }
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "logprobs": probable}
        like = {"id": "x", "created": 1, "model": "m"}
        message = {"role": "assistant", "content": person}
        if not request.json().get("stream"):
            whole = {**like, "object": "chat.completion", "choices": [{**choice, "message": message}]}
            return Reply(json.dumps(whole).encode())
        chunk = {**like, "object": "chat.completion.chunk", "choices": [{**choice, "delta": message}]}
        return Reply(b"", headers=EVENTS, pieces=(events(iter([chunk]), named=False),))

    server = run_server(answer)
    ask: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": NAME}], "logprobs": True}
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        whole = client.chat.completions.create(**ask).choices[0]
        (piece,) = list(client.chat.completions.create(**ask, stream=True))
    for choice, text in ((whole, whole.message.content), (piece.choices[0], piece.choices[0].delta.content)):
        assert text == NAME
        assert choice.logprobs is not None
        assert choice.logprobs.content is not None
        assert SURROGATE.fullmatch(choice.logprobs.content[0].token)


CLOVA: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": f"{NAME} 응대"},
        {"role": "user", "content": [{"type": "text", "text": TEXT}]},
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": "notify", "description": "알림", "parameters": {"type": "object"}},
        }
    ],
    "topP": 0.8,
    "thinking": {"effort": "low"},
}


@pytest.mark.parametrize("size", [1, 17, 10_000])
def test_clova(run_server: Serve, tools: tuple[str, ...], size: int) -> None:
    """Whole and streamed; the whole message at the end of a stream agrees with its pieces."""
    server = run_server(lambda request: provider(request, size))
    guard = Guard(_analyzer=PatternAnalyzer(), restore_tools=tools)
    url = server.base_url.removesuffix("/v1") + "/v3/chat-completions/HCX-007"
    with guard.http_client() as client:
        message = client.post(url, json=CLOVA).json()["result"]["message"]
        check(message["content"], message["toolCalls"][0]["function"]["arguments"], tools)
        assert message["thinkingContent"] == f"{NAME}에 대해"
        turns = [*CLOVA["messages"], message, {"role": "tool", "content": f"{NAME} 확인", "toolCallId": "t1"}]
        again = client.post(url, json={**CLOVA, "messages": turns}).json()["result"]["message"]["content"]
        assert again == f"받은 말: {NAME} 확인"
        with client.stream("POST", url, json=CLOVA, headers={"accept": "text/event-stream"}) as response:
            events = EventReader().feed(b"".join(response.iter_bytes()))
    got = {"content": "", "thinkingContent": ""}
    for event in events:
        said = json.loads(event.data or "")["message"]
        if event.name == "token":
            got = {key: value + said.get(key, "") for key, value in got.items()}
        else:
            check(said["content"], said["toolCalls"][0]["function"]["arguments"], tools)
    assert got == {"content": SAID, "thinkingContent": f"{NAME}에 대해"}
    assert_only_surrogates(server)


GEMINI: dict[str, Any] = {
    "contents": [{"role": "user", "parts": [{"text": TEXT}]}],
    "systemInstruction": {"parts": [{"text": f"{NAME} 응대"}]},
    "tools": [{"functionDeclarations": [{"name": "notify", "parameters": {"type": "OBJECT"}}]}],
    "generationConfig": {"temperature": 0.1},
}


@pytest.mark.parametrize("size", [1, 17, 10_000])
def test_gemini(run_server: Serve, tools: tuple[str, ...], size: int) -> None:
    """Whole, as events and as one array."""
    server = run_server(lambda request: provider(request, size))
    guard = Guard(_analyzer=PatternAnalyzer(), restore_tools=tools)
    url = server.base_url + "beta/models/m"
    with guard.http_client() as client:
        whole = client.post(f"{url}:generateContent", json=GEMINI).json()
        with client.stream("POST", f"{url}:streamGenerateContent?alt=sse", json=GEMINI) as response:
            events = EventReader().feed(b"".join(response.iter_bytes()))
        array = client.post(f"{url}:streamGenerateContent", json=GEMINI).json()
        model = whole["candidates"][0]["content"]
        result = {"functionResponse": {"name": "notify", "response": {"ok": f"{NAME} 확인"}}}
        turns = [*GEMINI["contents"], model, {"role": "user", "parts": [result]}]
        client.post(f"{url}:generateContent", json={**GEMINI, "contents": turns}).raise_for_status()
    for chunks in ([whole], [json.loads(event.data or "") for event in events], array):
        text = thought = ""
        arguments: Any = None
        for chunk in chunks:
            for part in chunk["candidates"][0]["content"]["parts"]:
                if "functionCall" in part:
                    arguments = part["functionCall"]["args"]
                elif part.get("thought"):
                    thought += part["text"]
                else:
                    text += part["text"]
        check(text, arguments, tools)
        assert thought == f"{NAME}에 대해"
    assert_only_surrogates(server)


@pytest.mark.parametrize("size", [1, 17, 10_000])
def test_ollama(run_server: Serve, tools: tuple[str, ...], size: int) -> None:
    """Its own client, whole and streamed, chat and generate; sync and async."""
    server = run_server(lambda request: provider(request, size))
    guard = Guard(_analyzer=PatternAnalyzer(), restore_tools=tools)
    host = server.base_url.removesuffix("/v1")
    with guard.wrap(ollama.Client(host=host)) as client:
        assert type(client) is ollama.Client
        assert guard.wrap(client) is client
        function = {
            "name": "notify",
            "description": "알림",
            "parameters": {"type": "object", "properties": {}},
        }
        ask: dict[str, Any] = {
            "model": "m",
            "messages": [{"role": "system", "content": f"{NAME} 응대"}, {"role": "user", "content": TEXT}],
            "tools": [{"type": "function", "function": function}],
            "think": True,
            "options": {"temperature": 0.1},
        }
        whole = client.chat(**ask).message
        assert whole.tool_calls is not None
        check(whole.content or "", dict(whole.tool_calls[0].function.arguments), tools)
        assert whole.thinking == f"{NAME}에 대해"
        text = thinking = ""
        arguments: Any = None
        for part in client.chat(**ask, stream=True):
            text += part.message.content or ""
            thinking += part.message.thinking or ""
            for call in part.message.tool_calls or ():
                arguments = dict(call.function.arguments)
        check(text, arguments, tools)
        assert thinking == f"{NAME}에 대해"
        result = {"role": "tool", "tool_name": "notify", "content": f"{NAME} 확인"}
        again = client.chat(model="m", messages=[*ask["messages"], whole, result])
        assert again.message.content == f"받은 말: {NAME} 확인"
        assert client.generate(model="m", prompt=TEXT, system=f"{NAME} 응대").response == SAID
        assert "".join(part.response for part in client.generate(model="m", prompt=TEXT, stream=True)) == SAID

    async def run() -> str:
        async with guard.wrap(ollama.AsyncClient(host=host)) as client:
            stream = await client.chat(model="m", messages=ask["messages"], stream=True)
            return "".join([part.message.content or "" async for part in stream])

    assert asyncio.run(run()) == SAID
    assert_only_surrogates(server)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("responses", {"model": "m", "input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}),
        ("responses", {"model": "m", "input": [{"type": "computer_call", "id": "x"}]}),
        ("responses", {"model": "m", "input": "가", "tools": [{"type": "web_search"}]}),
        ("responses", {"model": "m"}),
        ("messages", {"model": "m", "messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}),
        ("messages", {"model": "m", "messages": [{"role": "user", "content": "가"}], "tools": [{"type": "bash_20250124"}]}),
        ("messages", {"model": "m", "messages": [{"role": "user", "content": "가"}], "context": "알 수 없는 글"}),
        ("embeddings", {"model": "m", "input": 3}),
    ],
)  # fmt: skip
def test_what_holds_no_readable_text_is_refused(
    guard: Guard, run_server: Serve, path: str, body: Any
) -> None:
    """Images, tools that run elsewhere and unknown fields with text are not sent."""
    server = run_server(provider)
    with guard.http_client() as client, pytest.raises(UnsupportedPayload):
        client.post(f"{server.base_url}/{path}", json=body)
    assert server.received == []
