"""A made-up corpus and ways to break its redaction."""

from __future__ import annotations

from typing import Any

from sovguard.pipeline import QualityReport, quality_report, redact_rows
from tests.pipeline.places import SEALED, finder
from tests.servers import EMAIL, NAME, OTHER_NAME, PHONE, RRN

OTHER_PHONE = "010-0000-5678"
CANARIES = (NAME, OTHER_NAME, PHONE, OTHER_PHONE, RRN, EMAIL)
ROWS: list[dict[str, Any]] = [
    {
        "id": "a1",
        "name": NAME,
        "phone": PHONE,
        "memo": f"{NAME} 고객이 {PHONE}로 전화했습니다",
        "region": "서울",
    },
    {"id": "a2", "name": OTHER_NAME, "phone": OTHER_PHONE, "memo": f"답장은 {EMAIL}", "region": "부산"},
    {"id": "a3", "name": NAME, "phone": PHONE, "memo": f"주민번호 {RRN} 확인", "region": "서울"},
    {"id": "a4", "name": OTHER_NAME, "phone": OTHER_PHONE, "memo": "다시 걸기로 함", "region": "부산"},
    {"id": "a5", "name": NAME, "phone": PHONE, "memo": "끝", "region": "대구"},
]


def redacted(mode: Any = SEALED, rows: list[Any] | None = None) -> list[Any]:
    """The corpus, redacted; rows of its own that may be changed."""
    return [
        dict(row) if isinstance(row, dict) else row
        for row in redact_rows(ROWS if rows is None else rows, mode, guard=finder())
    ]


def compared(after: Any, before: Any = None, **settings: Any) -> QualityReport:
    """The report of a corpus; no value is in it, on its page or in its JSON."""
    import json

    report = quality_report(ROWS if before is None else before, after, guard=finder(), **settings)
    for told in (repr(report), json.dumps(report.to_json(), ensure_ascii=False), report.html()):
        assert not any(value in told for value in CANARIES)
    return report
