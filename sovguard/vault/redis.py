"""A store in Redis (version 5 or newer): for any number of machines.

**As durable as the server is set up to be.** Without ``appendonly yes`` a restart loses everything; with ``appendfsync
everysec`` a power cut loses the last second; only ``appendfsync always`` keeps what was acknowledged. ``durability()`` says
what it finds. A failover to a replica can lose what had not been replicated. Lost mappings cannot be restored: where that
matters, use PostgreSQL.

All keys of a session share a hash tag, so that a cluster keeps them together.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, NoReturn

import redis
import redis.asyncio

from sovguard.errors import ConfigError, VaultError
from sovguard.vault.crypto import invalid
from sovguard.vault.rows import Change, EntryRow, Event, SessionRow
from sovguard.vault.waiting import THREADS, LoopWaiting, Waiting

_MANY = 500


class RedisStore:
    """Rows in Redis.

    Args:
        address: ``redis://…`` or ``rediss://…``.
        prefix: What the names of all keys begin with.
        connections: Most connections at once.
        wait: Seconds to wait for the server or for a free connection.

    Raises:
        VaultError: The server cannot be reached.
    """

    waiting: Waiting = THREADS
    _library: ClassVar[Any] = redis

    def __init__(
        self, address: str, *, prefix: str = "sovguard", connections: int = 32, wait: float = 10.0
    ) -> None:
        self.prefix = prefix
        try:
            pool = self._library.BlockingConnectionPool.from_url(
                address,
                max_connections=connections,
                timeout=wait,
                socket_timeout=wait,
                socket_connect_timeout=wait,
            )
        except ValueError:  # its message quotes the address
            raise ConfigError(
                "the address of Redis cannot be read; write redis://HOST:PORT/NUMBER, with special characters of a password "
                "percent-encoded"
            ) from None
        self._client: Any = self._library.Redis.from_pool(pool)
        self._run("ping")

    def __repr__(self) -> str:
        return f"RedisStore(prefix {self.prefix!r})"

    def durability(self) -> str:
        """Return what the server promises: ``always``, ``everysec``, ``no``, ``none`` (memory alone) or ``unknown``.

        ``evicts`` is worse than all of them: when its memory is full, the server throws values away.
        """
        try:
            call, config = self.waiting.call, self._client.config_get
            limits = call(config, "maxmemory*")
            if limits.get("maxmemory", "0") != "0" and limits.get("maxmemory-policy") != "noeviction":
                return "evicts"
            if call(config, "appendonly").get("appendonly") != "yes":
                return "none"
            return str(call(config, "appendfsync").get("appendfsync"))
        except redis.RedisError:  # servers of others often forbid CONFIG
            return "unknown"

    def create(self, meta: bytes) -> None:
        """Make a new vault."""
        if self.meta() is None and self._run("zcard", self._name("sessions")):
            raise VaultError(
                "there are sessions here of a vault that has lost what it says of itself; restore a backup, or name "
                "another prefix. Nothing was changed"
            )
        if not self._run("set", self._name("meta"), meta, nx=True):
            raise VaultError("there is a vault here already; it was not changed: name another prefix")

    def meta(self) -> bytes | None:
        """Return what the vault says of itself; ``None`` if there is none."""
        stored: bytes | None = self._run("get", self._name("meta"))
        return stored

    def set_meta(self, meta: bytes) -> None:
        """Replace what the vault says of itself."""
        self._run("set", self._name("meta"), meta)

    def session(self, sid: bytes) -> SessionRow | None:
        """Return a session."""
        stored = self._run("get", self._of(sid, "session"))
        return None if stored is None else _session(stored)

    def find(self, sid: bytes, lookups: Sequence[bytes]) -> Mapping[bytes, EntryRow]:
        """Return the entries with these lookups, by lookup."""
        surrogates = [
            each.decode() for each in self._many(self._of(sid, "lookups"), lookups) if each is not None
        ]
        return {row.lookup: row for row in self.read(sid, surrogates).values() if row.lookup is not None}

    def read(self, sid: bytes, surrogates: Sequence[str]) -> Mapping[str, EntryRow]:
        """Return the entries with these surrogates."""
        stored = self._many(self._of(sid, "entries"), surrogates)
        return {
            name: _entry(name, each)
            for name, each in zip(surrogates, stored, strict=True)
            if each is not None
        }

    def of_people(self, sid: bytes, people: Sequence[bytes]) -> Mapping[bytes, EntryRow]:
        """Return the entry of each of these people that was minted last, for those that have one."""
        names = [each.decode() for each in self._many(self._of(sid, "last"), people) if each is not None]
        return {row.person: row for row in self.read(sid, names).values() if row.person is not None}

    def people(self, sid: bytes, after: int) -> list[EntryRow]:
        """Return the first mention of each person but for the first ``after``, in order."""
        names = [name.decode() for name in self._run("lrange", self._of(sid, "people"), after, -1)]
        rows = self.read(sid, names)
        return [rows[name] for name in names]

    def commit(self, change: Change) -> bool:
        """Make a change; ``False``, and nothing changed, if the session or the vault is not as expected."""
        row, name = change.row, self._of(change.row.sid, "session")
        rows = (*change.added, *change.changed)
        try:
            call = self.waiting.call
            with self._transaction() as pipe:
                call(pipe.watch, name, self._name("meta"))
                stored = call(pipe.get, name)
                if (None if stored is None else _session(stored).version) != change.expected:
                    return False
                if call(pipe.get, self._name("meta")) != change.meta:
                    return False
                names = self._of(row.sid, "entries")
                old = call(pipe.hmget, names, [entry.surrogate for entry in rows]) if rows else []
                if any(each is not None for each in old[: len(change.added)]):
                    if call(pipe.get, name) != stored:
                        return False  # someone else's, who was faster by a moment
                    raise invalid()
                pipe.multi()
                if change.shreds:
                    pipe.delete(*self._all(row.sid))
                pipe.set(name, _of_session(row))
                if change.expected is None:
                    pipe.zadd(self._name("sessions"), {row.sid: row.created})
                    pipe.sadd(self._name(f"tenant:{row.tenant.hex()}"), row.sid)
                for entry, before in zip(rows, old, strict=True):
                    self._put(
                        pipe, row.sid, entry, None if before is None else _entry(entry.surrogate, before)
                    )
                if change.event is not None:
                    pipe.rpush(self._name("events"), _of_event(change.event))
                call(pipe.execute)
        except redis.WatchError:
            return False
        except redis.RedisError as error:
            _explain(error)
        return True

    def exclusive(self, sid: bytes) -> AbstractContextManager[None]:
        """Return a context; others are not kept out of it.

        A lock in Redis is asked for again and again, and costs more than it saves (benchmarks/vault.py: 430 calls a second
        with one, 560 without).
        """
        return nullcontext()

    def drop(self, sid: bytes) -> None:
        """Delete a session and its entries."""
        row = self.session(sid)
        try:
            with self._transaction() as pipe:
                pipe.delete(*self._all(sid))
                pipe.zrem(self._name("sessions"), sid)
                if row is not None:
                    pipe.srem(self._name(f"tenant:{row.tenant.hex()}"), sid)
                self.waiting.call(pipe.execute)
        except redis.RedisError as error:
            _explain(error)

    def scrub(self) -> bool:
        """Overwrite what was deleted: the server does so when it next rewrites its file."""
        return True

    def sessions(self, tenant: bytes | None = None) -> Iterator[SessionRow]:
        """Give every session, or every one of a tenant."""
        if tenant is None:
            found = self._run("zrange", self._name("sessions"), 0, -1)
        else:
            found = sorted(self._run("smembers", self._name(f"tenant:{tenant.hex()}")))
        for sid in found:
            if (row := self.session(sid)) is not None:
                yield row

    def entries(self, sid: bytes, after: int = 0) -> Iterator[EntryRow]:
        """Give every entry of a session from a place in the order of minting on."""
        stored = self._run("hgetall", self._of(sid, "entries"))
        rows = [_entry(name.decode(), each) for name, each in stored.items()]
        yield from sorted((row for row in rows if row.seq >= after), key=lambda row: row.seq)

    def add_event(self, event: Event) -> None:
        """Write down what was done."""
        self._run("rpush", self._name("events"), _of_event(event))

    def events(self) -> list[Event]:
        """Return what was written down, the oldest first."""
        rows = [json.loads(each) for each in self._run("lrange", self._name("events"), 0, -1)]
        return [
            Event(at, what, None if sid is None else bytes.fromhex(sid), count)
            for at, what, sid, count in rows
        ]

    def close(self) -> None:
        """End the connections."""
        self.waiting.call(self._client.close)

    def size(self) -> int:
        """Return how many octets of the server's memory the sessions take."""
        sids = self._run("zrange", self._name("sessions"), 0, -1)
        keys = [key for sid in sids for key in self._all(sid)]
        return sum(self._run("memory_usage", key, samples=0) or 0 for key in keys)

    def _transaction(self) -> AbstractContextManager[Any]:
        return self.waiting.entered(self._client.pipeline(transaction=True))

    def _put(self, pipe: Any, sid: bytes, entry: EntryRow, before: EntryRow | None) -> None:
        pipe.hset(self._of(sid, "entries"), entry.surrogate, _of_entry(entry))
        if before is not None and before.lookup is not None and entry.lookup is None:
            pipe.hdel(self._of(sid, "lookups"), before.lookup)
        if entry.lookup is not None:
            pipe.hset(self._of(sid, "lookups"), entry.lookup, entry.surrogate)
        if before is None:
            if entry.person is not None:
                pipe.hset(self._of(sid, "last"), entry.person, entry.surrogate)
            if entry.person_no is not None:
                pipe.rpush(self._of(sid, "people"), entry.surrogate)

    def _all(self, sid: bytes) -> list[str]:
        return [self._of(sid, part) for part in ("session", "entries", "lookups", "people", "last")]

    def _many(self, name: str, fields: Sequence[Any]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(fields), _MANY):
            found += self._run("hmget", name, list(fields[start : start + _MANY]))
        return found

    def _run(self, command: str, *arguments: Any, **options: Any) -> Any:
        try:
            return self.waiting.call(getattr(self._client, command), *arguments, **options)
        except redis.RedisError as error:
            _explain(error)

    def _name(self, part: str) -> str:
        return f"{self.prefix}:{part}"

    def _of(self, sid: bytes, part: str) -> str:
        return f"{self.prefix}:{{{sid.hex()}}}:{part}"


