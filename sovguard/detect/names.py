"""Person names: texts in, PERSON spans out.

The seam of name detection. ``NameRecognizer.find`` gets normalised texts and gives spans; behind it lie the model
(``name_model``), forms that are names by themselves (``name_patterns``), fields and columns that ask for a name
(``name_fields``) and further mentions of the people found (``name_mentions``). Another model may take their place without a
change for the caller.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Literal

from sovguard.detect import name_model
from sovguard.detect.name_decoding import Named
from sovguard.detect.name_evidence import evidence
from sovguard.detect.name_fields import columns, fields
from sovguard.detect.name_lexicon import load
from sovguard.detect.name_mentions import Forms, mentions
from sovguard.detect.name_model import NameModel
from sovguard.detect.name_patterns import shapes
from sovguard.entities import Detection, Evidence
from sovguard.errors import ConfigError

_MAY_HOLD_NAME = re.compile("[가-힣]|[A-Za-z]{2}|[一-龥]{2}")
_SEEN_SCORE = 0.7
_LOWEST, _HIGHEST = 0.5, 0.85
"""Scores of the model: a name is never so certain that it breaks up an address or an account it lies in."""
_SURE = 0.6
_DOUBTFUL, _THING = 0.9, 0.98
"""Probabilities that a name that is a word besides needs, and one that is a quarter, a station (신길동) or a product."""
_PLACE_ENDS = "동역"
_ALONE_BEFORE = re.compile("(?:^|[^가-힣])[가-힣] $")
_ALONE_AFTER = re.compile(" [가-힣](?![가-힣])")
_SYLLABLE = re.compile("[가-힣]")
_DEPARTMENTS = frozenset("부국원반단계소실과팀처")
_SYLLABLES = re.compile("[가-힣]{1,2}(?: [가-힣]){1,4}")


class NameRecognizer:
    """Finds person names; holds no state of its own, so threads may share it.

    Args:
        mode: ``"full"`` reads Kiwi's morphemes too; ``"fast"`` reads characters only.
        model: The model to ask; the pack's own if ``None``.

    Raises:
        ConfigError: If ``mode`` is neither, or the model cannot be loaded.
        RecognizerDefinitionError: If the pack's lists cannot be read.
    """

    def __init__(self, mode: Literal["fast", "full"], model: NameModel | None = None) -> None:
        if mode not in ("fast", "full"):
            raise ConfigError(
                "NameRecognizer mode must be 'fast' or 'full'; for no names at all, do not build one."
            )
        self._full = mode == "full"
        self._lexicon = load()
        self._model = name_model.built_in() if model is None else model
        self._lean = self._model.full_lean if self._full else self._model.quick_lean

    def find(self, texts: Sequence[str]) -> list[list[Detection]]:
        """Returns the names in each text, in order of appearance and free of overlaps.

        Args:
            texts: Normalised texts (NFC, zero-width characters dropped).

        Raises:
            DetectionError: If morphological analysis fails.
        """
        return self.started(texts)()

    def started(self, texts: Sequence[str]) -> Callable[[], list[list[Detection]]]:
        """Starts what ``find`` does and returns what finishes it: morphemes are read while the caller does other things."""
        asked = [index for index, text in enumerate(texts) if _MAY_HOLD_NAME.search(text)]
        answers = self._model.started([texts[index] for index in asked], full=self._full)

        def finish() -> list[list[Detection]]:
            found: list[list[Detection]] = [[] for _ in texts]
            for index, names in zip(asked, answers(), strict=True):
                found[index] = self._resolved(texts[index], names)
            return found

        return finish

    def _resolved(self, text: str, names: Sequence[Named]) -> list[Detection]:
        """Returns what forms, fields and the model find, and further mentions of it."""
        taken: list[Detection] = []
        covered = bytearray(len(text))
        lexicon = self._lexicon
        headers: list[tuple[int, int]] = []
        for shape in chain(fields(text, lexicon), columns(text, lexicon), shapes(text, lexicon)):
            if not shape.pattern:
                headers.append((shape.start, shape.end))
            elif not any(covered[shape.start : shape.end]):
                found = Evidence(shape.pattern, context=shape.context or None)
                _take(taken, covered, shape.start, shape.end, shape.score, found)
        for start, end in headers:
            covered[start:end] = b"\x01" * (end - start)
        otherwise = "morphology" if self._full else "characters"
        for start, end, probability in names:
            end = start + len(text[start:end].rstrip())  # the first half of a line end is no letter
            if start == end or any(covered[start:end]) or not _is_whole(text, start, end):
                continue
            why = evidence(text, start, end, otherwise, lexicon)
            if self._holds(text[start:end], why, probability) and not (
                _ends_word(text, start, end)
                if why.pattern == "surname+title"
                else not why.context and _set_apart(text, start, end)
            ):
                _take(taken, covered, start, end, self._score(probability), why)
        for start, end in self._mentioned(text, taken):
            if not any(covered[start:end]):
                _take(taken, covered, start, end, _SEEN_SCORE, Evidence("seen"))
        taken.sort(key=lambda hit: hit.start)
        return taken

    def _holds(self, name: str, why: Evidence, probability: float) -> bool:
        """Tells whether a name that the model found stands: what is a word besides, or one syllable, needs more."""
        apart = _SYLLABLES.fullmatch(name) is not None
        lexicon = self._lexicon
        if name.isascii() and name.islower() and not why.context:
            # Fields of records are such words (role, at); a name is written so where something beside it says what it is.
            known = lexicon.latin_surnames | lexicon.latin_given
            if known.isdisjoint(name.split()):
                return False
        product = name.isascii() and not lexicon.latin_words.isdisjoint(name.lower().split(" "))
        common = product or name.replace(" ", "") in lexicon.lookalikes
        if apart and common:
            return False
        doubtful = apart or common or name in lexicon.placeholders or (len(name) == 1 and not why.context)
        needed = _THING if product or (common and name[-1] in _PLACE_ENDS) else _DOUBTFUL
        return not doubtful or probability >= needed

    def _mentioned(self, text: str, taken: Sequence[Detection]) -> Iterator[tuple[int, int]]:
        sure = {
            text[hit.start : hit.end]: None for hit in taken if hit.score >= _SURE and hit.end - hit.start > 1
        }
        if sure:
            for start, end, _ in mentions(text, Forms(sure, self._lexicon), self._lexicon):
                yield start, end

    def _score(self, probability: float) -> float:
        """Returns the model's probability moved so that one half is where it begins to report."""
        odds = math.log(probability / (1 - probability)) + self._lean
        return round(min(_HIGHEST, max(_LOWEST, 1 / (1 + math.exp(-odds)))), 2)


