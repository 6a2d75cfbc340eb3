"""Annotated documents for training: reading them, and telling which are kept apart.

A document is one JSON line: ``{"id", "genre", "text", "spans": [[start, end, "PERSON"], …]}``; spans of other types are
left out. Which documents are kept apart for measuring is decided by a hash of the id, so it never changes.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from sovguard.detect.name_lexicon import closed, tail_of

_HANGUL = re.compile("[가-힣]+")
_CALLED = re.compile("[모씨군양]")


@dataclass(frozen=True, slots=True)
class Document:
    """A text and where the names of people stand in it, in order and without overlap."""

    id: str
    genre: str
    text: str
    spans: tuple[tuple[int, int], ...]


def read(paths: Iterable[Path]) -> list[Document]:
    """Returns the documents of JSON Lines files.

    Raises:
        ValueError: If a line is no document, or its spans are outside the text or overlap.
    """
    documents: list[Document] = []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                text = row["text"]
                spans = tuple(sorted((start, end) for start, end, kind in row["spans"] if kind == "PERSON"))
                name, genre = str(row.get("id", number)), str(row.get("genre", path.stem))
            except (KeyError, TypeError, ValueError):
                raise ValueError(f"{path.name}, line {number}: not an annotated document") from None
            reach = 0
            for start, end in spans:
                if not reach <= start < end <= len(text):
                    raise ValueError(f"{path.name}, line {number}: spans overlap or leave the text")
                reach = end
            documents.append(Document(f"{path.stem}:{name}", genre, text, spans))
    return documents


def examples_of_the_pack() -> list[Document]:
    """Returns the examples and counterexamples of ``person.toml`` as documents."""
    pack = tomllib.loads(resources.files("sovguard.recognizers").joinpath("person.toml").read_text("utf-8"))
    documents: list[Document] = []
    for number, example in enumerate((*pack["examples"], *pack["counterexamples"])):
        spans: list[tuple[int, int]] = []
        at = 0
        for name in example.get("match", ()):
            start = example["text"].index(name, at)
            at = start + len(name)
            spans.append((start, at))
        documents.append(Document(f"pack:{number}", "example", example["text"], tuple(spans)))
    return documents


def cut_out(document: Document) -> bool:
    """Tells whether a span of one character was cut out of a word (the C of MBC, the 심 of 심해어): no annotator did that.

    Spans that were placed by looking for a form in the text, as those of ``--news`` may be, have such faults.
    """
    text = document.text
    for start, end in document.spans:
        if end - start > 1:
            continue
        before, after = text[start - 1 : start], text[end : end + 1]
        if text[start].isascii():
            if (before.isascii() and before.isalnum()) or (after.isascii() and after.isalnum()):
                return True
            continue
        rest = _HANGUL.match(text, end)
        if _HANGUL.match(before) or (
            rest is not None
            and not _CALLED.match(rest.group())
            and tail_of(rest.group(), closed(text[start])) is None
        ):
            return True
    return False


def split(documents: Iterable[Document], one_in: int) -> tuple[list[Document], list[Document]]:
    """Returns the documents to learn from and those kept apart, one in ``one_in`` (none for 0)."""
    learnt: list[Document] = []
    apart: list[Document] = []
    for document in documents:
        digest = hashlib.sha256(document.id.encode()).digest()
        chosen = one_in > 0 and int.from_bytes(digest[:4], "big") % one_in == 0
        (apart if chosen else learnt).append(document)
    return learnt, apart
