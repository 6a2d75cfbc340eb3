"""Headers of e-mail: what they say, word by encoded word (RFC 2047), and how that is written again."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from email.message import Message

from sovguard.errors import InputError

_ENCODED = re.compile(r"=[?]([^?*]+)(?:[*][^?]*)?[?]([bBqQ])[?]([^?]*)[?]=")
_FOLD = re.compile(r"\r?\n(?=[ \t])|[\r\n]+")
_WIDE = re.compile("[^\x00-\x7f]+(?: +[^\x00-\x7f]+)*")
_LENGTH = 45
"""Octets of one encoded word, which may have 75 characters with all that is around it."""
_SIMPLE = re.compile("[A-Za-z0-9~ -]*")
"""Text that an encoded word may say, and that says the same without being one."""
_OLD = {"ks_c_5601-1987": "cp949", "ks_c_5601-1989": "cp949", "euc-kr": "cp949", "ksc5601": "cp949"}


class Header:
    """A header of a message: stretches of plain text and of encoded words, each of which stays what it is.

    Args:
        part: The message or part.
        place: Which of its headers.

    Raises:
        InputError: It is in an encoding that cannot be told.
    """

    def __init__(self, part: Message, place: int) -> None:
        self._part, self._place = part, place
        self._texts = list(_stretches(str(part._headers[place][1])))  # type: ignore[attr-defined]
        self.slots = [_Stretch(self, number) for number in range(len(self._texts))]

    def __repr__(self) -> str:
        return f"Header({len(self._texts)} stretches)"

    def text(self, number: int) -> str:
        """Return what a stretch says."""
        return self._texts[number][1]

    def put(self, number: int, text: str) -> None:
        """Let a stretch say something else."""
        self._texts[number] = (self._texts[number][0], text)
        name = self._part._headers[self._place][0]  # type: ignore[attr-defined]
        parts: list[str] = []
        before = False
        for encoded, said in self._texts:
            if encoded and before:
                parts.append(" ")  # which is read as nothing
            parts.append(_written(said) if encoded else _WIDE.sub(lambda wide: _written(wide[0]), said))
            before = encoded
        self._part._headers[self._place] = (name, "".join(parts))  # type: ignore[attr-defined]


class _Stretch:
    def __init__(self, header: Header, number: int) -> None:
        self._header, self._number = header, number

    def read(self) -> str:
        return self._header.text(self._number)

    def write(self, text: str) -> None:
        self._header.put(self._number, text)


def said(raw: str) -> str:
    """Return what a header says that is written like this.

    Raises:
        InputError: It is in an encoding that cannot be told.
    """
    return "".join(text for _, text in _stretches(raw))


def _stretches(raw: str) -> Iterator[tuple[bool, str]]:
    """Yield what a header says, and of each stretch whether it is written as encoded words."""
    line = _FOLD.sub("", raw)
    position, charset, held = 0, "", b""
    for word in _ENCODED.finditer(line):
        between = line[position : word.start()]
        if held and (between.strip() or word[1].lower() != charset):
            yield True, _decoded(held, charset)
            held = b""
        if between.strip() or (between and position == 0):
            yield False, _plain(between)
        charset, position = word[1].lower(), word.end()
        held += _octets(word[2].lower(), word[3])
    if held:
        yield True, _decoded(held, charset)
    if position < len(line):
        yield False, _plain(line[position:])


def _octets(way: str, text: str) -> bytes:
    try:
        octets = text.encode("ascii")
        if way == "b":
            return base64.b64decode(octets + b"=" * (-len(octets) % 4))
        return quopri.decodestring(octets.replace(b"_", b" "), header=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise InputError("a header of it is damaged: an encoded word cannot be read") from None


def _decoded(octets: bytes, charset: str) -> str:
    for codec in dict.fromkeys((_OLD.get(charset, charset), "utf-8", "cp949")):
        try:
            return octets.decode(codec)
        except (LookupError, ValueError):  # the name of a codec may be anything
            continue
    raise InputError("a header of it is in an encoding that cannot be told")


def _plain(text: str) -> str:
    octets = text.encode("utf-8", "surrogateescape")
    return _decoded(octets, "utf-8")


def _written(text: str) -> str:
    """Return text as encoded words; as it is where that reads the same, since some readers put blanks between words."""
    if _SIMPLE.fullmatch(text) and text == text.strip():
        return text
    words, word = [], b""
    for sign in text:
        octets = sign.encode()
        if len(word) + len(octets) > _LENGTH:
            words.append(word)
            word = b""
        word += octets
    return " ".join(f"=?utf-8?b?{base64.b64encode(each).decode()}?=" for each in (*words, word))
