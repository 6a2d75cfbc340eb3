"""``sovguard policy``: look at destinations and rules, explain, test and check a policy. No value is ever printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from sovguard.cli_reports import dependence_command
from sovguard.entities import Detection
from sovguard.findings import print_json, printable
from sovguard.guard import Guard, Names
from sovguard.policy import PROFILES, Decision, Destination, Judges, Policy, Request, load
from sovguard.policy.cases import run
from sovguard.policy.destinations import FACTS
from sovguard.policy.explain import Explanation, explain
from sovguard.policy.lint import lint
from sovguard.policy.rules import Rule

Command = Callable[..., Any]

_JSON = click.option("--json", "as_machine", is_flag=True, help="For programs: one JSON object a line.")
_POLICY = click.option(
    "--policy",
    "source",
    default=PROFILES[0],
    show_default=True,
    envvar="SOVGUARD_POLICY",
    metavar="FILE|PROFILE",
    help=f"A policy file, or one of {', '.join(PROFILES)}.  [env: SOVGUARD_POLICY]",
)
_NAMES = click.option(
    "--names", type=click.Choice(["off", "fast", "full"]), default="full", help="How names are found."
)


@click.group()
def policy() -> None:
    """Look at, explain, test and check what may go where (정책)."""


@policy.command()
@_POLICY
@click.option("--facts", is_flag=True, help="With the source and the date of each fact.")
@_JSON
def destinations(source: str, *, facts: bool, as_machine: bool) -> None:
    """List the destinations that a policy knows, and what is known of each."""
    known = sorted(load(source).catalogue, key=lambda each: each.id)
    if as_machine:
        for each in known:
            print_json(_as_table(each))
        return
    if facts:
        for each in known:
            click.echo(f"{each.id}  {printable(each.name)}  ({each.trust})")
            for url in each.urls:
                click.echo(f"  {url}")
            for name in FACTS:
                fact = each.fact(name)
                source_of = f"  [{fact.date} {fact.source}]" if fact.source else ""
                click.echo(f"  {name:17} {printable(fact.value)}{source_of}")
        return
    table = Table(
        "id", "name", "law", "inference", "storage", "kept", "trains", "trust", box=None, pad_edge=False
    )
    for each in known:
        shown = ("jurisdiction", "inference_region", "storage_region", "retention", "training_use")
        table.add_row(each.id, each.name, *(each.fact(name).value for name in shown), each.trust)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@policy.command()
@_POLICY
@_JSON
def show(source: str, *, as_machine: bool) -> None:
    """Print the rules of a policy, those that it extends included, and why they are there."""
    loaded = load(source)
    if as_machine:
        for rule in loaded.rules:
            print_json(_rule_table(rule))
        return
    dry = "  (dry run)" if loaded.dry_run else ""
    click.echo(f"{loaded.name}  {loaded.digest[:16]}  {len(loaded.rules)} rules{dry}")
    for rule in loaded.rules:
        click.echo(f"\n{rule.action.word:9} {rule.id}\n          {_about(rule)}")
        for line in (rule.why, rule.why_ko, "; ".join(rule.law)):
            if line:
                click.echo(f"          {printable(line)}")


@policy.command("explain")
@click.argument("text", required=False)
@click.option(
    "--to", "destination", metavar="DESTINATION", help="Its id, or the URL of the request.", required=True
)
@click.option("--purpose", help="What it is for.")
@click.option("--tenant", default="default", show_default=True, help="Whose it is.")
@_NAMES
@_POLICY
@_JSON
def explain_command(
    text: str | None,
    destination: str,
    purpose: str | None,
    tenant: str,
    names: Names,
    source: str,
    *,
    as_machine: bool,
) -> int:
    """Say what would become of a text at a destination, under which rules, and what would change that.

    The text is read from standard input if it is not given. Exit code 1 if it would be blocked.
    """
    judges = Judges(load(source))
    said = sys.stdin.buffer.read().decode("utf-8") if text is None else text
    found, values, topics = _scan(Guard(names=names), said)
    at = _destination(judges.policy, destination)
    told = explain(judges, Request(found, values, topics), at, purpose=purpose, tenant=tenant)
    if as_machine:
        print_json(_explained(told))
    else:
        _print(told)
    return 1 if told.decision.outcome == "block" else 0


@policy.command("test")
@click.argument("cases", type=click.Path(path_type=Path))
@_NAMES
@_POLICY
@_JSON
def test_command(cases: Path, names: Names, source: str, *, as_machine: bool) -> int:
    """Run the cases of a file (docs/policy.md). Exit code 1 if any is decided otherwise than it says."""
    judges = Judges(load(source))
    guard = Guard(names=names)
    wrong = count = 0
    for outcome in run(judges, cases, lambda text: _scan(guard, text)):
        count += 1
        wrong += bool(outcome.wrong)
        if as_machine:
            print_json({"case": outcome.name, "wrong": list(outcome.wrong), **_decided(outcome.decision)})
        elif outcome.wrong:
            click.echo(f"WRONG  {printable(outcome.name)}: {printable('; '.join(outcome.wrong))}")
    if not as_machine:
        click.echo(f"{count - wrong} of {count} cases are decided as they say")
    return 1 if wrong else 0


@policy.command("lint")
@_POLICY
@_JSON
def lint_command(source: str, *, as_machine: bool) -> int:
    """Name rules that never decide or contradict each other, and facts that are not known. Exit code 1 for the former."""
    odd = lint(load(source))
    for each in odd:
        if as_machine:
            print_json({"kind": each.kind, "about": each.about, "what": each.what})
        else:
            click.echo(f"{each.kind:16} {each.about}: {each.what}")
    if not odd and not as_machine:
        click.echo("nothing odd")
    return 1 if any(each.kind != "unknown-fact" for each in odd) else 0


@policy.command()
def schema() -> None:
    """Print the JSON Schema of policy files, for editors and checkers."""
    text = files("sovguard.policy").joinpath("policy.schema.json").read_text("utf-8")
    click.echo(json.dumps(json.loads(text), ensure_ascii=False, indent=2))


def _scan(guard: Guard, text: str) -> tuple[Sequence[Detection], Sequence[str], frozenset[str]]:
    from sovguard.detect.topics import load as load_topics

    found = guard.scan(text)
    (topics,) = load_topics().find([text])
    return found, [text[hit.start : hit.end] for hit in found], frozenset(hit.topic for hit in topics)


def _destination(loaded: Policy, said: str) -> Destination | None:
    return loaded.catalogue.match(said) if "://" in said else loaded.catalogue.named(said)


def _as_table(each: Destination) -> dict[str, Any]:
    facts = {
        name: {"value": each.fact(name).value, "source": each.fact(name).source, "date": each.fact(name).date}
        for name in FACTS
    }
    return {
        "id": each.id, "provider": each.provider, "name": each.name, "name_ko": each.name_ko, "urls": list(each.urls),
        "trust": each.trust, "dialects": list(each.dialects), "facts": facts,
    }  # fmt: skip


def _rule_table(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id, "action": rule.action.word, "about": _about(rule), "why": rule.why, "why_ko": rule.why_ko,
        "law": list(rule.law),
    }  # fmt: skip


def _about(rule: Rule) -> str:
    """Return what a rule is about, in a line."""
    said = []
    if rule.everything:
        said.append("every request")
    if rule.data:
        said.append(
            ", ".join(sorted(rule.data)) + (f" but {', '.join(sorted(rule.but))}" if rule.but else "")
        )
    if rule.topics:
        said.append(f"topics {', '.join(sorted(rule.topics))}")
    if rule.all_of:
        said.append(f"{' + '.join(sorted(rule.all_of))} together")
    if rule.min_score:
        said.append(f"scored {rule.min_score} or more")
    if rule.more_than:
        said.append(f"more than {rule.more_than} different ones")
    if rule.people_over:
        said.append(f"in sessions with more than {rule.people_over} people")
    said += [f"{name} {' or '.join(sorted(values))}" for name, values in rule.to.items()]
    said += [f"{name} not {' or '.join(sorted(values))}" for name, values in rule.to_not.items()]
    said += [
        f"{name} {', '.join(sorted(each))}"
        for name, each in (("for", rule.purpose), ("of", rule.tenant))
        if each
    ]
    if rule.reroute_to:
        said.append(f"→ {rule.reroute_to}")
    return "; ".join(said)


def _decided(decision: Decision) -> dict[str, Any]:
    return {
        "outcome": decision.outcome,
        "destination": None if decision.destination is None else decision.destination.id,
        "rules": list(decision.rules),
        "warnings": list(decision.warnings),
    }


def _explained(told: Explanation) -> dict[str, Any]:
    return {
        **_decided(told.decision),
        "counts": told.counts,
        "reasons": [
            {
                "rule": each.rule,
                "action": each.action,
                "why": each.why,
                "law": list(each.law),
                "rests_on": {name: fact.value for name, fact in each.rests_on.items()},
            }
            for each in told.reasons
        ],
        "facts": {name: fact.value for name, fact in told.facts.items()},
        "without": dict(told.without),
        "elsewhere": list(told.elsewhere),
        "unknown": list(told.unknown),
    }


def _print(told: Explanation) -> None:
    decision = told.decision
    words = {"send": "sent", "reroute": "rerouted", "block": "BLOCKED"}
    where = "" if decision.destination is None else f" to {decision.destination.id}"
    click.echo(f"{words[decision.outcome]}{where if decision.outcome != 'block' else ''}")
    for name, actions in told.counts.items():
        click.echo(f"  {name:20} {', '.join(f'{count} {action}' for action, count in actions.items())}")
    if decision.warnings:
        click.echo(f"  warned of: {', '.join(decision.warnings)}")
    if told.facts:
        click.echo("the destination")
        for name, fact in told.facts.items():
            click.echo(f"  {name:20} {printable(fact.value)}")
    click.echo("because")
    for each in told.reasons:
        facts = ", ".join(f"{name} = {fact.value}" for name, fact in each.rests_on.items())
        click.echo(f"  {each.action:9} {each.rule}{f'  ({facts})' if facts else ''}")
        for line in (each.why, "; ".join(each.law)):
            if line:
                click.echo(f"            {printable(line)}")
    for name, outcome in told.without.items():
        click.echo(f"without {name}: {outcome}")
    if told.unknown:
        click.echo(f"not known, and asked for by rules: {', '.join(told.unknown)}")
    if decision.outcome != "send":
        click.echo(f"would be sent to: {', '.join(told.elsewhere) or 'no destination'}")


policy.add_command(dependence_command)
