"""The model's features, network and decoding, without trained weights."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard.detect.morphology import morpheme_arrays
from sovguard.detect.name_decoding import decoded, inside_odds
from sovguard.detect.name_features import (
    BIGRAMS,
    CHARACTERS,
    TRIGRAMS,
    WORDS,
    characters,
    joined,
    morpheme_features,
    neighbours,
    words_around,
)
from sovguard.detect.name_network import Features, Floats, NameNetwork, packed, unpacked
from sovguard.errors import ConfigError

TEXTS = st.text(alphabet="김민준이가 과장님abcAB12\n,.\0\ud800한○🙂", max_size=60)


def weights(hidden: int = 8, dilations: tuple[int, ...] = (1, 2, 4)) -> dict[str, Floats]:
    """Random weights of a small network that reads characters alone."""
    rng = np.random.default_rng(7)

    def draw(*shape: int) -> Floats:
        return rng.normal(size=shape).astype(np.float32) * np.float32(0.4)

    arrays = {"characters": draw(CHARACTERS, 4), "pairs": draw(BIGRAMS, 3), "triples": draw(TRIGRAMS, 3)}
    arrays |= {"words": draw(WORDS, 2), "enter.weight": draw(12, hidden), "enter.bias": draw(hidden)}
    arrays |= {"leave.weight": draw(hidden, 5), "leave.bias": draw(5)}
    for index, _ in enumerate(dilations):
        arrays |= {f"layer{index}.weight": draw(3, hidden, hidden), f"layer{index}.bias": draw(hidden)}
    return arrays


def small(dilations: tuple[int, ...] = (1, 2, 4)) -> NameNetwork:
    """A network from a file made of random weights."""
    octets = packed(weights(dilations=dilations), {"dilations": dilations})
    arrays, about = unpacked(octets, hashlib.sha256(octets).hexdigest())
    return NameNetwork(arrays, tuple(about["dilations"]))


NETWORK = small()


def scores(network: NameNetwork, texts: list[str]) -> list[Floats]:
    """The scores of each text out of one run of all."""
    whole, mask, begins = joined(texts, network.gap)
    ids = characters(whole)
    found = network.scores(Features(ids, *neighbours(ids), words_around(whole), mask))
    return [found[begin : begin + len(text)] for text, begin in zip(texts, begins, strict=True)]


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_a_text_has_the_same_scores_in_any_company(texts: list[str]) -> None:
    """What runs beside a text changes nothing of its scores."""
    for text, together in zip(texts, scores(NETWORK, texts), strict=True):
        assert np.allclose(together, scores(NETWORK, [text])[0], atol=1e-4)


def test_windows_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text read in small windows has the scores it has in one."""
    text = "김민준 과장이 박서연 대리에게 보낸 글입니다.\n" * 40
    whole = scores(NETWORK, [text])[0]
    monkeypatch.setattr("sovguard.detect.name_network._ROWS", 50)
    assert np.allclose(whole, scores(NETWORK, [text])[0], atol=1e-4)


@given(TEXTS)
def test_each_character_has_one_of_each_feature(text: str) -> None:
    """Features are as many as characters, in range, and a surrogate half or a NUL is no error."""
    ids = characters(text)
    pairs, triples = neighbours(ids)
    words = words_around(text)
    assert len(ids) == len(pairs) == len(triples) == len(words) == len(text)
    for values, limit in ((ids, CHARACTERS), (pairs, BIGRAMS), (triples, TRIGRAMS), (words, WORDS)):
        assert ((values >= 0) & (values < limit)).all()


def test_morphemes_are_spread_over_their_characters() -> None:
    """Every syllable knows its morpheme; spaces have none; a second text begins where it is said to."""
    text = "서울에서 부산"
    which, tags, places = morpheme_features(20, morpheme_arrays([text, "부산"], [3, 15]))
    assert which[3] == which[4] != 0
    assert which[8] == which[15]
    assert not which[:3].any()
    assert not tags[7]
    assert places[3] != places[4]


def test_a_changed_file_is_refused() -> None:
    """A weights file of another hash is refused before it is read, and so is one that holds no arrays."""
    octets = packed(weights(), {"dilations": (1,)})
    with pytest.raises(ConfigError, match="SHA-256"):
        unpacked(octets + b"x", hashlib.sha256(octets).hexdigest())
    with pytest.raises(ConfigError, match="cannot be read"):
        unpacked(b"PK", hashlib.sha256(b"PK").hexdigest())


def test_a_file_says_the_same_each_time() -> None:
    """The same weights give the same octets."""
    assert packed(weights(), {"dilations": (1, 2)}) == packed(weights(), {"dilations": (1, 2)})


def logits(tags: str, sure: float = 8.0) -> Floats:
    """Scores that speak for a sequence of tags (o, b, i, e, s)."""
    found = np.zeros((len(tags), 5), np.float32)
    for index, tag in enumerate(tags):
        found[index, "obies".index(tag)] = sure
    return found


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        ("oobieoo", [(2, 5)]),
        ("so", [(0, 1)]),
        ("beos", [(0, 2), (3, 4)]),
        ("bebe", [(0, 2), (2, 4)]),
        ("oooo", []),
        ("biie", [(0, 4)]),
    ],
)
def test_clear_tags_are_names(tags: str, names: list[tuple[int, int]]) -> None:
    """What the tags say plainly is what comes out, also at both edges and side by side."""
    scored = logits(tags)
    assert [name[:2] for name in decoded(scored, inside_odds(scored), 0.0)] == names


@given(st.integers(0, 2**32 - 1), st.floats(0, 3))
def test_names_are_well_formed_whatever_the_scores(seed: int, lean: float) -> None:
    """Names are in order, apart, within the text and of a probability."""
    scored = np.random.default_rng(seed).normal(0, 4, (40, 5)).astype(np.float32)
    reach = 0
    for start, end, probability in decoded(scored, inside_odds(scored), lean):
        assert reach <= start < end <= 40
        assert 0 <= probability <= 1
        reach = end


def test_leaning_finds_more() -> None:
    """A name that is as likely as not is found once misses are held to cost more."""
    scored = logits("obeo", 1.0)
    scored[1:3, 0] = 1.5
    assert not list(decoded(scored, inside_odds(scored), -2.0))
    assert list(decoded(scored, inside_odds(scored), 2.0))
