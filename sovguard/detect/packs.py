"""Where recognizer definitions come from: the built-in pack, other distributions, and files of the user.

The built-in pack lies in ``sovguard.recognizers``; other distributions add theirs through the entry-point group
``sovguard.recognizers`` (a package holding the same flat TOML files), users by path. A file that cannot be read or is wrong
is an error, never skipped.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path

from sovguard.detect.definition_parser import false_friends, parse, recognizer
from sovguard.detect.definitions import Pack, RecognizerDefinition
from sovguard.errors import RecognizerDefinitionError

ENTRY_POINT_GROUP = "sovguard.recognizers"


@cache
def built_in_pack() -> Pack:
    """Returns the pack that ships with sovguard, read once."""
    folder = resources.files("sovguard.recognizers")
    recognizers: list[RecognizerDefinition] = []
    friends: list[str] = []
    for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not item.name.endswith(".toml"):
            continue
        table = parse(item.read_text(encoding="utf-8"), item.name)
        kind = table.get("kind", "recognizer")
        if kind == "false_friends":
            friends += false_friends(table, item.name)
        elif kind not in ("names", "name_model", "topics"):
            recognizers.append(recognizer(table, item.name, trusted=True))
    return Pack(tuple(recognizers), tuple(friends))


@cache
def pack_digest() -> str:
    """Returns the SHA-256 of everything in the built-in pack, in hex: names and contents of its files."""
    digest = hashlib.sha256()
    for item in sorted(resources.files("sovguard.recognizers").iterdir(), key=lambda entry: entry.name):
        if item.name.endswith((".toml", ".txt", ".npz")):
            digest.update(item.name.encode())
            digest.update(item.read_bytes())
    return digest.hexdigest()


@cache
def entry_point_definitions() -> tuple[RecognizerDefinition, ...]:
    """Returns the definitions that installed distributions bring through the entry-point group."""
    found: list[RecognizerDefinition] = []
    for point in sorted(metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        try:
            folder = resources.files(point.value)
        except (ImportError, TypeError) as error:
            raise RecognizerDefinitionError(
                f"recognizer pack {point.name!r} names the package {point.value!r}, which cannot be imported; "
                "reinstall or remove the distribution that brings it"
            ) from error
        found += _folder(folder, point.name)
    return tuple(found)


def path_definitions(paths: Iterable[str | os.PathLike[str]]) -> tuple[RecognizerDefinition, ...]:
    """Returns the definitions in the given TOML files or folders of TOML files.

    Raises:
        RecognizerDefinitionError: A path does not exist, or a file is wrong.
    """
    found: list[RecognizerDefinition] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found += _folder(path, str(path))
        elif path.is_file():
            found.append(_own(path, str(path), path.parent))
        else:
            raise RecognizerDefinitionError(f"recognizer file {str(path)!r} does not exist")
    return tuple(found)


def _folder(folder: Traversable, name: str) -> Iterator[RecognizerDefinition]:
    files = [item for item in folder.iterdir() if item.name.lower().endswith(".toml")]
    if not files:
        raise RecognizerDefinitionError(f"recognizer pack {name!r} holds no .toml file")
    for item in sorted(files, key=lambda entry: entry.name):
        yield _own(item, f"{name}/{item.name}", folder)


def _own(item: Traversable, source: str, folder: Traversable) -> RecognizerDefinition:
    return recognizer(parse(_read(item, source), source), source, trusted=False, folder=folder)


def _read(item: Traversable, source: str) -> str:
    try:
        return item.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecognizerDefinitionError(f"{source}: cannot be read as UTF-8 text") from error


def recognizers_in_use(paths: Iterable[str | os.PathLike[str]]) -> Sequence[RecognizerDefinition]:
    """Returns the built-in definitions, then those of other distributions, then those at ``paths``.

    Raises:
        RecognizerDefinitionError: A path does not exist, or a definition is wrong.
    """
    return _distinct((*built_in_pack().recognizers, *entry_point_definitions(), *path_definitions(paths)))


def _distinct(recognizers: Iterable[RecognizerDefinition]) -> Sequence[RecognizerDefinition]:
    """Returns the definitions, those of the same file name told apart by a number: each keeps labels of its own."""
    found: dict[str, RecognizerDefinition] = {}
    for definition in recognizers:
        name, count = definition.name, 1
        while name in found:
            count += 1
            name = f"{definition.name} ({count})"
        found[name] = definition if count == 1 else replace(definition, name=name)
    return tuple(found.values())
