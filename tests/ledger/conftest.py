from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vault.places import POSTGRES, missing


@pytest.fixture
def files(tmp_path: Path) -> str:
    """A folder for a ledger."""
    return f"file://{tmp_path}/ledger"


@pytest.fixture
def postgres() -> Iterator[str]:
    """A schema for a ledger."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:16]}"
    try:
        psycopg.connect(POSTGRES, connect_timeout=5).close()
    except psycopg.Error as error:
        missing("PostgreSQL", error)
    yield f"{POSTGRES}?schema={name}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")  # type: ignore[arg-type]


@pytest.fixture(params=["files", "postgres"])
def address(request: pytest.FixtureRequest) -> str:
    """A place for a ledger, of each kind in turn."""
    found: str = request.getfixturevalue(request.param)
    return found
