from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovguard.detect.analyzer import Analyzer
from sovguard.detect.packs import built_in_pack
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


LABELS = [
    f"{word}{end}"
    for r in built_in_pack().recognizers
    for word in r.context.labels[:4]
    for end in ("", ": ", "는 ", "\n")
]
WORDS = [word for r in built_in_pack().recognizers for word in r.context.words[:4]]
VALUES = [
    "20310017",
    "110000000017",
    "1048656659",
    "0000000017",
    "31-00019",
    "M12345678",
    "850312",
    "삼일다시공공공일구",
    "공공공공",
    "O1O-OOOO-1234",
    "１２３４５６７８",
    "\u1112\u1169",
    "\u11bc",
    "\u200b",
    "\ud800",
    "İ",
    ",",
    "\t",
    '"',
    "(",
    "\n",
]
TRAPS = st.lists(
    st.lists(st.sampled_from([*PIECES, *LABELS, *WORDS, *VALUES]), max_size=4).map("".join),
    min_size=2,
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(TRAPS)
def test_labels_and_words_of_neighbours_do_not_count(texts: list[str]) -> None:
    """A label or word at the end of one text says nothing about a value at the beginning of the next."""
    assert ANALYZER.analyze(texts) == [ANALYZER.analyze([text])[0] for text in texts]


@settings(max_examples=100, deadline=None)
@given(TRAPS, st.randoms(use_true_random=False))
def test_the_order_of_texts_does_not_matter(texts: list[str], chance: Random) -> None:
    """Each text has its detections wherever in the batch it stands."""
    order = list(range(len(texts)))
    chance.shuffle(order)
    found = ANALYZER.analyze(texts)
    assert ANALYZER.analyze([texts[place] for place in order]) == [found[place] for place in order]


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("학번", "20310017"),
        ("학번:", "\n20310017"),
        ("계좌번호는", "110000000017"),
        ("사업자", "1048656659"),
        ("군번 영영영영 ", "삼일다시공공공일구"),
        ("군번", "31-00019"),
        ("여권", "M12345678"),
        ("생년월일", "850312"),
        ("서울 강남구 없는로 ", "12"),
        ("hong", "@example.com"),
        ("010-00", "00-1234"),
        ("통관 공공공공", "피 공공공공 공공공공 공일구삼"),
        ("이름,계좌번호\n", "홍길동,110000000017"),
        ("INSERT INTO t (a, acct_no) VALUES ", "(1, '110000000017')"),
    ],
)
def test_what_makes_a_value_stands_in_its_own_text(before: str, text: str) -> None:
    """The same two pieces mean something together, in one text, and nothing side by side in a batch."""
    assert ANALYZER.analyze([before + text])[0] != []
    assert ANALYZER.analyze([before, text]) == [[], []]
    assert ANALYZER.analyze([before, text, before, text]) == [[], [], [], []]


def test_a_letter_that_grows_in_lower_case_changes_no_other_text() -> None:
    """A capital İ in one text costs no other text its label."""
    labelled = "\u212aB 123456789012"  # the label KB, written with a Kelvin sign
    assert ANALYZER.analyze(["İ", labelled])[1] == ANALYZER.analyze([labelled])[0]


def test_a_batch_may_be_empty() -> None:
    """No texts, and texts with nothing in them, give nothing."""
    assert ANALYZER.analyze([]) == []
    assert ANALYZER.analyze(["", " ", "\n"]) == [[], [], []]


@pytest.mark.parametrize("text", [b"010-0000-1234", bytearray(b"1"), 1, None, ["010-0000-1234"]])
def test_only_text_is_analysed(text: object) -> None:
    """Whatever is no str is refused by its type, and the message holds nothing of it."""
    with pytest.raises(InputError, match="decode bytes first") as caught:
        ANALYZER.analyze(["가", text])  # type: ignore[list-item]  # what a caller may get wrong
    assert type(text).__name__ in str(caught.value)
    assert "010" not in str(caught.value)


def test_ten_million_characters_are_worked_on() -> None:
    """A text of ten megabytes on one line is searched to its end."""
    text = "안녕하세요 회의는 3층에서 합니다. " * 500_000 + "번호는 010-0000-1234입니다"
    (hit,) = ANALYZER.analyze([text])[0]
    assert text[hit.start : hit.end] == "010-0000-1234"


