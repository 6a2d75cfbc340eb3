"""What the ledger and the traces say of requests: every outcome, before it happens, and never a value."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from sovguard import Guard, LedgerError, PolicyBlocked, UnsupportedPayload, telemetry
from sovguard.demo_server import LocalServer, Received, Reply, chat_completion, serve
from sovguard.ledger import Ledger, LedgerKey, create_ledger
from sovguard.policy import Policy, parse
from sovguard.sending import Sending
from tests.servers import NAME, PHONE, RRN, TEXT, VALUES, PatternAnalyzer, echo
from tests.wire import provider

MESSAGES: Any = [{"role": "user", "content": TEXT}]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in a folder; in the end it verifies, and no value is in any of its files."""
    made = create_ledger(str(tmp_path / "ledger"), LedgerKey.generate("test"))
    yield made
    made.checkpoint()
    verification = made.verify()
    assert not verification.bad
    made.close()
    for file in (tmp_path / "ledger").rglob("*"):
        if file.is_file():
            written = file.read_bytes()
            for value in VALUES:
                assert value.encode() not in written
                assert json.dumps(value)[1:-1].encode() not in written


@pytest.fixture
def start() -> Iterator[Callable[..., LocalServer]]:
    """Starts servers."""
    with ExitStack() as stack:
        yield lambda answer=echo: stack.enter_context(serve(answer))


def policy(server: LocalServer, *lines: str, law: str = "US", dry: bool = False) -> Policy:
    """A policy that swaps everything for one destination."""
    return parse(
        "\n".join(
            [
                f'version = 1\nname = "p"\ndry_run = {str(dry).lower()}',
                f'[[destination]]\nid = "far"\nprovider = "maker"\nurls = ["{server.base_url.removesuffix("/v1")}/"]',
                f'facts = {{ jurisdiction = "{law}", legal_entity = "Maker Inc." }}',
                '[[rule]]\nid = "swap"\ndata = ["*"]\naction = "tokenize"',
                *lines,
            ]
        )
    )


BLOCK = '[[rule]]\nid = "no"\ndata = ["KR_RRN"]\naction = "block"'


def guarded(ledger: Ledger | None, known: Policy) -> Guard:
    """A guard that writes down."""
    return Guard(_analyzer=PatternAnalyzer(), policy=known, ledger=ledger)


def ask(guard: Guard, server: LocalServer, **more: Any) -> Any:
    """Ask through OpenAI's client."""
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url, max_retries=0)) as client:
        return client.chat.completions.create(**{"model": "gpt-5", "messages": MESSAGES, **more})


def records(ledger: Ledger, kind: str) -> list[Mapping[str, Any]]:
    """The records of a kind."""
    return [record for record in ledger.records() if record["kind"] == kind]


def test_a_request_and_its_answer_are_written_down(ledger: Ledger, start: Callable[..., LocalServer]) -> None:
    """Who, where, under what, how much of which kind; and what came back, with how long it took."""
    server = start(lambda request: Reply(chat_completion(f"{echo_of(request)} PERSON-AAAA000A")))
    guard = guarded(ledger, policy(server))
    with guard.session("상담 42", tenant="은행", purpose="상담 요약"):
        ask(guard, server)
    (request,) = records(ledger, "request")
    (answer,) = records(ledger, "answer")
    assert request["tenant"] == "은행"
    assert request["purpose"] == "상담 요약"
    assert request["session"] == ledger.keyed("은행", "상담 42")
    assert "상담 42" not in json.dumps(request, ensure_ascii=False)
    assert (request["caller"], request["model"], request["outcome"]) == ("http", "gpt-5", "send")
    assert request["destination"]["legal_entity"] == "Maker Inc."
    assert (request["destination"]["id"], request["destination"]["jurisdiction"]) == ("far", "US")
    assert request["policy"] == {"name": "p", "digest": guard.policy.policy.digest}
    assert request["rules"] == ["p/swap"]
    assert request["counts"] == {
        name: {"tokenize": 1} for name in ("EMAIL_ADDRESS", "KR_RRN", "PERSON", "PHONE_NUMBER")
    }
    assert set(request["detectors"]) == {"sovguard", "names", "pack"}
    assert (answer["of"], answer["outcome"], answer["status"]) == (request["n"], "ok", 200)
    assert (answer["restored"], answer["unresolved"]) == (4, 1)
    assert 0 < answer["latency_ms"] < 60_000


