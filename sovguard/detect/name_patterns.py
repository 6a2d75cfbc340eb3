"""Names that are recognised by their form: partly masked, 김모 씨, in Latin letters, Vietnamese, spaced out.

Regular expressions only, each with bounded repetition, so the cost stays linear. Names in plain Hangul are
found by the model (``name_model``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from sovguard.detect.name_lexicon import NameLexicon, closed, load, tail_of


@dataclass(frozen=True, slots=True)
class Shape:
    """A stretch of text whose form makes it a name.

    Attributes:
        pattern: Which form it is; becomes the evidence.
        context: The label or title that spoke for it.
    """

    start: int
    end: int
    pattern: str
    score: float
    context: str = ""


_MASK = "[*○●◯〇□]"
_ANY_HANJA = re.compile("[一-龥]")
_ANY_CAPITAL = re.compile("[A-ZÀ-Þ]")
"""What a pattern cannot do without; to look for one character is much faster than to try a pattern everywhere."""
_CAPITALS = re.compile("[A-Z]{2}|Dr|Prof")
_MASKED = re.compile(f"[가-힣](?:{_MASK}|O[OX가-힣]|XX)")
# 이모님 and 고모님 are aunts, 부모님 parents: before 님 the written-together form is none of these.
_KIN_BEFORE_MO = frozenset("이고부조유계노생양장사숙백외시친종")
_LATIN_TITLE = "(?:CEO|CTO|CFO|COO|CIO|CMO|CISO|PM|PD|PL|MD|AE|TL|Prof|Dr)"
_WORD_AFTER = re.compile(f" (?!{_LATIN_TITLE}(?![A-Za-z]))([A-Z][A-Za-z]{{1,19}})(?![A-Za-z])")
_CAPITAL = "(?:[A-Z][A-Za-zÀ-ɏḀ-ỿ]{1,19}(?:['’-][A-Za-zÀ-ɏ]{1,14})?|[A-ZÀ-Þ](?=[.]))[.]?"
_LATIN = re.compile(rf"(?<![0-9A-Za-zÀ-ɏ@._/\\-]){_CAPITAL}(?: {_CAPITAL}){{0,4}}")
_GIVEN_AFTER_COMMA = re.compile(rf", ({_CAPITAL}(?: [A-Z][.])?)(?![A-Za-z ])")
_CONTINUES = re.compile("[0-9A-Za-z@_À-ɏ=]|[.][a-z]")
_WORD = re.compile(r"[A-Za-zÀ-ỿ.'’-]+")
# Korean, with what Vietnamese and Chinese romanisations add: onsets (zh, ng, kh) and ends (c, nh, ch).
_ONSET = "(?:kk|tt|pp|ss|jj|ch|sh|zh|th|ph|tr|nh|kh|ng|qu|[gkndtrlmbpshjcwyvxzqf])?"
_VOWEL = "(?:yeo|yae|eui|woo|yoo|yeu|ae|ya|eo|ye|wa|oe|yo|wo|we|wi|yu|eu|ui|oo|ee|ou|ia|ai|ao|ei|iu|[aouie])"
_RIME = f"{_VOWEL}(?:ng|nh|ch|[nmlkpbtghrc])?"
_ROMANISED = re.compile(f"(?:{_ONSET}{_RIME}){{1,3}}", re.IGNORECASE)
_LABEL_BEFORE = re.compile(r"([A-Za-z_-]{2,20}|[가-힣]{1,8})[\"']?[ ]?([:=.(\[]?)[\"' ]{0,3}$")
_HANGUL_NAME_BEFORE = re.compile(r"[가-힣]{2,5}(?: [가-힣]{1,5}){0,3} ?[(/,·] ?$")
_HANJA = re.compile(r"(?<=[가-힣][(/])[一-龥]{2,5}(?=[)·,/ ])|(?<=[가-힣] \()[一-龥]{2,5}(?=[)·,/ ])")
_AFTER_NAME = re.compile(
    r' ?(?:님|씨(?![가-힣]{2})|군(?![가-힣])|양(?![가-힣]))| ?[(<"]{1,2}[A-Za-z0-9._-]{2,40}@| ?\([가-힣]'
)


_CLOSE = {
    '"': '"',
    "'": "'",
    "|": "|",
    "\t": "\t",
    "(": ")",
    "[": "]",
    ",": ",",
    ">": "<",
    "“": "”",
    "‘": "’",
    "=": "(",
}
_OPEN = frozenset(_CLOSE)
_SYLLABLE_BEFORE = re.compile("(?<![가-힣])[가-힣] {1,3}$")
_SIGNED = re.compile(" {0,8}[(\\[](?:인|印|서명|날인|서명 ?(?:또는|및) ?(?:인|날인))[)\\]]")
_COURTESY = re.compile(" ?[가-힣]{0,4}님| 씨(?![가-힣])|씨(?![가-힣])")
_CALLED = re.compile(" ?(?:고객|회원|환자)?님")
_COUNTERS = frozenset("명분개번건장대")


@cache
def _compiled() -> tuple[re.Pattern[str], ...]:
    lexicon = load()
    surnames = lexicon.surnames | lexicon.rare_surnames
    surname = _one_of(surnames)
    return (
        _at_word_start(
            surnames,
            rf"({surname}[가-힣]?)({_MASK}{{1,3}}|[OX]{{2}}|O(?=[가-힣]))([가-힣]{{0,12}})(?![*A-Za-z0-9])",
            before="가-힣A-Za-z0-9*",
        ),
        _at_word_start(surnames, rf"({surname})( ?)모( ?)(씨|군|양|님|\(|[가-힣]{{2,8}})"),
        _at_word_start(surnames, rf"({surname}) ?({_LATIN_TITLE})(?![A-Za-z0-9])"),
        _at_word_start(
            lexicon.foreign_surnames,
            rf"({_one_of(lexicon.foreign_surnames)}(?: [가-힣]{{1,4}}){{1,3}})(?![가-힣])",
        ),
        _at_word_start(surnames, rf"({surname}) ([가-힣]{{1,2}}(?![가-힣])|[가-힣]{{2}}(?=님|입니다))"),
        _at_word_start(
            surnames,
            rf"({surname} {{1,3}}([가-힣]) {{1,3}}([가-힣]))([가-힣]{{0,8}})(?! ?(?![씨님군양])[가-힣](?![가-힣]))",
        ),
    )


def _at_word_start(words: Iterable[str], body: str, before: str = "가-힣") -> re.Pattern[str]:
    """Returns a pattern for ``body``, which begins with one of ``words``, where a word begins.

    It takes the first character alone, so that the search can skip all others and readings may overlap.
    """
    starts = "".join(sorted({word[0] for word in words}))
    return re.compile(f"[{starts}](?<![{before}].)(?<=(?={body}).)")


def _one_of(words: Iterable[str]) -> str:
    """Returns an expression for any of ``words``, longest first."""
    ordered = sorted(words, key=lambda word: (-len(word), word))
    long = [word for word in ordered if len(word) > 1]
    short = "".join(word for word in ordered if len(word) == 1)
    return f"(?:{'|'.join([*long, f'[{short}]'] if short else long)})"


def shapes(text: str, lexicon: NameLexicon) -> Iterator[Shape]:
    """Gives every stretch of ``text`` whose form makes it a name; they may overlap."""
    masked, anonymous, latin_title, foreign, spaced, apart = _compiled()
    if _MASKED.search(text):
        for match in masked.finditer(text):
            if (shape := _masked(match, lexicon)) is not None:
                yield shape
    for match in anonymous.finditer(text) if "모" in text else ():
        if (shape := _anonymous(match)) is not None:
            yield shape
    for match in latin_title.finditer(text) if _CAPITALS.search(text) else ():
        yield Shape(match.start(1), match.end(1), "surname+title", 0.85, match.group(2))
    for match in foreign.finditer(text):
        yield Shape(match.start(1), _foreign_end(match), "foreign", 0.85)
    for match in apart.finditer(text):
        if (shape := _apart(match, lexicon)) is not None:
            yield shape
    for match in spaced.finditer(text):
        if (shape := _spaced(match, lexicon)) is not None:
            yield shape
    for match in _HANJA.finditer(text) if _ANY_HANJA.search(text) else ():
        yield Shape(match.start(), match.end(), "alias", 0.8)
    if _ANY_CAPITAL.search(text):
        yield from _latin(text, lexicon)


def _masked(match: re.Match[str], lexicon: NameLexicon) -> Shape | None:
    head, mask, rest = match.group(1), match.group(2), match.group(3)
    if len(head) > 1 and head not in lexicon.surnames and len(mask) > 1 and rest:
        return None
    for keep in (1, 0) if len(mask) == 1 else (0, 1):
        if keep <= len(rest) and (tail := _tail(rest[keep:])) is not None:
            if not keep and len(mask) == 1 and not rest and len(head) == 1:
                continue  # "주*" is a footnote mark
            return Shape(match.start(), match.end(2) + keep, "masked", 0.85, tail)
    return None


def _tail(rest: str) -> str | None:
    found = tail_of(rest, True) or tail_of(rest, False)
    return None if found is None else found.title


def _anonymous(match: re.Match[str]) -> Shape | None:
    surname, space, gap, after = match.groups()
    if after not in ("(", "씨", "군", "양", "님"):
        found = _tail(after)
        if (
            not found
            or (not gap and found not in ("씨", "군", "양", "님"))
            or (surname in _KIN_BEFORE_MO and not space)
        ):
            return None
    elif (after == "님" and surname in _KIN_BEFORE_MO and not space) or (after == "양" and not gap):
        return None
    return Shape(match.start(1), match.end(1), "surname+모", 0.9, "모")


def _spaced(match: re.Match[str], lexicon: NameLexicon) -> Shape | None:
    """A name with a space inside: only where it is a value of its own, or before 님."""
    text, given = match.string, match.group(2)
    if (
        given[0] not in lexicon.given_first
        or given[-1] not in lexicon.given_last
        or given in lexicon.lookalikes
    ):
        return None
    if given in lexicon.titles or match.group(1) + given in lexicon.lookalikes:
        return None
    before = text[max(0, match.start() - 24) : match.start()]
    label = _LABEL_BEFORE.search(before)
    name = lexicon.label(label.group(1)) if label else ""
    end = match.end(2)
    closing = text[end : end + 2]
    own = bool(before) and before[-1] in _OPEN and closing[:1] in _CLOSE[before[-1]]
    if own or (name and closing[:1] in ("", "\n", "(", ",", '"', "'", "/")) or _CALLED.match(text, end):
        return Shape(match.start(), end, "spaced", 0.65, name)
    return None


def _apart(match: re.Match[str], lexicon: NameLexicon) -> Shape | None:
    """A name with its syllables set apart, as forms write it: behind a label or before (인), 님."""
    text, rest = match.string, match.group(4)
    start, end = match.span(1)
    before = text[max(0, start - 24) : start]
    # The label may be set apart as well (성 명), and a single syllable before is part of another such word.
    squeezed = _LABEL_BEFORE.search(before.rpartition("\n")[2].replace(" ", ""))
    label = _LABEL_BEFORE.search(before)
    name = sign = ""
    for found in (label, squeezed):
        if found is not None and not name:
            name, sign = lexicon.label(found.group(1)) or lexicon.title_before(found.group(1)), found.group(2)
    if not name and _SYLLABLE_BEFORE.search(before):
        return None
    given, tail = match.group(2) + match.group(3), tail_of(rest, closed(match.group(3)))
    if tail is None or given in lexicon.lookalikes or given in lexicon.titles:
        return None
    if _SIGNED.match(text, end) and not rest:
        return Shape(start, end, "spaced", 0.75, name)
    if name and sign and not (rest and tail.kind == "title"):
        return Shape(start, end, "spaced", 0.75, name)
    if match.group(2) not in lexicon.given_first or match.group(3) not in lexicon.given_last:
        return None
    closing = text[end : end + 1] or "\n"
    own = before[-1:] in _OPEN and closing in _CLOSE[before[-1]]
    # Behind a bare word, 두 명 and 한 분 are counted, not called.
    if (name and match.group(3) not in _COUNTERS) or own or _COURTESY.match(text, end):
        return Shape(start, end, "spaced", 0.65, name)
    return None


def _foreign_end(match: re.Match[str]) -> int:
    """Returns where the name ends: before a title or a word with a particle that does not belong to it."""
    end = match.start()
    for index, word in enumerate(match.group(1).split(" ")):
        title = tail_of(word, True)
        if index and title is not None and title.title:
            break
        end += len(word) + (index > 0)
        stem = word[:-1]
        if (
            index
            and len(word) > 1
            and word[-1] in "은는이가을를의께도와과"
            and load().particle(word[-1], stem)
        ):
            return end - 1
    return end


def _latin(text: str, lexicon: NameLexicon) -> Iterator[Shape]:
    for match in _LATIN.finditer(text):
        if _CONTINUES.match(text, match.end()):
            continue
        for start, end in _parts(match, lexicon):
            if text[start:end].lower() in lexicon.latin_surnames and (
                given := _GIVEN_AFTER_COMMA.match(text, end)
            ):
                if given.group(1).lower() not in lexicon.latin_words:
                    yield Shape(start, given.end(), "romanised", 0.7)
                continue
            shape = _latin_name(text, start, end, lexicon)
            if shape is not None:
                yield shape


def _parts(match: re.Match[str], lexicon: NameLexicon) -> Iterator[tuple[int, int]]:
    """Gives the stretches of capitalised words between words that belong to no name."""
    start = end = -1
    for word in _WORD.finditer(match.string, match.start(), match.end()):
        plain = word.group().rstrip(".").lower()
        if plain in lexicon.latin_words and plain not in lexicon.latin_surnames:
            if start >= 0:
                yield start, end
            start = -1
            continue
        if start < 0:
            start = word.start()
        # The full stop of an initial belongs to the name, that of a sentence does not.
        end = word.end() - (word.group()[-1] == "." and len(word.group()) > 2)
    if start >= 0:
        yield start, end


def _latin_name(text: str, start: int, end: int, lexicon: NameLexicon) -> Shape | None:
    words = [word.rstrip(".") for word in text[start:end].split(" ")]
    lower = [word.lower() for word in words]
    before = _LABEL_BEFORE.search(text, max(0, start - 24), start)
    label = lexicon.label(before.group(1)) if before else ""
    if before and not label and before.group(2) in ("", ":"):
        label = lexicon.title_before(before.group(1))
    after = _AFTER_NAME.match(text, end)
    alias = (
        _HANGUL_NAME_BEFORE.search(text, max(0, start - 24), start)
        if text[start - 1 : start] in "( /,"
        else None
    )
    if any(word in lexicon.latin_words for word in lower if word not in lexicon.latin_surnames):
        return None
    initials = sum(len(word) == 1 for word in words)
    if initials == len(words):
        return None
    if 2 <= len(words) <= 4:
        for index in (0, -1):
            rest = words[1:] if index == 0 else words[:-1]
            if lower[index] in lexicon.latin_surnames and _given(rest, lexicon):
                return Shape(start, end, "romanised", 0.8, label)
        if (lower[0] in lexicon.latin_given and words[1][1:].islower()) or lower[-1] in lexicon.latin_given:
            return Shape(start, end, "latin", 0.7, label)
    if len(words) == 1 and (
        len(words[0]) < 3 or not (words[0][1:].islower() or lower[0] in lexicon.latin_surnames)
    ):
        return None
    known = any(word in lexicon.latin_surnames or word in lexicon.latin_given for word in lower)
    following = None if known else _WORD_AFTER.match(text, end)
    if following is not None and following.group(1).lower() in lexicon.latin_words:
        return None  # Alpine Linux
    if label and (
        len(words) > 1
        or after
        or lower[0] in lexicon.latin_surnames | lexicon.latin_given
        or _certain(before)
    ):
        return Shape(start, end, "label", 0.7, label)
    if after and (len(words) > 1 or lower[0] in lexicon.latin_surnames | lexicon.latin_given):
        return Shape(start, end, "latin", 0.65)
    if alias and len(words) > 1 and text[end : end + 1] in (")", ",", "/"):
        return Shape(start, end, "alias", 0.65)
    if (
        len(words) == 1
        and lower[0] in lexicon.latin_given
        and text[end : end + 1] in (":", "(", ",", "", " ", "\n", ")")
    ):
        return Shape(start, end, "latin", 0.55)
    return None


def _certain(before: re.Match[str] | None) -> bool:
    return (
        before is not None
        and before.group(2) in (":", "=", ".")
        and before.group(1).lower() not in ("from", "by", "to")
    )


def _given(words: list[str], lexicon: NameLexicon) -> bool:
    return all(
        len(word) == 1
        or word.lower() in lexicon.latin_given
        or all(_ROMANISED.fullmatch(part) for part in word.split("-"))
        for word in words
    ) and any(len(word) > 2 or len(words) > 1 for word in words)
