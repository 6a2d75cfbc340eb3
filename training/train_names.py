"""Trains the name model: annotated documents in, two weights files and ``name_model.toml`` with their hashes out.

    python training/train_names.py --documents training/corpora/*.jsonl --news klue_ner_train_person.jsonl --out recognizers

``--documents`` are of the kind that people send to a model; ``--news`` may be left out, and may be many more, of another
kind. To adapt the model to documents of your own, add them to ``--documents`` (``--repeat`` says how often each document
is shown in a round, every time with other names). Everything drawn is drawn from ``--seed``; sums that a processor makes
in another order may still move the weights a little. Needs the extra ``train``.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parent))

from documents import Document, cut_out, examples_of_the_pack, read, split
from kiwi_vectors import vectors
from measuring import measured
from network import Network, Size
from swapping import Swapper, lines_of, roughened

from sovguard.detect.morphology import morpheme_arrays
from sovguard.detect.name_features import characters, morpheme_features, neighbours, words_around
from sovguard.detect.name_network import packed

_LONGEST = 600
_BATCH = 6000
_REWORDED = 0.2
"""Share of the nouns of a text that are replaced in its altered copies."""
_FRAMED = 3000
"""Short texts made of frames in a round."""


class Example:
    """A document as the network reads it: features of shape (7, characters) and the tag of each character."""

    __slots__ = ("features", "tags")

    def __init__(self, document: Document, morphemes: tuple[np.ndarray, ...]) -> None:
        ids = characters(document.text)
        self.features = np.stack([ids, *neighbours(ids), words_around(document.text), *morphemes])
        self.tags = np.zeros(len(ids), np.int64)
        for start, end in document.spans:
            if end - start == 1:
                self.tags[start] = 4
            else:
                self.tags[start], self.tags[start + 1 : end - 1], self.tags[end - 1] = 1, 2, 3


def examples(documents: Sequence[Document]) -> list[Example]:
    """Analyses documents; empty ones are left out."""
    kept = [document for document in documents if document.text]
    starts = [0, *accumulate(len(document.text) for document in kept)]
    read = morpheme_arrays([document.text for document in kept], starts[:-1])
    seen = morpheme_features(starts[-1], read)
    return [
        Example(document, tuple(each[start:end] for each in seen))
        for document, (start, end) in zip(kept, pairwise(starts), strict=True)
    ]


def batches(data: Sequence[Example], rng: random.Random) -> Iterator[tuple[torch.Tensor, ...]]:
    """Yields features, tags and mask of examples of about one length, in an order of chance."""
    parts = [
        (example, at, min(example.features.shape[1], at + _LONGEST))
        for example in data
        for at in range(0, example.features.shape[1], _LONGEST)
    ]
    parts.sort(key=lambda part: (part[2] - part[1]) * (1 + 0.3 * rng.random()))
    groups: list[list[tuple[Example, int, int]]] = [[]]
    for part in parts:
        longest = max(part[2] - part[1], *(end - at for _, at, end in groups[-1]), 0)
        if groups[-1] and longest * (len(groups[-1]) + 1) > _BATCH:
            groups.append([])
        groups[-1].append(part)
    rng.shuffle(groups)
    for group in groups:
        longest = max(end - at for _, at, end in group)
        features = np.zeros((len(group), 7, longest), np.int64)
        tags = np.full((len(group), longest), -100, np.int64)
        mask = np.zeros((len(group), longest), np.float32)
        for row, (example, at, end) in enumerate(group):
            features[row, :, : end - at] = example.features[:, at:end]
            tags[row, : end - at] = example.tags[at:end]
            mask[row, : end - at] = 1.0
        yield torch.from_numpy(features), torch.from_numpy(tags), torch.from_numpy(mask)


def round_of(
    news: Sequence[Document],
    plain_news: Sequence[Example],
    documents: Sequence[Document],
    swapper: Swapper,
    repeat: int,
    rng: random.Random,
) -> list[Example]:
    """Returns what is shown in one round besides the documents as they are: altered ones and the news.

    Of the news each is shown once, as it is or under other names: names that come in every round are learnt by heart.
    """
    chosen = [bool(d.spans) and rng.random() < 0.5 for d in news]
    shown = [example for example, swap in zip(plain_news, chosen, strict=True) if not swap]
    other = [d for d, swap in zip(news, chosen, strict=True) if swap]
    shown += examples([swapper.swapped(swapper.reworded(d, rng, _REWORDED), rng, 0.8) for d in other])
    frames = lines_of(Path(__file__).parent / "frames.txt")
    altered = [swapper.framed(frames, rng) for _ in range(_FRAMED)]
    for _ in range(repeat):
        altered += [
            roughened(swapper.swapped(swapper.reworded(d, rng, _REWORDED), rng, 0.9), rng) for d in documents
        ]
    return shown + examples(altered)


def trained(
    size: Size,
    news: Sequence[Document],
    documents: Sequence[Document],
    apart: dict[str, list[Document]],
    options: argparse.Namespace,
) -> Network:
    """Returns a network trained for ``options.rounds`` rounds, with its weights averaged over the last steps."""
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    known = vectors(options.vectors)
    network = Network(size, known, options.dropout)
    average = copy.deepcopy(network)
    weights = [p for p in network.parameters() if p.requires_grad]
    averages = [p for p in average.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=options.rate, weight_decay=options.decay)
    swapper = Swapper([*news, *documents])
    plain, plain_news = examples(documents), examples(news)
    step, total, begun = 0, 0, time.time()
    for number in range(options.rounds):
        data = plain + round_of(news, plain_news, documents, swapper, options.repeat, rng)
        groups = list(batches(data, rng))
        total = total or len(groups) * options.rounds
        network.train()
        loss_sum = 0.0
        for features, tags, mask in groups:
            for group in optimizer.param_groups:
                group["lr"] = options.rate * min(1.0, step / 200) * max(0.01, 1 - step / total)
            logits = network(features, mask)
            loss = functional.cross_entropy(logits.flatten(0, 1), tags.flatten(), ignore_index=-100)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            step += 1
            loss_sum += loss.item()
            with torch.no_grad():
                keep = min(0.998, 1 - 1 / (step + 1))
                torch._foreach_mul_(averages, keep)
                torch._foreach_add_(averages, weights, alpha=1 - keep)
        print(
            f"round {number + 1}: loss {loss_sum / len(groups):.4f}, {time.time() - begun:.0f} s", flush=True
        )
        if apart and (number % options.look == options.look - 1 or number == options.rounds - 1):
            for name, held in apart.items():
                for lean in (0.0, 1.0, 2.0):
                    print(f"  {name:8} lean {lean}: {measured(average, held, lean)}", flush=True)
    return average.eval()


QUICK = Size(hidden=32, characters=16, pairs=12, triples=12, words=8, morphemes=0, dilations=(1, 2, 4))
FULL = Size(hidden=64)


NEWS = (
    "KLUE-NER training split (KLUE, CC BY-SA 4.0; after konne by Cheong, Song and You): news and film reviews, their names"
    " rebuilt from published counts"
)


def about(size: Size, options: argparse.Namespace, documents: int, news: int) -> dict[str, object]:
    """Returns what a weights file says about itself: shape, origin and licence."""
    origin = [f"{documents} annotated documents of invented people (sovguard, Apache-2.0)"]
    return {
        "dilations": size.dilations,
        "seed": options.seed,
        "trained_on": [*origin, f"{news} sentences: {NEWS}"] if news else origin,
        "vectors": "after kiwipiepy_model (Apache-2.0)",
        "licence": "CC-BY-SA-4.0" if news else "Apache-2.0",
    }


def described(files: dict[str, bytes], options: argparse.Namespace) -> str:
    """Returns ``name_model.toml`` for the weights of the quick and the full network."""
    lines = [
        "# The name model: weights, their hashes and the operating points. Written by training/train_names.py; what it was",
        "# trained on, under which licence, and what it misses is in docs/names.md.",
        'kind = "name_model"',
    ]
    settings = {
        "quick": {"lean": options.lean_quick},
        "full": {
            "lean": options.lean_full,
            "quick_share": options.quick_share,
            "open": options.open,
            "sure": options.sure,
        },
    }
    for part, octets in files.items():
        lines += [
            "",
            f"[{part}]",
            f'file = "name_{part}.npz"',
            f'sha256 = "{hashlib.sha256(octets).hexdigest()}"',
        ]
        lines += [f"{key} = {value}" for key, value in settings[part].items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=Path, nargs="+", required=True)
    parser.add_argument("--news", type=Path, nargs="*", default=[])
    parser.add_argument(
        "--apart", type=int, default=0, help="keep one document in so many apart and measure on them"
    )
    parser.add_argument(
        "--test", type=Path, nargs="*", default=[], help="files to measure on, never trained on"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights and name_model.toml")
    parser.add_argument(
        "--vectors", type=Path, default=Path("kiwi_vectors.npz"), help="cache of Kiwi's vectors"
    )
    parser.add_argument(
        "--only", choices=("quick", "full"), help="train one of the two, leave the other as it is"
    )
    parser.add_argument(
        "--size", type=json.loads, default={}, help='changes to the size, as JSON: {"hidden": 96}'
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--repeat", type=int, default=3, help="altered copies of each document in a round")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--decay", type=float, default=0.02)
    parser.add_argument("--dropout", type=float, default=0.35)
    parser.add_argument("--lean-full", type=float, default=1.25, help="log-odds given to names for free")
    parser.add_argument(
        "--lean-quick", type=float, default=1.5, help="the same, where the quick network decides"
    )
    parser.add_argument(
        "--quick-share", type=float, default=0.35, help="what the quick network counts beside the full"
    )
    parser.add_argument("--open", type=float, default=-4.0, help="log-odds above which morphemes are read")
    parser.add_argument("--sure", type=float, default=3.0, help="log-odds above which they are not")
    parser.add_argument("--look", type=int, default=3, help="measure after so many rounds")
    options = parser.parse_args()
    documents, documents_apart = split(read(options.documents), options.apart)
    documents += examples_of_the_pack()
    news, news_apart = split((d for d in read(options.news) if d.text and not cut_out(d)), options.apart)
    held = {
        "news": news_apart,
        "apart": documents_apart,
        **{path.stem: read([path]) for path in options.test},
    }
    held = {name: some for name, some in held.items() if some}
    print(f"{len(documents)} documents and {len(news)} of news", flush=True)
    files: dict[str, bytes] = {}
    for part, size in (("quick", QUICK), ("full", FULL)):
        target = options.out / f"name_{part}.npz"
        if options.only in (None, part):
            size = replace(
                size, **{key: tuple(v) if isinstance(v, list) else v for key, v in options.size.items()}
            )
            network = trained(size, news, documents, held, options)
            said = about(size, options, len(documents), len(news))
            target.write_bytes(packed(network.arrays(), said))
        files[part] = target.read_bytes()
    (options.out / "name_model.toml").write_text(described(files, options), "utf-8")


if __name__ == "__main__":
    main()
