"""Reads one TOML file of a pack; whatever is wrong with it is an error that names the file, the pattern and the field.

Nothing is guessed: an unknown field, a value of another kind, an unknown check, a pattern that uses ``\\b`` or a fragment
that is not there stop the file from being used.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from typing import Any, cast

from sovguard.detect.definitions import (
    ContextDefinition,
    Example,
    ListDefinition,
    PatternDefinition,
    RecognizerDefinition,
    Requires,
)
from sovguard.detect.validators import VALIDATORS
from sovguard.entities import ENTITY_TYPES, LITERAL_TYPE, LegalClass
from sovguard.errors import RecognizerDefinitionError

Table = Mapping[str, Any]

_PATTERN_FIELDS = frozenset(PatternDefinition.__slots__)
_CONTEXT_FIELDS = frozenset(ContextDefinition.__slots__)
_TOP_FIELDS = frozenset(
    (
        "kind",
        "entity_type",
        "korean",
        "legal_class",
        "fragments",
        "patterns",
        "list",
        "context",
        "examples",
        "counterexamples",
    )
)
_WORD_BORDER = re.compile(r"(?<!\\)(?:\\\\)*\\b")
_MOST_REACH = 1000


def parse(text: str, source: str) -> dict[str, Any]:
    """Returns the tables of a TOML file; a byte order mark in front, as Windows editors write it, is passed over.

    Raises:
        RecognizerDefinitionError: ``text`` is not TOML.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecognizerDefinitionError(f"{source}: not valid TOML: {error}") from error


def false_friends(table: Table, source: str) -> tuple[str, ...]:
    """Returns the labels in a file of kind ``false_friends``."""
    _known(table, frozenset(("kind", "labels")), source)
    return _words(table, "labels", source)


def recognizer(
    table: Table, source: str, *, trusted: bool, folder: Traversable | None = None
) -> RecognizerDefinition:
    """Returns the definition that a parsed file holds.

    Args:
        table: The file's content.
        source: What the file is called in errors.
        trusted: Whether its patterns run without a time limit.
        folder: Where the file lies, and with it the list it may name.

    Raises:
        RecognizerDefinitionError: Something in it is wrong.
    """
    _known(table, _TOP_FIELDS, source)
    if table.get("kind", "recognizer") != "recognizer":
        raise _wrong(source, "field 'kind' must be 'recognizer' or left out")
    entity_type = _text(table, "entity_type", source)
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,39}", entity_type):
        raise _wrong(source, "entity_type must be upper-case ASCII like KR_RRN")
    if entity_type == LITERAL_TYPE:
        raise _wrong(source, f"entity_type {LITERAL_TYPE} is reserved; choose another")
    known = ENTITY_TYPES.get(entity_type)
    korean = _text(table, "korean", source, known.korean if known else entity_type)
    legal = table.get("legal_class", known.legal_class if known else None)
    if known and legal != known.legal_class:
        raise _wrong(source, f"legal_class of {entity_type} is {known.legal_class}; leave the field out")
    if not isinstance(legal, str) or legal not in set(LegalClass):
        raise _wrong(
            source, f"legal_class must be one of {', '.join(LegalClass)} (a new entity type has no default)"
        )
    fragments = _table(table, "fragments", source)
    for name in fragments:
        _text(fragments, name, f"{source} [fragments]")
    raw_patterns = _tables(table, "patterns", source)
    listed = _list(_table(table, "list", source), folder, f"{source} [list]") if "list" in table else None
    if not raw_patterns and listed is None:
        raise _wrong(source, "needs at least one [[patterns]] table, or a [list]")
    patterns = tuple(_pattern(raw, fragments, source) for raw in raw_patterns)
    names = [pattern.name for pattern in patterns]
    if len(set(names)) != len(names):
        raise _wrong(source, "pattern names must differ")
    context = _context(_table(table, "context", source), f"{source} [context]")
    for pattern in patterns:
        if pattern.requires == "label" and not (pattern.labels or context.labels):
            raise _wrong(f"{source} pattern {pattern.name!r}", "requires a label, and there are no labels")
        if pattern.requires == "context" and not (context.words or context.labels or pattern.labels):
            raise _wrong(f"{source} pattern {pattern.name!r}", "requires context, and there are no words")
    return RecognizerDefinition(
        name=re.split(r"[/\\]", source)[-1][: -len(".toml")],
        entity_type=entity_type,
        korean=korean,
        legal_class=LegalClass(legal),
        patterns=patterns,
        context=context,
        examples=tuple(_example(raw, source) for raw in _tables(table, "examples", source)),
        counterexamples=tuple(
            _counterexample(raw, source) for raw in _tables(table, "counterexamples", source)
        ),
        trusted=trusted,
        list=listed,
    )


def _list(raw: Table, folder: Traversable | None, where: str) -> ListDefinition:
    _known(raw, frozenset(ListDefinition.__slots__), where)
    name = _text(raw, "file", where)
    if folder is None or re.search(r"(?:^|[/\\])\.\.(?:[/\\]|$)", name) or name.startswith(("/", "\\")):
        raise _wrong(where, "file must lie beside the TOML file or below it")
    column = _text(raw, "column", where, "") if "column" in raw else ""
    return ListDefinition(folder.joinpath(name), column, _share(raw, "score", where, 0.9))


