"""The sheets of a workbook as tables: a row is a line, and a cell says what its shared string does.

A number stays a number until something is found in it: then the cell becomes text, and a number again on the way back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sovguard.errors import InputError
from sovguard.pipeline.files.documents.markup import Markup, Place, joined
from sovguard.pipeline.files.documents.passages import Line, Passage
from sovguard.pipeline.files.documents.vocabulary import name_of

_NOTHING = re.compile(
    "[01]|true|false|#[A-Z0-9/_?!]*|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+Z?)?", re.IGNORECASE
)
"""What cells hold that are true or false, an error, or a date."""
MOST_OF_A_NAME = 31
"""Characters of the name of a sheet."""


class SharedStrings:
    """The strings of a workbook, which its cells refer to by number.

    Args:
        root: The root of their part.
    """

    def __init__(self, root: Any) -> None:
        self._lines: list[list[Line]] = [
            Markup(item).lines() for item in root if isinstance(item.tag, str) and name_of(item.tag) == "x:si"
        ]
        self._used: set[int] = set()

    def __repr__(self) -> str:
        return f"SharedStrings({len(self._lines)})"

    def lines(self, number: str) -> list[Line]:
        """Return what a string says; nothing if there is none of that number."""
        place = int(number) if number.isascii() and number.isdigit() else len(self._lines)
        if place >= len(self._lines):
            return []
        self._used.add(place)
        return self._lines[place]

    def left(self) -> list[Line]:
        """Return what those say that no cell has referred to."""
        return [line for place, lines in enumerate(self._lines) if place not in self._used for line in lines]


class Sheet(Markup):
    """Reads one sheet.

    Args:
        root: Its root.
        strings: The strings of its workbook.
        number: Gives back the number that a text takes the place of; ``None`` where values are not put back.
    """

    def __init__(
        self, root: Any, strings: SharedStrings | None, number: Callable[[str], str | None] | None
    ) -> None:
        super().__init__(root)
        self._strings, self._number = strings, number

    def node(self, element: Any) -> None:
        """Read one element; rows and their cells as a table."""
        if not isinstance(element.tag, str) or name_of(element.tag) != "x:row":
            super().node(element)
            return
        rest, cells = [], []
        for cell in element:
            if not isinstance(cell.tag, str) or name_of(cell.tag) != "x:c":
                super().node(cell)
                continue
            said = self._cell(cell)
            cells.append(joined(said, " "))
            rest += [
                child
                for child in cell
                if not isinstance(child.tag, str) or name_of(child.tag) not in ("x:v", "x:is")
            ]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            self.say(*joined_cells(cells))
        for child in rest:  # formulas, and what later versions add
            super().node(child)

    def _cell(self, cell: Any) -> list[Line]:
        kind = cell.get("t", "n")
        value = next(
            (child for child in cell if isinstance(child.tag, str) and name_of(child.tag) == "x:v"), None
        )
        inline = [
            line
            for child in cell
            if isinstance(child.tag, str) and name_of(child.tag) == "x:is"
            for line in Markup(child).lines()
        ]
        if inline or value is None or not value.text:
            return inline
        if kind in ("b", "e", "d") and _NOTHING.fullmatch(value.text.strip()):
            return []
        if kind == "s":
            return [] if self._strings is None else self._strings.lines(value.text.strip())
        if kind == "n":
            return [
                [
                    Passage(
                        [Place(value)],
                        kind=_number_kind(value.text),
                        on_change=lambda *_: cell.set("t", "str"),
                    )
                ]
            ]
        return [
            [
                Passage(
                    [Place(value)], on_change=lambda before, after: self._perhaps_number(cell, value, before)
                )
            ]
        ]

    def _perhaps_number(self, cell: Any, value: Any, before: str) -> None:
        """Make a cell a number again whose text took the place of one."""
        number = None if self._number is None else self._number(before.strip())
        if number is not None:
            value.text = number
            cell.attrib.pop("t", None)


def joined_cells(cells: Sequence[Line]) -> Line:
    """Return the cells of a row as a line, with a tab behind each but the last, be they empty or not."""
    made: Line = []
    for place, cell in enumerate(cells):
        if place:
            made.append("\t")
        made += cell
    return made


NAME = re.compile(r"[^-~!-,/:-@\[\]^`{-}\s]+")
"""What a name that a workbook defines is made of, about."""


def check_name(name: str) -> None:
    """Return if a sheet can have a name.

    Raises:
        InputError: It cannot.
    """
    if len(name) > MOST_OF_A_NAME or any(sign in name for sign in "[]:*?/\\"):
        raise InputError(
            f"the name of a sheet says something of somebody, and what takes its place is too long for one "
            f"({MOST_OF_A_NAME} characters): name the sheet otherwise, or use a mapping, whose surrogates are short"
        )


def _number_kind(text: str) -> Any:
    return "int" if text.strip().lstrip("+-").isdigit() else "float"
