"""ko-pii: ``detect_all``, its call for detection alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PACKAGES = ("ko-pii",)


def load(labels: list[str] | None = None) -> Callable[[list[str]], list[Any]]:
    """A function from texts to ko-pii's detections, of all labels or of some."""
    from ko_pii import detect_all

    return lambda texts: [detect_all(text, include=labels) for text in texts]


def spans(text: str, found: Any) -> list[tuple[int, int, str]]:
    """The detections of one text as (start, end, type)."""
    return [(hit.start, hit.end, hit.label) for hit in found]
