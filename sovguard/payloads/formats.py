"""Which provider's format a request is in, told by the path it is posted to.

The one table between the transport, which knows HTTP, and the modules that know where text lives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sovguard.payloads import anthropic, clova, embeddings, gemini, ollama, openai_chat, openai_responses
from sovguard.payloads.anthropic import MessagesStream
from sovguard.payloads.clova import ClovaStream
from sovguard.payloads.gemini import GeminiStream
from sovguard.payloads.lanes import AnswerStream
from sovguard.payloads.ollama import OllamaStream
from sovguard.payloads.openai_chat_stream import ChatStream
from sovguard.payloads.openai_responses import ResponsesStream
from sovguard.payloads.rules import Request
from sovguard.payloads.slots import PayloadSession


@dataclass(frozen=True)
class Format:
    """A provider's format.

    Attributes:
        name: What it is called.
        path: What the path of its requests ends with; ``*`` stands for the name of a model.
        request: What its requests look like.
        restore_answer: Returns an answer with real values in it.
        stream: Makes what restores a streamed answer.
        streams_by_default: Whether an answer is streamed unless the request says otherwise.
    """

    name: str
    path: str
    request: Request
    restore_answer: Callable[[object, PayloadSession, Collection[str]], Any]
    stream: Callable[[PayloadSession, Collection[str]], AnswerStream]

    streams_by_default: bool = False

    @property
    def operation(self) -> str:
        """What is asked for: ``chat`` or ``embeddings``."""
        return "embeddings" if "embed" in self.path else "chat"

    def model(self, path: str, body: object) -> str | None:
        """Returns the model that a request asks for, in its body or its path."""
        if "*" in self.path:
            last = path.rstrip("/").rpartition("/")[2]
            return last.partition(":")[0] or None
        name = body.get("model") if isinstance(body, dict) else None
        return name if isinstance(name, str) else None

    def streams(self, body: object) -> bool:
        """Tells whether a request asks for a streamed answer."""
        return isinstance(body, dict) and bool(body.get("stream", self.streams_by_default))


FORMATS = (
    Format(
        "OpenAI Chat Completions",
        "/chat/completions",
        openai_chat.REQUEST,
        openai_chat.restore_answer,
        ChatStream,
    ),
    Format(
        "OpenAI Responses",
        "/responses",
        openai_responses.REQUEST,
        openai_responses.restore_answer,
        ResponsesStream,
    ),
    Format(
        "Anthropic Messages",
        "/messages",
        anthropic.REQUEST,
        anthropic.restore_answer,
        MessagesStream,
    ),
    Format(
        "OpenAI Embeddings",
        "/embeddings",
        embeddings.REQUEST,
        embeddings.restore_answer,
        ChatStream,
    ),
    Format(
        "Ollama chat",
        "/api/chat",
        ollama.CHAT,
        ollama.restore_answer,
        OllamaStream,
        streams_by_default=True,
    ),
    Format(
        "Ollama generate",
        "/api/generate",
        ollama.GENERATE,
        ollama.restore_answer,
        OllamaStream,
        streams_by_default=True,
    ),
    Format("Ollama embed", "/api/embed", embeddings.REQUEST, embeddings.restore_answer, ChatStream),
    Format(
        "CLOVA Studio v3",
        "/v3/chat-completions/*",
        clova.REQUEST,
        clova.restore_answer,
        ClovaStream,
    ),
    Format(
        "Gemini generateContent",
        "/*:generateContent",
        gemini.REQUEST,
        gemini.restore_answer,
        GeminiStream,
    ),
    Format(
        "Gemini streamGenerateContent",
        "/*:streamGenerateContent",
        gemini.REQUEST,
        gemini.restore_answer,
        GeminiStream,
    ),
)
_PATHS = [re.compile(f"{re.escape(each.path).replace(chr(92) + '*', '[^/]+')}$") for each in FORMATS]
SUPPORTED = f"this version protects POST {', '.join(f'…{each.path}' for each in FORMATS)}, and requests without a body"


def format_of(method: str, path: str) -> Format | None:
    """Returns the format of a request, or ``None`` if it is in none that is known."""
    if method != "POST":
        return None
    path = path.rstrip("/")
    return next((each for each, pattern in zip(FORMATS, _PATHS, strict=True) if pattern.search(path)), None)