def echo_of(request: Received) -> str:
    """What arrived last."""
    return str(request.json()["messages"][-1]["content"])


def test_a_request_is_written_down_before_it_is_sent(
    ledger: Ledger, start: Callable[..., LocalServer]
) -> None:
    """The server finds it in the ledger while it answers."""
    seen: list[int] = []

    def answer(request: Received) -> Reply:
        seen.append(len(records(ledger, "request")))
        return echo(request)

    server = start(answer)
    ask(guarded(ledger, policy(server)), server)
    assert seen == [1]


def test_what_cannot_be_written_down_is_not_sent(tmp_path: Path, start: Callable[..., LocalServer]) -> None:
    """A ledger that fails stops everything."""
    server = start()
    made = create_ledger(str(tmp_path / "ledger"), LedgerKey.generate("test"))
    guard = guarded(made, policy(server))
    ask(guard, server)
    made.close()
    with pytest.raises(LedgerError):
        ask(guard, server)
    assert len(server.received) == 1


def test_what_is_not_sent_is_written_down_too(ledger: Ledger, start: Callable[..., LocalServer]) -> None:
    """Blocked by a rule, at an address that nobody knows, for a shape that cannot be read, for a value that was hidden."""
    server = start()
    guard = guarded(ledger, policy(server, BLOCK))
    with pytest.raises(PolicyBlocked):
        ask(guard, server)
    with pytest.raises(UnsupportedPayload):
        ask(guard, server, messages=[{"role": "user", "content": "가"}], extra_body={"note": "알 수 없는 글"})
    hidden = PHONE.encode().hex()
    with pytest.raises(PolicyBlocked):
        ask(guard, server, messages=[{"role": "user", "content": f"{PHONE} {hidden}"}])
    client = guard.http_client()
    with client, pytest.raises(PolicyBlocked):
        client.get("http://elsewhere.example/v1/models")
    blocked, unread, egress, unknown = records(ledger, "request")
    assert (blocked["outcome"], blocked["rules"]) == ("block", ["p/no", "p/swap"])
    assert blocked["counts"]["KR_RRN"] == {"block": 1}
    assert (unread["outcome"], unread["reason"], unread["error"]) == (
        "refused",
        "payload",
        "UnsupportedPayload",
    )
    assert (egress["outcome"], egress["reason"]) == ("refused", "egress")
    assert (unknown["outcome"], unknown["destination"], unknown["rules"]) == (
        "block",
        None,
        ["unknown-destination"],
    )
    assert records(ledger, "answer") == []
    assert server.received == []


def test_streams_and_their_ends(ledger: Ledger, start: Callable[..., LocalServer]) -> None:
    """Read to the end, given up half way, and broken by the provider: one answer each."""
    server = start(provider)
    guard = guarded(ledger, policy(server))
    with guard.wrap(OpenAI(api_key="key", base_url=server.base_url, max_retries=0)) as client:
        stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        assert len(list(stream)) > 3
        stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        next(iter(stream))
        stream.close()
    whole, left = records(ledger, "answer")
    assert (whole["outcome"], whole["restored"], whole["unresolved"]) == ("ok", 4, 0)
    assert left["outcome"] == "failed"

    async def run() -> None:
        async with guard.wrap(AsyncOpenAI(api_key="key", base_url=server.base_url, max_retries=0)) as client:
            pieces = await client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
            assert len([each async for each in pieces]) > 3

    asyncio.run(run())
    assert records(ledger, "answer")[-1]["outcome"] == "ok"
    assert len(records(ledger, "request")) == 3


def test_failures_of_the_provider_end_a_request(ledger: Ledger, start: Callable[..., LocalServer]) -> None:
    """With their status, or with the name of the error."""
    server = start(lambda request: Reply(b'{"error": {"message": "no"}}', 400))
    guard = guarded(ledger, policy(server))
    with pytest.raises(Exception, match="400"):
        ask(guard, server)
    with serve(echo) as gone:
        pass
    with pytest.raises(Exception, match="Connection"):
        ask(guarded(ledger, policy(gone)), gone)
    refused, lost = records(ledger, "answer")
    assert (refused["status"], refused["outcome"]) == (400, "ok")
    assert (lost["status"], lost["outcome"]) == (None, "failed")


