from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.command import EMAIL, PHONE, RRN, VALUES, run

TABLE = f"이름,전화,비고\n가,{PHONE},x\n나,,{EMAIL}\n"
OBJECTS = f'{{"memo": "{RRN}", "n": 1}}\n{{"memo": "{PHONE}"}}\n'
OFF = ("--names", "off")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key."""
    path = tmp_path / "key"
    assert run("key", path).code == 0
    return path


def test_a_key_is_made_once(key: Path) -> None:
    """For its owner alone, and is never replaced."""
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    again = run("key", key)
    assert (again.code, "exists" in again.err, key.read_bytes()) == (2, True, before)


def test_a_file_goes_and_comes_back(tmp_path: Path, key: Path) -> None:
    """Octet for octet, in CP949 too, with the key from a file or the environment."""
    path, done, back = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"
    path.write_bytes(TABLE.encode("cp949"))
    scope = ("--dataset", "상담", "--key", key)
    made = run("redact", path, "-o", done, *scope, *OFF)
    assert (made.code, "2 records" in made.err) == (0, True)
    assert not any(value in done.read_bytes().decode("cp949") for value in VALUES)
    assert run("restore", done, "-o", back, *scope).code == 0
    assert back.read_bytes() == path.read_bytes()
    other = run("restore", done, "-o", back, "--dataset", "다른 것", "--key", key)
    assert (other.code, "of another key" in other.err) == (1, True)
    assert back.read_bytes() == done.read_bytes()


def test_the_key_may_be_in_the_environment(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its file holds it."""
    path = tmp_path / "a.jsonl"
    path.write_text(OBJECTS, "utf-8")
    monkeypatch.setenv("SOVGUARD_PIPELINE_KEY", key.read_text())
    said = run("redact", path, "-o", tmp_path / "b.jsonl", "--join-group", "고객", "--json", *OFF)
    report = json.loads(said.out)
    assert (said.code, report["records"], report["values"]) == (0, 2, {"KR_RRN": 1, "PHONE_NUMBER": 1})
    monkeypatch.setenv("SOVGUARD_PIPELINE_KEY", "short")
    refused = run("redact", path, "-o", tmp_path / "b.jsonl", "--dataset", "d", *OFF)
    assert (refused.code, "short" in refused.err) == (2, False)


def test_folders_and_what_is_wrong_in_them(tmp_path: Path, key: Path) -> None:
    """Files keep their places; links are not followed; one that is damaged is named, and the rest is done."""
    folder, out = tmp_path / "in", tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.csv").write_text(TABLE, "utf-8")
    (folder / "deep" / "b.jsonl").write_text(OBJECTS + "{bad\n", "utf-8")
    (folder / "c.log.gz").write_bytes(b"\x1f\x8b\x08broken")
    (folder / "deep" / "loop").symlink_to(folder)
    (folder / "link.csv").symlink_to(folder / "a.csv")
    done = run("redact", folder, "-o", out, "--dataset", "d", "--key", key, "--workers", 2, *OFF)
    assert done.code == 1
    assert "c.log.gz" in done.err
    assert "b.jsonl, line 3" in done.err
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()) == [
        "a.csv",
        "deep/b.jsonl",
    ]
    rejects = tmp_path / "rejects"
    one = run(
        "redact",
        folder / "deep" / "b.jsonl",
        "-o",
        tmp_path / "x",
        "--action",
        "remove",
        "--rejects",
        rejects,
        *OFF,
    )
    assert (one.code, rejects.read_text("utf-8")) == (1, "{bad\n")
    assert "[삭제]" in (tmp_path / "x").read_text("utf-8")


