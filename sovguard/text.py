"""One normalised view of a text, with the way back to the original characters.

First step of the flow: recognizers look at ``View.text`` and report spans of it; ``View.origin`` turns a span of the
view into the span of the original that produced it. The view composes NFD Jamo and combining marks, folds full-width
forms, dash, dot and space variants, reads enclosed and superscript digits, and drops zero-width and default-ignorable
characters. ``spoken_view`` is the alternative reading of digits that were read aloud (공일공 일이삼사) or written with
look-alike letters (O1O). Nothing here decides what is personal information, and nothing rewrites the original.

Whole-string NFKC is not used: it moves offsets and merges what people distinguish (㈜ becomes three characters).
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


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
)
# Every character a special may begin with, as one class: the common text has none, and this says so at C speed. The
# astral planes stand for themselves as a whole, since single characters there would slow the class down for all others.
_DROPPED_BMP = _DROPPED[: _DROPPED.index("\U0001bca0")]
_CHANGED_BMP = "".join(c for c in (*_FOLD, *_ENCLOSED) if c < "\U00010000")
_MAY_CHANGE = re.compile(
    f"[{_DROPPED_BMP}\u0300-\u036f\u1100-\u11ff\u3099\u309a\u3161\u30fc\uff70"
    f"{_char_class(_CHANGED_BMP)[1:-1]}\U00010000-\U0010ffff]"
)


class _Builder:
    """Collects the pieces of a view in order."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.starts: list[int] = []
        self.runs: list[tuple[int, int, bool]] = []
        self.length = 0

    def add(self, piece: str, original: int, length: int, *, linear: bool) -> None:
        if not piece:
            return
        self.pieces.append(piece)
        self.starts.append(self.length)
        self.runs.append((original, length, linear))
        self.length += len(piece)

    def view(self) -> View:
        return View("".join(self.pieces), tuple(self.starts), tuple(self.runs))


def normalized_view(text: str) -> View:
    """Returns the view of ``text`` that recognizers look at; the identity view where nothing has to change."""
    first = _MAY_CHANGE.search(text)
    if first is None:
        return View(text)
    builder = _Builder()
    folded: list[str] = []
    copied = run_start = 0
    # One character before the first change may belong to it: a syllable or letter that a mark is added to.
    for match in _SPECIAL.finditer(text, max(0, first.start() - 1)):
        start, end = match.span()
        kind = match.lastgroup
        if kind in ("fold", "dash"):
            folded += (text[copied:start], "-" if kind == "dash" else _FOLD[match[0]])
            copied = end
            continue
        folded.append(text[copied:start])
        builder.add("".join(folded), run_start, start - run_start, linear=True)
        folded.clear()
        if kind == "digits":
            for offset, character in enumerate(match[0]):
                builder.add(_ENCLOSED[character], start + offset, 1, linear=False)
        elif kind != "drop":
            composed = unicodedata.normalize("NFC", match[0])
            builder.add(composed, start, end - start, linear=False)
        copied = run_start = end
    folded.append(text[copied:])
    builder.add("".join(folded), run_start, len(text) - run_start, linear=True)
    return builder.view()


_SPOKEN = dict(zip("공영빵일이삼사오육륙칠팔구", "0001234566789", strict=True))
_DIGIT = "[공영빵일이삼사오육륙칠팔구]"
# The gate: four spoken digits with at most a separator between two, or a digit with look-alike letters around it.
_SEPARATOR = "(?: ?(?:다시|다쉬|하이픈|대시|에|의|-|·|,|\\.) ?| )"
_SPOKEN_RUN = re.compile(f"{_DIGIT}(?=[ 에의다하대·,.-]|{_DIGIT})(?:{_SEPARATOR}?{_DIGIT}){{3,}}")
_ANY_DIGIT = re.compile(_DIGIT)
_SPOKEN_PAIR = re.compile(f"{_DIGIT}{{2,}}")
# 이 before these syllables is the copula or a particle of the sentence, not a two (오팔이요, 오팔이에요, 오팔이고).
_COPULA = re.compile(
    f"이(?=[가-힣])(?!(?:에|의) ?{_DIGIT}|{_DIGIT}{{2}})|일(?= ?(?:거|겁|걸|텐|까))|구(?=요|나)"
)
_COMPLETE = frozenset((11, 13, 16))
"""How many digits a mobile, a resident and a card number have: such a run keeps a last 이 that might be the copula."""

