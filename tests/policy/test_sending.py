"""Policies in the way of real requests: what arrives where, what does not, and what the error and the ledger say."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from sovguard import DetectionError, Guard, PolicyBlocked, UnsupportedPayload
from sovguard.demo_server import LocalServer, Received, Reply, serve
from sovguard.policy import PROFILES, parse
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
    last_text,
)

Serve = Callable[..., LocalServer]
MESSAGES: Any = [{"role": "user", "content": TEXT}]
PLACES = {
    "kr": ("KR", "KR", "standard"),
    "kr+": ("KR", "KR", "contracted"),
    "us": ("US", "US", "standard"),
    "us+": ("US", "US", "contracted"),
    "cn": ("CN", "CN", "standard"),
    "own": ("own", "own", "own"),
}


@pytest.fixture
def start() -> Iterator[Serve]:
    """Starts a server; no value may have arrived at any of them in the end."""
    with ExitStack() as stack:

        def started(answer: Callable[[Received], Reply] = echo) -> LocalServer:
            server = stack.enter_context(serve(answer))
            stack.callback(assert_only_surrogates, server)
            return server

        yield started


def policy(server: LocalServer, place: str, *lines: str, extends: str = "") -> Any:
    """A policy under which a server is a destination like one of ``PLACES``."""
    law, inference, trust = PLACES[place]
    facts = f'jurisdiction = "{law}", inference_region = "{inference}", training_use = "no"'
    return parse(
        "\n".join(
            [
                "version = 1",
                'name = "p"',
                f'extends = "{extends}"' if extends else "",
                "[[destination]]",
                'id = "here"',
                'provider = "here"',
                f'urls = ["{server.base_url.removesuffix("/v1")}/"]',
                f'trust = "{trust}"',
                f"facts = {{ {facts} }}",
                *lines,
            ]
        )
    )


def rule(name: str, *lines: str) -> str:
    """A rule."""
    return "\n".join(["[[rule]]", f'id = "{name}"', *lines])


SWAP = rule("swap", 'data = ["*"]', 'action = "tokenize"')


def ask(guard: Guard, server: LocalServer, text: str = TEXT, **more: Any) -> str:
    """What a model says to a text, asked through OpenAI's client."""
    client = guard.wrap(OpenAI(api_key="key", base_url=server.base_url, max_retries=0))
    with client:
        made = client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}], **more)
    return made.choices[0].message.content or ""


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("place", PLACES)
def test_nothing_forbidden_arrives(start: Serve, profile: str, place: str) -> None:
    """Under every profile and at every kind of destination: what may not go there does not, the rest comes back whole."""
    server = start()
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, place, extends=profile))
    home = {"kr-finance": {"kr+", "us+", "own"}, "kr-public": {"kr", "kr+", "own"}, "air-gapped": {"own"}}
    home |= {"cn-pipl": {"cn", "own"}, "us": set(PLACES) - {"cn"}, "eu-gdpr": set(PLACES) - {"cn"}}
    if place not in home.get(profile, set(PLACES)):
        with pytest.raises(PolicyBlocked) as blocked:
            ask(guard, server)
        assert server.received == []
        assert blocked.value.decision is not None
        assert not any(value in str(blocked.value) for value in VALUES)
        return
    removed = profile in ("kr-finance", "kr-public", "kr-medical") and place != "own"
    said = ask(guard, server)
    (request,) = server.received
    sent = last_text(request)
    assert len(SURROGATE.findall(sent)) == (3 if removed else 4)
    assert ("[삭제]" in sent) is removed
    assert said == f"받은 말: {TEXT.replace(RRN, '[삭제]') if removed else TEXT}"


def test_each_action(start: Serve) -> None:
    """Swapped, masked, removed and let through, in one text, with everything else where it was."""
    server = start()
    rules = (
        SWAP,
        rule("phones", 'data = ["PHONE_NUMBER"]', 'action = "mask"'),
        rule("numbers", 'data = ["KR_RRN"]', 'action = "remove"'),
    )
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", *rules))
    said = ask(guard, server)
    assert said == "받은 말: " + TEXT.replace(PHONE, "010-****-1234").replace(RRN, "[삭제]")
    assert last_text(server.received[0]).count("-") >= 3
    # The masked value is gone for good: the session has no surrogate for it.
    assert {entry.entity_type for entry in guard.vault.entries(guard.current_session()._ref) if entry} == {
        "PERSON",
        "EMAIL_ADDRESS",
    }


