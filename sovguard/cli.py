"""The command line: ``sovguard scan``, ``redact``, ``restore``, ``demo``.

An edge: reads bytes, calls ``Guard``, writes bytes. Exit code 0 done, 1 findings (``scan``) or unresolved surrogates
(``restore``), 2 bad usage or bad input. No value goes to standard error, and none into ``--json`` output unless
``--show-values`` asks for it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from sovguard.documents import Document, json_lines, pieces, read_document, write_bytes
from sovguard.errors import ConfigError, InputError, SovguardError
from sovguard.findings import as_json, as_lines, show
from sovguard.guard import Guard, Names, Session
from sovguard.vault.mapping_file import read_mapping, write_mapping
from sovguard.vault.memory import MemoryVault
from sovguard.vault.store import SessionRef

T = TypeVar("T")
_LONG = 1_000_000
_BATCH = 200


def main() -> None:
    """Runs the command line; every failure is one line on standard error and exit code 2."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = 2
    except SovguardError as error:
        click.echo(f"sovguard: {error}", err=True)
        code = 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        # The message of an unforeseen error may quote the text it failed on.
        click.echo(f"sovguard: failed inside ({type(error).__name__}); nothing was written", err=True)
        code = 2
    raise SystemExit(code or 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sovguard")
def cli() -> None:
    """Find, swap and restore personal information in Korean text (개인정보 찾기·바꾸기·되돌리기)."""


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--encoding", default="utf-8", show_default=True, help="Encoding of the files, e.g. cp949."
        ),
        click.option(
            "--format", "form", type=click.Choice(["text", "jsonl"]), help="By default from the file's name."
        ),
        click.option("--json", "as_machine", is_flag=True, help="Machine-readable output."),
    ):
        command = option(command)
    return command


def _detecting(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--names",
            type=click.Choice(["off", "fast", "full"]),
            default="full",
            show_default=True,
            help="How person names are found.",
        ),
        click.option(
            "--recognizers", multiple=True, metavar="PATH", help="Further recognizer files; repeatable."
        ),
    ):
        command = option(command)
    return command


@cli.command()
@click.argument("files", nargs=-1)
@click.option("--type", "types", multiple=True, help="Only this entity type; repeatable.")
@click.option("--show-values", is_flag=True, help="Put the values into --json and piped output.")
@_detecting
@_shared
def scan(
    files: tuple[str, ...],
    types: tuple[str, ...],
    show_values: bool,
    names: str,
    recognizers: tuple[str, ...],
    encoding: str,
    form: str | None,
    as_machine: bool,
) -> int:
    """Show what is found in FILES (or standard input), and why. Exit code 1 if anything was."""
    guard = Guard(names=cast("Names", names), recognizers=recognizers)
    any_found = False
    reports = []
    for source in files or ("-",):
        document = read_document(source, encoding)
        found = []
        offset = 0
        for piece in _with_progress(document, list(pieces(document.text))):
            found += [(hit, offset) for hit in guard.scan(piece) if not types or hit.entity_type in types]
            offset += len(piece)
        any_found = any_found or bool(found)
        if as_machine:
            reports.append(as_json(document, found, values=show_values))
        elif sys.stdout.isatty():
            show(Console(), document, found)
        else:
            for line in as_lines(document, found, values=show_values):
                click.echo(line)
    if as_machine:
        click.echo(json.dumps(reports[0] if len(reports) == 1 else reports, ensure_ascii=False))
    return 1 if any_found else 0


@cli.command()
@click.argument("files", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file; a folder for several FILES.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="MAPPING",
    help="Keep the mapping, sealed, for restore.",
)
@click.option("--force", is_flag=True, help="Replace an existing mapping file.")
@click.option("--field", "fields", multiple=True, help="JSONL: only this top-level field; repeatable.")
@_detecting
@_shared
def redact(
    files: tuple[str, ...],
    output: Path | None,
    keep: Path | None,
    force: bool,
    fields: tuple[str, ...],
    names: str,
    recognizers: tuple[str, ...],
    encoding: str,
    form: str | None,
    as_machine: bool,
) -> int:
    """Write FILES (or standard input) with personal information swapped for surrogates."""
    if keep is not None and keep.exists() and not force:
        raise ConfigError(f"{keep} exists; name another file or pass --force to replace it")
    passphrase = _passphrase(confirm=True) if keep is not None else ""
    vault = MemoryVault()
    guard = Guard(names=cast("Names", names), recognizers=recognizers, vault=vault)
    session = guard.session()
    summary = []
    for document, target in _documents(files, output, encoding):
        counts: dict[str, int] = {}
        if _is_jsonl(document, form):
            redacted = _redact_lines(session, document, fields)
        else:
            parts = []
            for piece in _with_progress(document, list(pieces(document.text))):
                outcome = session.redact(piece)
                parts.append(outcome.text)
                for hit in outcome.detections:
                    counts[hit.entity_type] = counts.get(hit.entity_type, 0) + 1
            redacted = "".join(parts)
        if as_machine:
            summary.append({"file": document.name, "text": redacted, "counts": counts})
        else:
            write_bytes(document.encode(redacted), target)
    if keep is not None:
        vault.open(SessionRef(session.tenant, session.id))
        write_mapping(keep, vault, SessionRef(session.tenant, session.id), passphrase, replace=force)
    elif sys.stderr.isatty():
        click.echo("sovguard: the mapping was not kept (--keep FILE), so this cannot be restored", err=True)
    if as_machine:
        click.echo(json.dumps(summary[0] if len(summary) == 1 else summary, ensure_ascii=False))
    return 0


