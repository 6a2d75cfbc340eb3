from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard.entities import ENTITY_TYPES
from sovguard.spellings import count_bodies, find
from sovguard.surrogates import (
    ALPHABET,
    BODY_LENGTH,
    MAX_WORD,
    NUMBERS_PER_NAMESPACE,
    mint,
    namespace_of,
    new_key,
    new_namespace,
    verifies,
    word_for,
)
from tests.growth import assert_linear

ROOT = Path(__file__).parent
VECTORS: dict[str, Any] = json.loads((ROOT / "vectors/surrogates.json").read_text("utf-8"))
KEY = bytes.fromhex(VECTORS["key"])


@pytest.mark.parametrize("case", VECTORS["mint"], ids=lambda case: case["surrogate"])
def test_minting_gives_the_published_vectors(case: dict[str, Any]) -> None:
    """A surrogate is fixed by key, word, namespace and number as the specification says."""
    minted = mint(KEY, case["word"], case["namespace"], case["number"])
    assert minted == case["surrogate"]
    assert verifies(KEY, minted)
    assert namespace_of(minted) == case["namespace"]


@pytest.mark.parametrize("case", VECTORS["words"], ids=lambda case: case["word"])
def test_words_of_entity_types_are_the_published_ones(case: dict[str, Any]) -> None:
    """The word of a type, listed or not, is the one in the vectors."""
    assert word_for(case["entity_type"]) == case["word"]


def test_the_specification_shows_the_vectors() -> None:
    """Every minting and word vector stands in docs/surrogates.md: the page cannot drift from the code."""
    page = (ROOT.parent / "docs/surrogates.md").read_text("utf-8")
    assert VECTORS["key"] in page
    for case in VECTORS["mint"]:
        assert (
            f"| `{case['word']}` | `{case['namespace']}` | {case['number']} | `{case['surrogate']}` |" in page
        )
    for case in VECTORS["words"]:
        assert f"| `{case['entity_type']}` | `{case['word']}` |" in page


def test_every_vector_says_what_it_would_catch() -> None:
    """Each restore vector carries flags that the notes explain, and no note is unused."""
    used = {flag for case in VECTORS["restore"] for flag in case["flags"]}
    assert used == set(VECTORS["notes"])


@given(st.text())
def test_any_type_name_gives_a_word_of_the_grammar(name: str) -> None:
    """Whatever a recognizer calls its type, its word is 2 to 16 letters A-Z and always the same."""
    word = word_for(name)
    assert 2 <= len(word) <= MAX_WORD
    assert all("A" <= char <= "Z" for char in word)
    assert word_for(name) == word


def test_listed_types_have_words_of_their_own() -> None:
    """No two entity types of the table share a word, and each word fits the grammar."""
    words = [entity.word for entity in ENTITY_TYPES.values()]
    assert len(set(words)) == len(words)
    assert all(2 <= len(word) <= MAX_WORD and word.isascii() and word.isupper() for word in words)


@given(st.integers(0, NUMBERS_PER_NAMESPACE - 1), st.sampled_from(["PERSON", "ID", "ABCDEFGHIJKLMNOP"]))
def test_width_never_changes(number: int, word: str) -> None:
    """The first and the last number of a namespace give surrogates of the same width, in the alphabet."""
    head, _, body = mint(KEY, word, "K7QM", number).partition("-")
    assert head == word
    assert len(body) == BODY_LENGTH
    assert set(body) <= set(ALPHABET)


def test_numbers_of_a_namespace_are_all_different() -> None:
    """Every number gives its own surrogate: 32 to the power of 3 of them."""
    assert len({mint(KEY, "ID", "K7QM", number)[:-1] for number in range(NUMBERS_PER_NAMESPACE)}) == 32**3


@given(st.binary(min_size=32, max_size=32))
def test_the_check_character_is_keyed(key: bytes) -> None:
    """What verifies under one key is what that key mints, and nothing else does."""
    stem = mint(key, "PERSON", "K7QM", 7)[:-1]
    assert [char for char in ALPHABET if verifies(key, stem + char)] == [mint(key, "PERSON", "K7QM", 7)[-1]]


