"""How fast each engine is: warm, by length of text, from a cold start, and at import.

python benchmarks/throughput.py [--definitions mixed-lines,scaling] [--engines sovguard-off,presidio]
    [--rounds 3] [--out benchmarks/record/DATE] [--refresh-expected]

Every definition of definitions/*.toml is run by the function of its kind. Raw rows go to --out, one CSV
file for each definition, with the machine they were measured on. The program ends with 1 when sovguard
gave another number of detections than the definition expects, when it grew out of step with the length of
a text, or when an engine failed.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from answers import wrong_answers
from definitions import Answer, Definition, read_definitions, write_expected
from engine_client import Engine, EngineError, EngineSpec, EngineTimeoutError, chosen_engines, comma_separated
from measurements import Row, Run, growth, report, write_record
from workloads import mixed_lines, text_of


def rotated(items: Sequence[Any], by: int) -> list[tuple[int, Any]]:
    """The items with their places, starting with another one each round."""
    by %= len(items) or 1
    return list(enumerate([*items[by:], *items[:by]]))


@contextlib.contextmanager
def running(specs: Sequence[EngineSpec], run: Run) -> Iterator[dict[str, Engine]]:
    """All engines that start, each in its process, loaded and idle until asked."""
    with contextlib.ExitStack() as stack:
        engines = {}
        for spec in specs:
            engine = stack.enter_context(Engine(spec))
            try:
                run.engines[spec.name] = {"about": spec.about, "options": spec.options, **engine.ask("info")}
                engines[spec.name] = engine
            except EngineError as error:
                run.problems.append(str(error))
        yield engines


def warm_up(engines: dict[str, Engine], texts: list[str], run: Run) -> None:
    """One run that is not counted, and no further part for an engine that fails it."""
    for name, engine in list(engines.items()):
        try:
            engine.ask("load", texts=texts)
            engine.ask("run")
        except EngineError as error:
            run.problems.append(str(error))
            del engines[name]


def size_of(texts: list[str]) -> dict[str, int]:
    return {
        "documents": len(texts),
        "characters": sum(map(len, texts)),
        "bytes": sum(len(text.encode()) for text in texts),
    }


def run_round(
    definition: Definition, workload: str, number: int, texts: list[str], engines: dict[str, Engine], run: Run
) -> None:
    """One timed run of each engine on the same texts, beginning with another engine each round."""
    size = size_of(texts)
    for position, (name, engine) in rotated(list(engines.items()), number):
        try:
            engine.ask("load", texts=texts)
            answer = engine.ask("run")
            run.rows.append(Row(definition.name, name, workload, number, position, **size, **answer))
        except EngineError as error:
            run.problems.append(str(error))
            del engines[name]


def run_throughput(definition: Definition, specs: Sequence[EngineSpec], rounds: int | None) -> Run:
    """Many short texts, warm, in rounds that start with another engine each."""
    run = Run([], [], {})
    settings = definition.settings
    with running(specs, run) as engines:
        warm_up(engines, mixed_lines(settings["documents"], seed=0), run)
        for number, seed in enumerate(settings["seeds"][:rounds]):
            texts = mixed_lines(settings["documents"], seed)
            run_round(definition, f"seed-{seed}", number, texts, engines, run)
    return run


def run_scaling(definition: Definition, specs: Sequence[EngineSpec], rounds: int | None) -> Run:
    """One text at growing lengths; an engine that takes too long is ended and not asked for longer ones."""
    run = Run([], [], {})
    settings = definition.settings
    for kind in settings["texts"]:
        with running(specs, run) as engines:
            warm_up(engines, mixed_lines(20, seed=0), run)
            for length, times in zip(settings["lengths"], settings["rounds"], strict=True):
                copies = max(1, settings["characters_at_least"] // length)
                texts = [text_of(kind, length, seed) for seed in range(copies)]
                size = size_of(texts)
                for number in range(min(times, rounds or times)):
                    for position, (name, engine) in rotated(list(engines.items()), number):
                        where = (definition.name, name, f"{kind}-{length}", number, position)
                        try:
                            engine.ask("load", texts=texts)
                            answer = engine.ask("run", seconds=settings["seconds_allowed"])
                            run.rows.append(Row(*where, **size, **answer))
                        except EngineError as error:
                            outcome = "timeout" if isinstance(error, EngineTimeoutError) else "ended"
                            run.rows.append(Row(*where, **size, outcome=outcome))
                            del engines[name]
    run.problems.extend(out_of_step(definition, specs, run.rows))
    return run


def out_of_step(definition: Definition, specs: Sequence[EngineSpec], rows: Sequence[Row]) -> list[str]:
    """What breaks the limit on growth, for sovguard's engines."""
    short, long = definition.settings["compare"]
    problems = []
    for spec in specs:
        for kind in definition.settings["texts"] if spec.is_ours else ():
            ratio = growth(rows, spec.name, kind, short, long)
            if ratio is None:
                problems.append(
                    f"{definition.name}: {spec.name} has no time for {kind} at {short} and {long}"
                )
            elif ratio > definition.settings["limit"]:
                problems.append(
                    f"{definition.name}: {spec.name} takes {ratio:.1f} x as long for a character of {kind}"
                )
    return problems


