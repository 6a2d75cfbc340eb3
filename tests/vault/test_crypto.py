from __future__ import annotations

import hashlib
import unicodedata

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sovguard import InvalidRecord
from sovguard.vault.crypto import seal_with_passphrase as seal
from sovguard.vault.crypto import unseal_with_passphrase as unseal

PLAIN = "홍길동, 010-0000-1234".encode()
SEALED = seal(PLAIN, "열쇠말")
HEADER = 1 + 16 + 12
WRONG = (
    "the mapping cannot be opened: the passphrase is wrong, or this is not the file that was written; "
    "try the passphrase again, then an unchanged copy of the file"
)


def test_a_wrong_passphrase_opens_nothing() -> None:
    """Another passphrase, be it the same with a space or empty, is an error."""
    for other in ("열쇠말 ", ""):
        with pytest.raises(InvalidRecord) as wrong:
            unseal(SEALED, other)
        assert str(wrong.value) == WRONG


def test_what_was_sealed_opens_with_its_passphrase() -> None:
    """Sealing is undone by the same passphrase, and never gives the same bytes twice."""
    again = seal(PLAIN, "열쇠말")
    assert unseal(SEALED, "열쇠말") == PLAIN
    assert again != SEALED
    assert again[1:HEADER] != SEALED[1:HEADER]
    assert PLAIN not in SEALED


def test_the_format_is_the_one_that_is_written_down() -> None:
    """Version, salt, nonce and ciphertext stand where docs/cli.md says, under the key it says."""
    salt, nonce = SEALED[1:17], SEALED[17:HEADER]
    assert SEALED[0] == 1
    key = hashlib.scrypt("열쇠말".encode(), salt=salt, n=2**17, r=8, p=1, maxmem=2**28, dklen=32)
    assert AESGCM(key).decrypt(nonce, SEALED[HEADER:], SEALED[:HEADER]) == PLAIN


def test_a_passphrase_is_the_same_however_its_hangul_is_composed() -> None:
    """A passphrase typed as separate Jamo opens what was sealed under composed syllables."""
    assert unseal(SEALED, unicodedata.normalize("NFD", "열쇠말")) == PLAIN


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(b"\x02" + SEALED[1:], id="version"),
        pytest.param(SEALED[:1] + bytes([SEALED[1] ^ 1]) + SEALED[2:], id="salt"),
        pytest.param(SEALED[:17] + bytes([SEALED[17] ^ 1]) + SEALED[18:], id="nonce"),
        pytest.param(SEALED[:HEADER] + bytes([SEALED[HEADER] ^ 1]) + SEALED[HEADER + 1 :], id="ciphertext"),
        pytest.param(SEALED[:-1] + bytes([SEALED[-1] ^ 1]), id="tag"),
        pytest.param(SEALED[:-1], id="short"),
        pytest.param(SEALED[:HEADER], id="header only"),
        pytest.param(SEALED[:3], id="stump"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_anything_wrong_is_one_error(changed: bytes) -> None:
    """Every change is the same error as a wrong passphrase, with the same message and no cause."""
    with pytest.raises(InvalidRecord) as tampered:
        unseal(changed, "열쇠말")
    assert str(tampered.value) == WRONG
    assert tampered.value.__cause__ is None
