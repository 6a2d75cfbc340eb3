from __future__ import annotations

import time

import pytest

from sovguard.detect.analyzer import Analyzer

ANALYZER = Analyzer(names="off")
SMALL, LARGE = 10_000, 160_000


@pytest.mark.parametrize(
    "unit",
    [
        "0", "12345678901 ", "@", "a@", "([{", "a", "가", " ", "-", "1-", "1.", "A1", '",', "\n\t", "이", "공",
        "로 1 ", "동 1호 ", ":", "ab:", "계좌번호 ", "사번:", "010-", "1234-1234-", "공일 ", "*", "O0", "서울시 강남구 ",
    ],
)  # fmt: skip
def test_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    """Sixteen times the text takes about sixteen times as long, whatever is repeated."""

    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        best = float("inf")
        for _ in range(2):
            start = time.process_time()
            ANALYZER.analyze([text])
            best = min(best, time.process_time() - start)
        return best

    assert seconds(LARGE) < 16 * 5 * max(seconds(SMALL), 0.0005)
