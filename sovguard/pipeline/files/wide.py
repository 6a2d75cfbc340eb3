"""UTF-16, as Windows writes it: read as UTF-8, in which lines can be cut, and written as it was."""

from __future__ import annotations

import codecs
import io
from typing import IO, Any

_BOMS = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}


def wide_of(sample: bytes, named: str | None) -> str:
    """Return which UTF-16 a file is in: ``"utf-16-le"``, ``"utf-16-be"``, or ``""`` if it is in none.

    Args:
        sample: Its beginning.
        named: The encoding that somebody named, who alone knows of one without a BOM.
    """
    try:
        name = "" if named is None else codecs.lookup(named).name
    except LookupError:
        name = ""
    if name in _BOMS or (named is not None and name != "utf-16"):
        return name if name in _BOMS else ""
    for wide, bom in _BOMS.items():
        if sample.startswith(bom):
            return wide
    return "utf-16-le" if name == "utf-16" else ""


class _AsUtf8(io.RawIOBase):
    def __init__(self, stream: IO[bytes], wide: str) -> None:
        self._stream, self._ready = stream, b""
        self._decoder = codecs.getincrementaldecoder(wide)("surrogatepass")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            part = self._stream.read(1 << 16)
            self._ready = self._decoder.decode(part, not part).encode("utf-8", "surrogatepass")
            if not part:
                break
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count


def narrowed(stream: IO[bytes], wide: str) -> IO[bytes]:
    """Return a stream of UTF-16 read as UTF-8; halves of pairs come through, and are no UTF-8."""
    return io.BufferedReader(_AsUtf8(stream, wide), 1 << 20)


def widened(data: bytes, wide: str) -> bytes:
    """Return UTF-8 as the UTF-16 that it was read from; as it is where ``wide`` is empty."""
    return data.decode("utf-8", "surrogatepass").encode(wide, "surrogatepass") if wide else data
