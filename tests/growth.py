"""How the cost of a call grows with its input, for tests that no input is worked on in more than linear time."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

ROUNDS = 8


def assert_linear(work: Callable[[str], object], small: str, large: str, *, factor: float = 4.0) -> None:
    """A character of a large text costs about what one of a small text costs.

    Both costs are the best of several rounds: what else the machine does makes a round dearer and never cheaper, so that
    the first rounds that agree decide. What is quadratic costs as many times more as the text is longer, in every round.

    Args:
        work: What is measured.
        small: A text that takes it some milliseconds.
        large: What is to cost no more: one of the same kind, many more than ``factor`` times as long.
        factor: How much more a character may cost.
    """
    cheap = dear = float("inf")
    for _ in range(ROUNDS):
        cheap = min(cheap, *(_per_character(work, small) for _ in range(3)))
        dear = min(dear, _per_character(work, large))
        if dear < factor * cheap:
            return
    raise AssertionError(f"a character costs {dear / cheap:.1f} times as much in a text of {len(large):,}")


def _per_character(work: Callable[[str], object], text: str) -> float:
    """Return the processor time that a character takes, without the collection of what other tests have left."""
    collects = gc.isenabled()
    gc.disable()
    try:
        start = time.process_time()
        work(text)
        return (time.process_time() - start) / len(text)
    finally:
        if collects:
            gc.enable()
