from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import PHONE, VALUES, run

FILES = {
    "a.log": f"{PHONE}로 연락\n\n없음\n",
    "a.jsonl": json.dumps({"memo": PHONE}) + "\nbroken\n[1]\n",
    "a.csv": f"전화,비고\n{PHONE},x\n,\n",
}


@pytest.mark.parametrize("name", list(FILES))
def test_figures_of_a_file(tmp_path: Path, name: str) -> None:
    """For programs and for people; no value is among them."""
    path = tmp_path / name
    path.write_text(FILES[name], "utf-8")
    done = run("bench", path, "--names", "off", "--json")
    told = json.loads(done.out)
    way = told["ways"]["off"]
    assert (done.code, told["records"], list(told["ways"])) == (0, 3 if name == "a.jsonl" else 2, ["off"])
    assert way["records_per_second"] > 0
    assert 0 < way["one_record_ms_p50"] <= way["one_record_ms_p99"]
    assert way["memory_mib"] > 10
    assert way["found_per_thousand"]["PHONE_NUMBER"] > 0
    plain = run("bench", path, "--names", "off", "--records", 1, "--seconds", 0.1)
    assert "records/s" in plain.text
    assert not any(value in plain.text + done.text for value in VALUES)


def test_nothing_to_measure_with(tmp_path: Path) -> None:
    """An empty file, and one that is not there."""
    (tmp_path / "empty.log").write_text("\n\n")
    for path in (tmp_path / "empty.log", tmp_path / "none.log"):
        assert run("bench", path).code == 2
