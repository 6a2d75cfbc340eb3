from __future__ import annotations

import json
from pathlib import Path

import pytest

from sovguard import Guard
from sovguard.vault import Keyring, open_vault
from tests.command import NAME, PHONE, Done, run
from tests.servers import PatternAnalyzer


@pytest.fixture
def named(tmp_path: Path) -> list[object]:
    """The options that name a vault that was made."""
    options: list[object] = ["--vault", f"sqlite:///{tmp_path}/v.db", "--keyring", tmp_path / "keys"]
    assert run("vault", "init", *options).code == 0
    return options


def filled(named: list[object]) -> tuple[str, str]:
    """Put a person and a number into a session; return their surrogates."""
    vault = open_vault(str(named[1]), Keyring.load(str(named[3])))
    session = Guard(_analyzer=PatternAnalyzer(), vault=vault).session("상담 1", tenant="은행")
    person, number = session.redact([NAME, PHONE])
    vault.close()
    return person, number


def test_a_vault_is_made_once(named: list[object], tmp_path: Path) -> None:
    """With its keyring, both 0600; neither is replaced, and one keyring serves several vaults."""
    assert [each.stat().st_mode & 0o777 for each in tmp_path.iterdir()] == [0o600] * len(
        list(tmp_path.iterdir())
    )
    keys = (tmp_path / "keys").read_text()
    again = run("vault", "init", *named)
    assert (again.code, "already" in again.err) == (2, True)
    assert run("vault", "init", "--vault", tmp_path / "second.db", "--keyring", tmp_path / "keys").code == 0
    assert (tmp_path / "keys").read_text() == keys


def test_status_and_sessions(named: list[object]) -> None:
    """Counts and names of sessions, for people and for programs; never a value."""
    filled(named)
    plain, machine = run("vault", "status", *named), run("vault", "status", "--json", *named)
    assert "sessions  1" in plain.text
    assert json.loads(machine.out)["values"] == {"PERSON": 1, "PHONE_NUMBER": 1}
    listed = run("vault", "sessions", *named)
    assert "은행  상담 1  2 values" in listed.text
    (row,) = map(json.loads, run("vault", "sessions", "--json", "--tenant", "은행", *named).out.splitlines())
    assert (row["session"], row["counts"]) == ("상담 1", {"PERSON": 1, "PHONE_NUMBER": 1})
    assert run("vault", "sessions", "--tenant", "none", *named).out == b""
    for done in (plain, machine, listed):
        assert NAME not in done.text
        assert PHONE not in done.text


def restored(named: list[object], text: str) -> tuple[str, list[str]]:
    """What a session restores, and what it says has gone."""
    vault = open_vault(str(named[1]), Keyring.load(str(named[3])))
    session = Guard(_analyzer=PatternAnalyzer(), vault=vault).session("상담 1", tenant="은행")
    said = session.restore(text)
    vault.close()
    return said.text, said.expired


def test_rotation(named: list[object], tmp_path: Path) -> None:
    """Prepared, rotated, retired: values come back throughout; the retired key opens nothing."""
    person, _ = filled(named)
    old = Keyring.load(tmp_path / "keys")
    assert run("vault", "rotate", "--prepare", *named).code == 0
    assert run("vault", "rotate", "--prepare", *named).code == 2
    assert restored(named, person) == (NAME, [])
    assert run("vault", "retire", "--yes", *named).code == 1
    new = Keyring.load(tmp_path / "keys").ids[-1]
    assert f"1 data keys are wrapped anew, with {new}" in run("vault", "rotate", *named).text
    assert Keyring.load(tmp_path / "keys").active == new
    assert run("vault", "retire", *named).code == 2
    assert "destroyed in the keyring: k1" in run("vault", "retire", "--yes", *named).text
    assert Keyring.load(tmp_path / "keys").ids == (new,)
    assert restored(named, person) == (NAME, [])
    old.save(tmp_path / "old")
    refused = run("vault", "status", *named[:2], "--keyring", tmp_path / "old")
    assert (refused.code, f"no key {new}" in refused.err) == (2, True)
    assert run("vault", "rotate", *named).code == 0


