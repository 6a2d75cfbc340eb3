"""Surrogates that hold their values: for pipelines, whose workers share a key and nothing else.

``PHONE~1…``: the value itself, sealed with AES-SIV (RFC 5297) and written in Crockford's base 32. The same value in the same
scope is always the same surrogate, in any process, so that columns still join; whoever has the key restores it, and nobody
else learns more than which values are equal and their class of length. docs/vaultless.md is the specification.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from sovguard.entities import LITERAL_TYPE, Detection
from sovguard.errors import ConfigError, InputError, InvalidRecord
from sovguard.restore.text import Restoration
from sovguard.surrogates import ALPHABET, MAX_WORD, MIN_WORD, word_for
from sovguard.text import Change, changed
from sovguard.vault.crypto import SivSealer
from sovguard.vault.store import Kind

KEY_LENGTH = 64
"""Octets of a key: AES-256-SIV has two keys of 32."""
VERSION = "1"
MARK = f"~{VERSION}"
"""What every surrogate holds."""
_SIV = 16
_CHECK = 2
_KINDS: tuple[Kind, ...] = ("str", "int", "float")
_SHORT = -(-(_SIV + 16) * 8 // 5)
"""Symbols of the shortest payload."""
_TOUCHING = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_PATTERN = re.compile(
    f"(?<![A-Za-z0-9])([A-Z]{{{MIN_WORD},{MAX_WORD}}})~{VERSION}([{ALPHABET}]{{{_SHORT + _CHECK},}})(?![A-Za-z0-9])"
)
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_VALUES = {symbol: number for number, symbol in enumerate(ALPHABET)}


@dataclass(frozen=True, slots=True)
class Scope:
    """Within what equal values have equal surrogates.

    Attributes:
        tenant: Whose data it is.
        dataset: One dataset, whose columns join with each other and with nothing else.
        join_group: A group of datasets that join.
    """

    tenant: str
    dataset: str = ""
    join_group: str = ""

    def __post_init__(self) -> None:
        if not self.tenant or bool(self.dataset) == bool(self.join_group):
            raise ConfigError(
                "a scope needs a tenant, and either a dataset or a join_group: without one, values of everywhere would join"
            )

    def parts(self) -> list[bytes]:
        """Return what is authenticated with every value of the scope."""
        kind, name = ("dataset", self.dataset) if self.dataset else ("join_group", self.join_group)
        return [part.encode("utf-8", "surrogatepass") for part in (self.tenant, kind, name)]


class Vaultless:
    """Mints and opens surrogates that hold their values.

    Args:
        key: 64 random octets; ``Vaultless.new_key()`` gives some. It never goes into a closure, a log or a repr.
        scope: Within what equal values have equal surrogates.

    Raises:
        ConfigError: The key has another length.
    """

    def __init__(self, key: bytes, scope: Scope) -> None:
        if not isinstance(key, bytes) or len(key) != KEY_LENGTH:
            raise ConfigError(
                f"a key of vaultless surrogates has {KEY_LENGTH} octets; make one with Vaultless.new_key()"
            )
        if not isinstance(scope, Scope):
            raise ConfigError("vaultless surrogates need a Scope: a tenant, and a dataset or join_group")
        self._key, self.scope = key, scope
        self._sealer = SivSealer(key)
        self._scoped = [b"sovguard vaultless", VERSION.encode(), *scope.parts()]

    def __repr__(self) -> str:
        return "Vaultless()"

    def __reduce__(self) -> tuple[type[Vaultless], tuple[bytes, Scope]]:
        return Vaultless, (self._key, self.scope)

    @staticmethod
    def new_key() -> bytes:
        """Return a random key."""
        from sovguard.vault.crypto import new_key

        return new_key(KEY_LENGTH)

    def within(self, scope: Scope) -> Vaultless:
        """Return the same key in another scope.

        Raises:
            ConfigError: It is none.
        """
        return Vaultless(self._key, scope)

    def surrogate(self, value: str, entity_type: str, kind: Kind = "str") -> str:
        """Return the surrogate of a value, the same each time.

        Args:
            value: The value; of a number, its digits.
            entity_type: What it is.
            kind: What it was where it was found.
        """
        word = word_for(entity_type)
        plain = bytes([_KINDS.index(kind)]) + value.encode("utf-8", "surrogatepass")
        payload = _written(self._sealer.seal(_padded(plain), self._associated(word)))
        stem = f"{word}~{VERSION}{payload}"
        return stem + _check(stem)

    def open(self, surrogate: str) -> str:
        """Return the value of a surrogate.

        Raises:
            InvalidRecord: It is none, was changed, or belongs to another key or scope.
        """
        match = _PATTERN.fullmatch(surrogate)
        value = None if match is None else self._value(match)
        if value is None:
            raise InvalidRecord("this is no surrogate of this key and scope; use those that it was made with")
        return value[0]

    def opened(self, surrogate: str) -> tuple[str, Kind] | None:
        """Return the value of a text that is one surrogate, and what it was where it was found; ``None`` if it is none."""
        match = _PATTERN.fullmatch(surrogate)
        return None if match is None else self._value(match)

    def redact(self, text: str, detections: Iterable[Detection]) -> str:
        """Return ``text`` with surrogates in place of what was detected; ``restore`` gives it back to the character.

        Args:
            text: Any text.
            detections: What ``Guard.scan`` found in it, in order.
        """
        return changed(text, self.changes(text, detections))

    def changes(self, text: str, detections: Iterable[Detection]) -> list[Change]:
        """Return what ``redact`` changes in ``text``, in order; a surrogate may take in what touches what was detected."""
        spans = [(hit.start, hit.end, hit.entity_type) for hit in detections]
        # What already reads as a surrogate of this scope would be opened on the way back: it is covered like a value.
        if MARK in text:
            spans += [
                (*match.span(), LITERAL_TYPE)
                for match in _PATTERN.finditer(text)
                if self._value(match) is not None
            ]
        if not spans:
            return []
        return [
            Change(start, end, self.surrogate(text[start:end], name))
            for start, end, name in _united([_widened(text, *span) for span in spans])
        ]

    def restore(self, text: str) -> Restoration:
        """Return ``text`` with values in place of the surrogates of this key and scope."""
        changes, left = self.openings(text)
        return Restoration(changed(text, changes), left)

    def openings(self, text: str) -> tuple[list[Change], list[str]]:
        """Return what ``restore`` changes in ``text``, in order, and what looks like a surrogate and cannot be opened."""
        changes: list[Change] = []
        left: dict[str, None] = {}
        for match in _PATTERN.finditer(text):
            value = self._value(match)
            if value is None:
                left[match[0]] = None
            else:
                changes.append(Change(*match.span(), value[0]))
        return changes, list(left)

    def _value(self, match: re.Match[str]) -> tuple[str, Kind] | None:
        stem, payload = match[0][:-_CHECK], match[2][:-_CHECK]
        if _check(stem) != match[2][-_CHECK:]:
            return None
        sealed = _read(payload)
        if sealed is None:
            return None
        try:
            plain = _unpadded(self._sealer.open(sealed, self._associated(match[1])))
            return plain[1:].decode("utf-8", "surrogatepass"), _KINDS[plain[0]]
        except (InvalidRecord, IndexError, UnicodeDecodeError):
            return None

    def _associated(self, word: str) -> list[bytes]:
        return [*self._scoped, word.encode()]


def _widened(text: str, start: int, end: int, name: str) -> tuple[int, int, str]:
    """Return a stretch with the letters and digits that touch it: they would hide its surrogate."""
    while start and text[start - 1] in _TOUCHING:
        start -= 1
    while end < len(text) and text[end] in _TOUCHING:
        end += 1
    return start, end, name


def _united(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    united: list[tuple[int, int, str]] = []
    for start, end, name in sorted(spans, key=lambda span: (span[0], -span[1])):
        if united and start <= united[-1][1]:
            first, last, kept = united[-1]
            united[-1] = (first, max(last, end), name if kept == LITERAL_TYPE else kept)
        else:
            united.append((start, end, name))
    return united


def _padded(plain: bytes) -> bytes:
    """Return ``plain`` with 80 and zeros behind it, to a length that many values have: steps of 16, from 64 on of 64."""
    step = 16 if len(plain) < 64 else 64
    return plain + b"\x80" + bytes(-(len(plain) + 1) % step)


def _unpadded(padded: bytes) -> bytes:
    plain = padded.rstrip(b"\0")
    if not plain.endswith(b"\x80"):
        raise IndexError
    return plain[:-1]


def _written(octets: bytes) -> str:
    bits, count = int.from_bytes(octets, "big"), -(-len(octets) * 8 // 5)
    bits <<= count * 5 - len(octets) * 8
    pairs, odd = divmod(count, 2)
    if odd:
        return _written_pairs(bits >> 5, pairs) + ALPHABET[bits & 31]
    return _written_pairs(bits, pairs)


def _written_pairs(bits: int, count: int) -> str:
    return "".join([_PAIRS[bits >> place & 1023] for place in range(10 * count - 10, -1, -10)])


def _read(symbols: str) -> bytes | None:
    spare = len(symbols) * 5 % 8
    bits = 0
    for symbol in symbols:
        bits = bits << 5 | _VALUES[symbol]
    if spare > 4 or bits & ((1 << spare) - 1):
        return None  # another spelling of the same octets
    return (bits >> spare).to_bytes(len(symbols) * 5 // 8, "big")


def _check(stem: str) -> str:
    digest = hashlib.sha256(stem.encode()).digest()
    return ALPHABET[digest[0] & 31] + ALPHABET[digest[1] & 31]


def number(text: str, kind: Kind) -> str | int | float:
    """Return a value as what it was where it was found.

    Raises:
        InputError: It is no number, though it was one.
    """
    try:
        return text if kind == "str" else int(text) if kind == "int" else float(text)
    except ValueError:
        raise InputError(
            "a value that was a number is none; the surrogate was made by something else"
        ) from None
