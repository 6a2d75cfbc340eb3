from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovguard import ConfigError, InputError
from sovguard.pipeline import Column, redact_rows, restore_rows
from tests.pipeline.places import BAD, SEALED, finder
from tests.servers import EMAIL, NAME, PHONE, TEXT, VALUES

GUARD = finder()
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([TEXT, *VALUES])
ROWS = st.dictionaries(
    st.text(max_size=3),
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    ),
    max_size=3,
)


@given(st.lists(st.sampled_from([TEXT, *VALUES]) | ROWS, max_size=8), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_rows_come_back(rows: list[Any], at_once: int) -> None:
    """Texts and dicts, in their order, however many are read at a time."""
    done = list(redact_rows(rows, SEALED, guard=GUARD, at_once=at_once))
    assert done == list(redact_rows(rows, SEALED, guard=GUARD))
    assert not any(value in repr(done) for value in VALUES)
    assert list(restore_rows(done, SEALED, at_once=at_once)) == rows


def test_a_stream_without_an_end_is_worked_on_as_it_comes() -> None:
    """No more is read ahead than was allowed."""
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield f"{NAME} {read}"

    stream = redact_rows(endless(), SEALED, guard=GUARD, at_once=10)
    some = [next(stream) for _ in range(25)]
    assert read == 30
    assert not any(NAME in each for each in some)


def test_columns_of_rows() -> None:
    """By name, within others too, with options."""
    row = {"a": TEXT, "b": {"c": [NAME, {"d": EMAIL}], "e": NAME}, "f": (PHONE, 1)}
    columns = [Column("b.c", action="mask"), "f", Column("a", types={"PERSON"})]
    (done,) = redact_rows([row], SEALED, columns=columns, guard=GUARD)
    assert done["b"]["c"][0] == "홍*동"
    assert done["b"]["e"] == NAME
    assert EMAIL not in repr(done["b"])
    assert isinstance(done["f"], tuple)
    assert (NAME in done["a"], PHONE in done["a"]) == (False, True)


def test_bad_rows_are_handed_over() -> None:
    """As they came, with what is wrong; the others go on."""
    letters: list[tuple[Any, str]] = []
    rows = [NAME, BAD, {"a": [BAD]}, PHONE]
    done = list(
        redact_rows(rows, SEALED, guard=GUARD, dead_letter=lambda row, what: letters.append((row, what)))
    )
    assert len(done) == 2
    assert letters == [
        (BAD, "text: a pattern took too long"),
        ({"a": [BAD]}, "a field: a pattern took too long"),
    ]
    with pytest.raises(InputError, match="row 1: text"):
        list(redact_rows(rows, SEALED, guard=GUARD))
    with pytest.raises(InputError, match="row 0 is a int"):
        list(redact_rows([3], SEALED, guard=GUARD))
    with pytest.raises(ConfigError):
        list(redact_rows([], SEALED, guard=GUARD, at_once=0))


@pytest.mark.parametrize(
    "cell",
    [
        {NAME, "x"},
        frozenset([PHONE]),
        deque([PHONE]),
        np.array([PHONE, "x"], dtype=object),
        np.array([PHONE, "x"]),
        MappingProxyType({"a": PHONE}),
        np.str_(PHONE),
        StrEnum("Kind", {"A": PHONE}).A,  # type: ignore[attr-defined]
    ],
    ids=lambda cell: type(cell).__name__,
)
def test_odd_cells_are_looked_into(cell: Any) -> None:
    """Whatever holds several things, and whatever is a text."""
    (done,) = redact_rows([{"a": cell}], SEALED, guard=GUARD)
    assert not any(value in repr(done) for value in VALUES)


def test_what_cannot_be_looked_into_is_a_bad_row() -> None:
    """Not passed on; numbers, times and the like hold no text. A column that no row has is an error."""
    for cell in (object(), Held()):
        with pytest.raises(InputError, match="not looked into"):
            list(redact_rows([{"a": cell}], SEALED, guard=GUARD))
    plain = {
        "a": Decimal(1),
        "b": date(2031, 1, 1),
        "c": b"x",
        "d": np.float32(1),
        "e": None,
        "f": UUID(int=1),
    }
    assert list(redact_rows([plain], SEALED, guard=GUARD)) == [plain]
    with pytest.raises(ConfigError, match="no row had"):
        list(redact_rows([{"a": 1}], SEALED, columns=["A"], guard=GUARD))


class Held:
    """Something that nobody knows."""

    text = PHONE
