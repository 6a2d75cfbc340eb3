"""Files: how fast chat lines in JSONL are redacted by one process and by two, beside Kiwi alone, and how much memory it takes.

python benchmarks/files.py [--megabytes 1000] [--names off,full] [--workers 1,2] [--folder DIR] [--out FILE.json]

The file is of chat lines of benchmarks/workloads.py, all different, with a number, a role and a time. Each run is a process by
itself, whose memory is that of all its processes, looked at every quarter of a second. For ``full`` take fewer megabytes.

Beside ``full`` runs Kiwi alone: ``tokenize`` over the strings of the same file, as many processes, a thread each, with the
dictionaries that sovguard loads. Of both, the time is from the beginning, loading included. Processor seconds tell more than
the clock does where others use the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from machine import machine
from workloads import mixed_lines

BARS = {"off_megabytes_per_second": 30.0, "full_to_bare_kiwi": 1.0, "two_to_one": 1.8, "memory_mib": 1200}
_CPU = """
import resource
def cpu():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
"""
_RUN = f"""{_CPU}
import json, sys
from pathlib import Path
from sovguard.pipeline.files import Job, Settings
from sovguard.vaultless import Scope
if __name__ == "__main__":
    source, target, names, workers = sys.argv[1:]
    settings = Settings(key=bytes(range(64)), scope=Scope("bench", dataset="lines"), names=names)
    report = Job(Path(source), Path(target), settings, workers=int(workers)).run()
    told = {{"records": report.records, "octets": report.octets, "seconds": report.seconds, "bad": report.bad_count}}
    print(json.dumps(told | {{"cpu": cpu()}}))
"""
_KIWI = f"""{_CPU}
import json, multiprocessing, sys, time
from kiwipiepy import Kiwi
def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)
def load():
    global kiwi
    kiwi = Kiwi(num_workers=1, load_multi_dict=False)
    kiwi.tokenize("가")
def work(lines):
    return sum(len(tokens) for tokens in kiwi.tokenize([text for line in lines for text in strings(json.loads(line))]))
def pieces(path):
    with open(path, encoding="utf-8") as file:
        while lines := file.readlines(1 << 18):
            yield lines
if __name__ == "__main__":
    source, workers = sys.argv[1:]
    begun = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(int(workers), load) as pool:
        morphemes = sum(pool.imap_unordered(work, pieces(source)))
        seconds = time.monotonic() - begun
        pool.close()
        pool.join()
    print(json.dumps({{"morphemes": morphemes, "seconds": seconds, "cpu": cpu()}}))
"""


def write(path: Path, megabytes: int) -> None:
    """Make the file."""
    lines, number, left = mixed_lines(20_000, 11), 0, megabytes * 1_000_000
    with path.open("w", encoding="utf-8") as file:
        while left > 0:
            at = f"2026-11-{1 + number // 86_400 % 28:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
            row = {"id": number, "role": "user", "at": at, "text": f"{lines[number % len(lines)]} ({number})"}
            said = json.dumps(row, ensure_ascii=False) + "\n"
            left -= len(said.encode())
            number += 1
            file.write(said)


def memory(group: int) -> int:
    """Octets that the processes of a group hold."""
    total = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if os.getpgid(int(folder.name)) == group:
                status = (folder / "status").read_text()
                total += int(status.partition("VmRSS:")[2].split()[0]) << 10
        except (OSError, IndexError, ValueError):
            continue
    return total


def run(path: Path, names: str, workers: int) -> dict[str, Any]:
    """One job, with the most memory that it took, at its beginning and at its end."""
    script = path.with_name("run.py")
    script.write_text(_RUN, "utf-8")
    target = path.with_name(f"out-{names}-{workers}.jsonl")
    process = subprocess.Popen(
        [sys.executable, str(script), str(path), str(target), names, str(workers)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    seen: list[int] = []
    while process.poll() is None:
        seen.append(memory(process.pid))
        time.sleep(0.25)
    said = json.loads(process.communicate()[0])
    target.unlink()
    third = max(1, len(seen) // 3)
    return {
        "megabytes": round(said["octets"] / 1e6),
        "records": said["records"],
        "bad": said["bad"],
        "seconds": round(said["seconds"], 1),
        "cpu_seconds": round(said["cpu"], 1),
        "megabytes_per_second": round(said["octets"] / 1e6 / said["seconds"], 2),
        "records_per_second": round(said["records"] / said["seconds"]),
        "memory_mib": round(max(seen) / (1 << 20)),
        "memory_mib_middle_third": round(max(seen[third : 2 * third] or seen) / (1 << 20)),
        "memory_mib_last_third": round(max(seen[2 * third :] or seen) / (1 << 20)),
    }


def bare_kiwi(path: Path, workers: int) -> dict[str, Any]:
    """Kiwi alone over the strings of the file."""
    script = path.with_name("kiwi.py")
    script.write_text(_KIWI, "utf-8")
    command = [sys.executable, str(script), str(path), str(workers)]
    said = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    return {
        "morphemes": said["morphemes"],
        "seconds": round(said["seconds"], 1),
        "cpu_seconds": round(said["cpu"], 1),
        "megabytes_per_second": round(path.stat().st_size / 1e6 / said["seconds"], 2),
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--names", default="off,full")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark-files"))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    path = asked.folder / f"lines-{asked.megabytes}.jsonl"
    if not path.exists():
        write(path, asked.megabytes)
    result: dict[str, Any] = {"machine": machine(), "bars": BARS, "runs": {}}
    for names in asked.names.split(","):
        runs = {workers: run(path, names, int(workers)) for workers in asked.workers.split(",")}
        for workers, told in runs.items():
            print(f"names {names:<5} {workers} workers  {told}", flush=True)
        if names == "full":
            runs["bare_kiwi"] = {}
            for workers in asked.workers.split(","):
                told = runs["bare_kiwi"][workers] = bare_kiwi(path, int(workers))
                rate = runs[workers]["megabytes_per_second"] / told["megabytes_per_second"]
                runs[workers]["to_bare_kiwi"] = round(rate, 2)
                runs[workers]["to_bare_kiwi_by_cpu"] = round(
                    told["cpu_seconds"] / runs[workers]["cpu_seconds"], 2
                )
                print(f"bare kiwi   {workers} workers  {told}, names full {rate:.2f} times that", flush=True)
        if {"1", "2"} <= runs.keys():
            runs["two_to_one"] = round(runs["1"]["seconds"] / runs["2"]["seconds"], 2)  # type: ignore[assignment]
            print(f"names {names:<5} two to one {runs['two_to_one']}", flush=True)
        result["runs"][names] = runs
    if asked.out is not None:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
