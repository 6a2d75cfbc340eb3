"""A text of which only some stretches say something, between code that stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sovguard.pipeline.files.documents.passages import Slot


class Stretches:
    """A slot taken to pieces, each of which is a slot.

    Args:
        slot: The slot.
        said: What stretches to read: the groups of each match, or, if ``between``, what stands between matches.
        between: Whether matches are the code.
    """

    def __init__(self, slot: Slot, said: re.Pattern[str], *, between: bool = False) -> None:
        self._slot = slot
        text = slot.read()
        spans = list(_between(text, said) if between else _groups(text, said))
        self._parts: list[str] = []
        self.slots: list[_Stretch] = []
        position = 0
        for start, end in spans:
            self._parts += (text[position:start], text[start:end])
            self.slots.append(_Stretch(self, len(self._parts) - 1))
            position = end
        self._parts.append(text[position:])

    def __repr__(self) -> str:
        return f"Stretches({len(self.slots)})"

    def read(self, place: int) -> str:
        """Return what a stretch says."""
        return self._parts[place]

    def write(self, place: int, text: str) -> None:
        """Let a stretch say something else."""
        self._parts[place] = text
        self._slot.write("".join(self._parts))


class _Stretch:
    def __init__(self, whole: Stretches, place: int) -> None:
        self._whole, self._place = whole, place

    def read(self) -> str:
        return self._whole.read(self._place)

    def write(self, text: str) -> None:
        self._whole.write(self._place, text)


def _groups(text: str, said: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    for match in said.finditer(text):
        group = match.lastindex or 0
        if match.start(group) < match.end(group):
            yield match.span(group)


def _between(text: str, code: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    position = 0
    for match in code.finditer(text):
        if position < match.start():
            yield position, match.start()
        position = match.end()
    if position < len(text):
        yield position, len(text)
