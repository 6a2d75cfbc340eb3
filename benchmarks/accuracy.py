"""How much personal information each engine leaves in an annotated corpus, and how much else it takes.

python benchmarks/accuracy.py --corpus benchmarks/corpora/dev.jsonl --engines sovguard,presidio,ko-pii \\
    [--exclude PERSON] [--types KR_RRN,KR_FRN] [--out FILE.json] [--errors FILE.txt]
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine_client import Engine, EngineError, EngineSpec, chosen_engines, comma_separated
from machine import machine
from scoring import ALL, Counts, Document, Score, Span, f1, score, share, wilson

CONTEXT = 15


def read_corpus(path: Path) -> list[Document]:
    """The documents of a JSON-lines file; exits on a span that lies outside its text."""
    documents = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        raw = json.loads(line)
        spans = tuple((start, end, entity_type) for start, end, entity_type in raw["spans"])
        if not all(0 <= start < end <= len(raw["text"]) for start, end, _ in spans):
            raise SystemExit(f"{path.name}, line {number}: a span lies outside its text")
        documents.append(Document(raw["id"], raw["genre"], raw["text"], spans))
    return documents


def predictions(spec: EngineSpec, documents: Sequence[Document]) -> tuple[list[list[Span]], dict[str, Any]]:
    """An engine's spans in this project's types, and what it says about itself."""
    with Engine(spec) as engine:
        info = engine.ask("info")
        engine.ask("load", texts=[document.text for document in documents])
        found = engine.ask("detect")["spans"]
    return [
        [(start, end, spec.our_type(entity_type)) for start, end, entity_type in spans] for spans in found
    ], info


def measures(counts: Counts, characters: int) -> dict[str, Any]:
    """Every number of METHODOLOGY.md from the counts of one type."""
    precision, recall = share(counts.strict, counts.predicted), share(counts.strict, counts.gold)
    bare = share(counts.bare_right, counts.bare_predicted), share(counts.bare_found, counts.bare_gold)
    return {
        "leak": share(counts.leaked, counts.gold),
        "leak_interval": wilson(counts.leaked, counts.gold),
        "missed": share(counts.missed, counts.gold),
        "missed_interval": wilson(counts.missed, counts.gold),
        "precision": precision,
        "precision_interval": wilson(counts.strict, counts.predicted),
        "recall": recall,
        "recall_interval": wilson(counts.strict, counts.gold),
        "f1": f1(precision, recall),
        "span_only_f1": f1(*bare),
        "false_per_10000_characters": 10_000 * counts.false / characters if characters else None,
        "counts": asdict(counts),
    }


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def interval(value: tuple[float, float] | None) -> str:
    return "–" if value is None else f"{100 * value[0]:.1f}–{100 * value[1]:.1f}"


def rows(result: Score) -> list[tuple[str, dict[str, Any]]]:
    """The measures of all types together, then of each type, the commonest first."""
    names = sorted((name for name in result.counts if name != ALL), key=lambda n: (-result.counts[n].gold, n))
    return [(name, measures(result.counts[name], result.characters)) for name in (ALL, *names)]


def table(result: Score) -> str:
    """A text table of one engine's score."""
    lines = [
        f"{'type':20} {'gold':>5} {'leak %':>7} {'(95 %)':>11} {'missed %':>8} "
        f"{'strict P':>8} {'R':>6} {'F1':>6} {'span F1':>7} {'false':>6} {'/10k chars':>10}"
    ]
    for name, row in rows(result):
        counts = row["counts"]
        lines.append(
            f"{name:20} {counts['gold']:5} {percent(row['leak']):>7} {interval(row['leak_interval']):>11} "
            f"{percent(row['missed']):>8} {percent(row['precision']):>8} {percent(row['recall']):>6} "
            f"{percent(row['f1']):>6} {percent(row['span_only_f1']):>7} {counts['false']:6} "
            f"{row['false_per_10000_characters']:10.1f}"
        )
    return "\n".join(lines)


def summary(results: dict[str, Score]) -> str:
    """One line for each engine, for all types together."""
    lines = [
        f"{'engine':22} {'leak %':>7} {'(95 %)':>11} {'missed %':>8} {'strict F1':>9} {'span F1':>7} "
        f"{'false/10k':>9}"
    ]
    for name, result in results.items():
        row = measures(result.of(ALL), result.characters)
        lines.append(
            f"{name:22} {percent(row['leak']):>7} {interval(row['leak_interval']):>11} "
            f"{percent(row['missed']):>8} {percent(row['f1']):>9} {percent(row['span_only_f1']):>7} "
            f"{row['false_per_10000_characters']:9.1f}"
        )
    return "\n".join(lines)


def mistakes(documents: Sequence[Document], results: dict[str, Score]) -> str:
    """Every leak and false span with a little of the text around it, tab-separated."""
    texts = {document.id: document.text for document in documents}
    lines = ["engine\tkind\ttype\tdocument\tstart\tend\ttext"]
    for name, result in results.items():
        for item in sorted(result.mistakes, key=lambda m: (m.kind, m.entity_type, m.document, m.start)):
            text = texts[item.document]
            before, after = (
                text[max(0, item.start - CONTEXT) : item.start],
                text[item.end : item.end + CONTEXT],
            )
            shown = f"{before}⟦{text[item.start : item.end]}⟧{after}".replace("\n", "⏎").replace("\t", " ")
            where = f"{item.entity_type}\t{item.document}\t{item.start}\t{item.end}"
            lines.append(f"{name}\t{item.kind}\t{where}\t{shown}")
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> None:
    """Write a result, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Score engines on an annotated corpus.")
    parser.add_argument("--corpus", type=Path, required=True, help="JSON lines: id, genre, text, spans")
    parser.add_argument("--engines", type=comma_separated, required=True, help="names from engines.toml")
    parser.add_argument("--types", type=comma_separated, help="score these types only")
    parser.add_argument(
        "--exclude", type=comma_separated, default=[], help="types to leave out, such as PERSON"
    )
    parser.add_argument("--out", type=Path, help="write the raw results as JSON")
    parser.add_argument("--errors", type=Path, help="write every leak and false span, with its surroundings")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; 0, or 1 when an engine gave no answer."""
    args = arguments(argv)
    documents = read_corpus(args.corpus)
    results: dict[str, Score] = {}
    engines: dict[str, Any] = {}
    failed = False
    for spec in chosen_engines(args.engines):
        try:
            predicted, info = predictions(spec, documents)
        except EngineError as error:
            print(f"\n{error}")
            failed = True
            continue
        results[spec.name] = score(documents, predicted, types=args.types, exclude=args.exclude)
        engines[spec.name] = {
            "about": spec.about,
            "options": spec.options,
            "python": info["python"],
            "versions": info["versions"],
            "types": dict(rows(results[spec.name])),
        }
        print(f"\n{spec.name}: {spec.about}\n{table(results[spec.name])}")
    if results:
        print(f"\n{summary(results)}")
    if args.out:
        record = {
            "machine": machine(),
            "corpus": {
                "name": args.corpus.name,
                "sha256": hashlib.sha256(args.corpus.read_bytes()).hexdigest(),
                "documents": len(documents),
                "characters": sum(len(document.text) for document in documents),
                "spans": sum(len(document.spans) for document in documents),
            },
            "types": args.types,
            "exclude": args.exclude,
            "engines": engines,
        }
        write(args.out, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    if args.errors:
        write(args.errors, mistakes(documents, results))
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
