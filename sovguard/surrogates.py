"""The surrogate grammar: mint ``PERSON-K7QM001R``, check one, find everything in a text that reads as one.

Between detection and the vault. A surrogate is ``WORD-NNNNSSSC``: the word of its entity type, the random
namespace of its session, a sequence number and a keyed check character (docs/surrogates.md is the
specification). Nothing here holds or derives from a value, and nothing here decides what a surrogate stands
for: the vault does.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sovguard.entities import ENTITY_TYPES

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: digits and capitals without I, L, O and U."""

NAMESPACE_LENGTH = 4
SEQUENCE_LENGTH = 3
BODY_LENGTH = NAMESPACE_LENGTH + SEQUENCE_LENGTH + 1
NUMBERS_PER_NAMESPACE = len(ALPHABET) ** SEQUENCE_LENGTH
FORMS = len(ALPHABET)
"""Numbers of a block. A person has one: its surrogates differ in the last symbol of the sequence, the form mark."""
MIN_WORD, MAX_WORD = 2, 16
KEY_LENGTH = 32

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"
_ASCII_WORD = frozenset(_LETTERS + _LETTERS.lower() + _DIGITS)


def _full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) for char in text)


# Only these four spellings of a character are folded: str.upper() would also turn ſ into S and ı into I.
_FOLD = {
    spelling: char
    for char in _LETTERS + _DIGITS
    for spelling in (char, char.lower(), _full_width(char), _full_width(char.lower()))
}
_FOLD_LETTER = {spelling: char for spelling, char in _FOLD.items() if char in _LETTERS}

DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"
SPACES = " \u00a0\u2009\u202f\u3000"
# Default-ignorable code points of Unicode 15 (DerivedCoreProperties): what a model or a chat window slips in
# unseen.
_IGNORABLE_RANGES = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
_IGNORABLE_CLASS = "".join(f"{chr(low)}-{chr(high)}" for low, high in _IGNORABLE_RANGES)
_IGNORABLE = frozenset(chr(point) for low, high in _IGNORABLE_RANGES for point in range(low, high + 1))
_WORD_BACKWARDS = re.compile(f"[A-Z]{{1,{MAX_WORD}}}")
_BODY_CLASS = "".join(spelling for spelling, char in _FOLD.items() if char in ALPHABET)
# A body holds no dash, so every dash of a text is tried once and bodies of two dashes never overlap: linear.
_BODY = re.compile(
    f"[{re.escape(DASHES)}]"
    f"(?:([{ALPHABET}]{{{BODY_LENGTH}}})"
    f"|[{SPACES}]?((?:[{_IGNORABLE_CLASS}]?[{_BODY_CLASS}]){{{BODY_LENGTH}}}))"
)


@dataclass(slots=True)
class Candidate:
    """A place in a text that has the shape of a surrogate, in any accepted spelling; it need not be one.

    Not frozen because freezing triples what making one costs, and a long text can hold many.

    Attributes:
        dash: Offset of the dash.
        end: Offset after the last character.
        body: The eight characters after the dash, in canonical spelling.
        letters: The run of letters before the dash, canonical, at most the length of the longest word.
        starts: Offset of each of those letters.
        exact: Whether everything from the first of those letters on is spelled canonically.
    """

    dash: int
    end: int
    body: str
    letters: str
    starts: Sequence[int]
    exact: bool

    @property
    def namespace(self) -> str:
        """The four characters that say which session it would belong to."""
        return self.body[:NAMESPACE_LENGTH]

    def words(self, known: Collection[str]) -> list[str]:
        """Return the known words that stand directly before the dash, longest first."""
        letters = self.letters
        suffixes = (letters[index:] for index in range(len(letters) - MIN_WORD + 1))
        return [word for word in suffixes if word in known]

    def start(self, word: str | None = None) -> int:
        """Return the offset where ``word`` begins, or where the whole run of letters does."""
        return self.starts[0] if word is None else self.starts[-len(word)]


@lru_cache(maxsize=1024)
def word_for(entity_type: str) -> str:
    """Return the word that surrogates of ``entity_type`` begin with: 2 to 16 letters A-Z, always the same.

    A type without a word of its own gets the ASCII letters of its name; a name with fewer than two of them
    (환자번호) gets letters drawn from a hash of the name, which is a setting and not a value.
    """
    known = ENTITY_TYPES.get(entity_type)
    if known is not None:
        return known.word
    letters = "".join(char for char in entity_type if char in _LETTERS or char in _LETTERS.lower()).upper()
    if len(letters) < MIN_WORD:
        digest = hashlib.sha256(entity_type.encode("utf-8", "surrogatepass")).digest()
        letters = "TYPE" + "".join(_LETTERS[octet % len(_LETTERS)] for octet in digest[:4])
    return letters[:MAX_WORD]


