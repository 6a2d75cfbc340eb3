"""One normalised view of a text, with the way back to the original characters.

First step of the flow: recognizers look at ``View.text`` and report spans of it; ``View.origin`` turns a span of the
view into the span of the original that produced it. The view composes NFD Jamo and combining marks, folds full-width
forms, dash, dot and space variants, reads enclosed and superscript digits, opens the escapes of JSON and of URLs, and
drops zero-width and default-ignorable characters, Markdown's marks of emphasis and a terminal's colour codes.
``detect/spoken.py`` adds the alternative reading of digits that were read aloud. Nothing here decides what is
personal information, and nothing rewrites the original.

Whole-string NFKC is not used: it moves offsets and merges what people distinguish (㈜ becomes three characters).
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Change(NamedTuple):
    """What takes the place of a stretch of a text."""

    start: int
    end: int
    new: str


def changed(text: str, changes: Iterable[Change]) -> str:
    """Return a text with changes made to it, which are in order and do not overlap."""
    parts: list[str] = []
    position = 0
    for start, end, new in changes:
        parts += (text[position:start], new)
        position = end
    parts.append(text[position:])
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class View:
    """A normalised text and its offset map; ``repr`` shows lengths only.

    Attributes:
        text: What recognizers look at.
        starts: View offset at which each run begins, ascending; empty for an identity view.
        runs: For each run ``(original_start, original_length, linear)``. In a linear run characters map one to one;
            in any other, every character of the run stands for the whole original stretch.
    """

    text: str = field(repr=False)
    starts: tuple[int, ...] = field(default=(), repr=False)
    runs: tuple[tuple[int, int, bool], ...] = field(default=(), repr=False)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Returns the span of the original that ``text[start:end]`` stands for; ``start < end`` is expected."""
        if not self.starts:
            return start, end
        return self._at(start)[0], self._at(end - 1)[1]

    def _at(self, index: int) -> tuple[int, int]:
        run = bisect_right(self.starts, index) - 1
        original, length, linear = self.runs[run]
        if linear:
            position = original + index - self.starts[run]
            return position, position + 1
        return original, original + length


def _code_points(*ranges: tuple[int, int] | int) -> Iterator[str]:
    for item in ranges:
        first, last = (item, item) if isinstance(item, int) else item
        yield from map(chr, range(first, last + 1))


def _char_class(characters: Iterable[str]) -> str:
    return "[" + "".join(f"\\U{ord(c):08x}" for c in characters) + "]"


# Default_Ignorable_Code_Point of Unicode (DerivedCoreProperties), plus the keycap that turns 1 into an emoji digit.
_DROPPED = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SPACES = _code_points(0x00A0, 0x1680, (0x2000, 0x200A), 0x202F, 0x205F, 0x3000)
_DASHES = _code_points(
    (0x2010, 0x2015), 0x02D7, 0x2043, 0x207B, 0x208B, 0x2212, 0x2796, 0xFE58, 0xFE63, 0xFF0D
)
_DOTS = _code_points(0x2022, 0x2027, 0x2219, 0x22C5, 0x30FB, 0x318D, 0xFF65, 0x119E)

_FOLD: dict[str, str] = {
    **{chr(0xFF01 + i): chr(0x21 + i) for i in range(94)},
    **dict.fromkeys(_SPACES, " "),
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys(_DOTS, "·"),
    **{chr(0x1D7CE + i): chr(0x30 + i % 10) for i in range(50)},
    **{chr(0x0660 + i): chr(0x30 + i) for i in range(10)},
    **{chr(0x06F0 + i): chr(0x30 + i) for i in range(10)},
    "\u2024": ".",
    "\u2044": "/",
    "\u2215": "/",
    "\u2236": ":",
    "\ua789": ":",
}

# Enclosed and raised digits are bullets and footnote marks more often than digits ("①010-…", "5678¹"), so they are
# read as digits only in a run of two or more that does not continue a plain number.
_ENCLOSED: dict[str, str] = {}
for _first, _start, _count in (
    (0x2460, 1, 20),
    (0x2474, 1, 20),
    (0x2488, 1, 20),
    (0x24EB, 11, 10),
    (0x24F5, 1, 10),
    (0x2776, 1, 10),
    (0x2780, 1, 10),
    (0x278A, 1, 10),
    (0x3251, 21, 15),
    (0x32B1, 36, 15),
    (0x2074, 4, 6),
    (0x2080, 0, 10),
    (0x1F10B, 0, 2),
):
    _ENCLOSED.update({chr(_first + i): str(_start + i) for i in range(_count)})
