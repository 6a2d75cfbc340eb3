"""Ledgers for tests, filled, in files and in PostgreSQL, and ways to tamper with the ones in files."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sovguard.ledger import Ledger, LedgerKey, Verification, create_ledger, open_ledger, verify

KEY = LedgerKey("bank.example/ledger", bytes(range(32)), bytes(range(32, 64)))
OTHER = LedgerKey("bank.example/ledger", bytes(range(1, 33)), bytes(range(32, 64)))
RECORD = {
    "tenant": "은행",
    "session": "0123456789abcdef0123456789abcdef",
    "destination": {"id": "openai-us", "jurisdiction": "US"},
    "counts": {"PERSON": {"tokenize": 2}},
    "rules": ["r1", "r2"],
    "latency": 1.5,
    "dry_run": False,
    "reason": None,
}


def ticking(start: float = 1_700_000_000.0) -> Callable[[], float]:
    """A clock that moves by a second at each look."""
    counter = itertools.count()
    return lambda: start + next(counter)


def opened(address: object, key: LedgerKey = KEY, *, create: bool = False, **settings: Any) -> Ledger:
    """Open a ledger whose checkpoints come by number alone."""
    return (create_ledger if create else open_ledger)(
        str(address), key, **{"every": 10, "seconds": 1e6, "clock": ticking(), **settings}
    )


def fill(ledger: Ledger, count: int) -> None:
    """Append records that differ."""
    for number in range(count):
        ledger.append("request", {**RECORD, "of": number})


def filled(address: object, *counts: int, create: bool = True, **settings: Any) -> list[str]:
    """Write a log for each count, one after the other; return their writers."""
    writers = []
    for count in counts:
        ledger = opened(address, create=create, **settings)
        fill(ledger, count)
        writers.append(ledger.writer)
        ledger.close()
        create = False
    return writers


def left_behind(address: object, count: int = 25, *, create: bool = True) -> str:
    """A log whose writer died: what is left is as it was, and unlocked."""
    ledger = opened(address, create=create)
    fill(ledger, count)
    writer = ledger.writer
    assert ledger._chain is not None
    ledger._chain._state = "broken"
    ledger.close()
    return writer


def lines_of(log: Path) -> list[bytes]:
    """The lines of a log of one file."""
    return (log / "00000001.jsonl").read_bytes().splitlines(keepends=True)


def write_lines(log: Path, lines: list[bytes]) -> None:
    """Put lines in the place of those that are there."""
    (log / "00000001.jsonl").write_bytes(b"".join(lines))


def copied(folder: Path, to: Path) -> Path:
    """A copy of a ledger."""
    return Path(shutil.copytree(folder, to))


def verify_only(folder: Path, writer: str) -> Verification:
    """Verify one log of a ledger as if it were the only one."""
    with tempfile.TemporaryDirectory() as place:
        alone = Path(place) / "l"
        alone.mkdir()
        shutil.copy(folder / "ledger", alone)
        shutil.copytree(folder / writer, alone / writer)
        return verify(str(alone), KEY.verifier)
