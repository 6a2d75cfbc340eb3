"""Where tests keep their vaults: a file, and schemas and prefixes of their own in servers that run on this machine."""

from __future__ import annotations

import asyncio
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sovguard.vault import open_store
from sovguard.vault.rows import Store
from sovguard.vault.waiting import in_loop

POSTGRES = os.environ.get("SOVGUARD_TEST_POSTGRES", "postgresql://127.0.0.1:5432/test")
REDIS = os.environ.get("SOVGUARD_TEST_REDIS", "redis://127.0.0.1:6379/0")
STORES = ("sqlite", "postgres", "redis", "postgres_async", "redis_async")


@dataclass(frozen=True)
class Place:
    """A place for one vault.

    Attributes:
        store: Opens a store there; with ``create``, in an empty place.
        address: What the command line calls it.
    """

    store: Callable[..., Store]
    address: str


def missing(what: str, error: Exception) -> None:
    """Skip for want of a server; where everything has to run, fail."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is needed and not there: {error}")
    pytest.skip(f"{what} is not running: {error}")


@contextmanager
def running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def asynchronous(place: Place, loop: asyncio.AbstractEventLoop) -> Place:
    """The same place, with stores that ``loop`` waits for."""

    def store(create: bool = False) -> Store:
        opening = in_loop(open_store, place.address, asynchronous=True)
        return asyncio.run_coroutine_threadsafe(opening, loop).result()

    return Place(store, place.address)


def sqlite_place(folder: Path) -> Place:
    """A file."""
    from sovguard.vault.sqlite import SqliteStore

    path = folder / "vault.db"
    return Place(lambda create=False: SqliteStore(path, create=create), f"sqlite:///{path}")


def postgres_place() -> tuple[Place, Callable[[], Any]]:
    """A schema, and what removes it."""
    import psycopg

    from sovguard.vault.postgres import PostgresStore

    name = f"test_{uuid.uuid4().hex[:16]}"
    try:
        psycopg.connect(POSTGRES, connect_timeout=5).close()
    except psycopg.Error as error:
        missing("PostgreSQL", error)

    def remove() -> None:
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")  # type: ignore[arg-type]

    place = Place(lambda create=False: PostgresStore(POSTGRES, schema_name=name), f"{POSTGRES}?schema={name}")
    return place, remove


def redis_place() -> tuple[Place, Callable[[], Any]]:
    """A prefix, and what removes its keys."""
    import redis

    from sovguard.vault.redis import RedisStore

    prefix = f"test_{uuid.uuid4().hex[:16]}"
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=5)
    try:
        client.ping()
    except redis.RedisError as error:
        missing("Redis", error)

    def remove() -> None:
        for key in client.scan_iter(f"{prefix}:*", 1000):
            client.delete(key)
        client.close()

    return Place(lambda create=False: RedisStore(REDIS, prefix=prefix), f"{REDIS}?prefix={prefix}"), remove
