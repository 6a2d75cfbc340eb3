"""The records of one piece of a file, worked on: lines of text, JSON lines, rows of CSV.

Everything stays octet for octet but what is replaced. A record that cannot be worked on does not come out; it is named by its
line, and the others go on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sovguard.errors import InputError
from sovguard.payloads.json_lines import JsonLine, chosen, line_of, literal
from sovguard.payloads.json_text import load
from sovguard.pipeline.cells import Ask, Outcome
from sovguard.pipeline.columns import Column
from sovguard.pipeline.files.csv_text import cells_of, is_quoted, row_pattern, value_of
from sovguard.pipeline.files.cutting import LIMIT, Piece
from sovguard.pipeline.files.settings import Form, Settings
from sovguard.pipeline.files.source import packed
from sovguard.shapes import MAX_CONTEXT, Leaf


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file is.

    Attributes:
        form: What its records are.
        encoding: The encoding of its text.
        delimiter: Of CSV.
        header: The names of its columns, of CSV that has them.
        compression: ``"gzip"``, ``"zstd"`` or ``""``.
    """

    form: Form
    encoding: str = "utf-8"
    delimiter: str = ","
    header: tuple[str, ...] = ()
    compression: str = ""


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

    def __repr__(self) -> str:
        return f"Worker({self._shape.form!r})"

    def work(self, piece: Piece) -> Worked:
        """Return what becomes of a piece."""
        done = Worked()
        if piece.too_long:
            done.bad.append((piece.line, f"it is longer than {LIMIT >> 20} MiB"))
            return done
        records: list[_Record] = []
        for line, raw in self._split(piece):
            try:
                records.append(self._read(line, raw, done.seen))
            except InputError as error:
                done.bad.append((line, str(error).removeprefix("it: ")))
                done.rejected += raw
        asks: dict[str, dict[str, int]] = {}
        for record in records:
            for label, text in record.texts():
                texts = asks.setdefault(label, {})
                texts.setdefault(text, len(texts))
        outcomes = self._outcomes(asks)
        parts: list[bytes] = []
        for record in records:
            try:
                parts.append(record.written(asks, outcomes, self))
                done.records += 1
            except InputError as error:
                done.bad.append((record.line, str(error)))
                done.rejected += record.raw
        for outcome in outcomes.values():
            done.values.update(hit.entity_type for hits in outcome.found for hit in hits)
            done.unresolved += len(outcome.unresolved)
        done.bad.sort()
        done.data = packed(b"".join(parts), self._shape.compression)
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

    def _outcomes(self, asks: dict[str, dict[str, int]]) -> dict[str, Outcome]:
        asked = [Ask(self.column(label), list(texts)) for label, texts in asks.items()]
        done = self._cells.restore(asked) if self.restores else self._cells.redact(asked)
        return dict(zip(asks, done, strict=True))

    def _split(self, piece: Piece) -> Iterator[tuple[int, bytes]]:
        """Yield the records of a piece in octets, with the numbers of their lines."""
        if self._shape.form == "csv":
            yield from _rows(piece, self._shape.delimiter.encode())
            return
        yield from enumerate(_lines(piece.data), piece.line)

    def _read(self, line: int, raw: bytes, seen: set[str]) -> _Record:
        try:
            text = raw.decode(self._shape.encoding)
            same = text.encode(self._shape.encoding) == raw
        except UnicodeError:
            same = False
        if not same:
            raise InputError(f"it is not {self._shape.encoding}")
        if self._shape.form == "jsonl":
            parsed = line_of("it", 0, text, "correct the line")
            if isinstance(parsed.value, dict):
                seen.update(name for name in self._settings.columns if name in parsed.value)
            return _JsonRecord(line, raw, parsed, self._settings.columns)
        if self._shape.form == "csv":
            return _Row(line, raw, text, self._shape, self._settings.columns)
        return _TextLine(line, raw, text)


