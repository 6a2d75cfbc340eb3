"""What ``sovguard demo`` runs: a real client, a real request, a model on this machine, and the four sides of it.

The closing lines are not said but checked, against what the server received and against the files of the vault, which is a
sealed one in a folder of its own that goes when the demo ends.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from sovguard.demo_server import Received, run_demo_server
from sovguard.errors import ConfigError, InputError, SovguardError
from sovguard.findings import colour, printable
from sovguard.guard import Guard
from sovguard.shapes import take_apart
from sovguard.spellings import find
from sovguard.vault import Keyring, SealedVault
from sovguard.vault.sqlite import SqliteStore

EXAMPLE = """\
다음 상담을 요약하고 답장을 써 줘.

상담원: 한빛은행 고객센터입니다. 성함과 연락처 부탁드립니다.
고객: 홍길동이고요, 번호는 공일공 공공공공 일이삼사예요. 주민번호는 310101-3000002입니다.
상담원: 홍길동 고객님, 환불 계좌는 신한 110-000-000017 맞으실까요?
고객: 네, 카드는 서울특별시 강남구 없는대로 12, 101동 1502호로 보내 주시고 안내는 hong@example.com으로 주세요."""

_MODEL = "sovguard-demo"
# Words of the request that the demo's own code puts there; a user name can be "user" all the same.
_FRAME = frozenset({"model", "messages", "role", "content", "user", _MODEL})
_DIGITS = 7
# Fewer octets stand in sealed ones by chance.
_OCTETS = 6


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """The four sides of one call.

    Attributes:
        wrote: What the app wrote.
        left: What the model's server received.
        came: What it answered on the wire.
        reads: What the user reads.
        found: The values that were detected, each once, with their types.
        leaked: How many of them were in what left.
        stored: How many of them can be read in the vault's files.
    """

    wrote: str
    left: str
    came: str
    reads: str
    found: dict[str, str]
    leaked: int
    stored: int = 0

    def __repr__(self) -> str:
        return f"Outcome({len(self.found)} values, {self.leaked} leaked)"

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON-like data."""
        return {
            "wrote": self.wrote,
            "left": self.left,
            "came_back": self.came,
            "reads": self.reads,
            "values": len(self.found),
            "leaked": self.leaked,
            "stored": self.stored,
        }


def run(text: str | None = None) -> Outcome:
    """Return what happened when ``text`` was sent through a protected client to the demo's model.

    Args:
        text: What the app writes; by default the example.

    Raises:
        ConfigError: The openai package is not installed.
        InputError: There is nothing in the text.
    """
    try:
        import openai  # noqa: F401
    except ImportError:
        raise ConfigError('the demo uses the openai client: pip install "sovguard[demo]"') from None
    wrote = EXAMPLE if text is None else text
    if not wrote.strip():
        raise InputError("the demo needs a text with something in it; name another file with --text")
    try:
        folder = tempfile.TemporaryDirectory(prefix="sovguard-demo-")
    except OSError:
        raise ConfigError("the demo keeps its vault in a temporary folder; name one in TMPDIR") from None
    with folder as place:
        vault = SealedVault.create(SqliteStore(Path(place, "vault.db"), create=True), Keyring.generate())
        try:
            return _called(wrote, Guard(vault=vault), Path(place))
        finally:
            vault.close()


def _called(wrote: str, guard: Guard, place: Path) -> Outcome:
    from openai import APIConnectionError, DefaultHttpxClient, OpenAI

    found = {wrote[hit.start : hit.end]: hit.entity_type for hit in guard.scan(wrote)}
    with run_demo_server() as server:
        # Settings of the environment, such as a proxy, are for other servers than one on this machine.
        direct = DefaultHttpxClient(trust_env=False)
        model = OpenAI(api_key="demo", base_url=server.base_url, max_retries=0, http_client=direct)
        try:
            with guard.wrap(model) as client:
                answer = client.chat.completions.create(
                    model=_MODEL, messages=[{"role": "user", "content": wrote}]
                )
        except APIConnectionError as error:
            # The openai client wraps whatever stops a request; an error of this package says more.
            if isinstance(error.__cause__, SovguardError):
                raise error.__cause__ from None
            raise ConfigError(
                "the demo's server on 127.0.0.1 could not be reached; allow this program local connections"
            ) from None
    return Outcome(
        wrote,
        server.received[-1].json()["messages"][-1]["content"],
        json.loads(server.replied[-1])["choices"][0]["message"]["content"],
        answer.choices[0].message.content or "",
        found,
        len(leaks(found, server.received)),
        len(legible(found, place)),
    )


