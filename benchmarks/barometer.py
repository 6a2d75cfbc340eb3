"""The barometer: every curated workload on every engine, with all that is measured, in one command.

python benchmarks/barometer.py [--quick] [--engines sovguard,presidio] [--workloads chat,clean]
    [--measures workloads,cold-start,sizes,parallel] [--out benchmarks/record/DATE] [--refresh-expected]

Takes about 20 minutes on two cores; --quick, a small part of each workload, a minute or two, and is for trying out:
its times mean little. The raw results are barometer*.* in --out, draw_barometer.py draws them. The program ends with
1 when sovguard gave another answer than a definition expects, or an engine failed.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curated import WORKLOADS, documents
from curated_runs import answers_of, run_workload, wrong
from definitions import Definition, read_definitions, write_expected
from engine_client import chosen_engines, comma_separated
from machine import ROOT, machine
from measurements import Run, report, write_rows
from parallel_runs import run_parallel
from throughput import counts, run_cold_start, run_scaling, wrong_counts

MEASURES = ("workloads", "cold-start", "sizes", "parallel")
COLD_STARTS = 5


def definitions_of(measures: Sequence[str], workloads: Sequence[str]) -> list[Definition]:
    """What has to be run, the workloads first."""
    names = [*workloads] if "workloads" in measures else []
    return read_definitions([*names, *(name for name in measures if name != "workloads")])


def smaller(definition: Definition) -> Definition:
    """A definition of growth with its two shortest lengths, once each; two are too few to hold anyone to a limit."""
    settings = definition.settings
    less = {"lengths": settings["lengths"][:2], "rounds": [1, 1], "compare": settings["lengths"][:2]}
    return replace(definition, settings={**settings, **less, "limit": float("inf")})


def run_definition(definition: Definition, engines: Sequence[str], quick: bool, refresh: bool) -> Run | None:
    """A definition run on those of its engines that are asked for; its answers checked, or written down."""
    chosen = [name for name in definition.engines if not engines or name in engines]
    if not chosen:
        return None
    specs = chosen_engines(chosen)
    match definition.kind:
        case "workload":
            run = run_workload(definition, specs, quick)
            seen = answers_of(specs, run)
            problems = wrong(definition, specs, run)
        case kind:
            if kind == "parallel":
                run = run_parallel(definition, specs, quick)
            elif kind == "scaling":
                run = run_scaling(smaller(definition) if quick else definition, specs, None)
            else:
                run = run_cold_start(definition, specs, 1 if quick else COLD_STARTS)
            seen = counts(specs, run.rows)
            problems = wrong_counts(definition, specs, run.rows)
    if refresh:
        write_expected(definition, seen)
    else:
        run.problems.extend(problems)
    return run


def workload_facts(definition: Definition, quick: bool) -> dict[str, Any]:
    """How large a workload is and what is planted in it, all rounds together."""
    settings = definition.settings
    seeds = settings["seeds"][:1] if quick else settings["seeds"]
    count = settings["quick_documents" if quick else "documents"]
    made = [document for seed in seeds for document in documents(definition.name, count, seed)]
    return {
        "texts": len(made),
        "characters": sum(len(document.text) for document in made),
        "bytes": sum(len(document.text.encode()) for document in made),
        "planted": sum(len(document.spans) for document in made),
        "names": sum(entity_type == "PERSON" for document in made for _, _, entity_type in document.spans),
    }


def write_barometer(folder: Path, runs: Sequence[tuple[Definition, Run]], settings: dict[str, Any]) -> None:
    """The raw results: the machine, the rows, the answers, and the time of every single text."""
    folder.mkdir(parents=True, exist_ok=True)
    engines: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    with (folder / "barometer-single.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("workload", "engine", "microseconds"))
        for definition, run in runs:
            engines.update(run.engines)
            if definition.kind == "workload":
                kept = {name: dict(fact) for name, fact in run.facts.items()}
                for name, fact in kept.items():
                    writer.writerow((definition.name, name, " ".join(map(str, fact.pop("microseconds")))))
                answers[definition.name] = {**workload_facts(definition, settings["quick"]), "engines": kept}
    for info in engines.values():
        info.pop("load_seconds", None)
    write_rows(folder / "barometer.csv", [row for _, run in runs for row in run.rows])
    record = {"machine": machine(), "settings": settings, "engines": engines}
    for name, value in (("barometer-machine", record), ("barometer-answers", answers)):
        text = json.dumps(value, ensure_ascii=False, indent=1)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run every curated workload on every engine.")
    parser.add_argument("--quick", action="store_true", help="a small part of each workload, once")
    parser.add_argument("--engines", type=comma_separated, default=[], help="only these engines")
    parser.add_argument(
        "--workloads", type=comma_separated, default=list(WORKLOADS), help=f"of {', '.join(WORKLOADS)}"
    )
    parser.add_argument(
        "--measures", type=comma_separated, default=MEASURES, help=f"of {', '.join(MEASURES)}"
    )
    parser.add_argument(
        "--out", type=Path, help="folder for the raw results; default: benchmarks/record/DATE"
    )
    parser.add_argument("--refresh-expected", action="store_true", help="write sovguard's answers down")
    args = parser.parse_args(argv)
    for chosen, known in ((args.workloads, WORKLOADS), (args.measures, MEASURES)):
        unknown = [name for name in chosen if name not in known]
        if unknown:
            parser.error(f"no {', '.join(unknown)}; there are: {', '.join(known)}")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; 0, or 1 with a wrong answer or an engine that failed."""
    args = arguments(argv)
    started = time.perf_counter()
    runs: list[tuple[Definition, Run]] = []
    for definition in definitions_of(args.measures, args.workloads):
        run = run_definition(definition, args.engines, args.quick, args.refresh_expected)
        if run is None:
            continue
        runs.append((definition, run))
        print(f"\n{definition.name}\n{report(definition, run)}", flush=True)
        for problem in run.problems:
            print(f"FAILED {problem}", flush=True)
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    out = args.out or ROOT / "benchmarks" / "record" / (f"{day}-quick" if args.quick else day)
    settings = {
        "quick": args.quick,
        "engines": args.engines,
        "workloads": args.workloads,
        "measures": list(args.measures),
        "seconds": round(time.perf_counter() - started, 1),
    }
    write_barometer(out, runs, settings)
    print(f"\n{settings['seconds']:.0f} s")
    return int(any(run.problems for _, run in runs))


if __name__ == "__main__":
    raise SystemExit(main())
