from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sovguard import ConfigError, InvalidRecord
from sovguard.vault import Keyring, MissingKey

DATA_KEY = bytes(range(32))


def test_a_key_opens_for_its_context_alone() -> None:
    """Another context, another key and a changed byte are one error; a key that is not there is another."""
    keys = Keyring.generate()
    key_id, wrapped = keys.wrap(DATA_KEY, b"one")
    assert keys.unwrap(key_id, wrapped, b"one") == DATA_KEY
    changed = bytes([wrapped[0] ^ 1]) + wrapped[1:]
    for given in ((wrapped, b"two"), (changed, b"one"), (wrapped[:-1], b"one")):
        with pytest.raises(InvalidRecord):
            keys.unwrap(key_id, *given)
    with pytest.raises(InvalidRecord):
        Keyring.generate().unwrap(key_id, wrapped, b"one")
    with pytest.raises(MissingKey, match="no key k9"):
        keys.unwrap("k9", wrapped, b"one")


def test_rotation_keeps_what_was_and_uses_what_is_new() -> None:
    """The new key wraps, the old one still opens until it is taken out; the one in use cannot be."""
    old = Keyring.generate()
    key_id, wrapped = old.wrap(DATA_KEY, b"")
    new = old.with_new_key()
    assert new.ids == ("k1", new.active)
    assert new.active.startswith("k2-")
    assert old.with_new_key().active != new.active
    prepared = old.with_new_key(active=False)
    assert (prepared.active, prepared.with_newest_active().active) == ("k1", prepared.ids[1])
    assert (new.precedes("k1", new.active), new.precedes(new.active, "k1"), new.precedes("x", "k1")) == (
        True,
        False,
        False,
    )
    assert new.unwrap(key_id, wrapped, b"") == DATA_KEY
    assert new.wrap(DATA_KEY, b"")[0] == new.active
    only = new.without("k1")
    with pytest.raises(MissingKey):
        only.unwrap(key_id, wrapped, b"")
    with pytest.raises(ConfigError, match="in use"):
        only.without(new.active)
    with pytest.raises(ConfigError, match="no key k1"):
        only.without("k1")


def test_a_file_is_the_owners_alone(tmp_path: Path) -> None:
    """It has mode 0600, is not replaced unasked, comes back as it was, and is refused where others may read it."""
    place = tmp_path / "keys"
    keys = Keyring.generate().with_new_key()
    keys.save(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert Keyring.load(place).export() == keys.export()
    for other in (None, Keyring.generate()):
        with pytest.raises(ConfigError, match="exists"):
            Keyring.generate().save(place, replaces=other)
    assert Keyring.load(place).export() == keys.export()
    link = tmp_path / "link"
    link.symlink_to(place)
    newer = keys.with_new_key()
    newer.save(link, replaces=keys)
    assert (link.is_symlink(), Keyring.load(place).export()) == (True, newer.export())
    link.unlink()
    place.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        Keyring.load(place)
    assert [each.name for each in tmp_path.iterdir()] == ["keys"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"sovguard-keyring": 2, "active": "k1", "keys": {}}',
        '{"sovguard-keyring": 1, "active": "k1", "keys": {}}',
        '{"sovguard-keyring": 1, "active": "k1", "keys": {"k1": "AAAA"}}',
        '{"sovguard-keyring": 1, "active": "k1", "keys": {"k1": "!"}}',
        '{"sovguard-keyring": 1, "active": "k2", "keys": {"k1": "' + "A" * 43 + '="}}',
        '{"sovguard-keyring": 1, "active": "a b", "keys": {"a b": "' + "A" * 43 + '="}}',
    ],
)
def test_what_is_no_keyring_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    """From a file and from the environment, with an error that shows nothing of it."""
    place = tmp_path / "keys"
    place.touch(0o600)
    place.write_text(text)
    monkeypatch.setenv("SOVGUARD_KEYRING", text)
    for load in (lambda: Keyring.load(place), Keyring.from_environment):
        with pytest.raises(ConfigError) as refused:
            load()
        assert "AAAA" not in str(refused.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        Keyring.load(tmp_path / "nothing")


def test_the_environment_holds_what_a_file_would(monkeypatch: pytest.MonkeyPatch) -> None:
    """For containers, whose secrets come as variables."""
    keys = Keyring.generate()
    monkeypatch.setenv("SOVGUARD_KEYRING", keys.export())
    assert Keyring.from_environment().export() == keys.export()
    assert os.environ["SOVGUARD_KEYRING"].count("k1") == 2
    assert "k1" in repr(keys)
    assert keys.export().split('"')[-2] not in repr(keys)