def test_every_detection_says_why_and_shows_nothing() -> None:
    """Each detection of each example has its pattern, a score of at least one half, and no value in its repr."""
    known = {pattern.name for recognizer in built_in_pack().recognizers for pattern in recognizer.patterns}
    for recognizer in built_in_pack().recognizers:
        for example in recognizer.examples:
            for hit in ANALYZER.analyze([example.text])[0]:
                assert hit.evidence.pattern in known
                assert 0.5 <= hit.score <= 1
                assert (hit.evidence.valid is None) == (hit.evidence.validator is None)
                assert example.text[hit.start : hit.end] not in repr(hit)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("군번 ", "31-00019"),
        ("군번 공공공공 ", "삼일다시공공공일구"),
    ],
)
def test_context_words_count_only_within_their_reach(word: str, value: str) -> None:
    """A word far away says nothing, in the reading of spoken digits as little as in the plain text."""
    far = " 그리고 이것은 아주 긴 문장입니다." * 40
    assert [hit.entity_type for hit in ANALYZER.analyze([word + value])[0]] == ["KR_MILITARY_ID"]
    assert ANALYZER.analyze([word + far + value])[0] == []


@pytest.mark.parametrize(
    ("value", "behind"),
    [
        ("공일공 공공공공 일이삼사", "이에요"),
        ("공일공 공공공공 일이삼사", "이고요"),
        ("공일공 공공공공 일이삼사", "일 거예요"),
        ("공일공 공공공공 일이삼사", "구요"),
        ("공일공 공공공공 일이삼이", "예요"),
        ("공일공 공공공공 일이삼이", "이에요"),
        ("공일공 공공공공 일이삼이", "이고요"),
        ("O1O-0000-1234", "예요"),
        ("O1O-0000-1234", "이에요"),
        ("O1O-0000-1234", "이고요"),
        ("O1O-0000-1234", "이 맞아요"),
        ("공1공-0000-1234", "일 거예요"),
        ("010에 공공공공에 일이삼사", "입니다"),
        ("공일공에 0000에 1234", "입니다"),
    ],
)
def test_numbers_read_aloud_end_where_the_sentence_goes_on(value: str, behind: str) -> None:
    """The copula behind a spoken or look-alike number is no digit of it."""
    text = f"제 번호는 {value}{behind}"
    hits = ANALYZER.analyze([text])[0]
    assert [(hit.entity_type, text[hit.start : hit.end]) for hit in hits] == [("PHONE_NUMBER", value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("공일공, 공공공공, 일이삼사로 전화", "공일공, 공공공공, 일이삼사"),
        ("\x1b[01;31m\x1b[K010\x1b[m\x1b[K-0000-1234", "010\x1b[m\x1b[K-0000-1234"),
        ("\x1b[2J010-0000-1234", "010-0000-1234"),
        ('{"msg": "연락처\\n010-0000-1234"}', "010-0000-1234"),
        ("주소는서울특별시 강남구 없는대로 123입니다", "서울특별시 강남구 없는대로 123"),
        ("집은경기도 남양주시 없는중앙로 82번길 34", "경기도 남양주시 없는중앙로 82번길 34"),
        ("「계좌번호」 110000000017", "110000000017"),
        ("【계좌번호】110000000017", "110000000017"),
        ("28 31 000017 99", "28 31 000017 99"),
        ("디스코드gildong#0000", "gildong#0000"),
        ("701-2 없는이 F/84 00390000 폐렴", "00390000"),
        ("정정 전 / ID 08840000 확인", "08840000"),
        ("[길드] Kk_gildong: 오늘 온대?", "Kk_gildong"),
        ("sleepy_hong — 오늘 14:02\n아 나", "sleepy_hong"),
        ("web-03 sudo: honggd : TTY=pts/0", "honggd"),
        ("cd /home/honggd/work", "honggd"),
        ("계정 처리: gd.hong 권한그룹 변경", "gd.hong"),
        ("HONG/GILDONG MR 14MAR31 예약", "14MAR31"),
    ],
)
def test_values_in_odd_surroundings(text: str, value: str) -> None:
    """What stands around a value costs no character of it."""
    assert [text[hit.start : hit.end] for hit in ANALYZER.analyze([text])[0]] == [value]


@pytest.mark.parametrize("date", ["14MAR31", "1931.01.22", "1931-01-22"])
def test_a_date_behind_a_passport_number_is_a_birth_date(date: str) -> None:
    """Lists of passengers give the passport and then the date of birth."""
    text = f"1. 여권 M000B0000 {date} 확인"
    assert {text[hit.start : hit.end]: hit.entity_type for hit in ANALYZER.analyze([text])[0]} == {
        "M000B0000": "KR_PASSPORT",
        date: "DATE_OF_BIRTH",
    }
