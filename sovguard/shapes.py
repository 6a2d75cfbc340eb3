"""Take a JSON-like value apart into its texts and put it together again in the same shape.

Used on the way in (redaction) and on the way back (restoring). Works on a copy, so the caller's object is
never changed, and nothing here looks at what a text says.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, cast

from sovguard.entities import Detection
from sovguard.errors import InputError
from sovguard.vault.store import Kind

MAX_DEPTH = 200
MAX_CONTEXT = 64
"""Keys longer than this are not read together with their values: a huge one would multiply."""

_SEPARATOR = ": "


@dataclass(slots=True, repr=False, eq=False)
class Leaf:
    """One text of the value: a string, a number as its text, or a key.

    Attributes:
        text: What it says.
        kind: What it was.
        key: The key it stands under, if that is a string or number of reasonable length.
        original: The object itself, put back where nothing replaces it.
        has_context: For a key, whether some text will be read together with it.
        outcome: What stands in its place afterwards.
    """

    text: str
    kind: Kind
    key: Leaf | None
    original: Any
    has_context: bool = False
    outcome: Any = None

    def __repr__(self) -> str:
        return f"Leaf({self.kind} of {len(self.text)} characters)"


@dataclass(slots=True, repr=False, eq=False)
class Shape:
    """A value taken apart: its leaves in order, keys before what stands under them."""

    root: Any
    leaves: list[Leaf] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Shape({len(self.leaves)} leaves)"


@dataclass(slots=True, repr=False, eq=False)
class _Branch:
    make: Callable[[Iterator[Any]], Any]
    items: list[Any]

    def __repr__(self) -> str:
        return f"_Branch({len(self.items)} items)"


Only = Collection[tuple[str, ...]]
"""Paths of keys and field names; what none of them leads to is left as it is."""


def take_apart(value: object, verb: str, *, keep_others: bool = False, only: Only | None = None) -> Shape:
    """Return the shape and the leaves of a list, tuple, dict, dataclass or pydantic model.

    Args:
        value: The JSON-like value.
        verb: What the caller is doing, for the message of an error.
        keep_others: Leave what is not JSON-like in its place, unread, instead of refusing it.
        only: Look at nothing else; the items of a list are looked at as the list would be.

    Raises:
        InputError: Something in it is not JSON-like, or it is nested too deeply.
    """
    shape = Shape(None)
    shape.root = _Taker(shape.leaves, verb, keep_others=keep_others).node(value, None, 0, only)
    return shape


def has_shape(value: object) -> bool:
    """Tell whether ``take_apart`` can look into a value that is no string or number."""
    return isinstance(value, (list, tuple, dict)) or _field_names(value) is not None


def read(
    leaves: Sequence[Leaf], analyze: Callable[[list[str]], list[list[Detection]]]
) -> list[list[Detection]]:
    """Return what is found in each leaf, each read together with its key, all in one batch.

    Args:
        leaves: The leaves of a value.
        analyze: Finds what is in each of several texts.
    """
    batch: dict[str, int] = {}
    places: list[tuple[Leaf, int]] = []
    for leaf in leaves:
        if leaf.has_context:
            continue
        text = leaf.text if leaf.key is None else f"{leaf.key.text}{_SEPARATOR}{leaf.text}"
        places.append((leaf, batch.setdefault(text, len(batch))))
    found = analyze(list(batch))
    hits: dict[int, list[Detection]] = {id(leaf): [] for leaf in leaves}
    for leaf, index in places:
        shift = 0
        if leaf.key is not None:
            shift = len(leaf.key.text) + len(_SEPARATOR)
            if id(leaf.key) in hits:  # not the name of a field
                hits[id(leaf.key)] += _clipped(found[index], 0, len(leaf.key.text))
        hits[id(leaf)] += _clipped(found[index], shift, len(leaf.text))
    return [in_order(hits[id(leaf)]) for leaf in leaves]


def read_labelled(
    groups: Sequence[tuple[str, Sequence[str]]], analyze: Callable[[list[str]], list[list[Detection]]]
) -> list[list[list[Detection]]]:
    """Return what is found in each text of several groups, each read together with its group's label, all in one batch.

    Args:
        groups: A label, which may be empty, and the texts that stand under it.
        analyze: Finds what is in each of several texts.
    """
    batch: list[str] = []
    for label, texts in groups:
        batch += [f"{label}{_SEPARATOR}{text}" for text in texts] if label else texts
    different = dict.fromkeys(batch)
    found = analyze(list(different))
    if len(different) < len(batch):
        known = dict(zip(different, found, strict=True))
        found = [known[text] for text in batch]
    hits = iter(found)
    outcome: list[list[list[Detection]]] = []
    for label, texts in groups:
        shift = len(label) + len(_SEPARATOR) if label else 0
        outcome.append(
            [
                in_order(_clipped(those, shift, len(text))) if those else []
                for text, those in zip(texts, hits, strict=False)
            ]
        )
    return outcome


def in_order(hits: list[Detection]) -> list[Detection]:
    """Return hits in order and without overlap: what is read with several others is found with each of them."""
    if len(hits) < 2:
        return hits
    found: list[Detection] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if found and hit.start < found[-1].end:
            if hit.end > found[-1].end:
                found[-1] = replace(found[-1], end=hit.end)
        else:
            found.append(hit)
    return found


def put_together(shape: Shape) -> Any:
    """Return a new value of the same shape with every leaf's outcome in its place."""
    return _build(shape.root)


