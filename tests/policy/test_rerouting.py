"""Requests that a policy sends elsewhere: asked of the target in its format, answered in the caller's, never less redacted."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anthropic
import httpx
import ollama
import pytest
from openai import APIError, APIStatusError, AsyncOpenAI, OpenAI

from sovguard import ConfigError, Guard, PolicyBlocked, UnsupportedPayload
from sovguard.demo_server import LocalServer, Received, Reply, serve
from sovguard.errors import ForeignSurrogate, LedgerError
from sovguard.ledger import create_ledger
from sovguard.policy import Policy, parse
from tests.ledger.places import KEY
from tests.servers import NAME, PHONE, RRN, TEXT, PatternAnalyzer, assert_only_surrogates
from tests.wire import provider

SAID = f"받은 말: {TEXT}"
Start = Callable[..., LocalServer]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers; no value may have arrived at any of them."""
    with ExitStack() as stack:

        def started(answer: Callable[[Received], Reply] = provider) -> LocalServer:
            server = stack.enter_context(serve(answer))
            stack.callback(assert_only_surrogates, server)
            return server

        yield started


def refuse(request: Received) -> Reply:
    """A provider that is out."""
    return Reply(b'{"error": {"message": "overloaded"}}', 503, headers={"content-type": "application/json"})


def policy(far: LocalServer, near: LocalServer, *lines: str, key: str = "") -> Policy:
    """One foreign and one domestic provider, and a rule that sends resident numbers to the domestic one."""
    places = [
        f"""
[[destination]]
id = "{name}"
provider = "{name}"
urls = ["{server.base_url.removesuffix("/v1")}/"]
facts = {{ jurisdiction = "{law}" }}
"""
        for name, server, law in (("far", far, "US"), ("near", near, "KR"))
    ]
    return parse(
        "\n".join(
            [
                'version = 1\nname = "p"',
                *places,
                f"""
[[target]]
id = "korea"
destination = "near"
url = "{near.base_url}"
dialect = "openai-chat"
models = {{ "gpt-5" = "HCX-007", "*" = "HCX-005" }}
{key}
[[rule]]
id = "swap"
data = ["*"]
action = "tokenize"
[[rule]]
id = "at-home"
data = ["KR_RRN"]
to = {{ jurisdiction_not = ["KR"] }}
action = "reroute"
reroute_to = "korea"
""",
                *lines,
            ]
        )
    )


def guard_for(*args: Any, **more: Any) -> Guard:
    """A guard under such a policy."""
    return Guard(_analyzer=PatternAnalyzer(), policy=policy(*args, **more))


MESSAGES: Any = [{"role": "user", "content": TEXT}]


def chat(guard: Guard, server: LocalServer, *, stream: bool = False, text: str = TEXT) -> str:
    """Asked through OpenAI's Chat Completions."""
    with guard.wrap(OpenAI(api_key="far-key", base_url=server.base_url, max_retries=0)) as client:
        asked: Any = {"model": "gpt-5", "messages": [{"role": "user", "content": text}]}
        if not stream:
            return client.chat.completions.create(**asked).choices[0].message.content or ""
        pieces = client.chat.completions.create(**asked, stream=True)
        return "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)


def responses(guard: Guard, server: LocalServer, *, stream: bool = False) -> str:
    """Asked through OpenAI's Responses."""
    with guard.wrap(OpenAI(api_key="far-key", base_url=server.base_url, max_retries=0)) as client:
        if not stream:
            return client.responses.create(model="gpt-5", input=TEXT).output_text
        with client.responses.stream(model="gpt-5", input=TEXT) as events:
            said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
            assert events.get_final_response().output_text == said
            return said


def messages(guard: Guard, server: LocalServer, *, stream: bool = False) -> str:
    """Asked through Anthropic's Messages."""
    url = server.base_url.removesuffix("/v1")
    with guard.wrap(anthropic.Anthropic(api_key="far-key", base_url=url, max_retries=0)) as client:
        asked: Any = {"model": "claude", "max_tokens": 99, "messages": MESSAGES}
        if not stream:
            return client.messages.create(**asked).content[0].text  # type: ignore[no-any-return]
        with client.messages.stream(**asked) as events:
            said = "".join(events.text_stream)
            assert events.get_final_message().content[0].text == said
            return said


