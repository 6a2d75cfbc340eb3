"""Finds many fixed strings in one pass; the only importer of the automaton library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ahocorasick_rs import AhoCorasick, BytesAhoCorasick, Implementation, MatchKind

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Literals:
    """A set of strings to look for; the leftmost, longest one wins at each place.

    Args:
        words: The strings.
        often: Whether so many texts will be searched that a faster table is worth some milliseconds to build.
    """

    def __init__(self, words: Sequence[str], *, often: bool = False) -> None:
        table = Implementation.DFA if often else None
        automaton = AhoCorasick(words, matchkind=MatchKind.LeftmostLongest, implementation=table)
        self._find = automaton.find_matches_as_indexes

    def matches(self, text: str) -> list[tuple[int, int, int]]:
        """Returns (which, start, end) of every match, none overlapping, in order."""
        try:
            return self._find(text)
        except UnicodeEncodeError:
            # A lone surrogate has no UTF-8 form; any character in its place keeps the offsets.
            return self._find(_LONE_SURROGATE.sub("\ufffd", text))


class OctetLiterals:
    """A set of strings of octets to look for, wherever they stand, within each other too.

    Args:
        words: The strings.
    """

    def __init__(self, words: Iterable[bytes]) -> None:
        patterns = sorted(set(words))
        self._automaton = BytesAhoCorasick(patterns) if patterns else None

    def matches(self, data: bytes) -> list[tuple[int, int]]:
        """Returns (start, end) of every match."""
        if self._automaton is None:
            return []
        found = self._automaton.find_matches_as_indexes(data, overlapping=True)
        return [(start, end) for _, start, end in found]
