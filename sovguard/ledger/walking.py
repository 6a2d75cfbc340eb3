"""One log read from its beginning, against what was signed of it: the first record that is not what it has to be.

Every line is parsed, and its number and its link to the line before it are compared. What no signature vouches for also has to
be in canonical form, and to bear the key's tag if the key is there; what is under a signed root is octet for octet what was
signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sovguard.ledger.records import Tag, is_canonical, is_tagged, link, parse
from sovguard.ledger.tree import Frontier, leaf

Marks = Mapping[int, Sequence[tuple[bytes | None, str]]]
"""By size of the log: the roots that it had then, or ``None`` if its root is only asked for, and who says so."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a log.

    Attributes:
        number: The first record that is wrong, or may be.
        what: What is wrong.
        unreadable: Whether it is no record at all, as after a power cut.
    """

    number: int
    what: str
    unreadable: bool = False


@dataclass(slots=True)
class Walk:
    """What was read of a log.

    Attributes:
        records: How many records are what they have to be, one after the other.
        octets: Of them, with their line feeds.
        good: The largest size at which a signed root was met.
        tree: The tree over them.
        roots: The roots at the sizes that were asked for.
        fault: What is wrong; ``None`` if nothing is.
    """

    records: int = 0
    octets: int = 0
    good: int = 0
    tree: Frontier = field(default_factory=Frontier)
    roots: dict[int, bytes] = field(default_factory=dict)
    fault: Fault | None = None


def walk(
    lines: Callable[[], Iterator[bytes]],
    origin: str,
    marks: Marks,
    progress: Callable[[int], None] = lambda octets: None,
    *,
    tag: Tag | None = None,
) -> Walk:
    """Return what is read of a log up to its end or its first fault.

    Args:
        lines: Begins to read it.
        origin: Which log it has to be.
        marks: What is known of it.
        progress: Is told now and then how many octets were read.
        tag: Tells what is said of lines under the ledger's key: then what is not signed has to be said to be of it.
    """
    sizes = sorted(size for size in marks if size > 0)
    signed = max((size for size in sizes if any(root for root, _ in marks[size])), default=0)
    found = Walk()
    add, ahead = found.tree.append, iter(sizes)
    number, octets, previous, mark = 0, 0, link(origin.encode()), next(ahead, 0)
    before = previous
    for line in lines():
        try:
            record = parse(line)
        except ValueError:
            found.fault = Fault(number, "it is no record", unreadable=True)
            break
        if record["n"] != number:
            twice = record["n"] == number - 1 and record["p"] == before
            found.fault = _misnumbered(number, record["n"], twice)
            break
        if record["p"] != previous:
            found.fault = _unlinked(number, found.good)
            break
        if number >= signed and not is_canonical(line, record):
            found.fault = Fault(number, "it was changed: it is not in canonical form")
            break
        if number >= signed and tag is not None and not is_tagged(record, tag):
            found.fault = Fault(number, "it was not written with the ledger's key: it was changed or put in")
            break
        before, previous = previous, link(line)
        add(leaf(line))
        octets += len(line) + 1
        number += 1
        if number == mark:
            root = found.roots[mark] = found.tree.root()
            for expected, who in marks[mark]:
                if expected is not None and expected != root:
                    found.fault = _rewritten(lines, found.good, number, who)
                elif expected is not None and found.fault is None:
                    found.good = number
            if found.fault is not None:
                break
            mark = next(ahead, 0)
        if not number & 0x1FFF:
            progress(octets)
    found.records, found.octets = number, octets
    if found.fault is None and sizes and sizes[-1] > number:
        missing = next(size for size in sizes if size > number)
        found.fault = Fault(
            number,
            f"the records from {number} on are gone: {marks[missing][0][1]} says that there are {missing}",
        )
    return found


def _misnumbered(number: int, said: int, twice: bool) -> Fault:
    if twice:
        return Fault(number - 1, "two records have this number: one of them was put in")
    if said > number:
        return Fault(number, f"it is missing: record {said} stands in its place")
    return Fault(number, f"it was put in or moved here: it says that it is record {said}")


def _unlinked(number: int, good: int) -> Fault:
    if number == 0:
        return Fault(0, "it does not begin this log: it was changed, or taken from another log or ledger")
    if number == good:
        return Fault(number, "it was changed: it does not follow the record before it, which is signed")
    return Fault(number - 1, f"it, or record {number}, was changed: record {number} does not follow it")


def _rewritten(lines: Callable[[], Iterator[bytes]], good: int, end: int, who: str) -> Fault:
    """Return the fault of records whose numbers and links fit and whose root does not."""
    last = b""
    for number, line in enumerate(lines()):
        if number == end:
            # Links behind the root that does not fit tell whether only its last record was changed.
            if not _follows(line, last):
                before = (
                    "" if good == end - 1 else f" (or another one from {good} on, with all links up to it)"
                )
                what = f"it was changed{before}: record {end} does not follow it, and {who} has another root"
                return Fault(end - 1, what)
            break
        if number >= good and not is_canonical(line, parse(line)):
            return Fault(number, "it was changed: it is not in canonical form")
        last = line
    if good == end - 1:
        return Fault(good, f"it was changed: {who} has another root")
    return Fault(
        good,
        f"one of the records {good} to {end - 1} was changed, with all links behind it: {who} has another root",
    )


def _follows(line: bytes, before: bytes) -> bool:
    try:
        return bool(parse(line)["p"] == link(before))
    except ValueError:
        return True  # no record, so it says nothing of the one before it
