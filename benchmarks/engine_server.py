"""Serves one engine over lines of JSON: every contestant in its own process under the same clock.

    python -P engine_server.py MODULE '{"option": …}'

One request a line on standard input, one answer a line on standard output:

    {"op": "info"}                 {"load_seconds": …, "python": …, "versions": {…}}
    {"op": "load", "texts": […]}   {"texts": …, "characters": …}
    {"op": "run"}                  {"seconds": …, "cpu_seconds": …, "spans": …}   detection only
    {"op": "each", "threads": 1}   {…, "microseconds": […]}    the same, a call for each text, from one thread or several
    {"op": "detect"}               {"spans": [[[start, end, type], …], …]}     and what was found
    {"op": "memory"}               {"peak_bytes": …}           the most memory this process has had
    {"op": "quit"}

An engine is a file under engines/ with ``PACKAGES``, ``load(**options)`` and ``spans(text, found)``. The
clock runs around the function that ``load`` returns and nothing else: results are turned into spans after
it has stopped. This file needs the standard library alone, because it runs inside every contestant's
environment. ``-P`` keeps the folder of this file out of the import path, where engines/sovguard.py could
be taken for sovguard.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

ENGINES = Path(__file__).resolve().parent / "engines"


def engine_module(name: str) -> ModuleType:
    """The file engines/NAME.py as a module that cannot be mistaken for the package it drives."""
    spec = importlib.util.spec_from_file_location(f"benchmark_engine_{name}", ENGINES / f"{name}.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"no engine {name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def version(package: str) -> str:
    """The installed version, or "absent"."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def peak_bytes() -> int | None:
    """The most memory this process has had, or ``None`` where the system does not tell."""
    try:
        # Not getrusage: a child's high-water mark there begins with that of the process that started it.
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None


def one_by_one(find: Callable[[list[str]], list[Any]], texts: list[str], threads: int) -> dict[str, Any]:
    """Every text in a call of its own, the next one taken by whichever thread is free; times in the order of texts."""
    waiting = iter(enumerate(texts))
    lock = threading.Lock()
    times, counts, errors = [0] * len(texts), [0] * len(texts), []

    def work() -> None:
        try:
            while True:
                with lock:
                    place, text = next(waiting, (-1, ""))
                if place < 0:
                    return
                clock = time.perf_counter_ns()
                found = find([text])
                times[place] = (time.perf_counter_ns() - clock) // 1000
                counts[place] = sum(map(len, found))
        # A thread that dies must not look like one that had nothing to do.
        except Exception as error:
            errors.append(type(error).__name__)

    others = [threading.Thread(target=work) for _ in range(threads - 1)]
    cpu, clock = time.process_time(), time.perf_counter()
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()
    seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - cpu
    if errors:
        return {"error": f"{errors[0]} in a thread"}
    return {"seconds": seconds, "cpu_seconds": cpu_seconds, "spans": sum(counts), "microseconds": times}


def serve(name: str, options: dict[str, Any]) -> None:
    """Answer requests until "quit" or the end of input."""
    # What an engine prints must not mix with the answers: file descriptor 1 becomes standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    started = time.perf_counter()
    module = engine_module(name)
    find = module.load(**options)
    load_seconds = time.perf_counter() - started
    texts: list[str] = []

    def answer(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    for line in sys.stdin.buffer:
        request = json.loads(line)
        match request["op"]:
            case "info":
                versions = {package: version(package) for package in module.PACKAGES}
                answer(
                    {"load_seconds": load_seconds, "python": platform.python_version(), "versions": versions}
                )
            case "load":
                texts = request["texts"]
                answer({"texts": len(texts), "characters": sum(map(len, texts))})
            case "run":
                cpu, clock = time.process_time(), time.perf_counter()
                found = find(texts)
                seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - cpu
                answer({"seconds": seconds, "cpu_seconds": cpu_seconds, "spans": sum(map(len, found))})
                del found  # the next run must not carry these results through its garbage collections
            case "each":
                answer(one_by_one(find, texts, request["threads"]))
            case "memory":
                answer({"peak_bytes": peak_bytes()})
            case "detect":
                found = find(texts)
                answer({"spans": [module.spans(text, hits) for text, hits in zip(texts, found, strict=True)]})
            case "quit":
                return
            case unknown:
                answer({"error": f"unknown op {unknown}"})


if __name__ == "__main__":
    serve(sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {})
