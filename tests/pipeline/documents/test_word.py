from __future__ import annotations

import io
from pathlib import Path

import docx
import openpyxl
import pytest

from sovguard.pipeline.files.documents import work_on
from sovguard.pipeline.files.settings import Settings
from tests.pipeline.documents.made import (
    ACCOUNT,
    BACK,
    EMAIL,
    NAME,
    OTHER,
    PHONE,
    RRN,
    SECOND_PHONE,
    SETTINGS,
    THIRD,
    VALUES,
    W,
    holds,
    parts_of,
    texts_of,
    there_and_back,
    word,
)


def p(*runs: str) -> str:
    """A paragraph of runs."""
    return f"<w:p>{''.join(runs)}</w:p>"


def r(text: str) -> str:
    """A run of text."""
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def saved(document: object) -> bytes:
    """A document of a library as octets."""
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]
    return out.getvalue()


def read(data: bytes) -> list[str]:
    """What python-docx reads: paragraphs, then cells."""
    document = docx.Document(io.BytesIO(data))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return [*(paragraph.text for paragraph in document.paragraphs), *cells]


def contract() -> bytes:
    """A contract as python-docx writes one."""
    document = docx.Document()
    document.core_properties.author, document.core_properties.last_modified_by = OTHER, THIRD
    document.core_properties.title, document.core_properties.comments = f"{NAME} 근로계약서", f"문의 {EMAIL}"
    paragraph = document.add_paragraph("근로자 ")
    for piece in (NAME[0], NAME[1:], "은(는) 연락처 010-", "0000-12", "34로 연락할 수 있다."):
        paragraph.add_run(piece).bold = len(piece) % 2 == 0
    table = document.add_table(rows=3, cols=2)
    for row, pair in zip(
        table.rows, [("성명", NAME), ("주민등록번호", RRN), ("계좌번호", f"국민은행 {ACCOUNT}")], strict=True
    ):
        row.cells[0].text, row.cells[1].text = pair
    document.sections[0].header.paragraphs[0].text = f"담당: {OTHER} 과장"
    document.sections[0].footer.paragraphs[0].text = f"문의 {EMAIL}"
    document.add_comment(
        paragraph.runs[0], text=f"{NAME} 씨 전화 {PHONE} 확인", author=THIRD, initials="다솜"
    )
    document.add_paragraph(f"탭\t이메일 {EMAIL}\n줄바꿈 뒤 {SECOND_PHONE}")
    return saved(document)


def test_a_contract_goes_and_comes_back(tmp_path: Path) -> None:
    """Body, table, header, footer, comment and properties; read by another library before, in between and after."""
    before = contract()
    done, back, report = there_and_back(tmp_path / "계약.docx", before)
    assert holds(before) == list(VALUES)
    assert holds(done) == []
    assert read(done) != read(before)
    assert read(back) == read(before)
    properties, again = (docx.Document(io.BytesIO(data)).core_properties for data in (before, back))
    assert [properties.author, properties.title, properties.comments] == [
        again.author,
        again.title,
        again.comments,
    ]
    assert [c.text for c in docx.Document(io.BytesIO(back)).comments] == [f"{NAME} 씨 전화 {PHONE} 확인"]
    assert report.values["PERSON"] >= 6


def test_a_value_over_several_runs_is_one_surrogate(tmp_path: Path) -> None:
    """It stands in the first of them; the others keep what is not of it."""
    body = p(r("고객 "), r("홍"), r("길동"), r("님의 전화는 010-"), r("0000-"), r("1234"), r("입니다"))
    done, back, report = there_and_back(tmp_path / "a.docx", word(body))
    assert report.values == {"PERSON": 1, "PHONE_NUMBER": 1}
    (text,) = texts_of(done, "word/document.xml")
    assert text.startswith("고객 PERSON~1")
    assert "님의 전화는 PHONE~1" in text
    assert text.endswith("입니다")
    assert texts_of(back, "word/document.xml") == [f"고객 {NAME}님의 전화는 {PHONE}입니다"]


def test_tracked_changes(tmp_path: Path) -> None:
    """What was deleted is read as it stood, what was inserted as it stands, and each stays what it was; authors go too."""
    author = f'w:id="1" w:author="{THIRD}" w:date="2026-01-01T00:00:00Z"'
    body = p(
        r("고객 연락처 010-0000-"),
        f"<w:del {author}><w:r><w:delText>1234</w:delText></w:r></w:del>",
        f"<w:ins {author}>{r('5678')}</w:ins>",
        r(" 입니다"),
    )
    body += p(
        r("담당자 "), f"<w:del {author}><w:r><w:delText>{NAME} 과장</w:delText></w:r></w:del>", r("없음")
    )
    before = word(body)
    done, back, _ = there_and_back(tmp_path / "a.docx", before)
    octets = parts_of(done)["word/document.xml"].decode()
    assert holds(done) == []
    assert not any(part in octets for part in ("1234<", ">5678", "010-0000-"))
    assert back_runs(back) == back_runs(before)


