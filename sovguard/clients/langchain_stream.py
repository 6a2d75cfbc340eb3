"""LangChain's answers that arrive as chunks: each with what can be given out in place of what came.

Between the lanes that hold back what may still become a surrogate and the guarded chat model.
"""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessageChunk

from sovguard.payloads.lanes import Lanes
from sovguard.payloads.rules import Answer

EXTRA_TEXTS = ("refusal", "reasoning_content", "reasoning")
"""Texts of a message that stand outside its content."""


class Pieces:
    """Restores the chunks of one streamed message."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._lanes = Lanes(answer.session.stream)
        self._tools = answer.tools
        self._named: set[Any] = set()

    def chunk(self, message: AIMessageChunk) -> AIMessageChunk:
        """Return a chunk with what can be given out in place of what came."""
        content: Any = message.content
        if isinstance(content, str):
            content = self._lanes.feed("content", content, "answer") if content else content
        else:
            content = [self._piece(block, place) for place, block in enumerate(content)]
        extra = {
            key: self._lanes.feed(key, value, "answer")
            if key in EXTRA_TEXTS and isinstance(value, str)
            else value
            for key, value in message.additional_kwargs.items()
        }
        calls = [self._call(call) for call in message.tool_call_chunks]
        new = AIMessageChunk(
            **{
                **{name: getattr(message, name) for name in type(message).model_fields if name != "type"},
                "content": content,
                "additional_kwargs": extra,
                "tool_call_chunks": calls,
                "tool_calls": [],
                "invalid_tool_calls": [],
            }
        )
        if message.chunk_position == "last" and (held := self.rest()) is not None:
            new = held + new
        return new

    def rest(self) -> AIMessageChunk | None:
        """Return a chunk with what is still held, if anything is."""
        content: list[Any] = []
        extra: dict[str, str] = {}
        calls: list[Any] = []
        for key in self._lanes.keys():  # noqa: SIM118
            held = self._lanes.flush(key)
            if not held:
                continue
            if key == "content":
                content.append(held)
            elif isinstance(key, str):
                extra[key] = held
            elif key[0] == "args":
                calls.append(
                    {"name": None, "args": held, "id": None, "index": key[1], "type": "tool_call_chunk"}
                )
            else:
                content.append({"type": key[1], key[0]: held, "index": key[2]})
        if not content and not extra and not calls:
            return None
        said: Any = content[0] if content and isinstance(content[0], str) else content or ""
        return AIMessageChunk(content=said, additional_kwargs=extra, tool_call_chunks=calls)

    def _piece(self, block: Any, place: int) -> Any:
        if isinstance(block, str):
            return self._lanes.feed("content", block, "answer")
        kind = block.get("type") if isinstance(block, dict) else None
        if kind in ("thinking", "redacted_thinking"):
            return block
        new = dict(block)
        for key in ("text", "refusal", "reasoning"):
            if isinstance(block.get(key), str):
                new[key] = self._lanes.feed((key, kind, block.get("index", place)), block[key], "answer")
        return new

    def _call(self, call: Any) -> Any:
        index, name, args = call.get("index"), call.get("name"), call.get("args")
        if index is None:  # a whole call, as models give them that do not stream their arguments
            whole = name in self._tools and isinstance(args, str)
            return {**call, "args": self._answer.text(args, "json", tool=True)} if whole else call
        if name:
            (self._named.add if name in self._tools else self._named.discard)(index)
        if index not in self._named or not isinstance(args, str):
            return call
        return {**call, "args": self._lanes.feed(("args", index), args, "json", tool=True)}
