"""Ours beside the five Korean recognizers of Presidio 2.2: what they find rightly is found, what they take wrongly is not.

Values are made here, in the forms that Presidio's expressions take; birth years lie after 2030, so that nobody has them.

Two forms are left to Presidio on purpose: ten and twelve bare digits with no word beside them. It calls every tenth and every
sixth number of that length a business number and a licence, see the last test.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random

import pytest
from presidio_analyzer import PatternRecognizer
from presidio_analyzer.predefined_recognizers import (
    KrBrnRecognizer,
    KrDriverLicenseRecognizer,
    KrFrnRecognizer,
    KrPassportRecognizer,
    KrRrnRecognizer,
)

from sovguard.detect.analyzer import Analyzer

ANALYZER = Analyzer(names="off")
PRESIDIO: dict[str, PatternRecognizer] = {
    "KR_RRN": KrRrnRecognizer(supported_language="ko"),
    "KR_FRN": KrFrnRecognizer(supported_language="ko"),
    "KR_BRN": KrBrnRecognizer(supported_language="ko"),
    "KR_PASSPORT": KrPassportRecognizer(supported_language="ko"),
    "KR_DRIVER_LICENSE": KrDriverLicenseRecognizer(supported_language="ko"),
}
LABEL = {
    "KR_RRN": "주민등록번호",
    "KR_FRN": "외국인등록번호",
    "KR_BRN": "사업자등록번호",
    "KR_PASSPORT": "여권번호",
    "KR_DRIVER_LICENSE": "운전면허번호",
}
LABELLED = (
    "{label}는 {value}입니다",
    "{label}: {value}",
    "{label}{value}를 확인",
    "제 {label}가 {value}이고요",
)
UNLABELLED = ("값은 {value}입니다", "{value}", "여기{value}로 보내", "It is {value}")
SURE = 0.5
Span = tuple[int, int]


def theirs(entity_type: str, text: str, least: float) -> set[Span]:
    """Returns what Presidio's recognizer of a type finds with at least that score."""
    found = PRESIDIO[entity_type].analyze(text, [entity_type], nlp_artifacts=None)
    return {(hit.start, hit.end) for hit in found if hit.score >= least}


def ours(entity_type: str, text: str) -> set[Span]:
    """Returns what is found of a type."""
    return {(hit.start, hit.end) for hit in ANALYZER.analyze([text])[0] if hit.entity_type == entity_type}


def registration(chance: Random, sexes: str, offset: int, *, checked: bool) -> str:
    """Returns a resident or foreigner number of thirteen digits whose check digit is right, or is not."""
    birth = f"{chance.randrange(31, 100)}{chance.randrange(1, 13):02}{chance.randrange(1, 29):02}"
    digits = birth + chance.choice(sexes) + f"{chance.randrange(96):02}{chance.randrange(1000):03}"
    weights = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    # The two rules of foreigners' numbers differ by two, so that an error of five satisfies neither.
    return digits + str((offset - total % 11 + (0 if checked else 5)) % 10)


