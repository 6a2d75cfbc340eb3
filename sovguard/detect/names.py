"""Person names: texts in, PERSON spans out.

The seam of name detection. ``NameRecognizer.find`` gets normalised texts and gives spans; behind it lie word
lists (``name_lexicon``), candidates (``name_candidates``), forms (``name_patterns``), Kiwi's reading and
points (``name_rules``). Another model may take their place without a change for the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import Literal

from sovguard.detect.morphology import Morpheme, morphemes
from sovguard.detect.name_candidates import Candidate, candidates
from sovguard.detect.name_lexicon import NameLexicon, load
from sovguard.detect.name_patterns import Shape, shapes
from sovguard.detect.name_rules import columns, confidence, fields, support, weigh
from sovguard.entities import Detection, Evidence
from sovguard.errors import ConfigError

_MAY_HOLD_NAME = re.compile("[가-힣]|[A-Z][A-Za-z]|[一-龥]{2}")
_REPEATABLE = re.compile("[가-힣]{3,24}|[A-Z][A-Za-z]{2,19}")
_SEEN_SCORE = 0.7
_AT_ONCE = 256


class NameRecognizer:
    """Finds person names; holds no state of its own, so threads may share it.

    Args:
        mode: ``"full"`` weighs Kiwi's morphemes too; ``"fast"`` looks at characters and word lists only.

    Raises:
        ConfigError: If ``mode`` is neither.
        RecognizerDefinitionError: If the pack's lists cannot be read.
    """

    def __init__(self, mode: Literal["fast", "full"]) -> None:
        if mode not in ("fast", "full"):
            raise ConfigError(
                "NameRecognizer mode must be 'fast' or 'full'; for no names at all, do not build one."
            )
        self._full = mode == "full"
        self._lexicon = load()

    def find(self, texts: Sequence[str]) -> list[list[Detection]]:
        """Returns the names in each text, in order of appearance and free of overlaps.

        Args:
            texts: Normalised texts (NFC, zero-width characters dropped).

        Raises:
            DetectionError: If morphological analysis fails.
        """
        found: list[list[Detection]] = []
        for start in range(0, len(texts), _AT_ONCE):
            found += self._find(texts[start : start + _AT_ONCE])
        return found

    def _find(self, texts: Sequence[str]) -> Iterator[list[Detection]]:
        lexicon = self._lexicon
        analysed: Iterable[list[Morpheme] | None] = (
            morphemes(texts) if self._full else repeat(None, len(texts))
        )
        # Texts are taken one by one as Kiwi's threads finish them, so both work at the same time.
        for text, reading in zip(texts, analysed, strict=True):
            if not _MAY_HOLD_NAME.search(text):
                yield []
                continue
            each = candidates(text, lexicon)
            weigh(each, reading, lexicon)
            support(text, each, lexicon)
            yield _resolve(text, reading, each, lexicon, lexicon.thresholds["full" if self._full else "fast"])


def _resolve(
    text: str,
    read: Sequence[Morpheme] | None,
    held: Iterable[Candidate],
    lexicon: NameLexicon,
    threshold: float,
) -> list[Detection]:
    """Returns the best reading of each stretch, together with repeated mentions of what was found."""
    taken: dict[int, Detection] = {}
    covered = bytearray(len(text))
    known: set[str] = set()
    headers: list[Shape] = []
    for shape in chain(fields(text, read, lexicon), columns(text, read, lexicon), shapes(text, lexicon)):
        if not shape.pattern:
            headers.append(shape)
        elif not any(covered[shape.start : shape.end]):
            _take(taken, covered, _of_shape(shape))
            if shape.pattern in ("romanised", "latin", "label", "alias"):
                known.update(word for word in text[shape.start : shape.end].split() if len(word) > 2)
    for header in headers:
        covered[header.start : header.end] = b"\x01" * (header.end - header.start)
    best: dict[int, Candidate] = {}
    for candidate in held:
        if candidate.score >= threshold and (
            candidate.start not in best or best[candidate.start].score < candidate.score
        ):
            best[candidate.start] = candidate
    for candidate in best.values():
        if not any(covered[candidate.start : candidate.end]):
            _take(taken, covered, _of_candidate(candidate))
            if len(candidate.surface) > 2 and candidate.score >= lexicon.thresholds["certain"]:
                known.add(candidate.surface)
    if known:
        for match in _REPEATABLE.finditer(text):
            for size in (len(match.group()),) if match.group().isascii() else (4, 3):
                end = match.start() + size
                if text[match.start() : end] in known and not any(covered[match.start() : end]):
                    _take(taken, covered, _detection(match.start(), end, _SEEN_SCORE, "seen"))
    return [taken[start] for start in sorted(taken)]


def _take(taken: dict[int, Detection], covered: bytearray, detection: Detection) -> None:
    taken[detection.start] = detection
    covered[detection.start : detection.end] = b"\x01" * (detection.end - detection.start)


def _of_shape(shape: Shape) -> Detection:
    return _detection(shape.start, shape.end, shape.score, shape.pattern, shape.context)


def _of_candidate(candidate: Candidate) -> Detection:
    pattern, context = _why(candidate)
    return _detection(candidate.start, candidate.end, confidence(candidate.score), pattern, context)


def _why(candidate: Candidate) -> tuple[str, str]:
    """Returns the strongest reason in words: the rule and the title or label that counted."""
    if candidate.kind == "bare":
        return "surname+title", candidate.context
    if candidate.after in ("title", "honorific", "next_title", "next_honorific"):
        return "name+title", candidate.context
    if candidate.before in ("label", "label_space", "title"):
        return "label", candidate.context
    evidence = candidate.evidence
    if "speaker" in evidence:
        return "speaker", ""
    if "particle.vocative" in evidence:
        return "vocative", ""
    if "known" in evidence or "known_given" in evidence:
        return "seen", ""
    if "beside" in evidence or "column" in evidence:
        return "list", ""
    return ("characters" if candidate.reading == "unread" else "morphology"), ""


def _detection(start: int, end: int, score: float, pattern: str, context: str = "") -> Detection:
    return Detection("PERSON", start, end, score, "person", Evidence(pattern, context=context or None))
