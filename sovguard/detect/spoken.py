"""The alternative reading of digits that were read aloud (공일공 일이삼사) or written with look-alike letters (O1O).

Beside the plain view, recognizers look at such places as if digits had been typed there; ``View.origin`` leads back to
what was said. A run is a row of groups of digits, each typed, said or of look-alike letters, between which stand a mark, a
space or a word (에, 다시, 하이픈). What follows a number in a sentence is told from its last digit by how many digits it has
and by what comes behind (오육칠팔이에요 ends in an eight).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sovguard.text import View, ViewBuilder

_SAID_DIGITS = dict(zip("공영빵일이삼사오육륙칠팔구", "0001234566789", strict=True))
_READ = str.maketrans(_SAID_DIGITS | dict(zip("OoQlI", "00011", strict=True)))
_SAID = "[공영빵일이삼사오육륙칠팔구]"
_OTHER_LETTER = "[A-HJ-NPR-Za-kmnp-z]"
_LETTER = f"[OoQlI](?<!{_OTHER_LETTER}[OoQlI])(?!{_OTHER_LETTER})"
_UNIT = f"(?:[0-9]|{_SAID}|{_LETTER})"
_WORD = " ?(?:에|의|다시|다쉬|하이픈|대시) ?"
_JOINT = f"(?:(?P<word>{_WORD}|, ?)(?={_UNIT}{{3}}|{_SAID}{{2}})| ?[-.·~/_)] ?| )"
_NAMELESS_JOINT = _JOINT.replace("?P<word>", "?:")
_GROUP = f"(?:{_UNIT}{{2,}}|[0-9])"
_RUN = re.compile(f"{_GROUP}(?:{_NAMELESS_JOINT}{_GROUP})*")
_PART = re.compile(f"(?P<group>{_GROUP})|{_JOINT}")

_PAIR = re.compile(f"{_SAID}{{2,}}")

# The gate, cheap and on every text: four said digits with at most a joint between two, or a digit beside a look-alike. The
# letters and syllables of look-alikes are rarer than digits, so the search looks for them and then for a digit.
_ALIKE = "[OoQlI공영빵육륙칠팔구]"
_GATE = re.compile(
    "[공영빵일이삼사오육륙칠팔구OoQlI](?:"
    f"(?<={_SAID})(?=[ 에의다하대·,.~/_)-]|{_SAID})(?:(?:{_WORD}| ?[-.·,~/_)] ?| )?{_SAID}){{3,}}"
    f"|(?<={_ALIKE})(?:(?<=[0-9].)|(?<=[0-9][ .-].)|(?=(?:[ .-]|에 ?)?[0-9]))(?P<mixed>))"
)
_MIXED_RUN = re.compile(f"{_UNIT}(?:{_NAMELESS_JOINT}?{_UNIT}){{8,18}}")

_LAST = frozenset("이일구")
# 이 before these syllables is the copula or a particle of the sentence, not a two (오팔이요, 오팔이에요, 오팔이고).
_COPULA = re.compile(
    f"이(?=[가-힣])(?!(?:에|의) ?{_SAID}|{_SAID}{{2}})|일(?= ?(?:거|겁|걸|텐|까))|구(?=요|나)"
)
_MOBILE = 11
_COMPLETE = frozenset((_MOBILE, 13, 16))
"""How many digits a mobile, a resident and a card number have: there a number ends, whatever may go on."""
_FEW = 4
_ENOUGH = 8
_REACH = 48
"""How far around a run the alternative view reaches: labels, context and the rest of a number."""


def spoken_starts(text: str) -> list[int]:
    """Returns where runs of said or look-alike digits begin in ``text``; a cheap look before ``spoken_views``."""
    return [start for start, _ in _spoken_runs(text)]


def _spoken_runs(text: str) -> list[tuple[int, int]]:
    runs = []
    for gate in _GATE.finditer(text):
        if gate.lastindex is None:
            runs.append(gate.span())
            continue
        place = gate.start()
        for mixed in _MIXED_RUN.finditer(text, max(0, place - 20), place + 24):
            if mixed.start() <= place < mixed.end():
                runs.append(mixed.span())
    return runs


def spoken_views(view: View) -> list[View]:
    """Returns the surroundings of each run of said or look-alike digits, with digits in its place.

    Every view maps to the original of ``view``; runs so near to each other that their surroundings meet share one.
    """
    text = view.text
    regions: list[list[int]] = []
    for start, end in sorted(_spoken_runs(text)):
        low, high = max(0, start - _REACH), min(len(text), end + _REACH)
        if regions and low < regions[-1][1]:
            regions[-1][1] = max(regions[-1][1], high)
        else:
            regions.append([low, high])
    return [_read(view, low, high) for low, high in regions]


def _read(view: View, low: int, high: int) -> View:
    text = view.text
    builder = ViewBuilder()
    at = low
    for run in _RUN.finditer(text, low, high):
        for start, end, joint in _changes(text, *run.span()):
            builder.copy(view, at, start)
            if joint:
                first, last = view.origin(start, end)
                builder.add("-", first, last - first, linear=False)
            else:
                for index in range(start, end):
                    first, last = view.origin(index, index + 1)
                    builder.add(text[index].translate(_READ), first, last - first, linear=False)
            at = end
    builder.copy(view, at, high)
    return builder.view()


def _changes(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Yields the groups of a run that are read, and the words between two groups, which count as hyphens."""
    if not _is_spoken(text[start:end]):
        # Too little for a number, but maybe a part of one that goes on behind a letter: 일이가 삼사오육.
        for pair in _PAIR.finditer(text, start, end):
            yield (*pair.span(), False)
        return
    parts = [(*match.span(), match.lastgroup) for match in _PART.finditer(text, start, end)]
    counted = 0
    first = ""
    for index, (low, high, kind) in enumerate(parts):
        if kind == "group":
            first = first or text[low].translate(_READ)
            counted += high - low
            if index + 1 == len(parts):
                high -= _beyond(text, low, high, counted, first)
            if high - low > 1:
                yield low, high, False
        elif kind == "word":
            if _complete(counted, first):
                counted, first = 0, ""
            else:
                yield low, high, True


def _is_spoken(run: str) -> bool:
    said = len(re.findall(_SAID, run))
    if said >= _FEW:
        return True
    alike = len(re.findall("[OoQlI]", run))
    return said + alike > 0 and said + alike + len(re.findall("[0-9]", run)) >= _ENOUGH


def _beyond(text: str, start: int, end: int, count: int, first: str) -> int:
    """Returns how many of the last syllables of a number belong to the sentence that goes on behind it."""
    beyond = 0
    while end - start > 1 and text[end - 1] in _LAST and not _complete(count, first):
        if not (_COPULA.match(text, end - 1) or _complete(count - 1, first) or "0" <= text[end - 2] <= "9"):
            break
        end, count, beyond = end - 1, count - 1, beyond + 1
    return beyond


def _complete(count: int, first: str) -> bool:
    """Whether a number of ``count`` digits ends here; eleven make a mobile number if they begin with a zero."""
    return count in _COMPLETE and (count != _MOBILE or first == "0")
