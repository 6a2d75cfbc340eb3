"""What a durable vault does beyond the contract: lasts, seals, ends, erases, rotates, and fails closed."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sovguard import ConfigError, Guard, InvalidRecord, LedgerError, VaultError
from sovguard.errors import InputError
from sovguard.vault import Entry, Keyring, MissingKey, SealedVault, SessionRef, open_store, open_vault
from sovguard.vault.administration import (
    erase_session,
    erase_surrogate,
    erase_tenant,
    erase_value,
    sessions,
    status,
    sweep,
)
from sovguard.vault.crypto import GCM, GCM_SIV, Sealer
from sovguard.vault.rotation import idle_keys, renumber, rotate
from sovguard.vault.rows import Change
from sovguard.vault.sqlite import SqliteStore
from tests.servers import NAME, PHONE, RRN, TEXT, VALUES, PatternAnalyzer
from tests.vault.places import STORES, Place

A = SessionRef("acme", "상담 1")
HONG, KIM = Entry("PERSON", "홍길동", person="홍길동"), Entry("PERSON", "김나래", person="김나래")
NUMBER = Entry("PHONE_NUMBER", PHONE)
KEYS = Keyring.generate()


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest) -> Place:
    """A place of each kind."""
    found: Place = request.getfixturevalue(request.param)
    return found


def test_what_one_process_kept_another_restores(place: Place) -> None:
    """Guards over the same vault share a session, its surrogates, people and particles; other sessions have none of it."""
    SealedVault.create(place.store(create=True), KEYS)
    text = f"{NAME}가 왔고 {PHONE}로 전화함"

    def guard() -> Guard:
        return Guard(_analyzer=PatternAnalyzer(), vault=SealedVault(place.store(), KEYS))

    sent = guard().session("상담 1", tenant="acme").redact(text).text
    later = guard()
    assert later.session("상담 1", tenant="acme").restore(sent).text == text
    assert later.session("상담 1", tenant="acme").redact(text).text == sent
    for other in (later.session("상담 2", tenant="acme"), later.session("상담 1")):
        kept = other.restore(sent)
        assert kept.text == sent
        assert len(kept.unresolved) == 2


def test_a_vault_is_never_made_by_itself(place: Place, tmp_path: Path) -> None:
    """Nothing there, something there, and another key are errors that say what to do; what is there stays."""
    store = place.store(create=True)
    with pytest.raises(VaultError, match="never made anew"):
        SealedVault(store, KEYS)
    made = SealedVault.create(store, KEYS)
    made.open(A)
    (surrogate,) = made.put(A, [HONG])
    with pytest.raises(VaultError, match="already"):
        SealedVault.create(place.store(), Keyring.generate())
    with pytest.raises(InvalidRecord):
        SealedVault(place.store(), Keyring.generate())
    with pytest.raises(MissingKey, match="no key k1"):
        SealedVault(place.store(), Keyring({"other": bytes(32)}))
    assert SealedVault(place.store(), KEYS).get(A, [surrogate]) == {surrogate: HONG}
    with pytest.raises(ConfigError, match="no vault at"):
        open_vault(f"sqlite:///{tmp_path}/none.db", KEYS)


def test_values_end_with_their_type_and_session(place: Place) -> None:
    """What has ended is reported as expired and not as unknown; a value that comes up again gets another surrogate."""
    clock = Clock()
    ttls = {"unique_identifier": timedelta(hours=1), "PHONE_NUMBER": timedelta(minutes=5)}
    vault = SealedVault.create(place.store(create=True), KEYS, ttl=timedelta(days=1), ttls=ttls, clock=clock)
    session = Guard(_analyzer=PatternAnalyzer(), vault=vault).session("상담 1")
    sent = session.redact(TEXT).text
    assert session.restore(sent).text == TEXT
    clock.now += 301
    later = session.restore(sent)
    assert NAME in later.text
    assert PHONE not in later.text
    assert (later.unresolved, len(later.expired)) == ([], 1)
    assert later.expired[0].startswith("PHONE-")
    again = session.redact(PHONE).text
    assert again != later.expired[0]
    assert session.restore(again).text == PHONE
    clock.now += 3600
    assert {each.split("-")[0] for each in session.restore(sent).expired} == {"PHONE", "RRN"}
    clock.now += 86400
    everything = session.restore(sent)
    assert (everything.text, everything.unresolved, len(everything.expired)) == (sent, [], 4)
    lane = session.stream()
    assert lane.feed(sent) + lane.flush() == sent
    assert len(lane.expired) == 4
    new = session.redact(TEXT).text
    assert session.restore(new).text == TEXT
    assert not set(re.findall("[A-Z]+-[0-9A-Z]{8}", new)) & set(re.findall("[A-Z]+-[0-9A-Z]{8}", sent))


def test_a_clock_that_jumps_destroys_nothing(place: Place) -> None:
    """What ended by a wrong clock is back when the clock is right again; a day after its end a sweep destroys it."""
    clock = Clock()
    vault = SealedVault.create(place.store(create=True), KEYS, ttl=timedelta(hours=1), clock=clock)
    vault.open(A)
    (surrogate,) = vault.put(A, [HONG])
    clock.now += 10 * 365 * 86400
    assert vault.get(A, [surrogate]) == {surrogate: None}
    (other,) = vault.put(A, [HONG])
    assert vault.get(A, [other]) == {other: HONG}
    clock.now -= 10 * 365 * 86400
    assert vault.get(A, [surrogate]) == {surrogate: HONG}
    clock.now += 7200
    assert sweep(vault) == 0
    clock.now += 86400
    assert sweep(vault) == 1
    clock.now -= 100_000
    assert vault.get(A, [surrogate, other]) == {surrogate: None, other: HONG}
    clock.now += 11 * 365 * 86400
    assert sweep(vault) == 1
    with pytest.raises(VaultError, match="erased"):
        vault.get(A, [other])
    assert [event.what for event in vault.store.events()] == ["swept"] * 3


def test_erasing(place: Place) -> None:
    """A value, a person in every form, a session, a tenant: gone, reported as expired, and written down without values."""
    vault = SealedVault.create(place.store(create=True), KEYS)
    other = SessionRef("beta", "x")
    mention = replace(HONG, value="길동")
    for session in (A, other):
        vault.open(session)
    hong, short, kim, number = vault.put(A, [HONG, mention, KIM, NUMBER])
    (kept,) = vault.put(other, [HONG])
    assert erase_value(vault, A, "PHONE_NUMBER", PHONE) == 1
    assert erase_value(vault, A, "PHONE_NUMBER", PHONE) == 0
    assert erase_surrogate(vault, A, short, person=True) == 2
    for wrong in (short, "PERSON-0A000000"):
        with pytest.raises(InputError, match="no such surrogate"):
            erase_surrogate(vault, A, wrong)
    assert vault.get(A, [hong, short, kim, number]) == {hong: None, short: None, kim: KIM, number: None}
    assert list(vault.people(A)) == ["", "김나래"]
    (again,) = vault.put(A, [HONG])
    assert again not in (hong, short)
    assert again[-8:-2] != hong[-8:-2]
    assert erase_session(vault, A) == 1
    assert erase_session(vault, A) == 0
    session = Guard(_analyzer=PatternAnalyzer(), vault=vault).session(A.session_id, tenant=A.tenant)
    told = session.restore(f"{kim} {again}")
    assert (told.unresolved, told.expired) == ([], [kim, again])
    assert vault.get(other, [kept]) == {kept: HONG}
    assert erase_tenant(vault, "beta") == 1
    with pytest.raises(VaultError, match="erased"):
        vault.get(other, [kept])
    events = vault.store.events()
    assert [event.what for event in events] == [
        "erased values", "erased values", "erased person", "erased session", "erased session", "erased tenant",
    ]  # fmt: skip
    assert [event.count for event in events] == [1, 0, 2, 1, 1, 1]
    assert "홍길동" not in repr(events)


def test_rotation_goes_on_while_the_vault_is_used(place: Place) -> None:
    """Every data key is wrapped anew, old and new keyrings work meanwhile, and what is retired opens nothing."""
    vault = SealedVault.create(place.store(create=True), KEYS)
    refs = [SessionRef("acme", str(number)) for number in range(20)]
    surrogates = {}
    for ref in refs:
        vault.open(ref)
        (surrogates[ref],) = vault.put(ref, [HONG])
    new = KEYS.with_new_key()
    user = SealedVault(place.store(), new)
    failures: list[BaseException] = []
    done = threading.Event()

    def use() -> None:
        try:
            number = 0
            while not done.is_set() or number < 40:
                ref = refs[number % len(refs)]
                user.put(ref, [Entry("ID_NUMBER", str(number))])
                assert user.get(ref, [surrogates[ref]]) == {surrogates[ref]: HONG}
                number += 1
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    seen: list[tuple[int, int]] = []
    assert rotate(vault, new, progress=lambda count, total: seen.append((count, total))) == len(refs)
    done.set()
    thread.join()
    assert failures == []
    assert seen[-1][0] == seen[-1][1]
    assert status(vault).keys == {new.active: 20}
    only = SealedVault(place.store(), new.without("k1"))
    assert all(only.get(ref, [surrogates[ref]]) == {surrogates[ref]: HONG} for ref in refs)
    with pytest.raises(MissingKey):
        SealedVault(place.store(), KEYS)


def test_sessions_and_status_show_no_value(place: Place) -> None:
    """Whoever administers a vault sees whose sessions there are and how many values of each type."""
    vault = SealedVault.create(place.store(create=True), KEYS)
    for ref in (A, SessionRef("beta", "x")):
        vault.open(ref)
        vault.put(ref, [HONG, NUMBER])
    assert [each.ref for each in sessions(vault, "acme")] == [A]
    assert [each.counts for each in sessions(vault)] == [{"PERSON": 1, "PHONE_NUMBER": 1}] * 2
    known = status(vault)
    assert (known.sessions, known.values) == (2, {"PERSON": 2, "PHONE_NUMBER": 2})
    assert NAME not in repr((known, list(sessions(vault)), vault, vault.store, list(vault.store.sessions())))


def test_what_was_erased_is_never_minted_again(place: Place) -> None:
    """One form of a person goes: the next form has another surrogate, and the person is still known."""
    vault = SealedVault.create(place.store(create=True), KEYS)
    vault.open(A)
    first, second = vault.put(A, [HONG, replace(HONG, value="길동")])
    assert erase_surrogate(vault, A, second) == 1
    (third,) = vault.put(A, [replace(HONG, value="길동이")])
    assert third not in (first, second)
    assert third[-8:-2] == first[-8:-2]
    assert erase_surrogate(vault, A, first) == 1
    assert list(vault.people(A)) == ["홍길동"]
    assert vault.get(A, [second, third]) == {second: None, third: replace(HONG, value="길동이")}


def test_a_backup_that_was_put_back_mints_nothing_again(place: Place) -> None:
    """What was sent after the backup stays unknown: renumbered sessions give its surrogates to nobody else."""
    vault, user = SealedVault.create(place.store(create=True), KEYS), SealedVault(place.store(), KEYS)
    vault.open(A)
    first = vault.put(A, [HONG, NUMBER])
    sid = vault.sid(A)
    row, entries = vault.store.session(sid), list(vault.store.entries(sid))
    assert row is not None
    nicknames = [replace(HONG, value=value) for value in ("길동", "홍길동 씨")]
    numbers = [Entry("PHONE_NUMBER", f"010-0000-{each:04d}") for each in range(40)]
    sent = user.put(A, [*nicknames, KIM, *numbers])

    def put_back() -> None:
        vault.store.drop(sid)
        assert vault.store.commit(Change(vault.meta.encode(), row, None, added=entries))

    others = [replace(HONG, value=value) for value in ("홍 과장", "길동이")]
    others += [Entry("PERSON", "박보라", person="박보라"), Entry("PHONE_NUMBER", "010-0000-9999")]
    put_back()
    assert set(vault.put(A, others)) & set(sent), "a backup alone gives a surrogate to someone else"
    put_back()
    assert renumber(vault) == 1
    assert vault.store.events()[-1].what == "renumbered"
    for each in (vault, user):
        after = each.put(A, others)
        assert not set(after) & {*sent, *first}
        assert len(set(after)) == len(others)
    assert after[0][-8:-2] == after[1][-8:-2], "the forms of a person stay side by side"
    assert vault.put(A, [HONG, NUMBER]) == first
    assert vault.get(A, [*first, *sent]) == dict(zip(first, [HONG, NUMBER], strict=True))
    assert list(vault.people(A)) == ["홍길동", "박보라"]
    assert list(Guard(vault=SealedVault(place.store(), KEYS)).vault.people(A)) == ["홍길동", "박보라"]


def test_a_session_that_is_dropped_and_made_again(place: Place) -> None:
    """What was worked out on the one does not fit the other."""
    vault, other = SealedVault.create(place.store(create=True), KEYS), SealedVault(place.store(), KEYS)
    vault.open(A)
    vault.put(A, [HONG])
    stale = vault.store.session(vault.sid(A))
    assert stale is not None
    other.forget(A)
    other.open(A)
    assert not vault.committed(replace(stale, version=stale.version + 1), stale.version)
    (again,) = vault.put(A, [HONG])
    assert other.get(A, [again]) == {again: HONG}


def test_a_vault_that_goes_while_it_is_used(place: Place) -> None:
    """Nothing is acknowledged into nowhere: another vault in its place, and none at all, are errors."""
    vault = SealedVault.create(place.store(create=True), KEYS)
    vault.open(A)
    vault.put(A, [HONG])
    said = vault.meta.encode()
    vault.store.set_meta(replace(vault.meta, vault_id=bytes(16)).encode())
    with pytest.raises(VaultError, match="gone from its place"):
        vault.put(A, [KIM])
    with pytest.raises(VaultError, match="gone from its place"):
        vault.open(SessionRef("acme", "new"))
    vault.store.set_meta(said)
    assert vault.put(A, [KIM])


def test_a_process_with_the_old_key_makes_no_sessions(place: Place) -> None:
    """After a rotation it fails until it has the new keyring; one that was prepared goes on with what there is."""
    vault = SealedVault.create(place.store(create=True), KEYS)
    vault.open(A)
    prepared = KEYS.with_new_key(active=False)
    ready, late = SealedVault(place.store(), prepared), SealedVault(place.store(), KEYS)
    rotate(vault, prepared.with_newest_active())
    assert ready.put(A, [HONG])
    for user in (ready, late):
        with pytest.raises(MissingKey):
            user.open(SessionRef("acme", "new"))
    assert idle_keys(vault, prepared.with_newest_active()) == ["k1"]
    assert rotate(vault, prepared.with_newest_active()) == 0


def test_a_moved_lookup_is_an_error(file: tuple[SealedVault, Path]) -> None:
    """Whoever can write to the store cannot make one person's value another's."""
    vault, path = file
    hong, kim = (vault.put(A, [each])[0] for each in (HONG, KIM))
    rows = {row.surrogate: row for row in vault.store.entries(vault.sid(A))}
    with sqlite3.connect(path) as connection:
        for name, lookup in ((hong, None), (kim, rows[hong].lookup), (hong, rows[kim].lookup)):
            connection.execute("UPDATE entries SET lookup = ? WHERE surrogate = ?", (lookup, name))
    connection.close()
    with pytest.raises(InvalidRecord):
        vault.put(A, [HONG])


def test_threads_come_and_go(file: tuple[SealedVault, Path]) -> None:
    """However many threads ask one after another, a few connections serve them."""
    vault, _ = file
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for _ in range(100):
        thread = threading.Thread(target=lambda: vault.put(A, [HONG]))
        thread.start()
        thread.join()
    after = len(os.listdir("/proc/self/fd")) if before else 0
    assert after <= before + 10


def test_erased_keys_are_not_in_the_log(file: tuple[SealedVault, Path]) -> None:
    """Neither the wrapped data key nor a record is left in the file or beside it."""
    vault, path = file
    row = vault.store.session(vault.sid(A))
    records = [each.record for each in vault.store.entries(vault.sid(A))]
    assert row is not None
    reader = sqlite3.connect(path)
    reader.execute("SELECT COUNT(*) FROM entries").fetchone()
    assert erase_session(vault, A) == 1
    raw = b"".join(each.read_bytes() for each in path.parent.iterdir())
    reader.close()
    assert not any(secret in raw for secret in (row.wrapped, *records) if secret)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[tuple[SealedVault, Path]]:
    """A vault in a file with values in it."""
    path = tmp_path / "v.db"
    vault = SealedVault.create(SqliteStore(path, create=True), KEYS)
    vault.open(A)
    vault.put(A, [HONG, KIM, NUMBER, Entry("KR_RRN", RRN), Entry("EMAIL_ADDRESS", VALUES[-1])])
    yield vault, path
    vault.close()


def test_no_value_lies_in_the_files(file: tuple[SealedVault, Path]) -> None:
    """Neither in the file nor in its log, whole or in part, nor the names of tenant and session; both are 0600."""
    vault, path = file
    erase_value(vault, A, "PERSON", "홍길동")
    for each in path.parent.iterdir():
        raw = each.read_bytes()
        for value in (*VALUES, "acme", "상담", PHONE.replace("-", ""), RRN[:6]):
            for encoding in ("utf-8", "utf-16-le", "cp949"):
                assert value.encode(encoding) not in raw
        assert each.stat().st_mode & 0o077 == 0


def test_records_stay_in_their_places(file: tuple[SealedVault, Path]) -> None:
    """A record that is moved, changed or cut is one and the same error, and shows nothing."""
    vault, path = file
    rows = {row.surrogate: row for row in vault.store.entries(vault.sid(A))}
    one, two = list(rows)[:2]
    outcomes = set()
    with sqlite3.connect(path) as connection:
        first, second = rows[one].record, rows[two].record
        assert first is not None
        for wrong in (
            second,
            first[:-1],
            bytes([first[0] ^ 3]) + first[1:],
            first[:20] + bytes([first[20] ^ 1]) + first[21:],
        ):
            connection.execute("UPDATE entries SET record = ? WHERE surrogate = ?", (wrong, one))
            connection.commit()
            with pytest.raises(InvalidRecord) as refused:
                vault.get(A, [one])
            outcomes.add(str(refused.value))
        connection.execute(
            "UPDATE entries SET record = ?, entity_type = 'KR_RRN' WHERE surrogate = ?", (first, one)
        )
        connection.commit()
        with pytest.raises(InvalidRecord) as refused:
            vault.get(A, [one])
        outcomes.add(str(refused.value))
    connection.close()
    assert len(outcomes) == 1
    assert "홍길동" not in outcomes.pop()


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda path: path.write_bytes(b"\0" * 5000), "no SQLite file"),
        (lambda path: path.write_bytes(path.read_bytes()[:6000]), "damaged|failed"),
        (lambda path: path.unlink(), "cannot be opened"),
    ],
    ids=["overwritten", "truncated", "gone"],
)
def test_a_harmed_file_is_an_error(file: tuple[SealedVault, Path], harm: Any, says: str) -> None:
    """Nothing is sent, and no new vault takes its place."""
    vault, path = file
    vault.close()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    harm(path)
    guard = Guard(_analyzer=PatternAnalyzer(), vault=vault)
    with pytest.raises(VaultError, match=says) as refused:
        guard.redact(TEXT)
    assert not any(value in str(refused.value) for value in VALUES)
    assert path.exists() is (says != "cannot be opened")


def test_another_format_is_an_error(file: tuple[SealedVault, Path]) -> None:
    """A vault of a later version is left alone, and the error says so."""
    vault, _ = file
    vault.store.set_meta(vault.meta.encode().replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(VaultError, match="format 2"):
        SealedVault(vault.store, KEYS)
    vault.store.set_meta(b"{}")
    with pytest.raises(InvalidRecord):
        SealedVault(vault.store, KEYS)


def test_a_writer_that_holds_the_file_is_waited_for(file: tuple[SealedVault, Path]) -> None:
    """Another process's transaction delays a mint and does not break it."""
    vault, path = file
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, lambda: (other.execute("COMMIT"), other.close())).start()
    (surrogate,) = vault.put(A, [Entry("ID_NUMBER", "1")])
    assert vault.get(A, [surrogate])[surrogate] == Entry("ID_NUMBER", "1")


