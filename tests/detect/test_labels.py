from __future__ import annotations

import re

import pytest

from sovguard.detect.labels import FALSE_FRIEND, Labels, label_cells, may_hold_table

OWNERS = {
    "주민번호": frozenset({"kr_rrn"}),
    "계좌번호": frozenset({"kr_bank_account"}),
    "번호": frozenset({"id_number"}),
    "운송장": frozenset({FALSE_FRIEND}),
    "employee_id": frozenset({"id_number"}),
    "id": frozenset({"username"}),
    "차": frozenset({"kr_license_plate"}),
    "이름": frozenset({"person"}),
}
LABELS = Labels(OWNERS)


def labelled(text: str) -> dict[str, str]:
    """Returns the label of each number of a text with a table in it."""
    scan = LABELS.scan(text)
    assert may_hold_table(text)
    label_cells(text, 0, len(text), LABELS, scan)
    numbers = [match for match in re.finditer("[0-9]+", text) if match.start() in scan.labels]
    return {match[0]: scan.labels[match.start()].word for match in numbers}


@pytest.mark.parametrize(
    "text",
    [
        "주민번호1234",
        "주민번호 1234",
        "주민번호: 1234",
        "주민번호는 1234",
        "주민번호가 1234",
        "주민번호 : 1234",
        "주민번호=1234",
        "주민번호\t1234",
        "주민번호 - 1234",
        "주민번호(1234",
        "주민번호 [1234",
        '"주민번호": "1234',
        '{"주민번호":"1234',
        "**주민번호** 1234",
        "| 주민번호 | 1234",
        "주민번호\n1234",
        "주민번호:\n  1234",
        "[주민번호] 1234",
        "<주민번호> 1234",
        "“주민번호” 1234",
    ],
)
def test_a_label_stands_before_its_value(text: str) -> None:
    """At most a particle, a few marks and one line break stand between a label and its value."""
    assert LABELS.scan(text).labels[text.index("1234")].owners == {"kr_rrn"}


@pytest.mark.parametrize(
    "text",
    [
        "주민번호를 확인한 뒤 1234",
        "주민번호 조회 1234",
        "주민번호\n\n1234",
        "주민번호" + " " * 40 + "1234",
        "주민번호 없음, 1234",
    ],
)
def test_a_label_reaches_no_further(text: str) -> None:
    """With other words, an empty line or much space between, a label says nothing about a number."""
    assert text.index("1234") not in LABELS.scan(text).labels


@pytest.mark.parametrize(
    "spelling", ["employee_id", "employee id", "employee-id", "employeeid", "Employee ID", "employeeId"]
)
def test_spellings_of_one_label(spelling: str) -> None:
    """Underscores, spaces, hyphens and capitals make no difference to a label in ASCII."""
    text = f"{spelling}: 1234"
    assert LABELS.scan(text).labels[text.index("1234")].owners == {"id_number"}


@pytest.mark.parametrize(
    "text", ["grid 1234", "idle 1234", "android: 1234", "id9 1234", "차례 1234", "마차 1234"]
)
def test_a_label_is_a_word_of_its_own(text: str) -> None:
    """A short label inside a longer word is none."""
    assert text.index("1234") not in LABELS.scan(text).labels


def test_the_longest_label_wins() -> None:
    """계좌번호 is one label, not a 번호 behind something."""
    assert LABELS.scan("계좌번호 1234").labels[5].owners == {"kr_bank_account"}


def test_the_nearest_label_wins() -> None:
    """Where one label follows another the last one is the value's."""
    text = "주민번호 운송장 1234"
    assert LABELS.scan(text).labels[text.index("1234")].owners == {FALSE_FRIEND}


@pytest.mark.parametrize("delimiter", [",", "\t", "|", ";"])
def test_a_header_labels_its_column(delimiter: str) -> None:
    """Every cell below a header cell has its label, through empty lines and quoted delimiters."""
    rows = [["이름", "주민번호", "운송장"], ["홍길동", "1111", "2222"], ["", '"3333"', "4444"]]
    text = "\n".join(delimiter.join(row) for row in rows)
    found = labelled(text)
    assert {found["1111"], found["3333"]} == {"주민번호"}
    assert {found["2222"], found["4444"]} == {"운송장"}


def test_quoted_delimiters_do_not_move_the_columns() -> None:
    """A comma inside double quotes is part of its cell."""
    assert labelled('이름,주민번호\n"홍, 길동",1111')["1111"] == "주민번호"


def test_a_table_ends_where_its_shape_does() -> None:
    """Prose below a table is not labelled by its header."""
    found = labelled("이름,주민번호\n홍길동,1111\n그 밖에 2222 건은 따로 적는다\n다음, 3333")
    assert found["1111"] == "주민번호"
    assert not {"2222", "3333"} & set(found)


def test_no_character_stops_the_search() -> None:
    """Lone surrogates, NULs and letters that grow in lower case keep the offsets."""
    for odd in ("\ud800", "\x00", "İ", "😀"):
        text = f"{odd}{odd} 주민번호: 1234"
        assert text.index("1234") in LABELS.scan(text).labels


def test_triggers_are_found_where_they_stand() -> None:
    """Words that begin a value of their own are reported with their places."""
    scan = Labels(OWNERS, ["골뱅이", "번호"]).scan("hong 골뱅이 번호")
    assert scan.words == [(5, "골뱅이"), (9, "번호")]


def test_a_table_of_slashes() -> None:
    """Rows typed with a slash between the fields have columns, too."""
    assert labelled("이름 / 계좌번호 / 결과\n홍길동 / 1111 / 승인\n홍길순 / 2222 / 거절") == {
        "1111": "계좌번호",
        "2222": "계좌번호",
    }


def test_a_quoted_cell_may_hold_a_line_break() -> None:
    """A row that goes on in the next line ends no table (RFC 4180)."""
    text = '이름,계좌번호,메모\n홍길동,1111,"전화 요망\n오후에"\n홍길순,2222,\n'
    assert labelled(text) == {"1111": "계좌번호", "2222": "계좌번호"}


def test_a_lone_quote_costs_no_row() -> None:
    """A mark of inches in a cell opens nothing that would swallow the rest of the table."""
    rows = "".join(f"홍길동,{number},\n" for number in range(1000, 1100))
    assert len(labelled(f'이름,계좌번호,메모\n홍길동,1111,27"\n{rows}')) == 101


@pytest.mark.parametrize("text", ["계 좌 번 호 : 1234", "주 민 번 호 1234"])
def test_labels_spread_out_as_on_forms(text: str) -> None:
    """Forms put a space between the syllables of their labels."""
    assert LABELS.scan(text).labels[text.index("1234")].word in ("계 좌 번 호", "주 민 번 호")


def test_lines_that_end_as_on_windows() -> None:
    """The carriage return is no part of the last column's name, and a blank line ends no table."""
    text = "이름,주민번호,계좌번호\r\n홍길동,1111,2222\r\n\r\n홍길순,3333,4444\r\n"
    assert labelled(text) == {"1111": "주민번호", "2222": "계좌번호", "3333": "주민번호", "4444": "계좌번호"}


def test_marks_of_inches_swallow_no_rows() -> None:
    """Two lone quotes some rows apart are not the ends of one cell."""
    rows = "".join(
        f"홍길동,{number},{'27' + chr(34) if number % 5 == 0 else '없음'}\n" for number in range(1000, 1050)
    )
    assert len(labelled(f"이름,계좌번호,메모\n{rows}")) == 50