def test_what_is_allowed_arrives_as_it_is() -> None:
    """And is no reason to stop anything."""
    with serve(echo) as server:
        rules = (
            rule("swap", 'data = ["*"]', 'except = ["EMAIL_ADDRESS"]', 'action = "tokenize"'),
            rule("open", 'data = ["EMAIL_ADDRESS"]', 'action = "allow"'),
        )
        guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", *rules))
        assert ask(guard, server) == f"받은 말: {TEXT}"
        sent = last_text(server.received[0])
    assert EMAIL in sent
    assert not any(value in sent for value in (NAME, PHONE, RRN))


def test_numbers_of_tools_are_masked_as_texts(start: Serve) -> None:
    """A JSON number that is masked is a text from then on; a setting that would have to be is refused."""
    server = start()
    rules = (SWAP, rule("phones", 'data = ["PHONE_NUMBER"]', 'action = "mask"'))
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", *rules))
    arguments = json.dumps({"phone": PHONE, "who": NAME}, ensure_ascii=False)
    call = {"id": "c1", "type": "function", "function": {"name": "call", "arguments": arguments}}
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        client.chat.completions.create(
            model="m",
            messages=[
                {"role": "assistant", "content": None, "tool_calls": [call]},  # type: ignore[list-item]
                {"role": "tool", "tool_call_id": "c1", "content": PHONE},
                {"role": "user", "content": "다시"},
            ],
        )
    body = server.received[0].json()["messages"]
    assert json.loads(body[0]["tool_calls"][0]["function"]["arguments"])["phone"] == "010-****-1234"
    assert body[1]["content"] == "010-****-1234"


def test_unknown_addresses_get_nothing(start: Serve) -> None:
    """Not even a request without a body: only destinations that the policy knows are asked."""
    server = start()
    guard = Guard(_analyzer=PatternAnalyzer(), policy="kr-pipa")
    url = server.base_url.replace("127.0.0.1", "localhost.")
    client = guard.http_client(transport=httpx2.HTTPTransport())
    for method, more in (("GET", {}), ("POST", {"json": {"model": "m", "messages": MESSAGES}})):
        with pytest.raises(PolicyBlocked, match="no destination"):
            client.request(method, f"{url.replace('localhost.', '127.1')}/chat/completions", **more)
    assert server.received == []
    client.close()


def test_a_redirect_is_judged_where_it_leads(start: Serve) -> None:
    """A destination that sends a request on to another gets no further than the policy lets it."""
    far = start()
    near = start(lambda request: Reply(b"", 307, headers={"location": f"{far.base_url}/chat/completions"}))
    known = policy(near, "own", SWAP)
    guard = Guard(_analyzer=PatternAnalyzer(), policy=known)
    law = f"""
[[destination]]
id = "far"
provider = "far"
urls = ["{far.base_url}/"]
facts = {{ jurisdiction = "CN" }}
"""
    both = policy(
        near,
        "own",
        SWAP,
        rule("not-china", "everything = true", 'to = { jurisdiction = ["CN"] }', 'action = "block"'),
        law,
    )
    client = Guard(_analyzer=PatternAnalyzer(), policy=both).http_client(follow_redirects=True)
    with client, pytest.raises(PolicyBlocked, match="not-china"):
        client.post(f"{near.base_url}/chat/completions", json={"model": "m", "messages": MESSAGES})
    assert len(near.received) == 1
    assert far.received == []
    assert guard.policy.policy.catalogue.match(far.base_url) is not None


@pytest.mark.parametrize(
    "hide",
    [
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: "".join(f"%{octet:02X}" for octet in text.encode()),
        lambda text: text.encode().hex(),
        lambda text: base64.b64encode(text.encode("cp949")).decode(),
    ],
    ids=["base64", "percent", "hex", "base64 of cp949"],
)
def test_a_hidden_value_is_stopped_at_the_last_moment(start: Serve, hide: Callable[[str], str]) -> None:
    """Detection reads no encodings; what the session knows by then is not let out in one, in this request or a later one."""
    server = start()
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", SWAP))
    with pytest.raises(PolicyBlocked, match="still in it"):
        ask(guard, server, f"{PHONE} 아니면 {hide(PHONE)}")
    ask(guard, server, f"고객 {EMAIL}")
    with pytest.raises(PolicyBlocked, match="still in it") as stopped:
        ask(guard, server, f"첨부: {hide(EMAIL)}")
    assert not any(value in str(stopped.value) for value in VALUES)
    assert len(server.received) == 1


