"""A record that can be shown to someone who has nothing but it, a short proof, and the public verifier string."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from sovguard.errors import ConfigError, LedgerError
from sovguard.ledger.notes import Checkpoint, is_writer
from sovguard.ledger.records import is_canonical, parse
from sovguard.ledger.signing import Verifier
from sovguard.ledger.stores import open_store
from sovguard.ledger.tree import includes, inclusion, leaf, root

_FORMAT = 1


def prove(address: str, writer: str, number: int) -> dict[str, Any]:
    """Return the proof that a record is in the ledger, as JSON: its line, the checkpoint that covers it, the hashes between.

    Args:
        address: As for ``open_ledger``.
        writer: In which log.
        number: Which record.

    Raises:
        ConfigError: There is no such record, or no ledger.
        LedgerError: No checkpoint covers it yet, or the log is not what was signed.
    """
    store = open_store(address)
    try:
        if store.identity() is None:
            raise ConfigError("there is no ledger at this address; make one with 'sovguard ledger init'")
        if writer not in store.writers() or number < 0:
            raise ConfigError("there is no such record; 'sovguard ledger status' lists the logs")
        for each in store.notes(writer):
            note = each.decode("utf-8", "replace")
            try:
                point = Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
            except LedgerError:
                raise LedgerError(
                    "the log has a checkpoint that is none: run 'sovguard ledger verify'"
                ) from None
            if point.size > number:
                break
        else:
            raise LedgerError(
                "no checkpoint covers this record yet, or there is no such record: try again in some seconds"
            )
        leaves, line = [], b""
        for position, each in enumerate(store.lines(writer)):
            if position == point.size:
                break
            line = each if position == number else line
            leaves.append(leaf(each))
    finally:
        store.close()
    if len(leaves) != point.size or root(leaves) != point.root:
        raise LedgerError("the log is not what was signed: run 'sovguard ledger verify'")
    return {
        "sovguard-ledger-proof": _FORMAT,
        "number": number,
        "line": line.decode(),
        "checkpoint": note,
        "proof": [base64.b64encode(each).decode() for each in inclusion(leaves, number)],
    }


def check(proof: Mapping[str, Any], verifier: str) -> dict[str, Any]:
    """Return the record that a proof shows, with its ``writer``.

    Args:
        proof: What ``prove`` returned.
        verifier: What ``LedgerKey.verifier`` says.

    Raises:
        ConfigError: The verifier is none.
        LedgerError: It proves nothing: it is no proof, was changed, or is of a ledger of another key.
    """
    public = Verifier(verifier)
    try:
        if proof["sovguard-ledger-proof"] != _FORMAT:
            raise LedgerError("the proof is of another version of sovguard; use that version")
        if type(proof["number"]) is not int:
            raise ValueError
        number, line, note = proof["number"], str(proof["line"]).encode(), str(proof["checkpoint"])
        hashes = [base64.b64decode(each, validate=True) for each in proof["proof"]]
        record = parse(line)
    except (KeyError, TypeError, ValueError):
        raise LedgerError(
            "this is no proof of a record: use what 'sovguard ledger prove' printed, whole"
        ) from None
    point = Checkpoint.parse(public.open(note))
    writer = point.origin.rpartition("/")[2]
    if not is_writer(writer) or record["n"] != number or not is_canonical(line, record):
        raise LedgerError("the proof does not fit its record: they are not of one log")
    if not includes(leaf(line), number, point.size, hashes, point.root):
        raise LedgerError("the record is not the one that was signed, or the proof was changed")
    return {**record, "writer": writer}
