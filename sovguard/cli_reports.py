"""``sovguard ledger report`` and ``dependence``: what was sent where, for people and for programs. No value is ever printed."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import click
from click.core import ParameterSource

from sovguard.errors import ConfigError, InputError
from sovguard.findings import print_json, printable
from sovguard.ledger.reading import read_records
from sovguard.outputs import outputs
from sovguard.policy import PROFILES, Catalogue, load
from sovguard.reports import Summary, dependence, render, summarize, to_json
from sovguard.reports.summary import KOREA
from sovguard.reports.tables import moment
from sovguard.reports.words import LANGUAGES, Language

Command = Callable[..., Any]
Records = Iterable[Mapping[str, Any]]

_DAYS = re.compile("([0-9]{1,5})d")
_NOT_BEFORE = datetime(1970, 1, 1, tzinfo=UTC)
_JSON = click.option("--json", "as_machine", is_flag=True, help="For programs: JSON.")


class _Hours(click.FloatRange):
    """A number between two others, which is one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found: float = super().convert(value, param, ctx)
        if math.isnan(found):  # neither below nor above anything
            self.fail("nan is no number of hours", param, ctx)
        return found


def source_options(command: Command) -> Command:
    """Add the options that name where records come from."""
    command = click.option(
        "--records",
        "source",
        metavar="FILE",
        help="Records as lines of JSON in place of a ledger; - is standard input.",
    )(command)
    return click.option(
        "--ledger",
        "address",
        envvar="SOVGUARD_LEDGER",
        metavar="ADDRESS",
        help="A folder, or postgresql://…?schema=NAME.  [env: SOVGUARD_LEDGER]",
    )(command)


def period_options(command: Command) -> Command:
    """Add the options that name a period."""
    command = click.option(
        "--utc-offset",
        "hours",
        type=_Hours(-14, 14),
        default=KOREA / 60,
        show_default=True,
        help="Where days begin: hours ahead of UTC.",
    )(command)
    command = click.option(
        "--until", metavar="DATE|DAYS", help="The last day, YYYY-MM-DD; or 7d: a week ago."
    )(command)
    return click.option(
        "--since", metavar="DATE|DAYS", help="The first day, YYYY-MM-DD; or 30d: the last 30 days."
    )(command)


@click.command()
@source_options
@period_options
@click.option(
    "--html", type=click.Path(path_type=Path), metavar="FILE", help="Write the page for people here."
)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="ko",
    show_default=True,
    help="What the page opens in.",
)
@click.option("--title", help="Of the page.")
@_JSON
def report(
    address: str | None,
    source: str | None,
    since: str | None,
    until: str | None,
    hours: float,
    html: Path | None,
    language: str,
    title: str | None,
    *,
    as_machine: bool,
) -> int:
    """Say what was sent where, and what became of it (전송 현황 보고서)."""
    return run_report(
        _chosen(address, source),
        since=since,
        until=until,
        hours=hours,
        html=html,
        language=cast("Language", language),
        title=title,
        as_machine=as_machine,
    )


@click.command("dependence")
@source_options
@period_options
@click.option(
    "--policy",
    default=PROFILES[0],
    show_default=True,
    envvar="SOVGUARD_POLICY",
    metavar="FILE|PROFILE",
    help="Whose destinations could take the place of others.  [env: SOVGUARD_POLICY]",
)
@_JSON
def dependence_command(
    address: str | None,
    source: str | None,
    since: str | None,
    until: str | None,
    hours: float,
    policy: str,
    *,
    as_machine: bool,
) -> int:
    """Say what rests on each vendor and on each country's law, and what a switch would touch (의존도)."""
    catalogue = load(policy).catalogue
    return run_dependence(
        _chosen(address, source), catalogue, since=since, until=until, hours=hours, as_machine=as_machine
    )


def run_report(
    records: Records,
    *,
    since: str | None = None,
    until: str | None = None,
    hours: float = KOREA / 60,
    html: Path | None = None,
    language: Language = "ko",
    title: str | None = None,
    as_machine: bool = False,
) -> int:
    """Report on records as the options say: a page, JSON, or a few lines; return the exit code.

    Raises:
        ConfigError: A date is none, or the period has no day.
    """
    since_ms, until_ms = period(since, until, hours)
    summary = summarize(records, since_ms=since_ms, until_ms=until_ms, offset_minutes=round(hours * 60))
    if html is not None:
        with outputs() as results:
            results.write(render(summary, language=language, title=title).encode(), html)
    if as_machine:
        print_json(to_json(summary))
    elif html is None:
        for line in _lines(summary):
            click.echo(printable(line).replace("\n", " "))
    return 0


