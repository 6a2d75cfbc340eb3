"""Files that hold keys are read only if nobody else may; what is written is durable, and whole or not there."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sovguard.errors import ConfigError


def read_private(path: str | os.PathLike[str], what: str, maker: str) -> str:
    """Return the text of a file that only its owner may read.

    Args:
        path: The file.
        what: What to call it in errors.
        maker: The command that writes such a file.

    Raises:
        ConfigError: It cannot be read, it is no text, or others than its owner may read it.
    """
    place = Path(path)
    try:
        mode = place.stat().st_mode
        text = place.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise ConfigError(
            f"{what} {place} cannot be read ({why}); name the file that '{maker}' wrote"
        ) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{what} {place} may be read by others than its owner; chmod 600 it")
    return text


def sync_folder(folder: Path) -> None:
    """Make durable which files are in a folder.

    Raises:
        OSError: The disk failed.
    """
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def placed(target: Path, *, replaces: bool = True) -> Iterator[Path]:
    """Give a path to write to, and put what is written there in its place in one step: all of it is there, or nothing.

    Nobody but its owner may read it.

    Args:
        target: Its place.
        replaces: Whether what is there may be replaced.

    Raises:
        FileExistsError: Something is there that may not be replaced.
        OSError: The disk failed.
    """
    handle, name = tempfile.mkstemp(
        dir=target.absolute().parent, prefix=f".{target.name}.", suffix=".partial"
    )
    os.close(handle)
    try:
        yield Path(name)
        with open(name, "rb") as file:
            os.fsync(file.fileno())
        if replaces or not _linked(name, target):
            os.replace(name, target)
    finally:
        Path(name).unlink(missing_ok=True)
    sync_folder(target.absolute().parent)


def _linked(name: str, target: Path) -> bool:
    """Put a file in its place if nothing is there, which a look before could not promise; not on file systems without links."""
    try:
        os.link(name, target)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True