def test_reroutes_and_fallbacks_name_both_places(ledger: Ledger, start: Callable[..., LocalServer]) -> None:
    """Where it was addressed to, and where it went."""
    far, near = start(lambda request: Reply(b"{}", 503)), start()
    other = [
        f'[[destination]]\nid = "near"\nprovider = "home"\nurls = ["{near.base_url.removesuffix("/v1")}/"]',
        'facts = { jurisdiction = "KR" }',
        f'[[target]]\nid = "t"\ndestination = "near"\nurl = "{near.base_url}"',
        'dialect = "openai-chat"\nmodels = { "*" = "x" }',
    ]
    reroute = '[[rule]]\nid = "home"\ndata = ["KR_RRN"]\nto = { jurisdiction = ["US"] }\naction = "reroute"\nreroute_to = "t"'
    ask(guarded(ledger, policy(far, *other, reroute)), far)
    fallback = '[[fallback]]\nfrom = "far"\nto = ["t"]'
    ask(guarded(ledger, policy(far, *other, fallback)), far)
    rerouted, first, second = records(ledger, "request")
    assert rerouted["outcome"] == "reroute"
    assert (rerouted["addressed"]["id"], rerouted["destination"]["id"]) == ("far", "near")
    assert rerouted["rules"] == ["p/home", "p/swap"]
    assert (first["destination"]["id"], "addressed" in first) == ("far", False)
    assert (second["addressed"]["id"], second["destination"]["id"]) == ("far", "near")
    out = [record for record in records(ledger, "answer") if record["of"] == first["n"]]
    assert [(each["status"], each["outcome"]) for each in out] == [(503, "failed")]


def test_a_dry_run_says_what_would_have_been(ledger: Ledger, start: Callable[..., LocalServer]) -> None:
    """And that it was not."""
    server = start()
    ask(guarded(ledger, policy(server, BLOCK, dry=True)), server)
    (request,) = records(ledger, "request")
    assert (request["outcome"], request["dry_run"]) == ("block", True)
    assert len(server.received) == 1