_JOINT = re.compile(" ?(?:에|의|다시|다쉬|하이픈|대시)")
_AFTER_JOINT = re.compile(f" ?({_DIGIT}{{2,}})")
# Look-alike letters (O1O) and single spoken digits (공1공) among digits.
_MIXED_RUN = re.compile(
    f"(?<![A-Za-z])(?=[0-9 .-]{{0,16}}(?:[OoQlI]|{_DIGIT}))"
    f"[0-9OoQlI공영빵](?:[ .-]?(?:[0-9OoQlI]|{_DIGIT})){{8,18}}(?![A-Za-z])"
)
# The letters and syllables are rarer than digits, so the search looks for them and then for a digit beside.
_MIXED_GATE = re.compile(
    "[OoQlI공영빵육륙칠팔구](?:(?<=[0-9][OoQlI공영빵육륙칠팔구])|(?<=[0-9][ .-][OoQlI공영빵육륙칠팔구])|[ .-]?[0-9])"
)
_MIXED = str.maketrans("OoQlI", "00011") | str.maketrans(_SPOKEN)
_REACH = 48
"""How far around a run of spoken digits the alternative view reaches: labels and the rest of a number."""


def spoken_starts(text: str) -> list[int]:
    """Returns where runs of spoken or look-alike digits begin in ``text``; a cheap look before ``spoken_view``."""
    return [start for start, _ in _spoken_runs(text)]


def _spoken_runs(text: str) -> list[tuple[int, int]]:
    runs = [match.span() for match in _SPOKEN_RUN.finditer(text)]
    for gate in _MIXED_GATE.finditer(text):
        mixed = _MIXED_RUN.search(text, max(0, gate.start() - 20), gate.end() + 24)
        if mixed is not None:
            runs.append(mixed.span())
    return runs


def spoken_view(view: View) -> View | None:
    """Returns the view in which spoken and look-alike digits are digits, or ``None`` where there are none.

    The result holds only the surroundings of such runs, one below the other, and maps to the original of ``view``.
    """
    text = view.text
    regions = [[max(0, start - _REACH), min(len(text), end + _REACH)] for start, end in _spoken_runs(text)]
    if not regions:
        return None
    builder = _Builder()
    merged: list[list[int]] = []
    for region in sorted(regions):
        if merged and region[0] < merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], region[1])
        else:
            merged.append(region)
    for low, high in merged:
        if builder.length:
            builder.add("\n\n", low, 0, linear=False)
        _read_aloud(view, low, high, builder)
    return builder.view()


def _read_aloud(view: View, low: int, high: int, builder: _Builder) -> None:
    text = view.text
    changes: list[tuple[int, int, str]] = []
    ends = {
        match.end()
        for match in _SPOKEN_RUN.finditer(text, low, high)
        if len(_ANY_DIGIT.findall(match[0])) in _COMPLETE
    }
    for match in _SPOKEN_PAIR.finditer(text, low, high):
        start, end = match.span()
        while end - start > 1 and end not in ends and _COPULA.match(text, end - 1):
            end -= 1
        changes.append((start, end, ""))
        joint = _JOINT.match(text, end, high)
        if joint and (following := _AFTER_JOINT.match(text, joint.end(), high)):
            changes.append((end, following.start(1), "-"))
    for match in _MIXED_RUN.finditer(text, low, high):
        if re.search("[0-9]", match[0]):
            changes.append((*match.span(), "="))
    at = low
    for start, end, kind in sorted(changes):
        if start < at:
            continue
        _copy(view, at, start, builder)
        if kind == "-":
            first, last = view.origin(start, end)
            builder.add("-", first, last - first, linear=False)
        else:
            for index in range(start, end):
                first, last = view.origin(index, index + 1)
                character = text[index]
                builder.add(
                    character.translate(_MIXED),
                    first,
                    last - first,
                    linear=False,
                )
        at = end
    _copy(view, at, high, builder)


def _copy(view: View, start: int, end: int, builder: _Builder) -> None:
    """Copies ``view.text[start:end]``, run by run, so that linear runs stay linear."""
    if not view.starts:
        builder.add(view.text[start:end], start, end - start, linear=True)
        return
    run = bisect_right(view.starts, start) - 1
    while start < end:
        stop = min(end, view.starts[run + 1] if run + 1 < len(view.starts) else end)
        original, length, linear = view.runs[run]
        if linear:
            builder.add(view.text[start:stop], original + start - view.starts[run], stop - start, linear=True)
        else:
            builder.add(view.text[start:stop], original, length, linear=False)
        start, run = stop, run + 1
