from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard.errors import LedgerError
from sovguard.ledger.records import LIMIT, is_canonical, is_tagged, line_of, link, parse, serialize
from tests.ledger.places import KEY, OTHER

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
SCALARS = st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)


def nested(depth: int) -> Any:
    """Lists in each other."""
    return [] if depth == 1 else [nested(depth - 1)]


def made(**fields: Any) -> bytes:
    """The line of a record with some fields."""
    return line_of("request", fields, number=3, milliseconds=5, previous="x" * 22, tag=KEY.tag)


@given(st.dictionaries(TEXTS.map(lambda name: f"_{name}"), VALUES, max_size=4))
def test_a_record_comes_back(fields: dict[str, Any]) -> None:
    """What is written is read, from one line, in the one form it has."""
    line = made(**fields)
    record = parse(line)
    assert b"\n" not in line
    assert is_canonical(line, record)
    assert is_tagged(record, KEY.tag)
    assert not is_tagged(record, OTHER.tag)
    tag = record.pop("m")
    assert record == {**fields, "v": 1, "n": 3, "t": 5, "p": "x" * 22, "kind": "request"}
    untagged = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert tag == KEY.tag(untagged)
    record["m"] = tag
    assert line == json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "value",
    [
        *(float("nan"), float("inf"), (1,), {1: 2}, {1, 2}, b"x", object(), "\ud800", {"a": [(1,)]}),
        *(2**63, -(2**63) - 1, 10**5000, nested(32), ["[]"] * 40 + [nested(31)]),
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) else f"{value.bit_length()} bits",
)
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    """Nothing is turned into something else, and the value is in no message."""
    with pytest.raises(LedgerError, match="a record holds") as caught:
        made(field=value)
    assert isinstance(value, int) or repr(value) not in str(caught.value)


def test_what_has_room_is_written() -> None:
    """The largest integers, the deepest lists, and brackets in texts, which open nothing."""
    for value in (2**63 - 1, -(2**63), nested(31), ['[{"\\'] * 40 + [nested(30)]):
        assert parse(made(field=value))["field"] == value


@given(st.dictionaries(st.sampled_from(["a", "l", "z"]), st.dictionaries(st.just("m"), st.just("-" * 22))))
def test_a_tag_stands_in_its_place(fields: dict[str, Any]) -> None:
    """Whatever else in a record looks like it."""
    record = parse(made(**fields))
    assert is_tagged(record, KEY.tag)
    assert {name: record[name] for name in fields} == fields


def test_a_tag_is_of_the_whole_record() -> None:
    """Of nothing that was changed, and it is no other value."""
    record = parse(made(a=1))
    for name, value in (("a", 2), ("n", 4), ("t", 6), ("p", "y" * 22), ("kind", "answer"), ("m", "가")):
        assert not is_tagged({**record, name: value}, KEY.tag)
    assert not is_tagged({**record, "b": "\ud800"}, KEY.tag)


def test_what_the_ledger_says_is_its_own() -> None:
    """Callers give neither version, number, time, link, kind nor writer."""
    for name in ("v", "n", "t", "p", "m", "kind", "writer"):
        with pytest.raises(LedgerError, match="itself says"):
            made(**{name: 1})
    with pytest.raises(LedgerError, match="kind"):
        line_of("", {}, number=0, milliseconds=0, previous="", tag=KEY.tag)


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
        b"[" * 33 + b'"' + b'\\"' * 32_700,
        b"\xff",
        GOOD.replace(b'"v":1', b'"v":2'),
        GOOD.replace(b'"v":1', b'"v":true'),
        GOOD.replace(b'"n":3', b'"n":3.0'),
        GOOD.replace(b'"t":5', b'"t":"5"'),
        GOOD.replace(b'"b":1.5', b'"b":NaN'),
        GOOD.replace(b'"kind":"request",', b""),
        GOOD.replace(b'"m":', b'"mm":'),
        GOOD.replace(b'"a":1', b'"a":' + b"[" * 32 + b"]" * 32),
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
