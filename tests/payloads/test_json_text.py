from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard.payloads.json_text import dump, load, open_escapes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        (r'"\ud64d\uae38\ub3d9"', '"홍길동"'),
        (r'"\\ud64d"', '"홍"'),
        (r"전화\n010", r"전화\n 010"),
        (r"전화\n 010", r"전화\n 010"),
        (r"\u000a010", r"\u000a 010"),
        (r"\u0030\u0031\u0030", "010"),
        (r"010\/0000", "010/0000"),
        (r"\ud83d\ude00!", "😀!"),
        (r"\ud83d!", r"\ud83d!"),
        (r"\u0022\u005c", r"\u0022\u005c"),
        ("C:\\files", "C:\\f iles"),
        ("아무것도 없음", "아무것도 없음"),
    ],
)
def test_escapes_are_laid_open(text: str, opened: str) -> None:
    """What JSON escapes hide can be read, and no quote or backslash is freed."""
    assert open_escapes(text) == opened


@given(JSON)
def test_opened_json_is_still_json_of_the_same_shape(value: object) -> None:
    """Opening the escapes of valid JSON keeps it valid."""
    parsed = load(open_escapes(json.dumps(value)))
    assert parsed is not None
    assert type(parsed.value) is type(value)


@pytest.mark.parametrize("text", ["", "{", "nul", b"\xff\xfe\x00", "[" * 100_000, "1" * 10_000, "{'a': 1}"])
def test_what_is_not_json_gives_none(text: str | bytes) -> None:
    """Text that cannot be read as JSON gives None instead of an error that holds the text."""
    assert load(text) is None


def test_a_key_that_stands_twice_is_refused_where_asked() -> None:
    """A parser sees one of two equal keys, so the text counts as unread where that matters."""
    text = '{"a": {"b": 1, "b": 2}}'
    assert load(text, unique_keys=True) is None
    parsed = load(text)
    assert parsed is not None
    assert parsed.value == {"a": {"b": 2}}


def test_half_a_pair_cannot_be_dumped_as_utf8() -> None:
    """A lone UTF-16 half gives None, unless ASCII is enough."""
    assert dump({"a": "\ud83d"}) is None
    assert dump({"a": "\ud83d"}, ascii_only=True) == '{"a":"\\ud83d"}'
