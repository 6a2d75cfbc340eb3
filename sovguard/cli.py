"""The command line: ``sovguard scan``, ``redact``, ``restore``, ``demo``.

An edge: reads bytes, calls ``Guard``, writes bytes. Exit code 0 done, 1 findings (``scan``) or unresolved surrogates
(``restore``), 2 bad usage or bad input with one line on standard error. No value goes to standard error, and none into
the ``--json`` output of ``scan`` unless ``--show-values`` asks for it.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

import click
from rich.console import Console

from sovguard.detect.packs import entry_point_definitions, path_definitions
from sovguard.documents import (
    PIECE,
    Document,
    outputs,
    pieces,
    read_document,
    refuse_same,
    targets,
    write_out,
)
from sovguard.entities import ENTITY_TYPES, Detection
from sovguard.errors import ConfigError, InputError, SovguardError
from sovguard.findings import as_json, as_lines, print_json, printable, report, show, with_progress
from sovguard.guard import Guard, Names
from sovguard.payloads.json_lines import JsonLine, batches, picked, put_back, rewritten, scan_lines
from sovguard.restore.text import resolve
from sovguard.session import Session
from sovguard.surrogates import LITERAL_TYPE
from sovguard.vault.mapping_file import check_place, read_mapping, write_mapping
from sovguard.vault.memory import MemoryVault
from sovguard.vault.store import SessionRef

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
        except Exception as error:
            # The message of an unforeseen error may quote the text it failed on.
            _say(f"failed inside ({type(error).__name__}); please report this")
            code = 2
        raise SystemExit(code or 0)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sovguard")
def cli() -> None:
    """Find, swap and restore personal information in Korean text (개인정보 찾기·바꾸기·되돌리기)."""


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
_FORM = click.option("--format", "form", type=click.Choice(["text", "jsonl"]), help="[default: by file name]")
_OUTPUT = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write here; several FILES: into this folder."
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
    click.option("--field", "fields", multiple=True, help="JSONL: only this top-level field; repeatable."),
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
    _check_types(types, recognizers)
    guard = Guard(names=cast("Names", names), recognizers=recognizers)
    any_found = False
    for position, (source, _) in enumerate(targets(files, None, together=True), 1):
        document = read_document(source, encoding, form, position=position)
        found = [hit for hit in _found(guard, document, fields) if not types or hit.entity_type in types]
        any_found = any_found or bool(found)
        if as_machine:
            print_json(as_json(document, found, values=show_values))
        elif sys.stdout.isatty():
            show(Console(), document, found)
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
@click.option("--force", is_flag=True, help="Replace an existing mapping file.")
@_detecting
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
    places = targets(files, output, together=as_machine)
    passphrase = ""
    if keep is not None:
        check_place(keep, replace=force)
        refuse_same(
            keep, [path for pair in places for path in pair], "--keep names a file that is read or written"
        )
        passphrase = _passphrase(confirm=True)
    else:
        for source, target in places:
            if target is not None:
                refuse_same(target, [source], "-o would replace the only copy; add --keep")
    vault = MemoryVault()
    session = Guard(names=cast("Names", names), recognizers=recognizers, vault=vault).session()
    ref = SessionRef(session.tenant, session.id)
    reports = []
    with outputs() as write:
        for position, (source, target) in enumerate(places, 1):
            document = read_document(source, encoding, form, position=position)
            redacted = "".join(_redacted(session, document, fields))
            if target is not None or not as_machine:
                write(document.encode(redacted), target)
            if as_machine:
                (resolved,) = resolve([redacted], vault.open(ref), lambda some: vault.get(ref, some))
                counts = Counter(hit.entry.entity_type for hit in resolved.hits)
                del counts[LITERAL_TYPE]
                reports.append({**report(document, target, redacted), "counts": dict(counts)})
        if keep is not None:
            # Before the results are put in their places: without it, what they replace would be gone.
            write_mapping(keep, vault, ref, passphrase, replace=force)
    if keep is None and sys.stderr.isatty():
        _say("this cannot be restored, since no mapping was kept (--keep FILE)")
    for each in reports:
        print_json(each)
    return 0


@cli.command()
@_shared
@_OUTPUT
@click.option(
    "--mapping", type=click.Path(path_type=Path), required=True, help="The file that redact --keep wrote."
)
def restore(
    files: tuple[str, ...],
    mapping: Path,
    output: Path | None,
    encoding: str,
    form: str | None,
    as_machine: bool,
) -> int:
    """Write FILES (or standard input) with the real values back. Exit code 1 if surrogates are left."""
    places = targets(files, output, together=as_machine)
    refuse_same(
        mapping, [path for pair in places for path in pair], "--mapping is also read or written as text"
    )
    vault, ref = read_mapping(mapping, _passphrase(confirm=False))
    session = Guard(names="off", vault=vault).session(ref.session_id, tenant=ref.tenant)
    left: dict[str, None] = {}
    reports = []
    with outputs() as write:
        for position, (source, target) in enumerate(places, 1):
            document = read_document(source, encoding, form, position=position)
            restored, unresolved = _restored(session, document)
            left |= dict.fromkeys(unresolved)
            if target is not None or not as_machine:
                write(document.encode(restored), target)
            reports.append({**report(document, target, restored), "unresolved": unresolved})
    for each in reports if as_machine else ():
        print_json(each)
    if left:
        listed = ", ".join(list(left)[:_LISTED]) + (", …" if len(left) > _LISTED else "")
        _say(f"{len(left)} surrogates unknown to this mapping are left: {listed}")
    return 1 if left else 0


@cli.command()
@click.option(
    "--text", "file", metavar="FILE", help="A text to use in place of the example; - is standard input."
)
@_ENCODING
@_JSON
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
    return 1 if outcome.leaked else 0


def _found(guard: Guard, document: Document, fields: tuple[str, ...]) -> Iterator[Detection]:
    """Yield what is found in a document, with offsets into it."""
    if document.form == "jsonl":
        for lines in _lines(document, fields):
            yield from scan_lines(lines, guard.scan, fields)
        return
    offset = 0
    for piece in _pieces(document, fields):
        for hit in guard.scan(piece):
            yield replace(hit, start=hit.start + offset, end=hit.end + offset)
        offset += len(piece)


def _redacted(session: Session, document: Document, fields: tuple[str, ...]) -> Iterator[str]:
    """Yield the redaction of a document, piece by piece."""
    if document.form == "jsonl":
        for lines in _lines(document, fields):
            parts = session.redact_values([picked(line, fields) for line in lines])
            for line, part in zip(lines, parts, strict=True):
                yield rewritten(line, put_back(line, part, fields), document.encoding)
    else:
        yield from (session.redact(piece).text for piece in _pieces(document, fields))


def _restored(session: Session, document: Document) -> tuple[str, list[str]]:
    """Return the restored document, and the surrogates that are left in it."""
    if document.form != "jsonl":
        outcome = session.restore(document.text)
        return outcome.text, outcome.unresolved
    parts: list[str] = []
    left: dict[str, None] = {}
    for lines in _lines(document):
        # No surrogate reaches over a line end, so the strings of a batch can be looked at as one text.
        said = "\n".join([leaf.text for line in lines for leaf in line.leaves])
        left |= dict.fromkeys(session.restore(said).unresolved)
        for line, value in zip(lines, session.restore([line.value for line in lines]), strict=True):
            parts.append(rewritten(line, value, document.encoding))
    return "".join(parts), list(left)


def _pieces(document: Document, fields: tuple[str, ...]) -> Iterator[str]:
    if fields:
        raise InputError(f"{document.name} is read as text, which has no --field; is --format jsonl missing?")
    return with_progress(document, pieces(document.text), len)


def _lines(document: Document, fields: tuple[str, ...] = ()) -> Iterator[list[JsonLine]]:
    """Yield the lines of a document in batches; a field that none of them has is an error in the end."""
    absent = set(fields)
    read = batches(document.name, document.text, PIECE)
    for lines in with_progress(document, read, lambda lines: sum(line.size for line in lines)):
        yield lines
        for line in lines if absent else ():
            absent -= line.value.keys() if isinstance(line.value, dict) else set()
    if absent and document.text.strip():
        # A name with a slip of the pen would leave everything as it is.
        raise InputError(f"{document.name}: no line has the field {min(absent)!r}; check --field")


def _check_types(types: Sequence[str], recognizers: Sequence[str]) -> None:
    known = set(ENTITY_TYPES)
    if not known.issuperset(types):
        known |= {rule.entity_type for rule in (*path_definitions(recognizers), *entry_point_definitions())}
    for name in types:
        if name not in known:
            close = get_close_matches(name.upper(), known, 3) or sorted(ENTITY_TYPES)
            raise ConfigError(f"--type {name} is no entity type that is known; there is {', '.join(close)}")


def _passphrase(*, confirm: bool) -> str:
    given = os.environ.get("SOVGUARD_PASSPHRASE")
    if given:
        return given
    if not sys.stdin.isatty():
        raise ConfigError(
            "a mapping file needs a passphrase: set SOVGUARD_PASSPHRASE, or name the files on a terminal to be asked"
        )
    return str(click.prompt("암호 (passphrase)", hide_input=True, confirmation_prompt=confirm, err=True))


if __name__ == "__main__":
    main()
