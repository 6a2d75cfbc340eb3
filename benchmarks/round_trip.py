"""Do the surrogates in real answers come back, and do the particles behind them fit?

python benchmarks/round_trip.py [--out FILE.json]

``corpora/round-trip`` holds 20 office prompts with surrogates in six shapes and a strong language model's answers to them. Each
answer is translated into this project's shape, as the session of the prompt would have minted it, and restored whole and in
a stream of pieces, with three sets of values that end in other sounds. A particle counts as right by a table of its own here.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from machine import machine

from sovguard import Guard
from sovguard.session import Session

FOLDER = Path(__file__).parent / "corpora/round-trip"
_ANY = "([A-Z_]{2,}|[가-힣]{2,4})"
SHAPES = {
    "angle": re.compile(f"<{_ANY}_([0-9]+)>"),
    "dbl": re.compile(rf"\[\[{_ANY}_([0-9]+)\]\]"),
    "ko": re.compile(r"\[([가-힣]{2,4})([0-9]+)\]"),
    "tag": re.compile("(이름|전화|주소|이메일|주민번호|계좌|번호|날짜)#([0-9a-z]{4})"),
    "value": re.compile("([A-Z]{2,})-(K7QM[0-9A-Z]{4})"),
    "white": re.compile(f"⟦{_ANY}_([0-9]+)⟧"),
}
TYPES = {
    "PERSON": "PERSON", "이름": "PERSON",
    "PHONE": "PHONE_NUMBER", "PHONE_NUMBER": "PHONE_NUMBER", "전화": "PHONE_NUMBER",
    "ADDR": "KR_ADDRESS", "KR_ADDRESS": "KR_ADDRESS", "주소": "KR_ADDRESS",
    "EMAIL": "EMAIL_ADDRESS", "EMAIL_ADDRESS": "EMAIL_ADDRESS", "이메일": "EMAIL_ADDRESS",
    "RRN": "KR_RRN", "KR_RRN": "KR_RRN", "주민번호": "KR_RRN",
    "ACCT": "KR_BANK_ACCOUNT", "KR_BANK_ACCOUNT": "KR_BANK_ACCOUNT", "계좌": "KR_BANK_ACCOUNT",
    "DOB": "DATE_OF_BIRTH", "DATE_OF_BIRTH": "DATE_OF_BIRTH", "날짜": "DATE_OF_BIRTH",
    "ID": "ID_NUMBER", "ID_NUMBER": "ID_NUMBER", "번호": "ID_NUMBER",
}  # fmt: skip
NAMES = (
    ("김민준", "이서아", "박한별", "최지호"),
    ("정예나", "남궁솔", "오현", "표다은"),
    ("곽하늘", "장미루", "John Smith", "임건"),
)
VALUES = {
    "PHONE_NUMBER": "010-0000-{0}23{0}", "KR_ADDRESS": "서울특별시 종로구 세종대로 20{0}",
    "EMAIL_ADDRESS": "user{0}@example.com",
    "KR_RRN": "35010{0}-3000000", "KR_BANK_ACCOUNT": "110-000-00000{0}",
    "DATE_OF_BIRTH": "2035년 1월 {0}일", "ID_NUMBER": "A-000{0}",
}  # fmt: skip
# The last sound of each name: a vowel, ㄹ or another consonant; and what stands rightly behind each.
VOWELS = {"이서아", "최지호", "정예나", "장미루", "John Smith"}
RIEULS = {"박한별", "남궁솔", "곽하늘"}
_VOWEL = "는 가 를 와 로 야 랑 나 라 라고 라는 예요 였다 였습니다 여서 와는 와의 로부터 로서 로는"
_CONSONANT = "은 이 을 과 아 이랑 이나 이라 이라고 이라는 이에요 이었다 이었습니다 이어서 과는 과의"
RIGHT = {
    "vowel": frozenset(_VOWEL.split()),
    "rieul": frozenset(f"{_CONSONANT} 로 로부터 로서 로는".split()),
    "consonant": frozenset(f"{_CONSONANT} 으로 으로부터 으로서 으로는".split()),
}
ALL = {form for forms in RIGHT.values() for form in forms}


def sections(path: Path) -> list[str]:
    """Returns the numbered sections of a file."""
    return re.split("(?m)^### [0-9]+\n", path.read_text("utf-8"))[1:]


def translated(
    answer: str, shape: re.Pattern[str], session: Session, names: tuple[str, ...]
) -> tuple[str, dict[str, str]]:
    """Returns an answer with this project's surrogates, and the value that each stands for."""
    values: dict[tuple[str, str], str] = {}
    stands: dict[str, str] = {}
    counts: Counter[str] = Counter()

    def ours(match: re.Match[str]) -> str:
        kind = TYPES.get(match[1])
        if kind is None:
            return match[0]
        key = kind, match[2]
        if key not in values:
            number = counts[kind]
            counts[kind] += 1
            values[key] = names[number % len(names)] if kind == "PERSON" else VALUES[kind].format(number + 1)
        surrogate = session.surrogate(values[key], kind)
        stands[surrogate] = values[key]
        return surrogate

    return shape.sub(ours, answer), stands


def particles(text: str, restored: str, stands: dict[str, str]) -> Iterator[bool]:
    """Yields for each particle behind a restored name in prose whether it is right."""
    surrogates = re.compile("|".join(map(re.escape, stands)) or "(?!)")
    at = 0
    for match in surrogates.finditer(text):
        value = stands[match[0]]
        at = restored.index(value, at) + len(value)
        behind = re.match("[\"'”’)*`]*([가-힣]+)", restored[at:])
        if value in {name for names in NAMES for name in names} and behind and behind[1] in ALL:
            sound = "vowel" if value in VOWELS else "rieul" if value in RIEULS else "consonant"
            yield behind[1] in RIGHT[sound]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    rng = random.Random(1)  # noqa: S311
    rows: dict[str, Counter[str]] = {}
    for name, shape in SHAPES.items():
        row = rows[name] = Counter()
        for answer in sections(FOLDER / f"{name}.answers.md"):
            for names in NAMES:
                guard = Guard(names="off")
                session = guard.session()
                text, stands = translated(answer, shape, session, names)
                outcome = session.restore(text)
                lane, parts, at = session.stream(), [], 0
                while at < len(text):
                    size = rng.randint(1, 12)
                    parts.append(lane.feed(text[at : at + size]))
                    at += size
                parts.append(lane.flush())
                row["answers"] += 1
                row["surrogates"] += sum(text.count(surrogate) for surrogate in stands)
                row["left"] += sum(outcome.text.count(surrogate) for surrogate in stands)
                row["unresolved"] += len(outcome.unresolved)
                row["streamed otherwise"] += "".join(parts) != outcome.text
                for right in particles(text, outcome.text, stands):
                    row["particles"] += 1
                    row["particles wrong"] += not right
    total: Counter[str] = sum(rows.values(), Counter())
    columns = (
        "answers",
        "surrogates",
        "left",
        "unresolved",
        "streamed otherwise",
        "particles",
        "particles wrong",
    )
    print(f"{'shape':8}" + "".join(f"{column:>20}" for column in columns))
    for name, row in [*rows.items(), ("all", total)]:
        print(f"{name:8}" + "".join(f"{row[column]:20}" for column in columns))
    if args.out:
        record: dict[str, Any] = {
            "machine": machine(),
            "shapes": {name: dict(row) for name, row in rows.items()},
        }
        args.out.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
