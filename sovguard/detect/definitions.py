"""Recognizer definitions: TOML files in, checked and typed rules out.

One file describes one entity type: its patterns, the check that may raise or refute a match (named, since a pack holds
data and no code), the labels and context words that count, and examples that run as tests. The built-in pack lies in
``sovguard.recognizers``; other distributions add theirs through the entry-point group ``sovguard.recognizers`` (a
package holding the same flat TOML files), users by path. A file that does not parse, an unknown field, an unknown
validator or a pattern that does not compile is an error, never skipped.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, cast

from sovguard.detect.validators import VALIDATORS
from sovguard.entities import ENTITY_TYPES, LegalClass
from sovguard.errors import RecognizerDefinitionError

Requires = Literal["nothing", "context", "label"]
ENTRY_POINT_GROUP = "sovguard.recognizers"


@dataclass(frozen=True, slots=True)
class PatternDefinition:
    """One written form of an identifier.

    Attributes:
        name: Unique within its file; appears in the evidence.
        regex: Matches normalised text; a group named ``value`` narrows the span.
        score: Confidence of the bare match.
        requires: What must stand beside the match for it to count: ``nothing``, a ``context`` word in reach, or a
            ``label`` directly before it.
        validator: Name of a check in ``validators``; it may refute a match.
        pass_score: Score once the check passed; ``score`` where the file says nothing.
        first_digits: Lengths of the digit run that a match begins with. Lets the cheap scan skip the pattern elsewhere.
        first_letters: ASCII letters that a match may begin with; likewise.
        first_words: Words that a match may begin with; likewise, for matches that begin with Hangul.
        lead: What directly before the match belongs to the value (the region of an old licence plate).
        lead_required: The match counts only with its lead; implied by ``after``.
        behind: What has to stand directly before the match without belonging to the value.
        then: One of these characters stands behind the run of digits or letters that the match begins with; likewise.
        after: One of these characters stands before the match (one space allowed); lets the cheap scan skip the pattern
            elsewhere. How an address is found from its first number.
        ignores_labels: Keeps its score beside the label of another type (an e-mail address is one anywhere).
        labels: The labels that speak for this pattern, in place of those of the file.
    """

    name: str
    regex: str
    score: float
    requires: Requires = "nothing"
    validator: str | None = None
    pass_score: float | None = None
    first_digits: tuple[int, ...] = ()
    first_letters: str = ""
    first_words: tuple[str, ...] = ()
    lead: str | None = None
    lead_required: bool = False
    behind: str | None = None
    after: str = ""
    then: str = ""
    ignores_labels: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContextDefinition:
    """Words that speak for a type.

    Attributes:
        labels: Stand directly before the value, with at most a particle, a separator and an opening mark between.
        words: Count within ``before`` characters ahead of the match or ``after`` characters behind it.
        before: Reach ahead of the match, in characters.
        after: Reach behind the match, in characters.
        boost: Added to the score where a context word was found.
    """

    labels: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    before: int = 32
    after: int = 14
    boost: float = 0.3


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what has to be found in it; ``match`` is ``None`` for a counterexample."""

    text: str
    match: str | None = None


@dataclass(frozen=True, slots=True)
class RecognizerDefinition:
    """Everything one TOML file says about one entity type."""

    name: str
    entity_type: str
    korean: str
    legal_class: LegalClass
    patterns: tuple[PatternDefinition, ...]
    context: ContextDefinition
    examples: tuple[Example, ...]
    counterexamples: tuple[Example, ...]
    trusted: bool


@dataclass(frozen=True, slots=True)
class Pack:
    """The definitions in use and the labels that mark a number as something else (주문번호, 운송장, ISBN)."""

    recognizers: tuple[RecognizerDefinition, ...]
    false_friends: tuple[str, ...]


