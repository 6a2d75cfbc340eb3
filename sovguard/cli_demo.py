"""``sovguard demo``: the whole way, with a model on this machine."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from sovguard.documents import read_document
from sovguard.findings import print_json
from sovguard.outputs import write_out


@click.command()
@click.option(
    "--text", "file", metavar="FILE", help="A text to use in place of the example; - is standard input."
)
@click.option("--encoding", default="utf-8", show_default=True, help="Of the files, e.g. cp949.")
@click.option("--json", "as_machine", is_flag=True, help="For programs: one JSON object a file.")
def demo(file: str | None, encoding: str, as_machine: bool) -> int:
    """Send a consultation to a model on this machine and show what left and what came back."""
    from sovguard.demo import plain_panes, run, show_panes

    outcome = run(read_document(file, encoding, "text").text if file is not None else None)
    if as_machine:
        print_json(outcome.as_dict())
    elif sys.stdout.isatty():
        show_panes(Console(), outcome)
    else:
        write_out(plain_panes(outcome).encode("utf-8", "replace"))
    return 1 if outcome.leaked or outcome.stored else 0
