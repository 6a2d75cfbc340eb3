"""A record as a line: JSON in the one form that it can have, so that a record has one hash.

Keys are sorted by code point, there are no spaces, text is UTF-8 and unescaped but for what JSON has to escape, and numbers are
as Python writes them. A tag under a key of the ledger says that a writer of it has written the line: what a process that died
has left unsigned is told from what somebody else put there. Nothing here knows where lines are kept or what a record is about.
"""

from __future__ import annotations

import hmac
import json
import re
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, NoReturn

from sovguard.errors import LedgerError

VERSION = 1
LIMIT = 65_536
"""Most octets of a line, without its line feed."""
DEPTH = 32
"""Most lists and tables around anything in a record, the record counted."""
RESERVED = frozenset(("v", "n", "t", "p", "m", "kind", "writer"))
"""What the ledger itself says of a record; ``writer`` is added when it is read."""
Tag = Callable[[bytes], str]
"""Tells what a writer of the ledger says of octets: ``LedgerKey.tag``."""
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_NO_TAG = "-" * 22
_PLACE = f',"m":"{_NO_TAG}"'.encode()
_INTEGERS = 2**63
_URL = bytes.maketrans(b"+/", b"-_")


def _no_constant(name: str) -> NoReturn:
    raise ValueError("no JSON number")


def _integer(text: str) -> int:
    # Before it is read: how many digits a process takes is a setting of it.
    number = int(text) if len(text) < 21 else _INTEGERS
    if not -_INTEGERS <= number < _INTEGERS:
        raise ValueError("too large a number")
    return number


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
_decode = json.JSONDecoder(parse_constant=_no_constant).raw_decode
_decode_bounded = json.JSONDecoder(parse_constant=_no_constant, parse_int=_integer).raw_decode


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
        # What JSON would turn into something else (a tuple, a number for a key) does not come back as it was.
        line = text.encode()
        same = _is_shallow(line) and _decode_bounded(text)[0] == record
    except (TypeError, ValueError, RecursionError):
        same, line = False, b""
    if not same:
        raise LedgerError(
            "a record holds text, integers of 64 bits, finite numbers, true, false, nothing, and lists and tables with text "
            f"for keys, {DEPTH} in each other at most; nothing was written: correct what was given to append()"
        )
    if len(line) > LIMIT:
        raise LedgerError(f"a record is of {LIMIT:,} octets at most; nothing was written: say less in it")
    return line


def line_of(
    kind: str, fields: Mapping[str, Any], *, number: int, milliseconds: int, previous: str, tag: Tag
) -> bytes:
    """Return the line of a new record.

    Args:
        kind: What it is about.
        fields: What it says.
        number: Its number in its log.
        milliseconds: When, since 1970.
        previous: The ``link`` of the line before it.
        tag: What is said of the line without its tag.

    Raises:
        LedgerError: It cannot be a record, or gives itself what the ledger gives.
    """
    if not isinstance(fields, Mapping):
        raise LedgerError(f"a record is a table, not a {type(fields).__name__}; nothing was written")
    if not RESERVED.isdisjoint(fields):
        raise LedgerError(
            f"the ledger itself says {', '.join(sorted(RESERVED))}; nothing was written: name the field otherwise"
        )
    if not isinstance(kind, str) or not kind:
        raise LedgerError("the kind of a record is a text; nothing was written")
    given = {"v": VERSION, "n": number, "t": milliseconds, "p": previous, "m": _NO_TAG, "kind": kind}
    record = {**fields, **given}
    line = serialize(record)
    # Nothing else reads like the tag's place, unless a table within the record has such a key: then it is counted out.
    place = line.find(_PLACE)
    if line.count(_PLACE) > 1:
        place = len(_encode({name: record[name] for name in record if name < "m"}).encode()) - 1
    end = place + len(_PLACE)
    return b'%b,"m":"%b"%b' % (line[:place], tag(line[:place] + line[end:]).encode(), line[end:])


def is_tagged(record: Mapping[str, Any], tag: Tag) -> bool:
    """Tell whether a writer of the ledger has written this record."""
    try:
        untagged = _encode({name: value for name, value in record.items() if name != "m"}).encode()
    except ValueError:
        return False
    return hmac.compare_digest(tag(untagged).encode(), str(record["m"]).encode())


def _is_shallow(line: bytes) -> bool:
    if line.count(b"{") + line.count(b"[") <= DEPTH:
        return True
    depth = 0
    for octet in _TEXT.sub(b"", line):
        depth += (octet in b"{[") - (octet in b"}]")
        if depth > DEPTH:
            return False
    return True


def parse(line: bytes) -> dict[str, Any]:
    """Return the record that a line holds; whether it is in canonical form is not looked at.

    Raises:
        ValueError: It holds none.
    """
    if len(line) > LIMIT:
        raise ValueError("too long")
    if not _is_shallow(line):
        raise ValueError("too many lists in each other")
    text = line.decode()
    record, end = _decode(text)
    if end != len(text) or type(record) is not dict:
        raise ValueError("no JSON object")
    if record.get("v") != VERSION or type(record["v"]) is not int:
        raise ValueError("another version")
    if type(record.get("n")) is not int or type(record.get("t")) is not int:
        raise ValueError("no number or time")
    if not type(record.get("p")) is type(record.get("m")) is type(record.get("kind")) is str:
        raise ValueError("no link, tag or kind")
    return record


def is_canonical(line: bytes, record: Mapping[str, Any]) -> bool:
    """Tell whether a line is the one that its record has."""
    try:
        return _encode(record).encode() == line
    except (TypeError, ValueError):
        return False