_PATTERN_FIELDS = {
    "name",
    "regex",
    "score",
    "requires",
    "validator",
    "pass_score",
    "first_digits",
    "first_letters",
    "first_words",
    "lead",
    "lead_required",
    "behind",
    "after",
    "then",
    "ignores_labels",
    "labels",
}
_TOP_FIELDS = {
    "kind",
    "entity_type",
    "korean",
    "legal_class",
    "fragments",
    "patterns",
    "context",
    "examples",
    "counterexamples",
}
_CONTEXT_FIELDS = {"labels", "words", "before", "after", "boost"}


@cache
def built_in_pack() -> Pack:
    """Returns the pack that ships with sovguard, read once."""
    folder = resources.files("sovguard.recognizers")
    recognizers: list[RecognizerDefinition] = []
    friends: list[str] = []
    for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not item.name.endswith(".toml"):
            continue
        table = _parse(item.read_text(encoding="utf-8"), item.name)
        kind = table.get("kind", "recognizer")
        if kind == "recognizer":
            recognizers.append(_definition(table, item.name, trusted=True))
        elif kind == "false_friends":
            friends += table["labels"]
    return Pack(tuple(recognizers), tuple(friends))


@cache
def entry_point_definitions() -> tuple[RecognizerDefinition, ...]:
    """Returns the definitions that installed distributions bring through the entry-point group."""
    found: list[RecognizerDefinition] = []
    for point in sorted(metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        try:
            folder = resources.files(point.value)
        except (ImportError, TypeError) as error:
            raise RecognizerDefinitionError(
                f"recognizer pack {point.name!r} names the package {point.value!r}, which cannot be imported; "
                "reinstall or remove the distribution that brings it"
            ) from error
        found += _folder(folder, point.name)
    return tuple(found)


def path_definitions(paths: Iterable[str | os.PathLike[str]]) -> tuple[RecognizerDefinition, ...]:
    """Returns the definitions in the given TOML files or folders of TOML files.

    Raises:
        RecognizerDefinitionError: A path does not exist, or a file is wrong.
    """
    found: list[RecognizerDefinition] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found += _folder(path, str(path))
        elif path.is_file():
            found.append(_definition(_parse(_read(path), path.name), path.name, trusted=False))
        else:
            raise RecognizerDefinitionError(f"recognizer file {str(path)!r} does not exist")
    return tuple(found)


def _folder(folder: Traversable, name: str) -> Iterator[RecognizerDefinition]:
    files = [item for item in folder.iterdir() if item.name.endswith(".toml")]
    if not files:
        raise RecognizerDefinitionError(f"recognizer pack {name!r} holds no .toml file")
    for item in sorted(files, key=lambda entry: entry.name):
        yield _definition(_parse(_read(item), item.name), item.name, trusted=False)


def _read(item: Traversable) -> str:
    try:
        return item.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecognizerDefinitionError(f"{item.name}: cannot be read as UTF-8 text") from error


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecognizerDefinitionError(f"{source}: not valid TOML: {error}") from error


def _definition(table: Mapping[str, Any], source: str, *, trusted: bool) -> RecognizerDefinition:
    _known(table, _TOP_FIELDS, source)
    entity_type = _text(table, "entity_type", source)
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,39}", entity_type):
        raise RecognizerDefinitionError(f"{source}: entity_type must be upper-case ASCII like KR_RRN")
    known = ENTITY_TYPES.get(entity_type)
    korean = table.get("korean", known.korean if known else entity_type)
    legal = table.get("legal_class", known.legal_class if known else None)
    if legal not in set(LegalClass):
        raise RecognizerDefinitionError(
            f"{source}: legal_class must be one of {', '.join(LegalClass)} (a new entity type has no default)"
        )
    fragments = table.get("fragments", {})
    raw_patterns = table.get("patterns", [])
    if not raw_patterns:
        raise RecognizerDefinitionError(f"{source}: needs at least one [[patterns]] table")
    patterns = tuple(_pattern(raw, fragments, source) for raw in raw_patterns)
    names = [pattern.name for pattern in patterns]
    if len(set(names)) != len(names):
        raise RecognizerDefinitionError(f"{source}: pattern names must differ")
    raw_context = table.get("context", {})
    _known(raw_context, _CONTEXT_FIELDS, f"{source} [context]")
    context = ContextDefinition(
        labels=_words(raw_context, "labels", source),
        words=_words(raw_context, "words", source),
        **{name: raw_context[name] for name in ("before", "after", "boost") if name in raw_context},
    )
    return RecognizerDefinition(
        name=source.removesuffix(".toml"),
        entity_type=entity_type,
        korean=korean,
        legal_class=LegalClass(legal),
        patterns=patterns,
        context=context,
        examples=tuple(
            Example(_text(e, "text", source), _text(e, "match", source)) for e in table.get("examples", [])
        ),
        counterexamples=tuple(Example(_text(e, "text", source)) for e in table.get("counterexamples", [])),
        trusted=trusted,
    )


