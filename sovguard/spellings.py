"""Find every place in a text that reads as a surrogate, in whatever spelling a model may give one back.

Above the grammar of ``surrogates``, below redaction and restoring, which share this one scan: what one finds the other finds.
docs/surrogates.md lists the spellings and says why each is accepted. What a place stands for is the vault's to say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from sovguard.escapes import opened
from sovguard.surrogates import ALPHABET, BODY_LENGTH, MAX_WORD, MIN_WORD, NAMESPACE_LENGTH, mixed
from sovguard.text import View

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"
_ASCII_WORD = frozenset(_LETTERS + _LETTERS.lower() + _DIGITS)


def _full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) for char in text)


# Only these four spellings of a character are folded: str.upper() would also turn ſ into S and ı into I.
_FOLD = {
    spelling: char
    for char in _LETTERS + _DIGITS
    for spelling in (char, char.lower(), _full_width(char), _full_width(char.lower()))
}
_FOLD_LETTER = {spelling: char for spelling, char in _FOLD.items() if char in _LETTERS}

DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"
SPACES = " \t\u00a0\u2009\u202f\u3000"
MARKS = "*_~`"
"""What Markdown puts around emphasis and code."""
# Default-ignorable code points of Unicode 15 (DerivedCoreProperties): what a model or a chat window slips in
# unseen.
_IGNORABLE_RANGES = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
_IGNORABLE_CLASS = "".join(f"{chr(low)}-{chr(high)}" for low, high in _IGNORABLE_RANGES)
_IGNORABLE = frozenset(chr(point) for low, high in _IGNORABLE_RANGES for point in range(low, high + 1))
_BODY_CLASS = "".join(spelling for spelling, char in _FOLD.items() if char in ALPHABET)
_SPELT = frozenset(_FOLD) | frozenset(DASHES + SPACES + MARKS + "\r\n") | _IGNORABLE

_GAP = rf"(?:[{SPACES}]?(?:\r\n?|\n)[ \t]{{0,8}}|[{SPACES}])"
_SYMBOL = f"[{_IGNORABLE_CLASS}]?[{_BODY_CLASS}]"
# A single symbol behind a gap would be the check character itself: the next word could begin with it by chance.
_BROKEN = "|".join(
    f"(?:{_SYMBOL}){{{before}}}{_GAP}(?:{_SYMBOL}){{{BODY_LENGTH - before}}}"
    for before in range(1, BODY_LENGTH - 1)
)
# A body holds no dash, so every dash of a text is tried once and bodies of two dashes never overlap: linear.
_BODY = re.compile(
    f"[{re.escape(DASHES)}]"
    f"(?:([{ALPHABET}]{{{BODY_LENGTH}}})"
    rf"|((?:\\?[{MARKS}]){{0,3}}{_GAP}?[{_IGNORABLE_CLASS}]?(?:\\?[{MARKS}]){{0,3}})"
    f"((?:{_SYMBOL}){{{BODY_LENGTH}}}|{_BROKEN}))"
)
_BEFORE_DASH = re.compile(
    rf"(?:\\?[{MARKS}]){{0,3}}{_GAP}?[{_IGNORABLE_CLASS}]?(?:\\?[{MARKS}]){{0,3}}\\{{0,2}}\Z"
)
_LONGEST_JOINT = 26
_WORD_BACKWARDS = re.compile(f"[A-Z]{{1,{MAX_WORD}}}")


@dataclass(slots=True)
class Candidate:
    """A place in a text that has the shape of a surrogate, in any accepted spelling; it need not be one.

    Not frozen because freezing triples what making one costs, and a long text can hold many.

    Attributes:
        dash: Offset of the dash.
        end: Offset after the last character.
        body: The eight characters after the dash, in canonical spelling.
        letters: The run of letters before the dash, canonical, at most the length of the longest word.
        starts: Offset of each of those letters.
        exact: Whether everything from the first of those letters on is spelled canonically.
        marks: The marks of emphasis or code between word and dash, and those between dash and body.
        opened: The same place with its escapes laid open, where that reads differently (50%4ADDRESS-… may be
            either).
    """

    dash: int
    end: int
    body: str
    letters: str
    starts: Sequence[int]
    exact: bool
    marks: tuple[str, str] = ("", "")
    opened: Candidate | None = None

    def readings(self) -> tuple[Candidate, ...]:
        """Return this candidate and its other reading, if it has one."""
        return (self,) if self.opened is None else (self, self.opened)

    @property
    def namespace(self) -> str:
        """The four characters that say which session it would belong to."""
        return self.body[:NAMESPACE_LENGTH]

    def words(self, known: Collection[str]) -> list[str]:
        """Return the known words that stand directly before the dash, longest first."""
        letters = self.letters
        return [word for index in range(len(letters) - MIN_WORD + 1) if (word := letters[index:]) in known]

    def start(self, word: str | None = None) -> int:
        """Return the offset where ``word`` begins, or where the whole run of letters does."""
        return self.starts[0] if word is None else self.starts[-len(word)]

    def marks_around(self, text: str, word: str) -> tuple[str, str]:
        """Return the marks that belong before the value and behind it, so that the text's emphasis stays whole.

        Args:
            text: The text it was found in.
            word: Its word.
        """
        behind_word, behind_dash = self.marks
        if behind_word == behind_dash:
            return "", ""
        if not behind_word and text.endswith(behind_dash, 0, self.start(word)):
            return "", behind_dash  # **PERSON-**K7QM001Z: these close what stands before the word
        return behind_dash, behind_word


def find(text: str, namespaces: Collection[str] | None = None) -> list[Candidate]:
    """Return every place in ``text`` that has the shape of a surrogate, from left to right, one for each dash.

    Words may reach into the body of the candidate before; the caller, who knows which of them resolve, takes the
    leftmost.

    Args:
        text: Any text.
        namespaces: Only candidates of these namespaces; ``None`` for all.
    """
    found = _find(text, namespaces)
    view = opened(text, _SPELT)
    if view is None:
        return found
    by_dash = {candidate.dash: candidate for candidate in found}
    for candidate in _find(view.text, namespaces):
        there = _in_original(candidate, view)
        as_written = by_dash.setdefault(there.dash, there)
        if (list(as_written.starts), as_written.end, as_written.body) != (
            there.starts,
            there.end,
            there.body,
        ):
            as_written.opened = there
    return [by_dash[dash] for dash in sorted(by_dash)]


def count_bodies(text: str, namespaces: Collection[str]) -> int:
    """Return how many bodies of ``namespaces`` stand after a dash: at least as many as ``find`` gives, for less."""
    if opened(text, _SPELT) is not None:
        return len(find(text, namespaces))
    count = 0
    for body, _, changed in _BODY.findall(text):
        count += (body or _folded(changed))[:NAMESPACE_LENGTH] in namespaces
    return count


def stands_alone(text: str, candidate: Candidate, word: str) -> bool:
    """Tell whether ``candidate`` is a canonical surrogate with ``word`` and not part of a longer code.

    What a surrogate of some other session must look like to be reported; order numbers such as
    ``ID-2024ABCD99`` do not.
    """
    start, end = candidate.start(word), candidate.end
    return (
        candidate.exact
        and mixed(candidate.body)
        and (start == 0 or text[start - 1] not in _ASCII_WORD)
        and (end == len(text) or text[end] not in _ASCII_WORD)
    )


def _find(text: str, namespaces: Collection[str] | None) -> list[Candidate]:
    found: list[Candidate] = []
    for match in _BODY.finditer(text):
        body, joint, changed = match.groups()
        if changed is not None:
            body = _folded(changed)
        if namespaces is not None and body[:NAMESPACE_LENGTH] not in namespaces:
            continue
        dash, end = match.span()
        letters, starts = _letters_before(text, dash)
        if len(letters) < MIN_WORD:
            continue
        exact = changed is None and text[starts[0] : dash + 1] == letters + "-"
        candidate = Candidate(dash, end, body, letters, starts, exact)
        if not exact:
            candidate.marks = _marks_in(text[starts[-1] : dash]), _marks_in(joint or "")
        found.append(candidate)
    return found


def _in_original(candidate: Candidate, view: View) -> Candidate:
    return replace(
        candidate,
        dash=view.origin(candidate.dash, candidate.dash + 1)[0],
        end=view.origin(candidate.dash, candidate.end)[1],
        starts=[view.origin(start, start + 1)[0] for start in candidate.starts],
        exact=False,
    )


def _folded(changed: Iterable[str]) -> str:
    return "".join([_FOLD[char] for char in changed if char in _FOLD])


def _marks_in(joint: str) -> str:
    return "".join([char for char in joint if char in MARKS])


def _letters_before(text: str, dash: int) -> tuple[str, Sequence[int]]:
    """Return the letters that stand before ``dash``, canonical, and the offset of each."""
    plain = _WORD_BACKWARDS.match(text[max(dash - MAX_WORD, 0) : dash][::-1])
    if plain:
        start = dash - plain.end()
        before = text[start - 1] if start else " "
        if plain.end() == MAX_WORD or (before not in _FOLD_LETTER and before not in _IGNORABLE):
            return text[start:dash], range(start, dash)
    index = dash
    if index and text[index - 1] not in _FOLD_LETTER:
        joint = _BEFORE_DASH.search(text, max(index - _LONGEST_JOINT, 0), index)
        index = joint.start() if joint is not None else index
    starts: list[int] = []
    while index and len(starts) < MAX_WORD:
        if text[index - 1] not in _FOLD_LETTER:
            between = starts and index > 1 and text[index - 2] in _FOLD_LETTER
            if not (between and text[index - 1] in _IGNORABLE):
                break
            index -= 1
        index -= 1
        starts.append(index)
    starts.reverse()
    return "".join([_FOLD[text[index]] for index in starts]), starts
