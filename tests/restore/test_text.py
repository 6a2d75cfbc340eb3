from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard.restore.text import Hit, Resolved, Restoration, resolve
from sovguard.surrogates import mint
from sovguard.vault import Entry, SessionState
from tests.growth import assert_linear

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors/surrogates.json").read_text("utf-8")
)
KEY = bytes.fromhex(VECTORS["key"])
STATE = SessionState(KEY, frozenset({"K7QM"}), frozenset({"PERSON", "PHONE"}))
ENTRIES = {surrogate: Entry("PERSON", value) for surrogate, value in VECTORS["session"]["entries"].items()}
HONG = "PERSON-K7QM001Z"


def known(surrogates: Collection[str]) -> Mapping[str, Entry]:
    """Look up what the vectors' session knows."""
    return {surrogate: ENTRIES[surrogate] for surrogate in surrogates if surrogate in ENTRIES}


def restored(text: str) -> Restoration:
    """Restore one text in the vectors' session."""
    return resolve([text], STATE, known)[0].restoration()


@pytest.mark.parametrize("case", VECTORS["restore"], ids=lambda case: ascii(case["text"]))
def test_changed_surrogates_are_read_as_specified(case: dict[str, Any]) -> None:
    """Each published spelling is restored, or left alone and reported, as its vector says."""
    result = restored(case["text"])
    assert result.text == case["restored"]
    assert result.unresolved == case["unresolved"]


@given(st.text(), st.text())
def test_whatever_stands_around_a_surrogate_stays(before: str, after: str) -> None:
    """Only the surrogate is replaced; every other character of the text is kept."""
    assert restored(before + HONG + after).text == before + "홍길동" + after


def test_the_words_of_the_table_are_reported_in_a_session_that_has_minted_others() -> None:
    """A surrogate of another session is reported whatever words this session has minted."""
    for words in (frozenset[str](), frozenset({"PHONE"}), frozenset({"USSSN"})):
        state = SessionState(KEY, frozenset({"K7QM"}), words)
        (result,) = resolve(["PERSON-ABC01234"], state, known)
        assert result.unresolved == ["PERSON-ABC01234"]
    (result,) = resolve(["USSSN-ABC01234"], state, known)
    assert result.unresolved == ["USSSN-ABC01234"]


def test_text_without_surrogates_is_returned_as_it_is() -> None:
    """Nothing to restore means the same text and no look-up."""

    def never(surrogates: Collection[str]) -> Mapping[str, Entry]:
        raise AssertionError("asked the vault for nothing")

    text = "서울-부산 A-100, 2024-01-01 -- 끝"
    assert resolve([text], STATE, never)[0].restoration() == Restoration(text, [])


def test_all_texts_share_one_look_up() -> None:
    """A batch asks the vault once, however many texts and surrogates it has."""
    asked: list[set[str]] = []

    def counting(surrogates: Collection[str]) -> Mapping[str, Entry]:
        asked.append(set(surrogates))
        return known(surrogates)

    resolve([HONG, f"{HONG} PHONE-K7QM0016", "아무것도 없음"], STATE, counting)
    assert asked == [{HONG, "PHONE-K7QM0016"}]


def test_the_vault_is_not_asked_for_what_does_not_verify() -> None:
    """A changed check character is turned away before the vault sees it."""
    asked: list[str] = []

    def listening(surrogates: Collection[str]) -> Mapping[str, Entry]:
        asked.extend(surrogates)
        return {}

    resolve([f"PERSON-K7QM001Y {HONG}"], STATE, listening)
    assert asked == [HONG]


def test_restored_text_is_not_restored_again() -> None:
    """A value that is itself a surrogate of the session stays as the value it is."""
    entries = {HONG: Entry("PERSON", "PHONE-K7QM0016"), "PHONE-K7QM0016": Entry("PHONE_NUMBER", HONG)}
    result = resolve([f"{HONG} PHONE-K7QM0016"], STATE, lambda _: entries)[0].restoration()
    assert result.text == f"PHONE-K7QM0016 {HONG}"
    assert result.unresolved == []


def test_values_and_their_neighbours_do_not_form_new_surrogates() -> None:
    """A value that completes a surrogate with the text beside it is not expanded."""
    entries = {HONG: Entry("PERSON", "PHONE-K7QM")}
    assert resolve([f"{HONG}0016"], STATE, lambda _: entries)[0].restoration().text == "PHONE-K7QM0016"


