from __future__ import annotations

import email
import email.policy
import io
from email.message import EmailMessage
from pathlib import Path

import openpyxl
import pytest

from sovguard.errors import InputError
from sovguard.pipeline.files.documents import work_on
from sovguard.pipeline.files.settings import Settings
from tests.pipeline.documents.made import (
    ACCOUNT,
    EMAIL,
    NAME,
    OTHER,
    PHONE,
    RRN,
    SECOND_PHONE,
    SETTINGS,
    THIRD,
    VALUES,
    holds,
    there_and_back,
)


def parsed(data: bytes) -> EmailMessage:
    """A message as the standard library reads it."""
    return email.message_from_bytes(data, policy=email.policy.default)  # type: ignore[return-value]


def told(data: bytes) -> list[object]:
    """All that a message tells, decoded: headers, names of attachments, bodies."""
    texts: list[object] = []
    for part in parsed(data).walk():
        texts += [(name, str(value)) for name, value in part.items() if not name.startswith("Content-")]
        texts.append(part.get_filename())
        if not part.is_multipart():
            texts.append(
                part.get_content() if part.get_content_type() == "text/plain" else part.get_content_type()
            )
    return texts


def decoded(data: bytes) -> bytes:
    """All octets of a message: as they stand, and decoded."""
    parts = [part.get_payload(decode=True) or b"" for part in parsed(data).walk() if not part.is_multipart()]
    return b"\0".join([data, *parts, "\n".join(map(str, told(data))).encode("utf-8", "surrogateescape")])


def letter() -> EmailMessage:
    """A message as a client writes one."""
    message = EmailMessage()
    message["From"] = f"{NAME} <{EMAIL}>"
    message["To"] = f'{OTHER} <narae@mail.example>, "박, 다솜" <dasom@mail.example>'
    message["Subject"] = f"{NAME} 연락처 {PHONE} 그리고 아주 긴 제목이 이어져서 여러 줄로 접히게 됩니다"
    message["Message-ID"] = "<20261130.0001@hanbit.example>"
    message["X-Originating-IP"] = "[198.51.100.7]"
    message.set_content(f"안녕하세요 {NAME}입니다.\n{PHONE}로 연락 주세요.\n-- \n{THIRD} 대리\n")
    return message


def test_a_letter_goes_and_comes_back(tmp_path: Path) -> None:
    """Headers, bodies in two forms, attachments that can be read."""
    message = letter()
    message.add_alternative(
        f'<html><body><p>안녕하세요 <b>{NAME[0]}</b>{NAME[1:]}입니다. <a href="tel:{PHONE}" title="{SECOND_PHONE}">전화</a></p>'
        f"<table><tr><th>계좌번호</th><td>{ACCOUNT}</td></tr></table><!-- {RRN} --><style>p {{color: red}}</style>"
        '<img src="data:image/png;base64,QUJD"></body></html>',
        subtype="html",
    )
    book = openpyxl.Workbook()
    book.active.append(["성명", NAME])
    out = io.BytesIO()
    book.save(out)
    message.add_attachment(
        out.getvalue(),
        maintype="application",
        subtype="vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        filename=f"{OTHER}_이력서.xlsx",
    )
    message.add_attachment(
        f"성명,연락처\n{THIRD},{SECOND_PHONE}\n".encode("cp949"),
        maintype="text",
        subtype="csv",
        filename="a.csv",
    )
    before = message.as_bytes(policy=email.policy.SMTP)
    done, back, report = there_and_back(tmp_path / "a.eml", before)
    values = [*VALUES, "dasom@mail.example", "narae@mail.example", "198.51.100.7", "QUJD"]
    assert len(holds(decoded(before), values)) >= 9
    assert holds(decoded(done), values) == []
    assert told(back) == told(before)
    html = next(part.get_content() for part in parsed(back).walk() if part.get_content_type() == "text/html")
    assert f'<b>{NAME}</b>입니다. <a href="tel:{PHONE}" title="{SECOND_PHONE}">전화</a>' in html
    assert f"<!-- {RRN} -->" in html
    attached = next(part for part in parsed(back).walk() if (part.get_filename() or "").endswith("xlsx"))
    assert attached.get_filename() == f"{OTHER}_이력서.xlsx"
    rows = openpyxl.load_workbook(io.BytesIO(attached.get_payload(decode=True))).active.iter_rows(
        values_only=True
    )  # type: ignore[arg-type]
    assert list(rows) == [("성명", NAME)]
    assert report.values["EMAIL_ADDRESS"] >= 4


