"""The name model's network: features of characters in, the scores of five tags for each character out.

Tables for characters, pairs, triples and morphemes, then dilated convolutions with residuals, in NumPy. Weights come from the
pack (or a file of the user's) as a plain array archive, are checked by hash before they are read, and hold no code.
Whatever texts run beside each other, a text's scores are its own: gaps between texts are zero after every layer.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sovguard.detect.name_features import Ids
from sovguard.errors import ConfigError

Floats = npt.NDArray[np.float32]

TAGS = 5
"""Outside, begin, inside, end, single."""

_IN_GAP = np.array([0, *[-1e4] * (TAGS - 1)], np.float32)
_BLOCK = 64
"""Rows that are multiplied at once."""
_ALONE = 1 << 18
"""Multiplications up to which OpenBLAS uses one thread (65,536 times its GEMM_MULTITHREAD_THRESHOLD of 4)."""
_ROWS = 2048
"""Characters worked on at once: few enough that a layer stays in the processor's cache."""


@dataclass(frozen=True, slots=True, repr=False)
class Features:
    """What the network reads, one entry for each character of a run of texts.

    Attributes:
        characters: Ids of characters; 0 in gaps.
        pairs: Hashes of two characters.
        triples: Hashes of three.
        words: Titles, labels and look-alikes they belong to.
        mask: Shape (characters, 1): 1 on characters, 0 in gaps.
        morphemes: Morpheme, tag and place; ``None`` where the network reads characters alone.
    """

    characters: Ids
    pairs: Ids
    triples: Ids
    words: Ids
    mask: Floats
    morphemes: tuple[Ids, Ids, Ids] | None = None


class NameNetwork:
    """A trained network; holds weights only, so threads may share it.

    Attributes:
        gap: Zeros that must lie between two texts of one run.
        reads_morphemes: Whether it asks for ``Features.morphemes``.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], dilations: tuple[int, ...]) -> None:
        tables = {name: _table(arrays, name) for name in ("characters", "pairs", "triples", "words")}
        self.reads_morphemes = "morphemes" in arrays
        if self.reads_morphemes:
            tables.update({name: _table(arrays, name) for name in ("morphemes", "tags", "places")})
        self._tables = list(tables.values())
        self._widths = [table.shape[1] for table in self._tables]
        self._enter = _plain(arrays, "enter")
        self._leave = _plain(arrays, "leave")
        self._layers = [(step, *_plain(arrays, f"layer{index}")) for index, step in enumerate(dilations)]
        self._reach = sum(dilations)
        self.gap = max(dilations)

    def scores(self, features: Features) -> Floats:
        """Returns the logits of the tags, shape (characters, 5)."""
        length = len(features.characters)
        found = np.empty((length, TAGS), np.float32)
        for start in range(0, length, _ROWS):
            end = min(length, start + _ROWS)
            # Beyond a window's edges as much is read as its scores can depend on, so that windows leave no seams.
            low, high = max(0, start - self._reach), min(length, end + self._reach)
            found[start:end] = self._window(features, low, high)[start - low : end - low]
        found[features.mask[:, 0] == 0] = _IN_GAP  # so that no name reaches out of its text
        return found

    def _window(self, features: Features, low: int, high: int) -> Floats:
        length = high - low
        size = -(-length // _BLOCK) * _BLOCK
        ids = [
            features.characters,
            features.pairs,
            features.triples,
            features.words,
            *(features.morphemes or ()),
        ]
        seen = np.zeros((size, sum(self._widths)), np.float32)
        at = 0
        for table, width, which in zip(self._tables, self._widths, ids, strict=True):
            seen[:length, at : at + width] = table.take(which[low:high], axis=0, mode="clip")
            at += width
        gaps = np.flatnonzero(features.mask[low:high, 0] == 0)
        weight, bias = self._enter
        widest = self.gap
        # Zeros at both ends take the place of what lies outside.
        room = np.zeros((size + 2 * widest, weight.shape[1]), np.float32)
        hidden = room[widest : widest + size]
        _product(seen, weight, hidden)
        hidden += bias
        np.maximum(hidden, 0.0, out=hidden)
        hidden[gaps] = 0.0
        hidden[length:] = 0.0
        more, part = np.empty_like(hidden), np.empty_like(hidden)
        for step, kernel, shift in self._layers:
            _product(room[widest - step : widest - step + size], kernel[0], more)
            _product(hidden, kernel[1], part)
            more += part
            _product(room[widest + step : widest + step + size], kernel[2], part)
            more += part
            more += shift
            np.maximum(more, 0.0, out=more)
            hidden += more
            hidden[gaps] = 0.0
            hidden[length:] = 0.0
        weight, bias = self._leave
        logits: Floats = hidden[:length] @ weight + bias
        return logits


def _product(rows: Floats, weight: Floats, out: Floats) -> None:
    """Multiplies block by block: products this small are done by the caller's own thread.

    OpenBLAS hands larger ones to threads on every core, where they wait for each other and for Kiwi's.
    """
    depth, width = weight.shape
    size = _BLOCK
    while size > 1 and size * depth * width > _ALONE:
        size //= 2
    np.matmul(rows.reshape(-1, size, depth), weight, out=out.reshape(-1, size, width))


def _table(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> Floats:
    """Returns a table stored as one octet a value with one scale a row."""
    scale = arrays[f"{name}.scale"].astype(np.float32)
    return arrays[name].astype(np.float32) * scale[:, None]


def _plain(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> tuple[Floats, Floats]:
    weight, bias = arrays[f"{name}.weight"], arrays[f"{name}.bias"]
    return np.ascontiguousarray(weight, np.float32), np.ascontiguousarray(bias, np.float32)


def packed(arrays: Mapping[str, Floats], about: Mapping[str, Any]) -> bytes:
    """Returns weights as the octets of a file: tables in 8 bits, the rest in 16, ``about`` as JSON.

    The outcome is the same for the same weights: no times, no order of chance.
    """
    stored: dict[str, npt.NDArray[Any]] = {}
    for name, value in arrays.items():
        if name.endswith(("weight", "bias")):
            stored[name] = value.astype(np.float16)
            continue
        scale = np.maximum(np.abs(value).max(1), 1e-6) / 127
        stored[name] = np.clip(np.rint(value / scale[:, None]), -127, 127).astype(np.int8)
        stored[f"{name}.scale"] = scale.astype(np.float32)
    stored["about"] = np.frombuffer(json.dumps(about, ensure_ascii=False, sort_keys=True).encode(), np.uint8)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(stored):
            octets = io.BytesIO()
            np.lib.format.write_array(octets, stored[name], allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), octets.getvalue(), zipfile.ZIP_DEFLATED
            )
    return whole.getvalue()


def unpacked(octets: bytes, sha256: str) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Returns the arrays of a weights file and what it says about itself.

    Args:
        octets: The file.
        sha256: The hash it must have, in hexadecimal; checked before anything of the file is read.

    Raises:
        ConfigError: If the hash is another, or the file is no archive of arrays.
    """
    if hashlib.sha256(octets).hexdigest() != sha256:
        raise ConfigError(
            "the name model is not the file it should be (its SHA-256 differs); install it again"
        )
    try:
        with np.load(io.BytesIO(octets), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        about = json.loads(arrays.pop("about").tobytes())
    except (KeyError, OSError, ValueError, zipfile.BadZipFile):
        raise ConfigError("the name model cannot be read; train it again with this version") from None
    return arrays, about
