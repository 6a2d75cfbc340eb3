"""Files for the command line: bytes in, text in pieces, bytes out.

Line ends, BOM and encoding are kept. What is written appears whole or not at all. Messages name files and offsets,
never what stands there.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sovguard.errors import ConfigError, InputError

Form = Literal["text", "jsonl"]
Write = Callable[[bytes, Path | None], None]

PIECE = 200_000
"""Characters handed to detection at a time; a piece ends where a paragraph or at least a line does."""

CLOSED_PIPE = 128 + 13
"""Exit code when the reader of the output went away, as of a program that SIGPIPE ends."""

_WIDE = {
    "utf-16": ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")),
    "utf-32": ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")),
}
_PARAGRAPH_END = re.compile(r"\n[ \t]*\r?\n")


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """A text and what its bytes were.

    Attributes:
        name: What to call it.
        text: What it says, without BOM.
        encoding: The codec its bytes were in.
        bom: The bytes before the text.
        form: Whether it is read as text or as JSON lines.
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
        form: ``text`` or ``jsonl``; by default what the file's name says.
        position: Which of the command's files it is, for messages.

    Raises:
        InputError: The file cannot be read, or its bytes are not of ``encoding``.
        ConfigError: There is no such encoding.
    """
    name = "<stdin>" if source == "-" else source
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except (ValueError, OSError) as error:
        # Somebody may have put the text itself where a file name belongs: a name that is none is not repeated.
        if not (isinstance(error, OSError) and os.path.lexists(source)):
            raise InputError(
                f"file {position} cannot be read: there is no file of this name. To work on a text itself, pass it "
                "on standard input"
            ) from None
        raise InputError(f"{name} cannot be read ({error.strerror}); check what it is and who may") from None
    codec, bom = _codec(encoding, data)
    try:
        text = data[len(bom) :].decode(codec)
        same = text.encode(codec) == data[len(bom) :]
    except UnicodeDecodeError as error:
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
    named_jsonl = source.lower().endswith((".jsonl", ".ndjson"))
    jsonl = form == "jsonl" or (form is None and named_jsonl)
    return Document(name, text, codec, bom, "jsonl" if jsonl else "text")


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


def pieces(text: str) -> Iterator[str]:
    """Yield ``text`` in pieces that end at a blank line or else at a line end, or in one if it is short."""
    start = 0
    while len(text) - start > PIECE:
        cut = max(
            (match.end() for match in _PARAGRAPH_END.finditer(text, start + PIECE // 2, start + PIECE)),
            default=0,
        )
        cut = cut or text.rfind("\n", start, start + PIECE) + 1
        cut = cut or text.find("\n", start + PIECE) + 1 or len(text)
        yield text[start:cut]
        start = cut
    if start < len(text):
        yield text[start:]


def targets(
    files: Sequence[str], output: Path | None, *, together: bool = False
) -> list[tuple[str, Path | None]]:
    """Return each file with where its result goes; ``None`` is standard output.

    Args:
        files: Paths or ``-``; none is ``-``.
        output: A file, a folder, or ``-`` or ``None`` for standard output.
        together: Whether several results may go to standard output.

    Raises:
        InputError: The results of several files would land in one place.
    """
    sources = list(files) or ["-"]
    if sources.count("-") > 1:
        raise InputError("standard input can be read once only; name it once")
    if output is None or str(output) == "-":
        if len(sources) > 1 and not together:
            raise InputError(
                "several files would run into one another; name a folder with -o, or take --json"
            )
        return [(source, None) for source in sources]
    if len(sources) == 1 and not output.is_dir():
        return [(sources[0], output)]
    if "-" in sources:
        raise InputError("what comes from standard input has no name in a folder; name a file with -o")
    names = [Path(source).name for source in sources]
    if len(set(names)) < len(names):
        raise InputError(
            "two of the files have the same name and would overwrite each other; use two folders"
        )
    if not output.is_dir():
        try:
            output.mkdir()
        except OSError as error:
            raise InputError(
                f"{output} has to be a folder, since there are several files, and none can be made there "
                f"({error.strerror})"
            ) from None
    return [(source, output / name) for source, name in zip(sources, names, strict=True)]


def refuse_same(path: Path, others: Iterable[str | Path | None], why: str) -> None:
    """Return if none of ``others`` is the same file as ``path``.

    Raises:
        InputError: One is; the message begins with ``why``.
    """
    for other in others:
        if other is not None and os.path.realpath(other) == os.path.realpath(path):
            raise InputError(f"{why}; name another file")


@contextmanager
def outputs() -> Iterator[Write]:
    """Give a function that takes what is to be written where; all of it is written if the block ends well.

    Files are written beside their places first and put there in the end, so that none is ever seen half written.
    """
    waiting: list[tuple[Path, Path]] = []
    direct: list[tuple[bytes, Path | None]] = []

    def write(data: bytes, target: Path | None) -> None:
        if target is None or (target.exists() and not target.is_file()):
            direct.append((data, target))
            return
        try:
            waiting.append((_staged(data, target.resolve()), target.resolve()))
        except OSError as error:
            raise InputError(f"{target} cannot be written ({error.strerror}); name another place") from None

    try:
        yield write
        try:
            for staged, target in waiting:
                os.replace(staged, target)
            for data, place in direct:
                if place is None:
                    write_out(data)
                else:  # a device or a pipe, which must not be replaced by a file
                    place.write_bytes(data)
        except OSError as error:
            raise InputError(f"the result cannot be written ({error.strerror}); name another place") from None
    finally:
        for staged, _ in waiting:
            staged.unlink(missing_ok=True)


def _staged(data: bytes, target: Path) -> Path:
    """Return a file beside ``target`` that holds ``data`` and may be read by whom ``target`` may."""
    if target.exists():
        mode = stat.S_IMODE(target.stat().st_mode)
    else:
        mask = os.umask(0o077)
        os.umask(mask)
        mode = 0o666 & ~mask
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".sovguard-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def write_out(data: bytes) -> None:
    """Write to standard output, and end the program quietly where nobody reads it any more."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python flushes once more at exit, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(CLOSED_PIPE) from None
