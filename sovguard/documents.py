"""Files for the command line: bytes in, text in pieces, bytes out, with line ends, BOM and encoding kept."""

from __future__ import annotations

import codecs
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sovguard.errors import InputError

PIECE = 200_000
"""Characters handed to detection at a time; a piece ends where a line does, so that no paragraph is cut."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text and what its bytes were; ``repr`` shows no text."""

    name: str
    text: str
    encoding: str
    bom: bytes

    def __repr__(self) -> str:
        return f"Document({len(self.text)} characters)"

    def encode(self, text: str) -> bytes:
        """Returns ``text`` in the bytes of this document's encoding."""
        return self.bom + text.encode(self.encoding)


def read_document(source: str, encoding: str) -> Document:
    """Returns the document at a path, or standard input for ``-``.

    Raises:
        InputError: The file cannot be read, or its bytes are not of ``encoding``.
    """
    name = "<stdin>" if source == "-" else source
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from error
    bom = (
        codecs.BOM_UTF8
        if codecs.lookup(encoding).name == "utf-8" and data.startswith(codecs.BOM_UTF8)
        else b""
    )
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not {encoding}: byte {error.start + len(bom)} does not fit; name its encoding with "
            "--encoding, for example --encoding cp949"
        ) from None
    return Document(name, text, encoding, bom)


def pieces(text: str) -> Iterator[str]:
    """Yields ``text`` in pieces that end at a blank line or at a line end, or in one if it is short."""
    start = 0
    while len(text) - start > PIECE:
        cut = text.rfind("\n\n", start + PIECE // 2, start + PIECE) + 2
        if cut < 2:
            cut = text.rfind("\n", start, start + PIECE) + 1
        if cut <= start:
            following = text.find("\n", start + PIECE)
            cut = len(text) if following < 0 else following + 1
        yield text[start:cut]
        start = cut
    yield text[start:]


def json_lines(document: Document) -> Iterator[tuple[str, str, Any]]:
    """Yields each line of a JSONL document as (line, line end, value); an empty line has the value ``None``.

    Raises:
        InputError: A line is not JSON; the message names its number.
    """
    for number, whole in enumerate(document.text.splitlines(keepends=True), 1):
        line = whole.rstrip("\r\n")
        try:
            value = json.loads(line) if line.strip() else None
        except ValueError:
            raise InputError(
                f"{document.name}, line {number}: not a JSON value; is the file JSONL?"
            ) from None
        yield line, whole[len(line) :], value


def write_bytes(data: bytes, target: Path | None) -> None:
    """Writes to ``target`` in one step, so that no half-written file is ever seen, or to standard output."""
    if target is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
