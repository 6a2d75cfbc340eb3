"""The bridge to Presidio, both ways: Korean detection in any Presidio set-up, any Presidio recognizer in a Guard.

``KiwiNlpEngine`` gives Presidio tokens and lemmas of Korean, so that its context words work behind particles.
``korean_recognizers`` and ``GuardAnalyzerEngine`` give what ``Guard.scan`` gives, through Presidio's own interfaces.
``Tokenize`` and ``Restore`` are operators for its anonymizer and deanonymizer. Never imported by ``import sovguard``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from presidio_analyzer import AnalysisExplanation, AnalyzerEngine, EntityRecognizer, RecognizerResult
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
from presidio_analyzer.recognizer_registry import RecognizerRegistry
from presidio_anonymizer.entities import InvalidParamError
from presidio_anonymizer.operators import Operator, OperatorType

from sovguard.detect.morphology import Morpheme, morphemes
from sovguard.detect.overlap import resolve
from sovguard.detect.packs import recognizers_in_use
from sovguard.detect.scores import THRESHOLD
from sovguard.entities import ENTITY_TYPES, Detection, Evidence
from sovguard.guard import Guard, Names
from sovguard.session import Session
from sovguard.text import normalized_view

LANGUAGE = "ko"
_NAME = "sovguard"

_NOUN_LIKE = frozenset({"NNG", "NNP", "NNB", "NR", "XPN", "XSN", "XR", "SL", "SH"})
_FUNCTION = ("J", "E", "XSV", "XSA", "VCP", "VX")
_SYMBOLS = ("SF", "SP", "SS", "SE", "SO", "SW", "SB")
_GLUE = re.compile(r"\S+")
_PLAIN = re.compile("[0-9A-Za-z가-힣一-龥ぁ-ヿ]")


class Token(str):
    """A token of a text: a ``str`` that knows where it begins, as Presidio asks of spaCy's tokens."""

    __slots__ = ("idx", "lemma_")

    idx: int
    lemma_: str

    @property
    def text(self) -> str:
        """The token as it stands."""
        return str(self)


class KiwiNlpEngine(NlpEngine):
    """A Presidio NLP engine for Korean: tokens are words without their particles, lemmas dictionary forms.

    ``전화번호로`` gives the tokens 전화번호 and 로, ``전화했어요`` the lemmas 전화 and 하다. Offsets ascend and every character
    that is no space belongs to a token. It holds no state: the process's one Kiwi is shared by all threads.
    """

    engine_name = "kiwi"
    is_available = True

    def load(self) -> None:
        """Loads Kiwi, which otherwise happens with the first text."""
        next(morphemes(["가"]))

    def is_loaded(self) -> bool:
        """Returns True: Kiwi is loaded when first needed."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """Returns the tokens and lemmas of a text; no entities, which recognizers find."""
        artifacts: NlpArtifacts = next(iter(self.process_batch([text], language)))[1]
        return artifacts

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1, **kwargs: Any
    ) -> Iterator[tuple[Any, ...]]:
        """Yields each text with its artifacts; with ``as_tuples`` each item is a text and what goes with it."""
        self._check(language)
        given = list(texts)
        pairs = kwargs.get("as_tuples", False)
        plain = [str(item[0]) if pairs else str(item) for item in given]
        views = [normalized_view(text) for text in plain]
        for item, text, view, read in zip(
            given, plain, views, morphemes([view.text for view in views]), strict=True
        ):
            tokens: Any = _tokens(text, [(*view.origin(r.start, r.end), r) for r in read if r.start < r.end])
            artifacts = NlpArtifacts(
                [],
                tokens,
                [token.idx for token in tokens],
                [token.lemma_ for token in tokens],
                self,
                language,
            )
            yield (text, artifacts, item[1]) if pairs else (text, artifacts)

    def is_stopword(self, word: str, language: str) -> bool:
        """Tells whether a lemma is a particle, an ending or another word without a meaning of its own."""
        return word in _STOP_WORDS

    def is_punct(self, word: str, language: str) -> bool:
        """Tells whether a token has neither letter nor digit."""
        return _PLAIN.search(word) is None

    def get_supported_entities(self) -> list[str]:
        """Returns no entity: this engine reads words, recognizers find."""
        return []

    def get_supported_languages(self) -> list[str]:
        """Returns Korean's code."""
        return [LANGUAGE]

    def _check(self, language: str) -> None:
        if language != LANGUAGE:
            raise ValueError(
                f"KiwiNlpEngine reads {LANGUAGE!r} only; use another NLP engine for {language!r}"
            )


