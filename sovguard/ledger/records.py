"""A record as a line: JSON in the one form that it can have, so that a record has one hash.

Keys are sorted by code point, there are no spaces, text is UTF-8 and unescaped but for what JSON has to escape, and numbers are
as Python writes them. Nothing here knows where lines are kept or what a record is about.
"""

from __future__ import annotations

import json
from binascii import b2a_base64
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NoReturn

from sovguard.errors import LedgerError

VERSION = 1
LIMIT = 65_536
"""Most octets of a line, without its line feed."""
RESERVED = frozenset(("v", "n", "t", "p", "kind", "writer"))
"""What the ledger itself says of a record; ``writer`` is added when it is read."""
_URL = bytes.maketrans(b"+/", b"-_")


def _no_constant(name: str) -> NoReturn:
    raise ValueError("no JSON number")


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
_decode = json.JSONDecoder(parse_constant=_no_constant).raw_decode


def link(line: bytes) -> str:
    """Return what the next record says of this line: 16 octets of its SHA-256 in 22 characters."""
    return b2a_base64(sha256(line).digest()[:16], newline=False)[:22].translate(_URL).decode()


def serialize(record: Mapping[str, Any]) -> bytes:
    """Return the line of a record, without its line feed.

    Raises:
        LedgerError: It holds what a record cannot hold, or too much.
    """
    try:
        text = _encode(record)
        line = text.encode()
        # What JSON would turn into something else (a tuple, a number for a key) does not come back as it was.
        same = _decode(text)[0] == record
    except (TypeError, ValueError, RecursionError):
        same, line = False, b""
    if not same:
        raise LedgerError(
            "a record holds text, whole numbers, finite numbers, true, false, nothing, lists and tables with text for keys; "
            "nothing was written: correct what was given to append()"
        )
    if len(line) > LIMIT:
        raise LedgerError(f"a record is of {LIMIT:,} octets at most; nothing was written: say less in it")
    return line


def line_of(kind: str, fields: Mapping[str, Any], *, number: int, milliseconds: int, previous: str) -> bytes:
    """Return the line of a new record.

    Args:
        kind: What it is about.
        fields: What it says.
        number: Its number in its log.
        milliseconds: When, since 1970.
        previous: The ``link`` of the line before it.

    Raises:
        LedgerError: It cannot be a record, or gives itself what the ledger gives.
    """
    if not RESERVED.isdisjoint(fields):
        raise LedgerError(
            f"the ledger itself says {', '.join(sorted(RESERVED))}; nothing was written: name the field otherwise"
        )
    if not isinstance(kind, str) or not kind:
        raise LedgerError("the kind of a record is a text; nothing was written")
    given = {"v": VERSION, "n": number, "t": milliseconds, "p": previous, "kind": kind}
    return serialize({**fields, **given})


def parse(line: bytes) -> dict[str, Any]:
    """Return the record that a line holds; whether it is in canonical form is not looked at.

    Raises:
        ValueError: It holds none.
    """
    if len(line) > LIMIT:
        raise ValueError("too long")
    text = line.decode()
    try:
        record, end = _decode(text)
    except RecursionError:
        raise ValueError("no JSON") from None
    if end != len(text) or type(record) is not dict:
        raise ValueError("no JSON object")
    if record.get("v") != VERSION or type(record["v"]) is not int:
        raise ValueError("another version")
    if type(record.get("n")) is not int or type(record.get("t")) is not int:
        raise ValueError("no number or time")
    if type(record.get("p")) is not str or type(record.get("kind")) is not str:
        raise ValueError("no link or kind")
    return record


def is_canonical(line: bytes, record: Mapping[str, Any]) -> bool:
    """Tell whether a line is the one that its record has."""
    try:
        return _encode(record).encode() == line
    except (TypeError, ValueError, RecursionError):
        return False
