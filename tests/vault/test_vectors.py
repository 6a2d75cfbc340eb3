"""Published vectors through our own functions: RFC 5297 and 8452, and Wycheproof where its files lie beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sovguard.errors import InvalidRecord
from sovguard.vault.crypto import derive, open_gcm_siv, seal_gcm_siv, siv_seal, siv_unseal, unwrap, wrap

FOLDER = Path(__file__).parents[3] / "shared/data/vectors"
h = bytes.fromhex

SIV = [  # RFC 5297, appendix A
    (
        "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        ["101112131415161718191a1b1c1d1e1f2021222324252627"],
        "112233445566778899aabbccddee",
        "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c",
    ),
    (
        "7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f",
        [
            "00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100",
            "102030405060708090a0",
            "09f911029d74e35bd84156c5635688c0",
        ],
        "7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d414553",
        "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c"
        "485b62a3fd5c0d",
    ),
]


@pytest.mark.parametrize(("key", "associated", "plain", "sealed"), SIV)
def test_aes_siv_of_rfc_5297(key: str, associated: list[str], plain: str, sealed: str) -> None:
    """Both of its examples, in both directions."""
    given = [h(each) for each in associated]
    assert siv_seal(h(key), h(plain), given) == h(sealed)
    assert siv_unseal(h(key), h(sealed), given) == h(plain)


def test_aes_gcm_siv_of_rfc_8452() -> None:
    """The first of its AES-256 examples with a text, appendix C.2."""
    key, nonce = h("01" + "00" * 31), h("03" + "00" * 11)
    assert seal_gcm_siv(key, nonce, h("01" + "00" * 7), b"") == h(
        "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"
    )


def test_key_wrap_of_rfc_3394() -> None:
    """Section 4.6: 256 bits of key data with a 256-bit key."""
    key = bytes(range(32))
    secret = h("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")
    wrapped = h("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21")
    assert wrap(key, secret) == wrapped
    assert unwrap(key, wrapped) == secret


def test_hkdf_of_rfc_5869() -> None:
    """Appendix A.1."""
    okm = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    assert derive(b"\x0b" * 22, h("f0f1f2f3f4f5f6f7f8f9"), salt=bytes(range(13)), length=42) == h(okm)


def cases(name: str) -> list[Any]:
    """The tests of a Wycheproof file with their groups; none where the file is not there."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        return []
    groups = json.loads(path.read_text("utf-8"))["testGroups"]
    return [(group, test) for group in groups for test in group["tests"]]


needs_files = pytest.mark.skipif(
    not FOLDER.exists(), reason="the files of Wycheproof are not beside the checkout"
)


@needs_files
def test_wycheproof_aes_siv() -> None:
    """Valid ones seal and open, invalid ones do not open."""
    tried = 0
    for _, test in cases("aes_siv_cmac_test"):
        key, plain, sealed, given = h(test["key"]), h(test["msg"]), h(test["ct"]), [h(test["aad"])]
        tried += 1
        if test["result"] == "valid":
            assert siv_seal(key, plain, given) == sealed
            assert siv_unseal(key, sealed, given) == plain
        else:
            with pytest.raises(InvalidRecord):
                siv_unseal(key, sealed, given)
    for _, test in cases("aead_aes_siv_cmac_test"):
        key, plain, given = h(test["key"]), h(test["msg"]), [h(test["aad"]), h(test["iv"])]
        sealed = h(test["tag"]) + h(test["ct"])
        tried += 1
        if test["result"] == "valid":
            assert siv_seal(key, plain, given) == sealed
            assert siv_unseal(key, sealed, given) == plain
        else:
            with pytest.raises(InvalidRecord):
                siv_unseal(key, sealed, given)
    assert tried > 1000


@needs_files
def test_wycheproof_aes_gcm_siv() -> None:
    """Valid ones seal and open, invalid ones do not open."""
    for group, test in cases("aes_gcm_siv_test"):
        key, nonce, given = h(test["key"]), h(test["iv"]), h(test["aad"])
        sealed = h(test["ct"]) + h(test["tag"])
        assert group["ivSize"] == 96 or test["result"] == "invalid"
        if test["result"] == "valid":
            assert seal_gcm_siv(key, nonce, h(test["msg"]), given) == sealed
            assert open_gcm_siv(key, nonce, sealed, given) == h(test["msg"])
        else:
            assert open_gcm_siv(key, nonce, sealed, given) is None


@needs_files
def test_wycheproof_hkdf() -> None:
    """Every valid length gives its key, every other is an error."""
    for _, test in cases("hkdf_sha256_test"):
        given = {"salt": h(test["salt"]), "length": test["size"]}
        if test["result"] == "valid":
            assert derive(h(test["ikm"]), h(test["info"]), **given) == h(test["okm"])
        else:
            with pytest.raises(ValueError, match=r"."):
                derive(h(test["ikm"]), h(test["info"]), **given)


@needs_files
def test_wycheproof_key_wrap() -> None:
    """What is valid wraps and unwraps; what was changed does not."""
    for _, test in cases("aes_wrap_test"):
        key, secret, wrapped = h(test["key"]), h(test["msg"]), h(test["ct"])
        if test["result"] == "valid":
            assert wrap(key, secret) == wrapped
            assert unwrap(key, wrapped) == secret
        elif test["result"] == "invalid":
            with pytest.raises(InvalidRecord):
                unwrap(key, wrapped)
