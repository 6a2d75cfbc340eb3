"""Turns a candidate into a Detection or drops it: label, context, check digit, score.

The written rule, in this order:

1. A label of the candidate's own type directly before it (or above it, in a table) lifts the score over ``LABELLED``;
   among types that share a label, a context word (``CONFIRMED``) and a shape that says more on its own stay ahead.
2. The label of a look-alike (주문번호, 운송장) costs ``FALSE_FRIEND_COST``, that of another type ``FOREIGN_COST``, unless
   the pattern ignores labels because its shape alone is enough (an e-mail address).
3. Without a label, a context word in reach adds the file's boost; a pattern that requires one and finds none is dropped.
4. The check may refute (dropped), or pass (at least ``pass_score``).
5. What stays under ``THRESHOLD`` is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sovguard.detect.definitions import RecognizerDefinition
from sovguard.detect.labels import FALSE_FRIEND, Label, Labels, Scan
from sovguard.detect.patterns import Candidate, Rule
from sovguard.detect.scores import CONFIRMED, FALSE_FRIEND_COST, FOREIGN_COST, LABELLED, THRESHOLD
from sovguard.detect.validators import Verdict
from sovguard.entities import Detection, Evidence
from sovguard.text import View

_LEAD_REACH = 56
_LABEL_REACH = 64
"""How far before a value its label may begin: the label, a particle, marks and an indent."""


class Judge:
    """The labels, context words and checks of a set of recognizers."""

    def __init__(
        self,
        recognizers: Sequence[RecognizerDefinition],
        false_friends: Sequence[str],
        triggers: Iterable[str],
    ) -> None:
        owners: dict[str, set[str]] = {}
        for word in false_friends:
            owners.setdefault(word, set()).add(FALSE_FRIEND)
        for recognizer in recognizers:
            for word in recognizer.context.labels:
                owners.setdefault(word, set()).add(recognizer.name)
            for pattern in recognizer.patterns:
                for word in pattern.labels:
                    owners.setdefault(word, set()).add(f"{recognizer.name}/{pattern.name}")
        self.labels = Labels({word: frozenset(names) for word, names in owners.items()}, triggers)
        self._evidence: dict[tuple[str, str | None, bool | None, str | None], Evidence] = {}

    def judge(
        self, text: str, candidate: Candidate, scan: Scan, low: int, high: int, view: View | None = None
    ) -> Detection | None:
        """Returns the detection that ``candidate`` is, or ``None``; looks at nothing outside ``low:high``.

        The detection's offsets count from ``low``; with ``view``, which ``text[low:high]`` is the text of, they are those of
        its original.
        """
        rule, start, end, anchor = candidate
        if end > high:
            return None
        recognizer, pattern = rule.recognizer, rule.pattern
        label = scan.labels.get(anchor)
        if rule.lead is not None or rule.behind is not None:
            # Nothing that belongs to a value stands on the line before it.
            reach = max(low, anchor - _LEAD_REACH)
            reach = max(reach, text.rfind("\n", reach, anchor) + 1)
            if rule.behind is not None and not rule.behind.search(text, reach, anchor):
                return None
            if rule.lead is not None:
                lead = rule.lead.search(text, reach, start)
                if lead is not None:
                    start = lead.start()
                    label = scan.labels.get(start, label if start + 1 >= anchor else None)
                elif pattern.lead_required:
                    return None
        score, cost = pattern.score, 0.0
        own = label is not None and not rule.owners.isdisjoint(label.owners)
        if pattern.requires == "label" and not own:
            return None
        valid: bool | None = None
        if rule.check is not None:
            # First, since most of what is checked is refuted, and to look around costs more.
            verdict = rule.check(text[start:end])
            if verdict is Verdict.REFUTED:
                return None
            valid = verdict is Verdict.PASSED
        if own and label is not None:
            score = max(score, LABELLED + score / 20)
            word: str | None = label.word
            if _word_beside(text, rule, start, start, end, low, high) is not None:
                score = min(1.0, score + CONFIRMED)
        else:
            ahead = start
            if label is not None:
                ahead = _before_label(text, label, low, start)
                if not pattern.ignores_labels:
                    cost = _cost(label, recognizer.name)
                    score -= cost
            word = _word_beside(text, rule, ahead, start, end, low, high)
            if word is not None:
                score = min(1.0, score + recognizer.context.boost)
            elif pattern.requires == "context":
                return None
        if valid and pattern.pass_score is not None and cost < FALSE_FRIEND_COST:
            score = max(score, pattern.pass_score - cost)
        if score < THRESHOLD:
            return None
        start, end = start - low, end - low
        if view is not None:
            start, end = view.origin(start, end)
        key = (pattern.name, pattern.validator, valid, word)
        evidence = self._evidence.get(key)
        if evidence is None:
            evidence = self._evidence[key] = Evidence(*key)
        return Detection(recognizer.entity_type, start, end, round(score, 3), recognizer.name, evidence)


def _word_beside(text: str, rule: Rule, ahead: int, start: int, end: int, low: int, high: int) -> str | None:
    """Returns a context word within reach of ``start:end`` and before ``ahead``, or behind ``end``."""
    words = rule.words
    if words is None:
        return None
    context = rule.recognizer.context
    found = words.search(text, max(low, start - context.before), ahead)
    if found is None:
        found = words.search(text, end, min(high, end + context.after))
    return found[0] if found is not None else None


def _before_label(text: str, label: Label, low: int, start: int) -> int:
    """Returns where a label that is not the candidate's own begins: it is no context word (번호 in 운송장번호)."""
    reach = max(low, start - _LABEL_REACH)
    at = text[reach:start].lower().rfind(label.word)
    return start if at < 0 else reach + at


def _cost(label: Label, recognizer: str) -> float:
    if FALSE_FRIEND in label.owners:
        return FALSE_FRIEND_COST
    return 0.0 if recognizer in label.families else FOREIGN_COST
