from __future__ import annotations

import pyarrow as pa
import pytest

from sovguard import ConfigError
from sovguard.pipeline.anonymity import k_anonymity

TABLE = pa.table(
    {
        "region": ["서울", "서울", "부산", "부산", "부산", None],
        "year": [1990, 1990, 1991, 1991, 1992, 1990],
        "illness": ["a", "b", "c", "c", "d", "e"],
    }
)


def test_a_table_worked_out_by_hand() -> None:
    """Combinations, who is alone, and by how much each column tells."""
    got = k_anonymity(TABLE, ["region", "year"], sensitive="illness")
    assert (got.rows, got.classes, got.k, got.alone, got.diversity) == (6, 4, 1, 2, 1)
    assert got.below == {2: 2, 3: 6, 5: 6, 10: 6, 20: 6}
    assert got.by_column == {"region": 1, "year": 1}
    assert k_anonymity(TABLE, ["year"]).k == 1
    two = TABLE.slice(0, 4)
    assert (k_anonymity(two, ["region"]).k, k_anonymity(two, ["region"], sensitive="illness").diversity) == (
        2,
        1,
    )
    assert k_anonymity(TABLE.slice(0, 0), ["region"]).k == 0
    assert k_anonymity(TABLE.to_batches()[0], ["region", "year"]).as_json()["below"] == got.below


@pytest.mark.parametrize(
    ("columns", "sensitive"), [([], None), ("region", None), (["x"], None), (["region"], "x")]
)
def test_columns_that_are_not_there(columns: list[str], sensitive: str | None) -> None:
    """Are an error."""
    with pytest.raises(ConfigError):
        k_anonymity(TABLE, columns, sensitive=sensitive)
