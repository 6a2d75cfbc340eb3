from __future__ import annotations

import pytest

from sovguard import surrogates
from sovguard.errors import VaultError
from sovguard.vault import Entry, MemoryVault, SessionRef, memory
from sovguard.vault.session import VaultSession, shielded

CANARY = "홍길동-카나리아"
A = SessionRef("acme", "a")


def test_a_session_that_was_not_opened_is_refused() -> None:
    """Storing or reading for an unknown session is an error that says what to do."""
    vault = MemoryVault()
    with pytest.raises(VaultError, match="open"):
        vault.put(A, [Entry("PERSON", CANARY)])
    with pytest.raises(VaultError, match="open"):
        vault.get(A, ["PERSON-K7QM001Z"])


def test_no_repr_shows_a_value_or_a_key() -> None:
    """Vault, entry, session and state show type and length; ids, which may name a person, neither."""
    vault = MemoryVault()
    ref = SessionRef(CANARY, CANARY)
    state = vault.open(ref)
    vault.put(ref, [Entry("PERSON", CANARY)])
    shown = [vault, ref, state, Entry("PERSON", CANARY), VaultSession(vault, ref), vault.open(ref)]
    for thing in shown:
        assert CANARY not in repr(thing)
        assert CANARY not in str(thing)
        assert repr(state.key) not in repr(thing)
    assert repr(Entry("PERSON", CANARY)) == "Entry(PERSON, str of 8 characters)"


def test_a_failure_while_minting_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the second of two entries cannot be minted, the first is not stored; the next try starts clean."""
    vault = MemoryVault()
    before = vault.open(A)
    calls = 0

    def failing(key: bytes, word: str, namespace: str, number: int) -> str:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise MemoryError
        return surrogates.mint(key, word, namespace, number)

    monkeypatch.setattr(memory, "mint", failing)
    with pytest.raises(MemoryError):
        vault.put(A, [Entry("PERSON", "a"), Entry("PERSON", "b")])
    assert vault.open(A) == before
    minted = surrogates.mint(before.key, "PERSON", next(iter(before.namespaces)), 0)
    assert vault.get(A, [minted]) == {}
    assert vault.put(A, [Entry("PERSON", "c")]) == [minted]


def test_sessions_of_one_vault_have_different_namespaces() -> None:
    """Two thousand sessions, enough for a collision among random draws, share no namespace."""
    vault = MemoryVault()
    drawn = [vault.open(SessionRef("acme", str(number))).namespaces for number in range(2000)]
    assert len(frozenset().union(*drawn)) == 2000


def test_foreign_exceptions_become_vault_errors_without_their_text() -> None:
    """What a backend raises can carry a value: only the name of its type gets out, in no cause either."""

    def broken() -> None:
        raise KeyError(CANARY)

    with pytest.raises(VaultError, match="KeyError") as caught:
        shielded(VaultError, "the vault failed", broken)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_own_errors_pass_unchanged() -> None:
    """An error of this package says what to do already and keeps its class."""
    error = VaultError("the disk is full: make room")

    def broken() -> None:
        raise error

    with pytest.raises(VaultError) as caught:
        shielded(VaultError, "the vault failed", broken)
    assert caught.value is error


def test_a_vault_that_answers_for_too_few_values_is_an_error() -> None:
    """A backend that loses an entry must not leave a value uncovered."""

    class Forgetful(MemoryVault):
        def put(self, *args: object, **kwargs: object) -> list[str]:
            return []

    session = VaultSession(Forgetful(), A)
    session.state()
    with pytest.raises(VaultError, match="every value"):
        session.put([Entry("PERSON", CANARY)], set())
