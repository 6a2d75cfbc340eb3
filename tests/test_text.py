from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovguard.detect.spoken import spoken_views
from sovguard.text import _EMPHASIS, View, _emphases, normalized_view

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
    """The alternative view maps every character of its own into the original."""
    view = normalized_view(text)
    for spoken in spoken_views(view):
        for index in range(len(spoken.text)):
            start, end = spoken.origin(index, index + 1)
            assert 0 <= start < end <= len(text)


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
    (spoken,) = spoken_views(normalized_view(text))
    assert spoken.text == seen


def test_prose_has_no_spoken_view() -> None:
    """Syllables that could be digits are left alone in sentences."""
    assert spoken_views(View("이사 일정은 삼월에 사무실에서 정하고 오늘은 쉽니다")) == []


def test_a_view_shows_no_text() -> None:
    """The repr of a view holds nothing of it."""
    assert "홍길동" not in repr(normalized_view("홍길동"))


HANGUL = st.text(st.sampled_from("가각힣홍길동이없앉 010-3.,"), max_size=30)


@settings(deadline=None)
@given(ANY_TEXT)
def test_spans_are_made_of_their_characters(text: str) -> None:
    """A span of the view maps to where its first character begins and its last one ends, always ascending."""
    view = normalized_view(text)
    places = [view.origin(index, index + 1) for index in range(len(view.text))]
    assert places == sorted(places)
    for start in range(len(places)):
        for end in range(start + 1, len(places) + 1):
            assert view.origin(start, end) == (places[start][0], places[end - 1][1])


@given(ANY_TEXT)
def test_only_invisible_characters_are_left_out(text: str) -> None:
    """What no character of the view stands for is a mark, a format character, a colour code or emphasis."""
    view = normalized_view(text)
    seen = {place for index in range(len(view.text)) for place in range(*view.origin(index, index + 1))}
    coloured = {
        place for code in re.finditer("\x1b\\[[0-9;?]*[A-Za-z]", text) for place in range(*code.span())
    }
    for place, character in enumerate(text):
        if place not in seen:
            invisible = unicodedata.category(character) in ("Cf", "Mn", "Me", "Cn", "Cs")
            emphasis = character in "*_"
            assert invisible or emphasis or character in "\u115f\u1160\u3164\uffa0" or place in coloured


@given(ANY_TEXT)
def test_the_same_text_gives_the_same_view(text: str) -> None:
    """Views depend on nothing but the text, and a normalised text is normal."""
    view = normalized_view(text)
    assert normalized_view(text) == view
    assert spoken_views(view) == spoken_views(normalized_view(text))


@given(HANGUL)
def test_decomposed_hangul_reads_as_composed(text: str) -> None:
    """NFD text has the view of its NFC form, and every character leads back to all of its parts."""
    decomposed = unicodedata.normalize("NFD", text)
    view = normalized_view(decomposed)
    assert view.text == text
    for index, character in enumerate(text):
        start, end = view.origin(index, index + 1)
        assert decomposed[start:end] == unicodedata.normalize("NFD", character)


@given(
    st.text(st.sampled_from("홍길동01234 -"), min_size=1, max_size=20),
    st.sampled_from("\u200b\u200d\u2060\ufeff\u00ad\ufe0f"),
)
def test_invisible_characters_change_nothing(text: str, invisible: str) -> None:
    """With an invisible character between all others the view is that of the text without."""
    view = normalized_view(invisible.join(text))
    assert view.text == text
    assert view.origin(0, len(text)) == (0, 2 * len(text) - 1)


@given(st.integers(0, 10**13), st.sampled_from(range(7)))
def test_digits_of_any_script_in_use_are_digits(number: int, script: int) -> None:
    """Full-width, mathematical, Arabic and Persian digits are read one for one, where they stand."""
    zero = (0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7F6, 0x0660, 0x06F0)[script]
    written = "번호 " + "".join(chr(zero + int(digit)) for digit in str(number)) + "로"
    view = normalized_view(written)
    assert view.text == f"번호 {number}로"
    assert view.origin(3, len(view.text) - 1) == (3, len(written) - 1)


