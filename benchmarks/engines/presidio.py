"""Presidio's analyzer with what it ships for Korea, set up as it documents for "no NLP model".

The e-mail recognizer asks tldextract for the public suffix list, which is fetched over the network on
first use. Here tldextract reads the copy of the list that it ships, so that no run depends on a network,
and is told that the reserved ``.example`` is a suffix: the corpus writes invented addresses under it, as
it should, and without this Presidio would be charged with refusing every one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PACKAGES = ("presidio-analyzer", "presidio-anonymizer", "phonenumbers", "regex", "tldextract")
LANGUAGE = "ko"


def korean_analyzer() -> Any:
    """Presidio's analyzer with its Korean recognizers and those that need no language."""
    import tldextract

    tldextract.extract = tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, extra_suffixes=("example",)
    )

    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NoOpNlpEngine
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        EmailRecognizer,
        IpRecognizer,
        KrBrnRecognizer,
        KrDriverLicenseRecognizer,
        KrFrnRecognizer,
        KrPassportRecognizer,
        KrRrnRecognizer,
        MacAddressRecognizer,
        PhoneRecognizer,
    )

    recognizers = [
        KrRrnRecognizer(supported_language=LANGUAGE),
        KrFrnRecognizer(supported_language=LANGUAGE),
        KrBrnRecognizer(supported_language=LANGUAGE),
        KrPassportRecognizer(supported_language=LANGUAGE),
        KrDriverLicenseRecognizer(supported_language=LANGUAGE),
        PhoneRecognizer(supported_language=LANGUAGE, supported_regions=("KR",)),
        CreditCardRecognizer(supported_language=LANGUAGE),
        EmailRecognizer(supported_language=LANGUAGE),
        IpRecognizer(supported_language=LANGUAGE),
        MacAddressRecognizer(supported_language=LANGUAGE),
    ]
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=recognizers, supported_languages=[LANGUAGE]),
        nlp_engine=NoOpNlpEngine(models=[{"lang_code": LANGUAGE, "model_name": "no_op"}]),
        supported_languages=[LANGUAGE],
    )


def load() -> Callable[[list[str]], list[Any]]:
    """A function from texts to Presidio's recognizer results."""
    analyzer = korean_analyzer()
    from presidio_analyzer import BatchAnalyzerEngine

    batch = BatchAnalyzerEngine(analyzer)
    # Naming the entities spares Presidio from working out the supported ones anew for every text.
    entities = analyzer.get_supported_entities(LANGUAGE)
    return lambda texts: batch.analyze_iterator(texts, language=LANGUAGE, entities=entities)


def spans(text: str, found: Any) -> list[tuple[int, int, str]]:
    """One text's results after the anonymizer has settled overlaps, as (start, end, type).

    The analyzer hands out overlapping readings of the same digits; Presidio's own pipeline settles them
    in its anonymizer. ``keep`` is the operator that changes nothing, so the offsets are those of the
    text.
    """
    from presidio_anonymizer import AnonymizerEngine
    from presidio_anonymizer.entities import OperatorConfig

    settled = AnonymizerEngine().anonymize(text, found, {"DEFAULT": OperatorConfig("keep")})
    return [(item.start, item.end, item.entity_type) for item in settled.items]
