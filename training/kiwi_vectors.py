"""The vectors that Kiwi's own language model has of morphemes, up to a rotation.

Kiwi (kiwipiepy_model, Apache-2.0) tells how similar two morphemes are. From the similarities of all morphemes to some
hundreds of them, the space in which they are cosines is rebuilt (the Nyström method): no file of Kiwi's is read, and what
it learnt from billions of words about which nouns are names, titles or places helps a model that has seen few.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import numpy.typing as npt
from kiwipiepy import Kiwi

from sovguard.detect.name_features import KNOWN_MORPHEMES

_ANCHORS = 340
_DIMENSIONS = 96


def vectors(cache: Path) -> npt.NDArray[np.float32]:
    """Returns an array of ``KNOWN_MORPHEMES`` rows of length about one, from ``cache`` if it is there."""
    if cache.exists():
        with np.load(cache, allow_pickle=False) as stored:
            return np.asarray(stored["vectors"], np.float32)
    kiwi = Kiwi(load_multi_dict=False)
    anchors = random.Random(0).sample(range(KNOWN_MORPHEMES), _ANCHORS)
    alike = np.zeros((KNOWN_MORPHEMES, _ANCHORS), np.float32)
    for column, anchor in enumerate(anchors):
        for other in kiwi.most_similar_morphemes(anchor, KNOWN_MORPHEMES):
            alike[other.id, column] = other.score
        alike[anchor, column] = 1.0
    among = alike[anchors]
    values, directions = np.linalg.eigh(((among + among.T) / 2).astype(np.float64))
    kept = values > 1e-2
    space = alike @ (directions[:, kept] / np.sqrt(values[kept])).astype(np.float32)
    space -= space.mean(0)
    _, axes = np.linalg.eigh(np.cov(space.T))
    turned = space @ axes[:, ::-1][:, :_DIMENSIONS].astype(np.float32)
    turned /= np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-6)
    np.savez(cache, vectors=turned.astype(np.float32))
    return turned.astype(np.float32)
