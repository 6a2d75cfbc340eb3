"""Runs all recognizers over texts and says what stands.

The one entrance to detection. Many short texts are joined and scanned as one, so that the fixed cost of each pass is
paid once; a text is never seen through its neighbour's, since every look to the side stops at its borders. Order of
work: view → candidates → judgement (labels, context, checks) → the alternative view of spoken digits → names and what
stands beside them → repeated values → overlaps.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from sovguard.detect import packs
from sovguard.detect.beside_names import beside_names
from sovguard.detect.definitions import RecognizerDefinition
from sovguard.detect.judge import Judge
from sovguard.detect.labels import Scan, label_cells, label_inserts, may_hold_insert, may_hold_table
from sovguard.detect.lists import Lists
from sovguard.detect.overlap import resolve
from sovguard.detect.patterns import Candidate, Scanner
from sovguard.detect.repeats import repeated
from sovguard.detect.spoken import spoken_starts, spoken_views
from sovguard.entities import Detection
from sovguard.errors import ConfigError, InputError, RecognizerDefinitionError
from sovguard.text import View, groups, may_change, normalized_view

if TYPE_CHECKING:
    from sovguard.detect.names import NameRecognizer

NamesMode = Literal["off", "fast", "full"]
_SEPARATOR = "\n\x00\n"
_JOINED = 200_000
"""Characters of short texts scanned in one go: enough to forget the fixed cost, little enough to stay in cache."""


class Analyzer:
    """All recognizers, ready to run; safe to share between threads.

    Args:
        names: ``"full"`` finds person names with morphemes (Kiwi), ``"fast"`` with characters only, ``"off"`` not.
        recognizers: Paths of TOML files, or folders of them, that add recognizers to the built-in pack.
        name_model: Folder of a name model to use in place of the built-in one.

    Raises:
        RecognizerDefinitionError: A definition is wrong, or an example of an added one does not hold.
        ConfigError: ``names`` is none of the three, or the name model cannot be loaded.
    """

    def __init__(
        self,
        *,
        names: NamesMode = "full",
        recognizers: Sequence[str | os.PathLike[str]] = (),
        name_model: str | os.PathLike[str] | None = None,
    ) -> None:
        if names not in ("off", "fast", "full"):
            raise ConfigError(f"names must be 'off', 'fast' or 'full', not {names!r}")
        pack = packs.built_in_pack()
        everything = packs.recognizers_in_use(recognizers)
        self._scanner = Scanner(everything)
        self._lists = Lists(everything)
        self._judge = Judge(everything, pack.false_friends, self._scanner.words)
        self._prove(everything[len(pack.recognizers) :])
        self._names: NameRecognizer | None = None
        if names != "off":
            from sovguard.detect.name_model import load
            from sovguard.detect.names import NameRecognizer

            self._names = NameRecognizer(names, None if name_model is None else load(name_model))

    def analyze(self, texts: Sequence[str]) -> list[list[Detection]]:
        """Returns the detections of each text, sorted by start, none overlapping another.

        Raises:
            InputError: A text is not a ``str``.
            DetectionError: Detection could not finish; treat the texts as not inspected.
        """
        for text in texts:
            if not isinstance(text, str):
                raise InputError(
                    f"a text must be a str, not {type(text).__name__}; decode bytes first, with the encoding they have"
                )
        some = [_Joined(group) for group in groups(texts, _JOINED)]
        shown = [text for joined in some for text in joined.texts]
        views = [view for joined in some for view in joined.views]
        # Begun first, since part of it is done by other threads while the patterns are tried here.
        named = self._names.started(shown) if self._names is not None else None
        found = [hits for joined in some for hits in self._scan(joined)]
        if self._scanner.limited:
            for text, view, hits in zip(shown, views, found, strict=True):
                hits += self._scan_limited(text, view)
        if self._lists:
            for text, view, hits in zip(shown, views, found, strict=True):
                listed = self._lists.find(text)
                hits += listed if view is None else (_original(hit, view) for hit in listed)
        if named is not None:
            for text, view, hits, names in zip(shown, views, found, named(), strict=True):
                more = (*names, *beside_names(text, names))
                hits += more if view is None else (_original(hit, view) for hit in more)
        for text, hits in zip(texts, found, strict=True):
            if hits:
                hits += repeated(text, hits)
        return [resolve(hits) if len(hits) > 1 else hits for hits in found]

    def _prove(self, added: Sequence[RecognizerDefinition]) -> None:
        """Runs the examples of other people's recognizers, so that one that does not work is known before it is needed."""
        for definition in added:
            for number, example in enumerate((*definition.examples, *definition.counterexamples), start=1):
                joined = _Joined([example.text])
                text, view = joined.texts[0], joined.views[0]
                listed = self._lists.find(text)
                hits = (
                    *self._scan(joined)[0],
                    *self._scan_limited(text, view),
                    *(listed if view is None else (_original(hit, view) for hit in listed)),
                )
                spans = {
                    example.text[hit.start : hit.end] for hit in hits if hit.recognizer == definition.name
                }
                if example.match is not None and example.match not in spans:
                    raise RecognizerDefinitionError(
                        f"{definition.name}.toml: the match of example {number} is not found"
                    )
                if example.match is None and spans:
                    number -= len(definition.examples)
                    raise RecognizerDefinitionError(
                        f"{definition.name}.toml: something is found in counterexample {number}"
                    )

    def _scan(self, joined: _Joined) -> list[list[Detection]]:
        """Scans joined texts; returns detections in the offsets of each original text."""
        found: list[list[Detection]] = [[] for _ in joined.views]
        text, starts, views = joined.text, joined.starts, joined.views
        scan = self._labelled(text, starts, joined.texts)
        for index, hit in self._hits(text, starts, self._scanner.candidates(text, scan), scan, views):
            found[index].append(hit)
        for index in sorted({bisect_right(starts, start) - 1 for start in spoken_starts(text)}):
            found[index] += self._scan_spoken(joined.texts[index], views[index])
        return found

    def _scan_spoken(self, plain: str, view: View | None) -> Iterator[Detection]:
        """Scans the alternative views of one text; yields what the plain view could not show."""
        for spoken in spoken_views(View(plain)):
            text = spoken.text
            scan = self._judge.labels.scan(text)
            candidates = self._scanner.candidates(text, scan)
            if self._scanner.limited:
                candidates += self._scanner.limited_candidates(text)
            for _, hit in self._hits(text, (0,), candidates, scan, (None,)):
                low, high = spoken.origin(hit.start, hit.end)
                # Where no digit was read aloud, the plain view has judged with more text around.
                if plain[low:high] != text[hit.start : hit.end]:
                    hit = _moved(hit, low, high)
                    yield hit if view is None else _original(hit, view)

    def _scan_limited(self, text: str, view: View | None) -> Iterator[Detection]:
        """Scans one text with the patterns of other people's packs."""
        candidates = self._scanner.limited_candidates(text)
        for _, hit in self._hits(text, (0,), candidates, self._labelled(text, (0,), (text,)), (view,)):
            yield hit

    def _labelled(self, text: str, starts: Sequence[int], parts: Sequence[str]) -> Scan:
        """Finds the labels beside and above values; ``text`` is made of ``parts``, which begin at ``starts``."""
        labels = self._judge.labels
        scan = labels.scan(text)
        inserts = may_hold_insert(text)
        for part, start in zip(parts, starts, strict=True):
            if "\n" in part and may_hold_table(part):
                label_cells(text, start, start + len(part), labels, scan)
            if inserts:
                label_inserts(text, start, start + len(part), labels, scan)
        return scan

    def _hits(
        self,
        text: str,
        starts: Sequence[int],
        candidates: Iterable[Candidate],
        scan: Scan,
        views: Sequence[View | None],
    ) -> Iterator[tuple[int, Detection]]:
        """Judges candidates; yields each hit with the index of the text it lies in."""
        judge = self._judge.judge
        for candidate in candidates:
            index = bisect_right(starts, candidate[1]) - 1
            high = starts[index + 1] - len(_SEPARATOR) if index + 1 < len(starts) else len(text)
            hit = judge(text, candidate, scan, starts[index], high, views[index])
            if hit is not None:
                yield index, hit


class _Joined:
    """Several texts, one behind the other as recognizers see them, with where each begins.

    Attributes:
        texts: Each text as its view shows it.
        views: The way back to the original of each text; ``None`` where the view is the text itself.
    """

    __slots__ = ("starts", "text", "texts", "views")

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = list(texts)
        self.views: list[View | None] = [None] * len(texts)
        self._join()
        changes = may_change(self.text)
        if changes:
            for index in {bisect_right(self.starts, place) - 1 for place in changes}:
                view = self.views[index] = normalized_view(texts[index])
                self.texts[index] = view.text
            self._join()

    def _join(self) -> None:
        # The line break in front says that the first text begins a line, as the separators do for the others.
        self.text = "\n" + _SEPARATOR.join(self.texts)
        sizes = [len(text) + len(_SEPARATOR) for text in self.texts]
        self.starts = [*accumulate(sizes, initial=1)][:-1]


def _original(hit: Detection, view: View) -> Detection:
    return _moved(hit, *view.origin(hit.start, hit.end))


def _moved(hit: Detection, start: int, end: int) -> Detection:
    if start == hit.start and end == hit.end:
        return hit
    return Detection(hit.entity_type, start, end, hit.score, hit.recognizer, hit.evidence)
