"""Values swapped for others of the same shape, for columns that must keep theirs: FF1 (NIST SP 800-38G) with ``libffx``.

A phone stays a phone number in looks, an account an account. What comes out is never a resident number with a possible date
nor a card that passes Luhn's check, so that no system takes it for a real one; a phone number or an account may be someone
else's. Nothing in the outcome tells that it is swapped: it is for columns that are known to be, not for running text.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from sovguard.errors import ConfigError, InputError
from sovguard.vault.crypto import KEY, derive
from sovguard.vaultless import Scope

FEWEST = 6
"""Digits that have to be left to encrypt: a domain of 10^6, the least that NIST SP 800-38G Rev. 1 allows."""
_DIGITS = re.compile("[0-9]")
_PHONE = re.compile("(?:82)?0?(?:2|1[016789]|[3-6][1-5]|70|50[2-8])")
_DAYS = [date(2000, 1, 1) + timedelta(days) for days in range(366)]
_TAILS = 10**7
_MONTHS = 87
"""Impossible months, 13 to 99: more room than there are resident numbers."""
TYPES = ("PHONE_NUMBER", "KR_BANK_ACCOUNT", "CREDIT_CARD", "KR_RRN", "KR_FRN")


def ff1(key: bytes, radix: int = 10) -> Any:
    """Return FF1 under ``key`` over the digits of ``radix``, with domains of at least 10^6.

    Raises:
        ConfigError: ``libffx`` is not installed.
    """
    try:
        from ffx import FF1
    except ImportError:
        raise ConfigError("format-preserving surrogates need libffx: pip install 'sovguard[fpe]'") from None
    return FF1(key, radix=radix)


class FormatPreserving:
    """Swaps values for others of the same shape, and back, with a key alone.

    Args:
        key: 32 random octets.
        scope: Within what equal values become equal.

    Raises:
        ConfigError: The key has another length, or ``libffx`` is not installed.
    """

    def __init__(self, key: bytes, scope: Scope) -> None:
        if not isinstance(key, bytes) or len(key) != KEY:
            raise ConfigError(f"a key of format-preserving surrogates has {KEY} octets")
        if not isinstance(scope, Scope):
            raise ConfigError(
                "format-preserving surrogates need a Scope: a tenant, and a dataset or join_group"
            )
        self.scope = scope
        self._key = key
        self._cipher = ff1(derive(key, b"sovguard v1 ff1"))

    def __repr__(self) -> str:
        return "FormatPreserving()"

    def within(self, scope: Scope) -> FormatPreserving:
        """Return the same key in another scope.

        Raises:
            ConfigError: It is none.
        """
        return FormatPreserving(self._key, scope)

    def encrypt(self, value: str, entity_type: str) -> str:
        """Return what takes the place of a value: as many digits, and everything between them where it was.

        Raises:
            InputError: The type is none of ``TYPES``, or the value does not have its shape, or too few digits.
        """
        digits = _digits(value)
        if entity_type == "CREDIT_CARD":
            return _laid(value, self._card(digits, entity_type, forward=True))
        if entity_type in ("KR_RRN", "KR_FRN"):
            return _laid(value, self._resident(digits, entity_type, forward=True))
        kept = _kept(digits, entity_type)
        return _laid(
            value, digits[:kept] + self._swap(digits[kept:], entity_type, digits[:kept], forward=True)
        )

    def decrypt(self, value: str, entity_type: str) -> str:
        """Return the value that ``encrypt`` was given.

        Raises:
            InputError: ``encrypt`` cannot have given this.
        """
        digits = _digits(value)
        if entity_type == "CREDIT_CARD":
            return _laid(value, self._card(digits, entity_type, forward=False))
        if entity_type in ("KR_RRN", "KR_FRN"):
            return _laid(value, self._resident(digits, entity_type, forward=False))
        kept = _kept(digits, entity_type)
        return _laid(
            value, digits[:kept] + self._swap(digits[kept:], entity_type, digits[:kept], forward=False)
        )

    def _tweak(self, entity_type: str, kept: str) -> bytes:
        parts = [b"1", *self.scope.parts(), entity_type.encode(), kept.encode()]
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    def _swap(self, digits: str, entity_type: str, kept: str, *, forward: bool) -> str:
        if len(digits) < FEWEST:
            raise InputError(
                f"a {entity_type} has to have {FEWEST} digits besides its prefix: fewer can be tried through"
            )
        swap = self._cipher.encrypt if forward else self._cipher.decrypt
        tweak = self._tweak(entity_type, kept)
        if entity_type != "KR_BANK_ACCOUNT":
            swapped: str = swap(digits, tweak=tweak)
            return swapped
        if _reads_as_another(digits):
            raise InputError(
                "this account reads as a resident number or a card; use a vaultless surrogate for it"
            )
        # On until it reads as neither: what lies between is passed over in both directions.
        swapped = swap(digits, tweak=tweak)
        while _reads_as_another(swapped):
            swapped = swap(swapped, tweak=tweak)
        return swapped

    def _card(self, digits: str, entity_type: str, *, forward: bool) -> str:
        stem, check = digits[:-1], _luhn_digit(digits[:-1])
        # The digit behind the right one marks what comes out, and fails the check wherever it is made.
        expected = check if forward else (check + 1) % 10
        if not 12 <= len(digits) <= 19 or int(digits[-1]) != expected:
            raise InputError(
                "this is no card number that passes its check"
                if forward
                else "this is no swapped card number"
            )
        swapped = self._swap(stem, entity_type, "", forward=forward)
        return swapped + str((_luhn_digit(swapped) + forward) % 10)

    def _resident(self, digits: str, entity_type: str, *, forward: bool) -> str:
        domain = 100 * len(_DAYS) * _TAILS
        number = _rank(digits) if forward else _rank_of_swapped(digits)
        if number is None or number >= domain:
            raise InputError(
                "this is no resident number with a possible date"
                if forward
                else "this is no swapped resident number"
            )
        swap = self._cipher.encrypt_int if forward else self._cipher.decrypt_int
        swapped: int = swap(number, domain=domain, tweak=self._tweak(entity_type, ""))
        front, tail = divmod(swapped, _TAILS)
        if forward:
            rest, month = divmod(front, _MONTHS)
            year, day = divmod(rest, 100)
            return f"{year:02}{13 + month}{day:02}{tail:07}"
        year, index = divmod(front, len(_DAYS))
        return f"{year:02}{_DAYS[index]:%m%d}{tail:07}"


def _rank(digits: str) -> int | None:
    """Return the place of a resident number among all with a possible date."""
    if len(digits) != 13:
        return None
    try:
        day = date(2000, int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return None
    front = int(digits[:2]) * len(_DAYS) + (day - _DAYS[0]).days
    return front * _TAILS + int(digits[6:])


def _rank_of_swapped(digits: str) -> int | None:
    if len(digits) != 13 or int(digits[2:4]) < 13:
        return None
    front = (int(digits[:2]) * 100 + int(digits[4:6])) * _MONTHS + int(digits[2:4]) - 13
    return front * _TAILS + int(digits[6:])


def _kept(digits: str, entity_type: str) -> int:
    """Return how many digits at the beginning stay: of a phone number, those that say what kind it is."""
    if entity_type == "KR_BANK_ACCOUNT":
        return 0
    if entity_type == "PHONE_NUMBER":
        found = _PHONE.match(digits)
        if found is None:
            raise InputError(
                "this is no Korean phone number with a prefix that could stay (010, 02, 031, 070 …)"
            )
        return found.end()
    raise InputError(
        f"there is no format-preserving surrogate for this type; there is for {', '.join(TYPES)}"
    )


def _reads_as_another(digits: str) -> bool:
    """Tell whether digits could be a resident number with a possible date, or a card that passes its check."""
    if len(digits) == 13 and _rank(digits) is not None:
        return True
    return 14 <= len(digits) <= 16 and _luhn_digit(digits[:-1]) == int(digits[-1])


def _digits(value: str) -> str:
    if not isinstance(value, str):
        raise InputError("a format-preserving surrogate is made of a string")
    return "".join(_DIGITS.findall(value))


def _laid(value: str, digits: str) -> str:
    """Return ``value`` with other digits in the places of its own."""
    following = iter(digits)
    return _DIGITS.sub(lambda _: next(following), value)


def _luhn_digit(stem: str) -> int:
    """Return the digit that makes ``stem`` pass the check of ISO/IEC 7812."""
    total = 0
    for place, digit in enumerate(map(int, reversed(stem))):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10