_ENCLOSED.update({"⓪": "0", "⓿": "0", "🄀": "0", "⁰": "0", "¹": "1", "²": "2", "³": "3"})

_ENCLOSED_CLASS = _char_class(_ENCLOSED)
# A dash that is another character by right (ㅡ, ー) but stands between digits.
_TYPED_DASH = r"(?<=[0-9０-９])[\u3161\u30fc\uff70\u1173](?=[0-9０-９])"
_JAMO = "[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|[\uac00-\ud7a3][\u11a8-\u11c2]"
_SPECIAL = re.compile(
    f"(?P<fold>{_char_class(_FOLD)})"
    f"|(?P<drop>[{_DROPPED}]+)"
    f"|(?P<jamo>{_JAMO})"
    f"|(?P<mark>[A-Za-z\u00c0-\u024f\u0370-\u04ff\u1e00-\u1eff\u3040-\u30ff][\u0300-\u036f\u3099\u309a]+)"
    f"|(?P<digits>(?<![0-9]){_ENCLOSED_CLASS}{{2,}})"
    f"|(?P<dash>{_TYPED_DASH})"
    "|(?P<colour>\x1b\\[[0-9;?]{0,16}[A-Za-z])"
    r"|(?P<escape>\\[nrt](?![A-Za-z]))"
    r"|(?P<code>\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u(?![dD][89a-fA-F])[0-9A-Fa-f]{4})"
    "|(?P<percent>(?:%[0-9A-Fa-f]{2})+)"
)
_PERCENT = re.compile("%[0-9A-Fa-f]{2}")
"""Not one of the characters below: a percent sign behind a number is too frequent."""
# What the opening mark follows keeps masked values (홍**, 010-****-5678) and products (3*4*5) apart.
_EMPHASIS = re.compile(
    r"""(?:(?<![\s\S])|(?<=[\s(\[{<>"'“‘「『《〈|:;,.·/=!?]))(\*{1,3}|__)(?=[^\s*_)\]}>,.;:!?])[^*\n]{1,80}?(?<![\s*_])(\1)(?![*_])"""
)
_EMPHASIS_BEGINS = re.compile(
    r"""[*_](?:(?<![\s\S].)|(?<=[\s(\[{<>"'“‘「『《〈|:;,.·/=!?].))(?:(?<=[*])|(?=_))"""
)
"""Where emphasis may begin: a search for one of two characters, in place of a trial at each one."""
_MARK = re.compile("(?P<drop>[*]+|_+)")
_REPLACED = {
    "dash": "-",
    "escape": "\\ ",  # a line break or tab spelled out, as in JSON inside a log: its letter belongs to no word
}
# Every character a special may begin with, as one class: the common text has none, and this says so at C speed. The
# astral planes stand for themselves as a whole, since single characters there would slow the class down for all others.
_DROPPED_BMP = _DROPPED[: _DROPPED.index("\U0001bca0")]
_CHANGED_BMP = "".join(c for c in (*_FOLD, *_ENCLOSED) if c < "\U00010000")
_MAY_CHANGE = re.compile(
    f"[\x1b\\\\{_DROPPED_BMP}\u0300-\u036f\u1100-\u11ff\u3099\u309a\u3161\u30fc\uff70"
    f"{_char_class(_CHANGED_BMP)[1:-1]}\U00010000-\U0010ffff]"
)


