"""The bytes of a file as they are read: plain, gzip or zstd; and in which encoding its text is.

Read once and in pieces, whatever its size. What a compressed file opens to is watched: a small one that opens to a thousand
times its size is not worked on.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.files.wide import narrowed

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_RATIO, _FREE = 1000, 1 << 30
_SAMPLE = 1 << 20
KOREAN = "cp949"


class Source:
    """A file that is read from its beginning.

    Args:
        path: The file.

    Attributes:
        compression: ``"gzip"``, ``"zstd"`` or ``""``.
        size: Its octets, as they are stored.
        wide: The UTF-16 that it is in, once somebody has told; it is then read as UTF-8.
    """

    wide = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened = 0
        try:
            with path.open("rb") as file:
                head = file.read(4)
                self.size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise InputError(
                f"{path} cannot be read ({error.strerror}); check what it is and who may"
            ) from None
        self.compression = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")
        self._raw: BinaryIO | None = None

    def __repr__(self) -> str:
        return f"Source({self.compression or 'plain'}, {self.size} octets)"

    @property
    def done(self) -> int:
        """How many of its stored octets have been read."""
        return 0 if self._raw is None else self._raw.tell()

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open it for reading what it says.

        Raises:
            ConfigError: It is compressed in a way for which a package is missing.
        """
        with self.path.open("rb") as raw:
            self._raw = raw
            self._opened = 0
            with _decompressed(raw, self.compression) as stream:
                yield self._narrow(stream)

    def _narrow(self, stream: IO[bytes]) -> IO[bytes]:
        return narrowed(stream, self.wide) if self.wide else stream

    def read(self, stream: IO[bytes], count: int) -> bytes:
        """Return up to ``count`` octets of what it says; fewer at its end alone.

        Raises:
            InputError: It is damaged, or opens to far too much.
        """
        parts: list[bytes] = []
        left = count
        try:
            while left and (part := stream.read(left)):
                parts.append(part)
                left -= len(part)
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise InputError(f"{self.path} is damaged or cut short ({type(error).__name__})") from None
        except Exception as error:
            if type(error).__name__ != "ZstdError":
                raise
            raise InputError(f"{self.path} is damaged or cut short ({type(error).__name__})") from None
        self._opened += count - left
        if self.compression and self._opened > max(_FREE, _RATIO * max(1, self.done)):
            raise InputError(f"{self.path} opens to more than {_RATIO} times its size, and is not worked on")
        return b"".join(parts)

    def fingerprint(self, key: bytes) -> list[Any]:
        """Return what is another for another file: its size, its time, and a hash of its beginning under a key."""
        import hashlib
        import hmac

        status = self.path.stat()
        with self.path.open("rb") as file:
            head = hmac.digest(key, file.read(1 << 16), hashlib.sha256).hex()
        return [status.st_size, status.st_mtime_ns, head]


class Pipe(Source):
    """What comes through a pipe: it can be looked at once, and then be read from its beginning.

    Args:
        stream: The pipe.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.path = Path("<stdin>")
        self._opened = self.size = 0
        self._replay = _Replay(stream)
        head = self._replay.read(4)
        self.compression = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")
        self._raw = None

    def __repr__(self) -> str:
        return f"Pipe({self.compression or 'plain'})"

    @property
    def done(self) -> int:
        """How many octets have come through it."""
        return self._replay.come

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Read it from its beginning, which can be done until it has begun."""
        self._replay.rewind()
        self._opened = 0
        with _decompressed(cast("BinaryIO", self._replay), self.compression) as stream:
            yield self._narrow(stream)

    def begin(self) -> None:
        """Say that it is read for good when it is opened next: what is read is no longer kept."""
        self._replay.keeps = False


