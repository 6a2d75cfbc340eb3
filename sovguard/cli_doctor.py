"""``sovguard doctor``: what would get past the guard, on this machine and around a client."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from importlib import import_module
from typing import Any

import click

from sovguard.doctor import examine
from sovguard.errors import ConfigError
from sovguard.findings import print_json, printable


@click.command()
@click.option(
    "--client", "place", metavar="MODULE:NAME", help="Look at this client too; the module is imported."
)
@click.option("--json", "as_machine", is_flag=True, help="For programs: one JSON object a line.")
def doctor(place: str | None, as_machine: bool) -> int:
    """Say what on this machine would let real values out past the guard, and how to stop it. Exit code 1 if anything would."""
    concerns = examine(_imported(place) if place is not None else None)
    for concern in concerns:
        if as_machine:
            print_json(asdict(concern))
        else:
            click.echo(f"{concern.severity.upper():5}  {printable(concern.what)}")
            click.echo(f"       found: {printable(concern.because)}")
            click.echo(f"       fix:   {printable(concern.fix)}")
    if not concerns and not as_machine:
        click.echo("nothing found that would get past the guard")
    return 1 if concerns else 0


def _imported(place: str) -> Any:
    module, _, name = place.partition(":")
    if not module or not name.isidentifier():
        raise ConfigError("--client takes MODULE:NAME, such as app.models:client")
    sys.path.insert(0, os.getcwd())
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):
        raise ConfigError(f"--client: there is no {name} in a module {module} that can be imported") from None
    except Exception as error:
        raise ConfigError(f"--client: importing {module} failed ({type(error).__name__})") from None
    finally:
        sys.path.pop(0)
