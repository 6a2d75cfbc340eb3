"""Checkpoints and the files they are kept in, as text: C2SP tlog-checkpoint. Who signed them is not looked at here.

A file of notes has an empty line behind each, so that what lies between two pairs of line feeds is, in turn, a text and its
signatures; a note that was torn when it was written has none behind it.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from sovguard.errors import LedgerError
from sovguard.ledger.tree import EMPTY

_NUMBER = re.compile("0|[1-9][0-9]{0,18}")
_WRITER = re.compile("[0-9a-f]{16}")
_LEDGER = re.compile("[0-9a-f]{32}")
_HEAD = "sovguard ledger 1"
MERGED = "merged"
_ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a log had come.

    Attributes:
        origin: Which log.
        size: How many records it had.
        root: The root of the tree over them.
        extensions: Further lines.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def is_last(self) -> bool:
        """Whether it ends its log: nothing may stand behind it."""
        return _ENDED in self.extensions

    @property
    def head(self) -> Checkpoint:
        """The same without further lines."""
        return Checkpoint(self.origin, self.size, self.root)

    def ended(self) -> Checkpoint:
        """Return it as the last of its log."""
        return Checkpoint(self.origin, self.size, self.root, (_ENDED,))

    @property
    def body(self) -> str:
        """Its text as it is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, body: str) -> Checkpoint:
        """Return the checkpoint that a signed text is.

        Raises:
            LedgerError: It is none.
        """
        lines = body.split("\n")
        if len(lines) >= 4 and not lines[-1] and all(lines[:-1]) and _NUMBER.fullmatch(lines[1]):
            try:
                root = base64.b64decode(lines[2], validate=True)
            except ValueError:
                root = b""
            found = cls(lines[0], int(lines[1]), root, tuple(lines[3:-1]))
            if len(root) == len(EMPTY) and found.body == body:
                return found
        raise LedgerError("this is no checkpoint: use a note as 'sovguard ledger checkpoint' prints it")


@dataclass(frozen=True, slots=True)
class Identity:
    """Which ledger: the name of its key and a random id.

    Attributes:
        name: The name of its key.
        ledger_id: 32 hexadecimal digits.
    """

    name: str
    ledger_id: str

    @property
    def text(self) -> str:
        """What is signed when a ledger is made."""
        return f"{_HEAD}\n{self.name}/{self.ledger_id}\n"

    @classmethod
    def parse(cls, text: str) -> Identity:
        """Return the identity that the first note of a ledger says.

        Raises:
            LedgerError: It says none.
        """
        head, _, rest = text.partition("\n")
        name, slash, ledger_id = rest.removesuffix("\n").rpartition("/")
        found = cls(name, ledger_id)
        if head != _HEAD or not slash or not _LEDGER.fullmatch(ledger_id) or found.text != text:
            raise LedgerError(
                "the ledger does not say which one it is, or is of another version: put its file 'ledger' back"
            )
        return found

    def origin(self, log: str) -> str:
        """Return the origin of a log of this ledger, or of its merged notes."""
        return f"{self.name}/{self.ledger_id}/{log}"

    def log(self, origin: str) -> str | None:
        """Return which log of this ledger an origin names; ``None`` if it is none of it."""
        head, _, log = origin.rpartition("/")
        known = head == f"{self.name}/{self.ledger_id}" and (log == MERGED or _WRITER.fullmatch(log))
        return log if known else None


def is_writer(name: str) -> bool:
    """Tell whether this can be the id of a writer."""
    return _WRITER.fullmatch(name) is not None


def split_notes(content: bytes) -> tuple[list[bytes], int]:
    """Return the notes in the content of a file, and how many octets of it are whole notes.

    The last one is none if a part of it never reached the disk, and reads as zeros.
    """
    pieces = content.split(b"\n\n")
    whole = (len(pieces) - 1) // 2
    notes = [pieces[2 * each] + b"\n\n" + pieces[2 * each + 1] + b"\n" for each in range(whole)]
    if notes and b"\0" in notes[-1]:
        notes.pop()
    return notes, sum(len(note) + 1 for note in notes)
