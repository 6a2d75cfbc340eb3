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
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from sovguard.entities import LITERAL_TYPE
from sovguard.payloads.json_text import open_escapes
from sovguard.vault.store import Entry, SessionRef

_DEPTH = 3
_MANY = 1 << 20
"""Characters that one encoded text may come to."""
_FEWEST = 6
_FEWEST_DIGITS = 7
"""Bare digits: fewer are amounts and limits too."""
_HIDDEN = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_BASE64 = re.compile("[A-Za-z0-9+/_-]{8,}={0,2}")
_WRAPPED = re.compile("(?<=[A-Za-z0-9+/]{40})\\r?\\n(?=[A-Za-z0-9+/=])")
_HEX = re.compile("(?:[0-9A-Fa-f]{2}){6,}")
_HANGUL = re.compile("[가-힣]")
_DIGITS, _LATIN = frozenset("0123456789"), frozenset("abcdefghijklmnopqrstuvwxyz")


class _Words:
    """Some values, and the automaton that finds them, made when it is first needed."""

    __slots__ = ("_literals", "names", "words")

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        found: dict[str, bool] = {}
        for entity_type, word in entries:
            # A name is a name at the end of a compound; anything else may stand behind other letters.
            found[word] = found.get(word, True) and entity_type == "PERSON"
        self.words, self.names = list(found), list(found.values())
        self._literals: Any = None

    def __repr__(self) -> str:
        return f"_Words({len(self.words)})"

    def found(self, plain: str, allowed: frozenset[str]) -> bool:
        if self._literals is None:
            from sovguard.detect.literals import Literals

            self._literals = Literals(self.words)
        for which, start, end in self._literals.matches(plain):
            before, behind = plain[start - 1 : start], plain[end : end + 1]
            if _same(before, plain[start]) or _same(plain[end - 1], behind):
                continue
            if self.names[which] and _HANGUL.match(plain[start]) and _HANGUL.match(before):
                continue
            if self.words[which] not in allowed:
                return True
        return False


class Known:
    """Values that must not leave as they are.

    Args:
        entries: Types of values, and the values as ``folded`` writes them.
        allowed: Values that may leave as they are all the same.
    """

    def __init__(self, entries: Iterable[tuple[str, str]] = (), allowed: Iterable[str] = ()) -> None:
        words = _Words(entries)
        self._parts = [words] if words.words else []
        self._allowed = frozenset(folded(value).strip() for value in allowed)

    def __repr__(self) -> str:
        return f"Known({sum(len(part.words) for part in self._parts)} values)"

    def with_(self, entries: Sequence[tuple[str, str]]) -> Known:
        """Return what knows these too. What is there already is not built again each time, however often that is asked for."""
        new = Known(entries)
        new._parts = [*self._parts, *new._parts]
        while len(new._parts) > 1 and len(new._parts[-2].words) <= 2 * len(new._parts[-1].words):
            last, before = new._parts.pop(), new._parts.pop()
            both = [
                ("PERSON" if name else "", word)
                for part in (before, last)
                for word, name in zip(part.words, part.names, strict=True)
            ]
            new._parts.append(_Words(both))
        return new

    def but(self, allowed: Iterable[str]) -> Known:
        """Return the same without values that may leave as they are."""
        new = Known((), allowed)
        new._parts = self._parts
        return new

    def stands_in(self, value: Any) -> bool:
        """Tell whether a value stands anywhere in a JSON-like one: in its texts, its keys or its numbers, in any encoding.

        Raises:
            TooMuch: A text opens to more than can be looked through.
        """
        if not self._parts:
            return False
        for text in _texts(value):
            for each in readings(text):
                plain = folded(each)
                if any(part.found(plain, self._allowed) for part in self._parts):
                    return True
        return False


class TooMuch(ValueError):
    """A text opens to more than can be looked through."""


def _same(one: str, other: str) -> bool:
    """Tell whether two neighbours are both digits or both Latin letters: then neither ends a value."""
    return bool(one and other) and (
        (one in _DIGITS and other in _DIGITS) or (one in _LATIN and other in _LATIN)
    )


@dataclass(slots=True)
class _Held:
    """What is remembered of one session."""

    mark: bytes = b""
    count: int = 0
    known: Known = field(default_factory=Known)
    others: set[tuple[str, str]] = field(default_factory=set)
    people: set[str] = field(default_factory=set)

    def __repr__(self) -> str:
        return f"_Held({self.count} entries)"


