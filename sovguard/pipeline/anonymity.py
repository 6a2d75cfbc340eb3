"""How many people of a table could be told by columns that name nobody: region, birth year, sex, date of a visit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sovguard.errors import ConfigError

_STEPS = (2, 3, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class Anonymity:
    """What a table tells by its quasi-identifiers.

    Attributes:
        columns: Which columns were looked at together.
        rows: How many rows there are.
        classes: How many different combinations.
        k: The fewest rows of one combination: 1 if somebody is alone. 0 for an empty table.
        alone: How many rows are the only one of their combination.
        below: For some k: how many rows are in combinations of fewer than so many rows.
        by_column: For each column, how many rows are alone if it is left out: by how much it tells.
        diversity: The fewest different sensitive values within one combination (l-diversity); ``None`` if no column was named.
    """

    columns: tuple[str, ...]
    rows: int
    classes: int
    k: int
    alone: int
    below: Mapping[int, int]
    by_column: Mapping[str, int]
    diversity: int | None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON-like data."""
        return asdict(self)


def k_anonymity(data: Any, columns: Sequence[str], *, sensitive: str | None = None) -> Anonymity:
    """Return how anonymous the rows of a table are by some columns together (k-anonymity; Sweeney 2002). No value is in it.

    A null is a value like any.

    Args:
        data: A ``pyarrow.Table`` or ``RecordBatch``.
        columns: The quasi-identifiers.
        sensitive: A column whose values should differ within each combination.

    Raises:
        ConfigError: A column is not there, or there is none.
    """
    import pyarrow as pa

    table = pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data
    asked = tuple(columns)
    if not asked or isinstance(columns, str):
        raise ConfigError("name the columns that could tell somebody, in a list")
    for name in (*asked, *(() if sensitive is None else (sensitive,))):
        if name not in table.column_names:
            raise ConfigError(
                f"there is no column {name!r}; there are: {', '.join(map(repr, table.column_names))}"
            )
    sizes = _sizes(table, asked)
    diversity = None
    if sensitive is not None:
        counted = table.group_by(list(asked)).aggregate([(sensitive, "count_distinct", _all())])
        diversity = min(counted.column(f"{sensitive}_count_distinct").to_pylist(), default=0)
    return Anonymity(
        columns=asked,
        rows=table.num_rows,
        classes=len(sizes),
        k=min(sizes, default=0),
        alone=sum(size == 1 for size in sizes),
        below={k: sum(size for size in sizes if size < k) for k in _STEPS},
        by_column={
            name: sum(size == 1 for size in _sizes(table, tuple(each for each in asked if each != name)))
            for name in asked
        },
        diversity=diversity,
    )


def _sizes(table: Any, columns: tuple[str, ...]) -> list[int]:
    """Return how many rows each combination has."""
    if not columns:
        return [table.num_rows] if table.num_rows else []
    counted: list[int] = (
        table.group_by(list(columns)).aggregate([([], "count_all")]).column("count_all").to_pylist()
    )
    return counted


def _all() -> Any:
    import pyarrow.compute as pc

    return pc.CountOptions(mode="all")
