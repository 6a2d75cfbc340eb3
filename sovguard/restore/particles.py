"""Korean particles that agree with the value in front of them (조사): ``PERSON-…은`` becomes 지수는 or 민준은.

Called for every value that is put back into prose. A model writes the particle for a surrogate, whose final sound it can
only guess; here it is made to agree with the value's, as Korean orthography (한글 맞춤법, 국립국어원) asks: 은/는, 이/가,
을/를, 과/와, 으로/로 (with ㄹ as after a vowel), 아/야, the copula's 이, and what is built on them. A word is only taken for
a particle if all of it is one (이사, 과장, 가족, 은행 are not), so nothing else in a sentence changes.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, NamedTuple

Final = Literal["vowel", "rieul", "consonant"]
"""How a word ends when it is read aloud; ㄹ counts as a vowel before 으로."""


class Agreement(NamedTuple):
    """What to write in place of ``text[start:end]``, which stands behind a value."""

    start: int
    end: int
    written: str


_PAIRS = {
    # after a consonant | after a vowel: what may follow within the word
    "은|는": " 커녕 요",
    "이|가": " 요",
    "을|를": " 요",
    "과|와": " 는 도 의 만 는요 도요 요",
    "으로|로": (
        " 는 도 만 서 써 부터 까지 의 밖에 서는 서도 서의 서만 써는 써도 써의 부터는 부터도 부터의"
        " 까지도 까지는 만은 만도 인 인한 요"
    ),
    "이랑|랑": " 은 도 만 의 은요 도요 요",
    "이나|나": " 마 마도 요",
    "이라|라": (
        " 고 고는 고도 고만 고요 고까지 고밖에 고나 는 는데 는데요 도 도요 면 면서 면서요 서 서요 서는 서도 며 며요"
        " 던 던데 든지 든가 니 니까 네 네요 죠 지만 기 기에 기보다 기보다는 기도 거나 거든요 구요"
        " 는지 는지도 할 할지 할지라도 던가 더니 더군요 더라도 야 야만"
    ),
    "이란|란": " 다 다는 말",
    "이래|래": " 요 서 도 서요",
    "이랍|랍": "니다 니까",
    "이든|든": " 지 가 지요",
    "이야|야": " 말로 말로요",
    "이여|여": " ",
    "이어|여": "서 서요 야 야만 도 도요",
}
_INSERTED = (
    "고 고는 고도 고요 고서 며 며요 면 면서 면서도 면요 다 다고 다는 다며 다만 다면 다시피 지만 지만요 지요 죠 니까 니까요"
    " 네요 거든 거든요 거나 므로 구나 군요 던 던가 던데 던데요 든지 자"
)
"""Endings of the copula whose 이 a vowel may swallow, but no consonant."""
_INFIXED = (
    "가 는 를 도 의 와 만 랑 네 한테 한테는 한테도 한테만 한테서 에게 에게는 에게도 에게만 에게서 께 께서 까지 까지도 까지는"
    " 부터 부터는 보다 보다는 처럼 마저 조차 하고 하고는 하고도 밖에 만큼 만은 만도 네는 네가 네도 네랑"
)
"""Particles that follow a given name with 이 (민준이가); after a vowel there is none (지호가)."""
_BE = ("이에요", "예요"), ("이예요", "예요"), ("에요", "예요")
_PAST = re.compile("(이었|였)[가-힣]{0,8}")
_OPEN, _CLOSE = "[(（]", "[)）]"
_EITHER = (
    ("은", "는"),
    ("이", "가"),
    ("을", "를"),
    ("과", "와"),
    ("아", "야"),
    ("이랑", "랑"),
    ("으로", "로"),
    ("이나", "나"),
)
_OPTIONAL = re.compile(f"{_OPEN}(으|이){_CLOSE}([가-힣]{{1,8}})(?![가-힣])")
_RUN = re.compile("[가-힣]+")
_CLOSERS = re.compile("(?:[\"'”’」』》〉>)\\]}）］*_~`]|</[A-Za-z0-9]{1,10}>){0,6}")
_GOES_ON = re.compile("[가-힣/(（)）]*")
_HALF_TAG = re.compile("<(?:/[A-Za-z0-9]{0,10})?")
_ROUND = {")": "(", "）": "（", "]": "[", "］": "［", "}": "{"}
LONGEST = 24
"""No closing marks and particle together are longer; what a stream has to hold to know what follows a value."""


@cache
def _forms() -> dict[str, tuple[str, str, str]]:
    """Returns for each particle how it is written after a vowel, after ㄹ and after another consonant."""
    forms: dict[str, tuple[str, str, str]] = {}
    for pair, tails in _PAIRS.items():
        closed, _, vowel = pair.partition("|")
        for tail in tails.split(" "):
            after_l = vowel if closed == "으로" else closed
            for written in (closed + tail, vowel + tail):
                forms.setdefault(written, (vowel + tail, after_l + tail, closed + tail))
    for ending in _INSERTED.split():
        forms.setdefault(ending, (ending, "이" + ending, "이" + ending))
    for particle in _INFIXED.split():
        forms.setdefault("이" + particle, (particle, "이" + particle, "이" + particle))
    for closed, vowel in _BE:
        forms[closed] = forms[vowel] = (vowel, "이에요", "이에요")
    return forms


@cache
def _either() -> re.Pattern[str]:
    """Returns a pattern of both forms side by side: 은(는), 는/은."""
    pairs = [pair for closed, vowel in _EITHER for pair in ((closed, vowel), (vowel, closed))]
    written = (f"{first}(?:{_OPEN}{second}{_CLOSE}|/{second})" for first, second in pairs)
    return re.compile(f"(?:{'|'.join(written)})(?![가-힣])")


def agreement(text: str, start: int, end: int, value: str, *, called: bool = False) -> Agreement | None:
    """Returns how the particle behind a value has to be written, if it has to change.

    Args:
        text: A text in prose.
        start: Where the stretch that ``value`` replaces begins.
        end: Where it ends.
        value: What will stand there.
        called: Whether it may be somebody's given name, so that 아/야 calls them.
    """
    closers = _CLOSERS.match(text, end)
    at = closers.end() if closers is not None else end
    if at > end and _belongs_outside(text, start, end, at):
        return None
    found = _particle(text, at, called)
    if found is None:
        return None
    final = final_sound(value)
    if final is None:
        return None
    stop, forms = found
    written = forms[("vowel", "rieul", "consonant").index(final)]
    return None if text[at:stop] == written else Agreement(at, stop, written)


def settled(text: str, at: int) -> bool:
    """Tells whether ``agreement`` behind ``at`` stays what it is, whatever is added to ``text``."""
    closers = _CLOSERS.match(text, at)
    particle = closers.end() if closers is not None else at
    if particle < len(text) and text[particle] == "<":
        return _HALF_TAG.fullmatch(text, particle) is None
    goes_on = _GOES_ON.match(text, particle)
    end = goes_on.end() if goes_on is not None else particle
    return end < len(text) or end - at > LONGEST


def _particle(text: str, at: int, called: bool) -> tuple[int, tuple[str, str, str]] | None:
    """Returns where the particle that begins at ``at`` ends and its three forms."""
    both = _either().match(text, at)
    if both is not None:
        first = re.split("[(（/]", both.group())[0]
        if first in ("아", "야"):
            return both.end(), ("야", "아", "아")
        return both.end(), _forms()[first]
    optional = _OPTIONAL.match(text, at)
    if optional is not None:
        whole = optional.group(1) + optional.group(2)
        known = _forms().get(whole)
        if known is None and optional.group(1) == "이":
            known = (optional.group(2), whole, whole)
        return (optional.end(), known) if known is not None else None
    run = _RUN.match(text, at)
    if run is None:
        return None
    word = run.group()
    if word in ("아", "야"):
        calls = called and (word == "아" or not _ENDS.match(text, run.end()))
        if word == "아" and not called:
            return None
        return run.end(), ("야", "아", "아") if calls else ("야", "이야", "이야")
    known = _forms().get(word)
    if known is not None:
        return run.end(), known
    past = _PAST.fullmatch(word)
    if past is not None:
        rest = word[past.end(1) :]
        return run.end(), (f"였{rest}", f"이었{rest}", f"이었{rest}")
    return None


_ENDS = re.compile("[.。?\"'”’)]|$")


def _belongs_outside(text: str, start: int, end: int, at: int) -> bool:
    """Tells whether the value stands in brackets behind a word (담당자(민준)가): the particle is that word's."""
    for closing in text[end:at]:
        if closing in _ROUND:
            opening = text.rfind(_ROUND[closing], max(0, start - LONGEST), start)
            if opening > 0 and (text[opening - 1].isalnum() or text[opening - 1] in "\"'”’"):
                return True
    return False


