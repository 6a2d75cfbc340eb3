"""Images, audio, video and files: refused unless the guard lets them pass."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sovguard import ConfigError, Guard, UnsupportedPayload
from sovguard.demo_server import Reply
from tests.clients.conftest import Serve
from tests.servers import NAME, PHONE, TEXT, PatternAnalyzer

IMAGE = "iVBORw0KGgoAAAANSUhEUgAA01000001234"
URI = f"data:image/png;base64,{IMAGE}"
FILE = f"{NAME}.pdf"


def user(*parts: Any) -> dict[str, Any]:
    """A request with one message."""
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": TEXT}, *parts]}]}


def given(part: Any) -> dict[str, Any]:
    """A Responses request with one message."""
    return {"input": [{"role": "user", "content": [{"type": "input_text", "text": TEXT}, part]}]}


def gemini(mime: str, **more: str) -> dict[str, Any]:
    """A Gemini request with one content."""
    part = {"inlineData": {"mimeType": mime, "data": IMAGE, **more}}
    return {"contents": [{"parts": [{"text": TEXT}, part]}]}


def block(kind: str, mime: str, **more: str) -> dict[str, Any]:
    """A Messages request with one medium."""
    return user({"type": kind, "source": {"type": "base64", "media_type": mime, "data": IMAGE}, **more})


CHAT, CLOVA = "chat/completions", "v3/chat-completions/HCX-007"
MEDIA: list[tuple[str, str, Any]] = [
    (CHAT, "image", user({"type": "image_url", "image_url": {"url": URI}})),
    (CHAT, "audio", user({"type": "input_audio", "input_audio": {"data": IMAGE, "format": "wav"}})),
    (CHAT, "video", user({"type": "video_url", "video_url": {"url": URI}})),
    (CHAT, "file", user({"type": "file", "file": {"file_data": IMAGE, "filename": FILE}})),
    ("responses", "image", given({"type": "input_image", "image_url": URI})),
    ("responses", "file", given({"type": "input_file", "file_data": IMAGE, "filename": FILE})),
    ("messages", "image", block("image", "image/png")),
    ("messages", "file", block("document", "application/pdf", title=FILE)),
    ("models/m:generateContent", "image", gemini("image/png")),
    ("models/m:generateContent", "file", gemini("application/pdf", displayName=FILE)),
    (CLOVA, "image", user({"type": "image_url", "dataUri": {"data": IMAGE}})),
    (
        "api/chat",
        "image",
        {"messages": [{"role": "user", "content": TEXT, "images": [IMAGE]}], "stream": False},
    ),
]


@pytest.mark.parametrize(
    ("path", "medium", "body"), MEDIA, ids=lambda each: each if isinstance(each, str) else ""
)
def test_media_pass_where_they_are_allowed(run_server: Serve, path: str, medium: Any, body: Any) -> None:
    """Refused by default, with the way to allow it; where allowed, sent as they are beside text that is redacted."""
    server = run_server(lambda request: Reply(b"{}"))
    url = f"{server.base_url}/{path}"
    others: Any = {"image", "audio", "video", "file"} - {medium}
    with Guard(_analyzer=PatternAnalyzer(), allow_media=others).http_client() as client:
        with pytest.raises(UnsupportedPayload, match=re.escape(f"allow_media=['{medium}']")):
            client.post(url, json=body)
        assert server.received == []
    with Guard(_analyzer=PatternAnalyzer(), allow_media=[medium]).http_client() as client:
        client.post(url, json=body).raise_for_status()
    (request,) = server.received
    assert IMAGE in request.body.decode()
    assert NAME not in request.body.decode()
    assert PHONE not in request.body.decode()


def test_addresses_of_media_hold_nothing_personal(run_server: Serve) -> None:
    """An address cannot be swapped: one that names someone is refused, any other is sent."""
    server = run_server(lambda request: Reply(b"{}"))
    with Guard(_analyzer=PatternAnalyzer(), allow_media=["image"]).http_client() as client:
        for url, sent in (("https://example.com/a.png", True), (f"https://example.com/{NAME}.png", False)):
            part = {"type": "image_url", "image_url": {"url": url}}
            body = {"messages": [{"role": "user", "content": [part]}]}
            if sent:
                client.post(f"{server.base_url}/chat/completions", json=body)
            else:
                with pytest.raises(UnsupportedPayload, match="holds personal information"):
                    client.post(f"{server.base_url}/chat/completions", json=body)
    assert len(server.received) == 1


@pytest.mark.parametrize("wrong", ["image", ["picture"]])
def test_what_media_there_are(wrong: Any) -> None:
    """Anything else is an error of configuration."""
    with pytest.raises(ConfigError, match="'image', 'audio', 'video', 'file'"):
        Guard(allow_media=wrong)
