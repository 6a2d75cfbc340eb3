"""The cheap scan: which patterns can match where.

Nearly every identifier begins with a run of ASCII digits or letters. One pass finds those runs; the length of the digit
run or the letter, the character before it and the label before it select the few patterns that may begin there, and
these are tried in one go as alternatives of a single fused expression (one lookahead each, so that every match at a
place is seen, not only the first). Which patterns share an expression is worked out once per kind of place and kept.

Patterns of other people's packs run in the ``regex`` module with a time limit, text by text, since they may backtrack
without end; the built-in ones run in ``re`` over many texts joined, and are tested to stay linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import regex

from sovguard.detect.definitions import PatternDefinition, RecognizerDefinition
from sovguard.detect.labels import Scan
from sovguard.errors import PatternTimeout, RecognizerDefinitionError

TIME_LIMIT = 1.0
"""Seconds one pattern of a third-party pack may spend on one text of up to 100,000 characters; grows with length."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern together with the recognizer it belongs to, ready to run.

    Attributes:
        owners: Names under which a label may speak for it.
        lead: Matches what stands before the match and belongs to it, up to the match's start.
        behind: Matches what has to stand before it.
    """

    recognizer: RecognizerDefinition
    pattern: PatternDefinition
    owners: frozenset[str]
    lead: re.Pattern[str] | Limited | None
    behind: re.Pattern[str] | Limited | None


class Candidate(NamedTuple):
    """A match not yet judged: the rule, the value's span and where the whole match begins."""

    rule: Rule
    start: int
    end: int
    anchor: int


@dataclass(frozen=True, slots=True)
class _Fused:
    expression: re.Pattern[str]
    rules: tuple[tuple[Rule, int, int], ...]  # rule, group of the match, group of the value


# No value begins behind a digit and a hyphen, so that the rest of a hyphenated number is passed over with its first run;
# an address that ends a range (10.0.0.1-10.0.0.9) does.
_RUN = re.compile("([0-9]+)(?:-[0-9]+(?![0-9.]))*|[A-Za-z]+|@")
_Place = tuple[int | str, str, str, frozenset[str] | None]


class Scanner:
    """Finds candidates of all rules in a text."""

    def __init__(self, recognizers: Sequence[RecognizerDefinition]) -> None:
        self._by_key: dict[int | str, list[Rule]] = {}
        self._by_word: dict[str, list[Rule]] = {}
        self._limited: list[tuple[Rule, Limited]] = []
        self._fused: dict[_Place, _Fused | None] = {}
        self._bare: set[int | str] = set()  # keys at which nothing begins without a neighbour that says so
        for recognizer in recognizers:
            for pattern in recognizer.patterns:
                rule = _rule(recognizer, pattern)
                if recognizer.trusted:
                    self._place(rule)
                else:
                    self._limited.append((rule, _compile_limited(recognizer, pattern)))
        placed = [rule.pattern for rules in self._by_key.values() for rule in rules]
        self._after = frozenset("".join(pattern.after for pattern in placed))
        self._then = frozenset("".join(pattern.then for pattern in placed))
        self.words = frozenset(self._by_word)

    def _place(self, rule: Rule) -> None:
        pattern = rule.pattern
        letters = {*pattern.first_letters.upper(), *pattern.first_letters.lower()}
        if not (letters or pattern.first_digits or pattern.first_words):
            raise _wrong(
                rule.recognizer, pattern, "regex", "needs first_digits, first_letters or first_words"
            )
        _compile(rule.recognizer, pattern)
        for key in (*pattern.first_digits, *sorted(letters)):
            self._by_key.setdefault(key, []).append(rule)
        for word in pattern.first_words:
            self._by_word.setdefault(word, []).append(rule)

    def candidates(self, text: str, scan: Scan) -> list[Candidate]:
        """Returns the candidates of the built-in rules in ``text``, whose labels and words are in ``scan``."""
        found: list[Candidate] = []
        fused, after, then, labels = self._fused, self._after, self._then, scan.labels
        length, bare = len(text), self._bare
        for run in _RUN.finditer(text):
            start, end = run.span(1)
            if end < 0:
                start, end = run.span()
                key: int | str = text[start]
            else:
                key = end - start
            before = text[start - 1] if start else ""
            if before == " " and start > 1:
                before = text[start - 2]
            behind = text[end] if end < length else ""
            if before not in after:
                before = ""
            if behind not in then:
                behind = ""
            if start in labels:
                place: _Place = (key, before, behind, labels[start].owners)
            elif before or behind:
                place = (key, before, behind, None)
            elif key in bare:
                continue
            else:
                place = (key, "", "", None)
            try:
                entry = fused[place]
            except KeyError:
                entry = fused[place] = self._select(place)
                if entry is None and place == (key, "", "", None):
                    bare.add(key)
            if entry is not None:
                match = entry.expression.match(text, start)
                if match is not None and match.lastindex is not None:
                    _collect(entry, match, found)
        for start, word in scan.words:
            entry = fused.get((word, "", "", None))
            if entry is None:
                entry = fused[word, "", "", None] = _fuse(self._by_word[word])
            match = entry.expression.match(text, start)
            if match is not None and match.lastindex is not None:
                _collect(entry, match, found)
        return found

    def _select(self, place: _Place) -> _Fused | None:
        key, before, behind, owners = place
        rules = [
            rule
            for rule in self._by_key.get(key, ())
            if (not rule.pattern.after or (before and before in rule.pattern.after))
            and (not rule.pattern.then or (behind and behind in rule.pattern.then))
            and (
                rule.pattern.requires != "label"
                or (owners is not None and not owners.isdisjoint(rule.owners))
            )
        ]
        return _fuse(rules) if rules else None

    @property
    def limited(self) -> bool:
        """Whether there are patterns of other people's packs, which run text by text."""
        return bool(self._limited)

    def limited_candidates(self, text: str) -> Iterator[Candidate]:
        """Yields the candidates of third-party rules in one text.

        Raises:
            PatternTimeout: A pattern took longer than its limit; the text is not inspected.
        """
        for rule, expression in self._limited:
            for match in expression.finditer(text):
                low, high = match.span("value") if expression.has_value else match.span()
                if low < 0:
                    low, high = match.span()
                if low < high:
                    yield Candidate(rule, low, high, match.start())


