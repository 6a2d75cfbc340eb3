"""Turns a candidate into a Detection or drops it: label, context, check digit, score.

The written rule, in this order:

1. A label of the candidate's own type directly before it (or above it, in a table) lifts the score over ``LABELLED``;
   among types that share a label, the shape that says more on its own stays ahead.
2. The label of a look-alike (주문번호, 운송장) costs ``FALSE_FRIEND_COST``, that of another type ``FOREIGN_COST``, unless
   the pattern ignores labels because its shape alone is enough (an e-mail address).
3. Without a label, a context word in reach adds the file's boost; a pattern that requires one and finds none is dropped.
4. The check may refute (dropped), or pass (at least ``pass_score``).
5. What stays under ``THRESHOLD`` is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sovguard.detect.definitions import RecognizerDefinition
from sovguard.detect.labels import FALSE_FRIEND, Label, Labels, Table, find_table
from sovguard.detect.patterns import Candidate
from sovguard.detect.validators import VALIDATORS, Verdict
from sovguard.entities import Detection, Evidence

THRESHOLD = 0.5
LABELLED = 0.9
FALSE_FRIEND_COST = 0.45
FOREIGN_COST = 0.2
_LEAD_REACH = 72


class Judge:
    """The labels, context words and checks of a set of recognizers."""

    def __init__(self, recognizers: Sequence[RecognizerDefinition], false_friends: Sequence[str]) -> None:
        owners: dict[str, set[str]] = {}
        for word in false_friends:
            owners.setdefault(word, set()).add(FALSE_FRIEND)
        for recognizer in recognizers:
            for word in recognizer.context.labels:
                owners.setdefault(word, set()).add(recognizer.name)
            for pattern in recognizer.patterns:
                for word in pattern.labels:
                    owners.setdefault(word, set()).add(f"{recognizer.name}/{pattern.name}")
        self.labels = Labels({word: frozenset(names) for word, names in owners.items()})
        self.context = {
            recognizer.name: re.compile("|".join(map(re.escape, recognizer.context.words)), re.IGNORECASE)
            for recognizer in recognizers
            if recognizer.context.words
        }

    def place(self, text: str, low: int, high: int) -> Place:
        """Returns the place of one text inside ``text``; nothing outside ``low:high`` is looked at."""
        return Place(self, text, low, high)


class Place:
    """One text within the scanned one; remembers what stands before each offset."""

    __slots__ = ("_high", "_judge", "_labels", "_low", "_table", "_text")

    def __init__(self, judge: Judge, text: str, low: int, high: int) -> None:
        self._judge = judge
        self._text = text
        self._low = low
        self._high = high
        self._labels: dict[int, Label | None] = {}
        self._table: Table | None | bool = None

    def judge(self, candidate: Candidate) -> Detection | None:
        """Returns the detection that ``candidate`` is, or ``None``."""
        rule, start, end = candidate.rule, candidate.start, candidate.end
        recognizer, pattern = rule.recognizer, rule.pattern
        if end > self._high:
            return None
        if pattern.after and not self._follows(start, pattern.after):
            return None
        if rule.lead is not None:
            lead = rule.lead.search(self._text, max(self._low, start - _LEAD_REACH), start)
            if lead is not None:
                start = lead.start()
            elif pattern.after:
                return None
        score = pattern.score
        cost = 0.0
        word: str | None = None
        label = self._label(start if candidate.anchor == candidate.start else candidate.anchor)
        owned = label is not None and (
            recognizer.name in label.owners or f"{recognizer.name}/{pattern.name}" in label.owners
        )
        if label is not None and owned:
            score = max(score, LABELLED + score / 20)
            word = label.word
        elif pattern.requires == "label":
            return None
        else:
            if label is not None and not pattern.ignores_labels:
                cost = _cost(label, recognizer.name)
                score -= cost
            found = self._context(recognizer, start, end)
            if found is not None:
                score = min(1.0, score + recognizer.context.boost)
                word = found
            elif pattern.requires == "context":
                return None
        valid: bool | None = None
        if pattern.validator is not None:
            verdict = VALIDATORS[pattern.validator](self._text[candidate.start : end])
            if verdict is Verdict.REFUTED:
                return None
            valid = verdict is Verdict.PASSED
            if valid and pattern.pass_score is not None and cost < FALSE_FRIEND_COST:
                score = max(score, pattern.pass_score - cost)
        if score < THRESHOLD:
            return None
        evidence = Evidence(pattern.name, pattern.validator, valid, word)
        return Detection(recognizer.entity_type, start, end, round(score, 3), recognizer.name, evidence)

    def _follows(self, start: int, characters: str) -> bool:
        before = start - 1
        if before >= self._low and self._text[before] == " ":
            before -= 1
        return before >= self._low and self._text[before] in characters

    def _label(self, start: int) -> Label | None:
        if start not in self._labels:
            label = self._judge.labels.before(self._text, start, self._low)
            if label is None:
                label = self._table_label(start)
            self._labels[start] = label
        return self._labels[start]

    def _table_label(self, start: int) -> Label | None:
        if self._table is None:
            several_lines = self._text.find("\n", self._low, self._high) >= 0
            table = find_table(self._text, self._low, self._high, self._judge.labels) if several_lines else None
            self._table = table if table is not None else False
        return self._table.label(start) if isinstance(self._table, Table) else None

    def _context(self, recognizer: RecognizerDefinition, start: int, end: int) -> str | None:
        words = self._judge.context.get(recognizer.name)
        if words is None:
            return None
        context = recognizer.context
        last: re.Match[str] | None = None
        for last in words.finditer(self._text, max(self._low, start - context.before), start):
            pass
        if last is None:
            last = words.search(self._text, end, min(self._high, end + context.after))
        return last[0] if last is not None else None


def _cost(label: Label, recognizer: str) -> float:
    if FALSE_FRIEND in label.owners:
        return FALSE_FRIEND_COST
    # The label of one pattern (뒷자리) speaks for its recognizer as a whole, if not for every pattern of it.
    own = any(owner.partition("/")[0] == recognizer for owner in label.owners)
    return 0.0 if own else FOREIGN_COST
