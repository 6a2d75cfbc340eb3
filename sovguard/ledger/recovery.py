"""What a process that died has left behind: its log loses half a line, keeps every whole one, and is signed and ended.

Only what was written with the ledger's key is signed: a line behind the last checkpoint without its tag, anything behind a
signed end, and a log that does not fit what was signed of it are not. Such a log is noted as damaged, and ``verify`` says what
is wrong with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sovguard.errors import LedgerError
from sovguard.ledger.chain import Chain
from sovguard.ledger.merged import Merged
from sovguard.ledger.notes import Checkpoint, Identity
from sovguard.ledger.signing import LedgerKey, Verifier
from sovguard.ledger.stores import Log, Store
from sovguard.ledger.walking import Walk, walk


def recover(store: Store, key: LedgerKey, identity: Identity, own: Chain, milliseconds: int) -> int:
    """End all logs that no living process holds; return how many were left behind unfinished.

    Args:
        store: Where they are.
        key: What signs.
        identity: Which ledger it is.
        own: The log of this process, which is told of it.
        milliseconds: Now.

    Raises:
        LedgerError: The store failed.
    """
    count = 0
    merged: Mapping[str, int] | None = None
    for writer in store.writers():
        log = None if writer == own.writer else store.take_over(writer)
        if log is None:
            continue
        try:
            if merged is None:
                merged = _merged_sizes(store, Verifier(key.verifier), identity)
            found = _read(store, writer, key, identity, merged.get(writer, 0))
            count += _finish(log, found, key, identity, own, milliseconds)
        except BaseException:
            log.release()
            raise
    return count


@dataclass(frozen=True, slots=True)
class _Left:
    """What a log was left with.

    Attributes:
        walk: Its records.
        signed: How many of them are signed.
        ended: Whether its end is.
        fits: Whether all that signs it can be read and is there.
    """

    walk: Walk
    signed: int = 0
    ended: bool = False
    fits: bool = True


def _finish(
    log: Log, found: _Left, key: LedgerKey, identity: Identity, own: Chain, milliseconds: int
) -> bool:
    records, fault = found.walk.records, found.walk.fault
    torn = log.octets() - found.walk.octets
    more = bool(torn) or records > found.signed
    good = fault is None or (fault.unreadable and records >= found.signed)
    if not found.fits or not good or (found.ended and more):
        own.append("damaged", {"log": log.writer, "records": records}, milliseconds)
        own.checkpoint()
        log.end("damaged")
        return True
    died = more or (records > 0 and not found.ended)
    if died:
        # Said first, and durably: who dies in the middle of this leaves a record too many, and no drop untold.
        said = {"log": log.writer, "records": records, "signed": found.signed, "torn_octets": torn}
        own.append("recovered", said, milliseconds)
        own.checkpoint()
    if not found.ended:
        log.cut(records, found.walk.octets)
        if records:
            point = Checkpoint(identity.origin(log.writer), records, found.walk.tree.root())
            log.add_checkpoint(key.sign(point.ended().body))
    log.end("ended")
    return died


def _read(store: Store, writer: str, key: LedgerKey, identity: Identity, merged: int) -> _Left:
    verifier, origin = Verifier(key.verifier), identity.origin(writer)
    marks = defaultdict[int, list[tuple[bytes | None, str]]](list)
    signed, ended = 0, False
    try:
        for note in store.notes(writer, durable=True):  # what is concluded from them is made durable too
            point = Checkpoint.parse(verifier.open(note))
            if point.origin != origin or ended:
                return _Left(Walk(), fits=False)
            marks[point.size].append((point.root, "a checkpoint"))
            signed, ended = max(signed, point.size), point.is_last
    except LedgerError:
        return _Left(Walk(), fits=False)
    if merged > signed:  # its checkpoints are gone
        return _Left(Walk(), fits=False)
    return _Left(walk(lambda: store.lines(writer), origin, marks, tag=key.tag), signed, ended)


def _merged_sizes(store: Store, verifier: Verifier, identity: Identity) -> dict[str, int]:
    """Return how many records of each log were merged; a note that cannot be read says nothing, and ``verify`` names it."""
    sizes: dict[str, int] = {}
    for note in store.merged():
        try:
            said = Merged.parse(verifier.open(note), identity).sizes
        except LedgerError:
            continue
        for writer, size in said.items():
            sizes[writer] = max(size, sizes.get(writer, 0))
    return sizes
