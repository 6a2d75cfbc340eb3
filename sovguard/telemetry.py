"""OpenTelemetry: a span for each request and the metrics of all; what was said is never in them.

Attributes are those of the GenAI semantic conventions (``gen_ai.*``) and our own (``sovguard.*``): destinations, rules, types
and counts. Without the package opentelemetry-api, or without a provider that listens, nothing is done.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from sovguard.policy.decision import Decision

_PROVIDERS = {
    "azure-openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "aws": "aws.bedrock",
    "google": "gcp.gen_ai",
}
"""Where the conventions call a provider otherwise than our catalogue does."""
_SECONDS = "s"


@functools.cache
def _instruments() -> Any:
    """Return the tracer and the instruments; ``None`` without opentelemetry."""
    try:
        from opentelemetry import metrics, trace
    except ImportError:
        return None
    meter = metrics.get_meter("sovguard")
    return (
        trace.get_tracer("sovguard"),
        meter.create_counter(
            "sovguard.requests", unit="{request}", description="Requests by what became of them"
        ),
        meter.create_counter(
            "sovguard.values", unit="{value}", description="Different values by type and action"
        ),
        meter.create_counter(
            "sovguard.surrogates.unresolved",
            unit="{surrogate}",
            description="What answers held and nothing stood for",
        ),
        meter.create_histogram(
            "sovguard.redaction.duration",
            unit=_SECONDS,
            description="From a request to what may be sent of it",
        ),
        meter.create_histogram(
            "gen_ai.client.operation.duration", unit=_SECONDS, description="From a request to its answer"
        ),
    )


class Trace:
    """What is traced of one request; every call does nothing where nobody listens.

    Args:
        operation: What is asked for, as the conventions call it: ``chat``, ``embeddings``.
    """

    def __init__(self, operation: str) -> None:
        self._tools = _instruments()
        self._shared: dict[str, Any] = {"gen_ai.operation.name": operation}
        self._operation = operation
        self._span: Any = None
        if self._tools is not None:
            from opentelemetry.trace import SpanKind

            self._span = self._tools[0].start_span(
                operation, kind=SpanKind.CLIENT, attributes=dict(self._shared)
            )

    def asks(self, model: str | None) -> None:
        """Note which model is asked for."""
        if model:
            self._shared["gen_ai.request.model"] = model
            if self._span is not None and self._span.is_recording():
                self._span.update_name(f"{self._operation} {model}")
                self._span.set_attribute("gen_ai.request.model", model)

    def decided(
        self, decision: Decision, counts: Mapping[str, Mapping[str, int]], seconds: float, *, outcome: str
    ) -> None:
        """Note what the policy said and what was found."""
        if self._tools is None:
            return
        _, requests, values, _, redaction, _ = self._tools
        at = decision.destination
        where: dict[str, Any] = {"sovguard.outcome": outcome}
        if at is not None:
            where |= {
                "gen_ai.provider.name": _PROVIDERS.get(at.provider, at.provider),
                "sovguard.destination": at.id,
                "sovguard.jurisdiction": at.value("jurisdiction"),
            }
        self._shared |= where
        found: dict[str, Any] = {
            f"sovguard.values.{name}": sum(actions.values()) for name, actions in counts.items()
        }
        if self._span.is_recording():
            self._span.set_attributes(
                {
                    **where,
                    **found,
                    "sovguard.rules": list(decision.rules),
                    "sovguard.warnings": list(decision.warnings),
                }
            )
        requests.add(1, where)
        for name, actions in counts.items():
            for action, count in actions.items():
                values.add(count, {**where, "sovguard.entity_type": name, "sovguard.action": action})
        redaction.record(seconds, where)

    def ended(
        self, seconds: float, *, unresolved: int = 0, status: int | None = None, error: str = ""
    ) -> None:
        """Note that the request has ended.

        Args:
            seconds: How long it took until then.
            unresolved: How many surrogates the answer held that nothing stands for.
            status: The HTTP status of the answer.
            error: The name of the error, if one ended it.
        """
        if self._tools is None or self._span is None:
            return
        *_, lost, _, duration = self._tools
        span, self._span = self._span, None
        if span.is_recording():
            if status is not None:
                span.set_attribute("http.response.status_code", status)
            span.set_attribute("sovguard.surrogates.unresolved", unresolved)
            if error:
                from opentelemetry.trace import StatusCode

                span.set_attribute("error.type", error)
                span.set_status(StatusCode.ERROR)
        attributes = {**self._shared, **({"error.type": error} if error else {})}
        if unresolved:
            lost.add(unresolved, attributes)
        duration.record(seconds, attributes)
        span.end()