def test_servers_that_are_not_there_are_errors() -> None:
    """The error says what failed and shows no password."""
    from sovguard.vault.postgres import PostgresStore
    from sovguard.vault.redis import RedisStore

    for open_it in (
        lambda: PostgresStore("postgresql://u:secret@127.0.0.1:1/x", wait=1),
        lambda: RedisStore("redis://:secret@127.0.0.1:1/0", wait=1),
    ):
        with pytest.raises(VaultError, match="Nothing was sent") as refused:
            open_it()
        assert "secret" not in str(refused.value)


def test_an_address_that_libpq_does_not_read_is_refused() -> None:
    """Without showing the password in it."""
    with pytest.raises(ConfigError, match="none that libpq reads") as refused:
        open_store("postgresql://u:secret@127.0.0.1:port/x?nonsense=1")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("DiskFull", "disk is full"),
        ("QueryCanceled", "in time"),
        ("ReadOnlySqlTransaction", "read-only"),
        ("InsufficientPrivilege", "grant"),
        ("AdminShutdown", "look whether it runs"),
    ],
)
def test_errors_of_the_server_say_what_to_do(name: str, says: str) -> None:
    """Each in its own words; none in the server's, which may quote values."""
    import psycopg

    from sovguard.vault.postgres import _explain

    with pytest.raises(VaultError, match=says) as refused:
        _explain(getattr(psycopg.errors, name)(PHONE))
    assert PHONE not in str(refused.value)


