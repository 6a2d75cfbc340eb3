"""The records of a ledger, for whoever reads it and writes nothing: no key is needed, and no log is opened or ended."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from sovguard.errors import ConfigError
from sovguard.ledger.ledger import records_of
from sovguard.ledger.stores import open_store


def read_records(address: str) -> Iterator[dict[str, Any]]:
    """Yield all records of a ledger, with their ``writer``, by time; those of one writer in their order.

    Nothing is checked: ``verify`` does that.

    Args:
        address: As for ``open_ledger``.

    Raises:
        ConfigError: There is no ledger there.
        LedgerError: A line is no record, or the store failed.
    """
    store = open_store(address)
    try:
        if store.identity() is None:
            raise ConfigError("there is no ledger at this address; make one with 'sovguard ledger init'")
        logs = [records_of(store, writer) for writer in store.writers()]
        yield from heapq.merge(*logs, key=lambda record: (record["t"], record["writer"], record["n"]))
    finally:
        store.close()
