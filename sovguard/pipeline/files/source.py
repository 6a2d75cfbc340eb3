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
from typing import IO, Any, BinaryIO

from sovguard.errors import ConfigError, InputError

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
    """

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
                yield stream

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

    def fingerprint(self) -> list[Any]:
        """Return what is another for another file: its size, its time, and a hash of its beginning."""
        import hashlib

        status = self.path.stat()
        with self.path.open("rb") as file:
            head = hashlib.sha256(file.read(1 << 16)).hexdigest()
        return [status.st_size, status.st_mtime_ns, head]


@contextmanager
def _decompressed(raw: BinaryIO, compression: str) -> Iterator[IO[bytes]]:
    if compression == "gzip":
        with gzip.GzipFile(fileobj=raw) as stream:
            yield io.BufferedReader(stream, 1 << 20)
    elif compression == "zstd":
        with zstandard().ZstdDecompressor().stream_reader(raw, read_across_frames=True) as stream:
            yield stream
    else:
        yield raw


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
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in sample[:4096]:
        raise InputError("it is UTF-16, or no text; convert it to UTF-8")
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


SAMPLE = _SAMPLE
"""Octets by which the encoding and the form of a file are told."""
