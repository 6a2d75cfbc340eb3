"""Gives the people of a document other names, the same one wherever they are mentioned, and roughens its layout.

A model that has seen a name ten times knows the name; one that has seen ten names in a place knows the place. Surnames are
drawn half by how frequent they are and half flat, so that rare ones are seen too. A given name is replaced by one that
ends alike (with or without a final consonant), so that the particles behind it still fit. Common nouns are replaced
likewise, so that a word is no name for being rare.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import accumulate
from pathlib import Path

from documents import Document

from sovguard.detect.morphology import morphemes

_HANGUL = re.compile("[가-힣]+")
_SLOT = re.compile("{([a-z]+)}")
_LATIN = re.compile("[A-Za-z][A-Za-z .'-]{2,}")
_SPACED = re.compile("[가-힣]+(?: [가-힣]+)+")
# Thousands of people a surname, Statistics Korea 2015, rounded; the rest of the pack's list is drawn flat.
_FREQUENT = {
    "김": 1069, "이": 731, "박": 419, "최": 233, "정": 215, "강": 118, "조": 106, "윤": 102, "장": 99, "임": 82,
    "한": 77, "오": 76, "서": 75, "신": 74, "권": 71, "황": 70, "안": 69, "송": 68, "류": 64, "전": 56, "홍": 56,
    "고": 47, "문": 46, "양": 46, "손": 46, "배": 40, "백": 38, "허": 33, "유": 32, "남": 28, "심": 27, "노": 26,
    "하": 23, "곽": 20, "성": 20, "차": 20, "주": 19, "우": 19, "구": 19, "라": 19, "진": 18, "민": 17, "나": 16,
    "지": 15, "엄": 14, "변": 14, "채": 13, "원": 13, "방": 13, "천": 12, "공": 9, "현": 9, "함": 8, "여": 8, "염": 7,
    "석": 6, "추": 6, "도": 6, "소": 5, "설": 4, "선": 4, "마": 4, "길": 4, "연": 4, "위": 3, "표": 3, "명": 3, "기": 3,
    "반": 3, "왕": 3, "금": 3, "옥": 2, "육": 2, "인": 2, "맹": 2, "제": 2, "모": 2,
}  # fmt: skip
_SIZES = {2: 6, 3: 3, 4: 1}
"""Syllables of nouns that are replaced, and how often a new one has as many."""
_TWO = ("남궁", "황보", "제갈", "선우", "독고", "사공", "서문", "동방", "망절", "어금")
_EXAMPLE = "홍길동"
"""The John Doe of Korean forms and test data: it stays where it is, and turns up elsewhere."""
_PURE_IN_A_ROW = (
    "하늘 보라 가을 이슬 아름 한결 슬기 다정 나라 사랑 미소 우주 바다 별 봄 솔 새봄 초롱 누리 "
    "아라 다온 라온 새롬 보람 한별 은별 샛별 가람 나래 다솜 마루 아람 여울 이든 하람 하리 예슬 "
    "푸름 한솔 찬솔 다은 고은 새벽 나무 겨울 여름 소라 진주 은하 유리 소리 자람 버들 달래 단비 "
    "꽃님 빛나 빛나라 하늬 가람누리 초아 루다 아리 도담 해솔 윤슬 이유 정보 보배 장미 나리 진리 "
    "믿음 소망 은혜 평화 기쁨 샘 결 담 율 건 준 민 현 빈 산 찬 린 온 단 로이 이안 로아 리아 "
    "제이 조이 레오 시온 노아 이레 하임 요한 요셉 은총 지수 주연 우선 정리 유지 이상 한정 강조 "
    "고민 안정 전진 정직 성실"
)
_PURE = _PURE_IN_A_ROW.split()


def lines_of(file: Traversable) -> list[str]:
    """Returns the lines of a list that are neither empty nor comments."""
    lines = (line.strip() for line in file.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def words_of(name: str) -> list[str]:
    """Returns the words of one of the pack's lists."""
    return lines_of(resources.files("sovguard.recognizers").joinpath(name))


