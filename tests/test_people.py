from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard import Guard
from sovguard.entities import Detection, Evidence
from sovguard.people import People, keys
from sovguard.surrogates import ALPHABET
from tests.fakes import Spans

MARK = re.compile("⟪(.+?)⟫")


def marked(text: str) -> tuple[str, list[Detection]]:
    """A text without its marks, and a PERSON detection for each."""
    plain, hits, last = "", [], 0
    for match in MARK.finditer(text):
        plain += text[last : match.start()]
        hits.append(
            Detection("PERSON", len(plain), len(plain) + len(match[1]), 0.8, "person", Evidence("test"))
        )
        plain += match[1]
        last = match.end()
    return plain + text[last:], hits


def groups(*texts: str) -> str:
    """Which mentions are of one person, as a letter for each: the first person is a, the next b."""
    plain, found = zip(*(marked(text) for text in texts), strict=True)
    order: dict[str, str] = {}
    each = [key for row in keys(plain, found) for key in row]
    return "".join(order.setdefault(key, chr(97 + len(order))) for key in each)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["⟪김민준⟫이 왔다. ⟪민준⟫아, ⟪민준⟫이는"], "aaa"),
        (["⟪민준⟫이가 ⟪김민준⟫이다"], "aa"),
        (["⟪김민준⟫ 과장께. ⟪김⟫ 과장이 ⟪김⟫과장님"], "aaa"),
        (["과장 ⟪김민준⟫입니다. ⟪김⟫ 과장"], "aa"),
        (["⟪김민준⟫ 과장과 ⟪김서연⟫ 대리, ⟪김⟫ 과장, ⟪김⟫ 대리"], "abab"),
        (["⟪김민준⟫과 ⟪이민준⟫, ⟪민준⟫이"], "abc"),
        (["⟪김민준⟫ 과장, ⟪김서연⟫ 과장, ⟪김⟫ 과장"], "abc"),
        (["⟪김⟫ 과장과 ⟪김⟫ 대리, ⟪김⟫과장"], "aba"),
        (["고객 ⟪김민준⟫, 담당 ⟪김⟫ 과장"], "ab"),
        (["⟪김민준⟫(34) 씨는 … ⟪김⟫씨는"], "aa"),
        (["⟪김⟫모(34)씨는 … ⟪김⟫씨는"], "aa"),
        (["⟪홍길동⟫ … ⟪홍 길 동⟫"], "aa"),
        (["⟪남궁민수⟫ 이사, ⟪민수⟫야, ⟪남궁⟫ 이사"], "aaa"),
        (["⟪마이클 조던⟫이 … ⟪조던⟫은"], "aa"),
        (["⟪Kim Minsu⟫ … ⟪Minsu⟫"], "aa"),
        (["⟪홍*동⟫ … ⟪홍길동⟫"], "ab"),
        (["⟪김민준⟫", "⟪민준⟫이"], "aa"),
        (["⟪지은⟫이 … ⟪지은⟫아"], "aa"),
    ],
)
def test_mentions_of_one_person_are_told(texts: list[str], expected: str) -> None:
    """Mentions are one person where nobody else can be meant, and two where someone else can."""
    assert groups(*texts) == expected


def test_people_of_earlier_requests_are_known() -> None:
    """A given name goes to the one person of the session who has it; a form with a number of its own keeps it."""
    assert keys(*_row("⟪민준⟫이"), _known("김민준")) == [["김민준"]]
    assert keys(*_row("⟪민준⟫이"), _known("김민준", "이민준")) == [["민준"]]
    assert keys(*_row("⟪민준⟫이 ⟪김민준⟫"), _known("민준")) == [["민준", "김민준"]]
    assert keys(*_row("⟪김⟫ 과장"), _known("김 과장")) == [["김 과장"]]


def _known(*names: str) -> People:
    people = People()
    people.add(names)
    return people


def _row(text: str) -> tuple[list[str], list[list[Detection]]]:
    plain, hits = marked(text)
    return [plain], [hits]


def test_other_detections_have_no_key() -> None:
    """What is no person gets an empty key."""
    assert keys(["010-0000-1234"], [[Detection("PHONE_NUMBER", 0, 13, 0.9, "phone", Evidence("x"))]]) == [
        [""]
    ]


def surrogates(text: str) -> tuple[list[str], str, str]:
    """The surrogates of a marked text, its redaction, and what that restores to."""
    plain, hits = marked(text)
    with Guard(_analyzer=Spans(hits)).session() as session:
        redacted = session.redact(plain).text
        return re.findall(f"PERSON-([{ALPHABET}]{{8}})", redacted), plain, session.restore(redacted).text


def test_one_person_has_one_number() -> None:
    """Surrogates of one person agree but for form mark and check character; another person's do not."""
    bodies, plain, restored = surrogates("⟪김민준⟫ 과장, ⟪민준⟫이, ⟪김⟫ 과장, ⟪박서연⟫, ⟪김민준⟫")
    assert len({body[:6] for body in bodies}) == 2
    assert bodies[0][:6] == bodies[1][:6] == bodies[2][:6] != bodies[3][:6]
    assert len(set(bodies)) == 4
    assert bodies[0] == bodies[4]
    assert restored == plain


@given(
    st.lists(
        st.sampled_from(["김민준", "민준", "김", "이민준", "홍 길 동", "박 ", "Kim Minsu", "Minsu"]),
        max_size=40,
    )
)
def test_every_mention_restores_to_its_own_form(names: list[str]) -> None:
    """Whoever is taken for whom, each mention comes back as it stood."""
    _, plain, restored = surrogates(" 과장, ".join(f"⟪{name}⟫" for name in names))
    assert restored == plain


def test_a_person_with_many_forms_gets_further_numbers() -> None:
    """More forms than a block holds take another block; each still restores."""
    forms = [f"김{' ' * count}민준" for count in range(1, 40)]
    bodies, plain, restored = surrogates(", ".join(f"⟪{form}⟫" for form in forms))
    assert len(set(bodies)) == 39
    assert restored == plain
