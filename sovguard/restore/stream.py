"""Restoring a text that arrives in pieces: each is given out once nothing that follows can change it.

What is held back is the end of the text that may yet become a surrogate, and behind a value the particle that may yet go on:
a few characters, never a sentence. The pieces given out, put together, are what restoring the whole text at once would
give, wherever it was cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from sovguard.escapes import FIRST, begun
from sovguard.restore.particles import Agreement, settled
from sovguard.restore.prose import Prose, structured
from sovguard.restore.text import Hit, Resolved, agreement_at
from sovguard.spellings import DASHES, find
from sovguard.surrogates import ALPHABET, BODY_LENGTH

Sink = Literal["prose", "text", "json", "answer"]
"""Where values go: prose, whose particles agree with them; any text; the source of a JSON document, where they are escaped and
a string that is all surrogate of a number becomes the number; an answer, which is JSON if it begins like it, or else prose."""

# What the next piece could bring: the rest of a body, a dash after the word, more of the word. Asking find()
# about each keeps the grammar in one place.
_BODY = ALPHABET[0] * BODY_LENGTH
_NEXT = (_BODY, f"-{_BODY}", f"A-{_BODY}")
# Longer than any spelling of a surrogate: every character escaped, with marks and a line break beside its dash.
_WINDOW = 2048
_DASH = re.compile(f"[{re.escape(DASHES + FIRST)}]")
_QUIET = re.compile("[가-힣 ,.!?\n]+")
"""What neither begins nor ends a surrogate, a mark of code or a string: given out as it comes while nothing is held."""
_STOPS = re.compile("[^가-힣,.!?:=+/|@^$()<>\"'\\[\\]{}]*")
"""What stands, read backwards, behind the last character that no spelling of a surrogate holds."""


_COLON = re.compile('"[ \t\r\n]*')


def json_source(text: str, hit: Hit, low: int, *, final: bool) -> Agreement | None:
    """Returns what takes a hit's place in the source of a JSON document; ``None`` if that depends on what follows.

    Args:
        text: The source.
        hit: A surrogate in it.
        low: Where what was not yet given out begins.
        final: Whether nothing follows ``text``.
    """
    whole = Agreement(hit.start, hit.end, hit.written(json.dumps(hit.entry.value, ensure_ascii=False)[1:-1]))
    if hit.entry.kind == "str" or hit.start <= low or text[hit.start - 1] != '"':
        return whole
    if text[hit.start - 2 : hit.start - 1] == "\\":
        return whole
    closing = _COLON.match(text, hit.end)
    if closing is None:
        return whole if final or hit.end < len(text) else None
    if closing.end() == len(text) and not final:
        return None
    if text[closing.end() : closing.end() + 1] == ":":
        return whole  # a key is text, whatever it says
    return Agreement(hit.start - 1, hit.end + 1, hit.entry.value)


class Lane:
    """Restores one text that arrives in pieces; one per text.

    Args:
        resolve: Finds the session's surrogates in a text.
        sink: Where the text goes.
        particles: Whether particles in prose are made to agree.

    Attributes:
        unresolved: Strings that look like surrogates but stand for nothing in this session, each once.
        expired: Surrogates whose values have come to their end or were erased, each once.
        restored: How many surrogates gave way to their values.
    """

    __slots__ = (
        "_before",
        "_held",
        "_open",
        "_particles",
        "_prose",
        "_resolve",
        "_sink",
        "_torn",
        "expired",
        "restored",
        "unresolved",
    )

    def __init__(self, resolve: Callable[[str], Resolved], sink: Sink, *, particles: bool = True) -> None:
        self._resolve = resolve
        self._sink: Sink = sink
        self._particles = particles
        self._prose: Prose | None = None
        self._before = ""  # the end of what was given out, as it came
        self._held = ""
        # The value behind which a particle may go on, and whether it lies in a span of code.
        self._open: tuple[Hit, bool] | None = None
        # Whether what looked like a surrogate and was none is held at its end alone, and has yet to be reported.
        self._torn = False
        self.unresolved: list[str] = []
        self.expired: list[str] = []
        self.restored = 0

    def __repr__(self) -> str:
        return f"Lane({len(self._held)} characters held)"

    def feed(self, piece: str) -> str:
        """Return what is certain after ``piece``; may be empty."""
        decided = self._prose is not None or self._sink in ("text", "json")
        if decided and not self._held and self._open is None and self._before and _QUIET.fullmatch(piece):
            self._before = (self._before + piece)[-_WINDOW:]
            if self._prose is not None:
                self._prose.pass_over(piece)
            return piece
        self._held += piece
        return self._given(final=False)

    def flush(self) -> str:
        """Return what is still held, once nothing more comes."""
        return self._given(final=True)

    def _given(self, *, final: bool) -> str:
        if self._sink in ("prose", "answer") and self._prose is None and self._held:
            begins = structured(self._held)
            if begins is None and not final:
                # Blanks at the beginning tell nothing, however many come.
                blank = self._held[: len(self._held) - len(self._held.lstrip())]
                self._before, self._held = (self._before + blank)[-_WINDOW:], self._held[len(blank) :]
                return blank
            self._sink = "prose" if not begins else "json" if self._sink == "answer" else "text"
            self._prose = Prose()
            self._prose.pass_over(self._before)
            if not self._particles and self._sink == "prose":
                self._sink = "text"
        base = len(self._before)
        text = self._before + self._held
        parts: list[str] = []
        at = base
        if self._open is not None:
            if not final and not settled(text, base):
                return ""
            hit, in_span = self._open
            self._open = None
            at = self._put(text, base, agreement_at(text, hit, in_span), parts)
        torn = self._torn
        cut = len(text) if final else self._certain(text)
        if self._sink == "json" and not final and cut > at and text[cut - 1] == '"':
            cut -= 1  # it may open a string that is all surrogate
        # An agreement may reach no further than letters can, so the cut is never within it.
        hits: list[Hit] = []
        if torn or _DASH.search(text, base, max(cut, at)):
            # What was given out before the last character that no surrogate holds was looked at when it came.
            low = max(0, base - _behind_stop(text[:base]) - 1)
            resolved = self._resolve(text[low : max(cut, at)])
            self._report(resolved, base - low)
            hits = [
                replace(hit, start=hit.start + low, end=hit.end + low, dash=hit.dash + low)
                for hit in resolved.hits
                if hit.start + low >= at
            ]
        for hit in hits:
            if hit.start < at:
                continue
            if self._sink == "json":
                source = json_source(text, hit, at, final=final)
                if source is None:
                    cut = hit.start - 1
                    break
                parts += (text[at : source.start], source.written)
                self.restored += 1
                at = source.end
                continue
            parts += (text[at : hit.start], hit.written())
            self.restored += 1
            at = self._behind(text, at, hit, parts, final=final)
            if self._open is not None:
                cut = at
                break
        parts.append(text[at : max(cut, at)])
        if self._prose is not None and self._open is None:
            self._prose.pass_over(text[at : max(cut, at)])
        self._keep(text, max(cut, at))
        return "".join(parts)

    def _behind(self, text: str, at: int, hit: Hit, parts: list[str], *, final: bool) -> int:
        """Return where to go on behind a hit, once its particle is written; else leave it open."""
        prose = self._prose
        if self._sink != "prose" or prose is None:
            return hit.end
        prose.come_to(text[at : hit.start])
        in_block, in_span = prose.in_block, prose.in_span
        prose.pass_over(text[hit.start : hit.end])
        if in_block:
            return hit.end
        if not final and not settled(text, hit.end):
            self._open = hit, in_span
            return hit.end
        return self._put(text, hit.end, agreement_at(text, hit, in_span), parts)

    def _put(self, text: str, at: int, change: Agreement | None, parts: list[str]) -> int:
        """Write what stands behind a value, changed, and return where to go on."""
        if change is None:
            return at
        parts += (text[at : change.start], change.written)
        if self._prose is not None:
            self._prose.pass_over(text[at : change.end])
        return change.end

    def _keep(self, text: str, cut: int) -> None:
        start = max(0, cut - _WINDOW)
        self._before, self._held = text[start:cut], text[cut:]
        if self._open is not None:
            hit, in_span = self._open
            moved = replace(hit, start=hit.start - start, end=hit.end - start, dash=hit.dash - start)
            self._open = moved, in_span

    def _report(self, resolved: Resolved, base: int) -> None:
        for names, reported in ((resolved.unresolved, self.unresolved), (resolved.expired, self.expired)):
            for name in names:
                # What ends before ``base`` was looked at when it came; by now its beginning may be gone.
                if resolved.text.rfind(name) + len(name) > base and name not in reported:
                    reported.append(name)

    def _certain(self, text: str) -> int:
        """Return the offset before which nothing depends on what follows."""
        self._torn = False
        tail = text[len(text) - _behind_stop(text) :]
        if not tail:
            return len(text)
        base = len(text) - len(tail)
        # Half an escape at the end may become any character: what comes next, or more of it.
        half = begun(tail)
        known = tail if half is None else tail[:half]
        open_starts = [
            candidate.start()
            for following in _NEXT
            for place in find(known + following)
            for candidate in place.readings()
            if candidate.start() < len(known) < candidate.end
        ]
        cut = min(open_starts, default=len(known))
        for candidate in (reading for place in find(tail) for reading in place.readings()):
            # The last letters of a whole surrogate look like the first of another: not if it is one.
            if candidate.start() < cut < candidate.end:
                if self._is_one(text[: base + candidate.end]):
                    cut = candidate.end
                else:
                    self._torn = True
        return base + cut

    def _is_one(self, text: str) -> bool:
        """Tell whether the candidate that ``text`` ends with stands for a value."""
        hits = self._resolve(text).hits
        return bool(hits) and hits[-1].end == len(text)


def _behind_stop(text: str) -> int:
    """Return how many characters at the end of a text a spelling of a surrogate could hold."""
    stops = _STOPS.match(text[: -_WINDOW - 1 : -1])
    return stops.end() if stops else 0
