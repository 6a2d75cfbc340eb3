"""``sovguard bench``: how fast this machine redacts your own file, and what that takes. Nothing is written but figures."""

from __future__ import annotations

import json
import multiprocessing
import secrets
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, cast

import click

from sovguard.errors import ConfigError, InputError
from sovguard.findings import print_json
from sovguard.guard import Guard, Names
from sovguard.pipeline import redact_rows
from sovguard.pipeline.files.settings import Form
from sovguard.pipeline.files.shapes import shape_of
from sovguard.pipeline.files.source import Source
from sovguard.vaultless import Scope, Vaultless

_MODES = ("off", "fast", "full")
_WARM = 256
"""Records that are worked on before anything is measured but the first."""
_ALONE = 400
"""How many records are also worked on one at a time."""


@click.command("bench")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--names", multiple=True, type=click.Choice(_MODES), help="Only this way of finding names; repeatable."
)
@click.option(
    "--records",
    type=click.IntRange(1),
    default=20_000,
    show_default=True,
    help="At most, from its beginning.",
)
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=10.0, show_default=True, help="At most for each way."
)
@click.option("--json", "as_machine", is_flag=True, help="For programs: JSON.")
def bench(file: Path, names: tuple[str, ...], records: int, seconds: float, as_machine: bool) -> int:
    """Measure on FILE (text, JSON Lines, CSV) how fast it is redacted, what each record waits for, and what is found."""
    rows = read_rows(file, records)
    told: dict[str, Any] = {"file": str(file), "records": len(rows), "ways": {}}
    for mode in dict.fromkeys(names or _MODES):
        # In a process of its own: what one way has loaded is neither time nor memory of another.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            told["ways"][mode] = process.submit(measured, rows, cast("Names", mode), seconds).result()
        if not as_machine:
            click.echo(_line(mode, told["ways"][mode]))
    if as_machine:
        print_json(told)
    return 0


def read_rows(file: Path, most: int) -> list[Any]:
    """Return the first records of a file: texts, or dicts of JSON or of columns.

    Raises:
        InputError: It cannot be read, or nothing is in it.
    """
    import csv
    import io

    source = Source(file)
    shape, skipped = shape_of(source)
    with source.opened() as stream:
        source.read(stream, skipped)
        data = source.read(stream, 64 << 20)
    text = data.decode(shape.encoding, "replace")
    form: Form = shape.form
    if form == "csv":
        found = csv.reader(io.StringIO(text, newline=""), delimiter=shape.delimiter)
        names = shape.header
        rows: list[Any] = [
            {names[place] if place < len(names) else str(place): cell for place, cell in enumerate(row)}
            for row in islice(found, most)
        ]
    else:
        lines = [line for line in islice(text.split("\n"), most) if line.strip()]
        rows = [_object(line) for line in lines] if form == "jsonl" else list(lines)
    if not rows:
        raise InputError(f"{file} holds nothing to measure with")
    return rows


def measured(rows: list[Any], names: Names, seconds: float) -> dict[str, Any]:
    """Return what redacting rows takes in one way of finding names.

    Raises:
        ConfigError: There is no time.
    """
    if seconds <= 0:
        raise ConfigError("give it some time")
    begun = time.perf_counter()
    guard = Guard(names=names)
    mode = Vaultless(secrets.token_bytes(64), Scope("bench", dataset="bench"))
    list(redact_rows(rows[:1], mode, guard=guard))
    cold = time.perf_counter() - begun
    list(redact_rows(rows[-_WARM:], mode, guard=guard))
    done = octets = 0
    end = time.perf_counter() + seconds
    begun = time.perf_counter()
    for at in range(0, len(rows), 512):
        some = rows[at : at + 512]
        list(redact_rows(some, mode, guard=guard))
        done += len(some)
        octets += sum(len(_said(row).encode("utf-8", "surrogatepass")) for row in some)
        if time.perf_counter() > end:
            break
    taken = time.perf_counter() - begun
    waited = []
    for row in rows[:_ALONE]:
        at_once = time.perf_counter()
        list(redact_rows([row], mode, guard=guard))
        waited.append(time.perf_counter() - at_once)
    found = Counter(
        hit.entity_type for hits in guard.scan([_said(row) for row in rows[:2_000]]) for hit in hits
    )
    cuts = statistics.quantiles(waited, n=100) if len(waited) > 1 else waited * 99
    return {
        "records": done,
        "records_per_second": round(done / taken, 1),
        "megabytes_per_second": round(octets / 1e6 / taken, 3),
        "first_record_seconds": round(cold, 3),
        "one_record_ms_p50": round(1e3 * cuts[49], 3),
        "one_record_ms_p99": round(1e3 * cuts[98], 3),
        "memory_mib": _memory(),
        "found_per_thousand": {
            name: round(1000 * count / min(len(rows), 2_000), 1) for name, count in sorted(found.items())
        },
    }


def _memory() -> int | None:
    """Return the most memory that this process has held, in MiB; ``None`` where the system does not say."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def _object(line: str) -> Any:
    try:
        value = json.loads(line)
    except ValueError:
        return line
    return value if isinstance(value, dict) else line


def _said(row: Any) -> str:
    return row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)


def _line(names: str, told: dict[str, Any]) -> str:
    found = ", ".join(f"{count:g} {name}" for name, count in told["found_per_thousand"].items()) or "nothing"
    return (
        f"names {names:<5} {told['records_per_second']:>10,.0f} records/s {told['megabytes_per_second']:>8.2f} MB/s   "
        f"one record {told['one_record_ms_p50']:.2f} ms (p99 {told['one_record_ms_p99']:.2f})   "
        f"first {told['first_record_seconds']:.2f} s   {told['memory_mib']} MiB   per 1,000 records: {found}"
    )