def business(chance: Random) -> str:
    """Returns a business number of ten digits with its check digit."""
    digits = f"{chance.randrange(101, 1000)}{chance.randrange(1, 100):02}{chance.randrange(1, 10_000):04}"
    total = sum(
        int(digit) * weight for digit, weight in zip(digits, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=True)
    )
    return digits + str(-(total + int(digits[8]) * 5 // 10) % 10)


def valid_values() -> Iterator[tuple[str, str, bool]]:
    """Yields (type, value, whether the value says what it is without a label)."""
    chance = Random(2031)  # noqa: S311  # nothing secret: the same values in every run
    for _ in range(12):
        for entity_type, sexes, offset in (("KR_RRN", "34", 11), ("KR_FRN", "78", 13)):
            for checked in (True, False):
                digits = registration(chance, sexes, offset, checked=checked)
                yield entity_type, f"{digits[:6]}-{digits[6:]}", True
                # Of bare runs of thirteen digits only one in ten passes the check, and nothing else tells the others.
                yield entity_type, digits, checked
        digits = business(chance)
        yield "KR_BRN", f"{digits[:3]}-{digits[3:5]}-{digits[5:]}", True
        yield "KR_BRN", digits, False
        letter = chance.choice("MSRODmsrod")
        yield (
            "KR_PASSPORT",
            f"{letter}{chance.randrange(1000):03}{chance.choice('ABCefg')}{chance.randrange(10_000):04}",
            True,
        )
        yield "KR_PASSPORT", f"{letter}{chance.randrange(10**8):08}", False
        region = chance.choice(["11", "12", "19", "20", "21", "26", "28"])
        licence = (
            region,
            f"{chance.randrange(100):02}",
            f"{chance.randrange(10**6):06}",
            f"{chance.randrange(100):02}",
        )
        yield "KR_DRIVER_LICENSE", "-".join(licence), True
        yield "KR_DRIVER_LICENSE", " ".join(licence), True
        yield "KR_DRIVER_LICENSE", "".join(licence), False


VALUES = list(valid_values())


def missed(values: list[tuple[str, str]], sentences: tuple[str, ...], least: float) -> list[str]:
    """Returns the sentences in which Presidio finds a value, and its span is not among ours."""
    lost = []
    for entity_type, value in values:
        for sentence in sentences:
            text = sentence.format(label=LABEL[entity_type], value=value)
            span = (text.index(value), text.index(value) + len(value))
            if span in theirs(entity_type, text, least) and span not in ours(entity_type, text):
                lost.append(text)
    return lost


@pytest.mark.parametrize("entity_type", PRESIDIO)
def test_presidio_finds_these(entity_type: str) -> None:
    """The comparison compares something: Presidio takes all of these values."""
    for kind, value, _ in VALUES:
        if kind == entity_type:
            assert theirs(kind, f"값은 {value}입니다", 0.05) == {(3, 3 + len(value))}


@pytest.mark.parametrize("entity_type", PRESIDIO)
def test_what_presidio_finds_beside_its_label_is_found(entity_type: str) -> None:
    """Whatever Presidio takes at all is found, to the character, where the text says what it is."""
    values = [(kind, value) for kind, value, _ in VALUES if kind == entity_type]
    assert missed(values, LABELLED, 0.05) == []


@pytest.mark.parametrize("entity_type", PRESIDIO)
def test_what_presidio_is_sure_of_is_found_alone(entity_type: str) -> None:
    """A value whose form or check digit says what it is needs no label."""
    values = [(kind, value) for kind, value, alone in VALUES if kind == entity_type and alone]
    assert missed(values, UNLABELLED, SURE) == []


def test_licence_numbers_joined_in_any_way() -> None:
    """Presidio lets each of the three joints be a hyphen, a space or nothing; so do we beside a label."""
    values = [
        ("KR_DRIVER_LICENSE", f"11{first}31{second}000017{third}99")
        for first, second, third in product(("-", " ", ""), repeat=3)
    ]
    assert missed(values, LABELLED[:1], 0.05) == []


@pytest.mark.parametrize("sentence", [*LABELLED, *UNLABELLED])
@pytest.mark.parametrize(
    ("entity_type", "value"),
    [
        (entity_type, f"{date}{gap}{digits}")
        for entity_type, digits in (("KR_RRN", "3000002"), ("KR_FRN", "7000004"))
        for date in ("311301", "310001", "310132", "310100", "319999")
        for gap in ("-", "")
    ],
)
def test_dates_that_presidio_refuses_are_refused(entity_type: str, value: str, sentence: str) -> None:
    """A thirteenth month or a day 32 makes no resident number, whatever stands before it."""
    text = sentence.format(label=LABEL[entity_type], value=value)
    assert theirs(entity_type, text, 0.0) == set()
    assert ours("KR_RRN", text) | ours("KR_FRN", text) == set()


@pytest.mark.parametrize("value", ["310230-3000002", "310229-3000002", "310431-7000004"])
def test_dates_that_presidio_takes_are_refused_too(value: str) -> None:
    """The thirtieth of February is no date either, though Presidio's expression takes it."""
    text = f"등록번호는 {value}입니다"
    assert any(theirs(entity_type, text, SURE) for entity_type in ("KR_RRN", "KR_FRN"))
    assert ours("KR_RRN", text) | ours("KR_FRN", text) == set()


@pytest.mark.parametrize(
    "value",
    [
        "310101-30000021",
        "310101+3000002",
        "11-31-00001-99",
        "111-31-000017-99",
        "11-31-000017-999",
        "MM123A4567",
        "M12A4567",
    ],
)
def test_forms_that_presidio_refuses_are_refused(value: str) -> None:
    """Digits too many or too few and other joints make none of the five types."""
    text = f"값은 {value}입니다"
    assert not any(theirs(entity_type, text, 0.0) for entity_type in PRESIDIO)
    assert not any(ours(entity_type, text) for entity_type in PRESIDIO)


@pytest.mark.parametrize("length", [10, 12, 13])
def test_fewer_random_numbers_are_taken_for_something(length: int) -> None:
    """Of numbers that are nothing, with nothing beside them, far fewer are detected, as any type, than by Presidio."""
    chance = Random(length)  # noqa: S311  # the same numbers in every run
    texts = [f"값 {''.join(chance.choices('0123456789', k=length))} 확인" for _ in range(4000)]
    wrong = sum(bool(hits) for hits in ANALYZER.analyze(texts))
    theirs_wrong = sum(any(theirs(kind, text, SURE) for kind in PRESIDIO) for text in texts)
    assert wrong < theirs_wrong / 2
