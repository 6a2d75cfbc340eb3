"""The durable vaults under load, killed, and grown: what is lost (nothing may be), what it costs, how large it gets.

python benchmarks/vault.py [--stores sqlite,postgres,redis] [--seconds 60] [--kills 200] [--sizes 10000,…] [--out FILE.json]

PostgreSQL and Redis are taken from SOVGUARD_TEST_POSTGRES and SOVGUARD_TEST_REDIS, by default from this machine; each run has a
schema and a prefix of its own, which are removed. Redis is as durable as it is set up; it is not killed here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from machine import machine

from sovguard.vault import (
    Entry,
    Keyring,
    SessionRef,
    create_vault,
    in_loop,
    open_store,
    open_vault,
    open_vault_async,
)

POSTGRES = os.environ.get("SOVGUARD_TEST_POSTGRES", "postgresql://127.0.0.1:5432/test")
REDIS = os.environ.get("SOVGUARD_TEST_REDIS", "redis://127.0.0.1:6379/0")
REF = SessionRef("acme", "load")
THREADS, PROCESSES = 64, 4


@contextmanager
def place(kind: str) -> Iterator[str]:
    """An address of an empty place, which is removed in the end."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            yield f"sqlite:///{folder}/v.db"
        elif kind == "postgres":
            yield f"{POSTGRES}?schema={name}"
            import psycopg

            with psycopg.connect(POSTGRES, autocommit=True) as connection:
                connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        else:
            yield f"{REDIS}?prefix={name}"
            import redis

            client = redis.Redis.from_url(REDIS)
            for key in client.scan_iter(f"{name}:*", 1000):
                client.delete(key)


def entry(number: int) -> Entry:
    """A value; every fifth is a person."""
    if number % 5 == 0:
        return Entry("PERSON", f"사람{number}", person=f"사람{number}")
    return Entry("ID_NUMBER", f"사번-{number}")


