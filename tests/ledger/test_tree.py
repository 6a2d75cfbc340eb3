from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard.ledger.tree import (
    EMPTY,
    Frontier,
    consistency,
    extends,
    includes,
    inclusion,
    leaf,
    node,
    root,
)

h = bytes.fromhex
# The data that implementations of Certificate Transparency (RFC 6962) share.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [leaf(h(each)) for each in LEAVES]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 defines it."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    split = naive_split(len(leaves))
    return node(naive_root(leaves[:split]), naive_root(leaves[split:]))


def naive_split(size: int) -> int:
    """The largest power of two below."""
    split = 1
    while split * 2 < size:
        split *= 2
    return split


def naive_path(number: int, leaves: list[bytes]) -> list[bytes]:
    """PATH as RFC 6962 defines it."""
    if len(leaves) == 1:
        return []
    split = naive_split(len(leaves))
    if number < split:
        return [*naive_path(number, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_path(number - split, leaves[split:]), naive_root(leaves[:split])]


def naive_subproof(size: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF as RFC 6962 defines it."""
    if size == len(leaves):
        return [] if whole else [naive_root(leaves)]
    split = naive_split(len(leaves))
    if size <= split:
        return [*naive_subproof(size, leaves[:split], whole), naive_root(leaves[split:])]
    return [*naive_subproof(size - split, leaves[split:], False), naive_root(leaves[:split])]


def test_roots_are_the_published_ones() -> None:
    """The tree over the first n leaves has the root that others compute."""
    for size, expected in enumerate(ROOTS):
        assert root(HASHES[:size]).hex() == expected


def test_proofs_are_the_published_ones() -> None:
    """Proofs are those of the implementations whose data this is, and verify."""
    for (number, size), proof in INCLUSION.items():
        assert [each.hex() for each in inclusion(HASHES[:size], number)] == proof
        assert includes(HASHES[number], number, size, [h(each) for each in proof], h(ROOTS[size]))
    for (size, larger), proof in CONSISTENCY.items():
        assert [each.hex() for each in consistency(HASHES[:larger], size)] == proof
        assert extends(size, h(ROOTS[size]), larger, h(ROOTS[larger]), [h(each) for each in proof])


LISTS = st.integers(1, 70).map(lambda size: [leaf(bytes([each])) for each in range(size)])


@given(LISTS, st.data())
def test_proofs_are_as_they_are_defined(leaves: list[bytes], data: st.DataObject) -> None:
    """Root and proofs equal the recursive definition of the RFC, and what is proved verifies."""
    number = data.draw(st.integers(0, len(leaves) - 1))
    over = naive_root(leaves)
    assert Frontier(leaves).root() == root(leaves) == over
    path = inclusion(leaves, number)
    assert path == naive_path(number, leaves)
    assert includes(leaves[number], number, len(leaves), path, over)
    proof = consistency(leaves, number + 1)
    assert proof == naive_subproof(number + 1, leaves, True)
    assert extends(number + 1, naive_root(leaves[: number + 1]), len(leaves), over, proof)


@given(LISTS, st.data())
def test_nothing_else_verifies(leaves: list[bytes], data: st.DataObject) -> None:
    """A proof with another leaf, number, size or root, a hash more, less or changed proves nothing."""
    number, size = data.draw(st.integers(0, len(leaves) - 1)), len(leaves)
    over, path = root(leaves), inclusion(leaves, number)
    other = leaf(b"another")
    assert not includes(other, number, size, path, over)
    assert not includes(leaves[number], number, size, path, other)
    assert not includes(leaves[number], number, size, [*path, other], over)
    assert not includes(leaves[number], size, size, path, over)
    assert not includes(leaves[number], -1, size, path, over)
    for position in range(len(path)):
        assert not includes(
            leaves[number], number, size, [*path[:position], other, *path[position + 1 :]], over
        )
        assert not includes(leaves[number], number, size, path[:position], over)
    old, proof = root(leaves[: number + 1]), consistency(leaves, number + 1)
    assert not extends(number + 1, other, size, over, proof)
    assert not extends(number + 1, old, size, other, proof)
    assert not extends(number + 1, old, size, over, [*proof, other])
    assert not extends(0, EMPTY, size, over, [])
    assert not extends(size + 1, over, size, over, [])
    for position in range(len(proof)):
        changed = [*proof[:position], other, *proof[position + 1 :]]
        assert not extends(number + 1, old, size, over, changed)
        assert not extends(number + 1, old, size, over, proof[:position])


def test_what_is_not_there_is_not_proved() -> None:
    """A number or a size beyond the tree is refused."""
    for number in (-1, 8):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion(HASHES, number)
    for size in (0, 9):
        with pytest.raises(ValueError, match="grows from"):
            consistency(HASHES, size)
    assert repr(Frontier(HASHES)) == "Frontier(8 leaves)"
