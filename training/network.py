"""The name model as it is trained: the network of ``sovguard.detect.name_network`` in PyTorch, with dropout.

Characters, pairs and triples of them, and Kiwi's morphemes are looked up in tables; a few dilated convolutions with
residuals see about 30 characters to each side; each character gets one of five tags: outside, begin, inside, end, single.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from sovguard.detect.morphology import TAGS
from sovguard.detect.name_features import BIGRAMS, CHARACTERS, KNOWN_MORPHEMES, POSITIONS, TRIGRAMS, WORDS

MORPHEMES = 1 + KNOWN_MORPHEMES + len(TAGS) + 1


@dataclass(frozen=True)
class Size:
    """How large a network is; ``morphemes`` of 0 makes one that reads characters alone."""

    hidden: int = 96
    characters: int = 32
    pairs: int = 24
    triples: int = 24
    morphemes: int = 48
    words: int = 12
    places: int = 8
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1)


class Network(nn.Module):
    """Scores five tags for every character."""

    def __init__(self, size: Size, vectors: npt.NDArray[np.float32], dropout: float) -> None:
        super().__init__()
        self.size = size
        self.characters = nn.Embedding(CHARACTERS, size.characters)
        self.pairs = nn.Embedding(BIGRAMS, size.pairs)
        self.triples = nn.Embedding(TRIGRAMS, size.triples)
        for table in (self.characters, self.pairs, self.triples):
            nn.init.normal_(table.weight, 0, 0.3)
        self.words = nn.Embedding(WORDS, size.words)
        width = size.characters + size.pairs + size.triples + size.words
        if size.morphemes:
            known = torch.zeros(MORPHEMES, vectors.shape[1])
            known[1 : 1 + KNOWN_MORPHEMES] = torch.from_numpy(vectors)
            self.vectors = nn.Embedding.from_pretrained(known, freeze=True)
            self.meaning = nn.Linear(vectors.shape[1], size.morphemes, bias=False)
            self.tags = nn.Embedding(len(TAGS) + 1, size.places)
            self.places = nn.Embedding(POSITIONS, size.places)
            width += size.morphemes + 2 * size.places
        self.enter = nn.Linear(width, size.hidden)
        self.layers = nn.ModuleList(
            nn.Conv1d(size.hidden, size.hidden, 3, dilation=step, padding=step) for step in size.dilations
        )
        self.leave = nn.Linear(size.hidden, 5)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Returns logits of shape (texts, characters, 5).

        Args:
            features: Shape (texts, 7, characters): character, pair, triple, word, morpheme, tag, place.
            mask: Shape (texts, characters): 1 on characters, 0 behind the end of a text.
        """
        parts = [
            self.characters(features[:, 0]),
            self._thinned(self.pairs(features[:, 1]), 0.1),
            self._thinned(self.triples(features[:, 2]), 0.2),
            self._thinned(self.words(features[:, 3]), 0.1),
        ]
        if self.size.morphemes:
            parts += [
                self._thinned(self.meaning(self.vectors(features[:, 4])), 0.05),
                self.tags(features[:, 5]),
                self.places(features[:, 6]),
            ]
        hidden = torch.relu(self.enter(self.dropout(torch.cat(parts, -1)))) * mask[..., None]
        hidden = hidden.transpose(1, 2)
        for layer in self.layers:
            hidden = (hidden + torch.relu(layer(self.dropout(hidden)))) * mask[:, None]
        return self.leave(self.dropout(hidden.transpose(1, 2)))

    def _thinned(self, looked_up: torch.Tensor, share: float) -> torch.Tensor:
        """Drops whole entries, so that no pair of characters becomes the only reason for an answer."""
        if not self.training:
            return looked_up
        return looked_up * (torch.rand(looked_up.shape[:2]) > share)[..., None]

    @torch.no_grad()
    def arrays(self) -> dict[str, npt.NDArray[np.float32]]:
        """Returns the weights under the names and in the shapes that ``NameNetwork`` reads."""
        found = {
            "characters": self.characters.weight,
            "pairs": self.pairs.weight,
            "triples": self.triples.weight,
            "words": self.words.weight,
            "enter.weight": self.enter.weight.T,
            "enter.bias": self.enter.bias,
            "leave.weight": self.leave.weight.T,
            "leave.bias": self.leave.bias,
        }
        for number, layer in enumerate(self.layers):
            found[f"layer{number}.weight"] = layer.weight.permute(2, 1, 0)  # (3, in, out)
            found[f"layer{number}.bias"] = layer.bias
        if self.size.morphemes:
            found["morphemes"] = self.meaning(self.vectors.weight)
            found["tags"] = self.tags.weight
            found["places"] = self.places.weight
        return {name: value.detach().contiguous().numpy().astype(np.float32) for name, value in found.items()}
