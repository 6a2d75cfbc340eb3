"""Sealing with a passphrase: the only module that imports ``cryptography``.

Format, version 1: ``SVG1`` (4 bytes), salt (16), nonce (12), AES-256-GCM ciphertext with its 16-byte tag. The key is
scrypt(passphrase, salt, n = 2**15, r = 8, p = 1), as RFC 7914 describes it; everything before the ciphertext is
authenticated. A wrong passphrase and a changed file give one and the same error.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from sovguard.errors import InvalidRecord

_VERSION = b"SVG1"
_SALT, _NONCE = 16, 12


def seal(plaintext: bytes, passphrase: str) -> bytes:
    """Returns ``plaintext`` sealed under ``passphrase``; twice the same input gives two different results."""
    return _seal(plaintext, passphrase, os.urandom(_SALT), os.urandom(_NONCE))


def _seal(plaintext: bytes, passphrase: str, salt: bytes, nonce: bytes) -> bytes:
    header = _VERSION + salt + nonce
    return header + AESGCM(_key(passphrase, salt)).encrypt(nonce, plaintext, header)


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """Returns what was sealed.

    Raises:
        InvalidRecord: The passphrase is wrong, or the file is not what ``seal`` wrote.
    """
    size = len(_VERSION) + _SALT + _NONCE
    header, salt = sealed[:size], sealed[len(_VERSION) : len(_VERSION) + _SALT]
    try:
        if len(header) < size or not header.startswith(_VERSION):
            raise InvalidTag
        return AESGCM(_key(passphrase, salt)).decrypt(header[-_NONCE:], sealed[size:], header)
    except InvalidTag:
        raise InvalidRecord(
            "the mapping file cannot be opened: the passphrase is wrong or the file was changed"
        ) from None


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode("utf-8", "surrogatepass"))
