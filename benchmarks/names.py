"""The trade-off of person names: what is missed against what is taken besides, at each operating point.

python benchmarks/names.py --corpus benchmarks/corpora/dev.jsonl [FILE.jsonl …] [--modes full,fast] [--out FILE.json]

A corpus is JSON Lines of {"id", "text", "spans": [[start, end, type], …]}; spans of other types than PERSON are text here, but
what overlaps one of them is no false name. ``lean`` is the log-odds that names are given for free (recognizers/name_model.toml
says which is in use): the higher, the less is missed. ``three`` counts names of three syllables that begin with a surname.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from accuracy import read_corpus
from engine_client import comma_separated
from machine import machine
from scoring import Document, f1, share

from sovguard.detect import name_model
from sovguard.detect.name_lexicon import load
from sovguard.detect.name_mentions import surname_of
from sovguard.detect.names import NameRecognizer
from sovguard.text import normalized_view

LEANS = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
FIELDS = ("leak", "missed", "f1", "precision", "recall", "false_per_10000", "three_missed")


@dataclass(slots=True)
class Tally:
    """What was counted over a corpus."""

    gold: int = 0
    leaked: int = 0
    missed: int = 0
    found: int = 0
    right: int = 0
    false: int = 0
    characters: int = 0
    three: int = 0
    three_missed: int = 0

    def add(self, document: Document, found: set[tuple[int, int]]) -> None:
        """Counts one document."""
        lexicon = load()
        gold = {(start, end) for start, end, kind in document.spans if kind == "PERSON"}
        annotated = {at for start, end, _ in document.spans for at in range(start, end)}
        covered = {at for start, end in found for at in range(start, end)}
        self.gold += len(gold)
        self.found += len(found)
        self.right += len(gold & found)
        self.characters += len(document.text)
        self.false += sum(annotated.isdisjoint(range(*span)) for span in found)
        for start, end in gold:
            letters = [at for at in range(start, end) if not document.text[at].isspace()]
            missed = covered.isdisjoint(letters)
            self.leaked += not covered.issuperset(letters)
            self.missed += missed
            name = document.text[start:end]
            if len(name) == 3 and surname_of(name, lexicon):
                self.three += 1
                self.three_missed += missed

    def measures(self) -> dict[str, Any]:
        """The numbers of one row."""
        precision, recall = share(self.right, self.found), share(self.right, self.gold)
        return {
            "leak": share(self.leaked, self.gold),
            "missed": share(self.missed, self.gold),
            "f1": f1(precision, recall),
            "precision": precision,
            "recall": recall,
            "false_per_10000": 10_000 * self.false / self.characters if self.characters else None,
            "three_missed": share(self.three_missed, self.three),
            "names": self.gold,
            "three": self.three,
        }


def curve(documents: Sequence[Document], mode: Literal["fast", "full"]) -> list[dict[str, Any]]:
    """A row for each operating point."""
    rows = []
    model = name_model.built_in()
    in_use = model.full_lean if mode == "full" else model.quick_lean
    views = [normalized_view(document.text) for document in documents]
    texts = [view.text for view in views]
    for lean in sorted({*LEANS, in_use}):
        recognizer = NameRecognizer(mode, replace(model, full_lean=lean, quick_lean=lean))
        tally = Tally()
        for document, view, hits in zip(documents, views, recognizer.find(texts), strict=True):
            tally.add(document, {view.origin(hit.start, hit.end) for hit in hits})
        rows.append({"mode": mode, "lean": lean, "in_use": lean == in_use, **tally.measures()})
    return rows


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, nargs="+", required=True)
    parser.add_argument("--modes", type=comma_separated, default=["full", "fast"])
    parser.add_argument("--one-in", type=int, default=1, help="measure on one document in so many")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    record: dict[str, Any] = {"machine": machine(), "corpora": {}}
    for path in args.corpus:
        documents = read_corpus(path)[:: args.one_in]
        rows = [row for mode in args.modes for row in curve(documents, mode)]
        record["corpora"][path.stem] = rows
        print(
            f"\n{path.stem}: {len(documents)} documents, {rows[0]['names']} names, {rows[0]['three']} of them `three`"
        )
        print(f"{'mode':6}{'lean':>6}  " + "".join(f"{name:>17}" for name in FIELDS))
        for row in rows:
            numbers = "".join(
                f"{'–' if row[name] is None else round(row[name] * (1 if 'false' in name else 100), 1)!s:>17}"
                for name in FIELDS
            )
            print(f"{row['mode']:6}{row['lean']:>6}{' *' if row['in_use'] else '  '}{numbers}")
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
