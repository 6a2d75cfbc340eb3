"""What the adapters for frameworks do beyond the scenarios of the conformance suite."""

from __future__ import annotations

import asyncio
import json
import sys
import types
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from sovguard import ConfigError, ForeignSurrogate, Guard, InputError, UnsupportedPayload
from sovguard.sending import Sending
from sovguard.session import Session
from tests.clients.conftest import Serve
from tests.conformance.conftest import swept  # noqa: F401
from tests.conformance.drivers import RESULT
from tests.conformance.frameworks import HaystackMessage, spoken, tool
from tests.fakes import LoopVault
from tests.servers import NAME, PHONE, SURROGATE, TEXT, PatternAnalyzer, assert_only_surrogates
from tests.wire import messages, provider

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("swept")]

SAID = f"받은 말: {TEXT}"


def ollama_model(base_url: str) -> Any:
    """LangChain's model for Ollama."""
    from langchain_ollama import ChatOllama

    return ChatOllama(model="m", base_url=base_url.removesuffix("/v1"), reasoning=True)


class Memo(BaseModel):
    """Whom the model was told of."""

    who: str
    n: int


def to_loopback(session: Session) -> Sending:
    """A request of a session to this machine."""
    return Sending(session, session.guard.destination("loopback"), caller="test")


def test_an_agents_structured_answer_holds_values(guard: Guard, run_server: Serve) -> None:
    """Its schema is bound as a tool; the arguments are the answer, and so restored."""
    from langchain.agents import create_agent
    from langchain.agents.structured_output import ToolStrategy

    from sovguard.clients.langchain import GuardedChatModel, SovguardMiddleware

    def renamed(request: Any) -> Any:
        reply = provider(request)
        swap = (b'"name": "notify"', b'"name": "Memo"')
        return type(reply)(
            reply.body.replace(*swap),
            headers=reply.headers,
            pieces=(b"".join(reply.pieces).replace(*swap),),
        )

    server = run_server(renamed)
    model = ollama_model(server.base_url)
    agent = create_agent(
        model, [], middleware=[SovguardMiddleware(guard)], response_format=ToolStrategy(Memo)
    )
    state = agent.invoke({"messages": spoken([("user", TEXT)])})
    assert state["structured_response"] == Memo(who=NAME, n=1)
    chain = GuardedChatModel(guard=guard, inner=model).with_structured_output(Memo)
    assert chain.invoke(TEXT) == Memo(who=NAME, n=1)
    assert_only_surrogates(server)


def test_an_agents_state_keeps_surrogates_for_other_tools(guard: Guard, run_server: Serve) -> None:
    """What a checkpoint holds of a call is what the tool saw; people and model are in it with their values."""
    from langchain.agents import create_agent
    from langgraph.checkpoint.memory import InMemorySaver

    from sovguard.clients.langchain import SovguardMiddleware

    server = run_server(provider)
    seen: list[Any] = []

    def notify(arguments: dict[str, Any]) -> str:
        seen.append(arguments["who"])
        return RESULT

    agent = create_agent(
        ollama_model(server.base_url),
        [tool(notify)],
        middleware=[SovguardMiddleware(guard)],
        checkpointer=InMemorySaver(),
        system_prompt=f"{NAME} 고객을 응대한다",
    )
    thread: Any = {"configurable": {"thread_id": "고객-1"}}
    state = agent.invoke({"messages": spoken([("user", TEXT)])}, thread)
    person, called, result, said = state["messages"]
    assert person.text == TEXT
    assert called.tool_calls[0]["args"]["who"] == seen[0]
    assert SURROGATE.fullmatch(seen[0])
    assert called.additional_kwargs["reasoning_content"] == f"{NAME}에 대해"
    assert (result.text, said.text) == (RESULT, f"받은 말: {RESULT}")
    again = agent.invoke({"messages": spoken([("user", f"{NAME}?")])}, thread)["messages"]
    assert again[-3].tool_calls[0]["args"]["who"] == seen[0] == seen[1]  # one thread is one session
    assert_only_surrogates(server)


