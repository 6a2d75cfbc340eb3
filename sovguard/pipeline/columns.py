"""What is done to which column."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sovguard.errors import ConfigError
from sovguard.pipeline.ways import Mode

Columns = Iterable["str | Column"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and what is special about it.

    Attributes:
        name: Its name; of a column within a struct, the names on the way with dots between.
        types: Only these entity types are replaced; all that are found if ``None``.
        action: How, where that is another way than that of the other columns.
        join_group: Equal values become equal in every dataset that names this group, and no longer join with the rest of this
            one. For surrogates that hold their values.
        is_a: What each whole cell is, whatever detection says: a column of names, of phone numbers. Needed where the action
            keeps shapes.
    """

    name: str
    types: Collection[str] | None = None
    action: Mode | None = None
    join_group: str | None = None
    is_a: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ConfigError("a column is named by a text")
        if isinstance(self.types, str):
            raise ConfigError("types is a collection of entity types, not one: put it in a tuple")
        if self.types is not None and self.is_a is not None:
            raise ConfigError(
                "a column has types that are looked for, or is_a, which says what its cells are: not both"
            )

    @property
    def label(self) -> str:
        """What its cells are read together with: the last of its names."""
        return self.name.rpartition(".")[2]


def chosen(columns: Columns | None, names: Iterable[str]) -> dict[str, Column]:
    """Return the columns to work on, by name.

    Args:
        columns: What was asked for; all of ``names`` if ``None``.
        names: The columns that there are to work on if nobody says.

    Raises:
        ConfigError: One is named twice.
    """
    if isinstance(columns, (str, Column)):
        raise ConfigError("columns is a list of names and Columns, not one of them: put it in a list")
    found: dict[str, Column] = {}
    for each in names if columns is None else columns:
        column = each if isinstance(each, Column) else Column(each)
        if column.name in found:
            raise ConfigError(f"the column {column.name!r} is named twice")
        found[column.name] = column
    return found
