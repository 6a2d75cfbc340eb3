from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovguard.detect.analyzer import Analyzer
from sovguard.detect.definitions import built_in_pack
from sovguard.errors import ConfigError, InputError

ANALYZER = Analyzer(names="off")
PIECES = [e.text for r in built_in_pack().recognizers for e in (*r.examples, *r.counterexamples)]
FRAGMENTS = [
    *PIECES,
    "주민번호",
    "계좌번호:",
    "운송장 ",
    "010-0000-1234",
    "310101-3000002",
    "\n",
    "\x00",
    ",",
    "공일공",
    "",
]
TEXTS = st.lists(st.lists(st.sampled_from(FRAGMENTS), max_size=4).map("".join), max_size=6)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_a_batch_finds_what_each_text_alone_gives(texts: list[str]) -> None:
    """Texts analysed together never see each other."""
    assert ANALYZER.analyze(texts) == [ANALYZER.analyze([text])[0] for text in texts]


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), TEXTS.map("".join)))
def test_detections_lie_in_the_text_sorted_and_apart(text: str) -> None:
    """Spans are inside the text, in order, and never overlap, whatever the text."""
    end = 0
    for hit in ANALYZER.analyze([text])[0]:
        assert end <= hit.start < hit.end <= len(text)
        end = hit.end


def test_a_label_of_the_text_before_does_not_count() -> None:
    """A label that ends one text says nothing of the number that begins the next."""
    alone = ANALYZER.analyze(["20310017"])[0]
    assert alone == []
    assert ANALYZER.analyze(["학번", "20310017"])[1] == []


def test_evidence_says_why() -> None:
    """A detection names its pattern, check and label, and holds no value."""
    (hit,) = ANALYZER.analyze(["주민번호는 310101-3000002입니다"])[0]
    assert hit.evidence.validator == "resident_number"
    assert hit.evidence.context == "주민번호"
    assert "310101" not in repr(hit)


def test_labels_decide_between_shapes() -> None:
    """The same digits are an account, a licence or nothing, as their label says."""
    found = {
        label: [hit.entity_type for hit in ANALYZER.analyze([f"{label} 113100000099"])[0]]
        for label in ("계좌번호", "면허번호", "송장번호")
    }
    assert found == {"계좌번호": ["KR_BANK_ACCOUNT"], "면허번호": ["KR_DRIVER_LICENSE"], "송장번호": []}


def test_table_headers_label_their_columns() -> None:
    """In delimited text the header above a cell is its label."""
    text = "사번,성명,계좌번호\nK2500017,홍길동,110000000017\n"
    found = {text[hit.start : hit.end]: hit.entity_type for hit in ANALYZER.analyze([text])[0]}
    assert found == {"K2500017": "ID_NUMBER", "110000000017": "KR_BANK_ACCOUNT"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("연락처 공일공 공공공공 일이삼사예요", "공일공 공공공공 일이삼사"),
        ("번호는 영일영에 공공공공에 일이삼사로", "영일영에 공공공공에 일이삼사"),
        ("０１０－００００－１２３４로", "０１０－００００－１２３４"),
        ("0\u200b10-0000-1234로", "0\u200b10-0000-1234"),
        ("O1O-OOOO-1234로", "O1O-OOOO-1234"),
        ("⓪①⓪-⓪⓪⓪⓪-①②③④로", "⓪①⓪-⓪⓪⓪⓪-①②③④"),
    ],
)
def test_disguised_phone_numbers(text: str, value: str) -> None:
    """Numbers read aloud, full-width, enclosed or split by invisible characters are found as they stand."""
    (hit,) = ANALYZER.analyze([text])[0]
    assert text[hit.start : hit.end] == value
    assert hit.entity_type == "PHONE_NUMBER"


def test_bad_input_is_a_typed_error() -> None:
    """Bytes and unknown modes are refused with a hint."""
    with pytest.raises(InputError, match="decode"):
        ANALYZER.analyze([b"010-0000-1234"])  # type: ignore[list-item]  # what a caller may get wrong
    with pytest.raises(ConfigError, match="names"):
        Analyzer(names="all")  # type: ignore[arg-type]  # likewise


def test_odd_characters_do_not_stop_detection() -> None:
    """Lone surrogates, NULs and very long texts are worked on."""
    text = "\ud800\x00" + "가" * 1_000_000 + " 010-0000-1234 \udfff"
    (hit,) = ANALYZER.analyze([text])[0]
    assert text[hit.start : hit.end] == "010-0000-1234"


def test_threads_share_an_analyzer() -> None:
    """Sixteen threads on one analyzer find what one finds."""
    alone = ANALYZER.analyze(PIECES)
    with ThreadPoolExecutor(16) as pool:
        assert all(found == alone for found in pool.map(lambda _: ANALYZER.analyze(PIECES), range(32)))


def test_insert_statements_label_their_columns() -> None:
    """In SQL the column's name is the label of the value in its place."""
    text = (
        "INSERT INTO t (emp_no, nm, acct_no, price) VALUES\n"
        "('M2200418', 'a, b', '140012847756', 39000),\n ('M2200419', NULL, NULL, 1);"
    )
    found = {text[hit.start : hit.end]: hit.entity_type for hit in ANALYZER.analyze([text])[0]}
    assert found == {"M2200418": "ID_NUMBER", "140012847756": "KR_BANK_ACCOUNT", "M2200419": "ID_NUMBER"}
