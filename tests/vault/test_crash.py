"""Writers that are killed at any moment: what they acknowledged is there. ``benchmarks/vault.py`` does it 200 times."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time

import pytest

from sovguard.vault import Entry, Keyring, SealedVault, SessionRef
from tests.vault.places import Place

KILLS = 5
REF = SessionRef("acme", "killed")
WRITER = """
import json, os, sys
from sovguard.vault import Entry, Keyring, SessionRef, open_vault

address, first = sys.argv[1], int(sys.argv[2])
vault = open_vault(address, Keyring.from_environment())
ref = SessionRef("acme", "killed")
vault.open(ref)
while True:
    batch = [f"010-0000-{number:06d}" for number in range(first, first + 7)]
    surrogates = vault.put(ref, [Entry("PHONE_NUMBER", value) for value in batch])
    print(json.dumps(dict(zip(surrogates, batch, strict=True))), flush=True)
    first += 7
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "redis"])
def test_what_was_acknowledged_survives(kind: str, request: pytest.FixtureRequest) -> None:
    """Every surrogate that a killed writer was given restores to its value, and to no other."""
    place: Place = request.getfixturevalue(kind)
    keys = Keyring.generate()
    SealedVault.create(place.store(create=True), keys).close()
    told: dict[str, str] = {}
    for turn in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, place.address, str(turn * 10_000)],
            env={"SOVGUARD_KEYRING": keys.export(), "PATH": ""},
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline()]
            time.sleep(random.uniform(0, 0.05))  # noqa: S311
            writer.kill()
            lines += writer.stdout.readlines()
        assert writer.returncode == -signal.SIGKILL
        for line in lines:
            if line.endswith("\n"):
                for surrogate, value in json.loads(line).items():
                    assert told.setdefault(surrogate, value) == value
    vault = SealedVault(place.store(), keys)
    assert len(told) >= 7 * KILLS
    assert vault.get(REF, list(told)) == {
        surrogate: Entry("PHONE_NUMBER", value) for surrogate, value in told.items()
    }
    vault.close()
