"""``sovguard ledger``: make, sign, check and prove the record of what was sent where. No value is in it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from sovguard.errors import ConfigError, LedgerError
from sovguard.findings import print_json, printable
from sovguard.ledger.ledger import create_ledger, open_ledger
from sovguard.ledger.notes import Checkpoint
from sovguard.ledger.proofs import check as check_proof
from sovguard.ledger.proofs import prove as prove_record
from sovguard.ledger.signing import ENVIRONMENT, LedgerKey, Verifier
from sovguard.ledger.stores import open_store
from sovguard.ledger.verification import Verification
from sovguard.ledger.verification import verify as verify_ledger

Command = Callable[..., Any]
_JSON = click.option("--json", "as_machine", is_flag=True, help="For programs: JSON.")
_ADDRESS = click.option(
    "--ledger",
    "address",
    envvar="SOVGUARD_LEDGER",
    metavar="ADDRESS",
    help="A folder, or postgresql://…?schema=NAME.  [env: SOVGUARD_LEDGER]",
)
_KEY = click.option(
    "--key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"Its key.  [default: what {ENVIRONMENT} holds]",
)
_VERIFIER = click.option(
    "--verifier",
    envvar="SOVGUARD_LEDGER_VERIFIER",
    metavar="STRING",
    help="The public string that 'public-key' prints, in place of the key.  [env: SOVGUARD_LEDGER_VERIFIER]",
)


def _key_in(path: Path | None) -> LedgerKey:
    return LedgerKey.from_environment() if path is None else LedgerKey.load(path)


def _verifier_of(verifier: str | None, key: Path | None) -> str:
    source = click.get_current_context().get_parameter_source("verifier")
    if key is not None and source is ParameterSource.ENVIRONMENT:
        verifier = None
    if verifier is not None and key is not None:
        raise ConfigError("name the --verifier or the --key, not both")
    if verifier is None and key is None and not os.environ.get(ENVIRONMENT):
        raise ConfigError("name what checks the ledger: --verifier STRING, or --key FILE")
    return _key_in(key).verifier if verifier is None else verifier


def _named(address: str | None) -> str:
    if not address:
        raise ConfigError("name the ledger with --ledger FOLDER (or in SOVGUARD_LEDGER)")
    return address


@click.group()
def ledger() -> None:
    """Make, sign, check and prove the record of what was sent where (전송 기록 대장)."""


@ledger.command()
@_ADDRESS
@_KEY
@click.option("--name", default="sovguard", show_default=True, help="Of a new key, e.g. bank.example/ledger.")
def init(address: str | None, key: Path | None, name: str) -> int:
    """Make a ledger, and its key if the file is not there. Neither is ever replaced."""
    address = _named(address)
    if key is not None and not os.path.lexists(key):
        # The key first: a ledger without it is of no use, and a key without a ledger does no harm.
        made = LedgerKey.generate(name)
        made.save(key)
        click.echo(f"made the key {printable(str(key))}: whoever has it can write another past")
    else:
        made = _key_in(key)
    create_ledger(address, made).close()
    click.echo("made the ledger; what checks it, and is no secret:")
    click.echo(made.verifier)
    return 0


@ledger.command("public-key")
@_KEY
def public_key(key: Path | None) -> int:
    """Print the public string that checks a ledger. Give it to whoever is to check, another way than the ledger."""
    click.echo(_key_in(key).verifier)
    return 0


@ledger.command()
@_ADDRESS
@_JSON
def status(address: str | None, as_machine: bool) -> int:
    """List the logs: how far each is signed. Nothing is checked."""
    store = open_store(_named(address))
    try:
        if store.identity() is None:
            raise ConfigError("there is no ledger at this address; make one with 'sovguard ledger init'")
        rows: list[dict[str, Any]] = []
        for writer in store.writers():
            notes = store.notes(writer)
            rows.append(
                {
                    "writer": writer,
                    "state": store.state(writer),
                    "octets": store.octets(writer),
                    "checkpoints": len(notes),
                    "signed": _size(notes[-1]) if notes else 0,
                }
            )
        merged = len(store.merged())
    finally:
        store.close()
    if as_machine:
        print_json({"writers": rows, "merged": merged})
        return 0
    click.echo(f"logs    {len(rows):,}, {sum(row['octets'] for row in rows):,} octets")
    click.echo(f"merged  {merged:,} notes")
    for row in rows:
        signed = "?" if row["signed"] is None else f"{row['signed']:,}"
        click.echo(f"{row['writer']}  {row['state']:<7}  {signed:>12} records signed")
    return 0


def _size(note: bytes) -> int | None:
    try:
        return Checkpoint.parse(note.decode("utf-8", "replace").rpartition("\n\n")[0] + "\n").size
    except LedgerError:
        return None


@ledger.command()
@_ADDRESS
@_KEY
def checkpoint(address: str | None, key: Path | None) -> int:
    """End the logs of processes that died, sign one note that fixes all logs, and print it.

    Keep the note where nobody can change both it and the ledger: printed, mailed, with an auditor. For a daily job.
    """
    opened = open_ledger(_named(address), _key_in(key))
    try:
        note = opened.merge()
    finally:
        opened.close()
    click.echo(note)  # with an empty line behind it, so that one can be kept behind the other
    return 0


@ledger.command()
@_ADDRESS
@_KEY
@_VERIFIER
@click.option(
    "--kept",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Notes that were kept elsewhere; repeatable.",
)
@_JSON
def verify(
    address: str | None, key: Path | None, verifier: str | None, kept: Sequence[Path], as_machine: bool
) -> int:
    """Look for changes, and name the first bad record of each log. Exit code 1 if anything is wrong."""
    public = _verifier_of(verifier, key)
    notes = [note for path in kept for note in _notes_in(path)]
    with _progress("verifying") as seen:
        found = verify_ledger(_named(address), public, kept=notes, progress=seen)
    if as_machine:
        print_json(_as_json(found, len(notes)))
        return 0 if found.ok else 1
    click.echo(
        f"{found.records:,} records in {found.writers:,} logs, {found.checkpoints:,} checkpoints, "
        f"{found.merged:,} merged notes, {len(notes):,} kept ones"
    )
    if found.unsigned:
        click.echo(f"{found.unsigned:,} records stand behind the last checkpoint and are not signed yet")
    if found.torn_octets:
        click.echo(f"{found.torn_octets:,} octets of half a line will be dropped at the next opening")
    for problem in found.bad:
        click.echo(f"BAD {printable(str(problem))}")
    click.echo("nothing was changed" if found.ok else "THE LEDGER IS NOT WHAT WAS WRITTEN")
    return 0 if found.ok else 1


def _as_json(found: Verification, kept: int) -> dict[str, Any]:
    return {
        "ok": found.ok,
        "records": found.records,
        "writers": found.writers,
        "checkpoints": found.checkpoints,
        "merged": found.merged,
        "kept": kept,
        "unsigned": found.unsigned,
        "torn_octets": found.torn_octets,
        "bad": [{"writer": each.writer, "number": each.number, "what": each.what} for each in found.bad],
    }


def _notes_in(path: Path) -> list[str]:
    """Return the notes of a file, one behind the other, with or without empty lines between; whatever its line ends are.

    Raises:
        ConfigError: Something in it is no note, or none is in it.
    """
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").decode("utf-8", "replace")
    lines = text.split("\n")
    notes: list[str] = []
    place = 0
    while place < len(lines):
        if not lines[place]:
            place += 1
            continue
        end = lines.index("", place) if "" in lines[place:] else len(lines)
        signed = end + 1
        while signed < len(lines) and lines[signed].startswith("\u2014 "):
            signed += 1
        if signed <= end + 1:
            raise ConfigError(
                f"{path}: line {place + 1} begins no whole note; keep notes as they were printed"
            )
        notes.append("\n".join([*lines[place:end], "", *lines[end + 1 : signed]]) + "\n")
        place = signed
    if not notes:
        raise ConfigError(f"{path} holds no note; name a file of what 'sovguard ledger checkpoint' printed")
    return notes


@ledger.command()
@_ADDRESS
@click.argument("writer")
@click.argument("number", type=int)
def prove(address: str | None, writer: str, number: int) -> int:
    """Print the proof that record NUMBER of the log WRITER is in the ledger: for someone who sees nothing else of it."""
    try:
        proof = prove_record(_named(address), writer, number)
    except LedgerError as error:
        return _said(error)
    print_json(proof)
    return 0


@ledger.command()
@click.argument("proof", type=click.File("rb"), default="-")
@_KEY
@_VERIFIER
@_JSON
def check(proof: Any, key: Path | None, verifier: str | None, as_machine: bool) -> int:
    """Check what 'prove' printed, from a file or standard input, and show its record. Exit code 1 if it proves nothing."""
    public = _verifier_of(verifier, key)
    try:
        said = json.loads(proof.read())
    except (ValueError, RecursionError):
        raise ConfigError("the proof is not JSON; use what 'sovguard ledger prove' printed") from None
    try:
        record = check_proof(said if isinstance(said, Mapping) else {}, public)
    except LedgerError as error:
        return _said(error)
    if as_machine:
        print_json(record)
    else:
        click.echo(f"the record is in the ledger of {printable(Verifier(public).name)}:")
        click.echo(printable(json.dumps(record, ensure_ascii=False, indent=1)))
    return 0


def _said(error: LedgerError) -> int:
    """Say what is wrong with the ledger or a proof of it, which is a finding and no misuse."""
    click.echo(f"sovguard: {printable(str(error))}", err=True)
    return 1


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