def percentiles(times: list[float]) -> dict[str, float]:
    """Median and 99th percentile, in microseconds."""
    times = sorted(times)
    return {
        "p50": round(1e6 * times[len(times) // 2], 1),
        "p99": round(1e6 * times[int(len(times) * 0.99)], 1),
    }


def timed(call: Callable[[], Any], rounds: int) -> dict[str, float]:
    """What a call takes."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return percentiles(times)


def costs(address: str, keys: Keyring) -> dict[str, Any]:
    """One caller: a warm hit, one value back, one new value, a thousand new values in one request."""
    vault = create_vault(address, keys)
    vault.open(REF)
    known = vault.put(REF, [entry(1)])
    count = iter(range(10, 10_000_000))
    thousand = []
    for _ in range(7):
        batch = [entry(next(count)) for _ in range(1000)]
        start = time.perf_counter()
        vault.put(REF, batch)
        thousand.append(1e3 * (time.perf_counter() - start))
    found = {
        "warm_hit_us": timed(lambda: vault.put(REF, [entry(1)]), 2000),
        "get_us": timed(lambda: vault.get(REF, known), 2000),
        "new_value_us": timed(lambda: vault.put(REF, [entry(next(count))]), 200),
        "thousand_new_ms": round(statistics.median(thousand), 1),
    }
    vault.close()
    return found


def work(address: str, exported: str, seconds: float, seed: int) -> None:
    """One process of the load: threads that mint and restore; prints what it saw."""
    vault = open_vault(address, Keyring._parsed(exported, "keys"))
    ends = time.monotonic() + seconds
    seen: dict[Entry, str] = {}
    lock = threading.Lock()
    calls = [0]
    wrong: list[str] = []
    times: list[float] = []

    def run(number: int) -> None:
        draw = random.Random(seed * 1000 + number)  # noqa: S311
        try:
            while time.monotonic() < ends:
                batch = [entry(int(draw.expovariate(1 / 3000))) for _ in range(draw.randint(1, 6))]
                start = time.perf_counter()
                surrogates = vault.put(REF, batch)
                back = vault.get(REF, surrogates)
                took = time.perf_counter() - start
                with lock:
                    times.append(took)
                    calls[0] += 1
                    for each, surrogate in zip(batch, surrogates, strict=True):
                        if back.get(surrogate) != each or seen.setdefault(each, surrogate) != surrogate:
                            wrong.append(surrogate)
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS // PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    vault.close()
    pairs = [[each.entity_type, each.value, surrogate] for each, surrogate in seen.items()]
    print(json.dumps({"calls": calls[0], "wrong": wrong[:5], "pairs": pairs, **percentiles(times)}))


def load(address: str, keys: Keyring, seconds: float) -> dict[str, Any]:
    """64 threads in 4 processes upon one session."""
    create_vault(address, keys).open(REF)
    start = time.monotonic()
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, "--work", address, str(seconds), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(PROCESSES)
    ]
    outcomes = []
    readers = [
        threading.Thread(
            target=lambda each=each: outcomes.append(json.loads(each.communicate(keys.export())[0]))
        )
        for each in workers
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    took = time.monotonic() - start
    values: dict[tuple[str, str], str] = {}
    surrogates: dict[str, tuple[str, str]] = {}
    for outcome in outcomes:
        assert outcome["wrong"] == [], outcome["wrong"]
        for kind, value, surrogate in outcome["pairs"]:
            assert values.setdefault((kind, value), surrogate) == surrogate, "one value, two surrogates"
            assert surrogates.setdefault(surrogate, (kind, value)) == (kind, value), (
                "one surrogate, two values"
            )
    vault = open_vault(address, keys)
    back = vault.get(REF, list(surrogates))
    lost = sum(back.get(each) is None or back[each].value != value for each, (_, value) in surrogates.items())
    vault.close()
    assert lost == 0, f"{lost} values lost"
    calls = sum(outcome["calls"] for outcome in outcomes)
    return {
        "seconds": seconds,
        "calls": calls,
        "calls_per_second": round(calls / took),
        "values": len(values),
        "p50_us": statistics.median(outcome["p50"] for outcome in outcomes),
        "p99_us": max(outcome["p99"] for outcome in outcomes),
    }


async def _requests(vault: Any, ask: Callable[..., Any], count: int) -> dict[str, Any]:
    """As many requests at once, each in a session of its own: opened, three values minted, and resolved."""
    late: list[float] = []
    done = asyncio.Event()

    async def watch() -> None:
        while not done.is_set():
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append(time.perf_counter() - before - 0.001)

    def request(number: int) -> None:
        ref = SessionRef("acme", str(number % 100))
        vault.open(ref)
        batch = [entry(number * 3 + each) for each in range(3)]
        assert list(vault.get(ref, vault.put(ref, batch)).values()) == batch

    await asyncio.gather(*[ask(request, number) for number in range(count)])
    watching = asyncio.create_task(watch())
    start = time.perf_counter()
    await asyncio.gather(*[ask(request, number) for number in range(count)])
    took = time.perf_counter() - start
    done.set()
    await watching
    return {
        "per_second": round(count / took),
        "loop_late_ms": {name: round(each / 1e3, 1) for name, each in percentiles(late).items()},
    }


def tasks(kind: str, address: str, keys: Keyring, count: int) -> dict[str, Any]:
    """Requests of one event loop, with known values: through threads, and waited for by the loop."""
    plain = create_vault(address, keys)
    found = {"in_threads": asyncio.run(_requests(plain, asyncio.to_thread, count))}
    plain.close()
    if kind == "sqlite":
        return found

    async def run() -> dict[str, Any]:
        vault = await open_vault_async(address, keys)
        outcome = await _requests(vault, in_loop, count)
        await in_loop(vault.close)
        return outcome

    found["in_loop"] = asyncio.run(run())
    return found


def write(address: str, exported: str, first: int) -> None:
    """The writer that is killed: says what it was given only once it was given it."""
    vault = open_vault(address, Keyring._parsed(exported, "keys"))
    vault.open(REF)
    number = first
    while True:
        batch = [entry(number + each) for each in range(random.randint(1, 20))]  # noqa: S311
        surrogates = vault.put(REF, batch)
        print(
            json.dumps(
                [[each.entity_type, each.value, name] for each, name in zip(batch, surrogates, strict=True)]
            ),
            flush=True,
        )
        number += len(batch)


def kills(address: str, keys: Keyring, times: int) -> dict[str, Any]:
    """Kill a writer again and again; every surrogate that it acknowledged has to restore, to its own value."""
    create_vault(address, keys).close()
    told: dict[str, tuple[str, str]] = {}
    for turn in range(times):
        writer = subprocess.Popen(
            [sys.executable, __file__, "--write", address, str(turn * 100_000)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write(keys.export())
        writer.stdin.close()
        lines = [writer.stdout.readline()]
        threading.Timer(random.uniform(0, 0.05), lambda each=writer: each.send_signal(signal.SIGKILL)).start()  # noqa: S311
        lines += writer.stdout.readlines()
        writer.wait()
        for line in lines:
            if line.endswith("\n"):
                for kind, value, surrogate in json.loads(line):
                    assert told.setdefault(surrogate, (kind, value)) == (kind, value), (
                        "one surrogate, two values"
                    )
    vault = open_vault(address, keys)
    back = vault.get(REF, list(told))
    wrong = [
        name for name, (kind, value) in told.items() if back.get(name) is None or back[name].value != value
    ]
    vault.close()
    assert wrong == [], f"{len(wrong)} acknowledged surrogates do not restore"
    return {"kills": times, "acknowledged": len(told), "lost": 0}


def growth(kind: str, keys: Keyring, sizes: list[int]) -> list[dict[str, Any]]:
    """How many octets a mapping takes, and how long opening takes, by how many there are."""
    found = []
    for size in sizes:
        with place(kind) as address:
            vault = create_vault(address, keys)
            start = time.perf_counter()
            for session in range(max(1, size // 10_000)):
                ref = SessionRef("acme", str(session))
                vault.open(ref)
                for first in range(0, min(size, 10_000), 1000):
                    vault.put(ref, [entry(first + each) for each in range(1000)])
            wrote = time.perf_counter() - start
            vault.close()
            store = open_store(address)  # once the log has been written back
            octets = store.size()  # type: ignore[attr-defined]
            store.close()
            start = time.perf_counter()
            again = open_vault(address, keys)
            again.open(SessionRef("acme", "0"))
            opened = time.perf_counter() - start
            hit = timed(lambda: again.put(SessionRef("acme", "0"), [entry(1)]), 500)  # noqa: B023
            again.close()
        found.append(
            {
                "mappings": size,
                "octets_each": round(octets / size, 1),
                "open_ms": round(1e3 * opened, 1),
                "warm_hit_us": hit,
                "written_per_second": round(size / wrote),
            }
        )
    return found


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stores", default="sqlite,postgres,redis")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=300, help="requests at once in one event loop")
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(args.work[0], sys.stdin.read(), float(args.work[1]), int(args.work[2]))
        return
    if args.write:
        write(args.write[0], sys.stdin.read(), int(args.write[1]))
        return
    keys = Keyring.generate()
    record: dict[str, Any] = {"machine": machine(), "stores": {}}
    for kind in args.stores.split(","):
        mine: dict[str, Any] = {}
        with place(kind) as address:
            mine["costs"] = costs(address, keys)
        print(f"{kind:9} {mine['costs']}", flush=True)
        if args.tasks:
            with place(kind) as address:
                mine["tasks"] = tasks(kind, address, keys, args.tasks)
            print(f"{kind:9} {mine['tasks']}", flush=True)
        if args.seconds:
            with place(kind) as address:
                mine["load"] = load(address, keys, args.seconds)
            print(f"{kind:9} {THREADS} threads, {PROCESSES} processes: {mine['load']}", flush=True)
        if args.kills:
            with place(kind) as address:
                mine["crash"] = kills(address, keys, args.kills)
            print(f"{kind:9} {mine['crash']}", flush=True)
        if args.sizes:
            mine["growth"] = growth(kind, keys, [int(each) for each in args.sizes.split(",")])
            for row in mine["growth"]:
                print(f"{kind:9} {row}", flush=True)
        record["stores"][kind] = mine
    if args.out:
        args.out.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
