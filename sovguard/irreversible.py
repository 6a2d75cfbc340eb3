"""What cannot be undone: mask a value as Korean documents do, take it out, or put a keyed pseudonym in its place.

Beside surrogates, for output that nobody may restore. Masks follow what Korean banks and public offices show (홍*동,
010-****-5678, 900101-1******); they are for people to read and hide less than they seem to: someone who knows the person
recognises them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sovguard.entities import Detection
from sovguard.errors import ConfigError
from sovguard.surrogates import ALPHABET, word_for
from sovguard.text import Change, changed
from sovguard.vault.crypto import tag

REMOVED = "[삭제]"
_DIGIT = re.compile("[0-9０-９]")
_HANGUL = re.compile("[가-힣]")
_SYMBOLS = 16

Replace = Callable[[str, str], str]
"""What takes the place of a value of a type."""


def mask(value: str, entity_type: str) -> str:
    """Return a value with most of it starred out, as its type is masked in Korea; always at least one character of it."""
    rule = _MASKS.get(entity_type, _mask_other)
    masked = rule(value)
    return masked if masked != value else "*" * len(value)


def remove(value: str, entity_type: str) -> str:
    """Return a word that says that something was taken out."""
    return REMOVED


def pseudonym(key: bytes) -> Replace:
    """Return a replacement by a keyed pseudonym: the same for equal values of a type, and of no use without trying values.

    Args:
        key: 32 octets. Whoever has it can test whether a value is behind a pseudonym; destroy it to end that.
    """
    if not isinstance(key, bytes) or len(key) != 32:
        raise ConfigError("a key of pseudonyms has 32 octets")

    def replace(value: str, entity_type: str) -> str:
        digest = tag(key, b"sovguard pseudonym", entity_type.encode(), value.encode("utf-8", "surrogatepass"))
        symbols = "".join(ALPHABET[octet & 31] for octet in digest[:_SYMBOLS])
        return f"{word_for(entity_type)}#{symbols}"

    return replace


def applied(text: str, detections: Iterable[Detection], replace: Replace) -> str:
    """Return ``text`` with ``replace`` applied to everything that was detected.

    Args:
        text: Any text.
        detections: What ``Guard.scan`` found in it, in order and without overlap.
        replace: ``mask``, ``remove`` or a ``pseudonym``.
    """
    return changed(text, changes(text, detections, replace))


def changes(text: str, detections: Iterable[Detection], replace: Replace) -> list[Change]:
    """Return what ``applied`` changes in ``text``, in order."""
    return [
        Change(hit.start, hit.end, replace(text[hit.start : hit.end], hit.entity_type)) for hit in detections
    ]


def _stars(value: str, shown: Callable[[int, int], bool], which: re.Pattern[str]) -> str:
    """Return ``value`` with those characters that match starred, but for the ones that are shown."""
    total = len(which.findall(value))
    place = -1

    def star(match: re.Match[str]) -> str:
        nonlocal place
        place += 1
        return match[0] if shown(place, total) else "*"

    return which.sub(star, value)


def _mask_person(value: str) -> str:
    if _HANGUL.search(value) is None:
        return re.sub("[A-Za-z]+", lambda word: word[0][0] + "*" * (len(word[0]) - 1), value)
    return _stars(
        value, lambda at, total: at == 0 or (total > 2 and at == total - 1), re.compile("[가-힣A-Za-z]")
    )


def _mask_phone(value: str) -> str:
    groups = re.split("([^0-9]+)", value)
    numbers = [index for index in range(0, len(groups), 2) if groups[index]]
    if len(numbers) >= 3:
        middle = numbers[-2]
        groups[middle] = "*" * len(groups[middle])
        return "".join(groups)
    return _stars(value, lambda at, total: at < total - 8 or at >= total - 4, _DIGIT)


def _mask_resident(value: str) -> str:
    return _stars(value, lambda at, total: at < 7, _DIGIT)


def _mask_card(value: str) -> str:
    return _stars(value, lambda at, total: at < 6 or at >= total - 4, _DIGIT)


def _mask_account(value: str) -> str:
    return _stars(value, lambda at, total: at < 3 or at >= total - 2, _DIGIT)


def _mask_email(value: str) -> str:
    name, _, domain = value.partition("@")
    shown = min(2, len(name) - 1)
    return f"{name[:shown]}{'*' * (len(name) - shown)}@{domain}"


def _mask_address(value: str) -> str:
    words = value.split(" ")
    kept = 0
    while kept < min(2, len(words) - 1) and words[kept].endswith(
        ("시", "도", "군", "구", "서울", "부산", "대구", "인천")
    ):
        kept += 1
    return " ".join([*words[:kept], *("*" * len(word) for word in words[kept:])])


def _mask_ip(value: str) -> str:
    first, dot, rest = value.partition(".")
    return f"{first}{dot}{re.sub('[0-9]+', '*', rest)}" if dot else re.sub("[0-9A-Fa-f]", "*", value)


def _mask_birth(value: str) -> str:
    return _stars(value, lambda at, total: at < total - 4, _DIGIT)


def _mask_plate(value: str) -> str:
    return _stars(value, lambda at, total: at < total - 4 or at >= total - 2, _DIGIT)


def _mask_other(value: str) -> str:
    kept = len(value) // 4
    return "".join(char if index < kept or not char.isalnum() else "*" for index, char in enumerate(value))


_MASKS: dict[str, Callable[[str], str]] = {
    "PERSON": _mask_person,
    "PHONE_NUMBER": _mask_phone,
    "KR_RRN": _mask_resident,
    "KR_FRN": _mask_resident,
    "CREDIT_CARD": _mask_card,
    "KR_BANK_ACCOUNT": _mask_account,
    "EMAIL_ADDRESS": _mask_email,
    "KR_ADDRESS": _mask_address,
    "IP_ADDRESS": _mask_ip,
    "DATE_OF_BIRTH": _mask_birth,
    "KR_LICENSE_PLATE": _mask_plate,
}
