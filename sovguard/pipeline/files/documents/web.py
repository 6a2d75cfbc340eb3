"""HTML as lines of passages: what a reader sees in one line is read as one, whatever elements it stands in."""

from __future__ import annotations

import re
from typing import Any

from sovguard.errors import InputError
from sovguard.pipeline.files.documents.markup import Place, library
from sovguard.pipeline.files.documents.passages import Line, Passage
from sovguard.pipeline.files.documents.pictures import Unread
from sovguard.pipeline.files.documents.vocabulary import tells

_INLINE = frozenset(
    {"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd",
     "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
     "img"}
)  # fmt: skip
_READ = frozenset({"title", "alt", "placeholder", "summary", "content", "label", "value", "aria-label"})
_NEVER = frozenset({"height", "d", "points"})
_DATA = re.compile("data:[^,;\\s\"']{0,80}(?:;[^,;\\s\"']{0,80}){0,8},[^\\s\"')]*", re.IGNORECASE)
_ADDRESS_AS_TAG = re.compile("<([^\\s<>/\"'=@]+@[^\\s<>\"'=]+)>")
_DOCTYPE = re.compile("<!doctype", re.IGNORECASE)
_BLANK = "data:,"


class Page:
    """A page of HTML.

    Args:
        text: Its source.
        unread: What becomes of pictures that stand in it.

    Raises:
        InputError: It has nothing in it.
        ConfigError: lxml is not installed.
    """

    def __init__(self, text: str, unread: Unread) -> None:
        etree = library()
        from lxml import html

        # What says in which encoding the octets were would be an error in a text.
        source = _ADDRESS_AS_TAG.sub(r"&lt;\1&gt;", re.sub(r"\A\s*<\?xml[^>]*\?>", "", text))
        try:
            self._root = html.document_fromstring(
                source, parser=html.HTMLParser(huge_tree=True, no_network=True)
            )
        except (etree.ParserError, etree.XMLSyntaxError, ValueError):
            raise InputError("its HTML is damaged or empty") from None
        self._html, self._unread = html, unread
        self._has_doctype = _DOCTYPE.search(text) is not None
        self._has_two = "\r\n" in text
        self._end_of_text = text[len(text.rstrip()) :]
        self.has_blanked = False
        """Whether pictures that stood in it are gone."""
        self._lines: list[Line] = []
        self._slots: list[Place] = []

    def __repr__(self) -> str:
        return f"Page({len(self._lines)} lines)"

    def lines(self) -> list[Line]:
        """Return what is read.

        Raises:
            InputError: Its elements are nested too deeply.
        """
        try:
            self._node(self._root)
        except RecursionError:
            raise InputError("its HTML is nested too deeply") from None
        self._end()
        return self._lines

    def source(self) -> str:
        """Return it as it is now."""
        tree = self._root.getroottree()
        doctype = tree.docinfo.doctype if self._has_doctype else None
        if doctype and tells(doctype):
            doctype = "<!DOCTYPE html>"
        made = str(self._html.tostring(self._root, encoding="unicode", doctype=doctype or None))
        whole = made.rstrip() + self._end_of_text
        # The parser reads every line end as one character.
        return whole.replace("\r\n", "\n").replace("\n", "\r\n") if self._has_two else whole

    def _node(self, element: Any) -> None:
        if not isinstance(element.tag, str):
            if (element.text or "").strip():
                self._lines.append([Passage([Place(element)])])
            return
        self._attributes(element)
        breaks = element.tag not in _INLINE
        if breaks:
            self._end()
        if element.tag == "tr":
            self._row(element)
        else:
            self._content(element)
        if breaks:
            self._end()

    def _content(self, element: Any) -> None:
        if element.text and element.tag == "style" and not self._unread.kept and _DATA.search(element.text):
            element.text = _DATA.sub(_BLANK, element.text)
            self.has_blanked = True
        if element.text:
            self._slots.append(Place(element))
        for child in element:
            self._node(child)
            if child.tail:
                self._slots.append(Place(child, "tail"))

    def _row(self, row: Any) -> None:
        """Read a row of a table as one line, if nothing but cells of one line each is in it."""
        outer, self._lines = self._lines, []
        cells: list[list[Line]] = []
        for child in row:
            self._node(child)
            self._end()
            cells.append(self._lines)
            self._lines = []
            if child.tail and child.tail.strip():
                self._slots.append(Place(child, "tail"))
        self._end()
        rest, self._lines = self._lines, outer
        if all(len(cell) <= 1 for cell in cells):
            line: Line = []
            for cell in cells:
                line += [*(["\t"] if line else []), *(cell[0] if cell else [])]
            outer.append(line)
        else:
            outer += [line for cell in cells for line in cell]
        outer += rest

    def _end(self) -> None:
        if self._slots and any(slot.read().strip() for slot in self._slots):
            self._lines.append([Passage(self._slots)])
        self._slots = []

    def _attributes(self, element: Any) -> None:
        for name, value in list(element.attrib.items()):
            if not self._unread.kept and _DATA.search(value):
                self._unread.outcome("", b"")
                self.has_blanked = True
                value = _DATA.sub(_BLANK, value)
                element.set(name, value)
            if value.strip() and name not in _NEVER and (name in _READ or tells(value)):
                self._lines.append([Passage([Place(element, f"@{name}")])])
