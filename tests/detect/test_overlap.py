from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovguard.detect.overlap import resolve
from sovguard.entities import Detection, Evidence

EVIDENCE = Evidence("pattern")


def hit(start: int, end: int, score: float, entity_type: str = "KR_RRN") -> Detection:
    """Returns a detection that says no more than where, what and how sure."""
    return Detection(entity_type, start, end, score, entity_type.lower(), EVIDENCE)


HITS = st.lists(
    st.builds(
        lambda start, length, score, entity_type: hit(start, start + length, score, entity_type),
        st.integers(0, 30),
        st.integers(1, 12),
        st.sampled_from((0.5, 0.6, 0.7, 0.9, 0.95, 1.0)),
        st.sampled_from(("KR_RRN", "KR_BRN", "PHONE_NUMBER", "PERSON")),
    ),
    max_size=12,
)


@pytest.mark.parametrize(
    ("given_hits", "standing"),
    [
        ([], []),
        ([hit(0, 5, 0.6)], [hit(0, 5, 0.6)]),
        ([hit(0, 5, 0.6), hit(5, 9, 0.9)], [hit(0, 5, 0.6), hit(5, 9, 0.9)]),
        ([hit(0, 5, 0.6), hit(3, 9, 0.9)], [hit(3, 9, 0.9)]),
        ([hit(0, 6, 0.9), hit(3, 9, 0.7)], [hit(0, 6, 0.9)]),
        ([hit(0, 5, 0.8), hit(3, 9, 0.8)], [hit(3, 9, 0.8)]),
        ([hit(0, 5, 0.8), hit(3, 8, 0.8)], [hit(0, 5, 0.8)]),
        ([hit(0, 5, 0.8, "KR_RRN"), hit(0, 5, 0.8, "KR_BRN")], [hit(0, 5, 0.8, "KR_BRN")]),
        ([hit(3, 6, 0.9, "PHONE_NUMBER"), hit(0, 9, 0.8, "KR_ADDRESS")], [hit(0, 9, 0.8, "KR_ADDRESS")]),
        ([hit(3, 6, 1.0, "PHONE_NUMBER"), hit(0, 9, 0.6, "KR_ADDRESS")], [hit(3, 6, 1.0, "PHONE_NUMBER")]),
        ([hit(0, 3, 0.6), hit(2, 5, 0.9), hit(4, 7, 0.6)], [hit(2, 5, 0.9)]),
        ([hit(0, 3, 0.9), hit(2, 5, 0.6), hit(4, 7, 0.9)], [hit(0, 3, 0.9), hit(4, 7, 0.9)]),
    ],
    ids=[
        "nothing",
        "one",
        "neighbours",
        "higher score",
        "first higher",
        "longer at equal score",
        "first at equal length",
        "alphabet at the same place",
        "container of a little less",
        "container of far less",
        "middle wins over both",
        "both win over the middle",
    ],
)
def test_the_written_rule(given_hits: list[Detection], standing: list[Detection]) -> None:
    """Score, then length, then place, then type; a container may win with a little less."""
    assert resolve(given_hits) == standing
    assert resolve(given_hits[::-1]) == standing


@settings(deadline=None)
@given(HITS)
def test_what_stands_is_sorted_apart_and_given(hits: list[Detection]) -> None:
    """Nothing is made up, nothing overlaps, and whatever lost has lost to something at its place."""
    standing = resolve(hits)
    assert all(one.end <= other.start for one, other in pairwise(standing))
    assert all(one in hits for one in standing)
    for each in hits:
        assert any(one.start < each.end and each.start < one.end for one in standing)


@settings(deadline=None)
@given(HITS, st.randoms(use_true_random=False))
def test_the_order_given_does_not_matter(hits: list[Detection], chance: Random) -> None:
    """The same detections in another order leave the same ones standing, and resolving twice changes nothing."""
    shuffled = list(hits)
    chance.shuffle(shuffled)
    assert resolve(shuffled) == resolve(hits)
    assert resolve(resolve(hits)) == resolve(hits)
