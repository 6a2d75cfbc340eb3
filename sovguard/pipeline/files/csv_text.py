"""CSV as it is written: rows and cells with everything between them; cells are quoted with ``"``, which is doubled in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sovguard.errors import InputError


def cells_of(text: str, delimiter: str) -> Iterator[tuple[str, str]]:
    """Yield the cells of a row as they are written, each with what stands behind it: a delimiter, a line end, nothing."""
    other = re.escape(delimiter)
    cell = re.compile(rf'("(?:[^"]|"")*+"(?=[{other}\r\n]|\Z)|[^{other}\r\n]*+)([{other}]|\r?\n|\r|\Z)')
    at = 0
    while at < len(text) or at == 0:
        found = cell.match(text, at)
        if found is None:
            raise InputError("a quote is not closed")
        yield found[1], found[2]
        at = found.end()
        if found[2] not in (delimiter,):
            if at < len(text):
                continue
            return
        if at == len(text):
            yield "", ""
            return


def is_quoted(written: str) -> bool:
    """Tell whether a cell is written in quotes."""
    return len(written) > 1 and written[0] == written[-1] == '"'


def value_of(written: str) -> str:
    """Return what a cell says that is written like this."""
    return written[1:-1].replace('""', '"') if is_quoted(written) else written


def row_pattern(delimiter: bytes) -> re.Pattern[bytes]:
    """Return what a row of CSV is, in octets, with its line end."""
    other = re.escape(delimiter)
    cell = rb'(?:"(?:[^"]|"")*+"(?=[' + other + rb"\r\n]|\Z)|[^\n" + other + rb"]*+)"
    return re.compile(cell + rb"(?:" + other + cell + rb")*+\r?(?:\n|\Z)")
