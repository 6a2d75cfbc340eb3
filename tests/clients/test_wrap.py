from __future__ import annotations

import asyncio
import json
import sys
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import httpx2
import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

from sovguard import DetectionError, Guard, InputError, UnsupportedPayload
from sovguard.demo_server import LocalServer, Received, Reply, chat_completion
from tests.servers import (
    NAME,
    PHONE,
    SURROGATE,
    TEXT,
    VALUES,
    FailingAnalyzer,
    PatternAnalyzer,
    assert_only_surrogates,
    echo,
    in_turn,
    last_text,
)

Serve = Callable[[Callable[[Received], Reply]], LocalServer]
Ask = Callable[..., Any]
MESSAGES: Any = [{"role": "user", "content": TEXT}]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, guard: Guard) -> Ask:
    """Asks one question through a wrapped OpenAI or AsyncOpenAI client."""

    def ask(server: LocalServer, *, using: Guard = guard, client: Any = None, **options: Any) -> Any:
        settings = {"api_key": "key", "base_url": server.base_url, **(client or {})}
        options = {"model": "m", "messages": MESSAGES, **options}
        if request.param == "sync":
            with using.wrap(OpenAI(**settings)) as wrapped:
                return wrapped.chat.completions.create(**options)

        async def run() -> Any:
            async with using.wrap(AsyncOpenAI(**settings)) as wrapped:
                return await wrapped.chat.completions.create(**options)

        return asyncio.run(run())

    return ask


@pytest.fixture
def websockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for the package websockets, whose every name counts as a connection that was opened."""

    class Connect:
        def __init__(self, *_: Any, **__: Any) -> None:
            raise AssertionError("a websocket was opened")

    for name in (
        "",
        ".asyncio",
        ".asyncio.client",
        ".exceptions",
        ".sync",
        ".sync.client",
        ".uri",
        ".version",
    ):
        module = types.ModuleType(f"websockets{name}")
        vars(module).update(
            connect=Connect, ClientConnection=object, SecurityError=OSError, parse_uri=Connect, version="15"
        )
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delitem(sys.modules, "openai.lib._websocket", raising=False)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the openai client try again at once."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.01)


def failing(status: int) -> Callable[[Received], Reply]:
    """Return an answer that fails and quotes what it was sent."""

    def fail(request: Received) -> Reply:
        return Reply(json.dumps({"error": {"message": last_text(request)}}).encode(), status)

    return fail


def test_surrogates_arrive_and_real_values_come_back(ask: Ask, run_server: Serve) -> None:
    """The server sees no value in any encoding, the caller reads them all."""
    server = run_server(echo)
    assert ask(server).choices[0].message.content == f"받은 말: {TEXT}"
    assert_only_surrogates(server)
    assert len(SURROGATE.findall(last_text(server.received[0]))) == 4


def test_a_conversation_keeps_its_surrogates(guard: Guard, run_server: Serve) -> None:
    """The restored answer, sent back as history, becomes the same surrogates again."""
    server = run_server(echo)
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        first = client.chat.completions.create(model="m", messages=MESSAGES)
        history = [*MESSAGES, first.choices[0].message.model_dump(), {"role": "user", "content": "계속"}]
        client.chat.completions.create(model="m", messages=history)
    sent = server.received[1].json()["messages"]
    assert SURROGATE.findall(sent[0]["content"]) == SURROGATE.findall(sent[1]["content"])
    assert_only_surrogates(server)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("status", [429, 500, 503])
def test_retries_send_the_same_bytes(ask: Ask, run_server: Serve, status: int) -> None:
    """When the openai client tries again, the body is byte for byte the one before."""
    server = run_server(in_turn(failing(status), failing(status), echo))
    assert ask(server).choices[0].message.content == f"받은 말: {TEXT}"
    assert len(server.received) == 3
    assert len({request.body for request in server.received}) == 1
    assert_only_surrogates(server)


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    ("status", "error"), [(400, openai.BadRequestError), (500, openai.InternalServerError)]
)
def test_errors_that_quote_the_request_show_surrogates(
    ask: Ask, run_server: Serve, status: int, error: type[openai.APIStatusError]
) -> None:
    """An exception of the openai client, which ends up in logs, holds no real value."""
    server = run_server(failing(status))
    with pytest.raises(error) as failed:
        ask(server)
    assert SURROGATE.search(str(failed.value))
    assert not any(value in f"{failed.value} {failed.value.body}" for value in VALUES)


@pytest.mark.usefixtures("no_waiting")
def test_an_unreachable_server_is_openais_error(ask: Ask, run_server: Serve) -> None:
    """Connection errors stay what a user of the client knows."""
    nowhere = LocalServer("http://127.0.0.1:1/v1")
    with pytest.raises(openai.APIConnectionError):
        ask(nowhere)


@pytest.mark.parametrize("body", [b"<html>", b"", b"{}"])
def test_answers_that_are_no_completion_do_what_they_do_without_a_guard(
    ask: Ask, run_server: Serve, body: bytes
) -> None:
    """Garbage reaches the openai client as it is, and nothing of ours breaks over it."""
    server = run_server(lambda request: Reply(body))
    plain = OpenAI(api_key="key", base_url=server.base_url)
    outcomes = []
    for call in (
        lambda: plain.chat.completions.create(model="m", messages=[]),
        lambda: ask(server),
    ):
        try:
            outcomes.append(repr(call()))
        except Exception as error:
            outcomes.append(type(error).__name__)
    plain.close()
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, UnsupportedPayload),
        ({"extra_body": {"note": NAME}}, UnsupportedPayload),
        ({"extra_query": {"who": NAME}}, UnsupportedPayload),
    ],
)
def test_refusals_reach_the_caller_as_they_are(
    ask: Ask, run_server: Serve, options: dict[str, Any], error: type[Exception]
) -> None:
    """A refused request is our typed error and leaves nothing behind."""
    server = run_server(echo)
    with pytest.raises(error) as refused:
        ask(server, **options)
    assert NAME not in str(refused.value)
    assert server.received == []


def test_failing_detection_reaches_the_caller_and_nothing_is_sent(ask: Ask, run_server: Serve) -> None:
    """If detection fails, its error is raised and the server hears nothing."""
    server = run_server(echo)
    with pytest.raises(DetectionError) as failed:
        ask(server, using=Guard(_analyzer=FailingAnalyzer()))
    assert not any(value in repr(failed.value) for value in VALUES)
    assert server.received == []


def calls_tool(request: Received) -> Reply:
    """Reply with a call of the tool notify about whoever is named first."""
    person = SURROGATE.findall(last_text(request))[0]
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "notify", "arguments": json.dumps({"to": person, "n": 1})},
    }
    return Reply(chat_completion("", tool_calls=[call]))


TOOLS: Any = [{"type": "function", "function": {"name": "notify", "description": f"{NAME}에게 알림"}}]


@pytest.mark.parametrize(("tools", "real"), [((), False), (("other",), False), (("notify",), True)])
def test_tool_calls_hold_real_values_only_where_allowed(
    ask: Ask, run_server: Serve, tools: tuple[str, ...], real: bool
) -> None:
    """Arguments keep surrogates unless the guard was told this tool's name."""
    server = run_server(calls_tool)
    using = Guard(_analyzer=PatternAnalyzer(), restore_tools=tools)
    message = ask(server, using=using, tools=TOOLS).choices[0].message
    to = json.loads(message.tool_calls[0].function.arguments)["to"]
    assert to == NAME if real else SURROGATE.fullmatch(to)
    assert_only_surrogates(server)


