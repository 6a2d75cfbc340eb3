"""Requests that go to another model than they were made for: translated to Chat Completions, and the answer back.

::

    request in the caller's format ──to_chat──▶ Chat Completions request ─▶ (a domestic or own model)
    answer in the caller's format ◀──answer, stream── Chat Completions answer, whole or in chunks ◀─┘

Everything here is a pure function or object of parsed JSON: no connection is opened, and no text is looked at. Requests hold
surrogates already, and values are put back into what comes out of here. What Chat Completions cannot say is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sovguard.payloads.lanes import Frame
from sovguard.reroute import anthropic, chat, clova, gemini, ollama, responses, responses_answers
from sovguard.reroute.answers import as_chunk, unreadable
from sovguard.reroute.fields import streamed

__all__ = ["Events", "Translation", "as_chunk", "streamed", "translation", "unreadable"]


class Events(Protocol):
    """Turns the chunks of one streamed Chat Completions answer into events of the caller's format."""

    @property
    def broken(self) -> bool:
        """Whether the answer has broken off, or could not be given back."""
        ...

    def feed(self, chunk: dict[str, Any], /) -> list[Frame]:
        """Returns the events that a chunk brings; may be none."""
        ...

    def fail(self) -> None:
        """Has the answer end as one that broke off: something in it could not be given back."""
        ...

    def end(self) -> list[Frame]:
        """Returns the events that end the answer, once nothing more comes; an error if it broke off."""
        ...


@dataclass(frozen=True)
class Translation:
    """How requests in one format are asked of a server that speaks Chat Completions.

    Attributes:
        to_chat: Returns a request, for the named model, as Chat Completions has it, or raises ``UnsupportedPayload``.
        answer: Returns a Chat Completions answer as the caller's format gives it, for the request in that format.
        stream: Makes what turns a streamed answer into events, for the request in the caller's format.
        lines: Whether those events are JSON lines, and not server-sent events.
        last: What ends the stream after its last event, in bytes.
    """

    to_chat: Callable[[dict[str, Any], str], dict[str, Any]]
    answer: Callable[[Any, dict[str, Any]], Any]
    stream: Callable[[dict[str, Any]], Events]
    lines: bool = False
    last: bytes = b""


_TRANSLATIONS = {
    "OpenAI Chat Completions": Translation(
        chat.to_chat, chat.answer, chat.ChatEvents, last=b"data: [DONE]\n\n"
    ),
    "OpenAI Responses": Translation(
        responses.to_chat, responses_answers.answer, responses_answers.ResponsesEvents
    ),
    "Anthropic Messages": Translation(anthropic.to_chat, anthropic.answer, anthropic.MessagesEvents),
    "Ollama chat": Translation(ollama.chat_to_chat, ollama.chat_answer, ollama.OllamaEvents, lines=True),
    "Ollama generate": Translation(
        ollama.generate_to_chat, ollama.generate_answer, ollama.OllamaEvents, lines=True
    ),
    "CLOVA Studio v3": Translation(clova.to_chat, clova.answer, clova.ClovaEvents),
    "Gemini generateContent": Translation(gemini.to_chat, gemini.answer, gemini.GeminiEvents),
    "Gemini streamGenerateContent": Translation(gemini.stream_to_chat, gemini.answer, gemini.GeminiEvents),
}


def translation(format_name: str) -> Translation | None:
    """Returns how requests in a format are rerouted, or ``None`` where they cannot be.

    Args:
        format_name: What the format is called in ``sovguard.payloads.formats``. Embeddings have no translation: another model's
            numbers mean something else.
    """
    return _TRANSLATIONS.get(format_name)