def final_sound(value: str) -> Final | None:
    """Returns how ``value`` ends when it is read aloud in Korean; ``None`` where that cannot be known."""
    bare = value.rstrip(" \t\n\"'”’)]}>.,!?）」』》〉")
    if not bare:
        return None
    last = bare[-1]
    if "가" <= last <= "힣":
        return _syllable(last)
    if last in _DIGITS:
        return _DIGITS[last]
    if last.isascii() and last.isalpha():
        word = re.search("[A-Za-z]+$", bare)
        return _latin(word.group() if word else last)
    if "ぁ" <= last <= "ヿ":
        return "consonant" if last in "んン" else "vowel"
    return _SIGNS.get(last)


def _syllable(last: str) -> Final:
    final = (ord(last) - 0xAC00) % 28
    return "vowel" if not final else "rieul" if final == _RIEUL else "consonant"


_RIEUL = 8
# 영/공, 일, 이, 삼, 사, 오, 육, 칠, 팔, 구; a number that ends in 0 is read 십, 백, 천, 만 or 공, each with a consonant.
_FINALS: tuple[tuple[str, Final], ...] = (("036", "consonant"), ("178", "rieul"), ("2459", "vowel"))
_DIGITS = {
    digit: final
    for digits, final in _FINALS
    for plain in digits
    for digit in (plain, chr(ord(plain) + 0xFEE0))
}
_SIGNS: dict[str, Final] = {
    "%": "vowel",
    "℃": "vowel",
    "㎏": "consonant",
    "㎡": "vowel",
    "○": "consonant",
    "〇": "consonant",
}
# Names of letters: 엘, 알 end in ㄹ, 엠, 엔 in a consonant, all others in a vowel.
_LETTERS: dict[str, Final] = {"L": "rieul", "R": "rieul", "M": "consonant", "N": "consonant"}
_SPELT = frozenset(
    {"kr", "jp", "cn", "tv", "id", "ip", "pc", "it", "pm", "am", "ceo", "org", "gov", "edu", "io"}
)
_VOWELS = "aeiouy"


