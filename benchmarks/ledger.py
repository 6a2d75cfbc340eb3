"""The ledger: what writing a record costs, how fast a ledger is verified, and how large it gets.

python benchmarks/ledger.py [--stores files,postgres] [--records 1000000] [--every 256] [--out FILE.json]

Records of about 500 octets, as a guard writes them, each timed by itself, with a checkpoint (fsync, Ed25519) after every 256.
PostgreSQL is taken from SOVGUARD_TEST_POSTGRES, by default from this machine; a run has a schema of its own, which is removed.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from machine import machine

from sovguard.ledger import LedgerKey, check, create_ledger, prove, verify

POSTGRES = os.environ.get("SOVGUARD_TEST_POSTGRES", "postgresql://127.0.0.1:5432/test")
BARS = {"append_us_median": 200.0, "verified_per_second": 50_000.0, "octets_of_a_million": 1e9}


@contextmanager
def place(kind: str, folder: Path | None) -> Iterator[str]:
    """An address of an empty place, which is removed in the end."""
    if kind == "files":
        with tempfile.TemporaryDirectory(dir=folder) as made:
            yield f"file://{Path(made).resolve()}/ledger"
        return
    name = f"bench_{uuid.uuid4().hex[:12]}"
    try:
        yield f"{POSTGRES}?schema={name}"
    finally:
        import psycopg

        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def record(number: int, session: str) -> dict[str, Any]:
    """What a guard writes before a request."""
    return {
        "tenant": "default",
        "session": session,
        "caller": "openai_chat",
        "purpose": "상담 요약",
        "destination": {
            "id": "openai-us",
            "provider": "openai",
            "jurisdiction": "US",
            "inference_region": "US",
            "storage_region": "US",
        },
        "model": "gpt-5",
        "policy": {"name": "kr-pipa", "digest": "4d5f2c0a9e8b7163"},
        "rules": ["identity-abroad"],
        "outcome": "send",
        "counts": {"PERSON": {"tokenize": number % 7 + 1}, "PHONE_NUMBER": {"tokenize": 1}},
        "warnings": [],
        "detectors": {"sovguard": "0.1.0", "names": "full", "pack": "a1b2c3d4e5f60718"},
    }


def quantile(sorted_values: list[float], share: float) -> float:
    """A value that this share of all lies below, in microseconds."""
    return round(1e6 * sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))], 1)


def measure(address: str, count: int, every: int) -> dict[str, Any]:
    """Write, verify and prove."""
    key = LedgerKey.generate("bench.example/ledger")
    ledger = create_ledger(address, key, every=every)
    session = ledger.keyed("default", "conversation-42")
    records = [record(number, session) for number in range(min(count, 1000))]
    times = []
    began = time.perf_counter()
    for number in range(count):
        start = time.perf_counter()
        ledger.append("request", records[number % 1000])
        times.append(time.perf_counter() - start)
    wrote = time.perf_counter() - began
    writer = ledger.writer
    ledger.close()
    times.sort()
    began = time.perf_counter()
    found = verify(address, key.verifier)
    verified = time.perf_counter() - began
    assert found.ok, found.bad
    assert found.records == count, found
    began = time.perf_counter()
    proof = prove(address, writer, count // 2)
    proved = time.perf_counter() - began
    assert check(proof, key.verifier)["n"] == count // 2
    return {
        "records": count,
        "append_us_median": quantile(times, 0.5),
        "append_us_p99": quantile(times, 0.99),
        "append_us_p999": quantile(times, 0.999),
        "append_ms_max": round(1e3 * times[-1], 2),
        "appended_per_second": round(count / wrote),
        "verified_per_second": round(count / verified),
        "prove_ms": round(1e3 * proved, 1),
        "proof_octets": len(json.dumps(proof)),
        "octets_each": round(size(address) / count, 1),
        "octets_of_a_million": round(size(address) / count * 1e6),
    }


def size(address: str) -> int:
    """What the ledger takes, with its checkpoints; in PostgreSQL with indexes."""
    if address.startswith("file://"):
        folder = Path(address.removeprefix("file://"))
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    import psycopg

    statement = (
        "SELECT SUM(pg_total_relation_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relkind = 'r'"
    )
    with psycopg.connect(POSTGRES) as connection:
        row = connection.execute(statement, (address.rpartition("=")[2],)).fetchone()
    return int(row[0]) if row else 0


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stores", default="files,postgres")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--every", type=int, default=256)
    parser.add_argument("--folder", type=Path, help="where the files are to lie, to measure another disk")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    result: dict[str, Any] = {"machine": machine(), "bars": BARS, "every": args.every, "stores": {}}
    for kind in args.stores.split(","):
        with place(kind, args.folder) as address:
            result["stores"][kind] = found = measure(address, args.records, args.every)
        print(f"{kind:9} {found}", flush=True)
    if args.out:
        args.out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
