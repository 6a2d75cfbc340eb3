"""The curated workloads: eight kinds of Korean text, each document with the personal information planted in it.

A document depends on the workload, the seed and its number alone, so a small run measures the first
documents of a large one.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from curated_documents import clean_text, long_document
from curated_hostile import hostile_text
from curated_lines import chat_line, log_line, prompt
from curated_tables import csv_rows, dense_text
from planting import Planted
from scoring import Document

WORKLOADS: dict[str, Callable[[random.Random], Planted]] = {
    "chat": chat_line,
    "prompts": prompt,
    "logs": log_line,
    "csv": csv_rows,
    "long-documents": long_document,
    "clean": clean_text,
    "dense": dense_text,
    "hostile": hostile_text,
}


def documents(workload: str, count: int, seed: int) -> list[Document]:
    """That many documents of a workload, the same ones from the same seed."""
    made = []
    for number in range(count):
        name = f"{workload}-{seed}-{number}"
        planted = WORKLOADS[workload](random.Random(name))  # noqa: S311  the same texts from the same seed
        made.append(Document(name, workload, planted.text, planted.spans))
    return made