def _pattern(raw: Table, fragments: Table, source: str) -> PatternDefinition:
    name = _text(raw, "name", source)
    where = f"{source} pattern {name!r}"
    _known(raw, _PATTERN_FIELDS, where)
    expressions = {
        field: expand(_text(raw, field, where), fragments, where)
        for field in ("regex", "lead", "behind")
        if field == "regex" or field in raw
    }
    for field, expression in expressions.items():
        if _WORD_BORDER.search(expression):
            raise _wrong(
                where,
                rf"{field}: \b fails between a digit and a Korean particle (Hangul is \w); "
                "use (?<![0-9A-Za-z]) and (?![0-9A-Za-z])",
            )
    validator = raw.get("validator")
    if validator is not None and (not isinstance(validator, str) or validator not in VALIDATORS):
        raise _wrong(where, f"unknown validator {validator!r}; known: {', '.join(VALIDATORS)}")
    requires = raw.get("requires", "nothing")
    if requires not in ("nothing", "context", "label"):
        raise _wrong(where, "requires must be 'nothing', 'context' or 'label'")
    lengths = raw.get("first_digits", [])
    if not isinstance(lengths, list) or not all(type(length) is int and length > 0 for length in lengths):
        raise _wrong(where, "field 'first_digits' must be a list of lengths, each a whole number above 0")
    lead = expressions.get("lead")
    return PatternDefinition(
        name=name,
        regex=expressions["regex"],
        score=_share(raw, "score", where),
        requires=cast("Requires", requires),
        validator=validator,
        pass_score=_share(raw, "pass_score", where) if "pass_score" in raw else None,
        first_digits=tuple(lengths),
        first_letters=_text(raw, "first_letters", where, ""),
        first_words=_words(raw, "first_words", where),
        lead=lead,
        lead_required=_flag(raw, "lead_required", where, default="after" in raw and lead is not None),
        behind=expressions.get("behind"),
        after=_text(raw, "after", where, ""),
        then=_text(raw, "then", where, ""),
        ignores_labels=_flag(raw, "ignores_labels", where, default=False),
        labels=_words(raw, "labels", where),
    )


def _context(raw: Table, where: str) -> ContextDefinition:
    _known(raw, _CONTEXT_FIELDS, where)
    plain = ContextDefinition()
    return ContextDefinition(
        labels=_words(raw, "labels", where),
        words=_words(raw, "words", where),
        before=_reach(raw, "before", where, plain.before),
        after=_reach(raw, "after", where, plain.after),
        boost=_share(raw, "boost", where, plain.boost),
    )


def _example(raw: Table, source: str) -> Example:
    where = f"{source} [[examples]]"
    _known(raw, frozenset(("text", "match")), where)
    text, match = _text(raw, "text", where), _text(raw, "match", where)
    if match not in text:
        raise _wrong(where, f"the match {match!r} is not in its text")
    return Example(text, match)


def _counterexample(raw: Table, source: str) -> Example:
    where = f"{source} [[counterexamples]]"
    _known(raw, frozenset(("text",)), where)
    return Example(_text(raw, "text", where))


def expand(regex: str, fragments: Table, where: str, inside: Sequence[str] = ()) -> str:
    """Returns ``regex`` with each ``{{name}}`` replaced by the fragment of that name, and those in it likewise.

    Raises:
        RecognizerDefinitionError: A fragment is missing, or holds itself.
    """

    def fragment(match: re.Match[str]) -> str:
        name = match[1]
        if name in inside:
            raise _wrong(where, f"the fragment {name!r} holds itself")
        if name not in fragments:
            raise _wrong(where, f"there is no fragment {name!r}")
        return expand(fragments[name], fragments, where, (*inside, name))

    return re.sub(r"\{\{([^{}]*)\}\}", fragment, regex)


def _wrong(where: str, why: str) -> RecognizerDefinitionError:
    return RecognizerDefinitionError(f"{where}: {why}")


def _known(table: Table, fields: frozenset[str], where: str) -> None:
    if unknown := sorted(set(table) - fields):
        raise _wrong(where, f"unknown field {', '.join(unknown)}; known: {', '.join(sorted(fields))}")


def _text(table: Table, field: str, where: str, default: str | None = None) -> str:
    value = table.get(field, default)
    if not isinstance(value, str) or (not value and default is None):
        raise _wrong(where, f"field {field!r} must be a non-empty string")
    return value


def _words(table: Table, field: str, where: str) -> tuple[str, ...]:
    words = table.get(field, [])
    if not isinstance(words, list) or not all(isinstance(word, str) and word.strip(" _-") for word in words):
        raise _wrong(where, f"field {field!r} must be a list of strings that are not empty or blank")
    return tuple(words)


def _share(table: Table, field: str, where: str, default: float | None = None) -> float:
    value = table.get(field, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise _wrong(where, f"field {field!r} must be a number from 0 to 1")
    return float(value)


def _reach(table: Table, field: str, where: str, default: int) -> int:
    value = table.get(field, default)
    if type(value) is not int or not 0 <= value <= _MOST_REACH:
        raise _wrong(where, f"field {field!r} must be a number of characters from 0 to {_MOST_REACH}")
    return value


def _flag(table: Table, field: str, where: str, *, default: bool) -> bool:
    value = table.get(field, default)
    if not isinstance(value, bool):
        raise _wrong(where, f"field {field!r} must be true or false")
    return value


def _table(table: Table, field: str, where: str) -> Table:
    value = table.get(field, {})
    if not isinstance(value, dict):
        raise _wrong(where, f"field {field!r} must be a table")
    return value


def _tables(table: Table, field: str, where: str) -> Sequence[Table]:
    value = table.get(field, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _wrong(where, f"field {field!r} must be a list of tables, each headed [[{field}]]")
    return value
