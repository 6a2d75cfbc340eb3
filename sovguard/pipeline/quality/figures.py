"""What a comparison of a corpus before and after comes to: numbers, names of columns and types, numbers of rows. No value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sovguard.pipeline.anonymity import Anonymity

What = Literal[
    "standing", "found", "elsewhere", "unread", "changed", "missing", "added", "moved", "fields", "broken"
]
LEFT: tuple[What, ...] = ("standing", "found", "elsewhere", "unread")
"""What makes a corpus unsafe."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is that should be looked at; never what it is.

    Attributes:
        what: ``"standing"``: a value that stands where it stood, or elsewhere in its row. ``"found"``: something is found after
            that is no surrogate and no substitute. ``"elsewhere"``: a value that was replaced in one row stands in another.
            ``"unread"``: a cell that could not be looked at. ``"changed"``: text outside of values is not what it was.
            ``"missing"``, ``"added"``, ``"moved"``: a row. ``"fields"``: other fields than before. ``"broken"``: a record that
            is not whole.
        before: The number of the row before, from 1 (of a file: of its line); ``None`` if there is none.
        after: The same, after.
        column: The column; a part of its name in which something is found is ``•``.
        entity_type: The type of the value.
    """

    what: What
    before: int | None
    after: int | None
    column: str = ""
    entity_type: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """How many values are left, by how they are.

    Attributes:
        standing: They stand where they stood, or elsewhere in their row.
        found: They are found after, and are no substitute of what was there before.
        elsewhere: They were replaced in one row and stand in another, where nobody found them. ``None`` if that was not
            looked at, because ``after`` can be read only once or because far too much is left anyhow.
    """

    standing: int = 0
    found: int = 0
    elsewhere: int | None = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.standing + self.found + (self.elsewhere or 0)


@dataclass(frozen=True, slots=True)
class TypeFigures:
    """One entity type.

    Attributes:
        found: How many values were found before.
        substitutes: How many of them have what kind of substitute: ``surrogate``, ``masked``, ``removed``, ``made_up`` (also
            values of the same shape).
        left: How many are left.
    """

    found: int
    substitutes: Mapping[str, int]
    left: Left


@dataclass(frozen=True, slots=True)
class ColumnFigures:
    """One column.

    Attributes:
        cells: How many cells it has before and after.
        found: Values found before, by type.
        left: How many values are left.
        characters: How many characters it has before.
        changed: How many of those are not what they were.
        distinct: How many different cells it has before and after; of more than 65,536 about so many.
        values: How many different values were replaced in it.
        split: How many of them have more than one substitute.
        merged: How many substitutes stand for more than one value; masks and removal, which do, are not counted.
        substitutes: Which kinds there are.
    """

    cells: tuple[int, int]
    found: Mapping[str, int]
    left: Left
    characters: int
    changed: int
    distinct: tuple[int, int]
    values: int
    split: int
    merged: int
    substitutes: tuple[str, ...]

    @property
    def share(self) -> float:
        """Which part of its characters is not what it was."""
        return self.changed / self.characters if self.characters else 0.0


@dataclass(frozen=True, slots=True)
class RowFigures:
    """The rows.

    Attributes:
        before: How many there were.
        after: How many there are.
        kept: How many of those before are there after, in whatever state.
        missing: How many are not.
        added: How many there are that were not there before.
        moved: How many stand in another order. A row that moved by more than 256 rows counts as missing and as added.
        changed: In how many text outside of values is not what it was.
        fields: How many have other fields.
        broken: How many are no whole record (no JSON, another encoding, too few or too many cells), before and after.
        unread: How many cells could not be looked at, before or after.
    """

    before: int
    after: int
    kept: int
    missing: int
    added: int
    moved: int
    changed: int
    fields: int
    broken: tuple[int, int]
    unread: int


@dataclass(frozen=True, slots=True)
class QualityReport:
    """How a redacted corpus compares with what it was made from. It holds no value.

    Attributes:
        rows: Rows and records.
        types: For each entity type what was found and what is left.
        columns: For each column the same, and how much it changed.
        words: How many words there were outside of values, and how many of them there still are in their row.
        lengths: How many rows are how long, before and after: pairs of counts by the greatest length in characters.
        shared: How many values stand in several columns, and how many of those became the same in all: whether a join works.
        one_in: 1 if every value was looked at for consistency and in other rows; 4 if about one in four was, since there are
            more than 262,144 different ones.
        anonymity: k-anonymity before and after; ``None`` if no columns were named.
        anonymity_rows: Of how many rows at most: the first.
        places: The first places of each kind that should be looked at.
        counts: How many there are of each kind.
        names: How names were found.
    """

    rows: RowFigures
    types: Mapping[str, TypeFigures]
    columns: Mapping[str, ColumnFigures]
    words: tuple[int, int]
    lengths: tuple[tuple[int, int, int], ...]
    shared: tuple[int, int]
    one_in: int
    anonymity: tuple[Anonymity, Anonymity] | None
    anonymity_rows: int
    places: tuple[Place, ...]
    counts: Mapping[str, int]
    names: str

    @property
    def left(self) -> int:
        """How many values are left; cells that nobody could look at count."""
        return sum(self.counts.get(what, 0) for what in LEFT)

    @property
    def safe(self) -> bool:
        """Whether nothing is left that was found."""
        return self.left == 0

    @property
    def share(self) -> float:
        """Which part of the characters is not what it was."""
        characters = sum(each.characters for each in self.columns.values())
        return sum(each.changed for each in self.columns.values()) / characters if characters else 0.0

    @property
    def split(self) -> int:
        """How many values have more than one substitute within a column."""
        return sum(each.split for each in self.columns.values())

    @property
    def merged(self) -> int:
        """How many substitutes stand for more than one value within a column."""
        return sum(each.merged for each in self.columns.values())

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-like data."""
        return {"safe": self.safe, "left": self.left, "share": round(self.share, 6), **asdict(self)}

    def html(self, *, title: str | None = None) -> str:
        """Return it as a page that needs nothing but itself, in Korean, with English at a click.

        Args:
            title: Of the page.
        """
        from sovguard.pipeline.quality.page import render

        return render(self, title=title)
