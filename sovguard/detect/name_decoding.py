"""From the scores of tags to names: the best well-formed reading of each stretch that may hold one.

Most characters of a text are plainly outside; only the short stretches between them are read, with Viterbi's algorithm
over the five tags.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sovguard.detect.name_network import Floats

_MARGIN = 4.0
"""How far below the winner, in log-odds, a tag may lie and still turn up in the best reading."""

_FAR = -10.0
"""Log-odds below which the four tags of a name are not summed: the largest alone says that there is none."""
_LONGEST = 40
"""Characters: what is longer is no name but text of one letter."""

_OUTSIDE, _BEGIN, _INSIDE, _END, _SINGLE = range(5)
_AFTER = {
    _OUTSIDE: (_OUTSIDE, _END, _SINGLE),
    _BEGIN: (_OUTSIDE, _END, _SINGLE),
    _INSIDE: (_BEGIN, _INSIDE),
    _END: (_BEGIN, _INSIDE),
    _SINGLE: (_OUTSIDE, _END, _SINGLE),
}
"""Which tags may stand before each."""


class Named(NamedTuple):
    """A name: its place, and how sure the model is that none of it lies outside one (0 to 1)."""

    start: int
    end: int
    probability: float


def inside_odds(logits: Floats) -> Floats:
    """Returns for each character the log-odds that it is part of a name; about right where they are far below any use."""
    found = np.maximum(np.maximum(logits[:, 1], logits[:, 2]), np.maximum(logits[:, 3], logits[:, 4]))
    found -= logits[:, 0]
    near = np.flatnonzero(found > _FAR)
    inside = logits[near, 1:]
    most = inside.max(1)
    found[near] = most + np.log(np.exp(inside - most[:, None]).sum(1)) - logits[near, 0]
    return found


def log_shares(logits: Floats) -> Floats:
    """Returns scores as logarithms of probabilities, so that those of two networks can be added."""
    shares: Floats = logits - logits.max(1, keepdims=True)
    shares -= np.log(np.exp(shares).sum(1, keepdims=True))
    return shares


def decoded(logits: Floats, odds: Floats, lean: float) -> Iterator[Named]:
    """Yields the names that the scores speak for, in order.

    Args:
        logits: Scores of the tags, shape (characters, 5).
        odds: What ``inside_odds`` says of them.
        lean: Log-odds given to names for free: a miss costs more than a false hit, so it is above 0.
    """
    hot = np.flatnonzero(odds > -lean - _MARGIN)
    if not len(hot):
        return
    breaks = np.flatnonzero(np.diff(hot) > 1) + 1
    for stretch in np.split(hot, breaks):
        low, high = int(stretch[0]), int(stretch[-1]) + 1
        if float(odds[low:high].max()) < -lean - 1.0:
            continue
        for start, end in _best(logits[low:high].tolist(), lean):
            if end - start > _LONGEST:
                continue
            mean = float(odds[low + start : low + end].mean())
            yield Named(low + start, low + end, 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, mean)))))


def _best(rows: list[list[float]], lean: float) -> Iterator[tuple[int, int]]:
    worst = -1e9
    scores = [rows[0][_OUTSIDE] - lean, rows[0][_BEGIN], worst, worst, rows[0][_SINGLE]]
    back: list[list[int]] = []
    for row in rows[1:]:
        came: list[int] = []
        new: list[float] = []
        for tag in range(5):
            best = max(_AFTER[tag], key=scores.__getitem__)
            came.append(best)
            new.append(scores[best] + row[tag] - (lean if tag == _OUTSIDE else 0.0))
        back.append(came)
        scores = new
    tag = max((_OUTSIDE, _END, _SINGLE), key=scores.__getitem__)
    tags = [tag]
    for came in reversed(back):
        tag = came[tag]
        tags.append(tag)
    tags.reverse()
    start = 0
    for index, tag in enumerate(tags):
        if tag == _SINGLE:
            yield index, index + 1
        elif tag == _BEGIN:
            start = index
        elif tag == _END:
            yield start, index + 1
