"""Where text lives in an OpenAI embeddings request; its answer holds none.

Surrogates are random for each session, so texts that share a person lie no nearer for it than the session is the same.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sovguard.payloads.rules import Request, many, prose, record, setting, text_or, values
from sovguard.payloads.slots import PayloadSession, Slots, refusal


def _text(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    if not isinstance(value, str):
        raise refusal(path, "is not text, and tokens cannot be inspected", "send it as a string")
    return prose(value, path, slots, keep)


_REQUEST = record(
    {
        "input": text_or(many(_text)),
        "user": values,
        **dict.fromkeys(
            ("model", "dimensions", "encoding_format", "input_type", "truncate", "options", "keep_alive"),
            setting,
        ),
    }
)
REQUEST = Request(_REQUEST, "an embeddings request", "input")


def restore_answer(answer: object, session: PayloadSession, restore_tools: Collection[str] = ()) -> Any:
    """Returns the answer as it is."""
    return answer
