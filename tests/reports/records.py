"""Records as the ledger yields them: a small set worked out by hand, and made-up ledgers of any length."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

DAY = 86_400_000
START = 1_788_188_400_000  # 2026-09-01 00:00 in Korea
Record = dict[str, Any]


def place(name: str, provider: str, entity: str, law: str, region: str, **more: str) -> Record:
    """A destination as records hold it."""
    facts = {"storage_region": region, "retention": "unknown", "training_use": "no", "trust": "standard"}
    return {
        "id": name,
        "provider": provider,
        "legal_entity": entity,
        "jurisdiction": law,
        "inference_region": region,
    } | {**facts, **more}


OPENAI = place("openai", "openai", "OpenAI OpCo, LLC", "US", "US", retention="30 days")
SEOUL = place("bedrock-seoul", "aws", "Amazon Web Services, Inc.", "US", "KR", retention="none")
CLOVA = place("clova", "naver", "네이버클라우드 주식회사", "KR", "KR", retention="none")
OWN = place("own", "own", "own", "own", "own", retention="own", training_use="own", trust="own")
ODD = place("cheap-api", "cheap", "unknown", "unknown", "unknown", training_use="unknown")


def request(number: int, when: int, to: Record | None, **more: Any) -> Record:
    """A request that was sent, unless ``more`` says otherwise."""
    return {
        "v": 1,
        "n": number,
        "t": when,
        "kind": "request",
        "writer": "0" * 16,
        "tenant": "은행",
        "session": f"{number:032x}",
        "caller": "상담앱",
        "purpose": "상담 요약",
        "destination": to,
        "model": "m-1",
        "policy": {"name": "kr-pipa", "digest": "d" * 64},
        "rules": ["kr-pipa/surrogates-everywhere"],
        "outcome": "send",
        "reason": "",
        "dry_run": False,
        "counts": {},
        "warnings": [],
        "detectors": {"sovguard": "0.1.0", "names": "full", "pack": "a" * 64},
    } | more


def answer(of: int, **more: Any) -> Record:
    """An answer that went well, unless ``more`` says otherwise."""
    return {
        "kind": "answer",
        "of": of,
        "writer": "0" * 16,
        "unresolved": 0,
        "restored": 2,
        "status": 200,
        "latency_ms": 100.0,
        "outcome": "ok",
    } | more


BY_HAND: list[Record] = [
    request(1, START, OPENAI, counts={"PERSON": {"tokenize": 2}, "KR_BRN": {"allow": 1}}, session="s"),
    answer(1, unresolved=1, restored=3),
    request(2, START + 1, OPENAI, counts={"KR_RRN": {"remove": 1}}, warnings=["health"], session="s", purpose=None),
    answer(2, latency_ms=300.0, outcome="failed", status=500),
    request(3, START + DAY, CLOVA, addressed=OPENAI, outcome="reroute", rules=["r/keep"], counts={"PERSON": {"tokenize": 1}}),
    answer(3, writer="f" * 16),
    request(4, START + DAY, OPENAI, outcome="block", rules=["r/a", "r/b"], counts={"CREDIT_CARD": {"block": 4}}, tenant="병원"),
    request(5, START + 2 * DAY, OPENAI, outcome="refused", reason="egress", rules=[], counts={"PERSON": {"tokenize": 1}}),
    request(6, START + 5 * DAY, CLOVA, addressed=SEOUL, outcome="reroute", dry_run=True, rules=["r/keep"])
    | {"counts": {"KR_RRN": {"remove": 3}}},
    request(7, START + 5 * DAY, None, outcome="block", rules=["unknown-destination"]),
    {"kind": "vault", "what": "erased session", "count": 1},
    {"kind": "recovered"},
    {"kind": "request", "t": "yesterday", "outcome": "send"},
]  # fmt: skip


def made_up(count: int, seed: int = 1) -> Iterator[Record]:
    """Yield a ledger of about ``count`` records of half a year, as a firm might have."""
    drawn = random.Random(seed)  # noqa: S311  not keys
    places = [OPENAI, SEOUL, CLOVA, OWN, ODD]
    places.append(place("anthropic", "anthropic", "Anthropic, PBC", "US", "US", retention="30 days"))
    places.append(place("azure-korea", "microsoft", "Microsoft Corporation", "US", "KR", retention="unknown"))
    places.append(place("mistral", "mistral", "Mistral AI SAS", "FR", "FR", storage_region="DE"))
    places.append(place("upstage", "upstage", "주식회사 업스테이지", "KR", "KR", retention="unknown"))
    places.append(
        place("deepseek", "deepseek", "Hangzhou DeepSeek AI Co., Ltd.", "CN", "CN", training_use="yes")
    )
    weights = [30, 9, 22, 12, 1, 14, 6, 3, 5, 1]
    models = {
        "openai": ["gpt-5.2", "gpt-5.2-mini"], "bedrock-seoul": ["claude-sonnet-4-6"], "clova": ["HCX-007", "HCX-DASH-002"],
        "own": ["EXAONE-4.0-32B"], "cheap-api": ["free-large"], "anthropic": ["claude-opus-4-6", "claude-sonnet-4-6"],
        "azure-korea": ["gpt-5.2"], "mistral": ["mistral-large-3"], "upstage": ["solar-pro3"], "deepseek": ["deepseek-chat"],
    }  # fmt: skip
    types = [
        "PERSON",
        "PHONE_NUMBER",
        "EMAIL_ADDRESS",
        "KR_ADDRESS",
        "KR_RRN",
        "CREDIT_CARD",
        "KR_BANK_ACCOUNT",
    ]
    types += ["KR_BRN", "DATE_OF_BIRTH", "ID_NUMBER", "EMPLOYEE_CODE"]
    how_often = [30, 18, 12, 9, 3, 2, 4, 3, 4, 6, 1]
    span = 61 * DAY
    number = 0
    asked = max(1, count // 2)
    while number < asked:
        number += 1
        when = START + span * number // asked + drawn.randrange(DAY // 3)
        weights[2] = 22 + 30 * number // asked  # a firm that moves home
        to = drawn.choices(places, weights)[0]
        abroad = to["jurisdiction"] not in ("KR", "own")
        counts: dict[str, dict[str, int]] = {}
        for name in sorted(set(drawn.choices(types, how_often, k=drawn.randrange(5)))):
            action = "tokenize" if name not in ("KR_RRN", "CREDIT_CARD") or not abroad else "remove"
            if name == "KR_BRN":
                action = "allow"
            elif name == "KR_BANK_ACCOUNT" and abroad:
                action = "mask"
            counts[name] = {action: drawn.randrange(1, 4)}
        more: Record = {}
        chance = drawn.random()
        if to is ODD or (chance < 0.03 and abroad):
            more = {
                "outcome": "block",
                "rules": [
                    "kr-pipa/unknown-law" if to is ODD else "kr-pipa/cards-abroad",
                    "kr-pipa/surrogates-everywhere",
                ],
            }
        elif chance < 0.07 and abroad:
            more = {"outcome": "reroute", "addressed": to, "rules": ["kr-pipa/health-stays-home"]}
            to = CLOVA
        elif chance < 0.078:
            more = {"outcome": "refused", "reason": drawn.choice(["egress", "payload", "error"]), "rules": []}
        elif number < asked // 9:
            more = {"dry_run": True, "outcome": drawn.choices(["send", "block", "reroute"], [9, 1, 1])[0]}
            more["rules"] = ["kr-pipa/surrogates-everywhere"]
            if more["outcome"] != "send":
                more["rules"].append(
                    "kr-pipa/cards-abroad" if more["outcome"] == "block" else "kr-pipa/health-stays-home"
                )
            if more["outcome"] == "reroute":
                more["addressed"], to = to, CLOVA
        if to is ODD and drawn.random() < 0.3:
            more = {}
        writer = f"{drawn.randrange(3):016x}"
        yield request(
            number, when, to, counts=counts, writer=writer, session=f"{drawn.randrange(asked // 3 + 1):032x}",
            tenant=drawn.choices(["은행", "카드", "보험", "증권"], [5, 3, 2, 1])[0],
            caller=drawn.choice(["상담앱", "문서요약", "crm-batch", "사내비서"]),
            purpose=drawn.choices(["상담 요약", "문서 번역", "코드 작성", "민원 분류", None], [5, 3, 2, 2, 1])[0],
            model=drawn.choice(models[to["id"]]),
            warnings=drawn.choices([[], ["health"], ["belief"], ["criminal_record", "health"]], [90, 6, 2, 2])[0],
            policy={"name": "kr-finance", "digest": ("3f9a" if number < asked // 2 else "b07c") * 16},
            detectors={"sovguard": "0.1.0" if number < asked // 3 else "0.2.0", "names": "full", "pack": "5be1" * 16},
            **more,
        )  # fmt: skip
        if more.get("outcome") in ("block", "refused") and not more.get("dry_run"):
            continue
        tokens = sum(actions.get("tokenize", 0) for actions in counts.values())
        lost = sum(drawn.random() < (0.05 if to["id"] == "upstage" else 0.006) for _ in range(tokens))
        yield answer(
            number, writer=writer, unresolved=lost, restored=tokens - lost,
            latency_ms=round(drawn.lognormvariate(7.2, 0.6), 1), outcome="ok" if drawn.random() > 0.01 else "failed",
        )  # fmt: skip