def back_runs(data: bytes) -> list[tuple[str, str]]:
    """Each text of a document with the element it stands in."""
    from tests.pipeline.documents.made import tree_of

    return [
        (element.tag, element.text) for element in tree_of(data, "word/document.xml").iter() if element.text
    ]


def test_every_corner_of_a_document(tmp_path: Path) -> None:
    """Text boxes and their fallbacks, notes, fields, links, alternative texts, tags, variables, properties, other parts."""
    box = f"<w:txbxContent>{p(r(f'상자 안의 전화 {PHONE}'))}</w:txbxContent>"
    body = (
        p(r("바깥 "), f"<w:r><w:pict>{box}</w:pict></w:r>", r(f"문단 {EMAIL}"))
        + p(
            '<w:r><w:fldChar w:fldCharType="begin"/></w:r>',
            f'<w:r><w:instrText>HYPERLINK "mailto:{EMAIL[:7]}</w:instrText></w:r>',
            f'<w:r><w:instrText>{EMAIL[7:]}"</w:instrText></w:r>',
            r("메일"),
        )
        + f'<w:sdt><w:sdtPr><w:alias w:val="{PHONE}"/><w:tag w:val="{ACCOUNT}"/></w:sdtPr><w:sdtContent>{p(r("칸"))}</w:sdtContent></w:sdt>'
        + p(
            f'<w:r><w:drawing><docPr xmlns="urn:x" id="1" descr="{NAME}의 사진" title="연락처 {PHONE}"/></w:drawing></w:r>'
        )
        + p("<w:r><w:noBreakHyphen/></w:r>", r(f"주민번호 {RRN}"))
        + f"<!-- 검토 {SECOND_PHONE} -->"
    )
    before = word(
        body,
        word__footnotes_DOT_xml=f'<w:footnotes xmlns:w="{W}"><w:footnote w:id="2">{p(r(f"각주 담당자 {OTHER} 과장"))}</w:footnote></w:footnotes>',
        word__settings_DOT_xml=f'<w:settings xmlns:w="{W}"><w:docVars><w:docVar w:name="a" w:val="{PHONE}"/></w:docVars></w:settings>',
        word__people_DOT_xml='<w15:people xmlns:w15="http://schemas.microsoft.com/office/word/2012/wordml"><w15:person w15:author="'
        f'{THIRD}"><w15:presenceInfo w15:providerId="AD" w15:userId="S::{EMAIL}::1b4c"/></w15:person></w15:people>',
        docProps__custom_DOT_xml=f'<Properties xmlns="{"http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"}"'
        ' xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"><property name="연락처">'
        f"<vt:lpwstr>{PHONE}</vt:lpwstr></property></Properties>",
        customXml__item1_DOT_xml=f"<고객><성명>{NAME}</성명><전화>01000001234</전화></고객>",
        docProps__thumbnail_DOT_jpeg=b"\xff\xd8" + NAME.encode(),
        word___rels__footnotes_DOT_xml_DOT_rels='<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="x" Target="mailto:{EMAIL}" TargetMode="External"/><Relationship Id="r2" Type="x" '
        'Target="https://hanbit.example/?q=010-0000-1234&amp;n=%ED%99%8D" TargetMode="External"/></Relationships>',
    )  # fmt: skip
    done, back, _ = there_and_back(tmp_path / "a.docx", before)
    assert holds(done, [*VALUES, "01000001234"]) == []
    assert parts_of(done)["docProps/thumbnail.jpeg"].startswith(b"\xff\xd8\xff")
    same = [name for name in parts_of(before) if name != "docProps/thumbnail.jpeg"]
    from tests.pipeline.documents.made import tree_of

    for name in same:
        assert said(tree_of(back, name)) == said(tree_of(before, name)), name


def said(root: object) -> list[str]:
    """Everything that a tree says, in order: joined texts of paragraphs, other texts, attributes."""
    texts: list[str] = []
    for element in root.iter():  # type: ignore[attr-defined]
        if isinstance(element.tag, str):
            texts += [value for name, value in sorted(element.attrib.items()) if not name.endswith("}space")]
            if element.tag.endswith(("}p", "}instrText")):
                texts.append("".join(t for t in element.itertext()))
            elif not element.tag.endswith(("}t", "}delText")):
                texts.append(element.text or "")
        else:
            texts.append(element.text)
    joined = "".join(part for part in texts)
    return [joined]


