from __future__ import annotations

import json
import pickle
import re
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard import ConfigError, Guard
from sovguard.entities import ENTITY_TYPES
from sovguard.irreversible import applied
from sovguard.realistic import realistic
from sovguard.realistic.drawn import DATA
from sovguard.realistic.names import WORDS, MadeUpNames

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
KEY = bytes(range(32))
MADE = realistic(KEY)
SAMPLES = {
    "PERSON": "홍길동",
    "PHONE_NUMBER": "010-2345-6789",
    "KR_RRN": "900101-1234567",
    "KR_FRN": "900101-5234567",
    "CREDIT_CARD": "4111-1111-1111-1111",
    "EMAIL_ADDRESS": "gildong.hong@acme.co.kr",
    "KR_ADDRESS": "서울특별시 강남구 테헤란로 152, 3층",
    "IP_ADDRESS": "10.20.30.40",
    "MAC_ADDRESS": "a0:b1:c2:d3:e4:f5",
    "DATE_OF_BIRTH": "1990-01-02",
    "KR_BANK_ACCOUNT": "110-123-456789",
    "USERNAME": "gildong77",
}


def luhn(digits: str) -> bool:
    """Whether the check digit fits."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


@pytest.mark.parametrize(("entity_type", "value"), list(SAMPLES.items()), ids=list(SAMPLES))
def test_a_value_becomes_another_that_looks_like_it(entity_type: str, value: str) -> None:
    """The same each time under a key, and another one under another."""
    made = MADE(value, entity_type)
    assert made == realistic(KEY)(value, entity_type) != value
    others = {realistic(bytes([each]) * 32)(value, entity_type) for each in range(12)}
    assert len(others) > 3
    if entity_type not in ("KR_ADDRESS", "EMAIL_ADDRESS", "IP_ADDRESS"):
        assert len(made) == len(value)


def test_nothing_is_anybodys() -> None:
    """As far as that can be had."""
    for each in range(50):
        made = realistic(bytes([each]) * 32)
        assert re.fullmatch("010-0[0-9]{3}-[0-9]{4}", made("010-2345-6789", "PHONE_NUMBER"))
        assert made("02)345-6789", "PHONE_NUMBER").startswith("02)0")
        resident = made("900101-2234567", "KR_RRN")
        assert 31 <= int(resident[:2]) <= 99
        assert resident[7] == "4"
        assert not luhn(made("4111-1111-1111-1111", "CREDIT_CARD").replace("-", ""))
        assert re.search("@example[.](com|net|org)$", made("a@b.kr", "EMAIL_ADDRESS"))
        assert ip_address(made("10.0.0.1", "IP_ADDRESS")) in ip_network("198.18.0.0/15")
        assert made("fe80::1", "IP_ADDRESS").startswith("2001:db8::")
        assert re.fullmatch(
            "서울특별시 [가-힣]{2,4}로[0-9]{2,3}번길 [0-9]{1,2}",
            made("서울특별시 강남구 테헤란로 152", "KR_ADDRESS"),
        )


def test_mentions_of_one_person_stay_one() -> None:
    """Full name and given name, spread or not; length and hint of a gender are kept."""
    full, given_name = MADE("홍길순", "PERSON"), MADE("길순", "PERSON")
    assert full.endswith(given_name)
    assert MADE("홍 길순", "PERSON") == full
    assert len(MADE("남궁민수", "PERSON")) == 4
    assert len(MADE("김건", "PERSON")) == 2
    women, men = [
        {realistic(bytes([each]) * 32)(name, "PERSON")[1:] for each in range(30)}
        for name in ("김영희", "박철호")
    ]
    assert not women & men
    assert MADE("Gildong Hong", "PERSON").istitle()
    assert MADE("HONG GILDONG", "PERSON").isupper()


def test_names_of_common_syllables_never_meet() -> None:
    """Not one of them becomes what another does, or stays what it is; neither do surnames."""
    for kind in ("woman", "man", "either"):
        made = {MADE(f"김{given}", "PERSON") for given in set(WORDS[kind])}
        assert len(made) == len(set(WORDS[kind]))
        assert all(each[0] != "김" and each[1:] in set(WORDS[kind]) for each in made)
    assert len({MADE(f"김{given}", "PERSON") for given in DATA["names"]["one_syllable"]}) == 10
    assert len({MADE(f"{surname}지훈", "PERSON") for surname in set(WORDS["surname"])}) == len(
        set(WORDS["surname"])
    )
    latin = [f"{given} {surname}" for given in WORDS["latin given"][:300] for surname in ("Kim", "Smith")]
    assert len({MADE(name, "PERSON") for name in latin}) == len(latin)
    hints = [{given[-1] for given in WORDS[kind]} for kind in ("woman", "man", "either")]
    assert not hints[0] & hints[1] | hints[1] & hints[2] | hints[0] & hints[2]


def test_short_and_long_surnames_never_meet() -> None:
    """선우은 is one name, whether 선 or 선우 is its surname."""
    givens = [*WORDS["either"], *WORDS["woman"]]
    names = {surname + given for surname in "선황남제사독김이" for given in givens}
    names |= {surname + given for surname in WORDS["long surname"] for given in WORDS["syllable"]}
    assert len({MADE(name, "PERSON") for name in names}) == len(names)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("José García", "[A-Z][a-z]+ [A-Z][a-z]+"),
        ("O'Brien", "[A-Z]'[A-Z][a-z]+"),
        ("John F. Kennedy", "[A-Z][a-z]+ [A-Z][.] [A-Z][a-z]+"),
        ("마이클", "[가-힣]+"),
        ("홍길동 Kim", "[가-힣]{3} [A-Z][a-z]+"),
        ("김민수2", "[가-힣]{3}2"),
        ("洪吉童", "[*]{3}"),
    ],
)
def test_names_of_other_kinds(name: str, form: str) -> None:
    """Initials stay initials, letters with accents are letters, signs stay."""
    made = MADE(name, "PERSON")
    assert re.fullmatch(form, made)
    assert made != name


def test_other_names_meet_seldom() -> None:
    """Of the different names of three syllables in all corpora, fewer than one in a hundred becomes what another does."""
    names = set()
    for path in (BENCHMARKS / "corpora").glob("*.jsonl"):
        for row in map(json.loads, path.read_text("utf-8").splitlines()):
            names |= {row["text"][start:end] for start, end, kind in row["spans"] if kind == "PERSON"}
    names = {name for name in names if re.fullmatch("[가-힣]{3}", name)}
    made = {MADE(name, "PERSON") for name in names}
    assert len(names) > 300
    assert len(names) - len(made) < len(names) / 100


def test_a_copy_makes_up_the_same() -> None:
    """In another process; the key is in no text about it."""
    for copied in (MADE, MadeUpNames(KEY)):
        again = pickle.loads(pickle.dumps(copied))  # noqa: S301  our own
        make = again.made if isinstance(again, MadeUpNames) else partial(again, entity_type="PERSON")
        assert make("홍길순") == MADE("홍길순", "PERSON")
        assert str(KEY) not in repr(copied)


@pytest.mark.parametrize(
    "name", ["Gildong Hong", "Hong Gildong", "HONG, Gil-dong", "Michael Smith", "kim minsu", "Q"]
)
def test_latin_names_keep_their_form(name: str) -> None:
    """Signs and case; surnames become surnames, wherever they stand."""
    made = MADE(name, "PERSON")
    assert re.sub("[A-Za-z]+", "", made) == re.sub("[A-Za-z]+", "", name)
    for word, other in zip(re.findall("[A-Za-z]+", name), re.findall("[A-Za-z]+", made), strict=True):
        assert (word.isupper() and len(word) > 1, word.islower()) == (
            other.isupper(),
            other.islower(),
        ) or name == "Q"
        for kind in ("latin surname", "western surname"):
            assert (word.title() in WORDS[kind]) <= (other.title() in WORDS[kind])


def test_numbers_that_are_written_otherwise_become_the_same() -> None:
    """So that what belonged together still does."""
    one, other = MADE("010-2345-6789", "PHONE_NUMBER"), MADE("01023456789", "PHONE_NUMBER")
    assert one.replace("-", "") == other


@given(st.text(max_size=20), st.sampled_from(sorted(ENTITY_TYPES)))
def test_whatever_is_called_a_value_is_replaced(value: str, entity_type: str) -> None:
    """Without an error, and never by itself where it says anything."""
    made = MADE(value, entity_type)
    assert made == MADE(value, entity_type)
    if re.search("[0-9A-Za-z가-힣]", value):
        assert made != value


def test_a_text_stays_readable() -> None:
    """What is found in it is replaced, and found again in its new form."""
    guard = Guard(names="off")
    text = "번호는 010-2345-6789이고 메일은 gildong@acme.co.kr입니다"
    done = applied(text, guard.scan(text), MADE)
    assert [hit.entity_type for hit in guard.scan(done)] == ["PHONE_NUMBER", "EMAIL_ADDRESS"]
    assert "2345" not in done


@pytest.mark.parametrize("key", [b"", b"x" * 31, "x" * 32])
def test_what_is_no_key(key: object) -> None:
    """32 octets, and nothing else."""
    with pytest.raises(ConfigError):
        realistic(key)  # type: ignore[arg-type]