def refuse(value: object, verb: str) -> InputError:
    """Return the error for a value of a type that cannot be worked on; it names the type alone."""
    name = type(value).__name__
    if isinstance(value, (bytes, bytearray, memoryview)):
        hint = "decode it first, for example with .decode('utf-8')"
    elif isinstance(value, (set, frozenset)):
        hint = "pass a list or tuple instead"
    else:
        hint = "turn it into str, list, tuple or dict first, or leave it out"
    return InputError(f"{verb} cannot work on a value of type {name}: {hint}")


def checked_texts(texts: Sequence[str], verb: str) -> list[str]:
    """Return the texts as a list; ``verb`` is what the caller does with them, for the message of an error."""
    if isinstance(texts, str):
        raise InputError(f"{verb} takes a list of str: put the one text in a list")
    checked = list(texts)
    for text in checked:
        if not isinstance(text, str):
            raise refuse(text, verb)
    return checked


class _Taker:
    """Takes one value apart; what its parts have in common."""

    def __init__(self, leaves: list[Leaf], verb: str, *, keep_others: bool) -> None:
        self._leaves = leaves
        self._verb = verb
        self._keep_others = keep_others

    def node(self, value: object, key: Leaf | None, depth: int, only: Only | None) -> Any:
        """Return the node of a value that stands under ``key``."""
        if isinstance(value, str) or _is_number(value):
            return value if only is not None else _leaf(value, key, self._leaves, self._verb)
        if value is None or isinstance(value, bool):
            return value
        names = _field_names(value) if not isinstance(value, (list, tuple, dict)) else None
        if names is None and not isinstance(value, (list, tuple, dict)):
            if self._keep_others or only is not None:
                return value
            raise refuse(value, self._verb)
        if depth == MAX_DEPTH:
            raise InputError(
                f"{self._verb} cannot work on a value nested more than {MAX_DEPTH} levels deep: flatten it first"
            )
        if isinstance(value, dict):
            return _Branch(
                _make_dict, [self._pair(name, item, depth, only) for name, item in list(value.items())]
            )
        if names is not None:
            # Read under the name of its field, as an item of a dict is under its key; the name itself stays.
            items = [self._field(name, getattr(value, name), depth, only) for name in names]
            return _Branch(lambda new: _copy_with(value, dict(zip(names, new, strict=True))), items)
        sequence = cast("Sequence[object]", value)
        maker: Callable[[Iterator[Any]], Any] = list
        if isinstance(value, tuple):
            maker = getattr(value, "_make", tuple)
        return _Branch(maker, [self.node(item, key, depth + 1, only) for item in list(sequence)])

    def _pair(self, name: object, item: object, depth: int, only: Only | None) -> Any:
        below = _below(only, name)
        if only is not None and not below:
            return name, item
        # Of a path's steps only the values are looked at, not the keys on the way.
        pair = _key(name, self._leaves, self._verb) if only is None else name
        under = _context(name) if only is not None and isinstance(name, str) else pair
        if not isinstance(under, Leaf) or len(under.text) > MAX_CONTEXT:
            under = None
        return pair, self.node(item, under, depth + 1, _rest(below))

    def _field(self, name: str, item: object, depth: int, only: Only | None) -> Any:
        below = _below(only, name)
        if only is not None and not below:
            return item
        return self.node(item, _context(name), depth + 1, _rest(below))


