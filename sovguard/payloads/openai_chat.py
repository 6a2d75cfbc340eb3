"""Where text lives in an OpenAI Chat Completions request and in its answer, and in those of servers made like it.

Called by the transport with parsed JSON and a session. Every string of a request is either swapped, or
known to be a setting and shown to hold nothing personal, or the request is refused: nothing is passed on
because it was not understood. Nothing here knows HTTP, and the objects passed in are never changed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sovguard.payloads.rules import (
    NO_TEXT,
    SAY_IT,
    Answer,
    Request,
    Rule,
    address,
    by_role,
    definition,
    each,
    encoded,
    kinds,
    many,
    media,
    prose,
    record,
    setting,
    shown,
    source,
    text_or,
    values,
    within,
)
from sovguard.payloads.slots import PayloadSession
from sovguard.restore.stream import Sink

MESSAGE_TEXTS = ("content", "refusal", "reasoning_content", "reasoning")
CALL_TEXTS: tuple[tuple[str, Sink], ...] = (("arguments", "json"), ("input", "text"))
"""What a call of a tool says, and how values go into it."""

_SETTINGS = (
    "audio", "frequency_penalty", "function_call", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens",
    "modalities", "model", "moderation", "n", "parallel_tool_calls", "presence_penalty", "prompt_cache_options",
    "prompt_cache_retention", "reasoning_effort", "seed", "service_tier", "store", "stream", "stream_options", "temperature",
    "tool_choice", "top_logprobs", "top_p", "verbosity",
)  # fmt: skip
_VALUES = (
    "metadata", "prompt_cache_key", "response_format", "safety_identifier", "stop", "user", "web_search_options",
)  # fmt: skip
_MARKED = {"type": setting, "cache_control": setting, "prompt_cache_breakpoint": setting}


def _medium(kind: str, field: str, what: Rule) -> Rule:
    return media(kind, record({**_MARKED, field: what}))


_CONTENT = text_or(
    many(
        kinds(
            {
                "text": record({**_MARKED, "text": prose}),
                "refusal": record({**_MARKED, "refusal": prose}),
                "image_url": _medium("image", "image_url", record({"url": address, "detail": setting})),
                "input_audio": _medium("audio", "input_audio", record({"data": encoded, "format": setting})),
                "audio_url": _medium("audio", "audio_url", record({"url": address})),
                "video_url": _medium("video", "video_url", record({"url": address})),
                "file": _medium(
                    "file", "file", record({"file_data": encoded, "file_id": setting, "filename": prose})
                ),
            },
            what=NO_TEXT,
            remedy=SAY_IT,
        )
    )
)
_CALLED = record({"name": setting, "arguments": source, "input": prose})
# An id may read like a card number. Swapped here and in tool_call_id alike, the two still match.
_CALL = {"id": prose, "type": setting}
_ROLES = {
    "system": False,
    "developer": False,
    "user": False,
    "assistant": True,
    "tool": True,
    "function": True,
}
_MESSAGE = record(
    {
        "role": setting,
        **dict.fromkeys(MESSAGE_TEXTS, _CONTENT),
        "name": prose,
        "tool_call_id": prose,
        "tool_calls": many(
            kinds(
                {kind: record({**_CALL, kind: _CALLED}) for kind in ("function", "custom")},
                what="is not a call of a function or custom tool",
                remedy="leave the call out",
                default="function",
            )
        ),
        "function_call": _CALLED,
        "annotations": values,
        "audio": record({"id": setting}),
    }
)


_TOOL = kinds(
    {kind: record({"type": setting, kind: definition}) for kind in ("function", "custom")},
    what="is not a function or custom tool",
    remedy="leave the tool out",
)
REQUEST = Request(
    record(
        {
            "messages": many(by_role(_MESSAGE, _ROLES)),
            "tools": many(_TOOL),
            "functions": many(definition),
            "prediction": record({"type": setting, "content": _CONTENT}),
            **dict.fromkeys(_SETTINGS, setting),
            **dict.fromkeys(_VALUES, values),
        }
    ),
    "a Chat Completions request, with a list of messages",
    "messages",
)


def _called(called: Any, answer: Answer) -> Any:
    name = called.get("name") if isinstance(called, dict) else None
    if not isinstance(name, str) or name not in answer.tools:
        return called
    new = dict(called)
    for key, sink in CALL_TEXTS:
        if key in called:
            new[key] = answer.text(called[key], sink, tool=True)
    return new


def _text(value: Any, answer: Answer) -> Any:
    return (
        each(within({"text": shown, "refusal": shown}))(value, answer)
        if isinstance(value, list)
        else shown(value, answer)
    )


_ANSWER = within(
    {
        "choices": each(
            within(
                {
                    "message": within(
                        {
                            **dict.fromkeys(MESSAGE_TEXTS, _text),
                            "audio": within({"transcript": shown}),
                            "tool_calls": each(within({"function": _called, "custom": _called})),
                            "function_call": _called,
                        }
                    )
                }
            )
        )
    }
)


def restore_answer(answer: object, session: PayloadSession, restore_tools: Collection[str] = ()) -> Any:
    """Returns the answer with real values in place of surrogates; anything of another shape as it is.

    Tool arguments keep their surrogates unless the tool is named: real values in them go wherever the tool
    sends them, and that is the caller's decision. Positions in ``annotations`` refer to the text as the model
    wrote it.

    Args:
        answer: The parsed answer.
        session: The session that redacted the request.
        restore_tools: Names of tools whose arguments may hold real values.

    Raises:
        ForeignSurrogate: The arguments of a tool that may hold real values hold a surrogate of another session.
    """
    return _ANSWER(answer, Answer(session, restore_tools))
