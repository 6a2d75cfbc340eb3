from __future__ import annotations

import time

import pytest

from sovguard.detect.analyzer import Analyzer

ANALYZER = Analyzer(names="off")
SMALL, LARGE = 20_000, 320_000
FACTOR = 4.0
LABEL = "주민등록번호"
INSERT = "insert into t (abc, d) values ('"


def per_character(unit: str, size: int) -> float:
    """Returns the processor time one character takes in a text of ``unit`` repeated."""
    text = unit * (size // len(unit))
    start = time.process_time()
    ANALYZER.analyze([text])
    return (time.process_time() - start) / len(text)


@pytest.mark.parametrize(
    "unit",
    [
        "0", "1234567890", "12345678901 ", "@", "a@", "@a.", "([{", ")]}", "a", "가", " ", "-", "1-", "1.", "1:", "1,",
        "A1", '",', "\n\t", "a,b\n", "이", "공", "공에", "로 1 ", "동 1호 ", "갊로 1 ", "길1", ":", "ab:", "*", "O0",
        LABEL, f"{LABEL}: ", "계좌번호 ", "사번:", "010-", "010-가", "1234-1234-", "공일 ", "서울시 강남구 ", "\x00",
        "\u200b", "\ud800", "１", "①", "\u1112\u1161\u11ab", "e\u0301", "12가1234 ", INSERT, "이름,전화\n홍,1\n",
    ],
    ids=ascii,
)  # fmt: skip
def test_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    """A character costs the same in a text sixteen times as long, whatever is repeated."""
    small = min(per_character(unit, SMALL) for _ in range(3))
    large = per_character(unit, LARGE)
    for _ in range(3):
        if large < FACTOR * small:
            break
        # A machine that was busy elsewhere looks slow once, not every time.
        small = min(small, per_character(unit, SMALL))
        large = min(large, per_character(unit, LARGE))
    assert large < FACTOR * small


@pytest.mark.parametrize("unit", ["아이디a", "닉네임a", "아이디 a1_"])
def test_overlapping_detections_cost_no_more_than_others(unit: str) -> None:
    """Detections that overlap in one long chain are settled in time that grows with their number."""
    small = min(per_character(unit, 5_000) for _ in range(3))
    large = min(per_character(unit, 80_000) for _ in range(2))
    assert large < FACTOR * small