class AsyncRedisStore(RedisStore):
    """Rows in Redis, waited for by the event loop in which this is made; ``open_vault_async`` makes one.

    Takes what ``RedisStore`` takes.
    """

    _library: ClassVar[Any] = redis.asyncio

    def __init__(self, address: str, **settings: Any) -> None:
        self.waiting = LoopWaiting()
        super().__init__(address, **settings)

    def close(self) -> None:
        """End the connections."""
        self.waiting.call(self._client.aclose)


def _of_event(event: Event) -> str:
    return json.dumps([event.at, event.what, None if event.sid is None else event.sid.hex(), event.count])


def _text(octets: bytes | None) -> str | None:
    return None if octets is None else base64.b64encode(octets).decode()


def _octets(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _of_session(row: SessionRow) -> str:
    sealed = [_text(each) for each in (row.sid, row.tenant, row.name, row.wrapped, row.header)]
    return json.dumps(
        [*sealed, row.version, row.key_id, list(row.namespaces), list(row.former), row.created, row.expires]
    )


def _session(stored: bytes) -> SessionRow:
    *sealed, version, key_id, namespaces, former, created, expires = json.loads(stored)
    sid, tenant, name, wrapped, header = (_octets(each) or b"" for each in sealed)
    return SessionRow(
        sid,
        tenant,
        version,
        name,
        key_id,
        wrapped,
        header,
        tuple(namespaces),
        tuple(former),
        created,
        expires,
    )


def _of_entry(row: EntryRow) -> str:
    sealed = [_text(each) for each in (row.lookup, row.person, row.record)]
    return json.dumps([*sealed, row.seq, row.entity_type, row.person_no, row.expires])


def _entry(surrogate: str, stored: bytes) -> EntryRow:
    lookup, person, record, seq, entity_type, person_no, expires = json.loads(stored)
    return EntryRow(
        surrogate, seq, entity_type, _octets(lookup), _octets(person), person_no, _octets(record), expires
    )


def _explain(error: Exception) -> NoReturn:
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        what = "the server's memory is full; give it more, and never let it evict"
    elif isinstance(error, redis.exceptions.ReadOnlyError):
        what = "the server is a replica; name the primary"
    elif isinstance(error, redis.AuthenticationError | redis.exceptions.NoPermissionError):
        what = "the server refuses the user; look at its password and rights"
    elif isinstance(error, redis.ConnectionError | redis.TimeoutError):
        what = "the server cannot be reached or has no connection free; look whether it runs, and how much it is asked"
    else:
        what = f"{type(error).__name__}; look at the server's log"
    raise VaultError(f"the vault's Redis failed: {what}. Nothing was sent and nothing was lost") from None
