"""Places of a request whose text has to be inspected, and what becomes of them.

The payload modules say where text lives by putting a ``Slot`` in its place; here the slots are redacted in
one batch and the request is put together again. Nothing here knows a provider's format, and no object
passed in is changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from sovguard.errors import UnsupportedPayload
from sovguard.payloads.json_text import dump, open_escapes
from sovguard.restore.stream import Lane, Sink

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
# Every number that the law protects has seven digits or more.
_FEWEST_DIGITS = 7


class PayloadSession(Protocol):
    """What the payload modules need of a session."""

    @property
    def allowed_media(self) -> Collection[str]:
        """Which of image, audio, video and file are passed on unread; everything else that is no text is refused."""
        ...

    def redact_values(self, values: Sequence[Any], *, keep_surrogates: Sequence[bool]) -> list[Any]:
        """Return the redaction of each value, in the same shape, from one batch."""
        ...

    def stream(self, sink: Sink = ..., /) -> Lane:
        """Return what restores one text, in pieces or as a whole."""
        ...

    def restored_values(self, value: Any, /) -> tuple[Any, list[str]]:
        """Return a JSON value with real values back in place, and the surrogates in it that are not this session's."""
        ...


class Kind(Enum):
    """How a place of a request is inspected."""

    TEXT = "text"
    """Prose."""
    ARGUMENTS = "arguments"
    """JSON text, already parsed."""
    VALUE = "value"
    """Any JSON value, in which every string and number may be swapped."""
    FIXED = "fixed"
    """A setting, which has to stay as it is: if anything personal is in it, the request is refused."""


@dataclass(slots=True, eq=False, repr=False)
class Slot:
    """A place of the request whose outcome is not known yet; stands in the new request until it is.

    Attributes:
        kind: How it is inspected.
        path: Where it is, for messages.
        value: What has to be inspected.
        keep: Leave surrogates of the session in it alone, since a model or a tool said it.
        written: For ``ARGUMENTS``, the JSON text as it was.
        outcome: What takes its place.
    """

    kind: Kind
    path: str
    value: Any
    keep: bool = False
    written: str = ""
    outcome: Any = None

    def __repr__(self) -> str:
        return f"Slot({self.kind.value}, {self.path})"

    def variants(self) -> list[Any]:
        """Return what has to be inspected: for prose with escapes, also what they hide."""
        if self.kind is not Kind.TEXT:
            return [self.value]
        opened = open_escapes(self.value)
        return [self.value] if opened == self.value else [self.value, opened]

    def settle(self, redacted: Sequence[Any]) -> None:
        """Decide the outcome from the redaction of each variant."""
        first, last = redacted[0], redacted[-1]
        changed = first != self.value
        self.outcome = first
        if self.kind is Kind.FIXED and changed:
            raise refusal(self.path, "holds personal information where a setting belongs", "take it out")
        if self.kind is Kind.ARGUMENTS:
            self.outcome = (dump(first) or dump(first, ascii_only=True)) if changed else self.written
        elif self.kind is Kind.TEXT and open_escapes(first) != last:
            # Code such as [\uac00-\ud7a3] goes out as written, but not where its escapes hid something.
            self.outcome = last


class Slots(list[Slot]):
    """The slots of a request, in its order.

    Args:
        allowed_media: Which of image, audio, video and file may stand in it unread.
    """

    def __init__(self, allowed_media: Collection[str] = ()) -> None:
        super().__init__()
        self.allowed_media = allowed_media

    def __repr__(self) -> str:
        return f"Slots({len(self)})"


def fill(tree: Any, slots: Sequence[Slot], session: PayloadSession) -> Any:
    """Return ``tree`` with the outcome of each slot in its place.

    Args:
        tree: The request with slots in it.
        slots: All of them, in the order of the request.
        session: Whose surrogates are used; called at most once.
    """
    group = [(slot, slot.variants()) for slot in slots]
    if group:
        batch = [variant for _, variants in group for variant in variants]
        keep = [slot.keep for slot, variants in group for _ in variants]
        redacted = iter(session.redact_values(batch, keep_surrogates=keep))
        for slot, variants in group:
            slot.settle([next(redacted) for _ in variants])
    return _filled(tree)


def add(slots: Slots, kind: Kind, path: str, value: Any, *, keep: bool = False, written: str = "") -> Slot:
    """Return a new slot, noted in ``slots``."""
    slot = Slot(kind, path, value, keep, written)
    slots.append(slot)
    return slot


def text(value: object, path: str, slots: Slots, *, keep: bool) -> Slot | None:
    """Return the slot of a string, or ``None`` for null; anything else is refused."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise refusal(path, "is not text", "send it as a string")
    return add(slots, Kind.TEXT, path, value, keep=keep)


def fixed(value: Any, path: str, slots: Slots) -> Any:
    """Return a setting as it is, after noting what in it has to be shown to hold nothing personal."""
    for key, place in _keys(value, path):
        if not harmless(key):
            add(slots, Kind.FIXED, place, key)
    for leaf, place in _leaves(value, path):
        if isinstance(leaf, str) and not harmless(leaf):
            add(slots, Kind.FIXED, place, leaf)
    return value


def unknown(key: str, value: Any, path: str, slots: Slots) -> Any:
    """Return a parameter nobody here knows as it is, provided that no text is in it; refuse it otherwise."""
    where = below(path, key)
    for name, place in _keys({key: value}, path):
        if not _speakable(name):
            raise refusal(where, f"holds {place}, a name that is not known to this version", "leave it out")
    for leaf, place in _leaves(value, where):
        if isinstance(leaf, str):
            raise refusal(
                place,
                "is not known to this version and holds text",
                "leave it out, or put the text into a message",
            )
        if not harmless(str(leaf)):
            # Read with its key, and as JSON would write it: 3512123123456.0 is a resident number too.
            number = int(leaf) if isinstance(leaf, float) and leaf.is_integer() else leaf
            add(slots, Kind.FIXED, place, {place.rpartition(".")[2]: number})
    return value


def below(path: str, key: str) -> str:
    """Return the path of ``key``; a key that could itself be personal information is not written out."""
    shown = key if _speakable(key) else f"<key of {len(key)} characters>"
    return f"{path}.{shown}" if path else shown


def refusal(path: str, what: str, remedy: str) -> UnsupportedPayload:
    """Return the error for a place of the request that cannot be sent."""
    return UnsupportedPayload(f"the request was not sent: {path} {what}; {remedy}")


def harmless(value: str) -> bool:
    """Tell whether a string can hold nothing personal, whatever stands around it; saves inspecting it."""
    return value.isascii() and "@" not in value and sum(map(str.isdigit, value)) < _FEWEST_DIGITS


def _keys(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, below(path, key)
            yield from _keys(item, below(path, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _keys(item, f"{path}[{index}]")


def _leaves(value: Any, path: str) -> Iterator[tuple[str | int | float, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, below(path, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    elif isinstance(value, (str, int, float)):
        if not isinstance(value, bool):
            yield value, path
    elif value is not None:
        raise refusal(path, f"is a {type(value).__name__}, which cannot be looked into", "send a JSON value")


def _speakable(key: str) -> bool:
    return _PLAIN_KEY.fullmatch(key) is not None and harmless(key)


def _filled(node: Any) -> Any:
    if isinstance(node, Slot):
        return node.outcome
    if isinstance(node, dict):
        return {key: _filled(item) for key, item in node.items()}
    return [_filled(item) for item in node] if isinstance(node, list) else node
