"""Local servers that play the model, and an analyzer of made-up values, for tests of what leaves."""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

from sovguard.demo_server import LocalServer, Received, Reply, chat_completion
from sovguard.entities import Detection, Evidence

NAME, OTHER_NAME = "홍길동", "김나래"
PHONE, RRN, EMAIL = "010-0000-1234", "351212-3123456", "gildong@example.com"
VALUES = (NAME, OTHER_NAME, PHONE, RRN, EMAIL)
TEXT = f"{NAME} 고객이 {PHONE}로 전화했고 {RRN}을 남겼습니다. 답장은 {EMAIL}"
SURROGATE = re.compile(r"[A-Z]{2,16}-[0-9A-Z]{8}(?![0-9A-Z])")

_PATTERNS = {
    "PERSON": "홍길동|김나래",
    "PHONE_NUMBER": "(?<![0-9A-Za-z])010-0000-[0-9]{4}(?![0-9])",
    "KR_RRN": "(?<![0-9A-Za-z])[0-9]{6}-?[34][0-9]{6}(?![0-9])",
    "EMAIL_ADDRESS": "[a-z]+@example[.]com",
}


class PatternAnalyzer:
    """Finds the made-up values by pattern, and remembers how often and with what it was called."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def analyze(self, texts: Sequence[str]) -> list[list[Detection]]:
        """Return what is found in each text."""
        self.batches.append(list(texts))
        return [
            [
                Detection(name, hit.start(), hit.end(), 1.0, "test", Evidence("test"))
                for name, pattern in _PATTERNS.items()
                for hit in re.finditer(pattern, text)
            ]
            for text in texts
        ]


class FailingAnalyzer:
    """Fails at everything, with the text in its message as careless code has it."""

    def analyze(self, texts: Sequence[str]) -> list[list[Detection]]:
        """Raise."""
        raise RuntimeError(f"cannot read {texts}")


def last_text(request: Received) -> str:
    """Return the content of the last message that arrived."""
    content: Any = request.json()["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def echo(request: Received) -> Reply:
    """Reply with the last message, as a model that repeats what it is told."""
    return Reply(chat_completion(f"받은 말: {last_text(request)}"))


def in_turn(*answers: Callable[[Received], Reply] | Reply) -> Callable[[Received], Reply]:
    """Return an answer that gives each of ``answers`` once, in order."""
    waiting = list(answers)

    def answer(request: Received) -> Reply:
        following = waiting.pop(0)
        return following if isinstance(following, Reply) else following(request)

    return answer


def assert_only_surrogates(server: LocalServer) -> None:
    """Fail if any value arrived in any encoding that can be undone, or in two of them one upon the other."""
    for request in server.received:
        headers = " ".join(request.headers.values()).encode()
        for seen in _decodings(request.body) | _decodings(request.path.encode()) | _decodings(headers):
            bare = re.sub("[^0-9A-Za-z]", "", seen)
            for value in VALUES:
                digits = re.sub("[^0-9]", "", value)
                assert value not in seen
                assert len(digits) < 7 or digits not in bare


def _decodings(raw: bytes, depth: int = 2) -> set[str]:
    """What bytes say in every encoding that is tried, and what that says in turn."""
    found = {raw.decode("utf-8", "replace"), raw.decode("cp949", "replace")}
    found |= {raw.decode("utf-16-le", "replace"), raw.decode("utf-16-be", "replace")}
    found |= {_unescaped(text) for text in found} | {html.unescape(text) for text in found}
    found |= {unquote(text) for text in found}
    if depth == 0:
        return found
    packed: list[bytes] = []
    for window in (31, 15, -15):
        with contextlib.suppress(zlib.error):
            packed.append(zlib.decompress(raw, window))
    for run in re.findall(rb"[0-9A-Za-z+/_-]{8,}", raw):
        for start in range(4):
            piece = run[start:].translate(bytes.maketrans(b"-_", b"+/"))
            piece = piece[:-1] if len(piece) % 4 == 1 else piece
            packed.append(base64.b64decode(piece + b"=" * (-len(piece) % 4)))
        if re.fullmatch(rb"(?:[0-9A-Fa-f]{2})+", run):
            packed.append(bytes.fromhex(run.decode()))
    return found.union(*(_decodings(each, depth - 1) for each in packed if each != raw))


def _unescaped(text: str) -> str:
    return re.sub(r"\\+u([0-9a-fA-F]{4})", lambda hit: json.loads(f'"\\u{hit[1]}"'), text)
