from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vault.places import (
    Place,
    asynchronous,
    postgres_place,
    redis_place,
    running_loop,
    sqlite_place,
)


class _Closing:
    """Opens stores and closes them when the test ends."""

    def __init__(self, place: Place) -> None:
        self._place, self._opened = place, list[Any]()

    def store(self, **settings: Any) -> Any:
        """Open one."""
        self._opened.append(self._place.store(**settings))
        return self._opened[-1]

    def close(self) -> None:
        """Close all."""
        for store in self._opened:
            store.close()


def _used(place: Place, remove: Callable[[], Any]) -> Iterator[Place]:
    closing = _Closing(place)
    yield Place(closing.store, place.address)
    closing.close()
    remove()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Place]:
    """A file for a vault."""
    yield from _used(sqlite_place(tmp_path), lambda: None)


@pytest.fixture
def postgres() -> Iterator[Place]:
    """A schema for a vault."""
    yield from _used(*postgres_place())


@pytest.fixture
def redis() -> Iterator[Place]:
    """A prefix for a vault."""
    yield from _used(*redis_place())


@pytest.fixture
def postgres_async(postgres: Place) -> Iterator[Place]:
    """A schema for a vault that an event loop waits for; tests ask it from beside the loop."""
    with running_loop() as loop:
        yield from _used(asynchronous(postgres, loop), lambda: None)


@pytest.fixture
def redis_async(redis: Place) -> Iterator[Place]:
    """A prefix for a vault that an event loop waits for; tests ask it from beside the loop."""
    with running_loop() as loop:
        yield from _used(asynchronous(redis, loop), lambda: None)
