"""Reads the benchmarks of definitions/*.toml and keeps the numbers of detections they expect of sovguard.

A definition is data: what is run, on whom, how often, an ``analysis`` that says what its numbers are for,
and under ``[expected.ENGINE]`` how many detections sovguard must give for each workload; for a curated
workload, how many of each type and a digest of where they are. A benchmark with a wrong answer fails. The
expected answers are the last part of a file, so that ``write_expected`` can
replace them and leave the rest as written.
"""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "definitions"
KINDS = ("throughput", "scaling", "cold-start", "import", "workload", "parallel")
REQUIRED = {
    "throughput": {"documents", "seeds", "baseline"},
    "scaling": {"texts", "lengths", "rounds", "characters_at_least", "limit", "compare", "seconds_allowed"},
    "cold-start": {"rounds", "text"},
    "import": {"rounds", "modules"},
    "workload": {"documents", "quick_documents", "seeds", "single_texts"},
    "parallel": {"workload", "documents", "quick_documents", "seed", "rounds", "threads", "processes"},
}

Answer = int | dict[str, int | str]
"""What is expected: a number of detections, or for each type its number with a ``digest`` of all spans."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One benchmark.

    Attributes:
        name: The file's name without its ending.
        kind: One of ``KINDS``: which function of throughput.py or barometer.py runs it.
        analysis: What the numbers are for, in prose.
        engines: Who takes part, by name of engines.toml.
        settings: What the kind needs; see ``REQUIRED``.
        expected: Answers by engine and workload, for sovguard's engines.
        path: The file.
    """

    name: str
    kind: str
    analysis: str
    engines: tuple[str, ...]
    settings: dict[str, Any]
    path: Path
    expected: dict[str, dict[str, Answer]] = field(default_factory=dict)


def read_definition(path: Path) -> Definition:
    """The definition in a file; exits on a missing or unknown setting."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    kind, analysis, engines = raw.pop("kind", None), raw.pop("analysis", ""), raw.pop("engines", [])
    expected = raw.pop("expected", {})
    if kind not in KINDS:
        raise SystemExit(f"{path.name}: kind must be one of {', '.join(KINDS)}")
    if not analysis.strip() or not engines:
        raise SystemExit(f"{path.name}: a definition needs an analysis and engines")
    if raw.keys() != REQUIRED[kind]:
        raise SystemExit(f"{path.name}: wrong settings: {', '.join(sorted(raw.keys() ^ REQUIRED[kind]))}")
    return Definition(path.stem, kind, analysis.strip(), tuple(engines), raw, path, expected)


def read_definitions(
    names: Iterable[str] | None = None, folder: Path = FOLDER, kinds: Container[str] = KINDS
) -> list[Definition]:
    """All definitions by name, or the named ones, of the kinds asked for; exits on a name without a file."""
    found = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    chosen = list(found) if names is None else list(names)
    unknown = [name for name in chosen if name not in found]
    if unknown:
        raise SystemExit(f"no definition {', '.join(unknown)}; there are: {', '.join(found)}")
    read = [read_definition(found[name]) for name in chosen]
    return [definition for definition in read if definition.kind in kinds]


def write_expected(definition: Definition, seen: Mapping[str, Mapping[str, Answer]]) -> None:
    """Replace a file's expected answers for the engines and workloads that were seen, and keep the others."""
    merged = {engine: dict(counts) for engine, counts in definition.expected.items()}
    for engine, counts in seen.items():
        merged.setdefault(engine, {}).update(counts)
    kept = definition.path.read_text(encoding="utf-8").partition("\n[expected.")[0].rstrip("\n")
    tables = [_table(engine, counts) for engine, counts in sorted(merged.items())]
    definition.path.write_text("\n\n".join([kept, *tables]) + "\n", encoding="utf-8")


def _table(engine: str, answers: Mapping[str, Answer]) -> str:
    return "\n".join(
        [
            f"[expected.{engine}]",
            *(f'"{workload}" = {_value(answer)}' for workload, answer in answers.items()),
        ]
    )


def _value(answer: Answer) -> str:
    if isinstance(answer, int):
        return str(answer)
    parts = (
        f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
        for key, value in answer.items()
    )
    return f"{{ {', '.join(parts)} }}"
