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
_SIGNS = r"[^\x00-\x20<>()\",;:]*[^\x00-\x7f][^\x00-\x20<>()\",;:]*"
_WIDE = re.compile(f"{_SIGNS}(?: +{_SIGNS})*")
_LATIN = frozenset(
    {"iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252", "us-ascii", "ascii"}
)
"""Encodings that are said of what is in another, and in which everything is something."""
_HANGUL = re.compile("[가-힣]")
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
        self._has_changed = False
        self.slots = [_Stretch(self, number) for number in range(len(self._texts))]

    def __repr__(self) -> str:
        return f"Header({len(self._texts)} stretches)"

    def text(self, number: int) -> str:
        """Return what a stretch says."""
        return self._texts[number][1]

    def put(self, number: int, text: str) -> None:
        """Let a stretch say something else."""
        self._texts[number] = (self._texts[number][0], text)
        self._has_changed = True

    def finish(self) -> None:
        """Write what its stretches say now."""
        if not self._has_changed:
            return
        name = self._part._headers[self._place][0]  # type: ignore[attr-defined]
        parts: list[str] = []
        for place, (encoded, said) in enumerate(self._texts):
            before = place > 0 and self._texts[place - 1][0]
            behind = place + 1 < len(self._texts) and self._texts[place + 1][0]
            if encoded:
                # Between encoded words a blank is read as nothing.
                parts += (" " if before else "", _written(said))
            else:
                parts.append(_mixed(said, before, behind))
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
    for codec in codecs_for(charset, octets):
        try:
            return octets.decode(codec)
        except (LookupError, ValueError):  # the name of a codec may be anything
            continue
    raise InputError("a header of it is in an encoding that cannot be told")


def _plain(text: str) -> str:
    octets = text.encode("utf-8", "surrogateescape")
    return _decoded(octets, "utf-8")


def _mixed(text: str, before: bool, behind: bool) -> str:
    """Return plain text with encoded words where it needs them; blanks between those and others are within them."""
    parts: list[str] = []
    position = 0
    for wide in _WIDE.finditer(text):
        start, end = wide.span()
        if before and not text[position:start].strip() and not position:
            start = position
        if behind and not text[end:].strip():
            end = len(text)
        parts += (text[position:start], " " if before and not start else "", _written(text[start:end]))
        position = end
    parts.append(text[position:])
    return "".join(parts) + (" " if behind and position == len(text) and position else "")


def codecs_for(named: str, octets: bytes) -> list[str]:
    """Return the encodings that octets may be in of which somebody said one, the likeliest first."""
    named = named.lower()
    others = ["utf-8", "cp949"]
    if named not in _LATIN:
        return list(dict.fromkeys([_OLD.get(named, named), *others]))
    likely = [codec for codec in others if not octets.isascii() and _is_korean(octets, codec)]
    return list(dict.fromkeys([*likely, named, *others]))


def _is_korean(octets: bytes, codec: str) -> bool:
    try:
        return _HANGUL.search(octets.decode(codec)) is not None
    except UnicodeDecodeError:
        return False


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
