"""Runs every benchmark on every engine and keeps the record: tables, raw results and the machine.

python benchmarks/run_all.py [--name 2026-01-31] [--engines presidio,ko-pii] [--corpus FILE]

Takes about half an hour with sovguard. The record is benchmarks/record/NAME/; report.txt there holds every
table under the command that gave it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from engine_client import comma_separated
from machine import ROOT

ACCURACY_ENGINES = "sovguard,sovguard-fast,sovguard-off,presidio,ko-pii,ko-pii-all,rust_pii_transformer"


def commands(name: str, engines: list[str], corpus: str) -> list[list[str]]:
    """The benchmarks' command lines, relative to the root of the repository."""
    out = f"benchmarks/record/{name}"
    chosen = [engine for engine in comma_separated(ACCURACY_ENGINES) if not engines or engine in engines]
    accuracy = ["benchmarks/accuracy.py", "--corpus", corpus, "--engines", ",".join(chosen)]
    speed = ["benchmarks/throughput.py", "--out", out]
    if engines:
        # Growth with length is a limit on sovguard: a run of other engines leaves it out.
        ours = any(engine.startswith("sovguard") for engine in engines)
        kinds = ["mixed-lines", "cold-start", "import", *(["scaling"] if ours else [])]
        speed += ["--engines", ",".join(engines), "--definitions", ",".join(kinds)]
    runs = [speed]
    if chosen:
        without_names = ["--exclude", "PERSON", "--out", f"{out}/accuracy-without-names.json"]
        runs = [[*accuracy, "--out", f"{out}/accuracy.json"], [*accuracy, *without_names], speed]
    if not engines:
        others = ["benchmarks/corpora/after.jsonl", "benchmarks/corpora/blind.jsonl"]
        names = ["benchmarks/names.py", "--corpus", corpus, *others]
        runs += [
            [*names, "--out", f"{out}/names.json"],
            ["benchmarks/latency.py", "--out", f"{out}/latency.json"],
            ["benchmarks/round_trip.py", "--out", f"{out}/round-trip.json"],
            ["benchmarks/streaming.py", "--out", f"{out}/streaming.json"],
        ]
    return runs


def main(argv: Sequence[str] | None = None) -> int:
    """Run them all; 0, or 1 when one of them failed."""
    parser = argparse.ArgumentParser(description="Run every benchmark and keep the record.")
    parser.add_argument("--name", default=datetime.now(UTC).strftime("%Y-%m-%d"), help="folder of the record")
    parser.add_argument("--engines", type=comma_separated, default=[], help="only these engines")
    parser.add_argument("--corpus", default="benchmarks/corpora/dev.jsonl")
    args = parser.parse_args(argv)
    report: list[str] = []
    failed = False
    for command in commands(args.name, args.engines, args.corpus):
        print(f"$ python {' '.join(command)}", flush=True)
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
        )
        print(done.stdout, flush=True)
        report.append(f"$ python {' '.join(command)}\n{done.stdout}")
        failed |= done.returncode != 0
    path = Path(ROOT, "benchmarks", "record", args.name, "report.txt")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(report), encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