def run_cold_start(definition: Definition, specs: Sequence[EngineSpec], rounds: int | None) -> Run:
    """From the start of a process to the spans of one line; the first start of each is not counted."""
    run = Run([], [], {})
    texts = [definition.settings["text"]]
    size = size_of(texts)
    for number in range(-1, rounds or definition.settings["rounds"]):
        for position, spec in rotated(specs, number):
            started = time.perf_counter()
            try:
                with Engine(spec) as engine:
                    engine.ask("load", texts=texts)
                    answer = engine.ask("run")
                    wall = time.perf_counter() - started
                    info = engine.ask("info")
            except EngineError as error:
                run.problems.append(str(error))
                continue
            run.engines[spec.name] = {"about": spec.about, "options": spec.options, **info}
            if number >= 0:
                times = {"load_seconds": info["load_seconds"], "wall_seconds": wall}
                run.rows.append(
                    Row(definition.name, spec.name, "line", number, position, **size, **times, **answer)
                )
    return run


IMPORT_PROGRAM = """
import sys, time
before, clock = len(sys.modules), time.perf_counter()
__import__(sys.argv[1])
print(time.perf_counter() - clock, len(sys.modules) - before)
"""


def run_import(definition: Definition, specs: Sequence[EngineSpec], rounds: int | None) -> Run:
    """The time of an import in a fresh interpreter; the first one of each is not counted."""
    run = Run([], [], {})
    for number in range(-1, rounds or definition.settings["rounds"]):
        for position, spec in rotated(specs, number):
            module = definition.settings["modules"][spec.name]
            command = [str(spec.interpreter()), "-P", "-c", IMPORT_PROGRAM, module]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                run.problems.append(f"{spec.name}: import {module} failed")
                continue
            seconds, modules = done.stdout.split()
            if number >= 0:
                row = Row(
                    definition.name,
                    spec.name,
                    module,
                    number,
                    position,
                    seconds=float(seconds),
                    modules=int(modules),
                )
                run.rows.append(row)
    return run


RUNNERS: dict[str, Callable[[Definition, Sequence[EngineSpec], int | None], Run]] = {
    "throughput": run_throughput,
    "scaling": run_scaling,
    "cold-start": run_cold_start,
    "import": run_import,
}


def counts(specs: Sequence[EngineSpec], rows: Sequence[Row]) -> dict[str, dict[str, Answer]]:
    """How many spans sovguard's engines gave for each workload."""
    ours = {spec.name for spec in specs if spec.is_ours}
    seen: dict[str, dict[str, Answer]] = {}
    for row in rows:
        if row.engine in ours and row.outcome == "ok":
            seen.setdefault(row.engine, {})[row.workload] = row.spans
    return seen


def wrong_counts(definition: Definition, specs: Sequence[EngineSpec], rows: Sequence[Row]) -> list[str]:
    """Where sovguard's number of detections is not the expected one in some round, or none is written down."""
    if definition.kind == "import":
        return []
    return sorted({problem for row in rows for problem in wrong_answers(definition, counts(specs, [row]))})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks; 0, or 1 with a wrong answer, growth out of step, or an engine that failed."""
    parser = argparse.ArgumentParser(description="Measure the speed of engines.")
    parser.add_argument("--definitions", type=comma_separated, help="names from definitions/; default: all")
    parser.add_argument("--engines", type=comma_separated, help="only these engines; for scaling, any engine")
    parser.add_argument("--rounds", type=int, help="at most this many rounds")
    parser.add_argument("--out", type=Path, help="folder for the raw results")
    parser.add_argument(
        "--refresh-expected", action="store_true", help="write sovguard's counts into definitions"
    )
    args = parser.parse_args(argv)
    runs: list[tuple[Definition, Run]] = []
    problems: list[str] = []
    for definition in read_definitions(args.definitions, kinds=RUNNERS):
        wanted = args.engines if definition.kind == "scaling" else None
        chosen = wanted or [name for name in definition.engines if not args.engines or name in args.engines]
        if not chosen:
            continue
        specs = chosen_engines(chosen)
        run = RUNNERS[definition.kind](definition, specs, args.rounds)
        runs.append((definition, run))
        print(f"\n{definition.name}\n{report(definition, run)}", flush=True)
        if args.refresh_expected and definition.kind != "import":
            write_expected(definition, counts(specs, run.rows))
        else:
            run.problems.extend(wrong_counts(definition, specs, run.rows))
        problems.extend(run.problems)
    if args.out:
        settings = {"definitions": args.definitions, "engines": args.engines, "rounds": args.rounds}
        write_record(args.out, runs, settings)
    for problem in problems:
        print(f"FAILED {problem}")
    return int(bool(problems))


if __name__ == "__main__":
    raise SystemExit(main())
