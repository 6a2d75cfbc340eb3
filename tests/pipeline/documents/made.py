"""Documents made for tests, and what is asked of each: no value in any of its octets, and all of its text again afterwards."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lxml import etree

from sovguard.pipeline.files.documents import work_on
from sovguard.pipeline.files.job import Report
from sovguard.pipeline.files.settings import Settings
from tests.pipeline.places import KEY, SCOPE

NAME, OTHER, THIRD = "홍길동", "김나래", "박다솜"
PHONE, SECOND_PHONE, EMAIL = "010-0000-1234", "010-0000-5678", "gildong@hanbit.example"
RRN, ACCOUNT = "350101-3000015", "110-000-000017"
VALUES = (NAME, OTHER, THIRD, PHONE, SECOND_PHONE, EMAIL, RRN, ACCOUNT)
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
HP = "http://www.hancom.co.kr/hwpml/2011/paragraph"
SETTINGS = Settings(key=KEY, scope=SCOPE)
BACK = Settings(key=KEY, scope=SCOPE, restores=True)


def archive(parts: dict[str, str | bytes], *, stored: Iterable[str] = ()) -> bytes:
    """Return an archive of parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            kind = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            file.writestr(name, data, compress_type=kind)
    return out.getvalue()


def word(body: str, **parts: str | bytes) -> bytes:
    """Return a Word document with a body; further parts by their names, with ``__`` for a slash."""
    named = {name.replace("__", "/").replace("_DOT_", "."): data for name, data in parts.items()}
    relations = "".join(
        f'<Relationship Id="r{at}" Type="{OFFICE}/relationships/other" Target="{name.removeprefix("word/")}"/>'
        for at, name in enumerate(named)
        if name.startswith("word/") and "/" not in name.removeprefix("word/")
    )
    return archive(
        {
            "[Content_Types].xml": f'<Types xmlns="{TYPES}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
            'package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml"'
            ' ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" Type="{OFFICE}/relationships/officeDocument"'
            ' Target="word/document.xml"/></Relationships>',
            "word/document.xml": f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>',
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{RELATIONS}">{relations}</Relationships>',
            **named,
        }
    )


def hangul(section: str, **parts: str | bytes) -> bytes:
    """Return a Hangul document with a section; further parts by their names, with ``__`` for a slash."""
    named = {name.replace("__", "/").replace("_DOT_", "."): data for name, data in parts.items()}
    return archive(
        {
            "mimetype": "application/hwp+zip",
            "version.xml": '<hv:HCFVersion xmlns:hv="http://www.hancom.co.kr/hwpml/2011/version" major="5"/>',
            "Contents/section0.xml": f'<hs:sec xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section" xmlns:hp="{HP}">{section}</hs:sec>',
            "META-INF/manifest.xml": '<odf:manifest xmlns:odf="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
            **named,
        },
        stored=["mimetype"],
    )


def parts_of(data: bytes) -> dict[str, bytes]:
    """Return what is in an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def tree_of(data: bytes, part: str) -> Any:
    """Return the root of a part."""
    return etree.fromstring(parts_of(data)[part])


def texts_of(data: bytes, part: str) -> list[str]:
    """Return the text of each paragraph of a part, run by run joined."""
    return [
        "".join(paragraph.itertext())
        for paragraph in tree_of(data, part).iter()
        if isinstance(paragraph.tag, str) and paragraph.tag.endswith("}p")
    ]


def octets_of(data: bytes) -> bytes:
    """Return all that a document is: its own octets, and those of everything that is packed in it."""
    if not data.startswith(b"PK\x03\x04"):
        return data
    parts = parts_of(data)
    return b"\0".join([data, *(name.encode() for name in parts), *map(octets_of, parts.values())])


def holds(data: bytes, values: Iterable[str] = VALUES) -> list[str]:
    """Return which of the values stand in the octets of a document, in any of the ways they may be written."""
    octets = octets_of(data)
    return [
        value
        for value in values
        if any(
            written in octets
            for codec in ("utf-8", "utf-16-le", "utf-16-be", "cp949")
            for written in (value.encode(codec), value.encode("ascii", "xmlcharrefreplace"))
        )
    ]


def there_and_back(path: Path, data: bytes) -> tuple[bytes, bytes, Report]:
    """Redact and restore a document; return both outcomes, and what was said of the first."""
    path.write_bytes(data)
    done, back = path.with_name(f"done-{path.name}"), path.with_name(f"back-{path.name}")
    report = work_on(path, done, SETTINGS)
    assert work_on(done, back, BACK).unresolved == 0
    return done.read_bytes(), back.read_bytes(), report
