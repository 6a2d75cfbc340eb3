"""Haystack: a pair of components around a chat generator, the one redacting and the other restoring.

pipeline.add_component("redact", SurrogateRedactor(guard))
pipeline.add_component("llm", OpenAIChatGenerator())
pipeline.add_component("restore", SurrogateRestorer(guard))
pipeline.connect("redact.messages", "llm.messages")
pipeline.connect("llm.replies", "restore.replies")
pipeline.connect("redact.session_id", "restore.session_id")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from haystack import component, default_from_dict, default_to_dict
from haystack.dataclasses import ChatMessage, StreamingChunk

import sovguard
from sovguard.errors import ConfigError
from sovguard.guard import Guard
from sovguard.payloads.haystack_messages import MESSAGES, REPLIES
from sovguard.payloads.rules import Answer
from sovguard.payloads.slots import Slots, fill


class _WithGuard:
    """What both components have in common."""

    def __init__(self, guard: Guard | None = None) -> None:
        self._given = guard
        self._guard = sovguard._default if guard is None else guard

    def to_dict(self) -> dict[str, Any]:
        """Return the component as a pipeline is written down; only one with the default guard can be."""
        if self._given is not None:
            raise ConfigError(
                "a Guard cannot be written into a pipeline file: leave it out to use the default one"
            )
        return default_to_dict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Any:
        """Return the component that was written down."""
        return default_from_dict(cls, data)


@component
class SurrogateRedactor(_WithGuard):
    """Swaps the personal information in messages for surrogates.

    Args:
        guard: Whose sessions are used; the default guard of ``sovguard`` if ``None``.
    """

    @component.output_types(messages=list[ChatMessage], session_id=str)
    def run(self, messages: list[ChatMessage], session_id: str | None = None) -> dict[str, Any]:
        """Return the messages with surrogates in them, and the id of the session that can restore the answer.

        Args:
            messages: The messages of a conversation.
            session_id: Which conversation it is; that of the guard's current session if ``None``.

        Raises:
            UnsupportedPayload: A message holds something whose text cannot be found for certain.
        """
        session = self._guard.current_session() if session_id is None else self._guard.session(session_id)
        slots = Slots(session.allowed_media)
        tree = MESSAGES([message.to_dict() for message in messages], "messages", slots, False)
        redacted = [ChatMessage.from_dict(message) for message in fill(tree, slots, session)]
        return {"messages": redacted, "session_id": session.id}


@component
class SurrogateRestorer(_WithGuard):
    """Puts the real values back into a generator's replies.

    Args:
        guard: The redactor's guard.
    """

    @component.output_types(replies=list[ChatMessage])
    def run(self, replies: list[ChatMessage], session_id: str) -> dict[str, Any]:
        """Return the replies with real values in them; the arguments of calls of named tools alone.

        Args:
            replies: What the generator said.
            session_id: The redactor's session.

        Raises:
            ForeignSurrogate: The arguments of a tool that may hold real values hold a surrogate of another session.
        """
        answer = Answer(self._guard.session(session_id), self._guard.restore_tools)
        restored = REPLIES([reply.to_dict() for reply in replies], answer)
        return {"replies": [ChatMessage.from_dict(reply) for reply in restored]}

    def streaming(
        self, session_id: str, show: Callable[[StreamingChunk], None]
    ) -> Callable[[StreamingChunk], None]:
        """Return a ``streaming_callback`` for the generator that shows each piece with real values in it.

        Args:
            session_id: The session, given to the redactor as well.
            show: What to call with each piece.
        """
        lane = self._guard.session(session_id).stream("answer")

        def callback(chunk: StreamingChunk) -> None:
            text = lane.feed(chunk.content) if chunk.content else ""
            if chunk.finish_reason is not None or (chunk.start and not chunk.content) or chunk.tool_calls:
                text += lane.flush()
            if text and (chunk.tool_calls or chunk.tool_call_result or chunk.reasoning):
                show(
                    StreamingChunk(
                        text, meta=chunk.meta, component_info=chunk.component_info, index=chunk.index
                    )
                )
                text = ""
            show(replace(chunk, content=text))

        return callback