_STOP_WORDS_IN_A_ROW = (
    "은 는 이 가 을 를 의 에 에서 에게 께 께서 한테 와 과 랑 이랑 로 으로 도 만 까지 부터 "
    "보다 처럼 마다 나 이나 라도 요 야 아 이다 하다 되다 있다 없다 것 수 등 및 더 그 저 이것 "
    "그것"
)
_STOP_WORDS = frozenset(_STOP_WORDS_IN_A_ROW.split())


def _tokens(text: str, read: Sequence[tuple[int, int, Morpheme]]) -> list[Token]:
    """Returns the tokens of a text in order; they never overlap, whatever morphemes do."""
    found: list[Token] = []
    reach = 0
    run: tuple[int, int] | None = None

    def add(start: int, end: int, lemma: str) -> None:
        token = Token(text[start:end])
        token.idx, token.lemma_ = start, lemma
        found.append(token)

    def flush() -> None:
        nonlocal run
        if run is not None:
            add(*run, normalized_view(text[run[0] : run[1]]).text)
            run = None

    for given, end, morpheme in read:
        start = max(given, reach)
        if start >= end:
            continue
        if run is not None and (start != run[1] or morpheme.tag not in _NOUN_LIKE):
            flush()
        for gap in _GLUE.finditer(text, reach, start):
            add(*gap.span(), gap.group())
        if morpheme.tag in _NOUN_LIKE:
            run = (run[0] if run is not None else start, end)
        else:
            add(start, end, morpheme.lemma)
        reach = end
    flush()
    for gap in _GLUE.finditer(text, reach):
        add(*gap.span(), gap.group())
    return found


class GuardRecognizer(EntityRecognizer):
    """Everything a Guard finds, as one Presidio recognizer.

    One for all types, since which of two overlapping spans stands is decided over all of them; results never overlap, so
    that Presidio's removal of duplicates leaves them as they are.
    """

    def __init__(self, guard: Guard, entities: Sequence[str]) -> None:
        self._guard = guard
        super().__init__(supported_entities=list(entities), name=_NAME, supported_language=LANGUAGE)

    def load(self) -> None:
        """Does nothing: a guard loads what it needs when it first needs it."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Returns what the guard finds, of the asked types, with its evidence as the explanation.

        Raises:
            DetectionError: Detection could not finish; treat the text as not inspected.
        """
        wanted = None if not entities else frozenset(entities)
        return [
            self._result(hit) for hit in self._guard.scan(text) if wanted is None or hit.entity_type in wanted
        ]

    def _result(self, hit: Detection) -> RecognizerResult:
        evidence = hit.evidence
        explanation = AnalysisExplanation(
            recognizer=hit.recognizer,
            original_score=hit.score,
            pattern_name=evidence.pattern,
            validation_result=cast("bool", evidence.valid),
        )
        if evidence.context is not None:
            explanation.set_supportive_context_word(evidence.context)
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: _NAME,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        return RecognizerResult(hit.entity_type, hit.start, hit.end, hit.score, explanation, metadata)


def korean_recognizers(
    names: Names = "full", recognizers: Sequence[str | os.PathLike[str]] = ()
) -> list[EntityRecognizer]:
    """Returns Presidio recognizers with the spans, types and scores of ``Guard.scan``.

    Args:
        names: How names of people are found: ``"full"``, ``"fast"`` or ``"off"``.
        recognizers: Paths of further recognizer files (TOML).

    Raises:
        ConfigError: ``names`` is none of the three.
        RecognizerDefinitionError: A recognizer file is wrong.
    """
    return [_recognizer(Guard(names=names, recognizers=recognizers), recognizers)]


def _recognizer(guard: Guard, paths: Sequence[str | os.PathLike[str]]) -> GuardRecognizer:
    own = (definition.entity_type for definition in recognizers_in_use(paths))
    types = dict.fromkeys((*ENTITY_TYPES, *own, *guard.foreign_types))
    if guard.names == "off":
        types.pop("PERSON", None)
    return GuardRecognizer(guard, list(types))


