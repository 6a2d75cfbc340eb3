"""Tables of PDFs: cells stand in their columns, so that heads tell what is below; what is no table stays as it is."""

from __future__ import annotations

import io
import re
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

from sovguard.pipeline.files import Job
from sovguard.pipeline.files.documents.pdf import text_of
from sovguard.pipeline.files.documents.pdf_tables import Line, Word, with_cells
from tests.growth import assert_linear
from tests.pipeline.documents.made import BACK, NAME, OTHER, PHONE, SETTINGS, THIRD, holds, work_on

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


@pytest.mark.parametrize("tight", [False, True])
def test_cells_stand_in_their_columns(tight: bool) -> None:
    """Empty cells, too; paragraphs around a table are no rows of it."""
    lines = text_of(laid_out(BEFORE, "고객 명단", ROWS, BEHIND, tight=tight))[0].split("\n")
    assert lines[:2] == [BEFORE, "고객 명단"]
    assert [line.split("\t") for line in lines[2:7]] == ROWS
    assert " ".join(lines[7:]).split() == BEHIND.split()
    assert "\t" not in "".join(lines[7:])


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
    assert back.read_text("utf-8") == text_of(source.read_bytes())[0]


def test_a_table_goes_on_over_pages() -> None:
    """With its head on each page, or on the first one only."""
    rows = [HEAD]
    for n in range(100):
        rows.append([str(n), NAME, PHONE if n % 3 else "", "단골" if n % 5 else "", "5", f"664-29-{n:07}"])
    for heads in (0, 1):
        text, empty = text_of(laid_out(rows, heads=heads))
        pages = text.split("\f")
        assert (len(pages), empty) == (3, 0)
        assert [
            line.split("\t")
            for page in pages
            for line in page.strip("\n").split("\n")
            if line != "\t".join(HEAD)
        ] == rows[1:]


def test_words_of_a_cell_stay_together() -> None:
    """Strips that only the words of values leave, row by row, part no cells."""
    table = [
        ["이름", "카드번호", "등록일"],
        *([NAME, f"4000 0000 0000 {n:04}", f"2026-01-{n:02} 09:00"] for n in range(10, 20)),
    ]
    assert [line.split("\t") for line in text_of(laid_out(table))[0].rstrip("\n").split("\n")] == table


def test_a_form_is_read_across() -> None:
    """Two pairs of label and value in a row."""
    form = [["성명", NAME, "소속 부서", "영업 2팀"], ["연락처", "010-0000-1234", "직위", "대리"]]
    assert [line.split("\t") for line in text_of(laid_out(form))[0].rstrip("\n").split("\n")] == form


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
    assert text_of(out.getvalue()) == ("보인다\n", 0)


def test_a_cell_that_reaches_over_its_border_ends_no_table() -> None:
    """The others of its row stand where they did, and the next row is one like before."""
    table = [
        line(100, ("성명", 0, 20), ("메모", 60, 80), ("금액", 120, 140), ("계좌", 180, 200)),
        line(85, ("가", 0, 10), ("나", 60, 70), ("1", 120, 125), ("11-22", 180, 210)),
        line(70, ("다", 0, 10), ("라마바사아자차카타", 60, 150), ("33-44", 180, 210)),
        line(55, ("파", 0, 10), ("하", 60, 70), ("2", 120, 125), ("55-66", 180, 210)),
    ]
    assert [row.split("\t") for row in with_cells(table)] == [
        ["성명", "메모", "금액", "계좌"],
        ["가", "나", "1", "11-22"],
        ["다", "라마바사아자차카타", "", "33-44"],
        ["파", "하", "2", "55-66"],
    ]


def line(bottom: float, *words: tuple[str, float, float]) -> Line:
    """A line ten points high."""
    return Line(" ".join(word for word, _, _ in words), [Word(*word) for word in words], bottom, 10.0)


PLACES = st.lists(
    st.tuples(st.sampled_from(["가", "나다", "1,000", "-"]), st.integers(0, 300), st.integers(1, 90)),
    max_size=7,
)


@given(st.lists(st.tuples(st.integers(-100, 800), PLACES), max_size=12))
def test_words_are_all_there_in_their_order(drawn: list[tuple[int, list[tuple[str, int, int]]]]) -> None:
    """Wherever words stand: nothing is lost or told twice."""
    page = [
        line(
            bottom,
            *sorted(((word, left, left + width) for word, left, width in words), key=lambda word: word[1]),
        )
        for bottom, words in drawn
    ]
    told = [word for text in with_cells(page) for word in re.findall("[^\t ]+", text)]
    assert told == [word.text for each in page for word in each.words]


@pytest.mark.parametrize("step", [0, 1, 40])
def test_many_lines_take_linear_time(step: int) -> None:
    """Rows that never make a table, each a little beside the one above, and rows that do."""

    def read(text: str) -> None:
        page = [
            line(-15.0 * at, ("가", step * at, step * at + 10), ("나", step * at + 30, step * at + 40))
            for at in range(len(text))
        ]
        assert len(list(with_cells(page))) == len(text)

    assert_linear(read, "x" * 1_000, "x" * 16_000)


def test_a_line_of_many_words_is_no_row() -> None:
    """And takes no more than linear time."""

    def read(text: str) -> None:
        words = [(each, 30.0 * at, 30.0 * at + 10) for at, each in enumerate(text)]
        assert "\t" not in "".join(with_cells([line(100, *words), line(85, *words)]))

    assert_linear(read, "x" * 2_000, "x" * 32_000)
