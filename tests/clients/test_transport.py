from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import httpx2
import pytest

from sovguard import (
    ConfigError,
    DetectionError,
    Guard,
    InputError,
    UnsupportedPayload,
    VaultError,
)
from sovguard.clients import wire
from sovguard.clients.transport import GuardedTransport
from sovguard.demo_server import LocalServer, Received, Reply, chat_completion, serve
from tests.servers import (
    EMAIL,
    NAME,
    PHONE,
    RRN,
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
Send = Callable[..., Any]

JSON = {"content-type": "application/json"}
REQUEST = {"model": "m", "messages": [{"role": "user", "content": TEXT}]}


@pytest.fixture(params=["httpx-sync", "httpx-async", "httpx2-sync", "httpx2-async"])
def send(request: pytest.FixtureRequest, guard: Guard) -> Send:
    """Sends one request through a guarded client of each library, sync and async."""
    library, _, way = request.param.partition("-")

    def send(
        url: str, method: str = "POST", *, using: Guard = guard, settings: Any = None, **options: Any
    ) -> Any:
        settings = {"library": library, **(settings or {})}
        if way == "sync":
            with using.http_client(**settings) as client:
                return client.request(method, url, **options)

        async def run() -> Any:
            async with using.async_http_client(**settings) as client:
                return await client.request(method, url, **options)

        return asyncio.run(run())

    send.library = {"httpx": httpx, "httpx2": httpx2}[library]  # type: ignore[attr-defined]
    send.sync = way == "sync"  # type: ignore[attr-defined]
    return send


def chat(server: LocalServer) -> str:
    """Return the address of chat completions."""
    return f"{server.base_url}/chat/completions"


def content(response: Any) -> str:
    """Return what the answer says."""
    said: str = response.json()["choices"][0]["message"]["content"]
    return said


def test_surrogates_arrive_and_real_values_come_back(send: Send, run_server: Serve) -> None:
    """The server sees no value in any encoding, the caller sees them all."""
    server = run_server(echo)
    response = send(chat(server), json=REQUEST)
    assert content(response) == f"받은 말: {TEXT}"
    assert_only_surrogates(server)
    assert len(SURROGATE.findall(last_text(server.received[0]))) == 4


def test_headers_and_settings_of_the_request_are_kept(send: Send, run_server: Serve) -> None:
    """Everything but the body and what describes it goes out as it was."""
    server = run_server(echo)
    send(
        chat(server),
        json=REQUEST,
        params={"api-version": "2024-10-21"},
        headers={"authorization": "Bearer key", "x-request": "7"},
        settings={"headers": {"x-default": "8"}, "params": {"q": "1"}, "cookies": {"c": "2"}},
    )
    received = server.received[0]
    assert received.headers["authorization"] == "Bearer key"
    assert (received.headers["x-request"], received.headers["x-default"]) == ("7", "8")
    assert received.headers["cookie"] == "c=2"
    assert received.path == "/v1/chat/completions?q=1&api-version=2024-10-21"
    assert int(received.headers["content-length"]) == len(received.body)
    assert received.headers["content-type"] == "application/json"


def test_the_timeout_is_kept(send: Send, run_server: Serve) -> None:
    """A slow server runs into the caller's own time limit, as the library's own error."""
    import time

    server = run_server(lambda request: (time.sleep(0.6), echo(request))[1])
    with pytest.raises(send.library.ReadTimeout):  # type: ignore[attr-defined]
        send(chat(server), json=REQUEST, timeout=0.2)


def test_same_request_sends_the_same_bytes(guard: Guard, run_server: Serve) -> None:
    """Whoever retries above the transport sends byte for byte the same."""
    server = run_server(echo)
    with guard.http_client() as client:
        for _ in range(3):
            client.post(chat(server), json=REQUEST)
    assert len({request.body for request in server.received}) == 1


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "deflate, gzip", "identity", "GZIP"])
def test_compressed_requests_are_opened(send: Send, run_server: Serve, encoding: str) -> None:
    """A compressed body is redacted like any other and sent uncompressed."""
    body = json.dumps(REQUEST).encode()
    for name in encoding.lower().split(", "):
        if name in {"gzip", "x-gzip"}:
            body = gzip.compress(body)
        elif name == "deflate":
            body = zlib.compress(body)
    server = run_server(echo)
    response = send(chat(server), content=body, headers={**JSON, "content-encoding": encoding})
    assert content(response) == f"받은 말: {TEXT}"
    assert "content-encoding" not in server.received[0].headers
    assert_only_surrogates(server)


