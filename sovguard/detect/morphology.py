"""Korean morphemes with their offsets, from one Kiwi instance shared by the process.

The only module that imports kiwipiepy. It hands out plain tuples, so nothing else depends on Kiwi's types.
Morphemes may overlap and run backwards (a fused ending starts inside the stem): they are evidence about a
stretch of text, and text is never rebuilt from them.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sovguard.errors import DetectionError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from kiwipiepy import Kiwi

CHUNK = 2000
"""Longest stretch, in characters, that Kiwi is given at once; keeps its lattice, and so its time, linear."""

_HANGUL = re.compile("[가-힣]")
# Kiwi passes text as UTF-16: a lone surrogate is refused. NUL would end the string in C code.
_UNSPEAKABLE = re.compile("[\x00\ud800-\udfff]")
_TAGS_IN_A_ROW = (
    "NNG NNP NNB NR NP VV VA VX VCP VCN MM MAG MAJ IC JKS JKC JKG JKO JKB JKV JKQ JX JC EP EF EC ETN ETM "
    "XPN XSN XSV XSA XSM XR SF SP SS SSO SSC SE SO SW SL SH SN SB UN W_URL W_EMAIL W_HASHTAG W_MENTION "
    "W_SERIAL W_EMOJI Z_CODA Z_SIOT"
)
TAGS = _TAGS_IN_A_ROW.split()
"""Kiwi's tags, without what follows a hyphen (regular and irregular stems); 0 is none."""
_TAG_IDS = {tag: index + 1 for index, tag in enumerate(TAGS)}

_lock = threading.Lock()
_kiwi: Kiwi | None = None
_abandoned: list[Kiwi] = []


class Morpheme(NamedTuple):
    """One morpheme as a word of a dictionary: ``text[start:end]``, its dictionary form and its Kiwi tag."""

    start: int
    end: int
    lemma: str
    tag: str


class MorphemeArrays(NamedTuple):
    """Morphemes as arrays of equal length, ordered by start.

    Attributes:
        starts: Offset of each morpheme's first character.
        ends: Offset behind its last.
        tags: Number of its tag (``tag_id``).
        ids: Kiwi's number of the morpheme; the same for one form and tag in every text.
        unknown: Whether it is missing from Kiwi's dictionary.
    """

    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    tags: npt.NDArray[np.int32]
    ids: npt.NDArray[np.int32]
    unknown: npt.NDArray[np.bool_]


def morphemes(texts: Sequence[str]) -> Iterator[list[Morpheme]]:
    """Gives the morphemes of each text with their dictionary forms (하다 for 했), ordered by start.

    There are none for stretches without Hangul. While the caller works on one text, Kiwi's threads already analyse the next.

    Args:
        texts: Normalised texts (NFC). Decomposed Hangul is seen as one unknown word.

    Raises:
        DetectionError: If Kiwi cannot be loaded or fails.
    """
    for tokens in _analysed(texts):
        found: list[Morpheme] = []
        for at, m in tokens:
            tag = m.tag.partition("-")[0]
            # Kiwi leaves the suffix that makes a verb of a noun (전화 + 하) without its ending.
            lemma = f"{m.form}다" if tag in ("XSV", "XSA") else m.lemma
            found.append(Morpheme(m.start + at, m.start + m.len + at, lemma, tag))
        yield sorted(found, key=lambda morpheme: morpheme.start)  # of a fused syllable, the stem comes first


def morpheme_arrays(texts: Sequence[str], begins: Sequence[int]) -> MorphemeArrays:
    """Returns the morphemes of several texts as one set of arrays; morphemes without characters are left out.

    Args:
        texts: Normalised texts (NFC).
        begins: Where each text begins in the run that the offsets are meant for, ascending.

    Raises:
        DetectionError: If Kiwi cannot be loaded or fails.
    """
    return started(texts, begins)()


