"""Which HTTP requests may leave, and what their bodies say once every encoding is undone.

Below the transport and free of any HTTP library: a request is whatever has ``method``, ``url`` and
``headers`` as httpx and httpx2 have them. Nothing here looks for personal information; what cannot be read
is refused.
"""

from __future__ import annotations

import zlib
from typing import Any
from urllib.parse import parse_qsl, unquote

from sovguard.errors import UnsupportedPayload
from sovguard.payloads.formats import SUPPORTED, Format, format_of
from sovguard.payloads.json_text import Parsed, load

MAX_BODY = 64 * 1024 * 1024
"""Bytes that a compressed body may grow to: far above any prompt, far below what fills a machine."""

_PLAIN = frozenset(
    """
    accept accept-encoding accept-language cache-control connection content-encoding content-length content-type cookie host
    keep-alive pragma te traceparent tracestate transfer-encoding upgrade user-agent
    """.split()  # noqa: SIM905
)
"""Headers that libraries write, whose versions and addresses are nobody's."""
_TECHNICAL = ("x-stainless-", "anthropic-", "openai-", "x-goog-", "sec-", "if-")

_GZIP, _ZLIB, _RAW = 31, 15, -15
# Each proves the body byte by byte: it would no longer fit, and it is a hash of the real text.
_DIGESTS = ("content-md5", "digest", "content-digest", "repr-digest", "x-amz-content-sha256")


def refuse_unread(request: Any) -> None:
    """Refuse what can be refused without reading the body, which may be a large upload."""
    if request.url.scheme in {"ws", "wss"} or "upgrade" in request.headers:
        raise UnsupportedPayload(
            "the request was not sent: it opens a websocket, whose messages this version cannot redact; "
            f"{SUPPORTED}"
        )
    announced = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    if announced and format_in(request) is None:
        raise _unsupported(request)


def readable_body(request: Any, body: bytes) -> Parsed | None:
    """Return what the body of a request says, or ``None`` where there is no body to inspect.

    Raises:
        UnsupportedPayload: The request is of a kind, or its body in an encoding, that is not supported.
    """
    refuse_unread(request)
    if format_in(request) is None:
        if body:
            raise _unsupported(request)
        return None
    headers = request.headers
    signed = next((name for name in _DIGESTS if name in headers), None)
    if signed is not None or headers.get("authorization", "").lower().startswith("aws4"):
        raise UnsupportedPayload(
            "the request was not sent: it carries a signature or digest of its body, which redaction "
            "changes; sign after redaction, or use a client that authenticates with a key"
        )
    if headers.get("content-type", "").lower().startswith("multipart/"):
        raise UnsupportedPayload("the request was not sent: its body is multipart; send JSON")
    parsed = load(_decoded(body, headers.get("content-encoding", "")))
    if parsed is None:
        raise UnsupportedPayload("the request was not sent: its body is not JSON; send JSON in UTF-8")
    return parsed


def url_texts(url: Any) -> list[str]:
    """Return what the path and the query of a URL say, decoded."""
    query = url.query.decode("ascii", "replace")
    pairs = [f"{key}: {value}" for key, value in parse_qsl(query, keep_blank_values=True)]
    return [unquote(url.path), *pairs]


def header_texts(headers: Any) -> tuple[list[str], list[str]]:
    """Return what headers may say, with their names: those of the caller's own, and those that libraries write.

    Keys are left out: they are the destination's own. Octets that are no ASCII are read in both ways that Korean is written in.
    """
    own: list[str] = []
    technical: list[str] = []
    for raw, value in headers_without(headers, "authorization", "x-api-key", "api-key", "x-goog-api-key"):
        name = raw.decode("latin-1").lower()
        encodings = ("ascii",) if value.isascii() else ("utf-8", "cp949")
        told = technical if name in _PLAIN or name.startswith(_TECHNICAL) else own
        told += [f"{name}: {value.decode(each, 'ignore')}" for each in encodings]
    return own, technical


def comes_as(response: Any, *, asked_for_stream: bool) -> str:
    """Tell how an answer comes that may hold surrogates: as "json", "events" or "lines", or not at all ("").

    An error is passed on as it came: it often quotes the request, and clients put it into exceptions and
    logs, where no real value belongs.
    """
    if not 200 <= response.status_code < 300:
        return ""
    kind: str = response.headers.get("content-type", "").lower()
    if any(name in kind for name in ("ndjson", "jsonl", "json-lines", "jsonlines")):
        return "lines"
    if "event-stream" in kind or (asked_for_stream and "json" not in kind):
        return "events"
    return "json" if "json" in kind or not kind else ""


def headers_without(headers: Any, *names: str) -> list[tuple[bytes, bytes]]:
    """Return the headers as they are, but for those named."""
    dropped = {name.encode() for name in names}
    return [(name, value) for name, value in headers.raw if name.lower() not in dropped]


def format_in(request: Any) -> Format | None:
    """Return the format that a request is in, or ``None``."""
    return format_of(request.method, request.url.path)


def _unsupported(request: Any) -> UnsupportedPayload:
    # Not its path: a refusal may come before anyone has looked whether that holds personal information.
    return UnsupportedPayload(
        f"the request was not sent: this {request.method} with a body is not supported; {SUPPORTED}. "
        "Use a client that is not protected only if nothing personal is in it"
    )


def _decoded(body: bytes, encodings: str) -> bytes:
    for encoding in reversed(encodings.lower().split(",")):
        name = encoding.strip()
        if name in {"gzip", "x-gzip"}:
            body = _inflated(body, _GZIP)
        elif name == "deflate":
            # The name stands for zlib, but some senders leave its header out (RFC 9110, section 8.4.1.2).
            body = _inflated(body, _ZLIB if body[:1] and body[0] & 15 == 8 else _RAW)
        elif name not in {"", "identity"}:
            raise UnsupportedPayload(
                "the request was not sent: its content encoding is not known to this version; "
                "send it uncompressed or with gzip"
            )
    return body


def _inflated(data: bytes, window: int) -> bytes:
    inflated = bytearray()
    while data:
        stream = zlib.decompressobj(window)
        try:
            inflated += stream.decompress(data, MAX_BODY + 1 - len(inflated))
        except zlib.error:
            raise UnsupportedPayload(
                "the request was not sent: its body is not in the encoding that its headers name; "
                "send it uncompressed"
            ) from None
        if len(inflated) > MAX_BODY:
            raise UnsupportedPayload(
                f"the request was not sent: its body grows beyond {MAX_BODY >> 20} MiB; send less at a time"
            )
        if not stream.eof:
            raise UnsupportedPayload(
                "the request was not sent: its compressed body ends too early; send it whole"
            )
        # A second member of a gzip file is read by servers too, so it has to be read here.
        data = stream.unused_data
    return bytes(inflated)
