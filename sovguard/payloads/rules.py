"""Rules that say where text lives, to be put together into the description of a provider's format.

A rule for requests takes a value, its path, the slots and whether surrogates in it are kept, and returns what stands there
until the slots are filled. A rule for answers takes a value and the answer's session and returns it restored. What no rule
knows is refused on the way out, and passed as it is on the way back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sovguard.errors import UnsupportedPayload
from sovguard.payloads.json_text import load
from sovguard.payloads.lanes import Lanes, foreign
from sovguard.payloads.slots import (
    Kind,
    PayloadSession,
    Slots,
    add,
    below,
    fill,
    fixed,
    refusal,
    text,
    unknown,
)
from sovguard.restore.stream import Sink

_ENCODED = re.compile(
    r"(?i:data:[a-z0-9.+-]+/[a-z0-9.+-]+(?:;[a-z0-9=.-]{1,40})*;base64,)?[A-Za-z0-9+/_=\s-]*"
)

Rule = Callable[[Any, str, Slots, bool], Any]


def prose(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    """Text that a person, a model or a tool wrote."""
    return text(value, path, slots, keep=keep)


def setting(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    """A setting, which has to stay as it is and hold nothing personal."""
    return fixed(value, path, slots)


def values(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    """Any JSON value, in which every string, key and number may be swapped."""
    return add(slots, Kind.VALUE, path, value, keep=keep)


def untouched(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    """What the provider made and nobody may change: signed, encrypted, or a mere type."""
    return value


def of_model(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    """What a model made and nobody may change, such as signed thinking; where a person speaks it is a value like any other."""
    return value if keep else values(value, path, slots, keep)


def numbers(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    """A list of whole numbers, such as the tokens of an earlier answer."""
    if not isinstance(value, list) or not all(type(each) is int for each in value):
        raise refusal(path, "is no list of whole numbers", "leave it out")
    return value


def source(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    """The source of a JSON document in a string, as tool arguments are."""
    parsed = load(value, unique_keys=True) if isinstance(value, str) else None
    if parsed is None:
        return text(value, path, slots, keep=keep)
    return add(slots, Kind.ARGUMENTS, path, parsed.value, keep=keep, written=value)


def kept(rule: Rule) -> Rule:
    """As ``rule``, where a model or a tool speaks: it holds surrogates of the session rightly."""
    return lambda value, path, slots, keep: rule(value, path, slots, True)


def many(rule: Rule) -> Rule:
    """A list whose items follow ``rule``."""

    def apply(value: Any, path: str, slots: Slots, keep: bool) -> Any:
        if not isinstance(value, list):
            raise refusal(path, "is not a list", "send a list")
        return [rule(item, f"{path}[{index}]", slots, keep) for index, item in enumerate(value)]

    return apply


def text_or(rule: Rule) -> Rule:
    """A string, or what follows ``rule``."""
    return lambda value, path, slots, keep: (
        prose(value, path, slots, keep)
        if isinstance(value, str) or value is None
        else rule(value, path, slots, keep)
    )


def record(fields: Mapping[str, Rule]) -> Rule:
    """An object; null values stay, and a field that is not named is passed if no text is in it, and refused otherwise."""

    def apply(value: Any, path: str, slots: Slots, keep: bool) -> Any:
        if not isinstance(value, dict):
            raise refusal(path or "its body", "is not a JSON object", "send an object")
        return {
            key: item
            if item is None
            else fields[key](item, below(path, key), slots, keep)
            if key in fields
            else unknown(key, item, path, slots)
            for key, item in value.items()
        }

    return apply


def by_role(rule: Rule, roles: Mapping[str, bool], *, default: str = "") -> Rule:
    """A message that its ``role`` tells apart.

    Args:
        rule: What every message follows.
        roles: The roles there are, and for each whether it holds surrogates rightly: a model or a tool speaks.
        default: The role of a message that names none.
    """

    def apply(value: Any, path: str, slots: Slots, keep: bool) -> Any:
        if not isinstance(value, dict):
            raise refusal(path, "is not a JSON object", "send each message as an object with its role")
        role = value.get("role", default)
        if not isinstance(role, str) or role not in roles:
            raise refusal(f"{path}.role", "is not a known role", f"use one of {', '.join(roles)}")
        return (kept(rule) if roles[role] else rule)(value, path, slots, keep)

    return apply


def kinds(known: Mapping[str, Rule], *, what: str, remedy: str, default: str = "") -> Rule:
    """An object that its ``type`` tells apart.

    Args:
        known: Rules by type.
        what: What to say of another type.
        remedy: What to do then.
        default: The type of an object that names none.
    """

    def apply(value: Any, path: str, slots: Slots, keep: bool) -> Any:
        kind = value.get("type", default) if isinstance(value, dict) else None
        rule = known.get(kind) if isinstance(kind, str) else None
        if rule is None:
            raise refusal(path, what, remedy)
        return rule(value, path, slots, keep)

    return apply


def definition(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    """What a tool is called and for, and the schema of its arguments, whose property names may be text too."""
    if not isinstance(value, dict):
        raise refusal(path, "is not a JSON object", "send the definition of the tool")
    return {
        key: (setting if key == "name" else values)(item, below(path, key), slots, keep)
        for key, item in value.items()
    }


def media(kind: str, rule: Rule) -> Rule:
    """What follows ``rule`` where the user allows media of this kind, which nobody here can read."""

    def apply(value: Any, path: str, slots: Slots, keep: bool) -> Any:
        if kind not in slots.allowed_media:
            raise refusal(
                path, NO_TEXT, f"{SAY_IT}, or let it pass unread with Guard(allow_media=[{kind!r}])"
            )
        return rule(value, path, slots, keep)

    return apply


def encoded(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    """The bytes of a medium in base64, alone or as a data URI (RFC 2397): passed as they are."""
    if not isinstance(value, str) or _ENCODED.fullmatch(value) is None:
        raise refusal(path, "is not base64", "send the data as a string in base64")
    return value


def address(value: Any, path: str, slots: Slots, keep: bool) -> Any:
    """Where a medium lies: an address that must hold nothing personal, or the medium itself as a data URI."""
    if isinstance(value, str) and value[:5].lower() == "data:":
        return encoded(value, path, slots, keep)
    return setting(value, path, slots, keep)


NO_TEXT = "is not text, and sovguard cannot see personal information in images, audio or files"
SAY_IT = "send what it says as text, or send it with a client that is not protected"


@dataclass(frozen=True)
class Request:
    """A kind of request.

    Attributes:
        rule: What the format says of its body.
        what: What the format calls it.
        needs: The field without which it is none, if there is one.
    """

    rule: Rule
    what: str
    needs: str

    def redact(self, body: object, session: PayloadSession) -> dict[str, Any]:
        """Returns the request with surrogates in place of personal information.

        Raises:
            UnsupportedPayload: It holds something whose text cannot be found for certain.
        """
        slots = Slots(session.allowed_media)
        tree = self._tree(body, slots)
        filled: dict[str, Any] = fill(tree, slots, session)
        return filled

    def check(self, body: object, allowed_media: Collection[str] = ()) -> None:
        """Raises what ``redact`` would raise about the shape of ``body``, without looking at any text."""
        self._tree(body, Slots(allowed_media))

    def _tree(self, body: object, slots: Slots) -> Any:
        if not isinstance(body, dict) or (self.needs and body.get(self.needs) is None):
            raise UnsupportedPayload(
                f"the request was not sent: its body is not a JSON object with {self.needs}; send {self.what}"
            )
        return self.rule(body, "", slots, False)


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """Whose values go into an answer.

    Attributes:
        session: The session that redacted the request.
        tools: Names of tools whose arguments may hold real values.
    """

    session: PayloadSession
    tools: Collection[str]

    def __repr__(self) -> str:
        return "Answer()"

    def text(self, value: Any, sink: Sink = "answer", *, tool: bool = False) -> Any:
        """Returns a whole text restored, as a stream of it would be; anything else as it is.

        Raises:
            ForeignSurrogate: It goes to a tool and holds a surrogate that is not this session's.
        """
        if not isinstance(value, str):
            return value
        lanes = Lanes(self.session.stream)
        return lanes.feed("", value, sink, tool=tool) + lanes.flush("")

    def values(self, value: Any) -> Any:
        """Returns a tool's arguments, given as a JSON value, restored.

        Raises:
            ForeignSurrogate: They hold a surrogate that is not this session's.
        """
        restored, unresolved = self.session.restored_values(value)
        if unresolved:
            raise foreign()
        return restored


Restorer = Callable[[Any, Answer], Any]


def each(restorer: Restorer) -> Restorer:
    """A list whose items are restored."""
    return lambda value, answer: (
        [restorer(item, answer) for item in value] if isinstance(value, list) else value
    )


def within(fields: Mapping[str, Restorer]) -> Restorer:
    """An object of which some fields are restored."""

    def apply(value: Any, answer: Answer) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: fields[key](item, answer) if key in fields else item for key, item in value.items()}

    return apply


def shown(value: Any, answer: Answer) -> Any:
    """Text that is shown to the user."""
    return answer.text(value)
