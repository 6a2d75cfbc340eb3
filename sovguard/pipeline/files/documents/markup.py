"""XML of an office document as lines of passages: paragraphs, rows of tables, and everything else that says something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sovguard.pipeline.files.documents.vocabulary as words
from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.files.documents.passages import Line, Passage
from sovguard.pipeline.files.documents.stretches import Stretches

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_TEXT, _TAIL = "text", "tail"
_MOST_PARAGRAPHS = 3
"""Paragraphs of a cell up to which its row is read as one line."""


def library() -> Any:
    """Return the module that reads and writes XML.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        from lxml import etree
    except ImportError:
        raise ConfigError("documents need lxml: pip install 'sovguard[documents]'") from None
    return etree


def parsed(data: bytes, what: str) -> Any:
    """Return the tree of some XML, without fetching or opening anything that it refers to.

    Raises:
        InputError: It is no XML, or it defines entities.
    """
    if any(
        mark.encode(codec) in data
        for mark in ("<!DOCTYPE", "<!ENTITY")
        for codec in ("utf-8", "utf-16-le", "utf-16-be")
    ):
        raise InputError(f"{what} defines entities, as no office program does; it is not worked on")
    etree = library()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_blank_text=False
    )
    try:
        tree = etree.fromstring(data, parser).getroottree()
    except (etree.XMLSyntaxError, ValueError):
        raise InputError(f"{what} is damaged: it is no XML") from None
    if tree.docinfo.doctype or tree.docinfo.internalDTD is not None:
        raise InputError(f"{what} defines entities, as no office program does; it is not worked on")
    return tree


def written(tree: Any) -> bytes:
    """Return a tree as the octets of a part."""
    made: bytes = library().tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)
    return made


class Place:
    """Text of an element, behind it, or of one of its attributes.

    Args:
        element: The element.
        where: ``"text"``, ``"tail"``, or ``"@"`` and the name of an attribute.
    """

    __slots__ = ("_element", "_where")

    def __init__(self, element: Any, where: str = _TEXT) -> None:
        self._element, self._where = element, where

    def read(self) -> str:
        """Return what stands there."""
        if self._where.startswith("@"):
            return str(self._element.get(self._where[1:]) or "")
        return str(getattr(self._element, self._where) or "")

    def write(self, text: str) -> None:
        """Put something else there.

        Raises:
            InputError: It has characters that markup cannot have.
        """
        try:
            if self._where.startswith("@"):
                self._element.set(self._where[1:], text)
                return
            setattr(self._element, self._where, text)
        except ValueError:
            raise InputError("what comes out has control characters, which markup cannot have") from None
        name = words.name_of(self._element.tag) if isinstance(self._element.tag, str) else ""
        if (
            self._where == _TEXT
            and text != text.strip()
            and name in ("w:t", "w:delText", "w:instrText", "x:t")
        ):
            self._element.set(_SPACE, "preserve")


@dataclass(slots=True)
class _Paragraph:
    """A paragraph on its way to being lines: its slots with their state, and the characters between them."""

    element: Any
    items: list[tuple[Place | str, str]] = field(default_factory=list)
    codes: list[Place] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    is_laid_out: bool = True

    def lines(self) -> Iterator[Line]:
        """Yield it as it is, as it was before what was inserted and deleted, and the codes of its fields."""
        passages: list[tuple[Passage | str, str]] = []
        slots: list[Place] = []
        state = ""
        for item, at in (*self.items, ("", "end")):
            if slots and (isinstance(item, str) or at != state):
                passages.append((self._passage(slots), state))
                slots = []
            if isinstance(item, str):
                passages.append((item, at))
            else:
                slots.append(item)
                state = at
        yield [part for part, at in passages if at != "deleted"]
        if any(at == "deleted" for _, at in passages):
            yield [part for part, at in passages if at != "inserted"]
        if self.codes:
            yield [self._passage(self.codes)]

    def _passage(self, slots: list[Place]) -> Passage:
        return Passage(slots, on_change=self._changed)

    def _changed(self, before: str, after: str) -> None:
        if not self.is_laid_out:
            return
        self.is_laid_out = False
        for child in list(self.element):
            is_cache = isinstance(child.tag, str) and words.name_of(child.tag) in words.LAYOUT_CACHES
            if is_cache and not (child.tail or "").strip():
                self.element.remove(child)


