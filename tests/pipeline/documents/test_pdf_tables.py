"""Tables of PDFs: they are read a second time, in columns, so that heads tell what is below; the text stays as it is."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

from sovguard.entities import Detection, Evidence
from sovguard.pipeline.files import Job
from sovguard.pipeline.files.documents.pdf import text_of
from sovguard.pipeline.files.documents.pdf_tables import Line, Tables, Word, tables
from tests.growth import assert_linear
from tests.pipeline.documents.made import BACK, NAME, OTHER, PHONE, RRN, SETTINGS, THIRD, holds, work_on

FONT = "HYSMyeongJo-Medium"
HEAD = ["번호", "성명", "연락처", "비고", "환불 금액", "계좌번호"]
ROWS = [
    HEAD,
    ["1", NAME, "010-0000-1234", "단골", "7,953,299", "740-74-1099391"],
    ["2", OTHER, "", "환불 요청함", "4", "664-29-3216932"],
    ["3", THIRD, "010-0000-5678", "", "254,121", "787-99-1074269"],
    ["4", "남궁민수", "", "", "", "898-03-4520313"],
]
TOLD_BY_HEADS = [row[5] for row in ROWS[1:]]
BEFORE = "2026년 11월 환불 대상 고객 명단을 아래와 같이 보내 드리니 확인하여 주시기 바랍니다."
BEHIND = "이상 끝. 아래 문단은 여러 줄에 걸쳐 있지만 표가 아니다. " * 6


@pytest.fixture(autouse=True)
def _font() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))


def laid_out(*parts: str | list[list[str]], heads: int = 0, tight: bool = False) -> bytes:
    """A PDF of paragraphs and tables, with amounts to the right, where there is room, and the names centred."""
    style = ParagraphStyle("text", fontName=FONT, fontSize=10)
    look: list[tuple[Any, ...]] = [("FONT", (0, 0), (-1, -1), FONT, 10), ("ALIGN", (1, 0), (1, -1), "CENTER")]
    if tight:
        look += [("LEFTPADDING", (0, 0), (-1, -1), 1), ("RIGHTPADDING", (0, 0), (-1, -1), 1)]
    else:
        look.append(("ALIGN", (4, 0), (4, -1), "RIGHT"))
    out = io.BytesIO()
    SimpleDocTemplate(out).build(
        [
            Paragraph(part, style)
            if isinstance(part, str)
            else Table(part, style=TableStyle(look), repeatRows=heads)
            for part in parts
        ]
    )
    return out.getvalue()


def cells(data: bytes) -> list[list[str]]:
    """The rows of all tables of a PDF."""
    return [row.split("\t") for row in text_of(data).tables.text.split("\n") if row]


@pytest.mark.parametrize("tight", [False, True])
def test_cells_stand_in_their_columns(tight: bool) -> None:
    """Empty cells, too; paragraphs around a table are no rows of it."""
    data = laid_out(BEFORE, "고객 명단", ROWS, BEHIND, tight=tight)
    assert cells(data) == ROWS
    text = text_of(data).text
    assert "\t" not in text
    assert text.split() == " ".join([BEFORE, "고객 명단", *(" ".join(row) for row in ROWS), BEHIND]).split()


def test_a_head_tells_what_stands_below_it(tmp_path: Path) -> None:
    """Accounts in no bank's form are found by the head of their column, and all comes back."""
    source, done, back = tmp_path / "a.pdf", tmp_path / "a.txt", tmp_path / "b.txt"
    source.write_bytes(laid_out(BEFORE, ROWS, BEHIND))
    report = work_on(source, done, SETTINGS)
    values = [*TOLD_BY_HEADS, NAME, OTHER, THIRD, "남궁민수", "010-0000-1234", "010-0000-5678"]
    assert holds(done.read_bytes(), values) == []
    assert report.values["KR_BANK_ACCOUNT"] == len(TOLD_BY_HEADS)
    assert "7,953,299" in done.read_text("utf-8")
    assert Job(done, back, BACK).run().unresolved == 0
    assert back.read_text("utf-8") == text_of(source.read_bytes()).text