class Limited:
    """An expression of somebody else's pack: it runs under a time limit, since it may backtrack without end."""

    __slots__ = ("_expression", "_where", "has_value")

    def __init__(self, expression: str, where: str) -> None:
        self._expression = regex.compile(expression)
        self._where = where
        self.has_value = "value" in self._expression.groupindex

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

    def matches_nothing(self) -> bool:
        """Whether the empty string is a match, which no value is."""
        return self._expression.match("") is not None

    def _timeout(self, limit: float) -> PatternTimeout:
        return PatternTimeout(
            f"{self._where} took longer than {limit:.1f} s on one text; rewrite it without nested repetition"
        )


def _collect(entry: _Fused, match: re.Match[str], found: list[Candidate]) -> None:
    spans = match.regs
    for rule, whole, value in entry.rules:
        anchor, end = spans[whole]
        if anchor >= 0:
            low, high = spans[value]
            found.append(
                Candidate(rule, low, high, anchor) if low >= 0 else Candidate(rule, anchor, end, anchor)
            )


def _fuse(rules: Sequence[Rule]) -> _Fused:
    parts: list[str] = []
    for index, rule in enumerate(rules):
        body = re.sub(r"\(\?P([<=])([a-z_]+)", rf"(?P\g<1>\g<2>{index}", rule.pattern.regex)
        parts.append(f"(?:(?=(?P<match{index}>{body}))|)")
    expression = re.compile("".join(parts))
    groups: Mapping[str, int] = expression.groupindex
    return _Fused(
        expression,
        tuple(
            (rule, groups[f"match{index}"], groups.get(f"value{index}", groups[f"match{index}"]))
            for index, rule in enumerate(rules)
        ),
    )


def _rule(recognizer: RecognizerDefinition, pattern: PatternDefinition) -> Rule:
    return Rule(
        recognizer,
        pattern,
        frozenset((f"{recognizer.name}/{pattern.name}",) if pattern.labels else (recognizer.name,)),
        _before(recognizer, pattern, "lead", pattern.lead),
        _before(recognizer, pattern, "behind", pattern.behind),
    )


def _before(
    recognizer: RecognizerDefinition, pattern: PatternDefinition, field: str, expression: str | None
) -> re.Pattern[str] | Limited | None:
    if expression is None:
        return None
    expression = f"(?:{expression})\\Z"
    if not recognizer.trusted:
        return _limited(recognizer, pattern, field, expression)
    try:
        return re.compile(expression)
    except (re.error, OverflowError, RecursionError) as error:
        raise _wrong(recognizer, pattern, field, error) from error


def _compile(recognizer: RecognizerDefinition, pattern: PatternDefinition) -> None:
    try:
        compiled = re.compile(pattern.regex)
    except (re.error, OverflowError, RecursionError) as error:
        raise _wrong(recognizer, pattern, "regex", error) from error
    if compiled.match(""):
        raise _wrong(recognizer, pattern, "regex", "it matches the empty string")


def _compile_limited(recognizer: RecognizerDefinition, pattern: PatternDefinition) -> Limited:
    compiled = _limited(recognizer, pattern, "regex", pattern.regex)
    if compiled.matches_nothing():
        raise _wrong(recognizer, pattern, "regex", "it matches the empty string")
    return compiled


def _limited(
    recognizer: RecognizerDefinition, pattern: PatternDefinition, field: str, expression: str
) -> Limited:
    where = f"{field} of pattern {pattern.name!r} of recognizer {recognizer.name!r}"
    try:
        return Limited(expression, where)
    except (regex.error, OverflowError, RecursionError) as error:
        raise _wrong(recognizer, pattern, field, error) from error


def _wrong(
    recognizer: RecognizerDefinition, pattern: PatternDefinition, field: str, why: object
) -> RecognizerDefinitionError:
    return RecognizerDefinitionError(
        f"{recognizer.name}.toml pattern {pattern.name!r}: {field} is not usable: {why}"
    )
