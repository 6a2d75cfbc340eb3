"""What on this machine, or around a client, would let real values out past the guard; and how to stop each.

Tracers and debug logs record what an application says before the guard has swapped anything. Nothing here connects
anywhere or changes anything: it reads the environment, what is installed and what is loaded. No value of a variable is shown
but the host of an address.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

from sovguard.clients.http_clients import guard_of

Severity = Literal["leak", "check"]


@dataclass(frozen=True, slots=True)
class Concern:
    """One way past the guard.

    Attributes:
        severity: ``"leak"`` where real values get out, ``"check"`` where someone has to say whether it is meant to be so.
        what: What happens.
        because: What was found: a variable, a package, a property of the client.
        fix: What to do.
    """

    severity: Severity
    what: str
    because: str
    fix: str


Environment = Mapping[str, str]
Check = Callable[[Environment], Iterator[Concern]]

_HOSTS = {
    "api.openai.com": "OpenAI",
    "eu.api.openai.com": "OpenAI",
    "kr.api.openai.com": "OpenAI",
    "api.anthropic.com": "Anthropic",
    "generativelanguage.googleapis.com": "Google",
    "clovastudio.stream.ntruss.com": "Naver CLOVA Studio",
    "clovastudio.apigw.gov-ntruss.com": "Naver CLOVA Studio",
    "api.friendli.ai": "FriendliAI",
    "api.upstage.ai": "Upstage",
    "api.mistral.ai": "Mistral",
    "api.deepseek.com": "DeepSeek",
    "dashscope.aliyuncs.com": "Alibaba",
    "dashscope-intl.aliyuncs.com": "Alibaba",
}
_HOST_ENDINGS = (
    ".openai.azure.com",
    ".services.ai.azure.com",
    ".amazonaws.com",
    ".aiplatform.googleapis.com",
)
_ADDRESSES = (
    "OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "OLLAMA_HOST", "AZURE_OPENAI_ENDPOINT", "AWS_BEDROCK_BASE_URL",
    "GOOGLE_GEMINI_BASE_URL",
)  # fmt: skip
_ON = frozenset({"1", "true", "yes", "on"})


def examine(client: Any = None, environment: Environment | None = None) -> list[Concern]:
    """Return what would let real values out past the guard, the worst first.

    Args:
        client: A model client, HTTP client or framework's model to look at as well.
        environment: The variables to read; those of this process if ``None``.
    """
    variables = os.environ if environment is None else environment
    found = [concern for check in _CHECKS for concern in check(variables)]
    if client is not None:
        found += _of_client(client)
    return sorted(found, key=lambda concern: concern.severity != "leak")


def _on(environment: Environment, *names: str) -> str | None:
    """Return the first of these variables that is switched on."""
    return next((name for name in names if environment.get(name, "").strip().lower() in _ON), None)


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _agents(environment: Environment) -> Iterator[Concern]:
    if not _installed("agents") or not _installed("agents.tracing"):
        return
    if _on(environment, "OPENAI_AGENTS_DISABLE_TRACING"):
        return
    if environment.get("OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA", "").strip().lower() in (
        "0",
        "false",
        "no",
        "off",
    ):
        return
    yield Concern(
        "leak",
        "the OpenAI Agents SDK uploads prompts, answers and tool arguments to OpenAI as traces",
        "the package agents is installed, and its tracing is on unless it is switched off",
        "set OPENAI_AGENTS_DISABLE_TRACING=1, or OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA=false",
    )


def _langsmith(environment: Environment) -> Iterator[Concern]:
    name = _on(
        environment, "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGCHAIN_TRACING"
    )
    if name is None:
        return
    if _on(environment, "LANGSMITH_HIDE_INPUTS", "LANGCHAIN_HIDE_INPUTS") and _on(
        environment, "LANGSMITH_HIDE_OUTPUTS", "LANGCHAIN_HIDE_OUTPUTS"
    ):
        return
    yield Concern(
        "leak",
        "LangSmith gets prompts and answers as LangChain has them, before the guard",
        f"{name} is on",
        f"unset {name}, or set LANGSMITH_HIDE_INPUTS=true and LANGSMITH_HIDE_OUTPUTS=true",
    )


def _anthropic(environment: Environment) -> Iterator[Concern]:
    name = "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE"
    if (
        environment.get(name, "").lower() == "content"
        and environment.get("ANTHROPIC_OPEN_TELEMETRY", "").lower() != "false"
    ):
        yield Concern(
            "leak",
            "Anthropic's client writes messages and answers into its OpenTelemetry spans, before the guard",
            f"{name}=content",
            f"unset {name}, or set ANTHROPIC_OPEN_TELEMETRY=false",
        )


def _logfire(environment: Environment) -> Iterator[Concern]:
    if not _installed("logfire"):
        return
    if environment.get("LOGFIRE_SEND_TO_LOGFIRE", "").strip().lower() in ("0", "false", "no", "off"):
        return
    token = "LOGFIRE_TOKEN" in environment
    yield Concern(
        "leak" if token else "check",
        "Logfire records prompts and answers if instrument_openai() or instrument_anthropic() is called",
        "LOGFIRE_TOKEN is set" if token else "the package logfire is installed",
        "set LOGFIRE_SEND_TO_LOGFIRE=false, or do not instrument model clients",
    )


# Where variables switch on what records messages: the variables, what gets them, and how to stop it.
_SWITCHES = (
    (
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",),
        "OpenTelemetry's instrumentation of model clients records messages, before the guard",
        "unset it",
    ),
    (("OTEL_LOG_USER_PROMPTS",), "Claude Code and its SDK export the prompts of users", "unset it"),
    (
        ("DD_LLMOBS_ENABLED",),
        "Datadog's LLM Observability records messages, before the guard",
        "set DD_LLMOBS_ENABLED=0",
    ),
)
_KEYS = (
    ("LANGFUSE_SECRET_KEY", "langfuse", "Langfuse"),
    ("TRACELOOP_API_KEY", "traceloop", "Traceloop"),
    ("OPIK_API_KEY", "opik", "Opik"),
    ("AGENTOPS_API_KEY", "agentops", "AgentOps"),
    ("ARIZE_API_KEY", "arize", "Arize"),
    ("PHOENIX_API_KEY", "phoenix", "Phoenix"),
    ("BRAINTRUST_API_KEY", "braintrust", "Braintrust"),
    ("WANDB_API_KEY", "weave", "Weights & Biases Weave"),
    ("SENTRY_DSN", "sentry_sdk", "Sentry"),
)
_LOGS = ("OPENAI_LOG", "ANTHROPIC_LOG", "LITELLM_LOG")


def _recorders(environment: Environment) -> Iterator[Concern]:
    for names, what, fix in _SWITCHES:
        if (name := _on(environment, *names)) is not None:
            yield Concern("leak", what, f"{name} is on", fix)
    for name, package, service in _KEYS:
        if name in environment and _installed(package):
            yield Concern(
                "check",
                f"{service} records what it is given, which may be prompts and answers from before the guard",
                f"{name} is set and the package {package} is installed",
                f"unset {name}, or have {service} mask inputs and outputs",
            )


def _logs(environment: Environment) -> Iterator[Concern]:
    for name in _LOGS:
        if environment.get(name, "").strip().lower() == "debug":
            yield Concern(
                "leak",
                "a client's debug log holds whole requests, before the guard",
                f"{name}=debug",
                f"set {name}=info, or unset it",
            )


def _patched(environment: Environment) -> Iterator[Concern]:
    places = (
        ("openai.resources.chat.completions", "Completions"),
        ("openai.resources.responses", "Responses"),
        ("anthropic.resources.messages", "Messages"),
    )
    for module, name in places:
        method = getattr(getattr(sys.modules.get(module), name, None), "create", None)
        if hasattr(
            method, "_self_wrapper"
        ):  # as wrapt's function wrappers have it, which instrumentation is made of
            yield Concern(
                "leak",
                f"something records the calls of {name}.create, before the guard",
                f"the method has been replaced in {module}",
                "uninstrument it, or have the instrumentation leave out the content of messages",
            )


def _proxies(environment: Environment) -> Iterator[Concern]:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"):
        address = environment.get(name)
        if address and not _is_near(_host(address)):
            yield Concern(
                "check",
                f"requests go through a proxy at {_host(address)}",
                f"{name} is set",
                "make sure that it is yours; it sees surrogates, and hosts, but requests of unguarded clients too",
            )
            return


def _addresses(environment: Environment) -> Iterator[Concern]:
    for name in _ADDRESSES:
        if address := environment.get(name):
            yield from _address(address, f"{name} is set", f"unset {name} unless it is meant to be so")


def _address(address: str, because: str, fix: str) -> Iterator[Concern]:
    host = _host(address)
    if _is_near(host):
        return
    if host not in _HOSTS and not host.endswith(_HOST_ENDINGS):
        yield Concern(
            "check",
            f"requests go to {host or 'an address that cannot be read'}, no known provider",
            because,
            fix,
        )
    if "://" in address and not address.lower().startswith("https://"):
        yield Concern("leak", f"requests to {host} are not encrypted", because, "use https")


def _of_client(client: Any) -> Iterator[Concern]:
    if type(client).__module__.startswith("sovguard.clients."):
        return
    chain = _http_clients(client)
    name = type(client).__name__
    if not chain or not all(guard_of(http) is not None for http in chain):
        yield Concern(
            "leak",
            f"this {name} is not protected",
            "an HTTP client that it holds has no guard"
            if chain
            else "it has no HTTP client that could be looked into",
            "guard.wrap() it, or give it http_client=guard.http_client()"
            if chain
            else "use one of sovguard's adapters",
        )
    telemetry = getattr(client, "_open_telemetry", None)
    traces = telemetry.get("traces") if isinstance(telemetry, dict) else None
    if isinstance(traces, dict) and traces.get("content_mode") == "content" and traces.get("enabled", True):
        yield Concern(
            "leak",
            f"this {name} writes messages and answers into its OpenTelemetry spans, before the guard",
            "its option open_telemetry asks for content",
            "leave out content_mode, or pass open_telemetry=False",
        )
    address = str(getattr(client, "base_url", "") or "")
    if address:
        yield from _address(
            address,
            f"the base_url of this {name}",
            "set it to the provider's, unless it is meant to be so",
        )


_HOLDS = (
    "_client", "client", "root_client", "async_client", "root_async_client", "_async_client", "_aclient", "http_client",
    "http_async_client", "_http_client",
)  # fmt: skip


def _http_clients(client: Any) -> list[Any]:
    """Return the HTTP clients that a client is, or holds at the places where the known libraries keep them."""
    found: list[Any] = []
    seen: list[Any] = []
    waiting = [client]
    while waiting and len(seen) < 100:
        each = waiting.pop()
        if each is None or any(each is other for other in seen):
            continue
        seen.append(each)
        if hasattr(each, "send") and hasattr(each, "build_request"):
            found.append(each)
            continue
        held = {**(getattr(each, "__pydantic_private__", None) or {}), **getattr(each, "__dict__", {})}
        waiting += [held.get(name) for name in _HOLDS]
    return found


def _host(address: str) -> str:
    try:
        return (urlsplit(address if "://" in address else f"//{address}").hostname or "").lower()
    except ValueError:
        return ""


def _is_near(host: str) -> bool:
    """Tell whether a host is this machine or in a private network."""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host and bool(host)


_CHECKS: tuple[Check, ...] = (
    _agents, _langsmith, _anthropic, _logfire, _recorders, _logs, _patched, _proxies, _addresses,
)  # fmt: skip
