"""What of an answer is prose: not code between fences or backticks, not JSON.

Only in prose are particles made to agree. What lies ahead is never asked for, so that an answer that comes in pieces is
judged as the whole would be.
"""

from __future__ import annotations

import re

_STRUCTURED = re.compile(r'\s*(?:\{\s*["}]|\[\s*["\[{\]])')
_UNDECIDED = re.compile(r"\s*(?:[{\[]\s*)?")
_MARKS = re.compile("\n|`+|~+")
_FENCE = 3


def structured(text: str) -> bool | None:
    """Returns whether ``text`` begins as JSON does; ``None`` if only what follows it can tell."""
    if _STRUCTURED.match(text):
        return True
    return None if _UNDECIDED.fullmatch(text) else False


class Prose:
    """Follows a text in Markdown, piece by piece, and tells whether the place it has come to is prose.

    A fence of three or more backticks or tildes at the beginning of a line begins a block of code, as in CommonMark, and the
    next such fence ends it; a run of backticks within a line begins a span of code that a run of the same length, or the end
    of the line, ends.

    Attributes:
        in_block: Whether the place lies in a block of code.
        in_span: Whether it lies in a span of code.
    """

    __slots__ = ("_blank", "_fence", "_run", "_span")

    def __init__(self) -> None:
        self._fence = ""
        self._span = 0
        self._blank: int | None = 0  # how many spaces the line has, if it has nothing else
        self._run = ""

    @property
    def in_block(self) -> bool:
        """Whether the place lies in a block of code."""
        return bool(self._fence)

    @property
    def in_span(self) -> bool:
        """Whether it lies in a span of code."""
        return self._span > 0

    def pass_over(self, piece: str) -> None:
        """Moves on behind ``piece``; a run of marks at its end may go on in the next."""
        text = self._run + piece
        end = len(text.rstrip("`")) if text.endswith("`") else len(text.rstrip("~"))
        self._run = text[end:]
        self._read(text[:end])

    def come_to(self, piece: str) -> None:
        """Moves on behind ``piece``, to a place where something else than a mark stands."""
        self._read(self._run + piece)
        self._run = ""

    def _read(self, text: str) -> None:
        last = 0
        if "`" not in text and "~" not in text:
            # Of lines without marks only the last one tells anything; most of an answer is such lines.
            if (last := text.rfind("\n") + 1) > 0:
                self._blank, self._span = 0, 0
            self._pass(text, last, len(text))
            return
        for mark in _MARKS.finditer(text):
            self._pass(text, last, mark.start())
            last = mark.end()
            run = mark.group()
            if run == "\n":
                self._blank, self._span = 0, 0
                continue
            leads = self._blank is not None and self._blank <= _FENCE and len(run) >= _FENCE
            self._blank = None
            if self._fence:
                if leads and run.startswith(self._fence):
                    self._fence = ""
            elif leads:
                self._fence = run
            elif run[0] == "`":
                self._span = 0 if self._span == len(run) else self._span or len(run)
        self._pass(text, last, len(text))

    def _pass(self, text: str, start: int, end: int) -> None:
        if self._blank is not None and end > start:
            self._blank = self._blank + end - start if not text[start:end].strip(" ") else None