class Remembered:
    """What sessions know, read from the vault once and then only what is new; for a guard, whose sessions come and go.

    What was masked or removed is in no vault: of that, and of whom it named, this process alone knows.
    """

    _SESSIONS = 256

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[SessionRef, _Held] = OrderedDict()

    def __repr__(self) -> str:
        return f"Remembered({len(self._held)} sessions)"

    def named(self, session: SessionRef, people: Iterable[str]) -> frozenset[str]:
        """Return whom a session has named in this process, after it named ``people``."""
        with self._lock:
            held = self._of(session)
            held.people.update(people)
            return frozenset(held.people)

    def known(
        self,
        session: SessionRef,
        read: Callable[[int], Sequence[Entry | None]],
        allowed: Iterable[str],
        others: Iterable[Entry],
        mark: Callable[[], bytes],
    ) -> Known:
        """Return what a session knows.

        Args:
            session: The session.
            read: Returns what the vault has of it behind the first so many entries.
            allowed: Values that may leave as they are.
            others: Values that were masked or removed.
            mark: Returns what is the same as long as it is the same session: one that was erased, here or elsewhere, and goes
                on is another.
        """
        allowed = frozenset(allowed)
        with self._lock:
            count = self._of(session).count
        now = mark() if count else b""
        with self._lock:
            held = self._of(session)
            if count and held.mark != now:
                held = self._held[session] = _Held()
            count = held.count
        more = read(count)
        now = mark() if more and not now else now
        with self._lock:
            held = self._of(session)
            held.mark = now
            new = [pair for each in others if (pair := _pair(each)) is not None and pair not in held.others]
            held.others.update(new)
            if held.count == count:
                held.count += len(more)
                new += [pair for each in more if each is not None and (pair := _pair(each)) is not None]
            if new:
                held.known = held.known.with_(new)
            return held.known.but(allowed) if allowed else held.known

    def forget(self, session: SessionRef) -> None:
        """Drop what is remembered of a session."""
        with self._lock:
            self._held.pop(session, None)

    def _of(self, session: SessionRef) -> _Held:
        held = self._held.setdefault(session, _Held())
        self._held.move_to_end(session)
        if len(self._held) > self._SESSIONS:
            self._held.popitem(last=False)
        return held


def folded(text: str) -> str:
    """Return a text in the one form in which values are compared: composed, half-width, without hidden characters or case."""
    return _HIDDEN.sub("", unicodedata.normalize("NFKC", text)).casefold()


def readings(text: str) -> Iterator[str]:
    """Yield a text, and what it says once escapes and encodings in it are undone, each once.

    Raises:
        TooMuch: It opens to more than can be looked through.
    """
    seen = {text}
    layer = [text]
    for depth in range(_DEPTH + 1):
        yield from layer
        if depth == _DEPTH:
            return
        below: list[str] = []
        for each in layer:
            for opened in _opened(each):
                if opened in seen:
                    continue
                if len(opened) > max(_MANY, 2 * len(text)):
                    raise TooMuch
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
    if _WRAPPED.search(text):
        # As tools write it: in lines.
        yield _WRAPPED.sub("", text)
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
            inflated = stream.decompress(octets, 4 * _MANY)
            if stream.unconsumed_tail:
                raise TooMuch
            yield from _said(inflated, inflate=False)
    # Octets that are no text in between do not hide what is one.
    text = octets.decode("utf-8", "ignore")
    yield text
    if len(text) == len(octets) and "\x00" not in text:
        return  # plain ASCII
    for encoding in ("utf-16-le", "utf-16-be", "cp949"):
        yield octets.decode(encoding, "ignore")


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


def _pair(entry: Entry) -> tuple[str, str] | None:
    """Return the type of a value and what to look for; ``None`` for one that is too short to tell from other text."""
    word = folded(entry.value).strip()
    counted = sum(char.isalnum() for char in word)
    fewest = 3 if _HANGUL.search(word) else _FEWEST_DIGITS if word.isdecimal() else _FEWEST
    return None if counted < fewest or entry.entity_type == LITERAL_TYPE else (entry.entity_type, word)
