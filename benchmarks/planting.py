"""Fills the slots of a template with invented values and remembers where the personal ones are.

The curated workloads are made of templates, so the truth about them is known without anybody's annotation: a
slot of ``PERSONAL`` becomes a span, a slot of ``HARMLESS`` becomes text that only looks like something. Every
value is nobody's: registration numbers are of people born after 2030, telephone numbers are of the unused 010-0000
range, mail goes to ``.example``, addresses are on invented roads, and IP addresses are private ones.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from scoring import Span
from workloads import BANKS, DISTRICTS, PLATE_LETTERS, ROADS, business_number, luhn_digit, resident_number

Maker = Callable[[random.Random], str]

SURNAMES = "김김김이이박박최정강조윤장임한오서신권황안송전홍유고문손배백허남노심하주"
_GIVEN = (
    "민서 지훈 서연 도윤 예준 하은 지우 수아 시우 주원 지민 현우 은지 태현 유진 동현 미경 영호 정숙 성민 "
    "혜진 상훈 은경 재윤 소연 준혁 나연 경수 선영 기태 가온 나래 다솜 라온 새롬 아람 초롱 하람 윤서 승아"
)
GIVEN = tuple(_GIVEN.split())
TITLES = ("님", " 고객님", " 과장님", " 대리님", " 팀장님", " 선생님", " 환자분", " 회원님")
HANDLES = ("garam", "nuri", "haneul", "sori", "banana", "coding", "runner", "minji", "moon", "tester")
MAIL = ("hanbit", "nara", "mail", "daon", "sol")
UNITS = ("", "", ", 101동 1203호", " 3층", ", B동 702호")


@dataclass(frozen=True, slots=True)
class Planted:
    """A text with the personal information that was put into it."""

    text: str
    spans: tuple[Span, ...] = ()


def digits(rng: random.Random, count: int) -> str:
    """That many digits."""
    return "".join(rng.choices("0123456789", k=count))


def name(rng: random.Random) -> str:
    """An invented name of three syllables."""
    return rng.choice(SURNAMES) + rng.choice(GIVEN)


def phone(rng: random.Random) -> str:
    """A number nobody can have, as people write it: mostly with hyphens."""
    last = digits(rng, 4)
    forms = (f"010-0000-{last}",) * 5 + (f"010 0000 {last}", f"0100000{last}", f"010.0000.{last}")
    return rng.choice((*forms, f"+82 10-0000-{last}"))


def email(rng: random.Random) -> str:
    """An address of the reserved domain."""
    return f"{rng.choice(HANDLES)}.{rng.randint(1, 9999)}@{rng.choice(MAIL)}{rng.randint(1, 99)}.example"


def card(rng: random.Random) -> str:
    """Sixteen digits that pass Luhn's check, of a range for tests."""
    body = f"40000000{digits(rng, 7)}"
    whole = f"{body}{luhn_digit(body)}"
    return "-".join(whole[at : at + 4] for at in range(0, 16, 4))


def address(rng: random.Random) -> str:
    """A real district, a road that is not there."""
    road = f"{rng.choice(ROADS)} {rng.randint(1, 300)}"
    return f"{rng.choice(DISTRICTS)} {road}{rng.choice(UNITS)}"


def birth(rng: random.Random) -> str:
    """A date that somebody may have been born on; the only value here that is not of the future."""
    # Engines refuse births to come, as they should, and a date by itself is nobody's.
    year, month, day = rng.randint(1940, 2009), rng.randint(1, 12), rng.randint(1, 28)
    return rng.choice(
        (f"{year}년 {month}월 {day}일", f"{year}-{month:02}-{day:02}", f"{year}.{month:02}.{day:02}")
    )


def mac(rng: random.Random) -> str:
    """A locally administered address."""
    return ":".join(["02", "00", *(f"{rng.randrange(256):02x}" for _ in range(4))])


PERSONAL: dict[str, tuple[str, Maker]] = {
    "name": ("PERSON", name),
    "given": ("PERSON", lambda rng: rng.choice(GIVEN)),
    "phone": ("PHONE_NUMBER", phone),
    "email": ("EMAIL_ADDRESS", email),
    "rrn": ("KR_RRN", lambda rng: resident_number(rng, "34")),
    "frn": ("KR_FRN", lambda rng: resident_number(rng, "78")),
    "card": ("CREDIT_CARD", card),
    "account": ("KR_BANK_ACCOUNT", lambda rng: f"{rng.randint(100, 999)}-000-{digits(rng, 6)}"),
    "brn": ("KR_BRN", business_number),
    "passport": ("KR_PASSPORT", lambda rng: f"M{digits(rng, 3)}{rng.choice('ABCDEFGH')}{digits(rng, 4)}"),
    "license": (
        "KR_DRIVER_LICENSE",
        lambda rng: f"{rng.randint(11, 28)}-{rng.randint(31, 99)}-{digits(rng, 6)}-{digits(rng, 2)}",
    ),
    "address": ("KR_ADDRESS", address),
    "plate": (
        "KR_LICENSE_PLATE",
        lambda rng: f"{rng.randint(100, 999)}{rng.choice(PLATE_LETTERS)}{rng.randint(1000, 9999)}",
    ),
    "ip": ("IP_ADDRESS", lambda rng: f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randint(1, 254)}"),
    "mac": ("MAC_ADDRESS", mac),
    "pccc": ("KR_PCCC", lambda rng: f"P00000{digits(rng, 7)}"),
    "health": ("KR_HEALTH_INSURANCE", lambda rng: f"{rng.choice('157')}-00000{digits(rng, 5)}"),
    "birth": ("DATE_OF_BIRTH", birth),
    "user": ("USERNAME", lambda rng: f"{rng.choice(HANDLES)}_{digits(rng, 3)}"),
    "employee": ("ID_NUMBER", lambda rng: f"E{rng.randint(31, 39)}{digits(rng, 5)}"),
    "patient": ("ID_NUMBER", lambda rng: f"00{digits(rng, 6)}"),
}

