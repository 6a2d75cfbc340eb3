"""The text of a PDF. A redacted copy of one is text: nothing else of the file comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.files.documents.pdf_tables import Line, Word, with_cells

_MOST_CHARACTERS = 200_000_000
_LINE = re.compile("([^\r\n]+)|\r?\n(?=\r?\n)")
_WORD = re.compile("\\S+")


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
            return "\n".join(with_cells(list(_lines(page, text)))).replace("\ufffe", "")
        finally:
            text.close()
    finally:
        page.close()


def _lines(page: Any, text: Any) -> Iterator[Line]:
    """Yield the lines of a page, without words that stand beside the page, where nobody sees them."""
    said = text.get_text_range()
    if len(said) != text.count_chars():  # characters that are two or none: where words stand cannot be told
        for line in text.get_text_bounded().replace("\r\n", "\n").split("\n"):
            yield Line(line, (), 0.0, 0.0)
        return
    low, bottom, high, top = page.get_bbox()
    for line in _LINE.finditer(said):
        words, heights, bottoms = [], [0.0], []
        shown = True
        for word in _WORD.finditer(said, *line.span(1)) if line[1] else ():
            begin, end = text.get_charbox(word.start()), text.get_charbox(word.end() - 1)
            left, right = min(begin[0], end[0]), max(begin[2], end[2])
            if (
                right <= low
                or left >= high
                or max(begin[3], end[3]) <= bottom
                or min(begin[1], end[1]) >= top
            ):
                shown = False
                continue
            words.append(Word(word[0], left, right))
            heights.append(max(begin[3] - begin[1], end[3] - end[1]))
            bottoms.append(begin[1])
        if words or shown:
            text_shown = (line[1] or "") if shown else " ".join(word.text for word in words)
            yield Line(text_shown, words, min(bottoms, default=0.0), max(heights))


def _library() -> Any:
    try:
        import pypdfium2
    except ImportError:
        raise ConfigError("PDF needs pypdfium2: pip install 'sovguard[documents]'") from None
    return pypdfium2