class _Replay(io.RawIOBase):
    """A pipe, of which what was read is kept for a while, so that it can be read again."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._kept, self._at = stream, bytearray(), 0
        self.keeps, self.come = True, 0

    def rewind(self) -> None:
        """Begin at the beginning."""
        self._at = 0

    def readable(self) -> bool:
        return True

    def read(self, count: int = -1, /) -> bytes:
        if self._at < len(self._kept):
            part = bytes(self._kept[self._at : self._at + count if count >= 0 else None])
        else:
            part = self._stream.read(count)
            self.come += len(part)
            if self.keeps:
                self._kept += part
            else:
                self._kept = bytearray()
                self._at = -len(part)
        self._at += len(part)
        return part

    def readinto(self, buffer: Any) -> int:
        part = self.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


@contextmanager
def _decompressed(raw: BinaryIO, compression: str) -> Iterator[IO[bytes]]:
    if compression == "gzip":
        with gzip.GzipFile(fileobj=raw) as stream:
            yield io.BufferedReader(stream, 1 << 20)
    elif compression == "zstd":
        yield io.BufferedReader(_Zstd(raw), 1 << 20)
    else:
        yield raw


class _Zstd(io.RawIOBase):
    """What a zstd file says, in however many frames; one that is cut short is an error at its end."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._frame: Any = None
        self._left = self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            # Little at a time: a few octets may open to a block of 128 KiB.
            self._left = self._left or self._raw.read(1024)
            if not self._left:
                if self._frame is not None and not self._frame.eof:
                    raise EOFError("cut short")
                return 0
            if self._frame is None or self._frame.eof:
                self._frame = zstandard().ZstdDecompressor().decompressobj()
            given, self._left = self._left, b""
            self._ready = self._frame.decompress(given)
            if self._frame.eof:
                self._left = self._frame.unused_data
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count


def packed(data: bytes, compression: str) -> bytes:
    """Return octets compressed by themselves: what is compressed in parts, one behind the other, opens as a whole."""
    if not data or not compression:
        return data
    if compression == "gzip":
        return gzip.compress(data, 6, mtime=0)
    done: bytes = zstandard().ZstdCompressor().compress(data)
    return done


def zstandard() -> Any:
    """Return the module that reads and writes zstd.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import zstandard as module
    except ImportError:
        raise ConfigError("zstd needs zstandard: pip install 'sovguard[zstd]'") from None
    return module


def encoding_of(sample: bytes, whole: bool) -> tuple[str, bytes]:
    """Return in which encoding a file is that begins like this, and its BOM.

    Args:
        sample: Its beginning.
        whole: Whether that is all of it: else its last character may be cut.

    Raises:
        InputError: It is in none that is told here.
    """
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8", codecs.BOM_UTF8
    if b"\0" in sample[:4096]:
        raise InputError("it is no text, or UTF-16 that does not say so: name its encoding")
    for name in ("utf-8", KOREAN):
        try:
            codecs.getincrementaldecoder(name)().decode(sample, whole)
        except UnicodeDecodeError:
            continue
        return name, b""
    # Some lines are in none: that of most of them is the file's, and those that are not are named.
    lines = sample.split(b"\n")
    fits = {name: sum(_is(line, name) for line in lines) for name in ("utf-8", KOREAN)}
    best = max(fits, key=lambda name: fits[name])
    if 2 * fits[best] > len(lines):
        return best, b""
    raise InputError("it is neither UTF-8 nor CP949 (EUC-KR); name its encoding")


def _is(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def named_encoding(name: str, sample: bytes) -> tuple[str, bytes]:
    """Return an encoding by the name that it has here, and its BOM.

    Raises:
        ConfigError: There is none of that name, or it is not one that files can be cut in.
    """
    try:
        found = codecs.lookup(name)
    except LookupError:
        found = None
    plain = "" if found is None else found.name
    if (
        found is None
        or not getattr(found, "_is_text_encoding", True)
        or plain.startswith(("utf-16", "utf-32", "utf-7"))
    ):
        raise ConfigError(
            "--encoding names no encoding that files are read in here; try utf-8, cp949 or euc-kr"
        )
    if plain in ("utf-8", "utf-8-sig"):
        return "utf-8", codecs.BOM_UTF8 if sample.startswith(codecs.BOM_UTF8) else b""
    return plain, b""


SAMPLE = _SAMPLE
"""Octets by which the encoding and the form of a file are told."""
