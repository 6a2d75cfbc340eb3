"""Keys of a ledger: what signs its checkpoints and checks them, what tags its lines, and how it names sessions.

The only module of the ledger that imports ``cryptography``. Notes are C2SP signed-note with Ed25519.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import secrets
from binascii import b2a_base64
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sovguard.errors import ConfigError, LedgerError
from sovguard.private_files import read_private, sync_folder

ENVIRONMENT = "SOVGUARD_LEDGER_KEY"
"""The variable that may hold a key, as its file would."""
_FORMAT = 1
_KEY = 32
_ED25519 = b"\x01"
_NAME = re.compile("[A-Za-z0-9._/-]{1,128}")
_DASH = "— "
_TAGS = b"sovguard ledger 1 tags"
_URL = bytes.maketrans(b"+/", b"-_")


class Verifier:
    """The public half of a key: checks notes.

    Args:
        text: What ``LedgerKey.verifier`` says: ``NAME+HASH+KEY``.

    Raises:
        ConfigError: It is no such string.
    """

    __slots__ = ("_hash", "_public", "name", "text")

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.name, _, rest = self.text.partition("+")
        key_hash, _, encoded = rest.partition("+")
        try:
            public = base64.b64decode(encoded, validate=True)
            self._hash = bytes.fromhex(key_hash)
        except ValueError:
            public = b""
        if (
            len(public) != 1 + _KEY
            or public[:1] != _ED25519
            or self._hash != _key_hash(self.name, public[1:])
        ):
            raise ConfigError(
                "this is no verifier of a ledger: it is NAME+HASH+KEY, as 'sovguard ledger public-key' prints it"
            )
        self._public = Ed25519PublicKey.from_public_bytes(public[1:])

    def __repr__(self) -> str:
        return f"Verifier({self.text!r})"

    def open(self, note: str | bytes) -> str:
        """Return the text of a note that this key has signed; signatures of others are passed over.

        Raises:
            LedgerError: It is no note, this key has not signed it, or it was changed.
        """
        try:
            said = note.decode() if isinstance(note, bytes) else note
            said.encode()
        except UnicodeError:
            raise LedgerError("this is no signed note: it is not UTF-8") from None
        text, gap, signatures = said.rpartition("\n\n")
        if not gap or not signatures.endswith("\n"):
            raise LedgerError("this is no signed note: copy it whole, with its last line and its line feeds")
        text += "\n"
        mine: bytes | None = None
        for line in signatures[:-1].split("\n"):
            name, _, encoded = line.removeprefix(_DASH).partition(" ")
            try:
                blob = base64.b64decode(encoded, validate=True)
            except ValueError:
                blob = b""
            if not line.startswith(_DASH) or len(blob) < 5:
                raise LedgerError("this is no signed note: a line behind its text is no signature")
            if mine is None and name == self.name and blob[:4] == self._hash:
                mine = blob[4:]
        if mine is not None:
            try:
                self._public.verify(mine, text.encode())
            except InvalidSignature:
                raise LedgerError("the note was changed: its signature does not fit") from None
            return text
        raise LedgerError("the note is signed with another key")


class LedgerKey:
    """What signs a ledger, and what sessions are named with in it. Whoever has it can write another past.

    Args:
        name: Its name, which every checkpoint shows: letters, digits, dots, dashes and slashes.
        private: The Ed25519 key, 32 octets.
        sessions: The key of ``keyed``, 32 octets.
    """

    __slots__ = ("_hash", "_private", "_raw", "_sessions", "_tags", "name", "verifier")

    def __init__(self, name: str, private: bytes, sessions: bytes) -> None:
        if not _NAME.fullmatch(name):
            raise ConfigError(
                "a ledger's key is named with up to 128 letters, digits, dots, dashes and slashes, such as "
                "bank.example/ledger"
            )
        if len(private) != _KEY or len(sessions) != _KEY:
            raise ConfigError(f"the keys of a ledger have {_KEY} octets; make them with LedgerKey.generate()")
        self.name = name
        self._raw, self._sessions = private, sessions
        self._tags = HKDF(SHA256(), _KEY, salt=None, info=_TAGS).derive(private)
        self._private = Ed25519PrivateKey.from_private_bytes(private)
        public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        encoded = base64.b64encode(_ED25519 + public).decode()
        self._hash = _key_hash(name, public)
        self.verifier = f"{name}+{self._hash.hex()}+{encoded}"
        """The public string that ``verify`` and ``check`` take; it is no secret."""

    def __repr__(self) -> str:
        return f"LedgerKey({self.name!r})"

    @classmethod
    def generate(cls, name: str) -> Self:
        """Return a new random key.

        Raises:
            ConfigError: The name is none.
        """
        return cls(name, secrets.token_bytes(_KEY), secrets.token_bytes(_KEY))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the key in a file.

        Raises:
            ConfigError: It cannot be read, is no key, or others than its owner may read it.
        """
        text = read_private(path, "ledger key", "sovguard ledger init")
        return cls._parsed(text, f"ledger key {os.fspath(path)}")

    @classmethod
    def from_environment(cls, name: str = ENVIRONMENT) -> Self:
        """Return the key that a variable holds, as its file would.

        Raises:
            ConfigError: It is not set, or holds no key.
        """
        text = os.environ.get(name)
        if not text:
            raise ConfigError(f"{name} is not set; put the content of a ledger's key file into it")
        return cls._parsed(text, name)

    @classmethod
    def _parsed(cls, text: str, what: str) -> Self:
        try:
            content = json.loads(text)
            if content["sovguard-ledger-key"] != _FORMAT:
                raise ConfigError(f"{what} is of another version of sovguard; use that version")
            name = str(content["name"])
            private, sessions = (base64.b64decode(content[each], validate=True) for each in _PARTS)
        except ConfigError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ConfigError(
                f"{what} holds no key of a ledger; use the file that 'sovguard ledger init' wrote"
            ) from None
        return cls(name, private, sessions)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the key to a new file with mode 0600, durably. A file that is there is never replaced.

        Raises:
            ConfigError: Something is there, or it cannot be written.
        """
        place = Path(path)
        try:
            handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise ConfigError(
                f"{place} exists; a ledger's key is never replaced: name another file"
            ) from None
        except OSError as error:
            raise ConfigError(f"ledger key {place} cannot be written ({error.strerror})") from None
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(self.export())
                file.flush()
                os.fsync(file.fileno())
            sync_folder(place.parent)
        except OSError as error:
            place.unlink(missing_ok=True)
            raise ConfigError(f"ledger key {place} cannot be written ({error.strerror})") from None

    def export(self) -> str:
        """Return the key as its file holds it, **secrets included**."""
        parts = {
            name: base64.b64encode(each).decode() for name, each in zip(_PARTS, self._secrets, strict=True)
        }
        return json.dumps({"sovguard-ledger-key": _FORMAT, "name": self.name, **parts}, indent=1) + "\n"

    @property
    def _secrets(self) -> tuple[bytes, bytes]:
        return self._raw, self._sessions

    def sign(self, text: str) -> str:
        """Return ``text``, which ends with a line feed, as a signed note."""
        blob = self._hash + self._private.sign(text.encode())
        return f"{text}\n{_DASH}{self.name} {base64.b64encode(blob).decode()}\n"

    def tag(self, octets: bytes) -> str:
        """Return what only a holder of this key can say of ``octets``, in 22 characters of base64url."""
        return (
            b2a_base64(hmac.digest(self._tags, octets, sha256)[:16], newline=False)[:22]
            .translate(_URL)
            .decode()
        )

    def keyed(self, tenant: str, session_id: str) -> str:
        """Return the tag under which a session appears in the ledger: 32 hexadecimal digits.

        A plain hash of a session's id could be found by trying ids; this one cannot, without the key.
        """
        message = b"".join(
            len(part).to_bytes(4, "big") + part
            for part in (each.encode("utf-8", "surrogatepass") for each in (tenant, session_id))
        )
        return hmac.digest(self._sessions, message, sha256)[:16].hex()


_PARTS = ("private", "sessions")


def _key_hash(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]
