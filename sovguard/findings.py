"""How the command line shows things: on a terminal for people, as JSON or tab-separated lines for programs.

What is said of a detection to programs holds no value unless it is asked for.
"""

from __future__ import annotations

import json
import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from sovguard.detect.packs import recognizers_in_use
from sovguard.documents import Document
from sovguard.entities import ENTITY_TYPES, Detection, EntityType, LegalClass
from sovguard.errors import ConfigError
from sovguard.outputs import write_out

if TYPE_CHECKING:
    from sovguard.detect.definitions import RecognizerDefinition

T = TypeVar("T")
Kinds = Mapping[str, "EntityType | RecognizerDefinition"]

_LONG = 1_000_000
_CLASSES = {
    LegalClass.UNIQUE_IDENTIFIER: ("고유식별정보", "bold white on red"),
    LegalClass.SENSITIVE: ("민감정보", "bold white on magenta"),
    LegalClass.FINANCIAL: ("금융정보", "bold black on yellow"),
    LegalClass.CONTACT: ("연락처", "bold black on cyan"),
    LegalClass.IDENTITY: ("신원정보", "bold black on green"),
    LegalClass.NETWORK: ("접속정보", "bold white on blue"),
}
_OTHER = ("기타", "bold reverse")
# Text from a file must not drive the terminal: no escape sequences, and no characters that turn its direction.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def kinds_in_use(recognizers: Sequence[str]) -> Kinds:
    """Return name and legal class of every entity type; what is built in stays what it is.

    Args:
        recognizers: Paths of further recognizers.
    """
    return {rule.entity_type: rule for rule in recognizers_in_use(recognizers)} | dict(ENTITY_TYPES)


def check_types(types: Sequence[str], recognizers: Sequence[str]) -> None:
    """Return if all of ``types`` are entity types.

    Raises:
        ConfigError: One is none; the message names what may have been meant.
    """
    if all(name in ENTITY_TYPES for name in types):
        return
    known = kinds_in_use(recognizers)
    for name in types:
        if name in known:
            continue
        like = name.upper()
        close = [key for key, kind in known.items() if like in key or name == kind.korean]
        close = close or get_close_matches(like, known, 3, 0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(sorted(known))}"
        raise ConfigError(f"--type {name} is no entity type; {hint}")


def as_json(document: Document, found: Sequence[Detection], *, values: bool) -> dict[str, Any]:
    """Return the detections as JSON-like data; with ``values``, what was found as well."""
    detections = []
    for hit in found:
        evidence = hit.evidence
        entry: dict[str, Any] = {
            "entity_type": hit.entity_type,
            "start": hit.start,
            "end": hit.end,
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
            entry["value"] = document.text[hit.start : hit.end]
        detections.append(entry)
    return {"file": document.name, "detections": detections}


def as_lines(document: Document, found: Sequence[Detection], *, values: bool) -> Iterator[str]:
    """Yield one tab-separated line a detection: file, line, column, type, score, pattern, context word."""
    starts = [0, *(match.end() for match in re.finditer("\n", document.text))] if found else []
    for hit in found:
        line = bisect_right(starts, hit.start)
        fields = [
            document.name,
            str(line),
            str(hit.start - starts[line - 1] + 1),
            hit.entity_type,
            f"{hit.score:.2f}",
            hit.evidence.pattern,
            hit.evidence.context or "",
        ]
        if values:
            fields.append(document.text[hit.start : hit.end])
        yield "\t".join(re.sub("[\t\r\n]", " ", field) for field in fields)


def show(
    console: Console, document: Document, found: Sequence[Detection], kinds: Kinds = ENTITY_TYPES
) -> None:
    """Print the text with what was found coloured by legal class, and below it a table of the evidence.

    Args:
        console: Where to.
        document: The text.
        found: What was found in it.
        kinds: The Korean name and legal class of each entity type.
    """
    text = Text()
    position = 0
    for hit in found:
        # Piece by piece, because Text drops some control characters and would shift offsets.
        text.append(printable(document.text[position : hit.start]))
        text.append(printable(document.text[hit.start : hit.end]), colour(hit.entity_type, kinds))
        position = hit.end
    text.append(printable(document.text[position:]))
    console.print(text, soft_wrap=True)
    if not found:
        console.print(Text(f"{printable(document.name)}: 찾은 개인정보가 없습니다 (nothing found)"))
        return
    table = Table(title=Text(printable(document.name)), title_justify="left")
    for heading in ("", "찾은 것", "법적 구분", "형식", "점수", "근거"):
        table.add_column(heading)
    for number, hit in enumerate(found, 1):
        kind = kinds.get(hit.entity_type)
        called = kind.korean if kind is not None else hit.entity_type
        table.add_row(
            str(number),
            Text(printable(called), colour(hit.entity_type, kinds)),
            _class(hit.entity_type, kinds)[0],
            Text(hit.entity_type),
            f"{hit.score:.2f}",
            Text(printable(" · ".join(_reasons(hit)))),
        )
    console.print(table)


def colour(entity_type: str, kinds: Kinds = ENTITY_TYPES) -> str:
    """Return the rich style in which values of ``entity_type`` are shown."""
    return _class(entity_type, kinds)[1]


def printable(text: str) -> str:
    """Return ``text`` with what would drive a terminal made visible; a line end is a line end."""
    return _CONTROL.sub(_picture, text.replace("\r\n", "\n"))


def with_progress(document: Document, steps: Iterable[T], size: Callable[[T], int]) -> Iterator[T]:
    """Yield ``steps``, with a bar on standard error if that is a terminal and the document a long one."""
    if len(document.text) < _LONG or not sys.stderr.isatty():
        yield from steps
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(escape(printable(document.name)), total=len(document.text))
        for step in steps:
            yield step
            progress.advance(task, size(step))


def report(document: Document, target: Path | None, text: str) -> dict[str, Any]:
    """Return what is said of a document that was worked on: its result, or where that went."""
    return {"file": document.name, **({"text": text} if target is None else {"output": str(target)})}


def print_json(value: dict[str, Any]) -> None:
    """Print one line of JSON to standard output."""
    line = json.dumps(value, ensure_ascii=False)
    try:
        write_out(f"{line}\n".encode())
    except UnicodeEncodeError:  # half of a UTF-16 pair, from an escape in a JSON line
        write_out(f"{json.dumps(value)}\n".encode())


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"


def _class(entity_type: str, kinds: Kinds) -> tuple[str, str]:
    kind = kinds.get(entity_type)
    return _OTHER if kind is None else _CLASSES[kind.legal_class]


def _reasons(hit: Detection) -> Iterator[str]:
    """Yield which pattern matched, what its check said and which word beside it counted."""
    evidence = hit.evidence
    yield evidence.pattern
    if evidence.validator is not None:
        yield f"{evidence.validator} {'✓' if evidence.valid else '–'}"
    if evidence.context is not None:
        yield f"“{evidence.context}”"
