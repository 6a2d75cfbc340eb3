"""What a file is, told by its name and its beginning: form, encoding, delimiter, header."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.files.csv_text import cells_of, row_pattern, value_of
from sovguard.pipeline.files.records import Shape
from sovguard.pipeline.files.settings import Form, Settings
from sovguard.pipeline.files.source import SAMPLE, Source, encoding_of, named_encoding
from sovguard.pipeline.files.wide import wide_of

if TYPE_CHECKING:
    from sovguard.guard import Guard

_FORMS: dict[str, Form] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv"}
_PACKED = (".gz", ".zst")
_TELLING = re.compile("[0-9]{4}|@")


def shape_of(
    source: Source,
    *,
    form: Form | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    guard: Guard | None = None,
) -> tuple[Shape, int]:
    """Return what a file is, and how many octets its BOM and its header have, which are no records.

    Args:
        source: The file.
        form: What its records are; by default what its name says, and text if that says nothing.
        encoding: The encoding of its text; by default UTF-8 or CP949, whichever fits, or UTF-16 if it begins with its BOM.
        delimiter: Of CSV; by default what fits.
        header: Whether CSV begins with the names of its columns; by default told by the first row: names are not empty, differ,
            and hold nothing that is found.
        guard: Finds things in the first row.

    Raises:
        InputError: Its encoding cannot be told, or it is damaged.
    """
    stem = source.path.name.lower()
    for end in _PACKED:
        stem = stem.removesuffix(end)
    form = form or _FORMS.get(Path(stem).suffix, "text")
    with source.opened() as stream:
        sample = source.read(stream, SAMPLE)
    if not source.wide and (wide := wide_of(sample, encoding)):
        source.wide = wide
        with source.opened() as stream:
            sample = source.read(stream, SAMPLE)
    if source.wide:
        encoding = "utf-8"
    whole = len(sample) < SAMPLE
    try:
        told, bom = encoding_of(sample, whole) if encoding is None else named_encoding(encoding, sample)
    except InputError as error:
        raise InputError(f"{source.path}: {error}") from None
    if form != "csv":
        return Shape(form, told, compression=source.compression, wide=source.wide), len(bom)
    data = sample[len(bom) :]
    between = delimiter or ("\t" if stem.endswith(".tsv") else _delimiter(data.decode(told, "replace")))
    found = row_pattern(between.encode()).match(data)
    first = found[0] if found is not None and (found[0].endswith(b"\n") or whole) else b""
    try:
        names = [value_of(written) for written, _ in cells_of(first.decode(told), between)] if first else []
    except UnicodeDecodeError:  # a row like any, which is named as bad
        names = []
    if header is None:
        header = _is_header(names, guard)
    if not header or not names:
        return Shape("csv", told, between, (), source.compression, source.wide), len(bom)
    return Shape("csv", told, between, tuple(names), source.compression, source.wide), len(bom) + len(first)


def shape_for(
    source: Source,
    settings: Settings,
    *,
    form: Form | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
) -> tuple[Shape, int]:
    """Return what a file is for what is to be done with it; as ``shape_of``.

    Raises:
        InputError: Its encoding cannot be told, or it is damaged.
        ConfigError: A column is asked for that it does not have.
    """
    from sovguard.guard import Guard

    if settings.restores and header is None and not settings.columns:
        header = False  # a row of surrogates looks like names of columns
    guard = Guard(names="fast", recognizers=settings.recognizers) if header is None else None
    shape, skipped = shape_of(
        source, form=form, encoding=encoding, delimiter=delimiter, header=header, guard=guard
    )
    if settings.columns and shape.form == "text":
        raise ConfigError(f"{source.path} is read as text, which has no fields; is its form another?")
    if shape.form == "csv" and (absent := set(settings.columns) - set(shape.header)):
        known = ", ".join(map(repr, shape.header)) or "no names"
        raise ConfigError(f"{source.path} has no column {min(absent)!r}; it has {known}")
    return shape, skipped


def _delimiter(text: str) -> str:
    try:
        return csv.Sniffer().sniff(text[: 1 << 14], ",;\t|").delimiter
    except csv.Error:
        return ","


def _is_header(names: list[str], guard: Guard | None) -> bool:
    if not names or len(set(names)) < len(names):
        return False
    if not all(name.strip() and _TELLING.search(name) is None for name in names):
        return False
    return guard is None or not any(guard.scan(names))
