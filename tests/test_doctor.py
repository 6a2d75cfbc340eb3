from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import ollama
import openai
import pytest

from sovguard import Guard
from sovguard.doctor import Concern, examine
from tests.command import run_apart


def found(client: Any = None, **environment: str) -> list[Concern]:
    """What is found with these variables and no others."""
    return examine(client, environment)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes packages seem installed."""

    def add(*names: str) -> None:
        for name in names:
            module = types.ModuleType(name)
            module.__spec__ = __import__("importlib.machinery").machinery.ModuleSpec(name, None)
            monkeypatch.setitem(sys.modules, name, module)

    return add


def test_nothing_is_found_where_nothing_is() -> None:
    """A bare environment, a protected client and providers that are known are all well."""
    with Guard().wrap(openai.OpenAI(api_key="key")) as client:
        assert found(client, OPENAI_BASE_URL="https://api.openai.com/v1", OLLAMA_HOST="127.0.0.1:11434") == []
    assert found(HTTPS_PROXY="http://localhost:3128", OPENAI_LOG="info", LANGSMITH_TRACING="false") == []


@pytest.mark.parametrize(
    ("environment", "severity", "fix"),
    [
        (
            {"LANGSMITH_TRACING": "true"},
            "leak",
            {"LANGSMITH_HIDE_INPUTS": "true", "LANGSMITH_HIDE_OUTPUTS": "true"},
        ),
        ({"LANGCHAIN_TRACING_V2": "true"}, "leak", {"LANGCHAIN_TRACING_V2": ""}),
        (
            {"ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content"},
            "leak",
            {"ANTHROPIC_OPEN_TELEMETRY": "false"},
        ),
        (
            {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"},
            "leak",
            {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "false"},
        ),
        ({"DD_LLMOBS_ENABLED": "1"}, "leak", {"DD_LLMOBS_ENABLED": "0"}),
        ({"OPENAI_LOG": "debug"}, "leak", {"OPENAI_LOG": "info"}),
        ({"ANTHROPIC_LOG": "DEBUG"}, "leak", {"ANTHROPIC_LOG": ""}),
        ({"HTTPS_PROXY": "http://u:secret@proxy.example.com:3128"}, "check", {"HTTPS_PROXY": ""}),
        ({"OPENAI_BASE_URL": "https://llm.example.com/v1"}, "check", {"OPENAI_BASE_URL": ""}),
        ({"OLLAMA_HOST": "gpu.example.com"}, "check", {"OLLAMA_HOST": "gpu.internal"}),
        (
            {"ANTHROPIC_BASE_URL": "http://api.anthropic.com"},
            "leak",
            {"ANTHROPIC_BASE_URL": "https://api.anthropic.com"},
        ),
    ],
)
def test_each_way_past_is_found_and_its_fix_works(
    environment: dict[str, str], severity: str, fix: dict[str, str]
) -> None:
    """What is found has a fix, after which it is found no more; a secret in an address is not shown."""
    (concern,) = found(**environment)
    assert concern.severity == severity
    assert next(iter(environment)).split("_")[0] in concern.because
    assert concern.fix
    assert "secret" not in repr(concern)
    assert found(**environment, **fix) == [] if not environment.keys() & fix.keys() else found(**fix) == []


def test_packages_that_record_are_found(installed: Any) -> None:
    """The Agents SDK uploads by itself; Logfire and others if they were given a key."""
    installed("agents", "agents.tracing", "logfire", "langfuse")
    agents, logfire = found()
    assert (agents.severity, logfire.severity) == ("leak", "check")
    off = {"OPENAI_AGENTS_DISABLE_TRACING": "1", "LOGFIRE_SEND_TO_LOGFIRE": "false"}
    assert found(**off) == []
    assert (
        found(
            **off | {"OPENAI_AGENTS_DISABLE_TRACING": "", "OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA": "0"}
        )
        == []
    )
    assert [each.severity for each in found(OPENAI_AGENTS_DISABLE_TRACING="1", LOGFIRE_TOKEN="x")] == ["leak"]
    (langfuse,) = found(**off, LANGFUSE_SECRET_KEY="sk-secret")
    assert "Langfuse" in langfuse.what
    assert "sk-secret" not in repr(langfuse)


def test_patched_methods_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instrumentation replaces a client's methods, and so sees what they are called with."""
    import wrapt

    completions = openai.resources.chat.completions.Completions
    monkeypatch.setattr(
        completions, "create", wrapt.FunctionWrapper(completions.create, lambda w, i, a, k: w(*a, **k))
    )
    (concern,) = found()
    assert "Completions.create" in concern.what


@pytest.mark.parametrize(
    "make",
    [
        lambda: openai.OpenAI(api_key="key"),
        lambda: openai.AsyncOpenAI(api_key="key"),
        lambda: anthropic.Anthropic(api_key="key"),
        lambda: ollama.Client(),
    ],
)
def test_a_client_that_is_not_protected_is_found(make: Any) -> None:
    """Before wrap() it is, after it is not."""
    client = make()
    (concern,) = found(client)
    assert (concern.severity, "guard.wrap()" in concern.fix) == ("leak", True)
    assert found(Guard().wrap(client)) == []


def test_clients_within_others_are_found() -> None:
    """A framework's model is as well protected as the client it holds; something without any is not."""
    from langchain_ollama import ChatOllama

    from sovguard.clients.langchain import GuardedChatModel

    guard = Guard()
    model = ChatOllama(model="m")
    assert [each.severity for each in found(model)] == ["leak"]
    assert found(GuardedChatModel(guard=guard, inner=model)) == []
    assert found(guard.http_client(client=httpx2.Client())) == []
    (concern,) = found(object())
    assert "no HTTP client" in concern.because


def test_an_anthropic_client_that_records_content_is_found() -> None:
    """Its spans are written above the guard."""
    options: Any = {"traces": {"content_mode": "content"}}
    with Guard().wrap(anthropic.Anthropic(api_key="key", open_telemetry=options)) as client:
        (concern,) = found(client)
    assert "spans" in concern.what


def test_the_command(tmp_path: Path) -> None:
    """One paragraph for each concern, or one JSON object; the exit code says whether there is any."""
    module = tmp_path / "app.py"
    module.write_text(
        "import openai\nclient = openai.OpenAI(api_key='key', base_url='https://llm.example.com/v1')\n"
    )
    said = run_apart("doctor", "--client", "app:client", cwd=tmp_path)
    assert said.code == 1
    assert b"LEAK   this OpenAI is not protected" in said.out
    assert b"fix:" in said.out
    lines = run_apart("doctor", "--json", "--client", "app:client", cwd=tmp_path).out.splitlines()
    assert [json.loads(line)["severity"] for line in lines] == ["leak", "check"]
    for wrong in ("app", "app:nothing", "nowhere:client"):
        refused = run_apart("doctor", "--client", wrong, cwd=tmp_path)
        assert refused.code == 2
        assert "--client" in refused.err


def test_every_client_within_has_to_be_protected() -> None:
    """One that guards its synchronous calls alone is found, and neither a ring of clients nor a wrong address is in the way."""
    guard = Guard()
    model = types.SimpleNamespace(root_client=guard.wrap(openai.OpenAI(api_key="key")))
    assert found(model) == []
    model.root_async_client = openai.AsyncOpenAI(api_key="key")
    model.client = types.SimpleNamespace(_client=model)
    assert [each.severity for each in found(model)] == ["leak"]
    assert [each.severity for each in found(OPENAI_BASE_URL="https://[bad")] == ["check"]
