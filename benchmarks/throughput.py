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
import csv
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from definitions import Definition, read_definitions, write_expected
from engine_client import Engine, EngineError, EngineSpec, EngineTimeoutError, chosen_engines, comma_separated
from machine import machine
from workloads import mixed_lines, text_of


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, as it goes into the CSV file; ``outcome`` is "ok" or why there is no time."""

    definition: str
    engine: str
    workload: str
    round: int
    position: int
    documents: int = 0
    characters: int = 0
    bytes: int = 0
    spans: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    load_seconds: float = 0.0
    wall_seconds: float = 0.0
    modules: int = 0
    outcome: str = "ok"


@dataclass(slots=True)
class Run:
    """What a definition gave: its rows, what went wrong, and what each engine says about itself."""

    rows: list[Row]
    problems: list[str]
    engines: dict[str, dict[str, Any]]


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


def _warm_up(engines: dict[str, Engine], texts: list[str], run: Run) -> None:
    """One run that is not counted, and no further part for an engine that fails it."""
    for name, engine in list(engines.items()):
        try:
            engine.ask("load", texts=texts)
            engine.ask("run")
        except EngineError as error:
            run.problems.append(str(error))
            del engines[name]


def _size(texts: list[str]) -> dict[str, int]:
    return {
        "documents": len(texts),
        "characters": sum(map(len, texts)),
        "bytes": sum(len(text.encode()) for text in texts),
    }


def run_throughput(definition: Definition, specs: Sequence[EngineSpec], rounds: int | None) -> Run:
    """Many short texts, warm, in rounds that start with another engine each."""
    run = Run([], [], {})
    settings = definition.settings
    with running(specs, run) as engines:
        _warm_up(engines, mixed_lines(settings["documents"], seed=0), run)
        for number, seed in enumerate(settings["seeds"][:rounds]):
            texts = mixed_lines(settings["documents"], seed)
            size = _size(texts)
            for position, (name, engine) in rotated(list(engines.items()), number):
                where = (definition.name, name, f"seed-{seed}", number, position)
                try:
                    engine.ask("load", texts=texts)
                    run.rows.append(Row(*where, **size, **engine.ask("run")))
                except EngineError as error:
                    run.problems.append(str(error))
                    del engines[name]
    return run


def run_scaling(definition: Definition, specs: Sequence[EngineSpec], rounds: int | None) -> Run:
    """One text at growing lengths; an engine that takes too long is ended and not asked for longer ones."""
    run = Run([], [], {})
    settings = definition.settings
    for kind in settings["texts"]:
        with running(specs, run) as engines:
            _warm_up(engines, mixed_lines(20, seed=0), run)
            for length, times in zip(settings["lengths"], settings["rounds"], strict=True):
                copies = max(1, settings["characters_at_least"] // length)
                texts = [text_of(kind, length, seed) for seed in range(copies)]
                size = _size(texts)
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


def nanoseconds(rows: Sequence[Row], engine: str, workload: str) -> float | None:
    """The best time per character, or ``None`` where there was no answer."""
    times = [
        1e9 * row.seconds / row.characters
        for row in rows
        if (row.engine, row.workload, row.outcome) == (engine, workload, "ok")
    ]
    return min(times, default=None)


def growth(rows: Sequence[Row], engine: str, kind: str, short: int, long: int) -> float | None:
    """Time per character of the long text over that of the short one."""
    below, above = nanoseconds(rows, engine, f"{kind}-{short}"), nanoseconds(rows, engine, f"{kind}-{long}")
    return above / below if below and above else None


def run_cold_start(definition: Definition, specs: Sequence[EngineSpec], rounds: int | None) -> Run:
    """From the start of a process to the spans of one line; the first start of each is not counted."""
    run = Run([], [], {})
    texts = [definition.settings["text"]]
    size = _size(texts)
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


def wrong_answers(definition: Definition, specs: Sequence[EngineSpec], rows: Sequence[Row]) -> list[str]:
    """Where sovguard's number of detections is not the expected one, or none is written down."""
    ours = {spec.name for spec in specs if spec.is_ours}
    problems = set()
    for row in rows:
        if definition.kind == "import" or row.engine not in ours or row.outcome != "ok":
            continue
        expected = definition.expected.get(row.engine, {}).get(row.workload)
        where = f"{definition.name}: {row.engine} on {row.workload}"
        if expected is None:
            problems.add(
                f"{where} has no expected number (it gave {row.spans}): --refresh-expected writes it"
            )
        elif expected != row.spans:
            problems.add(f"{where} gave {row.spans} spans, not {expected}")
    return sorted(problems)