def lines(guard: Guard, server: LocalServer, *, stream: bool = False) -> str:
    """Asked through Ollama's own API."""
    client = guard.wrap(ollama.Client(host=server.base_url.removesuffix("/v1")))
    with client._client:
        if not stream:
            return client.chat("m", MESSAGES).message.content or ""
        return "".join(piece.message.content or "" for piece in client.chat("m", MESSAGES, stream=True))


WAYS = {"chat": chat, "responses": responses, "messages": messages, "ollama": lines}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_the_target_is_asked_and_the_caller_is_answered(
    start: Start, way: Callable[..., str], stream: bool
) -> None:
    """In every format: nothing arrives abroad, the target is asked for its model, and the answer has real values in it."""
    far, near = start(), start()
    assert way(guard_for(far, near), far, stream=stream) == SAID
    assert far.received == []
    (request,) = near.received
    body = request.json()
    assert request.path == "/v1/chat/completions"
    assert body["model"] == ("HCX-007" if way in (chat, responses) else "HCX-005")
    assert bool(body.get("stream")) is stream
    # The far provider's key is its own affair.
    assert not any("far-key" in value for value in request.headers.values())


def test_asynchronous_clients_too(start: Start) -> None:
    """Whole and streamed."""
    far, near = start(), start()
    guard = guard_for(far, near)

    async def run() -> list[str]:
        async with guard.wrap(AsyncOpenAI(api_key="key", base_url=far.base_url, max_retries=0)) as client:
            whole = await client.chat.completions.create(model="gpt-5", messages=MESSAGES)
            pieces = await client.chat.completions.create(model="gpt-5", messages=MESSAGES, stream=True)
            text = "".join([p.choices[0].delta.content or "" async for p in pieces if p.choices])
            return [whole.choices[0].message.content or "", text]

    assert asyncio.run(run()) == [SAID, SAID]
    assert far.received == []


def test_what_need_not_be_rerouted_is_not(start: Start) -> None:
    """Without a resident number the request goes where it is addressed to, with the caller's key."""
    far, near = start(), start()
    assert chat(guard_for(far, near), far, text=f"{NAME} {PHONE}") == f"받은 말: {NAME} {PHONE}"
    assert near.received == []
    assert far.received[0].headers["authorization"] == "Bearer far-key"


