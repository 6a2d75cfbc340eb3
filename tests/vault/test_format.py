"""The frozen vault of version 1, and the written format read by hand: neither may ever break."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from sovguard.vault import Entry, Keyring, SealedVault, SessionRef
from sovguard.vault.sqlite import SqliteStore

FROZEN = Path(__file__).parents[1] / "data/vault-v1"
SURROGATES: dict[str, list[str]] = json.loads((FROZEN / "surrogates.json").read_text("utf-8"))
KEYRING = (FROZEN / "keyring.json").read_text("utf-8")
A, B = SessionRef("acme", "상담 1"), SessionRef("beta", "x")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the frozen vault, since opening it makes files beside it."""
    return Path(shutil.copy(FROZEN / "vault.db", tmp_path))


def test_the_frozen_vault_opens(copy: Path) -> None:
    """Every value of version 1 comes back, and new ones can be added."""
    vault = SealedVault(SqliteStore(copy), Keyring._parsed(KEYRING, "keyring"))
    first, second, number, other = SURROGATES["acme"]
    assert vault.get(A, SURROGATES["acme"]) == {
        first: Entry("PERSON", "홍길동", person="홍길동"),
        second: Entry("PERSON", "길동", person="홍길동"),
        number: Entry("PHONE_NUMBER", "010-0000-1234"),
        other: Entry("ID_NUMBER", "20250001", "int"),
    }
    assert vault.get(A, [first])[first].stood == {"가"}  # type: ignore[union-attr]
    assert vault.get(B, SURROGATES["beta"]) == {SURROGATES["beta"][0]: Entry("KR_RRN", "351212-3123456")}
    assert vault.put(A, [Entry("PHONE_NUMBER", "010-0000-1234")]) == [number]
    assert vault.put(A, [Entry("PERSON", "홍길동 씨", person="홍길동")])[0][-8:-2] == first[-8:-2]
    vault.close()


def lp(*parts: str | bytes) -> bytes:
    """Each part with its length before it."""
    octets = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in octets)


def hkdf(key: bytes, info: bytes, salt: bytes | None = None) -> bytes:
    """RFC 5869."""
    return HKDF(SHA256(), 32, salt, info).derive(key)


def opened(key: bytes, sealed: bytes, associated: bytes) -> Any:
    """What a sealed record says."""
    cipher: Any = {1: AESGCMSIV, 2: AESGCM}[sealed[1]]
    plain = cipher(key).decrypt(sealed[2:14], sealed[14:], sealed[:2] + associated)
    assert len(plain) % 64 == 0
    return json.loads(plain)


def test_the_format_is_the_one_that_is_written_down(copy: Path) -> None:
    """docs/vault-format.md is enough to read a vault: this does, with nothing of sovguard."""
    keks = {name: base64.b64decode(key) for name, key in json.loads(KEYRING)["keys"].items()}
    connection = sqlite3.connect(copy)
    meta = json.loads(connection.execute("SELECT content FROM meta").fetchone()[0])
    vault_id = bytes.fromhex(meta["vault"])
    wrapping = hkdf(keks[meta["key_id"]], b"sovguard v1 wrap index " + vault_id)
    index = aes_key_unwrap(wrapping, base64.b64decode(meta["index"]))
    sid = hmac.digest(index, lp("session", "acme", "상담 1"), hashlib.sha256)[:16]
    row = "SELECT key_id, wrapped, header, name FROM sessions WHERE sid = ?"
    key_id, wrapped, header, name = connection.execute(row, (sid,)).fetchone()
    data_key = aes_key_unwrap(hkdf(keks[key_id], b"sovguard v1 wrap session " + vault_id + sid), wrapped)
    record_key = hkdf(data_key, b"sovguard v1 record", vault_id)
    lookup_key = hkdf(data_key, b"sovguard v1 lookup", vault_id)
    assert opened(hkdf(index, b"sovguard v1 name"), name, sid) == {"tenant": "acme", "session": "상담 1"}
    place = lp(vault_id, "acme", "상담 1")
    assert opened(record_key, header, place + lp("", "header", ""))["count"] == 4
    found = {}
    for surrogate, kind, lookup, record, expires in connection.execute(
        "SELECT surrogate, entity_type, lookup, record, expires FROM entries WHERE sid = ? ORDER BY seq",
        (sid,),
    ):
        ends = "" if expires is None else str(expires)
        said = opened(record_key, record, place + lp(kind, surrogate, ends))
        parts = ("value", kind, said.get("k", "str"), said.get("p", ""), said["v"])
        assert lookup == hmac.digest(lookup_key, lp(*parts), hashlib.sha256)[:16]
        found[surrogate] = said
    connection.close()
    assert list(found) == SURROGATES["acme"]
    assert found[SURROGATES["acme"][0]] == {"v": "홍길동", "p": "홍길동", "s": ["가"]}
    assert found[SURROGATES["acme"][3]] == {"v": "20250001", "k": "int"}
