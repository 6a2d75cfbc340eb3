"""What the name model reads: every character of a text as numbers, alone, with its neighbours and in its morpheme.

First step of the model's own little flow: features → ``name_network`` → ``name_decoding``. Training and recognition both
call this module, so what the model has learnt from is what it is asked about. Everything is a whole-array operation;
nothing here looks at single characters in Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from sovguard.detect.literals import Literals
from sovguard.detect.morphology import MorphemeArrays
from sovguard.detect.name_lexicon import load

Ids = npt.NDArray[np.int32]

BIGRAMS = 1 << 15
TRIGRAMS = 1 << 16
KNOWN_MORPHEMES = 70_488
"""Morphemes that Kiwi's language model has a vector for; ids from there on are dictionary entries without one."""

POSITIONS = 17
WORDS = 27
"""Values that ``words_around`` may give a character."""
_SYLLABLES = 11_172
_MARKS = "○◯●〇□■△▲▽▼◇◆★☆※•·…→←↔“”‘’「」『』《》〈〉【】〔〕×✕✓№㈜℃㎡₩€£¥§¶°±∼～❤♥♡♪、。！？：；（），．－／＝＠＃＆＊＋＿"


def _table() -> npt.NDArray[np.uint16]:
    """Gives each code point of the basic plane the id of its character."""
    table = np.zeros(0x10000, np.uint16)
    points = np.arange(0x10000)
    table[:] = 448 + points % 63
    table[:128] = points[:128] + 1
    table[0] = 0  # what stands between texts
    table[ord("0") : ord("9") + 1] = ord("0") + 1  # which digit it is says nothing about names
    for index, mark in enumerate(_MARKS):
        table[ord(mark)] = 129 + index
    table[0x00C0:0x0250] = 260 + points[0x00C0:0x0250] % 32
    table[0x1E00:0x1F00] = 260 + points[0x1E00:0x1F00] % 32
    table[0x3040:0x3100] = 292
    table[0x3131:0x318F] = 293 + points[: 0x318F - 0x3131]
    table[0x4E00:0xA000] = 390 + points[0x4E00:0xA000] % 56
    table[0xAC00 : 0xAC00 + _SYLLABLES] = 512 + points[:_SYLLABLES]
    return table


CHARACTERS = 512 + _SYLLABLES
_TABLE = _table()


def characters(text: str) -> Ids:
    """Returns the id of each character of ``text``; one for all digits, a shared one for what is rare."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return _TABLE[np.minimum(points, 0xFFFF)].astype(np.int32)


def neighbours(ids: Ids) -> tuple[Ids, Ids]:
    """Returns for each place the hash of the two and of the three characters that begin there."""
    padded = np.zeros(len(ids) + 2, np.uint32)
    padded[:-2] = ids
    first, second, third = padded[:-2], padded[1:-1], padded[2:]
    pairs = first * np.uint32(0x9E3779B1) + second * np.uint32(0x85EBCA6B)
    triples = pairs * np.uint32(0x27D4EB2F) + third * np.uint32(0xC2B2AE3D)
    pairs ^= pairs >> np.uint32(15)
    triples ^= triples >> np.uint32(15)
    return (
        (pairs & np.uint32(BIGRAMS - 1)).astype(np.int32),
        (triples & np.uint32(TRIGRAMS - 1)).astype(np.int32),
    )


def morpheme_features(length: int, read: MorphemeArrays) -> tuple[Ids, Ids, Ids]:
    """Returns for each character its morpheme, its morpheme's tag and its place in the morpheme.

    The morpheme is 0 where there is none, then 1 + its id, then (for one without a vector) one id for each tag. Where
    morphemes overlap, the one that starts later has the character.

    Args:
        length: Characters of the text.
        read: The text's morphemes.
    """
    which = np.zeros(length, np.int32)
    tags = np.zeros(length, np.int32)
    places = np.zeros(length, np.int32)
    if not len(read.starts):
        return which, tags, places
    sizes = read.ends - read.starts
    own = np.where(
        read.unknown | (read.ids >= KNOWN_MORPHEMES) | (read.ids < 0),
        1 + KNOWN_MORPHEMES + read.tags,
        1 + read.ids,
    )
    count = int(sizes.sum())
    index = np.repeat(np.arange(len(sizes)), sizes)
    inside = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    at = read.starts[index] + inside
    new = read.unknown[index]
    which[at] = own[index]
    tags[at] = read.tags[index]
    first = np.minimum(sizes[index], 4) + 4 * new
    later = 8 + np.minimum(inside, 4) + 4 * new
    places[at] = np.where(inside == 0, first, later)
    return which, tags, places


def words_around(text: str) -> Ids:
    """Returns for each character whether it begins or continues a title, a label or a word that only looks like a name.

    Three digits to base 3, one for each list: 0 outside, 1 at the beginning, 2 within.
    """
    found = np.zeros(len(text), np.int32)
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text
    for weight, words in zip((1, 3, 9), _lists(), strict=True):
        matches = words.matches(lowered)
        if not matches:
            continue
        place = np.array(matches, np.int32)
        change = np.zeros(len(text) + 1, np.int32)
        change[place[:, 1]] += 2  # matches of one list never overlap
        change[place[:, 2]] -= 2
        which = np.cumsum(change[:-1], dtype=np.int32)
        which[place[:, 1]] = 1
        found += weight * which
    return found


@cache
def _lists() -> tuple[Literals, Literals, Literals]:
    lexicon = load()
    titles, labels, lookalikes = (
        sorted(word for word in words if len(word) > 1)
        for words in (lexicon.titles, lexicon.labels, lexicon.lookalikes)
    )
    return Literals(titles, often=True), Literals(labels, often=True), Literals(lookalikes, often=True)


def joined(texts: Sequence[str], gap: int) -> tuple[str, npt.NDArray[np.float32], list[int]]:
    """Returns several texts as one, with ``gap`` NUL characters around each.

    Returns:
        The text; a column that is 1 on characters and 0 in gaps; where each text begins.
    """
    between = "\0" * gap
    whole = between + "".join([text + between for text in texts])
    starts = [*accumulate((len(text) + gap for text in texts), initial=gap)][: len(texts)]
    mask = np.ones((len(whole), 1), np.float32)
    gaps = np.array([0, *(start + len(text) for start, text in zip(starts, texts, strict=True))])
    mask[(gaps[:, None] + np.arange(gap)).ravel()] = 0.0
    return whole, mask, starts
