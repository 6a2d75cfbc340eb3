"""The records of files, one after another: lines of text, JSON Lines, rows of CSV; plain, gzip or zstd, UTF-8 or CP949."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sovguard.payloads.json_text import load
from sovguard.pipeline.files.csv_text import cells_of, row_pattern, value_of
from sovguard.pipeline.files.cutting import Piece, pieces
from sovguard.pipeline.files.records import Shape
from sovguard.pipeline.files.settings import Form
from sovguard.pipeline.files.shapes import shape_of
from sovguard.pipeline.files.source import Source
from sovguard.pipeline.quality.rows import Numbered

if TYPE_CHECKING:
    from sovguard.guard import Guard


@dataclass(frozen=True, slots=True)
class Reading:
    """A file and how it is read.

    Attributes:
        source: The file.
        shape: What it is.
        skipped: How many octets of it are no record.
    """

    source: Source
    shape: Shape
    skipped: int

    def rows(self, progress: Callable[[int], None] | None = None) -> Iterator[Numbered]:
        """Yield its records, from its beginning.

        Args:
            progress: Is told how many of its stored octets have been read.

        Raises:
            InputError: It is damaged.
        """
        with self.source.opened() as stream:
            head = self.source.read(stream, self.skipped)
            delimiter = self.shape.delimiter.encode() if self.shape.form == "csv" else b""
            found = pieces(
                self.source, stream, delimiter=delimiter, offset=len(head), line=1 + head.count(b"\n")
            )
            for piece in found:
                if progress is not None:
                    progress(self.source.done)
                if piece.too_long:
                    yield Numbered(piece.line, "", broken=True)
                    continue
                yield from self._csv(piece) if delimiter else self._lines(piece)

    def _lines(self, piece: Piece) -> Iterator[Numbered]:
        lines = piece.data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        for number, raw in enumerate(lines, piece.line):
            text, broken = self._decoded(raw.rstrip(b"\r"))
            if self.shape.form != "jsonl":
                yield Numbered(number, text, broken)
            elif text.strip():
                parsed = load(text)
                yield (
                    Numbered(number, text, True) if parsed is None else Numbered(number, parsed.value, broken)
                )

    def _csv(self, piece: Piece) -> Iterator[Numbered]:
        shape = self.shape
        pattern = row_pattern(shape.delimiter.encode())
        data, start, number = piece.data, 0, piece.line
        while start < len(data):
            found = pattern.match(data, start)
            end = found.end() if found is not None else data.find(b"\n", start) + 1 or len(data)
            text, broken = self._decoded(data[start:end])
            if text.strip("\r\n"):
                cells = [value_of(written) for written, _ in cells_of(text, shape.delimiter)]
                broken = broken or (bool(shape.header) and len(cells) != len(shape.header))
                yield Numbered(number, _named(cells, shape.header), broken)
            number += data.count(b"\n", start, end)
            start = end

    def _decoded(self, raw: bytes) -> tuple[str, bool]:
        try:
            return raw.decode(self.shape.encoding), False
        except UnicodeDecodeError:
            return raw.decode(self.shape.encoding, "replace"), True


def readings(
    before: Path,
    after: Path,
    guard: Guard,
    *,
    delimiter: str | None = None,
    header: bool | None = None,
) -> tuple[Reading, Reading]:
    """Return how two files are read: the second with or without names of columns as the first, which tells by what is in it.

    Args:
        before: The file as it was.
        after: The file as it is.
        guard: Finds things in the first row.
        delimiter: Both are CSV with this between cells; by default their names say what they are.
        header: Whether CSV begins with the names of its columns; by default the first file tells.

    Raises:
        InputError: One cannot be read, is damaged, or its encoding cannot be told.
    """
    form: Form | None = "csv" if delimiter else None
    first = Source(before)
    shape, skipped = shape_of(first, form=form, delimiter=delimiter, header=header, guard=guard)
    if header is None and shape.form == "csv" and first.size:
        header = bool(shape.header)
    second = Source(after)
    other, passed = shape_of(second, form=form, delimiter=delimiter, header=header, guard=guard)
    return Reading(first, shape, skipped), Reading(second, other, passed)


def _named(cells: list[str], header: tuple[str, ...]) -> dict[str, Any]:
    return {
        header[place] if place < len(header) else str(place + 1): cell for place, cell in enumerate(cells)
    }
