"""Batches and Spark: Arrow batches against redact() row by row, Spark with two workers against two plain processes.

python benchmarks/pipeline.py [--rows 20000] [--spark-rows 60000] [--names full,off] [--skip-spark] [--out FILE.json]

Rows are short: a number and a line of about 120 characters of benchmarks/workloads.py, all different. Each pair is measured in
one run, after warming up, and told as a ratio. Spark needs Java 17 or newer.
"""

from __future__ import annotations

import argparse
import base64
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any

from machine import machine
from workloads import mixed_lines

KEY = bytes(range(64))
BARS = {"batch_to_rows": 1.5, "spark_to_processes": 0.8}
_WARM = 2_000


def rows(count: int) -> list[str]:
    """Different lines."""
    return [f"{line} ({number})" for number, line in enumerate(mixed_lines(count, 7))]


def sealed() -> Any:
    """The surrogates that all of them make."""
    from sovguard.vaultless import Scope, Vaultless

    return Vaultless(KEY, Scope("bench", dataset="lines"))


def batch_to_rows(lines: list[str], names: Any) -> dict[str, Any]:
    """Arrow batches of 8,192 rows against a call for each row."""
    import pyarrow as pa

    from sovguard import Guard
    from sovguard.pipeline import redact_batch

    guard, mode = Guard(names=names), sealed()
    table = pa.table({"n": list(range(len(lines))), "memo": lines})
    redact_batch(table.slice(0, _WARM), mode, guard=guard)
    session = guard.session()
    for line in lines[:200]:
        session.redact({"memo": line})
    begun = time.perf_counter()
    redact_batch(table, mode, guard=guard)
    batch = time.perf_counter() - begun
    some = lines[: max(1, len(lines) // 4)]
    session = guard.session()
    begun = time.perf_counter()
    for number, line in enumerate(some):
        session.redact({"n": number, "memo": line})
    row = time.perf_counter() - begun
    begun = time.perf_counter()
    for line in some:
        mode.redact(line, guard.scan(line))
    scanned = time.perf_counter() - begun
    return {
        "rows": len(lines),
        "batch_rows_per_second": round(len(lines) / batch),
        "redact_rows_per_second": round(len(some) / row),
        "scan_rows_per_second": round(len(some) / scanned),
        "batch_to_rows": round(row / len(some) * len(lines) / batch, 2),
        "batch_to_scans": round(scanned / len(some) * len(lines) / batch, 2),
    }


def _work(lines: list[str], names: Any, ready: Any, go: Any, done: Any) -> None:
    import pyarrow as pa

    from sovguard import Guard
    from sovguard.pipeline import redact_batch

    guard, mode = Guard(names=names), sealed()
    table = pa.table({"n": list(range(len(lines))), "memo": lines})
    redact_batch(table.slice(0, _WARM), mode, guard=guard)
    ready.put(True)
    go.wait()
    begun = time.perf_counter()
    redact_batch(table, mode, guard=guard)
    done.put(time.perf_counter() - begun)


def two_processes(lines: list[str], names: Any) -> float:
    """Seconds that two plain processes need, each for half."""
    context = multiprocessing.get_context("spawn")
    ready, done, go = context.Queue(), context.Queue(), context.Event()
    halves = [lines[::2], lines[1::2]]
    working = [context.Process(target=_work, args=(half, names, ready, go, done)) for half in halves]
    for process in working:
        process.start()
    for _ in working:
        ready.get()
    go.set()
    seconds = max(done.get() for _ in working)
    for process in working:
        process.join()
    return seconds


def spark(lines: list[str], names: Any, folder: Path) -> float:
    """Seconds that Spark with two workers needs, once they are warm, from Parquet to nothing."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyspark.sql import SparkSession

    from sovguard.pipeline.spark import redact_dataframe
    from sovguard.vaultless import Scope

    os.environ |= {
        "SOVGUARD_PIPELINE_KEY": base64.b64encode(KEY).decode(),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for part, half in enumerate((lines[::2], lines[1::2])):
        pq.write_table(pa.table({"n": list(range(len(half))), "memo": half}), folder / f"{part}.parquet")
    builder: Any = SparkSession.builder
    session = builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    frame = session.read.parquet(str(folder))
    taken = []
    for _ in range(3):  # the first run loads what workers need
        begun = time.perf_counter()
        redact_dataframe(frame, scope=Scope("bench", dataset="lines"), names=names).write.format("noop").mode(
            "overwrite"
        ).save()
        taken.append(time.perf_counter() - begun)
    session.stop()
    return min(taken[1:])


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--spark-rows", type=int, default=60_000)
    parser.add_argument("--names", default="full,off")
    parser.add_argument("--skip-spark", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark-pipeline"))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    result: dict[str, Any] = {"machine": machine(), "bars": BARS, "names": {}}
    for names in asked.names.split(","):
        told = result["names"][names] = batch_to_rows(rows(asked.rows), names)
        print(f"names {names:<5} batch {told}", flush=True)
        if not asked.skip_spark:
            lines = rows(asked.spark_rows)
            plain, sparked = two_processes(lines, names), spark(lines, names, asked.folder / names)
            told["spark"] = {
                "rows": len(lines),
                "two_processes_rows_per_second": round(len(lines) / plain),
                "spark_rows_per_second": round(len(lines) / sparked),
                "spark_to_processes": round(plain / sparked, 2),
            }
            print(f"names {names:<5} spark {told['spark']}", flush=True)
    if asked.out is not None:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
