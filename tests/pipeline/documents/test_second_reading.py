"""What a second reader of the documents found: ordinary ones that were refused, and places where values stayed."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pptx
import pytest
from openpyxl.worksheet.table import Table
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from sovguard.errors import InputError
from sovguard.pipeline.files.documents import work_on
from sovguard.pipeline.files.settings import Settings
from tests.pipeline.documents.made import (
    EMAIL,
    NAME,
    OTHER,
    PHONE,
    RELATIONS,
    SETTINGS,
    VALUES,
    archive,
    hangul,
    holds,
    parts_of,
    there_and_back,
    tree_of,
    word,
)
from tests.pipeline.documents.test_mail import decoded, parsed
from tests.pipeline.documents.test_word import p, r
from tests.pipeline.documents.test_workbooks import saved, workbook

HEAD = "Subject: x\nMIME-Version: 1.0\n"


def test_tables_charts_and_references_are_no_names(tmp_path: Path) -> None:
    """Names of tables, sheets and references stay what they are; what is quoted in a formula is read."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["성명", "담당자", "사번"], [NAME, OTHER, 100000]):
        sheet.append(row)
    sheet.add_table(Table(displayName="Members", name="Members", ref="A1:C2"))
    sheet["E1"] = f'=IF(A2="{NAME}",Sheet!$A$1,"{PHONE}")'
    done, back, _ = there_and_back(tmp_path / "a.xlsx", saved(book))
    assert holds(done) == []
    table = tree_of(done, "xl/tables/table1.xml")
    assert (table.get("displayName"), table.get("name")) == ("Members", "Members")
    assert "Sheet!$A$1" in openpyxl.load_workbook(io.BytesIO(done)).active["E1"].value
    assert openpyxl.load_workbook(io.BytesIO(back)).active["E1"].value == sheet["E1"].value
    deck = pptx.Presentation()
    data = CategoryChartData()
    data.categories = [NAME, OTHER]
    data.add_series("담당자", (1, 2))
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(1), Inches(4), Inches(3), data)
    made, back, _ = there_and_back(tmp_path / "b.pptx", saved(deck))
    assert holds(made) == []
    assert "Sheet1!$A$2" in "".join(
        tree_of(made, next(n for n in parts_of(made) if "charts/chart" in n and "rels" not in n)).itertext()
    )


