"""LiteLLM: a guardrail for its proxy that redacts requests before they leave and restores answers, whole and streamed.

# config.yaml                                   # sovguard_guardrail.py, beside it
guardrails:                                     from sovguard.clients.litellm import SovguardGuardrail
  - guardrail_name: sovguard
    litellm_params:
      guardrail: sovguard_guardrail.SovguardGuardrail
      mode: [pre_call, post_call]
      default_on: true
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.types.guardrails import GuardrailEventHooks

from sovguard.clients.aside import beside
from sovguard.clients.litellm_destinations import destination_of_call
from sovguard.clients.streaming import RestoredEvents, restored_async
from sovguard.errors import UnsupportedPayload
from sovguard.guard import Guard
from sovguard.payloads.formats import FORMATS, Format
from sovguard.payloads.lanes import AnswerStream, Frame
from sovguard.payloads.rules import Request, record, setting
from sovguard.sending import Sending
from sovguard.session import Session
from sovguard.vault.store import Vault

_NAMES = {
    **dict.fromkeys(("completion", "acompletion"), "OpenAI Chat Completions"),
    **dict.fromkeys(("responses", "aresponses"), "OpenAI Responses"),
    "anthropic_messages": "Anthropic Messages",
    **dict.fromkeys(("embeddings", "embedding", "aembedding"), "OpenAI Embeddings"),
}
_FORMATS = {call: next(each for each in FORMATS if each.name == name) for call, name in _NAMES.items()}
# What LiteLLM keeps in a request for itself and sends to nobody.
_OWN = frozenset(
    """
    api_base api_key api_version base_url cache caching client custom_llm_provider deployment guardrails
    input_cost_per_token litellm_call_id litellm_logging_obj litellm_metadata litellm_params litellm_session_id
    litellm_trace_id max_retries mock_response model_info num_retries output_cost_per_token proxy_server_request
    request_timeout secret_fields shared_session specific_deployment timeout ttl cooldown_time
    enable_json_schema_validation
    """.split()  # noqa: SIM905
)
# What may go along with a request, here or to another model, and has to hold nothing personal.
_CHECKED_NAMES = (
    "headers", "extra_headers", "fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "tags",
)  # fmt: skip
_CHECKED = Request(record(dict.fromkeys(_CHECKED_NAMES, setting)), "a request", "")
_KEPT_CALLS = 20_000
"""Calls that are remembered until they are answered: more than can be under way."""


@dataclass(frozen=True, slots=True, repr=False)
class _Call:
    payload: Format
    sending: Sending
    session: Session
    passing: bool

    def __repr__(self) -> str:
        return f"_Call({self.payload.name})"


class SovguardGuardrail(CustomGuardrail):
    """Redacts what the proxy sends and restores what it gets back.

    A conversation that is named (``litellm_session_id``, or ``session_id`` in the metadata) is a session; otherwise every
    request has one of its own, which is forgotten once it is answered. Sessions of different keys of the proxy never meet.

    Args:
        guard: Finds, swaps and restores; one with the default settings if ``None``.
        destination: The id of the destination that the proxy sends to. By default it is told by the address or the provider of
            the model that is asked for; a request that could go to several has to be named one.
        **settings: What LiteLLM passes to a guardrail.
    """

    def __init__(
        self, guard: Guard | None = None, *, destination: str | None = None, **settings: Any
    ) -> None:
        settings.setdefault("guardrail_name", "sovguard")
        settings.setdefault("event_hook", [GuardrailEventHooks.pre_call, GuardrailEventHooks.post_call])
        super().__init__(
            supported_event_hooks=[GuardrailEventHooks.pre_call, GuardrailEventHooks.post_call], **settings
        )
        self._guard = Guard() if guard is None else guard
        self._destination = destination
        self._calls: OrderedDict[str, _Call] = OrderedDict()
        self._lock = threading.Lock()

    async def async_pre_call_hook(self, user_api_key_dict: Any, cache: Any, data: Any, call_type: Any) -> Any:
        """Return the request with surrogates in place of personal information.

        Raises:
            UnsupportedPayload: It is of a kind, or holds something, that cannot be inspected; LiteLLM does not send it.
            PolicyBlocked: The policy does not let it go where LiteLLM would send it.
        """
        call = getattr(call_type, "value", call_type)
        payload = _FORMATS.get(call)
        if payload is None:
            raise UnsupportedPayload(
                f"the request was not sent: sovguard cannot inspect calls of type {call!s:.40} in LiteLLM; "
                f"it can inspect {', '.join(sorted(_FORMATS))}"
            )
        session, passing = self._session(user_api_key_dict, data)
        notes = "litellm_metadata" in data
        told = {
            key: value
            for key, value in data.items()
            if key not in _OWN and key not in _CHECKED_NAMES and (notes or key != "metadata")
        }
        try:
            at = destination_of_call(self._guard, self._destination, data)
            sending = Sending(session, at, caller="litellm")
            redacted = await self._guard.aside(self._redacted, payload, told, data, sending)
        except BaseException:
            if passing:
                await self._guard.aside(session.forget)
            raise
        data.update(redacted)
        sent = data.get("proxy_server_request")
        if isinstance(sent, dict) and isinstance(sent.get("body"), dict):
            # The proxy keeps a copy of what came in, for its logs.
            data["proxy_server_request"] = {**sent, "body": redacted}
        call_id = data.get("litellm_call_id")
        if not isinstance(call_id, str):
            call_id = data["litellm_call_id"] = secrets.token_hex(16)
        with self._lock:
            self._calls[call_id] = _Call(payload, sending, session, passing)
            while len(self._calls) > _KEPT_CALLS:
                self._calls.popitem(last=False)
        return data

    async def async_post_call_success_hook(self, data: Any, user_api_key_dict: Any, response: Any) -> Any:
        """Return the answer with real values in place of surrogates."""
        call = self._call(data)
        plain = _plain(response)
        restored = await self._guard.aside(
            call.payload.restore_answer, plain, call.sending, self._guard.restore_tools
        )
        await self._end(call)
        return restored if response is plain else _written(response, restored)

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        """Give the pieces of an answer with real values in them."""
        call = self._call(request_data)
        answer = call.payload.stream(call.sending, self._guard.restore_tools)
        try:
            async for piece in _pieces(response, answer, self._guard.vault):
                yield piece
        except BaseException as error:
            await self._end(call, error=type(error).__name__)
            raise
        await self._end(call)

    async def async_post_call_failure_hook(
        self, request_data: Any, original_exception: Any, user_api_key_dict: Any, traceback_str: Any = None
    ) -> Any:
        """Forget a request that failed; what the provider said of it goes on as it is."""
        with self._lock:
            call = self._calls.pop(str(request_data.get("litellm_call_id")), None)
        if call is not None:
            await self._end(call, error=type(original_exception).__name__)

    @staticmethod
    def _redacted(
        payload: Format, told: dict[str, Any], data: dict[str, Any], sending: Sending
    ) -> dict[str, Any]:
        """Return what becomes of a request: its own fields redacted, those beside them looked through."""
        with sending.refusing():
            _CHECKED.redact({key: data[key] for key in _CHECKED_NAMES if data.get(key)}, sending)
            redacted = payload.request.redact(told, sending)
            metadata = data.get("metadata")
            if "metadata" not in told and isinstance(metadata, dict) and metadata.get("user_id") is not None:
                user = sending.redact_values([{"user_id": metadata["user_id"]}])[0]
                redacted["metadata"] = {**metadata, **user}
            sending.asks(str(redacted.get("model") or "") or None)
            sending.release(redacted)
        return redacted

    def _call(self, data: dict[str, Any]) -> _Call:
        with self._lock:
            call = self._calls.pop(str(data.get("litellm_call_id")), None)
        if call is None:
            raise UnsupportedPayload(
                "this answer belongs to a request that the guardrail has not seen; run it with "
                "mode: [pre_call, post_call]"
            )
        return call

    async def _end(self, call: _Call, *, error: str = "") -> None:
        await self._guard.aside(call.sending.answered, error=error)
        if call.passing:
            await self._guard.aside(call.session.forget)

    def _session(self, key: Any, data: dict[str, Any]) -> tuple[Session, bool]:
        """Return the session of a request, and whether it ends with it."""
        places = [
            each for name in ("metadata", "litellm_metadata") if isinstance(each := data.get(name), dict)
        ]
        named = data.get("litellm_session_id") or next(
            (each["session_id"] for each in places if each.get("session_id")), None
        )
        session_id = str(named) if named else f"call {secrets.token_hex(16)}"
        tenant = next(
            (str(each) for name in ("api_key", "user_id") if (each := getattr(key, name, None))), "default"
        )
        if self._guard.ledger is not None and tenant == getattr(key, "user_id", None):
            # Often an address: as such it would be in every record.
            tenant = f"user {self._guard.ledger.keyed(tenant, '')}"
        return self._guard.session(session_id, tenant=tenant), not named


async def _pieces(response: Any, answer: AnswerStream, vault: Vault) -> AsyncIterator[Any]:
    """Give what takes the place of each piece, be it an object, a mapping or the bytes of events."""
    events = response.__aiter__()
    first = await anext(events, None)
    if first is None:
        return
    if isinstance(first, (bytes, str)):

        async def raw() -> AsyncIterator[bytes]:
            yield first.encode() if isinstance(first, str) else first
            async for chunk in events:
                yield chunk.encode() if isinstance(chunk, str) else chunk

        async for written in restored_async(raw(), RestoredEvents(answer), vault, lambda **how: None):
            yield written
        return
    # What is held is given out as a piece of the kind it belongs to, not of the one that ended it.
    kinds: dict[str, Any] = {}
    last = first

    async def objects() -> AsyncIterator[Any]:
        yield first
        async for each in events:
            yield each

    try:
        async for piece in objects():
            last = piece
            kinds.setdefault(str(getattr(piece, "type", "")), type(piece))
            plain = _plain(piece)
            frame = Frame(str(getattr(piece, "type", "")), plain)
            *before, own = await beside(vault, answer.frames, frame)
            for each in before:
                yield _like(kinds.get(each.name), piece, each.data)
            yield own.data if piece is plain else _written(piece, own.data)
    except Exception:
        for each in await beside(vault, answer.rest):
            yield _like(kinds.get(each.name), last, each.data)
        raise
    for each in await beside(vault, answer.rest):
        yield _like(kinds.get(each.name), last, each.data)


def _plain(thing: Any) -> Any:
    """Return an object of LiteLLM's as the JSON-like value it was made of; such a value as it is."""
    return thing.model_dump(mode="json") if hasattr(thing, "model_dump") else thing


def _like(kind: Any, thing: Any, data: Any) -> Any:
    """Return ``data`` as a piece of a kind, or of the kind of ``thing``; as it is where that is no class of LiteLLM's."""
    if not hasattr(thing, "model_dump"):
        return data
    try:
        return (kind or type(thing))(**data)
    except Exception:  # its message would quote the answer
        return (kind or type(thing)).model_construct(**data)


def _written(thing: Any, restored: Any) -> Any:
    """Return ``thing`` with its strings as they are in ``restored``, changed where it stands: it carries more than it shows."""
    if isinstance(restored, dict):
        for key, value in restored.items():
            old = thing.get(key) if isinstance(thing, dict) else getattr(thing, key, None)
            new = _written(old, value)
            if new is old:
                continue
            if isinstance(thing, dict):
                thing[key] = new
            else:
                setattr(thing, key, new)
        return thing
    if isinstance(restored, list) and isinstance(thing, list):
        for index, value in enumerate(restored[: len(thing)]):
            thing[index] = _written(thing[index], value)
        return thing
    if isinstance(restored, str) and (thing is None or isinstance(thing, str)) and restored != thing:
        return restored
    return thing
