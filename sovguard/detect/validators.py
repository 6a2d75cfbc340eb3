"""Checks that recognizer files name: check digits, calendars, ranges.

Each takes the matched value and says what it found. A check digit raises a score and never decides alone: the Korean
ones pass one random number in ten, and resident numbers issued since 5 October 2020 have none. What cannot exist at
all (a thirteenth month, an octet of 300) is refuted.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Callable
from enum import Enum
from operator import mul


class Verdict(Enum):
    """What a check found: ``PASSED``, ``FAILED`` (possible, but the check digit is off) or ``REFUTED`` (impossible)."""

    PASSED = "passed"
    FAILED = "failed"
    REFUTED = "refuted"


_NOT_DIGITS = re.compile("[^0-9]+")


def digits_of(value: str) -> str:
    """Returns the ASCII digits of ``value``."""
    bare = value.replace("-", "")  # nearly all that stands between digits, and faster than an expression
    return bare if bare.isascii() and bare.isdigit() else _NOT_DIGITS.sub("", bare)


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    """Returns the sum of digits times weights; ``digits`` are as many as ``weights``."""
    total: int = sum(map(mul, digits.encode(), weights))
    return total - ord("0") * sum(weights)


def _date(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except (ValueError, OverflowError):
        return None


_CENTURY = {
    "1": 1900,
    "2": 1900,
    "5": 1900,
    "6": 1900,
    "3": 2000,
    "4": 2000,
    "7": 2000,
    "8": 2000,
    "9": 1800,
    "0": 1800,
}
_RRN_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)


def _registration(value: str, offsets: tuple[int, ...]) -> Verdict:
    digits = digits_of(value)
    if len(digits) < 6:
        return Verdict.REFUTED
    century = _CENTURY.get(digits[6:7], 1900)
    born = _date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    if born is None and not digits[6:]:
        born = _date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    if born is None:
        return Verdict.REFUTED
    if len(digits) < 13:
        return Verdict.PASSED
    remainder = _weighted(digits[:12], _RRN_WEIGHTS) % 11
    return (
        Verdict.PASSED
        if any((offset - remainder) % 10 == int(digits[12]) for offset in offsets)
        else Verdict.FAILED
    )


def resident_number(value: str) -> Verdict:
    """Checks a 주민등록번호: calendar date and, for numbers with 13 digits, the check digit of before October 2020."""
    return _registration(value, (11,))


def foreigner_number(value: str) -> Verdict:
    """Checks a 외국인등록번호: calendar date and either of the two check rules in use (13− and 11−)."""
    return _registration(value, (13, 11))


def business_number(value: str) -> Verdict:
    """Checks a 사업자등록번호: office from 101, check digit over nine digits (National Tax Service rule)."""
    digits = digits_of(value)
    if len(digits) != 10 or int(digits[:3]) < 101 or digits[3:5] == "00" or digits[5:9] == "0000":
        return Verdict.REFUTED
    total = _weighted(digits[:9], (1, 3, 7, 1, 3, 7, 1, 3, 5)) + int(digits[8]) * 5 // 10
    return Verdict.PASSED if (10 - total % 10) % 10 == int(digits[9]) else Verdict.FAILED


_CORPORATION_WEIGHTS = (1, 2) * 6
_CORPORATION_KINDS = frozenset((*range(11, 16), 21, 22, *range(31, 54), 71, *range(81, 87)))


def corporation_number(value: str) -> Verdict:
    """Checks a 법인등록번호: the kind of corporation in digits five and six, and the check digit."""
    digits = digits_of(value)
    if len(digits) != 13 or int(digits[4:6]) not in _CORPORATION_KINDS:
        return Verdict.REFUTED
    total = _weighted(digits[:12], _CORPORATION_WEIGHTS)
    return Verdict.PASSED if (10 - total % 10) % 10 == int(digits[12]) else Verdict.FAILED


def payment_card(value: str) -> Verdict:
    """Checks a card number with the Luhn digit (ISO/IEC 7812-1); a masked number is possible and not checked."""
    if "*" in value:
        return Verdict.FAILED
    digits = digits_of(value)
    if len(set(digits)) < 2:
        return Verdict.REFUTED
    total = 0
    for index, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + index % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return Verdict.PASSED if total % 10 == 0 else Verdict.FAILED


def payment_card_only(value: str) -> Verdict:
    """Checks as ``payment_card``, and refutes what fails: for forms that rows of other numbers have as well."""
    verdict = payment_card(value)
    return verdict if verdict is Verdict.PASSED else Verdict.REFUTED


def driver_license(value: str) -> Verdict:
    """Checks a 운전면허번호: issuing region 11 to 26 or 28 (the check digits' rule is not public)."""
    digits = digits_of(value)
    return Verdict.PASSED if digits[:2] in _LICENSE_REGIONS else Verdict.FAILED


_LICENSE_REGIONS = frozenset((*map(str, range(11, 27)), "28"))


def timestamp_free(value: str) -> Verdict:
    """Refutes a run of 12 or 14 digits that reads as a date and time (YYYYMMDDHHMM), which logs are full of."""
    digits = digits_of(value)
    if len(digits) in (12, 14) and digits[:2] in ("19", "20"):
        day = _date(int(digits[:4]), int(digits[4:6]) or 13, int(digits[6:8]))
        # A clock that is years ahead is a number.
        if (
            day
            and day.year <= datetime.date.today().year + 1
            and int(digits[8:10]) < 24
            and int(digits[10:12]) < 60
        ):
            return Verdict.REFUTED
    return Verdict.PASSED


def ip_address(value: str) -> Verdict:
    """Checks an IPv4 or IPv6 address with the standard library's parser; an unspecified address is refuted."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return Verdict.REFUTED
    return Verdict.REFUTED if address.is_unspecified else Verdict.PASSED


def mac_address(value: str) -> Verdict:
    """Refutes what is no hardware address: all zeros, all ones, or too uniform to be one (a date, a count)."""
    digits = re.sub("[^0-9A-Fa-f]", "", value).lower()
    if len(set(digits)) == 1:
        return Verdict.REFUTED
    return Verdict.PASSED if re.search("[a-f]", digits) else Verdict.FAILED


_LONGEST_SPAN = 120
"""Years: what texts give as a span (1592-1598) is a war, a reign, a life; 1577-1900 is a number to call."""


def phone_number(value: str) -> Verdict:
    """Refutes what only looks like a phone number: a span of years (1592-1598), one repeated digit."""
    digits = digits_of(value)
    if len(digits) == 8 and "-" in value:
        first, last = int(digits[:4]), int(digits[4:])
        if 1500 <= first < last <= 2035 and last - first <= _LONGEST_SPAN:
            return Verdict.REFUTED
    return Verdict.REFUTED if len(set(digits[3:])) == 1 and digits[3:4] != "0" else Verdict.PASSED


def birth_date(value: str) -> Verdict:
    """Checks that numbers written as a date name a day on which a person alive or remembered may have been born."""
    numbers = [int(number) for number in re.findall("[0-9]+", value)]
    if len(numbers) == 1:
        digits = digits_of(value)
        if len(digits) == 8:
            numbers = [int(digits[:4]), int(digits[4:6]), int(digits[6:])]
        elif len(digits) == 6:
            numbers = [int(digits[:2]), int(digits[2:4]), int(digits[4:])]
    if len(numbers) < 3:
        return Verdict.PASSED
    year, month, day = numbers[:3]
    if year < 100:
        possible = [_date(century + year, month, day) for century in (1900, 2000)]
    elif 1850 <= year <= datetime.date.today().year:
        possible = [_date(year, month, day)]
    else:
        possible = []
    return Verdict.PASSED if any(possible) else Verdict.REFUTED


_ACCOUNT_PREFIXES = re.compile(
    "3333-?[0-9]{2}-?[0-9]{7}|(?:3388|3355|3310|7777|7979)-[0-9]{2}-[0-9]{7}"
    "|100[256]-[0-9]{3}-[0-9]{6}|1(?:10|40|00|61)-[0-9]{3}-[0-9]{6}"
    "|(?:30[12]|312|35[1256])-?[0-9]{4}-?[0-9]{4}-?[0-9]{2}|900[0-9]-[0-9]{4}-[0-9]{4}-[0-9]"
    "|[0-9]{6}-0[0-9]-[0-9]{6}|[0-9]{3}-91[0-9]{4}-[0-9]{5}|[0-9]{3}-[0-9]{6}-0[0-9]-[0-9]{3}"
)


def bank_account(value: str) -> Verdict:
    """Checks a 계좌번호: 10 to 14 digits, in a grouping and with a prefix that a Korean bank uses.

    No common check digit is public; groupings follow the account tables of 금융결제원.
    """
    digits = digits_of(value)
    if not 10 <= len(digits) <= 14 or len(set(digits)) < 3:
        return Verdict.REFUTED
    if timestamp_free(value) is Verdict.REFUTED and "-" not in value:
        return Verdict.REFUTED
    return Verdict.PASSED if _ACCOUNT_PREFIXES.fullmatch(value.replace(" ", "-")) else Verdict.FAILED


def handle(value: str) -> Verdict:
    """Refutes words that are no personal account name: service names, roles, file and host names, plain numbers."""
    name = value.lstrip("@").lower()
    if (
        not _LETTER.search(name)
        or name in _NO_HANDLES
        or _YEAR_AND_MONTH.match(name)
        or _FILE_ENDINGS.search(name)
        or _SERVICE.search(name)
        or _MADE_ID.fullmatch(value)
    ):
        return Verdict.REFUTED
    return Verdict.PASSED if re.search("[0-9._#-]", name) else Verdict.FAILED


_NO_HANDLES = frozenset(
    """
    admin administrator root user users username test guest system null none true false id login logout
    password kakao kakaotalk naver google daum gmail instagram insta facebook twitter telegram discord
    github gitlab slack line dm sns app web api sso ldap oauth email mail and or not is in at the with
    for from card pay key token session name nickname iphone android ios windows mac linux chrome www
    http https com net org string int integer varchar text char bigint uuid primary default unique index
    references account accounts service services server client kr
    ubuntu centos debian ec2-user deploy deployer runner jenkins node www-data git docker postgres mysql redis nginx
    apache hadoop spark airflow oracle vagrant pi nobody ftp build ci shared common public backup
    """.split()  # noqa: SIM905  # a list of a hundred quoted words is harder to read and to extend
)
_LETTER = re.compile("[a-z가-힣]")
_YEAR_AND_MONTH = re.compile("(?:19|20)[0-9]{2}-?[01][0-9]")
_MADE_ID = re.compile("[a-z]{2,6}_[0-9A-Z]{8,}")
"""An id that a program made."""
_FILE_ENDINGS = re.compile(
    r"\.(?:com|net|org|kr|io|jp|cn|py|js|ts|java|json|yaml|yml|toml|txt|md|csv|xlsx?|docx?|pdf|png|jpe?g|zip|html?|css|sh|sql"
    r"|exe|dll)$"
)


_SERVICE = re.compile(
    "^(?:app|svc|srv|db|batch|web|api|test|dev|prod|stg|admin|root)[_-]"
    "|[_-](?:rw|ro|app|svc|srv|db|admin|batch|read|write|api)$"
)
"""Accounts of programs, not of people."""


def issued_number(value: str) -> Verdict:
    """Refutes a labelled value that is a year, a date or too short to be a number issued to one person."""
    digits = digits_of(value)
    if len(digits) < 4 or (len(digits) == len(value) == 4 and 1900 <= int(digits) <= 2100):
        return Verdict.REFUTED
    if re.fullmatch(r"(?:19|20)[0-9]{2}[-.](?:0?[1-9]|1[0-2])(?:[-.](?:0?[1-9]|[12][0-9]|3[01]))?", value):
        return Verdict.REFUTED
    return Verdict.PASSED


VALIDATORS: dict[str, Callable[[str], Verdict]] = {
    check.__name__: check
    for check in (
        bank_account,
        birth_date,
        business_number,
        corporation_number,
        driver_license,
        foreigner_number,
        handle,
        ip_address,
        issued_number,
        mac_address,
        payment_card,
        payment_card_only,
        phone_number,
        resident_number,
        timestamp_free,
    )
}
