from __future__ import annotations

import builtins
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sovguard.demo import EXAMPLE, Outcome, leaks, legible, run, show_panes, verdict
from sovguard.demo_server import Received, _consultation
from tests.command import ACCOUNT, EMAIL, NAME, PHONE, RRN, run_apart
from tests.command import run as command

ADDRESS = "서울특별시 강남구 없는대로 12, 101동 1502호"
SPOKEN = "공일공 공공공공 일이삼사"
SECRETS = (NAME, RRN, EMAIL, ACCOUNT, ADDRESS, SPOKEN)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    """What the example came to."""
    return run()


def received(body: Any, **headers: str) -> list[Received]:
    """Return a request as a server records it."""
    return [Received("POST", "/v1/chat/completions", headers, json.dumps(body).encode())]


def test_the_four_sides_are_those_of_a_real_call(outcome: Outcome) -> None:
    """Values are in what was written and read, surrogates in what left and came back, and nothing leaked."""
    assert set(outcome.found) == set(SECRETS)
    assert outcome.leaked == 0
    assert outcome.wrote == EXAMPLE
    for secret in SECRETS:
        assert secret in outcome.wrote
        assert secret in outcome.reads
        assert secret not in outcome.left
        assert secret not in outcome.came
    surrogates = set(re.findall("[A-Z]+-[0-9A-Z]{8}", outcome.left))
    assert len(surrogates) == len(SECRETS)
    assert all(surrogate in outcome.came for surrogate in surrogates)
    assert "\\-" in outcome.came


def test_own_text_can_be_tried(tmp_path: Path) -> None:
    """--text takes a file or standard input, in any encoding, and its values stay here too."""
    own = tmp_path / "a.txt"
    own.write_bytes(f"환자 {NAME}, 연락처 {PHONE}".encode("cp949"))
    done = command("demo", "--json", "--text", own, "--encoding", "cp949")
    sides = json.loads(done.out)
    assert done.code == 0
    assert (sides["values"], sides["leaked"]) == (2, 0)
    assert PHONE in sides["wrote"]
    assert PHONE in sides["reads"]
    assert PHONE not in sides["left"] + sides["came_back"]
    piped = command("demo", "--text", "-", stdin="회의는 세 시입니다")
    assert piped.code == 0
    assert "찾은 개인정보가 없어" in piped.text
    assert "--text" in command("demo", "--text", "-", stdin=" \n").err
    assert "file 1" in command("demo", "--text", tmp_path / "none").err


def test_piped_it_prints_sections() -> None:
    """Without a terminal: four headed sections in order and the closing line, in a process of its own."""
    done = run_apart(
        "demo", env={"HTTP_PROXY": "http://127.0.0.1:9", "OPENAI_BASE_URL": "http://127.0.0.1:9"}
    )
    headings = re.findall("^== ([0-9])  (.+?) [(]", done.text, re.MULTILINE)
    assert (done.code, done.err) == (0, "")
    assert headings == [
        ("1", "원문"),
        ("2", "외부로 전송된 내용"),
        ("3", "모델 응답"),
        ("4", "사용자가 보는 내용"),
    ]
    sent, kept = done.text.splitlines()[-2:]
    assert sent.startswith("✓ 찾은 값 6개 중 외부로 전송된 것은 없습니다")
    assert kept.startswith("✓ 암호화된 대응표 파일에서도 읽을 수 없습니다")
    assert "\x1b" not in done.text


def test_on_a_terminal_it_draws_panes(outcome: Outcome) -> None:
    """With a terminal: four frames with the same text, coloured unless NO_COLOR says not."""
    for no_color in (False, True):
        screen = io.StringIO()
        show_panes(Console(file=screen, force_terminal=True, width=120, no_color=no_color), outcome)
        drawn = screen.getvalue()
        assert drawn.count("╭") == drawn.count("╰") == 4
        assert all(
            side in drawn for side in ("원문", "외부로 전송된 내용", "모델 응답", "사용자가 보는 내용")
        )
        assert re.search("[34][0-9]m", drawn) is None if no_color else "[1;37;41m310101-3000002" in drawn