def test_a_full_disk_is_an_error(file: tuple[SealedVault, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the request is kept, and what was there stays; with room again it goes on."""
    vault, _ = file
    vault.close()
    with pytest.MonkeyPatch.context() as full:
        connect = SqliteStore._connected

        def small(self: SqliteStore) -> sqlite3.Connection:
            connection = connect(self)
            connection.execute("PRAGMA max_page_count = 1")
            return connection

        full.setattr(SqliteStore, "_connected", small)
        many = [Entry("ID_NUMBER", str(number)) for number in range(2000)]
        with pytest.raises(VaultError, match="disk is full"):
            vault.put(A, many)
        assert vault.get(A, vault.put(A, [HONG]))
        vault.close()
    assert status(vault).values["ID_NUMBER" if "ID_NUMBER" in status(vault).values else "PERSON"] == 2
    assert len(set(vault.put(A, many))) == 2000


def test_a_server_that_is_slow_is_not_waited_for(postgres: Place) -> None:
    """A statement that waits for a lock too long is an error; once the lock is gone, all is as it was."""
    import psycopg

    from sovguard.vault.postgres import PostgresStore

    ready = SealedVault.create(postgres.store(create=True), KEYS)
    ready.open(A)
    address, _, schema = postgres.address.partition("?schema=")
    vault = SealedVault(PostgresStore(address, schema_name=schema, limit=0.3), KEYS)
    (before,) = vault.put(A, [HONG])
    with psycopg.connect(address) as other:
        other.execute(f"LOCK TABLE {schema}.sessions IN ACCESS EXCLUSIVE MODE")
        for call in (lambda: vault.put(A, [KIM]), lambda: vault.get(A, [before])):
            started = time.monotonic()
            with pytest.raises(VaultError, match="did not answer in time"):
                call()
            assert time.monotonic() - started < 5
        other.rollback()
    assert vault.get(A, [before]) == {before: HONG}
    assert vault.put(A, [HONG, KIM])[0] == before
    vault.close()


def test_a_read_only_server_is_an_error(postgres: Place) -> None:
    """The error says that it is one; what is there can still be read."""
    vault = SealedVault.create(postgres.store(create=True), KEYS)
    vault.open(A)
    (surrogate,) = vault.put(A, [HONG])
    mark = "&" if "?" in postgres.address else "?"
    options = "options=-c%20default_transaction_read_only%3Don"
    reader = open_vault(f"{postgres.address}{mark}{options}", KEYS)
    assert reader.get(A, [surrogate]) == {surrogate: HONG}
    assert reader.put(A, [HONG]) == [surrogate]
    with pytest.raises(VaultError, match="read-only"):
        reader.put(A, [KIM])
    reader.close()


def test_a_truncated_log_crosses_nobody(file: tuple[SealedVault, Path], tmp_path: Path) -> None:
    """Half a log is read as far as it is whole: what is left restores to itself, and the rest to nothing."""
    vault, path = file
    known = vault.put(A, [HONG, KIM, NUMBER])
    later = vault.put(A, [Entry("ID_NUMBER", str(number)) for number in range(50)])
    copy = tmp_path / "copy"
    copy.mkdir()
    for each in (path, path.with_name(f"{path.name}-wal")):
        shutil.copy(each, copy)
    log = copy / f"{path.name}-wal"
    log.write_bytes(log.read_bytes()[: log.stat().st_size * 3 // 4])
    other = SealedVault(SqliteStore(copy / path.name), KEYS)
    found = other.get(A, [*known, *later])
    assert found == {name: entry for name, entry in vault.get(A, [*known, *later]).items() if name in found}
    other.close()


@pytest.mark.parametrize("wrong", ["mysql://x", "sqlite://x", "http://x"])
def test_addresses_of_no_kind_are_refused(wrong: str) -> None:
    """With the kinds there are."""
    with pytest.raises(ConfigError, match="sqlite:///PATH"):
        open_store(wrong)


def test_both_suites_open(file: tuple[SealedVault, Path]) -> None:
    """What was sealed with GCM, where OpenSSL is older, opens with the same function."""
    sealer = Sealer(bytes(32))
    for suite in (GCM, GCM_SIV):
        sealed = sealer.seal(b"x", b"place", suite=suite)
        assert sealed[:2] == bytes([1, suite])
        assert Sealer(bytes(32)).open(sealed, b"place") == b"x"
        with pytest.raises(InvalidRecord):
            sealer.open(bytes([1, 3 - suite]) + sealed[2:], b"place")


@pytest.mark.parametrize("ttls", [{"nothing": timedelta(1)}, {"PERSON": timedelta(0)}, {"PERSON": 5}])
def test_times_to_live_are_checked(file: tuple[SealedVault, Path], ttls: Any) -> None:
    """A type or class that is none, and a time that is none, are errors."""
    vault, _ = file
    with pytest.raises(ConfigError):
        SealedVault(vault.store, KEYS, ttls=ttls)


@pytest.mark.parametrize("kind", ["redis", "redis_async"])
def test_redis_tells_a_faster_writer_from_a_surrogate_that_is_taken(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who commits between another's look at the session and its look at the entries makes it try again, and is no damage."""
    place: Place = request.getfixturevalue(kind)
    slow = SealedVault.create(place.store(create=True), KEYS)
    fast = SealedVault(place.store(), KEYS)
    slow.open(A)
    looked: list[object] = []
    client = slow.store._client  # type: ignore[attr-defined]
    pipeline = client.pipeline

    def watched(**settings: Any) -> Any:
        pipe = pipeline(**settings)
        look = pipe.hmget

        def hmget(*args: Any) -> Any:
            if not looked:
                looked.append(None)
                other = threading.Thread(target=lambda: looked.append(fast.put(A, [HONG])))
                other.start()
                if kind == "redis":
                    other.join()
                else:
                    return then(other, look, *args)
            return look(*args)

        pipe.hmget = hmget
        return pipe

    async def then(other: threading.Thread, look: Any, *args: Any) -> Any:
        await asyncio.to_thread(other.join)
        return await look(*args)

    monkeypatch.setattr(client, "pipeline", watched)
    (surrogate,) = slow.put(A, [KIM])
    assert looked[1] != [surrogate]
    assert fast.get(A, [surrogate]) == {surrogate: KIM}


def test_what_is_done_to_a_vault_is_in_the_ledger_too(place: Place, tmp_path: Path) -> None:
    """Erasures, sweeps, rotations and renumberings, with counts and without values; a ledger that fails is an error."""
    from sovguard.ledger import LedgerKey, create_ledger

    ledger = create_ledger(str(tmp_path / "ledger"), LedgerKey.generate("test"))
    vault = SealedVault.create(place.store(create=True), KEYS, ledger=ledger)
    vault.open(A)
    vault.put(A, [HONG, KIM, NUMBER])
    erase_value(vault, A, "PHONE_NUMBER", PHONE)
    erase_session(vault, A)
    sweep(vault)
    rotate(vault, KEYS)
    renumber(vault)
    told = [record for record in ledger.records() if record["kind"] == "vault"]
    assert [(each["what"], each["count"]) for each in told] == [
        ("erased values", 1),
        ("erased session", 1),
        ("swept", 0),
        ("rotated", 0),
        ("renumbered", 0),
    ]
    assert [each.what for each in vault.store.events()] == [each["what"] for each in told]
    assert PHONE not in repr(told)
    ledger.close()
    with pytest.raises(LedgerError):
        sweep(vault)
