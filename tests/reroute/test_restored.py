"""Rerouting between redaction and restoring: the other model sees surrogates, the caller its own values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sovguard import Guard
from sovguard.payloads.formats import FORMATS
from sovguard.reroute import streamed
from tests.reroute.target import ask, events, of
from tests.reroute.test_streams import told, whole
from tests.servers import NAME, TEXT, VALUES, PatternAnalyzer

USER = [{"role": "user", "content": TEXT}]
FUNCTION = {"name": "notify", "parameters": {"type": "object"}}
TOOLS = [{"type": "function", "function": FUNCTION}]
BODIES: dict[str, dict[str, Any]] = {
    "OpenAI Chat Completions": {"messages": USER, "tools": TOOLS},
    "OpenAI Responses": {"input": TEXT, "tools": [{"type": "function", **FUNCTION}]},
    "Anthropic Messages": {"messages": USER, "tools": [{"name": "notify", "input_schema": {}}]},
    "Ollama chat": {"messages": USER, "tools": TOOLS},
    "CLOVA Studio v3": {"messages": USER, "tools": TOOLS},
    "Gemini streamGenerateContent": {
        "contents": [{"role": "user", "parts": [{"text": TEXT}]}],
        "tools": [{"functionDeclarations": [FUNCTION]}],
    },
}


@pytest.mark.parametrize("name", BODIES)
def test_values_come_back_through_another_model(name: str) -> None:
    """Text and the arguments of a tool that may know are restored, in a whole answer and in one that comes in pieces."""
    session = Guard(_analyzer=PatternAnalyzer()).session()
    kind = next(each for each in FORMATS if each.name == name)
    how, body = of(name), kind.request.redact(BODIES[name], session)
    question = {**how.to_chat(body, "domestic"), "stream": False}
    assert not [value for value in VALUES if value in json.dumps(question, ensure_ascii=False)]
    expected = {"reasoning": "", "text": f"받은 말: {TEXT}", "calls": [("notify", {"who": NAME, "n": 1})]}
    (answer,) = ask(question)
    assert whole(name, kind.restore_answer(how.answer(answer, body), session, ("notify",))) == expected
    restore = kind.stream(session, ("notify",))
    frames = events(how.stream(body), ask(streamed(question)))
    restored = [each for frame in frames for each in restore.frames(frame)]
    assert told(name, [*restored, *restore.rest()]) == expected
