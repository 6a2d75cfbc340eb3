"""What becomes of the texts of a piece: each different one is asked for once, with the label it is read under."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sovguard.entities import Detection
from sovguard.errors import InputError
from sovguard.pipeline.cells import Outcome

Pair = tuple[str, str]
"""A label, which may be empty, and a text."""


class Answers:
    """What became of texts.

    Args:
        asked: The texts that were asked for.
        work: Tells what becomes of texts by their labels.
    """

    __slots__ = ("_asked", "_outcomes", "_touched", "outcomes")

    def __init__(
        self, asked: Mapping[Pair, None], work: Callable[[dict[str, list[str]]], Sequence[Outcome]]
    ) -> None:
        by_label: dict[str, list[str]] = {}
        for label, text in asked:
            # A number is a text of another class there, which nobody else has to know.
            by_label.setdefault(label, []).append(text if type(text) is str else str(text))
        self.outcomes = work(by_label)
        """What became of the texts of each label."""
        self._asked = asked
        self._touched: dict[Pair, tuple[Outcome, int]] = {}
        for (label, texts), outcome in zip(by_label.items(), self.outcomes, strict=True):
            for place, (text, new, hits) in enumerate(zip(texts, outcome.texts, outcome.found, strict=True)):
                if hits or new is not text:
                    self._touched[label, text] = outcome, place

    def __repr__(self) -> str:
        return f"Answers({len(self._touched)} of {len(self._asked)} texts touched)"

    def leaves(self, pairs: Iterable[Pair]) -> bool:
        """Tell whether in none of some texts anything was found, replaced or wrong."""
        return self._touched.keys().isdisjoint(pairs)

    def touches(self, pair: Pair) -> bool:
        """Tell whether in a text something was found, replaced or wrong.

        Raises:
            InputError: It was not asked for.
        """
        if pair in self._touched:
            return True
        if pair not in self._asked:
            raise InputError("a text of it was not looked through; tell the makers of sovguard")
        return False

    def new(self, pair: Pair) -> str:
        """Return what takes the place of a text.

        Raises:
            InputError: It could not be worked on, or was not asked for.
        """
        if not self.touches(pair):
            return pair[1]
        outcome, place = self._touched[pair]
        new = outcome.texts[place]
        if new is None:
            raise InputError(outcome.errors[place])
        return new

    def found(self, pair: Pair) -> Sequence[Detection]:
        """Return what was found in a text."""
        if not self.touches(pair):
            return ()
        outcome, place = self._touched[pair]
        return outcome.found[place]