def test_erasing(named: list[object]) -> None:
    """A value by what it is, a person by a surrogate, a session, a tenant; not without being asked."""
    person, number = filled(named)
    who = ["--tenant", "은행", "--session", "상담 1"]

    def erase(*more: str, stdin: str = "") -> Done:
        return run("vault", "erase", *named, *more, stdin=stdin)

    refused = erase(*who)
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert erase(*who, "--yes", "--type", "PHONE_NUMBER", stdin=f"{PHONE}\n").text == "erased: 1\n"
    assert restored(named, f"{person} {number}") == (f"{NAME} {number}", [number])
    assert erase(*who, "--yes", "--surrogate", person, "--person").code == 0
    assert restored(named, f"{person} {number}")[1] == [person, number]
    for wrong in (
        ["--person"],
        ["--surrogate", ""],
        ["--type", ""],
        ["--surrogate", person, "--type", "PERSON"],
    ):
        assert erase(*who, "--yes", *wrong).code == 2
    assert erase("--tenant", "은행", "--session", "", "--yes").code == 2
    assert erase(*who, "--yes").code == 0
    assert erase(*who, "--yes").code == 1
    filled(named)
    assert erase("--tenant", "은행", "--yes").text == "erased: 1\n"
    assert (erase("--yes", "--surrogate", person).code, erase("--yes", "--person").code) == (2, 2)
    assert run("vault", "sweep", *named).text == "destroyed: 0\n"


def test_keys_are_exported(named: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written out is what the variable takes."""
    exported = run("vault", "export-keys", "--keyring", tmp_path / "keys").text
    monkeypatch.setenv("SOVGUARD_KEYRING", exported)
    assert run("vault", "status", *named[:2]).code == 0
    refused = run("vault", "rotate", *named[:2])
    assert (refused.code, "--keyring" in refused.err) == (2, True)


def test_what_is_missing_is_said(named: list[object], tmp_path: Path) -> None:
    """A vault or keyring that is not there is an error, and nothing is made."""
    for options in (
        [],
        ["--vault", tmp_path / "none.db", *named[2:]],
        [*named[:2], "--keyring", tmp_path / "none"],
    ):
        assert run("vault", "status", *options).code == 2
    assert not (tmp_path / "none.db").exists()


def test_redact_and_restore_through_a_vault(named: list[object], tmp_path: Path) -> None:
    """Files are redacted into a session and restored from it by another process; erased, they are not."""
    text = tmp_path / "a.txt"
    text.write_text(f"고객명: {NAME}, 연락처 {PHONE}\n", "utf-8")
    who = ["--session", "상담 1", "--tenant", "은행"]
    done = run("redact", text, *named, *who)
    assert done.code == 0
    assert NAME not in done.text
    assert run("redact", text, *named, *who).text == done.text
    assert run("restore", *named, *who, stdin=done.out).text == text.read_text("utf-8")
    other = run("restore", *named, "--session", "상담 2", stdin=done.out)
    assert (other.code, other.out) == (1, done.out)
    assert run("vault", "erase", *named, *who, "--yes").code == 0
    gone = run("restore", *named, *who, stdin=done.out)
    assert (gone.code, gone.out) == (1, done.out)


def test_one_place_for_a_mapping(named: list[object], tmp_path: Path) -> None:
    """A vault without a session, a session without a vault, and two places at once are errors."""
    for options in (
        named,
        ["--session", "x"],
        [*named, "--session", "x", "--keep", tmp_path / "map"],
    ):
        refused = run("redact", *options, stdin="a")
        assert (refused.code, "session" in refused.err or "vault" in refused.err) == (2, True)
    refused = run("restore", stdin="a")
    assert (refused.code, "--mapping" in refused.err) == (2, True)


def test_a_backup_is_put_back(named: list[object], tmp_path: Path) -> None:
    """As docs/vault.md says: what the backup knows is restored, what was sent after it is nobody's."""
    person, _ = filled(named)
    (tmp_path / "backup.db").write_bytes((tmp_path / "v.db").read_bytes())

    def minted(value: str) -> str:
        vault = open_vault(str(named[1]), Keyring.load(str(named[3])))
        session = Guard(_analyzer=PatternAnalyzer(), vault=vault).session("상담 1", tenant="은행")
        said = str(session.redact(value))
        vault.close()
        return said

    sent = minted("010-0000-7777")
    (tmp_path / "v.db").write_bytes((tmp_path / "backup.db").read_bytes())
    assert run("vault", "renumber", *named).text.strip() == "renumbered: 1 sessions"
    assert minted("010-0000-8888") != sent
    assert restored(named, person) == (NAME, [])
    assert restored(named, sent) == (sent, [])
