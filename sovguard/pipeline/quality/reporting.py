"""Rows before and after, compared: from readers over pairs and counts to the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.anonymity import Anonymity, k_anonymity
from sovguard.pipeline.columns import Columns, chosen
from sovguard.pipeline.quality.comparing import (
    ANONYMITY_ROWS,
    LENGTHS,
    ColumnCount,
    Comparison,
    TypeCount,
)
from sovguard.pipeline.quality.figures import (
    ColumnFigures,
    Left,
    QualityReport,
    RowFigures,
    TypeFigures,
)
from sovguard.pipeline.quality.pairing import pairs
from sovguard.pipeline.quality.rows import Numbered, Reader
from sovguard.pipeline.quality.substitutes import KINDS

if TYPE_CHECKING:
    from sovguard.guard import Guard, Names


def quality_report(
    before: Iterable[Any],
    after: Iterable[Any],
    *,
    columns: Columns | None = None,
    quasi_identifiers: Sequence[str] = (),
    names: Names = "full",
    guard: Guard | None = None,
) -> QualityReport:
    """Return how rows compare with what they were before redaction: whether they are safe, and whether they are still useful.

    It does not need to know how they were redacted, and has no key. Rows are read one after another; memory does not grow with
    them. ``after`` is read a second time, for values that stand in other rows, unless it is an iterator.

    Args:
        before: The rows as they were: texts, or dicts as JSON has them.
        after: The rows as they are, in the same order.
        columns: Which columns to look at, as for ``redact_rows``; by default all. Text of the others is compared all the same.
        quasi_identifiers: Columns by which somebody could be told: k-anonymity by them, before and after. Needs pyarrow.
        names: How names are found: ``"full"``, ``"fast"`` or ``"off"``.
        guard: What finds, in place of a ``Guard(names=names)``.

    Raises:
        ConfigError: No row has a column that was named.
        InputError: A row is neither text nor dict.
        DetectionError: Detection failed for more than single cells.
    """
    again = None if iter(after) is after else after
    return compare(
        _numbered(before),
        _numbered(after),
        None if again is None else _numbered(again),
        columns=columns,
        quasi_identifiers=quasi_identifiers,
        names=names,
        guard=guard,
    )


def compare(
    before: Iterable[Numbered],
    after: Iterable[Numbered],
    again: Iterable[Numbered] | None,
    *,
    columns: Columns | None = None,
    quasi_identifiers: Sequence[str] = (),
    names: Names = "full",
    guard: Guard | None = None,
) -> QualityReport:
    """Return the same for rows that have numbers; ``again`` yields those after once more.

    Raises:
        ConfigError: No row has a column that was named.
        DetectionError: Detection failed for more than single cells.
    """
    from sovguard.guard import Guard

    if isinstance(quasi_identifiers, str):
        raise ConfigError("quasi_identifiers is a list of columns, not one of them: put it in a list")
    finds = Guard(names=names) if guard is None else guard
    wanted = None if columns is None else chosen(columns, ())
    comparison = Comparison(tuple(dict.fromkeys(quasi_identifiers)))
    was, now = Reader(finds, wanted), Reader(finds, wanted)
    for pair in pairs(was.read(before), now.read(after)):
        comparison.add(pair)
    comparison.finish()
    told = again is not None and comparison.elsewhere(now.taken(again))
    if comparison.rows[0]:
        # With a slip of the pen nothing would have been looked at, or everybody would be like everybody else.
        absent = [
            *sorted(set(wanted or ()) - was.seen),
            *(each for each in comparison.quasi if each not in comparison.columns),
        ]
        if absent:
            raise ConfigError(f"no row before had the column {absent[0]!r}; check its name")
    return _report(comparison, finds.names, told)


def _numbered(rows: Iterable[Any]) -> Iterator[Numbered]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, (str, dict)):
            raise InputError(f"row {number} is a {type(row).__name__}; rows are texts or dicts")
        yield Numbered(number, row)


def _report(done: Comparison, names: str, told: bool) -> QualityReport:
    shared, joined, one_in = done.consistency.across()
    by_column = done.consistency.by_column()
    types: dict[str, list[TypeCount]] = {}
    for column in done.columns.values():
        for name, counted in column.types.items():
            types.setdefault(name, []).append(counted)
    rows = done.rows
    return QualityReport(
        rows=RowFigures(
            before=rows[0],
            after=rows[1],
            kept=rows[0] - done.counts["missing"],
            missing=done.counts["missing"],
            added=done.counts["added"],
            moved=done.counts["moved"],
            changed=done.counts["changed"],
            fields=done.counts["fields"],
            broken=(done.broken[0], done.broken[1]),
            unread=done.counts["unread"],
        ),
        types={name: _type(types[name], told) for name in sorted(types)},
        columns={
            name: _column(each, by_column.get(each.place, (0, 0, 0)), told)
            for name, each in done.columns.items()
        },
        words=(done.words[0], done.words[1]),
        lengths=_lengths(done),
        shared=(shared, joined),
        one_in=one_in,
        anonymity=_anonymity(done),
        anonymity_rows=ANONYMITY_ROWS,
        places=tuple(done.places),
        counts=dict(done.counts),
        names=names,
    )


def _left(counted: Iterable[TypeCount], told: bool) -> Left:
    several = list(counted)
    return Left(
        sum(each.standing for each in several),
        sum(each.newly for each in several),
        sum(each.elsewhere for each in several) if told else None,
    )


def _type(counted: Sequence[TypeCount], told: bool) -> TypeFigures:
    return TypeFigures(
        found=sum(each.found for each in counted),
        substitutes={
            kind: count for kind in KINDS if (count := sum(each.substitutes[kind] for each in counted))
        },
        left=_left(counted, told),
    )


def _column(column: ColumnCount, consistency: tuple[int, int, int], told: bool) -> ColumnFigures:
    values, split, merged = consistency
    return ColumnFigures(
        cells=(column.cells[0], column.cells[1]),
        found={name: each.found for name, each in sorted(column.types.items()) if each.found},
        left=_left(column.types.values(), told),
        characters=column.characters,
        changed=column.changed,
        distinct=(column.distinct[0].count, column.distinct[1].count),
        values=values,
        split=split,
        merged=merged,
        substitutes=tuple(
            kind for kind in KINDS if any(each.substitutes[kind] for each in column.types.values())
        ),
    )


def _lengths(done: Comparison) -> tuple[tuple[int, int, int], ...]:
    was, now = done.lengths
    places = sorted(was.keys() | now.keys())
    if not places:
        return ()
    return tuple((LENGTHS[place], was[place], now[place]) for place in range(places[0], places[-1] + 1))


def _anonymity(done: Comparison) -> tuple[Anonymity, Anonymity] | None:
    if not done.quasi:
        return None
    try:
        import pyarrow as pa
    except ImportError:
        raise ConfigError("quasi-identifiers need pyarrow: pip install 'sovguard[arrow]'") from None
    # By their places: half of a pair, which JSON may have in a name, cannot be the name of a column of Arrow.
    names = {str(place): name for place, name in enumerate(done.quasi)}
    was, now = (
        k_anonymity(
            pa.table({place: pa.array(done.quasi[name][side], pa.int64()) for place, name in names.items()}),
            list(names),
        )
        for side in (0, 1)
    )
    return _called(was, names), _called(now, names)


def _called(found: Anonymity, names: dict[str, str]) -> Anonymity:
    """Return figures with the columns called as they are."""
    by_column = {names[place]: alone for place, alone in found.by_column.items()}
    return replace(found, columns=tuple(names.values()), by_column=by_column)
