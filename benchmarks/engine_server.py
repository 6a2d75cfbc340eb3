"""Serves one engine over lines of JSON: every contestant in its own process under the same clock.

    python -P engine_server.py MODULE '{"option": …}'

One request a line on standard input, one answer a line on standard output:

    {"op": "info"}                 {"load_seconds": …, "python": …, "versions": {…}}
    {"op": "load", "texts": […]}   {"texts": …, "characters": …}
    {"op": "run"}                  {"seconds": …, "cpu_seconds": …, "spans": …}   detection only
    {"op": "detect"}               {"spans": [[[start, end, type], …], …]}     and what was found
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
import time
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
            case "detect":
                found = find(texts)
                answer({"spans": [module.spans(text, hits) for text, hits in zip(texts, found, strict=True)]})
            case "quit":
                return
            case unknown:
                answer({"error": f"unknown op {unknown}"})


if __name__ == "__main__":
    serve(sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {})
