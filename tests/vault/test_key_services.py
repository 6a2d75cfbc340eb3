"""Key services, against stand-ins on this machine that speak their APIs and keep their keys to themselves."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import httpx2
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sovguard import ConfigError, InvalidRecord, VaultError
from sovguard.demo_server import LocalServer, Received, Reply, serve
from sovguard.vault import Entry, KeyProvider, MissingKey, SealedVault, SessionRef
from sovguard.vault.administration import status
from sovguard.vault.key_services import AwsKmsKeys, TransitKeys
from sovguard.vault.rotation import rotate
from tests.vault.places import Place

A = SessionRef("acme", "a")
HONG = Entry("PERSON", "홍길동")


class Keys:
    """Keys that stay in the service, by version."""

    def __init__(self) -> None:
        self.versions = [AESGCM(bytes([number]) * 32) for number in (1, 2)]
        self.latest = 1

    def seal(self, plain: bytes, associated: bytes, version: int | None = None) -> tuple[int, bytes]:
        """What the service does with a data key."""
        used = version or self.latest
        nonce = os.urandom(12)
        return used, nonce + self.versions[used - 1].encrypt(nonce, plain, associated)

    def open(self, version: int, sealed: bytes, associated: bytes) -> bytes | None:
        """The data key, if it opens."""
        try:
            return self.versions[version - 1].decrypt(sealed[:12], sealed[12:], associated)
        except InvalidTag:
            return None


def transit(keys: Keys) -> Callable[[Received], Reply]:
    """HashiCorp Vault's Transit engine, as far as it is asked."""

    def answer(request: Received) -> Reply:
        if request.headers.get("x-vault-token") != "t0ken":
            return Reply(b'{"errors": ["permission denied"]}', 403)
        path = request.path.removeprefix("/v1/transit/")
        if path == "keys/sovguard":
            return Reply(json.dumps({"data": {"latest_version": keys.latest}}).encode())
        body = request.json() if request.body else {}
        associated = base64.b64decode(body.get("associated_data", ""))
        if path == "encrypt/sovguard":
            version, sealed = keys.seal(
                base64.b64decode(body["plaintext"]), associated, body.get("key_version")
            )
            said = f"vault:v{version}:{base64.b64encode(sealed).decode()}"
            return Reply(json.dumps({"data": {"ciphertext": said}}).encode())
        if path == "decrypt/sovguard":
            _, version, sealed = body["ciphertext"].split(":", 2)
            plain = keys.open(int(version[1:]), base64.b64decode(sealed), associated)
            if plain is None:
                return Reply(b'{"errors": ["cipher: message authentication failed"]}', 400)
            return Reply(json.dumps({"data": {"plaintext": base64.b64encode(plain).decode()}}).encode())
        return Reply(b'{"errors": []}', 404)

    return answer


ARN = "arn:aws:kms:ap-northeast-2:000000000000:key/k"


def kms(keys: Keys) -> Callable[[Received], Reply]:
    """AWS KMS, as far as it is asked."""

    def refused(code: str) -> Reply:
        return Reply(json.dumps({"__type": code, "message": "no"}).encode(), 400)

    def answer(request: Received) -> Reply:
        body = request.json()
        operation = request.headers["x-amz-target"].removeprefix("TrentService.")
        if body["KeyId"] not in (ARN, "alias/sovguard"):
            return refused("NotFoundException")
        if operation == "DescribeKey":
            return Reply(json.dumps({"KeyMetadata": {"KeyId": "k", "Arn": ARN}}).encode())
        associated = json.dumps(body.get("EncryptionContext"), sort_keys=True).encode()
        if operation == "Encrypt":
            _, sealed = keys.seal(base64.b64decode(body["Plaintext"]), associated)
            return Reply(
                json.dumps({"KeyId": ARN, "CiphertextBlob": base64.b64encode(sealed).decode()}).encode()
            )
        plain = keys.open(1, base64.b64decode(body["CiphertextBlob"]), associated)
        if plain is None:
            return refused("InvalidCiphertextException")
        return Reply(json.dumps({"KeyId": ARN, "Plaintext": base64.b64encode(plain).decode()}).encode())

    return answer


