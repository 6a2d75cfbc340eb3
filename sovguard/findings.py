"""How the command line shows what was found: for people on a terminal, for programs as JSON or tab-separated lines."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sovguard.documents import Document
from sovguard.entities import ENTITY_TYPES, Detection, LegalClass

Found = Sequence[tuple[Detection, int]]
"""Detections of the pieces of a document, each with the offset of its piece."""

_COLOURS = {
    LegalClass.UNIQUE_IDENTIFIER: "bold white on red",
    LegalClass.SENSITIVE: "bold white on magenta",
    LegalClass.FINANCIAL: "bold black on yellow",
    LegalClass.CONTACT: "bold black on cyan",
    LegalClass.IDENTITY: "bold black on green",
    LegalClass.NETWORK: "bold white on blue",
}


def as_json(document: Document, found: Found, *, values: bool) -> dict[str, Any]:
    """Returns the detections as JSON-like data; with ``values``, what was found as well."""
    detections = []
    for hit, offset in found:
        evidence = hit.evidence
        entry: dict[str, Any] = {
            "entity_type": hit.entity_type,
            "start": hit.start + offset,
            "end": hit.end + offset,
            "score": hit.score,
            "recognizer": hit.recognizer,
            "evidence": {
                "pattern": evidence.pattern,
                "validator": evidence.validator,
                "valid": evidence.valid,
                "context": evidence.context,
            },
        }
        if values:
            entry["value"] = document.text[hit.start + offset : hit.end + offset]
        detections.append(entry)
    return {"file": document.name, "detections": detections}


def as_lines(document: Document, found: Found, *, values: bool) -> Iterator[str]:
    """Yields one tab-separated line a detection: file, line, column, type, score, pattern, context word."""
    starts = [0]
    starts += [index + 1 for index, character in enumerate(document.text) if character == "\n"]
    for hit, offset in found:
        start = hit.start + offset
        line = bisect_right(starts, start)
        fields = [
            document.name,
            str(line),
            str(start - starts[line - 1] + 1),
            hit.entity_type,
            f"{hit.score:.2f}",
            hit.evidence.pattern,
            hit.evidence.context or "",
        ]
        if values:
            fields.append(document.text[start : hit.end + offset].replace("\n", " ").replace("\t", " "))
        yield "\t".join(fields)


def show(console: Console, document: Document, found: Found) -> None:
    """Prints the text with what was found coloured by legal class, and a table of the evidence."""
    text = Text(document.text)
    table = Table("", "찾은 것", "형식", "점수", "근거", title=document.name, title_justify="left")
    for number, (hit, offset) in enumerate(found, 1):
        entity = ENTITY_TYPES.get(hit.entity_type)
        colour = _COLOURS[entity.legal_class] if entity is not None else "reverse"
        text.stylize(colour, hit.start + offset, hit.end + offset)
        evidence = [hit.evidence.pattern]
        if hit.evidence.validator is not None:
            evidence.append(f"{hit.evidence.validator} {'✓' if hit.evidence.valid else '✗'}")
        if hit.evidence.context is not None:
            evidence.append(f"“{hit.evidence.context}”")
        korean = entity.korean if entity is not None else hit.entity_type
        table.add_row(
            str(number), Text(korean, colour), hit.entity_type, f"{hit.score:.2f}", " · ".join(evidence)
        )
    console.print(text)
    if found:
        console.print(table)
    else:
        console.print("찾은 개인정보가 없습니다 (nothing found)")
