"""Word, Excel, PowerPoint and Hangul documents: the parts of their archives, each read and written by what it is.

Everything that a part may say is read: bodies, tables, notes, headers, footers, comments and who wrote them, tracked changes,
properties, links, caches of charts and pivot tables, previews. A part that nobody here can read makes the document one that is
not worked on.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import Any

from sovguard.errors import InputError
from sovguard.pipeline.files.documents.archive import Member, opened, packed
from sovguard.pipeline.files.documents.markup import Markup, Place, parsed, written
from sovguard.pipeline.files.documents.passages import Line, Passage
from sovguard.pipeline.files.documents.pictures import PICTURES, RECORDINGS, Unread, blank
from sovguard.pipeline.files.documents.spreadsheets import NAME, SharedStrings, Sheet, check_name
from sovguard.pipeline.files.documents.vocabulary import LIMITS, TEXT_LIMITS, local_of, name_of

COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How files of the old binary formats begin, and those with a password."""
_DEEPEST = 3
_MARKUP = frozenset({".xml", ".rels", ".vml", ".hpf", ".rdf", ".psmdcp"})
_TEXT = frozenset({".txt", ".js"})
_KEPT = frozenset({".odttf", ".fntdata", ".ttf", ".otf"})
"""Fonts: no text of the document's."""
_ACTIVE = ("vbaproject", "vbadata", "activex", "macrosheets/", "xlmacro")
_PREVIEWS = ("docprops/thumbnail.", "preview/prvimage.")


class Package:
    """A document that is an archive, opened.

    Args:
        data: Its octets.
        unread: What becomes of pictures.
        number: Gives back the number that a text takes the place of; ``None`` where values are not put back.
        depth: In how many other documents it stands.

    Raises:
        InputError: It is damaged, encrypted, signed, has macros, or a part that cannot be read.
        ConfigError: lxml is not installed.
    """

    def __init__(
        self,
        data: bytes,
        unread: Unread,
        number: Callable[[str], str | None] | None = None,
        *,
        depth: int = 0,
    ) -> None:
        self._members = opened(data)
        self._unread, self._number, self._depth = unread, number, depth
        names = {member.name for member in self._members}
        if "[Content_Types].xml" not in names and "mimetype" not in names:
            raise InputError("it is an archive of another kind than DOCX, XLSX, PPTX and HWPX")
        self._trees: dict[str, Any] = {}
        self._texts: dict[str, _Held] = {}
        self._within: dict[str, Package] = {}
        self._new: dict[str, bytes] = {}
        self._passages: dict[str, list[Passage]] = {}
        self._dropped: set[str] = set()
        for member in self._members:
            self._take(member)

    def __repr__(self) -> str:
        return f"Package({len(self._members)} parts)"

    def parts(self) -> Iterator[list[Line]]:
        """Yield what is read, part by part."""
        strings, place = None, ""
        for name, tree in self._trees.items():
            if name_of(tree.getroot().tag) == "x:sst":
                strings, place = SharedStrings(tree.getroot()), name
        shared: list[Line] = []
        for name, tree in self._trees.items():
            root = tree.getroot()
            if name == place:
                continue
            if name.endswith(".rels"):
                lines = _links(root)
            else:
                is_sheet = name_of(root.tag) == "x:worksheet"
                markup = Sheet(root, strings, self._number) if is_sheet else Markup(root)
                lines = markup.lines()
                if markup.has_dropped:
                    self._dropped.add(name)
            yield self._noted(name, lines)
            if strings is not None:
                shared += lines
        if strings is not None:
            lines = strings.left()
            self._noted(place, [*shared, *lines])
            yield lines
        for name, held in self._texts.items():
            yield self._noted(name, [[Passage([held])]])
        for package in self._within.values():
            yield from package.parts()

    def contents(self) -> Iterator[tuple[str, bytes, bool]]:
        """Yield its parts as they are now, those of documents within it too: name, octets, whether they are text."""
        for member in self._members:
            if member.name in self._within:
                yield from self._within[member.name].contents()
            else:
                yield (
                    member.name,
                    self._octets(member),
                    member.name in self._trees or member.name in self._texts,
                )

    def packed(self) -> bytes:
        """Return its octets as it is now.

        Raises:
            InputError: Something in it can no longer be what it was.
        """
        return packed(
            [
                Member(member.name, self._octets(member), member.stored, member.date)
                for member in self._members
            ]
        )

    def _noted(self, name: str, lines: list[Line]) -> list[Line]:
        self._passages[name] = [part for line in lines for part in line if isinstance(part, Passage)]
        return lines

    def _take(self, member: Member) -> None:
        name = member.name.lower()
        suffix = f".{name.rpartition('.')[2]}"  # that of .rels is all of its name
        if any(mark in name for mark in _ACTIVE):
            raise InputError("it has macros or active controls; save it without")
        if name.startswith("_xmlsignatures/") or name == "meta-inf/documentsignatures.xml":
            raise InputError("it is signed, and what comes out could not be; save it without its signature")
        if any(name.startswith(preview) for preview in _PREVIEWS):
            self._new[member.name] = blank(name)
        elif suffix in PICTURES or suffix in RECORDINGS:
            self._new[member.name] = self._unread.outcome(name, member.data)
        elif suffix in _MARKUP or name == "mimetype":
            if name != "mimetype":
                self._trees[member.name] = self._tree(member)
        elif suffix in _TEXT or name.startswith("scripts/"):
            self._texts[member.name] = _Held(member.data)
        elif member.data.startswith(b"PK\x03\x04") and self._depth < _DEEPEST:
            self._within[member.name] = Package(
                member.data, self._unread, self._number, depth=self._depth + 1
            )
        elif suffix not in _KEPT and not _is_for_printers(name):
            raise InputError(
                "it has an object within it that cannot be read (OLE, another program's file); take it out"
            )

    def _tree(self, member: Member) -> Any:
        tree = parsed(member.data, "a part of it")
        root = tree.getroot()
        if member.name == "[Content_Types].xml" and b"macroEnabled" in member.data:
            raise InputError("it is of a kind that has macros; save it without")
        if member.name == "META-INF/manifest.xml" and any(
            isinstance(each.tag, str) and name_of(each.tag).endswith("encryption-data")
            for each in root.iter()
        ):
            raise InputError("it is encrypted: save it without a password")
        return tree

    def _octets(self, member: Member) -> bytes:
        name = member.name
        if name in self._new:
            return self._new[name]
        if name in self._within:
            return self._within[name].packed()
        changed = any(passage.has_changed for passage in self._passages.get(name, ()))
        if not changed and name not in self._dropped:
            return member.data
        if name in self._texts:
            return self._texts[name].octets()
        root = self._trees[name].getroot()
        if changed and self._number is None:
            _check_limits(root)
        return written(self._trees[name])