def test_the_targets_key_comes_from_the_environment(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where it is missing nothing is sent."""
    far, near = start(), start()
    guard = guard_for(far, near, key='key_env = "SOVGUARD_TEST_KEY"')
    with pytest.raises(ConfigError, match="SOVGUARD_TEST_KEY"):
        chat(guard, far)
    monkeypatch.setenv("SOVGUARD_TEST_KEY", "near-key")
    assert chat(guard, far) == SAID
    assert near.received[0].headers["authorization"] == "Bearer near-key"
    assert far.received == []


def test_tools_come_back_in_the_callers_format(start: Start) -> None:
    """A call of the target's is a call of the caller's, with real values for the named tool."""
    far, near = start(), start()
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(far, near), restore_tools=("notify",))
    url = far.base_url.removesuffix("/v1")
    tool: Any = {
        "name": "notify",
        "description": "알림",
        "input_schema": {"type": "object", "properties": {}},
    }
    with guard.wrap(anthropic.Anthropic(api_key="key", base_url=url, max_retries=0)) as client:
        asked: Any = {"model": "claude", "max_tokens": 99, "tools": [tool]}
        said = client.messages.create(**asked, messages=[{"role": "user", "content": f"{NAME} {RRN}"}])
        (use,) = [block for block in said.content if block.type == "tool_use"]
        assert use.input["who"] == NAME
        assert said.stop_reason == "tool_use"
        result: Any = {"type": "tool_result", "tool_use_id": use.id, "content": f"{PHONE}로 보냄"}
        told: Any = [
            {"role": "user", "content": f"{NAME} {RRN}"},
            {"role": "assistant", "content": said.content},
            {"role": "user", "content": [result]},
        ]
        ended = client.messages.create(**asked, messages=told)
        assert PHONE in ended.content[0].text
    assert far.received == []


def test_what_cannot_be_translated_is_refused(start: Start) -> None:
    """It is not sent at all: not abroad either."""
    far, near = start(), start()
    guard = guard_for(far, near)
    with guard.wrap(OpenAI(api_key="key", base_url=far.base_url, max_retries=0)) as client:
        with pytest.raises(UnsupportedPayload, match="rerouted"):
            client.embeddings.create(model="m", input=[TEXT])
        with pytest.raises(UnsupportedPayload):
            client.responses.create(model="m", input=TEXT, previous_response_id="r1")
    assert far.received + near.received == []


def test_errors_of_the_target_are_passed_on(start: Start) -> None:
    """With their status, so that clients do what they do with errors."""
    far, near = start(), start(lambda request: Reply(b'{"error": {"message": "no"}}', 400))
    with pytest.raises(APIStatusError) as failed:
        chat(guard_for(far, near), far)
    assert failed.value.status_code == 400
    assert far.received == []


FALLBACK = '[[fallback]]\nfrom = "far"\nto = ["korea"]'


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("out", ["says so", "is gone"])
def test_a_provider_that_is_out_is_replaced_along_allowed_edges(
    start: Start, out: str, asynchronous: bool
) -> None:
    """The target that the policy names takes over, judged anew; without one, the error is the caller's."""
    far, near = start(refuse), start()
    if out == "is gone":
        with serve(refuse) as gone:
            far_url = gone.base_url
        far = gone
    else:
        far_url = far.base_url
    text = f"{NAME} {PHONE}"

    def ask(guard: Guard) -> str:
        if not asynchronous:
            return chat(guard, far, text=text)

        async def run() -> str:
            async with guard.wrap(AsyncOpenAI(api_key="key", base_url=far_url, max_retries=0)) as client:
                told: Any = [{"role": "user", "content": text}]
                return (await client.chat.completions.create(model="m", messages=told)).choices[
                    0
                ].message.content or ""

        return asyncio.run(run())

    assert ask(guard_for(far, near, FALLBACK)) == f"받은 말: {text}"
    assert json.loads(near.received[0].body)["model"]
    masks = '[[rule]]\nid = "mask"\ndata = ["PHONE_NUMBER"]\nto = { destination = ["near"] }\naction = "mask"'
    assert ask(guard_for(far, near, FALLBACK, masks)) == f"받은 말: {NAME} 010-****-1234"
    with pytest.raises(Exception, match=r"503|Connection|overloaded"):
        ask(guard_for(far, near))
    forbidden = (
        '[[rule]]\nid = "not-there"\ndata = ["PERSON"]\nto = { destination = ["near"] }\naction = "block"'
    )
    with pytest.raises(Exception, match=r"503|Connection|overloaded"):
        ask(guard_for(far, near, FALLBACK, forbidden))
    assert len(near.received) == 2


def test_a_block_at_the_target_is_a_block(start: Start) -> None:
    """A reroute to where it may not go goes nowhere."""
    far, near = start(), start()
    rule = '[[rule]]\nid = "nowhere"\ndata = ["PERSON"]\nto = { destination = ["near"] }\naction = "block"'
    with pytest.raises(PolicyBlocked, match="nowhere"):
        chat(guard_for(far, near, rule), far)
    assert far.received + near.received == []


def test_a_target_is_where_it_says_it_is(start: Start) -> None:
    """A URL that leads to another destination than the target names is an error of the policy."""
    far, near = start(), start()
    with pytest.raises(ConfigError, match="its URL leads to far"):
        policy(
            far, near,
            f'[[target]]\nid = "odd"\ndestination = "near"\nurl = "{far.base_url}"\ndialect = "openai-chat"',
        )  # fmt: skip
    with pytest.raises(ConfigError, match="fallback"):
        policy(far, near, '[[fallback]]\nfrom = "far"\nto = ["none"]')


def test_who_cannot_send_elsewhere_sends_nothing(start: Start) -> None:
    """Adapters and decorated functions sit above whatever sends: what is to be rerouted is blocked there, and says so."""
    from langchain_core.language_models import FakeListChatModel

    from sovguard.clients.langchain import GuardedChatModel

    far, near = start(), start()
    guard = guard_for(far, near)
    heard: list[str] = []

    @guard.protect(destination="far")
    def talk(text: str) -> str:
        heard.append(text)
        return text

    with pytest.raises(PolicyBlocked, match="instead of far"):
        talk(TEXT)
    inner = FakeListChatModel(responses=["가"])
    model = GuardedChatModel(guard=guard, inner=inner, destination="far")
    with pytest.raises(PolicyBlocked, match="over HTTP"):
        model.invoke(TEXT)
    assert heard == []
    assert inner.i == 0


@pytest.mark.parametrize("place", ["/login", "{near}/v1/messages"], ids=["relative", "absolute"])
def test_a_target_that_redirects_gets_no_keys(start: Start, place: str) -> None:
    """What the caller meant for its provider goes neither to where the target points, nor does the target's path to it."""
    far = start()
    near = start(
        lambda request: Reply(b"", 307, headers={"location": place.replace("{near}", near.base_url[:-3])})
    )
    guard = guard_for(far, near)
    with (
        guard.http_client(follow_redirects=True) as client,
        pytest.raises(UnsupportedPayload, match="redirects"),
    ):
        client.post(
            f"{far.base_url}/messages",
            json={"model": "m", "max_tokens": 9, "messages": MESSAGES},
            headers={"x-api-key": "far-key"},
        )
    assert far.received == []
    assert len(near.received) == 1
    assert "far-key" not in repr(near.received[0].headers)


def test_a_targets_cookies_stay_with_it(start: Start) -> None:
    """An error of the target's leaves nothing with the caller that its provider would be sent later."""
    far = start()
    near = start(lambda request: Reply(b"{}", 400, headers={"set-cookie": "sid=near; Path=/"}))
    guard = guard_for(far, near)
    with guard.http_client() as client:
        body = {"model": "gpt-5", "messages": MESSAGES}
        assert client.post(f"{far.base_url}/chat/completions", json=body).status_code == 400
        plain = {"model": "gpt-5", "messages": [{"role": "user", "content": "가"}]}
        client.post(f"{far.base_url}/chat/completions", json=plain)
    assert "cookie" not in far.received[0].headers


def test_a_dry_run_falls_back_only_where_the_policy_lets_it(start: Start) -> None:
    """It records what would have been, and still asks nobody that the policy would not."""
    far, near = start(refuse), start()
    forbidden = (
        '[[rule]]\nid = "not-there"\ndata = ["PERSON"]\nto = { destination = ["near"] }\naction = "block"'
    )
    known = policy(far, near, FALLBACK, forbidden)
    dry = Policy(known.name, known.rules, known.catalogue, known.targets, True, known.digest, known.fallbacks)
    with pytest.raises(Exception, match="503"):
        chat(Guard(_analyzer=PatternAnalyzer(), policy=dry), far, text=NAME)
    assert near.received == []


def test_clients_that_hide_errors_do_not_hide_ours(start: Start) -> None:
    """anthropic's tries nothing again upon a block, and raises it as what it is, and as one of its own."""
    far, near = start(), start()
    rule = '[[rule]]\nid = "nowhere"\ndata = ["PERSON"]\nto = { destination = ["near"] }\naction = "block"'
    asked: list[str] = []

    class Watched(PatternAnalyzer):
        def analyze(self, text: str, *args: Any, **more: Any) -> Any:
            asked.append(text)
            return super().analyze(text, *args, **more)

    guard = Guard(_analyzer=Watched(), policy=policy(far, near, rule))
    url = far.base_url.removesuffix("/v1")
    with guard.wrap(anthropic.Anthropic(api_key="key", base_url=url)) as client:
        for each in (client, client.with_options(timeout=3)):
            with pytest.raises(PolicyBlocked, match="nowhere") as caught:
                each.messages.create(model="m", max_tokens=9, messages=MESSAGES)
            assert isinstance(caught.value, anthropic.AnthropicError)
            assert caught.value.decision is not None

    async def run() -> None:
        async with guard.wrap(anthropic.AsyncAnthropic(api_key="key", base_url=url)) as client:
            with pytest.raises(PolicyBlocked, match="nowhere"):
                await client.messages.create(model="m", max_tokens=9, messages=MESSAGES)

    asyncio.run(run())
    assert far.received + near.received == []


WHOLE = {
    "id": "x",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "말"}, "finish_reason": "stop"}],
}
SSE = {"content-type": "text/event-stream"}


