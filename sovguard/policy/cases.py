"""Cases that a policy has to decide as they say: a file that is kept beside it and run whenever either changes.

::

    [[case]]
    name = "a resident number goes abroad"
    found = ["KR_RRN", "PERSON"]        # or: text = "…", in which is looked
    topics = ["health"]
    to = "openai"                        # or: url = "https://…"
    expect = { outcome = "send", actions = { KR_RRN = "remove", PERSON = "tokenize" } }
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sovguard.entities import ENTITY_TYPES, Detection, Evidence
from sovguard.errors import ConfigError
from sovguard.policy.decide import Judges
from sovguard.policy.decision import Decision, Request
from sovguard.policy.rules import TOPICS, Action

_KEYS = frozenset(
    ("name", "text", "found", "different", "topics", "people", "to", "url", "purpose", "tenant", "expect")
)
_EXPECTED = frozenset(("outcome", "actions", "rules", "destination", "warnings"))
_EVIDENCE = Evidence("case")

Scan = Callable[[str], tuple[Sequence[Detection], Sequence[str], frozenset[str]]]
"""Gives what is found in a text, the values, and its topics."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case went.

    Attributes:
        name: The case.
        decision: What the policy said.
        wrong: What was expected and is not so; empty if all is.
    """

    name: str
    decision: Decision
    wrong: tuple[str, ...]


def run(judges: Judges, path: str | os.PathLike[str], scan: Scan | None = None) -> Iterator[Outcome]:
    """Yield how each case of a file goes.

    Args:
        judges: Of the policy.
        path: A TOML file of ``[[case]]`` tables.
        scan: What looks into the texts of cases.

    Raises:
        ConfigError: The file cannot be read, or a case says what none can.
    """
    try:
        table = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{os.fspath(path)} cannot be read ({type(error).__name__})") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{os.fspath(path)} is not TOML: {error}") from None
    cases = table.get("case")
    if (
        set(table) != {"case"}
        or not isinstance(cases, list)
        or not all(isinstance(each, dict) for each in cases)
    ):
        raise ConfigError(f"{os.fspath(path)} has to hold [[case]] tables, and nothing else")
    for place, case in enumerate(table["case"]):
        yield _outcome(judges, case, f"{os.fspath(path)}: case {place + 1}", scan)


def _outcome(judges: Judges, case: Mapping[str, Any], where: str, scan: Scan | None) -> Outcome:
    expected = case.get("expect")
    known = isinstance(expected, dict) and bool(expected)
    odd = (case.keys() - _KEYS) | (set(expected) - _EXPECTED if isinstance(expected, dict) else set())
    if odd or not known:
        raise ConfigError(
            f"{where}: {', '.join(sorted(odd)) or 'expect'}: a case has {', '.join(sorted(_KEYS))}"
        )
    if ("to" in case) == ("url" in case) or ("text" in case and "found" in case):
        raise ConfigError(f"{where}: say where with to or url, and what with text or found")
    _check_names(case, where)
    catalogue = judges.policy.catalogue
    destination = catalogue.named(case["to"]) if "to" in case else catalogue.match(case["url"])
    decision = judges.decide(
        _request(case, where, scan),
        destination,
        purpose=case.get("purpose"),
        tenant=case.get("tenant", "default"),
    )
    return Outcome(case.get("name", where), decision, tuple(_wrong(case, decision, where)))


def _check_names(case: Mapping[str, Any], where: str) -> None:
    """Check what a case names: one that is misspelt would be decided as it says, whatever the policy says."""
    expected = case["expect"]
    lists = [(name, case.get(name, [])) for name in ("found", "topics")]
    lists += [(name, expected.get(name, [])) for name in ("rules", "warnings")]
    for name, said in lists:
        if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
            raise ConfigError(f"{where}: {name} is a list of names")
    actions = expected.get("actions", {})
    if not isinstance(actions, dict) or not set(actions.values()) <= {action.word for action in Action}:
        raise ConfigError(
            f"{where}: actions are a table of types and of {', '.join(each.word for each in Action)}"
        )
    for each in case.get("topics", []):
        if each not in TOPICS:
            raise ConfigError(f"{where}: {each!r} is no topic; there are {', '.join(TOPICS)}")
    for each in (*case.get("found", []), *actions):
        # Types of one's own recognizers are known by their capitals alone; a slip in one of ours is not one of them.
        near = get_close_matches(each, ENTITY_TYPES, 1, 0.8)
        if each not in ENTITY_TYPES and (near or not each.isupper()):
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigError(f"{where}: {each!r} is no entity type{hint}")


def _request(case: Mapping[str, Any], where: str, scan: Scan | None) -> Request:
    topics = frozenset(case.get("topics", ()))
    if "text" in case:
        if scan is None:
            raise ConfigError(f"{where}: nothing looks into texts here; say what is found")
        found, values, told = scan(case["text"])
        return Request(found, values, topics | told, case.get("people", 0))
    names = case.get("found", [])
    hits = [Detection(name, 0, 1, 1.0, "case", _EVIDENCE) for name in names]
    values = ["same" if case.get("different") is False else str(place) for place in range(len(names))]
    return Request(hits, values, topics, case.get("people", 0))


def _wrong(case: Mapping[str, Any], decision: Decision, where: str) -> Iterator[str]:
    expected = case["expect"]
    if "outcome" in expected and expected["outcome"] != decision.outcome:
        yield f"outcome is {decision.outcome}, not {expected['outcome']}"
    there = None if decision.destination is None else decision.destination.id
    if "destination" in expected and expected["destination"] != there:
        yield f"it goes to {there}, not to {expected['destination']}"
    if "actions" in expected:
        if "found" not in case:
            raise ConfigError(f"{where}: actions are expected of what is named under found")
        for name, action in expected["actions"].items():
            places = [place for place, found in enumerate(case["found"]) if found == name]
            words = sorted({decision.actions[place].word for place in places})
            if words != [action]:
                yield f"{name} is {' and '.join(words) or 'not there'}, not {action}"
    for rule in expected.get("rules", ()):
        if rule not in decision.rules:
            yield f"{rule} did not decide; {', '.join(decision.rules) or 'no rule'} did"
    if "warnings" in expected and sorted(expected["warnings"]) != list(decision.warnings):
        yield f"warned of {', '.join(decision.warnings) or 'nothing'}"
