"""LangChain: chat models whose messages are redacted and whose answers are restored, and the middleware for agents.

    agent = create_agent(model, tools, middleware=[SovguardMiddleware(guard)])
    model = GuardedChatModel(guard=guard, inner=ChatOpenAI())

What a model client over httpx says can be protected below LangChain just as well (``http_client=guard.http_client()``); this is
for models that leave by another way, and for agents, whose tools see the arguments.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ChatMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableBinding
from langgraph.config import get_config
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import Command

from sovguard.clients.aside import beside
from sovguard.clients.destinations import destination_of
from sovguard.clients.langchain_stream import EXTRA_TEXTS, Pieces
from sovguard.guard import Guard
from sovguard.payloads.lanes import foreign
from sovguard.payloads.langchain_messages import MESSAGES
from sovguard.payloads.langchain_messages import bound as bound_rule
from sovguard.payloads.rules import Answer, each, shown, within
from sovguard.payloads.slots import Slots, fill
from sovguard.sending import Sending
from sovguard.session import Session

_SENT = ("content", "name", "tool_call_id", "tool_calls", "invalid_tool_calls", "additional_kwargs")
_NO_TEXT = frozenset({"ls_structured_output_format", "structured_output_format"})
_ANSWERS = "sovguard_answers"
_NO_CALLBACKS: Any = {"callbacks": []}
"""Configuration for the model within: who listens hears the guarded one, and each piece once."""


def redacted(
    messages: Sequence[BaseMessage], bound: dict[str, Any], sending: Sending
) -> tuple[list[BaseMessage], dict[str, Any]]:
    """Return messages and what is bound to their model with surrogates in place of personal information.

    Args:
        messages: The messages of one call.
        bound: The arguments of the call; a class among them (of a schema) is passed as it is.
        sending: Whose surrogates are used, and where it goes.

    Raises:
        UnsupportedPayload: A message holds something whose text cannot be found for certain.
        PolicyBlocked: The policy does not let it go there.
    """
    with sending.refusing():
        slots = Slots(sending.allowed_media)
        tree = [
            MESSAGES([_told(each) for each in messages], "messages", slots, False),
            bound_rule({key: item for key, item in bound.items() if key not in _NO_TEXT}, "", slots, False),
        ]
        new, arguments = filled = fill(tree, slots, sending)
        sending.release(filled)
    copies = [
        message.model_copy(update={key: fields[key] for key in fields if key not in ("role", "said_role")})
        for message, fields in zip(messages, new, strict=True)
    ]
    return copies, {**bound, **arguments}


def _told(message: BaseMessage) -> dict[str, Any]:
    said = {key: getattr(message, key) for key in _SENT if getattr(message, key, None)}
    role = {"said_role": message.role} if isinstance(message, ChatMessage) else {}
    return {"role": message.type.removesuffix("MessageChunk").lower(), **role, **said}


def _content(content: Any, answer: Answer) -> Any:
    if not isinstance(content, list):
        return answer.text(content)
    return [_block(block, answer) for block in content]


def _block(block: Any, answer: Answer) -> Any:
    if isinstance(block, str):
        return answer.text(block)
    if isinstance(block, dict) and block.get("type") in ("thinking", "redacted_thinking"):
        return block
    return within(
        {**dict.fromkeys(("text", "refusal", "reasoning"), shown), "summary": each(within({"text": shown}))}
    )(block, answer)


def restored(message: BaseMessage, answer: Answer) -> BaseMessage:
    """Return a model's message with real values in it; the arguments of its calls for named tools alone."""
    update: dict[str, Any] = {
        "content": _content(message.content, answer),
        "additional_kwargs": within(dict.fromkeys(EXTRA_TEXTS, shown))(message.additional_kwargs, answer),
    }
    if isinstance(message, AIMessage) and message.tool_calls:
        update["tool_calls"] = [
            {**call, "args": answer.values(call["args"])} if call["name"] in answer.tools else call
            for call in message.tool_calls
        ]
    return message.model_copy(update=update)


