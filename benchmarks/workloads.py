"""Makes the texts that speed is measured on, the same ones from the same seed on every machine.

``mixed_lines`` gives lines of about 120 characters as people write them to a model: messages, rows of
tables, log lines, prompts. Half of them hold one or two identifiers, the rest none but often something
that looks like one. They are joined from lines of the committed corpus and from templates whose
identifiers are drawn here. The drawn identifiers are nobody's: resident numbers are of people born from
2031 on, phone numbers are of the unused 010-0000 range, mail goes to ``.example``.

``ordinary`` and the patterns of ``HOSTILE`` give one text of an exact length, for how time grows with length.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpora" / "dev.jsonl"
SHORTEST, LONGEST = 90, 135

SURNAMES = "김이박최정강조윤장임한오서신권황안송전홍"
GIVEN = (
    "가온",
    "나래",
    "다솜",
    "라온",
    "마루",
    "보람",
    "새롬",
    "아람",
    "초롱",
    "하람",
    "민서",
    "지훈",
    "서연",
    "도윤",
    "예준",
)
TITLES = ("님", " 고객님", " 과장", " 대리", " 팀장님", " 환자분", "씨", " 선생님")
BANKS = ("국민은행", "신한은행", "우리은행", "하나은행", "농협", "카카오뱅크", "기업은행")
ROADS = ("가온로", "나루길", "다솔대로", "라일락로", "마루길", "새빛로")
DISTRICTS = (
    "서울특별시 마포구",
    "부산광역시 수영구",
    "경기도 성남시 분당구",
    "대전 유성구",
    "강원특별자치도 춘천시",
)
PLATE_LETTERS = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주"

FILLERS = (
    "확인 후 연락 부탁드립니다.",
    "요청하신 자료는 내일 오전까지 정리해서 올려 두겠습니다.",
    "아래 내용을 세 줄로 요약하고 정중한 답장을 써 줘.",
    "배송이 하루 늦어진다고 하는데 환불이 되는지 궁금해요",
    "회의는 {month}월 {day}일 {hour}시로 옮겼고 장소는 그대로입니다.",
    "주문번호 2024{month:02}{day:02}-{serial:07} 상품 {count}개 {price:,}원 결제 완료",
    "운송장 {serial:012} 배송 출발",
    "[2024-{month:02}-{day:02} {hour:02}:{minute:02}:07] INFO done in {count} ms, build 3.{count}.{day}",
    "접수일,2024-{month:02}-{day:02},처리상태,완료,담당부서,고객지원팀,만족도,{score}",
    "이번 분기 매출은 지난 분기보다 {count}퍼센트 늘었고 비용은 {price:,}원이었습니다.",
    "제{count}조 제{score}항에 따라 계약을 해지할 수 있는지 검토해 주세요.",
    "ㅋㅋㅋ 아니 그건 좀 아닌 것 같은데 ㅠㅠ 내일 얘기하자",
    "모델명 RX-{count}00 펌웨어 2.{score}.{day} 충전 불량, 보증기간 1년 이내라 무상 수리 안내함.",
    "약은 하루 세 번 식후 30분에 드시고 {count}일 뒤에 다시 오세요.",
    "다음 표에서 금액이 {price:,}원을 넘는 행만 골라 JSON으로 돌려줘.",
    "ISBN 979-11-{serial:07}-{score} 도서 대출 연장 신청",
    "이 문장을 초등학생도 알 수 있게 쉬운 말로 바꿔 줄래?",
    "네 알겠습니다, 담당 부서에 전달하고 결과가 나오는 대로 안내해 드리겠습니다.",
    "저번에 말씀하신 건은 아직 검토 중이라고 하네요. 조금만 더 기다려 주세요.",
    "생각보다 포장이 꼼꼼해서 좋았고 색상도 화면에서 본 것과 같아요.",
    "환자는 어제부터 어지럽고 속이 메스껍다고 하며 열은 없음.",
    "첨부한 회의록에서 결정된 사항과 남은 과제를 나누어 표로 만들어 줘.",
    "우리 팀은 다음 분기 계획을 세우면서 고객의 의견을 먼저 모으기로 했다.",
    "문의 유형,요금,처리 결과,안내 완료,고객 반응,보통,비고,없음",
    "def total(rows): return sum(row.price for row in rows if row.paid)",
    "{month}월 정기 점검 때문에 {day}일 새벽에는 접속이 안 될 수 있습니다.",
)


def check_digit(digits: str, weights: Sequence[int], modulus: int) -> int:
    """The last digit that makes a number pass its weighted check."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return (modulus - total % modulus) % 10


def luhn_digit(digits: str) -> int:
    """The last digit of a card number."""
    doubled = [int(digit) * 2 for digit in digits[::-2]]
    return -(sum(value - 9 * (value > 9) for value in doubled) + sum(map(int, digits[-2::-2]))) % 10


def resident_number(rng: random.Random, first: str) -> str:
    """A registration number with a passing check digit, of somebody who is not born yet."""
    birth = f"{rng.randint(31, 99)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    body = f"{birth}{rng.choice(first)}{rng.randint(0, 99_999):05}"
    weights, modulus = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), 11
    last = check_digit(body, weights, modulus)
    if first == "78":
        last = (last + 2) % 10
    return f"{birth}-{body[6:]}{last}"


