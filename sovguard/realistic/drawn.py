"""What is drawn for one value under a key, and orders under a key: the same each time, and of no use without it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

from sovguard.vault.crypto import tag

DATA: dict[str, dict[str, Any]] = tomllib.loads(
    (files("sovguard.realistic") / "made_up.toml").read_text("utf-8")
)
_PURPOSE = b"sovguard realistic"


class Drawn:
    """Draws for one value.

    Args:
        key: 32 octets.
        kind: What the value is.
        value: The value.
    """

    def __init__(self, key: bytes, kind: str, value: str) -> None:
        self._parts = (key, _PURPOSE, kind.encode(), value.encode("utf-8", "surrogatepass"))
        self._number = int.from_bytes(tag(*self._parts), "big")

    def __repr__(self) -> str:
        return "Drawn()"

    def below(self, count: int) -> int:
        """Return the next number below ``count``."""
        self._number, drawn = divmod(self._number, count)
        if self._number < 1 << 32:
            more = tag(*self._parts, self._number.to_bytes(8, "big"))
            self._number = int.from_bytes(more, "big")
        return drawn

    def of(self, some: Sequence[str]) -> str:
        """Return one of some."""
        return some[self.below(len(some))]

    def digits(self, count: int) -> str:
        """Return some digits."""
        return "".join(str(self.below(10)) for _ in range(count))


class Ring:
    """Words, each of which becomes another one of them: no two become the same, and none stays what it is.

    Args:
        key: 32 octets.
        kind: What the words are.
        words: The words, at least two.
    """

    def __init__(self, key: bytes, kind: str, words: Iterable[str]) -> None:
        self._key, self._kind = key, kind
        self._words = sorted(
            set(words), key=lambda word: tag(key, _PURPOSE, b"ring", kind.encode(), word.encode())
        )
        self._next = dict(zip(self._words, (*self._words[1:], self._words[0]), strict=True))

    def __repr__(self) -> str:
        return f"Ring({self._kind!r} of {len(self._words)})"

    def made(self, word: str) -> str:
        """Return what a word becomes; one that is none of the words becomes one that is drawn for it, as others may."""
        known = self._next.get(word)
        return Drawn(self._key, self._kind, word).of(self._words) if known is None else known
