from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sovguard.detect.analyzer import Analyzer
from sovguard.detect.definitions import Example, RecognizerDefinition
from sovguard.detect.packs import built_in_pack
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


DATA = Path(__file__).resolve().parents[1] / "data"
LOOK_ALIKES = [
    line
    for line in (DATA / "false_friends.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("# ")
]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_look_alikes_are_left_alone(analyzer: Analyzer, text: str) -> None:
    """Nothing is found in any text of the table of numbers that only look personal."""
    assert [(hit.entity_type, hit.evidence.pattern) for hit in analyzer.analyze([text])[0]] == []


def test_look_alikes_are_left_alone_together(analyzer: Analyzer) -> None:
    """Nor does one of them make another look personal when they stand in one batch."""
    assert analyzer.analyze(LOOK_ALIKES) == [[] for _ in LOOK_ALIKES]


@pytest.mark.parametrize(
    "text", ["운송장번호 8241-6705-1871", "주문번호: 8241-6705-1871을", "등기번호 82-10-4567-8901"]
)
def test_a_label_is_no_context_word(analyzer: Analyzer, text: str) -> None:
    """The word that says that a number is none of ours does not speak for it at the same time."""
    assert analyzer.analyze([text])[0] == []


PROOF_BEHIND = re.compile("생|이라는 아이디")
"""What says only behind a value that it is one (1985년 3월 12일생): the particle goes behind it."""


def glued(example: Example) -> Iterator[tuple[str, int]]:
    """Yields texts in which the example's value is glued to particles, and where the value begins.

    Two heads: the example's own, and one that ends in a Hangul syllable directly before the value. Left out, because the
    glued syllable makes another written form:

    - a syllable before a value that begins with Hangul: 여기경기도 is another word than 경기도, and 삼 before a number read
      aloud another digit.
    """
    assert example.match is not None
    start = example.text.index(example.match)
    head, tail = example.text[:start], example.text[start + len(example.match) :]
    proof = PROOF_BEHIND.match(tail)
    closed = head.rstrip(" :,([<\"'") or "여기"
    if not "가" <= closed[-1] <= "힣":
        closed += "는"
    heads = [head] if "가" <= example.match[0] <= "힣" else [head, closed]
    for before in heads:
        for particle in PARTICLES:
            yield f"{before}{example.match}{proof[0] if proof else ''}{particle}", len(before)


@pytest.mark.parametrize(
    ("recognizer", "example"),
    [
        pytest.param(
            recognizer,
            example,
            id=f"{recognizer.name}-{number}",
        )
        for recognizer in PACK
        for number, example in enumerate(recognizer.examples)
    ],
)
def test_examples_are_found_between_particles(
    analyzer: Analyzer, recognizer: RecognizerDefinition, example: Example
) -> None:
    """Every example is found to the character between Hangul before it and any of seven particles behind it."""
    missed = []
    for text, start in glued(example):
        end = start + len(example.match or "")
        found = {(hit.entity_type, hit.start, hit.end) for hit in analyzer.analyze([text])[0]}
        if (recognizer.entity_type, start, end) not in found:
            missed.append((text, sorted((kind, text[low:high]) for kind, low, high in found)))
    assert missed == []


def each(convert: dict[str, str]) -> Callable[[str], str]:
    """Returns a function that replaces single characters."""
    return lambda text: text.translate(str.maketrans(convert))


def digits_from(zero: int) -> dict[str, str]:
    """Returns the digits of another script."""
    return {str(value): chr(zero + value) for value in range(10)}


DISGUISES: dict[str, Callable[[str], str]] = {
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "full-width": each({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)}),
    "full-width digits": each(digits_from(0xFF10)),
    "mathematical digits": each(digits_from(0x1D7CE)),
    "Arabic digits": each(digits_from(0x0660)),
    "en dash": each({"-": "–"}),
    "minus": each({"-": "−"}),
    "unbreakable spaces": each({" ": "\u00a0"}),
    "ideographic spaces": each({" ": "\u3000"}),
    "zero-width spaces": lambda text: "".join(f"{character}\u200b" for character in text),
    "keycaps": lambda text: re.sub("([0-9])", "\\1\ufe0f\u20e3", text),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_examples_are_found_in_disguise(analyzer: Analyzer, disguise: str) -> None:
    """Every example is found in other forms of the same characters, and its span covers just those."""
    written = DISGUISES[disguise]
    missed = []
    for recognizer in PACK:
        for example in recognizer.examples:
            assert example.match is not None
            text, value = written(example.text), written(example.match)
            found = [text[hit.start : hit.end] for hit in analyzer.analyze([text])[0]]
            # An invisible character behind the last digit may stay outside.
            if not any(one == value or one == value.rstrip("\u200b\ufe0f\u20e3") for one in found):
                missed.append((recognizer.name, text, found))
    assert missed == []
