from __future__ import annotations

from itertools import product
from string import ascii_uppercase

import pytest

from sovguard.detect.analyzer import Analyzer
from tests.growth import assert_linear

ANALYZER = Analyzer(names="off")
SMALL, LARGE = 20_000, 320_000
LABEL = "주민등록번호"
INSERT = "insert into t (abc, d) values ('"


def detect(text: str) -> None:
    """Look for values in one text."""
    ANALYZER.analyze([text])


@pytest.mark.parametrize(
    "unit",
    [
        "0", "1234567890", "12345678901 ", "@", "a@", "@a.", "([{", ")]}", "a", "가", " ", "-", "1-", "1.", "1:", "1,",
        "A1", '",', "\n\t", "a,b\n", "이", "공", "공에", "로 1 ", "동 1호 ", ":", "ab:", "*", "O0",
        LABEL, f"{LABEL}: ", "계좌번호 ", "사번:", "010-", "010-가", "1234-1234-", "공일 ", "서울시 강남구 ", "\x00",
        "\u200b", "\ud800", "１", "①", "\u1112\u1161\u11ab", "e\u0301", "12가1234 ", INSERT, "이름,전화\n홍,1\n",
    ],
    ids=ascii,
)  # fmt: skip
def test_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    """A character costs the same in a text sixteen times as long, whatever is repeated."""
    assert_linear(detect, unit * (SMALL // len(unit)), unit * (LARGE // len(unit)))


@pytest.mark.parametrize("unit", ["아이디a", "닉네임a", "길1"])
def test_a_chain_of_overlapping_detections_is_settled_in_linear_time(unit: str) -> None:
    """Detections that overlap one after the other, without end, cost no more than ones that stand apart."""
    assert_linear(detect, unit * 1_000, unit * 16_000)


def test_the_length_of_a_line_does_not_matter() -> None:
    """Values at the end of one endless line cost what they cost on a line of their own, whatever the line holds."""
    values = "hong@example.com, " * 2_000
    for letter in "가갊":  # the second has the code of a line feed for its lower byte
        apart, together = letter * 1_000_000 + "\n" + values, letter * 1_000_000 + " " + values
        assert_linear(detect, apart, together)


def test_values_of_many_forms_are_repeated_in_linear_time() -> None:
    """A list of many numbers, each of another form, costs no more a line than a short one."""
    prefixes = ["".join(letters) for letters in product(ascii_uppercase, repeat=3)]
    lines = [f"사번 {prefix}-12345\n" for prefix in prefixes]
    assert_linear(detect, "".join(lines[:400]), "".join(lines[:6_400]))