def test_protected_functions_are_written_down(ledger: Ledger, start: Callable[..., LocalServer]) -> None:
    """By their names, where they say where they send."""
    server = start()
    guard = guarded(ledger, policy(server))

    @guard.protect(destination="far")
    def talk(text: str) -> str:
        return f"{text} PERSON-AAAA000A"

    @guard.protect
    def quiet(text: str) -> str:
        return text

    @guard.protect(destination="far")
    def fails(text: str) -> str:
        raise LookupError(text)

    talk(NAME)
    quiet(NAME)
    with pytest.raises(LookupError):
        fails(NAME)
    first, second = records(ledger, "request")
    assert first["caller"].startswith("protect tests.test_sending.")
    assert first["caller"].endswith("talk")
    answers = records(ledger, "answer")
    assert [(each["outcome"], each["unresolved"]) for each in answers] == [("ok", 1), ("failed", 0)]
    assert answers[1]["of"] == second["n"]


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What is traced and measured, in memory."""
    from opentelemetry import metrics, trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracer, meter = TracerProvider(), MeterProvider(metric_readers=[reader])
    tracer.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "get_tracer", tracer.get_tracer)
    monkeypatch.setattr(metrics, "get_meter", meter.get_meter)
    telemetry._instruments.cache_clear()

    class Seen:
        def spans(self) -> list[Any]:
            return list(spans.get_finished_spans())

        def metrics(self) -> dict[str, list[Any]]:
            data = reader.get_metrics_data()
            return {
                metric.name: list(metric.data.data_points)
                for resource in (data.resource_metrics if data else ())
                for scope in resource.scope_metrics
                for metric in scope.metrics
            }

    yield Seen()
    telemetry._instruments.cache_clear()
    meter.shutdown()
    tracer.shutdown()


def test_spans_and_metrics_hold_no_content(traces: Any, start: Callable[..., LocalServer]) -> None:
    """One span a request, in the terms of the GenAI conventions and our own; counts, and not a value anywhere."""
    server = start()
    guard = guarded(None, policy(server, BLOCK))
    ask(guard, server, messages=[{"role": "user", "content": f"{NAME} {PHONE} PERSON-AAAA000A"}])
    with pytest.raises(PolicyBlocked):
        ask(guard, server)
    sent, blocked = traces.spans()
    assert sent.name == "chat gpt-5"
    assert sent.kind.name == "CLIENT"
    assert sent.attributes["gen_ai.operation.name"] == "chat"
    assert sent.attributes["gen_ai.request.model"] == "gpt-5"
    assert sent.attributes["gen_ai.provider.name"] == "maker"
    assert sent.attributes["sovguard.destination"] == "far"
    assert sent.attributes["sovguard.jurisdiction"] == "US"
    assert sent.attributes["sovguard.outcome"] == "send"
    assert sent.attributes["sovguard.values.PERSON"] == 1
    assert sent.attributes["sovguard.rules"] == ("p/swap",)
    assert sent.attributes["http.response.status_code"] == 200
    assert blocked.attributes["sovguard.outcome"] == "block"
    assert blocked.attributes["error.type"] == "PolicyBlocked"
    assert blocked.status.status_code.name == "ERROR"
    found = traces.metrics()
    assert {point.attributes["sovguard.outcome"]: point.value for point in found["sovguard.requests"]} == {
        "send": 1,
        "block": 1,
    }
    assert sum(point.value for point in found["sovguard.values"]) == 6
    assert found["sovguard.redaction.duration"][0].count == 1
    assert sum(point.count for point in found["gen_ai.client.operation.duration"]) == 2
    told = repr([(span.name, dict(span.attributes), span.events) for span in (sent, blocked)]) + repr(found)
    assert not any(value in told for value in VALUES)


def test_without_opentelemetry_nothing_is_missed(
    monkeypatch: pytest.MonkeyPatch, start: Callable[..., LocalServer]
) -> None:
    """It is no dependency."""
    import builtins

    real = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    telemetry._instruments.cache_clear()
    monkeypatch.setattr(builtins, "__import__", missing)
    trace = telemetry.Trace("chat")
    monkeypatch.undo()
    trace.ended(1.0)
    telemetry._instruments.cache_clear()
    server = start()
    assert RRN in ask(guarded(None, policy(server)), server).choices[0].message.content


def test_a_value_in_the_models_name_is_nowhere(
    ledger: Ledger, traces: Any, start: Callable[..., LocalServer]
) -> None:
    """It is refused as a setting, and neither record nor span has it."""
    server = start()
    with pytest.raises(UnsupportedPayload):
        ask(guarded(ledger, policy(server)), server, model=f"m {PHONE}")
    (request,) = records(ledger, "request")
    assert (request["outcome"], request["model"]) == ("refused", None)
    assert PHONE not in repr([(span.name, dict(span.attributes)) for span in traces.spans()])
    assert server.received == []


def test_a_dry_run_has_its_answer(ledger: Ledger, start: Callable[..., LocalServer]) -> None:
    """It was sent, whatever the policy would have said."""
    server = start()
    ask(guarded(ledger, policy(server, BLOCK, dry=True)), server)
    (answer,) = records(ledger, "answer")
    assert (answer["outcome"], answer["restored"]) == ("ok", 4)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_ledger_that_fails_at_the_answer_does_not_take_it(
    tmp_path: Path, start: Callable[..., LocalServer], stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The user has it all the same, a line in the log says so without a value, and the next request is not sent."""
    made = create_ledger(str(tmp_path / "ledger"), LedgerKey.generate("test"))

    def answer(request: Received) -> Reply:
        made.close()
        return provider(request)

    server = start(answer)
    guard = guarded(made, policy(server))
    if stream:
        with guard.wrap(OpenAI(api_key="key", base_url=server.base_url, max_retries=0)) as client:
            said = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
            text = "".join(piece.choices[0].delta.content or "" for piece in said if piece.choices)
    else:
        text = ask(guard, server).choices[0].message.content
    assert RRN in text
    assert "could not take down" in caplog.text
    assert not any(value in caplog.text for value in VALUES)
    with pytest.raises(LedgerError):
        ask(guard, server)
    assert len(server.received) == 1


