from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from presidio_analyzer import (
    AnalyzerEngine,
    BatchAnalyzerEngine,
    EntityRecognizer,
    Pattern,
    PatternRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_anonymizer import AnonymizerEngine, DeanonymizeEngine
from presidio_anonymizer.entities import InvalidParamError, OperatorConfig

from sovguard import Guard
from sovguard.errors import ConfigError, DetectionError
from sovguard.presidio import GuardAnalyzerEngine, KiwiNlpEngine, Restore, Tokenize, korean_recognizers

CORPUS = Path(__file__).resolve().parents[2] / "benchmarks" / "corpora" / "dev.jsonl"
TEXTS = [json.loads(line)["text"] for line in CORPUS.read_text("utf-8").splitlines()[::4]]
LETTER = "홍길동 과장이 010-0000-1234로 hong@mail.example에 답했습니다. 주민번호는 310101-3000007이에요."
TICKET = Pattern("ticket", "TK[0-9]{4}", 0.4)


def tickets(context: list[str] | None = None) -> PatternRecognizer:
    """A Presidio recognizer that is sure only beside a context word."""
    return PatternRecognizer("ACME_TICKET", patterns=[TICKET], context=context, supported_language="ko")


@pytest.fixture(scope="module")
def words() -> KiwiNlpEngine:
    """The NLP engine."""
    return KiwiNlpEngine()


@pytest.fixture(scope="module")
def engine() -> GuardAnalyzerEngine:
    """The drop-in engine."""
    return GuardAnalyzerEngine()


def triples(results: list[RecognizerResult]) -> list[tuple[str, int, int, float]]:
    """Results as plain data, in order of place."""
    return sorted((r.entity_type, r.start, r.end, r.score) for r in results)


def direct(text: str, **options: Any) -> list[tuple[str, int, int, float]]:
    """What the direct path finds, as plain data."""
    return sorted((h.entity_type, h.start, h.end, h.score) for h in Guard(**options).scan(text))


def test_tokens_are_words_without_particles(words: KiwiNlpEngine) -> None:
    """Nouns are one token without their particles, verbs have their dictionary form, offsets fit the text."""
    text = "계좌번호는 110-000이고, 전화번호로 전화했어요"
    artifacts = words.process_text(text, "ko")
    assert "계좌번호" in artifacts.lemmas
    assert "전화번호" in artifacts.lemmas
    assert "하다" in artifacts.lemmas
    assert {"계좌번호", "전화번호", "전화"} <= set(artifacts.keywords)
    assert not {"는", "로", ",", "하다"} & set(artifacts.keywords)
    for token, index in zip(artifacts.tokens, artifacts.tokens_indices, strict=True):
        assert text[index : index + len(token)] == token.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "ㅋㅋㅋ 그랬대요ㅠ 했는데도",
        "abc 12-3 가나다",
        "홍길동\u200b입니다",
        "🙂가🙂",
        "갔다왔다했었더라",
        *TEXTS[:5],
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_tokens_cover_a_text_in_order(text: str, form: Any, words: KiwiNlpEngine) -> None:
    """Tokens ascend, never overlap and leave out nothing but spaces, in composed and decomposed text."""
    text = unicodedata.normalize(form, text)
    artifacts = words.process_text(text, "ko")
    reach = 0
    for token, index in zip(artifacts.tokens, artifacts.tokens_indices, strict=True):
        assert index >= reach
        assert not text[reach:index].strip(" \n\u200b")
        reach = index + len(token)
    assert not text[reach:].strip(" \n\u200b")


def test_the_nlp_engine_keeps_to_presidios_contract(words: KiwiNlpEngine) -> None:
    """It says what it is, works on batches with and without company, and refuses other languages."""
    assert words.is_loaded()
    assert words.get_supported_languages() == ["ko"]
    assert words.get_supported_entities() == []
    assert words.is_punct("…", "ko")
    assert not words.is_punct("1", "ko")
    assert [text for text, _ in words.process_batch(["하나", "둘"], "ko")] == ["하나", "둘"]
    ((text, artifacts, company),) = words.process_batch([("하나", {"id": 1})], "ko", as_tuples=True)
    assert (text, artifacts.lemmas, company) == ("하나", ["하나"], {"id": 1})
    assert json.loads(artifacts.to_json())["tokens"] == ["하나"]
    with pytest.raises(ValueError, match="'ko' only"):
        words.process_text("one", "en")


@pytest.mark.parametrize("text", ["접수번호는 TK1234입니다", "TK1234로 접수번호가 나왔다", "접수번호:TK1234"])
def test_context_words_work_behind_particles(text: str, words: KiwiNlpEngine) -> None:
    """Presidio's context enhancer lifts a score for a Korean word with a particle glued to it, on both sides."""
    registry = RecognizerRegistry(recognizers=[tickets(["접수번호"])], supported_languages=["ko"])
    plain = AnalyzerEngine(registry=registry, nlp_engine=words, supported_languages=["ko"])
    found = plain.analyze("TK1234라고 적혀 있다", "ko")
    (raised,) = plain.analyze(text, "ko", return_decision_process=True)
    if text.startswith("TK"):  # by default Presidio looks at words before a match only
        assert raised.score == found[0].score == 0.4
    else:
        assert raised.score == 0.75
        assert raised.analysis_explanation.supportive_context_word == "접수번호"


def test_recognizers_in_any_engine_find_the_same(words: KiwiNlpEngine) -> None:
    """In Presidio's own engine the spans, types and scores are those of the direct path."""
    registry = RecognizerRegistry(recognizers=korean_recognizers(), supported_languages=["ko"])
    plain = AnalyzerEngine(registry=registry, nlp_engine=words, supported_languages=["ko"])
    guard = Guard()
    for text in TEXTS:
        hits = sorted((h.entity_type, h.start, h.end, h.score) for h in guard.scan(text))
        assert triples(plain.analyze(text, "ko")) == hits


def test_the_drop_in_engine_finds_the_same(engine: GuardAnalyzerEngine) -> None:
    """One text, a batch and a dictionary through Presidio's batch engine give what the direct path gives."""
    assert triples(engine.analyze(LETTER)) == direct(LETTER)
    batch = BatchAnalyzerEngine(analyzer_engine=engine)
    for text, results in zip(TEXTS, batch.analyze_iterator(TEXTS, language="ko"), strict=True):
        assert triples(results) == triples(engine.analyze(text))
    (row,) = batch.analyze_dict({"memo": LETTER}, language="ko")
    assert triples(row.recognizer_results) == direct(LETTER)


def test_the_drop_in_engine_honours_presidios_arguments(engine: GuardAnalyzerEngine) -> None:
    """Types, thresholds, allow lists, explanations, context and ad-hoc recognizers work as Presidio's do."""
    text = f"{LETTER} 접수번호는 TK1234입니다"
    assert {r.entity_type for r in engine.analyze(text, "ko", ["PERSON"])} == {"PERSON"}
    assert engine.analyze(text, score_threshold=1.01) == []
    kept = engine.analyze(text, allow_list=["홍길동", "010-0000-1234"])
    assert "PERSON" not in {r.entity_type for r in kept}
    assert not [
        r
        for r in engine.analyze(text, allow_list=["^hong@"], allow_list_match="regex")
        if r.entity_type == "EMAIL_ADDRESS"
    ]
    (person,) = engine.analyze(text, entities=["PERSON"], return_decision_process=True)
    assert person.analysis_explanation.supportive_context_word == "과장"
    assert engine.analyze(text, entities=["PERSON"])[0].analysis_explanation is None
    found = engine.analyze(text, ad_hoc_recognizers=[tickets(["접수번호"])])
    assert [r.score for r in found if r.entity_type == "ACME_TICKET"] == [0.75]
    assert "ACME_TICKET" not in {r.entity_type for r in engine.analyze(text)}
    assert "KR_RRN" in engine.get_supported_entities("ko")


def test_further_recognizers_stand_beside_the_guard() -> None:
    """A registry that is given keeps its recognizers, which see words."""
    registry = RecognizerRegistry(recognizers=[tickets(["접수번호"])], supported_languages=["ko"])
    engine = GuardAnalyzerEngine(Guard(names="off"), registry=registry)
    found = {r.entity_type: r.score for r in engine.analyze("접수번호는 TK1234, 번호 010-0000-1234로")}
    assert found["ACME_TICKET"] == 0.75
    assert "PHONE_NUMBER" in found
    assert "PERSON" not in engine.get_supported_entities()


def test_operators_swap_and_restore(engine: GuardAnalyzerEngine) -> None:
    """The anonymizer puts in the session's surrogates, the deanonymizer and the session put the values back."""
    anonymizer, deanonymizer = AnonymizerEngine(), DeanonymizeEngine()
    anonymizer.add_anonymizer(Tokenize)
    deanonymizer.add_deanonymizer(Restore)
    with engine.guard.session() as session:
        params = {"session": session}
        done = anonymizer.anonymize(
            LETTER, engine.analyze(LETTER), {"DEFAULT": OperatorConfig("tokenize", params)}
        )
        assert done.text == session.redact(LETTER).text
        assert "홍길동" not in done.text
        back = deanonymizer.deanonymize(done.text, done.items, {"DEFAULT": OperatorConfig("restore", params)})
        assert back.text == LETTER == session.restore(done.text).text


@pytest.mark.parametrize("operator", [Tokenize, Restore])
@pytest.mark.parametrize("params", [None, {}, {"session": "c-1"}])
def test_operators_ask_for_a_session(operator: Any, params: Any) -> None:
    """Without a session of a guard, Presidio's own error says what is missing and shows no value."""
    for call in (operator().validate, lambda p: operator().operate("홍길동", p)):
        with pytest.raises(InvalidParamError, match="session") as caught:
            call(params)
        assert "홍길동" not in str(caught.value)


def test_a_presidio_recognizer_in_a_guard() -> None:
    """Its spans join the guard's, its context words count, and its type gets surrogates that restore."""
    guard = Guard(names="off", recognizers=[tickets(["접수번호"])])
    text = "접수번호는 TK1234이고 번호는 010-0000-1234입니다"
    assert [h.entity_type for h in guard.scan(text)] == ["ACME_TICKET", "PHONE_NUMBER"]
    assert guard.scan("TK1234라고 적혀 있다") == []
    redacted = guard.redact(text).text
    assert "TK1234" not in redacted
    assert "ACMETICKET-" in redacted
    assert guard.restore(redacted).text == text


def test_a_recognizer_that_fails_stops_the_text() -> None:
    """An exception in a foreign recognizer is a detection error without the text, and nothing is sent."""

    class Failing(EntityRecognizer):
        def load(self) -> None: ...

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any) -> list[RecognizerResult]:
            raise ValueError(f"cannot read {text}")

    guard = Guard(names="off", recognizers=[Failing(["X_CODE"], supported_language="ko")])
    with pytest.raises(DetectionError) as caught:
        guard.redact("홍길동")
    assert "홍길동" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("wrong", [3, None, PatternRecognizer, object()])
def test_other_things_are_no_recognizers(wrong: Any) -> None:
    """What is neither a path nor a recognizer object is refused with what would be right."""
    with pytest.raises(ConfigError, match="EntityRecognizer"):
        Guard(recognizers=[wrong])


def test_threads_share_one_engine(engine: GuardAnalyzerEngine) -> None:
    """Thirty-two threads get what one gets."""
    expected = [triples(engine.analyze(text)) for text in TEXTS[:6]]
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append([triples(engine.analyze(text)) for text in TEXTS[:6]]))
        for _ in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 32


def test_nothing_of_a_text_is_logged(engine: GuardAnalyzerEngine, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the bridge nor what it makes Presidio do writes a value to a log."""
    with caplog.at_level(logging.INFO):
        engine.analyze(LETTER)
    assert "홍길동" not in caplog.text
    assert "0000-1234" not in caplog.text


def test_presidio_is_not_loaded_before_it_is_asked_for() -> None:
    """``import sovguard`` and a guard without foreign recognizers load no Presidio."""
    code = "import sys, sovguard; sovguard.Guard(names='off').scan('x'); print('presidio_analyzer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