class _Held:
    """A part that is text."""

    def __init__(self, data: bytes) -> None:
        wide = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(data[:2])
        if wide is None and b"\0" in data:
            wide = "utf-16-le"
        for codec in (wide,) if wide else ("utf-8", "cp949"):
            try:
                self._text, self._codec = data.decode(codec), codec
                if self._text.encode(codec) == data:
                    return
            except UnicodeError:
                continue
        raise InputError("a part of it is text in an encoding that cannot be told")

    def read(self) -> str:
        return self._text

    def write(self, text: str) -> None:
        self._text = text

    def octets(self) -> bytes:
        return self._text.encode(self._codec)


def _links(root: Any) -> list[Line]:
    """Return the links to places outside of the document, and comments between them."""
    lines: list[Line] = [
        [Passage([Place(each, "@Target")])]
        for each in root
        if isinstance(each.tag, str) and each.get("TargetMode") == "External" and each.get("Target")
    ]
    lines += [[Passage([Place(each)])] for each in root.iter() if not isinstance(each.tag, str) and each.text]
    return lines


def _check_limits(root: Any) -> None:
    """Return if nothing in a part is longer than it may be, or is no name where one has to be.

    Raises:
        InputError: Something is: what takes the place of a value is longer than the value.
    """
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        name = name_of(element.tag)
        if name == "x:sheet":
            check_name(element.get("name") or "")
        elif name == "x:definedName" and not NAME.fullmatch(element.get("name") or ""):
            raise InputError("a name that it defines says something of somebody; name that otherwise")
        short = [
            limit
            for (of, attribute), limit in LIMITS.items()
            if of == name and _length(element, attribute) > limit
        ]
        if short or len(element.text or "") > TEXT_LIMITS.get(name, 1 << 30):
            limit = (*short, TEXT_LIMITS.get(name, 0))[0]
            raise InputError(
                f"a field of it ({name}) may have {limit} characters, and what takes the place of a value in it is longer; "
                "shorten it, or use a mapping, whose surrogates are short"
            )


def _length(element: Any, attribute: str) -> int:
    return max(
        (len(value) for name, value in element.attrib.items() if local_of(name_of(name)) == attribute),
        default=0,
    )


def _is_for_printers(name: str) -> bool:
    return "printersettings" in name and name.endswith(".bin")