def run_dependence(
    records: Records,
    catalogue: Catalogue,
    *,
    since: str | None = None,
    until: str | None = None,
    hours: float = KOREA / 60,
    as_machine: bool = False,
) -> int:
    """Print what rests on whom, as the options say; return the exit code.

    Raises:
        ConfigError: A date is none, or the period has no day.
    """
    since_ms, until_ms = period(since, until, hours)
    found = dependence(records, catalogue, since_ms=since_ms, until_ms=until_ms)
    if as_machine:
        print_json(found.as_json())
    else:
        for line in found.as_lines():
            click.echo(printable(line).replace("\n", " "))
    return 0


def period(
    since: str | None, until: str | None, hours: float, *, now: datetime | None = None
) -> tuple[int | None, int | None]:
    """Return the first moment that counts and the first that does not, in milliseconds since 1970.

    Args:
        since: A day, or how many days ago.
        until: The same; of a day, its end.
        hours: How far local time is ahead of UTC.
        now: The time.

    Raises:
        ConfigError: One is neither, or nothing lies between them.
    """
    at = datetime.now(UTC) if now is None else now
    first = None if since is None else _moment(since, hours, at, "--since")
    last = None if until is None else _moment(until, hours, at, "--until", later=timedelta(days=1))
    if first is not None and last is not None and first >= last:
        raise ConfigError("there is no time between --since and --until; look at their order")
    return first, last


def _moment(said: str, hours: float, now: datetime, option: str, later: timedelta = timedelta(0)) -> int:
    days = _DAYS.fullmatch(said)
    try:
        if days is not None:
            when = now - timedelta(days=int(days[1]))
        elif re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", said) is None:
            raise ValueError
        else:
            when = datetime.strptime(said, "%Y-%m-%d").replace(tzinfo=UTC) - timedelta(hours=hours) + later
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{option} takes a day that there is, as YYYY-MM-DD, or a number of days as 30d"
        ) from None
    return max(0, (when - _NOT_BEFORE) // timedelta(milliseconds=1))


def _chosen(address: str | None, source: str | None) -> Iterator[Mapping[str, Any]]:
    if source is not None:
        if click.get_current_context().get_parameter_source("address") is ParameterSource.COMMANDLINE:
            raise ConfigError("name the --ledger or the --records, not both")
        return records_in(source)
    if not address:
        raise ConfigError("name the ledger with --ledger FOLDER (or in SOVGUARD_LEDGER)")
    return read_records(address)


def records_in(source: str) -> Iterator[Mapping[str, Any]]:
    """Yield the records of a file of JSON lines; ``-`` is standard input.

    Raises:
        InputError: It cannot be read, or a line is no record. The line is not quoted.
    """
    try:
        with nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb") as lines:
            for place, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError):
                    record = None
                if not isinstance(record, dict):
                    raise InputError(f"{source}: line {place} is no record: each is one JSON object")
                yield record
    except OSError as error:
        raise InputError(
            f"{source} cannot be read ({error.strerror}); name the file with --records"
        ) from None


def _lines(summary: Summary) -> Iterator[str]:
    """Yield a summary for a terminal: what the page tells at its top."""
    if summary.first is None or summary.last is None:
        yield "there is no request in this period"
        return
    offset = summary.offset_minutes
    yield f"{moment(summary.first, offset)} – {moment(summary.last, offset)}"
    about = "" if summary.sessions_exact else "about "
    outcomes = ", ".join(f"{count:,} {name}" for name, count in summary.outcomes.items() if count)
    yield f"{summary.requests:,} requests in {about}{summary.sessions:,} sessions: {outcomes}"
    if summary.fallbacks:
        yield f"{sum(summary.fallbacks.values()):,} more tries elsewhere because a destination was out"
    yield "where it went (어디로)"
    for flow in summary.flows:
        actions: dict[str, int] = {}
        for counted in flow.values.values():
            for action, count in counted.items():
                actions[action] = actions.get(action, 0) + count
        told = ", ".join(f"{count:,} {action}" for action, count in sorted(actions.items())) or "no values"
        yield f"  {flow.requests:>9,}  {flow.provider} → {flow.jurisdiction} → {flow.region}  ({told})"
    if summary.stopped:
        yield "what did not (차단·중단·변경)"
    for each in summary.stopped[:20]:
        instead = f" → {each.instead}" if each.instead else ""
        yield f"  {each.requests:>9,}  {each.outcome} by {each.rule or '-'} at {each.destination}{instead}"
    for notice in summary.notices:
        missing = ", ".join(notice.missing)
        yield f"abroad (국외): {notice.place.legal_entity} [{notice.place.id}], {notice.requests:,} requests"
        yield f"           to fill in: {missing}"
    if summary.unreadable:
        yield f"{summary.unreadable:,} records could not be read: verify the ledger"
