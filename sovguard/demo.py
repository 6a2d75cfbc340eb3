"""What ``sovguard demo`` runs: a real client, a real request, a model on this machine, and the four sides of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from sovguard.demo_server import run_demo_server
from sovguard.errors import ConfigError
from sovguard.guard import Guard

EXAMPLE = """\
다음 상담을 요약하고 답장을 써 줘.

상담원: 한빛은행 고객센터입니다. 성함과 연락처 부탁드립니다.
고객: 홍길동이고요, 번호는 공일공 공공공공 일이삼사예요. 주민번호는 310101-3000002입니다.
상담원: 홍길동 고객님, 환불 계좌는 신한 110-000-000017 맞으실까요?
고객: 네, 카드는 서울특별시 강남구 없는대로 12, 101동 1502호로 보내 주시고 안내는 hong@example.com으로 주세요."""


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """The four sides of one call, and whether every detected value stayed here."""

    wrote: str
    left: str
    came: str
    reads: str
    values: int
    kept: bool

    def __repr__(self) -> str:
        return f"Outcome({self.values} values, kept: {self.kept})"

    def as_dict(self) -> dict[str, Any]:
        """Returns the outcome as JSON-like data."""
        return {name: getattr(self, name) for name in self.__slots__}


def run(text: str | None = None) -> Outcome:
    """Returns what happened when ``text`` was sent through a protected client to the demo's model.

    Raises:
        ConfigError: The openai package is not installed.
    """
    try:
        from openai import OpenAI
    except ImportError:
        raise ConfigError('the demo uses the openai client: pip install "sovguard[demo]"') from None
    wrote = text if text is not None else EXAMPLE
    guard = Guard()
    values = {wrote[hit.start : hit.end] for hit in guard.scan(wrote)}
    with run_demo_server() as server:
        client = guard.wrap(OpenAI(api_key="demo", base_url=server.base_url, max_retries=0))
        answer = client.chat.completions.create(model="demo", messages=[{"role": "user", "content": wrote}])
        reads = answer.choices[0].message.content or ""
        received = server.received[-1]
        left = received.json()["messages"][0]["content"]
        came = json.loads(server.replied[-1])["choices"][0]["message"]["content"]
        everything = "\n".join(request.text for request in server.received)
    return Outcome(wrote, left, came, reads, len(values), not any(value in everything for value in values))


def show_panes(console: Console, outcome: Outcome) -> None:
    """Prints the four panes and the line that says whether anything got out."""
    panes = (
        ("1  앱이 쓴 글", "what the app wrote", outcome.wrote, "yellow"),
        ("2  기기를 떠난 것", "what left the machine", outcome.left, "cyan"),
        ("3  돌아온 것", "what came back", outcome.came, "cyan"),
        ("4  사용자가 읽는 것", "what the user reads", outcome.reads, "green"),
    )
    verdict = (
        f"✓ 찾은 값 {outcome.values}개 중 기기를 떠난 것은 없습니다 (none of {outcome.values} detected values left)"
        if outcome.kept
        else "✗ 찾은 값이 기기를 떠났습니다 (a detected value left this machine)"
    )
    if console.is_terminal:
        boxes = [
            Panel(Text(body), title=title, subtitle=subtitle, border_style=colour, title_align="left")
            for title, subtitle, body, colour in panes
        ]
        console.print(Group(*boxes))
        console.print(verdict, style="bold green" if outcome.kept else "bold red")
    else:
        for title, subtitle, body, _ in panes:
            console.out(f"== {title} ({subtitle})\n{body}\n", highlight=False)
        console.out(verdict, highlight=False)
