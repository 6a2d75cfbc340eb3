"""JSON lines as bytes (NDJSON): cut into lines wherever the network cut them, and written again with other data.

The twin of ``sse`` for servers that stream one JSON object a line.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """One line of a stream.

    Attributes:
        raw: All of its bytes, the line break included.
        data: What it says; ``None`` if that is nothing, or not UTF-8.
        name: Empty: lines have no names.
    """

    raw: bytes
    data: str | None
    name: str = ""

    def __repr__(self) -> str:
        return f"Line({len(self.raw)} bytes)"

    def with_data(self, data: str) -> bytes:
        """Returns the line with other data."""
        return data.encode() + (b"\r\n" if self.raw.endswith(b"\r\n") else b"\n")


def line(name: str, data: str, *, like: object = None) -> bytes:
    """Returns a new line in bytes."""
    return data.encode() + b"\n"


class LineReader:
    """Cuts bytes into lines."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of a line that has not ended

    def __repr__(self) -> str:
        return f"LineReader({sum(map(len, self._pieces))} bytes)"

    def feed(self, chunk: bytes) -> list[Line]:
        """Returns the lines that ``chunk`` completes."""
        first, *others = chunk.split(b"\n")
        self._pieces.append(first)
        lines: list[Line] = []
        for piece in others:
            lines.append(_read(b"".join(self._pieces) + b"\n"))
            self._pieces = [piece]
        return lines

    def rest(self) -> list[Line]:
        """Returns what is left at the end of a stream: a line that no line break ended."""
        rest, self._pieces = b"".join(self._pieces), []
        return [_read(rest)] if rest else []


def _read(raw: bytes) -> Line:
    try:
        return Line(raw, raw.decode() if raw.strip() else None)
    except UnicodeDecodeError:
        return Line(raw, None)
