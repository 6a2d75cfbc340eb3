"""``sovguard compare``: a corpus before and after redaction, as a page, as JSON or in a few lines. No value is ever printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from sovguard.errors import InputError
from sovguard.findings import print_json, printable
from sovguard.guard import Guard, Names
from sovguard.outputs import outputs, refuse_same
from sovguard.pipeline.files.csv_text import named_delimiter
from sovguard.pipeline.quality.figures import QualityReport
from sovguard.pipeline.quality.files import Reading, readings
from sovguard.pipeline.quality.reporting import compare

_SHOWN = 20


@click.command("compare")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the page for people here."
)
@click.option("--json", "as_machine", is_flag=True, help="For programs: JSON.")
@click.option("--title", help="Of the page.")
@click.option(
    "--names",
    type=click.Choice(["off", "fast", "full"]),
    default="full",
    show_default=True,
    help="How person names are found.",
)
@click.option("--recognizers", multiple=True, metavar="PATH", help="More recognizers; repeatable.")
@click.option("--field", "fields", multiple=True, help="Look at this column or field only; repeatable.")
@click.option(
    "--quasi-identifier",
    "quasi",
    multiple=True,
    metavar="COLUMN",
    help="A column by which somebody could be told: k-anonymity before and after; repeatable.",
)
@click.option(
    "--delimiter", metavar="CHAR", help="The files are CSV with this between cells.  [default: what fits]"
)
@click.option(
    "--header/--no-header",
    default=None,
    help="Whether CSV begins with names.  [default: the first row of BEFORE tells]",
)
def compare_command(
    before: Path,
    after: Path,
    output: Path | None,
    as_machine: bool,
    title: str | None,
    names: str,
    recognizers: tuple[str, ...],
    fields: tuple[str, ...],
    quasi: tuple[str, ...],
    delimiter: str | None,
    header: bool | None,
) -> int:
    """Say whether AFTER, the redacted file, is safe and still useful, by BEFORE, the file that it was made from (품질 보고서).

    Exit code 1 if anything is left that was found.
    """
    if output is not None:
        refuse_same(output, [before, after], "-o names a file that is read; name another file")
    guard = Guard(names=cast("Names", names), recognizers=recognizers)
    was, now = readings(before, after, guard, delimiter=named_delimiter(delimiter), header=header)
    if was.source.path.samefile(now.source.path):
        raise InputError("BEFORE and AFTER are one file; name the file as it was, then the redacted one")
    with _bar(was, now) as progress:
        report = compare(
            was.rows(progress),
            now.rows(),
            now.rows(),
            columns=fields or None,
            quasi_identifiers=quasi,
            guard=guard,
        )
    if output is not None:
        with outputs() as results:
            results.write(report.html(title=title).encode(), output)
    if as_machine:
        print_json(report.to_json())
    elif output is None:
        for line in _lines(report):
            click.echo(printable(line).replace("\n", " "))
    return 0 if report.safe else 1


@contextmanager
def _bar(was: Reading, now: Reading) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn(printable(was.source.path.name)), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=was.source.size)
        yield lambda done: bar.update(task, completed=done)


def _lines(report: QualityReport) -> Iterator[str]:
    """Yield a report for a terminal: what the page tells at its top."""
    rows = report.rows
    verdict = "nothing is left that was found" if report.safe else f"{report.left:,} values are left"
    yield f"{verdict} (남은 값)"
    for name, each in sorted(report.types.items(), key=lambda item: -item[1].found):
        substitutes = ", ".join(f"{count:,} {kind}" for kind, count in each.substitutes.items()) or "none"
        yield f"  {name}: {each.found:,} found, replaced: {substitutes}, left: {each.left.total:,}"
    yield (
        f"{rows.kept:,} of {rows.before:,} rows kept, {rows.added:,} added, {rows.moved:,} moved; "
        f"text outside of values changed in {rows.changed:,}, other fields in {rows.fields:,}, broken {rows.broken[1]:,}"
    )
    shared, joined = report.shared
    yield (
        f"{report.share:.1%} of characters changed; {report.split:,} values with several substitutes, "
        f"{report.merged:,} substitutes of several values; {joined:,} of {shared:,} values join across columns"
    )
    if report.anonymity is not None:
        was, now = report.anonymity
        yield f"k-anonymity: {was.k:,} before, {now.k:,} after; alone: {was.alone:,} before, {now.alone:,} after"
    for place in report.places[:_SHOWN]:
        at = " ".join(each for each in (place.column, place.entity_type) if each)
        yield f"  {place.what}: row {place.before or '-'} before, {place.after or '-'} after  {at}"
