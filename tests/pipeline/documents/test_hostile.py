from __future__ import annotations

import email
import email.policy
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from reportlab.lib import pdfencrypt
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

from sovguard.errors import ConfigError, DetectionError, InputError
from sovguard.pipeline.files.documents import work_on
from tests.command import run
from tests.pipeline.documents.made import (
    EMAIL,
    NAME,
    PHONE,
    RELATIONS,
    SETTINGS,
    VALUES,
    W,
    archive,
    hangul,
    holds,
    parts_of,
    there_and_back,
    tree_of,
    word,
)
from tests.pipeline.documents.test_word import p, r
from tests.pipeline.documents.test_workbooks import workbook
from tests.pipeline.places import BAD as STUMBLING_BLOCK
from tests.pipeline.places import finder

BODY = p(r(f"고객 {NAME}님 {PHONE}"))


def pdf(*pages: str, password: str = "") -> bytes:
    """A PDF with a text layer."""
    pdfmetrics.registerFont(UnicodeCIDFont("HYSMyeongJo-Medium"))
    out = io.BytesIO()
    page = canvas.Canvas(out, encrypt=pdfencrypt.StandardEncryption(password) if password else None)
    page.setAuthor(NAME)
    for text in pages:
        page.setFont("HYSMyeongJo-Medium", 12)
        for at, line in enumerate(text.split("\n")):
            page.drawString(72, 700 - 20 * at, line)
        page.showPage()
    page.save()
    return out.getvalue()


def test_a_pdf_becomes_text(tmp_path: Path) -> None:
    """Page by page; it comes back as the text that it was."""
    source, done, back = tmp_path / "a.pdf", tmp_path / "a.txt", tmp_path / "b.txt"
    source.write_bytes(pdf(f"성명 {NAME}\n연락처 {PHONE}", "", f"문의 {EMAIL}"))
    key = tmp_path / "key"
    run("key", key)
    scope = ("--dataset", "d", "--key", key)
    made = run("redact", source, "-o", done, *scope)
    assert (made.code, "1 pages have no text" in made.err) == (0, True)
    assert holds(done.read_bytes()) == []
    assert run("restore", done, "-o", back, *scope).code == 0
    assert back.read_text() == f"성명 {NAME}\n연락처 {PHONE}\n\f\n\f문의 {EMAIL}\n"
    with pytest.raises(ConfigError, match=r"name a \.txt"):
        work_on(source, tmp_path / "b.pdf", SETTINGS)


def encrypted_zip() -> bytes:
    """An archive that says that its files are encrypted."""
    data = bytearray(word(BODY))
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


def twice() -> bytes:
    """An archive with two files of one name."""
    out = io.BytesIO(word(BODY))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as file:
        file.writestr("word/document.xml", "<a/>")
    return out.getvalue()


def bomb() -> bytes:
    """An archive that opens to far too much."""
    return word(BODY, word__big_DOT_xml=b" " * (80 << 20))


def understated() -> bytes:
    """An archive that says of a file that it is smaller than it is."""
    data = bytearray(word(BODY, word__big_DOT_xml=b"<a>" + b"x" * 5000 + b"</a>"))
    at = data.rfind(b"word/big.xml") - 46
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    return bytes(data)


