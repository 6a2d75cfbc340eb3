"""The ledger as a guard uses it: what cannot be written down is not sent.

Each process has a log of its own, which it alone writes, so that processes wait for each other only where the store makes them.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from sovguard.errors import ConfigError, LedgerError
from sovguard.ledger.chain import Chain
from sovguard.ledger.merged import merge
from sovguard.ledger.notes import Identity
from sovguard.ledger.reading import records_in
from sovguard.ledger.recovery import recover
from sovguard.ledger.signing import LedgerKey, Verifier
from sovguard.ledger.stores import SEGMENT, Store, open_store

if TYPE_CHECKING:
    from sovguard.ledger.verification import Verification

_OPEN: set[Ledger] = set()
"""Ledgers that are open for writing: they are closed when the interpreter ends, even if nobody holds them any more."""


class Ledger:
    """A ledger that is open for writing, shared by all threads of a process; ``open_ledger`` opens one.

    A process that is forked off writes a log of its own.
    """

    def __init__(
        self,
        store: Store,
        key: LedgerKey,
        identity: Identity,
        *,
        every: int = 256,
        seconds: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if every < 1 or seconds <= 0:
            raise ConfigError(
                "a checkpoint is made after at least one record and after more than no time: correct every or seconds"
            )
        self._store, self._key, self._identity = store, key, identity
        self._every, self._seconds, self._clock = every, seconds, clock
        self._reset()
        self._chain: Chain | None = None
        self.recovered = 0
        """How many logs of processes that died were ended when this was opened."""
        _OPEN.add(self)  # from here on: a process that is forked off meanwhile lets go of the log
        try:
            with self._changed:
                self.recovered = recover(store, key, identity, self._own(), self._now())
        except BaseException:
            _OPEN.discard(self)
            with contextlib.suppress(LedgerError):
                if self._chain is not None:
                    self._chain.close()
            raise

    def _reset(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._closed = False
        self._timer: threading.Thread | None = None
        self._since = 0.0

    def __repr__(self) -> str:
        return f"Ledger({self._identity.name!r}, {self._identity.ledger_id!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def verifier(self) -> str:
        """The public string that ``verify`` and ``check`` take."""
        return self._key.verifier

    @property
    def writer(self) -> str:
        """The id of the log that this process writes."""
        with self._changed:
            return self._own().writer

    @property
    def unsigned(self) -> int:
        """How many records of this process no checkpoint covers yet."""
        with self._changed:
            return 0 if self._chain is None else self._chain.unsigned

    def keyed(self, tenant: str, session_id: str) -> str:
        """Return the tag under which a session appears in the ledger."""
        return self._key.keyed(tenant, session_id)

    def append(self, kind: str, fields: Mapping[str, Any]) -> int:
        """Write a record; return its number in the log of this process.

        It is with the operating system (the server) when this returns, and durable and signed with the next checkpoint.

        Args:
            kind: What it is about.
            fields: What it says: as JSON, with text for keys. **No value from a text.**

        Raises:
            LedgerError: It cannot be a record, it could not be written, the checkpoint that was due behind it failed (then the
                record is there, and says of what was not done that it was decided), or an earlier failure left open what was
                written; then the ledger has to be opened again. What was to be recorded must not be sent.
        """
        with self._changed:
            chain = self._own()
            number = chain.append(kind, fields, self._now())
            if chain.unsigned >= self._every:
                chain.checkpoint()
            elif chain.unsigned == 1 or self._timer is None:
                self._since = time.monotonic()
                self._wake()
            return number

    def checkpoint(self) -> None:
        """Make durable and sign what this process has written.

        Raises:
            LedgerError: It could not be.
        """
        with self._changed:
            if self._chain is not None:
                self._chain.checkpoint()

    def merge(self) -> str:
        """Sign one note that fixes all logs as far as they are signed, and return it: keep it where nobody can change both.

        Raises:
            LedgerError: A checkpoint is not what this key has signed, or the note cannot be written.
        """
        with self._changed:
            self._own().checkpoint()
        return merge(self._store, self._key, self._identity)

    def writers(self) -> list[str]:
        """Return the ids of all writers."""
        return self._store.writers()

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield all records, with their ``writer``, by time; those of one writer in their order, whatever its clock did.

        Raises:
            LedgerError: A line is no record; ``verify`` says more.
        """
        return records_in(self._store)

    def verify(self, *, kept: Sequence[str] = ()) -> Verification:
        """Look for changes, as ``sovguard.ledger.verify`` does, with the public half of the key.

        Args:
            kept: Notes that were kept elsewhere.
        """
        from sovguard.ledger.verification import verify_store

        return verify_store(self._store, Verifier(self._key.verifier), kept=kept)

    def report(
        self,
        *,
        since_ms: int | None = None,
        until_ms: int | None = None,
        language: Literal["ko", "en"] = "ko",
    ) -> str:
        """Return a page for people, in HTML that stands by itself: what was sent where, and what became of it.

        Args:
            since_ms: The first moment that counts, in milliseconds since 1970.
            until_ms: The first that does not.
            language: What it opens in; both are in it.
        """
        from sovguard.reports import render, summarize

        summary = summarize(self.records(), since_ms=since_ms, until_ms=until_ms)
        return render(summary, language=language)

    def close(self) -> None:
        """Sign what is not signed yet, and end the log of this process.

        Raises:
            LedgerError: The last checkpoint could not be written; the next opening recovers the log.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            chain = self._chain
            try:
                if chain is not None:
                    chain.close()
            finally:
                self._chain = None
                _OPEN.discard(self)
                self._store.close()

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _own(self) -> Chain:
        if self._closed:
            raise LedgerError("the ledger is closed; nothing was written: open it again")
        if self._chain is None:  # this process was forked off
            self._chain = self._new_chain()
        return self._chain

    def _new_chain(self) -> Chain:
        return Chain(self._store.open_log(secrets.token_hex(8)), self._key, self._identity)

    def _wake(self) -> None:
        if self._timer is None:
            timer = threading.Thread(target=self._sign_in_time, name="sovguard-ledger", daemon=True)
            with contextlib.suppress(
                RuntimeError
            ):  # no thread can be started now: tried again with what comes next
                timer.start()
                self._timer = timer
        self._changed.notify_all()

    def _sign_in_time(self) -> None:
        """Sign what has waited for long enough, while nothing more is written."""
        with self._changed:
            while not self._closed:
                chain = self._chain
                if chain is None or not chain.unsigned:
                    self._changed.wait()
                    continue
                left = self._since + self._seconds - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                # Tried again after as long; whoever writes meanwhile is told by what they write.
                with contextlib.suppress(LedgerError):
                    chain.checkpoint()
                self._since = time.monotonic()

    def _after_fork(self) -> None:
        closed = self._closed
        self._reset()  # a thread of the parent may have been in the middle of something
        self._closed = closed
        chain, self._chain = self._chain, None
        if chain is not None:
            chain.abandon()
        self._store.abandon()


def create_ledger(address: str, key: LedgerKey, **settings: Any) -> Ledger:
    """Make a ledger at an address, where there is none, and open it.

    Args:
        address: As for ``open_ledger``.
        key: What is to sign it.
        **settings: As for ``open_ledger``.

    Raises:
        ConfigError: There is a ledger, or something else, or it is no address.
        LedgerError: The store failed.
    """
    store = open_store(address, segment_octets=settings.get("segment_octets", SEGMENT))
    try:
        store.create(key.sign(Identity(key.name, secrets.token_hex(16)).text))
    finally:
        store.close()
    return open_ledger(address, key, **settings)


def open_ledger(
    address: str,
    key: LedgerKey,
    *,
    every: int = 256,
    seconds: float = 5.0,
    clock: Callable[[], float] = time.time,
    segment_octets: int = SEGMENT,
) -> Ledger:
    """Open a ledger for writing. Logs that processes left behind when they died are recovered and ended.

    Args:
        address: A folder, ``file:///FOLDER`` or ``postgresql://…?schema=NAME``; a ledger must have been made there.
        key: What has signed it.
        every: Make a checkpoint after this many records.
        seconds: And this long after the last one, if there is anything to sign.
        clock: Says the time of records, in seconds since 1970.
        segment_octets: Most octets of one file of a log.

    Raises:
        ConfigError: There is no ledger, it was made with another key, or it is no address.
        LedgerError: The store failed.
    """
    store = open_store(address, segment_octets=segment_octets)
    try:
        identity = identity_of(store, Verifier(key.verifier))
        return Ledger(store, key, identity, every=every, seconds=seconds, clock=clock)
    except BaseException:
        store.close()
        raise


def identity_of(store: Store, verifier: Verifier) -> Identity:
    """Return which ledger a store holds.

    Raises:
        ConfigError: None, or one of another key.
        LedgerError: It does not say so, or the store failed.
    """
    note = store.identity()
    if note is None:
        raise ConfigError("there is no ledger at this address; make one with 'sovguard ledger init'")
    try:
        text = verifier.open(note)
    except LedgerError as error:
        raise ConfigError(
            f"the ledger is not one of this key ({error}); name the key that it was made with"
        ) from None
    return Identity.parse(text)


def _close_all() -> None:
    for ledger in list(_OPEN):
        with contextlib.suppress(LedgerError):
            ledger.close()


def _after_fork_in_child() -> None:
    for ledger in list(_OPEN):
        with contextlib.suppress(OSError):
            ledger._after_fork()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
