"""The last look at what leaves: known values in every encoding that can be undone, and nothing that only looks like one."""

from __future__ import annotations

import base64
import gzip
import html
import json
import unicodedata
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard.egress import Known, Remembered, TooMuch, folded, readings
from sovguard.vault import Entry, MemoryVault, SessionRef

REF = SessionRef("acme", "a")
NAME, PHONE, MAIL = "남궁가온", "010-0000-1234", "gaon@example.com"
VALUES = (NAME, PHONE, MAIL, "310101-3000002")


def known(*values: str) -> Known:
    """What a session knows that has these values."""
    return Known(("PERSON" if value in (NAME, "하늘이") else "ID_NUMBER", folded(value)) for value in values)


def b64(octets: bytes) -> str:
    """Base64."""
    return base64.b64encode(octets).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "json escapes": lambda text: json.dumps(text)[1:-1],
    "json escapes of escapes": lambda text: json.dumps(json.dumps(text))[1:-1],
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent of cp949": lambda text: quote(text.encode("cp949"), safe=""),
    "html": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "html named": html.escape,
    "base64": lambda text: b64(text.encode()),
    "base64 url-safe": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 of utf-16": lambda text: b64(text.encode("utf-16-le")),
    "base64 of utf-16 with a mark": lambda text: b64(text.encode("utf-16")),
    "base64 of cp949": lambda text: b64(text.encode("cp949")),
    "base64 of gzip": lambda text: b64(gzip.compress(text.encode())),
    "base64 of zlib": lambda text: b64(zlib.compress(text.encode())),
    "base64 of base64": lambda text: b64(b64(text.encode()).encode()),
    "hex": lambda text: text.encode().hex(),
    "hex upper": lambda text: text.encode().hex().upper(),
    "hex of cp949": lambda text: text.encode("cp949").hex(),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "hidden characters": lambda text: "\u200b".join(text),
    "capitals": str.upper,
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS.keys())
@pytest.mark.parametrize("value", VALUES)
def test_a_known_value_is_seen_in_any_encoding(encode: Callable[[str], str], value: str) -> None:
    """Alone and within a text, in a value, a key, and nested."""
    own = known(value)
    written = encode(value)
    for body in (written, f"보기: {written} 끝", {"a": [{"b": f"x {written}"}]}, {written: 1}):
        assert own.stands_in(body)


@pytest.mark.parametrize("value", VALUES)
def test_what_is_not_there_is_not_seen(value: str) -> None:
    """Surrogates, other values, and long texts of all kinds."""
    own = known(value)
    for text in (
        "PERSON-K7QM001R",
        "남궁가람",
        "010-0000-5678",
        "x" * 5000,
        b64(b"nothing in it" * 20),
        "%EB%82%A8",
        "&amp;",
    ):
        assert not own.stands_in({"text": text})
    assert not known().stands_in(value)


def test_numbers_and_edges() -> None:
    """A number of JSON is a text too; a value inside another number or word is not that value."""
    own = known("110000000017", "user77")
    assert own.stands_in({"account": 110000000017})
    assert not own.stands_in("9110000000017")
    assert not own.stands_in("1100000000175")
    assert own.stands_in("user77입니다")
    assert own.stands_in("(user77)")
    assert not own.stands_in("superuser77")
    assert not own.stands_in({"yes": True})
    name = known("하늘이")
    assert name.stands_in("이하늘 아니고 하늘이")
    assert not name.stands_in("푸른하늘이 좋다")


def test_short_values_are_left_out() -> None:
    """They stand in other words: a given name of two syllables, a number of four digits."""
    vault = MemoryVault()
    vault.open(REF)
    vault.put(REF, [Entry("PERSON", "하늘"), Entry("ID_NUMBER", "2209"), Entry("PERSON", "홍길동")])
    own = Remembered().known(REF, lambda after: vault.entries(REF, after=after), (), (), lambda: b"")
    assert not own.stands_in("하늘이 맑다 2209")
    assert own.stands_in("홍길동")


def test_what_is_remembered_grows_with_the_session_and_ends_with_it() -> None:
    """Only what is new is read; what may leave is left out; what was masked counts; another session is another."""
    vault = MemoryVault()
    vault.open(REF)
    asked: list[int] = []
    remembered = Remembered()

    def read(after: int) -> list[Entry | None]:
        asked.append(after)
        return list(vault.entries(REF, after=after))

    marks = [b"one"]

    def known_now(allowed: Any = (), others: Any = ()) -> Known:
        return remembered.known(REF, read, allowed, others, lambda: marks[0])

    vault.put(REF, [Entry("PERSON", "홍길동")])
    assert known_now().stands_in("홍길동")
    vault.put(REF, [Entry("PHONE_NUMBER", PHONE)])
    both = known_now()
    assert both.stands_in(PHONE)
    assert both.stands_in("홍길동")
    assert known_now() is both
    assert not known_now(["홍길동"]).stands_in("홍길동")
    assert known_now(others=[Entry("EMAIL_ADDRESS", MAIL)]).stands_in(MAIL)
    assert known_now().stands_in(MAIL)
    assert asked == [0, 1, 2, 2, 2, 2]
    assert remembered.named(REF, ["a", "b"]) | remembered.named(REF, ["c"]) == {"a", "b", "c"}
    marks[0] = b"another"
    assert not known_now().stands_in(MAIL)
    assert asked[-1] == 0
    remembered.forget(REF)
    assert remembered.named(REF, []) == frozenset()
    assert "홍길동" not in repr(both) + repr(remembered)


def test_what_opens_to_too_much_is_an_error() -> None:
    """It is not passed over: nobody would have looked through it."""
    with pytest.raises(TooMuch):
        known(NAME).stands_in(b64(zlib.compress(b"0" * 50_000_000)))


def test_octets_and_lines_do_not_hide_a_value() -> None:
    """Base64 in lines, as tools write it, and text between octets that are none."""
    text = (
        f"고객 이름은 {NAME}이고 전화는 {PHONE}입니다. 다음 주 월요일 오전에 다시 연락해 달라고 하였습니다."
    )
    for shift in range(60):
        assert known(NAME).stands_in(base64.encodebytes(("가" * shift + text).encode()).decode())
    assert known(MAIL).stands_in(b64(b"\xff\x00\x81" + MAIL.encode()))
    assert known(PHONE).stands_in(f"M{PHONE}")
    assert known("서울시 강남구 테헤란로 123").stands_in("주소서울시 강남구 테헤란로 123")


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    """Whatever it is: itself first, each reading once, and no error."""
    found = list(readings(text))
    assert found[0] == text
    assert len(found) == len(set(found))


@given(st.text(min_size=6, max_size=30, alphabet="가나다라마바사abc012"), st.sampled_from(sorted(ENCODINGS)))
def test_any_value_is_found_in_any_encoding(value: str, encoding: str) -> None:
    """A property of the encodings, not of the values above."""
    assert known(value).stands_in(f"[{ENCODINGS[encoding](value)}]")


def test_hostile_texts_end() -> None:
    """What is built to have many readings, or to grow, is read within bounds."""
    for text in (
        "\\" * 200_000,
        "A" * 200_000,
        "%25" * 20_000,
        "&amp;" * 20_000,
        "\\\\u" * 20_000,
        b64(b64(b"A" * 20_000).encode()),
    ):
        assert not known(NAME).stands_in(text)
