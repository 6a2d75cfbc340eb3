"""piighost with Presidio as its detector: what it costs to run the same recognizers inside its pipeline.

piighost ships no patterns: they come from a catalog over the network or from a detector that is plugged in. The one
it offers that works without a model or a network is Presidio's analyzer, so that is what it gets here, set up as for
``presidio``.
"""

from __future__ import annotations

import asyncio
import runpy
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGES = ("piighost", "presidio-analyzer")
PRESIDIO = Path(__file__).with_name("presidio.py")


def load() -> Callable[[list[str]], list[Any]]:
    """A function from texts to piighost's detections; its calls are asynchronous, and awaited one after the other."""
    presidio = runpy.run_path(str(PRESIDIO))
    analyzer = presidio["korean_analyzer"]()
    from piighost.components.detector.ner.presidio import PresidioDetector

    labels = analyzer.get_supported_entities(presidio["LANGUAGE"])
    detector = PresidioDetector(analyzer, labels, language=presidio["LANGUAGE"])
    here = threading.local()

    async def detect(texts: list[str]) -> list[Any]:
        return [await detector.detect(text) for text in texts]

    def find(texts: list[str]) -> list[Any]:
        # A service has its loop already; making one for every call would be charged to the engine.
        if not hasattr(here, "runner"):
            here.runner = asyncio.Runner()
        return here.runner.run(detect(texts))

    return find


def spans(text: str, found: Any) -> list[tuple[int, int, str]]:
    """One text's detections after piighost's own resolver has settled overlaps, as (start, end, type)."""
    from piighost.components.overlap_resolver import ConfidenceOverlapResolver

    settled = ConfidenceOverlapResolver().resolve(found)
    return [(hit.span.start, hit.span.end, hit.label) for hit in settled]
