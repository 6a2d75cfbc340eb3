from __future__ import annotations

from sovguard.detect.analyzer import Analyzer

ANALYZER = Analyzer(names="off")


def found(text: str) -> list[str]:
    """Returns what was found, in order."""
    return [text[hit.start : hit.end] for hit in ANALYZER.analyze([text])[0]]


def test_a_value_is_covered_at_every_mention() -> None:
    """A number that a label marks once is found again without its label, in one text and not in the next."""
    text = "고객번호 77004158 확인.\n처리: 77004158 환불"
    assert found(text) == ["77004158", "77004158"]
    assert ANALYZER.analyze(["고객번호 77004158", "처리: 77004158"])[1] == []


def test_a_mention_inside_another_number_is_not_one() -> None:
    """Digits that go on are another number."""
    assert found("고객번호 77004158 / 수량 177004158개") == ["77004158"]


def test_numbers_of_the_form_of_a_labelled_one() -> None:
    """A list labels its first entry; the others share its form."""
    assert found("수험번호 24-A-0117 합격, 24-B-0033 합격, 2024-01-17 발표") == ["24-A-0117", "24-B-0033"]


def test_plain_digits_have_no_form() -> None:
    """Eight digits like a labelled number's are not taken for one."""
    assert found("학번 20310017, 출고 20260722") == ["20310017"]