def test_headers_and_urls_are_looked_at_too(start: Serve) -> None:
    """What names somebody goes nowhere, known to the session or not, in whatever encoding; a key is a key."""
    server = start()
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", SWAP))
    url = f"{server.base_url}/chat/completions"
    hidden = base64.b64encode(EMAIL.encode()).decode()
    body = {"model": "m", "messages": MESSAGES}
    with guard.http_client() as client:
        for header in (EMAIL.encode(), NAME.encode(), NAME.encode("cp949")):
            with pytest.raises(UnsupportedPayload, match="headers"):
                client.post(url, json=body, headers=[(b"x-user", header)])
        key = base64.b64encode(f"{EMAIL}:word".encode()).decode()
        client.post(url, json=body, headers={"authorization": f"Basic {key}"})
        with pytest.raises(PolicyBlocked):
            client.post(url, json=body, headers={"x-user": hidden})
        with pytest.raises(PolicyBlocked):
            client.get(f"{server.base_url}/models?q={hidden}")
        with pytest.raises(UnsupportedPayload, match="target"):
            client.get(f"{server.base_url}/models", extensions={"target": f"/v1/models?q={EMAIL}".encode()})
    assert len(server.received) == 1
    server.received.clear()  # the key is the destination's own


def test_session_limits_count_people(start: Serve) -> None:
    """Those that the session knew before count with those of the request, each once."""
    server = start()
    rules = (SWAP, rule("few", "people_over = 1", 'action = "block"'))
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", *rules))
    with guard.session("s"):
        ask(guard, server, f"{NAME} 고객")
        ask(guard, server, f"{NAME} 고객 다시")
        with pytest.raises(PolicyBlocked, match="few"):
            ask(guard, server, "김나래 고객")
        with pytest.raises(PolicyBlocked, match="few"):
            ask(guard, server, f"{NAME}, 김나래 고객")
    with guard.session("other"):
        ask(guard, server, "김나래 고객")
    assert len(server.received) == 3


def test_a_dry_run_sends_what_it_would_block(start: Serve) -> None:
    """With everything swapped."""
    server = start()
    known = policy(server, "cn", "", extends="air-gapped")
    dry = type(known)(known.name, known.rules, known.catalogue, known.targets, True, known.digest)
    guard = Guard(_analyzer=PatternAnalyzer(), policy=dry)
    assert ask(guard, server) == f"받은 말: {TEXT}"
    assert len(server.received) == 1


def test_sensitive_topics_decide(start: Serve) -> None:
    """A diagnosis goes nowhere under the hospital's profile, with or without a name; everyday text does."""
    server = start()
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", extends="kr-medical"))
    for text in (
        f"{NAME} 환자 우울증 진단 결과를 요약해 줘",
        "제가 유방암 수술을 받았는데 식단을 알려 주세요",
    ):
        with pytest.raises(PolicyBlocked, match="records-stay-in-korea"):
            ask(guard, server, text)
    ask(guard, server, f"{NAME} 고객에게 배송 지연을 알려 줘")
    assert len(server.received) == 1


def test_protected_functions_and_their_destination(start: Serve) -> None:
    """A function that says where it sends is judged, in each of its kinds; one that does not only has its values swapped."""
    server = start()
    known = policy(server, "us", SWAP, rule("no", 'data = ["KR_RRN"]', 'action = "block"'))
    guard = Guard(_analyzer=PatternAnalyzer(), policy=known)
    heard: list[str] = []

    @guard.protect(destination="here")
    def plain(text: str) -> str:
        heard.append(text)
        return text

    @guard.protect(destination="here")
    async def later(text: str) -> str:
        heard.append(text)
        return text

    @guard.protect(destination="here")
    def pieces(text: str) -> Iterator[str]:
        heard.append(text)
        yield text

    assert plain(NAME) == NAME
    assert asyncio.run(later(NAME)) == NAME
    assert "".join(pieces(NAME)) == NAME
    for call in (plain, lambda text: asyncio.run(later(text)), lambda text: list(pieces(text))):
        with pytest.raises(PolicyBlocked, match="p/no"):
            call(TEXT)
    assert len(heard) == 3
    assert all(SURROGATE.fullmatch(text) for text in heard)
    assert guard.protect(lambda text: text)(TEXT) == TEXT


def test_errors_fail_closed(start: Serve) -> None:
    """If detection or the topics fail, nothing is sent."""
    server = start()
    broken = Guard(_analyzer=FailingAnalyzer(), policy=policy(server, "us", SWAP))
    with pytest.raises(DetectionError):
        ask(broken, server)
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", SWAP))
    client = guard.http_client()
    with client, pytest.raises(UnsupportedPayload):
        client.post(f"{server.base_url}/elsewhere", json={"text": TEXT})
    assert server.received == []


def test_asynchronous_clients_are_judged_alike(start: Serve) -> None:
    """The same policy, the same error."""
    server = start()
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "cn", extends="us"))

    async def run() -> None:
        async with guard.wrap(AsyncOpenAI(api_key="key", base_url=server.base_url, max_retries=0)) as client:
            with pytest.raises(PolicyBlocked, match="countries-of-concern"):
                await client.chat.completions.create(model="m", messages=MESSAGES)

    asyncio.run(run())
    assert server.received == []


