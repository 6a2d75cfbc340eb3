"""What a user waits for: warm prompts of 1,000 characters, the first redaction of a fresh process, and the memory it takes.

python benchmarks/latency.py [--out FILE.json]

Prompts are cut from the committed corpus, each another, and redacted one by one in sessions of their own with names in full;
the first redaction is timed in fresh processes from before the import.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from machine import machine
from workloads import CORPUS

from sovguard import Guard

LENGTH, PROMPTS, WARM_UP, FRESH = 1000, 300, 20, 5
FIRST = (
    "import sys, time; t = time.perf_counter(); import sovguard; sovguard.redact(sys.argv[1]);"
    " import resource; print(time.perf_counter() - t, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
)


def prompts() -> list[str]:
    """Texts of exactly ``LENGTH`` characters, none beginning where another does."""
    rows = CORPUS.read_text(encoding="utf-8").splitlines()
    whole = "\n\n".join(json.loads(row)["text"] for row in rows)
    step = (len(whole) - LENGTH) // (PROMPTS + WARM_UP)
    return [whole[at * step : at * step + LENGTH] for at in range(PROMPTS + WARM_UP)]


def warm(names: str) -> dict[str, float]:
    """Milliseconds for a prompt: median and 99th percentile."""
    guard = Guard(names=names)  # type: ignore[arg-type]
    times = []
    for text in prompts():
        start = time.perf_counter()
        guard.session().redact(text)
        times.append(1000 * (time.perf_counter() - start))
    times = sorted(times[WARM_UP:])
    return {"median_ms": statistics.median(times), "p99_ms": times[int(len(times) * 0.99)]}


def first() -> dict[str, float]:
    """Seconds to the first redaction in a fresh process, and its megabytes; medians."""
    runs = []
    for _ in range(FRESH + 1):
        done = subprocess.run(
            [sys.executable, "-c", FIRST, prompts()[0]], capture_output=True, text=True, check=True
        )
        runs.append([float(number) for number in done.stdout.split()])
    seconds, megabytes = zip(*runs[1:], strict=True)
    return {"seconds": statistics.median(seconds), "megabytes": statistics.median(megabytes)}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    record: dict[str, Any] = {"machine": machine(), "first": first()}
    record["warm"] = {names: warm(names) for names in ("full", "fast", "off")}
    record["megabytes_after"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"first redaction {record['first']['seconds']:.2f} s, {record['first']['megabytes']:.0f} MB")
    for names, times in record["warm"].items():
        print(
            f"{LENGTH} characters, names {names:5} median {times['median_ms']:.2f} ms, p99 {times['p99_ms']:.2f} ms"
        )
    print(f"memory after {3 * PROMPTS} prompts: {record['megabytes_after']:.0f} MB")
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
