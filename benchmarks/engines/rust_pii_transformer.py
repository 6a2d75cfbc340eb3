"""rust_pii_transformer: ``detect`` with its default configuration, which its manual recommends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PACKAGES = ("rust-pii-transformer",)


def load() -> Callable[[list[str]], list[Any]]:
    """A function from texts to the engine's findings."""
    from rust_pii_transformer import detect

    return lambda texts: [detect(text).findings for text in texts]


def spans(text: str, found: Any) -> list[tuple[int, int, str]]:
    """The findings of one text as (start, end, type), in characters."""
    return [(hit.source.char_start, hit.source.char_end, hit.entity) for hit in found]
