"""``sovguard redact`` and ``restore`` with a key in place of a mapping: files of any size, several processes, resumable."""

from __future__ import annotations

import base64
import functools
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from sovguard.errors import ConfigError, SovguardError
from sovguard.findings import print_json, printable
from sovguard.outputs import write_out
from sovguard.pipeline.files import Report, Settings, work_on_file
from sovguard.pipeline.files.csv_text import named_delimiter
from sovguard.pipeline.files.pipes import work_on_pipe
from sovguard.pipeline.files.places import places_of
from sovguard.pipeline.files.settings import FORMS, Form
from sovguard.private_files import placed, read_private, sync_folder
from sovguard.vaultless import KEY_LENGTH, Scope, Vaultless

Command = Callable[..., Any]
ENVIRONMENT = "SOVGUARD_PIPELINE_KEY"
"""The variable that may hold a key, as its file would."""
_TOLD = 20


def or_files(verb: str) -> Callable[[Command], Command]:
    """Add the options by which a command works on files with a key; without them it does what it does."""

    def add(command: Command) -> Command:
        @functools.wraps(command)
        def run(**given: Any) -> int:
            own = {name: given.pop(name) for name in _OWN if name in given}
            if not (own["dataset"] or own["join_group"] or own.get("action")):
                source = click.get_current_context().get_parameter_source
                for name in own:
                    if source(name) is ParameterSource.COMMANDLINE:
                        option = name.replace("_", "-")
                        raise ConfigError(
                            f"--{option} is for work with a key: name what surrogates are for with --dataset or --join-group"
                        )
                code: int = command(**given)
                return code
            return _run(verb, own, given)

        made: Command = run
        for option in reversed(_options(verb)):
            made = option(made)
        return made

    return add


_OWN = (
    "key", "dataset", "join_group", "action", "workers", "resume", "rejects", "delimiter", "header",
)  # fmt: skip


def _options(verb: str) -> list[Callable[[Command], Command]]:
    options: list[Callable[[Command], Command]] = [
        click.option(
            "--dataset",
            metavar="NAME",
            help="Work with a key and no mapping: surrogates hold their values, and join within this dataset of --tenant.",
        ),
        click.option(
            "--join-group", metavar="NAME", help="The same, for datasets that join with each other."
        ),
        click.option(
            "--key",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help=f"With --dataset: the key that 'sovguard key' made.  [default: what {ENVIRONMENT} holds]",
        ),
        click.option(
            "--workers",
            type=click.IntRange(1, 256),
            default=1,
            show_default=True,
            help="With a key: processes.",
        ),
        click.option("--resume", is_flag=True, help="With a key: go on where this was cut off."),
        click.option(
            "--rejects",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="With a key: keep lines here, as they are, that cannot be worked on.",
        ),
        click.option(
            "--delimiter",
            metavar="CHAR",
            help="The file is CSV with this between cells.  [default: what fits]",
        ),
        click.option(
            "--header/--no-header",
            default=None,
            help="Whether CSV begins with names.  [default: its first row tells]",
        ),
    ]
    if verb == "redact":
        options.append(
            click.option(
                "--action",
                type=click.Choice(["mask", "remove"]),
                help="Mask or remove, which nobody can undo; any size of file, without a key.",
            )
        )
    return options


