"""The last look at what is about to leave: whether any value that the session knows is still in it, however it is written.

Behind redaction, and independent of detection: it compares with what is known and guesses nothing. Texts are read as they are
and as what they encode: JSON, HTML and percent escapes, base64 and hexadecimal of UTF-8, UTF-16 or CP949, compressed or not,
one in another.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import threading
import unicodedata
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from sovguard.entities import LITERAL_TYPE
from sovguard.payloads.json_text import open_escapes
from sovguard.vault.store import Entry, SessionRef

_DEPTH = 3
_MANY = 1 << 20
"""Characters that one encoded text may come to."""
_FEWEST = 6
_HIDDEN = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_BASE64 = re.compile("[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX = re.compile("(?:[0-9A-Fa-f]{2}){6,}")
_HANGUL = re.compile("[가-힣]")
_ASCII = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")


class Known:
    """Values that must not leave as they are.

    Args:
        words: The values as ``folded`` writes them.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted(set(words))
        self._literals: Any = None

    def __repr__(self) -> str:
        return f"Known({len(self._words)} values)"

    def __bool__(self) -> bool:
        return bool(self._words)

    def stands_in(self, value: Any) -> bool:
        """Tell whether a value stands anywhere in a JSON-like one: in its texts, its keys or its numbers, in any encoding."""
        return bool(self._words) and any(self._within(text) for text in _texts(value))

    def _within(self, text: str) -> bool:
        return any(self._found(each) for each in readings(text))

    def _found(self, text: str) -> bool:
        if self._literals is None:
            from sovguard.detect.literals import Literals

            self._literals = Literals(self._words)
        plain = folded(text)
        for _, start, end in self._literals.matches(plain):
            before, behind = plain[start - 1 : start], plain[end : end + 1]
            first, last = plain[start], plain[end - 1]
            if first in _ASCII and before in _ASCII and before:
                continue
            if last in _ASCII and behind in _ASCII and behind:
                continue
            if _HANGUL.match(first) and _HANGUL.match(before):
                continue
            return True
        return False


class Remembered:
    """What sessions know, read from the vault once and then only what is new; for a guard, whose sessions come and go.

    Short values are left out, which stand in other words: anything under six letters or digits, names under three syllables.
    """

    _SESSIONS = 256

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[SessionRef, tuple[int, list[tuple[str, str]]]] = OrderedDict()
        self._built: OrderedDict[tuple[SessionRef, int, frozenset[str]], Known] = OrderedDict()

    def __repr__(self) -> str:
        return f"Remembered({len(self._held)} sessions)"

    def known(
        self, session: SessionRef, read: Callable[[int], Sequence[Entry | None]], allowed: frozenset[str]
    ) -> Known:
        """Return what a session knows.

        Args:
            session: The session.
            read: Returns what the vault has of it behind the first so many entries.
            allowed: Entity types whose values may leave as they are.
        """
        with self._lock:
            count, words = self._held.get(session, (0, []))
        more = read(count)
        new = [(each.entity_type, word) for each in more if each is not None and (word := _word(each))]
        count, words = count + len(more), [*words, *new] if new else words
        with self._lock:
            if count >= self._held.get(session, (0, []))[0]:
                self._held[session] = (count, words)
            self._held.move_to_end(session)
            built = self._built.get((session, count, allowed))
            if built is None:
                built = Known(word for name, word in words if name not in allowed and name != LITERAL_TYPE)
                self._built[session, count, allowed] = built
            if len(self._held) > self._SESSIONS:
                self._held.popitem(last=False)
            if len(self._built) > self._SESSIONS:
                self._built.popitem(last=False)
        return built

    def forget(self, session: SessionRef) -> None:
        """Drop what is remembered of a session."""
        with self._lock:
            self._held.pop(session, None)
            for key in [key for key in self._built if key[0] == session]:
                del self._built[key]


def folded(text: str) -> str:
    """Return a text in the one form in which values are compared: composed, half-width, without hidden characters or case."""
    return _HIDDEN.sub("", unicodedata.normalize("NFKC", text)).casefold()


def readings(text: str) -> Iterator[str]:
    """Yield a text, and what it says once escapes and encodings in it are undone, each once."""
    seen = {text}
    layer = [text]
    for depth in range(_DEPTH + 1):
        yield from layer
        if depth == _DEPTH:
            return
        below: list[str] = []
        for each in layer:
            for opened in _opened(each):
                if opened not in seen and len(opened) <= _MANY:
                    seen.add(opened)
                    below.append(opened)
        if not below:
            return
        layer = below


def _opened(text: str) -> Iterator[str]:
    if "\\" in text:
        yield open_escapes(text)
    if "%" in text:
        yield unquote(text, errors="ignore")
        yield unquote(text, encoding="cp949", errors="ignore")
    if "&" in text:
        yield html.unescape(text)
    for match in _BASE64.finditer(text):
        # Where it begins is not told where other letters stand before it: each of four places can be its first.
        for skip in range(4 if len(match[0]) > 16 else 1):
            yield from _said(_unbased(match[0][skip:]))
    for match in _HEX.finditer(text):
        yield from _said(binascii.unhexlify(match[0]))


def _unbased(text: str) -> bytes:
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    plain = plain[: len(plain) - (len(plain) % 4 == 1)]
    return base64.b64decode(plain + "=" * (-len(plain) % 4))


def _said(octets: bytes, *, inflate: bool = True) -> Iterator[str]:
    """Yield the texts that octets may be."""
    if not octets:
        return
    if inflate and octets[:1] in (b"\x1f", b"\x78"):
        stream = zlib.decompressobj(47)
        with suppress(zlib.error):
            yield from _said(stream.decompress(octets, 4 * _MANY), inflate=False)
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "cp949"):
        try:
            text = octets.decode(encoding)
        except UnicodeDecodeError:
            continue
        yield text
        if encoding == "utf-8" and text.isascii() and "\x00" not in text:
            return


def _texts(value: Any) -> Iterator[str]:
    """Yield every text, key and number of a JSON-like value."""
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            pending += [*each.keys(), *each.values()]
        elif isinstance(each, (list, tuple)):
            pending += each
        elif isinstance(each, str):
            yield each
        elif isinstance(each, (int, float)) and not isinstance(each, bool):
            yield str(each)


def _word(entry: Entry) -> str | None:
    """Return what to look for of a value; ``None`` for one that is too short to tell from other text."""
    word = folded(entry.value).strip()
    counted = sum(char.isalnum() for char in word)
    fewest = 3 if _HANGUL.search(word) else _FEWEST
    return word if counted >= fewest else None
