"""What is done to the records of a file: what a worker process needs to know, the key among it."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sovguard.errors import ConfigError
from sovguard.pipeline.cells import Cells
from sovguard.pipeline.ways import Mode, Way, way_of
from sovguard.vaultless import Scope, Vaultless

if TYPE_CHECKING:
    from sovguard.guard import Guard, Names

Form = Literal["text", "jsonl", "csv"]
FORMS: tuple[Form, ...] = ("text", "jsonl", "csv")


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """What is done to a file.

    Attributes:
        action: ``"surrogate"`` for surrogates that hold their values, ``"mask"`` or ``"remove"``.
        key: The key of surrogates, 64 octets.
        scope: Within what equal values have equal surrogates.
        restores: Whether values are put back, and not replaced.
        names: How names are found.
        recognizers: Paths of further recognizers.
        columns: Only these columns of CSV, or top-level fields of JSON; all if empty.
        unread: What becomes of pictures, recordings and attachments of documents, which cannot be read: ``"blank"``,
            ``"keep"``, or ``"refuse"`` for the document as a whole.
    """

    action: Literal["surrogate", "mask", "remove"] = "surrogate"
    key: bytes | None = None
    scope: Scope | None = None
    restores: bool = False
    names: Names = "full"
    recognizers: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    unread: Literal["blank", "keep", "refuse"] = "blank"

    def __post_init__(self) -> None:
        if self.action not in ("surrogate", "mask", "remove"):
            raise ConfigError("action is 'surrogate', 'mask' or 'remove'")
        if self.action == "surrogate" and (self.key is None or self.scope is None):
            raise ConfigError("surrogates that hold their values need a key and a scope")
        if self.restores and self.action != "surrogate":
            raise ConfigError("masks and removal cannot be undone")

    def __repr__(self) -> str:
        return f"Settings({self.action!r}, restores={self.restores})"

    def cells(self) -> Cells:
        """Return what works on texts.

        Raises:
            ConfigError: The key, the scope or a recognizer is none.
        """
        return Cells(self.guard(), self._mode())

    def guard(self) -> Guard:
        """Return what finds.

        Raises:
            ConfigError: A recognizer is none.
        """
        from sovguard.guard import Guard

        return Guard(names="off" if self.restores else self.names, recognizers=self.recognizers)

    def way(self) -> Way:
        """Return how values are replaced.

        Raises:
            ConfigError: The key or the scope is none.
        """
        return way_of(self._mode())

    def digest(self) -> str:
        """Return what is the same for the same settings, under the key: it tells nothing of the key."""
        scope = (
            None if self.scope is None else [part.decode("utf-8", "replace") for part in self.scope.parts()]
        )
        said = [self.action, scope, self.restores, self.names, self.recognizers, self.columns]
        return hmac.digest(self.key or b"none", json.dumps(said).encode(), hashlib.sha256).hex()

    def _mode(self) -> Mode:
        if self.action != "surrogate":
            return self.action
        assert self.key is not None  # noqa: S101
        assert self.scope is not None  # noqa: S101
        return Vaultless(self.key, self.scope)