@pytest.mark.parametrize("way", [chat, responses, messages])
def test_a_target_that_does_not_stream_is_heard_all_the_same(start: Start, way: Callable[..., str]) -> None:
    """Its whole answer comes as the stream that the caller asked for, in the caller's format."""
    far, near = start(), start(lambda request: Reply(json.dumps(WHOLE).encode()))
    assert way(guard_for(far, near), far, stream=True) == "말"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"data: {}\n\n", headers=SSE),
        Reply(b"<html>", headers={"content-type": "text/html"}),
        Reply(b"<html>"),
        Reply(b"{}"),
        Reply(b""),
        Reply(b'{"error": {"message": "no"}}'),
    ],
    ids=["events", "page", "no JSON", "another object", "nothing", "an error"],
)
@pytest.mark.parametrize("way", [chat, responses, messages])
def test_an_answer_in_another_shape_is_no_answer(start: Start, way: Callable[..., str], reply: Reply) -> None:
    """What a target answers with 200 and is not what it was asked for is an error that says whose."""
    far, near = start(), start(lambda request: reply)
    with pytest.raises(UnsupportedPayload, match=r"rerouted|target that the policy names"):
        way(guard_for(far, near), far)
    assert far.received == []


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_what_becomes_of_broken_answers_is_written_down(
    start: Start, tmp_path: Path, asynchronous: bool
) -> None:
    """A stream of a target's that breaks off, and one that cannot be given back, are not recorded as good ones."""
    text = json.dumps({"id": "x", "choices": [{"index": 0, "delta": {"content": "반쯤"}}]})
    pay = [{"index": 0, "id": "c", "function": {"name": "pay", "arguments": "[1]"}}]
    call = json.dumps(
        {"choices": [{"index": 0, "delta": {"tool_calls": pay}, "finish_reason": "tool_calls"}]}
    )
    replies = iter([f"data: {text}\n\n", f"data: {call}\n\n", f"data: {text}\n\ndata: [DONE]\n\n"])
    far, near = start(), start(lambda request: Reply(next(replies).encode(), headers=SSE))
    with create_ledger(str(tmp_path / "l"), KEY) as ledger:
        guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(far, near), ledger=ledger)
        host = far.base_url.removesuffix("/v1")
        asked: Any = {"model": "m", "messages": MESSAGES, "stream": True}

        async def run() -> None:
            client = guard.wrap(ollama.AsyncClient(host=host))
            for _ in range(3):
                with pytest.raises(ollama.ResponseError):
                    async for _ in await client.chat(**asked):
                        pass
            await client._client.aclose()

        if asynchronous:
            asyncio.run(run())
        else:
            llama = guard.wrap(ollama.Client(host=host))
            with llama._client:
                for _ in range(3):
                    with pytest.raises(ollama.ResponseError):
                        list(llama.chat(**asked))
        answers = [record for record in ledger.records() if record["kind"] == "answer"]
    assert [record["outcome"] for record in answers] == ["failed"] * 3


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_connection_is_let_go_when_no_other_can_be_asked(
    start: Start, tmp_path: Path, asynchronous: bool
) -> None:
    """A ledger that cannot take down the next try ends the request, and with it the answer of the one that was out."""
    far, near = start(refuse), start()
    ledger = create_ledger(str(tmp_path / "l"), KEY)
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(far, near, FALLBACK), ledger=ledger)
    append, closed = ledger.append, []

    def failing(kind: str, fields: Any) -> int:
        if fields.get("addressed"):
            raise LedgerError("full")
        return append(kind, fields)

    ledger.append = failing  # type: ignore[method-assign]
    body = {"model": "m", "messages": [{"role": "user", "content": NAME}]}
    url = f"{far.base_url}/chat/completions"

    class Heard(httpx.Response):
        def close(self) -> None:
            closed.append(self.status_code)
            super().close()

        async def aclose(self) -> None:
            closed.append(self.status_code)
            await super().aclose()

    def hear(response: httpx.Response) -> None:
        response.__class__ = Heard

    async def hear_async(response: httpx.Response) -> None:
        hear(response)

    async def run() -> None:
        inner = httpx.AsyncClient(event_hooks={"response": [hear_async]})
        async with guard.async_http_client(client=inner) as client:
            with pytest.raises(LedgerError, match="full"):
                await client.post(url, json=body)

    if asynchronous:
        asyncio.run(run())
    else:
        inner = httpx.Client(event_hooks={"response": [hear]})
        with guard.http_client(client=inner) as client, pytest.raises(LedgerError, match="full"):
            client.post(url, json=body)
    ledger.close()
    assert closed == [503]
    assert near.received == []


