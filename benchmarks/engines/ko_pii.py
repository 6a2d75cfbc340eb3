"""ko-pii: ``detect_all``, its call for detection alone.

ko-pii refuses a registration number of somebody who is not born yet, as it should; the numbers of the corpora and the
workloads are of such people, so that they are nobody's. It is told that today is later, or it would be charged with
refusing nearly every one of them.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

PACKAGES = ("ko-pii",)


class _Later(datetime.date):
    """Dates, in a year in which everybody of the workloads has been born."""

    @classmethod
    def today(cls) -> _Later:
        return cls(2100, 1, 1)


def load(labels: list[str] | None = None) -> Callable[[list[str]], list[Any]]:
    """A function from texts to ko-pii's detections, of all labels or of some."""
    from ko_pii import detect_all
    from ko_pii.patterns import frn, rrn

    rrn.date = frn.date = _Later
    return lambda texts: [detect_all(text, include=labels) for text in texts]


def spans(text: str, found: Any) -> list[tuple[int, int, str]]:
    """The detections of one text as (start, end, type)."""
    return [(hit.start, hit.end, hit.label) for hit in found]
