"""Reads a record of the barometer, and turns raw rows into the numbers that are drawn."""

from __future__ import annotations

import csv
import json
import statistics
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from curated import WORKLOADS
from curated_runs import WITHOUT_NAMES
from engine_client import engine_specs
from measurements import Row, nanoseconds, percentile
from scoring import ALL

RECORDS = Path(__file__).resolve().parent / "record"


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds for one text."""

    median: float
    high: float


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the start of a process to its first answer, and the parts of them."""

    wall: float
    load: float
    first: float


@dataclass(frozen=True, slots=True)
class Barometer:
    """A record: its machine and engines, raw rows, answers, and the time of every single text."""

    name: str
    machine: dict[str, Any]
    settings: dict[str, Any]
    versions: dict[str, dict[str, Any]]
    rows: list[Row]
    answers: dict[str, dict[str, Any]]
    single: dict[tuple[str, str], list[int]]

    @property
    def workloads(self) -> list[str]:
        """The workloads that were run, in the order of ``curated.WORKLOADS``."""
        return [name for name in WORKLOADS if name in self.answers]

    @property
    def engines(self) -> list[str]:
        """The engines that took part, in the order of engines.toml."""
        return [name for name in engine_specs() if name in self.versions]

    @property
    def detecting(self) -> list[str]:
        """The engines with answers."""
        return [name for name in self.engines if any(self.truth(each, name) for each in self.workloads)]

    def _rates(self, workload: str, engine: str, part: str) -> list[float]:
        return [
            getattr(row, part) / row.seconds
            for row in self.rows
            if (row.definition, row.engine, row.outcome) == (workload, engine, "ok") and row.seconds
        ]

    def rate(self, workload: str, engine: str, part: str = "characters") -> float | None:
        """Characters (or ``bytes`` or ``documents``) a second, the median of the rounds."""
        rates = self._rates(workload, engine, part)
        return statistics.median(rates) if rates else None

    def middle_rate(self, engine: str) -> float | None:
        """Characters a second, the geometric mean of the workloads: none of them weighs more for being fast."""
        rates = [rate for workload in self.workloads if (rate := self.rate(workload, engine))]
        return statistics.geometric_mean(rates) if rates else None

    def latency(self, workload: str, engine: str) -> Latency | None:
        """Milliseconds for one text by itself."""
        times = self.single.get((workload, engine))
        return Latency(percentile(times, 50) / 1000, percentile(times, 99) / 1000) if times else None

    def peak(self, engine: str) -> tuple[float, float] | None:
        """MiB of the process: on the workload that needed least, and on that which needed most."""
        facts = [self.answers[name]["engines"].get(engine, {}) for name in self.workloads]
        peaks = [fact["peak_bytes"] / 2**20 for fact in facts if fact.get("peak_bytes")]
        return (min(peaks), max(peaks)) if peaks else None

    def truth(self, workload: str, engine: str) -> dict[str, Any] | None:
        """What an engine left and took on a workload, or ``None`` for one without answers."""
        fact: dict[str, Any] = self.answers[workload]["engines"].get(engine, {})
        return fact if ALL in fact else None

    def leak(self, engine: str, workload: str | None = None, *, names: bool = True) -> float | None:
        """Share of planted values of which something is left; of one workload, or of all values together."""
        part = ALL if names else WITHOUT_NAMES
        facts = [self.truth(each, engine) for each in self.workloads if workload in (None, each)]
        counts = [fact[part] for fact in facts if fact]
        planted = sum(count["gold"] for count in counts)
        return sum(count["leaked"] for count in counts) / planted if planted else None

    def false_rate(self, workload: str, engine: str) -> float | None:
        """Spans that touch nothing planted, for 10,000 characters."""
        fact = self.truth(workload, engine)
        return 10_000 * fact[ALL]["false"] / fact["characters"] if fact else None

    def start(self, engine: str) -> Start | None:
        """A cold start, each part the median of the rounds."""
        rows = [row for row in self.rows if (row.definition, row.engine) == ("cold-start", engine)]
        parts = ("wall_seconds", "load_seconds", "seconds")
        return (
            Start(*(statistics.median(getattr(row, part) for row in rows) for part in parts))
            if rows
            else None
        )

    def growth(self, engine: str, text: str) -> list[tuple[int, float]]:
        """Pairs of a length and the best nanoseconds for a character of it."""
        rows = [row for row in self.rows if row.definition == "sizes"]
        lengths = sorted({int(row.workload.rpartition("-")[2]) for row in rows})
        times = [(length, nanoseconds(rows, engine, f"{text}-{length}")) for length in lengths]
        return [(length, time) for length, time in times if time is not None]

    def parallel(self, engine: str) -> dict[str, float]:
        """Characters a second by way ("threads-2"), the best of the rounds."""
        best: dict[str, float] = {}
        for row in self.rows:
            if (row.definition, row.engine, row.outcome) == ("parallel", engine, "ok"):
                way = row.workload.removeprefix("quick-")
                best[way] = max(best.get(way, 0.0), row.characters / row.seconds)
        return best


def read_barometer(folder: Path) -> Barometer:
    """The record in a folder; exits where there is none."""
    if not (folder / "barometer-machine.json").is_file():
        raise SystemExit(f"no barometer in {folder.name}: python benchmarks/barometer.py makes one")
    about = json.loads((folder / "barometer-machine.json").read_text(encoding="utf-8"))
    answers = json.loads((folder / "barometer-answers.json").read_text(encoding="utf-8"))
    kinds = {column.name: {"int": int, "float": float}.get(str(column.type), str) for column in fields(Row)}
    with (folder / "barometer.csv").open(encoding="utf-8", newline="") as file:
        rows = [Row(**{key: kinds[key](value) for key, value in row.items()}) for row in csv.DictReader(file)]
    with (folder / "barometer-single.csv").open(encoding="utf-8", newline="") as file:
        single = {
            (row["workload"], row["engine"]): [int(time) for time in row["microseconds"].split()]
            for row in csv.DictReader(file)
        }
    return Barometer(
        folder.name, about["machine"], about["settings"], about["engines"], rows, answers, single
    )


def newest_record(folder: Path = RECORDS) -> Path:
    """The latest folder that holds a barometer, of quick runs only where there is no other; exits where none does."""
    found = sorted(
        (path.parent for path in folder.glob("*/barometer-machine.json")),
        key=lambda path: (not path.name.endswith("-quick"), path.name),
    )
    if not found:
        raise SystemExit("no record of the barometer yet: python benchmarks/barometer.py makes one")
    return found[-1]
