"""Made-up values of every type, in the shape of the real one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from sovguard.errors import ConfigError
from sovguard.irreversible import Replace, mask
from sovguard.realistic.drawn import DATA, Drawn
from sovguard.realistic.names import WORDS, MadeUpNames

KEY_LENGTH = 32
_ADDRESSES = DATA["addresses"]
_PLACE = re.compile(
    "^(?:[가-힣]{1,8}(?:특별자치시|특별자치도|특별시|광역시|도|시)|"
    f"(?:{'|'.join(_ADDRESSES['regions'])}))(?= |$)"
)
_PREFIX = re.compile("^(?:[+]?82[-. ]?\\(?0?|0)(?:2|1[016789]|[3-6][1-5]|70|50[2-8])")
_BORN = re.compile("([0-9]{2,4})([^0-9]*)([0-9]{1,2})([^0-9]*)([0-9]{1,2})(.*)", re.DOTALL)


def realistic(key: bytes) -> Replace:
    """Return a replacement by made-up values: for ``sovguard.irreversible.applied`` and as a mode of pipelines.

    Names keep how they are built (two to four syllables, a given name alone, Latin letters) and what they hint of a gender; the
    parts of a name become the same in every mention: 홍길동 and 길동 stay one person. Names that are built of common syllables
    become different ones if they are different; of others, and of numbers and addresses, two may seldom become one. Numbers
    keep their shape. What has no made-up form is masked.

    Args:
        key: 32 octets. Whoever has it can test whether a value is behind a made-up one; destroy it to end that.

    Raises:
        ConfigError: The key has another length.
    """
    if not isinstance(key, bytes) or len(key) != KEY_LENGTH:
        raise ConfigError(f"a key of made-up values has {KEY_LENGTH} octets")
    return _Realistic(key)


class _Realistic:
    def __init__(self, key: bytes) -> None:
        self._key, self._names = key, MadeUpNames(key)

    def __repr__(self) -> str:
        return "realistic(…)"

    def __reduce__(self) -> tuple[type[_Realistic], tuple[bytes]]:
        return _Realistic, (self._key,)

    def __call__(self, value: str, entity_type: str) -> str:
        if entity_type == "PERSON":
            made = self._names.made(value)
            return made if made != value else mask(value, entity_type)
        make = _MADE.get(entity_type)
        if make is None:
            return mask(value, entity_type)
        for attempt in range(8):
            drawn = Drawn(self._key, f"{entity_type}{attempt or ''}", _plain(value, entity_type))
            made = make(value, drawn)
            if made != value:
                return made
        return mask(value, entity_type)


def _plain(value: str, entity_type: str) -> str:
    """Return a value without how it is written: 010-0000-1234 and 01000001234 become the same phone."""
    digits = re.sub("[^0-9]", "", value)
    return digits if digits and entity_type not in ("KR_ADDRESS", "EMAIL_ADDRESS") else value


def _laid(shape: str, digits: str) -> str:
    following = iter(digits)
    return re.sub("[0-9]", lambda _: next(following), shape)


def _phone(value: str, drawn: Drawn) -> str:
    prefix = _PREFIX.match(value)
    kept = len(re.sub("[^0-9]", "", prefix[0])) if prefix else 0
    digits = re.sub("[^0-9]", "", value)
    # Numbers of subscribers begin with 2 to 9: one with 0 is nobody's.
    return _laid(value, digits[:kept] + "0" + drawn.digits(max(0, len(digits) - kept - 1)))


def _resident(value: str, drawn: Drawn) -> str:
    digits = re.sub("[^0-9]", "", value)
    if len(digits) != 13:
        return _shape(value, drawn)
    born = date(2031, 1, 1) + timedelta(drawn.below(25_000))
    foreign, odd = digits[6] in "5678", int(digits[6]) % 2
    century = (7 if foreign else 3) + (0 if odd else 1)
    return _laid(value, f"{born:%y%m%d}{century}{drawn.digits(6)}")


def _card(value: str, drawn: Drawn) -> str:
    digits = re.sub("[^0-9]", "", value)
    made = digits[:1] + "0" * 5 + drawn.digits(max(0, len(digits) - 7))
    total = 0
    for place, digit in enumerate(reversed(made)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return _laid(value, f"{made}{(11 - total % 10) % 10}")  # one beside the digit that would fit


def _shape(value: str, drawn: Drawn) -> str:
    def other(match: re.Match[str]) -> str:
        letter = match[0]
        if letter.isdigit():
            return str(drawn.below(10))
        return chr((65 if letter.isupper() else 97) + drawn.below(26))

    return re.sub("[0-9A-Za-z]", other, value)


def _email(value: str, drawn: Drawn) -> str:
    name, _, _ = value.partition("@")
    made = (drawn.of(WORDS["latin given"]) + drawn.of(WORDS["latin surname"])).lower()
    made = made[: max(4, min(len(name), 12))]
    return f"{made}{drawn.below(900) + 100}@example.{drawn.of(('com', 'net', 'org'))}"


def _address(value: str, drawn: Drawn) -> str:
    place = _PLACE.match(value)
    road = f"{drawn.of(_ADDRESSES['roads'])}{11 + drawn.below(389)}번길 {1 + drawn.below(99)}"
    return f"{place[0]} {road}" if place else road


def _ip(value: str, drawn: Drawn) -> str:
    if ":" in value:
        return f"2001:db8::{drawn.below(65_536):x}:{drawn.below(65_536):x}"
    # What is kept for tests of networks (RFC 2544) has room for more than what is kept for examples.
    return f"198.{18 + drawn.below(2)}.{drawn.below(256)}.{drawn.below(256)}"


def _mac(value: str, drawn: Drawn) -> str:
    between = next((letter for letter in value if letter in ":-."), ":")
    pairs = ["02", "00", *(f"{drawn.below(256):02x}" for _ in range(4))]
    return (
        between.join(pairs) if between != "." else ".".join("".join(pairs[at : at + 2]) for at in (0, 2, 4))
    )


def _birth(value: str, drawn: Drawn) -> str:
    parts = _BORN.fullmatch(value.strip())
    if parts is None:
        return _shape(value, drawn)
    year = int(parts[1]) if len(parts[1]) == 4 else 1900 + int(parts[1])
    try:
        born = date(year, int(parts[3]), int(parts[5])) + timedelta(drawn.below(360) - 180)
    except (ValueError, OverflowError):
        return _shape(value, drawn)
    month, day = (str(each).zfill(len(old)) for each, old in ((born.month, parts[3]), (born.day, parts[5])))
    return f"{str(born.year)[-len(parts[1]) :]}{parts[2]}{month}{parts[4]}{day}{parts[6]}"


_MADE: dict[str, Callable[[str, Drawn], str]] = {
    "PHONE_NUMBER": _phone,
    "KR_RRN": _resident,
    "KR_FRN": _resident,
    "CREDIT_CARD": _card,
    "EMAIL_ADDRESS": _email,
    "KR_ADDRESS": _address,
    "IP_ADDRESS": _ip,
    "MAC_ADDRESS": _mac,
    "DATE_OF_BIRTH": _birth,
    "KR_BANK_ACCOUNT": _shape,
    "KR_BRN": _shape,
    "KR_CRN": _shape,
    "KR_PASSPORT": _shape,
    "KR_DRIVER_LICENSE": _shape,
    "KR_HEALTH_INSURANCE": _shape,
    "KR_MILITARY_ID": _shape,
    "KR_PCCC": _shape,
    "KR_LICENSE_PLATE": _shape,
    "ID_NUMBER": _shape,
    "USERNAME": _shape,
}
