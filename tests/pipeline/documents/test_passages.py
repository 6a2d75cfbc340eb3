from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sovguard.entities import Detection, Evidence
from sovguard.pipeline.files.documents.passages import Passage, Reading
from sovguard.text import Change, changed


class Held:
    """A slot that is a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self) -> str:
        """Return it."""
        return self.text

    def write(self, text: str) -> None:
        """Replace it."""
        self.text = text


@given(st.lists(st.text(max_size=6), min_size=1, max_size=6), st.data())
def test_changes_over_any_slots(texts: list[str], data: st.DataObject) -> None:
    """The slots together say what the changed text says, and one that no change touches stays."""
    whole = "".join(texts)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=6).map(lambda cuts: sorted(set(cuts))))
    changes = [
        Change(start, end, data.draw(st.text(max_size=3)))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    slots = [Held(text) for text in texts]
    Passage(slots).apply(changes)
    assert "".join(slot.text for slot in slots) == changed(whole, changes)
    position = 0
    for text, slot in zip(texts, slots, strict=True):
        end = position + len(text)
        if not any(change.start < end and change.end > position for change in changes):
            assert slot.text == text
        position = end


@given(st.lists(st.lists(st.text("ab\n", max_size=4), max_size=4), max_size=5), st.data())
def test_what_is_found_comes_to_its_passages(lines: list[list[str]], data: st.DataObject) -> None:
    """Each passage has its part of every hit, with its own offsets, in order and without overlap."""
    passages = [[Passage([Held(text)]) for text in line] for line in lines]
    reading = Reading()
    reading.add([part for passage in line for part in (passage, "\t")] for line in passages)
    text = reading.text
    ends = data.draw(st.lists(st.integers(0, len(text)), max_size=6).map(sorted))
    spans = [(start, end) for start, end in zip(ends[::2], ends[1::2], strict=False) if start < end]
    reading.found(Detection("A", start, end, 1.0, "x", Evidence("x")) for start, end in spans)
    marked = ["*" if any(start <= at < end for start, end in spans) else sign for at, sign in enumerate(text)]
    position = 0
    for line in passages:
        if not any(passage.text for passage in line):
            continue
        for passage in line:
            own = list(passage.text)
            for hit in passage.hits:
                own[hit.start : hit.end] = "*" * (hit.end - hit.start)
            assert own == marked[position : position + len(own)]
            position += len(own) + 1
        position += 1
