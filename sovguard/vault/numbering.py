"""Numbers for new surrogates: blocks of 32, one for each person, and one that everything else shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sovguard.surrogates import ALPHABET, BODY_LENGTH, FORMS, NAMESPACE_LENGTH, NUMBERS_PER_NAMESPACE

Block = tuple[str, int, int]
"""The namespace of a block, its next number and the number behind its last."""


class Numbers:
    """Draws numbers without changing what they are drawn from; what was drawn is kept by whoever stores it.

    Args:
        namespace: The newest namespace.
        next_number: Its first number that belongs to no block.
        blocks: For each person, and under an empty key for everything else, the block in use.

    Attributes:
        namespace: The newest namespace by now.
        next_number: Its first free number by now.
        blocks: The blocks that numbers were drawn from, as they are by now.
        drawn: Namespaces that were needed besides.
    """

    __slots__ = ("_old", "blocks", "drawn", "namespace", "next_number")

    def __init__(self, namespace: str, next_number: int, blocks: Mapping[str, Block]) -> None:
        self.namespace, self.next_number, self._old = namespace, next_number, blocks
        self.blocks: dict[str, Block] = {}
        self.drawn: list[str] = []

    def next_for(self, person: str, draw: Callable[[], str]) -> tuple[str, int]:
        """Return a namespace and a number of the block of ``person``; ``draw`` gives a further namespace."""
        block = self.blocks.get(person) or self._old.get(person)
        if block is None or block[1] == block[2]:
            if self.next_number == NUMBERS_PER_NAMESPACE:
                self.namespace, self.next_number = draw(), 0
                self.drawn.append(self.namespace)
            block = (self.namespace, self.next_number, self.next_number + FORMS)
            self.next_number += FORMS
        namespace, number, end = block
        self.blocks[person] = (namespace, number + 1, end)
        return namespace, number


def block_of(surrogate: str) -> Block:
    """Return the block of a canonical surrogate that was the last minted in it."""
    body = surrogate[-BODY_LENGTH:]
    number = 0
    for symbol in body[NAMESPACE_LENGTH:-1]:
        number = number * len(ALPHABET) + ALPHABET.index(symbol)
    return body[:NAMESPACE_LENGTH], number + 1, number - number % FORMS + FORMS
