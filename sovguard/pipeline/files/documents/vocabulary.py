"""What the elements and attributes of office documents are for: which hold what people read, and which hold whose name.

Names are written with the prefix that the standards use (``w:p``), whatever a file calls its namespaces. Sources: ECMA-376 and
ISO/IEC 29500 (Office Open XML), [MS-DOCX], [MS-XLSX], [MS-PPTX], KS X 6101 (OWPML, the format of HWPX).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_PREFIXES = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "w",
    "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
    "http://schemas.openxmlformats.org/drawingml/2006/main": "a",
    "http://purl.oclc.org/ooxml/drawingml/main": "a",
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main": "x",
    "http://purl.oclc.org/ooxml/spreadsheetml/main": "x",
    "http://schemas.openxmlformats.org/presentationml/2006/main": "p",
    "http://purl.oclc.org/ooxml/presentationml/main": "p",
    "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing": "wp",
    "http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing": "wp",
    "http://schemas.microsoft.com/office/word/2010/wordprocessingDrawing": "wp",
    "http://schemas.openxmlformats.org/drawingml/2006/chart": "c",
    "http://purl.oclc.org/ooxml/drawingml/chart": "c",
    "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
    "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties": "ap",
    "http://purl.oclc.org/ooxml/officeDocument/extendedProperties": "ap",
    "http://schemas.openxmlformats.org/package/2006/metadata/core-properties": "cp",
    "http://schemas.openxmlformats.org/package/2006/relationships": "rel",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://www.idpf.org/2007/opf/": "opf",
    "http://www.idpf.org/2007/opf": "opf",
    "urn:schemas-microsoft-com:office:office": "o",
    "urn:schemas-microsoft-com:vml": "v",
    "http://schemas.openxmlformats.org/package/2006/content-types": "ct",
}
_OWPML = re.compile("(?:hancom|owpml).*/(paragraph|section|head|core|master-page|history)$")
_OWPML_PREFIXES = {
    "paragraph": "hp", "section": "hs", "head": "hh", "core": "hc", "master-page": "hm", "history": "hhs",
}  # fmt: skip

PARAGRAPHS = frozenset({"w:p", "a:p", "hp:p", "x:si", "x:is"})
ROWS = frozenset({"w:tr", "a:tr", "hp:tr"})
TEXTS = frozenset({"w:t", "w:delText", "a:t", "hp:t", "x:t", "m:t"})
"""Elements whose text is a part of the paragraph that they stand in."""
FIELD_CODES = frozenset({"w:instrText", "w:delInstrText"})
"""Elements whose text is code of a field: a part of the paragraph's codes, which are read by themselves."""
APART = frozenset({"x:rPh"})
"""Elements within a paragraph that are read by themselves."""
SHOWN = {
    "w:tab": "\t", "w:br": "\n", "w:cr": "\n", "w:noBreakHyphen": "-", "w:sym": "□", "w:ptab": "\t", "w:softHyphen": "",
    "a:br": "\n", "hp:tab": "\t", "hp:lineBreak": "\n", "hp:nbSpace": " ", "hp:fwSpace": " ", "hp:hyphen": "-",
}  # fmt: skip
"""Elements that stand for a character."""
DELETED = frozenset({"w:del", "w:moveFrom"})
INSERTED = frozenset({"w:ins", "w:moveTo"})
MARKS = {
    "hp:deleteBegin": (True, "deleted"), "hp:deleteEnd": (False, "deleted"),
    "hp:insertBegin": (True, "inserted"), "hp:insertEnd": (False, "inserted"),
}  # fmt: skip
"""Elements between which text was deleted or inserted."""
LAYOUT_CACHES = frozenset({"hp:linesegarray"})
"""Elements that say where the lines of a paragraph broke; they are wrong when it has changed."""
BINARY_ATTRIBUTES = frozenset({"o:gfxdata"})
"""Attributes that hold a drawing once more, packed."""
PACKED = frozenset({"w:fldData", "DataMashup"})
"""Elements whose text is something else, packed."""
FORMULAS = frozenset(
    {
        "x:f",
        "c:f",
        "x:formula",
        "x:formula1",
        "x:formula2",
        "x:definedName",
        "x:oldFormula",
        "x:calculatedColumnFormula",
    }
)
"""Elements whose text is a formula: what people wrote in it stands in quotes, or is the name of a sheet."""
WRITTEN_IN_FORMULAS = re.compile(
    """"((?:[^"]|"")*)"|'((?:[^']|'')*[^\\x00-\\x7f](?:[^']|'')*)'!|([A-Za-z0-9_.]*[^\\x00-\\x7f][^\\x00-\\x2d/:-@^]*)!"""
)
RUNNING = frozenset(f"x:{which}{what}" for which in ("odd", "even", "first") for what in ("Header", "Footer"))
"""Elements whose text is that of headers and footers of sheets, with codes in it."""
RUNNING_CODES = re.compile('&(?:"[^"]*"|[0-9]{1,3}|K[0-9A-Fa-f]{6}|[0-9A-Za-z&+-])')
LIMITS = {
    ("w:alias", "val"): 64, ("w:tag", "val"): 64, ("x:dataValidation", "promptTitle"): 32, ("x:dataValidation", "prompt"): 255,
    ("x:dataValidation", "errorTitle"): 32, ("x:dataValidation", "error"): 255,
}  # fmt: skip
"""Characters that attributes may have."""
TEXT_LIMITS = {**dict.fromkeys(RUNNING, 255), "x:formula1": 255, "x:formula2": 255}
"""Characters that texts may have."""
GEOMETRY = frozenset({"wp"})
NUMBERS = frozenset({"c:numCache", "c:numLit", "x:v"})
"""Elements below which numbers are nothing but numbers."""

