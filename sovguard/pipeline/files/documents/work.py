"""One document worked on: opened by what it is, read as one text, changed where something was found, and put in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from sovguard.documents import NOT_READ, found_in, pieces, table_labels
from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.files.documents.leaks import check
from sovguard.pipeline.files.documents.mail import Mail
from sovguard.pipeline.files.documents.office import COMPOUND, Package
from sovguard.pipeline.files.documents.passages import Line, Passage, Reading
from sovguard.pipeline.files.documents.pdf import text_of
from sovguard.pipeline.files.documents.pictures import Unread
from sovguard.pipeline.files.job import Report
from sovguard.pipeline.files.settings import Settings
from sovguard.pipeline.ways import Way
from sovguard.private_files import placed
from sovguard.text import Change

_LIMIT = 256 << 20


class _Opened(Protocol):
    def parts(self) -> Iterator[list[Line]]: ...

    def contents(self) -> Iterator[tuple[str, bytes, bool]]: ...

    def packed(self) -> bytes: ...


class _Pdf:
    """The text of a PDF, which is all that comes out of one."""

    def __init__(self, data: bytes) -> None:
        self._text, self.empty = text_of(data)

    def parts(self) -> Iterator[list[Line]]:
        yield [[Passage([self])]]

    def contents(self) -> Iterator[tuple[str, bytes, bool]]:
        yield "text", self.packed(), True

    def packed(self) -> bytes:
        return self._text.encode()

    def read(self) -> str:
        return self._text

    def write(self, text: str) -> None:
        self._text = text


def work_on(
    source: Path,
    target: Path,
    settings: Settings,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Redact or restore a document, and put the outcome in its place in one step.

    Args:
        source: The document.
        target: Where the outcome goes.
        settings: What is done.
        progress: Is told how many octets are done, of how many.

    Raises:
        InputError: It cannot be read: damaged, encrypted, signed, with macros or objects of other programs; or something in it
            cannot be replaced. Nothing comes out of it.
        ConfigError: A package is missing that reads it, or the target is the file itself.
        DetectionError: Nothing can be said of what is in it.
    """
    begun = time.monotonic()
    _check(source, target)
    data = _read(source)
    unread = Unread("keep" if settings.restores else settings.unread)
    try:
        report, made = _worked(source, data, settings, unread)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    with placed(target) as path:
        path.write_bytes(made)
    progress(len(data), len(data))
    report.octets, report.seconds = len(data), time.monotonic() - begun
    return report


def _check(source: Path, target: Path) -> None:
    suffix = source.suffix.lower()
    if suffix in NOT_READ:
        raise InputError(f"{source} is of a kind that is not read: {NOT_READ[suffix]}")
    if target.exists() and target.samefile(source):
        raise ConfigError("the output would replace the only copy; name another file")
    if target.exists() and not target.is_file():
        raise ConfigError(f"{target} is no file, and would be replaced by one; name another")
    if suffix == ".pdf" and target.suffix.lower() == ".pdf":
        raise ConfigError("what comes out of a PDF is its text: name a .txt")


def _read(source: Path) -> bytes:
    try:
        with source.open("rb") as file:
            data = file.read(_LIMIT + 1)
    except OSError as error:
        raise InputError(
            f"{source} cannot be read ({error.strerror}); check what it is and who may"
        ) from None
    if len(data) > _LIMIT:
        raise InputError(f"{source} is larger than {_LIMIT >> 20} MiB, and is not worked on")
    return data


def _worked(source: Path, data: bytes, settings: Settings, unread: Unread) -> tuple[Report, bytes]:
    way = settings.way()
    opened = _opened(source, data, unread, way if settings.restores else None)
    reading = Reading()
    for lines in opened.parts():
        reading.part()
        reading.add(lines)
    report = Report(records=reading.lines)
    values: set[str] = set()
    if settings.restores:
        _restore(reading, way, report)
    else:
        guard = settings.guard()
        text = reading.text
        reading.found(found_in(pieces(text, lambda: table_labels(settings.recognizers)), guard.scan))
        for passage in reading.passages:
            changes = _changes(passage, way)
            values.update(passage.text[change.start : change.end] for change in changes)
            report.values.update(hit.entity_type for hit in passage.hits)
            passage.apply(changes)
    made = opened.packed()
    if not settings.restores:
        check(opened.contents(), values)
    if unread.count and not settings.restores:
        word = "kept" if unread.kept else "blanked"
        report.notes.append(
            f"{unread.count:,} pictures, recordings or attachments could not be read and were {word}"
        )
    if isinstance(opened, _Pdf) and opened.empty:
        report.notes.append(f"{opened.empty:,} pages have no text, and nothing of them came out")
    return report, made


def _opened(source: Path, data: bytes, unread: Unread, way: Way | None) -> _Opened:
    number = None if way is None else way.number
    suffix = source.suffix.lower()
    if suffix == ".pdf":
        return _Pdf(data)
    if data.startswith(COMPOUND):
        raise InputError(
            "it is encrypted, or of an older format under a newer name: save it anew without a password"
        )
    if suffix == ".eml":
        return Mail(data, unread, number)
    return Package(data, unread, number)


def _changes(passage: Passage, way: Way) -> list[Change]:
    if passage.kind == "str" or not passage.hits:
        return way.changes(passage.text, passage.hits)
    number = passage.text.strip()
    new = way.replace_number(number, passage.kind, passage.hits[0].entity_type)
    return [Change(0, len(passage.text), new)]


def _restore(reading: Reading, way: Way, report: Report) -> None:
    for passage in reading.passages:
        changes, left = way.openings(passage.text)
        report.unresolved += bool(left)
        passage.apply(changes)
