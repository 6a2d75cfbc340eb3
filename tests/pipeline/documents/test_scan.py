"""`sovguard scan` on documents: what is found is what `redact` would replace, shown in the text that is read."""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from pathlib import Path

import docx
import openpyxl
import pytest

from tests.command import run
from tests.pipeline.documents.made import EMAIL, NAME, OTHER, PHONE, RRN, THIRD, word
from tests.pipeline.documents.test_hostile import pdf
from tests.pipeline.documents.test_word import contract, p, r


def table() -> bytes:
    """A workbook in which a string that two cells share is a name."""
    book = openpyxl.Workbook()
    for row in (["성명", "연락처"], [NAME, 1000001234], [NAME, 1000001235], ["합계", 2]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.docx", contract()), ("a.xlsx", table()), ("a.pdf", pdf(f"성명 {NAME}\n연락처 {PHONE}"))],
)
def test_what_is_found_is_what_would_be_replaced(tmp_path: Path, name: str, data: bytes) -> None:
    """Each type as often; offsets are of the text that is shown."""
    path = tmp_path / name
    path.write_bytes(data)
    plain, shown = run("scan", "--json", path), run("scan", "--json", "--show-values", path)
    assert plain.code == shown.code == 1
    assert not any(value in plain.out.decode() for value in (NAME, OTHER, THIRD, PHONE, EMAIL, RRN))
    found = json.loads(shown.out)["detections"]
    redacted = json.loads(
        run("redact", "--json", path, "-o", tmp_path / f"out-{name}{'.txt' * name.endswith('pdf')}").out
    )
    counted = Counter(hit["entity_type"] for hit in found)
    assert counted == redacted["counts"]
    assert {NAME, PHONE if name != "a.xlsx" else "1000001234"} <= {hit["value"] for hit in found}


def test_lines_name_where_and_why(tmp_path: Path) -> None:
    """As for texts; `--type` chooses, and a document without anything is told as that."""
    path = tmp_path / "a.docx"
    path.write_bytes(word(p(r(f"고객 {NAME}님")) + p(r(f"전화 {PHONE}"))))
    (line,) = run("scan", "--type", "PHONE_NUMBER", path).text.splitlines()
    assert line.split("\t")[1:4] == ["2", "4", "PHONE_NUMBER"]
    path.write_bytes(word(p(r("안녕하세요"))))
    assert (run("scan", path).code, run("scan", path).out) == (0, b"")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Pictures are counted; damage, old formats and text under another name are errors or texts, as they are for redact."""
    picture = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
    )
    document = docx.Document()
    document.add_picture(io.BytesIO(picture))
    document.save(str(tmp_path / "a.docx"))
    assert "1 pictures" in run("scan", tmp_path / "a.docx").err
    (tmp_path / "b.docx").write_bytes(b"PK\x03\x04 nothing")
    (tmp_path / "c.hwp").write_bytes(b"x")
    (tmp_path / "d.docx").write_text(f"전화 {PHONE}")
    for name, said in (("b.docx", "damaged"), ("c.hwp", "HWPX"), ("d.docx", "")):
        done = run("scan", tmp_path / name)
        assert (done.code, said in done.err, done.out) == (2, True, b"")
    assert run("scan", "--format", "text", tmp_path / "d.docx").code == 1
    piped = run("scan", "-", stdin=(tmp_path / "a.docx").read_bytes())
    assert (piped.code, "ending of its kind" in piped.err) == (2, True)
    fields = run("scan", "--field", "x", tmp_path / "a.docx")
    assert (fields.code, "as a whole" in fields.err) == (2, True)
