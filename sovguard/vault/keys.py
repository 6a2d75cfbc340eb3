"""Key-encryption keys: what wraps the data key of each session, in a keyring of one's own or in a key service.

The vault holds data keys only as this module wrapped them, so that whoever has the vault's files has nothing without the
keys, and destroying a key destroys whatever it wrapped.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, Self

from sovguard.errors import ConfigError, VaultError
from sovguard.private_files import placed, read_private
from sovguard.vault.crypto import KEY, derive, new_key, unwrap, wrap

ENVIRONMENT = "SOVGUARD_KEYRING"
"""The variable that may hold a keyring, as its file would."""
_FORMAT = 1
_NAME = re.compile("[A-Za-z0-9._-]{1,64}")


class MissingKey(VaultError):
    """A key is needed that the keyring or key service does not have (any more)."""


class KeyProvider(Protocol):
    """What wraps data keys: a ``Keyring``, or a key service.

    A wrapped key opens only with the context that it was wrapped with.
    """

    @property
    def active(self) -> str:
        """The id of the key that wraps from now on."""
        ...

    def wrap(self, data_key: bytes, context: bytes) -> tuple[str, bytes]:
        """Return the id of the key that was used, and the data key as it wrapped it."""
        ...

    def unwrap(self, key_id: str, wrapped: bytes, context: bytes) -> bytes:
        """Return the data key.

        Raises:
            MissingKey: There is no key of this id.
            InvalidRecord: It does not open.
        """
        ...


class Keyring:
    """Key-encryption keys in this process, from a file, a variable or a secret manager; the newest one is in use.

    Args:
        keys: The keys by id, 32 octets each, the oldest first.
        active: The id of the key that wraps; by default the last one.
    """

    def __init__(self, keys: Mapping[str, bytes], active: str | None = None) -> None:
        if not keys:
            raise ConfigError("a keyring has to hold a key; make one with Keyring.generate()")
        for name, key in keys.items():
            if not _NAME.fullmatch(name) or len(key) != KEY:
                raise ConfigError(
                    f"a keyring holds keys of {KEY} octets under ids of letters, digits, dots and dashes"
                )
        self._keys = dict(keys)
        self._active = next(reversed(self._keys)) if active is None else active
        if self._active not in self._keys:
            raise ConfigError("the active key of the keyring is not in it; correct the field active")

    def __repr__(self) -> str:
        return f"Keyring({len(self._keys)} keys, active {self._active!r})"

    @classmethod
    def generate(cls) -> Self:
        """Return a keyring with one new random key."""
        return cls({"k1": new_key()})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the keyring in a file.

        Raises:
            ConfigError: It cannot be read, is no keyring, or others than its owner may read it.
        """
        text = read_private(path, "keyring", "sovguard vault init")
        return cls._parsed(text, f"keyring {os.fspath(path)}")

    @classmethod
    def from_environment(cls, name: str = ENVIRONMENT) -> Self:
        """Return the keyring that a variable holds, as its file would.

        Raises:
            ConfigError: It is not set, or holds no keyring.
        """
        text = os.environ.get(name)
        if not text:
            raise ConfigError(f"{name} is not set; put the content of a keyring file into it")
        return cls._parsed(text, name)

    @classmethod
    def _parsed(cls, text: str, what: str) -> Self:
        try:
            content = json.loads(text)
            if content["sovguard-keyring"] != _FORMAT:
                raise ConfigError(f"{what} is of another version of sovguard; use that version")
            keys = {name: base64.b64decode(key, validate=True) for name, key in content["keys"].items()}
            active = content["active"]
        except ConfigError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ConfigError(
                f"{what} holds no keyring; use the file that 'sovguard vault init' wrote"
            ) from None
        return cls(keys, active)

    def save(self, path: str | os.PathLike[str], *, replaces: Keyring | None = None) -> None:
        """Write the keyring to a file with mode 0600, in one step, durably.

        Args:
            path: Where to; of a symbolic link, what it leads to.
            replaces: The keyring that is there and is to be replaced.

        Raises:
            ConfigError: Another keyring is there, or any, or it cannot be written.
        """
        place = Path(os.path.realpath(path))
        if os.path.lexists(place) and (replaces is None or Keyring.load(place).export() != replaces.export()):
            raise ConfigError(
                f"{place} exists; a keyring is never replaced unasked, nor one that someone else has changed meanwhile: name "
                "another file, or begin again"
            )
        try:
            with placed(place) as made:
                made.write_text(self.export(), "utf-8")
        except OSError as error:
            raise ConfigError(
                f"keyring {place} cannot be written ({error.strerror}); name another place"
            ) from None

    def export(self) -> str:
        """Return the keyring as its file holds it, **keys included**."""
        keys = {name: base64.b64encode(key).decode() for name, key in self._keys.items()}
        return (
            json.dumps({"sovguard-keyring": _FORMAT, "active": self._active, "keys": keys}, indent=1) + "\n"
        )

    @property
    def active(self) -> str:
        """The id of the key that wraps from now on."""
        return self._active

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all keys, the oldest first."""
        return tuple(self._keys)

    def precedes(self, key_id: str, other: str) -> bool:
        """Tell whether a key of this keyring is older than another of it."""
        ids = self.ids
        return key_id in ids and other in ids and ids.index(key_id) < ids.index(other)

    def with_new_key(self, *, active: bool = True) -> Keyring:
        """Return a keyring with one more random key; the old ones still open.

        Args:
            active: Whether it is in use from now on, or only there, for when another process uses it.
        """
        key_id = f"k{len(self._keys) + 1}-{secrets.token_hex(3)}"
        return Keyring({**self._keys, key_id: new_key()}, key_id if active else self._active)

    def with_newest_active(self) -> Keyring:
        """Return a keyring whose newest key is in use."""
        return Keyring(self._keys)

    def without(self, key_id: str) -> Keyring:
        """Return a keyring that has forgotten one of its keys; what that key wrapped is lost for good.

        Raises:
            ConfigError: It is the key in use, or there is none of this id.
        """
        if key_id == self._active:
            raise ConfigError(f"{key_id} is the key in use; rotate to a new one first")
        if key_id not in self._keys:
            raise ConfigError(f"the keyring has no key {key_id}; it has {', '.join(self._keys)}")
        return Keyring({name: key for name, key in self._keys.items() if name != key_id}, self._active)

    def wrap(self, data_key: bytes, context: bytes) -> tuple[str, bytes]:
        """Return the id of the key in use, and the data key wrapped under it for this context alone."""
        return self._active, wrap(_for(self._keys[self._active], context), data_key)

    def unwrap(self, key_id: str, wrapped: bytes, context: bytes) -> bytes:
        """Return the data key.

        Raises:
            MissingKey: The keyring has no key of this id.
            InvalidRecord: It does not open.
        """
        key = self._keys.get(key_id)
        if key is None:
            raise MissingKey(
                f"the keyring has no key {key_id}, which the vault was written with; use the keyring that has it. "
                "Nothing was sent and nothing was changed"
            )
        return unwrap(_for(key, context), wrapped)


def _for(key: bytes, context: bytes) -> bytes:
    # Key Wrap has no associated data: a key of its own for each context binds what is wrapped to it.
    return derive(key, b"sovguard v1 wrap " + context)
