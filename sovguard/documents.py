"""Files for the command line: bytes in, text in pieces.

Line ends, BOM and encoding are kept. Messages name files and offsets, never what stands there.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from sovguard.entities import Detection
from sovguard.errors import ConfigError, InputError
from sovguard.text import normalized_view

if TYPE_CHECKING:
    from sovguard.detect.labels import Labels

Form = Literal["text", "jsonl", "json"]

PIECE = 2_000_000
"""Characters handed to detection at a time; a piece ends where a paragraph or at least a line does."""

LIMIT = 1 << 30
"""Bytes of a file at most: it is held in memory, and a device or a pipe may never end."""

GAP = "\n\n"
"""Between a header that is carried over and the rows: an empty line ends no table, and little reaches over one."""

OFFICE = frozenset({".docx", ".xlsx", ".pptx", ".hwpx", ".dotx", ".xltx", ".potx", ".ppsx"})
"""Endings of office documents that are read."""
NOT_READ = {
    ".hwp": "save it as HWPX",
    ".doc": "save it as DOCX",
    ".xls": "save it as XLSX",
    ".ppt": "save it as PPTX",
    ".docm": "it may have macros; save it as DOCX",
    ".xlsm": "it may have macros; save it as XLSX",
    ".pptm": "it may have macros; save it as PPTX",
    ".xlsb": "save it as XLSX",
    ".msg": "save it as EML",
}
"""Endings of documents that are not, and what to do about it."""

_WIDE = {
    "utf-16": ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")),
    "utf-32": ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")),
}
_PARAGRAPH_END = re.compile(r"\n[ \t]*\r?\n")
_FORMS: dict[str, Form] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json"}
_FILE_ENDING = re.compile(
    r"[.](?:txt|csv|tsv|json|jsonl|ndjson|md|log|sql|xml|html?|ya?ml|eml|pdf|docx?|xlsx?|hwpx?)$",
    re.IGNORECASE,
)
# What a file name may not hold to be repeated in a message: blanks, or digits enough for a number of somebody.
_TELLING = re.compile(r"\s|[0-9](?:[-._]?[0-9]){5}")


def is_document(path: Path) -> bool:
    """Tell whether a file is a document by its name: DOCX, XLSX, PPTX, HWPX, EML, PDF, or one of those that are not read."""
    suffix = path.suffix.lower()
    return suffix in OFFICE or suffix in NOT_READ or suffix in (".eml", ".pdf")


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """A text and what its bytes were.

    Attributes:
        name: What to call it.
        text: What it says, without BOM.
        encoding: The codec its bytes were in.
        bom: The bytes before the text.
        form: Whether it is read as text, as JSON lines or as one JSON value.
    """

    name: str
    text: str
    encoding: str
    bom: bytes
    form: Form

    def __repr__(self) -> str:
        return f"Document({self.form} of {len(self.text)} characters)"

    def encode(self, text: str) -> bytes:
        """Return ``text`` in the bytes of this document's encoding."""
        try:
            return self.bom + text.encode(self.encoding)
        except UnicodeEncodeError:
            raise InputError(
                f"{self.name}: the result has characters that {self.encoding} does not have; convert the file to "
                "UTF-8 and run this without --encoding"
            ) from None


def read_document(source: str, encoding: str, form: str | None = None, *, position: int = 1) -> Document:
    """Return the document at a path, or standard input for ``-``.

    Args:
        source: Path or ``-``.
        encoding: Its encoding.
        form: ``text``, ``jsonl`` or ``json``; by default what the file's name says.
        position: Which of the command's files it is, for messages.

    Raises:
        InputError: The file cannot be read, or its bytes are not of ``encoding``.
        ConfigError: There is no such encoding.
    """
    name = "<stdin>" if source == "-" else source
    try:
        if source == "-":
            data = _read(sys.stdin.buffer)
        else:
            with open(source, "rb") as file:
                data = _read(file)
    except (ValueError, OSError) as error:
        raise _unreadable(source, position, error) from None
    if len(data) > LIMIT:
        raise InputError(f"{name} is larger than {LIMIT:,} bytes; split it")
    codec, bom = _codec(encoding, data)
    try:
        text = data[len(bom) :].decode(codec)
        same = text.encode(codec) == data[len(bom) :]
    except UnicodeDecodeError as error:
        if is_document(Path(source)):
            raise InputError(
                f"{name} is a document, and not a text: it is read as a whole, without --format and --field"
            ) from None
        if data.startswith((b"PK\x03\x04", b"%PDF-", b"\xd0\xcf\x11\xe0")):
            raise InputError(
                f"{name} is a document, and not a text: name it as a file with the ending of its kind, such as .docx or .pdf"
            ) from None
        other = "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "cp949"
        other = other if codec == "utf-8" else "utf-8"
        raise InputError(
            f"{name} is not {encoding}: the byte at offset {len(bom) + error.start} does not fit; name its "
            f"encoding with --encoding, for example --encoding {other}"
        ) from None
    except UnicodeError:
        same = False
    if not same:
        raise InputError(
            f"{name} could not be written back byte for byte as {encoding}; convert it to UTF-8 first"
        )
    if form is None:
        form = next((known for end, known in _FORMS.items() if source.lower().endswith(end)), "text")
    return Document(name, text, codec, bom, cast("Form", form))


