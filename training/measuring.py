"""Measures a network in training on documents that it has not seen, with the decoding that the product uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from documents import Document

from sovguard.detect.morphology import morpheme_arrays
from sovguard.detect.name_decoding import decoded, inside_odds
from sovguard.detect.name_features import characters, morpheme_features, neighbours, words_around


@dataclass(slots=True)
class Result:
    """Strict F1, leaked names, false names per 10,000 characters and surnamed names of three syllables missed."""

    gold: int = 0
    found: int = 0
    right: int = 0
    leaked: int = 0
    false: int = 0
    characters: int = 0
    three: int = 0
    three_missed: int = 0

    def __str__(self) -> str:
        precision, recall = self.right / max(self.found, 1), self.right / max(self.gold, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        return (
            f"F1 {f1:.3f}, leak {self.leaked / max(self.gold, 1):.3f}, false {self.false / self.characters * 1e4:.1f}/10k,"
            f" three syllables missed {self.three_missed / max(self.three, 1):.3f} ({self.gold} names)"
        )


def compare(result: Result, document: Document, found: set[tuple[int, int]]) -> None:
    """Adds to ``result`` what was found in a document."""
    gold = set(document.spans)
    covered = {at for start, end in found for at in range(start, end)}
    named = {at for start, end in gold for at in range(start, end)}
    result.gold += len(gold)
    result.found += len(found)
    result.right += len(gold & found)
    result.leaked += sum(not covered.issuperset(range(a, b)) for a, b in gold)
    result.false += sum(named.isdisjoint(range(a, b)) for a, b in found)
    result.characters += len(document.text)
    three = [(a, b) for a, b in gold if b - a == 3 and all("가" <= c <= "힣" for c in document.text[a:b])]
    result.three += len(three)
    result.three_missed += sum(covered.isdisjoint(range(a, b)) for a, b in three)


@torch.no_grad()
def measured(network: torch.nn.Module, documents: Sequence[Document], lean: float) -> Result:
    """Returns how ``network`` does on ``documents``."""
    network.eval()
    result = Result()
    kept = [document for document in documents if document.text]
    for document in kept:
        ids = characters(document.text)
        seen = morpheme_features(len(ids), morpheme_arrays([document.text], [0]))
        features = np.stack([ids, *neighbours(ids), words_around(document.text), *seen]).astype(np.int64)
        logits = network(torch.from_numpy(features[None]), torch.ones(1, len(ids)))[0].numpy()
        names = decoded(logits, inside_odds(logits), lean)
        compare(result, document, {(name.start, name.end) for name in names})
    return result
