"""The surrogate grammar: mint ``PERSON-K7QM001R``, check one, take one apart.

Between detection and the vault. A surrogate is ``WORD-NNNNSSSC``: the word of its entity type, the random
namespace of its session, a sequence number and a keyed check character (docs/surrogates.md is the
specification; ``spellings`` finds them in a text). Nothing here holds or derives from a value, and nothing here
decides what a surrogate stands for: the vault does.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
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
        if mixed(drawn):
            return drawn


def new_key() -> bytes:
    """Return a random check key for a new session."""
    return secrets.token_bytes(KEY_LENGTH)


def mixed(text: str) -> bool:
    """Tell whether ``text`` holds a letter and a digit, as every namespace and so every body does."""
    return any(char in _DIGITS for char in text) and any(char in _LETTERS for char in text)