def boxes(*rows: tuple[str, str], pitch: float) -> bytes:
    """A form with labels, and a box for each sign of a value."""
    out = io.BytesIO()
    page = canvas.Canvas(out)
    page.setFont(FONT, 10)
    for at, (label, value) in enumerate(rows):
        page.drawString(50, 700 - 20 * at, label)
        for place, letter in enumerate(value):
            page.drawString(150 + pitch * place, 700 - 20 * at, letter)
    page.showPage()
    page.save()
    return out.getvalue()


@pytest.mark.parametrize("pitch", [7, 10, 14, 22])
def test_boxes_of_a_form_are_no_columns(tmp_path: Path, pitch: float) -> None:
    """What the lines say is found, whatever it looks like in columns."""
    path = tmp_path / "a.pdf"
    path.write_bytes(boxes(("주민등록번호", RRN), ("전화", PHONE), ("성명", NAME), pitch=pitch))
    report = work_on(path, tmp_path / "a.txt", SETTINGS)
    assert (report.values["KR_RRN"], report.values["PHONE_NUMBER"], report.values["PERSON"]) == (1, 1, 1)


def test_values_in_cells_of_their_own_are_found(tmp_path: Path) -> None:
    """A number over three cells, and one that goes on in the next line of its cell."""
    form = [["연락처", "010", "0000", "1234"], ["휴대폰", "010", "0000", "5678"]]
    hanging = [
        ["제1조", "고객 주민등록번호는 350101-\n3000015 이다"],
        ["제2조", "고객 전화는 010-0000-\n1234 이다"],
    ]
    path = tmp_path / "a.pdf"
    for table, found in ((form, {"PHONE_NUMBER": 2}), (hanging, {"KR_RRN": 1, "PHONE_NUMBER": 1})):
        path.write_bytes(laid_out(table))
        assert work_on(path, tmp_path / "a.txt", SETTINGS).values == found


@pytest.mark.parametrize("mark", ["-", "·", "—", "_", "."])
def test_a_mark_in_a_cell_tears_no_row(mark: str) -> None:
    """It stands in the middle of its line, and is not as high."""
    rows = [HEAD, *([str(n), NAME, mark, mark if n % 2 else "", "5", f"664-29-{n:07}"] for n in range(5))]
    assert cells(laid_out(rows)) == rows


def test_a_table_goes_on_over_pages() -> None:
    """With its head on each page, or on the first one only."""
    rows = [HEAD]
    for n in range(100):
        rows.append([str(n), NAME, PHONE if n % 3 else "", "단골" if n % 5 else "", "5", f"664-29-{n:07}"])
    for heads in (0, 1):
        data = laid_out(rows, heads=heads)
        assert text_of(data).text.count("\f") == 2
        assert [row for row in cells(data) if row != HEAD] == rows[1:]


def test_words_of_a_cell_stay_together() -> None:
    """Strips that only the words of values leave, row by row, part no cells."""
    table = [
        ["이름", "카드번호", "등록일"],
        *([NAME, f"4000 0000 0000 {n:04}", f"2026-01-{n:02} 09:00"] for n in range(10, 20)),
    ]
    assert cells(laid_out(table)) == table


def test_a_form_is_read_across() -> None:
    """Two pairs of label and value in a row."""
    form = [["성명", NAME, "소속 부서", "영업 2팀"], ["연락처", "010-0000-1234", "직위", "대리"]]
    assert cells(laid_out(form)) == form


def test_what_stands_beside_the_page_does_not_come_out() -> None:
    """Nobody sees it; a line of which some is seen keeps that."""
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(300, 200))
    page.setFont(FONT, 10)
    page.drawString(20, 100, "보인다")
    page.drawString(-200, 100, "왼쪽")
    page.drawString(20, 400, "위")
    page.showPage()
    page.save()
    said = text_of(out.getvalue())
    assert (said.text, said.empty) == ("보인다\n", 0)


