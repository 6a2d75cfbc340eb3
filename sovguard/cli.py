"""The command line: ``sovguard scan``, ``redact``, ``restore``, ``demo``, ``doctor``.

An edge: reads bytes, calls ``Guard``, writes bytes. Exit code 0 done, 1 findings (``scan``, ``doctor``) or unresolved
surrogates (``restore``), 2 bad usage or bad input with one line on standard error. No value goes to standard error, and
none into the ``--json`` output of ``scan`` unless ``--show-values`` asks for it.
"""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, cast

import click
from rich.console import Console

from sovguard.cli_bench import bench
from sovguard.cli_demo import demo
from sovguard.cli_doctor import doctor
from sovguard.cli_files import key_command, or_files
from sovguard.cli_ledger import ledger as ledger_commands
from sovguard.cli_mapping import check_keep, chosen_vault, passphrase_for, session_options
from sovguard.cli_policy import policy as policy_commands
from sovguard.cli_quality import compare_command
from sovguard.cli_reports import report as report_command
from sovguard.cli_vault import vault as vault_commands
from sovguard.document_runs import (
    find,
    find_in_office,
    redact_document,
    redact_office,
    restore_document,
    restore_office,
)
from sovguard.documents import is_document, read_document, table_labels
from sovguard.entities import LITERAL_TYPE, Detection
from sovguard.errors import ConfigError, SovguardError
from sovguard.findings import (
    as_json,
    as_lines,
    check_types,
    kinds_in_use,
    print_json,
    printable,
    report,
    show,
)
from sovguard.guard import Guard, Names
from sovguard.outputs import drop_stdout, outputs, refuse_same, targets, write_out
from sovguard.restore.text import resolve
from sovguard.vault.mapping_file import read_mapping, write_mapping
from sovguard.vault.memory import MemoryVault
from sovguard.vault.store import SessionRef, Vault

Command = Callable[..., Any]
_LISTED = 20


class _Commands(click.Group):
    def main(self, *args: Any, **settings: Any) -> Any:
        """Run the command line and exit: every failure is one line on standard error, never a traceback."""
        settings["standalone_mode"] = False
        try:
            code = super().main(*args, **settings)
        except click.Abort:
            code = 130
        except click.ClickException as error:
            said = error.format_message()
            if "\n" in said:  # not an error but the help, for a call without arguments
                error.show()
            else:
                context = getattr(error, "ctx", None) or click.Context(self, info_name="sovguard")
                _say(f"{said} See '{context.command_path} --help'.")
            code = 2
        except SovguardError as error:
            _say(str(error))
            code = 2
        except OSError as error:
            drop_stdout()
            _say(f"cannot read or write ({error.strerror}); look at the disk and at where the output goes")
            code = 2
        except Exception as error:
            if isinstance(error, UnicodeEncodeError) and not error.encoding.startswith("utf"):
                _say(
                    f"the terminal cannot show Korean, since its encoding is {error.encoding}; set PYTHONUTF8=1, or "
                    "send the output to a file"
                )
                raise SystemExit(2) from None
            # The message of an unforeseen error may quote the text it failed on.
            _say(f"failed inside ({type(error).__name__}); please report this")
            code = 2
        raise SystemExit(code or 0)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sovguard")
def cli() -> None:
    """Find, swap and restore personal information in Korean text (개인정보 찾기·바꾸기·되돌리기)."""


cli.add_command(demo)
cli.add_command(doctor)
cli.add_command(key_command)
cli.add_command(bench)
cli.add_command(compare_command)
ledger_commands.add_command(report_command)
cli.add_command(ledger_commands)
cli.add_command(policy_commands)
cli.add_command(vault_commands)


def main() -> None:
    """Run the command line and exit."""
    cli.main(prog_name="sovguard")


