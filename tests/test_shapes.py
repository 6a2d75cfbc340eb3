from __future__ import annotations

import dataclasses
import enum
import functools
from typing import Any, NamedTuple

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard import Guard
from sovguard.errors import InputError
from sovguard.shapes import MAX_CONTEXT, MAX_DEPTH, Leaf, put_together, read, take_apart
from tests.fakes import detection
from tests.servers import NAME, PHONE, PatternAnalyzer

CANARY = "홍길동-카나리아"
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
keys = st.none() | st.booleans() | st.integers() | st.text()
json_like = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner) | st.lists(inner).map(tuple),
    max_leaves=20,
)


@given(st.lists(json_like))
def test_a_value_taken_apart_is_put_together_equal_and_new(value: list[Any]) -> None:
    """Without changes the copy equals the original in value and type, and is not the original."""
    copy = put_together(take_apart(value, "redact()"))
    assert copy == value
    assert repr(copy) == repr(value)
    assert copy is not value


def test_outcomes_stand_where_their_leaves_stood() -> None:
    """Strings, numbers and keys can each be replaced; None and booleans are no leaves."""
    shape = take_apart({"a": ["b", 1, None], 2: (True, {"c": 1.5})}, "redact()")
    assert [(leaf.text, leaf.kind) for leaf in shape.leaves] == [
        ("a", "str"),
        ("b", "str"),
        ("1", "int"),
        ("2", "int"),
        ("c", "str"),
        ("1.5", "float"),
    ]
    for leaf in shape.leaves:
        leaf.outcome = f"<{leaf.text}>"
    assert put_together(shape) == {"<a>": ["<b>", "<1>", None], "<2>": (True, {"<c>": "<1.5>"})}


class Point(NamedTuple):
    """A tuple with names."""

    x: str
    y: str


class Level(enum.IntEnum):
    """A number that prints itself in its own way."""

    HIGH = 7


def test_named_tuples_keep_their_type_and_number_types_their_digits() -> None:
    """A named tuple comes back as one; a subclass of int is read as its digits and put back as itself."""
    shape = take_apart([Point("a", "b"), Level.HIGH], "redact()")
    assert shape.leaves[2].text == "7"
    assert put_together(shape) == [Point("a", "b"), Level.HIGH]
    assert type(put_together(shape)[0]) is Point


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ([CANARY.encode()], "decode"),
        ([bytearray(b"x")], "decode"),
        ({"a": {CANARY}}, "list or tuple"),
        ((frozenset({CANARY}),), "list or tuple"),
        ([object()], "turn it into"),
        ([1j], "turn it into"),
        ({("a", CANARY): 1}, "keys have to be str"),
        ({CANARY.encode(): 1}, "keys have to be str"),
        ([10**5000], "thousands of digits"),
    ],
    ids=lambda item: item if isinstance(item, str) else None,
)
def test_what_is_not_json_like_is_refused_with_advice(value: Any, hint: str) -> None:
    """The error names the type and the way out, and never the value."""
    with pytest.raises(InputError, match=hint) as caught:
        take_apart(value, "redact()")
    assert CANARY not in str(caught.value)
    assert str(caught.value).startswith("redact()")


def test_nesting_has_a_limit_with_a_clear_error() -> None:
    """The deepest allowed value works; one level more, many more, or a value within itself is refused."""
    value: list[Any] = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert put_together(take_apart(value, "redact()")) == value
    loop: list[Any] = []
    loop.append(loop)
    deep: Any = []
    for _ in range(100_000):
        deep = {"a": deep}
    for bad in ([value], loop, deep):
        with pytest.raises(InputError, match="levels deep"):
            take_apart(bad, "redact()")
    while deep:  # taking it down by hand: freeing it recursively would be slow
        deep = deep.pop("a")


def test_two_spellings_of_one_key_are_both_kept() -> None:
    """If two keys get the same outcome, the second stays as it was written and no value is lost."""
    shape = take_apart({"A": 1, "B": 2}, "restore()")
    for leaf in shape.leaves:
        if leaf.kind == "str":
            leaf.outcome = "C"
    assert put_together(shape) == {"C": 1, "B": 2}


