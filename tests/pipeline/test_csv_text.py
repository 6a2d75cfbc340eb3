from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sovguard.pipeline.files.csv_text import _cells, cells_of

ROWS = st.lists(
    st.sampled_from(["a", "한 글", '"', '""', ",", ";", "\t", "\r", "\n", "\r\n", " "]),
    min_size=1,
    max_size=12,
).map("".join)


@settings(max_examples=500, deadline=None)
@given(ROWS, st.sampled_from([",", ";", "\t"]))
def test_plain_rows_are_read_as_all_are(row: str, delimiter: str) -> None:
    """A row without quotes is cut at its delimiters, which gives what reading it cell by cell gives."""
    assert cells_of(row, delimiter) == list(_cells(row, delimiter))
    assert "".join(written + behind for written, behind in cells_of(row, delimiter)) == row
