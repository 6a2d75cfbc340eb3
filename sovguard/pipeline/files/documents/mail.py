"""E-mail (EML, RFC 5322 and MIME): headers, bodies, and attachments that can be read, each put back in the way it came.

Whoever stands in a header of addresses is somebody, whatever detection says. A message that is encrypted is not worked on.
"""

from __future__ import annotations

import base64
import email
import io
import quopri
from collections.abc import Callable, Iterator
from email import policy
from email.generator import BytesGenerator
from email.message import Message
from email.utils import getaddresses
from typing import Any

from sovguard.entities import Detection, Evidence
from sovguard.errors import InputError
from sovguard.pipeline.files.documents.mail_headers import Header, said
from sovguard.pipeline.files.documents.office import Package
from sovguard.pipeline.files.documents.passages import Line, Passage
from sovguard.pipeline.files.documents.pictures import Unread
from sovguard.pipeline.files.documents.web import Page

_ADDRESSES = frozenset(
    {"from", "to", "cc", "bcc", "reply-to", "sender", "resent-from", "resent-to", "resent-cc", "resent-bcc", "resent-sender",
     "return-path", "delivered-to", "x-original-to", "errors-to", "disposition-notification-to"}
)  # fmt: skip
_STRUCTURE = frozenset({"mime-version", "content-transfer-encoding", "content-type", "content-disposition"})
_SEALED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
_OLD = {
    "ks_c_5601-1987": "cp949",
    "ks_c_5601-1989": "cp949",
    "euc-kr": "cp949",
    "ksc5601": "cp949",
    "iso-2022-kr": "iso2022_kr",
}
_FIELD = Evidence("field")


class Mail:
    """A message, opened.

    Args:
        data: Its octets.
        unread: What becomes of attachments that cannot be read.
        number: As for ``Package``.

    Raises:
        InputError: It is encrypted, or something in it cannot be read.
    """

    def __init__(
        self, data: bytes, unread: Unread, number: Callable[[str], str | None] | None = None
    ) -> None:
        self._ends = "\r\n" if b"\r\n" in data[: 1 << 16] else "\n"
        self._policy = policy.compat32.clone(linesep=self._ends, max_line_length=0)
        self._message = email.message_from_bytes(data, policy=self._policy)
        if not self._message.keys():
            raise InputError("it has no headers, and so is no e-mail")
        self._unread, self._number = unread, number
        self._restores = number is not None
        self._finish: list[Callable[[], None]] = []
        self._within: list[Package] = []

    def __repr__(self) -> str:
        return "Mail()"

    def parts(self) -> Iterator[list[Line]]:
        """Yield what is read, part by part.

        Raises:
            InputError: Something in it cannot be read.
        """
        for part in self._message.walk():
            yield [
                self._header(part, place) for place in range(len(part.keys())) if self._is_read(part, place)
            ]
            name = part.get_filename()
            if name:
                yield [["첨부: ", Passage([_FileName(part)])]]
            for where in ("preamble", "epilogue"):
                if (getattr(part, where) or "").strip():
                    yield [[Passage([_Around(part, where)])]]
            if part.get_content_type() in _SEALED:
                raise InputError("it is encrypted: save it decrypted")
            if not part.is_multipart():
                yield from self._body(part)

    def contents(self) -> Iterator[tuple[str, bytes, bool]]:
        """Yield its parts as they are now, after ``packed``: name, octets, whether they are text."""
        for part in self._message.walk():
            headers = "\n".join(said(str(raw)) for _, raw in part._headers)  # type: ignore[attr-defined]
            yield "headers", headers.encode("utf-8", "surrogateescape"), True
            if not part.is_multipart():
                yield "body", _payload(part), part.get_content_maintype() == "text"
        for package in self._within:
            yield from package.contents()

    def packed(self) -> bytes:
        """Return its octets as it is now."""
        for step in self._finish:
            step()
        out = io.BytesIO()
        BytesGenerator(out, mangle_from_=False, maxheaderlen=0, policy=self._policy).flatten(
            self._message, unixfrom=bool(self._message.get_unixfrom())
        )
        return out.getvalue()

    def _is_read(self, part: Message, place: int) -> bool:
        return part.keys()[place].lower() not in _STRUCTURE

    def _header(self, part: Message, place: int) -> Line:
        name = part.keys()[place]
        passage = Passage(Header(part, place).slots)
        if name.lower() in _ADDRESSES and not self._restores:
            self._people(passage)
        return [f"{name}: ", passage]

    def _people(self, passage: Passage) -> None:
        at = 0
        for shown, address in getaddresses([passage.text]):
            for value, kind in ((shown, "PERSON"), (address, "EMAIL_ADDRESS")):
                start = passage.text.find(value, at) if value else -1
                if start >= 0:
                    passage.hits.append(Detection(kind, start, start + len(value), 1.0, "field", _FIELD))
                    at = start + len(value)
                elif value:  # written in a way that is read otherwise: all of the header is somebody
                    passage.is_a = "PERSON"
        if passage.is_a is not None:
            passage.hits = [Detection("PERSON", 0, len(passage.text), 1.0, "field", _FIELD)]

    def _body(self, part: Message) -> Iterator[list[Line]]:
        data = _payload(part)
        kind = part.get_content_type()
        if part.get_content_maintype() == "text":
            codec = _codec(part, data)
            text = data.decode(codec)
            if kind == "text/html" and text.strip():
                page = Page(text, self._unread)
                lines = page.lines()
                passages = [each for line in lines for each in line if isinstance(each, Passage)]
                yield lines
                self._finish.append(
                    lambda: (
                        _put(part, self._ends, page.source().encode(codec, "xmlcharrefreplace"))
                        if any(each.has_changed for each in passages) or not self._unread.kept
                        else None
                    )
                )
            elif text:
                body = _Body(part, self._ends, codec, text)
                yield [[Passage([body])]]
        elif data.startswith(b"PK\x03\x04"):
            package = Package(data, self._unread, self._number, depth=1)
            self._within.append(package)
            yield from package.parts()
            self._finish.append(lambda: _put(part, self._ends, package.packed()))
        elif data:
            made = self._unread.outcome(part.get_filename() or "", data)
            if not self._unread.kept and not self._restores:
                _put(part, self._ends, made)


