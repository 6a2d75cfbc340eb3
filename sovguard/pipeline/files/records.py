"""The records of one piece of a file, worked on: lines of text, JSON lines, rows of CSV.

Everything stays octet for octet but what is replaced. A record that cannot be worked on does not come out; it is named by its
line, and the others go on.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, repeat

from sovguard.errors import InputError
from sovguard.pipeline.cells import Ask, Outcome
from sovguard.pipeline.columns import Column
from sovguard.pipeline.files.answers import Answers, Pair
from sovguard.pipeline.files.csv_text import cells_of, is_quoted, row_pattern, value_of
from sovguard.pipeline.files.cutting import LIMIT, Piece
from sovguard.pipeline.files.json_records import JsonRecord, JsonRecords, OddJsonRecord
from sovguard.pipeline.files.settings import Form, Settings
from sovguard.pipeline.files.source import packed
from sovguard.pipeline.files.wide import widened

_BY_LINES = frozenset({"utf-8", "ascii", "cp949", "euc_kr", "iso8859-1"})
"""Encodings in which a line says the same by itself as among others."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file is.

    Attributes:
        form: What its records are.
        encoding: The encoding of its text.
        delimiter: Of CSV.
        header: The names of its columns, of CSV that has them.
        compression: ``"gzip"``, ``"zstd"`` or ``""``.
        wide: The UTF-16 that its text is in, and not the encoding that it is read in; ``""`` for all other files.
    """

    form: Form
    encoding: str = "utf-8"
    delimiter: str = ","
    header: tuple[str, ...] = ()
    compression: str = ""
    wide: str = ""

    def stored(self, data: bytes) -> bytes:
        """Return octets of its text as they stand in it."""
        return packed(widened(data, self.wide), self.compression)


@dataclass(slots=True, repr=False)
class Worked:
    """What became of a piece.

    Attributes:
        data: What comes out, compressed as the file is.
        bad: Lines that could not be worked on, and why.
        rejected: Those lines as they came.
        values: How many values were replaced, by type; equal texts of a piece count once.
        unresolved: How many texts have what looks like a surrogate and could not be opened; likewise.
        records: How many records came out.
        seen: Which of the fields that were asked for some record had.
    """

    data: bytes = b""
    bad: list[tuple[int, str]] = field(default_factory=list)
    rejected: bytes = b""
    values: Counter[str] = field(default_factory=Counter)
    unresolved: int = 0
    records: int = 0
    seen: set[str] = field(default_factory=set)

    def __repr__(self) -> str:
        return f"Worked({self.records} records, {len(self.bad)} bad)"


class Worker:
    """Works on pieces of one file.

    Args:
        settings: What is done to it.
        shape: What it is.
    """

    def __init__(self, settings: Settings, shape: Shape) -> None:
        self._settings, self._shape = settings, shape
        self._cells = settings.cells()
        self._columns: dict[str, Column] = {}
        self._table = _Table(shape, settings.columns)

    def __repr__(self) -> str:
        return f"Worker({self._shape.form!r})"

    def work(self, piece: Piece) -> Worked:
        """Return what becomes of a piece."""
        done = Worked()
        if piece.too_long:
            done.bad.append((piece.line, f"it is longer than {LIMIT >> 20} MiB"))
            return done
        json_records = JsonRecords(self._settings.columns)
        records: list[_Record] = []
        for line, raw, text in self._split(piece):
            try:
                records.append(self._read(line, raw, text, json_records, done.seen))
            except InputError as error:
                done.bad.append((line, str(error).removeprefix("it: ")))
                done.rejected += raw
        asked: list[Pair] = []
        for record in records:
            asked += record.pairs
        answers = Answers(dict.fromkeys(asked), self._outcomes)
        del asked
        keys_stay = answers.leaves(json_records.keys)
        parts: list[bytes] = []
        for record in records:
            try:
                as_it_came = keys_stay and answers.leaves(record.pairs)
                parts.append(record.raw if as_it_came else record.written(answers, self))
                done.records += 1
            except InputError as error:
                done.bad.append((record.line, str(error)))
                done.rejected += record.raw
        for outcome in answers.outcomes:
            done.values.update([hit.entity_type for hits in outcome.found if hits for hit in hits])
            done.unresolved += len(outcome.unresolved)
        done.bad.sort()
        done.data = self._shape.stored(b"".join(parts))
        done.rejected = widened(done.rejected, self._shape.wide)
        return done

    def encode(self, text: str) -> bytes:
        """Return text in the file's encoding.

        Raises:
            InputError: It has characters that the encoding does not have.
        """
        try:
            return text.encode(self._shape.encoding)
        except UnicodeEncodeError:
            raise InputError(
                f"what comes out has characters that {self._shape.encoding} does not have; convert the file to UTF-8"
            ) from None

    @property
    def encoding(self) -> str:
        """The file's encoding."""
        return self._shape.encoding

    @property
    def restores(self) -> bool:
        """Whether values are put back."""
        return self._settings.restores

    def column(self, label: str) -> Column:
        """Return the column of a label."""
        if label not in self._columns:
            self._columns[label] = Column(label)
        return self._columns[label]

    def number(self, text: str, kind: str, hit_type: str | None, label: str) -> str | None:
        """Return what takes the place of a number, or, on the way back, the number that a text takes the place of."""
        way = self._cells.way(self.column(label))
        if self.restores:
            return way.number(text)
        if hit_type is None:
            return None
        return way.replace_number(text, "int" if kind == "int" else "float", hit_type)

    def _outcomes(self, asked: dict[str, list[str]]) -> list[Outcome]:
        asks = [Ask(self.column(label), texts) for label, texts in asked.items()]
        return self._cells.restore(asks) if self.restores else self._cells.redact(asks)

    def _split(self, piece: Piece) -> Iterator[tuple[int, bytes, str | None]]:
        """Yield the records of a piece in octets and as text, if that is known, with the numbers of their lines."""
        if self._shape.form == "csv":
            for line, raw in _rows(piece, self._shape.delimiter.encode()):
                yield line, raw, None
            return
        lines = _lines(piece.data)
        texts: Iterable[str | None] = repeat(None)
        if self._shape.encoding in _BY_LINES and (whole := self._decoded(piece.data)) is not None:
            texts = io.StringIO(whole, newline="\n")
        yield from zip(count(piece.line), lines, texts, strict=False)

    def _decoded(self, data: bytes) -> str | None:
        """Return what octets say; ``None`` if they are not in the file's encoding, or others would say the same."""
        try:
            text = data.decode(self._shape.encoding)
            same = self._shape.encoding == "utf-8" or text.encode(self._shape.encoding) == data
        except UnicodeError:
            return None
        return text if same else None

    def _read(
        self, line: int, raw: bytes, text: str | None, json_records: JsonRecords, seen: set[str]
    ) -> _Record:
        if text is None and (text := self._decoded(raw)) is None:
            raise InputError(f"it is not {self._shape.wide or self._shape.encoding}")
        if self._shape.form == "jsonl":
            read = json_records.read_odd if self.restores else json_records.read
            return read(line, raw, text, seen)
        if self._shape.form == "csv":
            return _Row(line, raw, text, self._table)
        return _TextLine(line, raw, text)


