from __future__ import annotations

import os
from pathlib import Path

import pytest

from sovguard import ConfigError, Guard, InvalidRecord
from sovguard.vault import MemoryVault, SessionRef
from sovguard.vault.crypto import seal_with_passphrase as seal
from sovguard.vault.mapping_file import check_place, read_mapping, write_mapping
from tests.servers import TEXT, VALUES, PatternAnalyzer

REF = SessionRef("acme", "상담-42")


@pytest.fixture
def vault() -> MemoryVault:
    """A vault whose one session knows the made-up values."""
    vault = MemoryVault()
    Guard(vault=vault, _analyzer=PatternAnalyzer()).session(REF.session_id, tenant=REF.tenant).redact(TEXT)
    return vault


def test_another_process_restores_what_the_file_holds(tmp_path: Path, vault: MemoryVault) -> None:
    """A vault read from the file restores, and goes on minting without using a surrogate twice."""
    session = Guard(vault=vault, _analyzer=PatternAnalyzer()).session(REF.session_id, tenant=REF.tenant)
    sent = session.redact(TEXT).text
    write_mapping(tmp_path / "m", vault, REF, "열쇠말")
    read, ref = read_mapping(tmp_path / "m", "열쇠말")
    assert ref == REF
    later = Guard(vault=read, _analyzer=PatternAnalyzer()).session(ref.session_id, tenant=ref.tenant)
    assert later.restore(sent).text == TEXT
    assert later.redact(TEXT).text == sent
    new = later.redact("010-0000-9999").text
    assert new not in sent
    assert later.restore(new).text == "010-0000-9999"


def test_the_file_is_private_and_sealed(tmp_path: Path, vault: MemoryVault) -> None:
    """Only its owner may read it, nothing of a value or an id stands in it, and nothing else is left behind."""
    mask = os.umask(0)
    try:
        write_mapping(tmp_path / "m", vault, REF, "열쇠말")
    finally:
        os.umask(mask)
    data = (tmp_path / "m").read_bytes()
    assert (tmp_path / "m").stat().st_mode & 0o777 == 0o600
    assert not any(value.encode() in data for value in (*VALUES, REF.session_id, REF.tenant))
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_file_is_replaced_only_when_asked(tmp_path: Path, vault: MemoryVault) -> None:
    """What stands there, be it a dangling link, stays unless replacing is asked for; a folder always stays."""
    place = tmp_path / "m"
    place.write_bytes(b"older")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for path in (place, tmp_path / "link", tmp_path):
        with pytest.raises(ConfigError, match="exists"):
            write_mapping(path, vault, REF, "열쇠말")
    assert place.read_bytes() == b"older"
    with pytest.raises(ConfigError):
        check_place(tmp_path, replace=True)
    write_mapping(place, vault, REF, "열쇠말", replace=True)
    assert read_mapping(place, "열쇠말")[1] == REF


def test_a_file_made_meanwhile_is_not_replaced(
    tmp_path: Path, vault: MemoryVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that appears between the look and the writing stays as it is."""
    place = tmp_path / "m"
    monkeypatch.setattr(
        "sovguard.vault.mapping_file.check_place", lambda path, *, replace: path.write_bytes(b"theirs")
    )
    with pytest.raises(ConfigError, match="another program"):
        write_mapping(place, vault, REF, "열쇠말")
    assert place.read_bytes() == b"theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_what_cannot_be_used_is_said(tmp_path: Path, vault: MemoryVault) -> None:
    """No folder, no file, no passphrase and foreign content are typed errors."""
    with pytest.raises(ConfigError, match="folder"):
        write_mapping(tmp_path / "none" / "m", vault, REF, "열쇠말")
    with pytest.raises(ConfigError, match="empty"):
        write_mapping(tmp_path / "m", vault, REF, "")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_mapping(tmp_path / "m", "열쇠말")
    for content in (b"[]", b"{}", b"\xff", b'{"tenant": "a", "session": "b"}'):
        (tmp_path / "m").write_bytes(seal(content, "열쇠말"))
        with pytest.raises(InvalidRecord, match="version"):
            read_mapping(tmp_path / "m", "열쇠말")


def test_a_session_that_minted_nothing_can_be_kept(tmp_path: Path) -> None:
    """A text in which nothing was found leaves a mapping that opens and knows nothing."""
    write_mapping(tmp_path / "m", MemoryVault(), REF, "열쇠말")
    read, ref = read_mapping(tmp_path / "m", "열쇠말")
    assert read.get(ref, ["PHONE-K7QM001R"]) == {}