def aws(server: LocalServer) -> Any:
    """A client of boto3 for the stand-in."""
    return boto3.client(
        "kms",
        endpoint_url=server.base_url.removesuffix("/v1"),
        region_name="ap-northeast-2",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=boto3.session.Config(retries={"max_attempts": 1}),
    )


@pytest.fixture(params=["transit", "kms"])
def service(request: pytest.FixtureRequest) -> Iterator[tuple[Callable[[], KeyProvider], LocalServer, Keys]]:
    """What makes a provider, its stand-in, and the keys that are in there."""
    keys = Keys()
    with serve(transit(keys) if request.param == "transit" else kms(keys)) as server:
        if request.param == "transit":
            client = httpx2.Client()
            address = server.base_url.removesuffix("/v1")
            yield lambda: TransitKeys(address, "t0ken", "sovguard", client=client), server, keys
            client.close()
        else:
            yield lambda: AwsKmsKeys("alias/sovguard", client=aws(server)), server, keys


def test_a_vault_under_a_key_service(
    service: tuple[Callable[[], KeyProvider], LocalServer, Keys], sqlite: Place
) -> None:
    """It lasts, each session is one call, and what goes to the service is a data key and never a value."""
    provider, server, _ = service
    vault = SealedVault.create(sqlite.store(create=True), provider())
    vault.open(A)
    (surrogate,) = vault.put(A, [HONG])
    again = SealedVault(sqlite.store(), provider())
    before = len(server.received)
    for _ in range(5):
        assert again.get(A, [surrogate]) == {surrogate: HONG}
    assert len(server.received) == before + 1
    assert all("홍길동".encode() not in request.body for request in server.received)


def test_data_keys_are_bound_to_their_context(
    service: tuple[Callable[[], KeyProvider], LocalServer, Keys],
) -> None:
    """Another context and a changed byte are the one error; another key is missing."""
    keys = service[0]()
    key_id, wrapped = keys.wrap(bytes(32), b"one")
    assert keys.unwrap(key_id, wrapped, b"one") == bytes(32)
    with pytest.raises(InvalidRecord):
        keys.unwrap(key_id, wrapped, b"two")
    with pytest.raises(MissingKey):
        keys.unwrap("another", wrapped, b"one")


def test_the_service_rotates(sqlite: Place) -> None:
    """A new version of the key in Transit wraps every data key anew."""
    keys = Keys()
    with serve(transit(keys)) as server, httpx2.Client() as client:

        def provider() -> TransitKeys:
            return TransitKeys(server.base_url.removesuffix("/v1"), "t0ken", "sovguard", client=client)

        vault = SealedVault.create(sqlite.store(create=True), provider())
        vault.open(A)
        (surrogate,) = vault.put(A, [HONG])
        keys.latest = 2
        assert rotate(vault, provider()) == 1
        assert status(vault).keys == {"transit/transit/sovguard/v2": 1}
        keys.versions[0] = keys.versions[1]
        assert SealedVault(sqlite.store(), provider()).get(A, [surrogate]) == {surrogate: HONG}


def test_a_service_that_refuses_or_is_gone_is_an_error() -> None:
    """The error names what to look at and shows no token."""
    keys = Keys()
    with serve(transit(keys)) as server, httpx2.Client() as client:
        address = server.base_url.removesuffix("/v1")
        with pytest.raises(VaultError, match="status 403") as refused:
            TransitKeys(address, "wr0ng", "sovguard", client=client)
        assert "wr0ng" not in str(refused.value)
        with pytest.raises(ConfigError, match="no key"):
            TransitKeys(address, "t0ken", "other", client=client)
    with httpx2.Client() as client, pytest.raises(VaultError, match="Nothing was sent"):
        TransitKeys("http://127.0.0.1:1", "t0ken", "sovguard", client=client)
    with serve(kms(keys)) as server:
        with pytest.raises(ConfigError, match="does not have this key"):
            AwsKmsKeys("alias/other", client=aws(server))
        gone = aws(server)
    with pytest.raises(VaultError, match="Nothing was sent"):
        AwsKmsKeys("alias/sovguard", client=gone)