def test_langchain_refuses_what_it_cannot_read(guard: Guard, run_server: Serve) -> None:
    """Images, blocks and fields nobody knows, tools that run elsewhere; allowed media pass."""
    from langchain_core.messages import HumanMessage

    from sovguard.clients.langchain import GuardedChatModel

    server = run_server(provider)
    model = GuardedChatModel(guard=guard, inner=ollama_model(server.base_url))
    image: Any = {"type": "image", "base64": "AAAA", "mime_type": "image/png"}
    for content in (
        [image],
        [{"type": "hologram", "text": TEXT}],
        [{"type": "text", "text": TEXT, "note": TEXT}],
    ):
        with pytest.raises(UnsupportedPayload):
            model.invoke([HumanMessage(content)])  # type: ignore[arg-type]
    with pytest.raises(UnsupportedPayload, match="runs elsewhere"):
        model.invoke(TEXT, tools=[{"type": "web_search"}])
    assert server.received == []
    allowing = Guard(_analyzer=PatternAnalyzer(), allow_media=["image"])
    allowed = GuardedChatModel(guard=allowing, inner=ollama_model(server.base_url))
    said = allowed.invoke([HumanMessage([{"type": "text", "text": TEXT}, image])]).text
    assert said.replace("\n", "") == SAID
    assert server.received[0].json()["messages"][0]["images"] == ["AAAA"]
    assert_only_surrogates(server)


def test_a_tool_does_not_run_on_another_sessions_surrogate(run_server: Serve) -> None:
    """What the model made up, or remembers from elsewhere, is an error and no argument."""
    from langchain.agents import create_agent

    from sovguard.clients.langchain import SovguardMiddleware

    other = Guard(_analyzer=PatternAnalyzer()).session().redact(NAME).text
    guard = Guard(_analyzer=PatternAnalyzer(), restore_tools=("notify",))
    server = run_server(provider)
    ran: list[Any] = []

    def notify(arguments: dict[str, Any]) -> str:
        ran.append(arguments)
        return RESULT

    agent = create_agent(
        ollama_model(server.base_url), [tool(notify)], middleware=[SovguardMiddleware(guard)]
    )
    with pytest.raises(ForeignSurrogate):
        agent.invoke({"messages": spoken([("user", f"{other}에게 알려 줘")])})
    assert ran == []


def test_llama_index_completes_and_runs_agents(run_server: Serve) -> None:
    """One text, whole and in pieces, sync and async; an agent whose named tool gets the value."""
    from llama_index.core.agent.workflow import FunctionAgent
    from llama_index.core.tools import FunctionTool
    from llama_index.llms.ollama import Ollama

    from sovguard.clients.llama_index import GuardedLLM

    server = run_server(provider)
    guard = Guard(_analyzer=PatternAnalyzer(), restore_tools=("notify",))
    inner = Ollama(
        model="m",
        base_url=server.base_url.removesuffix("/v1"),
        request_timeout=20,
        context_window=4096,
        is_function_calling_model=True,
    )
    model = GuardedLLM(guard=guard, inner=inner)
    assert model.complete(TEXT).text == SAID
    parts = list(model.stream_complete(TEXT))
    assert "".join(part.delta or "" for part in parts) == parts[-1].text == SAID
    seen: list[str] = []

    def notify(who: str, n: int = 1) -> str:
        """알림을 보낸다."""
        seen.append(who)
        return RESULT

    async def run() -> tuple[str, str, str]:
        one = (await model.acomplete(TEXT)).text
        two = "".join([part.delta or "" async for part in await model.astream_complete(TEXT)])
        agent = FunctionAgent(tools=[FunctionTool.from_defaults(notify)], llm=model, streaming=True)
        return one, two, str(await agent.run(f"{NAME} 고객에게 알려 줘"))

    assert asyncio.run(run()) == (SAID, SAID, f"받은 말: {RESULT}")
    assert seen == [NAME]
    with pytest.raises(InputError, match="calls no tools"):
        GuardedLLM(guard=guard, inner=_mock()).chat_with_tools([])
    assert_only_surrogates(server)


def _mock() -> Any:
    from llama_index.core.llms import MockLLM

    return MockLLM()


def test_haystack_streams_and_is_written_down(guard: Guard, run_server: Serve) -> None:
    """A callback shows pieces with values in them; components with the default guard can be saved, others say so."""
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.utils import Secret

    from sovguard.clients.haystack import SurrogateRedactor, SurrogateRestorer

    server = run_server(provider)
    redactor, restorer = SurrogateRedactor(guard), SurrogateRestorer(guard)
    generator = OpenAIChatGenerator(
        api_key=Secret.from_token("key"), model="m", api_base_url=server.base_url, max_retries=0
    )
    given = redactor.run([HaystackMessage.from_user(TEXT)], session_id="42")
    assert given["session_id"] == "42"
    shown: list[str] = []
    replies = generator.run(
        given["messages"],
        streaming_callback=restorer.streaming("42", lambda chunk: shown.append(chunk.content)),
    )["replies"]
    assert "".join(shown) == SAID
    assert len(shown) > 5
    assert restorer.run(replies, "42")["replies"][0].text == SAID
    if generator.client is not None:
        generator.client.close()
    assert_only_surrogates(server)
    saved = SurrogateRedactor().to_dict()
    assert isinstance(SurrogateRedactor.from_dict(saved), SurrogateRedactor)
    with pytest.raises(ConfigError, match="cannot be written"):
        restorer.to_dict()


