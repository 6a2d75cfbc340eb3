"""The frozen ledger of version 1, and the written format read by hand: neither may ever break."""

from __future__ import annotations

import base64
import hmac
import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sovguard.ledger import LedgerKey, check, prove, verify
from sovguard.ledger.records import line_of, link
from sovguard.ledger.signing import Verifier
from sovguard.ledger.tree import leaf, root
from tests.ledger.places import KEY, fill, opened

DATA = Path(__file__).parents[1] / "data/ledger-v1"
VECTORS: dict[str, Any] = json.loads((DATA.parents[1] / "vectors/ledger.json").read_text("utf-8"))
VERIFIER = (DATA / "verifier").read_text("utf-8")
KEPT = (DATA / "kept").read_text("utf-8")
FIRST, SECOND = "00000000000000aa", "00000000000000bb"


def test_the_frozen_ledger_verifies() -> None:
    """Every record of version 1 is what was written, by the ledger alone and by the note that was kept."""
    found = verify(str(DATA / "ledger"), VERIFIER, kept=[KEPT])
    assert (found.bad, found.records, found.writers, found.checkpoints, found.merged) == ((), 13, 2, 4, 1)
    assert (found.unsigned, found.torn_octets) == (0, 0)
    proof = json.loads((DATA / "proof.json").read_text("utf-8"))
    assert prove(str(DATA / "ledger"), FIRST, 5) == proof
    assert check(proof, VERIFIER)["of"] == 5


def test_the_frozen_ledger_goes_on(tmp_path: Path) -> None:
    """It is opened with its key and written to, and all of it verifies."""
    folder = Path(shutil.copytree(DATA / "ledger", tmp_path / "l"))
    ledger = opened(folder)
    assert ledger.recovered == 0
    fill(ledger, 3)
    assert sum(1 for _ in ledger.records()) == 16
    note = ledger.merge()
    ledger.close()
    assert verify(str(folder), VERIFIER, kept=[KEPT, note]).ok


def test_every_text_that_json_writes_in_two_ways_is_there() -> None:
    """The record of the second log holds what serializers differ in, and comes back as it was."""
    (line,) = (DATA / "ledger" / SECOND / "00000001.jsonl").read_bytes().splitlines()
    record = json.loads(line)
    assert record["text"] == '줄\n바꿈 "따옴표" \\ \u2028 é 😀'
    assert record["numbers"] == [0, -1, 1.0, 1e22, 1e-7, 9007199254740993]
    assert json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() == line


def b64(octets: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(octets).decode()


def opened_by_hand(note: str) -> list[str]:
    """The lines of a note whose signature fits."""
    name, key_hash, encoded = VERIFIER.strip().split("+", 2)
    public = base64.b64decode(encoded)
    assert sha256(name.encode() + b"\n" + public).digest()[:4].hex() == key_hash
    text, _, signature = note.rpartition("\n\n")
    dash, signer, blob = signature.rstrip("\n").split(" ")
    assert (dash, signer) == ("—", name)
    octets = base64.b64decode(blob)
    assert octets[:4].hex() == key_hash
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(octets[4:], f"{text}\n".encode())
    return text.split("\n")


def hkdf(key: bytes, info: bytes) -> bytes:
    """32 octets of RFC 5869 with SHA-256 and no salt."""
    return hmac.digest(hmac.digest(bytes(32), key, "sha256"), info + b"\x01", "sha256")


def tree_head(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962."""
    if len(leaves) < 2:
        return sha256(b"\0" + leaves[0]).digest() if leaves else sha256().digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + tree_head(leaves[:split]) + tree_head(leaves[split:])).digest()


def test_the_format_is_the_one_that_is_written_down() -> None:
    """docs/ledger-format.md is enough to verify a ledger: this does, with nothing of sovguard."""
    folder = DATA / "ledger"
    head, identity = opened_by_hand((folder / "ledger").read_text("utf-8"))
    assert head == "sovguard ledger 1"
    bodies = {}
    for log in sorted(path for path in folder.iterdir() if path.is_dir()):
        content = b"".join(path.read_bytes() for path in sorted(log.glob("*.jsonl")))
        lines = content.split(b"\n")
        assert lines.pop() == b""
        previous = f"{identity}/{log.name}".encode()
        for number, line in enumerate(lines):
            record = json.loads(line)
            assert (
                json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() == line
            )
            assert (record["v"], record["n"]) == (1, number)
            half = base64.urlsafe_b64encode(sha256(previous).digest()[:16]).decode().rstrip("=")
            assert record["p"] == half
            previous = line
            tag = record.pop("m")
            octets = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
            mac = hmac.digest(hkdf(bytes(range(32)), b"sovguard ledger 1 tags"), octets, "sha256")[:16]
            assert tag == base64.urlsafe_b64encode(mac).decode().rstrip("=")
        pieces = (log / "checkpoints").read_text("utf-8").split("\n\n")
        assert pieces.pop() == ""
        for text, signatures in zip(pieces[::2], pieces[1::2], strict=True):
            said = opened_by_hand(f"{text}\n\n{signatures}\n")
            assert said[:3] == [f"{identity}/{log.name}", said[1], b64(tree_head(lines[: int(said[1])]))]
            bodies[log.name] = "".join(f"{line}\n" for line in said[:3]).encode()
        assert (len(lines), said[3:]) == (int(said[1]), ["ended"])
    merged = opened_by_hand(KEPT)
    assert (folder / "merged").read_text("utf-8") == f"{KEPT}\n"
    leaves = [bodies[name] for name in sorted(bodies)]
    assert merged[:3] == [f"{identity}/merged", "2", b64(tree_head(leaves))]
    assert merged[3:] == [f"{FIRST} 12", f"{SECOND} 1"]


def test_vectors() -> None:
    """Sessions, tags, links, lines, roots and notes are those of tests/vectors/ledger.json."""
    said = VECTORS["key"]
    key = LedgerKey(said["name"], bytes.fromhex(said["private"]), bytes.fromhex(said["sessions"]))
    assert key.verifier == said["verifier"] == VERIFIER.strip() == KEY.verifier
    for each in VECTORS["keyed"]:
        assert key.keyed(each["tenant"], each["session"]) == each["tag"]
    for each in VECTORS["tags"]:
        assert key.tag(each["of"].encode()) == each["tag"]
    for each in VECTORS["links"]:
        assert link(each["of"].encode()) == each["link"]
    for each in VECTORS["lines"]:
        given = {name: each[name] for name in ("number", "milliseconds", "previous")}
        assert line_of(each["kind"], each["fields"], **given, tag=key.tag).decode() == each["line"]
    lines = b"".join(
        path.read_bytes() for path in sorted((DATA / "ledger" / FIRST).glob("*.jsonl"))
    ).splitlines()
    for each in VECTORS["roots"]:
        assert root([leaf(line) for line in lines[: each["size"]]]).hex() == each["root"]
    for each in VECTORS["notes"]:
        assert key.sign(each["text"]) == each["note"]
        assert Verifier(VERIFIER).open(each["note"]) == each["text"]


@pytest.mark.parametrize("name", ["verifier", "kept", "proof.json"])
def test_nothing_secret_is_in_what_is_given_away(name: str) -> None:
    """The public string, a kept note and a proof hold no key."""
    text = (DATA / name).read_text("utf-8")
    for secret in (bytes(range(32)), bytes(range(32, 64))):
        assert b64(secret)[:20] not in text
