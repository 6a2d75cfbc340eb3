"""Documents: Word, Excel, PowerPoint, Hangul (HWPX), e-mail and PDF, redacted and restored as a whole.

::

    archive (zip) ─▶ office (parts) ─┐
    mail (headers, bodies) ──────────┼─▶ lines of passages ─▶ one text ─▶ what is found ─▶ passages ─▶ parts ─▶ leaks
    pdf (text) ──────────────────────┘    markup, spreadsheets, web

A document is read as one text, so that a label in one cell is beside the value in the next, and a name that the body tells is
known in its header, its comments and its properties.
"""

from __future__ import annotations

from sovguard.pipeline.files.documents.work import work_on

__all__ = ["work_on"]