def _say(text: str) -> None:
    click.echo(f"sovguard: {printable(text)}".replace("\n", " "), err=True)


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_ENCODING = click.option("--encoding", default="utf-8", show_default=True, help="Of the files, e.g. cp949.")
_JSON = click.option("--json", "as_machine", is_flag=True, help="For programs: one JSON object a file.")
_FORM = click.option(
    "--format", "form", type=click.Choice(["text", "jsonl", "json"]), help="[default: by file name]"
)
_OUTPUT = click.option(
    "-o", "--output", type=click.Path(), help="Write here; several FILES, or DIR/: into this folder."
)
_shared = _options(click.argument("files", nargs=-1), _ENCODING, _FORM, _JSON)
_detecting = _options(
    click.option(
        "--names",
        type=click.Choice(["off", "fast", "full"]),
        default="full",
        show_default=True,
        help="How person names are found.",
    ),
    click.option("--recognizers", multiple=True, metavar="PATH", help="More recognizers; repeatable."),
    click.option("--field", "fields", multiple=True, help="JSON: only this top-level field; repeatable."),
)


@cli.command()
@_shared
@_detecting
@click.option("--type", "types", multiple=True, help="Only this entity type; repeatable.")
@click.option("--show-values", is_flag=True, help="Put the values into --json and piped output.")
def scan(
    files: tuple[str, ...],
    types: tuple[str, ...],
    show_values: bool,
    fields: tuple[str, ...],
    names: str,
    recognizers: tuple[str, ...],
    encoding: str,
    form: str | None,
    as_machine: bool,
) -> int:
    """Show what is found in FILES (or standard input), and why. Exit code 1 if anything was."""
    check_types(types, recognizers)
    guard = Guard(names=cast("Names", names), recognizers=recognizers)
    labels = partial(table_labels, recognizers)
    any_found = False
    for position, (source, _) in enumerate(targets(files, None, together=True), 1):
        hits: Iterable[Detection]
        if form is None and not fields and is_document(Path(source)):
            document, hits, notes = find_in_office(guard, source, recognizers)
            for note in notes:
                _say(f"{source}: {note}")
        else:
            document = read_document(source, encoding, form, position=position)
            hits = find(guard, document, fields, labels)
        found = [hit for hit in hits if not types or hit.entity_type in types]
        any_found = any_found or bool(found)
        if as_machine:
            print_json(as_json(document, found, values=show_values))
        elif sys.stdout.isatty():
            show(Console(), document, found, kinds_in_use(recognizers))
        else:
            lines = as_lines(document, found, values=show_values)
            write_out("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
    return 1 if any_found else 0


@cli.command()
@_shared
@_OUTPUT
@click.option(
    "--keep", type=click.Path(path_type=Path), metavar="MAPPING", help="Keep what restore needs here, sealed."
)
@click.option("--force", is_flag=True, help="Let --keep replace a file that is no mapping.")
@session_options
@_detecting
@click.option(
    "--unread",
    type=click.Choice(["blank", "keep", "refuse"]),
    default="blank",
    show_default=True,
    help="Of documents: what becomes of pictures and attachments, which cannot be read.",
)
@or_files("redact")
def redact(
    files: tuple[str, ...],
    output: str | None,
    keep: Path | None,
    force: bool,
    address: str | None,
    keyring: Path | None,
    session_id: str | None,
    tenant: str,
    fields: tuple[str, ...],
    names: str,
    recognizers: tuple[str, ...],
    unread: str,
    encoding: str,
    form: str | None,
    as_machine: bool,
) -> int:
    """Write FILES (or standard input) with personal information swapped for surrogates."""
    places = targets(files, output, together=as_machine)
    vault, ref = chosen_vault(address, keyring, session_id, tenant, None if keep is None else "--keep")
    passphrase = ""
    if keep is not None:
        check_keep(keep, force=force)
        refuse_same(
            keep,
            [path for pair in places for path in pair],
            "--keep names a file that is read or written; name another file",
        )
        passphrase = passphrase_for(confirm=True)
    elif ref is None:
        for source, target in places:
            if target is not None:
                refuse_same(
                    target,
                    [source],
                    "-o would replace the only copy; make it restorable with --keep, or name another file",
                )
    durable = ref is not None
    ref = ref or SessionRef("default", secrets.token_hex(16))
    guard = Guard(names=cast("Names", names), recognizers=recognizers, vault=vault)
    session = guard.session(ref.session_id, tenant=ref.tenant)
    reports = []
    with outputs(Path(output) if output is not None else None) as results:
        for position, (source, target) in enumerate(places, 1):
            if form is None and not fields and is_document(Path(source)):
                data, said, notes = redact_office(session, source, target, recognizers, unread)
                results.write(data, target)
                reports += [said] if as_machine else []
                for note in notes:
                    _say(f"{source}: {note}")
                continue
            document = read_document(source, encoding, form, position=position)
            redacted = "".join(redact_document(session, document, fields, partial(table_labels, recognizers)))
            if target is not None or not as_machine:
                results.write(document.encode(redacted), target)
            if as_machine:
                (resolved,) = resolve([redacted], vault.open(ref), lambda some: vault.get(ref, some))
                counts = Counter(hit.entry.entity_type for hit in resolved.hits)
                del counts[LITERAL_TYPE]
                reports.append({**report(document, target, redacted), "counts": dict(counts)})
        if keep is not None:
            # Before the results are put in their places: without it, what they replace would be gone.
            check_keep(keep, force=force)
            write_mapping(keep, cast("MemoryVault", vault), ref, passphrase, replace=force)
            results.keep(keep)
    if keep is None and not durable and sys.stderr.isatty():
        _say("this cannot be restored, since no mapping was kept (--keep FILE, or --vault with --session)")
    for each in reports:
        print_json(each)
    return 0


@cli.command()
@_shared
@_OUTPUT
@click.option("--mapping", type=click.Path(path_type=Path), help="The file that redact --keep wrote.")
@session_options
@or_files("restore")
def restore(
    files: tuple[str, ...],
    mapping: Path | None,
    address: str | None,
    keyring: Path | None,
    session_id: str | None,
    tenant: str,
    output: str | None,
    encoding: str,
    form: str | None,
    as_machine: bool,
) -> int:
    """Write FILES (or standard input) with the real values back. Exit code 1 if surrogates are left."""
    places = targets(files, output, together=as_machine)
    found: tuple[Vault, SessionRef | None] = chosen_vault(
        address, keyring, session_id, tenant, None if mapping is None else "--mapping"
    )
    if mapping is not None:
        refuse_same(
            mapping,
            [path for pair in places for path in pair],
            "--mapping is also read or written as text; name another file",
        )
        found = read_mapping(mapping, passphrase_for(confirm=False))
    vault, ref = found
    if ref is None:
        raise ConfigError("name what redact kept: --mapping FILE, or --vault with --session")
    session = Guard(names="off", vault=vault).session(ref.session_id, tenant=ref.tenant)
    left: dict[str, None] = {}
    reports = []
    with outputs(Path(output) if output is not None else None) as results:
        for position, (source, target) in enumerate(places, 1):
            if form is None and is_document(Path(source)):
                data, unresolved = restore_office(session, source, target)
                results.write(data, target)
                left |= dict.fromkeys(unresolved)
                reports.append({"file": source, "output": str(target), "unresolved": unresolved})
                continue
            document = read_document(source, encoding, form, position=position)
            restored, unresolved = restore_document(session, document)
            left |= dict.fromkeys(unresolved)
            if target is not None or not as_machine:
                results.write(document.encode(restored), target)
            reports.append({**report(document, target, restored), "unresolved": unresolved})
    for each in reports if as_machine else ():
        print_json(each)
    if left:
        listed = ", ".join(list(left)[:_LISTED]) + (", …" if len(left) > _LISTED else "")
        many = "1 surrogate is" if len(left) == 1 else f"{len(left)} surrogates are"
        _say(f"{many} unknown to this mapping, or ended or erased in it, and stayed: {listed}")
    return 1 if left else 0


if __name__ == "__main__":
    main()