def started(texts: Sequence[str], begins: Sequence[int]) -> Callable[[], MorphemeArrays]:
    """Starts what ``morpheme_arrays`` does and returns what waits for it; Kiwi's threads work while the caller does.

    Raises:
        DetectionError: If Kiwi cannot be loaded or fails; later, too.
    """
    import numpy as np

    answers = _analysed(texts)

    def arrays() -> MorphemeArrays:
        rows: list[tuple[int, int, str, int, bool]] = []
        for begin, tokens in zip(begins, answers, strict=True):
            rows += sorted((m.start + at + begin, m.len, m.tag, m.id, m.oov) for at, m in tokens if m.len)
        starts, sizes, tags, ids, unknown = zip(*rows, strict=True) if rows else ((), (), (), (), ())
        numbers = {tag: tag_id(tag) for tag in set(tags)}
        first = np.array(starts, np.int32)
        return MorphemeArrays(
            first,
            first + np.array(sizes, np.int32),
            np.array([numbers[tag] for tag in tags], np.int32),
            np.array(ids, np.int32),
            np.array(unknown, np.bool_),
        )

    return arrays


def tag_id(tag: str) -> int:
    """Returns the number of one of Kiwi's tags; 0 for one that is not in ``TAGS``."""
    return _TAG_IDS.get(tag.partition("-")[0], 0)


def _analysed(texts: Sequence[str]) -> Iterator[Iterator[tuple[int, Any]]]:
    """Gives Kiwi's tokens of each text in turn, each with the offset of the stretch it was found in; begins at once."""
    parts: list[list[tuple[int, str]]] = []
    for text in texts:
        cut = [(start, text[start:end]) for start, end in chunks(text)]
        parts.append([(start, _UNSPEAKABLE.sub(" ", piece)) for start, piece in cut if _HANGUL.search(piece)])
    pieces = [piece for each in parts for _, piece in each]
    answers: Iterator[list[Any]] = iter(())
    if len(pieces) == 1:
        # Kiwi answers a single text on the caller's own thread.
        answers = iter([_guarded(lambda: _shared().tokenize(pieces[0]))])
    elif pieces:
        answers = iter(_guarded(lambda: _shared().tokenize(pieces)))
    return (
        ((offset, token) for offset, _ in each for token in _guarded(lambda: next(answers))) for each in parts
    )


def _guarded(step: Callable[[], Any]) -> Any:
    try:
        return step()
    except (UnicodeError, ValueError, RuntimeError, MemoryError, StopIteration):
        # The cause may carry the text, so it is not chained.
        raise DetectionError(
            "morphological analysis failed; the text was not inspected. Use names='fast' to go without it."
        ) from None


def chunks(text: str) -> Iterator[tuple[int, int]]:
    """Gives ``(start, end)`` of stretches of at most ``CHUNK`` characters, cut after lines where it can."""
    start, length = 0, len(text)
    while length - start > CHUNK:
        end = start + CHUNK
        floor = start + CHUNK // 2
        for mark in ("\n", ". ", " "):
            cut = text.rfind(mark, floor, end)
            if cut >= 0:
                end = cut + len(mark)
                break
        yield start, end
        start = end
    if start < length:
        yield start, length


def _shared() -> Kiwi:
    global _kiwi
    if _kiwi is None:
        with _lock:
            if _kiwi is None:
                _kiwi = _load()
    return _kiwi


def _load() -> Kiwi:
    try:
        from kiwipiepy import Kiwi

        # Without the multi-word dictionary Kiwi loads in a third of the time and finds as many names.
        kiwi = Kiwi(load_multi_dict=False)
        # The first call finishes building; doing it here keeps it under the lock.
        kiwi.tokenize("가")
    except (ImportError, OSError, RuntimeError, MemoryError) as error:
        raise DetectionError(
            "Kiwi could not be loaded; reinstall kiwipiepy and kiwipiepy_model, or use names='fast' or 'off'."
        ) from error
    return kiwi


def _forget() -> None:
    """Makes the next call build a new instance; run in a forked child, where Kiwi's threads do not exist.

    The old instance is kept: taking it down would wait for those threads for ever.
    """
    global _kiwi, _lock
    if _kiwi is not None:
        _abandoned.append(_kiwi)
    _kiwi = None
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
