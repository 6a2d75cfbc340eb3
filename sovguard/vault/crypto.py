"""Sealing, wrapping and deriving keys: the only module of the vault that imports ``cryptography``.

Formats that are written down are in docs/vault-format.md. Whatever is wrong with something sealed (another key, another place,
a changed byte, another version) is one and the same ``InvalidRecord``.
"""

from __future__ import annotations

import hmac
import os
import unicodedata
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from sovguard.errors import InvalidRecord

KEY = 32
"""Octets of every key but that of AES-SIV, which has 64."""
_VERSION = b"\x01"
_SALT, _NONCE = 16, 12
_HEADER = len(_VERSION) + _SALT + _NONCE
GCM_SIV, GCM = 1, 2
"""Suites: AES-256-GCM-SIV (RFC 8452) and AES-256-GCM with random nonces (NIST SP 800-38D)."""


def _default_suite() -> int:
    try:
        AESGCMSIV(bytes(KEY))
    except UnsupportedAlgorithm:  # OpenSSL before 3.2
        return GCM
    return GCM_SIV


SUITE = _default_suite()
"""The suite that new records are sealed with."""


def new_key(length: int = KEY) -> bytes:
    """Return a random key."""
    return os.urandom(length)


class Sealer:
    """Seals and opens under one key; may be shared by threads.

    Args:
        key: 32 octets.
    """

    __slots__ = ("_ciphers", "_key")

    def __init__(self, key: bytes) -> None:
        self._key = key
        # Making one takes longer than sealing a record with it.
        self._ciphers: dict[int, AESGCM | AESGCMSIV] = {}

    def __repr__(self) -> str:
        return "Sealer()"

    def seal(self, plaintext: bytes, associated: bytes, *, suite: int = SUITE) -> bytes:
        """Return ``plaintext`` sealed: version, suite, nonce, ciphertext with its 16-byte tag.

        Args:
            plaintext: What to seal.
            associated: What it belongs to; opening it anywhere else fails.
            suite: Which cipher.
        """
        head = _VERSION + bytes([suite])
        nonce = os.urandom(_NONCE)
        return head + nonce + self._cipher(suite).encrypt(nonce, plaintext, head + associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            InvalidRecord: Anything is wrong with it.
        """
        head, nonce, body = sealed[:2], sealed[2 : 2 + _NONCE], sealed[2 + _NONCE :]
        try:
            if head[:1] != _VERSION or head[1:] not in (bytes([GCM_SIV]), bytes([GCM])):
                raise InvalidTag
            return self._cipher(head[1]).decrypt(nonce, body, head + associated)
        except (InvalidTag, ValueError):
            raise invalid() from None

    def _cipher(self, suite: int) -> AESGCM | AESGCMSIV:
        cipher = self._ciphers.get(suite)
        if cipher is None:
            cipher = self._ciphers[suite] = AESGCMSIV(self._key) if suite == GCM_SIV else AESGCM(self._key)
        return cipher


def invalid() -> InvalidRecord:
    """Return the one error for anything that is wrong with a record."""
    return InvalidRecord(
        "a record of the vault cannot be opened: it was changed, it belongs to another place, or another key or version "
        "sealed it; restore the vault's files from a backup, or use the keyring they were written with"
    )


def open_gcm_siv(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    """Return what AES-GCM-SIV sealed, or ``None`` if it does not open; the primitive, for vectors."""
    try:
        return AESGCMSIV(key).decrypt(nonce, sealed, associated)
    except (InvalidTag, ValueError):
        return None


def seal_gcm_siv(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Return ``plaintext`` as AES-GCM-SIV seals it; the primitive, for vectors."""
    return AESGCMSIV(key).encrypt(nonce, plaintext, associated)


def derive(key: bytes, info: bytes, *, salt: bytes = b"", length: int = KEY) -> bytes:
    """Return a key derived from another for one purpose: HKDF with SHA-256 (RFC 5869)."""
    return HKDF(SHA256(), length, salt or None, info).derive(key)


def tag(key: bytes, *parts: bytes) -> bytes:
    """Return HMAC-SHA-256 of ``parts``, each with its length before it, so that no two lists of parts are alike."""
    return hmac.digest(key, b"".join(len(part).to_bytes(4, "big") + part for part in parts), "sha256")


def wrap(key: bytes, secret: bytes) -> bytes:
    """Return ``secret`` (a key) wrapped under ``key``: AES Key Wrap (RFC 3394)."""
    return aes_key_wrap(key, secret)


def unwrap(key: bytes, wrapped: bytes) -> bytes:
    """Return the key that was wrapped.

    Raises:
        InvalidRecord: Another key wrapped it, or it was changed.
    """
    try:
        return aes_key_unwrap(key, wrapped)
    except (InvalidUnwrap, ValueError):
        raise invalid() from None


class SivSealer:
    """Seals and opens with AES-SIV (RFC 5297) under one key; may be shared by threads.

    Args:
        key: 64 octets.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        # Making one takes longer than sealing a value with it.
        self._cipher = AESSIV(key)

    def __repr__(self) -> str:
        return "SivSealer()"

    def seal(self, plaintext: bytes, associated: list[bytes]) -> bytes:
        """Return ``plaintext`` sealed: always the same for the same text and ``associated``."""
        return self._cipher.encrypt(plaintext, associated)

    def open(self, sealed: bytes, associated: list[bytes]) -> bytes:
        """Return what was sealed.

        Raises:
            InvalidRecord: Anything is wrong with it.
        """
        try:
            return self._cipher.decrypt(sealed, associated)
        except (InvalidTag, ValueError):
            raise invalid() from None


def siv_seal(key: bytes, plaintext: bytes, associated: Sequence[bytes]) -> bytes:
    """Return ``plaintext`` as AES-SIV (RFC 5297) seals it; the primitive, for vectors."""
    return SivSealer(key).seal(plaintext, list(associated))


def siv_unseal(key: bytes, sealed: bytes, associated: Sequence[bytes]) -> bytes:
    """Return what AES-SIV sealed.

    Raises:
        InvalidRecord: Anything is wrong with it.
    """
    return SivSealer(key).open(sealed, list(associated))


def seal_with_passphrase(plaintext: bytes, passphrase: str) -> bytes:
    """Return ``plaintext`` sealed under ``passphrase``; the same input twice gives two different results.

    Version (one byte, 1), salt (16), nonce (12), AES-256-GCM ciphertext with its tag; the key is scrypt(passphrase, salt,
    n = 2**17, r = 8, p = 1) as in RFC 7914, of the passphrase in Unicode form NFC as UTF-8.
    """
    return _seal_with_passphrase(plaintext, passphrase, os.urandom(_SALT), os.urandom(_NONCE))


def _seal_with_passphrase(plaintext: bytes, passphrase: str, salt: bytes, nonce: bytes) -> bytes:
    header = _VERSION + salt + nonce
    return header + AESGCM(_stretched(passphrase, salt)).encrypt(nonce, plaintext, header)


def unseal_with_passphrase(sealed: bytes, passphrase: str) -> bytes:
    """Return what was sealed.

    Raises:
        InvalidRecord: The passphrase is wrong, or these are not bytes that ``seal_with_passphrase`` of this version gave.
    """
    header = sealed[:_HEADER]
    salt, nonce = header[len(_VERSION) : -_NONCE], header[-_NONCE:]
    try:
        if len(header) < _HEADER or not header.startswith(_VERSION):
            raise InvalidTag
        return AESGCM(_stretched(passphrase, salt)).decrypt(nonce, sealed[_HEADER:], header)
    except InvalidTag:
        raise InvalidRecord(
            "the mapping cannot be opened: the passphrase is wrong, or this is not the file that was written; "
            "try the passphrase again, then an unchanged copy of the file"
        ) from None


def _stretched(passphrase: str, salt: bytes) -> bytes:
    # macOS may hand over Hangul as separate Jamo where Windows composes it: one passphrase, one key.
    words = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return Scrypt(salt=salt, length=KEY, n=2**17, r=8, p=1).derive(words)
