"""What a decision costs: 50 detections under 200 rules, and under each shipped profile.

python benchmarks/policy.py [--rounds 5000] [--out FILE.json]
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path
from typing import Any

from machine import machine

from sovguard.entities import ENTITY_TYPES, Detection, Evidence
from sovguard.policy import PROFILES, Judges, Policy, Request, load, parse

TYPES = list(ENTITY_TYPES)


def request(draw: random.Random, count: int = 50) -> Request:
    """A request with so many values of all types."""
    evidence = Evidence("bench")
    hits = [
        Detection(draw.choice(TYPES), 0, 1, draw.choice([0.4, 0.7, 1.0]), "bench", evidence)
        for _ in range(count)
    ]
    return Request(hits, [str(draw.randrange(40)) for _ in hits], frozenset({"health"}), 7)


def large(draw: random.Random, count: int = 200) -> Policy:
    """A policy of so many rules: most on one type or class, a fifth that count, a tenth on topics or combinations."""
    rules = ['[[rule]]\nid = "all"\ndata = ["*"]\naction = "tokenize"']
    for number in range(count - 1):
        lines = ["[[rule]]", f'id = "r{number}"']
        kind = draw.random()
        if kind < 0.9:
            lines += [f'data = ["{draw.choice([*TYPES, "financial", "contact"])}"]']
            lines += [f'action = "{draw.choice(["tokenize", "mask", "remove"])}"']
            if kind < 0.2:
                lines += [draw.choice([f"more_than = {draw.randint(1, 9)}", "min_score = 0.5"])]
        elif kind < 0.95:
            lines += [f'all_of = ["PERSON", "{draw.choice(TYPES[1:])}"]', 'action = "mask"']
        else:
            lines += ['topics = ["health"]', 'action = "warn"']
        lines += draw.choice(
            [[], ['to = { jurisdiction_not = ["KR", "own"] }'], ['to = { jurisdiction = ["CN"] }']]
        )
        rules.append("\n".join(lines))
    return parse("\n\n".join(['version = 1\nname = "large"', *rules]))


def timed(policy: Policy, destination: str, requests: list[Request], rounds: int) -> dict[str, float]:
    """Median and 99th percentile of a decision, in microseconds."""
    judges, place = Judges(policy), policy.catalogue.named(destination)
    for each in requests:
        judges.decide(each, place)
    times = []
    for turn in range(rounds):
        each = requests[turn % len(requests)]
        start = time.perf_counter()
        judges.decide(each, place)
        times.append(time.perf_counter() - start)
    times.sort()
    return {"p50_us": round(1e6 * times[rounds // 2], 1), "p99_us": round(1e6 * times[int(rounds * 0.99)], 1)}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5000)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    draw = random.Random(7)  # noqa: S311
    requests = [request(draw) for _ in range(20)]
    record: dict[str, Any] = {"machine": machine()}
    record["200 rules"] = timed(large(draw), "openai", requests, args.rounds)
    print(f"50 detections, 200 rules: {record['200 rules']}")
    for name in PROFILES:
        record[name] = timed(load(name), "openai", requests, args.rounds)
        print(f"50 detections, {name}: {record[name]}")
    if args.out:
        args.out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