def test_a_fallback_that_is_thrown_away_is_not_written_down_as_sent(
    ledger: Ledger, start: Callable[..., LocalServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target that may not be asked, and one whose key is missing, leave the provider's own failure to the caller."""
    monkeypatch.delenv("SOVGUARD_TEST_NONE", raising=False)
    far, near = start(lambda request: Reply(b"{}", 503)), start()
    other = [
        f'[[destination]]\nid = "near"\nprovider = "home"\nurls = ["{near.base_url.removesuffix("/v1")}/"]',
        'facts = { jurisdiction = "KR" }',
        f'[[target]]\nid = "t"\ndestination = "near"\nurl = "{near.base_url}"\ndialect = "openai-chat"',
        'models = { "*" = "x" }\nkey_env = "SOVGUARD_TEST_NONE"',
        '[[fallback]]\nfrom = "far"\nto = ["t"]',
    ]
    with pytest.raises(Exception, match="503"):
        ask(guarded(ledger, policy(far, *other)), far)
    back = '[[rule]]\nid = "back"\ndata = ["KR_RRN"]\nto = { destination = ["near"] }\naction = "block"'
    with pytest.raises(Exception, match="503"):
        ask(guarded(ledger, policy(far, *other, back)), far)
    assert near.received == []
    sent = [each for each in records(ledger, "request") if each["outcome"] in ("send", "reroute")]
    assert [each["destination"]["id"] for each in sent] == ["far", "far"]
    assert len(records(ledger, "answer")) == 2


def test_requests_without_a_body_are_not_rerouted(ledger: Ledger, start: Callable[..., LocalServer]) -> None:
    """No other model could answer them: where the policy sends everything elsewhere, they are refused."""
    far, near = start(lambda request: Reply(b"{}", 503)), start()
    other = [
        f'[[destination]]\nid = "near"\nprovider = "home"\nurls = ["{near.base_url.removesuffix("/v1")}/"]',
        'facts = { jurisdiction = "KR" }',
        f'[[target]]\nid = "t"\ndestination = "near"\nurl = "{near.base_url}"\ndialect = "openai-chat"',
        'models = { "*" = "x" }',
    ]
    rule = '[[rule]]\nid = "home"\neverything = true\nto = { jurisdiction = ["US"] }\naction = "reroute"\nreroute_to = "t"'
    with (
        guarded(ledger, policy(far, *other, rule)).http_client() as client,
        pytest.raises(UnsupportedPayload),
    ):
        client.get(f"{far.base_url}/models")
    assert far.received == []
    fallback = '[[fallback]]\nfrom = "far"\nto = ["t"]'
    with guarded(ledger, policy(far, *other, fallback)).http_client() as client:
        assert client.get(f"{far.base_url}/models").status_code == 503
    assert (len(far.received), near.received) == (1, [])


def test_parts_of_a_request_are_judged_together() -> None:
    """What was let out with the first part does not go if the whole may not have it."""
    known = parse(
        """
version = 1
name = "p"
[[rule]]
id = "names"
data = ["PERSON"]
action = "allow"
[[rule]]
id = "all"
data = ["*"]
except = ["PERSON"]
action = "tokenize"
[[rule]]
id = "both"
all_of = ["PERSON", "EMAIL_ADDRESS"]
action = "remove"
"""
    )
    guard = guarded(None, known)
    sending = Sending(guard.session(), guard.destination("loopback"), caller="test")
    assert sending.redact_values([f"{NAME} 고객"]) == [f"{NAME} 고객"]
    with pytest.raises(PolicyBlocked):
        sending.redact_values([VALUES[-1]])


def test_streams_of_adapters_that_are_given_up_end(ledger: Ledger) -> None:
    """In LangChain and in a protected generator: one answer each, said to be closed."""
    from langchain_core.language_models import FakeListChatModel

    from sovguard.clients.langchain import GuardedChatModel

    guard = guarded(ledger, parse('version = 1\nname = "p"\nextends = "kr-pipa"'))
    model = GuardedChatModel(
        guard=guard, inner=FakeListChatModel(responses=["하나 둘 셋 넷"]), destination="loopback"
    )
    stream = model.stream("가")
    next(stream)
    stream.close()  # type: ignore[attr-defined]

    @guard.protect(destination="loopback")
    def pieces(text: str) -> Iterator[str]:
        yield "하나 "
        yield "둘"

    talk = pieces("가")
    next(talk)
    talk.close()  # type: ignore[attr-defined]
    assert [each["outcome"] for each in records(ledger, "answer")] == ["failed", "failed"]


def test_the_last_look_sees_fields_and_objects(ledger: Ledger) -> None:
    """Dataclasses and chosen fields are looked at like anything else that a protected function is given."""
    guard = guarded(ledger, parse('version = 1\nname = "p"\nextends = "kr-pipa"'))
    hidden = PHONE.encode().hex()

    @dataclass
    class Note:
        who: str
        more: str

    @guard.protect(destination="loopback")
    def whole(note: Note) -> str:
        return "x"

    @guard.protect(destination="loopback", fields=("text",))
    def part(text: str, other: str) -> str:
        return "x"

    for call in (lambda: whole(Note(PHONE, hidden)), lambda: part(f"{PHONE} {hidden}", "y")):
        with pytest.raises(PolicyBlocked, match="still in it"):
            call()
