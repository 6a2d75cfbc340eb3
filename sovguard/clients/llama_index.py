"""LlamaIndex: a model whose messages are redacted before they leave and whose answers are restored.

    Settings.llm = GuardedLLM(guard=guard, inner=OpenAI(model="gpt-5"))

Query engines, chat engines and agents ask it like any model; retrieved nodes are part of what they send, and so redacted too.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    TextBlock,
    ToolCallBlock,
)
from llama_index.core.llms import LLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from pydantic import Field

from sovguard.clients.aside import beside
from sovguard.clients.destinations import destination_of
from sovguard.errors import InputError
from sovguard.payloads.langchain_messages import bound as bound_rule
from sovguard.payloads.llama_index_messages import MESSAGES, fields_of, with_fields
from sovguard.payloads.rules import Answer, prose
from sovguard.payloads.slots import Slots, fill
from sovguard.sending import Sending
from sovguard.session import Session


class GuardedLLM(FunctionCallingLLM):
    """A model whose messages are redacted and whose answers are restored, whole and streamed.

    Attributes:
        guard: Whose current session is used, at the time of each call.
        inner: The model that is asked.
        destination: The id of the destination that it sends to; by default the one that the model's address is of.
    """

    guard: Any = Field(exclude=True)
    inner: LLM
    destination: str | None = None

    @classmethod
    def class_name(cls) -> str:
        """The name of the class, as LlamaIndex writes it down."""
        return "sovguard_llm"

    @property
    def metadata(self) -> LLMMetadata:
        """What the model within can do."""
        return self.inner.metadata

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Ask with messages."""
        sending = self._sending()
        sent, bound = _redacted(messages, kwargs, sending)
        with sending.under_way():
            response = _restored(self.inner.chat(sent, **bound), self._answer(sending))
        sending.answered()
        return response

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Ask with messages."""
        sending = self._sending()
        sent, bound = await sending.guard.aside(_redacted, messages, kwargs, sending)
        with sending.under_way():
            response = await self.inner.achat(sent, **bound)
            response = await sending.guard.aside(_restored, response, self._answer(sending))
        sending.answered()
        return response

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Ask with messages; the answer comes in pieces."""
        sending = self._sending()
        sent, bound = _redacted(messages, kwargs, sending)
        with sending.under_way():
            stream = self.inner.stream_chat(sent, **bound)
        return _streamed(stream, _chat_pieces(sending, self._answer(sending)))

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """Ask with messages; the answer comes in pieces."""
        sending = self._sending()
        sent, bound = await sending.guard.aside(_redacted, messages, kwargs, sending)
        with sending.under_way():
            stream = await self.inner.astream_chat(sent, **bound)
        return _astreamed(stream, _chat_pieces(sending, self._answer(sending)))

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Ask with one text."""
        sending = self._sending()
        sent, bound = _prompted(prompt, kwargs, sending)
        with sending.under_way():
            response = self.inner.complete(sent, formatted, **bound)
            response = response.model_copy(update={"text": self._answer(sending).text(response.text)})
        sending.answered()
        return response

    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Ask with one text."""
        sending = self._sending()
        sent, bound = await sending.guard.aside(_prompted, prompt, kwargs, sending)
        with sending.under_way():
            response = await self.inner.acomplete(sent, formatted, **bound)
            text = await sending.guard.aside(self._answer(sending).text, response.text)
        sending.answered()
        return response.model_copy(update={"text": text})

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """Ask with one text; the answer comes in pieces."""
        sending = self._sending()
        sent, bound = _prompted(prompt, kwargs, sending)
        with sending.under_way():
            stream = self.inner.stream_complete(sent, formatted, **bound)
        return _streamed(stream, _text_pieces(sending))

    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """Ask with one text; the answer comes in pieces."""
        sending = self._sending()
        sent, bound = await sending.guard.aside(_prompted, prompt, kwargs, sending)
        with sending.under_way():
            stream = await self.inner.astream_complete(sent, formatted, **bound)
        return _astreamed(stream, _text_pieces(sending))

    def structured_predict(
        self, output_cls: Any, prompt: Any, llm_kwargs: Any = None, **prompt_args: Any
    ) -> Any:
        """Return an object of a class of yours; its fields are the answer, and hold real values."""
        predicted = super().structured_predict(output_cls, prompt, llm_kwargs, **prompt_args)
        return self._session().restore_within(predicted)

    async def astructured_predict(
        self, output_cls: Any, prompt: Any, llm_kwargs: Any = None, **prompt_args: Any
    ) -> Any:
        """Return an object of a class of yours; its fields are the answer, and hold real values."""
        session = self._session()
        predicted = await super().astructured_predict(output_cls, prompt, llm_kwargs, **prompt_args)
        return await session.guard.aside(session.restore_within, predicted)

    def stream_structured_predict(
        self, output_cls: Any, prompt: Any, llm_kwargs: Any = None, **prompt_args: Any
    ) -> Any:
        """Give an object of a class of yours as it fills."""
        session = self._session()
        for each in super().stream_structured_predict(output_cls, prompt, llm_kwargs, **prompt_args):
            yield session.restore_within(each)

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """Return the calls in an answer, as the model within reads them."""
        inner = self._calling()
        return inner.get_tool_calls_from_response(response, error_on_no_tool_call, **kwargs)

    def _prepare_chat_with_tools(self, tools: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return self._calling()._prepare_chat_with_tools(tools, *args, **kwargs)

    def _calling(self) -> FunctionCallingLLM:
        if not isinstance(self.inner, FunctionCallingLLM):
            raise InputError(f"{type(self.inner).__name__} calls no tools: use a FunctionCallingLLM")
        return self.inner

    def _session(self) -> Session:
        session: Session = self.guard.current_session()
        return session

    def _sending(self) -> Sending:
        session = self._session()
        at = destination_of(session.guard, self.destination, self.inner)
        return Sending(session, at, caller="llama_index", model=getattr(self.inner, "model", None))

    def _answer(self, sending: Sending) -> Answer:
        return Answer(sending, self.guard.restore_tools)


class _Pieces:
    """Restores the pieces of one answer.

    Args:
        sending: The request that it answers.
        said: Makes a piece say a text so far, and what of it is new.

    Attributes:
        sending: The request that it answers.
    """

    def __init__(self, sending: Sending, said: Callable[[Any, str, str], Any]) -> None:
        self.sending = sending
        self._lane = sending.stream("answer")
        self._said = said
        self._given = ""
        self._last: Any = None

    def piece(self, response: Any) -> Any:
        """Return what can be given out in place of a piece."""
        self._last = response
        return self._made(self._lane.feed(response.delta or ""))

    def rest(self) -> Any:
        """Return what is still held; ``None`` if nothing is."""
        held = self._lane.flush()
        return self._made(held) if held else None

    def _made(self, delta: str) -> Any:
        self._given += delta
        return self._said(self._last, self._given, delta)


def _text_pieces(sending: Sending) -> _Pieces:
    return _Pieces(
        sending, lambda response, text, delta: response.model_copy(update={"text": text, "delta": delta})
    )


def _chat_pieces(sending: Sending, answer: Answer) -> _Pieces:
    def said(response: ChatResponse, text: str, delta: str) -> ChatResponse:
        response = _with_calls(response, answer)
        others = [block for block in response.message.blocks if not isinstance(block, TextBlock)]
        message = response.message.model_copy(update={"blocks": [TextBlock(text=text), *others]})
        return response.model_copy(update={"message": message, "delta": delta})

    return _Pieces(sending, said)


def _streamed(stream: Iterator[Any], pieces: _Pieces) -> Generator[Any, None, None]:
    try:
        for response in stream:
            yield pieces.piece(response)
    except GeneratorExit:
        pieces.sending.answered(error="closed")
        raise
    except Exception as error:
        pieces.sending.answered(error=type(error).__name__)
        if (held := pieces.rest()) is not None:
            yield held
        raise
    held = pieces.rest()
    pieces.sending.answered()
    if held is not None:
        yield held


async def _astreamed(stream: AsyncIterator[Any], pieces: _Pieces) -> AsyncGenerator[Any, None]:
    vault = pieces.sending.guard.vault
    try:
        async for response in stream:
            yield await beside(vault, pieces.piece, response)
    except GeneratorExit:
        pieces.sending.answered(error="closed")
        raise
    except Exception as error:
        pieces.sending.answered(error=type(error).__name__)
        if (held := await beside(vault, pieces.rest)) is not None:
            yield held
        raise
    held = await beside(vault, pieces.rest)
    pieces.sending.answered()
    if held is not None:
        yield held


def _redacted(
    messages: Sequence[ChatMessage], bound: dict[str, Any], sending: Sending
) -> tuple[list[ChatMessage], dict[str, Any]]:
    with sending.refusing():
        slots = Slots(sending.allowed_media)
        told = [fields_of(message) for message in messages]
        tree = [MESSAGES(told, "messages", slots, False), bound_rule(bound, "", slots, False)]
        new, arguments = filled = fill(tree, slots, sending)
        sending.release(filled)
    return [with_fields(*pair) for pair in zip(messages, new, strict=True)], arguments


def _prompted(prompt: str, bound: dict[str, Any], sending: Sending) -> tuple[str, dict[str, Any]]:
    with sending.refusing():
        slots = Slots(sending.allowed_media)
        tree = [prose(prompt, "prompt", slots, False), bound_rule(bound, "", slots, False)]
        text, arguments = filled = fill(tree, slots, sending)
        sending.release(filled)
    return text, arguments


def _restored(response: ChatResponse, answer: Answer) -> ChatResponse:
    response = _with_calls(response, answer)
    blocks = [
        block.model_copy(update={"text": answer.text(block.text)}) if isinstance(block, TextBlock) else block
        for block in response.message.blocks
    ]
    return response.model_copy(update={"message": response.message.model_copy(update={"blocks": blocks})})


def _with_calls(response: ChatResponse, answer: Answer) -> ChatResponse:
    """Return an answer with real values in the calls of named tools."""
    blocks = [
        block.model_copy(update={"tool_kwargs": _arguments(block.tool_kwargs, answer)})
        if isinstance(block, ToolCallBlock) and block.tool_name in answer.tools
        else block
        for block in response.message.blocks
    ]
    extra = dict(response.message.additional_kwargs)
    if extra.get("tool_calls"):
        extra["tool_calls"] = [_called(call, answer) for call in extra["tool_calls"]]
    message = response.message.model_copy(update={"blocks": blocks, "additional_kwargs": extra})
    return response.model_copy(update={"message": message})


def _called(call: Any, answer: Answer) -> Any:
    """Return a call as OpenAI gives it, an object or a dict, with real values if its tool is named."""
    function = call.get("function") if isinstance(call, dict) else getattr(call, "function", None)
    if function is None:
        return call
    said = function if isinstance(function, dict) else vars(function)
    if said.get("name") not in answer.tools:
        return call
    arguments = _arguments(said.get("arguments"), answer)
    if isinstance(function, dict):
        return {**call, "function": {**function, "arguments": arguments}}
    return call.model_copy(update={"function": function.model_copy(update={"arguments": arguments})})


def _arguments(arguments: Any, answer: Answer) -> Any:
    if not isinstance(arguments, str):
        return answer.values(arguments)
    try:
        json.loads(arguments)
    except ValueError:  # a stream has not come to its end
        return arguments
    return answer.text(arguments, "json", tool=True)