def test_a_text_cannot_drive_the_terminal() -> None:
    """Escape sequences of a text are shown, not obeyed."""
    screen = io.StringIO()
    side = "\x1b]0;제목\x07 \x9b31m 안녕"
    show_panes(Console(file=screen, force_terminal=True, width=80), Outcome(side, side, side, side, {}, 0))
    assert "\x1b]" not in screen.getvalue()
    assert "\x9b" not in screen.getvalue()
    assert "␛]0;제목␇" in screen.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "user", "content": f"번호 {PHONE}"}]},
        {"messages": [{"role": "user", "content": "번호 01000001234"}]},
        {"messages": [{"role": "user", "content": "-"}], "user": PHONE},
        {"messages": [], "metadata": {PHONE: True}},
        {"messages": [], "seed": 1000001234, "phone": [{"a": f'{{"b": "{PHONE}"}}'}]},
    ],
)
def test_the_check_finds_what_leaked(body: Any) -> None:
    """A value in the message, elsewhere in the body, in a key or without its hyphens is found."""
    assert leaks([NAME, PHONE], received(body)) == [PHONE]


def test_the_check_looks_beyond_the_body() -> None:
    """A value in a header is found; what the demo itself writes into a request is no leak."""
    assert leaks([NAME], received({}, x=NAME)) == [NAME]
    plain = {"model": "sovguard-demo", "messages": [{"role": "user", "content": "안녕"}]}
    assert leaks(["user", "127.0.0.1", "안녕하세요"], received(plain, host="127.0.0.1:8000")) == []
    assert leaks(["user"], received({"messages": [{"content": "the user said"}]})) == ["user"]


