"""The text of a PDF. A redacted copy of one is text: nothing else of the file comes out."""

from __future__ import annotations

from typing import Any

from sovguard.errors import ConfigError, InputError

_MOST_CHARACTERS = 200_000_000


def text_of(data: bytes) -> tuple[str, int]:
    """Return the text of a PDF, page by page with a form feed between, and how many pages have none.

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
    return "\f".join(pages) + "\n", empty


def _page(document: Any, number: int) -> str:
    page = document[number]
    try:
        lines = page.get_textpage()
        try:
            return str(lines.get_text_bounded()).replace("\r\n", "\n").replace("\ufffe", "")
        finally:
            lines.close()
    finally:
        page.close()


def _library() -> Any:
    try:
        import pypdfium2
    except ImportError:
        raise ConfigError("PDF needs pypdfium2: pip install 'sovguard[documents]'") from None
    return pypdfium2
