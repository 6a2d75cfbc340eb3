from __future__ import annotations

import re
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sovguard.entities import ENTITY_TYPES, LegalClass
from sovguard.policy.rules import TOPICS
from sovguard.reports import render, summarize
from sovguard.reports.reading import OUTCOMES
from sovguard.reports.words import countries, words
from tests.pages import Page, check_needs_nothing, check_read_aloud, probed
from tests.reports.records import BY_HAND, OPENAI, START, answer, made_up, place, request


@pytest.fixture(scope="module")
def page() -> str:
    """The page of a made-up ledger."""
    return render(summarize(made_up(4000)))


def test_the_page_needs_nothing_but_itself(page: str) -> None:
    """No script, no address, no reference; a content security policy forbids them, and names its one style."""
    check_needs_nothing(page)


def test_drawings_and_tables_can_be_read_aloud(page: str) -> None:
    """Each drawing has a title and a description, each table a caption, and each head says what it is the head of."""
    check_read_aloud(page, drawings=5)


def test_the_same_ledger_gives_the_same_page() -> None:
    """Byte for byte, in either language, and the two differ only in which of them is shown first."""
    korean, again = (render(summarize(made_up(500))) for _ in range(2))
    english = render(summarize(made_up(500)), language="en")
    assert korean == again
    assert Page(korean).texts[3:] == Page(english).texts[3:]
    assert '<html lang="en">' in english


def test_both_languages_are_complete() -> None:
    """Every text is there twice, with the same things to fill in, and the Korean one in Korean."""
    for section, said in words().items():
        for key, (korean, english) in said.items():
            fields = [
                sorted(name for _, name, _, _ in string.Formatter().parse(each) if name)
                for each in (korean, english)
            ]
            assert fields[0] == fields[1], (section, key)
            assert english.strip()
            assert re.search("[가-힣]", korean), (section, key)
            assert not re.search("[가-힣]", english), (section, key)
    for korean, english in countries().values():
        assert re.search("[가-힣]", korean)
        assert not re.search("[가-힣]", english)


def test_everything_that_records_can_name_has_its_words() -> None:
    """Entity types as the entity table calls them, legal classes, topics and outcomes."""
    assert {name: korean for name, (korean, _) in words()["entity_type"].items()} == {
        name: each.korean for name, each in ENTITY_TYPES.items()
    }
    assert set(words()["legal_class"]) == {*(each.value for each in LegalClass), "other"}
    assert set(words()["topic"]) == set(TOPICS)
    assert set(words()["outcome"]) == set(OUTCOMES)


def test_a_text_is_there_in_both_languages(page: str) -> None:
    """As many Korean pieces as English ones, side by side, in the page and in its drawings."""
    assert len(re.findall('<span lang="ko"', page)) == len(re.findall('<span lang="en"', page)) > 100
    assert len(re.findall('<tspan lang="ko"', page)) == len(re.findall('<tspan lang="en"', page)) > 5
    read = Page(page).text
    for said in (
        "어디로 갔는가",
        "Where it went",
        "국외 이전 고지 사항",
        "확인 필요",
        "to fill in",
        "주민등록번호",
    ):
        assert said in read


HOSTILE = st.one_of(
    st.text(min_size=1, max_size=40),
    st.sampled_from(
        [
            "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><script>", "</title><b>", "]]>", "&lt;",
            "' onload='x", "{count}", "{0.__class__}", "\u202egnp.exe", "\ud800", "\0", "<!--", "--><b>", "a" * 5000, "</svg>",
        ]
    ),
)  # fmt: skip


def named(name: str) -> list[dict[str, Any]]:
    """A ledger in which everything that can be named is called ``name``."""
    there = place(name, name, name, name, name, storage_region=name, retention=name, training_use=name)
    everything: dict[str, Any] = {
        "tenant": name, "caller": name, "purpose": name, "model": name, "rules": [name], "warnings": [name], "session": name,
        "policy": {"name": name, "digest": name}, "detectors": {"sovguard": name, "names": name, "pack": name},
        "counts": {name: {"tokenize": 1, name: 1}}, "reason": name,
    }  # fmt: skip
    return [
        request(1, START, there, **everything),
        answer(1, unresolved=1),
        request(2, START, there, **everything | {"outcome": "block"}),
        request(3, START, OPENAI, **everything | {"outcome": "reroute", "addressed": there}),
        request(4, START, there, **everything | {"outcome": "refused"}),
        request(5, START, there, **everything | {"outcome": "block", "dry_run": True}),
        {"kind": name},
    ]


@hypothesis_settings(deadline=None, max_examples=150)
@given(HOSTILE)
def test_no_name_becomes_anything_but_text(name: str) -> None:
    """Whatever a tenant, a model or a rule is called, the page has the same elements and the same attributes."""
    if name.strip() in ("", "KR", "own", "unknown", "(unlisted)"):
        return  # these mean something
    got = Page(render(summarize(named(name)), title=name))
    plain = Page(render(summarize(named("plain")), title="plain"))
    # A name that is a known word is shown in both languages, and one that is cut in a drawing is still the same elements.
    known = {key for said in words().values() for key in said} | set(countries())
    if name not in known:
        assert got.elements == plain.elements
        assert got.attributes == plain.attributes
    render(summarize(named(name)), language="en").encode("utf-8")


def test_a_hostile_name_is_shown_as_it_is_written() -> None:
    """It can be read, and does not turn the text around it."""
    page = render(summarize(named('<b onclick="x">\u202eevil')))
    assert '<b onclick="x">\ufffdevil' in Page(page).text
    assert "<b onclick" not in page
    assert "\u202e" not in page


def test_unknown_facts_are_marked_to_be_filled_in() -> None:
    """In the card of a recipient of whom nothing is known everything is marked."""
    page = render(summarize([request(1, START, None, counts={"KR_RRN": {"tokenize": 1}})]))
    (card,) = re.findall("<article.*?</article>", page, re.DOTALL)
    assert (
        card.count("<mark>") == 9
    )  # the name twice, law, two regions, contact, retention, training, refusal
    assert "제24조의2" in card


def test_a_ledger_without_requests_has_a_page() -> None:
    """It says so."""
    assert "이 기간에는 요청이 없습니다" in Page(render(summarize([{"kind": "vault"}]))).text


def test_a_title_of_ones_own() -> None:
    """Takes the place of the default one."""
    read = Page(render(summarize(BY_HAND), title="3분기 보고"))
    assert read.text.count("3분기 보고") == 2
    assert "AI 모델 전송 현황" not in read.text


def test_long_tables_end() -> None:
    """With a line that says how much more there is."""
    page = render(summarize(request(n, START, OPENAI, tenant=f"t{n}") for n in range(100)))
    assert "외 40행" in page


def test_a_browser_shows_one_language_at_a_time(tmp_path: Path, page: str) -> None:
    """Chromium lays the page out under its own content security policy: its style applies."""
    # Without its policy the page may run the probe; with it, it may not. Both are looked at.
    assert "<title>none</title>" in probed(page, tmp_path, may_run=True)
    assert "<title>AI 모델 전송 현황 보고서</title>" in probed(page, tmp_path, may_run=False)