class Markup:
    """Reads one tree.

    Args:
        root: Its root.
    """

    def __init__(self, root: Any) -> None:
        self._root = root
        self._sink: list[Line] = []
        self._paragraphs: list[_Paragraph] = []
        self._numbers = 0
        self.has_dropped = False
        """Whether something is gone that was packed and could not be read."""

    def lines(self) -> list[Line]:
        """Return what is read, in the order in which it stands.

        Raises:
            InputError: It is nested too deeply.
        """
        # Comments may stand before the root of a part and behind it.
        is_root = self._root.getparent() is None
        try:
            for before in reversed(list(self._root.itersiblings(preceding=True))) if is_root else ():
                self.node(before)
            self.node(self._root)
            for behind in self._root.itersiblings() if is_root else ():
                self.node(behind)
        except RecursionError:
            raise InputError("its elements are nested too deeply") from None
        return self._sink

    def node(self, element: Any) -> None:
        """Read one element and what is in it."""
        if not isinstance(element.tag, str):  # a comment or an instruction to a program
            if (element.text or "").strip():
                self._sink.append([Passage([Place(element)])])
            return
        name = words.name_of(element.tag)
        self._attributes(element, name)
        if name in words.PARAGRAPHS:
            self._paragraph(element)
        elif name in words.ROWS:
            self._row(element)
        else:
            self._other(element, name)

    def children(self, element: Any) -> None:
        """Read what is in an element."""
        for child in element:
            self.node(child)
            if child.tail and child.tail.strip():
                self._text(Place(child, _TAIL), within=self._in_text(element))

    def _each(self, stretches: Stretches) -> None:
        for slot in stretches.slots:
            self.say(Passage([slot]))

    def say(self, *parts: Passage | str) -> None:
        """Add a line."""
        self._sink.append(list(parts))

    def _other(self, element: Any, name: str) -> None:
        here = self._paragraphs[-1] if self._paragraphs else None
        if name in words.APART:
            self._paragraphs.append(_Paragraph(element))
            self._leaf(element, name)
            self.children(element)
            self._sink.extend(self._paragraphs.pop().lines())
            return
        state = "deleted" if name in words.DELETED else "inserted" if name in words.INSERTED else ""
        if here is not None and state:
            here.states.append(state)
        if here is not None and name in words.MARKS:
            begins, state = words.MARKS[name]
            if begins:
                here.states.append(state)
            elif state in here.states:
                here.states.remove(state)
            state = ""
        if here is not None and name in words.SHOWN and not _holds(element) and not _is_setting(element):
            if words.SHOWN[name]:
                here.items.append((words.SHOWN[name], self._state()))
            return
        counts = name in words.NUMBERS
        self._numbers += counts
        self._leaf(element, name)
        self.children(element)
        self._numbers -= counts
        if here is not None and state:
            here.states.remove(state)

    def _leaf(self, element: Any, name: str) -> None:
        text = element.text
        if not text:
            return
        here = self._paragraphs[-1] if self._paragraphs else None
        if name in words.PACKED:
            element.text = ""
            self.has_dropped = True
        elif name in words.FORMULAS:
            self._each(Stretches(Place(element), words.WRITTEN_IN_FORMULAS))
        elif name in words.RUNNING:
            self._each(Stretches(Place(element), words.RUNNING_CODES, between=True))
        elif here is not None and name in words.TEXTS:
            self._text(Place(element), within=True)
        elif here is not None and name in words.FIELD_CODES:
            here.codes.append(Place(element))
        elif (kind := words.author_type(name, element.attrib)) is not None:
            self.say("작성자: ", Passage([Place(element)], is_a=kind))
        elif words.is_read(name, text, bool(self._numbers)):
            self.say(Passage([Place(element)]))

    def _text(self, place: Place, *, within: bool) -> None:
        if within and self._paragraphs:
            self._paragraphs[-1].items.append((place, self._state()))
        else:
            self.say(Passage([place]))

    def _in_text(self, element: Any) -> bool:
        return words.name_of(element.tag) in words.TEXTS

    def _state(self) -> str:
        states = self._paragraphs[-1].states
        return "deleted" if "deleted" in states else "inserted" if "inserted" in states else ""

    def _paragraph(self, element: Any) -> None:
        self._paragraphs.append(_Paragraph(element))
        self.children(element)
        self._sink.extend(self._paragraphs.pop().lines())

    def _row(self, element: Any) -> None:
        outer, cells = self._sink, []
        for child in element:
            self._sink = []
            self.node(child)
            if self._sink:
                cells.append(self._sink)
        self._sink = outer
        if all(len(cell) <= _MOST_PARAGRAPHS for cell in cells):
            self._sink.append(joined([joined(cell, " ") for cell in cells], "\t"))
        else:
            self._sink.extend(line for cell in cells for line in cell)

    def _attributes(self, element: Any, name: str) -> None:
        for attribute, value in list(element.attrib.items()):
            called = words.name_of(attribute)
            if called in words.BINARY_ATTRIBUTES:
                del element.attrib[attribute]
                self.has_dropped = True
                continue
            use = words.attribute_use(name, called, value)
            if use == "read":
                self.say(Passage([Place(element, f"@{attribute}")]))
            elif use:
                self.say("작성자: ", Passage([Place(element, f"@{attribute}")], is_a=use))


def joined(lines: list[Line], between: str) -> Line:
    """Return lines as one."""
    made: Line = []
    for line in lines:
        if made:
            made.append(between)
        made += line
    return made


def _holds(element: Any) -> bool:
    return bool(element.text and element.text.strip()) or len(element) > 0


def _is_setting(element: Any) -> bool:
    """Tell whether an element says where tabs stop, and is none."""
    parent = element.getparent()
    return parent is not None and words.name_of(parent.tag) == "w:tabs"
