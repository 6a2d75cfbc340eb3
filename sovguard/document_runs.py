"""What a command does to one document: finds, redacts, restores, piece by piece, whatever its form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sovguard.documents import GAP, Document, Piece, found_in, pieces
from sovguard.entities import Detection
from sovguard.errors import ConfigError, DetectionError, InputError
from sovguard.findings import with_progress
from sovguard.guard import Guard
from sovguard.payloads.json_lines import (
    JsonLine,
    as_one,
    batches,
    picked,
    put_back,
    rewritten,
    scan_lines,
)
from sovguard.session import Session

if TYPE_CHECKING:
    from sovguard.detect.labels import Labels

_BATCH = 200_000
"""Characters of JSON lines handed to detection at a time; each line stands for itself."""


def find(
    guard: Guard, document: Document, fields: tuple[str, ...], labels: Callable[[], Labels]
) -> Iterator[Detection]:
    """Yield what is found in a document, with offsets into it."""
    if document.form != "text":
        for lines in _lines(document, fields):
            yield from scan_lines(lines, guard.scan, fields)
        return
    yield from found_in(_pieces(document, fields, labels), guard.scan)


def find_in_office(
    guard: Guard, source: str, recognizers: Sequence[str]
) -> tuple[Document, list[Detection], list[str]]:
    """Return an office document, e-mail or PDF as the text that is read, what is found in it, and what could not be read.

    Raises:
        InputError: It cannot be read.
    """
    from sovguard.pipeline.files.documents.swapping import found_by
    from sovguard.pipeline.files.documents.work import scanned

    text, hits, notes = scanned(Path(source), lambda text: found_by(guard, text, recognizers))
    return Document(source, text, "utf-8", b"", "text"), hits, notes


def redact_document(
    session: Session, document: Document, fields: tuple[str, ...], labels: Callable[[], Labels]
) -> Iterator[str]:
    """Yield the redaction of a document, piece by piece."""
    if document.form == "text":
        for piece in _pieces(document, fields, labels):
            done = session.redact(piece.header + piece.text)
            if not piece.header:
                yield done.text
                continue
            # A surrogate has no line end, so the first empty line is the one behind the header, unless it was taken in.
            _, gap, rows = done.text.partition(GAP)
            border = len(piece.header)
            if not gap or any(hit.start < border < hit.end for hit in done.detections):
                raise DetectionError(
                    f"{document.name}: a table of it cannot be worked on in pieces; split the file"
                )
            yield rows
        return
    for lines in _lines(document, fields):
        parts = session.redact_values([picked(line, fields) for line in lines])
        for line, part in zip(lines, parts, strict=True):
            yield rewritten(line, put_back(line, part, fields), document.encoding)


def restore_document(session: Session, document: Document) -> tuple[str, list[str]]:
    """Return the restored document, and the surrogates that are left in it."""
    if document.form == "text":
        outcome = session.restore(document.text)
        return outcome.text, [*outcome.unresolved, *outcome.expired]
    parts: list[str] = []
    left: dict[str, None] = {}
    for lines in _lines(document):
        # No surrogate reaches over a line end, so the strings of a batch can be looked at as one text.
        said = "\n".join([leaf.text for line in lines for leaf in line.leaves])
        outcome = session.restore(said)
        left |= dict.fromkeys([*outcome.unresolved, *outcome.expired])
        for line, value in zip(lines, session.restore([line.value for line in lines]), strict=True):
            parts.append(rewritten(line, value, document.encoding))
    return "".join(parts), list(left)


def redact_office(
    session: Session, source: str, target: Path | None, recognizers: Sequence[str], unread: str
) -> tuple[bytes, dict[str, Any], list[str]]:
    """Return the redaction of an office document, e-mail or PDF, what is said of it, and what could not be read.

    Raises:
        InputError: It cannot be read or worked on.
        ConfigError: There is no target for it.
    """
    from sovguard.pipeline.files.documents.swapping import SessionSwapping
    from sovguard.pipeline.files.documents.work import redacted

    place = _target(source, target)
    done, made = redacted(Path(source), SessionSwapping(session, recognizers), unread)
    return made, {"file": source, "output": str(place), "counts": dict(done.values)}, done.notes


def restore_office(session: Session, source: str, target: Path | None) -> tuple[bytes, list[str]]:
    """Return the restored octets of an office document or e-mail, and the surrogates that are left in it.

    Raises:
        InputError: It cannot be read.
        ConfigError: There is no target for it.
    """
    from sovguard.pipeline.files.documents.swapping import SessionSwapping
    from sovguard.pipeline.files.documents.work import restored

    _target(source, target)
    done, made = restored(Path(source), SessionSwapping(session))
    return made, list(done.left)


def _target(source: str, target: Path | None) -> Path:
    from sovguard.pipeline.files.documents.work import check_target

    if target is None:
        raise ConfigError("a document is not for standard output: name with -o where the outcome goes")
    check_target(Path(source), target)
    return target


def _pieces(document: Document, fields: tuple[str, ...], labels: Callable[[], Labels]) -> Iterator[Piece]:
    if fields:
        raise InputError(
            f"{document.name} is read as text, which has no --field; is --format jsonl or json missing?"
        )
    return with_progress(document, pieces(document.text, labels), lambda piece: len(piece.text))


def _lines(document: Document, fields: tuple[str, ...] = ()) -> Iterator[list[JsonLine]]:
    """Yield the lines of a document in batches; a field that none of them has is an error in the end."""
    absent = set(fields)
    if document.form == "json":
        read = iter([[as_one(document.name, document.text)]])
    else:
        read = batches(document.name, document.text, _BATCH)
    for lines in with_progress(document, read, lambda lines: sum(line.size for line in lines)):
        yield lines
        for line in lines if absent else ():
            absent -= line.value.keys() if isinstance(line.value, dict) else set()
    if absent and document.text.strip():
        # A name with a slip of the pen would leave everything as it is.
        raise InputError(f"{document.name}: nothing in it has the field {min(absent)!r}; check --field")
