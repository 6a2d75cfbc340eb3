"""Whether a ledger is still what was written, told by whoever has the public verifier string and reads the store.

What is found is named: the log, the first record in it that is not what it was, and why. What nobody can see from the ledger
alone (an older copy of all of it, a log deleted together with every note that names it) shows with notes kept elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sovguard.errors import ConfigError, LedgerError
from sovguard.ledger.merged import Merged
from sovguard.ledger.notes import MERGED, Checkpoint, Identity
from sovguard.ledger.signing import Verifier
from sovguard.ledger.stores import State, Store, open_store
from sovguard.ledger.walking import Walk, walk

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not what was written.

    Attributes:
        writer: In which log; ``None`` if it is about the ledger or a kept note.
        number: The first record that is not what it was; ``None`` if it is about something else than a record.
        what: What is wrong.
    """

    writer: str | None
    number: int | None
    what: str

    def __str__(self) -> str:
        where = "the ledger" if self.writer is None else f"log {self.writer}"
        return f"{where}{'' if self.number is None else f', record {self.number}'}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found.

    Attributes:
        records: How many records were read and are what they have to be.
        writers: How many logs there are.
        checkpoints: How many checkpoints were read and fit.
        merged: How many merged notes.
        unsigned: How many of the records stand behind the last checkpoint of their log, so that nothing vouches for them yet.
        torn_octets: Octets behind the last record of logs that were left behind and not recovered yet, as after a power cut.
        bad: What is wrong; of each log its first bad record.
    """

    records: int = 0
    writers: int = 0
    checkpoints: int = 0
    merged: int = 0
    unsigned: int = 0
    torn_octets: int = 0
    bad: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.bad


def verify(
    address: str, verifier: str, *, kept: Sequence[str] = (), progress: Progress | None = None
) -> Verification:
    """Look for changes in a ledger, without its key and without writing to it.

    Args:
        address: As for ``open_ledger``.
        verifier: What ``LedgerKey.verifier`` says.
        kept: Notes that were kept elsewhere: checkpoints of logs, or merged ones.
        progress: Is told how many octets were read, and of how many.

    Raises:
        ConfigError: There is no ledger, or the verifier is none.
        LedgerError: The store cannot be read.
    """
    public = Verifier(verifier)
    store = open_store(address)
    try:
        return verify_store(store, public, kept=kept, progress=progress)
    finally:
        store.close()


def verify_store(
    store: Store, verifier: Verifier, *, kept: Sequence[str] = (), progress: Progress | None = None
) -> Verification:
    """Look for changes in what a store holds, as ``verify`` does."""
    note = store.identity()
    if note is None:
        raise ConfigError("there is no ledger at this address; make one with 'sovguard ledger init'")
    try:
        identity = Identity.parse(verifier.open(note))
    except LedgerError as error:
        return Verification(bad=(Problem(None, None, f"what identifies the ledger is wrong: {error}"),))
    return _Verifying(store, verifier, identity, progress).run(kept)


class _Verifying:
    """One run; notes are read before the lines that they speak of, so a ledger may be written meanwhile."""

    def __init__(
        self, store: Store, verifier: Verifier, identity: Identity, progress: Progress | None
    ) -> None:
        self._store, self._verifier, self._identity = store, verifier, identity
        self._progress = progress
        self._bad: list[Problem] = []
        # Of each log: the roots that somebody says it had, by size.
        self._marks = defaultdict[str, dict[int, list[tuple[bytes | None, str]]]](dict)
        self._merged: list[tuple[Merged, str]] = []
        self._covered: dict[str, int] = {}
        self._states: dict[str, State] = {}
        self._ended: set[str] = set()

    def run(self, kept: Sequence[str]) -> Verification:
        for position, note in enumerate(kept, 1):
            self._read_kept(note, "the kept note" if len(kept) == 1 else f"the kept note {position}")
        merged = self._read_merged()
        writers = self._store.writers()
        points = sum(self._read_checkpoints(writer) for writer in writers)
        self._name_missing(writers)
        total = sum(map(self._store.octets, writers)) if self._progress else 0
        records = unsigned = torn = before = 0
        walks = {}
        for writer in writers:
            found, octets = self._walk(writer, before, total)
            walks[writer] = found
            before += octets
            records += found.records
            if self._fits(writer, found, octets):
                unsigned += max(0, found.records - self._covered[writer])
                torn += max(0, octets - found.octets)
        self._check_merged(walks)
        self._check_marks(writers)
        order = {writer: place for place, writer in enumerate(writers, 1)}
        bad = sorted(self._bad, key=lambda each: (order.get(each.writer or "", 0), each.number is None))
        return Verification(records, len(writers), points, merged, unsigned, torn, tuple(bad))

    def _complain(self, writer: str | None, number: int | None, what: str) -> None:
        self._bad.append(Problem(writer, number, what))

    def _mark(self, writer: str, size: int, root: bytes | None, who: str) -> None:
        self._marks[writer].setdefault(size, []).append((root, who))

    def _read_kept(self, note: str, who: str) -> None:
        # Copied and mailed notes come with other line ends, and without their last one.
        said = note.replace("\r\n", "\n").strip() + "\n"
        try:
            point = Checkpoint.parse(self._verifier.open(said))
            log = self._identity.log(point.origin)
            if log is None:
                self._complain(
                    None,
                    None,
                    f"{who} is of another ledger: this one was put in its place, or the note is not about it",
                )
            elif log == MERGED:
                self._add_merged(Merged.parse(point.body, self._identity), who)
            else:
                self._mark(log, point.size, point.root, who)
        except LedgerError as error:
            self._complain(None, None, f"{who}: {error}")

    def _add_merged(self, merged: Merged, who: str) -> None:
        self._merged.append((merged, who))
        for writer, size in merged.sizes.items():
            self._mark(writer, size, None, who)

    def _read_merged(self) -> int:
        count, before = 0, Merged({}, b"")
        for position, note in enumerate(self._store.merged(), 1):
            who = f"merged note {position}"
            try:
                merged = Merged.parse(self._verifier.open(note), self._identity)
            except LedgerError as error:
                self._complain(None, None, f"{who}: {error}")
                continue
            if any(merged.sizes.get(writer, -1) < size for writer, size in before.sizes.items()):
                self._complain(
                    None, None, f"{who} goes back behind the one before it: their order was changed"
                )
            self._add_merged(merged, who)
            count, before = count + 1, merged
        return count

    def _read_checkpoints(self, writer: str) -> int:
        """Note what the checkpoints of a log say; return how many there are that can be believed."""
        origin, last, count = self._identity.origin(writer), 0, 0
        self._states[writer] = self._store.state(
            writer
        )  # before its checkpoints are read: it may be ended meanwhile
        for position, note in enumerate(self._store.notes(writer), 1):
            who = f"checkpoint {position}"
            try:
                point = Checkpoint.parse(self._verifier.open(note))
            except LedgerError as error:
                self._complain(writer, None, f"{who}, the one behind that of {last} records: {error}")
                continue
            if point.origin != origin:
                self._complain(writer, None, f"{who} is of another log or ledger: it was copied here")
            elif writer in self._ended:
                self._complain(
                    writer, None, f"{who} stands behind the signed end of the log: it was put in here"
                )
            elif point.size < last or (point.size == last and not (last and point.is_last)):
                self._complain(
                    writer, None, f"{who} goes back from {last} records to {point.size}: it was put in here"
                )
            else:
                self._mark(writer, point.size, point.root, f"{who} of {point.size} records")
                last, count = point.size, count + 1
                if point.is_last:
                    self._ended.add(writer)
        self._covered[writer] = last
        return count

    def _name_missing(self, writers: Sequence[str]) -> None:
        there = frozenset(writers)
        for writer, marks in self._marks.items():
            size = max(marks, default=0)
            who = marks[size][0][1] if size else "a note"
            if writer not in there:
                self._complain(writer, None, f"the whole log is gone: {who} says that it had {size} records")
            elif size > self._covered[writer]:
                # Behind the last checkpoint there could be anything, if these records did not have another witness.
                self._complain(
                    writer, None, f"its checkpoint of {size} records is gone, which {who} speaks of"
                )

    def _walk(self, writer: str, before: int, total: int) -> tuple[Walk, int]:
        progress = self._progress
        octets = self._store.octets(writer)
        found = walk(
            lambda: self._store.lines(writer),
            self._identity.origin(writer),
            self._marks[writer],
            *([lambda done: progress(before + done, total)] if progress else []),
        )
        if progress:
            progress(before + octets, total)
        return found, octets

    def _fits(self, writer: str, found: Walk, octets: int) -> bool:
        """Complain of what a log holds that it cannot; return whether there is nothing."""
        covered, fault = self._covered[writer], found.fault
        living = writer not in self._ended and self._states[writer] == "open"
        if fault is not None and not (living and fault.unreadable and found.records >= covered):
            self._complain(writer, fault.number, fault.what)
        elif living:
            return True
        elif found.records > covered:
            why = (
                "they stand behind its signed end and were put in"
                if writer in self._ended
                else "its last checkpoint is gone, or they were put in"
            )
            self._complain(
                writer, None, f"it was ended, and the records from {covered} on are not signed: {why}"
            )
        elif octets > found.octets:
            self._complain(
                writer, None, f"octets that are no record were put behind its {found.records} records"
            )
        else:
            return True
        return False

    def _check_marks(self, writers: Sequence[str]) -> None:
        """Complain of logs whose marks say what nothing else does."""
        named = {each.writer for each in self._bad}
        for writer in writers:
            state = self._states[writer]
            if writer in named or state == "open" or (state == "ended" and writer in self._ended):
                continue
            if state == "ended":
                what = "it is marked as ended, and no checkpoint says so: its last one is gone, or the mark was put in"
            else:
                what = (
                    "it is marked as damaged, and is not: the mark was put in, or what was wrong was put right and the mark "
                    "can be deleted"
                )
            self._complain(writer, None, what)

    def _check_merged(self, walks: Mapping[str, Walk]) -> None:
        for merged, who in self._merged:
            bodies = {
                writer: Checkpoint(self._identity.origin(writer), size, walks[writer].roots[size]).body
                for writer, size in merged.sizes.items()
                if writer in walks and size in walks[writer].roots
            }
            # Where a log is gone or cut, or wrong before that size, that has been said.
            if len(bodies) == len(merged.sizes) and not merged.fits(bodies):
                named = self._first_rewritten(merged, walks)
                self._complain(named, None, f"{who} was made of other records than there are")

    def _first_rewritten(self, merged: Merged, walks: Mapping[str, Walk]) -> str | None:
        """Return the log that no checkpoint of its own confirms at the merged size, if there is one alone."""
        alone = [
            writer
            for writer, size in merged.sizes.items()
            if not any(root is not None for root, _ in self._marks[writer][size])
        ]
        return alone[0] if len(alone) == 1 else None
