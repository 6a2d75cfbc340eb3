"""The records of a ledger, for whoever reads it and writes nothing: no key is needed, and no log is opened or ended."""

from __future__ import annotations

import heapq
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

from sovguard.errors import ConfigError, LedgerError
from sovguard.ledger.records import parse
from sovguard.ledger.stores import Store, open_store


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
        yield from records_in(store)
    finally:
        store.close()


def records_in(store: Store) -> Iterator[dict[str, Any]]:
    """Yield all records of a store, as ``read_records`` does.

    No more logs are held than were written at one time, however many there are.

    Raises:
        LedgerError: A line is no record, or the store failed.
    """
    begun: list[tuple[tuple[int, str, int], dict[str, Any], Iterator[dict[str, Any]]]] = []
    waiting = sorted(_beginnings(store), reverse=True)
    while waiting or begun:
        while waiting and (not begun or waiting[-1] <= begun[0][0]):
            opened = _records_of(store, waiting.pop()[1])
            first = next(opened, None)
            if first is not None:
                heapq.heappush(begun, (_order(first), first, opened))
        if not begun:
            continue
        _, record, log = begun[0]
        yield record
        following = next(log, None)
        if following is None:
            heapq.heappop(begun)
        else:
            heapq.heapreplace(begun, (_order(following), following, log))


def _order(record: dict[str, Any]) -> tuple[int, str, int]:
    return record["t"], record["writer"], record["n"]


def _beginnings(store: Store) -> Iterator[tuple[int, str, int]]:
    """Yield where each log stands among the others by its first record."""
    for writer in store.writers():
        with closing(_records_of(store, writer)) as log:
            first = next(log, None)
        if first is not None:
            yield _order(first)


def _records_of(store: Store, writer: str) -> Generator[dict[str, Any], None, None]:
    """Yield the records of one log, with its ``writer``.

    Raises:
        LedgerError: A line is no record.
    """
    for number, line in enumerate(store.lines(writer)):
        try:
            record = parse(line)
        except ValueError:
            raise LedgerError(
                f"line {number} of the log {writer} is no record: open the ledger for writing, which drops what a power cut "
                "has left, or run 'sovguard ledger verify'"
            ) from None
        yield {**record, "writer": writer}
