"""What every vault has to do, whatever it stores in."""

from __future__ import annotations

import threading

import pytest

from sovguard.surrogates import BODY_LENGTH, namespace_of, verifies
from sovguard.vault import Entry, MemoryVault, SessionRef, Vault
from sovguard.vault.keys import Keyring
from sovguard.vault.sealed import SealedVault
from tests.vault.places import STORES, Place

A = SessionRef("acme", "a")
HONG = Entry("PERSON", "홍길동")
PHONE = Entry("PHONE_NUMBER", "010-0000-1234")


@pytest.fixture(params=["memory", *STORES])
def vault(request: pytest.FixtureRequest) -> Vault:
    """Return a new vault of each kind."""
    if request.param == "memory":
        return MemoryVault()
    place: Place = request.getfixturevalue(request.param)
    return SealedVault.create(place.store(create=True), Keyring.generate())


def test_a_session_is_made_once_and_then_continued(vault: Vault) -> None:
    """Opening again gives the same key and namespaces, and the surrogates still resolve."""
    first = vault.open(A)
    (surrogate,) = vault.put(A, [HONG])
    again = vault.open(SessionRef("acme", "a"))
    assert (again.key, again.namespaces) == (first.key, first.namespaces)
    assert again.words == {"PERSON"}
    assert vault.get(A, [surrogate]) == {surrogate: HONG}


def test_a_forgotten_session_knows_nothing(vault: Vault) -> None:
    """What was minted stands for nothing any more; another session keeps what it has, and the id can be used again."""
    other = SessionRef("acme", "b")
    first = vault.open(A)
    vault.open(other)
    (surrogate,) = vault.put(A, [HONG])
    (kept,) = vault.put(other, [HONG])
    vault.forget(A)
    vault.forget(A)
    again = vault.open(A)
    assert again.key != first.key
    assert vault.get(A, [surrogate]) == {}
    assert vault.people(A) == []
    assert vault.get(other, [kept]) == {kept: HONG}


def test_one_entry_has_one_surrogate(vault: Vault) -> None:
    """Repeats within a batch and between batches give the surrogate minted first."""
    vault.open(A)
    one, two, three = vault.put(A, [HONG, PHONE, HONG])
    assert one == three != two
    assert vault.put(A, [PHONE, HONG]) == [two, one]


@pytest.mark.parametrize(
    "other",
    [Entry("PERSON", "홍길순"), Entry("USERNAME", "홍길동"), Entry("PERSON", "홍길동", "int")],
    ids=["value", "type", "kind"],
)
def test_different_entries_have_different_surrogates(vault: Vault, other: Entry) -> None:
    """Value, type and kind each make an entry another one."""
    vault.open(A)
    one, two = vault.put(A, [HONG, other])
    assert one != two
    assert vault.get(A, [one, two]) == {one: HONG, two: other}


def test_surrogates_carry_the_state_of_their_session(vault: Vault) -> None:
    """A minted surrogate has its session's namespace and check character and a word that the state names."""
    vault.open(A)
    for surrogate in vault.put(A, [HONG, PHONE, Entry("US_SSN", "x")]):
        state = vault.open(A)
        assert namespace_of(surrogate) in state.namespaces
        assert verifies(state.key, surrogate)
        assert surrogate.split("-")[0] in state.words


@pytest.mark.parametrize(
    "other", [SessionRef("acme", "b"), SessionRef("beta", "a")], ids=["session", "tenant"]
)
def test_sessions_do_not_know_each_other(vault: Vault, other: SessionRef) -> None:
    """Another session, or the same id of another tenant, neither shares a surrogate nor resolves one."""
    mine, theirs = vault.open(A), vault.open(other)
    assert mine.key != theirs.key
    assert not mine.namespaces & theirs.namespaces
    surrogates = vault.put(A, [HONG]) + vault.put(other, [HONG])
    assert len(set(surrogates)) == 2
    assert vault.get(other, surrogates) == {surrogates[1]: HONG}
    assert vault.get(A, surrogates) == {surrogates[0]: HONG}


def test_bodies_to_avoid_are_skipped(vault: Vault) -> None:
    """A body that the caller's text already holds is not minted; a known entry keeps its surrogate."""
    vault.open(A)
    (first,) = vault.put(A, [HONG])
    key, namespace = vault.open(A).key, namespace_of(first)
    bodies = {
        f"{namespace}{one}{two}{check}"
        for one in ("00",)
        for two in "0123456789"
        for check in "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    }
    (second,) = vault.put(A, [PHONE], avoid=bodies)
    assert second[-BODY_LENGTH:] not in bodies
    assert verifies(key, second)
    assert vault.put(A, [HONG], avoid=bodies) == [first]


def test_unknown_surrogates_are_left_out(vault: Vault) -> None:
    """Asking for what was never minted gives nothing, not an error and not a guess."""
    vault.open(A)
    (surrogate,) = vault.put(A, [HONG])
    assert vault.get(A, ["PERSON-0A000000", surrogate.lower(), surrogate[:-1]]) == {}
    assert vault.get(A, []) == {}


def test_values_of_any_kind_come_back(vault: Vault) -> None:
    """Lone surrogates, NULs and the empty text are values like any other."""
    vault.open(A)
    entries = [Entry("PERSON", value) for value in ("\ud800", "\x00", "", "a\nb", "é")]
    surrogates = vault.put(A, entries)
    assert [vault.get(A, [surrogate])[surrogate] for surrogate in surrogates] == entries


def test_when_a_namespace_is_used_up_another_is_taken(vault: Vault) -> None:
    """The 32,769th value gets a new namespace, the width stays, and old and new surrogates resolve."""
    vault.open(A)
    entries = [Entry("ID_NUMBER", str(number)) for number in range(32**3 + 5)]
    surrogates = vault.put(A, entries)
    assert len(set(surrogates)) == len(entries)
    assert {len(surrogate) for surrogate in surrogates} == {len("ID-") + BODY_LENGTH}
    assert len({namespace_of(surrogate) for surrogate in surrogates}) == 2
    assert {namespace_of(surrogate) for surrogate in surrogates} == vault.open(A).namespaces
    assert list(vault.get(A, [surrogates[0], surrogates[-1]]).values()) == [entries[0], entries[-1]]


def test_threads_mint_one_surrogate_for_one_value(vault: Vault) -> None:
    """Eight threads that store the same values at once get the same surrogates; no two values share one."""
    entries = [Entry("PERSON", str(number)) for number in range(300)]
    results: list[list[str]] = []
    barrier = threading.Barrier(8)

    def work(turn: int) -> None:
        barrier.wait()
        vault.open(A)
        mine = entries[turn * 37 :] + entries[: turn * 37]
        surrogates = [vault.put(A, [entry])[0] for entry in mine]
        assert vault.get(A, surrogates) == dict(zip(surrogates, mine, strict=True))
        results.append(surrogates[len(entries) - turn * 37 :] + surrogates[: len(entries) - turn * 37])

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all(result == results[0] for result in results)
    assert len(set(results[0])) == len(entries)