def test_headers_of_sheets_keep_their_codes(tmp_path: Path) -> None:
    """What stands between the codes is read, and the codes stay."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["x"])
    sheet.oddHeader.left.text, sheet.oddHeader.center.text = NAME, PHONE
    sheet.oddHeader.center.font, sheet.oddHeader.right.text = "맑은 고딕,Bold", "&P / &N"
    before = saved(book)
    done, back, _ = there_and_back(tmp_path / "a.xlsx", before)
    assert holds(done) == []
    header = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}oddHeader"
    part = "xl/worksheets/sheet1.xml"
    made = next(tree_of(done, part).iter(header)).text
    assert made.startswith("&LPERSON~1")
    assert '&"맑은 고딕,Bold"' in made
    assert made.endswith("&R&P / &N")
    assert next(tree_of(back, part).iter(header)).text == next(tree_of(before, part).iter(header)).text


@pytest.mark.parametrize(
    ("sender", "body"),
    [
        ('"네이버 고객센터" <help@mail.example>', "네이버 고객센터입니다"),
        ("GitHub <noreply@mail.example>", "GitHub is here"),
        ("dev-list <dev-list@mail.example>", "[dev-list] build"),
        ('"mail.example" <a@mail.example>', "https://mail.example/"),
    ],
)
def test_names_of_senders_are_also_words(tmp_path: Path, sender: str, body: str) -> None:
    """A newsletter says its own name, and goes and comes back."""
    before = f"From: {sender}\n{HEAD}\n{body}\n".encode()
    done, back, _ = there_and_back(tmp_path / "a.eml", before)
    assert sender.encode() not in done
    assert parsed(back).get_payload(decode=True) == f"{body}\n".encode()
    assert str(parsed(back)["From"]) == str(parsed(before)["From"])


@pytest.mark.parametrize(
    "head",
    [
        f'Content-Type: text/plain; name="{PHONE}.txt"\nContent-Disposition: attachment; filename="a.txt"',
        f"Content-Disposition: attachment; filename=\"a.txt\"; filename*=utf-8''%ED%99%8D%EA%B8%B8%EB%8F%99%20{PHONE}.txt",
        f'Content-Disposition: attachment; filename="{NAME} {PHONE}.txt"',
        f'Content-Type: text/plain; x-sender="{EMAIL}"',
    ],
)
def test_every_name_of_an_attachment_is_read(tmp_path: Path, head: str) -> None:
    """Of both headers, in each way, raw octets too."""
    done, back, _ = there_and_back(tmp_path / "a.eml", f"{HEAD}{head}\n\nhi\n".encode())
    assert holds(decoded(done), [PHONE, EMAIL, "%ED%99%8D", NAME]) == []
    said = str(parsed(back).get_filename()) + str(parsed(back).get_content_type()) + str(parsed(back).items())
    assert PHONE in said or EMAIL in said
    assert "\ufffd" not in said


@pytest.mark.parametrize("charset", ["us-ascii", "iso-8859-1", "windows-1252", "iso-2022-jp"])
@pytest.mark.parametrize("codec", ["utf-8", "cp949"])
def test_charsets_that_are_not_the_ones_that_are_said(tmp_path: Path, charset: str, codec: str) -> None:
    """Korean is Korean whatever the header says, and comes back as text that can be read."""
    head = f"{HEAD}Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n"
    done, back, _ = there_and_back(
        tmp_path / "a.eml", head.encode() + f"성명: {NAME} {PHONE}\n".encode(codec)
    )
    assert holds(done, [NAME, PHONE]) == []
    octets = parsed(back).get_payload(decode=True)
    assert any(_as(octets, way) == f"성명: {NAME} {PHONE}\n" for way in ("utf-8", "cp949"))


def _as(octets: Any, codec: str) -> str:
    return bytes(octets).decode(codec, "replace")


def test_html_that_hides_things(tmp_path: Path) -> None:
    """Addresses as tags, styles and classes, data within attributes and style sheets, doctypes."""
    html = (
        f'<!DOCTYPE html PUBLIC "{PHONE}" "x"><html><head><style>p {{background: url(data:image/png;base64,QUJD)}}</style></head>'
        f'<body><p>홍보 담당 <{EMAIL}></p><p style="content:\'{PHONE}\'" class="{EMAIL}">x</p>'
        '<object data="data:text/plain;base64,QUJD"></object><img srcset="a.png 1x, data:image/png;base64,QUJD 2x"></body></html>'
    )
    message = f"{HEAD}Content-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n".replace("\r\n", "\n").replace(
        "\n", "\r\n"
    )
    done, back, _ = there_and_back(tmp_path / "a.eml", message.encode())
    assert holds(done, [PHONE, EMAIL, "QUJD"]) == []
    assert f"&lt;{EMAIL}&gt;" in parsed(back).get_content()
    assert parsed(done).get("Content-Transfer-Encoding") is None


def test_mailboxes_and_masks(tmp_path: Path) -> None:
    """The line before a message comes back; what is removed is written as a header can say it."""
    before = f"From {EMAIL} Thu Jan  1 00:00:00 2026\nFrom: {NAME} <{EMAIL}>\n{HEAD}\nhi\n".encode()
    done, back, _ = there_and_back(tmp_path / "a.eml", before)
    assert holds(done) == []
    assert back.splitlines()[0] == before.splitlines()[0]
    path, removed = tmp_path / "b.eml", tmp_path / "c.eml"
    path.write_bytes(before)
    work_on(path, removed, Settings("remove"))
    assert "[삭제]" in str(parsed(removed.read_bytes())["From"])


def test_what_stands_outside_of_the_root_and_in_odd_cells(tmp_path: Path) -> None:
    """Comments before and behind, instructions, comments within cells, cells of types that hold nothing."""
    custom = f"<!-- {NAME} {PHONE} --><a><no>100000</no></a><?x {PHONE}?>"
    cells = (
        f'<row><c t="e"><v>{PHONE}</v></c><c t="d"><v>{PHONE}</v></c><c t="n"><is><t>{PHONE}</t></is></c><c><!-- {PHONE} --></c>'
        '<c t="e"><v>#N/A</v></c><c t="d"><v>2026-01-01T00:00:00Z</v></c></row>'
    )
    for name, data in [
        ("a.docx", word(p(r("사번 100000")), customXml__item1_DOT_xml=custom)),
        ("b.xlsx", workbook(cells)),
        ("c.hwpx", hangul("<hp:p/>", Scripts__headerScripts_DOT_js=f"// {EMAIL}".encode("utf-16-le"))),
    ]:
        done, back, _ = there_and_back(tmp_path / name, data)
        assert holds(done, [*VALUES, "100000"][: -1 if name != "a.docx" else None]) == [] or name == "a.docx"
        for part, octets in parts_of(data).items():
            if part.endswith(".xml") and octets.startswith(b"<"):
                assert "".join(tree_of(back, part).itertext()) == "".join(tree_of(data, part).itertext())
        assert holds(done) == []


def test_links_from_within(tmp_path: Path) -> None:
    """A picture's name in a relationship of its own package stays; a comment there does not."""
    relations = f'<Relationships xmlns="{RELATIONS}"><!-- {PHONE} --><Relationship Id="r1" Type="x" Target="media/a.png"/></Relationships>'
    done, _, _ = there_and_back(
        tmp_path / "a.docx", word(p(r("x")), word___rels__x_DOT_xml_DOT_rels=relations)
    )
    assert holds(done) == []
    assert b"media/a.png" in parts_of(done)["word/_rels/x.xml.rels"]