@click.command("key")
@click.argument("file", type=click.Path(path_type=Path))
def key_command(file: Path) -> int:
    """Make a key for surrogates that hold their values, in a new FILE with mode 0600. Whoever has it can restore them."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{file} exists; a key is never replaced: name another file") from None
    with os.fdopen(handle, "wb") as out:
        out.write(base64.b64encode(Vaultless.new_key()) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    sync_folder(file.absolute().parent)
    click.echo(
        f"made the key {printable(str(file))}: whoever has it can restore what it swaps; keep it apart from that"
    )
    return 0


def read_key(path: Path | None) -> bytes:
    """Return the key in a file, or in the environment.

    Raises:
        ConfigError: There is none.
    """
    said = os.environ.get(ENVIRONMENT) if path is None else read_private(path, "key", "sovguard key")
    if not said:
        raise ConfigError(
            f"name the key with --key FILE (or in {ENVIRONMENT}); 'sovguard key FILE' makes one"
        )
    try:
        key = base64.b64decode(said.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_LENGTH:
        raise ConfigError(f"this is no key: it is {KEY_LENGTH} octets in base64, as 'sovguard key' makes it")
    return key


def _run(verb: str, own: dict[str, Any], given: dict[str, Any]) -> int:
    source = click.get_current_context().get_parameter_source
    for name in ("keep", "mapping", "address", "session_id", "keyring"):
        if given.get(name) and source(name) is ParameterSource.COMMANDLINE:
            raise ConfigError("work with a key keeps no mapping and no session; leave those options out")
    action: Any = own.get("action") or "surrogate"
    if action != "surrogate" and (own["dataset"] or own["join_group"]):
        raise ConfigError(f"--action {action} makes no surrogates, which --dataset and --join-group are for")
    scope = None
    if action == "surrogate":
        scope = Scope(given["tenant"], dataset=own["dataset"] or "", join_group=own["join_group"] or "")
    settings = Settings(
        action,
        key=read_key(own["key"]) if action == "surrogate" else None,
        scope=scope,
        restores=verb == "restore",
        names=given.get("names", "off"),
        recognizers=tuple(given.get("recognizers", ())),
        columns=tuple(given.get("fields", ())),
        unread=given.get("unread", "blank"),
    )
    form = "csv" if own["delimiter"] else given["form"]
    if form is not None and form not in FORMS:
        raise ConfigError(
            f"with a key, a file is one of {', '.join(FORMS)}; '{form}' is worked on with a mapping"
        )
    encoding = given["encoding"] if source("encoding") is ParameterSource.COMMANDLINE else None
    told: dict[str, Any] = {
        "workers": own["workers"],
        "form": cast("Form | None", form),
        "encoding": encoding,
        "delimiter": named_delimiter(own["delimiter"]),
        "header": own["header"],
    }
    if tuple(given["files"]) in ((), ("-",)):
        return _run_pipe(own, given, settings, told)
    places = list(places_of(given["files"], given["output"]))
    if own["rejects"] is not None and len(places) > 1:
        raise ConfigError("--rejects is for one file at a time")
    if own["key"] is not None:
        taken = {os.path.realpath(path) for pair in places for path in (*pair, own["rejects"] or pair[0])}
        if os.path.realpath(own["key"]) in taken:
            raise ConfigError("--key names a file that is read or written; name another file")
    failed, rows = 0, []
    for path, target in places:
        try:
            with _bar(path) as progress:
                report = work_on_file(
                    path,
                    target,
                    settings,
                    resume=own["resume"],
                    rejects=own["rejects"],
                    progress=progress,
                    **told,
                )
        except (SovguardError, OSError) as error:
            if len(places) == 1:
                raise
            failed += 1
            what = str(error) if isinstance(error, SovguardError) else f"{path}: {error.strerror}"
            click.echo(f"sovguard: {printable(what)}", err=True)
            continue
        failed += report.bad_count > 0 or report.unresolved > 0
        rows.append(_as_json(path, target, report))
        if not given["as_machine"]:
            _tell(path, report)
    if given["as_machine"]:
        for row in rows:
            print_json(row)
    return 1 if failed else 0


def _run_pipe(own: dict[str, Any], given: dict[str, Any], settings: Settings, told: dict[str, Any]) -> int:
    """Work on standard input; what comes out goes to standard output, or with -o into a file once all of it is there."""
    if own["resume"] or own["rejects"] is not None:
        raise ConfigError("--resume and --rejects are for files; what comes through a pipe comes once")
    if given["as_machine"] and given["output"] is None:
        raise ConfigError("--json says what was done on standard output: name with -o where the outcome goes")
    with ExitStack() as kept:
        write: Callable[[bytes], object] = write_out
        if given["output"] is not None:
            write = kept.enter_context(open(kept.enter_context(placed(Path(given["output"]))), "wb")).write
        report = work_on_pipe(sys.stdin.buffer, write, settings, **told)
    source, target = Path("<stdin>"), Path(given["output"] or "<stdout>")
    if given["as_machine"]:
        print_json(_as_json(source, target, report))
    else:
        _tell(source, report)
    return 1 if report.bad_count or report.unresolved else 0


@contextmanager
def _bar(path: Path) -> Iterator[Callable[[int, int], None]]:
    console = Console(stderr=True)
    columns = (
        TextColumn(printable(path.name)), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _as_json(path: Path, target: Path, report: Report) -> dict[str, Any]:
    return {
        "file": str(path),
        "output": str(target),
        "records": report.records,
        "values": dict(sorted(report.values.items())),
        "bad": [{"line": line, "what": what} for line, what in report.bad],
        "bad_count": report.bad_count,
        "unresolved": report.unresolved,
        "notes": report.notes,
        "octets": report.octets,
        "seconds": round(report.seconds, 3),
    }


def _tell(path: Path, report: Report) -> None:
    name = printable(str(path))
    values = ", ".join(f"{count:,} {kind}" for kind, count in Counter(report.values).most_common())
    rate = report.octets / max(report.seconds, 1e-9) / 1e6
    click.echo(
        f"{name}: {report.records:,} records, {rate:,.1f} MB/s{'; ' if values else ''}{values}", err=True
    )
    for note in report.notes:
        click.echo(f"sovguard: {name}: {note}", err=True)
    if report.unresolved:
        click.echo(
            f"sovguard: {name}: {report.unresolved:,} texts hold surrogates of another key, tenant or dataset: they stayed",
            err=True,
        )
    for line, what in report.bad[:_TOLD]:
        click.echo(f"sovguard: {name}, line {line}: {printable(what)}", err=True)
    if report.bad_count > _TOLD:
        click.echo(
            f"sovguard: {name}: and {report.bad_count - _TOLD:,} more lines that could not be worked on",
            err=True,
        )
