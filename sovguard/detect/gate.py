"""The cheap scan: one expression that stops only where some pattern matches.

Nearly every identifier begins with a run of ASCII digits or letters. The expression walks through such a run once, so
that its length, its first letter, the character before it and the one behind it lead to the few patterns that may begin
there; only where one of them does match, a match is reported. Text that holds nothing is passed over without a step of
Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sovguard.detect.definitions import PatternDefinition

Key = int | str
"""The length of the run of digits that a pattern begins with, or the letter, or the sign in the middle of an address."""
SIGN = "@"


def gate(patterns: Mapping[Key, Sequence[PatternDefinition]]) -> re.Pattern[str]:
    """Returns an expression whose matches begin where at least one of the patterns, sorted by key, begins.

    Only the start of a match counts. No value begins within a word of ASCII letters and digits, nor behind a digit and a
    hyphen, so that the rest of a hyphenated number is passed over, but for an address that ends a range
    (10.0.0.1-10.0.0.9). Signs are no runs: where one stands is easily found without an expression.
    """
    digits = _digits({key: found for key, found in patterns.items() if isinstance(key, int)})
    letters = _letters({key: found for key, found in patterns.items() if isinstance(key, str)})
    # The set in front lets the search skip all else at the speed of C; what follows looks back at what it took.
    return re.compile(
        f"[0-9A-Za-z](?<![0-9A-Za-z].)(?:(?<=[0-9])(?:(?<![0-9]-.)|(?=[0-9]*+\\.)){digits}|{letters})"
    )


def _digits(patterns: Mapping[int, Sequence[PatternDefinition]]) -> str:
    """Returns the tests at a run of digits, whose first one was read, and the walk through it, with tests at each length.

    Patterns that stand behind a mark are tested before the walk, once for all lengths: few runs stand behind one.
    """
    marked = {
        id(pattern): pattern
        for found in patterns.values()
        for pattern in found
        if pattern.after and not pattern.then
    }
    longest = max(patterns, default=0)
    walk = "(?!)"
    for length in range(longest, 0, -1):
        found = [pattern for pattern in patterns.get(length, ()) if id(pattern) not in marked]
        here = f"(?![0-9]){_any(found, length, word=False)}"
        walk = f"(?:[0-9]{walk}|{here})" if length < longest else here
    return f"(?:{_back(list(marked.values()), 1)}|{walk})" if marked else walk


def _letters(patterns: Mapping[str, Sequence[PatternDefinition]]) -> str:
    """Returns the tests at a first letter that was read."""
    alike: dict[tuple[PatternDefinition, ...], str] = {}
    for letter, found in patterns.items():
        if letter != SIGN:
            alike[tuple(found)] = alike.get(tuple(found), "") + letter
    tests = [f"(?<=[{letters}]){_any(found, 1, word=True)}" for found, letters in alike.items()]
    return f"(?:{'|'.join(tests)})" if tests else "(?!)"


def _any(patterns: Sequence[PatternDefinition], width: int, *, word: bool) -> str:
    """Returns a test for any of ``patterns``, which begin ``width`` characters back with digits or, if ``word``, letters."""
    tests = []
    if bare := [pattern for pattern in patterns if not pattern.then and not pattern.after]:
        tests.append(_back(bare, width))
    if behind_mark := [pattern for pattern in patterns if not pattern.then and pattern.after]:
        tests.append(_back(behind_mark, width))
    behind: dict[str, list[PatternDefinition]] = {}
    for pattern in patterns:
        for character in pattern.then:
            behind.setdefault(character, []).append(pattern)
    alike: dict[tuple[PatternDefinition, ...], str] = {}
    for character, found in behind.items():
        alike[tuple(found)] = alike.get(tuple(found), "") + character
    followed = []
    for those, characters in alike.items():
        one = _one_of(characters)
        # The character is taken, not looked ahead to: the search passes over a branch whose first one does not fit.
        followed.append(
            f"(?=[A-Za-z]*+{one}){_back(those, width)}" if word else f"{one}{_back(those, width + 1)}"
        )
    if word and followed:
        # One look says for most words that none of these may begin there.
        every = _one_of("".join(sorted(behind)))
        tests.append(f"(?=[A-Za-z]*+{every})(?:{'|'.join(followed)})")
    else:
        tests += followed
    return f"(?:{'|'.join(tests)})" if tests else "(?!)"


def _back(patterns: Sequence[PatternDefinition], width: int) -> str:
    """Returns a test for any of ``patterns`` at the place ``width`` characters back."""
    alike: dict[tuple[str, str], list[str]] = {}
    for pattern in patterns:
        before = _behind(pattern.after) if pattern.after else ""
        body = _groupless(pattern.regex)
        free = _FREE.match(body)
        end = free.end() if free is not None else 0
        alike.setdefault((before, body[:end]), []).append(f"(?:{body[end:]})")
    tests = (f"{before}{free}(?:{'|'.join(bodies)})" for (before, free), bodies in alike.items())
    after = [pattern.after for pattern in patterns]
    guard = _behind("".join(sorted({*"".join(after)}))) if all(after) and len(set(after)) > 1 else ""
    return f"(?<={guard}(?={'|'.join(tests)})(?s:{'.' * width}))"


def _behind(characters: str) -> str:
    return f"(?:(?<={_one_of(characters)})|(?<={_one_of(characters)} ))"


_FREE = re.compile(r"(?:\(\?<!(?:\[[^]]*\]|[^()\[\\|])*\))*")
"""What patterns say of the characters before them, mostly the same."""


def _groupless(regex: str) -> str:
    """Returns ``regex`` without its groups, which no lookbehind may refer to: "the same mark again" is any such mark."""
    marks = dict(re.findall(r"\(\?P<([a-z_]+)>(\[[^]]*\]\??)\)", regex))
    regex = re.sub(r"\(\?P=([a-z_]+)\)", lambda match: marks[match[1]], regex)
    return re.sub(r"\(\?P<[a-z_]+>", "(?:", regex)


def _one_of(characters: str) -> str:
    return f"[{re.escape(characters)}]"
