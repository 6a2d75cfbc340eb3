"""``sovguard vault``: make, rotate, look into and erase from a durable vault. No value is ever printed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sovguard.errors import ConfigError
from sovguard.findings import print_json, printable
from sovguard.vault import SessionRef
from sovguard.vault.administration import (
    erase_session,
    erase_surrogate,
    erase_tenant,
    erase_value,
    sessions,
    status,
    sweep,
)
from sovguard.vault.keys import ENVIRONMENT, Keyring
from sovguard.vault.places import create_vault, open_vault
from sovguard.vault.rotation import idle_keys, renumber
from sovguard.vault.rotation import rotate as rotate_keys
from sovguard.vault.sealed import SealedVault

Command = Callable[..., Any]


def vault_options(command: Command) -> Command:
    """Add the options that name a vault and its keys."""
    command = click.option(
        "--keyring",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=f"Its keys.  [default: what {ENVIRONMENT} holds]",
    )(command)
    return click.option(
        "--vault",
        "address",
        envvar="SOVGUARD_VAULT",
        metavar="ADDRESS",
        help="sqlite:///PATH, postgresql://… or redis://….  [env: SOVGUARD_VAULT]",
    )(command)


_JSON = click.option("--json", "as_machine", is_flag=True, help="For programs: JSON.")
_TENANT = click.option("--tenant", default="default", show_default=True, help="Whose sessions.")


def keys_in(keyring: Path | None) -> Keyring:
    """Return the keyring in a file, or in the environment if none is named."""
    return Keyring.from_environment() if keyring is None else Keyring.load(keyring)


def vault_at(address: str | None, keyring: Path | None) -> SealedVault:
    """Return the vault that the options name."""
    return open_vault(_named(address), keys_in(keyring))


def _named(address: str | None) -> str:
    if not address:
        raise ConfigError("name the vault with --vault sqlite:///PATH (or in SOVGUARD_VAULT)")
    return address


@click.group()
def vault() -> None:
    """Make, rotate, look into and erase from a durable vault (대응표 저장소)."""


@vault.command()
@vault_options
def init(address: str | None, keyring: Path | None) -> int:
    """Make a vault, and its keyring if the file is not there. Neither is ever replaced."""
    address = _named(address)
    if keyring is not None and not os.path.lexists(keyring):
        # The keys first: a vault without them is of no use, and keys without a vault do no harm.
        keys = Keyring.generate()
        keys.save(keyring)
        place = printable(str(keyring))
        click.echo(
            f"made the keyring {place}: keep a copy apart from the vault, for nothing can be restored without it"
        )
    else:
        keys = keys_in(keyring)
    create_vault(address, keys).close()
    click.echo("made the vault")
    return 0


@vault.command()
@vault_options
@click.option(
    "--prepare", is_flag=True, help="Only add a key to the keyring: give that to every process, then rotate."
)
def rotate(address: str | None, keyring: Path | None, prepare: bool) -> int:
    """Wrap every session's data key anew with the newest key of the keyring, a new one if none was prepared.

    Processes that have the new key in their keyring go on meanwhile.
    """
    if keyring is None:
        raise ConfigError(
            f"rotation writes a new key into the keyring: name its file with --keyring, not {ENVIRONMENT}"
        )
    old = Keyring.load(keyring)
    prepared = old.ids[-1] != old.active
    if prepare:
        if prepared:
            raise ConfigError("a key is prepared already; give the keyring to every process, then rotate")
        old.with_new_key(active=False).save(keyring, replaces=old)
        click.echo("added a key: give the keyring to every process, then rotate")
        return 0
    found = open_vault(_named(address), old)
    keys = old
    if prepared or found.meta.key_id == old.active:
        keys = old.with_newest_active() if prepared else old.with_new_key()
        keys.save(keyring, replaces=old)
    with _progress("wrapping data keys") as seen:
        done = rotate_keys(found, keys, progress=seen)
    found.close()
    click.echo(f"{done} data keys are wrapped anew, with {keys.active}")
    return 0


@vault.command()
@vault_options
@click.option("--yes", is_flag=True, help="Do not ask.")
def retire(address: str | None, keyring: Path | None, yes: bool) -> int:
    """Destroy those old keys of the keyring that wrap nothing in the vault any more: what they wrapped in backups is lost.

    A keyring that serves several vaults has to be looked through for each of them before.
    """
    if keyring is None:
        raise ConfigError(f"retiring writes the keyring: name its file with --keyring, not {ENVIRONMENT}")
    old = Keyring.load(keyring)
    found = open_vault(_named(address), old)
    idle = idle_keys(found, old)
    found.close()
    if not idle:
        click.echo("there is no old key that wraps nothing")
        return 1
    if not yes and not (
        sys.stdin.isatty() and click.confirm(f"destroy {', '.join(idle)} for good?", err=True)
    ):
        raise ConfigError("nothing was destroyed: say --yes, or answer on a terminal")
    keys = old
    for key_id in idle:
        keys = keys.without(key_id)
    keys.save(keyring, replaces=old)
    click.echo(f"destroyed in the keyring: {', '.join(idle)}. Destroy its copies too")
    return 0


@vault.command("status")
@vault_options
@_JSON
def show_status(address: str | None, keyring: Path | None, as_machine: bool) -> int:
    """Say how much is in a vault, and what wraps it."""
    found = vault_at(address, keyring)
    known = status(found)
    durability = getattr(found.store, "durability", lambda: None)()
    found.close()
    if as_machine:
        print_json({**asdict(known), "durability": durability})
        return 0
    click.echo(f"sessions  {known.sessions:,} ({known.erased:,} erased besides)")
    click.echo(f"values    {sum(known.values.values()):,}")
    for name, count in sorted(known.values.items()):
        click.echo(f"          {count:>9,}  {printable(name)}")
    for name, count in sorted(known.keys.items()):
        click.echo(f"key       {printable(name)} wraps {count:,} data keys")
    if durability is not None:
        said = f"{durability} (appendfsync of Redis)"
        if durability == "evicts":
            said = "NO: values are thrown away when the memory is full; set maxmemory-policy noeviction"
        click.echo(f"durable   {printable(said)}")
    return 0


@vault.command("sessions")
@vault_options
@click.option("--tenant", help="Only this tenant's.")
@_JSON
def list_sessions(address: str | None, keyring: Path | None, tenant: str | None, as_machine: bool) -> int:
    """List the sessions: tenant, id, when made, when they end, how many values. Ids may name people: mind who reads this."""
    found = vault_at(address, keyring)
    for each in sessions(found, tenant):
        count = sum(each.counts.values())
        ref = each.ref
        if as_machine:
            who = {"erased": True} if ref is None else {"tenant": ref.tenant, "session": ref.session_id}
            print_json({**who, "created": each.created, "expires": each.expires, "counts": dict(each.counts)})
        elif ref is None:
            click.echo(f"{_day(each.created)}  (erased)")
        else:
            ends = "" if each.expires is None else f"  ends {_day(each.expires)}"
            who_it_is = f"{printable(ref.tenant)}  {printable(ref.session_id)}"
            click.echo(f"{_day(each.created)}  {who_it_is}  {count:,} values{ends}")
    found.close()
    return 0


@vault.command()
@vault_options
@_TENANT
@click.option("--session", "session_id", help="The session; without it, all of the tenant.")
@click.option("--surrogate", help="Only what this stands for.")
@click.option("--person", is_flag=True, help="With --surrogate: every mention of the person it names.")
@click.option("--type", "entity_type", help="Only one value of this type, which is read from standard input.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(
    address: str | None,
    keyring: Path | None,
    tenant: str,
    session_id: str | None,
    surrogate: str | None,
    person: bool,
    entity_type: str | None,
    yes: bool,
) -> int:
    """Erase a value, a person, a session or a tenant. It cannot be undone. Exit code 1 if there was nothing to erase."""
    found = vault_at(address, keyring)
    narrowed = surrogate is not None or entity_type is not None or person
    if session_id is None and narrowed:
        raise ConfigError("name the --session that the value is in")
    if "" in (session_id, surrogate, entity_type, tenant):
        raise ConfigError("nothing was erased: an option is empty; a variable of the shell may not be set")
    if (person and surrogate is None) or (surrogate is not None and entity_type is not None):
        raise ConfigError("nothing was erased: --person goes with --surrogate, and --type with neither")
    value = sys.stdin.read().rstrip("\r\n") if entity_type is not None else ""
    what = "the session" if session_id is not None else "the tenant's sessions"
    what = f"values of {what}" if narrowed else what
    if not yes and not (sys.stdin.isatty() and click.confirm(f"erase {what} for good?", err=True)):
        raise ConfigError("nothing was erased: say --yes, or answer on a terminal")
    if session_id is None:
        count = erase_tenant(found, tenant)
    elif surrogate is not None:
        count = erase_surrogate(found, SessionRef(tenant, session_id), surrogate, person=person)
    elif entity_type is not None:
        count = erase_value(found, SessionRef(tenant, session_id), entity_type, value)
    else:
        count = erase_session(found, SessionRef(tenant, session_id))
    found.close()
    click.echo(f"erased: {count}")
    return 0 if count else 1


@vault.command("sweep")
@vault_options
def sweep_ended(address: str | None, keyring: Path | None) -> int:
    """Destroy what ended a day ago or longer; until then it is not given out, but there. For a daily job."""
    found = vault_at(address, keyring)
    click.echo(f"destroyed: {sweep(found)}")
    found.close()
    return 0


@vault.command("renumber")
@vault_options
def renumber_sessions(address: str | None, keyring: Path | None) -> int:
    """After a backup was put back: number on from where nothing was ever sent from.

    Before anything uses the vault again. Otherwise surrogates that were sent after the backup would be given to other values.
    """
    found = vault_at(address, keyring)
    with _progress("renumbering sessions") as seen:
        count = renumber(found, progress=seen)
    found.close()
    click.echo(f"renumbered: {count} sessions")
    return 0


@vault.command()
@click.option("--keyring", type=click.Path(path_type=Path), metavar="FILE", required=True)
@click.option("--show", is_flag=True, help="Also onto a terminal.")
def export_keys(keyring: Path, show: bool) -> int:
    """Write the keyring to standard output, KEYS INCLUDED, for a secret manager or the variable SOVGUARD_KEYRING."""
    keys = Keyring.load(keyring)
    if sys.stdout.isatty() and not show:
        raise ConfigError(
            "keys are not shown on a terminal: send the output to where it belongs, or say --show"
        )
    click.echo(keys.export(), nl=False)
    return 0


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%MZ")