def listed(name: str) -> list[str]:
    """Returns the lines of one of the lists in ``training/lists``."""
    return lines_of(Path(__file__).parent / "lists" / f"{name}.txt")


def ends_closed(text: str) -> bool:
    """Tells whether the last syllable has a final consonant (받침)."""
    return "가" <= text[-1] <= "힣" and (ord(text[-1]) - 0xAC00) % 28 > 0


class Swapper:
    """Draws names and puts them into documents.

    Args:
        documents: Whose given names, foreign names and names in Latin letters are drawn from.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        surnames = words_of("surnames_ko.txt")
        rare = words_of("surnames_rare_ko.txt")
        self._surnames = frozenset(surnames) | frozenset(rare) | frozenset(_TWO)
        self._flat = [name for name in surnames if name not in _TWO]
        self._rare = rare
        self._first = words_of("given_first_ko.txt")
        last = words_of("given_last_ko.txt")
        given: set[str] = set()
        foreign: set[str] = set()
        latin: set[str] = set()
        for document in documents:
            for start, end in document.spans:
                name = document.text[start:end]
                if _HANGUL.fullmatch(name):
                    surname = self.surname_of(name)
                    if surname and len(name) - len(surname) == 2:
                        given.add(name[len(surname) :])
                    elif len(name) > 4:
                        foreign.add(name)
                elif _SPACED.fullmatch(name) and len(name) > 4:
                    foreign.add(name)
                elif _LATIN.fullmatch(name):
                    latin.add(name)
        by_end = (False, True)
        known = [line.split() for line in listed("given_names")]
        self._known = {}
        for closed in by_end:
            some = [(name, int(count)) for name, count in known if ends_closed(name) == closed]
            self._known[closed] = ([name for name, _ in some], [*accumulate(count for _, count in some)])
        foreign.update(listed("foreign_names"))
        self._given = {closed: sorted(g for g in given if ends_closed(g) == closed) for closed in by_end}
        self._pure = {closed: [g for g in _PURE if ends_closed(g) == closed] for closed in by_end}
        self._last = {closed: [g for g in last if ends_closed(g) == closed] for closed in by_end}
        self._foreign = {closed: sorted(f for f in foreign if ends_closed(f) == closed) for closed in by_end}
        self._latin = sorted(latin)
        self._words = words_of("name_lookalikes_ko.txt")
        self._alike = listed("nouns_alike")
        nouns = listed("nouns")
        self._nouns = {
            (size, closed): [w for w in nouns if len(w) == size and ends_closed(w) == closed]
            for size in _SIZES
            for closed in by_end
        }
        self._places: dict[str, tuple[tuple[int, int], ...]] = {}
        self._titles = [title for title in words_of("titles_ko.txt") if len(title) > 1]
        self._kept = frozenset([*self._titles, *words_of("name_labels_ko.txt"), *self._words])
        self._things = lines_of(Path(__file__).parent / "belongings.txt")

    def surname_of(self, name: str) -> str:
        """Returns the surname that ``name``, of three or four syllables, begins with; empty if it has none."""
        if len(name) in (3, 4) and name[:2] in _TWO:
            return name[:2]
        return name[0] if len(name) == 3 and name[0] in self._surnames else ""

    def surname(self, rng: random.Random) -> str:
        """Draws a surname."""
        drawn = rng.random()
        if drawn < 0.5:
            return rng.choices(list(_FREQUENT), list(_FREQUENT.values()))[0]
        if drawn < 0.85:
            return rng.choice(self._flat)
        return rng.choice(_TWO) if drawn < 0.93 else rng.choice(self._rare)

    def given(self, rng: random.Random, closed: bool) -> str:
        """Draws a given name that ends with (``closed``) or without a final consonant."""
        drawn = rng.random()
        if drawn < 0.25 and self._given[closed]:
            return rng.choice(self._given[closed])
        if drawn < 0.65:
            names, counts = self._known[closed]
            return rng.choices(names, cum_weights=counts)[0]
        if drawn < 0.88:
            return rng.choice(self._first) + rng.choice(self._last[closed])
        return rng.choice(self._pure[closed])

    def swapped(self, document: Document, rng: random.Random, share: float) -> Document:
        """Returns ``document`` with about ``share`` of its people under other names."""
        text = document.text
        names = list(dict.fromkeys(text[start:end] for start, end in document.spans))
        new: dict[str, str] = {}
        for name in names:
            surname = self.surname_of(name) if _HANGUL.fullmatch(name) else ""
            if not surname or name == _EXAMPLE:
                new.update({name: name} if surname else {})
                continue
            given = name[len(surname) :]
            if rng.random() > share:
                new.update({name: name, given: given, surname: surname})
                continue
            kin = surname in new and rng.random() < 0.7
            drawn = new[surname] if kin else self.surname(rng)
            called = new.get(given) or self.given(rng, ends_closed(given))
            if ends_closed(given) and _EXAMPLE not in new.values() and rng.random() < 0.02:
                drawn, called = _EXAMPLE[0], _EXAMPLE[1:]
            new[name] = drawn + called
            new.setdefault(given, called)
            new.setdefault(surname, drawn)
        for name in names:
            if name not in new:
                new[name] = self._other(name, rng) if rng.random() < share else name
        return replaced(document, [new[text[start:end]] for start, end in document.spans])

    def reworded(self, document: Document, rng: random.Random, share: float) -> Document:
        """Returns ``document`` with about ``share`` of its common nouns replaced by others that end alike.

        What a name stands beside stays: titles, labels and all within two characters of a name.
        """
        parts: list[str] = []
        moves: list[tuple[int, int]] = []
        last = 0
        for start, end in self._nouns_of(document):
            if rng.random() < share:
                noun = document.text[start:end]
                new = rng.choice(
                    self._nouns[rng.choices(list(_SIZES), list(_SIZES.values()))[0], ends_closed(noun)]
                )
                parts += (document.text[last:start], new)
                last = end
                moves.append((end, len(new) - len(noun)))
        parts.append(document.text[last:])
        spans: list[tuple[int, int]] = []
        at = moved = 0
        for start, end in document.spans:
            while at < len(moves) and moves[at][0] <= start:
                moved += moves[at][1]
                at += 1
            spans.append((start + moved, end + moved))
        return Document(document.id, document.genre, "".join(parts), tuple(spans))

    def _nouns_of(self, document: Document) -> tuple[tuple[int, int], ...]:
        """Returns where nouns stand that may be replaced."""
        if document.id not in self._places:
            text = document.text
            near = {at for start, end in document.spans for at in range(start - 2, end + 2)}
            self._places[document.id] = tuple(
                (m.start, m.end)
                for m in next(morphemes([text]))
                if m.tag == "NNG"
                and m.end - m.start in _SIZES
                and text[m.start : m.end] not in self._kept
                and near.isdisjoint(range(m.start, m.end))
                and not _HANGUL.match(text[m.start - 1 : m.start])
            )
        return self._places[document.id]

    def _other(self, name: str, rng: random.Random) -> str:
        if _HANGUL.fullmatch(name):
            closed = ends_closed(name)
            if len(name) == 1:
                return self.surname(rng) if name in self._surnames else name
            if len(name) == 2:
                if name[0] not in self._surnames or rng.random() < 0.7:
                    return self.given(rng, closed)
                return self.surname(rng) + rng.choice(self._last[closed])
            if rng.random() < 0.7:
                return rng.choice(self._foreign[closed])
        elif _SPACED.fullmatch(name) and len(name) > 4:
            if rng.random() < 0.5:
                first = rng.choice(self._foreign[rng.random() < 0.5])
                return f"{first} {rng.choice(self._foreign[ends_closed(name)])}"
        elif _LATIN.fullmatch(name) and self._latin and rng.random() < 0.5:
            return rng.choice(self._latin)
        return name

    def framed(self, frames: Sequence[str], rng: random.Random) -> Document:
        """Returns a short text made of one of ``frames`` with names and words drawn for its slots."""
        draw = {
            "full": lambda: self.surname(rng) + self.given(rng, rng.random() < 0.6),
            "given": lambda: self.given(rng, rng.random() < 0.6),
            "sur": lambda: self.surname(rng),
            "foreign": lambda: rng.choice(self._foreign[rng.random() < 0.5] or ["마이클 조던"]),
            "latin": lambda: rng.choice(self._latin or ["Kim Minsu"]),
        }
        words = {
            "word": self._words if rng.random() < 0.5 else self._alike,
            "title": self._titles,
            "thing": self._things,
        }
        parts: list[str] = []
        spans: list[tuple[int, int]] = []
        length = last = 0
        frame = rng.choice(frames)
        for slot in _SLOT.finditer(frame):
            value = draw[slot[1]]() if slot[1] in draw else rng.choice(words[slot[1]])
            parts += (frame[last : slot.start()], value)
            length += slot.start() - last
            if slot[1] in draw:
                spans.append((length, length + len(value)))
            length += len(value)
            last = slot.end()
        parts.append(frame[last:])
        return Document("frame", "frame", "".join(parts), tuple(spans))


def replaced(document: Document, names: Sequence[str]) -> Document:
    """Returns ``document`` with ``names`` in the places of its spans."""
    parts: list[str] = []
    spans: list[tuple[int, int]] = []
    last = length = 0
    for (start, end), name in zip(document.spans, names, strict=True):
        parts += (document.text[last:start], name)
        length += start - last
        spans.append((length, length + len(name)))
        length += len(name)
        last = end
    parts.append(document.text[last:])
    return Document(document.id, document.genre, "".join(parts), tuple(spans))


def roughened(document: Document, rng: random.Random) -> Document:
    """Returns ``document`` as other software or a hasty hand might have left it; mostly as it is."""
    drawn = rng.random()
    if drawn < 0.06:
        return _disguised(document, rng)
    if drawn < 0.10:
        return _without_spaces(document, rng)
    if drawn < 0.14:
        return Document(document.id, document.genre, document.text.replace("\n", " "), document.spans)
    if drawn < 0.17:
        text = document.text.lower() if rng.random() < 0.5 else document.text.upper()
        if len(text) == len(document.text):
            return Document(document.id, document.genre, text, document.spans)
    elif drawn < 0.37 and "\n" in document.text:
        return line_of(document, rng)
    return document


def line_of(document: Document, rng: random.Random) -> Document:
    """Returns one to three lines of ``document``, as they would stand in a cell or a message of their own."""
    starts = [0, *(match.end() for match in re.finditer("\n", document.text))]
    first = rng.randrange(len(starts))
    last = min(len(starts), first + rng.choice((1, 1, 1, 2, 3)))
    low = starts[first]
    high = starts[last] - 1 if last < len(starts) else len(document.text)
    spans = tuple((a - low, b - low) for a, b in document.spans if a >= low and b <= high)
    return Document(document.id, document.genre, document.text[low:high], spans)


def _without_spaces(document: Document, rng: random.Random) -> Document:
    share = rng.choice((0.3, 0.6, 1.0))
    inside = {at for start, end in document.spans for at in range(start, end)}
    kept: list[str] = []
    moved: list[int] = []
    for at, character in enumerate(document.text):
        moved.append(len(kept))
        if character != " " or at in inside or rng.random() > share:
            kept.append(character)
    moved.append(len(kept))
    return Document(
        document.id, document.genre, "".join(kept), tuple((moved[a], moved[b]) for a, b in document.spans)
    )


def _disguised(document: Document, rng: random.Random) -> Document:
    """Masks or spaces out some of the names."""
    names = []
    for start, end in document.spans:
        name = document.text[start:end]
        if _HANGUL.fullmatch(name) and len(name) == 3 and rng.random() < 0.6:
            mask = rng.choice("*****○○○OX◯●")
            name = rng.choice(
                (f"{name[0]}{mask}{name[2]}", f"{name[0]}{mask}{mask}", f"{name[:2]}{mask}", " ".join(name))
            )
        names.append(name)
    return replaced(document, names)
