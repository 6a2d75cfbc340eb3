"""The sealed forms of a vault: data keys, session headers and entries (docs/vault-format.md, version 1).

Every session has a data key of its own; what its entries hold is noise once that key is gone. Each record is bound to its
vault, tenant, session, entity type and surrogate, so that none can be moved to another's place.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sovguard.errors import VaultError
from sovguard.vault.crypto import Sealer, derive, invalid, tag
from sovguard.vault.keys import KeyProvider
from sovguard.vault.numbering import Block
from sovguard.vault.rows import EntryRow
from sovguard.vault.store import Entry, Kind, SessionRef, SessionState

_encode = json.JSONEncoder(separators=(",", ":")).encode
FORMAT = 1
ID = 16
"""Octets of the keyed hashes that rows are found by."""
_STEP = 64
"""Records are padded to a multiple of this, so that their length tells a class of lengths and no more."""


@dataclass(frozen=True, slots=True)
class Meta:
    """What a vault says of itself.

    Attributes:
        vault_id: Random, for as long as the vault lives.
        key_id: Which key-encryption key wrapped the index key.
        index: The index key, wrapped.
    """

    vault_id: bytes
    key_id: str
    index: bytes

    def __repr__(self) -> str:
        return "Meta()"

    def encode(self) -> bytes:
        """Return it as it is stored."""
        content = {
            "format": FORMAT,
            "vault": self.vault_id.hex(),
            "key_id": self.key_id,
            "index": base64.b64encode(self.index).decode(),
        }
        return json.dumps(content).encode()

    @classmethod
    def decode(cls, stored: bytes) -> Meta:
        """Return what ``encode`` gave.

        Raises:
            VaultError: It is of another version, or damaged.
        """
        try:
            content = json.loads(stored)
            if content["format"] != FORMAT:
                raise VaultError(
                    f"the vault is of format {content['format']:d}, and this version of sovguard reads {FORMAT}; use the "
                    "version that wrote it. Nothing was changed"
                )
            return cls(
                bytes.fromhex(content["vault"]),
                content["key_id"],
                base64.b64decode(content["index"], validate=True),
            )
        except VaultError:
            raise
        except (ValueError, KeyError, TypeError):
            raise invalid() from None

    def index_key(self, keys: KeyProvider) -> bytes:
        """Return the key that tenants and sessions are hashed with."""
        return keys.unwrap(self.key_id, self.index, self.context())

    def context(self) -> bytes:
        """Return what the index key is wrapped for."""
        return b"index " + self.vault_id


def session_context(vault_id: bytes, sid: bytes) -> bytes:
    """Return what a session's data key is wrapped for."""
    return b"session " + vault_id + sid


def seal_name(index: bytes, ref: SessionRef, sid: bytes) -> bytes:
    """Return a session's tenant and id, sealed under the vault's index key."""
    content = {"tenant": ref.tenant, "session": ref.session_id}
    return Sealer(derive(index, b"sovguard v1 name")).seal(_padded(content), sid)


def open_name(index: bytes, sealed: bytes, sid: bytes) -> SessionRef:
    """Return the tenant and id of a session.

    Raises:
        InvalidRecord: Anything is wrong with it.
    """
    try:
        content = json.loads(Sealer(derive(index, b"sovguard v1 name")).open(sealed, sid))
        return SessionRef(content["tenant"], content["session"])
    except (ValueError, KeyError, TypeError):
        raise invalid() from None


@dataclass(frozen=True)
class Header:
    """What a session's surrogates are made of.

    Attributes:
        state: Its check key, namespaces and words.
        namespace: The newest namespace.
        next_number: Its first number that belongs to no block.
        shared: The block of what is no person, if there is one.
        count: How many entries were minted.
        people: How many people were met.
        closed: How many entries were minted before the session was renumbered; their blocks are not drawn from any more.
    """

    state: SessionState
    namespace: str
    next_number: int
    shared: Block | None
    count: int
    people: int
    closed: int = 0

    def __repr__(self) -> str:
        return f"Header({self.count} entries)"


