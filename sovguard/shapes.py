"""Take a JSON-like value apart into its texts and put it together again in the same shape.

Used on the way in (redaction) and on the way back (restoring). Works on a copy, so the caller's object is
never changed, and nothing here looks at what a text says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

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


def take_apart(value: object, verb: str, *, keep_others: bool = False) -> Shape:
    """Return the shape and the leaves of a list, tuple or dict.

    Args:
        value: The JSON-like value.
        verb: What the caller is doing, for the message of an error.
        keep_others: Leave what is not JSON-like in its place, unread, instead of refusing it.

    Raises:
        InputError: Something in it is not JSON-like, or it is nested too deeply.
    """
    shape = Shape(None)
    shape.root = _node(value, None, 0, shape.leaves, verb, keep_others=keep_others)
    return shape


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
            hits[id(leaf.key)] += _clipped(found[index], 0, len(leaf.key.text))
        hits[id(leaf)] += _clipped(found[index], shift, len(leaf.text))
    return [hits[id(leaf)] for leaf in leaves]


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
        hint = "turn it into str, list, tuple or dict first (dataclasses.asdict, .model_dump(), str())"
    return InputError(f"{verb} cannot work on a value of type {name}: {hint}")


def _node(
    value: object, key: Leaf | None, depth: int, leaves: list[Leaf], verb: str, *, keep_others: bool
) -> Any:
    if isinstance(value, str) or _is_number(value):
        return _leaf(value, key, leaves, verb)
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, (list, tuple, dict)):
        if keep_others:
            return value
        raise refuse(value, verb)
    if depth == MAX_DEPTH:
        raise InputError(
            f"{verb} cannot work on a value nested more than {MAX_DEPTH} levels deep: flatten it first"
        )
    if isinstance(value, dict):
        items: list[Any] = []
        for name, item in list(value.items()):
            pair = _key(name, leaves, verb)
            under = pair if isinstance(pair, Leaf) and len(pair.text) <= MAX_CONTEXT else None
            items.append((pair, _node(item, under, depth + 1, leaves, verb, keep_others=keep_others)))
        return _Branch(_make_dict, items)
    maker: Callable[[Iterator[Any]], Any] = list
    if isinstance(value, tuple):
        maker = getattr(value, "_make", tuple)
    return _Branch(
        maker, [_node(item, key, depth + 1, leaves, verb, keep_others=keep_others) for item in list(value)]
    )


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
