"""A Chat Completions answer as the Responses API gives it, whole and in events.

What was thought is shown as a reasoning item where the request says anything about reasoning. Nothing is stored, and the answer
says so: an id from here is known to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sovguard.payloads.lanes import Frame
from sovguard.reroute.answers import Said, Usage, read
from sovguard.reroute.pieces import BROKE_OFF, AnswerEvents, Step

_SHORT = {"length": "max_output_tokens", "content_filter": "content_filter"}
_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "user": None,
}


def answer(chat_answer: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Return a Chat Completions answer as the Responses answer to ``request``.

    Raises:
        UnsupportedPayload: It cannot be read.
    """
    said = read(chat_answer)
    output: list[dict[str, Any]] = []
    if said.reasoning and request.get("reasoning"):
        output.append(_reasoning(said, 0, said.reasoning))
    if said.text or not said.calls:
        output.append(_message(said, len(output), said.text))
    for call in said.calls:
        output.append(_call(said, len(output), call.id, call.name, call.arguments))
    return _response(said, request, output)


class ResponsesEvents(AnswerEvents):
    """Turns the chunks of a streamed answer into events of the Responses API.

    Args:
        request: The request, in the caller's format.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(request, reasoning=bool(request.get("reasoning")))
        self._output: list[dict[str, Any]] = []
        self._next = 0

    def _begins(self, said: Said) -> list[Frame]:
        response = _response(said, self._request, [], status="in_progress")
        return [
            self._event("response.created", response=response),
            self._event("response.in_progress", response=response),
        ]

    def _step(self, step: Step) -> list[Frame]:
        head, stretch = self._pieces.head(), step.stretch
        index = len(self._output)
        text = stretch.text if step.what == "closes" else ""  # put together once, not for every piece
        if stretch.kind == "call":
            return self._call_step(step, index, _call(head, index, stretch.id, stretch.name, text))
        item = (_message if stretch.kind == "text" else _reasoning)(head, index, text)
        return self._text_step(step, index, item)

    def _text_step(self, step: Step, index: int, item: dict[str, Any]) -> list[Frame]:
        spoken = step.stretch.kind == "text"
        text = "response.output_text" if spoken else "response.reasoning_text"
        more: dict[str, Any] = {"logprobs": []} if spoken else {}
        at = {"item_id": item["id"], "output_index": index, "content_index": 0}
        if step.what == "opens":
            part = item["content"][0]
            empty = {**item, "status": "in_progress", "content": []}
            return [
                self._event("response.output_item.added", output_index=index, item=empty),
                self._event("response.content_part.added", **at, part=part),
            ]
        if step.what == "says":
            return [self._event(f"{text}.delta", **at, delta=step.piece, **more)]
        self._output.append(item)
        return [
            self._event(f"{text}.done", **at, text=item["content"][0]["text"], **more),
            self._event("response.content_part.done", **at, part=item["content"][0]),
            self._event("response.output_item.done", output_index=index, item=item),
        ]

    def _call_step(self, step: Step, index: int, item: dict[str, Any]) -> list[Frame]:
        text = "response.function_call_arguments"
        at = {"item_id": item["id"], "output_index": index}
        if step.what == "opens":
            empty = {**item, "status": "in_progress"}
            return [self._event("response.output_item.added", output_index=index, item=empty)]
        if step.what == "says":
            return [self._event(f"{text}.delta", **at, delta=step.piece)]
        self._output.append(item)
        return [
            self._event(f"{text}.done", **at, name=item["name"], arguments=item["arguments"]),
            self._event("response.output_item.done", output_index=index, item=item),
        ]

    def _ends(self, said: Said) -> list[Frame]:
        frames: list[Frame] = []
        if not self._output:  # an answer without a word is a message too
            index, item = 0, _message(said, 0, "")
            frames += [
                self._event("response.output_item.added", output_index=index, item={**item, "content": []}),
                self._event("response.output_item.done", output_index=index, item=item),
            ]
            self._output.append(item)
        response = _response(said, self._request, self._output)
        return [*frames, self._event(f"response.{response['status']}", response=response)]

    def _breaks(self, said: Said) -> list[Frame]:
        response = _response(said, self._request, self._output, status="failed")
        response["error"] = {"code": "server_error", "message": BROKE_OFF}
        return [self._event("response.failed", response=response)]

    def _event(self, kind: str, **data: Any) -> Frame:
        self._next += 1
        return Frame(kind, {"type": kind, **data, "sequence_number": self._next - 1})


def _reasoning(said: Said, index: int, text: str) -> dict[str, Any]:
    content = [{"type": "reasoning_text", "text": text}]
    return {
        "id": f"rs_{said.id}_{index}",
        "type": "reasoning",
        "status": "completed",
        "summary": [],
        "content": content,
    }


def _message(said: Said, index: int, text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "id": f"msg_{said.id}_{index}",
        "type": "message",
        "status": _status(said),
        "role": "assistant",
        "content": [part],
    }


def _call(said: Said, index: int, call_id: str, name: str, arguments: str) -> dict[str, Any]:
    return {
        "id": f"fc_{said.id}_{index}",
        "type": "function_call",
        "status": _status(said),
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def _status(said: Said) -> str:
    return "incomplete" if said.finish in _SHORT else "completed"


def _response(
    said: Said, request: dict[str, Any], output: Iterable[dict[str, Any]], *, status: str = ""
) -> dict[str, Any]:
    status = status or _status(said)
    over = status != "in_progress"
    echoed = {key: default if request.get(key) is None else request[key] for key, default in _ECHOED.items()}
    return {
        "id": f"resp_{said.id}",
        "object": "response",
        "created_at": said.created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": _SHORT[said.finish]} if status == "incomplete" else None,
        "model": said.model or request.get("model"),
        "output": list(output),
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "truncation": "disabled",
        "usage": _usage(said.usage) if over else None,
        **echoed,
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt + usage.completion,
    }