# Ordinary words that make a sentence of a template another one each time: an engine that remembers what it has read
# would otherwise be fast here and nowhere else.
WORDS: dict[str, tuple[str, ...]] = {
    "topic": (
        "배송",
        "환불",
        "교환",
        "예약",
        "결제",
        "계약",
        "점검",
        "설치",
        "보험",
        "대출",
        "청구",
        "수리",
        "납품",
        "교육",
        "채용",
        "출장",
        "견적",
        "입찰",
        "감사",
        "재고",
        "홍보",
        "정산",
    ),
    "thing": (
        "냉장고",
        "노트북",
        "의자",
        "책상",
        "세탁기",
        "정수기",
        "모니터",
        "커튼",
        "운동화",
        "가방",
        "이어폰",
        "프린터",
        "자전거",
        "텐트",
        "공기청정기",
        "선풍기",
    ),
    "dept": (
        "고객지원팀",
        "영업부",
        "총무과",
        "개발실",
        "물류센터",
        "재무팀",
        "홍보실",
        "품질관리부",
        "법무팀",
        "시설과",
    ),
    "when": (
        "어제 오전",
        "지난주",
        "이번 달 초",
        "오늘 아침",
        "그저께",
        "지난달 말",
        "점심때",
        "연휴 직전",
        "방금",
        "작년 가을",
    ),
    "how": ("조금", "꽤", "생각보다", "확실히", "다소", "눈에 띄게", "상당히", "뜻밖에", "아주"),
    "food": ("김치찌개", "냉면", "비빔밥", "떡볶이", "칼국수", "샐러드", "초밥", "돈가스", "쌀국수", "만두"),
}


def _one_of(words: tuple[str, ...], rng: random.Random) -> str:
    return rng.choice(words)


HARMLESS: dict[str, Maker] = {
    "title": lambda rng: rng.choice(TITLES),
    "bank": lambda rng: rng.choice(BANKS),
    "district": lambda rng: rng.choice(DISTRICTS),
    "month": lambda rng: str(rng.randint(1, 12)),
    "day": lambda rng: str(rng.randint(1, 28)),
    "hour": lambda rng: str(rng.randint(9, 18)),
    "count": lambda rng: str(rng.randint(2, 99)),
    "score": lambda rng: str(rng.randint(1, 9)),
    "price": lambda rng: f"{rng.randint(10, 9_000) * 100:,}",
    "date": lambda rng: f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
    "clock": lambda rng: f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}",
    "order": lambda rng: f"2026{rng.randint(1, 12):02}{rng.randint(1, 28):02}-{digits(rng, 7)}",
    "tracking": lambda rng: digits(rng, 12),
    "barcode": lambda rng: f"880{digits(rng, 10)}",
    "product": lambda rng: f"{rng.choice(('RX', 'KT', 'SM', 'WF'))}-{digits(rng, 4)}{rng.choice('ABK')}",
    "version": lambda rng: f"{rng.randint(1, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 99)}",
    "isbn": lambda rng: f"979-11-{digits(rng, 5)}-{digits(rng, 2)}-{digits(rng, 1)}",
    "hex": lambda rng: f"{rng.getrandbits(64):016x}",
    "uuid": lambda rng: (
        f"{rng.getrandbits(32):08x}-{digits(rng, 4)}-4{digits(rng, 3)}-a{digits(rng, 3)}-{digits(rng, 12)}"
    ),
    "ms": lambda rng: str(rng.randint(1, 4000)),
    "place": lambda rng: f"37.{digits(rng, 6)}, 127.{digits(rng, 6)}",
    **{slot: partial(_one_of, words) for slot, words in WORDS.items()},
}


def plant(template: str, rng: random.Random, known: Mapping[str, tuple[str, str]] | None = None) -> Planted:
    """A template with its slots filled.

    Args:
        template: Text with ``{slot}`` of ``PERSONAL``, ``HARMLESS`` or ``known``; ``{{`` is a brace.
        rng: Where the values come from.
        known: Values that are the same all through a document, as (type, value): the person it is about.
    """
    text, spans = "", []
    for before, slot, _, _ in string.Formatter().parse(template):
        text += before
        if slot is None:
            continue
        if slot in HARMLESS:
            text += HARMLESS[slot](rng)
            continue
        if known and slot in known:
            entity_type, value = known[slot]
        else:
            entity_type, make = PERSONAL[slot]
            value = make(rng)
        spans.append((len(text), len(text) + len(value), entity_type))
        text += value
    return Planted(text, tuple(spans))


def joined(between: str, pieces: Iterable[Planted]) -> Planted:
    """Pieces one after the other, with their spans where they are now."""
    text, spans = "", []
    for number, piece in enumerate(pieces):
        text += between if number else ""
        spans += [
            (start + len(text), end + len(text), entity_type) for start, end, entity_type in piece.spans
        ]
        text += piece.text
    return Planted(text, tuple(spans))