def check_character(key: bytes, stem: str) -> str:
    """Return the check character of ``stem``, a surrogate without its last character.

    Args:
        key: The session's check key.
        stem: ``WORD-NNNNSSS``.
    """
    return ALPHABET[hmac.digest(key, stem.encode("ascii"), "sha256")[0] & 31]


def mint(key: bytes, word: str, namespace: str, number: int) -> str:
    """Return the surrogate of ``word`` with the given number in ``namespace``."""
    sequence = ALPHABET[number >> 10] + ALPHABET[number >> 5 & 31] + ALPHABET[number & 31]
    stem = f"{word}-{namespace}{sequence}"
    return stem + check_character(key, stem)


def verifies(key: bytes, surrogate: str) -> bool:
    """Tell whether the check character of a canonical ``surrogate`` is the one its session's key gives."""
    return check_character(key, surrogate[:-1]) == surrogate[-1]


def namespace_of(surrogate: str) -> str:
    """Return the namespace of a canonical ``surrogate``."""
    return surrogate[-BODY_LENGTH : NAMESPACE_LENGTH - BODY_LENGTH]


def new_namespace() -> str:
    """Return a random namespace, with a letter and a digit so that it is neither a word nor a number."""
    while True:
        drawn = "".join(ALPHABET[octet & 31] for octet in secrets.token_bytes(NAMESPACE_LENGTH))
        if _mixed(drawn):
            return drawn


def new_key() -> bytes:
    """Return a random check key for a new session."""
    return secrets.token_bytes(KEY_LENGTH)


def find(text: str, namespaces: Collection[str] | None = None) -> list[Candidate]:
    """Return every place in ``text`` that has the shape of a surrogate, from left to right.

    The one scan that both redaction and restoring use, so that what one finds the other finds. Words may
    reach into the body of the candidate before; the caller, who knows which of them resolve, takes the
    leftmost.

    Args:
        text: Any text.
        namespaces: Only candidates of these namespaces; ``None`` for all.
    """
    found: list[Candidate] = []
    for match in _BODY.finditer(text):
        body, changed = match.group(1, 2)
        if changed is not None:
            body = "".join(_FOLD[char] for char in changed if char in _FOLD)
        if namespaces is not None and body[:NAMESPACE_LENGTH] not in namespaces:
            continue
        dash, end = match.span()
        letters, starts = _letters_before(text, dash)
        if len(letters) >= MIN_WORD:
            exact = changed is None and text[starts[0] : dash + 1] == letters + "-"
            found.append(Candidate(dash, end, body, letters, starts, exact))
    return found


def count_bodies(text: str, namespaces: Collection[str]) -> int:
    """Return how many bodies of ``namespaces`` stand after a dash: at least as many as ``find`` gives, for less."""
    count = 0
    for body, changed in _BODY.findall(text):
        canonical = body or "".join(_FOLD[char] for char in changed if char in _FOLD)
        count += canonical[:NAMESPACE_LENGTH] in namespaces
    return count


def stands_alone(text: str, candidate: Candidate, word: str) -> bool:
    """Tell whether ``candidate`` is a canonical surrogate with ``word`` and not part of a longer code.

    What a surrogate of some other session must look like to be reported; order numbers such as
    ``ID-2024ABCD99`` do not.
    """
    start, end = candidate.start(word), candidate.end
    return (
        candidate.exact
        and _mixed(candidate.body)
        and (start == 0 or text[start - 1] not in _ASCII_WORD)
        and (end == len(text) or text[end] not in _ASCII_WORD)
    )


def _mixed(text: str) -> bool:
    return any(char in _DIGITS for char in text) and any(char in _LETTERS for char in text)


def _letters_before(text: str, dash: int) -> tuple[str, Sequence[int]]:
    """Return the letters that stand before ``dash``, canonical, and the offset of each."""
    plain = _WORD_BACKWARDS.match(text[max(dash - MAX_WORD, 0) : dash][::-1])
    if plain:
        start = dash - plain.end()
        before = text[start - 1] if start else " "
        if plain.end() == MAX_WORD or (before not in _FOLD_LETTER and before not in _IGNORABLE):
            return text[start:dash], range(start, dash)
    index = dash
    if index and text[index - 1] == "\\":
        index -= 1
    if index and (text[index - 1] in SPACES or text[index - 1] in _IGNORABLE):
        index -= 1
    starts: list[int] = []
    while index and len(starts) < MAX_WORD:
        if text[index - 1] not in _FOLD_LETTER:
            between = starts and index > 1 and text[index - 2] in _FOLD_LETTER
            if not (between and text[index - 1] in _IGNORABLE):
                break
            index -= 1
        index -= 1
        starts.append(index)
    starts.reverse()
    return "".join([_FOLD[text[index]] for index in starts]), starts