def test_the_longer_word_wins_only_if_the_vault_knows_it() -> None:
    """Where VALID and ID both verify before one dash, the vault says which it was."""
    state = SessionState(KEY, frozenset({"K7QM"}), frozenset({"ID", "VALID"}))
    number = next(
        n for n in range(9999) if mint(KEY, "ID", "K7QM", n)[-8:] == mint(KEY, "VALID", "K7QM", n)[-8:]
    )
    short, long = mint(KEY, "ID", "K7QM", number), mint(KEY, "VALID", "K7QM", number)
    for minted, expected in ((short, "VAL값"), (long, "값")):
        (result,) = resolve([long], state, lambda _, minted=minted: {minted: Entry("ID_NUMBER", "값")})
        assert result.restoration().text == expected


def test_overlapping_surrogates_are_taken_from_the_left() -> None:
    """The word of a second surrogate may not reach into the body of a first that resolves."""
    word, number = next(
        (surrogate[-2:], number)
        for number in range(9999)
        if (surrogate := mint(KEY, "PERSON", "K7QM", number))[-2:].isalpha()
    )
    first = mint(KEY, "PERSON", "K7QM", number)
    second = mint(KEY, word, "K7QM", 3)
    state = SessionState(KEY, frozenset({"K7QM"}), frozenset({"PERSON", word}))
    entries = {first: Entry("PERSON", "홍길동"), second: Entry("ID_NUMBER", "12")}
    text = first + second[2:]
    (both,) = resolve([text], state, lambda _: entries)
    assert both.restoration().text == "홍길동" + second[2:]
    (only,) = resolve([text], state, lambda _: {second: entries[second]})
    assert only.restoration().text == first[:-2] + "12"


def test_what_reaches_into_a_restored_surrogate_is_not_left_unresolved() -> None:
    """ID-5 and the word of a surrogate after it can read as a surrogate; restored, it is no longer there."""
    state = SessionState(KEY, frozenset({"K7QM"}), frozenset({"ADDRESS"}))
    surrogate = mint(KEY, "ADDRESS", "K7QM", 5)
    (result,) = resolve([f"ID-5{surrogate}"], state, lambda _: {surrogate: Entry("KR_ADDRESS", "종로")})
    assert result.restoration() == Restoration("ID-5종로", [])
    (result,) = resolve([f"ID-5{surrogate}"], state, lambda _: {})
    assert result.unresolved == ["ID-5ADDRESS", surrogate]


def test_unresolved_strings_are_named_once_in_order() -> None:
    """Each string that stands for nothing is reported once, as written, where it first stood."""
    text = "PHONE-K7QM9999 PERSON-ABC01234 PHONE-K7QM9999 person-k7qm9999"
    assert restored(text).unresolved == ["PHONE-K7QM9999", "PERSON-ABC01234", "person-k7qm9999"]


@pytest.mark.parametrize(
    ("kind", "value", "leaf"),
    [("int", "1000001234", 1000001234), ("int", "-5", -5), ("float", "10.5", 10.5), ("str", "5", "5")],
)
def test_a_leaf_that_is_the_surrogate_of_a_number_is_the_number(kind: Any, value: str, leaf: Any) -> None:
    """Exactly the surrogate gives the number with its type; within a sentence it gives its digits."""
    entries = {HONG: Entry("PHONE_NUMBER", value, kind)}
    whole, within = resolve([HONG, f"{HONG} "], STATE, lambda _: entries)
    assert whole.leaf() == leaf
    assert type(whole.leaf()) is type(leaf)
    assert within.leaf() == f"{value} "


def test_no_repr_shows_a_value() -> None:
    """Restorations and what leads to them show type and length only; str() is the text itself."""
    result = restored(f"{HONG} PHONE-K7QM9999")
    assert repr(result) == f"Restoration({len(result.text)} characters)"
    assert str(result) == result.text == "홍길동 PHONE-K7QM9999"
    assert "홍길동" not in repr(resolve(["홍길동" + HONG], STATE, known))
    assert "홍길동" not in repr(Hit(0, 1, 0, Entry("PERSON", "홍길동")))
    assert "홍길동" not in repr(Resolved("홍길동", [], []))
    assert hash(result) == hash(restored(f"{HONG} PHONE-K7QM9999"))


def test_a_thousand_surrogates_in_a_megabyte_are_restored_in_linear_time() -> None:
    """A megabyte with a thousand surrogates costs what its parts cost."""
    surrogates = [mint(KEY, "PERSON", "K7QM", number) for number in range(1000)]
    entries = {surrogate: Entry("PERSON", "홍길동") for surrogate in surrogates}

    def restore(text: str) -> Restoration:
        return resolve([text], STATE, lambda _: entries)[0].restoration()

    parts = ["가나다라 마바사-아자 차카타파하. " * 50 + surrogate for surrogate in surrogates]
    assert_linear(restore, "".join(parts[:60]), "".join(parts[60:]))
    result = restore("".join(parts))
    assert result.text.count("홍길동") == 1000
