from __future__ import annotations

import pytest

from sovguard.detect.beside_names import beside_names
from sovguard.entities import Detection, Evidence

NAME = "홍길동"


def found(text: str) -> list[tuple[str, str]]:
    """Returns what stands beside the name in a text that holds it once."""
    start = text.index(NAME)
    name = Detection("PERSON", start, start + len(NAME), 0.9, "person", Evidence("label"))
    return [(hit.entity_type, text[hit.start : hit.end]) for hit in beside_names(text, [name])]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1. 홍길동(1989.03.08)은", "1989.03.08"),
        ("청구인 홍길동 (1968-08-15)", "1968-08-15"),
        ("홍길동님(19830604)께", "19830604"),
        ("홍길동 고객님 (830604)", "830604"),
        ("홍길동[1972년 3월 15일생]", "1972년 3월 15일생"),
        ("홍길동, 1985.03.12, 서울", "1985.03.12"),
        ("홍길동 | 1985-03-12 | 서울", "1985-03-12"),
    ],
)
def test_birth_dates_beside_a_name(text: str, value: str) -> None:
    """A date long past directly behind a name is when that person was born."""
    assert found(text) == [("DATE_OF_BIRTH", value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("B2에는 홍길동(A-10482)이", "A-10482"),
        ("홍길동 (F/34, HN-77120)", "HN-77120"),
        ("홍길동 님 (M/66, ID 4471902)", "4471902"),
        ("홍길동 사원(20331234)", "20331234"),
    ],
)
def test_numbers_beside_a_name(text: str, value: str) -> None:
    """A code in brackets behind a name was issued to that person."""
    assert found(text) == [("ID_NUMBER", value)]


@pytest.mark.parametrize(
    "text",
    [
        "홍길동",
        "홍길동은 그날 (1989.03.08) 갔다",
        "홍길동(팀장)",
        "홍길동(2031.03.08 방문)",
        "홍길동(3301)",
        "홍길동(2099.03.08)",
        "홍길동(1989.13.08)",
        "홍길동(서울 3팀)",
        "홍길동, 3층 301호",
        "홍길동, 2099-03-12 방문",
        "홍길동(\n1989.03.08)",
    ],
)
def test_what_is_neither(text: str) -> None:
    """Titles, extensions, impossible or future dates and other remarks in brackets are left alone."""
    assert found(text) == []
