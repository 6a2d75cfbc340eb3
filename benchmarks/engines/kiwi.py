"""Kiwi alone: morphemes, no detection. What a mode that uses Kiwi cannot be faster than."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PACKAGES = ("kiwipiepy", "kiwipiepy-model")


def load() -> Callable[[list[str]], list[Any]]:
    """A function from texts to Kiwi's morphemes, in one call that uses Kiwi's own threads."""
    from kiwipiepy import Kiwi

    kiwi = Kiwi(load_multi_dict=False)
    return lambda texts: list(kiwi.tokenize(texts))


def spans(text: str, found: Any) -> list[tuple[int, int, str]]:
    """The morphemes of one text as (start, end, tag)."""
    return [(morpheme.start, morpheme.end, morpheme.tag) for morpheme in found]
