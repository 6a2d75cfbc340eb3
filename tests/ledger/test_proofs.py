from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from sovguard.errors import ConfigError, LedgerError
from sovguard.ledger import check, prove
from tests.ledger.places import KEY, OTHER, fill, filled, lines_of, opened, write_lines


def test_every_record_can_be_proved(address: str) -> None:
    """To someone who has nothing but the proof, as JSON, and the public string."""
    (writer,) = filled(address, 35)
    for number in range(35):
        proof = json.loads(json.dumps(prove(address, writer, number)))
        record = check(proof, KEY.verifier)
        assert (record["n"], record["of"], record["writer"]) == (number, number, writer)
        with pytest.raises(LedgerError, match="another key"):
            check(proof, OTHER.verifier)


def test_what_is_not_there_is_not_proved(files: str) -> None:
    """No log, no record, none that is signed, and none of a log that was changed."""
    ledger = opened(files, create=True)
    fill(ledger, 25)
    for writer, number in (("0" * 16, 0), (ledger.writer, -1)):
        with pytest.raises(ConfigError, match="no such record"):
            prove(files, writer, number)
    for number in (20, 100):
        with pytest.raises(LedgerError, match="no checkpoint covers"):
            prove(files, ledger.writer, number)
    log = Path(files.removeprefix("file://")) / ledger.writer
    lines = lines_of(log)
    write_lines(log, [*lines[:5], *lines[6:]])
    with pytest.raises(LedgerError, match="not what was signed"):
        prove(files, ledger.writer, 5)
    ledger.close()
    with pytest.raises(ConfigError, match="no ledger"):
        prove(f"{files}_none", "0" * 16, 0)


def test_a_changed_proof_proves_nothing(files: str) -> None:
    """Whatever of it is changed; half of one is none."""
    first, second = filled(files, 25, 25)
    proof, other = prove(files, first, 7), prove(files, second, 7)
    other_hash = base64.b64encode(bytes(32)).decode()
    changes: list[dict[str, Any]] = [
        {"number": 8},
        {"line": other["line"]},
        {"line": proof["line"].replace(":", ": ", 1)},
        {"line": "{}"},
        {"checkpoint": other["checkpoint"]},
        {"checkpoint": proof["checkpoint"].replace("\n10\n", "\n11\n")},
        {"checkpoint": KEY.sign("a/b\n10\n" + other_hash + "\n")},
        {"proof": proof["proof"][1:]},
        {"proof": [other_hash, *proof["proof"][1:]]},
        {"proof": ["x"]},
        {"proof": 1},
        {"sovguard-ledger-proof": 2},
    ]
    for change in changes:
        with pytest.raises(LedgerError):
            check({**proof, **change}, KEY.verifier)
    for name in proof:
        with pytest.raises(LedgerError, match="no proof"):
            check({key: value for key, value in proof.items() if key != name}, KEY.verifier)
    assert check(proof, KEY.verifier)["of"] == 7
