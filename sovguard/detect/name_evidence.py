"""What stands beside a name and speaks for it, in a word: the title, the label, the call.

The model weighs far more than this; what is said here is what a reader of a detection can check with their own eyes, and what
tells people of one surname apart.
"""

from __future__ import annotations

import re

from sovguard.detect.name_lexicon import HONORIFICS, NameLexicon, closed, tail_of
from sovguard.entities import Evidence

_HANGUL = re.compile("[가-힣]{1,24}")
_NEXT_WORD = re.compile(" ([가-힣]{1,24})")
_BEFORE = re.compile(r"([A-Za-z_-]{2,20}|[가-힣]{1,12})[\"']?[ ]{0,2}([:=(\[]?)[\"' ]{0,3}$")
_SPEAKER = re.compile(" ?[:：]")


def title_beside(text: str, start: int, end: int, lexicon: NameLexicon) -> str:
    """Returns the title or honorific that follows ``text[start:end]`` or stands before it; empty if none does."""
    return title_after(text, start, end, lexicon) or _before(text, start, lexicon)[1]


def title_after(text: str, start: int, end: int, lexicon: NameLexicon) -> str:
    """Returns the title or honorific directly behind a name, in its word or the next."""
    rest = _HANGUL.match(text, end)
    if rest is not None:
        last = text[end - 1]
        tail = tail_of(rest.group(), closed(last) if "가" <= last <= "힣" else False)
        return tail.title if tail is not None else ""
    following = _NEXT_WORD.match(text, end)
    if following is None:
        return ""
    word = following.group(1)
    found = tail_of(word, False) or tail_of(word, True)
    return found.title if found is not None else ""


def evidence(text: str, start: int, end: int, otherwise: str, lexicon: NameLexicon) -> Evidence:
    """Returns the evidence for a name that the model found: a rule's name and a context word, never a value.

    Args:
        text: The text.
        start: Start of the name.
        end: End of the name.
        otherwise: What to say where nothing beside the name speaks for itself.
        lexicon: The pack's lists.
    """
    name = text[start:end]
    if title := title_after(text, start, end, lexicon):
        bare = len(name) == 1 or name in lexicon.surnames
        return Evidence("surname+title" if bare and title not in HONORIFICS else "name+title", context=title)
    label, title = _before(text, start, lexicon)
    if label or title:
        return Evidence("label", context=label or title)
    rest = _HANGUL.match(text, end)
    if rest is not None and rest.group() in ("아", "야"):
        return Evidence("vocative")
    line = text.rfind("\n", 0, start) + 1
    if not text[line:start].strip() and _SPEAKER.match(text, end):
        return Evidence("speaker")
    return Evidence(otherwise)


def _before(text: str, start: int, lexicon: NameLexicon) -> tuple[str, str]:
    """Returns the label and the title, one of them empty, that stand before a name."""
    match = _BEFORE.search(text, max(0, start - 28), start)
    if match is None or "\n" in match.group():
        return "", ""
    label = lexicon.label(match.group(1))
    return (label, "") if label else ("", lexicon.title_before(match.group(1)))
