"""One document worked on: opened by what it is, read as one text, changed where something was found, and put in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sovguard.documents import NOT_READ
from sovguard.entities import Detection
from sovguard.errors import ConfigError, InputError, SovguardError
from sovguard.pipeline.files.documents.leaks import check
from sovguard.pipeline.files.documents.mail import Mail
from sovguard.pipeline.files.documents.office import COMPOUND, Package
from sovguard.pipeline.files.documents.passages import Line, Passage, Reading
from sovguard.pipeline.files.documents.pdf import text_of
from sovguard.pipeline.files.documents.pictures import Unread
from sovguard.pipeline.files.documents.swapping import KeySwapping, Swapping
from sovguard.pipeline.files.documents.vocabulary import tells
from sovguard.pipeline.files.job import Report
from sovguard.pipeline.files.settings import Settings
from sovguard.private_files import placed

_LIMIT = 256 << 20
_BROKEN = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    AssertionError,
)


class _Opened(Protocol):
    def parts(self) -> Iterator[list[Line]]: ...

    def contents(self) -> Iterator[tuple[str, bytes, bool]]: ...

    def packed(self) -> bytes: ...


class _Pdf:
    """The text of a PDF, which is all that comes out of one."""

    def __init__(self, data: bytes) -> None:
        said = text_of(data)
        self._text, self._tables, self.empty = said.text, said.tables, said.empty

    def parts(self) -> Iterator[list[Line]]:
        yield [[Passage([self])]]

    def found_in_tables(self, find: Callable[[str], Iterable[Detection]]) -> Iterator[Detection]:
        return self._tables.located(find(self._tables.text))

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
    check_target(source, target)
    swapping = KeySwapping(settings)
    if settings.restores:
        report, made = restored(source, swapping)
    else:
        report, made = redacted(source, swapping, settings.unread)
    with placed(target) as path:
        path.write_bytes(made)
    progress(report.octets, report.octets)
    return report


def redacted(source: Path, swapping: Swapping, unread: str) -> tuple[Report, bytes]:
    """Return what is said of a document that was redacted, and its octets.

    Args:
        source: The document.
        swapping: How what is found is swapped.
        unread: What becomes of what cannot be read: ``"blank"``, ``"keep"`` or ``"refuse"``.

    Raises:
        InputError: As for ``work_on``.
        ConfigError: A package is missing that reads it.
        DetectionError: Nothing can be said of what is in it.
    """
    begun = time.monotonic()
    data = _read(source)
    others = Unread(unread)
    with _named(source):
        opened = _opened(source, data, others, None)
        reading = _looked_through(opened, swapping.found)
        report = Report(records=reading.lines, octets=len(data))
        values: set[str] = set()
        made_up: set[str] = set()
        words: set[str] = set()
        passages = list(reading.passages)
        for passage, changes in zip(passages, swapping.changes(passages), strict=True):
            values.update(passage.text[change.start : change.end].strip() for change in changes)
            # GitHub, as the name of a sender, is also a word like any.
            words.update(
                value
                for hit in passage.hits
                if hit.recognizer == "field" and not tells(value := passage.text[hit.start : hit.end].strip())
            )
            made_up.update(change.new for change in changes)
            report.values.update(hit.entity_type for hit in passage.hits)
            passage.apply(changes)
        made = opened.packed()
        # A surrogate that stood there before is a value, and may be what took the place of another.
        check(opened.contents(), values - made_up - words)
    if others.count:
        report.notes.append(f"{_unread(others)} and were {'kept' if others.kept else 'blanked'}")
    if isinstance(opened, _Pdf) and opened.empty:
        report.notes.append(f"{_empty(opened)}, and nothing of them came out")
    report.seconds = time.monotonic() - begun
    return report, made


def scanned(
    source: Path, find: Callable[[str], Iterable[Detection]]
) -> tuple[str, list[Detection], list[str]]:
    """Return the text of a document as it is read, what is found in it, in order, and what could not be read.

    Args:
        source: The document.
        find: Yields what is in a text, in order.

    Raises:
        InputError: It cannot be read, as for ``work_on``.
        ConfigError: A package is missing that reads it.
        DetectionError: Nothing can be said of what is in it.
    """
    data = _read(source)
    others = Unread("blank")
    with _named(source):
        opened = _opened(source, data, others, None)
        reading = _looked_through(opened, find)
    notes = [_unread(others)] if others.count else []
    if isinstance(opened, _Pdf) and opened.empty:
        notes.append(_empty(opened))
    return reading.text, reading.hits, notes


def restored(source: Path, swapping: Swapping) -> tuple[Report, bytes]:
    """Return what is said of a document that was restored, and its octets.

    Raises:
        InputError: It cannot be read.
        ConfigError: A package is missing that reads it.
    """
    begun = time.monotonic()
    data = _read(source)
    with _named(source):
        opened = _opened(source, data, Unread("keep"), swapping)
        reading = _reading(opened)
        report = Report(records=reading.lines, octets=len(data))
        passages = list(reading.passages)
        for passage, (changes, left) in zip(passages, swapping.openings(passages), strict=True):
            report.unresolved += bool(left)
            report.left |= dict.fromkeys(left)
            passage.apply(changes)
        made = opened.packed()
    report.seconds = time.monotonic() - begun
    return report, made


@contextmanager
def _named(source: Path) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    except SovguardError:
        raise
    except _BROKEN as error:
        # Libraries that read what strangers wrote stumble in many ways. Nothing has come out.
        what = type(error).__name__
        raise InputError(f"{source} is damaged in a way that is not known here ({what})") from None


def _looked_through(opened: _Opened, find: Callable[[str], Iterable[Detection]]) -> Reading:
    reading = _reading(opened)
    reading.found(find(reading.text))
    if isinstance(opened, _Pdf):
        reading.found(opened.found_in_tables(find))
    reading.find_again()
    return reading


def _unread(others: Unread) -> str:
    return f"{others.count:,} pictures, recordings or attachments could not be read"


def _empty(opened: _Pdf) -> str:
    return f"{opened.empty:,} pages have no text"


def _reading(opened: _Opened) -> Reading:
    reading = Reading()
    for lines in opened.parts():
        reading.part()
        reading.add(lines)
    return reading


def check_target(source: Path, target: Path) -> None:
    """Return if the outcome of a document can go to a place.

    Raises:
        ConfigError: It cannot go there.
    """
    if target.exists() and target.samefile(source):
        raise ConfigError("the output would replace the only copy; name another file")
    if target.exists() and not target.is_file():
        raise ConfigError(f"{target} is no file, and would be replaced by one; name another")
    if source.suffix.lower() == ".pdf" and target.suffix.lower() == ".pdf":
        raise ConfigError("what comes out of a PDF is its text: name a .txt")


def _read(source: Path) -> bytes:
    if (suffix := source.suffix.lower()) in NOT_READ:
        raise InputError(f"{source} is of a kind that is not read: {NOT_READ[suffix]}")
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


def _opened(source: Path, data: bytes, unread: Unread, swapping: Swapping | None) -> _Opened:
    number = None if swapping is None else swapping.number
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
