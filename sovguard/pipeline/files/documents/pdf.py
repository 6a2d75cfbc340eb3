"""The text of a PDF. A redacted copy of one is text: nothing else of the file comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.files.documents.pdf_tables import Line, Word, with_cells

_Box = tuple[float, float, float, float]
"""Left, bottom, right and top, in points."""
_MOST_CHARACTERS = 200_000_000
_LINE = re.compile("([^\r\n]+)|\r?\n(?=\r?\n)")
_WORD = re.compile("\\S+")
_BROKEN = re.compile("[\ufffe\x02]")
"""What stands where a word is broken at the end of a line."""


def text_of(data: bytes) -> tuple[str, int]:
    """Return the text of a PDF, page by page with a form feed before each but the first, and how many pages have none.

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
    pages, empty, length = [], 0, 0
    try:
        for number in range(len(document)):
            text = _page(document, number)
            empty += not text.strip()
            length += len(text)
            if length > _MOST_CHARACTERS:
                raise InputError("it has far too much text, and is not worked on")
            pages.append(text)
    except library.PdfiumError:
        raise InputError("it is damaged: a page of it cannot be read") from None
    finally:
        document.close()
    if not pages or empty == len(pages):
        raise InputError("it has no text: its pages are pictures (scans); read them with OCR first")
    return "\n\f".join(pages) + "\n", empty


def _page(document: Any, number: int) -> str:
    page = document[number]
    try:
        text = page.get_textpage()
        try:
            return _BROKEN.sub("", "\n".join(with_cells(list(_lines(page, text)))))
        finally:
            text.close()
    finally:
        page.close()


def _lines(page: Any, text: Any) -> Iterator[Line]:
    """Yield the lines of a page, without words that stand beside the page, where nobody sees them."""
    said = text.get_text_range()
    # It counts in UTF-16.
    units = [*accumulate([1 + (letter > "\uffff") for letter in said], initial=0)]
    if units[-1] != text.count_chars():  # where words stand cannot be told
        for line in text.get_text_bounded().replace("\r\n", "\n").split("\n"):
            yield Line(line, (), 0.0, 0.0)
        return
    page_box = page.get_bbox()
    for line in _LINE.finditer(said):
        words, bottoms, heights = [], [], []
        all_shown = True
        for word in _WORD.finditer(said, *line.span(1)) if line[1] else ():
            first, last = (text.get_charbox(units[place]) for place in (word.start(), word.end() - 1))
            box = _around(first, last)
            if _meet(box, page_box):
                words.append(Word(word[0], box[0], box[2]))
                bottoms.append(first[1])  # of the first, for a word may end in the next line
                heights.append(max(first[3] - first[1], last[3] - last[1]))
            else:
                all_shown = False
        if words:
            said_here = line[0] if all_shown else " ".join(word.text for word in words)
            yield Line(said_here, words, min(bottoms), max(heights))
        elif not line[1] or not line[1].strip():
            yield Line("", (), 0.0, 0.0)


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