def _set_apart(text: str, start: int, end: int) -> bool:
    """Tells whether one syllable stands among others set apart (김 이 박 최): the surname of nobody."""
    return end - start == 1 and (
        _ALONE_AFTER.match(text, end) is not None
        or _ALONE_BEFORE.search(text, max(0, start - 3), start) is not None
    )


def _ends_word(text: str, start: int, end: int) -> bool:
    """Tells whether one syllable is what a department is called by, before a title that stands apart: 관리부 팀장."""
    if text[start:end] not in _DEPARTMENTS or not start or _SYLLABLE.match(text, end) is not None:
        return False
    return _SYLLABLE.match(text, start - 1) is not None


def _is_whole(text: str, start: int, end: int) -> bool:
    """Tells whether a name begins with a letter and cuts no word of Latin letters in two."""
    first, last = text[start], text[end - 1]
    if not first.isalpha():
        return False
    before, after = text[start - 1 : start], text[end : end + 1]
    cut = (first.isascii() and before.isascii() and before.isalpha()) or (
        last.isascii() and last.isalpha() and after.isascii() and after.isalpha()
    )
    return not cut


def _take(
    taken: list[Detection], covered: bytearray, start: int, end: int, score: float, why: Evidence
) -> None:
    taken.append(Detection("PERSON", start, end, score, "person", why))
    covered[start:end] = b"\x01" * (end - start)
