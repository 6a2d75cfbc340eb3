"""Every client and adapter behind one small interface, so that one set of scenarios runs through all of them.

A driver asks the model at ``base_url`` as a user of its client would. What it is given and gives back is plain text: nothing in
here redacts or restores, that is the guard's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import anthropic
import httpx
import httpx2
import ollama
import openai

from sovguard import Guard
from sovguard.clients.ndjson import LineReader
from sovguard.clients.sse import EventReader
from tests.servers import NAME

Turn = tuple[str, str]
Notify = Callable[[dict[str, Any]], str]

SCHEMA = {"type": "object", "properties": {"who": {"type": "string"}, "n": {"type": "integer"}}}
FUNCTION = {"name": "notify", "description": "알림을 보낸다.", "parameters": SCHEMA}
CHAT_TOOLS: list[Any] = [{"type": "function", "function": FUNCTION}]
RESULT = f"{NAME}에게 알렸음"


def messages(turns: list[Turn]) -> list[Any]:
    """Turns as most formats have them."""
    return [{"role": role, "content": text} for role, text in turns]


class Driver:
    """A client, protected.

    Attributes:
        retries: Whether the client tries again by itself when the server fails.
        streams: Whether it can give an answer in pieces.
        calls: Whether it lets the caller run tools.
    """

    retries: ClassVar[bool] = False
    streams: ClassVar[bool] = True
    calls: ClassVar[bool] = True

    def __init__(self, guard: Guard, base_url: str) -> None:
        self.guard = guard
        self.base_url = base_url
        self.root = base_url.removesuffix("/v1")

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        raise NotImplementedError

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The answer to a conversation, in pieces."""
        raise NotImplementedError

    def loop(self, text: str, notify: Notify) -> str:
        """The final answer where the model calls a tool, whose result goes back to it."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends its connections."""


class Asynchronous(Driver):
    """An asynchronous client; each call has a loop of its own."""

    @contextmanager
    def _client(self) -> Iterator[Any]:
        raise NotImplementedError

    async def asay(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        raise NotImplementedError

    def astream(self, turns: list[Turn]) -> AsyncIterator[str]:
        """The answer to a conversation, in pieces."""
        raise NotImplementedError

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        return asyncio.run(self.asay(turns))

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The answer in pieces; whoever stops reading cancels it."""
        with asyncio.Runner() as runner:
            pieces = self.astream(turns)
            try:
                while (piece := runner.run(anext_or_none(pieces))) is not None:
                    yield piece
            finally:
                runner.run(pieces.aclose())  # type: ignore[attr-defined]


async def anext_or_none(pieces: AsyncIterator[str]) -> str | None:
    """The next piece, if there is one."""
    return await anext(pieces, None)


class OpenAIChat(Driver):
    """OpenAI, Chat Completions."""

    retries = True

    def __init__(self, guard: Guard, base_url: str) -> None:
        super().__init__(guard, base_url)
        self.client = guard.wrap(openai.OpenAI(api_key="key", base_url=base_url))

    def say(self, turns: list[Turn]) -> str:
        """With ``n`` answers, which agree."""
        answer = self.client.chat.completions.create(model="m", messages=messages(turns), n=2)
        one, two = (choice.message.content for choice in answer.choices)
        assert one == two
        return one or ""

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The first of two answers that come at once."""
        with self.client.chat.completions.create(
            model="m", messages=messages(turns), n=2, stream=True
        ) as stream:
            for chunk in stream:
                if chunk.choices and chunk.choices[0].index == 0 and chunk.choices[0].delta.content:
                    yield chunk.choices[0].delta.content

    def loop(self, text: str, notify: Notify) -> str:
        """With the tool's result as a message."""
        told = messages([("user", text)])
        create = self.client.chat.completions.create
        said: Any = create(model="m", messages=told, tools=CHAT_TOOLS).choices[0].message
        (call,) = said.tool_calls
        result = notify(json.loads(call.function.arguments))
        told += [
            said.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.id, "content": result},
        ]
        return create(model="m", messages=told, tools=CHAT_TOOLS).choices[0].message.content or ""

    def close(self) -> None:
        """Ends its connections."""
        self.client.close()