@pytest.mark.parametrize("way", ["base64", "quoted-printable", "8bit"])
@pytest.mark.parametrize("charset", ["utf-8", "ks_c_5601-1987", "euc-kr"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_way_of_writing_a_body(tmp_path: Path, way: str, charset: str, end: str) -> None:
    """Charsets of Korea and transfer encodings stay what they were, and so does the text."""
    import base64
    import quopri

    text = f"담당 {NAME} 과장 = {PHONE}{end}.{end}{end}From 홍{end}끝"
    octets = text.encode("cp949" if charset != "utf-8" else charset)
    printable = quopri.encodestring(octets.replace(b"\r\n", b"\n")).replace(b"\n", end.encode())
    body = {"base64": base64.encodebytes(octets), "quoted-printable": printable}.get(way, octets)
    head = f"From: a@mail.example{end}Subject: x{end}Content-Type: text/plain; charset={charset}{end}"
    before = f"{head}Content-Transfer-Encoding: {way}{end}{end}".encode() + body
    done, back, _ = there_and_back(tmp_path / "a.eml", before)
    assert holds(decoded(done), [NAME, PHONE]) == []
    first, again = (email.message_from_bytes(data) for data in (before, back))
    assert again.get_payload(decode=True) == first.get_payload(decode=True)
    assert again.get_content_charset() == charset
    assert again["Content-Transfer-Encoding"] == way


def test_raw_headers_and_odd_addresses(tmp_path: Path) -> None:
    """Headers in raw CP949 and UTF-8, several encoded words, groups, quotes within names."""
    before = (
        b"From: " + f"{NAME} <{EMAIL}>".encode("cp949") + b"\nTo: =?euc-kr?B?" + b"yKu1ubS1?= <a@mail.example>\n"
        b"Cc: \"\\\"" + OTHER.encode() + b"\\\" (nick)\" <b@mail.example>, undisclosed-recipients:;\n"
        b"Subject: =?utf-8?Q?=ED=99=8D?= =?utf-8?Q?=EA=B8=B8=EB=8F=99?= contract\n\n" + f"{NAME}\n".encode()
    )  # fmt: skip
    done, _, _ = there_and_back(tmp_path / "a.eml", before)
    assert holds(done, [NAME, OTHER, EMAIL, "a@mail.example", "b@mail.example"]) == []
    assert "PERSON~1" in str(parsed(done)["Subject"])


def test_attachments_that_cannot_be_read(tmp_path: Path) -> None:
    """Pictures are blanked, kept or refused; a message that is encrypted or in an unknown charset is refused."""
    message = letter()
    message.add_attachment(b"\x89PNG picture of a card", maintype="image", subtype="png", filename="card.png")
    path, done = tmp_path / "a.eml", tmp_path / "b.eml"
    path.write_bytes(message.as_bytes())
    report = work_on(path, done, SETTINGS)
    assert b"picture of a card" not in decoded(done.read_bytes())
    assert len(report.notes) == 1
    work_on(path, done, Settings(key=SETTINGS.key, scope=SETTINGS.scope, unread="keep"))
    assert b"picture of a card" in decoded(done.read_bytes())
    with pytest.raises(InputError, match="--unread"):
        work_on(path, done, Settings(key=SETTINGS.key, scope=SETTINGS.scope, unread="refuse"))
    for data, why in [
        (b"From: a\nContent-Type: application/pkcs7-mime\n\nabc", "encrypted"),
        (b"From: a\nContent-Type: text/plain\n\n\xff\xfe\xfd\x80", "encoding"),
        (b"\n\nno headers", "no e-mail"),
    ]:
        path.write_bytes(data)
        with pytest.raises(InputError, match=why):
            work_on(path, tmp_path / "c.eml", SETTINGS)
    assert not (tmp_path / "c.eml").exists()