@pytest.mark.parametrize("dash", "‐‑‒–—―−➖﹘﹣－˗⁃")
def test_dashes_are_hyphens(dash: str) -> None:
    """Whatever a word processor makes of a hyphen is one."""
    assert normalized_view(f"010{dash}0000{dash}1234").text == "010-0000-1234"


@pytest.mark.parametrize("space", "\u00a0\u2002\u2003\u2005\u2009\u200a\u202f\u205f\u3000")
def test_spaces_are_spaces(space: str) -> None:
    """Wide, thin and unbreakable spaces are spaces."""
    assert normalized_view(f"010{space}0000{space}1234").text == "010 0000 1234"


@pytest.mark.parametrize(
    "said",
    [
        "공일공 {}",
        "공일공에 {}",
        "영일영 {}",
        "빵일공의 {}",
        "공일공 다시 {}",
        "공일공-{}",
        "공1공-{}",
        "O1O-{}",
        "0l0-{}",
        "공일영.{}",
    ],
)
@pytest.mark.parametrize("rest", ["일이삼사 오육칠팔", "일이삼사-오육칠팔", "일이삼사 오륙칠팔"])
def test_ways_to_say_a_number(said: str, rest: str) -> None:
    """Spoken, typed and mixed digits are read alike, and the way back leads to all that was said."""
    text = f"제 번호는 {said.format(rest)}"
    (spoken,) = spoken_views(normalized_view(text))
    assert re.sub("[^0-9]", "", spoken.text) == "01012345678"
    assert spoken.origin(len(spoken.text) - 1, len(spoken.text))[1] == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "공1공-1이3사-오6칠8",
        "O1O-일2삼4-5678",
        "공일공-12삼4-5678",
        "공일공 일2삼4 오6칠8",
    ],
)
def test_spoken_among_typed_digits(text: str) -> None:
    """A number of which some digits are typed and some read aloud is read whole."""
    (spoken,) = spoken_views(normalized_view(text))
    assert re.sub("[^0-9]", "", spoken.text) == "01012345678"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\\ud64d\\uae38\\ub3d9\\uc774", "홍길동이"),
        ("x\\ud83d\\ude00y", "x😀y"),
        ("\\uff10\\uff11", "01"),
        ("\\ud83d alone", "\\ud83d alone"),
        ("%ED%99%8D%EA%B8%B8%EB%8F%99%40", "홍길동@"),
        ("%ED%99 %zz 45%", "%ED%99 %zz 45%"),
        ("끝\\n010", "끝\\ 010"),
    ],
)
def test_escapes_are_opened(text: str, seen: str) -> None:
    """What JSON or a URL has escaped is seen as it reads, and what is no such escape as it stands."""
    view = normalized_view(text)
    assert view.text == seen
    assert view.origin(0, len(seen)) == (0, len(text))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("고객명: **홍길동**은", "고객명: 홍길동은"),
        ("- **이름:** __김나래__ (*여*)", "- 이름: 김나래 (여)"),
        ("***김나래***", "김나래"),
        ("**a** **b**", "a b"),
        ("홍** 고객과 김** 고객", "홍** 고객과 김** 고객"),
        ("010-****-5678, 9407-****-****-7043", "010-****-5678, 9407-****-****-7043"),
        ("3*4*5, 2 * 3 * 4, snake__case__name", "3*4*5, 2 * 3 * 4, snake__case__name"),
        ("* 항목\n* 항목", "* 항목\n* 항목"),
        ("(**) [**]", "(**) [**]"),
    ],
)
def test_marks_of_emphasis_are_dropped(text: str, seen: str) -> None:
    """What Markdown sets in bold or italics reads as if it were not; masks, products and bullets stay."""
    view = normalized_view(text)
    assert view.text == seen
    for index, char in enumerate(seen):
        start, end = view.origin(index, index + 1)
        assert text[start:end] == char


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from([*'**__ a가\n(."|1', "**", "***", "__"]), max_size=20).map("".join))
def test_emphasis_is_looked_for_where_it_may_begin(text: str) -> None:
    """The search that stops at its marks alone finds what trying each place finds."""
    assert [match.span() for match in _emphases(text)] == [match.span() for match in _EMPHASIS.finditer(text)]
