"""Where vaults are, as an address: ``sqlite:///path``, ``postgresql://…``, ``redis://…``."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from sovguard.errors import ConfigError
from sovguard.vault.keys import KeyProvider
from sovguard.vault.rows import Store
from sovguard.vault.sealed import SealedVault
from sovguard.vault.waiting import in_loop

_KINDS = "sqlite:///PATH, postgresql://…?schema=NAME or redis://…?prefix=NAME"


def open_store(address: str, *, create: bool = False, asynchronous: bool = False) -> Store:
    """Return the store at an address.

    Args:
        address: ``sqlite:///PATH`` (a bare path is one too), ``postgresql://…`` with the schema as ``?schema=``, or
            ``redis://…`` with the prefix of its keys as ``?prefix=``.
        create: Make the file if it is missing.
        asynchronous: Return the one that an event loop waits for; there is none for a file.

    Raises:
        ConfigError: It is no such address, or there is no vault there.
        VaultError: The server cannot be reached.
    """
    scheme, _, rest = address.partition(":")
    if scheme in ("postgresql", "postgres"):
        bare, schema = _without(address, "schema")
        try:
            from sovguard.vault.postgres import AsyncPostgresStore, PostgresStore
        except ImportError:
            raise ConfigError("PostgreSQL needs psycopg: pip install 'sovguard[postgres]'") from None
        store = AsyncPostgresStore if asynchronous else PostgresStore
        return store(bare, schema_name=schema or "sovguard")
    if scheme in ("redis", "rediss"):
        bare, prefix = _without(address, "prefix")
        try:
            from sovguard.vault.redis import AsyncRedisStore, RedisStore
        except ImportError:
            raise ConfigError("Redis needs redis-py: pip install 'sovguard[redis]'") from None
        return (AsyncRedisStore if asynchronous else RedisStore)(bare, prefix=prefix or "sovguard")
    if asynchronous:
        raise ConfigError(
            "the event loop waits for PostgreSQL and Redis; a vault in a file is opened with open_vault(), and asynchronous "
            "code asks it in a thread"
        )
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


async def open_vault_async(address: str, keys: KeyProvider, **settings: object) -> SealedVault:
    """Return the vault in PostgreSQL or Redis at an address, for the event loop that runs now, which waits for it.

    A guard with it is used from asynchronous code as any other, and from threads beside the loop; plain calls go through
    ``await guard.aside(…)``, and calls of the vault itself through ``await in_loop(vault.close)``.

    Args:
        address: As for ``open_store``.
        keys: Its keys. A key service is asked in the loop, for each session that is opened.
        **settings: ``ttl``, ``ttls`` as ``SealedVault`` takes them.

    Raises:
        ConfigError: It is no such address, or greenlet is not installed.
        VaultError: As for ``open_vault``.
    """
    return await in_loop(lambda: SealedVault(open_store(address, asynchronous=True), keys, **settings))  # type: ignore[arg-type]


async def create_vault_async(address: str, keys: KeyProvider, **settings: object) -> SealedVault:
    """Make a vault in PostgreSQL or Redis, where there is none, and return it as ``open_vault_async`` does."""
    return await in_loop(lambda: SealedVault.create(open_store(address, asynchronous=True), keys, **settings))


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
