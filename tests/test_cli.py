from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (
    "상담 기록\r\n고객 번호는010-0000-1234예요.\r\n\r\n주민번호 310101-3000002, 메일 hong@example.com으로\r\n"
)
VALUES = ("010-0000-1234", "310101-3000002", "hong@example.com")
ROOT = Path(__file__).resolve().parents[1]


def sovguard(
    *arguments: str, stdin: bytes = b"", passphrase: str | None = "열쇠말"
) -> subprocess.CompletedProcess[bytes]:
    """Runs the command line in a process of its own, names off for speed."""
    environment = {key: value for key, value in os.environ.items() if key != "SOVGUARD_PASSPHRASE"}
    if passphrase is not None:
        environment["SOVGUARD_PASSPHRASE"] = passphrase
    done = subprocess.run(
        [sys.executable, "-m", "sovguard", *arguments],
        input=stdin,
        capture_output=True,
        env=environment,
        check=False,
    )
    for value in VALUES:
        assert value.encode() not in done.stderr
    assert b"Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_a_file_comes_back_byte_for_byte(tmp_path: Path, encoding: str) -> None:
    """What redact swapped in one process, restore puts back in another: line ends, BOM and encoding kept."""
    source, redacted, mapping = tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "m"
    source.write_bytes(TEXT.encode(encoding))
    named = ["--encoding", "cp949"] if encoding == "cp949" else []
    out = sovguard(
        "redact", str(source), "-o", str(redacted), "--keep", str(mapping), "--names", "off", *named
    )
    assert out.returncode == 0, out.stderr
    left = redacted.read_bytes()
    assert not any(value.encode() in left for value in VALUES)
    assert left.count(b"\r\n") == TEXT.count("\r\n")
    back = sovguard("restore", str(redacted), "--mapping", str(mapping), *named)
    assert back.returncode == 0
    assert back.stdout == source.read_bytes()
    sealed = mapping.read_bytes()
    assert not any(value.encode() in sealed for value in VALUES)
    assert mapping.stat().st_mode & 0o077 == 0


def test_a_mapping_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    """A wrong passphrase and a changed file are one error; an existing mapping is not replaced unasked."""
    mapping = tmp_path / "m"
    assert sovguard("redact", "--keep", str(mapping), "--names", "off", stdin=TEXT.encode()).returncode == 0
    wrong = sovguard("restore", "--mapping", str(mapping), stdin=b"x", passphrase="다른 말")
    mapping_bytes = mapping.read_bytes()
    again = sovguard("redact", "--keep", str(mapping), "--names", "off", stdin=TEXT.encode())
    assert mapping.read_bytes() == mapping_bytes
    mapping.write_bytes(mapping_bytes[:-1] + bytes([mapping_bytes[-1] ^ 1]))
    changed = sovguard("restore", "--mapping", str(mapping), stdin=b"x")
    assert (wrong.returncode, changed.returncode, again.returncode) == (2, 2, 2)
    assert wrong.stderr == changed.stderr
    assert b"--force" in again.stderr
    assert sovguard("redact", "--keep", str(tmp_path / "n"), stdin=b"x", passphrase=None).returncode == 2


def test_scan_tells_where_and_why_but_not_what() -> None:
    """Piped, scan prints a line a detection without values, and exits with 1 if there was one."""
    out = sovguard("scan", "--names", "off", stdin=TEXT.encode())
    lines = [line.split("\t") for line in out.stdout.decode().splitlines()]
    assert out.returncode == 1
    assert [(line[1], line[3]) for line in lines] == [
        ("2", "PHONE_NUMBER"),
        ("4", "KR_RRN"),
        ("4", "EMAIL_ADDRESS"),
    ]
    assert not any(value in out.stdout.decode() for value in VALUES)
    assert sovguard("scan", "--names", "off", stdin="안녕하세요".encode()).returncode == 0