def test_raw_deflate_and_second_members_are_opened(guard: Guard, run_server: Serve) -> None:
    """Both readings of deflate are known, and a gzip file in two members is read to its end."""
    server = run_server(echo)
    body = json.dumps(REQUEST).encode()
    raw = zlib.compressobj(wbits=-15)
    with guard.http_client() as client:
        deflated = raw.compress(body) + raw.flush()
        client.post(chat(server), content=deflated, headers={"content-encoding": "deflate"})
        twice = gzip.compress(body[:30]) + gzip.compress(body[30:])
        client.post(chat(server), content=twice, headers={"content-encoding": "gzip"})
    assert server.received[0].body == server.received[1].body
    assert_only_surrogates(server)


BODY = json.dumps(REQUEST).encode()


@pytest.mark.parametrize(
    ("body", "headers", "what"),
    [
        (b"", JSON, "not JSON"),
        (b"{", JSON, "not JSON"),
        (TEXT.encode(), {"content-type": "text/plain"}, "not JSON"),
        (TEXT.encode("cp949"), JSON, "not JSON"),
        (b"[]", JSON, "list of messages"),
        (BODY, {**JSON, "content-encoding": "br"}, "content encoding"),
        (BODY, {**JSON, "content-encoding": "zstd"}, "content encoding"),
        (BODY, {**JSON, "content-encoding": "gzip"}, "encoding that its headers name"),
        (gzip.compress(BODY)[:-9], {**JSON, "content-encoding": "gzip"}, "too early"),
        (gzip.compress(BODY), JSON, "not JSON"),
        (BODY, {"content-type": "multipart/form-data; boundary=x"}, "multipart"),
        (BODY, {**JSON, "content-md5": "x"}, "signature or digest"),
        (BODY, {**JSON, "authorization": "AWS4-HMAC-SHA256 x"}, "signature or digest"),
        (b'{"messages":[{"role":"user","content":"\\ud83d"}]}', JSON, "UTF-16"),
    ],
)
def test_bodies_that_cannot_be_read_are_not_sent(
    send: Send, run_server: Serve, body: bytes, headers: dict[str, str], what: str
) -> None:
    """Whatever cannot be inspected for certain is refused by a typed error, and the server hears nothing."""
    server = run_server(echo)
    with pytest.raises(UnsupportedPayload, match=what) as refused:
        send(chat(server), content=body, headers=headers)
    assert not any(value in repr(refused.value) for value in VALUES)
    assert refused.value.__cause__ is None
    assert server.received == []


