"""A chat-completions server on this machine that stands in for a model, for ``sovguard demo`` and for tests.

Answers by rule from what it received and from nothing else, so that whoever watches sees two things: which
text left, and that the answer depends on it. It knows nothing of sovguard and is no part of the way to a
real model.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_SURROGATE = re.compile(r"(?<![0-9A-Za-z])([A-Z]{2,16})-[0-9A-Z]{8}(?![0-9A-Za-z])")
_CUSTOMER = re.compile(r"^[ \t]*(?:고객|손님|민원인|환자)[ \t]*:(.+)$", re.MULTILINE)
_CONTACTS = ("PHONE", "EMAIL", "ADDRESS")


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the parsed body."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server says back.

    Attributes:
        pieces: Sent after the body, one chunk each, as a stream is.
        breaks: Whether the connection is cut before the stream has ended.
    """

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    pieces: tuple[bytes, ...] = ()
    breaks: bool = False


class LocalServer:
    """A running server.

    Attributes:
        base_url: Address for a client, ending in ``/v1``.
        received: Every request so far, in order of arrival.
        replied: The body of every reply so far.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.received: list[Received] = []
        self.replied: list[bytes] = []


@contextmanager
def run_demo_server() -> Iterator[LocalServer]:
    """Run the demo's model on a free port of 127.0.0.1 until the block ends."""
    with serve(_chat) as server:
        yield server


@contextmanager
def serve(answer: Callable[[Received], Reply]) -> Iterator[LocalServer]:
    """Run a server on a free port of 127.0.0.1 that records each request and replies with ``answer``.

    Args:
        answer: Called for each request, in a thread of its own.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An idle connection of a client that never closes must not keep its thread for ever.
        timeout = 30
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            request = Received(
                self.command,
                self.path,
                {name.lower(): value for name, value in self.headers.items()},
                self._body(),
            )
            local.received.append(request)
            reply = answer(request)
            local.replied.append(reply.body)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.pieces:
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for piece in filter(None, (reply.body, *reply.pieces)):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                    self.wfile.flush()
                self.close_connection = reply.breaks
                self.wfile.write(b"" if reply.breaks else b"0\r\n\r\n")
                return
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815 - names that http.server calls

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("transfer-encoding", ""):
                return self.rfile.read(int(self.headers.get("content-length") or 0))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, format: str, *args: Any) -> None:
            """Write nothing: what arrives is shown by whoever runs the server."""

    class Listener(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of a client that has gone."""

    listener = Listener(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    local = LocalServer(f"http://127.0.0.1:{listener.server_address[1]}/v1")
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield local
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def chat_completion(content: str, **message: Any) -> bytes:
    """Return the body of a Chat Completions answer.

    Args:
        content: What the model says.
        **message: Further fields of its message, such as ``tool_calls``.
    """
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": content, **message},
    }
    answer = {
        "id": "chatcmpl-demo",
        "object": "chat.completion",
        "created": 0,
        "model": "demo",
        "choices": [choice],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }
    return json.dumps(answer, ensure_ascii=False).encode()


def _chat(request: Received) -> Reply:
    if request.method != "POST" or not request.path.endswith("/chat/completions"):
        return _error(404, "the demo server answers POST /v1/chat/completions only")
    try:
        messages = request.json()["messages"]
        said = next(message["content"] for message in reversed(messages) if message["role"] == "user")
        return Reply(chat_completion(_consultation(said)))
    except (ValueError, KeyError, TypeError, StopIteration):
        return _error(400, "the demo server needs a user message whose content is text")


def _consultation(said: str) -> str:
    """Return a consultant's note and a reply to the customer, made of nothing but what arrived."""
    found = {match[0]: match[1] for match in _SURROGATE.finditer(said)}
    people = [surrogate for surrogate, word in found.items() if word == "PERSON"]
    contacts = [surrogate for surrogate, word in found.items() if word in _CONTACTS]
    others = [surrogate for surrogate in found if surrogate not in (*people, *contacts)]
    lines = ["[상담 요약]", _quoted(said)]
    if contacts:
        # As a model may write it: in lower case, with the dash escaped for Markdown.
        changed = contacts[0].lower().replace("-", "\\-")
        lines.append(f"- 회신처: {', '.join(contacts)} (다시 확인: **{changed}**)")
    if others:
        lines.append(f"- 확인할 정보: {', '.join(others)}")
    customer = f"{people[0]} 고객님" if people else "고객님"
    following = "처리되는 대로 연락드리겠습니다." if contacts else "연락처를 남겨 주시면 안내해 드리겠습니다."
    lines += ["", "[답장]", f"{customer}, 말씀하신 내용을 확인했습니다. {following}"]
    if len(people) > 1:
        lines.append(f"(함께 언급된 분: {', '.join(people[1:])})")
    return "\n".join(lines)


def _quoted(said: str) -> str:
    """Return the last thing the customer said, or the last line of a text that does not say who speaks."""
    turns = _CUSTOMER.findall(said)
    if turns:
        return f"- 고객 요청: “{turns[-1].strip()}”"
    return f"- 전달받은 내용: “{said.strip().splitlines()[-1].strip() if said.strip() else ''}”"


def _error(status: int, message: str) -> Reply:
    return Reply(
        json.dumps({"error": {"message": message, "type": "invalid_request_error"}}).encode(), status
    )
