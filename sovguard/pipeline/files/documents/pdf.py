"""The text of a PDF. A redacted copy of one is text: nothing else of the file comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.files.documents.pdf_tables import Line, Tables, Word

_Box = tuple[float, float, float, float]
"""Left, bottom, right and top, in points."""
_MOST_CHARACTERS = 200_000_000
_LINE = re.compile("[^\r\n]+")
_BETWEEN_PAGES = "\n\f"
_WORD = re.compile("\\S+")
_BROKEN = re.compile("[\ufffe\x02]")
"""What stands where a word is broken at the end of a line."""


@dataclass(frozen=True, slots=True, repr=False)
class PdfText:
    """What a PDF says.

    Attributes:
        text: Its lines, page by page with a form feed before each but the first.
        tables: What stands in tables, read a second time.
        empty: How many pages have no text.
    """

    text: str
    tables: Tables
    empty: int

    def __repr__(self) -> str:
        return f"PdfText({len(self.text)} characters)"


def text_of(data: bytes) -> PdfText:
    """Return the text of a PDF.

    Raises:
        InputError: It is damaged or encrypted, or none of its pages has text.
        ConfigError: pypdfium2 is not installed.
    """
    library = _library()
    try:
        document = library.PdfDocument(data)
    except library.PdfiumError as error:
        why = (
            "it is encrypted: save it without a password"
            if "password" in str(error).lower()
            else "it is damaged"
        )
        raise InputError(why) from None
    pages: list[str] = []
    tables, empty, length = Tables(), 0, 0
    try:
        for number in range(len(document)):
            text, lines = _page(document, number, length)
            empty += not text.strip()
            length += len(text) + len(_BETWEEN_PAGES)
            if length > _MOST_CHARACTERS:
                raise InputError("it has far too much text, and is not worked on")
            pages.append(text)
            tables.add_page(lines)
    except library.PdfiumError:
        raise InputError("it is damaged: a page of it cannot be read") from None
    finally:
        document.close()
    if not pages or empty == len(pages):
        raise InputError("it has no text: its pages are pictures (scans); read them with OCR first")
    return PdfText(_BETWEEN_PAGES.join(pages) + "\n", tables, empty)


def _page(document: Any, number: int, offset: int) -> tuple[str, list[Line]]:
    """Return what a page says where it is shown, and the lines of its words, with offsets that begin with one."""
    page = document[number]
    try:
        text = page.get_textpage()
        try:
            shown = _BROKEN.sub("", text.get_text_bounded().replace("\r\n", "\n"))
            lines = list(_lines(text, page.get_bbox()))
        finally:
            text.close()
    finally:
        page.close()
    places = [offset + at for at, letter in enumerate(shown) if not letter.isspace()]
    # The library puts blanks elsewhere where it is asked otherwise; what stands between them is the same.
    if "".join(word.text for line in lines for word in line.words) != "".join(shown.split()):
        return shown, []
    at = 0
    for line in lines:
        for word in line.words:
            word.places = places[at : at + len(word.text)]
            at += len(word.text)
    return shown, lines


def _lines(text: Any, page: _Box) -> Iterator[Line]:
    """Yield the lines of a page, without what stands beside the page, where nobody sees it."""
    said = text.get_text_range()
    # It counts in UTF-16.
    units = [*accumulate([1 + (letter > "\uffff") for letter in said], initial=0)]
    if units[-1] != text.count_chars():  # where words stand cannot be told
        return
    for line in _LINE.finditer(said):
        words: list[Word] = []
        bottoms: list[float] = []
        heights: list[float] = []
        for word in _WORD.finditer(said, *line.span()):
            first, last = (text.get_charbox(units[place]) for place in (word.start(), word.end() - 1))
            if _meet(box := _around(first, last), page):
                words.append(Word(_BROKEN.sub("", word[0]), (), box[0], box[2]))
                bottoms.append(first[1])  # of the first, for a word may end in the next line
                heights.append(max(first[3] - first[1], last[3] - last[1]))
        if words:
            yield Line(words, min(bottoms), max(heights))


def _around(first: _Box, last: _Box) -> _Box:
    return (
        min(first[0], last[0]),
        min(first[1], last[1]),
        max(first[2], last[2]),
        max(first[3], last[3]),
    )


def _meet(box: _Box, other: _Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]


def _library() -> Any:
    try:
        import pypdfium2
    except ImportError:
        raise ConfigError("PDF needs pypdfium2: pip install 'sovguard[documents]'") from None
    return pypdfium2