class GuardAnalyzerEngine(AnalyzerEngine):
    """Presidio's ``AnalyzerEngine`` with a Guard inside: a drop-in for Korean text.

    Args:
        guard: Whose detections are returned; ``Guard()`` if ``None``.
        registry: Further recognizers beside the guard's; a copy is used.
        nlp_engine: What reads words for them; ``KiwiNlpEngine`` if ``None``.
        options: What ``AnalyzerEngine`` takes besides: ``default_score_threshold``, ``context_aware_enhancer`` …
    """

    def __init__(
        self,
        guard: Guard | None = None,
        *,
        registry: RecognizerRegistry | None = None,
        nlp_engine: NlpEngine | None = None,
        **options: Any,
    ) -> None:
        self.guard = Guard() if guard is None else guard
        inside = _recognizer(self.guard, self.guard.recognizer_paths)
        others = list(registry.recognizers) if registry is not None else []
        self._alone = not others
        super().__init__(
            registry=RecognizerRegistry(recognizers=[inside, *others], supported_languages=[LANGUAGE]),
            nlp_engine=KiwiNlpEngine() if nlp_engine is None else nlp_engine,
            supported_languages=[LANGUAGE],
            **options,
        )

    def analyze(
        self, text: str, language: str = LANGUAGE, *args: Any, **options: Any
    ) -> list[RecognizerResult]:
        """Returns what is found in ``text``; arguments as of ``AnalyzerEngine.analyze``, whose order they have."""
        alone = self._alone and len(list(self.registry.recognizers)) == 1
        if alone and not args and not options.get("ad_hoc_recognizers") and not options.get("nlp_artifacts"):
            # The guard reads its own morphemes, so the words of the text are asked for by nobody.
            none: Any = []
            options["nlp_artifacts"] = NlpArtifacts([], none, [], [], self.nlp_engine, language)
        found: list[RecognizerResult] = super().analyze(text, language, *args, **options)
        return found


class ForeignRecognizers:
    """Presidio recognizers as a Guard runs them: beside its own, one overlap rule over both."""

    def __init__(self, inside: Any, recognizers: Sequence[EntityRecognizer]) -> None:
        self._inside = inside
        self._recognizers = tuple(recognizers)
        self._words = KiwiNlpEngine()
        self._enhancer = LemmaContextAwareEnhancer()

    def analyze(self, texts: Sequence[str]) -> list[list[Detection]]:
        """Returns the detections of each text; an exception in a recognizer leaves, and nothing is sent."""
        found: list[list[Detection]] = self._inside.analyze(texts)
        read = self._words.process_batch(texts, LANGUAGE)
        return [
            resolve([*hits, *self._of(text, artifacts)])
            for hits, (text, artifacts) in zip(found, read, strict=True)
        ]

    def _of(self, text: str, artifacts: NlpArtifacts) -> Iterator[Detection]:
        for recognizer in self._recognizers:
            entities = recognizer.get_supported_entities()
            results = recognizer.analyze(text, entities, artifacts) or []
            for result in results:
                metadata = dict(result.recognition_metadata or {})
                metadata.setdefault(RecognizerResult.RECOGNIZER_IDENTIFIER_KEY, recognizer.id)
                result.recognition_metadata = metadata
            if recognizer.context:
                results = self._enhancer.enhance_using_context(text, results, artifacts, [recognizer])
            for result in results:
                if result.score >= THRESHOLD and result.start < result.end:
                    yield Detection(
                        result.entity_type,
                        result.start,
                        result.end,
                        round(float(result.score), 2),
                        str(recognizer.name),  # type: ignore[has-type]
                        Evidence("presidio"),
                    )


def _session(params: dict[str, Any] | None) -> Session:
    session = (params or {}).get("session")
    if not isinstance(session, Session):
        raise InvalidParamError("the parameter 'session' has to be a sovguard session: guard.session(…)")
    return session


class Tokenize(Operator):
    """Anonymizer operator ``tokenize``: swaps a value for its surrogate in ``session``, a sovguard session."""

    def operate(self, text: str, params: dict[str, Any] | None = None) -> str:
        """Returns the surrogate of ``text``, the one that ``session.redact`` gives."""
        return _session(params).surrogate(text, (params or {}).get("entity_type", "PERSON"))

    def validate(self, params: dict[str, Any] | None = None) -> None:
        """Raises InvalidParamError unless ``session`` is a sovguard session."""
        _session(params)

    def operator_name(self) -> str:
        """Returns ``tokenize``."""
        return "tokenize"

    def operator_type(self) -> OperatorType:
        """Returns that it anonymizes."""
        return OperatorType.Anonymize


class Restore(Operator):
    """Deanonymizer operator ``restore``: puts the value of a surrogate of ``session`` back."""

    def operate(self, text: str, params: dict[str, Any] | None = None) -> str:
        """Returns ``text`` with the session's real values in it."""
        return _session(params).restore_text(text).text

    def validate(self, params: dict[str, Any] | None = None) -> None:
        """Raises InvalidParamError unless ``session`` is a sovguard session."""
        _session(params)

    def operator_name(self) -> str:
        """Returns ``restore``."""
        return "restore"

    def operator_type(self) -> OperatorType:
        """Returns that it deanonymizes."""
        return OperatorType.Deanonymize
