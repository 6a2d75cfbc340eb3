"""Tables of a page: their heads are heads to a screen reader too, and numbers stand to the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sovguard.reports.markup import Html, joined, tag
from sovguard.reports.words import said

_SHOWN = 60
"""How many rows of a table are shown; a page of a year's ledger has to stay one that people read."""


def table(
    caption: object,
    heads: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    most: int = _SHOWN,
    quiet: bool = False,
) -> Html:
    """Return a table whose first column names its rows; a number is set as one, and nothing as a dash.

    Args:
        caption: What it is.
        heads: Of its columns.
        rows: A cell for each column.
        most: How many rows are shown at most; those left out are counted below it.
        quiet: Whether the caption is for screen readers only, since a heading says the same.
    """
    listed = list(rows)
    body = [
        tag("tr", *(_cell(cell, first=place == 0) for place, cell in enumerate(row))) for row in listed[:most]
    ]
    numeric = [
        any(isinstance(row[place], int | float | Share) for row in listed[:most])
        for place in range(len(heads))
    ]
    head = tag(
        "tr",
        *(
            tag("th", each, scope="col", class_="number" if is_number else None)
            for each, is_number in zip(heads, numeric, strict=True)
        ),
    )
    drawn = tag(
        "table",
        tag("caption", caption, class_="quiet" if quiet else None),
        tag("thead", head),
        tag("tbody", *body),
    )
    left = len(listed) - most
    note = tag("p", said("page", "more", count=f"{left:,}"), class_="note") if left > 0 else None
    return joined((tag("div", drawn, class_="scroll"), note))


class Share(float):
    """A number that is shown as a percentage."""

    __slots__ = ()


def _cell(cell: object, *, first: bool) -> Html:
    if isinstance(cell, Share):
        return tag("td", f"{cell:.2%}", class_="number")
    if isinstance(cell, int | float):
        shown = f"{cell:,}" if cell else tag("span", "–", class_="nothing")
        return tag("td", shown, class_="number")
    return tag("th", cell, scope="row") if first else tag("td", cell)


def folded(drawn: Html) -> Html:
    """Return a table that is opened by its reader; in print it is open."""
    return tag("details", tag("summary", said("page", "numbers")), drawn)


def moment(milliseconds: int, offset_minutes: int) -> str:
    """Return a local date and time."""
    when = datetime.fromtimestamp(milliseconds / 1000, UTC) + timedelta(minutes=offset_minutes)
    return when.strftime("%Y-%m-%d %H:%M")


def figure(heading: Html, number: str, note: Html, *, warn: bool = False) -> Html:
    """Return one number of those at the head of a page.

    Args:
        heading: What it is of.
        number: It, as it is written.
        note: What stands below it.
        warn: Whether it is one to look into.
    """
    return tag(
        "div",
        tag("dt", heading),
        tag("dd", tag("span", number, class_="big"), tag("span", note, class_="small")),
        class_="figure warn" if warn else "figure",
    )