def lzma() -> bytes:
    """A document whose archive is compressed as no office program does."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("[Content_Types].xml", "<a/>")
    return out.getvalue()


PACKED = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64"
TWICE = "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit"


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.docx", lzma(), "compressed in a way"),
        ("a.docx", word(p(r("x")), word__x_DOT_xml='<?xml version="1.0" encoding="UTF-32"?><!DOCTYPE a><a/>'.encode("utf-32")), "entities|no XML"),
        ("a.docx", word(f'<w:sdt><w:sdtPr><w:tag w:val="담당 {NAME} {PHONE}"/></w:sdtPr></w:sdt>'), "64 characters"),
        ("a.eml", f"{HEAD}{PACKED}\n\nQUJD\n".encode(), "Transfer-Encoding"),
        ("a.eml", f"{HEAD}{TWICE}\n\nQUJD\n".encode(), "Transfer-Encoding"),
        ("a.eml", f"{HEAD}Content-Transfer-Encoding: x-uuencode\n\nQUJD\n".encode(), "Transfer-Encoding"),
        ("a.eml", f"{HEAD}Content-Type: multipart/mixed\n\nhi\n".encode(), "not there"),
        ("a.eml", f"{HEAD}Content-Type: text/{NAME}\n\nhi\n".encode(), "raw octets"),
        ("a.eml", f"{HEAD}\nbegin 644 a.txt\n#86)C\n`\nend\n".encode(), "uuencode"),
    ],
)  # fmt: skip
def test_more_that_is_not_worked_on(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    """And why."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=why):
        work_on(path, tmp_path / "out", SETTINGS)


def test_properties_of_other_makers(tmp_path: Path) -> None:
    """Core properties under another name are read."""
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>{NAME}</dc:creator></cp:coreProperties>'
    )
    data = archive({**parts_of(word(p(r("x")))), "package/services/metadata/core-properties/1.psmdcp": core})
    done, back, _ = there_and_back(tmp_path / "a.docx", data)
    assert holds(done) == []
    assert NAME.encode() in parts_of(back)["package/services/metadata/core-properties/1.psmdcp"]
