"""Runs the command line, in this process or in one of its own, and holds every run to its promises."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner

from sovguard.cli import cli

NAME, PHONE, RRN, EMAIL, ACCOUNT = (
    "홍길동",
    "010-0000-1234",
    "310101-3000002",
    "hong@example.com",
    "110-000-000017",
)
VALUES = (NAME, PHONE, RRN, EMAIL, ACCOUNT)
TEXT = f"상담 기록\r\n고객명: {NAME}, 번호는{PHONE}예요.\r\n\r\n주민번호 {RRN}, 메일 {EMAIL}으로\n계좌번호 {ACCOUNT}"
PASSPHRASE = "열쇠말"


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.out.decode()


def run(*arguments: object, stdin: bytes | str = b"", passphrase: str | None = PASSPHRASE) -> Done:
    """Run the command line in this process."""
    done = CliRunner(catch_exceptions=False).invoke(
        cli,
        [str(argument) for argument in arguments],
        input=stdin,
        env={"SOVGUARD_PASSPHRASE": passphrase},
        prog_name="sovguard",
    )
    return _kept(Done(done.exit_code, done.stdout_bytes, done.stderr))


def run_apart(
    *arguments: object,
    stdin: bytes = b"",
    passphrase: str | None = PASSPHRASE,
    module: str = "sovguard",
    **settings: Any,
) -> Done:
    """Run the command line in a process of its own, without a terminal."""
    environment = {key: value for key, value in os.environ.items() if key != "SOVGUARD_PASSPHRASE"}
    if passphrase is not None:
        environment["SOVGUARD_PASSPHRASE"] = passphrase
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env=environment | settings.pop("env", {}),
        check=False,
        **settings,
    )
    return _kept(Done(done.returncode, done.stdout, done.stderr.decode()))


def _kept(done: Done) -> Done:
    """Return ``done`` after a look at what holds for every run: no value and no traceback on standard error."""
    assert not any(value in done.err for value in VALUES)
    assert "Traceback" not in done.err
    if done.code == 2 and not done.err.startswith("Usage: "):
        assert done.err.startswith("sovguard: ")
        assert done.err.count("\n") == 1
    return done