def test_a_cell_that_reaches_over_its_border_ends_no_table() -> None:
    """The others of its row stand where they did, and the next row is one like before."""
    table = [
        line(100, ("성명", 0, 20), ("메모", 60, 80), ("금액", 120, 140), ("계좌", 180, 200)),
        line(85, ("가", 0, 10), ("나", 60, 70), ("1", 120, 125), ("11-22", 180, 210)),
        line(70, ("다", 0, 10), ("라마바사아자차카타", 60, 150), ("33-44", 180, 210)),
        line(55, ("파", 0, 10), ("하", 60, 70), ("2", 120, 125), ("55-66", 180, 210)),
    ]
    assert said(table) == [
        ["성명", "메모", "금액", "계좌"],
        ["가", "나", "1", "11-22"],
        ["다", "라마바사아자차카타", "", "33-44"],
        ["파", "하", "2", "55-66"],
    ]


def said(lines: list[Line]) -> list[list[str]]:
    """The rows of tables, each cell as one text."""
    return [
        [" ".join(word.text for word in cell) for cell in row] for table in tables(lines) for row in table
    ]


def line(bottom: float, *words: tuple[str, float, float]) -> Line:
    """A line ten points high."""
    return Line([Word(text, (), left, right) for text, left, right in words], bottom, 10.0)


PLACES = st.lists(
    st.tuples(st.sampled_from(["가", "나다", "1,000", "-"]), st.integers(0, 300), st.integers(1, 90)),
    max_size=7,
)


@given(st.lists(st.tuples(st.integers(-100, 800), PLACES), max_size=12))
def test_a_word_is_in_one_cell(drawn: list[tuple[int, list[tuple[str, int, int]]]]) -> None:
    """Wherever words stand: none is told twice, and rows of a table have as many cells."""
    page = [
        line(
            bottom,
            *sorted(((word, left, left + width) for word, left, width in words), key=lambda word: word[1]),
        )
        for bottom, words in drawn
    ]
    there = [id(word) for each in page for word in each.words]
    for table in tables(page):
        assert len({len(row) for row in table}) == 1
        told = [id(word) for row in table for cell in row for word in cell]
        assert told == [word for word in there if word in set(told)]


@given(st.data())
def test_hits_of_tables_are_those_of_the_text(data: st.DataObject) -> None:
    """Whatever is found in the second reading stands in the first, word by word."""
    rows = data.draw(
        st.lists(
            st.lists(st.sampled_from(["", "가", "나다 라", "1,000 원"]), min_size=3, max_size=3),
            min_size=2,
            max_size=5,
        )
    )
    text, lines = "", []
    for at, row in enumerate(rows):
        words = []
        for column, cell in enumerate(row):
            for number, word in enumerate(cell.split()):
                left = 100.0 * column + 30 * number
                words.append(Word(word, range(len(text), len(text) + len(word)), left, left + 20))
                text += f"{word} "
        text += "\n"
        lines.append(Line(words, -15.0 * at, 10.0))
    found = Tables()
    found.add_page(lines)
    start = data.draw(st.integers(0, len(found.text)))
    end = data.draw(st.integers(start, len(found.text)))
    hits = list(found.located([Detection("PERSON", start, end, 1.0, "x", Evidence("x"))]))
    assert "".join(text[hit.start : hit.end] for hit in hits).split() == found.text[start:end].split()


@pytest.mark.parametrize("step", [0, 1, 40])
def test_many_lines_take_linear_time(step: int) -> None:
    """Rows that never make a table, each a little beside the one above, and rows that do."""

    def read(text: str) -> None:
        page = [
            line(-15.0 * at, ("가", step * at, step * at + 10), ("나", step * at + 30, step * at + 40))
            for at in range(len(text))
        ]
        list(tables(page))

    assert_linear(read, "x" * 1_000, "x" * 16_000)


def test_many_rows_of_many_words_take_linear_time() -> None:
    """Each with one more than the one above, so that any of them might begin a table."""

    def read(text: str) -> None:
        page = [
            line(
                -15.0 * at,
                *((each, 30.0 * at, 30.0 * at + 10) for at, each in enumerate("x" * (2 + at % 98))),
            )
            for at in range(len(text))
        ]
        list(tables(page))

    assert_linear(read, "x" * 100, "x" * 1_600)


def test_a_line_of_many_words_is_no_row() -> None:
    """And takes no more than linear time."""

    def read(text: str) -> None:
        words = [(each, 30.0 * at, 30.0 * at + 10) for at, each in enumerate(text)]
        assert not list(tables([line(100, *words), line(85, *words)]))

    assert_linear(read, "x" * 2_000, "x" * 32_000)
