"""Zip archives that documents are: read with bounds, and written again in the same order."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass

from sovguard.errors import InputError

_ENTRIES = 20_000
_OCTETS = 1 << 30
_RATIO, _FREE = 1000, 64 << 20


@dataclass(slots=True, repr=False)
class Member:
    """One file of an archive.

    Attributes:
        name: Its name.
        data: Its octets, opened.
        stored: Whether it stands there without compression.
        date: When it was changed: year, month, day, hour, minute, second.
    """

    name: str
    data: bytes
    stored: bool
    date: tuple[int, int, int, int, int, int]

    def __repr__(self) -> str:
        return f"Member({len(self.data)} octets)"


def opened(data: bytes) -> list[Member]:
    """Return the files of an archive.

    Raises:
        InputError: It is damaged, encrypted, or opens to far too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            _check(infos, len(data))
            return [_member(archive, info) for info in infos if not info.is_dir()]
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        ValueError,
        OSError,
        OverflowError,
    ):
        raise InputError("it is damaged: the archive that it is cannot be opened") from None


def packed(members: list[Member]) -> bytes:
    """Return files as an archive; comments and extra fields of the one they come from are left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, max(member.date, (1980, 1, 1, 0, 0, 0)))
            info.compress_type = zipfile.ZIP_STORED if member.stored else zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            archive.writestr(info, member.data)
    return out.getvalue()


def _check(infos: list[zipfile.ZipInfo], size: int) -> None:
    if any(info.flag_bits & 1 for info in infos):
        raise InputError("it is encrypted: save it without a password")
    if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in infos):
        raise InputError(
            "its archive is compressed in a way that office programs do not use, and is not worked on"
        )
    if len(infos) > _ENTRIES or len({info.filename for info in infos}) < len(infos):
        raise InputError("its archive has too many files, or two of one name, and is not worked on")
    whole = sum(info.file_size for info in infos)
    if whole > _OCTETS or whole > max(_FREE, _RATIO * size):
        raise InputError(
            f"it opens to {whole >> 20:,} MiB, which is far too much for its size, and is not worked on"
        )


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    # What it says of its size may be wrong: no more is read than that, and what is behind it makes it damaged.
    with archive.open(info) as file:
        data = file.read(info.file_size)
        if len(data) != info.file_size or file.read(1):
            raise InputError("it is damaged: a file of its archive has another size than it says")
    return Member(info.filename, data, info.compress_type == zipfile.ZIP_STORED, info.date_time)