def test_an_interrupted_run_goes_on(tmp_path: Path, key: Path) -> None:
    """With --resume, from what is there; without anything to go on from, from the beginning."""
    path, done = tmp_path / "a.log", tmp_path / "b.log"
    path.write_text(f"{PHONE}\n" * 10, "utf-8")
    scope = ("--dataset", "d", "--key", key)
    assert run("redact", path, "-o", done, *scope, "--resume", *OFF).code == 0
    (tmp_path / "b.log.progress").write_text("{}", "utf-8")
    told = run("redact", path, "-o", done, *scope, "--resume", *OFF)
    assert (told.code, "begin anew" in told.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--workers", "2"], "--dataset"),
        (["--resume"], "--dataset"),
        (["--dataset", "d"], "--key"),
        (["--dataset", "d", "--join-group", "g", "--key", "KEY"], "dataset"),
        (["--dataset", "d", "--key", "KEY", "--keep", "map"], "no mapping"),
        (["--dataset", "d", "--key", "KEY", "--format", "json"], "text, jsonl, csv"),
        (["--dataset", "d", "--action", "mask"], "no surrogates"),
        (["--action", "mask", "--delimiter", "ab"], "one character"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, key: Path, options: list[str], said: str) -> None:
    """Each is told in one line, and nothing is written."""
    path = tmp_path / "a.log"
    path.write_text(PHONE, "utf-8")
    done = run(
        "redact", path, "-o", tmp_path / "b", *[str(key) if each == "KEY" else each for each in options]
    )
    assert (done.code, said in done.err) == (2, True)
    assert not os.path.exists(tmp_path / "b")


def test_what_needs_names_says_so(tmp_path: Path, key: Path) -> None:
    """A file without an output; two files of one name do not become one."""
    scope = ("--dataset", "d", "--key", key)
    path = tmp_path / "a.log"
    path.write_text(PHONE, "utf-8")
    assert run("redact", path, *scope).code == 2
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.log").write_text(PHONE, "utf-8")
    both = run("redact", path, tmp_path / "other" / "a.log", "-o", tmp_path / "out", *scope, *OFF)
    assert (both.code, "two files" in both.err) == (2, True)


@pytest.mark.parametrize("packing", [bytes, gzip.compress])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_pipe_goes_and_comes_back(key: Path, packing: Any, workers: int) -> None:
    """Through standard input and output, as it came, more than one look at it holds."""
    said = (OBJECTS * 40_000).encode()
    scope = ("--dataset", "d", "--key", key, "--workers", workers)
    made = run("redact", "-", *scope, *OFF, "--format", "jsonl", stdin=packing(said))
    assert (made.code, "80,000 records" in made.err) == (0, True)
    plain = gzip.decompress(made.out) if packing is gzip.compress else made.out
    assert not any(value.encode() in plain for value in VALUES)
    back = run("restore", *scope, "--format", "jsonl", stdin=made.out)
    assert (gzip.decompress(back.out) if packing is gzip.compress else back.out) == said


def test_a_pipe_into_a_file(tmp_path: Path, key: Path) -> None:
    """Which is there when all of it is; a field that no record has leaves none, and bad lines are told."""
    scope = ("--dataset", "d", "--key", key, *OFF, "--format", "jsonl")
    done = tmp_path / "b.jsonl"
    told = run("redact", *scope, "-o", done, "--json", stdin=OBJECTS + "no JSON\n")
    assert (told.code, json.loads(told.out)["bad_count"]) == (1, 1)
    assert len(done.read_text().splitlines()) == 2
    absent = run("redact", *scope, "-o", tmp_path / "c.jsonl", "--field", "없음", stdin=OBJECTS)
    assert (absent.code, "has the field" in absent.err) == (2, True)
    assert sorted(os.listdir(tmp_path)) == ["b.jsonl", "key"]
    for options in (("--resume",), ("--rejects", tmp_path / "r"), ("--json",)):
        assert run("redact", *scope, *options, stdin=OBJECTS).code == 2
    table = run("redact", *scope[:-2], "--delimiter", ",", stdin=TABLE.encode("cp949"))
    assert table.out.decode("cp949").startswith("이름,전화,비고\n가,PHONE~1")
    wide = run("redact", *scope[:-2], "--delimiter", ",", stdin=TABLE.encode("utf-16"))
    assert wide.out.decode("utf-16").startswith("이름,전화,비고\n가,PHONE~1")
    assert run("redact", *scope[:-2], stdin=b"").out == b""


def test_patterns_of_files(tmp_path: Path, key: Path) -> None:
    """Stand for what they match, in folders too, where the shell did not say so; a file with such a name is itself."""
    scope = ("--dataset", "d", "--key", key, *OFF)
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("a.log", "deep/b.log", "c.txt"):
        (tmp_path / "in" / name).write_text(PHONE, "utf-8")
    assert run("redact", f"{tmp_path}/in/**/*.log", "-o", tmp_path / "out", *scope).code == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["a.log", "b.log"]
    nothing = run("redact", f"{tmp_path}/in/*.none", "-o", tmp_path / "x", *scope)
    assert (nothing.code, "matches no file" in nothing.err) == (2, True)
    (tmp_path / "[a].log").write_text(PHONE, "utf-8")
    assert run("redact", tmp_path / "[a].log", "-o", tmp_path / "y.log", *scope).code == 0
