"""How far a job has come, beside its output: what a job that was cut off goes on from."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sovguard.errors import ConfigError
from sovguard.private_files import sync_folder

_VERSION = 1


@dataclass(slots=True)
class Progress:
    """How far a job has come: everything up to here is on the disk.

    Attributes:
        settings: The digest of its settings.
        source: The fingerprint of its file.
        offset: How many octets of what the file says are worked on.
        line: The number of the next line.
        written: Octets of the output.
        rejected: Octets of the file of rejected lines.
        records: How many records came out.
        bad: Lines that could not be worked on, with why, up to a thousand.
        bad_count: How many there are.
        values: How many values were replaced, by type.
        unresolved: How many texts have what looks like a surrogate and could not be opened.
        seen: Which of the fields that were asked for some record had.
        rejects: Where rejected lines go.
        done: Whether all of it is written, and only has to be put in its place.
    """

    settings: str
    source: list[Any]
    offset: int = 0
    line: int = 1
    written: int = 0
    rejected: int = 0
    records: int = 0
    bad: list[tuple[int, str]] | None = None
    bad_count: int = 0
    values: dict[str, int] | None = None
    unresolved: int = 0
    seen: list[str] | None = None
    rejects: str | None = None
    done: bool = False


class Journal:
    """The file that says how far a job has come.

    Args:
        target: Its output.
    """

    def __init__(self, target: Path) -> None:
        self.partial = target.with_name(f"{target.name}.partial")
        self._path = target.with_name(f"{target.name}.progress")
        self.places = (self.partial, self._path, self._path.with_name(f"{self._path.name}.new"))

    def __repr__(self) -> str:
        return f"Journal({self._path.name!r})"

    def read(self) -> Progress | None:
        """Return how far the job had come; ``None`` if it had not begun.

        Raises:
            ConfigError: It was written by something else.
        """
        try:
            said = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            said = {}
        try:
            if said.pop("version") != _VERSION:
                raise ValueError
            return Progress(**said)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ConfigError(
                f"{self._path} does not say how far a job has come; delete it and begin anew without --resume"
            ) from None

    def write(self, progress: Progress) -> None:
        """Write how far the job has come, durably."""
        made = self._path.with_name(f"{self._path.name}.new")
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"version": _VERSION, **asdict(progress)}, file)
            file.flush()
            os.fsync(file.fileno())
        made.replace(self._path)
        sync_folder(self._path.parent)

    def end(self) -> None:
        """Take it away: the job is done, or begins anew."""
        with suppress(FileNotFoundError):
            self._path.unlink()