def test_values_are_read_with_their_keys_in_one_batch() -> None:
    """Strings and numbers, also in lists, are read as "key: value"; keys without such are read alone."""
    batches: list[list[str]] = []

    def analyze(texts: list[str]) -> list[list[Any]]:
        batches.append(texts)
        return [[] for _ in texts]

    shape = take_apart(
        {"전화": ["a", 5], "빈": None, "속": {"이름": "b"}, "x" * 65: "c", "y": ["a", "a"]}, "redact()"
    )
    read(shape.leaves, analyze)
    assert MAX_CONTEXT == 64
    assert batches == [["전화: a", "전화: 5", "빈", "속", "이름: b", "x" * 65, "c", "y: a"]]


def test_hits_are_given_to_the_part_they_lie_in() -> None:
    """A hit in the key counts for the key, one in the value for the value, one across for each its part."""

    def analyze(texts: list[str]) -> list[list[Any]]:
        assert texts == ["abc: xyz"]
        return [[detection("A", 0, 2), detection("B", 2, 6), detection("C", 7, 8)]]

    key, value = read(take_apart({"abc": "xyz"}, "redact()").leaves, analyze)
    assert [(hit.entity_type, hit.start, hit.end) for hit in key] == [("A", 0, 2), ("B", 2, 3)]
    assert [(hit.entity_type, hit.start, hit.end) for hit in value] == [("B", 0, 1), ("C", 2, 3)]


def test_a_hit_on_the_separator_alone_counts_for_nothing() -> None:
    """The colon and space between key and value are not part of either."""
    key, value = read(take_apart({"a": "b"}, "redact()").leaves, lambda _: [[detection("A", 1, 3)]])
    assert key == value == []


def test_no_repr_shows_a_value() -> None:
    """Shapes and leaves show type and length only."""
    shape = take_apart([{CANARY: CANARY}], "redact()")
    assert CANARY not in repr(shape)
    assert CANARY not in repr(shape.root)
    assert CANARY not in repr(shape.leaves)
    assert repr(Leaf("abc", "str", None, "abc")) == "Leaf(str of 3 characters)"


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """A frozen dataclass, as messages often are."""

    role: str
    text: str
    phone: int = 0


class Request(pydantic.BaseModel):
    """A pydantic model that allows further fields."""

    model_config = pydantic.ConfigDict(extra="allow")
    messages: list[Message]
    options: dict[str, Any] = {}


def test_dataclasses_and_models_come_back_as_what_they_were() -> None:
    """Copied, with other values in their fields, numbers read with the field's name; the originals are not changed."""
    session = Guard(_analyzer=PatternAnalyzer()).session()
    request = Request(messages=[Message("user", f"{NAME}은 {PHONE}")], options={"n": 1}, note=NAME)  # type: ignore[call-arg]
    redacted = session.redact([request])[0]
    assert type(redacted) is Request
    assert type(redacted.messages[0]) is Message
    assert NAME not in repr(redacted)
    assert PHONE not in repr(redacted)
    assert request.messages[0].text == f"{NAME}은 {PHONE}"
    assert session.restore([redacted])[0] == request
    assert session.restore(redacted) == request


@dataclasses.dataclass
class Note:
    """A dataclass that remembers what it works out."""

    text: str

    @functools.cached_property
    def loud(self) -> str:
        """The text again."""
        return self.text + "!"


def test_what_a_dataclass_remembers_is_looked_at() -> None:
    """A cached property goes along with a copy, so it is redacted with it."""
    note = Note(NAME)
    assert note.loud == f"{NAME}!"
    redacted = Guard(_analyzer=PatternAnalyzer()).session().redact([note])[0]
    assert NAME not in redacted.loud
    assert note.loud == f"{NAME}!"


def test_only_what_a_path_leads_to_is_looked_at() -> None:
    """The rest is passed on, whatever it is."""
    session = Guard(_analyzer=PatternAnalyzer()).session()
    given = {
        "request": Request(messages=[Message(NAME, NAME), Message("b", "c")]),
        "client": object(),
        "a": {"b": NAME, "c": NAME},
    }
    redacted = session.redact_chosen(given, [("request", "messages", "text"), ("a", "b")])
    assert redacted["client"] is given["client"]
    assert redacted["request"].messages[0].role == NAME
    assert redacted["request"].messages[0].text != NAME
    assert redacted["a"]["b"] != NAME
    assert redacted["a"]["c"] == NAME