def _context(name: str) -> Leaf:
    """Return a name to read a value with that is itself no text of the value."""
    return Leaf(name, "str", None, name)


def _rest(below: Only | None) -> Only | None:
    """Return what is left of the paths, or ``None`` if one of them ends here and so means all of it."""
    return None if below is None or () in below else below


def _below(only: Only | None, name: object) -> Only | None:
    return None if only is None else [path[1:] for path in only if path and path[0] == name]


def _field_names(value: object) -> list[str] | None:
    """Return the names of the fields of a dataclass or pydantic model, or ``None`` if it is neither."""
    kind = type(value)
    if is_dataclass(value) and not isinstance(value, type):
        declared = [each.name for each in fields(value) if hasattr(value, each.name)]
        # What was set besides, such as a cached property, goes along with the object and so is looked at too.
        return list(dict.fromkeys([*declared, *getattr(value, "__dict__", ())]))
    known = getattr(kind, "model_fields", None)
    if isinstance(known, dict) and hasattr(kind, "model_copy") and not isinstance(value, type):
        return [*known, *(getattr(value, "model_extra", None) or {})]
    return None


def _copy_with(value: Any, items: dict[str, Any]) -> Any:
    """Return a copy of a dataclass or model with other values, without running what its constructor runs."""
    if is_dataclass(value):
        copied = copy.copy(value)
        for name, item in items.items():
            object.__setattr__(copied, name, item)
        return copied
    return value.model_copy(update=items)


def _key(name: object, leaves: list[Leaf], verb: str) -> Any:
    if isinstance(name, str) or _is_number(name):
        return _leaf(name, None, leaves, verb)
    if name is None or isinstance(name, bool):
        return name
    raise InputError(
        f"{verb} cannot work on a dict key of type {type(name).__name__}: "
        "keys have to be str, as in JSON (numbers, booleans and None are accepted too)"
    )


def _leaf(value: Any, key: Leaf | None, leaves: list[Leaf], verb: str) -> Leaf:
    kind: Kind = "str"
    text = value
    # The methods of the base types: a subclass (numpy.float64, IntEnum) may print itself in its own way.
    if isinstance(value, int):
        kind = "int"
        try:
            text = int.__repr__(value)
        except ValueError:
            raise InputError(
                f"{verb} cannot work on an integer with thousands of digits: pass it as str"
            ) from None
    elif isinstance(value, float):
        kind, text = "float", float.__repr__(value)
    leaf = Leaf(text, kind, key, value, outcome=value)
    if key is not None:
        key.has_context = True
    leaves.append(leaf)
    return leaf


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _build(node: Any) -> Any:
    if isinstance(node, Leaf):
        return node.outcome
    if isinstance(node, _Branch):
        return node.make(iter(node.items)) if node.make is _make_dict else node.make(map(_build, node.items))
    return node


def _make_dict(items: Iterator[Any]) -> dict[Any, Any]:
    built: dict[Any, Any] = {}
    for key, node in items:
        name = _build(key)
        # Two spellings of one surrogate in an answer restore to one key: keep the second as it was written.
        if name in built and isinstance(key, Leaf):
            name = key.original
        built[name] = _build(node)
    return built


def _clipped(detections: Sequence[Detection], start: int, length: int) -> list[Detection]:
    """Return the parts of ``detections`` within ``[start, start + length)``, with offsets from ``start``.

    A hit that begins in the key and reaches into the value covers its part of each.
    """
    return [
        Detection(
            hit.entity_type,
            max(hit.start - start, 0),
            min(hit.end - start, length),
            hit.score,
            hit.recognizer,
            hit.evidence,
        )
        for hit in detections
        if hit.start < start + length and hit.end > start
    ]
