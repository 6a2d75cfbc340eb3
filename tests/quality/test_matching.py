from __future__ import annotations

import string
from collections.abc import Iterator

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sovguard.pipeline.quality import quality_report
from sovguard.pipeline.quality.matching import matched
from sovguard.pipeline.quality.pairing import pairs
from sovguard.pipeline.quality.rows import Cell, Row
from sovguard.pipeline.quality.samples import Consistency, Hashes, Sample
from sovguard.pipeline.quality.substitutes import candidates, form, kind_of, ours, stands
from tests.pipeline.places import SEALED, finder

WORDS = st.text("가나다 .,\n", min_size=1, max_size=12)
ANY = st.lists(st.text(string.printable + "가홍길동", max_size=30), max_size=8)
OURS = st.lists(st.text("홍길동 010-", max_size=20), max_size=8)
SUBSTITUTES = st.sampled_from(
    [SEALED.surrogate("010-0000-1234", "PHONE_NUMBER"), "PERSON-K7QM001R", "[삭제]", "홍*동", "표은재", ""]
)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, list[tuple[int, int, str]], str]:
    """A text, values in it, and the text with substitutes in their place."""
    before, after = draw(WORDS), ""
    after, found = before, []
    for _ in range(draw(st.integers(1, 4))):
        value, between = draw(st.text("홍길동", min_size=2, max_size=4)), draw(WORDS)
        found.append((len(before), len(before) + len(value), "PERSON"))
        before += value + between
        after += draw(SUBSTITUTES) + between
    return before, found, after


@hypothesis_settings(deadline=None)
@given(texts())
def test_what_was_put_in_the_place_of_values_leads_through(
    made: tuple[str, list[tuple[int, int, str]], str],
) -> None:
    """Whatever stands there: what is outside of the gaps is what it was."""
    before, found, after = made
    gaps = matched(before, found, after)
    assert gaps is not None
    left = right = 0
    for gap in gaps:
        assert before[left : gap.start] == after[right : gap.into]
        left, right = gap.end, gap.until
    assert before[left:] == after[right:]


@hypothesis_settings(deadline=None)
@given(texts(), st.data())
def test_another_text_does_not(
    made: tuple[str, list[tuple[int, int, str]], str], data: st.DataObject
) -> None:
    """A letter that is nowhere else, put at the beginning or the end, is text that changed."""
    before, found, after = made
    more = data.draw(st.sampled_from(("¶" + after, after + "¶")))
    assert matched(before, found, more) is None


def row(number: int) -> Row:
    """A row that is like no other."""
    return Row(number, [Cell(("id",), f"row {number}", column="id")])


def rows(numbers: list[int]) -> Iterator[Row]:
    """Rows with these numbers."""
    return iter([row(number) for number in numbers])


@given(
    st.permutations(range(12)),
    st.sets(st.integers(0, 11)),
    st.lists(st.integers(20, 30), unique=True, max_size=3),
)
def test_every_row_is_with_its_own(order: list[int], gone: set[int], fresh: list[int]) -> None:
    """However rows are put in another order, left out and added: each comes once, and those that are there are paired."""
    after = [number for number in order if number not in gone]
    after[1:1] = fresh
    told = list(pairs(rows(list(range(12))), rows(after)))
    assert sorted(each.before.number for each in told if each.before) == list(range(12))
    assert sorted(each.after.number for each in told if each.after) == sorted(after)
    same = [each for each in told if each.before and each.after and each.before.number == each.after.number]
    crossed = [
        each for each in told if each.before and each.after and each.before.number != each.after.number
    ]
    assert len(same) + len(crossed) <= 12
    if not gone and not fresh:
        assert len(same) == 12


def test_a_sample_keeps_some_of_too_many() -> None:
    """Always the same ones, and what it says of how many there were is near."""
    hashes = Hashes()
    sample: Sample[None] = Sample(1024)
    for number in range(20_000):
        sample.put(hashes(str(number)), None)
    for number in range(20_000):
        sample.put(hashes(str(number)), None)
    assert sample.one_in >= 16
    assert 0.8 < sample.count / 20_000 < 1.2
    assert hashes("a") != Hashes()("a")


def test_consistency_by_hand() -> None:
    """Within columns and across them, both ways."""
    told, hashes = Consistency(), Hashes()
    for column, value, substitute in (
        (0, "a", "A"),
        (0, "b", "A"),
        (0, "a", "B"),
        (1, "b", "A"),
        (1, "c", "C"),
    ):
        told.add(hashes, column, value, substitute, reversible=True)
    assert told.by_column() == {0: (2, 1, 1), 1: (2, 0, 0)}
    assert told.across() == (1, 1, 1)


def test_substitutes_by_their_grammar() -> None:
    """Kinds of what stands there, and what is none of ours."""
    sealed = SEALED.surrogate("가", "PERSON")
    assert [
        kind_of(each) for each in (sealed, f"{sealed} {sealed}", "ID#0123456789ABCDEF", "PHONE-K7QM001R")
    ] == ["surrogate"] * 4
    assert [kind_of(each) for each in ("", "[삭제]", "홍*동", "표은재", "ABC-DEFGHJKM")] == [
        "removed", "removed", "masked", "made_up", "made_up",
    ]  # fmt: skip
    assert ours(f"x {sealed}로") == [(2, 2 + len(sealed), "PERSON")]
    assert ours("PHONE-K7QM001R", "PHONE-K7QM001R") == []


def test_what_values_are_looked_for_as() -> None:
    """Digits, mails and names, however they are spelt; what is common or short is not."""
    assert form("010-0000-1234", "PHONE_NUMBER") == "01000001234"
    assert form("홍 길동", "PERSON") == "홍길동"
    assert form("A@mail.example", "EMAIL_ADDRESS") == "a@mail.example"
    assert [
        form(*each) for each in (("길동", "PERSON"), ("2031-01-01", "DATE_OF_BIRTH"), ("123", "ID_NUMBER"))
    ] == [None] * 3
    assert set(candidates("홍길동님 010 0000 1234, 010.0000.5678 A@mail.example.")) == {
        "홍길동", "홍길동님", "01000001234", "01000005678", "a@mail.example",
    }  # fmt: skip


def test_a_value_stands_by_itself() -> None:
    """Not as a part of another number or word, and not if it is so short that it may be there by chance."""
    assert stands("0100000", "번호 0100000입니다")
    assert not stands("0100000", "번호 90100000")
    assert not stands("0100000", "번호 01000009")
    assert stands("홍길동", "그 홍길동님")
    assert not stands("홍길동", "새홍길동")
    assert not stands("길동", "길동")


@hypothesis_settings(deadline=None, max_examples=60)
@given(ANY, OURS)
def test_any_rows_can_be_compared(before: list[str], after: list[str]) -> None:
    """With each other or with themselves: rows add up, and a corpus keeps everything of itself."""
    report = quality_report(before, after, guard=finder())
    assert report.rows.before == report.rows.kept + report.rows.missing
    assert report.rows.after == report.rows.kept + report.rows.added
    assert report.words[1] <= report.words[0]
    same = quality_report(before, before, guard=finder())
    assert (same.rows.changed, same.share, same.words[0]) == (0, 0, same.words[1])