def _latin(word: str) -> Final:
    """Returns how a word in Latin letters ends: read letter by letter (KT), as Korean (Minjun) or as English (Smith)."""
    lower = word.lower()
    if (
        len(word) == 1
        or lower in _SPELT
        or (word.isupper() and (len(word) < 4 or not set(lower) & set(_VOWELS)))
    ):
        return _LETTERS.get(word[-1].upper(), "vowel")
    if (
        lower.endswith("e")
        and len(lower) > 3
        and lower[-2] in "lmn"
        and lower[-3] in _VOWELS + "lmnbpgtdckfz"
    ):
        lower = lower[:-1]  # silent: Anne, Nicole, Apple
        if lower[-1] == "l":
            return "rieul"
    last, before = lower[-1], lower[-2]
    if last == "l":
        return "rieul"
    if last in "mn" or lower.endswith("ng"):
        return "consonant"
    if lower.endswith(("ck", "ph", "tt")) and len(lower) > 2 and lower[-3] in _VOWELS:
        return "consonant"
    # A stop right behind a short vowel closes the syllable (Seok, Bob, net); behind another consonant it is read with 으.
    if last in "kptbc" and before in _VOWELS:
        return "consonant"
    if lower in _BLOCKED:
        return "consonant"
    return "vowel"


_BLOCKED = frozenset({"park"})
"""Korean names written with an r that is not there (박)."""