def test_a_body_that_inflates_without_end_is_refused(
    guard: Guard, run_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small compressed body cannot fill the memory."""
    monkeypatch.setattr(wire, "MAX_BODY", 1 << 20)
    server = run_server(echo)
    bomb = gzip.compress(b" " * (4 << 20))
    with guard.http_client() as client, pytest.raises(UnsupportedPayload, match="grows beyond 1 MiB"):
        client.post(chat(server), content=bomb, headers={"content-encoding": "gzip"})
    assert server.received == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/completions"),
        ("POST", "/moderations"),
        ("POST", "/v3/chat-completions"),
        ("POST", "/chat/completions/x"),
        ("PUT", "/chat/completions"),
        ("PATCH", "/chat/completions"),
        ("GET", "/chat/completions"),
        ("DELETE", "/files/x"),
    ],
)
def test_other_requests_with_a_body_are_refused(
    send: Send, run_server: Serve, method: str, path: str
) -> None:
    """Only the known formats are understood; nothing else with a body leaves."""
    server = run_server(echo)
    with pytest.raises(UnsupportedPayload, match=f"this {method} with a body is not supported"):
        send(f"{server.base_url}{path}", method, json=REQUEST)
    assert server.received == []


def test_uploads_are_refused_without_being_read(guard: Guard, run_server: Serve) -> None:
    """A file that may be large is not read into memory to be refused."""
    server = run_server(echo)

    def chunks() -> Any:
        raise AssertionError("the body was read")
        yield b""

    with guard.http_client() as client:
        with pytest.raises(UnsupportedPayload, match="not supported"):
            client.post(f"{server.base_url}/files", content=chunks())
        with pytest.raises(UnsupportedPayload, match="not supported"):
            client.post(f"{server.base_url}/files", files={"file": ("a.txt", TEXT.encode())})
    assert server.received == []


def test_a_body_in_pieces_is_redacted_whole(send: Send, run_server: Serve) -> None:
    """A body from a generator is read to its end first; where it was cut does not matter."""
    body = json.dumps(REQUEST, ensure_ascii=False).encode()
    pieces = [body[index : index + 7] for index in range(0, len(body), 7)]

    async def apart() -> Any:
        for piece in pieces:
            yield piece

    server = run_server(echo)
    source = iter(pieces) if send.sync else apart()  # type: ignore[attr-defined]
    response = send(chat(server), content=source, headers=JSON)
    assert content(response) == f"받은 말: {TEXT}"
    assert "transfer-encoding" not in server.received[0].headers
    assert_only_surrogates(server)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "POST"])
def test_requests_without_a_body_pass(send: Send, run_server: Serve, method: str) -> None:
    """Listing models and the like works as ever, and the answer is left alone."""
    surrogate = "PERSON-ABCD1234"
    server = run_server(lambda request: Reply(json.dumps({"data": [surrogate]}).encode()))
    response = send(f"{server.base_url}/models", method)
    assert response.status_code == 200
    if method != "HEAD":
        assert response.json() == {"data": [surrogate]}


@pytest.mark.parametrize(
    "where", ["/models?owner={}", "/models/{}", "/models?{}=1", "/chat/completions?user={}"]
)
@pytest.mark.parametrize("value", [NAME, PHONE, RRN, EMAIL])
def test_personal_information_in_a_url_is_refused(
    send: Send, run_server: Serve, where: str, value: str
) -> None:
    """A URL cannot be redacted, so it must hold nothing."""
    server = run_server(echo)
    chats = "chat" in where
    with pytest.raises(UnsupportedPayload, match="URL holds personal information") as refused:
        send(
            server.base_url + where.format(value),
            "POST" if chats else "GET",
            json=REQUEST if chats else None,
        )
    assert value not in str(refused.value)
    assert server.received == []


def test_websockets_are_refused(guard: Guard, run_server: Serve) -> None:
    """A connection that turns into a websocket would pass by the redaction."""
    server = run_server(echo)
    with guard.http_client() as client:
        with pytest.raises(UnsupportedPayload, match="websocket"):
            client.get(server.base_url, headers={"upgrade": "websocket", "connection": "upgrade"})
        with pytest.raises(UnsupportedPayload, match="websocket"):
            client.get(server.base_url.replace("http", "ws"))
    assert server.received == []


def test_refusals_come_while_a_request_is_built(guard: Guard, run_server: Serve) -> None:
    """What openai before version 3 would hide and repeat is raised before its error handling begins."""
    server = run_server(echo)
    with guard.http_client(library="httpx") as client:
        with pytest.raises(UnsupportedPayload):
            client.build_request("POST", chat(server), json={"messages": "text"})
        with pytest.raises(UnsupportedPayload):
            client.build_request("POST", f"{server.base_url}/completions", json={"prompt": TEXT})


class BrokenVault:
    """A vault whose storage is gone."""

    def __getattr__(self, name: str) -> Any:
        raise VaultError("the vault could not be reached")


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"_analyzer": FailingAnalyzer()}, DetectionError),
        ({"_analyzer": PatternAnalyzer(), "vault": BrokenVault()}, VaultError),
    ],
)
def test_nothing_is_sent_if_a_step_fails(
    send: Send, run_server: Serve, settings: dict[str, Any], error: type[Exception]
) -> None:
    """If detection or the vault fails, the error reaches the caller and the server hears nothing."""
    server = run_server(echo)
    with pytest.raises(error) as failed:
        send(chat(server), using=Guard(**settings), json=REQUEST)
    assert not any(value in repr(failed.value) for value in VALUES)
    assert server.received == []


@pytest.mark.parametrize("status", [400, 404, 422, 429, 500, 503])
def test_errors_that_quote_the_request_keep_surrogates(send: Send, run_server: Serve, status: int) -> None:
    """An error body goes into exceptions and logs, so no real value is put back into it."""

    def quote(request: Received) -> Reply:
        return Reply(chat_completion(last_text(request)), status, {"content-type": "application/json"})

    server = run_server(quote)
    response = send(chat(server), json=REQUEST)
    assert response.status_code == status
    assert not any(value in response.text for value in VALUES)
    assert len(SURROGATE.findall(content(response))) == 4


@pytest.mark.parametrize("kind", ["text/html", "text/event-stream", "application/octet-stream"])
def test_answers_that_are_not_json_keep_surrogates(send: Send, run_server: Serve, kind: str) -> None:
    """An answer of another kind comes through byte for byte."""
    server = run_server(lambda request: Reply(request.body, 200, {"content-type": kind}))
    response = send(chat(server), json=REQUEST)
    assert response.content == server.received[0].body
    assert response.headers["content-type"] == kind


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff\x00", b"[1]", b'{"choices": 5}', b'"a"'])
def test_garbage_comes_through_as_it_is(send: Send, run_server: Serve, body: bytes) -> None:
    """What claims to be JSON and is not, or is of another shape, reaches the caller unchanged."""
    server = run_server(lambda request: Reply(body))
    assert send(chat(server), json=REQUEST).content == body


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_answers_are_restored(send: Send, run_server: Serve, encoding: str) -> None:
    """The answer is decoded, restored, and described by the right headers."""

    def compress(request: Received) -> Reply:
        body = echo(request).body
        packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
        return Reply(packed, 200, {**JSON, "content-encoding": encoding, "x-kept": "1"})

    server = run_server(compress)
    response = send(chat(server), json=REQUEST)
    assert content(response) == f"받은 말: {TEXT}"
    assert "content-encoding" not in response.headers
    assert int(response.headers["content-length"]) == len(response.content)
    assert response.headers["x-kept"] == "1"


def test_a_badly_compressed_answer_is_the_librarys_error(send: Send, run_server: Serve) -> None:
    """A broken answer fails as it would without a guard."""
    server = run_server(lambda request: Reply(b"not gzip", 200, {**JSON, "content-encoding": "gzip"}))
    with pytest.raises(send.library.DecodingError):  # type: ignore[attr-defined]
        send(chat(server), json=REQUEST)


def test_an_unreachable_server_is_the_librarys_error(send: Send) -> None:
    """Connection errors reach the caller as what they are."""
    with serve(echo) as server:
        address = chat(server)
    with pytest.raises(send.library.ConnectError):  # type: ignore[attr-defined]
        send(address, json=REQUEST)


def test_a_request_built_without_content_headers_is_read(guard: Guard, run_server: Serve) -> None:
    """A body that no header announces is found all the same."""
    server = run_server(echo)
    with guard.http_client() as client:
        stream = httpx2.ByteStream(BODY)
        with pytest.raises(UnsupportedPayload):
            client.send(httpx2.Request("POST", f"{server.base_url}/files", stream=stream))
        answer = client.send(httpx2.Request("POST", chat(server), headers={"host": "a"}, stream=stream))
    assert content(answer) == f"받은 말: {TEXT}"
    assert len(server.received) == 1
    assert_only_surrogates(server)


def redirect(status: int, path: str) -> Reply:
    """Return an answer that sends the client elsewhere."""
    return Reply(b"", status, {"location": path})


@pytest.mark.parametrize("status", [307, 308])
def test_redirects_that_keep_the_body_send_surrogates_again(
    send: Send, run_server: Serve, status: int
) -> None:
    """Each hop passes through the transport; the second sends the same bytes as the first."""
    server = run_server(in_turn(redirect(status, "/v2/chat/completions"), echo))
    response = send(chat(server), json=REQUEST, follow_redirects=True)
    assert content(response) == f"받은 말: {TEXT}"
    assert [request.path for request in server.received] == ["/v1/chat/completions", "/v2/chat/completions"]
    assert server.received[0].body == server.received[1].body
    assert_only_surrogates(server)
    assert len(response.history) == 1


def test_redirects_to_an_unknown_path_are_refused(send: Send, run_server: Serve) -> None:
    """A body that would follow a redirect to another kind of request is not sent there."""
    server = run_server(in_turn(redirect(307, "/collect"), echo))
    with pytest.raises(UnsupportedPayload):
        send(chat(server), json=REQUEST, follow_redirects=True)
    assert len(server.received) == 1
    assert_only_surrogates(server)


def test_redirects_are_not_followed_unless_asked_for(send: Send, run_server: Serve) -> None:
    """The choice stays with the caller."""
    server = run_server(in_turn(redirect(307, "/elsewhere")))
    assert send(chat(server), json=REQUEST).status_code == 307


def test_a_password_does_not_follow_a_redirect_to_another_host(send: Send, run_server: Serve) -> None:
    """Authentication of the client is used once and dropped where the library drops it."""
    other = run_server(echo)
    elsewhere = other.base_url.replace("127.0.0.1", "localhost") + "/chat/completions"
    server = run_server(in_turn(redirect(307, elsewhere)))
    send(
        chat(server),
        json=REQUEST,
        follow_redirects=True,
        settings={"auth": ("user", "password")},
    )
    assert server.received[0].headers["authorization"].startswith("Basic ")
    assert "authorization" not in other.received[0].headers
    assert_only_surrogates(other)


def test_the_current_session_is_used(guard: Guard, run_server: Serve, send: Send) -> None:
    """Inside a session's block its surrogates are used, outside of it the default session's."""
    server = run_server(echo)
    send(chat(server), json=REQUEST)
    with guard.session("conversation-1") as session:
        send(chat(server), json=REQUEST)
        expected = session.redact(NAME).text
    assert last_text(server.received[1]).startswith(expected)
    assert not last_text(server.received[0]).startswith(expected)


def test_tasks_of_one_loop_keep_their_sessions_apart(guard: Guard, run_server: Serve) -> None:
    """Concurrent conversations in one event loop never use each other's session."""
    server = run_server(echo)

    async def converse(client: Any, number: int) -> tuple[str, str]:
        with guard.session(f"conversation-{number}") as session:
            response = await client.post(chat(server), json=REQUEST)
            return content(response), session.redact(NAME).text

    async def run() -> list[tuple[str, str]]:
        async with guard.async_http_client() as client:
            return await asyncio.gather(*(converse(client, number) for number in range(8)))

    spoken = asyncio.run(run())
    assert {said for said, _ in spoken} == {f"받은 말: {TEXT}"}
    used = {last_text(request).split(" ")[0] for request in server.received}
    assert used == {surrogate for _, surrogate in spoken}
    assert len(used) == 8


def test_sixteen_threads_share_one_client(guard: Guard, run_server: Serve) -> None:
    """One guarded client serves many threads, and each reads its own answer."""
    server = run_server(echo)
    with guard.http_client() as client, ThreadPoolExecutor(16) as pool:

        def ask(number: int) -> str:
            said = f"{number}번 {NAME} 010-0000-{number:04}"
            request = {"messages": [{"role": "user", "content": said}]}
            return content(client.post(chat(server), json=request))

        answers = list(pool.map(ask, range(64)))
    assert answers == [f"받은 말: {number}번 {NAME} 010-0000-{number:04}" for number in range(64)]
    assert not any("010-0000-" in request.text or NAME in request.text for request in server.received)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_an_existing_client_is_built_upon(guard: Guard, run_server: Serve, library: Any) -> None:
    """Its settings, hooks and authentication stay in use, and its hooks see surrogates."""
    server = run_server(echo)
    seen: list[bytes] = []
    with library.Client(
        auth=("user", "password"),
        base_url=server.base_url,
        headers={"x-team": "1"},
        timeout=7,
        event_hooks={"request": [lambda request: seen.append(request.content)]},
    ) as original:
        before = dict(vars(original))
        client = guard.http_client(client=original)
        assert isinstance(client, library.Client)
        assert client.timeout == original.timeout
        answer = client.post("/chat/completions", json=REQUEST)
        assert dict(vars(original)) == {**before, "_state": original._state}
        client.close()
        assert original.is_closed
    assert content(answer) == f"받은 말: {TEXT}"
    assert server.received[0].headers["x-team"] == "1"
    assert server.received[0].headers["authorization"].startswith("Basic ")
    assert seen == [server.received[0].body]
    assert_only_surrogates(server)


def test_protecting_twice_redacts_once(guard: Guard) -> None:
    """A client that this guard protects already is returned as it is; another guard's is refused."""
    with guard.http_client() as client:
        assert guard.http_client(client=client) is client
        with pytest.raises(InputError, match="another Guard"):
            Guard(_analyzer=PatternAnalyzer()).http_client(client=client)


def test_wrong_arguments_say_what_to_do(guard: Guard) -> None:
    """Settings that cannot be meant are refused, whichever library is meant."""
    with httpx.Client() as client:
        with pytest.raises(ConfigError, match="pass it alone"):
            guard.http_client(client=client, timeout=3)
        with pytest.raises(InputError, match="async_http_client"):
            guard.async_http_client(client=client)
    with pytest.raises(InputError, match="not int"):
        guard.http_client(client=5)
    with pytest.raises(ConfigError, match="'httpx2', 'httpx'"):
        guard.http_client(library="requests")


def test_a_missing_library_is_named(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without either library the message says what to install; with one, that one is used."""
    import sys

    monkeypatch.setitem(sys.modules, "httpx2", None)
    with guard.http_client() as client:
        assert isinstance(client, httpx.Client)
    with pytest.raises(ConfigError, match="pip install 'sovguard\\[httpx2\\]'"):
        guard.http_client(library="httpx2")


def test_the_answer_reports_how_long_it_took(guard: Guard, run_server: Serve) -> None:
    """A rebuilt answer has everything the library gives to an answer."""
    server = run_server(echo)
    with guard.http_client() as client:
        answer = client.post(chat(server), json=REQUEST)
        assert answer.elapsed.total_seconds() > 0
        assert answer.http_version == "HTTP/1.1"
        assert answer.request.url == chat(server)
        with client.stream("POST", chat(server), json=REQUEST) as streamed:
            assert json.loads(b"".join(streamed.iter_bytes()))["choices"]


def test_a_transport_shows_no_value(guard: Guard) -> None:
    """What debuggers print of a transport says nothing about texts."""
    with guard.http_client() as client:
        assert isinstance(client._transport, GuardedTransport)
        assert "GuardedTransport" in repr(client._transport)


def test_importing_sovguard_loads_no_http_library() -> None:
    """``import sovguard`` and the modules of the clients stay light."""
    import subprocess
    import sys

    code = (
        "import sys, sovguard, sovguard.clients.http_clients, sovguard.clients.wrap, sovguard.clients.decorator;"
        "print(sorted({'httpx', 'httpx2', 'openai'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
