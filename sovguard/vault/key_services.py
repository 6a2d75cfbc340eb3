"""Key-encryption keys in a key service: HashiCorp Vault's Transit engine, and AWS KMS.

The key never leaves the service: it wraps and unwraps data keys, one call for each session that is opened. Each data key is
bound to its context, as associated data or encryption context. A service that cannot be reached is an error, and nothing is
sent.
"""

from __future__ import annotations

import base64
from importlib import import_module
from typing import Any

from sovguard.errors import ConfigError, VaultError
from sovguard.vault.crypto import invalid
from sovguard.vault.keys import MissingKey

_WAIT = 10.0


class TransitKeys:
    """A key of HashiCorp Vault's Transit engine, of a type that takes associated data (``aes256-gcm96``, the default).

    Args:
        address: Of the server, ``https://…:8200``.
        token: Of a policy that may read ``transit/keys/NAME`` and update ``transit/encrypt/NAME`` and ``transit/decrypt/NAME``.
        name: Of the key.
        mount: Where the engine is mounted.
        namespace: Of the server's enterprise edition.
        client: An ``httpx.Client`` or ``httpx2.Client`` to use, with certificates of yours.

    Raises:
        ConfigError: Neither httpx nor httpx2 is installed, or there is no such key.
        VaultError: The server cannot be reached, or refuses the token.
    """

    def __init__(
        self,
        address: str,
        token: str,
        name: str,
        *,
        mount: str = "transit",
        namespace: str | None = None,
        client: Any = None,
    ) -> None:
        self._client = _http_client() if client is None else client
        self._root = f"{address.rstrip('/')}/v1/{mount}"
        self._name = name
        self._headers = {"X-Vault-Token": token, **({"X-Vault-Namespace": namespace} if namespace else {})}
        self._id = f"transit/{mount}/{name}"
        self._version = self._latest()

    def __repr__(self) -> str:
        return f"TransitKeys({self._id!r})"

    @property
    def active(self) -> str:
        """The key and its latest version when this was made; make another one after the key was rotated there."""
        return f"{self._id}/v{self._version}"

    def wrap(self, data_key: bytes, context: bytes) -> tuple[str, bytes]:
        """Return the id of the version that was used, and the data key as the service wrapped it."""
        body = {"plaintext": _text(data_key), "associated_data": _text(context), "key_version": self._version}
        ciphertext = self._call("POST", f"encrypt/{self._name}", body)["ciphertext"]
        return self.active, ciphertext.encode()

    def unwrap(self, key_id: str, wrapped: bytes, context: bytes) -> bytes:
        """Return the data key.

        Raises:
            MissingKey: Another key wrapped it.
            InvalidRecord: The service cannot open it.
        """
        if key_id.rpartition("/v")[0] != self._id:
            raise MissingKey(
                f"the vault was written with the key {key_id}, and this is {self._id}; use that one"
            )
        body = {"ciphertext": wrapped.decode("ascii", "replace"), "associated_data": _text(context)}
        found = self._call("POST", f"decrypt/{self._name}", body, opens=True)
        return base64.b64decode(found["plaintext"])

    def _latest(self) -> int:
        latest: int = self._call("GET", f"keys/{self._name}", None)["latest_version"]
        return latest

    def _call(self, method: str, path: str, body: Any, *, opens: bool = False) -> Any:
        try:
            response = self._client.request(
                method, f"{self._root}/{path}", json=body, headers=self._headers, timeout=_WAIT
            )
            status, content = response.status_code, response.json() if response.content else {}
        except Exception as error:
            raise _unreachable("HashiCorp Vault", type(error).__name__) from None
        if status == 200:
            return content["data"]
        if opens and status == 400:
            raise invalid()
        if status == 404:
            raise ConfigError(f"HashiCorp Vault has no key {self._id}; make it, or name another")
        raise _unreachable("HashiCorp Vault", f"status {status}")


class AwsKmsKeys:
    """A symmetric key of AWS KMS.

    Args:
        key_id: Its ARN, id or alias (``alias/…``).
        client: A KMS client of boto3; made from the environment if ``None``.

    Raises:
        ConfigError: boto3 is not installed, or there is no such key.
        VaultError: The service cannot be reached, or refuses the caller.
    """

    def __init__(self, key_id: str, *, client: Any = None) -> None:
        try:
            self._client = import_module("boto3").client("kms") if client is None else client
        except ImportError:
            raise ConfigError("AWS KMS needs boto3: pip install 'sovguard[aws]'") from None
        except Exception as error:
            raise _unreachable("AWS KMS", type(error).__name__) from None
        self._arn = str(self._call("describe_key", KeyId=key_id)["KeyMetadata"]["Arn"])

    def __repr__(self) -> str:
        return f"AwsKmsKeys({self._arn!r})"

    @property
    def active(self) -> str:
        """The ARN of the key; its material may be rotated by KMS without this changing."""
        return self._arn

    def wrap(self, data_key: bytes, context: bytes) -> tuple[str, bytes]:
        """Return the ARN of the key, and the data key as the service wrapped it."""
        found = self._call(
            "encrypt", KeyId=self._arn, Plaintext=data_key, EncryptionContext={"sovguard": _text(context)}
        )
        return self._arn, bytes(found["CiphertextBlob"])

    def unwrap(self, key_id: str, wrapped: bytes, context: bytes) -> bytes:
        """Return the data key.

        Raises:
            MissingKey: There is no key of this ARN (any more).
            InvalidRecord: The service cannot open it.
        """
        given = {
            "KeyId": key_id,
            "CiphertextBlob": wrapped,
            "EncryptionContext": {"sovguard": _text(context)},
        }
        return bytes(self._call("decrypt", **given)["Plaintext"])

    def _call(self, operation: str, **given: Any) -> Any:
        try:
            return getattr(self._client, operation)(**given)
        except Exception as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
        if code in ("InvalidCiphertextException", "IncorrectKeyException"):
            raise invalid()
        if code in ("NotFoundException", "DisabledException", "KMSInvalidStateException"):
            problem = (
                f"AWS KMS does not have this key or has disabled it ({code}); enable it, or name another"
            )
            raise ConfigError(problem) if operation == "describe_key" else MissingKey(problem)
        raise _unreachable("AWS KMS", str(code))


def _http_client() -> Any:
    for library in ("httpx2", "httpx"):
        try:
            return import_module(library).Client()
        except ImportError:
            continue
    raise ConfigError("HashiCorp Vault needs an HTTP client: pip install 'sovguard[httpx2]'")


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _unreachable(service: str, why: str) -> VaultError:
    return VaultError(
        f"{service} did not answer as it should ({why}); look whether it runs and what this caller may do. "
        "Nothing was sent and nothing was lost"
    )