class OpenAIChatAsync(Asynchronous):
    """AsyncOpenAI, Chat Completions."""

    retries = True

    def _new(self) -> openai.AsyncOpenAI:
        return self.guard.wrap(openai.AsyncOpenAI(api_key="key", base_url=self.base_url))

    async def asay(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        async with self._new() as client:
            answer = await client.chat.completions.create(model="m", messages=messages(turns))
            return answer.choices[0].message.content or ""

    async def astream(self, turns: list[Turn]) -> AsyncIterator[str]:
        """The answer in pieces."""
        async with (
            self._new() as client,
            await client.chat.completions.create(model="m", messages=messages(turns), stream=True) as stream,
        ):
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield chunk.choices[0].delta.content

    def loop(self, text: str, notify: Notify) -> str:
        """The call gathered by the helper for streams."""

        async def run() -> str:
            told = messages([("user", text)])
            async with self._new() as client:
                async with client.chat.completions.stream(
                    model="m", messages=told, tools=CHAT_TOOLS
                ) as stream:
                    said: Any = (await stream.get_final_completion()).choices[0].message
                (call,) = said.tool_calls
                result = notify(json.loads(call.function.arguments))
                call = {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": "notify", "arguments": call.function.arguments},
                }
                told += [{"role": "assistant", "content": said.content, "tool_calls": [call]}]
                told += [{"role": "tool", "tool_call_id": "c1", "content": result}]
                answer = await client.chat.completions.create(model="m", messages=told, tools=CHAT_TOOLS)
                return answer.choices[0].message.content or ""

        return asyncio.run(run())


class OpenAIResponses(Driver):
    """OpenAI, Responses."""

    retries = True
    TOOLS: ClassVar[list[Any]] = [{"type": "function", "strict": False, **FUNCTION}]

    def __init__(self, guard: Guard, base_url: str) -> None:
        super().__init__(guard, base_url)
        self.client = guard.wrap(openai.OpenAI(api_key="key", base_url=base_url))

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        return self.client.responses.create(model="m", input=messages(turns)).output_text

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The answer in pieces."""
        with self.client.responses.create(model="m", input=messages(turns), stream=True) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    yield event.delta

    def loop(self, text: str, notify: Notify) -> str:
        """With the result as an item."""
        told = messages([("user", text)])
        first: Any = self.client.responses.create(model="m", input=told, tools=self.TOOLS)
        call = first.output[-1]
        result = notify(json.loads(call.arguments))
        told += [*first.output, {"type": "function_call_output", "call_id": call.call_id, "output": result}]
        return self.client.responses.create(model="m", input=told, tools=self.TOOLS).output_text

    def close(self) -> None:
        """Ends its connections."""
        self.client.close()


class Anthropic(Driver):
    """Anthropic, Messages."""

    retries = True
    ASK: ClassVar[dict[str, Any]] = {"model": "m", "max_tokens": 9}
    TOOLS: ClassVar[list[Any]] = [
        {"name": "notify", "description": FUNCTION["description"], "input_schema": SCHEMA}
    ]

    def __init__(self, guard: Guard, base_url: str) -> None:
        super().__init__(guard, base_url)
        self.client = guard.wrap(anthropic.Anthropic(api_key="key", base_url=self.root))

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        return _text(self.client.messages.create(**self.ASK, messages=messages(turns)))

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The answer in pieces."""
        with self.client.messages.stream(**self.ASK, messages=messages(turns)) as stream:
            yield from stream.text_stream

    def loop(self, text: str, notify: Notify) -> str:
        """With the result as a block."""
        told = messages([("user", text)])
        first: Any = self.client.messages.create(**self.ASK, messages=told, tools=self.TOOLS)
        call = first.content[-1]
        result = {"type": "tool_result", "tool_use_id": call.id, "content": notify(call.input)}
        told += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        return _text(self.client.messages.create(**self.ASK, messages=told, tools=self.TOOLS))

    def close(self) -> None:
        """Ends its connections."""
        self.client.close()


def _text(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


class AnthropicAsync(Asynchronous):
    """AsyncAnthropic, Messages."""

    retries = True
    calls = False

    async def asay(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        async with self.guard.wrap(anthropic.AsyncAnthropic(api_key="key", base_url=self.root)) as client:
            return _text(await client.messages.create(**Anthropic.ASK, messages=messages(turns)))

    async def astream(self, turns: list[Turn]) -> AsyncIterator[str]:
        """The answer in pieces."""
        async with (
            self.guard.wrap(anthropic.AsyncAnthropic(api_key="key", base_url=self.root)) as client,
            client.messages.stream(**Anthropic.ASK, messages=messages(turns)) as stream,
        ):
            async for piece in stream.text_stream:
                yield piece


class Ollama(Driver):
    """Ollama's own client."""

    def __init__(self, guard: Guard, base_url: str) -> None:
        super().__init__(guard, base_url)
        self.client = guard.wrap(ollama.Client(host=self.root))

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        return self.client.chat(model="m", messages=messages(turns)).message.content or ""

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The answer in pieces."""
        for part in self.client.chat(model="m", messages=messages(turns), stream=True):
            if part.message.content:
                yield part.message.content

    def loop(self, text: str, notify: Notify) -> str:
        """With the tool's result as a message."""
        told = messages([("user", text)])
        said: Any = self.client.chat(model="m", messages=told, tools=CHAT_TOOLS).message
        result = notify(dict(said.tool_calls[0].function.arguments))
        told += [said, {"role": "tool", "tool_name": "notify", "content": result}]
        return self.client.chat(model="m", messages=told, tools=CHAT_TOOLS).message.content or ""

    def close(self) -> None:
        """Ends its connections."""
        self.client.close()


class Clova(Driver):
    """CLOVA Studio's own format, over httpx."""

    HTTP: ClassVar[Any] = httpx
    LIBRARY: ClassVar[str] = "httpx"

    def __init__(self, guard: Guard, base_url: str) -> None:
        super().__init__(guard, base_url)
        self.client = guard.http_client(library=self.LIBRARY)
        self.url = f"{self.root}/v3/chat-completions/HCX-007"

    def _ask(self, body: Any) -> Any:
        return self.client.post(self.url, json=body).raise_for_status().json()["result"]["message"]

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        said: str = self._ask({"messages": messages(turns)})["content"]
        return said

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The answer in pieces."""
        reader = EventReader()
        accept = {"accept": "text/event-stream"}
        with self.client.stream(
            "POST", self.url, json={"messages": messages(turns)}, headers=accept
        ) as response:
            for raw in response.iter_bytes():
                for event in reader.feed(raw):
                    if event.name == "token" and (said := json.loads(event.data or "")["message"]["content"]):
                        yield said

    def loop(self, text: str, notify: Notify) -> str:
        """With the tool's result as a message."""
        told = messages([("user", text)])
        said = self._ask({"messages": told, "tools": CHAT_TOOLS})
        result = notify(said["toolCalls"][0]["function"]["arguments"])
        told += [said, {"role": "tool", "toolCallId": "t1", "content": result}]
        again: str = self._ask({"messages": told, "tools": CHAT_TOOLS})["content"]
        return again

    def close(self) -> None:
        """Ends its connections."""
        self.client.close()


class Gemini(Clova):
    """Gemini's generateContent, over httpx2."""

    HTTP = httpx2
    LIBRARY = "httpx2"
    TOOLS: ClassVar[list[Any]] = [{"functionDeclarations": [FUNCTION]}]

    def __init__(self, guard: Guard, base_url: str) -> None:
        super().__init__(guard, base_url)
        self.url = f"{self.root}/v1beta/models/m"

    @staticmethod
    def _contents(turns: list[Turn]) -> list[Any]:
        roles = {"user": "user", "assistant": "model"}
        return [{"role": roles[role], "parts": [{"text": text}]} for role, text in turns]

    def _parts(self, body: Any) -> Any:
        response = self.client.post(f"{self.url}:generateContent", json=body).raise_for_status()
        return response.json()["candidates"][0]["content"]["parts"]

    @staticmethod
    def _said(parts: Any) -> str:
        return "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        return self._said(self._parts({"contents": self._contents(turns)}))

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The answer in pieces."""
        reader = EventReader()
        url = f"{self.url}:streamGenerateContent?alt=sse"
        with self.client.stream("POST", url, json={"contents": self._contents(turns)}) as response:
            for raw in response.iter_bytes():
                for event in reader.feed(raw):
                    content = json.loads(event.data or "")["candidates"][0]["content"]
                    if said := self._said(content["parts"]):
                        yield said

    def loop(self, text: str, notify: Notify) -> str:
        """With the tool's result as a part."""
        told = self._contents([("user", text)])
        parts = self._parts({"contents": told, "tools": self.TOOLS})
        result = {"name": "notify", "response": {"result": notify(parts[-1]["functionCall"]["args"])}}
        told += [{"role": "model", "parts": parts}, {"role": "user", "parts": [{"functionResponse": result}]}]
        return self._said(self._parts({"contents": told, "tools": self.TOOLS}))


class OllamaLines(Clova):
    """Ollama's lines, read by hand over httpx2."""

    HTTP = httpx2
    LIBRARY = "httpx2"
    calls = False

    def __init__(self, guard: Guard, base_url: str) -> None:
        super().__init__(guard, base_url)
        self.url = f"{self.root}/api/chat"

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        body = {"model": "m", "messages": messages(turns), "stream": False}
        said: str = self.client.post(self.url, json=body).raise_for_status().json()["message"]["content"]
        return said

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The answer in pieces."""
        reader = LineReader()
        with self.client.stream(
            "POST", self.url, json={"model": "m", "messages": messages(turns)}
        ) as response:
            for raw in response.iter_bytes():
                for line in reader.feed(raw):
                    if said := json.loads(line.data or "")["message"]["content"]:
                        yield said


class Decorated(Driver):
    """A function of the user's own that asks through a client nobody protects, decorated."""

    calls = False

    def __init__(self, guard: Guard, base_url: str) -> None:
        super().__init__(guard, base_url)
        self.client = httpx.Client(timeout=20)
        url = f"{base_url}/chat/completions"

        @guard.protect(destination="loopback")
        def ask(turns: list[dict[str, str]]) -> str:
            reply = self.client.post(url, json={"model": "m", "messages": turns}).raise_for_status()
            said: str = reply.json()["choices"][0]["message"]["content"]
            return said

        @guard.protect(destination="loopback")
        def pieces(turns: list[dict[str, str]]) -> Iterator[str]:
            reader = EventReader()
            body = {"model": "m", "messages": turns, "stream": True}
            with self.client.stream("POST", url, json=body) as response:
                for raw in response.iter_bytes():
                    for event in reader.feed(raw):
                        if event.data != "[DONE]":
                            yield json.loads(event.data or "")["choices"][0]["delta"].get("content", "")

        self._ask, self._pieces = ask, pieces

    def say(self, turns: list[Turn]) -> str:
        """The answer to a conversation."""
        return self._ask(messages(turns))

    def stream(self, turns: list[Turn]) -> Iterator[str]:
        """The answer in pieces."""
        return (piece for piece in self._pieces(messages(turns)) if piece)

    def close(self) -> None:
        """Ends its connections."""
        self.client.close()
