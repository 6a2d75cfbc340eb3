"""Reading the fields of a request that is to be rerouted: each is carried, dropped or refused, and none is overlooked.

Every format says which of its fields Chat Completions can say too and which ask for nothing that changes the answer (a cache, a
label, a tier of service). A field that is neither is refused by name, since leaving it out would answer another request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sovguard.errors import UnsupportedPayload
from sovguard.payloads.json_text import dump
from sovguard.payloads.slots import below

ELSEWHERE = "is kept by the provider, which the request does not go to"
SAMPLED = "asks for probabilities of tokens, which cannot be given back in this format"
HOSTED = "is a tool that the provider runs, which the request does not go to"
NO_IMAGE = "is no image that can be sent as a data URL"
_LEAVE_OUT = "leave it out"


def refusal(path: str, what: str, remedy: str = _LEAVE_OUT) -> UnsupportedPayload:
    """Return the error for a place of the request that Chat Completions cannot say."""
    return UnsupportedPayload(f"the request could not be rerouted: {path} {what}; {remedy}")


def only(
    value: Any,
    path: str,
    carried: Collection[str],
    dropped: Collection[str] = (),
    refused: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return those fields of an object that are carried, without those that are null.

    Args:
        value: The object.
        path: Where it is, for messages.
        carried: Fields to return.
        dropped: Fields that may stand in it and ask for nothing that changes the answer.
        refused: What to say of some other fields; all are refused unless they are null, false or empty.

    Raises:
        UnsupportedPayload: It is no object, or holds a field that is neither carried nor dropped.
    """
    if not isinstance(value, dict):
        raise refusal(path or "its body", "is not a JSON object", "send an object")
    for key, item in value.items():
        if item and key not in carried and key not in dropped:
            what = (refused or {}).get(key, "has no counterpart in Chat Completions")
            raise refusal(below(path, key), what)
    return {key: item for key, item in value.items() if key in carried and item is not None}


def items(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Give each item of a list with its path; none if there is no list.

    Raises:
        UnsupportedPayload: It is something else than a list.
    """
    if value is None:
        return
    if not isinstance(value, list):
        raise refusal(path, "is not a list", "send a list")
    for index, item in enumerate(value):
        yield f"{path}[{index}]", item


def string(value: Any, path: str) -> str:
    """Return a string as it is.

    Raises:
        UnsupportedPayload: It is none.
    """
    if not isinstance(value, str):
        raise refusal(path, "is not text", "send it as a string")
    return value


def kind_of(value: Any, path: str, default: str = "") -> str:
    """Return the ``type`` of an object, or ``default`` where it names none.

    Raises:
        UnsupportedPayload: It is no object.
    """
    if not isinstance(value, dict):
        raise refusal(path, "is not a JSON object", "send an object")
    kind = value.get("type", default)
    return kind if isinstance(kind, str) else ""


def renamed(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields that are there under the names that Chat Completions has for them."""
    return {name: fields[key] for key, name in names.items() if key in fields}


def source(value: Any) -> str:
    """Return the JSON text of a value, as tool arguments are written in Chat Completions; a string as it is."""
    return value if isinstance(value, str) else dump(value) or dump(value, ascii_only=True) or ""


def function(
    name: Any, description: Any = None, parameters: Any = None, strict: Any = None
) -> dict[str, Any]:
    """Return a tool as Chat Completions has it, without what is ``None``."""
    said = {"name": name, "description": description, "parameters": parameters, "strict": strict}
    return {
        "type": "function",
        "function": {key: value for key, value in said.items() if value is not None},
    }


def named_function(name: str) -> dict[str, Any]:
    """Return the choice of one tool."""
    return {"type": "function", "function": {"name": name}}


def schema_format(
    schema: Any, name: str = "answer", *, strict: bool | None = True, **more: Any
) -> dict[str, Any]:
    """Return the ``response_format`` for an answer after a JSON schema."""
    described = {"name": name, "schema": schema, "strict": strict, **more}
    return {
        "type": "json_schema",
        "json_schema": {key: value for key, value in described.items() if value is not None},
    }


def streamed(chat: dict[str, Any]) -> dict[str, Any]:
    """Return a Chat Completions request that asks for a stream, with the numbers of tokens at its end."""
    return {**chat, "stream": True, "stream_options": {"include_usage": True}}


def one_answer(value: Any, path: str) -> None:
    """Check that a request does not ask for several answers.

    Raises:
        UnsupportedPayload: It does.
    """
    if value not in (None, 1):
        raise refusal(path, "asks for several answers", "ask for one at a time")
