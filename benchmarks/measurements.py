"""What a speed benchmark measured: its rows, the tables drawn from them, and the files they are kept in."""

from __future__ import annotations

import csv
import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from definitions import Definition
from machine import machine


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
    """What a definition gave: its rows, what went wrong, what each engine says about itself, and what it did with the texts."""

    rows: list[Row]
    problems: list[str]
    engines: dict[str, dict[str, Any]]
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)


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


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` percent of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(share / 100 * len(values)) - 1)]


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
    elif definition.kind == "workload":
        lines = _workload_lines(of, run.facts)
    elif definition.kind == "parallel":
        lines = _parallel_lines(of)
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


def _workload_lines(of: dict[str, list[Row]], facts: dict[str, dict[str, Any]]) -> list[str]:
    head = f"{'engine':22} {'chars/s':>11} {'texts/s':>9} {'MB/s':>7} {'CPU/wall':>8} {'p50 ms':>8} {'p99 ms':>8} {'MiB':>6}"
    lines = [f"{head} {'planted':>7} {'leak %':>7} {'no names':>8} {'false':>6}"]
    for name, rows in of.items():
        fact = facts.get(name, {})
        rate = [
            statistics.median(getattr(row, part) / row.seconds for row in rows)
            for part in ("characters", "documents", "bytes")
        ]
        cpu = statistics.median(row.cpu_seconds / row.seconds for row in rows)
        times = (
            [percentile(fact["microseconds"], share) / 1000 for share in (50, 99)]
            if "microseconds" in fact
            else []
        )
        peak = fact.get("peak_bytes")
        cells = [*(f"{value:8.2f}" for value in times or ()), f"{peak / 2**20:6.0f}" if peak else "     –"]
        for part in ("all", "without_names") if "all" in fact else ():
            gold, leaked = fact[part]["gold"], fact[part]["leaked"]
            cells.append(f"{100 * leaked / gold:7.1f}" if gold else "      –")
        if "all" in fact:
            cells.insert(-2, f"{fact['all']['gold']:7}")
            cells.append(f" {fact['all']['false']:6}")
        lines.append(
            f"{name:22} {rate[0]:11,.0f} {rate[1]:9,.0f} {rate[2] / 1e6:7.2f} {cpu:8.2f} {' '.join(cells)}"
        )
    return lines


def _parallel_lines(of: dict[str, list[Row]]) -> list[str]:
    ways = list(dict.fromkeys(row.workload for rows in of.values() for row in rows))
    lines = [
        "characters a second, one text a call",
        f"{'engine':22} " + " ".join(f"{way:>18}" for way in ways),
    ]
    for name, rows in of.items():
        rates = [
            max((row.characters / row.seconds for row in rows if row.workload == way), default=0)
            for way in ways
        ]
        lines.append(f"{name:22} " + " ".join(f"{rate:18,.0f}" for rate in rates))
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


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [column.name for column in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def write_record(folder: Path, runs: Sequence[tuple[Definition, Run]], settings: dict[str, Any]) -> None:
    """The raw rows, one CSV file for each definition, and the machine file."""
    folder.mkdir(parents=True, exist_ok=True)
    engines: dict[str, Any] = {}
    for definition, run in runs:
        engines.update(run.engines)
        write_rows(folder / f"{definition.name}.csv", run.rows)
    for info in engines.values():
        info.pop("load_seconds", None)
    record = {"machine": machine(), "settings": settings, "engines": engines}
    path = folder / "throughput-machine.json"
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