def test_a_chart_carries_its_workbook(tmp_path: Path) -> None:
    """A document within a document is worked on as one; the same person is the same surrogate in both."""
    book = openpyxl.Workbook()
    book.active.append(["성명", "연락처"])
    book.active.append([NAME, PHONE])
    inner = saved(book)
    chart = (
        '<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"><c:strCache><c:pt idx="0"><c:v>'
        f"{NAME}</c:v></c:pt></c:strCache><c:numCache><c:pt idx='0'><c:v>12345678</c:v></c:pt></c:numCache></c:chartSpace>"
    )
    before = word(
        p(r(f"고객 {NAME}님")), word__embeddings__book_DOT_xlsx=inner, word__charts__chart1_DOT_xml=chart
    )
    done, back, _ = there_and_back(tmp_path / "a.docx", before)
    assert holds(done) == []
    name = "word/embeddings/book.xlsx"
    rows = [
        list(row)
        for row in openpyxl.load_workbook(io.BytesIO(parts_of(done)[name])).active.iter_rows(values_only=True)
    ]
    assert rows[1][0] in texts_of(done, "word/document.xml")[0]
    assert b"12345678" in parts_of(done)["word/charts/chart1.xml"]
    again = openpyxl.load_workbook(io.BytesIO(parts_of(back)[name])).active
    assert [list(row) for row in again.iter_rows(values_only=True)] == [["성명", "연락처"], [NAME, PHONE]]


@pytest.mark.parametrize(("way", "count"), [("blank", 0), ("keep", 1)])
def test_pictures_are_blanked_unless_kept(tmp_path: Path, way: str, count: int) -> None:
    """Nobody can read them, and somebody is told."""
    picture = b"\x89PNG\r\n\x1a\n-picture-of-a-card-"
    path, done = tmp_path / "a.docx", tmp_path / "b.docx"
    path.write_bytes(word(p(r("그림")), word__media__image1_DOT_png=picture))
    report = work_on(path, done, Settings(key=SETTINGS.key, scope=SETTINGS.scope, unread=way))  # type: ignore[arg-type]
    assert octets_count(done.read_bytes(), picture) == count
    assert ["1 pictures" in note for note in report.notes] == [True]


def octets_count(data: bytes, part: bytes) -> int:
    """How many parts are exactly this."""
    return sum(each == part for each in parts_of(data).values())


def test_a_value_in_a_part_that_nobody_reads_is_an_error(tmp_path: Path) -> None:
    """Fonts and printer settings stay, but not with something in them that was found elsewhere."""
    from sovguard.errors import InputError

    for name, octets in [
        ("word__fonts__a_DOT_odttf", PHONE.encode()),
        ("word__printerSettings__printerSettings1_DOT_bin", NAME.encode("utf-16-le")),
    ]:
        path = tmp_path / "a.docx"
        path.write_bytes(word(p(r(f"고객 {NAME}님 {PHONE}")), **{name: b"\0\1" + octets + b"\0"}))
        with pytest.raises(InputError, match="also stands in a part") as raised:
            work_on(path, tmp_path / "b.docx", SETTINGS)
        assert not any(value in str(raised.value) for value in VALUES)
        assert not (tmp_path / "b.docx").exists()


def test_masks_and_what_is_not_found_stays(tmp_path: Path) -> None:
    """A document without anything in it comes out as it was, part by part; a masked one cannot be restored."""
    plain = word(p(r("아무도 없는 문서입니다.")))
    path, done = tmp_path / "a.docx", tmp_path / "b.docx"
    path.write_bytes(plain)
    work_on(path, done, SETTINGS)
    assert parts_of(done.read_bytes()) == parts_of(plain)
    path.write_bytes(word(p(r("전화 "), r("010-0000"), r("-1234"))))
    work_on(path, done, Settings("mask"))
    assert texts_of(done.read_bytes(), "word/document.xml") == ["전화 010-****-1234"]


def test_surrogates_of_another_key_are_counted(tmp_path: Path) -> None:
    """They stay as they are."""
    path, done = tmp_path / "a.docx", tmp_path / "b.docx"
    path.write_bytes(word(p(r(f"전화 {PHONE}"))))
    work_on(path, done, Settings(key=bytes(64), scope=SETTINGS.scope))
    assert work_on(done, tmp_path / "c.docx", BACK).unresolved == 1
