"""The adapters for frameworks behind the interface of ``drivers``."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or importing it asks the network
os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")
os.environ.setdefault("LANGSMITH_TRACING", "false")

import litellm
from haystack import Pipeline
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage as HaystackMessage
from haystack.dataclasses import ToolCall
from haystack.tools import Tool
from haystack.utils import Secret
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import StructuredTool
from langchain_ollama import ChatOllama
from langgraph.checkpoint.memory import InMemorySaver
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.ollama import Ollama as OllamaLLM

from sovguard import Guard
from sovguard.clients.haystack import SurrogateRedactor, SurrogateRestorer
from sovguard.clients.langchain import GuardedChatModel, SovguardMiddleware
from sovguard.clients.litellm import SovguardGuardrail
from sovguard.clients.llama_index import GuardedLLM
from tests.conformance.drivers import (
    CHAT_TOOLS,
    SCHEMA,
    Asynchronous,
    Driver,
    Notify,
    Turn,
    messages,
)


def spoken(turns: list[Turn]) -> list[Any]:
    """Turns as LangChain's messages."""
    kinds: Any = {"user": HumanMessage, "assistant": AIMessage, "system": SystemMessage}
    return [kinds[role](text) for role, text in turns]


def tool(notify: Notify) -> StructuredTool:
    """The tool of these tests, for LangChain."""

    def called(who: str, n: int = 1) -> str:
        return notify({"who": who, "n": n})

    return StructuredTool.from_function(called, name="notify", description="알림을 보낸다.")


class LangChainModel(Driver):
    """A LangChain chat model."""

    def __init__(self, guard: Guard, base_url: str) -> None:
        super().__init__(guard, base_url)
        self.model = GuardedChatModel(guard=guard, inner=ChatOllama(model="m", base_url=self.root))

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        return self.model.invoke(spoken(turns)).text

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The answer in pieces."""
        for chunk in self.model.stream(spoken(turns)):
            if chunk.text:
                yield chunk.text

    def loop(self, text: str, notify: Notify) -> str:
        """The caller runs the tool; the calls come as a stream."""
        known = tool(notify)
        bound = self.model.bind_tools([known])
        told = [HumanMessage(text)]
        whole: Any = None
        for chunk in bound.stream(told):
            whole = chunk if whole is None else whole + chunk
        (call,) = whole.tool_calls
        return bound.invoke([*told, whole, known.invoke(call)]).text


class LangChainModelAsync(Asynchronous):
    """A LangChain chat model, asynchronous."""

    calls = False

    def _model(self) -> GuardedChatModel:
        return GuardedChatModel(guard=self.guard, inner=ChatOllama(model="m", base_url=self.root))

    async def asay(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        return (await self._model().ainvoke(spoken(turns))).text

    async def astream(self, turns: list[Turn]) -> AsyncIterator[str]:
        """The answer in pieces."""
        async for chunk in self._model().astream(spoken(turns)):
            if chunk.text:
                yield chunk.text


class LangChainAgent(Driver):
    """An agent of LangChain with the middleware; each conversation is a thread."""

    def _agent(self, tools: Any = ()) -> Any:
        model = ChatOllama(model="m", base_url=self.root)
        middleware = [SovguardMiddleware(self.guard)]
        return create_agent(model, list(tools), middleware=middleware, checkpointer=InMemorySaver())

    @staticmethod
    def _thread() -> Any:
        return {"configurable": {"thread_id": uuid.uuid4().hex}}

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        state = self._agent().invoke({"messages": spoken(turns)}, self._thread())
        text: str = state["messages"][-1].text
        return text

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The answer in pieces, as the agent's users see them."""
        for chunk, _ in self._agent().stream(
            {"messages": spoken(turns)}, self._thread(), stream_mode="messages"
        ):
            if chunk.text:
                yield chunk.text

    def loop(self, text: str, notify: Notify) -> str:
        """The agent runs the tool."""
        state = self._agent([tool(notify)]).invoke({"messages": spoken([("user", text)])}, self._thread())
        said: str = state["messages"][-1].text
        return said


class LangChainAgentAsync(LangChainAgent):
    """The agent, asynchronous."""

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        state = asyncio.run(self._agent().ainvoke({"messages": spoken(turns)}, self._thread()))
        text: str = state["messages"][-1].text
        return text

    def loop(self, text: str, notify: Notify) -> str:
        """The agent runs the tool."""
        told = {"messages": spoken([("user", text)])}
        state = asyncio.run(self._agent([tool(notify)]).ainvoke(told, self._thread()))
        said: str = state["messages"][-1].text
        return said


