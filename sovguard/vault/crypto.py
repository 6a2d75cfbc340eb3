"""Sealing with a passphrase: the only module that imports ``cryptography``.

Format, version 1: version (one byte, 1), salt (16), nonce (12), AES-256-GCM ciphertext with its 16-byte tag. The key
is scrypt(passphrase, salt, n = 2**17, r = 8, p = 1) as in RFC 7914, of the passphrase in Unicode form NFC as UTF-8;
everything before the ciphertext is authenticated with it. A wrong passphrase, a changed file and another version are
one and the same error.
"""

from __future__ import annotations

import os
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from sovguard.errors import InvalidRecord

_VERSION = b"\x01"
_SALT, _NONCE = 16, 12
_HEADER = len(_VERSION) + _SALT + _NONCE


def seal(plaintext: bytes, passphrase: str) -> bytes:
    """Return ``plaintext`` sealed under ``passphrase``; the same input twice gives two different results."""
    return _seal(plaintext, passphrase, os.urandom(_SALT), os.urandom(_NONCE))


def _seal(plaintext: bytes, passphrase: str, salt: bytes, nonce: bytes) -> bytes:
    header = _VERSION + salt + nonce
    return header + AESGCM(_key(passphrase, salt)).encrypt(nonce, plaintext, header)


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """Return what was sealed.

    Raises:
        InvalidRecord: The passphrase is wrong, or these are not bytes that ``seal`` of this version gave.
    """
    header = sealed[:_HEADER]
    salt, nonce = header[len(_VERSION) : -_NONCE], header[-_NONCE:]
    try:
        if len(header) < _HEADER or not header.startswith(_VERSION):
            raise InvalidTag
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, sealed[_HEADER:], header)
    except InvalidTag:
        raise InvalidRecord(
            "the mapping cannot be opened: the passphrase is wrong, or this is not the file that was written; "
            "try the passphrase again, then an unchanged copy of the file"
        ) from None


def _key(passphrase: str, salt: bytes) -> bytes:
    # macOS may hand over Hangul as separate Jamo where Windows composes it: one passphrase, one key.
    words = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return Scrypt(salt=salt, length=32, n=2**17, r=8, p=1).derive(words)