def _read(file: BinaryIO) -> bytes:
    """Return what is in a file, at most a little more than ``LIMIT`` allows."""
    data = bytearray()
    while len(data) <= LIMIT and (part := file.read(1 << 20)):
        data += part
    return bytes(data)


def check_source(source: str, position: int) -> None:
    """Return if the file at ``source`` can be read, as far as can be told without taking from a pipe."""
    try:
        if source != "-" and not stat.S_ISFIFO(os.stat(source).st_mode):
            with open(source, "rb"):
                pass
    except (ValueError, OSError) as error:
        raise _unreadable(source, position, error) from None


def _unreadable(source: str, position: int, error: Exception) -> InputError:
    if isinstance(error, OSError) and os.path.lexists(source):
        return InputError(f"{source} cannot be read ({error.strerror}); check what it is and who may")
    # Somebody may have put the text itself where a file name belongs: a name that is none is not repeated.
    called, ending = os.path.basename(source), _FILE_ENDING.search(source)
    if ending is not None:
        shown = f"*{ending[0]}" if len(called) > 100 or _TELLING.search(called) else called
        return InputError(
            f"file {position} ({shown}) cannot be read: there is no file of this name; check it"
        )
    return InputError(
        f"file {position} cannot be read: there is no file of this name. To work on a text itself, pass it "
        "on standard input"
    )


def _codec(encoding: str, data: bytes) -> tuple[str, bytes]:
    """Return the codec that decodes ``data`` after its BOM, and that BOM."""
    try:
        name = codecs.lookup(encoding).name
        with suppress(UnicodeError):
            b"a".decode(name)
    except LookupError:
        raise ConfigError(
            "--encoding names no text encoding that Python knows; try utf-8, cp949, euc-kr or utf-16"
        ) from None
    if name in ("utf-8", "utf-8-sig"):
        return "utf-8", codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    for bom, exact in _WIDE.get(name, ()):
        if data.startswith(bom):
            return exact, bom
    return (f"{name}-le" if name in _WIDE else name), b""


@dataclass(frozen=True, slots=True, repr=False)
class Piece:
    """A part of a text, with what has to be read before it.

    Attributes:
        header: The header line of a table that goes on in this piece, and ``GAP``; empty if none does.
        text: The part itself.
    """

    header: str
    text: str

    def __repr__(self) -> str:
        return f"Piece({len(self.text)} characters)"


def pieces(text: str, labels: Callable[[], Labels]) -> Iterator[Piece]:
    """Yield ``text`` in pieces that end at a blank line or else at a line end, or in one if it is short.

    Args:
        text: The text.
        labels: Gives what tells a header from other lines; called only if there are several pieces.
    """
    start, header = 0, ""
    known: Labels | None = None
    while len(text) - start > PIECE:
        cut = max(
            (match.end() for match in _PARAGRAPH_END.finditer(text, start + PIECE // 2, start + PIECE)),
            default=0,
        )
        cut = cut or text.rfind("\n", start, start + PIECE) + 1
        cut = cut or text.find("\n", start + PIECE) + 1 or len(text)
        yield Piece(header, text[start:cut])
        if cut < len(text):
            known = known or labels()
            header = running_header(header + text[start:cut], known)
            header = header and f"{header}{GAP}"
        start = cut
    if start < len(text):
        yield Piece(header, text[start:])


def running_header(text: str, labels: Labels) -> str:
    """Return the header line of the delimited table that ``text`` ends in, or nothing if it ends in none."""
    from sovguard.detect.labels import Scan, label_cells

    view = normalized_view(text)
    scan = Scan()
    label_cells(view.text, 0, len(view.text), labels, scan)
    cells = sorted(scan.labels)
    first_row = ""
    end = len(view.text)
    while end > 0:
        start = view.text.rfind("\n", 0, end) + 1
        line = view.text[start:end]
        cell = bisect_left(cells, start)
        if cell < len(cells) and cells[cell] <= end:
            first_row = line
        elif line.strip(" |-+:=") and len(line) <= 4000:
            # The first line from below that is no row: the header of the rows, or else where a table would begin.
            found = Scan()
            pair = f"{line}\n{first_row or line}"
            label_cells(pair, 0, len(pair), labels, found)
            low, high = view.origin(start, end)
            return text[low:high].rstrip("\r") if found.labels else ""
        end = start - 1
    return ""


def found_in(parts: Iterable[Piece], scan: Callable[[str], list[Detection]]) -> Iterator[Detection]:
    """Yield what is found in a text, with offsets into it.

    Args:
        parts: The text, in pieces.
        scan: Finds what is in a text.
    """
    offset = 0
    for piece in parts:
        shift = offset - len(piece.header)
        for hit in scan(piece.header + piece.text):
            if hit.end > len(piece.header):
                yield replace(hit, start=max(hit.start + shift, offset), end=hit.end + shift)
        offset += len(piece.text)


def table_labels(recognizers: Sequence[str | os.PathLike[str]]) -> Labels:
    """Return the labels by which detection knows the header of a table."""
    from sovguard.detect.judge import Judge
    from sovguard.detect.packs import built_in_pack, recognizers_in_use

    return Judge(recognizers_in_use(recognizers), built_in_pack().false_friends, ()).labels
