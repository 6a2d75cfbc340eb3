"""The trained name model: its description in the pack, its weights, and the two readings of a text it gives.

``name_model.toml`` names the weights files, their hashes and the operating points. The quick network reads characters
alone; the full one reads Kiwi's morphemes too, where the quick one does not already rule out a name. A model of one's own
(``training/train_names.py``) is the same three files in another folder.
"""

from __future__ import annotations

import os
import tomllib
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sovguard.detect.morphology import started
from sovguard.detect.name_decoding import Named, decoded, inside_odds, log_shares
from sovguard.detect.name_features import characters, joined, morpheme_features, neighbours, words_around
from sovguard.detect.name_network import Features, Floats, NameNetwork, unpacked
from sovguard.errors import ConfigError
from sovguard.text import groups

DESCRIPTION = "name_model.toml"
_AT_ONCE = 60_000
"""Characters of short texts read in one go."""
_AROUND = 8
"""Characters read to either side of where a name may be; wider windows were measured and found nothing more."""
_SNAP = 24
_PART = 120
"""Characters of a text after which the next stretch is read apart, by another of Kiwi's threads."""


@dataclass(frozen=True, slots=True, repr=False)
class NameModel:
    """Two networks and where they are set.

    Attributes:
        quick: Reads characters alone.
        full: Reads morphemes too.
        quick_lean: Log-odds given to names for free where the quick network decides.
        full_lean: The same for the full network.
        quick_share: What the quick network's scores count for beside the full network's, 0 to 1.
        sure: Log-odds of the quick network above which a place is a name without a closer look.
        open: Log-odds of the quick network above which a place is looked at with morphemes.
    """

    quick: NameNetwork
    full: NameNetwork
    quick_lean: float
    full_lean: float
    quick_share: float
    open: float
    sure: float

    def names(self, texts: Sequence[str], *, full: bool) -> list[list[Named]]:
        """Returns the names of each text, in order.

        Args:
            texts: Normalised texts (NFC).
            full: Whether morphemes are read; otherwise characters alone.

        Raises:
            DetectionError: If morphological analysis fails.
        """
        return self.started(texts, full=full)()

    def started(self, texts: Sequence[str], *, full: bool) -> Callable[[], list[list[Named]]]:
        """Starts what ``names`` does and returns what finishes it: morphemes are read while the caller does other things."""
        some = list(groups(texts, _AT_ONCE))
        first = self._started(some[0], full) if some else None

        def finish() -> list[list[Named]]:
            found = first() if first is not None else []
            for group in some[1:]:
                found += self._started(group, full)()
            return found

        return finish

    def _started(self, texts: Sequence[str], full: bool) -> Callable[[], list[list[Named]]]:
        whole, mask, begins = joined(texts, self.quick.gap)
        ids = characters(whole)
        features = Features(ids, *neighbours(ids), words_around(whole), mask)
        logits = self.quick.scores(features)
        odds = inside_odds(logits)
        correct: Callable[[], None] | None = None
        if full:
            unsure = np.flatnonzero((odds > self.open) & (odds < self.sure))
            if places := _stretches(texts, begins, unsure):
                correct = self._look_closer(whole, begins, places, features, logits, odds)

        def finish() -> list[list[Named]]:
            if correct is not None:
                correct()
            found: list[list[Named]] = [[] for _ in texts]
            for name in decoded(logits, odds, self.full_lean if full else self.quick_lean):
                index = bisect_right(begins, name.start) - 1
                start, end = name.start - begins[index], name.end - begins[index]
                found[index].append(Named(start, end, name.probability))
            return found

        return finish

    def _look_closer(
        self,
        whole: str,
        begins: Sequence[int],
        places: Sequence[tuple[int, int, int]],
        features: Features,
        logits: Floats,
        odds: Floats,
    ) -> Callable[[], None]:
        """Starts to read the morphemes at ``places``; returns what then corrects what the quick network said there."""
        gap = self.full.gap
        origin = np.zeros(gap + sum(end - start + gap for _, start, end in places), np.intp)
        parts: list[str] = []
        runs: list[int] = []
        at, last = gap, -1
        for index, start, end in places:
            low, high = begins[index] + start, begins[index] + end
            origin[at : at + high - low] = np.arange(low, high)
            if index != last or len(parts[-1]) > _PART:
                runs.append(at)
                parts.append("")
            parts[-1] += whole[low:high] + " " * gap
            at, last = at + high - low + gap, index
        # Stretches of one text are read together, with spaces between; those of a long one in several parts, side by side.
        reading = started(parts, runs)

        def correct() -> None:
            read = morpheme_features(len(origin), reading())
            held = origin > 0
            closer = Features(
                features.characters[origin],
                features.pairs[origin],
                features.triples[origin],
                features.words[origin],
                held[:, None].astype(np.float32),
                read,
            )
            said = log_shares(self.full.scores(closer)[held])
            at = origin[held]
            # Two networks that were trained apart err apart: what the quick one said is worth a share.
            said *= 1 - self.quick_share
            said += self.quick_share * log_shares(logits[at])
            logits[at] = said
            odds[at] = inside_odds(said)

        return correct


