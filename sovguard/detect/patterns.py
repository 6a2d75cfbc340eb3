"""The cheap scan: which patterns can match where.

Nearly every identifier begins with a run of ASCII digits or letters. The gate stops where some pattern matches, and the
labels say where others may; there the length of the digit run or the letter, the characters around it and the label
before it select the few patterns that may begin, and each is tried, so that every match at a place is seen, not only the
first. Which patterns these are is worked out once per kind of place and kept.

Patterns of other people's packs run in the ``regex`` module with a time limit, text by text, since they may backtrack
without end; the built-in ones run in ``re`` over many texts joined, and are tested to stay linear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import regex

from sovguard.detect.definitions import PatternDefinition, RecognizerDefinition
from sovguard.detect.gate import SIGN, Key, gate
from sovguard.detect.labels import FALSE_FRIEND, Scan
from sovguard.detect.scores import FALSE_FRIEND_COST, THRESHOLD
from sovguard.detect.validators import VALIDATORS, Verdict
from sovguard.errors import PatternTimeout, RecognizerDefinitionError

TIME_LIMIT = 1.0
"""Seconds one pattern of a third-party pack may spend on one text of up to 100,000 characters; grows with length."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern together with the recognizer it belongs to, ready to run.

    Attributes:
        expression: The pattern, compiled.
        group: Its group that is the value; 0 where all of it is.
        owners: Names under which a label may speak for it.
        words: Matches a context word of its recognizer.
        check: Its validator.
        lead: Matches what stands before the match and belongs to it, up to the match's start.
        behind: Matches what has to stand before it.
    """

    recognizer: RecognizerDefinition
    pattern: PatternDefinition
    expression: re.Pattern[str] | Limited
    group: int
    owners: frozenset[str]
    lead: re.Pattern[str] | Limited | None
    behind: re.Pattern[str] | Limited | None
    words: re.Pattern[str] | None
    check: Callable[[str], Verdict] | None


Candidate = tuple[Rule, int, int, int]
"""A match not yet judged: the rule, where the value begins and ends, and where the whole match begins."""


_RUN = re.compile("([0-9]+)|[A-Za-z]+|@")
_FIRST = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_NO_MAILBOX = frozenset("@ \n")
_Place = tuple[Key, str, str, frozenset[str] | None]
_Rules = tuple[Rule, ...]


class Scanner:
    """Finds candidates of all rules in a text."""

    def __init__(self, recognizers: Sequence[RecognizerDefinition]) -> None:
        self._by_key: dict[Key, list[Rule]] = {}
        self._by_word: dict[str, list[Rule]] = {}
        self._limited: list[Rule] = []
        self._any: dict[_Place, _Rules] = {}
        self._labelled: dict[_Place, _Rules] = {}
        for recognizer in recognizers:
            words = _any_of(recognizer.context.words) if recognizer.context.words else None
            for pattern in recognizer.patterns:
                rule = _rule(recognizer, pattern, words)
                if recognizer.trusted:
                    self._place(rule)
                else:
                    self._limited.append(rule)
        placed = [rule.pattern for rules in self._by_key.values() for rule in rules]
        self._after = frozenset("".join(pattern.after for pattern in placed))
        self._then = frozenset("".join(pattern.then for pattern in placed))
        self.words = frozenset(self._by_word)
        self._gate = gate(
            {
                key: [rule.pattern for rule in rules if rule.pattern.requires != "label"]
                for key, rules in self._by_key.items()
            }
        )

    def _place(self, rule: Rule) -> None:
        pattern = rule.pattern
        letters = {*pattern.first_letters.upper(), *pattern.first_letters.lower()}
        if not (letters or pattern.first_digits or pattern.first_words):
            raise _wrong(
                rule.recognizer, pattern, "regex", "needs first_digits, first_letters or first_words"
            )
        for key in (*pattern.first_digits, *sorted(letters)):
            self._by_key.setdefault(key, []).append(rule)
        for word in pattern.first_words:
            self._by_word.setdefault(word, []).append(rule)

    def candidates(self, text: str, scan: Scan) -> list[Candidate]:
        """Returns the candidates of the built-in rules in ``text``, whose labels and words are in ``scan``."""
        found: list[Candidate] = []
        labels, seen = scan.labels, set()
        for match in self._gate.finditer(text):
            start = match.start()
            label = labels.get(start)
            if label is not None:
                seen.add(start)
            self._try(text, start, None if label is None else label.owners, found, self._any)
        start = text.find(SIGN)
        while start >= 0:
            if start and text[start - 1] not in _NO_MAILBOX:
                self._try(text, start, None, found, self._any)
            start = text.find(SIGN, start + 1)
        for start, label in labels.items():
            # Elsewhere the gate has seen that nothing begins without its label.
            if label.speaks and start not in seen and text[start : start + 1] in _FIRST:
                self._try(text, start, label.owners, found, self._labelled)
        for start, word in scan.words:
            _match(self._by_word[word], text, start, found)
        return found

    def _try(
        self,
        text: str,
        start: int,
        owners: frozenset[str] | None,
        found: list[Candidate],
        known: dict[_Place, _Rules],
    ) -> None:
        """Adds the candidates that begin with the run of digits or letters at ``start``."""
        run = _RUN.match(text, start)
        if run is None:
            return
        end = run.end()
        key: Key = end - start if run.lastindex else text[start]
        if key not in self._by_key:
            return
        before = text[start - 1] if start else ""
        if before == " " and start > 1:
            before = text[start - 2]
        behind = text[end] if end < len(text) else ""
        if before not in self._after:
            before = ""
        if behind not in self._then:
            behind = ""
        place = (key, before, behind, owners)
        rules = known.get(place)
        if rules is None:
            rules = known[place] = self._select(place, only_labelled=known is self._labelled)
        if rules:
            _match(rules, text, start, found)

    def _select(self, place: _Place, *, only_labelled: bool) -> _Rules:
        key, before, behind, owners = place
        return tuple(
            rule
            for rule in self._by_key[key]
            if (not rule.pattern.after or (before and before in rule.pattern.after))
            and (not rule.pattern.then or (behind and behind in rule.pattern.then))
            and _may_stand(rule, owners, only_labelled=only_labelled)
        )

    @property
    def limited(self) -> bool:
        """Whether there are patterns of other people's packs, which run text by text."""
        return bool(self._limited)

    def limited_candidates(self, text: str) -> Iterator[Candidate]:
        """Yields the candidates of third-party rules in one text.

        Raises:
            PatternTimeout: A pattern took longer than its limit; the text is not inspected.
        """
        for rule in self._limited:
            for match in rule.expression.finditer(text):
                low, high = match.span(rule.group)
                if low < 0:
                    low, high = match.span()
                if low < high:
                    yield rule, low, high, match.start()


