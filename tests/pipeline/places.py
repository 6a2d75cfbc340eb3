"""What the tests of pipelines share: a guard that finds made-up values by pattern, and a key."""

from __future__ import annotations

from collections.abc import Sequence

from sovguard import Guard
from sovguard.entities import Detection
from sovguard.errors import DetectionError
from sovguard.vaultless import Scope, Vaultless
from tests.servers import PatternAnalyzer

KEY = bytes(range(64))
SCOPE = Scope("은행", dataset="상담")
SEALED = Vaultless(KEY, SCOPE)
BAD = "나쁜 글"


class Stumbling(PatternAnalyzer):
    """Finds by pattern, and fails at a certain text."""

    def analyze(self, texts: Sequence[str]) -> list[list[Detection]]:
        """Return what is found in each text."""
        if any(BAD in text for text in texts):
            raise DetectionError("a pattern took too long")
        return super().analyze(texts)


def finder() -> Guard:
    """A guard that finds the made-up values of ``tests.servers``, and fails at ``BAD``."""
    return Guard(names="off", _analyzer=Stumbling())
