"""Where ``redact`` keeps what ``restore`` needs: a sealed file of one session, or a session of a durable vault."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from sovguard.cli_vault import vault_at, vault_options
from sovguard.errors import ConfigError
from sovguard.vault.mapping_file import check_place
from sovguard.vault.memory import MemoryVault
from sovguard.vault.sealed import SealedVault
from sovguard.vault.store import SessionRef

Command = Callable[..., Any]


def session_options(command: Command) -> Command:
    """Add the options that name a session of a durable vault."""
    command = click.option(
        "--tenant", default="default", show_default=True, help="With --vault: whose session."
    )(command)
    command = click.option("--session", "session_id", help="With --vault: the session, by a name of yours.")(
        command
    )
    return vault_options(command)


def chosen_vault(
    address: str | None, keyring: Path | None, session_id: str | None, tenant: str, other: str | None
) -> tuple[SealedVault, SessionRef] | tuple[MemoryVault, None]:
    """Return the vault that the options name and which session of it, or one in memory if they name none.

    Args:
        address: Of the vault.
        keyring: Its keys.
        session_id: The session.
        tenant: Whose it is.
        other: The option that was given besides, if it names another place.
    """
    if not session_id:
        source = click.get_current_context().get_parameter_source("address")
        if address and source is ParameterSource.COMMANDLINE:
            raise ConfigError("name the session of the vault with --session; restore needs the same name")
        return MemoryVault(), None
    if not address:
        raise ConfigError("--session names a session of a vault: name that with --vault too")
    if other is not None:
        raise ConfigError(f"{other} and --session are two places for one mapping; name one of them")
    return vault_at(address, keyring), SessionRef(tenant, session_id)


def check_keep(keep: Path, *, force: bool) -> None:
    """Return if a mapping can be written to ``keep``; one that is there is never replaced."""
    if os.path.lexists(keep):
        if keep.is_file() and _may_be_mapping(keep):
            raise ConfigError(
                f"{keep} is a mapping, without which what was redacted with it can never be restored, so it is not "
                "replaced; name another file with --keep"
            )
        if not (force and keep.is_file()):
            raise ConfigError(f"{keep} exists; name another file with --keep")
    check_place(keep, replace=force)


def _may_be_mapping(path: Path) -> bool:
    """Whether a file begins as a mapping of any version does; no text begins so."""
    try:
        with path.open("rb") as file:
            return b"\x00" < file.read(1) < b"\x09"
    except OSError:
        return False


def passphrase_for(*, confirm: bool) -> str:
    """Return the passphrase of a mapping file, from its variable or from who sits at the terminal.

    Raises:
        ConfigError: Neither has one.
    """
    given = os.environ.get("SOVGUARD_PASSPHRASE")
    if given:
        return given
    if not sys.stdin.isatty():
        raise ConfigError(
            "a mapping file needs a passphrase: set SOVGUARD_PASSPHRASE, or name the files on a terminal to be asked"
        )
    while True:
        said = str(click.prompt("암호 (passphrase)", hide_input=True, err=True))
        if not confirm or said == click.prompt("암호 확인 (once more)", hide_input=True, err=True):
            return said
        click.echo("sovguard: 두 암호가 서로 다릅니다. 다시 입력하세요 (the two differ; try again)", err=True)