class Limited:
    """An expression of somebody else's pack: it runs under a time limit, since it may backtrack without end."""

    __slots__ = ("_expression", "_where", "groupindex", "match")

    def __init__(self, expression: str, where: str) -> None:
        self._expression = regex.compile(expression)
        self._where = where
        self.groupindex: Mapping[str, int] = self._expression.groupindex
        self.match = self._expression.match

    def finditer(self, text: str) -> Iterator[regex.Match[str]]:
        """Yields the matches in ``text``; raises ``PatternTimeout``."""
        limit = TIME_LIMIT * max(1.0, len(text) / 100_000)
        try:
            yield from self._expression.finditer(text, timeout=limit)
        except TimeoutError:
            raise self._timeout(limit) from None

    def search(self, text: str, low: int, high: int) -> regex.Match[str] | None:
        """Returns the first match in ``text[low:high]``; raises ``PatternTimeout``."""
        try:
            return self._expression.search(text, low, high, timeout=TIME_LIMIT)
        except TimeoutError:
            raise self._timeout(TIME_LIMIT) from None

    def _timeout(self, limit: float) -> PatternTimeout:
        return PatternTimeout(
            f"{self._where} took longer than {limit:.1f} s on one text; rewrite it without nested repetition"
        )


def _may_stand(rule: Rule, owners: frozenset[str] | None, *, only_labelled: bool) -> bool:
    """Whether a match of ``rule`` behind a label of ``owners`` could be more than a candidate."""
    if owners is not None and not owners.isdisjoint(rule.owners):
        return not only_labelled or rule.pattern.requires == "label"
    if only_labelled or rule.pattern.requires == "label":
        return False
    if owners is None or FALSE_FRIEND not in owners:
        return True
    # Beside a look-alike's label no check lifts the score. A lead may begin before the label, so that it counts no more.
    best = rule.pattern.score + rule.recognizer.context.boost - FALSE_FRIEND_COST
    return rule.pattern.ignores_labels or rule.lead is not None or best >= THRESHOLD


def _match(rules: Sequence[Rule], text: str, start: int, found: list[Candidate]) -> None:
    for rule in rules:
        match = rule.expression.match(text, start)
        if match is not None:
            low, high = match.span(rule.group)
            found.append((rule, low, high, start) if low >= 0 else (rule, start, match.end(), start))


def _rule(
    recognizer: RecognizerDefinition, pattern: PatternDefinition, words: re.Pattern[str] | None
) -> Rule:
    expression = _expression(recognizer, pattern)
    return Rule(
        recognizer,
        pattern,
        expression,
        expression.groupindex.get("value", 0),
        frozenset((f"{recognizer.name}/{pattern.name}",) if pattern.labels else (recognizer.name,)),
        _before(recognizer, pattern, "lead", pattern.lead),
        _before(recognizer, pattern, "behind", pattern.behind),
        words,
        VALIDATORS[pattern.validator] if pattern.validator is not None else None,
    )


def _any_of(words: Sequence[str]) -> re.Pattern[str]:
    """Returns an expression for any of ``words``, in the usual cases of each.

    Spelled out rather than matched without regard to case, since that would keep the search from skipping ahead.
    """
    forms = {form for word in words for form in (word, word.lower(), word.upper(), word.capitalize())}
    return re.compile("|".join(map(re.escape, sorted(forms, key=lambda form: (-len(form), form)))))


def _before(
    recognizer: RecognizerDefinition, pattern: PatternDefinition, field: str, expression: str | None
) -> re.Pattern[str] | Limited | None:
    if expression is None:
        return None
    return _compiled(recognizer, pattern, field, f"(?:{expression})\\Z")


def _expression(recognizer: RecognizerDefinition, pattern: PatternDefinition) -> re.Pattern[str] | Limited:
    expression = _compiled(recognizer, pattern, "regex", pattern.regex)
    if expression.match(""):
        raise _wrong(recognizer, pattern, "regex", "it matches the empty string")
    return expression


def _compiled(
    recognizer: RecognizerDefinition, pattern: PatternDefinition, field: str, expression: str
) -> re.Pattern[str] | Limited:
    try:
        if recognizer.trusted:
            return re.compile(expression)
        return Limited(expression, f"{field} of pattern {pattern.name!r} of recognizer {recognizer.name!r}")
    except (re.error, regex.error, OverflowError, RecursionError) as error:
        raise _wrong(recognizer, pattern, field, error) from error


def _wrong(
    recognizer: RecognizerDefinition, pattern: PatternDefinition, field: str, why: object
) -> RecognizerDefinitionError:
    return RecognizerDefinitionError(
        f"{recognizer.name}.toml pattern {pattern.name!r}: {field} is not usable: {why}"
    )
