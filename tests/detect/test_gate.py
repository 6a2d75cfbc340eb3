from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from sovguard.detect.definitions import PatternDefinition
from sovguard.detect.gate import SIGN, Key, gate
from sovguard.detect.packs import built_in_pack

PATTERNS: dict[Key, list[PatternDefinition]] = {}
for recognizer in built_in_pack().recognizers:
    for pattern in recognizer.patterns:
        letters = {*pattern.first_letters.lower(), *pattern.first_letters.upper()} - {SIGN}
        if pattern.requires != "label":
            for key in (*pattern.first_digits, *letters):
                PATTERNS.setdefault(key, []).append(pattern)
GATE = gate(PATTERNS)
COMPILED = {id(pattern): re.compile(pattern.regex) for found in PATTERNS.values() for pattern in found}
RUN = re.compile("(?<![0-9A-Za-z])(?:[0-9]+|[A-Za-z]+)")
EXAMPLES = [
    example.text
    for recognizer in built_in_pack().recognizers
    for example in (*recognizer.examples, *recognizer.counterexamples)
]
PIECES = [
    "0",
    "1",
    "010",
    "1234",
    "31",
    "-",
    ".",
    " ",
    ":",
    "/",
    "(",
    "로",
    "동",
    "호",
    "년",
    "M",
    "p",
    "ab",
    "#",
    "\n",
]
TEXTS = st.lists(st.sampled_from([*PIECES, *EXAMPLES]), max_size=8).map("".join)


def begins(text: str, run: re.Match[str]) -> bool:
    """Tells, pattern by pattern, whether one of them begins at a run, as their fields say."""
    start, end = run.span()
    first = text[start]
    hyphened = re.match("[0-9]-", text[max(0, start - 2) : start]) is not None
    if first.isdigit() and hyphened and text[end : end + 1] != ".":
        return False
    before = text[start - 1 : start]
    if before == " " and start > 1:
        before = text[start - 2]
    behind = text[end : end + 1]
    return any(
        (not pattern.after or (before != "" and before in pattern.after))
        and (not pattern.then or (behind != "" and behind in pattern.then))
        and COMPILED[id(pattern)].match(text, start) is not None
        for pattern in PATTERNS.get(end - start if first.isdigit() else first, [])
    )


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_the_gate_stops_wherever_a_pattern_begins(text: str) -> None:
    """What trying every pattern at every run finds is what the one expression stops at; nothing is passed over."""
    expected = {run.start() for run in RUN.finditer(text) if begins(text, run)}
    stops = {match.start() for match in GATE.finditer(text)}
    assert expected <= stops


def test_the_gate_passes_over_what_holds_nothing() -> None:
    """Prices, dates, versions and words cost no step of Python."""
    text = "주문 2031년 3월 4일 12:30 버전 3.11.4, 1,234,567원 3개 total rows done (12)" * 3
    assert [match.start() for match in GATE.finditer(text)] == []
