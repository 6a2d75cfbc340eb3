from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard import ConfigError, Guard
from sovguard.entities import ENTITY_TYPES
from sovguard.irreversible import applied, mask, pseudonym, remove
from tests.servers import NAME, TEXT, VALUES, PatternAnalyzer


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("PERSON", "홍길동", "홍*동"),
        ("PERSON", "김철", "김*"),
        ("PERSON", "남궁민수", "남**수"),
        ("PERSON", "John Smith", "J*** S****"),
        ("PHONE_NUMBER", "010-0000-5678", "010-****-5678"),
        ("PHONE_NUMBER", "01000005678", "010****5678"),
        ("PHONE_NUMBER", "+82 10-0000-5678", "+82 10-****-5678"),
        ("KR_RRN", "360101-1234567", "360101-1******"),
        ("KR_RRN", "3601011234567", "3601011******"),
        ("EMAIL_ADDRESS", "hong@example.com", "ho**@example.com"),
        ("EMAIL_ADDRESS", "a@example.com", "*@example.com"),
        ("CREDIT_CARD", "4111-1111-1111-1111", "4111-11**-****-1111"),
        ("KR_BANK_ACCOUNT", "110-000-000017", "110-***-****17"),
        ("KR_ADDRESS", "서울특별시 강남구 테헤란로 123", "서울특별시 강남구 **** ***"),
        ("DATE_OF_BIRTH", "2036-01-02", "2036-**-**"),
        ("KR_LICENSE_PLATE", "12가 3456", "12가 **56"),
        ("IP_ADDRESS", "10.0.0.12", "10.*.*.*"),
        ("KR_PASSPORT", "M12345678", "M1*******"),
        ("USERNAME", "a", "*"),
    ],
)
def test_masks_are_those_of_korean_documents(name: str, value: str, masked: str) -> None:
    """What is shown and what is starred, by type."""
    assert mask(value, name) == masked


@given(st.text(min_size=1).filter(lambda value: set(value) != {"*"}), st.sampled_from([*ENTITY_TYPES]))
def test_no_value_is_shown_whole(value: str, name: str) -> None:
    """Whatever a type's value looks like, something of it is hidden."""
    assert mask(value, name) != value


def test_pseudonyms_are_keyed() -> None:
    """Equal for equal values of a type under one key, and for nothing else."""
    one, two = pseudonym(bytes(32)), pseudonym(b"1" * 32)
    assert one(NAME, "PERSON") == one(NAME, "PERSON") != two(NAME, "PERSON")
    assert one(NAME, "PERSON") != one(NAME, "USERNAME")
    assert one(NAME, "PERSON").startswith("PERSON#")
    with pytest.raises(ConfigError):
        pseudonym(b"short")


@pytest.mark.parametrize("replace", [mask, remove, pseudonym(bytes(32))])
def test_applied_to_what_was_found(replace: object) -> None:
    """Every value of a text is replaced, and the rest stays."""
    found = sorted(Guard(_analyzer=PatternAnalyzer()).scan(TEXT), key=lambda hit: hit.start)
    shown = applied(TEXT, found, replace)  # type: ignore[arg-type]
    assert not any(value in shown for value in VALUES)
    assert "고객이" in shown
    assert "답장은" in shown
