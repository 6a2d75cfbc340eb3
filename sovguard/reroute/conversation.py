"""The messages of a Chat Completions request, put together turn by turn from those of another format.

Servers that run open models are stricter than the formats they stand in for: chat templates want one system message at the
start, results of tools right after the message that called them, and text as one string. That is seen to here, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sovguard.reroute.fields import NO_IMAGE, refusal, source

_SIGNS = {"iVBOR": "png", "/9j/": "jpeg", "R0lG": "gif", "UklG": "webp"}


@dataclass(slots=True, repr=False)
class _Open:
    """A call of a tool that no result has answered yet."""

    id: str
    name: str
    made_up: bool


class Conversation:
    """Collects messages.

    Attributes:
        messages: Those so far, as Chat Completions has them.
    """

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self._open: list[_Open] = []
        self._ids: set[str] = set()

    def __repr__(self) -> str:
        return f"Conversation({len(self.messages)} messages)"

    def system(self, said: str) -> None:
        """Add what the system says; at the start all of it becomes one message."""
        if len(self.messages) == 1 and self.messages[0]["role"] == "system":
            self.messages[0]["content"] += f"\n\n{said}"
        else:
            self.messages.append({"role": "system", "content": said})

    def user(self, parts: Sequence[dict[str, Any]]) -> None:
        """Add what the user says."""
        self.messages.append({"role": "user", "content": content(parts)})

    def assistant(self, said: str, calls: Sequence[dict[str, Any]] = ()) -> None:
        """Add what the model said and called; what belongs to one turn becomes one message."""
        last = self.messages[-1] if self.messages else {}
        if last.get("role") == "assistant" and ("tool_calls" in last or (calls and not said)):
            if said:
                last["content"] = f"{last['content']}\n{said}" if last["content"] else said
            if calls:
                last["tool_calls"] = [*last.get("tool_calls", []), *calls]
            return
        message = {"role": "assistant", "content": said}
        self.messages.append({**message, "tool_calls": [*calls]} if calls else message)

    def call(self, name: str, arguments: Any, given_id: Any = None) -> dict[str, Any]:
        """Return a call of a tool, whose result is awaited from now on.

        Args:
            name: The tool.
            arguments: As a JSON value, or as its text.
            given_id: How the format names the call; one is made up, always the same, if it does not.
        """
        made_up = not isinstance(given_id, str) or not given_id
        call_id = given_id if not made_up else self._new_id()
        self._ids.add(call_id)
        self._open.append(_Open(call_id, name, made_up))
        return {
            "id": call_id,
            "type": "function",
            "function": {"name": name, "arguments": source(arguments)},
        }

    def result(self, said: str, path: str, *, given_id: Any = None, name: Any = None) -> None:
        """Add what a tool gave.

        Args:
            said: The result.
            path: Where it is, for messages.
            given_id: The call that it answers, if the format says so.
            name: The tool that gave it, by which the call is found if there is no id.

        Raises:
            UnsupportedPayload: There is no call that it could answer.
        """
        known = isinstance(given_id, str) and given_id
        waiting = [call for call in self._open if call.id == given_id]
        # A client that does not know ids leaves them out of the calls that it sends back.
        waiting = waiting or [
            call
            for call in self._open
            if (call.made_up or not known) and (not isinstance(name, str) or call.name == name)
        ]
        if waiting:
            self._open.remove(waiting[0])
        elif not known:
            raise refusal(path, "is the result of no call before it", "send the call too")
        call_id = waiting[0].id if waiting else given_id
        self.messages.append({"role": "tool", "tool_call_id": call_id, "content": said})

    def is_asked(self, path: str) -> None:
        """Check that the model is to begin its answer, and not to go on with one that the caller has begun.

        Raises:
            UnsupportedPayload: The last message is the model's own.
        """
        if self.messages and self.messages[-1]["role"] == "assistant":
            raise refusal(
                path, "ends with the beginning of the answer", "say in the system prompt how to begin"
            )

    def _new_id(self) -> str:
        number = len(self._ids)
        while (made := f"call_{number}") in self._ids:
            number += 1
        return made


def text_part(said: str) -> dict[str, Any]:
    """Return a part of a message that is text."""
    return {"type": "text", "text": said}


def image_part(url: str) -> dict[str, Any]:
    """Return a part of a message that is an image, at an address or as a data URL."""
    return {"type": "image_url", "image_url": {"url": url}}


def image_data(data: Any, path: str, media_type: Any = None) -> dict[str, Any]:
    """Return a part of a message that is an image given in base64.

    Args:
        data: The image; a data URL is taken as it is.
        path: Where it is, for messages.
        media_type: What it is; told by its first bytes where the format does not say.

    Raises:
        UnsupportedPayload: It is no image of a known kind.
    """
    if isinstance(data, str) and data[:11].lower() == "data:image/":
        return image_part(data)
    if not isinstance(data, str) or data[:5].lower() == "data:":
        raise refusal(path, NO_IMAGE)
    if media_type is None:
        sign = next((sign for sign in _SIGNS if data.startswith(sign)), None)
        media_type = f"image/{_SIGNS[sign]}" if sign else ""
    if not isinstance(media_type, str) or not media_type.startswith("image/"):
        raise refusal(path, NO_IMAGE)
    return image_part(f"data:{media_type};base64,{data}")


def content(parts: Sequence[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Return parts as the content of a message: text alone as one string, which every server and template can read."""
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return list(parts)


def text_of(parts: Sequence[dict[str, Any]], path: str) -> str:
    """Return the text of parts where Chat Completions has text alone.

    Raises:
        UnsupportedPayload: One of them is not text.
    """
    said = content(parts)
    if not isinstance(said, str):
        raise refusal(path, "holds an image where Chat Completions has text alone", "send it as the user's")
    return said
