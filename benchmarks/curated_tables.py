"""Texts in columns: rows with their heading, and forms in which nearly everything is personal."""

from __future__ import annotations

import random

from planting import Planted, joined, plant

TABLES = (
    (
        "번호,접수일,성명,연락처,이메일,주소,처리상태",
        '{count},{date},{name},{phone},{email},"{address}",완료',
        3,
    ),
    (
        "주문번호,주문일,상품코드,수량,금액,운송장번호,상태",
        "{order},{date},{product},{score},{price},{tracking},배송중",
        4,
    ),
    ("사번,성명,부서,입사일,이메일,평가", "{employee},{name},개발{score}팀,{date},{email},B", 3),
    ("id;created_at;user;ip;device;ms", "{count};{date}T{clock};{user};{ip};{product};{ms}", 2),
    ("바코드\t상품명\t재고\t단가\t갱신일", "{barcode}\t{product} 세트\t{count}\t{price}\t{date}", 4),
    ("예금주,은행,계좌번호,주민등록번호,신청금액", "{name},{bank},{account},{rrn},{price}", 1),
)


def csv_rows(rng: random.Random) -> Planted:
    """The heading of a table and four to twelve rows; half of the tables hold nothing."""
    ((head, row, _),) = rng.choices(TABLES, weights=[weight for _, _, weight in TABLES])
    return joined("\n", [Planted(head), *(plant(row, rng) for _ in range(rng.randint(4, 12)))])


FIELDS = (
    "성명: {name}",
    "주민등록번호: {rrn}",
    "연락처: {phone}",
    "비상연락처: {phone} ({name})",
    "이메일: {email}",
    "주소: {address}",
    "생년월일: {birth}",
    "계좌번호: {bank} {account} (예금주 {name})",
    "카드번호: {card}",
    "운전면허번호: {license}",
    "여권번호: {passport}",
    "차량번호: {plate}",
    "건강보험증번호: {health}",
    "개인통관고유부호: {pccc}",
    "사업자등록번호: {brn}",
    "외국인등록번호: {frn}",
    "사번: {employee}",
    "환자번호: {patient}",
    "아이디: {user}",
    "접속 IP: {ip}, 기기 {mac}",
)
HEADS = ("[고객 등록 신청서]", "■ 인사 기록 카드", "<보험금 청구서>", "방문자 명부", "[회원 정보 조회 결과]")
SEPARATORS = ("\n", "\n", " / ", ", ", " | ")


def dense_text(rng: random.Random) -> Planted:
    """A filled form: eight to fourteen fields, no two of a kind."""
    fields = rng.sample(FIELDS, rng.randint(8, 14))
    form = joined(rng.choice(SEPARATORS), [plant(field, rng) for field in fields])
    return joined("\n", [Planted(rng.choice(HEADS)), form])
