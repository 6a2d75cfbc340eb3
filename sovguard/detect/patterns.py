"""The cheap scan: which patterns can match where.

Nearly every identifier begins with a run of ASCII digits or a letter. One pass finds those runs; the length of the
digit run, or the letter, selects the few patterns that may begin so, and these are tried in one go as alternatives of a
single fused expression (one lookahead each, so that every match at a place is seen, not only the first). Patterns
that give no ``first_digits`` or ``first_letters`` are searched for one by one.

Patterns of other people's packs run in the ``regex`` module with a time limit, text by text, since they may backtrack
without end; the built-in ones run in ``re`` over many texts joined, and are tested to stay linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import regex

from sovguard.detect.definitions import PatternDefinition, RecognizerDefinition
from sovguard.errors import PatternTimeout, RecognizerDefinitionError

TIME_LIMIT = 1.0
"""Seconds one pattern of a third-party pack may spend on one text of up to 100,000 characters; grows with length."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern together with the recognizer it belongs to and its compiled lead."""

    recognizer: RecognizerDefinition
    pattern: PatternDefinition
    lead: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A match not yet judged: the rule, the value's span and where the whole match begins."""

    rule: Rule
    start: int
    end: int
    anchor: int


@dataclass(frozen=True, slots=True)
class _Fused:
    expression: re.Pattern[str]
    rules: tuple[tuple[Rule, int, int], ...]  # rule, group of the match, group of the value


class Scanner:
    """Finds candidates of all rules in a text."""

    def __init__(self, recognizers: Sequence[RecognizerDefinition]) -> None:
        by_key: dict[int | str, list[Rule]] = {}
        self._searched: list[tuple[Rule, re.Pattern[str]]] = []
        self._limited: list[tuple[Rule, regex.Pattern[str]]] = []
        for recognizer in recognizers:
            for pattern in recognizer.patterns:
                rule = Rule(recognizer, pattern, _lead(recognizer, pattern))
                if not recognizer.trusted:
                    self._limited.append((rule, _compile_limited(recognizer, pattern)))
                elif pattern.first_digits or pattern.first_letters:
                    letters = pattern.first_letters.upper() + pattern.first_letters.lower()
                    for key in (*pattern.first_digits, *sorted(set(letters))):
                        by_key.setdefault(key, []).append(rule)
                else:
                    self._searched.append((rule, _compile(recognizer, pattern)))
        self._fused = {key: _fuse(rules) for key, rules in by_key.items()}

    def candidates(self, text: str) -> Iterator[Candidate]:
        """Yields the candidates of the trusted rules in ``text``."""
        fused = self._fused
        for run in _RUN.finditer(text):
            start, end = run.span()
            first = text[start]
            entry = fused.get(end - start if first <= "9" else first)
            if entry is None:
                continue
            match = entry.expression.match(text, start)
            if match is None or match.lastindex is None:
                continue
            for rule, whole, value in entry.rules:
                low, high = match.span(value)
                if low >= 0:
                    yield Candidate(rule, low, high, match.start(whole))
                elif value != whole and match.start(whole) >= 0:
                    yield Candidate(rule, *match.span(whole), match.start(whole))
        for rule, expression in self._searched:
            yield from _spans(rule, expression.finditer(text))

    @property
    def limited(self) -> bool:
        """Whether there are patterns of other people's packs, which run text by text."""
        return bool(self._limited)

    def limited_candidates(self, text: str) -> Iterator[Candidate]:
        """Yields the candidates of third-party rules in one text.

        Raises:
            PatternTimeout: A pattern took longer than its limit; the text is not inspected.
        """
        limit = TIME_LIMIT * max(1.0, len(text) / 100_000)
        for rule, expression in self._limited:
            try:
                yield from _spans(rule, expression.finditer(text, timeout=limit))
            except TimeoutError:
                raise PatternTimeout(
                    f"pattern {rule.pattern.name!r} of recognizer {rule.recognizer.name!r} took longer than "
                    f"{limit:.1f} s on one text; rewrite it without nested repetition"
                ) from None


_RUN = re.compile("[0-9]+|[A-Za-z]+")


def _spans(rule: Rule, matches: Iterable[re.Match[str] | regex.Match[str]]) -> Iterator[Candidate]:
    for match in matches:
        group: str | int = "value" if "value" in match.re.groupindex else 0
        low, high = match.span(group)
        if low < 0:
            low, high = match.span()
        if low < high:
            yield Candidate(rule, low, high, match.start())


def _fuse(rules: Sequence[Rule]) -> _Fused:
    parts: list[str] = []
    for index, rule in enumerate(rules):
        body = re.sub(r"\(\?P([<=])([a-z_]+)", rf"(?P\g<1>\g<2>{index}", rule.pattern.regex)
        parts.append(f"(?:(?=(?P<match{index}>{body}))|)")
    expression = re.compile("".join(parts))
    groups = expression.groupindex
    return _Fused(
        expression,
        tuple(
            (rule, groups[f"match{index}"], groups.get(f"value{index}", groups[f"match{index}"]))
            for index, rule in enumerate(rules)
        ),
    )


def _lead(recognizer: RecognizerDefinition, pattern: PatternDefinition) -> re.Pattern[str] | None:
    if pattern.lead is None:
        return None
    try:
        return re.compile(f"(?:{pattern.lead})\\Z")
    except re.error as error:
        raise _wrong(recognizer, pattern, "lead", error) from error


def _compile(recognizer: RecognizerDefinition, pattern: PatternDefinition) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern.regex)
    except re.error as error:
        raise _wrong(recognizer, pattern, "regex", error) from error
    if compiled.match(""):
        raise _wrong(recognizer, pattern, "regex", "it matches the empty string")
    return compiled


def _compile_limited(recognizer: RecognizerDefinition, pattern: PatternDefinition) -> regex.Pattern[str]:
    try:
        compiled = regex.compile(pattern.regex)
    except regex.error as error:
        raise _wrong(recognizer, pattern, "regex", error) from error
    if compiled.match(""):
        raise _wrong(recognizer, pattern, "regex", "it matches the empty string")
    return compiled


def _wrong(
    recognizer: RecognizerDefinition, pattern: PatternDefinition, field: str, why: object
) -> RecognizerDefinitionError:
    return RecognizerDefinitionError(f"{recognizer.name}.toml pattern {pattern.name!r}: {field} is not usable: {why}")
