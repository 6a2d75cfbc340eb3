"""Analyzers that find what a test tells them to, quick and nothing like what real text looks like; and a watched vault."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sovguard.entities import Detection, Evidence
from sovguard.errors import ConfigError
from sovguard.vault import MemoryVault
from sovguard.vault.waiting import LoopWaiting

EVIDENCE = Evidence("fake")


def detection(entity_type: str, start: int, end: int) -> Detection:
    """Return a detection that says no more than where."""
    return Detection(entity_type, start, end, 1.0, "fake", EVIDENCE)


class Words:
    """Finds given words wherever they stand; remembers the batches it was asked about."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self.words = words
        self.batches: list[list[str]] = []

    def analyze(self, texts: Sequence[str]) -> list[list[Detection]]:
        """Return where the words stand in each text."""
        self.batches.append(list(texts))
        return [self._find(text) for text in texts]

    def _find(self, text: str) -> list[Detection]:
        found: list[Detection] = []
        position = 0
        while position < len(text):
            word = next((word for word in self.words if text.startswith(word, position)), None)
            if word is None:
                position += 1
                continue
            found.append(detection(self.words[word], position, position + len(word)))
            position += len(word)
        return found


class Spans:
    """Answers with the same detections whatever the texts are: one list for each text of the next batch."""

    def __init__(self, *answers: list[Detection]) -> None:
        self.answers = list(answers)

    def analyze(self, texts: Sequence[str]) -> list[list[Detection]]:
        """Return the answers as given."""
        return self.answers


class Nothing:
    """Finds nothing."""

    def analyze(self, texts: Sequence[str]) -> list[list[Detection]]:
        """Return an empty list for each text."""
        return [[] for _ in texts]


class WatchedVault(MemoryVault):
    """A vault as slow as a server: asked on an event loop's own thread, it would hold up everything else on it."""

    waits = True  # type: ignore[misc]

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if name in ("open", "put", "get", "note", "people", "entries", "forget"):
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                self.asked["beside"] += 1
            else:
                self.asked["on the loop"] += 1
        return super().__getattribute__(name)


class LoopVault(MemoryVault):
    """A vault that an event loop waits for, whichever runs: asked by a plain call in it, it fails."""

    waits = True  # type: ignore[misc]
    asynchronous = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if name in ("open", "put", "get", "note", "people", "entries", "forget"):
            try:
                waiting = LoopWaiting()
            except ConfigError:
                self.asked["beside"] += 1
            else:
                waiting.call(asyncio.sleep, 0)
                self.asked["in the loop"] += 1
        return super().__getattribute__(name)