def test_structured_answers_are_parsed_with_real_values(guard: Guard, run_server: Serve) -> None:
    """An answer that has to be JSON is JSON with the real values in it."""
    from pydantic import BaseModel

    class Note(BaseModel):
        customer: str

    def note(request: Received) -> Reply:
        person = SURROGATE.findall(last_text(request))[0]
        return Reply(chat_completion(json.dumps({"customer": person})))

    server = run_server(note)
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        answer = client.chat.completions.parse(model="m", messages=MESSAGES, response_format=Note)
    assert answer.choices[0].message.parsed == Note(customer=NAME)


def test_raw_and_streamed_response_objects_work(guard: Guard, run_server: Serve) -> None:
    """The other ways to read an answer give the restored one too."""
    server = run_server(echo)
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        raw = client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES)
        assert raw.parse().choices[0].message.content == f"받은 말: {TEXT}"
        assert raw.http_response.elapsed.total_seconds() > 0
        with client.chat.completions.with_streaming_response.create(model="m", messages=MESSAGES) as streamed:
            body = b"".join(streamed.iter_bytes())
    assert json.loads(body)["choices"][0]["message"]["content"] == f"받은 말: {TEXT}"
    assert_only_surrogates(server)


def test_closing_closes_the_connections(guard: Guard) -> None:
    """A wrapped client owns its connections like any copy: nothing is left open behind it."""
    original = OpenAI(api_key="key", base_url="http://127.0.0.1:1/v1")
    guard.wrap(original).close()
    assert original.is_closed()


