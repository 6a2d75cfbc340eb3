from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest

from sovguard.errors import ConfigError, LedgerError
from sovguard.ledger import LedgerKey
from sovguard.ledger.notes import Checkpoint, Identity, split_notes
from sovguard.ledger.signing import Verifier
from tests.ledger.places import KEY, OTHER

# From golang.org/x/mod/sumdb/note, whose notes C2SP signed-note describes.
PUBLISHED = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def test_a_published_note_opens() -> None:
    """A note that another implementation signed is read, and a changed one is not."""
    assert Verifier(PUBLISHED).open(NOTE) == "This is an example message.\n"
    with pytest.raises(LedgerError, match="was changed"):
        Verifier(PUBLISHED).open(NOTE.replace("an example", "no example"))


def test_notes_come_back() -> None:
    """What a key signs its verifier opens, beside signatures of others, and no other verifier does."""
    note = KEY.sign("a\nb\n")
    assert Verifier(KEY.verifier).open(note) == "a\nb\n"
    both = note + OTHER.sign("a\nb\n").rpartition("\n\n")[2]
    assert Verifier(OTHER.verifier).open(both) == Verifier(KEY.verifier).open(both) == "a\nb\n"
    with pytest.raises(LedgerError, match="another key"):
        Verifier(OTHER.verifier).open(note)


@pytest.mark.parametrize(
    "note", ["", "a\n", "a\n\n", "a\n\nb\n", "a\n\n— x y\n", NOTE[:-1], b"\xff", "\ud800"]
)
def test_what_is_no_note_is_not_opened(note: str | bytes) -> None:
    """Half of a note, and anything else, is one error that says so."""
    with pytest.raises(LedgerError, match="no signed note"):
        Verifier(PUBLISHED).open(note)


@pytest.mark.parametrize(
    "text", ["", "a", "a+b+c", PUBLISHED[:-1], PUBLISHED.replace("foo", "bar"), PUBLISHED.replace("+5", "+6")]
)
def test_what_is_no_verifier_is_refused(text: str) -> None:
    """A verifier string that was cut or changed checks nothing."""
    with pytest.raises(ConfigError, match="no verifier"):
        Verifier(text)


def test_a_key_is_saved_once(tmp_path: Path) -> None:
    """With mode 0600; it comes back from its file and from a variable, and is never replaced."""
    key = LedgerKey.generate("bank.example/ledger")
    key.save(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert LedgerKey.load(tmp_path / "key").export() == key.export()
    with pytest.raises(ConfigError, match="never replaced"):
        OTHER.save(tmp_path / "key")
    assert (tmp_path / "key").read_text("utf-8") == key.export()
    with pytest.raises(ConfigError, match="cannot be written"):
        key.save(tmp_path / "none" / "key")
    assert set(json.loads(key.export())) == {"sovguard-ledger-key", "name", "private", "sessions"}


def test_a_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As its file would hold it; an empty variable is an error."""
    monkeypatch.setenv("SOVGUARD_LEDGER_KEY", KEY.export())
    assert LedgerKey.from_environment().verifier == KEY.verifier
    monkeypatch.setenv("SOVGUARD_LEDGER_KEY", "")
    with pytest.raises(ConfigError, match="not set"):
        LedgerKey.from_environment()


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """As is a file that is none, of another version, or not there."""
    path = tmp_path / "key"
    KEY.save(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        LedgerKey.load(path)
    path.chmod(0o600)
    for text, said in (
        ("{", "no key"),
        ("[]", "no key"),
        (KEY.export().replace(": 1", ": 2"), "version"),
        (KEY.export().replace("AAEC", "AA"), "holds no key|octets"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(ConfigError, match=said):
            LedgerKey.load(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        LedgerKey.load(tmp_path / "none")
    for name in ("", "a b", "a+b", "한", "a" * 129):
        with pytest.raises(ConfigError, match="named"):
            LedgerKey.generate(name)


def test_a_key_shows_nothing_of_itself() -> None:
    """Neither its repr nor what holds it in its place."""
    secrets = json.loads(KEY.export())
    for shown in (repr(KEY), str(KEY), f"{KEY!r}", KEY.verifier):
        assert secrets["private"] not in shown
        assert secrets["sessions"] not in shown


def test_sessions_are_keyed() -> None:
    """Tenant and session under HMAC-SHA-256, with their lengths, so that neither can be moved into the other."""
    message = b"\0\0\0\6" + "은행".encode() + b"\0\0\0\1" + b"7"
    expected = hmac.digest(bytes(range(32, 64)), message, hashlib.sha256)[:16].hex()
    assert KEY.keyed("은행", "7") == expected
    assert len({KEY.keyed("a", "bc"), KEY.keyed("ab", "c"), KEY.keyed("abc", ""), KEY.keyed("", "abc")}) == 4
    assert KEY.keyed("\ud800", "") != KEY.keyed("", "\ud800")


def test_checkpoints_have_one_form() -> None:
    """A text that is not exactly what its checkpoint says is none."""
    point = Checkpoint("a/b", 7, bytes(32), ("x 1",))
    assert Checkpoint.parse(point.body) == point
    good = point.body
    for text in ("", "a\n", good + "\n", good[:-1], good.replace("7", "07"), good.replace("7", "-7"),
                 good.replace("AAA=", "AA=="), good.replace("AAA=", "AAA"), good.replace("a/b", "")):  # fmt: skip
        with pytest.raises(LedgerError, match="no checkpoint"):
            Checkpoint.parse(text)


def test_a_ledger_has_an_identity() -> None:
    """Its origins are told from those of other ledgers."""
    identity = Identity("bank/x", "0" * 32)
    assert Identity.parse(identity.text) == identity
    assert identity.log(identity.origin("0" * 16)) == "0" * 16
    assert identity.log(identity.origin("merged")) == "merged"
    for origin in ("x", identity.origin("nobody"), f"bank/x/{'1' * 32}/{'0' * 16}"):
        assert identity.log(origin) is None
    for text in ("", "x\n", identity.text.replace(" 1", " 2"), identity.text + "\n", identity.text[:-3]):
        with pytest.raises(LedgerError, match="which one it is"):
            Identity.parse(text)


def test_notes_in_a_file_are_told_apart() -> None:
    """However the last one was torn, those before it are whole."""
    notes = [KEY.sign(Checkpoint("a", size, bytes(32)).body).encode() for size in (1, 2)]
    content = b"".join(note + b"\n" for note in notes)
    assert split_notes(content) == (notes, len(content))
    first = len(notes[0]) + 1
    for end in range(first, len(content)):
        assert split_notes(content[:end]) == (notes[:1], first)