def legible(values: Iterable[str], place: Path) -> list[str]:
    """Return those of ``values`` that can be read in the files of a folder."""
    files = [path.read_bytes() for path in place.rglob("*") if path.is_file()]
    octets = {value: value.encode("utf-8", "surrogatepass") for value in values}
    return [
        value
        for value, written in octets.items()
        if len(written) >= _OCTETS and any(written in content for content in files)
    ]


def leaks(values: Iterable[str], received: Sequence[Received]) -> list[str]:
    """Return those of ``values`` that stand anywhere in what was received, digits also without separators."""
    seen: list[str] = []
    for request in received:
        texts = [leaf.text for leaf in take_apart([request.json()], "this").leaves]
        seen += (text for text in texts if text not in _FRAME)
        seen.append(request.path)
        seen += (value for name, value in request.headers.items() if name not in ("host", "content-length"))
    squeezed = [re.sub("[^0-9A-Za-z]", "", text) for text in seen]
    found = []
    for value in values:
        digits = re.sub("[^0-9]", "", value)
        bare = len(digits) >= _DIGITS and any(digits in text for text in squeezed)
        if bare or any(value in text for text in seen):
            found.append(value)
    return found


def show_panes(console: Console, outcome: Outcome) -> None:
    """Print the four panes in frames, values and surrogates coloured, and what the check says."""
    boxes = [
        Panel(body, title=title, subtitle=subtitle, border_style=edge, title_align="left")
        for (title, subtitle, _), body, edge in zip(
            _panes(outcome),
            (
                _with_values(outcome.wrote, outcome),
                _with_surrogates(outcome.left),
                _with_surrogates(outcome.came),
                _with_values(outcome.reads, outcome),
            ),
            ("yellow", "cyan", "cyan", "green"),
            strict=True,
        )
    ]
    console.print(Group(*boxes))
    console.print(
        Text(verdict(outcome)), style="bold red" if outcome.leaked or outcome.stored else "bold green"
    )


def plain_panes(outcome: Outcome) -> str:
    """Return the four panes as sections with headings, and what the check says."""
    sections = [f"== {title} ({subtitle})\n{body}\n\n" for title, subtitle, body in _panes(outcome)]
    return "".join((*sections, verdict(outcome), "\n"))


def verdict(outcome: Outcome) -> str:
    """Return what the checks against the server's record and the vault's files say."""
    if not outcome.found:
        return "– 찾은 개인정보가 없어 원문이 그대로 전송되었습니다 (nothing was detected, so the text left as it is)"
    total = len(outcome.found)
    if outcome.leaked:
        left = outcome.leaked
        sent = f"✗ 찾은 값 {total}개 중 {left}개가 외부로 전송되었습니다 ({left} of {total} detected values left)"
    else:
        sent = f"✓ 찾은 값 {total}개 중 외부로 전송된 것은 없습니다 (none of {total} detected values left)"
    if outcome.stored:
        kept = f"✗ 대응표 파일에서 {outcome.stored}개가 그대로 읽힙니다 ({outcome.stored} can be read in the vault's files)"
    else:
        kept = (
            "✓ 암호화된 대응표 파일에서도 읽을 수 없습니다 (nor can any be read in the sealed vault on disk)"
        )
    return f"{sent}\n{kept}"


def _panes(outcome: Outcome) -> tuple[tuple[str, str, str], ...]:
    return (
        ("1  원문", "what the app wrote", outcome.wrote),
        ("2  외부로 전송된 내용", "what left", outcome.left),
        ("3  모델 응답", "what came back on the wire", outcome.came),
        ("4  사용자가 보는 내용", "what the user reads", outcome.reads),
    )


def _with_values(text: str, outcome: Outcome) -> Text:
    shown = Text(printable(text))
    for value, entity_type in outcome.found.items():
        shown.highlight_words([printable(value)], colour(entity_type))
    return shown


def _with_surrogates(text: str) -> Text:
    text = printable(text)
    shown = Text(text)
    for candidate in find(text):
        shown.stylize("bold cyan", candidate.start(), candidate.end)
    return shown