_AUTHORS = frozenset({"dc:creator", "cp:lastModifiedBy", "x:author", "ap:Manager"})
_AUTHOR_ATTRIBUTES = frozenset({"author", "initials", "lastModifiedBy", "userName", "refreshedBy"})
_NAMED_AUTHORS = frozenset({"cmAuthor", "author", "trackChangeAuthor", "userInfo", "person", "scenario"})
"""Elements whose ``name``, ``displayName`` or ``user`` is that of an author."""
_HWP_AUTHORS = frozenset({"creator", "lastsaveby"})
_READ = frozenset(
    {"title", "descr", "alt", "tooltip", "display", "prompt", "promptTitle", "error", "errorTitle", "tag", "alias", "docVar"}
)  # fmt: skip
_VALUED = frozenset({"w:alias", "w:tag", "w:docVar", "w:dropDownList", "w:listItem", "p:tag"})
"""Elements whose ``val``, ``value`` or ``displayText`` people write."""
_OFFICE = frozenset({"w", "a", "x", "p", "wp", "c", "o", "v", "rel", "ct"})
_CACHED = frozenset(
    {("x:s", "v"), ("x:n", "v"), ("x:d", "v"), ("x:filter", "val"), ("x:customFilter", "val"), ("w:dropDownList", "lastValue"),
     ("w:comboBox", "lastValue"), ("w:default", "val"), ("v:textpath", "string"), ("hp:listItem", "value"),
     ("hp:listItem", "displayText"), ("hp:edit", "caption"), ("hp:textart", "text")}
)  # fmt: skip
"""Attributes that hold what people wrote, be it only a number."""
_NEVER = frozenset(
    {"style", "path", "adj", "coordsize", "coordorigin", "points", "from", "to", "uri", "Type", "PartName",
     "typeface", "face"}
)  # fmt: skip
_FONTS = frozenset(
    {"w:rFonts", "w:font", "x:name", "x:rFont", "a:buChar", "a:font", "hh:font", "hh:fontface"}
)
"""Elements whose attributes are names of fonts and signs of lists."""
_MACHINES = re.compile("true|false|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+Z-]+|[+-]?[0-9.]{1,7}")
"""Texts that programs write."""
_TECHNICAL = re.compile(
    r"[+-]?[0-9]{1,9}(?:[.][0-9]+)?(?:[a-zA-Z%]{1,3})?|\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?|(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{6,40}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+Z-]+|https?://(?:schemas[.]|purl[.]|www[.]w3[.]|www[.]hancom[.]|www[.]owpml[.]|www[.]idpf[.])[!-~]*"
)
_SURROGATE = re.compile("[A-Z]{2,}[-~][0-9A-Z]{6}")
_LETTERS = re.compile("[^\x00-\x7f]")
_DIGIT = re.compile("[0-9]")
_REMEMBERED = 4096
"""Names that are remembered: a hostile document may have any number of different ones."""
_ENOUGH = 7
"""Digits of the shortest number that tells who somebody is."""


