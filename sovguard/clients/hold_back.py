"""Restoring a text that arrives in pieces: each is given out once no surrogate can still begin in it.

Used by the decorator for generator functions. What is held back is the end of the text that may yet become
a surrogate: some letters, or a surrogate cut short, never more than that. The pieces given out, put
together, are what restoring the whole text at once would give, wherever it was cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sovguard.surrogates import ALPHABET, BODY_LENGTH, find

if TYPE_CHECKING:
    from sovguard.session import Session

# What the next piece could bring: the rest of a body, a dash after the word, more of the word. Asking find()
# about each keeps the grammar in one place.
_BODY = ALPHABET[0] * BODY_LENGTH
_NEXT = (_BODY, f"-{_BODY}", f"A-{_BODY}")
# Longer than any spelling of a surrogate, with an invisible character between all of its letters.
_WINDOW = 80


class Lane:
    """Restores one text that arrives in pieces; one per text.

    Args:
        session: Whose values are put back.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._held = ""

    def __repr__(self) -> str:
        return f"Lane({len(self._held)} characters held)"

    def feed(self, piece: str) -> str:
        """Return what is certain after ``piece``; may be empty."""
        text = self._held + piece
        cut = self._certain(text)
        self._held = text[cut:]
        return self._session.restore_text(text[:cut]).text

    def flush(self) -> str:
        """Return what is still held, once nothing more comes."""
        text, self._held = self._held, ""
        return self._session.restore_text(text).text

    def _certain(self, text: str) -> int:
        """Return the offset before which nothing depends on what follows."""
        base = max(len(text) - _WINDOW, 0)
        tail = text[base:]
        open_starts = [
            candidate.start()
            for following in _NEXT
            for candidate in find(tail + following)
            if candidate.start() < len(tail) < candidate.end
        ]
        cut = min(open_starts, default=len(tail))
        for candidate in find(tail):
            # The last letters of a whole surrogate look like the first of another: not if it is one.
            if candidate.start() < cut < candidate.end and self._resolves(text[: base + candidate.end]):
                cut = candidate.end
        return base + cut

    def _resolves(self, text: str) -> bool:
        """Tell whether the candidate that ``text`` ends with stands for a value."""
        return not self._session.restore_text(text).text.endswith(text[-BODY_LENGTH:])