@cli.command()
@click.argument("files", nargs=-1)
@click.option(
    "--mapping", type=click.Path(path_type=Path), required=True, help="The file that redact --keep wrote."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file; a folder for several FILES.")
@_shared
def restore(
    files: tuple[str, ...],
    mapping: Path,
    output: Path | None,
    encoding: str,
    form: str | None,
    as_machine: bool,
) -> int:
    """Write FILES (or standard input) with the real values back in their places."""
    vault, ref = read_mapping(mapping, _passphrase(confirm=False))
    session = Guard(names="off", vault=vault).session(ref.session_id, tenant=ref.tenant)
    unresolved: list[str] = []
    summary = []
    for document, target in _documents(files, output, encoding):
        if _is_jsonl(document, form):
            restored = _restore_lines(session, document, unresolved)
        else:
            outcome = session.restore(document.text)
            restored = outcome.text
            unresolved += outcome.unresolved
        if as_machine:
            summary.append({"file": document.name, "text": restored, "unresolved": unresolved})
        else:
            write_bytes(document.encode(restored), target)
    if as_machine:
        click.echo(json.dumps(summary[0] if len(summary) == 1 else summary, ensure_ascii=False))
    if unresolved:
        listed = ", ".join(sorted(set(unresolved))[:20])
        click.echo(
            f"sovguard: {len(unresolved)} surrogates stay, this mapping does not know them: {listed}",
            err=True,
        )
    return 1 if unresolved else 0


@cli.command()
@click.option(
    "--text", "file", type=click.Path(path_type=Path), help="A file to use in place of the example."
)
@click.option("--json", "as_machine", is_flag=True, help="Machine-readable output.")
def demo(file: Path | None, as_machine: bool) -> int:
    """Send a consultation to a model on this machine and show what left and what came back."""
    from sovguard.demo import run, show_panes

    outcome = run(read_document(str(file), "utf-8").text if file is not None else None)
    if as_machine:
        click.echo(json.dumps(outcome.as_dict(), ensure_ascii=False))
    else:
        show_panes(Console(), outcome)
    return 0 if outcome.kept else 1


def _is_jsonl(document: Document, form: str | None) -> bool:
    return form == "jsonl" or (form is None and document.name.endswith((".jsonl", ".ndjson")))


def _redact_lines(session: Session, document: Document, fields: tuple[str, ...]) -> str:
    out: list[str] = []
    lines = list(json_lines(document))
    for first in _with_progress(document, range(0, len(lines), _BATCH)):
        batch = lines[first : first + _BATCH]
        values = [_picked(value, fields) for _, _, value in batch]
        for (line, end, value), before, after in zip(
            batch, values, session.redact_values(values), strict=True
        ):
            if after == before:
                out += (line, end)
            else:
                whole = {**value, **after} if fields and isinstance(value, dict) else after
                out += (json.dumps(whole, ensure_ascii=False), end)
    return "".join(out)


def _picked(value: Any, fields: tuple[str, ...]) -> Any:
    if not fields:
        return value
    return {name: value[name] for name in fields if name in value} if isinstance(value, dict) else None


def _restore_lines(session: Session, document: Document, unresolved: list[str]) -> str:
    out: list[str] = []
    for line, end, value in json_lines(document):
        unresolved += session.restore(line).unresolved
        restored = session.restore([value])[0]
        out += (line if restored == value else json.dumps(restored, ensure_ascii=False), end)
    return "".join(out)


def _documents(
    files: Sequence[str], output: Path | None, encoding: str
) -> Iterator[tuple[Document, Path | None]]:
    if len(files) > 1 and output is not None and not output.is_dir():
        raise InputError(f"{output} has to be a folder, since there are several files")
    for source in files or ("-",):
        target = output
        if output is not None and output.is_dir():
            target = output / Path(source).name
        yield read_document(source, encoding), target


def _passphrase(*, confirm: bool) -> str:
    given = os.environ.get("SOVGUARD_PASSPHRASE")
    if given:
        return given
    if not sys.stdin.isatty():
        raise ConfigError(
            "a mapping file needs a passphrase: set SOVGUARD_PASSPHRASE, or run this on a terminal"
        )
    return str(click.prompt("passphrase", hide_input=True, confirmation_prompt=confirm, err=True))


def _with_progress(document: Document, steps: Sequence[T]) -> Iterable[T]:
    if len(document.text) < _LONG or not sys.stderr.isatty():
        return steps
    return _bar(document, steps)


def _bar(document: Document, steps: Sequence[T]) -> Iterator[T]:
    with _progress() as progress:
        task = progress.add_task(document.name, total=len(document.text))
        for step in steps:
            yield step
            progress.advance(task, len(document.text) / len(steps))


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield progress