def test_litellm_formats_and_sessions(guard: Guard, run_server: Serve) -> None:
    """The proxy's other formats are read too; a request without a session's name leaves nothing behind."""
    from sovguard.clients.litellm import SovguardGuardrail

    guardrail = SovguardGuardrail(guard, destination="loopback")

    async def through(call: str, data: dict[str, Any], answer: Any) -> Any:
        sent = await guardrail.async_pre_call_hook(None, None, data, call)
        for value in (NAME, PHONE):
            assert value not in json.dumps(sent, ensure_ascii=False)
        return await guardrail.async_post_call_success_hook(sent, None, answer(sent))

    def repeats(sent: Any) -> Any:
        return {"content": [{"type": "text", "text": sent["messages"][0]["content"]}]}

    async def run() -> None:
        copy = {"body": {"messages": [{"role": "user", "content": TEXT}]}, "url": "/v1/messages"}
        data = {
            "messages": [{"role": "user", "content": TEXT}],
            "max_tokens": 9,
            "proxy_server_request": copy,
            "litellm_metadata": {},
            "metadata": {"user_id": NAME},
        }
        said = await through("anthropic_messages", data, repeats)
        assert said == {"content": [{"type": "text", "text": TEXT}]}
        assert repr(guard.vault) == "MemoryVault(0 sessions)"
        assert (await through("aembedding", {"input": [TEXT]}, lambda sent: {"data": []})) == {"data": []}
        with pytest.raises(UnsupportedPayload, match="image_generation"):
            await guardrail.async_pre_call_hook(None, None, {"prompt": TEXT}, "image_generation")
        with pytest.raises(UnsupportedPayload, match="has not seen"):
            await guardrail.async_post_call_success_hook({}, None, {})

    asyncio.run(run())


def test_litellm_streams_events_as_bytes(guard: Guard, run_server: Serve) -> None:
    """An Anthropic stream goes through the proxy as bytes."""
    from sovguard.clients.litellm import SovguardGuardrail
    from sovguard.clients.sse import EventReader
    from sovguard.demo_server import Received

    guardrail = SovguardGuardrail(guard, destination="loopback")
    data = {"messages": [{"role": "user", "content": TEXT}], "max_tokens": 9, "stream": True}

    async def run() -> str:
        sent = await guardrail.async_pre_call_hook(None, None, data, "anthropic_messages")
        body = json.dumps({"messages": sent["messages"], "stream": True}).encode()
        reply = messages(Received("POST", "/v1/messages", {}, body))

        async def raw() -> AsyncIterator[bytes]:
            for piece in reply.pieces:
                yield piece

        reader, said = EventReader(), ""
        async for chunk in guardrail.async_post_call_streaming_iterator_hook(None, raw(), sent):
            for event in reader.feed(chunk):
                delta = json.loads(event.data or "").get("delta", {})
                said += delta.get("text", "")
        return said

    assert asyncio.run(run()) == SAID


def test_arguments_of_calls_are_looked_through(run_server: Serve) -> None:
    """What a model is called with besides its messages is swapped, or shown to hold nothing, or refused."""
    from langchain_core.messages import ChatMessage, HumanMessage

    from sovguard.clients.langchain import redacted

    session = Guard(_analyzer=PatternAnalyzer()).session()
    bound = {
        "stop": [PHONE],
        "user": NAME,
        "response_format": {"enum": [PHONE]},
        "temperature": 0.1,
        "schema": Memo,
    }
    _, sent = redacted([HumanMessage("가")], bound, to_loopback(session))
    assert NAME not in repr(sent)
    assert PHONE not in repr(sent)
    assert (sent["temperature"], sent["schema"]) == (0.1, Memo)
    for wrong in (
        {"note": PHONE},
        {"note": (PHONE,)},
        {"note": Memo(who=NAME, n=1)},
        {"note": NAME.encode()},
    ):
        with pytest.raises(UnsupportedPayload):
            redacted([HumanMessage("가")], wrong, to_loopback(session))
    for message in (
        ChatMessage(role=f"고객 {NAME}", content="가"),
        HumanMessage("가", additional_kwargs={"note": (PHONE,)}),
    ):
        with pytest.raises(UnsupportedPayload):
            redacted([message], {}, to_loopback(session))
    for block in (
        {"type": "text", "text": "가", "extras": {"note": PHONE}},
        {"type": "thinking", "thinking": PHONE},
    ):
        (told,), _ = redacted([HumanMessage([block])], {}, to_loopback(session))  # type: ignore[list-item]
        assert PHONE not in repr(told)


