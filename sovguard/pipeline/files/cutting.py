"""A file cut into pieces of whole records, each of which is worked on by itself.

Where the cuts are depends on the file alone, so that a job that goes on later makes the same ones. A record that is longer than
the limit is passed over and named, and the rest goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from sovguard.pipeline.files.source import Source

PIECE = 1 << 20
"""Octets of a piece, about."""
LIMIT = 16 << 20
"""Most octets of a record."""


@dataclass(frozen=True, slots=True, repr=False)
class Piece:
    """Some whole records.

    Attributes:
        data: Their octets, line ends included.
        offset: Where they begin in what the file says.
        line: The number of their first line, from 1.
        too_long: Whether it is one record that is longer than the limit, of which only the beginning is here.
        size: How many octets the file has of it.
        lines: How many line ends.
    """

    data: bytes
    offset: int
    line: int
    too_long: bool
    size: int
    lines: int

    def __repr__(self) -> str:
        return f"Piece({self.size} octets from line {self.line})"


def pieces(
    source: Source, stream: IO[bytes], *, delimiter: bytes = b"", offset: int = 0, line: int = 1
) -> Iterator[Piece]:
    """Yield a file in pieces.

    Args:
        source: The file.
        stream: It, opened, at ``offset``.
        delimiter: Of CSV, whose records may have line ends within quotes; empty for lines.
        offset: Where to begin, which is where a piece ended.
        line: The number of the line there.

    Raises:
        InputError: The file is damaged.
    """
    held = b""
    wanted = PIECE
    while True:
        # As many octets from where the piece begins: whoever begins there later takes the same ones.
        fresh = source.read(stream, wanted - len(held))
        data = held + fresh
        if not data:
            return
        end = len(data) if len(data) < wanted else _end(data, delimiter)
        if not end and len(data) > LIMIT and delimiter:
            end = data.rfind(b"\n") + 1  # a quote that is never closed is a letter like any
        if not end and len(data) > LIMIT:
            size, lines, held = _passed_over(source, stream, data)
            wanted = max(PIECE, -(-len(held) // PIECE) * PIECE)
            yield Piece(data[:1024], offset, line, True, size, lines)
            offset, line = offset + size, line + lines
            continue
        if end:
            whole, held = data[:end], data[end:]
            wanted = PIECE * max(1, -(-len(held) // PIECE))
            lines = whole.count(b"\n")
            yield Piece(whole, offset, line, False, end, lines)
            offset, line = offset + end, line + lines
        else:
            held, wanted = data, wanted + PIECE


def _end(data: bytes, delimiter: bytes) -> int:
    """Return where the last whole record ends."""
    if not delimiter:
        return data.rfind(b"\n") + 1
    # A quote that opens stands behind a delimiter or a line end; others are letters like any.
    opening = re.compile(rb"(?:\A|[\n" + re.escape(delimiter) + rb'])(?=")')
    end, at = 0, 0
    while True:
        quote = opening.search(data, at)
        if quote is None:
            return max(end, data.rfind(b"\n", at) + 1)
        end = max(end, data.rfind(b"\n", at, quote.end()) + 1)
        closed = _closing(data, quote.end() + 1)
        if closed < 0:
            return end
        at = closed


def _closing(data: bytes, at: int) -> int:
    """Return where a quoted cell ends that was opened; -1 if it does not."""
    while True:
        quote = data.find(b'"', at)
        if quote < 0 or quote + 1 == len(data):
            return -1  # the last octet may be the first half of a doubled quote
        if data[quote + 1 : quote + 2] != b'"':
            return quote + 1
        at = quote + 2


def _passed_over(source: Source, stream: IO[bytes], data: bytes) -> tuple[int, int, bytes]:
    """Read to the end of the line that goes on and on; return its octets, its line ends, and what was read behind it."""
    size = len(data)
    lines = data.count(b"\n")
    while part := source.read(stream, PIECE):
        end = part.find(b"\n") + 1
        if end:
            return size + end, lines + 1, part[end:]
        size += len(part)
    return size, lines, b""
