from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sovguard import ConfigError, Guard, InvalidRecord
from sovguard.entities import ENTITY_TYPES, Detection
from sovguard.vault import Kind
from sovguard.vaultless import Scope, Vaultless, number
from tests.fakes import EVIDENCE
from tests.servers import NAME, PHONE, TEXT, VALUES, PatternAnalyzer

KEY = bytes(range(64))
SCOPE = Scope("acme", dataset="고객")
V = Vaultless(KEY, SCOPE)
TYPES = st.sampled_from([*ENTITY_TYPES, "US_SSN", "환자번호"])


VECTORS = [
    ("PHONE_NUMBER", PHONE, "str", SCOPE, "PHONE~1F8VMM071D0W9TE4DYSXX75VQ4A79GZR44PR9R1EF3CMKTTA8EZJGTP"),
    (
        "PERSON",
        NAME,
        "str",
        Scope("acme", join_group="g"),
        "PERSON~1Y7XNZX9Q893ARQF32Q8K8BQNME40EPSWK820AXBRM0TDRE2GVSQ0MR",
    ),
    ("ID_NUMBER", "20250001", "int", SCOPE, "ID~11NRZ2HQRPC3WSQ6KV09WYXA710SJXKS57W7G8TF09EEPSGRQ6MNGWE"),
]


@pytest.mark.parametrize(("name", "value", "kind", "scope", "surrogate"), VECTORS)
def test_the_published_vectors(name: str, value: str, kind: Kind, scope: Scope, surrogate: str) -> None:
    """What docs/vaultless.md shows is what is minted and opened, in any version."""
    vaultless = Vaultless(KEY, scope)
    assert vaultless.surrogate(value, name, kind) == surrogate
    assert vaultless.open(surrogate) == value
    assert f"`{surrogate}`" in (Path(__file__).parents[1] / "docs/vaultless.md").read_text("utf-8")


@given(st.text(), TYPES, st.sampled_from(get_args(Kind)))
def test_equal_values_have_equal_surrogates_that_open(value: str, name: str, kind: Kind) -> None:
    """In one scope the same, made by whichever process; opened by the key alone."""
    surrogate = V.surrogate(value, name, kind)
    assert Vaultless(KEY, SCOPE).surrogate(value, name, kind) == surrogate  # type: ignore[arg-type]
    assert re.fullmatch("[A-Z]{2,16}~1[0-9A-Z]{54,}", surrogate)
    assert V.open(surrogate) == value
    assert V.restore(f"({surrogate})").text == f"({value})"


def test_scopes_and_keys_do_not_know_each_other() -> None:
    """Another key, tenant, dataset, group or type gives another surrogate, and opens none."""
    surrogate = V.surrogate(PHONE, "PHONE_NUMBER")
    others = [
        Vaultless(bytes(64), SCOPE),
        Vaultless(KEY, Scope("beta", dataset="고객")),
        Vaultless(KEY, Scope("acme", dataset="주문")),
        Vaultless(KEY, Scope("acme", join_group="고객")),
    ]
    assert len({each.surrogate(PHONE, "PHONE_NUMBER") for each in others} | {surrogate}) == 5
    for other in others:
        with pytest.raises(InvalidRecord):
            other.open(surrogate)
        assert other.restore(surrogate).unresolved == [surrogate]
    with pytest.raises(InvalidRecord):
        V.open(surrogate.replace("PHONE", "PERSON"))


@pytest.mark.parametrize("scope", [("", "고객", ""), ("acme", "", ""), ("acme", "a", "b")])
def test_a_scope_is_asked_for(scope: tuple[str, str, str]) -> None:
    """No tenant, no dataset or both kinds are errors, as is a key of another length."""
    with pytest.raises(ConfigError, match="scope"):
        Scope(*scope)
    with pytest.raises(ConfigError, match="64"):
        Vaultless(KEY[:32], SCOPE)
    with pytest.raises(ConfigError, match="Scope"):
        Vaultless(KEY, None)  # type: ignore[arg-type]


@given(st.integers(0, 60), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_what_was_changed_does_not_open(place: int, symbol: str) -> None:
    """Nor what was cut short: it stays, and is reported if it looks like one."""
    surrogate = V.surrogate(PHONE, "PHONE_NUMBER")
    changed = surrogate[:place] + symbol + surrogate[place + 1 :]
    if changed != surrogate:
        assert V.restore(changed).text == changed
    assert V.restore(surrogate[: place + 1][:-1]).text == surrogate[: place + 1][:-1]


def test_lengths_tell_a_class_alone() -> None:
    """Names of one to three syllables look alike, and so do numbers."""
    assert len({len(V.surrogate("가" * count, "PERSON")) for count in (2, 3, 4)}) == 1
    assert len({len(V.surrogate("1" * count, "PHONE_NUMBER")) for count in range(9, 14)}) == 1


HALF = V.surrogate(PHONE, "PHONE_NUMBER")[:30]
PARTS = [NAME, PHONE, V.surrogate(NAME, "PERSON"), HALF, "PERSON~1", "~1", "A", "0", " ", "은"]
PIECES = st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=8).map("".join)


@given(PIECES)
@example(f"{PHONE}{PHONE}")
@example(f"A{NAME}0")
@example(V.surrogate(NAME, "PERSON"))
def test_what_was_redacted_comes_back(text: str) -> None:
    """restore(redact(x)) == x, whatever touches what."""
    found = sorted(PatternAnalyzer().analyze([text])[0], key=lambda hit: hit.start)
    redacted = V.redact(text, found)
    assert V.restore(redacted).text == text


def test_it_goes_with_a_guard() -> None:
    """A scan says what is there, and the surrogates take its place."""
    guard = Guard(_analyzer=PatternAnalyzer())
    found = sorted(guard.scan(TEXT), key=lambda hit: hit.start)
    redacted = V.redact(TEXT, found)
    assert not any(value in redacted for value in VALUES)
    assert V.restore(redacted).text == TEXT
    assert V.redact(TEXT, [Detection("PERSON", 0, 3, 1.0, "t", EVIDENCE)]).startswith("PERSON~1")
    assert repr(V) == "Vaultless()"


def test_numbers_come_back_as_numbers() -> None:
    """What was an int or a float is one again."""
    assert (number("12", "int"), number("1.5", "float"), number("가", "str")) == (12, 1.5, "가")


def test_one_goes_to_other_processes() -> None:
    """What it keeps to be fast does not keep it from being sent to a worker."""
    sent = pickle.loads(pickle.dumps(V))  # noqa: S301  made here
    assert sent.surrogate(PHONE, "PHONE_NUMBER") == V.surrogate(PHONE, "PHONE_NUMBER")