def report(definition: Definition, run: Run) -> str:
    """A text table of a definition's rows."""
    names = list(dict.fromkeys(row.engine for row in run.rows))
    of = {name: [row for row in run.rows if row.engine == name and row.outcome == "ok"] for name in names}
    if definition.kind == "throughput":
        lines = _throughput_lines(definition, of)
    elif definition.kind == "scaling":
        lines = _scaling_lines(definition, names, run.rows)
    elif definition.kind == "cold-start":
        lines = [f"{'engine':22} {'wall s':>8} {'best':>8} {'load s':>8} {'first s':>8}"]
        for name, rows in of.items():
            wall = [row.wall_seconds for row in rows]
            load, first = ([getattr(row, part) for row in rows] for part in ("load_seconds", "seconds"))
            times = (statistics.median(wall), min(wall), statistics.median(load), statistics.median(first))
            lines.append(f"{name:22} " + " ".join(f"{value:8.3f}" for value in times))
    else:
        lines = [f"{'import':22} {'median s':>8} {'best':>8} {'modules':>8}"]
        for rows in of.values():
            times = [row.seconds for row in rows]
            label, modules = rows[0].workload, rows[0].modules
            lines.append(f"{label:22} {statistics.median(times):8.3f} {min(times):8.3f} {modules:8}")
    return "\n".join(lines)


def _throughput_lines(definition: Definition, of: dict[str, list[Row]]) -> list[str]:
    baseline = {row.round: row.seconds for row in of.get(definition.settings["baseline"], [])}
    head = f"{'engine':22} {'docs/s':>9} {'best':>9} {'MB/s':>7} {'CPU/wall':>8} {'spans':>7}"
    lines = [f"{head} {'x ' + definition.settings['baseline']:>11}"]
    for name, rows in of.items():
        rates = [row.documents / row.seconds for row in rows]
        megabytes = statistics.median(row.bytes / row.seconds / 1e6 for row in rows)
        cpu = statistics.median(row.cpu_seconds / row.seconds for row in rows)
        ratios = [baseline[row.round] / row.seconds for row in rows if row.round in baseline]
        ratio = f"{statistics.median(ratios):.2f}" if ratios else "–"
        spans = statistics.median(row.spans for row in rows)
        lines.append(
            f"{name:22} {statistics.median(rates):9,.0f} {max(rates):9,.0f} {megabytes:7.2f} {cpu:8.2f} "
            f"{spans:7.0f} {ratio:>11}"
        )
    return lines


def _scaling_lines(definition: Definition, names: Sequence[str], rows: Sequence[Row]) -> list[str]:
    lengths = definition.settings["lengths"]
    short, long = definition.settings["compare"]
    head = f"{'engine':22} {'text':14} " + " ".join(f"{length:>9}" for length in lengths)
    lines = [f"nanoseconds a character by length; growth from {short} to {long}", f"{head} {'growth':>7}"]
    for name in names:
        for kind in definition.settings["texts"]:
            times = [nanoseconds(rows, name, f"{kind}-{length}") for length in lengths]
            cells = " ".join("        –" if value is None else f"{value:9.0f}" for value in times)
            ratio = growth(rows, name, kind, short, long)
            lines.append(f"{name:22} {kind:14} {cells} {'–' if ratio is None else f'{ratio:.2f}':>7}")
    return lines


def write_record(folder: Path, runs: Sequence[tuple[Definition, Run]], settings: dict[str, Any]) -> None:
    """The raw rows, one CSV file for each definition, and the machine file."""
    folder.mkdir(parents=True, exist_ok=True)
    engines: dict[str, Any] = {}
    for definition, run in runs:
        engines.update(run.engines)
        with (folder / f"{definition.name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [column.name for column in fields(Row)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(row) for row in run.rows)
    for info in engines.values():
        info.pop("load_seconds", None)
    record = {"machine": machine(), "settings": settings, "engines": engines}
    path = folder / "throughput-machine.json"
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


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
    for definition in read_definitions(args.definitions):
        wanted = args.engines if definition.kind == "scaling" else None
        chosen = wanted or [name for name in definition.engines if not args.engines or name in args.engines]
        if not chosen:
            continue
        specs = chosen_engines(chosen)
        run = RUNNERS[definition.kind](definition, specs, args.rounds)
        runs.append((definition, run))
        print(f"\n{definition.name}\n{report(definition, run)}", flush=True)
        if args.refresh_expected and definition.kind != "import":
            ours = {spec.name for spec in specs if spec.is_ours}
            seen: dict[str, dict[str, int]] = {}
            for row in run.rows:
                if row.engine in ours and row.outcome == "ok":
                    seen.setdefault(row.engine, {})[row.workload] = row.spans
            write_expected(definition, seen)
        else:
            run.problems.extend(wrong_answers(definition, specs, run.rows))
        problems.extend(run.problems)
    if args.out:
        settings = {"definitions": args.definitions, "engines": args.engines, "rounds": args.rounds}
        write_record(args.out, runs, settings)
    for problem in problems:
        print(f"FAILED {problem}")
    return int(bool(problems))


if __name__ == "__main__":
    raise SystemExit(main())
