from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard.errors import LedgerError
from sovguard.ledger.records import LIMIT, is_canonical, line_of, link, parse, serialize

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)


def made(**fields: Any) -> bytes:
    """The line of a record with some fields."""
    return line_of("request", fields, number=3, milliseconds=5, previous="x" * 22)


@given(st.dictionaries(TEXTS.map(lambda name: f"_{name}"), VALUES, max_size=4))
def test_a_record_comes_back(fields: dict[str, Any]) -> None:
    """What is written is read, from one line, in the one form it has."""
    line = made(**fields)
    record = parse(line)
    assert b"\n" not in line
    assert is_canonical(line, record)
    assert record == {**fields, "v": 1, "n": 3, "t": 5, "p": "x" * 22, "kind": "request"}
    assert line == json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), (1,), {1: 2}, {1, 2}, b"x", object(), "\ud800", {"a": [(1,)]}],
    ids=repr,
)
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    """Nothing is turned into something else, and the value is in no message."""
    with pytest.raises(LedgerError, match="a record holds") as caught:
        made(field=value)
    assert repr(value) not in str(caught.value)


def test_what_the_ledger_says_is_its_own() -> None:
    """Callers give neither version, number, time, link, kind nor writer."""
    for name in ("v", "n", "t", "p", "kind", "writer"):
        with pytest.raises(LedgerError, match="itself says"):
            made(**{name: 1})
    with pytest.raises(LedgerError, match="kind"):
        line_of("", {}, number=0, milliseconds=0, previous="")


def test_a_record_is_not_too_long() -> None:
    """A line of 64 KiB is a record, and one of an octet more is none."""
    room = LIMIT - len(made(text=""))
    assert len(made(text="a" * room)) == LIMIT
    with pytest.raises(LedgerError, match="65,536"):
        made(text="a" * (room + 1))
    with pytest.raises(ValueError, match="long"):
        parse(b" " * (LIMIT + 1))


GOOD = made(a=1, b=1.5)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"1",
        GOOD + b" ",
        GOOD[:-1],
        b"[" * 60_000,
        b"\xff",
        GOOD.replace(b'"v":1', b'"v":2'),
        GOOD.replace(b'"v":1', b'"v":true'),
        GOOD.replace(b'"n":3', b'"n":3.0'),
        GOOD.replace(b'"t":5', b'"t":"5"'),
        GOOD.replace(b'"b":1.5', b'"b":NaN'),
        GOOD.replace(b'"kind":"request",', b""),
    ],
)
def test_what_is_no_record_is_not_read(line: bytes) -> None:
    """Anything but one JSON object with what the ledger says of a record is a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011  of several kinds
        parse(line)


@pytest.mark.parametrize(
    "line",
    [
        b" " + GOOD,
        GOOD.replace(b":1,", b": 1,"),
        GOOD.replace(b'"a":1,', b'"a":2,"a":1,'),
        GOOD.replace(b'"b":1.5', b'"b":1.50'),
        GOOD.replace(b'"request"', b'"re\\u0071uest"'),
        serialize({"v": 1}).replace(b"}", b',"a":1}'),
    ],
)
def test_another_form_is_not_canonical(line: bytes) -> None:
    """Spaces, a key twice, another number, an escape and another order are each seen."""
    try:
        record = json.loads(line)
    except ValueError:
        record = {}
    assert not is_canonical(line, record)
    assert is_canonical(GOOD, parse(GOOD))


@given(st.binary(max_size=100))
def test_a_link_is_half_a_hash(line: bytes) -> None:
    """16 octets of SHA-256, in 22 characters of base64url."""
    assert link(line) == urlsafe_b64encode(hashlib.sha256(line).digest()[:16]).decode().rstrip("=")
