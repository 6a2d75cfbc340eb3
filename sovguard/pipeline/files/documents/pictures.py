"""What is no text and cannot be read: pictures, sound, film. By default nothing of them comes out."""

from __future__ import annotations

import base64
from pathlib import PurePosixPath

from sovguard.errors import ConfigError, InputError

_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
_GIF = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
_BMP = base64.b64decode("Qk06AAAAAAAAADYAAAAoAAAAAQAAAAEAAAABABgAAAAAAAQAAAATCwAAEwsAAAAAAAAAAAAA////AA==")
_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8Q"
    "EBD/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVN//2Q=="
)
_BLANK = {".png": _PNG, ".gif": _GIF, ".bmp": _BMP, ".jpg": _JPEG, ".jpeg": _JPEG}
PICTURES = frozenset(
    {".png", ".gif", ".bmp", ".jpg", ".jpeg", ".tif", ".tiff", ".emf", ".wmf", ".wdp", ".webp", ".svg", ".ico", ".pct", ".pcx",
     ".heic", ".jfif"}
)  # fmt: skip
RECORDINGS = frozenset(
    {".mp3", ".mp4", ".m4a", ".m4v", ".wav", ".wma", ".wmv", ".avi", ".mov", ".mid", ".midi", ".ogg"}
)
WAYS = ("blank", "keep", "refuse")


class Unread:
    """Decides what becomes of what cannot be read, and counts it.

    Args:
        way: ``"blank"``: an empty picture takes its place. ``"keep"``: it stays. ``"refuse"``: the document is not worked on.

    Raises:
        ConfigError: The way is none of these.
    """

    def __init__(self, way: str) -> None:
        if way not in WAYS:
            raise ConfigError(f"unread is one of {', '.join(map(repr, WAYS))}")
        self._way = way
        self.count = 0

    def __repr__(self) -> str:
        return f"Unread({self._way!r}, {self.count})"

    @property
    def kept(self) -> bool:
        """Whether it stays."""
        return self._way == "keep"

    def outcome(self, name: str, data: bytes) -> bytes:
        """Return what takes the place of something by its file's name.

        Raises:
            InputError: The document is not to be worked on.
        """
        self.count += 1
        if self._way == "refuse":
            raise InputError(
                "it holds pictures, sound or attachments that cannot be read; blank or keep them with --unread"
            )
        return data if self.kept else blank(name)


def blank(name: str) -> bytes:
    """Return a picture of one white point for a file's name; nothing for sound and film."""
    suffix = PurePosixPath(name.lower()).suffix
    return b"" if suffix in RECORDINGS else _BLANK.get(suffix, _PNG)