class LlamaIndex(Driver):
    """A model of LlamaIndex."""

    def __init__(self, guard: Guard, base_url: str) -> None:
        super().__init__(guard, base_url)
        inner = OllamaLLM(
            model="m",
            base_url=self.root,
            request_timeout=20,
            context_window=4096,
            is_function_calling_model=True,
        )
        self.model = GuardedLLM(guard=guard, inner=inner)

    @staticmethod
    def _told(turns: list[Turn]) -> list[ChatMessage]:
        return [ChatMessage(text, role=role) for role, text in turns]

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        return self.model.chat(self._told(turns)).message.content or ""

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The answer in pieces, which agree with the whole so far."""
        said = ""
        for part in self.model.stream_chat(self._told(turns)):
            said += part.delta or ""
            assert (part.message.content or "") == said
            if part.delta:
                yield part.delta

    def loop(self, text: str, notify: Notify) -> str:
        """The caller runs the tool."""

        def called(who: str, n: int = 1) -> str:
            return notify({"who": who, "n": n})

        tool = FunctionTool.from_defaults(called, name="notify", description="알림을 보낸다.")
        told = self._told([("user", text)])
        first = self.model.chat_with_tools([tool], chat_history=told)
        (call,) = self.model.get_tool_calls_from_response(first)
        result = ChatMessage(
            notify(call.tool_kwargs), role="tool", additional_kwargs={"tool_call_id": call.tool_id}
        )
        second = self.model.chat_with_tools([tool], chat_history=[*told, first.message, result])
        return second.message.content or ""


class LlamaIndexAsync(Asynchronous):
    """A model of LlamaIndex, asynchronous."""

    calls = False

    def _model(self) -> GuardedLLM:
        inner = OllamaLLM(model="m", base_url=self.root, request_timeout=20, context_window=4096)
        return GuardedLLM(guard=self.guard, inner=inner)

    async def asay(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        return (await self._model().achat(LlamaIndex._told(turns))).message.content or ""

    async def astream(self, turns: list[Turn]) -> AsyncIterator[str]:
        """The answer in pieces."""
        async for part in await self._model().astream_chat(LlamaIndex._told(turns)):
            if part.delta:
                yield part.delta


class Haystack(Driver):
    """A pipeline of Haystack around its generator for OpenAI."""

    retries = True
    streams = False

    def __init__(self, guard: Guard, base_url: str) -> None:
        super().__init__(guard, base_url)
        self.generator = OpenAIChatGenerator(
            api_key=Secret.from_token("key"), model="m", api_base_url=base_url
        )
        self.pipeline = Pipeline()
        self.pipeline.add_component("redact", SurrogateRedactor(guard, destination="loopback"))
        self.pipeline.add_component("llm", self.generator)
        self.pipeline.add_component("restore", SurrogateRestorer(guard))
        self.pipeline.connect("redact.messages", "llm.messages")
        self.pipeline.connect("llm.replies", "restore.replies")
        self.pipeline.connect("redact.session_id", "restore.session_id")

    def _run(self, told: list[HaystackMessage], **more: Any) -> HaystackMessage:
        given: Any = {
            "redact": {"messages": told, "session_id": self.guard.current_session().id},
            "llm": more,
        }
        replies: list[HaystackMessage] = self.pipeline.run(given)["restore"]["replies"]
        return replies[0]

    @staticmethod
    def _told(turns: list[Turn]) -> list[HaystackMessage]:
        kinds = {"user": HaystackMessage.from_user, "assistant": HaystackMessage.from_assistant}
        return [kinds[role](text) for role, text in turns]

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        return self._run(self._told(turns)).text or ""

    def loop(self, text: str, notify: Notify) -> str:
        """The caller runs the tool."""
        tool = Tool(
            name="notify", description="알림을 보낸다.", parameters=SCHEMA, function=lambda **given: None
        )
        told = self._told([("user", text)])
        said = self._run(told, tools=[tool])
        (call,) = said.tool_calls
        assert isinstance(call, ToolCall)
        result = HaystackMessage.from_tool(notify(call.arguments), origin=call)
        return self._run([*told, said, result], tools=[tool]).text or ""

    def close(self) -> None:
        """Ends its connections."""
        if self.generator.client is not None:
            self.generator.client.close()


class LiteLLM(Asynchronous):
    """LiteLLM's guardrail, its hooks called in the order in which the proxy calls them, around real calls."""

    def __init__(self, guard: Guard, base_url: str) -> None:
        super().__init__(guard, base_url)
        self.guardrail = SovguardGuardrail(guard, destination="loopback")
        self.session = uuid.uuid4().hex

    async def _sent(self, told: list[Any], **more: Any) -> tuple[dict[str, Any], Any]:
        data: dict[str, Any] = {"model": "openai/m", "messages": told, **more}
        data["metadata"] = {"session_id": self.session}
        data = await self.guardrail.async_pre_call_hook(None, None, data, "acompletion")
        call = {key: value for key, value in data.items() if key != "metadata"}
        return data, await litellm.acompletion(**call, api_base=self.base_url, api_key="key", max_retries=0)

    async def _asked(self, told: list[Any], **more: Any) -> Any:
        data, response = await self._sent(told, **more)
        return await self.guardrail.async_post_call_success_hook(data, None, response)

    async def asay(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        return (await self._asked(messages(turns))).choices[0].message.content or ""

    async def astream(self, turns: list[Turn]) -> AsyncIterator[str]:
        """The answer in pieces."""
        data, response = await self._sent(messages(turns), stream=True)
        async for chunk in self.guardrail.async_post_call_streaming_iterator_hook(None, response, data):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content

    def loop(self, text: str, notify: Notify) -> str:
        """The caller runs the tool."""

        async def run() -> str:
            told = messages([("user", text)])
            said = (await self._asked(told, tools=CHAT_TOOLS)).choices[0].message
            (call,) = said.tool_calls
            result = notify(json.loads(call.function.arguments))
            told += [
                said.model_dump(exclude_none=True),
                {"role": "tool", "tool_call_id": call.id, "content": result},
            ]
            return (await self._asked(told, tools=CHAT_TOOLS)).choices[0].message.content or ""

        return asyncio.run(run())
