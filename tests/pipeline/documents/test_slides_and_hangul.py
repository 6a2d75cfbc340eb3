from __future__ import annotations

import io
from pathlib import Path

import pptx
from pptx.util import Inches

from tests.pipeline.documents.made import (
    ACCOUNT,
    EMAIL,
    HP,
    NAME,
    OTHER,
    PHONE,
    RRN,
    SECOND_PHONE,
    THIRD,
    VALUES,
    hangul,
    holds,
    parts_of,
    there_and_back,
    tree_of,
)


def shown(data: bytes) -> list[str]:
    """What python-pptx reads: shapes, tables, notes."""
    texts: list[str] = []
    for slide in pptx.Presentation(io.BytesIO(data)).slides:
        for shape in slide.shapes:
            texts += [shape.text_frame.text] if shape.has_text_frame else []
            texts += [cell.text for row in shape.table.rows for cell in row.cells] if shape.has_table else []
        texts.append(slide.notes_slide.notes_text_frame.text)
    return texts


def test_slides_go_and_come_back(tmp_path: Path) -> None:
    """Titles, bodies, tables, notes, alternative texts, properties."""
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = f"고객 {NAME} 사례"
    slide.placeholders[1].text = f"연락처 {PHONE}\n주소 서울특별시 마포구 가온로 12, 3층\v메일 {EMAIL}"
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    for row, pair in enumerate([("성명", OTHER), ("계좌번호", ACCOUNT)]):
        table.cell(row, 0).text, table.cell(row, 1).text = pair
    slide.shapes[1]._element.nvSpPr.cNvPr.set("descr", f"{PHONE} 안내")
    slide.notes_slide.notes_text_frame.text = f"발표자 {THIRD} 대리, 주민번호 {RRN}"
    deck.core_properties.author = THIRD
    out = io.BytesIO()
    deck.save(out)
    done, back, _ = there_and_back(tmp_path / "a.pptx", out.getvalue())
    assert holds(done, [*VALUES, "가온로 12"]) == []
    assert shown(done) != shown(out.getvalue())
    assert shown(back) == shown(out.getvalue())


def run(*inside: str) -> str:
    """A run of a Hangul document."""
    return f'<hp:run charPrIDRef="0">{"".join(inside)}</hp:run>'


def p(*inside: str) -> str:
    """A paragraph of a Hangul document."""
    return f"<hp:p>{''.join(inside)}</hp:p>"


def t(text: str) -> str:
    """A run of text."""
    return run(f"<hp:t>{text}</hp:t>")


def cell(text: str) -> str:
    """A cell of a table."""
    return f"<hp:tc><hp:subList>{p(t(text))}</hp:subList></hp:tc>"


BROKEN = '<hp:linesegarray><hp:lineseg textpos="0"/></hp:linesegarray>'


def test_a_hangul_document_goes_and_comes_back(tmp_path: Path) -> None:
    """Runs, tabs within texts, tables, tracked changes, memos, previews, properties; broken lines are laid out anew."""
    table = "".join(
        f"<hp:tr>{cell(left)}{cell(right)}</hp:tr>"
        for left, right in [("성명", OTHER), ("계좌번호", ACCOUNT)]
    )
    memo = f"<hp:parameters><hp:stringParam name='Author'>{THIRD}</hp:stringParam></hp:parameters>"
    memo += f"<hp:subList>{p(t(f'메모 {SECOND_PHONE}'))}</hp:subList>"
    tracked = (
        "<hp:deleteBegin Id='1'/>1234<hp:deleteEnd Id='1'/><hp:insertBegin Id='2'/>5678<hp:insertEnd Id='2'/>"
    )
    section = "".join(
        [
            p(
                t("근로자 홍"),
                t("길동의 연락처는 010-<hp:markpenBegin/>0000-<hp:markpenEnd/>1234이다."),
                BROKEN,
            ),
            p(t(f"주민번호<hp:tab/>{RRN}<hp:lineBreak/>메일 {EMAIL}")),
            p(t(f"전화 010-0000-{tracked}로")),
            p(run(f"<hp:tbl>{table}</hp:tbl>")),
            p(BROKEN, t("빈 줄")),
            p(run(f"<hp:ctrl><hp:fieldBegin type='MEMO'>{memo}</hp:fieldBegin></hp:ctrl>")),
        ]
    )
    before = hangul(
        section,
        Contents__content_DOT_hpf='<opf:package xmlns:opf="http://www.idpf.org/2007/opf/"><opf:metadata><opf:title>'
        f'{NAME} 계약서</opf:title><opf:meta name="creator" content="text">{OTHER}</opf:meta><opf:meta name="lastsaveby" '
        f'content="text">{THIRD}</opf:meta></opf:metadata></opf:package>',
        Contents__header_DOT_xml='<hh:head xmlns:hh="http://www.hancom.co.kr/hwpml/2011/head"><hh:trackChangeAuthors>'
        f'<hh:trackChangeAuthor name="{THIRD}" id="1"/></hh:trackChangeAuthors></hh:head>',
        Preview__PrvText_DOT_txt=f"근로자 {NAME}의 연락처는 {PHONE}이다.\r\n<성명><{OTHER}>".encode(),
        Preview__PrvImage_DOT_png=b"\x89PNG picture of the first page",
        Scripts__headerScripts_DOT_js=f"// {EMAIL}\n".encode("utf-16"),
    )
    done, back, _ = there_and_back(tmp_path / "a.hwpx", before)
    assert holds(done) == []
    octets = parts_of(done)["Contents/section0.xml"].decode()
    assert not any(piece in octets for piece in (">1234<", ">5678<", "010-0000-"))
    assert parts_of(done)["Preview/PrvImage.png"] != parts_of(before)["Preview/PrvImage.png"]
    assert list(parts_of(done)) == list(parts_of(before))
    arrays = [
        len(p.findall(f"{{{HP}}}linesegarray"))
        for p in tree_of(done, "Contents/section0.xml").findall(f"{{{HP}}}p")
    ]
    assert arrays == [0, 0, 0, 0, 1, 0]
    for part in ("Contents/section0.xml", "Contents/content.hpf", "Contents/header.xml"):
        assert "".join(tree_of(back, part).itertext()) == "".join(tree_of(before, part).itertext())
    for part in ("Preview/PrvText.txt", "Scripts/headerScripts.js"):
        assert parts_of(back)[part] == parts_of(before)[part]
    assert tree_of(back, "Contents/header.xml")[0][0].get("name") == THIRD
