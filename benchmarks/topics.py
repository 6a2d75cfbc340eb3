"""How well sensitive topics are found, and how fast: precision and recall per topic and split, megabytes a second.

python benchmarks/topics.py [--out FILE.json] [--errors] [--megabytes 4]

The texts are in tests/data/topics.jsonl: {"text", "topics", "split"}, or {"id", "topics", "split"} for a document of
benchmarks/corpora/dev.jsonl. ``test`` and ``dev`` were made up by the author of the word lists, ``test`` before the lists were
written and not tuned on; ``corpus`` is documents by others, labelled before the lists read them. A topic counts once a text.
docs/topics.md says what the figures are worth.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from machine import machine
from scoring import wilson

from sovguard.detect.topics import Topics, load

ROOT = Path(__file__).resolve().parent.parent
LABELS = ROOT / "tests" / "data" / "topics.jsonl"
CORPUS = ROOT / "benchmarks" / "corpora" / "dev.jsonl"
ALL = "all"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and the topics it has."""

    text: str
    topics: frozenset[str]
    split: str


@dataclass(slots=True)
class Tally:
    """What was counted for one topic of one split."""

    hits: int = 0
    false: int = 0
    missed: int = 0

    @property
    def precision(self) -> float | None:
        """The share of what was found that is right."""
        return self.hits / (self.hits + self.false) if self.hits + self.false else None

    @property
    def recall(self) -> float | None:
        """The share of what is there that was found."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else None


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def labelled() -> list[Labelled]:
    """All texts with their topics."""
    corpus = {row["id"]: row["text"] for row in lines(CORPUS)}
    return [
        Labelled(row["text"] if "text" in row else corpus[row["id"]], frozenset(row["topics"]), row["split"])
        for row in lines(LABELS)
    ]


def found(topics: Topics, texts: Sequence[str]) -> list[frozenset[str]]:
    """The topics of each text."""
    return [frozenset(hit.topic for hit in hits) for hits in topics.find(texts)]


def tally(texts: Iterable[tuple[Labelled, frozenset[str]]]) -> dict[str, Tally]:
    """The counts per topic, and all of them together."""
    counts: dict[str, Tally] = {}
    for text, got in texts:
        for topic in text.topics | got:
            for each in (counts.setdefault(topic, Tally()), counts.setdefault(ALL, Tally())):
                each.hits += topic in text.topics and topic in got
                each.false += topic not in text.topics
                each.missed += topic not in got
    return counts


def flagged(texts: Sequence[tuple[Labelled, frozenset[str]]]) -> tuple[int, int]:
    """How many texts without any topic got one, and of how many."""
    without = [got for text, got in texts if not text.topics]
    return sum(map(bool, without)), len(without)


def speed(topics: Topics, texts: Sequence[str], megabytes: float) -> float:
    """Megabytes of UTF-8 a second on one core: the best of three runs over the texts, repeated to the given size."""
    size = sum(len(text.encode()) for text in texts)
    many = list(texts) * max(1, round(megabytes * 1e6 / size))
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        topics.find(many)
        best = min(best, time.perf_counter() - start)
    return size * (len(many) / len(texts)) / best / 1e6


def share(hits: int, total: int) -> str:
    bounds = wilson(hits, total)
    return f"{hits / total:6.3f} [{bounds[0]:.2f}–{bounds[1]:.2f}]" if bounds else "     –            "


def measure(megabytes: float, *, errors: bool) -> dict[str, Any]:
    """Prints the table and returns what it says."""
    topics = load()
    texts = labelled()
    pairs = list(zip(texts, found(topics, [text.text for text in texts]), strict=True))
    result: dict[str, Any] = {"machine": machine(), "splits": {}}
    for split in ("dev", "test", "corpus"):
        chosen = [pair for pair in pairs if pair[0].split == split]
        counts = tally(chosen)
        wrong, without = flagged(chosen)
        print(f"\n{split}: {len(chosen)} texts, {without} without a topic, of which {wrong} got one")
        print(f"{'topic':16} {'texts':>5}  precision            recall")
        for topic in (*topics.topics, ALL):
            each = counts.get(topic)
            if each is not None:
                print(
                    f"{topic:16} {each.hits + each.missed:5}  {share(each.hits, each.hits + each.false)}  "
                    f"{share(each.hits, each.hits + each.missed)}"
                )
        if errors:
            for text, got in chosen:
                if got != text.topics:
                    print(
                        f"  missed {sorted(text.topics - got)} false {sorted(got - text.topics)}: {text.text[:90]!r}"
                    )
        result["splits"][split] = {
            "texts": len(chosen),
            "without_topic": without,
            "without_topic_flagged": wrong,
            "topics": {
                topic: {**asdict(each), "precision": each.precision, "recall": each.recall}
                for topic, each in counts.items()
            },
        }
    plain = [row["text"] for row in lines(CORPUS)]
    result["megabytes_per_second"] = {
        "documents": round(speed(topics, plain, megabytes), 1),
        "one_text": round(speed(topics, ["\n".join(plain)], megabytes), 1),
        "sentences_with_topics": round(speed(topics, [text.text for text in texts], megabytes), 1),
    }
    print("\nMB/s on one core:", result["megabytes_per_second"])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="Precision, recall and speed of the sensitive topics.")
    parser.add_argument("--out", type=Path, help="write the figures there as JSON")
    parser.add_argument("--errors", action="store_true", help="print the texts that are wrong")
    parser.add_argument("--megabytes", type=float, default=4.0, help="how much text to time")
    options = parser.parse_args()
    result = measure(options.megabytes, errors=options.errors)
    if options.out is not None:
        options.out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