class _Envelope:
    """The line before a message in a mailbox, which says from whom it is."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def read(self) -> str:
        return str(self._message.get_unixfrom())

    def write(self, text: str) -> None:
        self._message.set_unixfrom(text)


class _FileName:
    """The name of an attachment, wherever it is said."""

    def __init__(self, part: Message) -> None:
        self._part = part

    def read(self) -> str:
        return said(self._part.get_filename() or "")

    def write(self, text: str) -> None:
        charset = None if text.isascii() else "utf-8"
        for header, parameter in (("Content-Disposition", "filename"), ("Content-Type", "name")):
            if self._part.get_param(parameter, header=header) is not None:
                self._part.del_param(parameter, header=header)
                self._part.set_param(parameter, text, header=header, charset=charset or "", replace=True)


class _Around:
    """What stands before the first part of a message or behind the last."""

    def __init__(self, part: Message, where: str) -> None:
        self._part, self._where = part, where

    def read(self) -> str:
        return str(getattr(self._part, self._where))

    def write(self, text: str) -> None:
        setattr(self._part, self._where, text)


class _Body:
    """A body that is plain text."""

    def __init__(self, part: Message, ends: str, codec: str, text: str) -> None:
        self._part, self._ends, self._codec, self._text = part, ends, codec, text

    def read(self) -> str:
        return self._text

    def write(self, text: str) -> None:
        try:
            octets = text.encode(self._codec)
        except UnicodeEncodeError:
            octets = text.encode("utf-8", "surrogatepass")
            if self._part.get_param("charset") is not None:
                self._part.set_param("charset", "utf-8")
        _put(self._part, self._ends, octets)
        self._text = text


def _name_anew(part: Message) -> None:
    """Write the name of an attachment as the standard says that stands there in octets of some encoding."""
    raw = [
        place
        for place, (name, value) in enumerate(part._headers)  # type: ignore[attr-defined]
        if name.lower() in ("content-disposition", "content-type") and not str(value).isascii()
    ]
    for place in raw:
        name, value = part._headers[place]  # type: ignore[attr-defined]
        part._headers[place] = (name, said(str(value)))  # type: ignore[attr-defined]
    if raw:
        file = _FileName(part)
        file.write(file.read())


def _payload(part: Message) -> bytes:
    data: Any = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _codec(part: Message, data: bytes) -> str:
    named = (part.get_content_charset() or "").lower()
    for codec in dict.fromkeys((_OLD.get(named, named), "utf-8", "cp949")):
        try:
            if codec and data.decode(codec).encode(codec) == data:
                return codec
        except (LookupError, ValueError):  # the name of a codec may be anything
            continue
    raise InputError("a body of it is in an encoding that cannot be told")


def _put(part: Message, ends: str, data: bytes) -> None:
    """Put octets into a part, encoded for the way as those before; as base64 where that would change them."""
    way = str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower()
    lines = data.split(ends.encode())
    # What is written has one kind of line ends; others would not come through.
    if way != "base64" and not any(b"\n" in line or b"\r" in line for line in lines):
        if way == "quoted-printable":
            part.set_payload(ends.join(quopri.encodestring(line).decode("ascii") for line in lines))
        else:
            part.set_payload(data.decode("ascii", "surrogateescape"))
        if _payload(part) == data:
            return
    part.set_payload(base64.encodebytes(data).decode("ascii"))
    del part["Content-Transfer-Encoding"]
    part["Content-Transfer-Encoding"] = "base64"
