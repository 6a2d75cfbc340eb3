"""Arrow arrays taken apart into their texts, and put together again with others in their place.

Every array comes out with its type, its length and its nulls. It is made anew: nothing of an old text stays behind a null, in
front of a slice or in a dictionary that nobody uses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sovguard.errors import ConfigError

Rows = Any
"""For each element of an array the row of the batch that it is in: a numpy array, or ``None`` for a column of the batch."""


@dataclass(slots=True, repr=False, eq=False)
class Texts:
    """An array of texts.

    Attributes:
        name: The names that lead to it, with dots between.
        unique: Its different texts.
        places: For each element, which of ``unique`` it is; null for null.
        rows: See ``Rows``.
        new: What comes in the place of each of ``unique``; ``None`` for null.
        broken: Which of ``unique`` are no text, in whose place an empty one stands.
    """

    name: str
    unique: list[str]
    places: Any
    rows: Rows
    new: list[str | None] = field(default_factory=list)
    broken: frozenset[int] = frozenset()

    def __repr__(self) -> str:
        return f"Texts({len(self.unique)} different, {len(self.places)} in all)"

    def built(self, type_: Any) -> Any:
        """Return the array with the new texts."""
        return pa.array(self.new, pa.large_string()).take(self.places).cast(type_)

    def where(self, chosen: Any) -> list[tuple[int, int]]:
        """Return row and place of each element whose place is in a set of them, in order."""
        places = np.asarray(self.places.fill_null(-1))
        wanted = np.zeros(len(self.unique) + 1, dtype=bool)
        wanted[list(chosen)] = True
        (elements,) = np.nonzero(wanted[places])
        rows = elements if self.rows is None else self.rows[elements]
        return list(zip(rows.tolist(), places[elements].tolist(), strict=True))


Build = Callable[[], Any]


def has_text(type_: Any) -> bool:
    """Tell whether an array of a type holds texts, at whatever depth."""
    if _is_text(type_):
        return True
    if pa.types.is_dictionary(type_) or _is_list(type_):
        return has_text(type_.value_type)
    if pa.types.is_map(type_):
        return has_text(type_.key_type) or has_text(type_.item_type)
    if pa.types.is_struct(type_) or pa.types.is_union(type_):
        return any(has_text(type_.field(index).type) for index in range(type_.num_fields))
    if isinstance(type_, pa.BaseExtensionType):
        return has_text(type_.storage_type)
    return pa.types.is_run_end_encoded(type_) and has_text(type_.value_type)


def take_apart(array: Any, name: str, texts: list[Texts], rows: Rows = None) -> Build:
    """Add the texts of an array to ``texts``, and return what builds it again once their ``new`` is filled in.

    Args:
        array: The array.
        name: The names that lead to it.
        texts: Takes up what is found in it.
        rows: See ``Rows``.
    """
    type_ = array.type
    if not has_text(type_):
        return lambda: array
    if _is_text(type_):
        return _texts(array, name, texts, rows)
    if isinstance(type_, pa.BaseExtensionType):
        storage = take_apart(array.storage, name, texts, rows)
        return lambda: type_.wrap_array(storage())
    if pa.types.is_union(type_):
        raise ConfigError(
            f"the column {name!r} is a union, which is not looked into; cast it, or leave it out of columns"
        )
    if pa.types.is_dictionary(type_):
        return _dictionary(array, name, texts, rows)
    if pa.types.is_run_end_encoded(type_):
        runs = take_apart(pc.run_end_decode(array), name, texts, rows)
        return lambda: pc.run_end_encode(runs(), type_.run_end_type)
    # Without an offset and without what stands behind nulls, so that its children are all its own.
    array = array.take(pa.array(np.arange(len(array))))
    rows = np.arange(len(array)) if rows is None else rows
    if pa.types.is_struct(type_):
        return _struct(array, name, texts, rows)
    if pa.types.is_map(type_):
        return _map(array, name, texts, rows)
    return _list(array, name, texts, rows)


def _is_text(type_: Any) -> bool:
    return bool(
        pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_)
    )


def _is_list(type_: Any) -> bool:
    return bool(
        pa.types.is_list(type_)
        or pa.types.is_large_list(type_)
        or pa.types.is_fixed_size_list(type_)
        or pa.types.is_list_view(type_)
        or pa.types.is_large_list_view(type_)
    )


def _texts(array: Any, name: str, texts: list[Texts], rows: Rows) -> Build:
    encoded = array.cast(pa.large_binary()).dictionary_encode()
    found = _found(encoded.dictionary, encoded.indices, name, rows)
    texts.append(found)
    return lambda: found.built(array.type)


def _found(words: Any, places: Any, name: str, rows: Rows) -> Texts:
    said: list[str] = []
    broken = []
    for place, octets in enumerate(words.to_pylist()):
        try:
            said.append(octets.decode())
        except UnicodeDecodeError:  # engines other than Arrow do not look
            said.append("")
            broken.append(place)
    return Texts(name, said, places, rows, broken=frozenset(broken))


def _dictionary(array: Any, name: str, texts: list[Texts], rows: Rows) -> Build:
    type_ = array.type
    if not _is_text(type_.value_type):
        raise ConfigError(
            f"the column {name!r} is a dictionary of more than texts; decode it, or leave it out of columns"
        )
    if not type_.ordered:
        plain = take_apart(array.cast(type_.value_type), name, texts, rows)
        return lambda: pc.dictionary_encode(plain()).cast(type_)
    # Its words keep their order; those that nobody uses are left out.
    used = np.unique(np.asarray(array.indices.drop_null()))
    places = pa.array(
        np.searchsorted(used, np.asarray(array.indices.fill_null(0))), mask=np.asarray(array.is_null())
    )
    words = array.dictionary.take(pa.array(used)).cast(pa.large_binary())
    found = _found(words, places, name, rows)
    texts.append(found)

    def build() -> Any:
        new = pa.array(found.new, pa.large_string()).cast(type_.value_type)
        bad = np.asarray([each is None for each in found.new], dtype=bool)
        missing = np.asarray(array.is_null()) | (bad[np.asarray(places.fill_null(0))] if len(bad) else False)
        indices = pa.array(np.asarray(places.fill_null(0)), type_.index_type, mask=missing)
        return pa.DictionaryArray.from_arrays(indices, new.fill_null(""), ordered=True)

    return build


def _struct(array: Any, name: str, texts: list[Texts], rows: Rows) -> Build:
    fields = [array.type.field(index) for index in range(array.type.num_fields)]
    inner = [
        take_apart(child, f"{name}.{field.name}", texts, rows)
        for child, field in zip(array.flatten(), fields, strict=True)
    ]
    missing = array.is_null()
    return lambda: pa.StructArray.from_arrays([build() for build in inner], fields=fields, mask=missing)


def _list(array: Any, name: str, texts: list[Texts], rows: Rows) -> Build:
    type_, missing = array.type, array.is_null()
    if pa.types.is_fixed_size_list(type_):
        inner = take_apart(array.values, name, texts, np.repeat(rows, type_.list_size))
        return lambda: pa.FixedSizeListArray.from_arrays(inner(), type=type_, mask=missing)
    lengths = np.asarray(pc.list_value_length(array).fill_null(0))
    wide = pa.types.is_large_list(type_) or pa.types.is_large_list_view(type_)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype("int64" if wide else "int32")
    inner = take_apart(array.flatten(), name, texts, np.repeat(rows, lengths))
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        lists = pa.LargeListArray if wide else pa.ListArray
        return lambda: lists.from_arrays(pa.array(offsets), inner(), type=type_, mask=missing)
    views = pa.LargeListViewArray if wide else pa.ListViewArray
    begins, sizes = pa.array(offsets[:-1]), pa.array(np.diff(offsets))
    return lambda: views.from_arrays(begins, sizes, inner(), type=type_, mask=missing)


def _map(array: Any, name: str, texts: list[Texts], rows: Rows) -> Build:
    offsets, missing = array.offsets, array.is_null()
    within = np.repeat(rows, np.diff(np.asarray(offsets)))
    keys = take_apart(array.keys, f"{name}.key", texts, within)
    items = take_apart(array.items, f"{name}.value", texts, within)

    def build() -> Any:
        new_keys, new_items, at, none = keys(), items(), np.asarray(offsets), np.asarray(missing)
        if new_keys.null_count:  # a map without one of its keys is none
            of = np.repeat(np.arange(len(array)), np.diff(at))
            none = none | np.isin(np.arange(len(array)), of[np.asarray(new_keys.is_null())])
            kept = pa.array(~none[of])
            new_keys, new_items = new_keys.filter(kept), new_items.filter(kept)
            at = np.concatenate([[0], np.cumsum(np.where(none, 0, np.diff(at)))]).astype(at.dtype)
        made = pa.MapArray.from_arrays(pa.array(at), new_keys, new_items, type=array.type)
        return pc.if_else(pa.array(none), pa.scalar(None, array.type), made) if none.any() else made

    return build
