from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.worksheet.datavalidation import DataValidation

from sovguard.errors import InputError
from sovguard.pipeline.files.documents import work_on
from tests.pipeline.documents.made import (
    EMAIL,
    NAME,
    OTHER,
    PHONE,
    RELATIONS,
    SETTINGS,
    THIRD,
    VALUES,
    archive,
    holds,
    parts_of,
    there_and_back,
    tree_of,
)

X = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def saved(book: Any) -> bytes:
    """A workbook as octets."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rows(data: bytes) -> list[list[object]]:
    """The cells of the first sheet, as openpyxl reads them."""
    return [
        list(row)
        for row in openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].iter_rows(values_only=True)
    ]


def test_a_list_of_customers_goes_and_comes_back(tmp_path: Path) -> None:
    """Labels stand at the head of columns; numbers become text and numbers again; comments, headers and properties go too."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "고객명단"
    people = [NAME, OTHER, THIRD]
    sheet.append(["성명", "연락처", "이메일", "금액", "비율", "계좌번호"])
    for at, person in enumerate(people):
        sheet.append(
            [person, 1000001234 + at, f"user{at}@mail.example", 1000 * at, 0.5, f"110-000-0012{at}4"]
        )
    sheet["A6"] = f'=CONCATENATE("담당 {NAME}",B2)'
    sheet["A2"].comment = Comment(f"VIP {NAME} {PHONE}", OTHER)
    sheet["C2"].hyperlink = f"mailto:{EMAIL}"
    sheet.oddHeader.center.text = f"작성 {OTHER}"
    choice = DataValidation(
        type="list", formula1=f'"{NAME},{OTHER}"', promptTitle="선택", prompt=f"문의 {EMAIL}"
    )
    sheet.add_data_validation(choice)
    choice.add("A9")
    book.properties.creator, book.properties.keywords = THIRD, f"전화 {PHONE}"
    before = saved(book)
    done, back, report = there_and_back(tmp_path / "a.xlsx", before)
    values = [*VALUES, "1000001234", "1000001236", "user1@mail.example", "110-000-001204"]
    assert len(holds(before, values)) >= 9
    assert holds(done, values) == []
    said = rows(done)
    assert said[0] == rows(before)[0]
    assert [row[3:5] for row in said[1:4]] == [[0, 0.5], [1000, 0.5], [2000, 0.5]]
    assert all(isinstance(row[1], str) and row[1].startswith("PHONE~1") for row in said[1:4])
    assert rows(back) == rows(before)
    again = openpyxl.load_workbook(io.BytesIO(back))
    assert again.active["A2"].comment.text == f"VIP {NAME} {PHONE}"
    assert (again.active["A2"].comment.author, again.properties.creator) == (OTHER, THIRD)
    assert again.active.data_validations.dataValidation[0].formula1 == choice.formula1
    assert report.values["PHONE_NUMBER"] >= 4


def workbook(cells: str, strings: str = "", sheet: str = "표", **parts: str) -> bytes:
    """A workbook with cells of one sheet as they are written."""
    return archive(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default '
            'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
            'ContentType="application/xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"/>',
            "xl/workbook.xml": f'<workbook xmlns="{X}"><sheets><sheet name="{sheet}" sheetId="1"/></sheets></workbook>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{X}"><sheetData>{cells}</sheetData></worksheet>',
            "xl/sharedStrings.xml": f'<sst xmlns="{X}">{strings}</sst>',
            **{name.replace("__", "/").replace("_DOT_", "."): data for name, data in parts.items()},
        }
    )


def test_every_kind_of_cell(tmp_path: Path) -> None:
    """Rich and inline strings, formulas' texts, strings that no cell refers to, readings, booleans, errors, odd references."""
    cells = (
        '<row r="1"><c t="s"><v>0</v></c><c t="inlineStr"><is><t>연락처</t></is></c><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c></row>'
        f'<row r="2"><c t="s"><v>1</v></c><c t="inlineStr"><is><r><t>010-0000</t></r><r><t>-1234</t></r></is></c>'
        f'<c t="str"><f>A1</f><v>{EMAIL}</v></c><c t="s"><v>99</v></c><c><v>1000009999</v></c><c/></row>'
    )
    strings = f"<si><t>성명</t></si><si><r><t>홍</t></r><r><t>길동</t></r><rPh sb='0' eb='3'><t>{OTHER}</t></rPh></si><si><t>남은 글 {PHONE}</t></si>"
    cache = f'<pivotCacheDefinition xmlns="{X}"><sharedItems><s v="{NAME}"/><s v="{PHONE}"/></sharedItems></pivotCacheDefinition>'
    before = workbook(cells, strings, xl__pivotCache__p1_DOT_xml=cache)
    done, back, _ = there_and_back(tmp_path / "a.xlsx", before)
    assert holds(done) == []
    assert parts_of(done)["xl/worksheets/sheet1.xml"].count(b't="str"') == 1
    for part in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/pivotCache/p1.xml"):
        assert "".join(tree_of(back, part).itertext()) == "".join(tree_of(before, part).itertext())


def test_a_number_becomes_text_and_a_number_again(tmp_path: Path) -> None:
    """As it was written."""
    cells = '<row><c t="inlineStr"><is><t>연락처</t></is></c></row><row><c s="3"><v>1000001234</v></c></row><row><c t="n"><v>1000005678.0</v></c></row>'
    done, back, report = there_and_back(tmp_path / "a.xlsx", workbook(cells))
    assert report.values["PHONE_NUMBER"] >= 1
    first = tree_of(done, "xl/worksheets/sheet1.xml").findall(f".//{{{X}}}c")[1]
    assert (first.get("t"), first.get("s")) == ("str", "3")
    again = tree_of(back, "xl/worksheets/sheet1.xml").findall(f".//{{{X}}}c")
    assert [(cell.get("t"), cell[0].text) for cell in again[1:]] == [
        (None, "1000001234"),
        (again[2].get("t"), "1000005678.0"),
    ]


def test_a_cell_says_its_own_string_alone(tmp_path: Path) -> None:
    """And not those that stand beside it among the shared ones."""
    from sovguard.pipeline.files.documents.passages import Passage
    from sovguard.pipeline.files.documents.spreadsheets import SharedStrings

    root = tree_of(
        workbook("", "<si><t>가</t></si><si><r><t>나</t></r><r><t>다</t></r></si><si><t>라</t></si>"),
        "xl/sharedStrings.xml",
    )
    strings = SharedStrings(root)
    said = [
        "".join(part.text for part in strings.lines("1")[0] if isinstance(part, Passage)),
        len(strings.lines("1")),
    ]
    assert said == ["나다", 1]
    assert len(strings.left()) == 2


def test_a_sheet_with_a_telling_name_is_an_error(tmp_path: Path) -> None:
    """What would take its place is no name of a sheet."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook('<row><c t="inlineStr"><is><t>x</t></is></c></row>', sheet=f"전화 {PHONE}"))
    with pytest.raises(InputError, match="name of a sheet") as raised:
        work_on(path, tmp_path / "b.xlsx", SETTINGS)
    assert PHONE not in str(raised.value)
    assert not (tmp_path / "b.xlsx").exists()
