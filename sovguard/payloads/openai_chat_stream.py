"""Where text lives in the chunks of a streamed OpenAI Chat Completions answer, and of those made like it.

Each choice has a lane for each of its texts and for the arguments of each tool call that may hold real values. What is held is
given out before the choice goes on to another text, before its last chunk, and at the end. ``logprobs`` are about the
text as the model wrote it and stay.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sovguard.payloads.lanes import Frame, Lanes
from sovguard.payloads.openai_chat import CALL_TEXTS, MESSAGE_TEXTS
from sovguard.payloads.slots import PayloadSession

_OF_CHOICES = frozenset({"choices", "usage"})


class ChatStream:
    """Restores one streamed answer.

    Args:
        session: The session that redacted the request.
        restore_tools: Names of tools whose arguments may hold real values.
    """

    def __init__(self, session: PayloadSession, restore_tools: Collection[str] = ()) -> None:
        self._lanes = Lanes(session.stream)
        self._tools = restore_tools
        self._names: dict[tuple[int, Any], str] = {}
        self._like: dict[str, Any] = {}

    def frames(self, frame: Frame) -> list[Frame]:
        """Returns the chunk with real values in it, after those that give out what was held."""
        chunk = frame.data
        if not isinstance(chunk, dict) or not isinstance(chunk.get("choices"), list):
            return [frame]
        self._like = {key: value for key, value in chunk.items() if key not in _OF_CHOICES}
        before: list[Frame] = []
        choices = [self._choice(choice, before) for choice in chunk["choices"]]
        if not before and choices == chunk["choices"]:
            return [frame]
        return [*before, Frame(frame.name, {**chunk, "choices": choices})]

    def rest(self) -> list[Frame]:
        """Returns chunks with what is still held."""
        given: list[Frame] = []
        for key in self._lanes.keys():  # noqa: SIM118
            self._flush(key, given)
        return given

    def _choice(self, choice: Any, before: list[Frame]) -> Any:
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if not isinstance(delta, dict):
            return choice
        index = choice.get("index", 0)
        texts = [key for key in delta if key in MESSAGE_TEXTS and isinstance(delta[key], str)]
        calls = delta.get("tool_calls") if isinstance(delta.get("tool_calls"), list) else []
        called = isinstance(delta.get("function_call"), dict)
        speaks = [key for key in texts if delta[key]]
        if speaks or calls or called:
            for key in self._lanes.keys():  # noqa: SIM118
                if key[0] == index and key[1] == "text" and key[2] not in speaks:
                    self._flush(key, before)
        new = dict(delta)
        for key in texts:
            new[key] = self._lanes.feed((index, "text", key), delta[key], "answer")
        if calls:
            new["tool_calls"] = [self._call(call, index, place) for place, call in enumerate(calls)]
        if called:
            new["function_call"] = self._called(delta["function_call"], index, None)
        if choice.get("finish_reason") is not None:
            for key in self._lanes.keys():  # noqa: SIM118
                if key[0] != index:
                    continue
                if key[1] == "text" and key[2] in new:
                    new[key[2]] = (new[key[2]] or "") + self._lanes.flush(key)
                else:
                    self._flush(key, before)
        return {**choice, "delta": new}

    def _call(self, call: Any, choice: int, place: int) -> Any:
        if not isinstance(call, dict):
            return call
        index = call.get("index", place)
        return {
            key: self._called(value, choice, index) if key in ("function", "custom") else value
            for key, value in call.items()
        }

    def _called(self, called: Any, choice: int, index: Any) -> Any:
        if not isinstance(called, dict):
            return called
        name = called.get("name")
        if isinstance(name, str) and name:
            self._names[choice, index] = self._names.get((choice, index), "") + name
        new = dict(called)
        for key, sink in CALL_TEXTS:
            piece = called.get(key)
            if isinstance(piece, str) and self._names.get((choice, index)) in self._tools:
                new[key] = self._lanes.feed((choice, key, index), piece, sink, tool=True)
        return new

    def _flush(self, key: Any, given: list[Frame]) -> None:
        """Adds a chunk that gives out what is held of one text."""
        choice, kind, which = key
        held = self._lanes.flush(key)
        if not held:
            return
        if kind == "text":
            delta: dict[str, Any] = {which: held}
        elif which is None:
            delta = {"function_call": {kind: held}}
        else:
            part = "function" if kind == "arguments" else "custom"
            delta = {"tool_calls": [{"index": which, part: {kind: held}}]}
        choices = [{"index": choice, "delta": delta, "logprobs": None, "finish_reason": None}]
        given.append(Frame("", {**self._like, "choices": choices}))