def test_check_characters_of_two_keys_agree_only_by_chance() -> None:
    """Two sessions' check characters agree for about one number in 32."""
    pairs = [
        (mint(KEY, "ID", "K7QM", number), mint(new_key(), "ID", "K7QM", number)) for number in range(2000)
    ]
    assert sum(one == other for one, other in pairs) < 2000 / 32 * 2


def test_namespaces_are_neither_words_nor_numbers() -> None:
    """Every namespace has a letter and a digit and stays within the alphabet; draws differ."""
    drawn = {new_namespace() for _ in range(2000)}
    assert len(drawn) > 1900
    for namespace in drawn:
        assert len(namespace) == 4
        assert set(namespace) <= set(ALPHABET)
        assert not namespace.isalpha()
        assert not namespace.isdigit()


@given(st.text(), st.text(), st.integers(0, NUMBERS_PER_NAMESPACE - 1))
def test_a_surrogate_is_found_whatever_touches_it(before: str, after: str, number: int) -> None:
    """The scan finds a canonical surrogate between any two texts, with its word directly before the dash."""
    surrogate = mint(KEY, "PERSON", "K7QM", number)
    found = {candidate.end: candidate for candidate in find(before + surrogate + after, {"K7QM"})}
    candidate = found[len(before) + len(surrogate)]
    assert candidate.body == surrogate[-BODY_LENGTH:]
    assert candidate.words({"PERSON"}) == ["PERSON"]
    assert candidate.start("PERSON") == len(before)


def test_the_longest_known_word_comes_first() -> None:
    """Where two known words end alike, the longer is tried before the shorter."""
    (candidate,) = find("INVALID-K7QM0018")
    assert candidate.words({"ID", "VALID", "D", "PERSON"}) == ["VALID", "ID"]


def test_letters_are_found_through_every_accepted_change() -> None:
    """Offsets of the letters point at the letters, not at what was slipped between them."""
    text = "가p\u200bＥRSON \\-k7qm001z"
    (candidate,) = find(text)
    assert candidate.letters == "PERSON"
    assert [text[index] for index in candidate.starts] == ["p", "Ｅ", "R", "S", "O", "N"]
    assert candidate.body == "K7QM001Z"
    assert not candidate.exact


@given(
    st.lists(
        st.sampled_from(["-K7QM0011", "A", "-", "PERSON", "－ｋ7qm0011", "- K7QM0011", "-A1B20011", "가"])
    )
)
def test_bodies_are_counted_as_they_are_found(pieces: list[str]) -> None:
    """The quick count is never less than what is found, and the same where every body has a word before it."""
    text = "".join(pieces)
    assert count_bodies(text, {"K7QM"}) >= len(find(text, {"K7QM"}))
    worded = "".join(f"PERSON{piece}" if piece[0] in "-－" else piece for piece in pieces)
    assert count_bodies(worded, {"K7QM"}) == len(find(worded, {"K7QM"}))


def test_words_longer_than_sixteen_letters_are_cut() -> None:
    """Looking back stops after sixteen letters, whatever stands before them."""
    (candidate,) = find("x" * 1000 + "PERSON-K7QM001Z")
    assert len(candidate.letters) == MAX_WORD
    assert candidate.words({"PERSON"}) == ["PERSON"]


@pytest.mark.parametrize(
    "unit",
    [
        "-",
        "A",
        "- ",
        "-K7QM",
        "-K7QM001Z",
        "PERSON-K7QM001Z",
        "A" * 16 + "-K7QM001Z",
        "A\u200b" * 16 + "-",
        "\\",
    ],
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    """A character of the worst units costs the same in a text of half a million as in one of twenty thousand."""
    assert_linear(find, unit * (20_000 // len(unit)), unit * (500_000 // len(unit)))