def test_other_tools_get_surrogates_in_streams_that_give_whole_calls() -> None:
    """A call of a named tool lets no other call of the same answer have values."""
    from langchain_core.language_models import FakeListChatModel
    from langchain_core.messages import AIMessage, AIMessageChunk
    from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

    from sovguard.clients.langchain import GuardedChatModel

    guard = Guard(_analyzer=PatternAnalyzer(), restore_tools=("notify",))
    person = guard.redact(NAME).text
    calls = [{"name": name, "args": {"who": person}, "id": name} for name in ("notify", "post", "notify")]

    class Streaming(FakeListChatModel):
        def _stream(self, *args: Any, **kwargs: Any) -> Any:
            for call in calls:
                yield ChatGenerationChunk(message=AIMessageChunk("", tool_calls=[call]))

    class Whole(FakeListChatModel):
        def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
            return ChatResult(generations=[ChatGeneration(message=AIMessage("", tool_calls=calls))])

        _stream = None

    for inner in (Streaming(responses=[]), Whole(responses=[], disable_streaming=True)):
        whole: Any = None
        for chunk in GuardedChatModel(guard=guard, inner=inner, destination="loopback").stream("가"):
            whole = chunk if whole is None else whole + chunk
        assert [call["args"]["who"] for call in whole.tool_calls] == [NAME, person, NAME]


def test_caches_tell_guarded_models_apart() -> None:
    """Two models behind the same guard do not answer for each other."""
    from langchain_core.language_models import FakeListChatModel

    from sovguard.clients.langchain import GuardedChatModel

    guard = Guard(_analyzer=PatternAnalyzer())
    one, two = (
        GuardedChatModel(guard=guard, inner=FakeListChatModel(responses=[each])) for each in ("a", "b")
    )
    assert one._get_llm_string() != two._get_llm_string()


def test_files_of_frameworks_keep_their_octets_and_nothing_else() -> None:
    """Where files are allowed, their names and titles are swapped and addresses are looked through."""
    from haystack.dataclasses import FileContent
    from llama_index.core.base.llms.types import ChatMessage, DocumentBlock, ImageBlock

    from sovguard.clients.haystack import SurrogateRedactor
    from sovguard.clients.llama_index import _redacted

    guard = Guard(_analyzer=PatternAnalyzer(), allow_media=["image", "file"])
    octets = FileContent(
        "QUJD", mime_type="text/plain", filename=f"{NAME}.txt", extra={"note": PHONE}, validation=False
    )
    sent = SurrogateRedactor(guard).run([HaystackMessage.from_user(content_parts=["가", octets])])["messages"]
    assert "QUJD" in repr(sent[0].to_dict())
    assert NAME not in repr(sent[0].to_dict())
    assert PHONE not in repr(sent[0].to_dict())
    session = guard.current_session()
    document = ChatMessage(role="user", blocks=[DocumentBlock(data=b"QUJD", title=f"{NAME} 차트")])
    (told,), _ = _redacted([document], {}, to_loopback(session))
    assert NAME not in repr(told)
    with pytest.raises(UnsupportedPayload):
        _redacted(
            [ChatMessage(role="user", blocks=[ImageBlock(url=f"https://example.com/{PHONE}.png")])],
            {},
            to_loopback(session),
        )


def test_haystack_sessions_of_a_tenant(guard: Guard) -> None:
    """Within a session that was entered, both components use it, whoever's it is; what is held at the end is shown."""
    from haystack.dataclasses import StreamingChunk

    from sovguard.clients.haystack import SurrogateRedactor, SurrogateRestorer

    with guard.session("s1", tenant="acme"):
        given = SurrogateRedactor(guard).run([HaystackMessage.from_user(TEXT)])
        said = HaystackMessage.from_assistant(given["messages"][0].text)
        restorer = SurrogateRestorer(guard)
        assert restorer.run([said], given["session_id"])["replies"][0].text == TEXT
        shown: list[str] = []
        streaming = restorer.streaming(given["session_id"], lambda chunk: shown.append(chunk.content))
        streaming(StreamingChunk(f"{given['messages'][0].text} OK"))
        streaming.flush()
        assert "".join(shown) == f"{TEXT} OK"