def test_a_vault_that_can_be_read_is_said(
    outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check finds values in files; the closing line and the exit code say so; the demo leaves no file behind."""
    (tmp_path / "vault.db-wal").write_bytes(b"\x00" + NAME.encode() + b"\x01")
    assert legible([NAME, PHONE, "\x00"], tmp_path) == [NAME]
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "apart"))
    (tmp_path / "apart").mkdir()
    monkeypatch.setattr("sovguard.demo.legible", lambda found, place: [NAME] if any(place.iterdir()) else [])
    done = command("demo")
    assert (done.code, "✗ 대응표 파일에서 1개가" in done.text) == (1, True)
    assert list((tmp_path / "apart").iterdir()) == []


def test_a_leak_is_said(outcome: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a value did leave, the closing line and the exit code say so."""
    monkeypatch.setattr("sovguard.demo.Guard.wrap", lambda self, client: client)
    done = command("demo")
    assert done.code == 1
    assert "✗ 찾은 값 6개 중 6개가 외부로 전송되었습니다" in done.text
    assert "✗" not in verdict(outcome)


def test_without_the_client_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the openai package, one line says how to get it."""
    real: Callable[..., Any] = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "openai":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    done = command("demo")
    assert (done.code, done.out) == (2, b"")
    assert 'pip install "sovguard[demo]"' in done.err


def test_an_error_of_this_package_is_not_hidden_by_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """When detection fails inside the client's call, its own message arrives, without a value."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"cannot read {EXAMPLE}")

    monkeypatch.setattr("sovguard.guard.Session.redact_values", fail)
    monkeypatch.setattr("sovguard.guard.Session.redact_texts", fail)
    done = command("demo")
    assert (done.code, done.out) == (2, b"")
    assert not any(secret in done.err for secret in SECRETS)


def test_an_outcome_does_not_show_what_it_holds(outcome: Outcome) -> None:
    """The representation of an outcome counts its values."""
    assert repr(outcome) == "Outcome(6 values, 0 leaked)"


def on_terminal(*arguments: object, **settings: str) -> tuple[int, str]:
    """Run the command line on a pseudo-terminal; return its exit code and what the terminal showed."""
    from pty import openpty

    master, slave = openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "sovguard", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
        env={key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        | {"TERM": "xterm-256color", "COLUMNS": "120"}
        | settings,
    )
    os.close(slave)
    shown = b""
    try:
        while part := os.read(master, 65536):
            shown += part
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(master)
    return running.wait(), shown.decode()


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_terminal_that_cannot_show_korean_is_told(tmp_path: Path) -> None:
    """Where the terminal's encoding has no Hangul, one line says so and what to do."""
    source = tmp_path / "a.txt"
    source.write_text(f"번호 {PHONE}")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for command_line in (("scan", "--names", "off", source), ("demo",)):
        code, screen = on_terminal(*command_line, **plain)
        assert code == 2
        assert "cannot show Korean" in screen
        assert "PYTHONUTF8=1" in screen


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_an_added_type_has_its_korean_name(tmp_path: Path) -> None:
    """The name and legal class that a recognizer file gives are those that scan shows."""
    source, rule = tmp_path / "a.txt", tmp_path / "ticket.toml"
    source.write_text("상담표 TCK-0042 접수")
    rule.write_text(
        'entity_type = "ACME_TICKET"\nlegal_class = "sensitive"\nkorean = "상담표 번호"\n[[patterns]]\n'
        'name = "ticket"\nregex = "TCK-[0-9]{4}"\nscore = 0.9\n'
    )
    code, screen = on_terminal("scan", "--names", "off", "--recognizers", rule, source)
    assert code == 1
    assert "상담표 번호" in screen
    assert "민감정보" in screen
    assert "\x1b[1;37;45mTCK-0042" in screen


@pytest.mark.parametrize(
    ("said", "answer", "absent"),
    [
        (
            "요약해 줘.\n고객: 하나요.\n상담원: 네.\n고객: 둘로 해 주세요.",
            "고객 요청: “둘로 해 주세요.”",
            "요약해",
        ),
        ("요약해 줘.\n\n배송이 늦습니다\n", "전달받은 내용: “배송이 늦습니다”", "요약해"),
        ("PERSON-K7QM000J 님이 PHONE-K7QM001R로", "PERSON-K7QM000J 고객님, ", "남겨 주시면"),
        ("배송이 늦습니다", "연락처를 남겨 주시면", "개인정보 없이"),
        ("PERSON-K7QM000J, PERSON-K7QM001R", "함께 언급된 분: PERSON-K7QM001R", "회신처"),
    ],
)
def test_the_answer_is_made_of_what_arrived(said: str, answer: str, absent: str) -> None:
    """The model quotes the customer and not the instruction, and names whom and what it was told of."""
    note = _consultation(said)
    assert answer in note
    assert absent not in note


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_real_terminal_gets_colours(tmp_path: Path) -> None:
    """On a pseudo-terminal scan colours the text and tables the evidence; long work shows its progress."""
    source, long = tmp_path / "a.txt", tmp_path / "long.txt"
    source.write_bytes(f"번호\r\n\r\n\x1b[2J {PHONE}로, 주민번호 {RRN}\r\n".encode())
    long.write_text("오늘 회의에서 정한 것을 적는다.\n\n" * 55_000)

    code, screen = on_terminal("scan", "--names", "off", source)
    assert code == 1
    assert f"\x1b[1;30;46m{PHONE}\x1b[0m로" in screen
    assert f"\x1b[1;37;41m{RRN}\x1b[0m" in screen
    assert "\x1b[2J" not in screen
    assert "고유식별정보" in screen
    assert "resident_number" in screen
    code, screen = on_terminal("redact", "--names", "off", long, "-o", tmp_path / "out.txt")
    assert code == 0
    assert "100%" in screen
    assert "--keep" in screen
    assert (tmp_path / "out.txt").read_bytes() == long.read_bytes()
