"""Which files are meant, and where the outcome of each goes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from glob import glob
from pathlib import Path

from sovguard.errors import ConfigError
from sovguard.pipeline.files.kinds import outcome_name


def places_of(files: Sequence[str], output: str | None) -> Iterator[tuple[Path, Path]]:
    """Yield files with where their outcomes go; of folders, what is in them, without following links.

    Args:
        files: Paths of files and folders, and patterns where there is no file of that name.
        output: A file, or a folder for several; folders are made.

    Raises:
        ConfigError: There is no output, a pattern matches nothing, or two files would become one.
    """
    if "-" in files:
        raise ConfigError("standard input is worked on by itself: leave the files out, or the -")
    if output is None:
        raise ConfigError("with a key, name where the outcome goes with -o: a file, or a folder for several")
    sources = [path for name in files for path in _matching(name)]
    if (
        len(sources) == 1
        and not sources[0].is_dir()
        and not output.endswith("/")
        and not Path(output).is_dir()
    ):
        yield sources[0], Path(output)
        return
    into = Path(output)
    taken: set[Path] = set()
    for source in sources:
        found = [source] if not source.is_dir() else sorted(_within(source, into))
        for path in found:
            target = into / outcome_name(str(path.relative_to(source) if source.is_dir() else path.name))
            if target in taken:
                raise ConfigError(f"two files would become {target}; work on them one after the other")
            taken.add(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            yield path, target


def _matching(name: str) -> list[Path]:
    """Return the path of a name, or those that a pattern (``logs/**/*.jsonl``) stands for where there is none of that name."""
    if os.path.lexists(name) or not any(sign in name for sign in "*?["):
        return [Path(name)]
    found = [Path(path) for path in sorted(glob(name, recursive=True)) if os.path.isfile(path)]
    if not found:
        raise ConfigError("a pattern matches no file; check it")
    return found


def _within(folder: Path, but: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if (Path(at) / name).resolve() != but.resolve()]
        for name in names:
            path = Path(at) / name
            if path.is_file() and not path.is_symlink():
                yield path
