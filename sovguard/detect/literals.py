"""Finds many fixed strings in one pass; the only importer of the automaton library."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ahocorasick_rs import AhoCorasick, MatchKind

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Literals:
    """A set of strings to look for; the leftmost, longest one wins at each place."""

    def __init__(self, words: Sequence[str]) -> None:
        self._find = AhoCorasick(words, matchkind=MatchKind.LeftmostLongest).find_matches_as_indexes

    def matches(self, text: str) -> list[tuple[int, int, int]]:
        """Returns (which, start, end) of every match, none overlapping, in order."""
        try:
            return self._find(text)
        except UnicodeEncodeError:
            # A lone surrogate has no UTF-8 form; any character in its place keeps the offsets.
            return self._find(_LONE_SURROGATE.sub("\ufffd", text))