class GuardedChatModel(BaseChatModel):
    """A chat model whose messages are redacted before they leave and whose answers are restored, whole and streamed.

    Attributes:
        guard: Whose current session is used, at the time of each call.
        inner: The model that is asked. It is given surrogates, and its own callbacks hear nothing.
        session: A session to use instead of the current one.
        destination: The id of the destination that it sends to; by default the one that the model's address is of.
    """

    guard: Any
    inner: BaseChatModel
    session: Any = None
    destination: str | None = None

    @property
    def _llm_type(self) -> str:
        return f"sovguard-{self.inner._llm_type}"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"inner": self.inner._llm_type, **self.inner._identifying_params}

    @property
    def model_name(self) -> str:
        """The name of the model within, by which LangChain tells what it can do."""
        names = (getattr(self.inner, key, None) for key in ("model_name", "model", "model_id"))
        return next((name for name in names if isinstance(name, str)), "")

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        """Return this model with tools, described as the model within wants them."""
        choice = {} if tool_choice is None else {"tool_choice": tool_choice}
        bound = self.inner.bind_tools(tools, **choice, **kwargs)
        if not isinstance(bound, RunnableBinding):
            raise TypeError(
                f"{type(self.inner).__name__}.bind_tools() gave no binding, whose tools could be inspected"
            )
        if "ls_structured_output_format" in kwargs:
            # A schema as a tool: its arguments are the answer, and nothing is called.
            return self.bind(**bound.kwargs, **{_ANSWERS: sorted(_names(bound.kwargs))})
        return self.bind(**bound.kwargs)

    def _current(self) -> Session:
        session: Session = self.guard.current_session() if self.session is None else self.session
        return session

    def _sending(self, session: Session) -> Sending:
        return Sending(
            session,
            destination_of(session.guard, self.destination, self.inner),
            caller="langchain",
            model=self.model_name or None,
        )

    def _answer(self, sending: Sending, bound: dict[str, Any]) -> Answer:
        return Answer(sending, self.guard.restore_tools.union(bound.pop(_ANSWERS, ())))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        sending = self._sending(self._current())
        answer = self._answer(sending, kwargs)
        sent, bound = redacted(messages, {**kwargs, "stop": stop}, sending)
        with sending.under_way():
            message = restored(self.inner.invoke(sent, _NO_CALLBACKS, **bound), answer)
        sending.answered()
        return _result(message)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        session = self._current()
        sending = self._sending(session)
        answer = self._answer(sending, kwargs)
        sent, bound = await session.guard.aside(redacted, messages, {**kwargs, "stop": stop}, sending)
        with sending.under_way():
            message = await self.inner.ainvoke(sent, _NO_CALLBACKS, **bound)
            said = await session.guard.aside(restored, message, answer)
        sending.answered()
        return _result(said)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        sending = self._sending(self._current())
        pieces = Pieces(self._answer(sending, kwargs))
        sent, bound = redacted(messages, {**kwargs, "stop": stop}, sending)
        try:
            for chunk in self.inner.stream(sent, _NO_CALLBACKS, **bound):
                yield _generation(pieces.chunk(_as_chunk(chunk)))
        except GeneratorExit:
            sending.answered(error="closed")
            raise
        except Exception as error:
            sending.answered(error=type(error).__name__)
            if (held := pieces.rest()) is not None:
                yield _generation(held)
            raise
        held = pieces.rest()
        sending.answered()
        if held is not None:
            yield _generation(held)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        session = self._current()
        vault, sending = session.guard.vault, self._sending(session)
        pieces = Pieces(self._answer(sending, kwargs))
        sent, bound = await session.guard.aside(redacted, messages, {**kwargs, "stop": stop}, sending)
        try:
            async for chunk in self.inner.astream(sent, _NO_CALLBACKS, **bound):
                yield _generation(await beside(vault, pieces.chunk, _as_chunk(chunk)))
        except GeneratorExit:
            sending.answered(error="closed")
            raise
        except Exception as error:
            sending.answered(error=type(error).__name__)
            if (held := await beside(vault, pieces.rest)) is not None:
                yield _generation(held)
            raise
        held = await beside(vault, pieces.rest)
        sending.answered()
        if held is not None:
            yield _generation(held)


class SovguardMiddleware(AgentMiddleware[AgentState[Any], Any, Any]):
    """Redacts what an agent's model is told, restores what it says, and gives real values to the tools that may have them.

    The state keeps real values in what people and models say, and surrogates in the arguments of tools that are not named
    in ``Guard(restore_tools=…)``. A thread of LangGraph is a session, unless one was entered; without either, the guard's
    current session is used. Put it last in the list: a middleware behind it could ask another model.

    Args:
        guard: Whose sessions are used.
        destination: The id of the destination that the agent's model sends to; by default the one that its address is of.
    """

    def __init__(self, guard: Guard, *, destination: str | None = None) -> None:
        super().__init__()
        self._guard = guard
        self._destination = destination

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Let a guarded model answer."""
        session = self._session()
        return _finished(handler(self._guarded(request, session)), session)

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """Let a guarded model answer."""
        session = self._session()
        return await session.guard.aside(_finished, await handler(self._guarded(request, session)), session)

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolMessage | Command[Any]]
    ) -> ToolMessage | Command[Any]:
        """Run a tool, with real values if it is named.

        Raises:
            ForeignSurrogate: Its arguments hold a surrogate that is not this session's.
        """
        return handler(self._with_values(request, self._session()))

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]],
    ) -> ToolMessage | Command[Any]:
        """Run a tool, with real values if it is named."""
        return await handler(await self._guard.aside(self._with_values, request, self._session()))

    def _session(self) -> Session:
        entered = self._guard.entered_session()
        if entered is not None:
            return entered
        thread = get_config().get("configurable", {}).get("thread_id")
        return self._guard.session(str(thread)) if thread else self._guard.current_session()

    def _guarded(self, request: ModelRequest[Any], session: Session) -> ModelRequest[Any]:
        model = GuardedChatModel(
            guard=self._guard,
            inner=request.model,
            session=session,
            destination=self._destination,
            profile=request.model.profile,
        )
        return request.override(model=model)

    def _with_values(self, request: ToolCallRequest, session: Session) -> ToolCallRequest:
        call = request.tool_call
        if call["name"] not in self._guard.restore_tools:
            return request
        given, unresolved = session.restored_values(call["args"])
        if unresolved:
            raise foreign()
        return request.override(tool_call={**call, "args": given})


def _finished(response: ModelResponse[Any], session: Session) -> ModelResponse[Any]:
    if response.structured_response is None:
        return response
    answer = session.restore_within(response.structured_response)
    return ModelResponse(result=response.result, structured_response=answer)


def _names(bound: Mapping[str, Any]) -> set[str]:
    tools = [tool.get("function", tool) for tool in bound.get("tools") or ()]
    return {tool["name"] for tool in tools if isinstance(tool.get("name"), str)}


def _as_chunk(message: BaseMessage) -> AIMessageChunk:
    if isinstance(message, AIMessageChunk):
        return message
    fields = {name: getattr(message, name) for name in AIMessage.model_fields if hasattr(message, name)}
    return AIMessageChunk(**{**fields, "type": "AIMessageChunk"})


def _result(message: BaseMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=message)])


def _generation(chunk: AIMessageChunk) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=chunk)