def test_scan_as_json() -> None:
    """The JSON has offsets and evidence, and values only when asked."""
    plain = sovguard("scan", "--json", "--names", "off", "--type", "KR_RRN", stdin=TEXT.encode())
    (hit,) = json.loads(plain.stdout)["detections"]
    assert TEXT[hit["start"] : hit["end"]] == "310101-3000002"
    assert hit["evidence"]["validator"] == "resident_number"
    assert "value" not in hit
    shown = sovguard("scan", "--json", "--show-values", "--names", "off", stdin=TEXT.encode())
    assert [hit["value"] for hit in json.loads(shown.stdout)["detections"]] == list(VALUES)


def test_jsonl_keeps_its_shape(tmp_path: Path) -> None:
    """String leaves are redacted with their keys as context, other lines stay as they are, and all comes back."""
    rows = [{"이름": "x", "계좌번호": "110000000017", "n": 3}, ["010-0000-1234"], {"a": "그대로"}]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    mapping = tmp_path / "m"
    out = sovguard(
        "redact", "--format", "jsonl", "--keep", str(mapping), "--names", "off", stdin=text.encode()
    )
    redacted = [json.loads(line) for line in out.stdout.decode().splitlines()]
    assert redacted[0]["계좌번호"].startswith("ACCOUNT-")
    assert redacted[0]["n"] == 3
    assert redacted[1][0].startswith("PHONE-")
    assert redacted[2] == rows[2]
    back = sovguard("restore", "--format", "jsonl", "--mapping", str(mapping), stdin=out.stdout)
    assert [json.loads(line) for line in back.stdout.decode().splitlines()] == rows
    chosen = sovguard("redact", "--format", "jsonl", "--field", "이름", "--names", "off", stdin=text.encode())
    assert json.loads(chosen.stdout.decode().splitlines()[0])["계좌번호"] == "110000000017"


def test_bad_input_says_what_to_do(tmp_path: Path) -> None:
    """Wrong bytes, wrong JSON, missing files and bad options exit with 2 and a hint."""
    cases = [
        (sovguard("scan", stdin="한글".encode("cp949")), b"--encoding"),
        (
            sovguard(
                "redact", "--format", "jsonl", "--names", "off", stdin=b'{"a": 1}\n{"a": 010-0000-1234}\n'
            ),
            b"line 2",
        ),
        (sovguard("scan", str(tmp_path / "none.txt")), b"cannot be read"),
        (sovguard("scan", "--recognizers", str(tmp_path / "none.toml"), stdin=b"x"), b"does not exist"),
        (sovguard("scan", "--colour"), b"--colour"),
    ]
    for done, hint in cases:
        assert done.returncode == 2
        assert hint in done.stderr


def test_restore_reports_what_it_does_not_know(tmp_path: Path) -> None:
    """A surrogate of another session stays, is listed, and makes the exit code 1."""
    mapping = tmp_path / "m"
    sovguard("redact", "--keep", str(mapping), "--names", "off", stdin=TEXT.encode())
    out = sovguard("restore", "--mapping", str(mapping), stdin=b"PHONE-K7QM001R")
    assert out.returncode == 1
    assert out.stdout == b"PHONE-K7QM001R"
    assert b"PHONE-K7QM001R" in out.stderr


def test_demo_lets_nothing_out() -> None:
    """The demo sends only surrogates to its model and shows the real values to the user."""
    out = sovguard("demo", "--json")
    panes = json.loads(out.stdout)
    assert out.returncode == 0
    assert panes["kept"] is True
    assert panes["values"] >= 6
    for value in ("홍길동", "310101-3000002", "hong@example.com"):
        assert value in panes["wrote"]
        assert value in panes["reads"]
        assert value not in panes["left"]
        assert value not in panes["came"]
    plain = sovguard("demo").stdout.decode()
    assert [
        plain.count(title) for title in ("앱이 쓴 글", "기기를 떠난 것 (", "돌아온 것", "사용자가 읽는 것")
    ] == [1, 1, 1, 1]


def test_every_command_is_documented() -> None:
    """Each command and option stands in docs/cli.md."""
    from sovguard.cli import cli

    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for name, command in cli.commands.items():
        assert f"## `sovguard {name}`" in page
        for parameter in command.params:
            for option in parameter.opts:
                assert not option.startswith("--") or option in page, (name, option)