class _TextLine:
    __slots__ = ("_end", "line", "pairs", "raw")

    def __init__(self, line: int, raw: bytes, text: str) -> None:
        said = text.rstrip("\r\n")
        self.line, self.raw, self._end = line, raw, text[len(said) :]
        self.pairs: list[Pair] = [("", said)] if said else []

    def written(self, answers: Answers, worker: Worker) -> bytes:
        if not self.pairs:
            return self.raw
        return worker.encode(answers.new(self.pairs[0]) + self._end)


class _Table:
    """What all rows of a file have in common."""

    def __init__(self, shape: Shape, columns: Sequence[str]) -> None:
        self.delimiter, self._names, self._columns = shape.delimiter, shape.header, frozenset(columns)
        self.special = (shape.delimiter, "\r", "\n")
        self._labels: list[str | None] = []

    def labels(self, count: int) -> list[str | None]:
        """Return the labels of at least so many cells; ``None`` for one that is left as it is."""
        while len(self._labels) < count:
            place = len(self._labels)
            name = self._names[place] if place < len(self._names) else ""
            self._labels.append(name if not self._columns or name in self._columns else None)
        return self._labels


class _Row:
    """A row of CSV, in any dialect that quotes with ``"`` and doubles what is quoted."""

    __slots__ = ("_cells", "_table", "line", "pairs", "raw")

    def __init__(self, line: int, raw: bytes, text: str, table: _Table) -> None:
        self.line, self.raw, self._table = line, raw, table
        cells = self._cells = cells_of(text, table.delimiter)
        self.pairs: list[Pair] = [
            (label, value_of(written) if written[0] == '"' else written)
            for label, (written, _) in zip(table.labels(len(cells)), cells, strict=False)
            if written and label is not None
        ]

    def written(self, answers: Answers, worker: Worker) -> bytes:
        parts: list[str] = []
        pairs = iter(self.pairs)
        for label, (written, behind) in zip(self._table.labels(len(self._cells)), self._cells, strict=False):
            made = written
            if written and label is not None:
                pair = next(pairs)
                new = answers.new(pair)
                if new != pair[1]:
                    made = self._cell(new, written)
            parts += (made, behind)
        return worker.encode("".join(parts))

    def _cell(self, new: str, written: str) -> str:
        # One that was quoted in no whole way stays so; what would be read as something else is quoted.
        needs = not written.startswith('"') and (
            new.startswith('"') or any(each in new for each in self._table.special)
        )
        return '"' + new.replace('"', '""') + '"' if is_quoted(written) or needs else new


def _lines(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        yield data[start:end]
        start = end


def _rows(piece: Piece, delimiter: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield rows in octets: their line ends are those outside of quotes."""
    row = row_pattern(delimiter)
    data, start, number = piece.data, 0, piece.line
    while start < len(data):
        found = row.match(data, start)
        end = found.end() if found is not None else data.find(b"\n", start) + 1 or len(data)
        yield number, data[start:end]
        number += data.count(b"\n", start, end)
        start = end


_Record = JsonRecord | OddJsonRecord | _TextLine | _Row
