from __future__ import annotations

import re
import string
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from sovguard.pipeline.quality.figures import LEFT, What
from sovguard.pipeline.quality.substitutes import KINDS
from sovguard.pipeline.quality.words import words
from tests.pages import Page, check_needs_nothing, check_read_aloud, probed
from tests.quality.corpora import ROWS, compared, redacted
from tests.reports.test_html import HOSTILE
from tests.servers import PHONE


@pytest.fixture(scope="module")
def page() -> str:
    """The page of a redaction with faults of every kind."""
    after = redacted()
    after[2]["phone"] = PHONE
    after[0]["memo"] = "다른 글"
    after[1]["phone"] = after[0]["phone"]
    after.pop(3)
    return compared(after, quasi_identifiers=["region"]).html()


def test_the_page_needs_nothing_but_itself(page: str) -> None:
    """No script, no address, no reference; a content security policy forbids them, and names its one style."""
    check_needs_nothing(page)


def test_drawings_and_tables_can_be_read_aloud(page: str) -> None:
    """Each drawing has a title and a description, each table a caption, and each head says what it is the head of."""
    check_read_aloud(page, drawings=4)
    assert '<html lang="ko">' in page
    assert "prefers-color-scheme: dark" in page


def test_both_languages_are_complete() -> None:
    """Every text is there twice, with the same things to fill in, and what is counted has its words."""
    for section, said in words().items():
        for key, pair in said.items():
            fields = [
                sorted(name for _, name, _, _ in string.Formatter().parse(each) if name) for each in pair
            ]
            assert fields[0] == fields[1], (section, key)
            assert not re.search("[가-힣]", pair[1]), (section, key)
            assert key == "k" or re.search("[가-힣]", pair[0]), (section, key)
    assert set(words()["what"]) == set(get_args(What))
    assert set(KINDS) <= set(words()["column"])
    assert set(LEFT) <= set(words()["glance"])


@hypothesis_settings(deadline=None, max_examples=60)
@given(HOSTILE)
def test_no_name_of_a_column_becomes_anything_but_text(name: str) -> None:
    """Whatever a column is called, the page has the same elements and the same attributes."""
    if not name.strip() or name.strip() in ("text", "•", "…"):
        return  # these mean something
    got, plain = (
        Page(compared([{each: "x"}], [{each: "y"}], quasi_identifiers=[each]).html(title=each))
        for each in (name, "plain")
    )
    assert got.elements == plain.elements
    assert got.attributes == plain.attributes


def test_what_is_worth_a_look_is_said(page: str) -> None:
    """At the top, and with the rows."""
    text = Page(page).text
    for said in (
        "남은 값이 있습니다",
        "행 1개가 없어졌습니다",
        "둘 이상의 값을 나타냅니다",
        "값이 그대로 있음",
        "k-익명성",
    ):
        assert said in text
    assert "찾아낸 값 가운데 남은 것이 없습니다" in Page(compared(redacted()).html()).text
    assert "다시 읽을 수 없거나" in Page(compared(iter(redacted())).html()).text


def test_many_columns() -> None:
    """Drawings show the first; those beyond 256 are told together."""
    rows = [{f"c{number:03}": "x" for number in range(400)}]
    report = compared(rows, rows)
    assert len(report.columns) == 257
    assert report.columns["…"].cells == (144, 144)
    assert report.html().count("<svg") <= 4


def test_a_browser_shows_it(tmp_path: Path, page: str) -> None:
    """Chromium lays the page out under its own content security policy: its style applies, and one language is shown."""
    assert "<title>none</title>" in probed(page, tmp_path, may_run=True)


def test_the_rows_are_not_changed() -> None:
    """Rows that are compared stay as they are."""
    before = [dict(row) for row in ROWS]
    compared(before, before)
    assert before == ROWS