def test_errors_in_both_kinds_can_be_sent_to_other_processes(start: Start) -> None:
    """And copied; also those of a request that is not even built, and of a client over a guarded one."""
    far, near = start(), start()
    rule = '[[rule]]\nid = "nowhere"\ndata = ["PERSON"]\nto = { destination = ["near"] }\naction = "block"'
    guard = guard_for(far, near, rule)
    url = far.base_url.removesuffix("/v1")
    image: Any = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    with (
        guard.http_client() as http,
        guard.wrap(anthropic.Anthropic(api_key="key", base_url=url, http_client=http)) as client,
    ):
        for content, kind in ((TEXT, PolicyBlocked), ([image], UnsupportedPayload)):
            with pytest.raises(kind) as caught:
                client.messages.create(
                    model="m", max_tokens=9, messages=[{"role": "user", "content": content}]
                )
            assert isinstance(caught.value, anthropic.AnthropicError)
            for other in (pickle.loads(pickle.dumps(caught.value)), copy.deepcopy(caught.value)):  # noqa: S301  our own
                assert (type(other), str(other)) == (type(caught.value), str(caught.value))
    for base in (OSError, StopIteration, "x"):
        with pytest.raises(ConfigError, match="error_base"):
            guard.http_client(error_base=base)


def read(response: httpx.Response, said: list[bytes]) -> None:
    """Read a response as far as it goes."""
    for piece in response.iter_raw():
        said.append(piece)


