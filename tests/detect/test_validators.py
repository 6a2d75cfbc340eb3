from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovguard.detect.packs import built_in_pack
from sovguard.detect.validators import VALIDATORS, Verdict

PASSED, FAILED, REFUTED = Verdict.PASSED, Verdict.FAILED, Verdict.REFUTED


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("resident_number", "310101-3000000", PASSED),
        ("resident_number", "3101013000000", PASSED),
        ("resident_number", "310101-3000003", FAILED),  # issued since October 2020, or mistyped
        ("resident_number", "311301-3000002", REFUTED),
        ("resident_number", "310132-3000002", REFUTED),
        ("resident_number", "310230-3000002", REFUTED),
        ("resident_number", "310229-3000002", REFUTED),
        ("resident_number", "320229-3", PASSED),  # a leap year; too short to hold a check digit
        ("resident_number", "000229-3", PASSED),  # 2000 was one
        ("resident_number", "000229-1", REFUTED),  # 1900 was not
        ("foreigner_number", "310101-7000003", PASSED),
        ("foreigner_number", "310101-7000001", PASSED),  # the other of the two rules in use
        ("foreigner_number", "310101-7000002", FAILED),
        ("foreigner_number", "319901-7000004", REFUTED),
        ("business_number", "220-81-62517", PASSED),
        ("business_number", "2208162517", PASSED),
        ("business_number", "220-81-62518", FAILED),
        ("business_number", "100-81-62517", REFUTED),
        ("business_number", "220-00-62517", REFUTED),
        ("business_number", "220-81-00007", REFUTED),
        ("corporation_number", "130111-0006246", PASSED),
        ("corporation_number", "130111-0006247", FAILED),
        ("corporation_number", "130199-0006246", REFUTED),
        ("payment_card", "4111-1111-1111-1111", PASSED),
        ("payment_card", "3700-000000-00002", PASSED),
        ("payment_card", "9410-0000-0000-0005", PASSED),  # 9: for use in Korea only
        ("payment_card", "4111-1111-1111-1112", FAILED),
        ("payment_card", "0000-0000-0000-0000", REFUTED),
        ("payment_card_only", "4111\n1111\n1111\n1111", PASSED),
        ("payment_card_only", "4111\n1111\n1111\n1112", REFUTED),
        ("payment_card", "9407-****-****-7043", FAILED),  # masked: possible, and nothing to add up
        ("driver_license", "11-31-000000-99", PASSED),
        ("driver_license", "28-31-000000-99", PASSED),
        ("driver_license", "27-31-000000-99", FAILED),
        ("driver_license", "99-31-000000-99", FAILED),
        ("timestamp_free", "202607221530", REFUTED),
        ("timestamp_free", "20260722153001", REFUTED),
        ("timestamp_free", "202613221530", PASSED),
        ("timestamp_free", "202607222560", PASSED),
        ("timestamp_free", "112607221530", PASSED),
        ("ip_address", "192.0.2.44", PASSED),
        ("ip_address", "2001:db8::1", PASSED),
        ("ip_address", "300.1.2.3", REFUTED),
        ("ip_address", "0.0.0.0", REFUTED),  # noqa: S104  # nobody listens here: the unspecified address
        ("ip_address", "12:30:45", REFUTED),
        ("mac_address", "02:00:5E:10:00:FF", PASSED),
        ("mac_address", "00:00:00:00:00:00", REFUTED),
        ("mac_address", "FF:FF:FF:FF:FF:FF", REFUTED),
        ("phone_number", "010-0000-1234", PASSED),
        ("phone_number", "1592-1598", REFUTED),
        ("phone_number", "010-1111-1111", REFUTED),
        ("birth_date", "1985-03-12", PASSED),
        ("birth_date", "850312", PASSED),
        ("birth_date", "19850312", PASSED),
        ("birth_date", "1985-13-40", REFUTED),
        ("birth_date", "2020.02.30", REFUTED),
        ("birth_date", "2999-01-01", REFUTED),
        ("birth_date", "1700-01-01", REFUTED),
        ("bank_account", "3333-00-0000017", PASSED),
        ("bank_account", "110-000-000017", PASSED),
        ("bank_account", "12-34-5678901", FAILED),
        ("bank_account", "123-45", REFUTED),
        ("bank_account", "0000000000", REFUTED),
        ("bank_account", "20260722153001", REFUTED),
        ("handle", "@hong.gil_dong", PASSED),
        ("handle", "gildong", FAILED),
        ("handle", "@instagram", REFUTED),
        ("handle", "report.pdf", REFUTED),
        ("handle", "20260722", REFUTED),
        ("issued_number", "K2500017", PASSED),
        ("issued_number", "2024", REFUTED),
        ("issued_number", "2026-07-22", REFUTED),
        ("issued_number", "12", REFUTED),
    ],
)
def test_what_a_check_says(name: str, value: str, verdict: Verdict) -> None:
    """Each check passes what its public rule passes and refutes what cannot exist."""
    assert VALIDATORS[name](value) is verdict


@pytest.mark.parametrize("name", VALIDATORS)
@settings(deadline=None)
@given(value=st.one_of(st.text(), st.text("0123456789-*:. ", max_size=20)))
def test_a_check_answers_whatever_it_is_given(name: str, value: str) -> None:
    """A file may name any check for any pattern, so a check says something about any text and never fails."""
    assert isinstance(VALIDATORS[name](value), Verdict)


@pytest.mark.parametrize(
    ("name", "length", "places"),
    [
        ("resident_number", 13, {6: "34"}),
        ("business_number", 10, {}),
        ("corporation_number", 13, {4: "1", 5: "1"}),
    ],
)
def test_one_random_number_in_ten_passes(name: str, length: int, places: dict[int, str]) -> None:
    """The reason why a check digit raises a score and never decides alone: about a tenth of all numbers pass."""
    numbers = random.Random(2031)  # noqa: S311  # nothing secret: the same numbers in every run
    verdicts: list[Verdict] = []
    while len(verdicts) < 4000:
        value = "".join(numbers.choice(places.get(place, "0123456789")) for place in range(length))
        verdict = VALIDATORS[name](value)
        if verdict is not REFUTED:
            verdicts.append(verdict)
    assert 0.07 < verdicts.count(PASSED) / len(verdicts) < 0.13


def test_every_check_is_named_by_a_file() -> None:
    """No check lies around unused, and none is missing."""
    used = {
        pattern.validator for recognizer in built_in_pack().recognizers for pattern in recognizer.patterns
    }
    assert used - {None} == set(VALIDATORS)


def test_a_time_far_ahead_is_a_number() -> None:
    """An account number may read as a minute of a year that no log has reached."""
    assert VALIDATORS["timestamp_free"]("209907261210") is Verdict.PASSED
    assert VALIDATORS["timestamp_free"]("202607221530") is Verdict.REFUTED
