"""Policies from TOML files: read, checked against the schema, joined with what they extend; whatever is odd is an error."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from sovguard.entities import LegalClass
from sovguard.errors import ConfigError
from sovguard.policy.destinations import FACTS, shipped
from sovguard.policy.rules import PROFILES, RESIDENT_NUMBERS, TOPICS, Action, Policy, Rule, Target, names_of

_CLASSES = frozenset(each.value for each in LegalClass)
_CONDITIONS = ("destination", "provider", "trust", *FACTS)


def load(source: str | os.PathLike[str]) -> Policy:
    """Return a policy.

    Args:
        source: The name of a profile (``kr-pipa``), or the path of a TOML file.

    Raises:
        ConfigError: There is no such file, it does not parse, or it says what no policy can say.
    """
    if isinstance(source, str) and source in PROFILES:
        return profile(source)
    try:
        text = Path(source).read_text("utf-8")
    except OSError as error:
        raise ConfigError(
            f"the policy {os.fspath(source)} cannot be read ({error.strerror}); name a file, or one of {', '.join(PROFILES)}"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"the policy {os.fspath(source)} is not UTF-8; save it so") from None
    return parse(text, where=os.fspath(source), folder=Path(source).parent)


@functools.cache
def profile(name: str) -> Policy:
    """Return a policy that comes with sovguard."""
    return parse(_profile_text(name), where=name)


def _profile_text(name: str) -> str:
    return files("sovguard.policy").joinpath("profiles", f"{name}.toml").read_text("utf-8")


def parse(text: str, *, where: str = "policy", folder: Path | None = None) -> Policy:
    """Return the policy that a TOML text holds.

    Args:
        text: The text.
        where: What to call it in errors.
        folder: Where files that it extends are looked for.

    Raises:
        ConfigError: It does not parse, or it says what no policy can say.
    """
    layers = _layers(text, where, folder, ())
    top = layers[-1][1]
    rules: dict[str, Rule] = {}
    catalogue = shipped()
    targets: dict[str, Target] = {}
    fallbacks: dict[str, tuple[str, ...]] = {}
    for place, table in layers:
        for name in table.get("without", ()):
            if rules.pop(name, None) is None:
                raise ConfigError(f"{place}: without names {name!r}, which is no rule of what it extends")
        catalogue = catalogue.joined(table.get("destination", ()))
        for each in table.get("rule", ()):
            rule = _rule(each, table["name"], place)
            if rule.id in rules:
                raise ConfigError(f"{place}: there are two rules {rule.id}")
            rules[rule.id] = rule
        targets.update({each["id"]: _target(each) for each in table.get("target", ())})
        fallbacks.update({each["from"]: tuple(each["to"]) for each in table.get("fallback", ())})
    for rule in rules.values():
        if rule.action is Action.REROUTE and rule.reroute_to not in targets:
            raise ConfigError(
                f"{where}: rule {rule.id} reroutes to {rule.reroute_to!r}, which is no [[target]]"
            )
        for named in (*rule.to.get("destination", ()), *rule.to_not.get("destination", ())):
            catalogue.named(named)
    for target in targets.values():
        catalogue.named(target.destination)
        there = catalogue.match(target.url)
        if there is None or there.id != target.destination:
            raise ConfigError(
                f"{where}: target {target.id} says that it is {target.destination}, but its URL leads to "
                f"{'no destination' if there is None else there.id}"
            )
    for source, others in fallbacks.items():
        catalogue.named(source)
        if not set(others) <= targets.keys():
            raise ConfigError(f"{where}: the fallback from {source} names what is no [[target]]")
    said = json.dumps([table for _, table in layers], sort_keys=True, ensure_ascii=False, default=str)
    digest = hashlib.sha256(said.encode()).hexdigest()
    return Policy(
        top["name"],
        tuple(rules.values()),
        catalogue,
        targets,
        bool(top.get("dry_run", False)),
        digest,
        fallbacks,
    )


def _layers(
    text: str, where: str, folder: Path | None, above: tuple[str, ...]
) -> list[tuple[str, dict[str, Any]]]:
    """Return the tables of a policy and of those it extends, the furthest first; ``above`` is what extends it."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not TOML: {error}") from None
    check(table, where)
    base = table.get("extends")
    if base is None:
        return [(where, table)]
    if base in PROFILES:
        return [*_layers(_profile_text(base), base, None, above), (where, table)]
    path = ((folder or Path()) / base).resolve()
    if str(path) in above:
        raise ConfigError(f"{where}: policies extend each other in a circle")
    try:
        below = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            f"{where}: it extends {base!r}, which is no profile and no file that can be read"
        ) from None
    return [*_layers(below, str(path), path.parent, (*above, str(path))), (where, table)]