def _stretches(
    texts: Sequence[str], begins: Sequence[int], hot: npt.NDArray[np.intp]
) -> list[tuple[int, int, int]]:
    """Returns the stretches around hot places as (text, start, end), cut between words, free of overlaps."""
    if not len(hot):
        return []
    which = np.searchsorted(begins, hot, side="right") - 1
    breaks = np.flatnonzero((np.diff(hot) > 2 * _AROUND) | (np.diff(which) > 0)) + 1
    firsts, lasts = [0, *breaks.tolist()], [*(breaks - 1).tolist(), len(hot) - 1]
    found: list[tuple[int, int, int]] = []
    for first, last in zip(firsts, lasts, strict=True):
        index = int(which[first])
        text = texts[index]
        low = max(0, int(hot[first]) - begins[index] - _AROUND)
        high = min(len(text), int(hot[last]) - begins[index] + 1 + _AROUND)
        if low:
            cut = max(text.rfind(mark, max(0, low - _SNAP), low + 1) for mark in " \n")
            low = cut + 1 if cut >= 0 else low
        if high < len(text):
            ends = [end for mark in " \n" if (end := text.find(mark, high, high + _SNAP)) >= 0]
            high = min(ends, default=high)
        if found and found[-1][0] == index and found[-1][2] >= low:
            low = found.pop()[1]
        found.append((index, low, high))
    return found


@cache
def built_in() -> NameModel:
    """Returns the pack's model, read once.

    Raises:
        ConfigError: If a file is missing or not the one it should be.
    """
    return _load(resources.files("sovguard.recognizers"))


def load(folder: str | os.PathLike[str]) -> NameModel:
    """Returns a model of one's own from its folder.

    Raises:
        ConfigError: If a file is missing, not the one it should be, or of another version.
    """
    return _load(Path(folder))  # a Path is a Traversable


def _load(folder: Traversable) -> NameModel:
    try:
        settings = tomllib.loads(folder.joinpath(DESCRIPTION).read_text("utf-8"))
        quick, full = settings["quick"], settings["full"]
        return NameModel(
            quick=_network(folder, quick),
            full=_network(folder, full),
            quick_lean=float(quick["lean"]),
            full_lean=float(full["lean"]),
            quick_share=float(full["quick_share"]),
            open=float(full["open"]),
            sure=float(full["sure"]),
        )
    except (OSError, UnicodeError, KeyError, TypeError, ValueError):
        raise ConfigError(
            f"the name model's {DESCRIPTION}, or a file it names, is missing or wrong; install or train it again"
        ) from None


def _network(folder: Traversable, part: Mapping[str, Any]) -> NameNetwork:
    arrays, about = unpacked(folder.joinpath(part["file"]).read_bytes(), part["sha256"])
    return NameNetwork(arrays, tuple(about["dilations"]))