class SessionKeys:
    """What is sealed and looked up in one session.

    Args:
        data_key: The session's data key.
        vault_id: Its vault.
        ref: Its tenant and id.
    """

    def __init__(self, data_key: bytes, vault_id: bytes, ref: SessionRef) -> None:
        self._data_key, self._vault_id = data_key, vault_id
        self._place = (
            vault_id,
            ref.tenant.encode("utf-8", "surrogatepass"),
            ref.session_id.encode("utf-8", "surrogatepass"),
        )
        self.ref = ref

    def __repr__(self) -> str:
        return "SessionKeys()"

    @cached_property
    def _record(self) -> Sealer:
        return Sealer(self._derived(b"record"))

    @cached_property
    def _lookup(self) -> bytes:
        return self._derived(b"lookup")

    def _derived(self, purpose: bytes) -> bytes:
        return derive(self._data_key, b"sovguard v1 " + purpose, salt=self._vault_id)

    def lookup(self, entry: Entry) -> bytes:
        """Return what an entry is found by."""
        parts = (entry.entity_type, entry.kind, entry.person, entry.value)
        return tag(self._lookup, b"value", *(part.encode("utf-8", "surrogatepass") for part in parts))[:ID]

    def person(self, person: str) -> bytes:
        """Return what a person's entries are found by."""
        return tag(self._lookup, b"person", person.encode("utf-8", "surrogatepass"))[:ID]

    def seal_entry(self, entry: Entry, surrogate: str, expires: int | None) -> bytes:
        """Return an entry, sealed for the place of its surrogate and for as long as it lives."""
        content: dict[str, Any] = {"v": entry.value}
        if entry.kind != "str":
            content["k"] = entry.kind
        if entry.person:
            content["p"] = entry.person
        if entry.stood:
            content["s"] = sorted(entry.stood)
        return self._record.seal(_padded(content), self._associated(entry.entity_type, surrogate, expires))

    def open_entry(self, row: EntryRow) -> Entry:
        """Return the entry in a row that has a record.

        Raises:
            InvalidRecord: Anything is wrong with it.
        """
        plain = self._record.open(
            row.record or b"", self._associated(row.entity_type, row.surrogate, row.expires)
        )
        try:
            content = json.loads(plain)
            kind: Kind = content.get("k", "str")
            return Entry(
                row.entity_type, content["v"], kind, content.get("p", ""), frozenset(content.get("s", ()))
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise invalid() from None

    def seal_header(self, header: Header) -> bytes:
        """Return a session's header, sealed."""
        content = {
            "key": header.state.key.hex(),
            "namespaces": sorted(header.state.namespaces),
            "words": sorted(header.state.words),
            "namespace": header.namespace,
            "next": header.next_number,
            "shared": header.shared,
            "count": header.count,
            "people": header.people,
        }
        if header.closed:
            content["closed"] = header.closed
        return self._record.seal(_padded(content), self._associated("", "header"))

    def open_header(self, sealed: bytes, former: frozenset[str] = frozenset()) -> Header:
        """Return a session's header.

        Args:
            sealed: The header.
            former: Namespaces whose values are gone.

        Raises:
            InvalidRecord: Anything is wrong with it.
        """
        plain = self._record.open(sealed, self._associated("", "header"))
        try:
            content = json.loads(plain)
            state = SessionState(
                bytes.fromhex(content["key"]),
                frozenset(content["namespaces"]),
                frozenset(content["words"]),
                former,
            )
            shared = content["shared"]
            return Header(
                state,
                content["namespace"],
                content["next"],
                None if shared is None else (shared[0], shared[1], shared[2]),
                content["count"],
                content["people"],
                content.get("closed", 0),
            )
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            raise invalid() from None

    def _associated(self, entity_type: str, surrogate: str, expires: int | None = None) -> bytes:
        ends = b"" if expires is None else str(expires).encode()
        parts = (*self._place, entity_type.encode("utf-8", "surrogatepass"), surrogate.encode(), ends)
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _padded(content: dict[str, Any]) -> bytes:
    plain = _encode(content).encode()
    return plain + b" " * (-len(plain) % _STEP)