class _Record(ABC):
    """One record."""

    def __init__(self, line: int, raw: bytes) -> None:
        self.line, self.raw = line, raw

    @abstractmethod
    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield its texts, each with its label."""

    @abstractmethod
    def written(self, asks: dict[str, dict[str, int]], outcomes: dict[str, Outcome], worker: Worker) -> bytes:
        """Return it with its texts replaced."""


def _new(
    label: str, text: str, asks: dict[str, dict[str, int]], outcomes: dict[str, Outcome]
) -> tuple[str, int]:
    place, outcome = asks[label][text], outcomes[label]
    new = outcome.texts[place]
    if new is None:
        raise InputError(outcome.errors[place])
    return new, place


class _TextLine(_Record):
    def __init__(self, line: int, raw: bytes, text: str) -> None:
        super().__init__(line, raw)
        self._text = text.rstrip("\r\n")
        self._end = text[len(self._text) :]

    def texts(self) -> Iterator[tuple[str, str]]:
        if self._text:
            yield "", self._text

    def written(self, asks: dict[str, dict[str, int]], outcomes: dict[str, Outcome], worker: Worker) -> bytes:
        if not self._text:
            return self.raw
        return worker.encode(_new("", self._text, asks, outcomes)[0] + self._end)


class _JsonRecord(_Record):
    def __init__(self, line: int, raw: bytes, parsed: JsonLine, columns: Sequence[str]) -> None:
        super().__init__(line, raw)
        self._parsed = parsed
        pairs = (
            [] if parsed.blank else list(chosen(parsed, columns if isinstance(parsed.value, dict) else ()))
        )
        self._parts = [(leaf, token) for leaf, token in pairs if token is not None]

    def texts(self) -> Iterator[tuple[str, str]]:
        for leaf, token in self._parts:
            yield _label(leaf), token["literal"] if leaf.kind != "str" else leaf.text

    def written(self, asks: dict[str, dict[str, int]], outcomes: dict[str, Outcome], worker: Worker) -> bytes:
        parts: list[str] = []
        position, text = 0, self._parsed.text
        for leaf, token in self._parts:
            written, label = token["literal"], _label(leaf)
            said = leaf.text if leaf.kind == "str" else written
            new, place = _new(label, said, asks, outcomes)
            number = None
            if leaf.kind != "str":
                hits = outcomes[label].found[place]
                number = worker.number(
                    said, leaf.kind, hits[0].entity_type if hits and not worker.restores else None, label
                )
                if number is None or worker.restores:
                    continue
                made = literal(number, written, worker.encoding)
            elif (
                worker.restores
                and token["colon"] is None
                and (number := worker.number(said, "", None, label))
            ):
                made = number
            elif new == said:
                continue
            else:
                made = literal(new, written, worker.encoding)
            parts += (text[position : token.start()], made)
            position = token.end("literal")
        if not parts:
            return self.raw
        made = "".join((*parts, text[position:]))
        if (
            any(token["colon"] is not None for _, token in self._parts)
            and load(made, unique_keys=True) is None
        ):
            raise InputError("two keys of an object would become the same")
        return worker.encode(made + self._parsed.end)


def _label(leaf: Leaf) -> str:
    key = leaf.key
    return key.text if key is not None and len(key.text) <= MAX_CONTEXT else ""


class _Row(_Record):
    """A row of CSV, in any dialect that quotes with ``"`` and doubles what is quoted."""

    def __init__(self, line: int, raw: bytes, text: str, shape: Shape, columns: Sequence[str]) -> None:
        super().__init__(line, raw)
        self._cells = list(cells_of(text, shape.delimiter))
        self._names = shape.header
        self._columns = frozenset(columns)
        self._special = (shape.delimiter, "\r", "\n")

    def texts(self) -> Iterator[tuple[str, str]]:
        for place, (written, _) in enumerate(self._cells):
            if written and self._wanted(place):
                yield self._name(place), value_of(written)

    def written(self, asks: dict[str, dict[str, int]], outcomes: dict[str, Outcome], worker: Worker) -> bytes:
        parts: list[str] = []
        for place, (written, behind) in enumerate(self._cells):
            made = written
            if written and self._wanted(place):
                value = value_of(written)
                new, _ = _new(self._name(place), value, asks, outcomes)
                if new != value:
                    made = self._cell(new, written)
            parts += (made, behind)
        return worker.encode("".join(parts))

    def _cell(self, new: str, written: str) -> str:
        # One that was quoted in no whole way stays so; what would be read as something else is quoted.
        needs = not written.startswith('"') and (
            new.startswith('"') or any(each in new for each in self._special)
        )
        return '"' + new.replace('"', '""') + '"' if is_quoted(written) or needs else new

    def _name(self, place: int) -> str:
        return self._names[place] if place < len(self._names) else ""

    def _wanted(self, place: int) -> bool:
        return not self._columns or self._name(place) in self._columns


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
