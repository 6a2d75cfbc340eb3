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
from haystack.dataclasses import ChatMessage, ReasoningContent, StreamingChunk

import sovguard
from sovguard.errors import ConfigError
from sovguard.guard import Guard
from sovguard.payloads.haystack_messages import MESSAGES, REPLIES
from sovguard.payloads.lanes import Lanes
from sovguard.payloads.rules import Answer
from sovguard.payloads.slots import Slots, fill
from sovguard.sending import Sending
from sovguard.session import Session


class _WithGuard:
    """What both components have in common."""

    def __init__(self, guard: Guard | None = None) -> None:
        self._given = guard
        self._guard = sovguard._default if guard is None else guard

    def _session(self, session_id: str) -> Session:
        """Return the session with an id: the one that was entered, if it has it, whoever's it is."""
        entered = self._guard.entered_session()
        return (
            entered if entered is not None and entered.id == session_id else self._guard.session(session_id)
        )

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
        destination: The id of the destination that the generator sends to. Without it everything is swapped for surrogates and
            the policy is not asked: this component cannot see where its messages go.
    """

    def __init__(self, guard: Guard | None = None, destination: str | None = None) -> None:
        # super() would not find it: @component makes another class of this one.
        _WithGuard.__init__(self, guard)
        self._destination = destination

    def to_dict(self) -> dict[str, Any]:
        """Return the component as a pipeline is written down; only one with the default guard can be."""
        _WithGuard.to_dict(self)
        return default_to_dict(self, destination=self._destination)

    @component.output_types(messages=list[ChatMessage], session_id=str)
    def run(self, messages: list[ChatMessage], session_id: str | None = None) -> dict[str, Any]:
        """Return the messages with surrogates in them, and the id of the session that can restore the answer.

        Args:
            messages: The messages of a conversation.
            session_id: Which conversation it is; that of the guard's current session if ``None``.

        Raises:
            UnsupportedPayload: A message holds something whose text cannot be found for certain.
            PolicyBlocked: The policy does not let it go there.
        """
        session = self._guard.current_session() if session_id is None else self._session(session_id)
        slots = Slots(session.allowed_media)
        tree = MESSAGES([message.to_dict() for message in messages], "messages", slots, False)
        if self._destination is None:
            filled = fill(tree, slots, session)
        else:
            sending = Sending(session, self._guard.destination(self._destination), caller="haystack")
            with sending.refusing():
                filled = fill(tree, slots, sending)
                sending.release(filled)
            # The answer comes by another component, which does not know of this request.
            sending.left()
        redacted = [ChatMessage.from_dict(message) for message in filled]
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
        answer = Answer(self._session(session_id), self._guard.restore_tools)
        restored = REPLIES([reply.to_dict() for reply in replies], answer)
        return {"replies": [ChatMessage.from_dict(reply) for reply in restored]}

    def streaming(self, session_id: str, show: Callable[[StreamingChunk], None]) -> Streaming:
        """Return a ``streaming_callback`` for the generator that shows each piece with real values in it.

        Args:
            session_id: The session, given to the redactor as well.
            show: What to call with each piece.
        """
        return Streaming(self._session(session_id), show)


class Streaming:
    """Shows the pieces of an answer with real values in them.

    What may go on in the next piece is held, and shown with the piece that says why the answer ended. A generator that says
    no such thing leaves it held: call ``flush()`` when it is done.
    """

    def __init__(self, session: Session, show: Callable[[StreamingChunk], None]) -> None:
        self._lanes = Lanes(session.stream)
        self._show = show
        self._last = StreamingChunk("")

    def __call__(self, chunk: StreamingChunk) -> None:
        """Show one piece."""
        self._last = replace(
            chunk, content="", tool_calls=None, tool_call_result=None, reasoning=None, finish_reason=None
        )
        if chunk.reasoning is not None:
            text = self._lanes.feed("reasoning", chunk.reasoning.reasoning_text, "answer")
            self._show(replace(chunk, reasoning=replace(chunk.reasoning, reasoning_text=text)))
            return
        if chunk.content or chunk.tool_calls or chunk.finish_reason is not None:
            self._flush("reasoning")
        if not chunk.content:
            if chunk.tool_calls or chunk.finish_reason is not None:
                self._flush("content")
            self._show(chunk)
            return
        text = self._lanes.feed("content", chunk.content, "answer")
        if chunk.finish_reason is not None:
            text += self._lanes.flush("content")
        self._show(replace(chunk, content=text))

    def flush(self) -> None:
        """Show what is still held."""
        self._flush("reasoning")
        self._flush("content")

    def _flush(self, which: str) -> None:
        if held := self._lanes.flush(which):
            if which == "content":
                self._show(replace(self._last, content=held))
            else:
                index = self._last.index if self._last.index is not None else 0
                self._show(replace(self._last, reasoning=ReasoningContent(held), index=index))