def test_what_is_masked_or_removed_is_looked_for_too(start: Serve) -> None:
    """It is in no vault, and must not leave in an encoding either: in the same request, or in a later one."""
    server = start()
    rules = (SWAP, rule("numbers", 'data = ["KR_RRN"]', 'action = "remove"'))
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", *rules))
    hidden = base64.b64encode(RRN.encode()).decode()
    with pytest.raises(PolicyBlocked, match="still in it"):
        ask(guard, server, f"{RRN} 그리고 {hidden}")
    ask(guard, server, f"번호는 {RRN}")
    with pytest.raises(PolicyBlocked, match="still in it"):
        ask(guard, server, f"첨부 {hidden}")
    assert len(server.received) == 1


def test_keys_of_lists_are_masked_once(start: Serve) -> None:
    """What is read with each item of a list is found with each, and masked as a whole all the same."""
    server = start()
    rules = (SWAP, rule("names", 'data = ["PERSON"]', 'action = "mask"'))
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", *rules))
    arguments = json.dumps({f"고객 {NAME} {PHONE}": ["a", "b"]}, ensure_ascii=False)
    call = {"id": "c1", "type": "function", "function": {"name": "call", "arguments": arguments}}
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        told: Any = [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "됨"},
            {"role": "user", "content": "다시"},
        ]
        client.chat.completions.create(model="m", messages=told)
    (key,) = json.loads(server.received[0].json()["messages"][0]["tool_calls"][0]["function"]["arguments"])
    assert key.startswith("고객 홍*동 PHONE-")
    assert SURROGATE.fullmatch(key.removeprefix("고객 홍*동 "))


def test_surrogates_are_judged_as_what_they_stand_for(start: Serve) -> None:
    """What was swapped before, by a protected function or in an earlier turn, is not swapped for the policy to overlook."""
    server = start()
    no = rule("no", 'data = ["KR_RRN"]', 'action = "block"')
    gone = rule("gone", 'data = ["KR_RRN"]', 'action = "remove"')
    for rules, arrives in (((SWAP, no), 0), ((SWAP, gone), 1)):
        guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", *rules))

        @guard.protect
        def talk(text: str) -> str:
            return ask(guard, server, text)  # noqa: B023

        if arrives:
            assert talk(TEXT) == f"받은 말: {TEXT.replace(RRN, '[삭제]')}"
        else:
            with pytest.raises(PolicyBlocked, match="p/no"):
                talk(TEXT)
        assert len(server.received) == arrives


def test_people_count_whatever_becomes_of_their_names(start: Serve) -> None:
    """Masked and removed ones are people that the session has named."""
    server = start()
    few = rule("few", "people_over = 1", 'action = "block"')
    for action in ("mask", "remove"):
        rules = (SWAP, rule("names", 'data = ["PERSON"]', f'action = "{action}"'), few)
        guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", *rules))
        ask(guard, server, f"{NAME} 고객")
        with pytest.raises(PolicyBlocked, match="few"):
            ask(guard, server, "김나래 고객")


def test_an_allowed_value_is_no_reason_to_stop(start: Serve) -> None:
    """Amounts that happen to be a number of the session, and what may leave under another type, go on."""
    server = start()
    guard = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", SWAP))
    with guard.session("s") as session:
        session.surrogate("100000", "ID_NUMBER")
        ask(guard, server, "매출은 100000 원", max_tokens=100000)
    assert len(server.received) == 1


def test_an_unknown_fact_lets_no_lenient_rule_cover() -> None:
    """Also where the rule only says what the destination is not."""
    text = """
version = 1
name = "p"
[[destination]]
id = "what"
provider = "what"
urls = ["https://what.example/"]
[[rule]]
id = "not-china"
data = ["*"]
to = { jurisdiction_not = ["CN"] }
action = "tokenize"
"""
    guard = Guard(_analyzer=PatternAnalyzer(), policy=parse(text))
    told = guard.policy.explain(guard.scan(NAME), destination="what")
    assert told.decision.outcome == "block"
    assert guard.policy.explain(guard.scan(NAME), destination="openai").decision.outcome == "send"


def test_a_session_that_another_process_erased_is_another(start: Serve) -> None:
    """What is remembered of it is not looked for any more, and what it knows anew is."""
    server = start()
    one = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", SWAP))
    other = Guard(_analyzer=PatternAnalyzer(), policy=policy(server, "us", SWAP), vault=one.vault)
    with one.session("s"):
        ask(one, server, f"{NAME} {PHONE}")
        other.session("s").forget()
        ask(one, server, f"고객 {EMAIL}")
        with pytest.raises(PolicyBlocked, match="still in it"):
            ask(one, server, base64.b64encode(EMAIL.encode()).decode())
    assert len(server.received) == 2
