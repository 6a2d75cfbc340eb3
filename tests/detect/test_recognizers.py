from __future__ import annotations

import pytest

from sovguard.detect.analyzer import Analyzer
from sovguard.detect.definitions import Example, RecognizerDefinition, built_in_pack
from sovguard.entities import ENTITY_TYPES

PACK = built_in_pack().recognizers
EXAMPLES = [pytest.param(r, e, id=f"{r.name}-{n}") for r in PACK for n, e in enumerate(r.examples)]
COUNTEREXAMPLES = [
    pytest.param(r, e, id=f"{r.name}-{n}") for r in PACK for n, e in enumerate(r.counterexamples)
]
PARTICLES = ("를", "은", "이고", "입니다", "으로", "에게", "의")
FALSE_FRIENDS = (
    "주문번호 20260722-001 확인",
    "운송장 6889912345678 조회",
    "송장번호 123456789012",
    "ISBN 978-89-546-4342-7",
    "ISSN 1234-5678",
    "서울중앙지법 2026가단1234 사건",
    "상품코드 AB-1004-2210",
    "기록 시각 1700000008",
    "202607221530 로그",
    "합계 1,234,567원",
    "위치 37.566535, 126.977969",
    "버전 3.11.4로 올림",
    "쿠폰번호 1234-5678-9012-3456",
    "550e8400-e29b-41d4-a716-446655440000",
    "커밋 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "개인정보 보호법 제24조 제1항 제2호",
    "2026-07-22 15:30:00 배포",
    "KTX 101편 3호차 12A",
    "점유율 12.5% 증가, 3.4배",
)


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    """One analyzer for the module."""
    return Analyzer(names="off")


@pytest.mark.parametrize(("recognizer", "example"), EXAMPLES)
def test_examples_are_found(analyzer: Analyzer, recognizer: RecognizerDefinition, example: Example) -> None:
    """Every example of a recognizer file is found, to the character."""
    found = analyzer.analyze([example.text])[0]
    assert (example.match, recognizer.entity_type) in [
        (example.text[hit.start : hit.end], hit.entity_type) for hit in found
    ]


@pytest.mark.parametrize(("recognizer", "example"), COUNTEREXAMPLES)
def test_counterexamples_are_not_found(
    analyzer: Analyzer, recognizer: RecognizerDefinition, example: Example
) -> None:
    """Nothing of a recognizer's type is found in its counterexamples."""
    found = analyzer.analyze([example.text])[0]
    assert recognizer.entity_type not in {hit.entity_type for hit in found}


@pytest.mark.parametrize("particle", PARTICLES)
@pytest.mark.parametrize(
    "value",
    [
        "010-0000-1234",
        "310101-3000002",
        "310101-7000004",
        "M123A4567",
        "220-81-62517",
        "4111-1111-1111-1111",
        "192.0.2.44",
        "02:00:5E:10:00:FF",
        "hong@example.com",
        "P000000000019",
        "1-0000000019",
        "3333-00-0000017",
        "12가0000",
    ],
)
def test_values_glued_to_korean_on_both_sides(analyzer: Analyzer, value: str, particle: str) -> None:
    """A value is found to the character between a Hangul syllable and a particle."""
    text = f"그래서{value}{particle}"
    assert value in [text[hit.start : hit.end] for hit in analyzer.analyze([text])[0]]


@pytest.mark.parametrize("text", FALSE_FRIENDS)
def test_false_friends_are_left_alone(analyzer: Analyzer, text: str) -> None:
    """Order numbers, versions, prices and the like are not taken for personal information."""
    assert analyzer.analyze([text])[0] == []


def test_the_pack_covers_every_type() -> None:
    """Each entity type but PERSON has a file with examples and counterexamples."""
    complete = {r.entity_type for r in PACK if len(r.examples) >= 3 and r.counterexamples}
    assert complete == set(ENTITY_TYPES) - {"PERSON"}


def test_no_pattern_uses_word_classes() -> None:
    r"""No pattern of the pack uses \b, \d or \w, which take Hangul for part of a word or a digit of any script."""
    for recognizer in PACK:
        for pattern in recognizer.patterns:
            for regex in (pattern.regex, pattern.lead or "", pattern.behind or ""):
                assert not any(cls in regex for cls in (r"\b", r"\d", r"\w")), (recognizer.name, pattern.name)
