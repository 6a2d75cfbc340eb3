"""sovguard itself: ``Guard.scan`` on the list of texts, or on one text after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PACKAGES = ("sovguard", "kiwipiepy", "regex")


def load(names: str, batch: bool = True) -> Callable[[list[str]], list[Any]]:
    """A function from texts to sovguard's detections."""
    from sovguard import Guard

    guard = Guard(names=names)
    if batch:
        return guard.scan
    return lambda texts: [guard.scan(text) for text in texts]


def spans(text: str, found: Any) -> list[tuple[int, int, str]]:
    """The detections of one text as (start, end, type)."""
    return [(hit.start, hit.end, hit.entity_type) for hit in found]
