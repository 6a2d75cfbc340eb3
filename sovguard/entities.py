"""Entity types, their legal classes, and the Detection every later step works on.

The first stop of the flow's vocabulary: nothing here looks at a text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LegalClass(StrEnum):
    """What the law or an officer's policy would call the data.

    ``unique_identifier`` is 고유식별정보 (PIPA Art. 24, Decree Art. 19), ``sensitive`` is 민감정보 (Art. 23); the
    others are this project's grouping for policies.
    """

    UNIQUE_IDENTIFIER = "unique_identifier"
    SENSITIVE = "sensitive"
    FINANCIAL = "financial"
    CONTACT = "contact"
    IDENTITY = "identity"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class EntityType:
    """One kind of personal information: its name, Korean name, legal class and the word its surrogates begin with."""

    name: str
    korean: str
    legal_class: LegalClass
    word: str


_U, _F, _C, _I, _N = (
    LegalClass.UNIQUE_IDENTIFIER,
    LegalClass.FINANCIAL,
    LegalClass.CONTACT,
    LegalClass.IDENTITY,
    LegalClass.NETWORK,
)

ENTITY_TYPES: dict[str, EntityType] = {
    entity.name: entity
    for entity in (
        EntityType("PERSON", "이름", _I, "PERSON"),
        EntityType("PHONE_NUMBER", "전화번호", _C, "PHONE"),
        EntityType("EMAIL_ADDRESS", "이메일", _C, "EMAIL"),
        EntityType("IP_ADDRESS", "IP 주소", _N, "IPADDR"),
        EntityType("MAC_ADDRESS", "MAC 주소", _N, "MACADDR"),
        EntityType("CREDIT_CARD", "카드번호", _F, "CARD"),
        EntityType("KR_RRN", "주민등록번호", _U, "RRN"),
        EntityType("KR_FRN", "외국인등록번호", _U, "FRN"),
        EntityType("KR_PASSPORT", "여권번호", _U, "PASSPORT"),
        EntityType("KR_DRIVER_LICENSE", "운전면허번호", _U, "LICENSE"),
        EntityType("KR_BRN", "사업자등록번호", _I, "BRN"),
        EntityType("KR_CRN", "법인등록번호", _I, "CRN"),
        EntityType("KR_BANK_ACCOUNT", "계좌번호", _F, "ACCOUNT"),
        EntityType("KR_ADDRESS", "주소", _C, "ADDRESS"),
        EntityType("KR_LICENSE_PLATE", "차량번호", _I, "PLATE"),
        EntityType("KR_PCCC", "개인통관고유부호", _I, "CUSTOMS"),
        EntityType("KR_HEALTH_INSURANCE", "건강보험증번호", _I, "HEALTH"),
        EntityType("KR_MILITARY_ID", "군번", _I, "MILITARY"),
        EntityType("DATE_OF_BIRTH", "생년월일", _I, "BIRTH"),
        EntityType("USERNAME", "아이디", _N, "USER"),
        EntityType("ID_NUMBER", "기관 발급 번호", _I, "ID"),
    )
}


LITERAL_TYPE = "SURROGATE"
"""Type of text that only looks like a surrogate of its session; stored, so that it comes back as it was."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a span was called what it was; holds rule names and context words, never a value.

    Attributes:
        pattern: Name of the pattern or rule that matched.
        validator: Name of the check that ran, if one did.
        valid: Its outcome: ``True``, ``False``, or ``None`` where no check ran.
        context: The context word found beside the value, if one counted.
    """

    pattern: str
    validator: str | None = None
    valid: bool | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Detection:
    """One hit: ``text[start:end]`` of the original text is an ``entity_type``.

    Offsets are Python string indices (code points). The value itself is not held.
    """

    entity_type: str
    start: int
    end: int
    score: float
    recognizer: str
    evidence: Evidence