def _pattern(raw: Mapping[str, Any], fragments: Mapping[str, str], source: str) -> PatternDefinition:
    name = _text(raw, "name", source)
    where = f"{source} pattern {name!r}"
    _known(raw, _PATTERN_FIELDS, where)
    regex = expand(_text(raw, "regex", where), fragments, where)
    if r"\b" in regex:
        raise RecognizerDefinitionError(
            rf"{where}: \b fails between a digit and a Korean particle (Hangul is \w); "
            "use (?<![0-9A-Za-z]) and (?![0-9A-Za-z])"
        )
    validator = raw.get("validator")
    if validator is not None and validator not in VALIDATORS:
        raise RecognizerDefinitionError(
            f"{where}: unknown validator {validator!r}; known: {', '.join(VALIDATORS)}"
        )
    requires = raw.get("requires", "nothing")
    if requires not in ("nothing", "context", "label"):
        raise RecognizerDefinitionError(f"{where}: requires must be 'nothing', 'context' or 'label'")
    score = raw.get("score")
    for number in (score, raw.get("pass_score", score)):
        if not isinstance(number, int | float) or isinstance(number, bool) or not 0 <= number <= 1:
            raise RecognizerDefinitionError(f"{where}: score and pass_score must be numbers from 0 to 1")
    lead, behind = raw.get("lead"), raw.get("behind")
    return PatternDefinition(
        name=name,
        regex=regex,
        score=float(cast("float", score)),
        requires=requires,
        validator=validator,
        pass_score=raw.get("pass_score"),
        first_digits=tuple(raw.get("first_digits", ())),
        first_letters=raw.get("first_letters", ""),
        first_words=_words(raw, "first_words", where),
        lead=expand(lead, fragments, where) if lead is not None else None,
        lead_required=raw.get("lead_required", "after" in raw and lead is not None),
        behind=expand(behind, fragments, where) if behind is not None else None,
        after=raw.get("after", ""),
        then=raw.get("then", ""),
        ignores_labels=raw.get("ignores_labels", False),
        labels=_words(raw, "labels", where),
    )


def expand(regex: str, fragments: Mapping[str, str], where: str) -> str:
    """Returns ``regex`` with each ``{{name}}`` replaced by the fragment of that name."""

    def fragment(match: re.Match[str]) -> str:
        try:
            return expand(fragments[match[1]], fragments, where)
        except KeyError:
            raise RecognizerDefinitionError(f"{where}: there is no fragment {match[1]!r}") from None

    return re.sub(r"\{\{([a-z_]+)\}\}", fragment, regex)


def _known(table: Mapping[str, Any], fields: set[str], where: str) -> None:
    if unknown := sorted(set(table) - fields):
        raise RecognizerDefinitionError(
            f"{where}: unknown field {', '.join(unknown)}; known: {', '.join(sorted(fields))}"
        )


def _text(table: Mapping[str, Any], field: str, where: str) -> str:
    value = table.get(field)
    if not isinstance(value, str) or not value:
        raise RecognizerDefinitionError(f"{where}: field {field!r} must be a non-empty string")
    return value


def _words(table: Mapping[str, Any], field: str, where: str) -> tuple[str, ...]:
    words = table.get(field, [])
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise RecognizerDefinitionError(f"{where}: field {field!r} must be a list of strings")
    return tuple(words)
