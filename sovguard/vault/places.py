"""Where vaults are, as an address: ``sqlite:///path``, ``postgresql://…``, ``redis://…``."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from sovguard.errors import ConfigError
from sovguard.vault.keys import KeyProvider
from sovguard.vault.rows import Store
from sovguard.vault.sealed import SealedVault

_KINDS = "sqlite:///PATH, postgresql://…?schema=NAME or redis://…?prefix=NAME"


def open_store(address: str, *, create: bool = False) -> Store:
    """Return the store at an address.

    Args:
        address: ``sqlite:///PATH`` (a bare path is one too), ``postgresql://…`` with the schema as ``?schema=``, or
            ``redis://…`` with the prefix of its keys as ``?prefix=``.
        create: Make the file if it is missing.

    Raises:
        ConfigError: It is no such address, or there is no vault there.
        VaultError: The server cannot be reached.
    """
    scheme, _, rest = address.partition(":")
    if scheme in ("postgresql", "postgres"):
        bare, schema = _without(address, "schema")
        try:
            from sovguard.vault.postgres import PostgresStore
        except ImportError:
            raise ConfigError("PostgreSQL needs psycopg: pip install 'sovguard[postgres]'") from None
        return PostgresStore(bare, schema_name=schema or "sovguard")
    if scheme in ("redis", "rediss"):
        bare, prefix = _without(address, "prefix")
        try:
            from sovguard.vault.redis import RedisStore
        except ImportError:
            raise ConfigError("Redis needs redis-py: pip install 'sovguard[redis]'") from None
        return RedisStore(bare, prefix=prefix or "sovguard")
    if scheme == "sqlite" and not rest.startswith("///"):
        raise ConfigError(f"a vault in a file is named sqlite:///PATH; the kinds are {_KINDS}")
    if scheme != "sqlite" and "://" in address:
        raise ConfigError(f"there are no vaults of the kind {scheme}; the kinds are {_KINDS}")
    if scheme != "sqlite" and "=" in address:
        raise ConfigError(f"this is no address of a vault; the kinds are {_KINDS}")
    from sovguard.vault.sqlite import SqliteStore

    # sqlite:///relative/path and sqlite:////absolute/path, as SQLAlchemy has them.
    return SqliteStore(Path(unquote(rest[3:]) if scheme == "sqlite" else address), create=create)


def open_vault(address: str, keys: KeyProvider, **settings: object) -> SealedVault:
    """Return the vault at an address; it must have been made before.

    Args:
        address: As for ``open_store``.
        keys: Its keys.
        **settings: ``ttl``, ``ttls`` as ``SealedVault`` takes them.
    """
    return SealedVault(open_store(address), keys, **settings)  # type: ignore[arg-type]


def create_vault(address: str, keys: KeyProvider, **settings: object) -> SealedVault:
    """Make a vault at an address, where there is none, and return it."""
    return SealedVault.create(open_store(address, create=True), keys, **settings)


def _without(address: str, name: str) -> tuple[str, str | None]:
    """Return an address without a parameter of its query, and what that said; the rest stays as it is written."""
    bare, mark, query = address.partition("?")
    kept, found = [], None
    for part in query.split("&") if mark else ():
        key, _, value = part.partition("=")
        if key == name:
            found = unquote(value)
        else:
            kept.append(part)
    return bare + (f"?{'&'.join(kept)}" if kept else ""), found