@lru_cache(_REMEMBERED)
def prefix(uri: str) -> str:
    """Return the prefix that the standards use for a namespace; an empty text for one that is not known here."""
    if uri in _PREFIXES:
        return _PREFIXES[uri]
    found = _OWPML.search(uri)
    return _OWPML_PREFIXES[found[1]] if found is not None else ""


@lru_cache(_REMEMBERED)
def name_of(clark: str) -> str:
    """Return the name of an element or attribute with the standards' prefix, from ``{namespace}name``."""
    if not clark.startswith("{"):
        return clark
    uri, _, local = clark[1:].partition("}")
    short = prefix(uri)
    return f"{short}:{local}" if short else local


@lru_cache(_REMEMBERED)
def local_of(name: str) -> str:
    """Return a name without what stands before its colon."""
    return name.rpartition(":")[2]


def is_technical(value: str) -> bool:
    """Tell whether a value is nothing that people write: a number with a unit, a hash, an id, a time, a schema."""
    return _TECHNICAL.fullmatch(value.strip()) is not None


def tells(value: str) -> bool:
    """Tell whether a value may say something of somebody: it has Hangul or an @, or digits enough and is nothing technical.

    What may be a surrogate does too: it is to be put back.
    """
    if "@" in value or _LETTERS.search(value) is not None or _SURROGATE.search(value) is not None:
        return True
    return len(_DIGIT.findall(value)) >= _ENOUGH and not is_technical(value)


def author_type(name: str, attributes: Any) -> str | None:
    """Return what an element's text is as a whole: the name of a person, or ``None``."""
    if name in _AUTHORS:
        return "PERSON"
    if name == "opf:meta" and attributes.get("name") in _HWP_AUTHORS:
        return "PERSON"
    return None


def attribute_use(element: str, attribute: str, value: str) -> str:
    """Return what is to be done with an attribute.

    Returns:
        ``"PERSON"`` or ``"ID_NUMBER"``: all of it is one. ``"read"``: something may be found in it. ``""``: nothing.
    """
    local = local_of(attribute)
    if not value.strip() or (local in _NEVER and element.partition(":")[0] in _OFFICE) or element in _FONTS:
        return ""
    if local in _AUTHOR_ATTRIBUTES or (
        local in ("name", "displayName", "user") and local_of(element) in _NAMED_AUTHORS
    ):
        return "PERSON"
    if local == "userId" and not is_technical(value):
        return "ID_NUMBER"
    if (
        (element, local) in _CACHED
        or local in _READ
        or (element in _VALUED and local in ("val", "value", "displayText", "name"))
    ):
        return "read"
    return "read" if tells(value) else ""


def is_read(name: str, text: str, numbers: bool) -> bool:
    """Tell whether the text of an element that is no part of a paragraph may say something of somebody.

    Args:
        name: The element's name.
        text: Its text.
        numbers: Whether it stands below something whose numbers are nothing but numbers.
    """
    if name.partition(":")[0] in GEOMETRY or not text.strip():
        return False
    if ":" not in name:  # of somebody's own making
        return True
    return not (is_technical(text) if numbers else _MACHINES.fullmatch(text.strip()))
