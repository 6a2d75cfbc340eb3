"""The ways in which a value is replaced, behind one face: for a text with detections, and for a cell that is one value.

What a way cannot do with one cell is an ``InputError`` and that cell's alone. Nothing here detects, but for a session's
surrogates, which a session finds and makes in one go.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import Literal

from sovguard.entities import Detection
from sovguard.errors import ConfigError
from sovguard.format_preserving import FormatPreserving
from sovguard.irreversible import changes, mask, remove
from sovguard.restore.text import Restoration
from sovguard.session import Session
from sovguard.text import Change, changed
from sovguard.vault.store import Kind
from sovguard.vaultless import MARK, Scope, Vaultless

Mode = Vaultless | FormatPreserving | Session | Callable[[str, str], str] | Literal["mask", "remove"]
"""How values are replaced: surrogates that hold their values, values of the same shape, a session's surrogates, what a function
makes of a value and its type (``sovguard.irreversible.pseudonym``), or masks or removal."""
_FUNCTIONS = {"mask": mask, "remove": remove}


class Way(ABC):
    """Replaces values, and puts them back where that can be done."""

    finds = False
    """Whether it finds values itself."""
    mark: str | None = ""
    """What a text holds, if it may become another although nothing was found in it; ``None`` if none ever does."""

    def redact(self, text: str, found: Sequence[Detection]) -> str:
        """Return ``text`` with what was found in it replaced."""
        return changed(text, self.changes(text, found))

    @abstractmethod
    def changes(self, text: str, found: Sequence[Detection]) -> list[Change]:
        """Return what replacing what was found changes in ``text``, in order."""

    def openings(self, text: str) -> tuple[list[Change], list[str]]:
        """Return what putting values back changes in ``text``, in order, and surrogates that cannot be opened.

        Raises:
            ConfigError: What was done cannot be undone stretch by stretch.
        """
        raise ConfigError("masks, removal and pseudonyms cannot be undone; leave the column out")

    @abstractmethod
    def replace(self, value: str, entity_type: str) -> str:
        """Return what takes the place of a cell that is one value."""

    @abstractmethod
    def restore(self, text: str, entity_type: str | None) -> Restoration:
        """Return ``text`` with the values back; ``entity_type`` of a cell that is one value."""

    def replace_number(self, digits: str, kind: Kind, entity_type: str) -> str:
        """Return the text that takes the place of a number, as it is written."""
        return self.replace(digits, entity_type)

    def number(self, text: str) -> str | None:
        """Return the number, as it was written, that a text takes the place of; ``None`` if it is none."""
        return None


class _Sealed(Way):
    mark = MARK

    def __init__(self, vaultless: Vaultless) -> None:
        self._vaultless = vaultless

    def changes(self, text: str, found: Sequence[Detection]) -> list[Change]:
        return self._vaultless.changes(text, found)

    def openings(self, text: str) -> tuple[list[Change], list[str]]:
        return self._vaultless.openings(text)

    def replace(self, value: str, entity_type: str) -> str:
        return self._vaultless.surrogate(value, entity_type) if value else value

    def restore(self, text: str, entity_type: str | None) -> Restoration:
        return self._vaultless.restore(text)

    def replace_number(self, digits: str, kind: Kind, entity_type: str) -> str:
        return self._vaultless.surrogate(digits, entity_type, kind)

    def number(self, text: str) -> str | None:
        opened = self._vaultless.opened(text)
        return None if opened is None or opened[1] == "str" else opened[0]


class _Shaped(Way):
    def __init__(self, fpe: FormatPreserving) -> None:
        self._fpe = fpe

    def changes(self, text: str, found: Sequence[Detection]) -> list[Change]:
        raise ConfigError(
            "values of the same shape are for columns whose cells are one value: say what they are with Column(is_a=…)"
        )

    def replace(self, value: str, entity_type: str) -> str:
        return self._fpe.encrypt(value, entity_type) if value else value

    def restore(self, text: str, entity_type: str | None) -> Restoration:
        if entity_type is None:
            raise ConfigError(
                "to put values of the same shape back, say what the cells are with Column(is_a=…)"
            )
        return Restoration(self._fpe.decrypt(text, entity_type) if text else text, [])


class _Function(Way):
    mark = None

    def __init__(self, replace: Callable[[str, str], str]) -> None:
        self._replace = replace

    def changes(self, text: str, found: Sequence[Detection]) -> list[Change]:
        return changes(text, found, self._replace)

    def replace(self, value: str, entity_type: str) -> str:
        return self._replace(value, entity_type) if value else value

    def restore(self, text: str, entity_type: str | None) -> Restoration:
        raise ConfigError("masks, removal and pseudonyms cannot be undone; leave the column out")


class SessionWay(Way):
    """A session's surrogates: found and made by the session, whose texts know each other."""

    finds = True

    def __init__(self, session: Session) -> None:
        self._session = session

    def redact_all(
        self, label: str, texts: Sequence[str], types: Collection[str] | None
    ) -> tuple[list[str], list[list[Detection]]]:
        """Return texts redacted, and what was found in each; each is read together with a label."""
        seen: list[list[Detection]] = []

        def judge(
            given: list[str], found: list[list[Detection]], people: list[list[str]]
        ) -> tuple[list[str], list[list[Detection]], list[list[str]]]:
            kept = [
                [
                    (hit, who)
                    for hit, who in zip(hits, whom, strict=True)
                    if types is None or hit.entity_type in types
                ]
                for hits, whom in zip(found, people, strict=True)
            ]
            seen.extend([hit for hit, _ in pairs] for pairs in kept)
            return (
                given,
                [[hit for hit, _ in pairs] for pairs in kept],
                [[who for _, who in pairs] for pairs in kept],
            )

        redacted = self._session.redact_chosen({label: list(texts)}, [(label,)], judge=judge)
        return redacted[label], seen

    def changes(self, text: str, found: Sequence[Detection]) -> list[Change]:
        """Raise an error: a session finds values itself."""
        raise ConfigError("a session finds values itself")

    def replace(self, value: str, entity_type: str) -> str:
        """Raise an error: a session makes surrogates of what it finds."""
        raise ConfigError("a session's surrogates are of what it finds: leave is_a out, or use Vaultless")

    def restore(self, text: str, entity_type: str | None) -> Restoration:
        """Return ``text`` with the session's values back."""
        return self._session.restore(text)


def way_of(mode: Mode, join_group: str | None = None) -> Way:
    """Return the way that a mode stands for.

    Args:
        mode: As in ``Mode``.
        join_group: In place of the mode's dataset.

    Raises:
        ConfigError: It is none, or cannot join.
    """
    if isinstance(mode, Vaultless):
        return _Sealed(
            mode if join_group is None else mode.within(Scope(mode.scope.tenant, join_group=join_group))
        )
    if isinstance(mode, FormatPreserving):
        return _Shaped(
            mode if join_group is None else mode.within(Scope(mode.scope.tenant, join_group=join_group))
        )
    if join_group is not None:
        raise ConfigError(
            "a join_group is for surrogates that hold their values (Vaultless) and for values of the same shape"
        )
    if isinstance(mode, Session):
        return SessionWay(mode)
    if isinstance(mode, str):
        if mode not in _FUNCTIONS:
            raise ConfigError(
                "mode has to be 'mask', 'remove', a Vaultless, a FormatPreserving, a session or a function of value and type"
            )
        return _Function(_FUNCTIONS[mode])
    if not callable(mode):
        raise ConfigError(f"a {type(mode).__name__} is no way to replace values; see sovguard.pipeline.Mode")
    return _Function(mode)
