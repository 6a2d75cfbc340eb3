"""CSV as it is written: rows and cells with everything between them; cells are quoted with ``"``, which is doubled in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from sovguard.errors import ConfigError


def cells_of(text: str, delimiter: str) -> list[tuple[str, str]]:
    """Return the cells of a row as they are written, each with what stands behind it: a delimiter, a line end, nothing."""
    end = "\r\n" if text.endswith("\r\n") else "\n" if text.endswith("\n") else ""
    plain = text[: len(text) - len(end)]
    if '"' in plain or "\r" in plain or "\n" in plain:
        return list(_cells(text, delimiter))
    cells = [(written, delimiter) for written in plain.split(delimiter)]
    cells[-1] = cells[-1][0], end
    return cells


def _cells(text: str, delimiter: str) -> Iterator[tuple[str, str]]:
    pattern, at = _cell_pattern(delimiter), 0
    while True:
        found = pattern.match(text, at)
        assert found is not None  # noqa: S101  what is no whole quoted cell is one without quotes
        yield found[1], found[2]
        at = found.end()
        if at == len(text) and found[2] != delimiter:
            return


@cache
def _cell_pattern(delimiter: str) -> re.Pattern[str]:
    other = re.escape(delimiter)
    return re.compile(rf'("(?:[^"]|"")*+"(?=[{other}\r\n]|\Z)|[^{other}\r\n]*+)([{other}]|\r?\n|\r|\Z)')


def is_quoted(written: str) -> bool:
    """Tell whether a cell is written in quotes."""
    return len(written) > 1 and written[0] == written[-1] == '"'


def value_of(written: str) -> str:
    """Return what a cell says that is written like this."""
    return written[1:-1].replace('""', '"') if is_quoted(written) else written


@cache
def row_pattern(delimiter: bytes) -> re.Pattern[bytes]:
    """Return what a row of CSV is, in octets, with its line end."""
    other = re.escape(delimiter)
    cell = rb'(?:"(?:[^"]|"")*+"(?=[' + other + rb"\r\n]|\Z)|[^\n" + other + rb"]*+)"
    return re.compile(cell + rb"(?:" + other + cell + rb")*+\r?(?:\n|\Z)")


def named_delimiter(said: str | None) -> str | None:
    """Return the delimiter that somebody wrote on a command line, where ``\\t`` and ``tab`` are a tab.

    Raises:
        ConfigError: It is none.
    """
    if said is None:
        return None
    found = {"\\t": "\t", "tab": "\t"}.get(said, said)
    if len(found) != 1 or not found.isascii() or found in '"\r\n':
        raise ConfigError("a delimiter is one character that is no quote and no line end; \\t is a tab")
    return found
