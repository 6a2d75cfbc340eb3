"""One note for all logs: a tree with a leaf for each writer, the head of its last checkpoint. Kept elsewhere, it fixes all.

It has the form of a checkpoint, and below its root a line for each writer with its size, so that the note by itself names what
is gone. It is no head of a log that grows: what it says of a writer is replaced by what a later one says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sovguard.errors import LedgerError
from sovguard.ledger.notes import MERGED, Checkpoint, Identity, is_writer
from sovguard.ledger.signing import LedgerKey, Verifier
from sovguard.ledger.stores import Store
from sovguard.ledger.tree import leaf, root


@dataclass(frozen=True, slots=True)
class Merged:
    """How far each log had come.

    Attributes:
        sizes: How many records the latest checkpoint of each writer covered.
        root: The root over the heads of those checkpoints.
    """

    sizes: Mapping[str, int]
    root: bytes

    @classmethod
    def parse(cls, body: str, identity: Identity) -> Merged:
        """Return what the text of a merged note says.

        Raises:
            LedgerError: It is none of this ledger.
        """
        point = Checkpoint.parse(body)
        pairs = [line.split(" ") for line in point.extensions]
        good = identity.log(point.origin) == MERGED and all(
            len(pair) == 2 and is_writer(pair[0]) and pair[1].isascii() and pair[1].isdecimal()
            for pair in pairs
        )
        sizes = {writer: int(size) for writer, size in pairs} if good else {}
        if not good or len(sizes) != point.size or list(sizes) != sorted(sizes):
            raise LedgerError("this is no merged note of this ledger")
        return cls(sizes, point.root)

    def fits(self, bodies: Mapping[str, str]) -> bool:
        """Tell whether these texts of checkpoints, by writer, are the ones that were merged."""
        return root_over(bodies) == self.root


def root_over(bodies: Mapping[str, str]) -> bytes:
    """Return the root over the texts of checkpoints, by writer."""
    return root([leaf(bodies[writer].encode()) for writer in sorted(bodies)])


def merge(store: Store, key: LedgerKey, identity: Identity) -> str:
    """Write a merged note of the checkpoints that there are, and return it.

    A checkpoint that this key has not signed is passed over: ``verify`` names it, and it keeps nobody from fixing the rest.

    Raises:
        LedgerError: The store failed.
    """
    verifier = Verifier(key.verifier)
    points = {}
    with store.merging():
        for writer in store.writers():
            for note in reversed(store.notes(writer, durable=True)):
                try:
                    point = Checkpoint.parse(verifier.open(note))
                except LedgerError:
                    continue
                if point.origin == identity.origin(writer):
                    points[writer] = point.head
                    break
        over = root_over({writer: point.body for writer, point in points.items()})
        lines = tuple(f"{writer} {points[writer].size}" for writer in sorted(points))
        made = key.sign(Checkpoint(identity.origin(MERGED), len(points), over, lines).body)
        store.add_merged(made)
    return made
