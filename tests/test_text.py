from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard.text import View, normalized_view, spoken_view

ANY_TEXT = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "０１２①②⑩²³\u200b\ufeff\u1112\u1161\u11ab각\u0301－—·ㅡO공일이삼사오에 -010\ud800\x00"
        ),
    ),
    max_size=60,
)


@given(ANY_TEXT)
def test_every_character_of_the_view_comes_from_the_original(text: str) -> None:
    """The way back stays inside the original and never runs backwards."""
    view = normalized_view(text)
    reached = 0
    for index in range(len(view.text)):
        start, end = view.origin(index, index + 1)
        assert reached <= start or start == view.origin(index - 1, index)[0]
        assert 0 <= start < end <= len(text)
        reached = start
    if view.text:
        low, high = view.origin(0, len(view.text))
        assert 0 <= low < high <= len(text)


@given(ANY_TEXT)
def test_the_spoken_view_comes_from_the_original_too(text: str) -> None:
    """The alternative view maps every character of its own into the original, but for the borders it puts in."""
    view = normalized_view(text)
    spoken = spoken_view(view)
    if spoken is not None:
        for index, character in enumerate(spoken.text):
            start, end = spoken.origin(index, index + 1)
            assert 0 <= start <= end <= len(text)
            assert start < end or character == "\n"


@given(st.text(st.sampled_from("가나다라 abcXYZ0123456789.,-@\n")))
def test_plain_text_is_its_own_view(text: str) -> None:
    """Text with nothing to normalise is passed on as it is."""
    assert normalized_view(text) == View(text)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (unicodedata.normalize("NFD", "홍길동 과장님"), "홍길동 과장님"),
        ("０１０－１２３４", "010-1234"),
        ("⓪①⓪-①②③④", "010-1234"),
        ("⁰¹⁰-¹²³⁴", "010-1234"),
        ("010–1234—5678", "010-1234-5678"),
        ("010\u00a01234\u30005678", "010 1234 5678"),
        ("0\u200b1\u2060\ufeff0\u00ad-1", "010-1"),
        ("1️⃣2️⃣3️⃣", "123"),
        ("010ㅡ1234", "010-1234"),
        ("①010", "①010"),
        ("5678¹", "5678¹"),
        ("㈜한빛", "㈜한빛"),
    ],
)
def test_what_is_folded(text: str, seen: str) -> None:
    """Each kind of variant is read as the plain form, and bullets and footnotes are not digits."""
    assert normalized_view(text).text == seen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("공일공 일이삼사 오육칠팔", "010 1234 5678"),
        ("영일영에 일이삼사에 오육칠팔이요", "010-1234-5678이요"),
        ("공1공-1이3사-오6칠8", "010-1234-5678"),
        ("O1O-1234-5678", "010-1234-5678"),
    ],
)
def test_digits_read_aloud(text: str, seen: str) -> None:
    """Spoken and look-alike digits are digits in the alternative view."""
    spoken = spoken_view(normalized_view(text))
    assert spoken is not None
    assert spoken.text == seen


def test_prose_has_no_spoken_view() -> None:
    """Syllables that could be digits are left alone in sentences."""
    assert spoken_view(View("이사 일정은 삼월에 사무실에서 정하고 오늘은 쉽니다")) is None


def test_a_view_shows_no_text() -> None:
    """The repr of a view holds nothing of it."""
    assert "홍길동" not in repr(normalized_view("홍길동"))
