"""Streamed answers through real clients and a local server: every value comes back, whole and in time."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpx
import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from sovguard import ForeignSurrogate, Guard
from sovguard.clients.sse import EventReader
from sovguard.demo_server import Received, Reply
from tests.clients.conftest import Serve
from tests.servers import (
    NAME,
    OTHER_NAME,
    PHONE,
    SURROGATE,
    TEXT,
    PatternAnalyzer,
    assert_only_surrogates,
    last_text,
)

MESSAGES: list[Any] = [{"role": "user", "content": TEXT}]


def chunk(delta: dict[str, Any], *, index: int = 0, finish: str | None = None) -> dict[str, Any]:
    """A chunk of a streamed answer."""
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def frames(chunks: Iterable[dict[str, Any]], *, end: str = "\n", done: bool = True) -> bytes:
    """The bytes of a stream."""
    parts = [f"data: {json.dumps(each, ensure_ascii=False)}{end}{end}" for each in chunks]
    return "".join([*parts, f"data: [DONE]{end}{end}" if done else ""]).encode()


def cut(raw: bytes, size: int) -> tuple[bytes, ...]:
    """Pieces of ``size`` bytes."""
    return tuple(raw[at : at + size] for at in range(0, len(raw), size))


def streaming(
    answer: Callable[[Received], Sequence[dict[str, Any]]],
    *,
    size: int = 50,
    end: str = "\n",
    headers: dict[str, str] | None = None,
    breaks: bool = False,
) -> Callable[[Received], Reply]:
    """A model that streams what ``answer`` gives."""
    kind = {"content-type": "text/event-stream; charset=utf-8"} if headers is None else headers

    def reply(request: Received) -> Reply:
        raw = frames(answer(request), end=end, done=not breaks)
        if kind.get("content-encoding") == "gzip":
            raw = gzip.compress(raw)
        return Reply(b"", headers=kind, pieces=cut(raw, size), breaks=breaks)

    return reply


def letters(request: Received) -> list[dict[str, Any]]:
    """The last message, letter by letter."""
    said = [chunk({"role": "assistant", "content": ""})]
    said += [chunk({"content": letter}) for letter in f"받은 말: {last_text(request)}"]
    return [*said, chunk({}, finish="stop")]


def text_of(stream: Iterable[Any]) -> str:
    """What the content of a stream adds up to."""
    return "".join(each.choices[0].delta.content or "" for each in stream if each.choices)


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_openai_gets_every_value_back(guard: Guard, run_server: Serve, size: int, end: str) -> None:
    """However the network cuts the stream; nothing but surrogates arrives at the model."""
    server = run_server(streaming(letters, size=size, end=end))
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        assert text_of(stream) == f"받은 말: {TEXT}"
    assert_only_surrogates(server)


@pytest.mark.parametrize(
    "headers",
    [{}, {"content-type": "text/event-stream", "content-encoding": "gzip"}, {"content-type": "text/plain"}],
)
def test_streams_under_other_headers(guard: Guard, run_server: Serve, headers: dict[str, str]) -> None:
    """A missing content type and a compressed stream change nothing."""
    server = run_server(streaming(letters, headers=headers))
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        assert text_of(stream) == f"받은 말: {TEXT}"


def test_async_clients_and_stream_helpers(guard: Guard, run_server: Serve) -> None:
    """AsyncOpenAI, and the helper that gathers events."""
    server = run_server(streaming(letters, size=11))

    async def run() -> tuple[str, str | None]:
        async with guard.wrap(AsyncOpenAI(api_key="key", base_url=server.base_url)) as client:
            stream = await client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
            parts = [each.choices[0].delta.content or "" async for each in stream]
            async with client.chat.completions.stream(model="m", messages=MESSAGES) as helper:
                final = await helper.get_final_completion()
            return "".join(parts), final.choices[0].message.content

    assert asyncio.run(run()) == (f"받은 말: {TEXT}",) * 2
    assert_only_surrogates(server)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_bare_http_clients(guard: Guard, run_server: Serve, library: Any) -> None:
    """Whoever reads the events alone reads them restored, and the body has no wrong length."""
    server = run_server(streaming(letters))
    with guard.http_client(library=library.__name__) as client:
        body = {"model": "m", "messages": MESSAGES, "stream": True}
        with client.stream("POST", f"{server.base_url}/chat/completions", json=body) as response:
            raw = b"".join(response.iter_bytes())
    events = EventReader()
    data = [each.data for each in events.feed(raw) if each.data]
    assert data[-1] == "[DONE]"
    whole = "".join(json.loads(each)["choices"][0]["delta"].get("content", "") for each in data[:-1])
    assert whole == f"받은 말: {TEXT}"


def test_two_choices_do_not_mix(guard: Guard, run_server: Serve) -> None:
    """Each choice has a lane of its own."""

    def both(request: Received) -> list[dict[str, Any]]:
        said = last_text(request)
        pairs = [
            (chunk({"content": a}), chunk({"content": b}, index=1))
            for a, b in zip(said, reversed(said), strict=True)
        ]
        return [each for pair in pairs for each in pair] + [
            chunk({}, finish="stop"),
            chunk({}, index=1, finish="stop"),
        ]

    server = run_server(streaming(both))
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        texts = {0: "", 1: ""}
        for each in client.chat.completions.create(model="m", messages=MESSAGES, n=2, stream=True):
            texts[each.choices[0].index] += each.choices[0].delta.content or ""
    assert texts[0] == TEXT
    assert texts[1] == last_text(server.received[0])[::-1]


def calling(name: str, *, index: int = 0) -> Callable[[Received], list[dict[str, Any]]]:
    """A model that says something and calls a tool with the first two surrogates it was given."""

    def answer(request: Received) -> list[dict[str, Any]]:
        one, two = SURROGATE.findall(last_text(request))[:2]
        source = json.dumps({"who": one, "text": f'"{two}"로\n연락', "n": 1}, ensure_ascii=False)
        said = [chunk({"content": part}) for part in (f"{one[:5]}", one[5:], "은 지금")]
        head = {"index": index, "id": "t", "type": "function", "function": {"name": name, "arguments": ""}}
        said.append(chunk({"tool_calls": [head]}))
        said += [
            chunk({"tool_calls": [{"index": index, "function": {"arguments": letter}}]}) for letter in source
        ]
        return [*said, chunk({}, finish="tool_calls")]

    return answer


def arguments_of(client: OpenAI) -> tuple[str, str]:
    """The content and the arguments of a streamed call."""
    content = arguments = ""
    for each in client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
        delta = each.choices[0].delta
        content += delta.content or ""
        for call in delta.tool_calls or []:
            arguments += (call.function.arguments or "") if call.function else ""
    return content, arguments


def test_arguments_are_restored_for_tools_that_may_know(run_server: Serve) -> None:
    """Escaped, in fragments, for named tools alone; the content before a call is complete."""
    server = run_server(streaming(calling("notify")))
    for tools, knows in ((("notify",), True), ((), False)):
        guard = Guard(_analyzer=PatternAnalyzer(), restore_tools=tools)
        with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
            content, arguments = arguments_of(client)
        assert content == f"{NAME}은 지금"
        parsed = json.loads(arguments)
        assert (parsed == {"who": NAME, "text": f'"{PHONE}"로\n연락', "n": 1}) is knows
        assert (SURROGATE.search(arguments) is None) is knows


def test_a_surrogate_of_another_session_in_arguments_is_an_error(run_server: Serve) -> None:
    """The tool does not run with it."""
    guard = Guard(_analyzer=PatternAnalyzer(), restore_tools=("notify",))
    other = Guard(_analyzer=PatternAnalyzer()).redact(OTHER_NAME).text
    call = {
        "index": 0,
        "id": "t",
        "type": "function",
        "function": {"name": "notify", "arguments": json.dumps({"who": other})},
    }
    server = run_server(streaming(lambda _: [chunk({"tool_calls": [call]}), chunk({}, finish="tool_calls")]))
    with (
        guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client,
        pytest.raises(ForeignSurrogate),
    ):
        arguments_of(client)


def test_what_is_held_comes_before_a_broken_connection(guard: Guard, run_server: Serve) -> None:
    """Nothing that arrived is lost when the stream is cut."""
    server = run_server(
        streaming(
            lambda request: [chunk({"content": SURROGATE.findall(last_text(request))[0][:9]})], breaks=True
        )
    )
    seen: list[str] = []

    def read(client: OpenAI) -> None:
        for each in client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
            seen.append(each.choices[0].delta.content or "")

    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url, max_retries=0)) as client:
        errors = (openai.APIConnectionError, httpx2.RemoteProtocolError)
        with pytest.raises(errors):
            read(client)
    assert len("".join(seen)) == 9


def test_what_is_certain_comes_at_once(guard: Guard, run_server: Serve) -> None:
    """A frame that holds no part of a surrogate is passed on without waiting for the next."""
    server = run_server(
        streaming(lambda _: [chunk({"content": "가나다 "}), chunk({"content": "라마바"}, finish="stop")])
    )
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        assert [each.choices[0].delta.content for each in stream] == ["가나다 ", "라마바"]


def test_a_stream_that_is_closed_early_closes_the_connection(guard: Guard, run_server: Serve) -> None:
    """A caller who stops reading leaves nothing open."""
    server = run_server(streaming(letters, size=1))
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        with client.chat.completions.create(model="m", messages=MESSAGES, stream=True) as stream:
            next(iter(stream))
        assert stream.response.is_closed
