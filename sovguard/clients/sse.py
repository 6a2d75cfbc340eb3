"""Server-sent events as bytes: cut into events wherever the network cut them, and written again with other data.

After the WHATWG standard (html.spec.whatwg.org, 9.2.6): lines end with CR LF, LF or CR, an empty line ends an event, several
``data`` lines are one text, lines that begin with a colon are comments. What is not changed goes on byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r|\Z)")
# A CR at the very end may be half of CR LF.
_BLANK = re.compile(rb"(?:\A|(?>\r\n|\n|\r))(?>\r\n|\n|\r(?!\Z))")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, repr=False)
class Event:
    """One event of a stream.

    Attributes:
        raw: All of its bytes, the empty line that ends it included.
        name: What its ``event`` field says; empty if there is none.
        data: Its data; ``None`` if it has none (a comment, a bare id) or is not UTF-8.
    """

    raw: bytes
    name: str
    data: str | None

    def __repr__(self) -> str:
        return f"Event({len(self.raw)} bytes)"

    @property
    def is_garbled(self) -> bool:
        """Whether it has data that is not UTF-8."""
        return self.data is None and any(_field(line)[0] == b"data" for line, _ in _lines(self.raw))

    def with_data(self, data: str) -> bytes:
        """Returns the event with other data; its other fields, comments and line ends stay."""
        if "\n" not in data and _is_plain(self.raw):
            return b"data: %b\n\n" % data.encode()
        parts: list[bytes] = []
        written = False
        for line, end in _lines(self.raw):
            if _field(line)[0] != b"data":
                parts += (line, end)
            elif not written:
                written = True
                parts += (b"data: " + part.encode() + end for part in data.split("\n"))
        return b"".join(parts)


def event(name: str, data: str, *, like: Event | None = None) -> bytes:
    """Returns a new event in bytes, with the line ends of another."""
    end = next((end for _, end in _lines(like.raw) if end), b"\n") if like is not None else b"\n"
    lines = [b"event: " + name.encode()] if name else []
    lines += [b"data: " + part.encode() for part in data.split("\n")]
    return end.join(lines) + end + end


class EventReader:
    """Cuts bytes into events."""

    __slots__ = ("_began", "_buffer", "_searched")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._began = False

    def __repr__(self) -> str:
        return f"EventReader({len(self._buffer)} bytes)"

    def feed(self, chunk: bytes) -> list[Event]:
        """Returns the events that ``chunk`` completes."""
        if not self._buffer and _is_plain(chunk):
            self._began = True
            return [_read(chunk)]
        self._buffer += chunk
        found: list[Event] = []
        start = 0
        if not self._began and len(self._buffer) >= len(_BOM):
            self._began = True
            if self._buffer.startswith(_BOM):
                found.append(Event(_BOM, "", None))
                start = len(_BOM)
        elif not self._began and _BOM.startswith(self._buffer):
            return found
        if start:
            del self._buffer[:start]
        # What was searched before holds no end but at its very end: an event in many pieces is not read anew with each.
        while (blank := _BLANK.search(self._buffer, max(0, self._searched - 3))) is not None:
            end = blank.end()
            found.append(_read(bytes(self._buffer[:end])))
            del blank  # a view of the buffer, which cannot be cut while there is one
            del self._buffer[:end]
            self._searched = 0
        self._searched = len(self._buffer)
        return found

    def rest(self) -> list[Event]:
        """Returns what is left at the end of a stream: an event that no empty line ended."""
        rest, self._buffer, self._searched = bytes(self._buffer), bytearray(), 0
        return [_read(rest)] if rest else []


def _lines(raw: bytes) -> list[tuple[bytes, bytes]]:
    return [(match[1], match[2]) for match in _LINE.finditer(raw) if match[0]]


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value.removeprefix(b" ")


def _is_plain(raw: bytes) -> bool:
    """Tells whether an event is one line of data, as nearly every one is: worth a way of its own, for there is one a word."""
    return raw.startswith(b"data: ") and raw.endswith(b"\n\n") and raw.count(b"\n") == 2 and b"\r" not in raw


def _read(raw: bytes) -> Event:
    if _is_plain(raw):
        try:
            return Event(raw, "", raw[6:-2].decode())
        except UnicodeDecodeError:
            return Event(raw, "", None)
    name = b""
    data: list[bytes] = []
    for line, _ in _lines(raw):
        field, value = _field(line)
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    try:
        return Event(raw, name.decode(), b"\n".join(data).decode() if data else None)
    except UnicodeDecodeError:
        return Event(raw, "", None)