def test_every_setting_is_kept_and_the_original_untouched(guard: Guard) -> None:
    """The wrapped client has the settings of the original, which still works as before."""
    with OpenAI(
        api_key="key",
        organization="org",
        project="project",
        base_url="http://127.0.0.1:1/v1",
        timeout=12.5,
        max_retries=7,
        default_headers={"x-team": "1"},
        default_query={"q": "1"},
    ) as original:
        before = dict(vars(original))
        http_before = dict(vars(original._client))
        wrapped = guard.wrap(original)
        assert type(wrapped) is OpenAI
        for name in ("api_key", "organization", "project", "base_url", "timeout", "max_retries"):
            assert getattr(wrapped, name) == getattr(original, name)
        assert wrapped.default_headers == original.default_headers
        assert wrapped.default_query == original.default_query
        assert wrapped._client.follow_redirects == original._client.follow_redirects
        assert dict(vars(original)) == before
        assert dict(vars(original._client)) == http_before


def test_the_original_client_sends_as_before(guard: Guard, run_server: Serve) -> None:
    """Wrapping protects the wrapped client alone: what the original sends is the caller's own decision."""
    server = run_server(echo)
    with OpenAI(api_key="key", base_url=server.base_url) as original:
        guard.wrap(original)
        original.chat.completions.create(model="m", messages=[{"role": "user", "content": NAME}])
    assert last_text(server.received[0]) == NAME


@pytest.mark.usefixtures("websockets")
def test_copies_stay_protected(guard: Guard, run_server: Serve) -> None:
    """Copies of a wrapped client, and copies of those, with another HTTP client too, are protected."""
    server = run_server(echo)
    with (
        guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client,
        httpx2.Client() as own,
    ):
        copies = [
            client.with_options(timeout=5),
            client.copy(max_retries=1),
            client.with_options(timeout=5).with_options(max_retries=0),
            client.with_options(http_client=own),
            client.with_options(http_client=own).copy(),
        ]
        for copy in copies:
            answer = copy.chat.completions.create(model="m", messages=MESSAGES)
            assert answer.choices[0].message.content == f"받은 말: {TEXT}"
            with pytest.raises(UnsupportedPayload):
                copy.realtime.connect(model="m").enter()
        assert copies[0].timeout == 5
    assert len(server.received) == len(copies)
    assert_only_surrogates(server)


def test_wrapping_twice_redacts_once(guard: Guard, run_server: Serve) -> None:
    """A wrapped client is returned as it is; one built on a guarded HTTP client is not guarded again."""
    server = run_server(echo)
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        assert guard.wrap(client) is client
    built = OpenAI(api_key="key", base_url=server.base_url, http_client=guard.http_client())
    with guard.wrap(built) as client:
        assert client is not built
        client.chat.completions.create(model="m", messages=MESSAGES)
    analyzer: Any = guard._analyzer
    assert analyzer.batches == [[TEXT]]
    with pytest.raises(InputError, match="another Guard"):
        Guard(_analyzer=PatternAnalyzer()).wrap(client)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_clients_can_be_built_on_a_guarded_http_client(guard: Guard, run_server: Serve, library: Any) -> None:
    """The other way in: a guarded HTTP client of either library, given at construction."""
    server = run_server(echo)
    http = guard.http_client(library=library.__name__)
    with OpenAI(api_key="key", base_url=server.base_url, http_client=http) as client:
        answer = client.chat.completions.create(model="m", messages=MESSAGES)
    assert answer.choices[0].message.content == f"받은 말: {TEXT}"
    assert len(server.received) == 1
    assert_only_surrogates(server)


def test_async_clients_can_be_built_on_a_guarded_http_client(guard: Guard, run_server: Serve) -> None:
    """The same for AsyncOpenAI."""
    server = run_server(echo)

    async def run() -> Any:
        http = guard.async_http_client()
        async with AsyncOpenAI(api_key="key", base_url=server.base_url, http_client=http) as client:
            return await client.chat.completions.create(model="m", messages=MESSAGES)

    assert asyncio.run(run()).choices[0].message.content == f"받은 말: {TEXT}"
    assert_only_surrogates(server)


@pytest.mark.usefixtures("websockets")
def test_azure_clients_can_be_wrapped(guard: Guard, run_server: Serve) -> None:
    """The clients for Azure keep their type, their deployment path and their key."""
    server = run_server(echo)
    settings: Any = {
        "api_key": "key",
        "api_version": "2024-10-21",
        "azure_endpoint": server.base_url.removesuffix("/v1"),
        "azure_deployment": "gpt",
    }
    with guard.wrap(AzureOpenAI(**settings)) as client:
        assert type(client) is AzureOpenAI
        answer = client.chat.completions.create(model="m", messages=MESSAGES)
        with pytest.raises(UnsupportedPayload, match="websocket"):
            client.realtime.connect(model="m").enter()

    async def run() -> Any:
        async with guard.wrap(AsyncAzureOpenAI(**settings)) as client:
            return await client.chat.completions.create(model="m", messages=MESSAGES)

    for said in (answer, asyncio.run(run())):
        assert said.choices[0].message.content == f"받은 말: {TEXT}"
    path = "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    assert [request.path for request in server.received] == [path, path]
    assert server.received[0].headers["api-key"] == "key"
    assert_only_surrogates(server)