def test_a_foreign_surrogate_ends_a_stream_as_broken(start: Start) -> None:
    """Before the error, no event says that the answer is whole; what came before it in the same piece is given."""
    other = Guard(_analyzer=PatternAnalyzer()).redact(NAME).text
    call = {"index": 0, "id": "c", "function": {"name": "pay", "arguments": json.dumps({"who": other})}}
    chunks = [
        {"choices": [{"index": 0, "delta": {"content": "앞부분"}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]},
    ]
    raw = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks) + b"data: [DONE]\n\n"
    far, near = start(), start(lambda request: Reply(raw, headers=SSE))
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(far, near), restore_tools=("pay",))
    url = far.base_url.removesuffix("/v1")
    with guard.http_client() as client:
        for path, body in (
            ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": MESSAGES, "stream": True}),
            ("/api/chat", {"model": "m", "messages": MESSAGES}),
        ):
            said: list[bytes] = []
            with (
                client.stream("POST", f"{url}{path}", json=body) as response,
                pytest.raises(ForeignSurrogate),
            ):
                read(response, said)
            text = b"".join(said).decode()
            assert json.dumps("앞부분")[1:-1] in text
            assert "broke off" in text
            assert "message_stop" not in text
            assert '"done": true' not in text.replace('":true', '": true')


@pytest.mark.parametrize(
    "data", [b'{"choices": [', b"3", b"\xff\xfe{}"], ids=["cut", "no object", "no UTF-8"]
)
def test_an_event_that_cannot_be_read_is_no_gap(start: Start, data: bytes) -> None:
    """What stood there is not left out without a word."""
    text = [json.dumps({"choices": [{"index": 0, "delta": {"content": each}}]}).encode() for each in "가다"]
    end = json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}).encode()
    raw = b"".join(b"data: " + each + b"\n\n" for each in (text[0], data, text[1], end, b"[DONE]"))
    far, near = start(), start(lambda request: Reply(b": hello\n\n" + raw, headers=SSE))
    with pytest.raises((UnsupportedPayload, APIError)):
        chat(guard_for(far, near), far, stream=True)


def test_what_is_cut_off_while_it_is_prepared_is_ended_in_the_records(start: Start, tmp_path: Path) -> None:
    """A request whose sender has gone before it was sent, the first or a fallback, has an answer that says so."""
    far, near = start(refuse), start()
    ledger = create_ledger(str(tmp_path / "l"), KEY)
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(far, near, FALLBACK), ledger=ledger)
    append = ledger.append

    async def run(slow: Callable[[Any], bool]) -> None:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        def slowly(kind: str, fields: Any) -> int:
            if slow(fields):
                loop.call_soon_threadsafe(begun.set)
                time.sleep(0.3)
            return append(kind, fields)

        ledger.append = slowly  # type: ignore[method-assign]
        body = {"model": "m", "messages": [{"role": "user", "content": NAME}]}
        async with guard.async_http_client() as client:
            task = asyncio.create_task(client.post(f"{far.base_url}/chat/completions", json=body))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.6)

    cases: list[tuple[Callable[[Any], bool], int]] = [
        (lambda fields: "addressed" not in fields and "of" not in fields, 1),
        (lambda fields: "fallback" in fields, 2),
    ]
    for slow, count in cases:
        before = sum(1 for _ in ledger.records())
        asyncio.run(run(slow))
        records = list(ledger.records())[before:]
        asked = {record["n"] for record in records if record["kind"] == "request"}
        answered = [record["of"] for record in records if record["kind"] == "answer"]
        assert len(asked) == count
        assert sorted(answered) == sorted(asked)
    assert near.received == []
    ledger.close()