class ViewBuilder:
    """Collects the pieces of a view in order."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.starts: list[int] = []
        self.runs: list[tuple[int, int, bool]] = []
        self.length = 0

    def add(self, piece: str, original: int, length: int, *, linear: bool) -> None:
        """Adds characters that stand for ``original:original + length``, one to one if ``linear``."""
        if not piece:
            return
        self.pieces.append(piece)
        self.starts.append(self.length)
        self.runs.append((original, length, linear))
        self.length += len(piece)

    def copy(self, view: View, start: int, end: int) -> None:
        """Adds ``view.text[start:end]``, run by run, so that linear runs stay linear."""
        if not view.starts:
            self.add(view.text[start:end], start, end - start, linear=True)
            return
        run = bisect_right(view.starts, start) - 1
        while start < end:
            stop = min(end, view.starts[run + 1] if run + 1 < len(view.starts) else end)
            original, length, linear = view.runs[run]
            offset = original + start - view.starts[run] if linear else original
            self.add(view.text[start:stop], offset, stop - start if linear else length, linear=linear)
            start, run = stop, run + 1

    def view(self) -> View:
        """Returns what was collected."""
        return View("".join(self.pieces), tuple(self.starts), tuple(self.runs))


def groups(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Splits texts into groups of about ``size`` characters, in order; a longer text is a group of its own."""
    first = total = 0
    for index, text in enumerate(texts):
        if total and total + len(text) > size:
            yield texts[first:index]
            first, total = index, 0
        total += len(text)
    if first < len(texts):
        yield texts[first:]


def may_change(text: str) -> list[int]:
    """Returns where ``text`` has characters that a view may show in another way; nowhere, for most texts."""
    places = [match.start() for match in _MAY_CHANGE.finditer(text)]
    if places:
        # One enclosed digit is a bullet and stays; lists are full of them.
        places = [
            place
            for place in places
            if text[place] not in _ENCLOSED
            or text[place + 1 : place + 2] in _ENCLOSED
            or text[place - 1 : place] in _ENCLOSED
        ]
    more = [match.start() for match in _PERCENT.finditer(text)] if "%" in text else []
    if "*" in text or "__" in text:
        more += [match.start(group) for match in _emphases(text) for group in (1, 2)]
    return sorted(places + more) if more else places


def _emphases(text: str) -> Iterator[re.Match[str]]:
    end = 0
    for begin in _EMPHASIS_BEGINS.finditer(text):
        if begin.start() >= end and (match := _EMPHASIS.match(text, begin.start())) is not None:
            end = match.end()
            yield match


def _specials(text: str, places: Iterable[int]) -> Iterator[re.Match[str]]:
    """Yields what changes at ``places``; looked for there alone, since most of a text is plain."""
    end = 0
    for place in places:
        if place < end:
            continue
        # One character before may belong to it: a syllable or letter that a mark is added to.
        match = _SPECIAL.match(text, place - 1) if place > end else None
        if match is None or match.end() <= place:
            match = (_MARK if text[place] in "*_" else _SPECIAL).match(text, place)
        if match is not None:
            end = match.end()
            yield match


def normalized_view(text: str) -> View:
    """Returns the view of ``text`` that recognizers look at; the identity view where nothing has to change."""
    places = may_change(text)
    if not places:
        return View(text)
    builder = ViewBuilder()
    folded: list[str] = []
    copied = run_start = 0
    for match in _specials(text, places):
        start, end = match.span()
        kind = match.lastgroup
        if kind in ("fold", "dash", "escape"):
            folded += (text[copied:start], _FOLD[match[0]] if kind == "fold" else _REPLACED[kind])
            copied = end
            continue
        folded.append(text[copied:start])
        builder.add("".join(folded), run_start, start - run_start, linear=True)
        folded.clear()
        if kind == "digits":
            for offset, character in enumerate(match[0]):
                builder.add(_ENCLOSED[character], start + offset, 1, linear=False)
        elif kind == "percent":
            _add_percent(builder, match[0], start)
        elif kind == "code":
            point = (
                match[0].encode().decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16")
            )
            builder.add(_FOLD.get(point, point), start, end - start, linear=False)
        elif kind not in ("drop", "colour"):
            composed = unicodedata.normalize("NFC", match[0])
            builder.add(composed, start, end - start, linear=False)
        copied = run_start = end
    folded.append(text[copied:])
    builder.add("".join(folded), run_start, len(text) - run_start, linear=True)
    return builder.view()


def _add_percent(builder: ViewBuilder, escapes: str, start: int) -> None:
    """Adds what percent-encoded UTF-8 (RFC 3986) says, character by character, or the escapes if it is none."""
    try:
        decoded = bytes.fromhex(escapes.replace("%", "")).decode()
    except UnicodeDecodeError:
        builder.add(escapes, start, len(escapes), linear=True)
        return
    for character in decoded:
        length = 3 * len(character.encode())
        builder.add(_FOLD.get(character, character), start, length, linear=False)
        start += length
