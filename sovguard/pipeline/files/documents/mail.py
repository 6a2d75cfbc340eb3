"""E-mail (EML, RFC 5322 and MIME): headers, bodies, and attachments that can be read, each put back in the way it came.

Whoever stands in a header of addresses is somebody, whatever detection says. A message that is encrypted is not worked on.
"""

from __future__ import annotations

import base64
import email
import io
import quopri
import re
from collections.abc import Callable, Iterator
from email import policy
from email.generator import BytesGenerator
from email.message import Message
from email.utils import collapse_rfc2231_value, getaddresses
from typing import Any

from sovguard.entities import Detection, Evidence
from sovguard.errors import InputError
from sovguard.pipeline.files.documents.mail_headers import Header, codecs_for, said
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
_WAYS = frozenset({"7bit", "8bit", "binary", "base64", "quoted-printable"})
_NAMED = ("Content-Disposition", "Content-Type")
_UUENCODED = re.compile("^begin [0-7]{3} [^\n]*\n.{1,61}\r?\n", re.MULTILINE)
_FOLDED = re.compile(rb"\n[ \t]")
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
        if self._message.get_unixfrom():
            yield [[Passage([_Around(self._message, "_unixfrom")])]]
        for part in self._message.walk():
            _check_ways(part)
            _name_anew(part)
            yield [
                self._header(part, place, name)
                for place, name in enumerate(part.keys())
                if name.lower() not in _STRUCTURE
            ]
            yield [["첨부: ", Passage([slot])] for slot in _parameters(part)]
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
            headers = "\n".join(f"{name}: {said(str(raw))}" for name, raw in part._headers)  # type: ignore[attr-defined]
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

    def _header(self, part: Message, place: int, name: str) -> Line:
        header = Header(part, place)
        self._finish.append(header.finish)
        passage = Passage(header.slots)
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
        if part.get_content_maintype() in ("multipart", "message"):
            raise InputError("it is damaged: parts that it speaks of are not there")
        if part.get_content_maintype() == "text" and not _is_packed_text(part, data):
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
                        if any(each.has_changed for each in passages) or page.has_blanked
                        else None
                    )
                )
            elif text:
                if _UUENCODED.search(text):
                    raise InputError("a body of it holds a file (uuencode) that is not read; save it without")
                yield [[Passage([_Body(part, self._ends, codec, text)])]]
        elif data.startswith(b"PK\x03\x04"):
            package = Package(data, self._unread, self._number, depth=1)
            self._within.append(package)
            yield from package.parts()
            self._finish.append(lambda: _put(part, self._ends, package.packed()))
        elif data:
            made = self._unread.outcome(part.get_filename() or "", data)
            if not self._unread.kept and not self._restores:
                _put(part, self._ends, made)


class _Parameter:
    """A parameter of a header that says what a part is: the name of an attachment."""

    def __init__(self, part: Message, header: str, name: str) -> None:
        self._part, self._header, self._name = part, header, name

    def read(self) -> str:
        value = self._part.get_param(self._name, header=self._header)
        return said(collapse_rfc2231_value(value)) if value is not None else ""

    def write(self, text: str) -> None:
        charset = None if text.isascii() else "utf-8"
        self._part.del_param(self._name, header=self._header)
        self._part.set_param(self._name, text, header=self._header, charset=charset or "")


class _Around:
    """What stands before a message in a mailbox, before its first part or behind the last, in octets of some encoding."""

    def __init__(self, part: Message, where: str) -> None:
        self._part, self._where = part, where
        self._codec = "utf-8"

    def read(self) -> str:
        octets = str(getattr(self._part, self._where)).encode("utf-8", "surrogateescape")
        for codec in codecs_for("utf-8", octets):
            try:
                self._codec = codec
                return octets.decode(codec)
            except UnicodeDecodeError:
                continue
        raise InputError("what stands around its parts is in an encoding that cannot be told")

    def write(self, text: str) -> None:
        codec = self._codec if self._codec == "cp949" else "utf-8"
        setattr(self._part, self._where, text.encode(codec, "replace").decode("ascii", "surrogateescape"))


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


def _check_ways(part: Message) -> None:
    """Return if there is one way in which a part was encoded for the way, and one that is known."""
    ways = [str(way).strip().lower() for way in part.get_all("Content-Transfer-Encoding", ["7bit"])]
    packed = part.get_content_maintype() in ("message", "multipart") and ways[0] in (
        "base64",
        "quoted-printable",
    )
    if len(ways) > 1 or ways[0] not in _WAYS or packed:
        raise InputError("a part of it is encoded in a way that is not read (Content-Transfer-Encoding)")


def _name_anew(part: Message) -> None:
    """Write what is said of a part once, as the standard says, where it stands in several ways or in raw octets.

    Raises:
        InputError: It cannot be written so.
    """
    raw = [
        place
        for place, (name, value) in enumerate(part._headers)  # type: ignore[attr-defined]
        if name.title() in _NAMED and not str(value).isascii()
    ]
    for place in raw:
        name, value = part._headers[place]  # type: ignore[attr-defined]
        part._headers[place] = (name, said(str(value)))  # type: ignore[attr-defined]
    for header in _NAMED:
        names = [name.lower() for name, _ in part.get_params([], header=header)][1:]
        for name in {each for each in names if raw or names.count(each) > 1} - {"boundary"}:
            values = [value for each, value in part.get_params([], header=header) if each.lower() == name]
            _Parameter(part, header, name).write(said(collapse_rfc2231_value(values[-1])))
        if not str(part.get(header, "")).isascii():
            raise InputError("it is damaged: a header that says what a part is has raw octets")


def _parameters(part: Message) -> Iterator[_Parameter]:
    """Yield what is said of a part besides its type, as far as it may say something of somebody."""
    for header in _NAMED:
        for place, (name, value) in enumerate(part.get_params([], header=header)):
            if place and value and name.lower() not in ("charset", "boundary"):
                yield _Parameter(part, header, name)


def _is_packed_text(part: Message, data: bytes) -> bool:
    """Tell whether a text is written in a way in which nothing can be read: RTF, cards with encoded or folded lines."""
    kind = part.get_content_type()
    return kind in ("text/rtf", "text/richtext") or (
        kind in ("text/calendar", "text/vcard", "text/x-vcard", "text/directory")
        and (b"QUOTED-PRINTABLE" in data.upper() or _FOLDED.search(data) is not None)
    )


def _payload(part: Message) -> bytes:
    data: Any = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _codec(part: Message, data: bytes) -> str:
    named = (part.get_content_charset() or "").lower()
    for codec in codecs_for(named, data):
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