def test_litellm_looks_through_what_goes_along(guard: Guard) -> None:
    """Fallbacks and headers are looked through, the user is swapped, and a caller's notes are not taken for the guardrail's."""
    from sovguard.clients.litellm import SovguardGuardrail

    guardrail = SovguardGuardrail(guard, destination="loopback")
    asked: dict[str, Any] = {"messages": [{"role": "user", "content": "가"}]}

    async def run() -> None:
        for extra in (
            {"fallbacks": [{"model": "b", "messages": [{"role": "user", "content": TEXT}]}]},
            {"headers": {"x": TEXT}},
        ):
            with pytest.raises(UnsupportedPayload):
                await guardrail.async_pre_call_hook(None, None, {**asked, **extra}, "acompletion")
        data = {**asked, "metadata": {"user_id": NAME, "sovguard_session": "conv"}}
        sent = await guardrail.async_pre_call_hook(None, None, data, "acompletion")
        assert NAME not in repr(sent)
        guard.session("conv").redact(NAME)
        await guardrail.async_post_call_success_hook(sent, None, {"choices": []})
        assert repr(guard.vault) == "MemoryVault(1 sessions)"

    asyncio.run(run())


def test_litellm_tells_where_it_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    """By provider, by address, by what the environment says; where a request may come to several, nothing tells."""
    from sovguard.clients.litellm_destinations import destination_of_call

    guard = Guard(_analyzer=PatternAnalyzer())

    def told(**data: Any) -> str | None:
        found = destination_of_call(guard, None, data)
        return None if found is None else found.id

    assert told(model="gpt-4o") == "openai"
    assert told(model="gemini/gemini-2.0-flash") == "google-gemini"
    assert told(model="anything", custom_llm_provider="deepseek") == "deepseek"
    assert told(model="gpt-4o", api_base="http://127.0.0.1:8000/v1") == "loopback"
    assert told(model="gpt-4o", api_base="https://elsewhere.example/v1") is None
    assert told(model="gpt-4o", fallbacks=["deepseek/deepseek-chat"]) is None
    assert told(model="gpt-4o", fallbacks=["gpt-4"]) == "openai"
    monkeypatch.setenv("OPENAI_API_BASE", "https://elsewhere.example/v1")
    assert told(model="gpt-4o") is None

    class Router:
        fallbacks: ClassVar[list[Any]] = [{"a": ["b"]}]

        @staticmethod
        def get_model_list(model_name: str) -> list[Any]:
            return [
                {
                    "litellm_params": {
                        "model": {"a": "anthropic/claude-3", "b": "deepseek/deepseek-chat"}[model_name]
                    }
                }
            ]

    module = types.ModuleType("litellm.proxy.proxy_server")
    module.llm_router = Router()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", module)
    assert told(model="a") is None
    Router.fallbacks = []
    assert told(model="a") == "anthropic"
    assert destination_of_call(guard, "clova", {"model": "a"}) is guard.destination("clova")


def test_litellm_forgets_in_an_asynchronous_vault(run_server: Serve) -> None:
    """A session that ends with its request is dropped without a plain call in the loop, answered or refused."""
    from sovguard.clients.litellm import SovguardGuardrail

    vault = LoopVault()
    guard = Guard(_analyzer=PatternAnalyzer(), vault=vault)
    guardrail = SovguardGuardrail(guard, destination="loopback")

    async def run() -> None:
        data = {"messages": [{"role": "user", "content": TEXT}], "max_tokens": 9}
        sent = await guardrail.async_pre_call_hook(None, None, data, "anthropic_messages")
        said = {"content": [{"type": "text", "text": sent["messages"][0]["content"]}]}
        answer = await guardrail.async_post_call_success_hook(sent, None, said)
        assert answer == {"content": [{"type": "text", "text": TEXT}]}
        with pytest.raises(UnsupportedPayload):
            await guardrail.async_pre_call_hook(
                None, None, {**data, "headers": {"x": TEXT}}, "anthropic_messages"
            )

    asyncio.run(run())
    assert repr(vault) == "MemoryVault(0 sessions)"
