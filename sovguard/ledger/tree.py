"""The Merkle tree of RFC 6962 over lines: its root as they come, and proofs of what it holds and of what it grew from.

Pure functions of octets; nothing here reads, writes or knows what a record is. A proof is a list of hashes of 32 octets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of what stands above two hashes."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows: it keeps the roots of its complete subtrees alone, one for each bit of its size."""

    __slots__ = ("_peaks", "size")

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._peaks: list[bytes] = []
        for each in leaves:
            self.append(each)

    def __repr__(self) -> str:
        return f"Frontier({self.size} leaves)"

    def append(self, leaf_hash: bytes) -> None:
        """Add a leaf behind the others."""
        size, peaks = self.size, self._peaks
        self.size = size + 1
        while size & 1:
            leaf_hash = sha256(b"\x01" + peaks.pop() + leaf_hash).digest()
            size >>= 1
        peaks.append(leaf_hash)

    def root(self) -> bytes:
        """Return the root of all leaves that were added."""
        if not self._peaks:
            return EMPTY
        *rest, found = self._peaks
        for peak in reversed(rest):
            found = node(peak, found)
        return found


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over hashes of leaves."""
    return Frontier(leaves).root()


def _split(size: int) -> int:
    """Return the largest power of two that is smaller than ``size``: what stands on the left."""
    return 1 << (size - 1).bit_length() - 1


def inclusion(leaves: Sequence[bytes], number: int) -> list[bytes]:
    """Return the proof that the tree over ``leaves`` holds the leaf of this number (RFC 6962, 2.1.1).

    Raises:
        ValueError: There is no such leaf.
    """
    if not 0 <= number < len(leaves):
        raise ValueError("the tree has no leaf of this number")
    proof = []
    first, end = 0, len(leaves)
    while end - first > 1:
        middle = first + _split(end - first)
        if number < middle:
            proof.append(root(leaves[middle:end]))
            end = middle
        else:
            proof.append(root(leaves[first:middle]))
            first = middle
    return proof[::-1]


def consistency(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """Return the proof that the tree over ``leaves`` grew from the one over its first ``size`` (RFC 6962, 2.1.2).

    Raises:
        ValueError: It is not larger than zero, or larger than the tree.
    """
    if not 0 < size <= len(leaves):
        raise ValueError("a tree grows from one of at least one leaf that is not larger than it")
    proof = []
    first, end, whole = 0, len(leaves), True
    while first + size < end:
        middle = first + _split(end - first)
        if first + size <= middle:
            proof.append(root(leaves[middle:end]))
            end = middle
        else:
            proof.append(root(leaves[first:middle]))
            size -= middle - first
            first, whole = middle, False
    if not whole:
        proof.append(root(leaves[first:end]))
    return proof[::-1]


def includes(leaf_hash: bytes, number: int, size: int, proof: Sequence[bytes], root_hash: bytes) -> bool:
    """Tell whether ``proof`` shows that the tree of ``size`` leaves with this root holds the leaf (RFC 9162, 2.1.3.2)."""
    if not 0 <= number < size:
        return False
    at, last, found = number, size - 1, leaf_hash
    for each in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node(each, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, each)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root_hash


def extends(size: int, root_hash: bytes, larger: int, larger_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether ``proof`` shows that the larger tree grew from the smaller one (RFC 9162, 2.1.4.2)."""
    if not 0 < size <= larger:
        return False
    if size == larger:
        return not proof and root_hash == larger_root
    # A smaller tree that is complete is the first hash of the proof, and is not repeated in it.
    path = [root_hash, *proof] if size & (size - 1) == 0 else list(proof)
    if not path:
        return False
    at, last = size - 1, larger - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for each in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node(each, old), node(each, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node(new, each)
        at, last = at >> 1, last >> 1
    return last == 0 and old == root_hash and new == larger_root