def test_other_methods_are_refused_by_name(guard: Guard, run_server: Serve) -> None:
    """What this version cannot inspect does not leave; what has no body does."""
    server = run_server(lambda request: Reply(b'{"object": "list", "data": []}'))
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        for call in (
            lambda: client.completions.create(model="m", prompt=TEXT),
            lambda: client.moderations.create(input=TEXT),
            lambda: client.files.create(file=("a.txt", TEXT.encode()), purpose="assistants"),
            lambda: client.post("/anything", body={"a": TEXT}, cast_to=object),
        ):
            with pytest.raises(UnsupportedPayload, match="/chat/completions"):
                call()
        assert server.received == []
        assert client.models.list().data == []


@pytest.mark.usefixtures("websockets")
def test_websockets_are_refused(guard: Guard) -> None:
    """Methods that open a websocket would pass by the HTTP client; they raise and no connection is made."""
    with guard.wrap(OpenAI(api_key="key", base_url="http://127.0.0.1:1/v1")) as client:
        for connect in (
            lambda: client.realtime.connect(model="m"),
            lambda: client.beta.realtime.connect(model="m"),
            lambda: client.responses.connect(),
            lambda: client.live.connect(),
            lambda: client.with_options(timeout=1).realtime.connect(model="m"),
        ):
            with pytest.raises(UnsupportedPayload, match="websocket"):
                connect().enter()
        assert "RefusingURL" in repr(client.websocket_base_url)


@pytest.mark.usefixtures("websockets")
def test_async_websockets_are_refused(guard: Guard) -> None:
    """The same for the asynchronous client."""

    async def run() -> None:
        async with guard.wrap(AsyncOpenAI(api_key="key", base_url="http://127.0.0.1:1/v1")) as client:
            with pytest.raises(UnsupportedPayload, match="websocket"):
                await client.realtime.connect(model="m").enter()

    asyncio.run(run())


@pytest.mark.parametrize("thing", [None, 5, "client", object(), httpx.Client, OpenAI, openai])
def test_anything_else_is_refused_with_what_is_supported(guard: Guard, thing: Any) -> None:
    """wrap() says which clients it takes and what to do with another."""
    with pytest.raises(InputError, match=r"OpenAI, AsyncOpenAI.*Anthropic.*guard\.http_client\(\)"):
        guard.wrap(thing)


def test_http_clients_are_pointed_to_the_other_way(guard: Guard) -> None:
    """An HTTP client itself is no model client."""
    with httpx2.Client() as client, pytest.raises(InputError, match=r"guard\.http_client"):
        guard.wrap(client)


def test_sixteen_threads_share_one_wrapped_client(guard: Guard, run_server: Serve) -> None:
    """Every thread reads its own answer, and nothing real arrives."""
    server = run_server(echo)
    with (
        guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client,
        ThreadPoolExecutor(16) as pool,
    ):

        def ask(number: int) -> str | None:
            said = f"{number}번 {NAME} 010-0000-{number:04}"
            answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": said}])
            return answer.choices[0].message.content

        answers = list(pool.map(ask, range(64)))
    assert answers == [f"받은 말: {number}번 {NAME} 010-0000-{number:04}" for number in range(64)]
    assert not any("010-0000-" in request.text or NAME in request.text for request in server.received)


def test_the_current_session_is_used(guard: Guard, run_server: Serve) -> None:
    """A call inside a session's block belongs to that conversation."""
    server = run_server(echo)
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        with guard.session("conversation-1") as session:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": PHONE}])
            assert last_text(server.received[0]) == session.redact(PHONE).text
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": PHONE}])
        assert last_text(server.received[1]) == guard.redact(PHONE).text


def test_a_wrapped_client_in_a_protected_function_redacts_once(guard: Guard, run_server: Serve) -> None:
    """What protect put in for a value is what the model reads, not a surrogate of that surrogate."""
    server = run_server(echo)

    @guard.protect
    def ask(prompt: str) -> str:
        with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
            answer = client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": f"요약: {prompt}"}]
            )
        return str(answer.choices[0].message.content)

    assert TEXT in ask(TEXT)
    assert_only_surrogates(server)
    (request,) = server.received
    assert "SURROGATE-" not in last_text(request)
    assert len(SURROGATE.findall(last_text(request))) == 4
