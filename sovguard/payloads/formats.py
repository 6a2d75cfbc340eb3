"""Which provider's format a request is in, told by the path it is posted to.

The one table between the transport, which knows HTTP, and the modules that know where text lives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sovguard.payloads import anthropic, clova, embeddings, gemini, openai_chat, openai_responses
from sovguard.payloads.anthropic import MessagesStream
from sovguard.payloads.clova import ClovaStream
from sovguard.payloads.gemini import GeminiStream
from sovguard.payloads.lanes import AnswerStream
from sovguard.payloads.openai_chat_stream import ChatStream
from sovguard.payloads.openai_responses import ResponsesStream
from sovguard.payloads.slots import PayloadSession


@dataclass(frozen=True)
class Format:
    """A provider's format.

    Attributes:
        name: What it is called.
        path: What the path of its requests ends with; ``*`` stands for the name of a model.
        redact_request: Returns a request with surrogates in it.
        check_request: Raises what ``redact_request`` would raise about its shape.
        restore_answer: Returns an answer with real values in it.
        stream: Makes what restores a streamed answer.
    """

    name: str
    path: str
    redact_request: Callable[[object, PayloadSession], dict[str, Any]]
    check_request: Callable[[object], None]
    restore_answer: Callable[[object, PayloadSession, Collection[str]], Any]
    stream: Callable[[PayloadSession, Collection[str]], AnswerStream]

    def streams(self, body: object) -> bool:
        """Tells whether a request asks for a streamed answer."""
        return isinstance(body, dict) and bool(body.get("stream"))


FORMATS = (
    Format(
        "OpenAI Chat Completions",
        "/chat/completions",
        openai_chat.redact_request,
        openai_chat.check_request,
        openai_chat.restore_answer,
        ChatStream,
    ),
    Format(
        "OpenAI Responses",
        "/responses",
        openai_responses.REQUEST.redact,
        openai_responses.REQUEST.check,
        openai_responses.restore_answer,
        ResponsesStream,
    ),
    Format(
        "Anthropic Messages",
        "/messages",
        anthropic.REQUEST.redact,
        anthropic.REQUEST.check,
        anthropic.restore_answer,
        MessagesStream,
    ),
    Format(
        "OpenAI Embeddings",
        "/embeddings",
        embeddings.REQUEST.redact,
        embeddings.REQUEST.check,
        embeddings.restore_answer,
        ChatStream,
    ),
    Format(
        "CLOVA Studio v3",
        "/v3/chat-completions/*",
        clova.REQUEST.redact,
        clova.REQUEST.check,
        clova.restore_answer,
        ClovaStream,
    ),
    Format(
        "Gemini generateContent",
        "/*:generateContent",
        gemini.REQUEST.redact,
        gemini.REQUEST.check,
        gemini.restore_answer,
        GeminiStream,
    ),
    Format(
        "Gemini streamGenerateContent",
        "/*:streamGenerateContent",
        gemini.REQUEST.redact,
        gemini.REQUEST.check,
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
