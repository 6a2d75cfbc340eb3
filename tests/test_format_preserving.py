from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard import ConfigError, InputError
from sovguard.detect.validators import resident_number
from sovguard.format_preserving import FormatPreserving, _reads_as_another, ff1
from sovguard.vaultless import Scope

VECTORS = Path(__file__).parents[2] / "shared/data/vectors"
F = FormatPreserving(bytes(range(32)), Scope("acme", dataset="고객"))
OTHER = FormatPreserving(bytes(range(32)), Scope("acme", dataset="주문"))


def luhn(stem: str) -> str:
    """A card number with its check digit."""
    return next(stem + str(digit) for digit in range(10) if _passes(stem + str(digit)))


def _passes(digits: str) -> bool:
    total = sum(
        sum(divmod(int(digit) * 2, 10)) if place % 2 else int(digit)
        for place, digit in enumerate(reversed(digits))
    )
    return total % 10 == 0


PHONES = st.from_regex("(010-[0-9]{4}|02-[0-9]{3,4}|031-[0-9]{3})-[0-9]{4}", fullmatch=True)
ACCOUNTS = st.from_regex("[0-9]{3}-[0-9]{2,6}-[0-9]{4,6}", fullmatch=True).filter(
    lambda value: not _reads_as_another(value.replace("-", ""))
)
CARDS = st.from_regex("[3-6][0-9]{13,14}", fullmatch=True).map(luhn)
DAYS = st.dates(date(2000, 1, 1), date(2000, 12, 31))
RESIDENTS = st.builds("{:02}{:%m%d}-{:07}".format, st.integers(0, 99), DAYS, st.integers(0, 9_999_999))
VALUES = {"PHONE_NUMBER": PHONES, "KR_BANK_ACCOUNT": ACCOUNTS, "CREDIT_CARD": CARDS, "KR_RRN": RESIDENTS}


def shape(value: str) -> str:
    """A value with all of its digits alike."""
    return "".join("0" if char.isdigit() else char for char in value)


@given(st.sampled_from(list(VALUES)).flatmap(lambda name: st.tuples(st.just(name), VALUES[name])))
def test_the_shape_stays_and_the_value_comes_back(given_value: tuple[str, str]) -> None:
    """As many digits, everything between them in its place; the key gives the value back, another scope does not."""
    name, value = given_value
    swapped = F.encrypt(value, name)
    assert shape(swapped) == shape(value)
    assert F.decrypt(swapped, name) == value
    assert F.encrypt(value, name) == swapped
    assert OTHER.encrypt(value, name) != swapped
    digits = "".join(filter(str.isdigit, swapped))
    if name == "PHONE_NUMBER":
        assert swapped[:2] == value[:2]
    if name == "KR_BANK_ACCOUNT":
        assert not (len(digits) in (14, 15, 16) and _passes(digits))
        assert len(digits) != 13 or resident_number(digits) is not True
    if name == "CREDIT_CARD":
        assert not _passes(swapped)
    if name == "KR_RRN":
        assert not 1 <= int(swapped[2:4]) <= 12
        assert resident_number(swapped) is not True


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("010-12", "PHONE_NUMBER"),
        ("12345", "KR_BANK_ACCOUNT"),
        ("3512121234567", "KR_BANK_ACCOUNT"),
        ("4111111111111111", "KR_BANK_ACCOUNT"),
        ("1588-0003", "PHONE_NUMBER"),
        ("4111111111111112", "CREDIT_CARD"),
        ("991332-1234567", "KR_RRN"),
        ("351212-312345", "KR_RRN"),
        ("홍길동", "PERSON"),
        (5, "PHONE_NUMBER"),
    ],
)
def test_what_has_not_the_shape_is_refused(value: Any, name: str) -> None:
    """Too few digits, a card that fails its check, an impossible date, a type without a shape; the error shows no value."""
    with pytest.raises(InputError) as refused:
        F.encrypt(value, name)
    assert str(value) not in str(refused.value)


NOT_SWAPPED = [
    ("4111111111111111", "CREDIT_CARD"),
    ("351212-3123456", "KR_RRN"),
    ("991399-9999999", "KR_RRN"),
]


@pytest.mark.parametrize(("value", "name"), NOT_SWAPPED)
def test_what_was_not_swapped_is_not_swapped_back(value: str, name: str) -> None:
    """A real card or resident number is none that came out of here."""
    with pytest.raises(InputError, match="no swapped"):
        F.decrypt(value, name)


def test_keys_and_scopes_are_asked_for() -> None:
    """As for vaultless surrogates."""
    with pytest.raises(ConfigError, match="32"):
        FormatPreserving(b"", Scope("a", dataset="b"))
    with pytest.raises(ConfigError, match="Scope"):
        FormatPreserving(bytes(32), None)  # type: ignore[arg-type]
    assert repr(F) == "FormatPreserving()"


def test_ff1_of_nist() -> None:
    """Sample 1 of NIST's FF1 samples."""
    assert ff1(bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")).encrypt("0123456789") == "2433477484"


DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _numerals(given_as: str | list[int]) -> str:
    """A message of Wycheproof, whose digits are capitals or numbers; what is no digit stays none."""
    if isinstance(given_as, str):
        return "".join(char.lower() if char.lower() != char or char.isdigit() else "?" for char in given_as)
    return "".join(DIGITS[digit] if 0 <= digit < 36 else "?" for digit in given_as)


@pytest.mark.skipif(not VECTORS.exists(), reason="the files of Wycheproof are not beside the checkout")
@pytest.mark.parametrize(("name", "radix"), [("aes_ff1_radix10_test", 10), ("aes_ff1_base36_test", 36)])
def test_wycheproof_ff1(name: str, radix: int) -> None:
    """Valid ones in both directions; invalid ones, and domains under 10^6, are errors."""
    tried = 0
    for group in json.loads((VECTORS / f"{name}.json").read_text("utf-8"))["testGroups"]:
        for test in group["tests"]:
            tried += 1
            plain, sealed = (_numerals(each) for each in (test["msg"], test["ct"]))
            key, tweak = bytes.fromhex(test["key"]), bytes.fromhex(test["tweak"])
            if test["result"] == "valid" and radix ** len(plain) >= 10**6:
                cipher = ff1(key, radix)
                assert cipher.encrypt(plain, tweak=tweak) == sealed
                assert cipher.decrypt(sealed, tweak=tweak) == plain
            else:
                with pytest.raises(ValueError, match=r"."):
                    ff1(key, radix).encrypt(plain, tweak=tweak)
    assert tried > 2000