BAD: dict[str, tuple[str, bytes, str]] = {
    "password": ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
    "cut short": ("a.docx", word(BODY)[:-40], "damaged"),
    "no archive": ("a.xlsx", b"no archive", "damaged"),
    "another archive": ("a.docx", archive({"a.txt": "x"}), "another kind"),
    "encrypted archive": ("a.docx", encrypted_zip(), "encrypted"),
    "understated": ("a.docx", understated(), "damaged"),
    "bomb": ("a.docx", bomb(), "far too much"),
    "macros": ("a.docx", word(BODY, word__vbaProject_DOT_bin=b"x"), "macros"),
    "controls": ("a.docx", word(BODY, word__activeX__activeX1_DOT_xml="<a/>"), "macros"),
    "object": ("a.docx", word(BODY, word__embeddings__oleObject1_DOT_bin=b"\xd0\xcf\x11\xe0"), "object"),
    "other chunk": ("a.docx", word(BODY, word__afchunk_DOT_mht=b"From: x"), "object"),
    "signed": ("a.docx", word(BODY, _xmlsignatures__sig1_DOT_xml="<a/>"), "signed"),
    "no markup": ("a.docx", word(BODY, word__x_DOT_xml="<a><b></a>"), "no XML"),
    "entities": (
        "a.docx",
        word(BODY, word__x_DOT_xml='<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'),
        "entities",
    ),
    "entities in UTF-16": ("a.docx", word(BODY, word__x_DOT_xml='<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16")), "entities"),
    "deep": ("a.docx", word("<w:p>" * 1500 + "</w:p>" * 1500), "deeply"),
    "telling part": ("a.docx", word(BODY, **{f"word__media__{NAME}_DOT_png": b"x"}), "name of a file"),
    "hangul encrypted": (
        "a.hwpx",
        hangul("", **{"META-INF__manifest_DOT_xml": '<m xmlns:o="urn:o"><o:encryption-data/></m>'}),
        "encrypted",
    ),
    "old hangul": ("a.hwp", b"\xd0\xcf\x11\xe0", "HWPX"),
    "old word": ("a.doc", b"\xd0\xcf\x11\xe0", "DOCX"),
    "macro workbook": ("a.xlsm", b"PK", "macros"),
    "pdf with a password": ("a.pdf", pdf("x", password="secret"), "encrypted"),
    "pdf that is none": ("a.pdf", b"%PDF-1.4 nothing", "damaged"),
    "scan": ("a.pdf", pdf("", ""), "OCR"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_is_not_worked_on_says_why(tmp_path: Path, what: str) -> None:
    """And nothing comes out, and nothing is told of what it holds."""
    name, data, why = BAD[what]
    path, done = tmp_path / name, tmp_path / "out.txt"
    path.write_bytes(data)
    with pytest.raises(InputError, match=why) as raised:
        work_on(path, done, SETTINGS)
    assert not any(value in str(raised.value) for value in VALUES)
    assert os.listdir(tmp_path) == [name]


def test_two_files_of_one_name(tmp_path: Path) -> None:
    """Programs differ in which of them they show."""
    path = tmp_path / "a.docx"
    path.write_bytes(twice())
    with pytest.raises(InputError, match="two of one name"):
        work_on(path, tmp_path / "b.docx", SETTINGS)


def test_a_folder_is_worked_on_but_for_what_cannot_be(tmp_path: Path) -> None:
    """A clear error for each file, the others done, links left alone; and back again."""
    folder, done, back, key = tmp_path / "in", tmp_path / "out", tmp_path / "back", tmp_path / "key"
    (folder / "하위").mkdir(parents=True)
    (folder / "a.docx").write_bytes(word(BODY))
    (folder / "하위" / "b.hwpx").write_bytes(
        hangul(f"<hp:p><hp:run><hp:t>{NAME} {PHONE}</hp:t></hp:run></hp:p>")
    )
    (folder / "c.eml").write_bytes(f"From: {NAME} <{EMAIL}>\n\n{PHONE}\n".encode())
    (folder / "d.txt").write_text(f"{NAME}님 {PHONE}\n")
    (folder / "e.pdf").write_bytes(pdf(f"성명 {NAME} {PHONE}"))
    (folder / "f.docm").write_bytes(b"PK")
    (folder / "g.docx").write_bytes(b"PK\x03\x04 damaged")
    (folder / "loop").symlink_to(folder)
    run("key", key)
    scope = ("--dataset", "d", "--key", key)
    made = run("redact", folder, "-o", done, *scope)
    assert (made.code, "f.docm" in made.err, "g.docx" in made.err) == (1, True, True)
    names = sorted(str(path.relative_to(done)) for path in done.rglob("*") if path.is_file())
    assert names == ["a.docx", "c.eml", "d.txt", "e.pdf.txt", "하위/b.hwpx"]
    assert not any(holds(path.read_bytes()) for path in done.rglob("*") if path.is_file())
    again = run("restore", done, "-o", back, *scope)
    assert again.code == 0
    assert parts_of((back / "a.docx").read_bytes())["word/document.xml"].count(NAME.encode()) == 1
    assert (back / "d.txt").read_text() == f"{NAME}님 {PHONE}\n"


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """Neither half a document nor what it would have been."""
    path = tmp_path / "a.docx"
    path.write_bytes(word(BODY, word__media__image1_DOT_png=os.urandom(200_000)))
    program = (
        "import resource, sys, pathlib; from tests.pipeline.documents.made import SETTINGS;"
        "from sovguard.pipeline.files.documents import work_on; resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50));"
        "work_on(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), SETTINGS)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path, tmp_path / "b.docx"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert done.returncode == 1
    assert "OSError" in done.stderr
    assert os.listdir(tmp_path) == ["a.docx"]


def test_options_for_lines_are_refused(tmp_path: Path) -> None:
    """A document is no table, and not for standard output."""
    path, key = tmp_path / "a.docx", tmp_path / "key"
    path.write_bytes(word(BODY))
    run("key", key)
    said = run("redact", path, "-o", tmp_path / "b.docx", "--dataset", "d", "--key", key, "--field", "x")
    assert (said.code, "as a whole" in said.err) == (2, True)
    for command in (
        ("redact", path),
        ("redact", path, "-o", tmp_path / "b.docx", "--field", "x"),
        ("scan", "--field", "x", path),
    ):
        said = run(*command)
        assert (said.code, said.out) == (2, b"")


def test_a_mapping_or_a_session(tmp_path: Path) -> None:
    """Documents of one run share surrogates, with texts too; what is left is told; links and numbers come back."""
    links = (
        f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" Type="x" Target="tel:{PHONE}" TargetMode="External"/>'
        "</Relationships>"
    )
    book = workbook(
        '<row><c t="inlineStr"><is><t>연락처</t></is></c></row><row><c><v>1000001234</v></c></row>'
    )
    files = {
        "a.docx": word(BODY, word___rels__footnotes_DOT_xml_DOT_rels=links, word__media__i_DOT_png=b"x"),
        "b.xlsx": book,
        "c.eml": f"From: =?utf-8?b?7ZmN6ri464+Z?= <{EMAIL}>\n\n{PHONE}\n".encode(),
        "d.txt": f"{NAME}님 {PHONE}\n".encode(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    paths = [tmp_path / name for name in files]
    made = run("redact", *paths, "-o", tmp_path / "out", "--keep", tmp_path / "map")
    assert (made.code, "1 pictures" in made.err) == (0, True)
    done = {name: (tmp_path / "out" / name).read_bytes() for name in files}
    assert not any(holds(data, [*VALUES, "1000001234"]) for data in done.values())
    name = done["d.txt"].decode().partition("님")[0]
    assert name.encode() in parts_of(done["a.docx"])["word/document.xml"]
    assert name in str(email.message_from_bytes(done["c.eml"], policy=email.policy.default)["From"])
    said = run(
        "restore",
        *(tmp_path / "out" / name for name in files),
        "-o",
        tmp_path / "back",
        "--mapping",
        tmp_path / "map",
        "--json",
    )
    assert (said.code, said.text.count('"unresolved": []')) == (0, 4)
    back = {name: (tmp_path / "back" / name).read_bytes() for name in files}
    assert (back["c.eml"], back["d.txt"]) == (files["c.eml"], files["d.txt"])
    for archived, part in [
        ("a.docx", "word/document.xml"),
        ("a.docx", "word/_rels/footnotes.xml.rels"),
        ("b.xlsx", "xl/worksheets/sheet1.xml"),
    ]:
        again, before = tree_of(back[archived], part), tree_of(files[archived], part)
        assert ["".join(again.itertext()), *map(dict, map(attributes, again))] == [
            "".join(before.itertext()),
            *map(dict, map(attributes, before)),
        ]
    other = run("redact", tmp_path / "a.docx", "-o", tmp_path / "x.docx", "--keep", tmp_path / "other")
    assert other.code == 0
    left = run("restore", tmp_path / "x.docx", "-o", tmp_path / "y.docx", "--mapping", tmp_path / "map")
    assert (left.code, "unknown to this mapping" in left.err) == (1, True)


def attributes(element: Any) -> dict[str, str]:
    """The attributes of an element, but for how blanks are kept."""
    return {name: value for name, value in element.attrib.items() if not name.endswith("}space")}


def test_a_document_comes_back_from_another_process(tmp_path: Path) -> None:
    """With a namespace written otherwise, and comments of the archive left out."""
    data = word(BODY)
    done, back, _ = there_and_back(tmp_path / "a.docx", data)
    with zipfile.ZipFile(io.BytesIO(done)) as file:
        assert file.comment == b""
    assert W.encode() in parts_of(back)["word/document.xml"]


@pytest.mark.parametrize(("name", "library"), [("a.docx", "lxml"), ("a.pdf", "pypdfium2")])
def test_what_has_to_be_installed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, library: str
) -> None:
    """In an installation without the extra."""
    monkeypatch.setitem(sys.modules, library, None)
    path = tmp_path / name
    path.write_bytes(pdf("x") if name.endswith("pdf") else word(BODY))
    with pytest.raises(ConfigError, match="documents"):
        work_on(path, tmp_path / "out.txt", SETTINGS)


def test_detection_that_fails_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes out, and the error is the detector's."""
    path = tmp_path / "a.docx"
    path.write_bytes(word(p(r(STUMBLING_BLOCK))))
    monkeypatch.setattr(type(SETTINGS), "guard", lambda self: finder())
    with pytest.raises(DetectionError):
        work_on(path, tmp_path / "b.docx", SETTINGS)
    assert os.listdir(tmp_path) == ["a.docx"]
