"""What a process that died has left behind: its log loses half a line, keeps every whole one, and is signed and ended.

A log that does not fit what was signed of it is not signed again: that would make a change of it look like the truth. It is
noted as damaged, and ``verify`` says what is wrong with it.
"""

from __future__ import annotations

from collections import defaultdict

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
    for writer in store.writers():
        log = None if writer == own.writer else store.take_over(writer)
        if log is None:
            continue
        try:
            count += _finish(store, log, key, identity, own, milliseconds)
        except BaseException:
            log.release()
            raise
    return count


def _finish(
    store: Store, log: Log, key: LedgerKey, identity: Identity, own: Chain, milliseconds: int
) -> bool:
    found, signed, fits = _read(store, log.writer, Verifier(key.verifier), identity)
    torn = log.octets() - found.octets
    if not fits or (found.fault is not None and not (found.fault.unreadable and found.records >= signed)):
        own.append("damaged", {"log": log.writer, "records": found.records}, milliseconds)
        own.checkpoint()
        log.end("damaged")
        return True
    if torn or found.records > signed:
        # Said first, and durably: who dies in the middle of this leaves a record too many, and no drop untold.
        said = {"log": log.writer, "records": found.records, "signed": signed, "torn_octets": torn}
        own.append("recovered", said, milliseconds)
        own.checkpoint()
        log.cut(found.records, found.octets)
        if found.records > signed:
            point = Checkpoint(identity.origin(log.writer), found.records, found.tree.root())
            log.add_checkpoint(key.sign(point.body))
    log.end("ended")
    return bool(torn or found.records > signed)


def _read(store: Store, writer: str, verifier: Verifier, identity: Identity) -> tuple[Walk, int, bool]:
    """Return what a log holds, how much of it is signed, and whether all that signs it can be read."""
    marks = defaultdict[int, list[tuple[bytes | None, str]]](list)
    signed, origin = 0, identity.origin(writer)
    try:
        for note in store.notes(writer):
            point = Checkpoint.parse(verifier.open(note))
            if point.origin != origin:
                return Walk(), 0, False
            marks[point.size].append((point.root, "a checkpoint"))
            signed = max(signed, point.size)
        for note in store.merged():
            size = Merged.parse(verifier.open(note), identity).sizes.get(writer, 0)
            if size > signed:  # its checkpoints are gone
                return Walk(), 0, False
    except LedgerError:
        return Walk(), 0, False
    return walk(lambda: store.lines(writer), origin, marks), signed, True