def business_number(rng: random.Random) -> str:
    """A business registration number with a passing check digit."""
    body = f"{rng.randint(101, 999)}{rng.randint(1, 99):02}{rng.randint(1, 9999):04}"
    total = (
        sum(int(d) * w for d, w in zip(body, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=True))
        + int(body[8]) * 5 // 10
    )
    return f"{body[:3]}-{body[3:5]}-{body[5:]}{-total % 10}"


def card_number(rng: random.Random) -> str:
    """Sixteen digits that pass Luhn's check, in fours."""
    body = f"4000{rng.randint(0, 99_999_999_999):011}"
    digits = f"{body}{luhn_digit(body)}"
    return "-".join(digits[at : at + 4] for at in range(0, 16, 4))


def name(rng: random.Random) -> str:
    """An invented name."""
    return rng.choice(SURNAMES) + rng.choice(GIVEN)


def identifier(rng: random.Random) -> str:
    """A phrase with one identifier in it."""
    number = rng.randint
    phrases: tuple[Callable[[], str], ...] = (
        lambda: f"{name(rng)}{rng.choice(TITLES)}께 전달했습니다.",
        lambda: f"고객명 {name(rng)}",
        lambda: f"담당자는 {name(rng)}{rng.choice(TITLES)}입니다.",
        lambda: f"연락처 010-0000-{number(0, 9999):04}",
        lambda: f"010 0000 {number(0, 9999):04}으로 전화 주세요.",
        lambda: f"메일은 user{number(1, 9999)}@mail{number(1, 99)}.example로 보내 주세요.",
        lambda: f"주민등록번호 {resident_number(rng, '34')}",
        lambda: f"외국인등록번호 {resident_number(rng, '78')}입니다.",
        lambda: f"카드번호 {card_number(rng)}로 결제",
        lambda: (
            f"{rng.choice(BANKS)} {number(100, 999)}-{number(0, 999):03}-{number(0, 999_999):06} 계좌로 입금"
        ),
        lambda: f"사업자등록번호 {business_number(rng)}",
        lambda: f"주소는 {rng.choice(DISTRICTS)} {rng.choice(ROADS)} {number(1, 300)}, {number(1, 30)}층",
        lambda: f"차량번호 {number(10, 99)}{rng.choice(PLATE_LETTERS)}{number(1000, 9999)}",
        lambda: f"접속 IP 10.{number(0, 255)}.{number(0, 255)}.{number(1, 254)}에서",
        lambda: f"사번 E{number(20, 29)}-{number(0, 9999):04}",
        lambda: f"여권번호 M{number(100, 999)}{rng.choice('ABCDEFGH')}{number(1000, 9999)}",
    )
    return rng.choice(phrases)()


def filler(rng: random.Random) -> str:
    """A phrase with no identifier in it."""
    return rng.choice(FILLERS).format(
        month=rng.randint(1, 12),
        day=rng.randint(1, 28),
        hour=rng.randint(9, 18),
        minute=rng.randint(0, 59),
        count=rng.randint(2, 99),
        score=rng.randint(1, 9),
        price=rng.randint(1, 9_000) * 100,
        serial=rng.randint(0, 9_999_999),
    )


@cache
def corpus_lines() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The corpus's lines without any annotated span, and those with one or two."""
    plain, holding = [], []
    for row in CORPUS.read_text(encoding="utf-8").splitlines():
        document = json.loads(row)
        start = 0
        for line in document["text"].split("\n"):
            end = start + len(line)
            inside = sum(left < end and right > start for left, right, _ in document["spans"])
            if 15 <= len(line) <= LONGEST and inside <= 2:
                (holding if inside else plain).append(line)
            start = end + 1
    return tuple(plain), tuple(holding)


def mixed_lines(documents: int, seed: int) -> list[str]:
    """Lines of about 120 characters, every other one with one or two identifiers."""
    rng = random.Random(seed)  # noqa: S311  the same texts from the same seed
    plain, holding = corpus_lines()
    lines = []
    for number in range(documents):
        parts: list[str] = []
        if number % 2 == 0:
            if rng.random() < 0.5:
                parts.append(rng.choice(holding))
            else:
                parts.extend(identifier(rng) for _ in range(rng.randint(1, 2)))
        target = rng.randint(SHORTEST, LONGEST)
        while (length := sum(map(len, parts)) + len(parts)) < target:
            parts.append(_cut(rng.choice(plain) if rng.random() < 0.4 else filler(rng), target - length + 12))
        rng.shuffle(parts)
        lines.append(" ".join(parts))
    rng.shuffle(lines)
    return lines


def _cut(text: str, length: int) -> str:
    """A filler without its end where it is too long; never called on a part that holds an identifier."""
    if len(text) <= length:
        return text
    return text[:length].rpartition(" ")[0] or text[:length]


def ordinary(length: int, seed: int) -> str:
    """Mixed lines one under the other, ``length`` characters of them."""
    text = "\n".join(mixed_lines(2 + length // SHORTEST, seed))
    return text[:length]


HOSTILE: dict[str, str] = {
    "digits": "1234567890",
    "at-signs": "@",
    "brackets": "([{<",
    "latin-a": "a",
    "hangul-ga": "가",
    "spaces": " ",
    "hyphens": "-",
    "digit-hyphen": "1-",
    "mixed": "a@1-가 .([０공",
}


def text_of(kind: str, length: int, seed: int = 0) -> str:
    """One text of an exact length: ordinary, or a hostile pattern repeated, which no seed changes."""
    if kind == "ordinary":
        return ordinary(length, seed)
    pattern = HOSTILE[kind]
    return (pattern * (length // len(pattern) + 1))[:length]
