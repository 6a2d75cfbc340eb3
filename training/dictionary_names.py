"""Writes ``training/lists/``: given names, foreign names, nouns and nouns that begin like a surname, from mecab-ko-dic.

    pip install python-mecab-ko-dic
    python training/dictionary_names.py

mecab-ko-dic (Apache-2.0, by Yongwoon Lee and Youngho Yoo) marks 296,000 of its proper nouns as people. Which surname stands
before a given name, and so who anybody is, is not kept: only how many surnames a given name was seen with.
"""

from __future__ import annotations

import random
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from swapping import words_of

_LISTS = Path(__file__).parent / "lists"
_HEADER = struct.Struct("<10I32s")
_NODE = np.dtype([("base", "<i4"), ("check", "<u4")])
_TOKEN = np.dtype(
    [
        ("left", "<u2"),
        ("right", "<u2"),
        ("tag", "<u2"),
        ("cost", "<i2"),
        ("feature", "<u4"),
        ("compound", "<u4"),
    ]
)
_SOURCE = "# After mecab-ko-dic (Apache-2.0); written by training/dictionary_names.py."
_FOREIGN = 12_000
_ALIKE, _NOUNS = 1_500, 4_000
"""Of each length: behind them the dictionary's costs no longer tell how frequent a word is."""


def entries(dictionary: bytes) -> Iterator[tuple[str, int, list[str]]]:
    """Yields surface, cost and features of each entry of a compiled MeCab dictionary (``sys.dic``)."""
    *numbers, _ = _HEADER.unpack_from(dictionary)
    nodes_size, tokens_size = numbers[6], numbers[7]
    at = _HEADER.size
    nodes = np.frombuffer(dictionary, _NODE, nodes_size // _NODE.itemsize, at)
    tokens = np.frombuffer(dictionary, _TOKEN, tokens_size // _TOKEN.itemsize, at + nodes_size)
    features = dictionary[at + nodes_size + tokens_size :]
    base, check = nodes["base"].tolist(), nodes["check"].tolist()
    below: defaultdict[int, list[int]] = defaultdict(list)
    for index, parent in enumerate(check):
        if parent:
            below[parent].append(index)
    waiting = [(base[0], b"")]
    while waiting:
        here, surface = waiting.pop()
        if here < len(base) and check[here] == here and base[here] < 0:
            first, count = (-base[here] - 1) >> 8, (-base[here] - 1) & 0xFF
            for token in tokens[first : first + count]:
                start = int(token["feature"])
                fields = features[start : features.index(b"\0", start)].decode().split(",")
                yield surface.decode(), int(token["cost"]), fields
        waiting += [
            (base[child], surface + bytes([child - here - 1]))
            for child in below.get(here, ())
            if 0 <= child - here - 1 < 256
        ]


def main() -> None:
    """Runs the command."""
    import mecab_ko_dic

    surnames = {*words_of("surnames_ko.txt"), *words_of("surnames_rare_ko.txt")}
    hangul = re.compile("[가-힣]+")
    given: Counter[str] = Counter()
    foreign: list[str] = []
    people: set[str] = set()
    nouns: dict[str, int] = {}
    for surface, cost, fields in entries((Path(mecab_ko_dic.dictionary_path) / "sys.dic").read_bytes()):
        if not hangul.fullmatch(surface):
            continue
        if fields[1] == "인명":
            people.add(surface)
            if len(surface) == 3 and surface[0] in surnames:
                given[surface[1:]] += 1
            elif 3 <= len(surface) <= 7 and surface[:2] not in surnames:
                foreign.append(surface)
        elif fields[0] in ("NNG", "NNP") and 2 <= len(surface) <= 4:
            nouns[surface] = min(cost, nouns.get(surface, cost))
    kept = [f"{name} {count}" for name, count in sorted(given.items()) if count > 2]
    foreign = sorted(random.Random(1).sample(sorted(foreign), _FOREIGN))
    words: list[str] = []
    alike: list[str] = []
    for size in (2, 3, 4):
        some = sorted((w for w in nouns if len(w) == size and w not in people), key=lambda w: (nouns[w], w))
        words += some[:_NOUNS]
        alike += [word for word in some if word[0] in surnames][:_ALIKE]
    lists = {
        "given_names": kept,
        "foreign_names": foreign,
        "nouns": sorted(words),
        "nouns_alike": sorted(alike),
    }
    _LISTS.mkdir(exist_ok=True)
    for name, lines in lists.items():
        _LISTS.joinpath(f"{name}.txt").write_text("\n".join([_SOURCE, *lines]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