@functools.cache
def _schema() -> Any:
    from jsonschema import Draft202012Validator

    text = files("sovguard.policy").joinpath("policy.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def check(table: Mapping[str, Any], where: str) -> None:
    """Check what a file says against the schema.

    Raises:
        ConfigError: It does not fit; names the place.
    """
    # TOML has dates, JSON has not; the catalogue's dates are written either way.
    plain = json.loads(json.dumps(table, default=str))
    worst = min(_schema().iter_errors(plain), key=lambda each: list(map(str, each.path)), default=None)
    if worst is not None:
        place = ".".join(str(part) for part in worst.path) or "the file"
        raise ConfigError(f"{where}: {place}: {worst.message}")


def _rule(table: Mapping[str, Any], policy: str, where: str) -> Rule:
    name = f"{policy}/{table['id']}"
    action = Action[table["action"].upper()]
    conditions = table.get("to", {})
    rule = Rule(
        id=name,
        action=action,
        why=table.get("why", ""),
        why_ko=table.get("why_ko", ""),
        law=tuple(table.get("law", ())),
        data=frozenset(table.get("data", ())),
        but=frozenset(table.get("except", ())),
        everything=bool(table.get("everything", False)),
        topics=frozenset(table.get("topics", ())),
        to={key: frozenset(conditions[key]) for key in _CONDITIONS if key in conditions},
        to_not={
            key: frozenset(conditions[f"{key}_not"]) for key in _CONDITIONS if f"{key}_not" in conditions
        },
        purpose=frozenset(table.get("purpose", ())),
        tenant=frozenset(table.get("tenant", ())),
        min_score=float(table.get("min_score", 0)),
        more_than=table.get("more_than", 0),
        people_over=table.get("people_over", 0),
        all_of=frozenset(table.get("all_of", ())),
        reroute_to=table.get("reroute_to", ""),
        statute=table.get("statute", ""),
    )
    if not (rule.data or rule.topics or rule.everything or rule.all_of or rule.people_over):
        raise ConfigError(
            f"{where}: rule {name} is about nothing: give it data, topics, all_of, people_over or everything"
        )
    for said in (*rule.data, *rule.but, *rule.topics, *rule.all_of):
        _known(said, name, where, topic=said in rule.topics)
    whole = not rule.data and (rule.topics or rule.everything or rule.people_over)
    if whole and action not in (Action.WARN, Action.REROUTE, Action.BLOCK):
        raise ConfigError(
            f"{where}: rule {name}: topics and requests are warned of, rerouted or blocked; '{action.word}' is for data"
        )
    if action is Action.WARN and rule.data:
        raise ConfigError(f"{where}: rule {name}: for values, say what becomes of them; topics are warned of")
    if (rule.more_than or rule.min_score) and not rule.data:
        raise ConfigError(f"{where}: rule {name}: more_than and min_score count data; say which")
    if action is Action.REROUTE and not rule.reroute_to:
        raise ConfigError(f"{where}: rule {name}: 'reroute' needs reroute_to, the id of a [[target]]")
    if action is Action.ALLOW and not rule.statute and _names_resident_numbers(rule.data):
        raise ConfigError(
            f"{where}: rule {name}: resident numbers leave as they are only under a law (PIPA Art. 24-2; consent is none): "
            "name it as statute"
        )
    return rule


def _known(said: str, rule: str, where: str, *, topic: bool) -> None:
    """Check a name that a rule uses: one that is misspelt would be a rule about nothing."""
    if topic or said.startswith("topic:"):
        if said.removeprefix("topic:") not in TOPICS:
            raise ConfigError(f"{where}: rule {rule}: {said!r} is no topic; there are {', '.join(TOPICS)}")
    # Types of recognizers of one's own and of Presidio's are written in capitals.
    elif said != "*" and said not in _CLASSES and not said.isupper():
        raise ConfigError(
            f"{where}: rule {rule}: {said!r} is no entity type and no legal class ({', '.join(sorted(_CLASSES))})"
        )


def _names_resident_numbers(data: Iterable[str]) -> bool:
    names = frozenset().union(*(names_of(each) for each in RESIDENT_NUMBERS))
    return not names.isdisjoint(data)


def _target(table: Mapping[str, Any]) -> Target:
    return Target(
        table["id"],
        table["destination"],
        table["url"],
        table["dialect"],
        table.get("key_env", ""),
        dict(table.get("models", {})),
    )
