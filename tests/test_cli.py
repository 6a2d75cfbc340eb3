from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sovguard import Guard
from sovguard.cli import cli
from sovguard.cli_mapping import passphrase_for
from tests.command import ACCOUNT, EMAIL, NAME, PASSPHRASE, PHONE, RRN, TEXT, VALUES, run, run_apart

ROOT = Path(__file__).resolve().parents[1]
OFF = ("--names", "off")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_a_file_comes_back_byte_for_byte(tmp_path: Path, encoding: str) -> None:
    """What redact swapped in one process, restore puts back in another: line ends, BOM and encoding kept."""
    source, sent, mapping = tmp_path / "상담.txt", tmp_path / "b.txt", tmp_path / "m"
    source.write_bytes(TEXT.encode(encoding))
    named = () if encoding.startswith("utf-8") else ("--encoding", encoding)
    out = run_apart("redact", source, "-o", sent, "--keep", mapping, *named)
    left = sent.read_bytes()
    assert (out.code, out.out, out.err) == (0, b"", "")
    assert not any(value.encode(encoding) in left for value in VALUES)
    assert left.decode(encoding).count("\r\n") == TEXT.count("\r\n")
    assert left.startswith(source.read_bytes()[:6])
    back = run_apart("restore", sent, "--mapping", mapping, *named)
    assert back.code == 0
    assert back.out == source.read_bytes()


def test_a_pipe_goes_through(tmp_path: Path) -> None:
    """From standard input to standard output and back, also through python -m sovguard.cli and the script."""
    mapping = tmp_path / "m"
    script = Path(sys.executable).with_name("sovguard")
    sent = run_apart("redact", "-", "--keep", mapping, stdin=TEXT.encode(), module="sovguard.cli")
    assert sent.code == 0
    assert not any(value in sent.text for value in VALUES)
    back = subprocess.run(
        [script, "restore", "--mapping", mapping],
        input=sent.out,
        capture_output=True,
        env=os.environ | {"SOVGUARD_PASSPHRASE": PASSPHRASE},
        check=True,
    )
    assert back.stdout == TEXT.encode()
    assert back.stderr == b""


def test_jsonl_comes_back(tmp_path: Path) -> None:
    """Strings are read with their keys as context, other lines stay as they are, and all comes back."""
    source, mapping = tmp_path / "a.jsonl", tmp_path / "m"
    rows = [{"계좌번호": "110000000017", "n": 1.5}, [PHONE, None], {"a": "그대로"}, RRN]
    text = "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n"
    source.write_bytes(text.encode())
    sent = run("redact", source, "--keep", mapping, *OFF)
    first, second, third, fourth = [json.loads(line) for line in sent.text.split("\n")[:4]]
    assert first["계좌번호"].startswith("ACCOUNT-")
    assert second[0].startswith("PHONE-")
    assert third == rows[2]
    assert fourth.startswith("RRN-")
    assert run("restore", "-", "--format", "jsonl", "--mapping", mapping, stdin=sent.out).out == text.encode()


def test_fields_limit_what_is_redacted(tmp_path: Path) -> None:
    """--field leaves the other fields alone, and a field that is nowhere is an error and not an open door."""
    row = json.dumps({"a": PHONE, "b": EMAIL})
    options = ("redact", "--format", "jsonl", *OFF)
    done = json.loads(run(*options, "--field", "b", stdin=row).out)
    assert done["a"] == PHONE
    assert done["b"].startswith("EMAIL-")
    assert "'c'" in run(*options, "--field", "c", stdin=row).err
    assert "--format jsonl" in run("redact", *OFF, "--field", "a", stdin=row).err
    assert "line 2" in run(*options, "--field", "a", stdin=f"{row}\n3\n").err


def test_several_files_go_into_a_folder(tmp_path: Path) -> None:
    """Each result gets its file's name; what would overwrite another or run together is refused."""
    folder, mapping = tmp_path / "out", tmp_path / "m"
    first, second = tmp_path / "a.txt", tmp_path / "b.jsonl"
    first.write_text(TEXT, newline="")
    second.write_text(json.dumps([PHONE]) + "\n")
    assert run("redact", first, second, "-o", folder, "--keep", mapping, *OFF).code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["a.txt", "b.jsonl"]
    back = tmp_path / "back"
    assert run("restore", folder / "a.txt", folder / "b.jsonl", "-o", back, "--mapping", mapping).code == 0
    assert (back / "a.txt").read_bytes() == first.read_bytes()
    assert (back / "b.jsonl").read_bytes() == second.read_bytes()
    assert "-o" in run("redact", first, second, *OFF).err
    assert "same name" in run("redact", first, folder / "a.txt", "-o", back, *OFF).err
    assert "a folder" in run("redact", first, second, "-o", first, *OFF).err
    assert "once" in run("scan", "-", "-").err


def test_nothing_is_written_unless_all_is(tmp_path: Path) -> None:
    """If a later file or the mapping fails, earlier results are not there, and nothing half done is."""
    good, bad, out = tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "out"
    good.write_text(TEXT)
    bad.write_bytes(b"\xff\xfe\xff")
    out.mkdir()
    (out / "a.txt").write_text("before")
    assert run("redact", good, bad, "-o", out, *OFF).code == 2
    assert run("redact", good, "-o", out, "--keep", tmp_path / "none" / "m", *OFF).code == 2
    assert [path.name for path in out.iterdir()] == ["a.txt"]
    assert (out / "a.txt").read_text() == "before"


def test_the_only_copy_is_not_replaced(tmp_path: Path) -> None:
    """Redacting a file in its place needs a kept mapping, and a mapping takes nobody's place."""
    source, mapping = tmp_path / "a.txt", tmp_path / "m"
    source.write_bytes(TEXT.encode())
    assert "--keep" in run("redact", source, "-o", source, *OFF).err
    assert "--keep" in run("redact", source, "--keep", source, "--force", *OFF).err
    assert source.read_bytes() == TEXT.encode()
    source.chmod(0o640)
    assert run("redact", source, "-o", source, "--keep", mapping, *OFF).code == 0
    assert PHONE.encode() not in source.read_bytes()
    assert source.stat().st_mode & 0o777 == 0o640
    assert run("restore", source, "-o", source, "--mapping", mapping).code == 0
    assert source.read_bytes() == TEXT.encode()


def test_devices_and_links_stay_what_they_are(tmp_path: Path) -> None:
    """Output through a link lands in the file it leads to, and a pipe is written to."""
    real, link, pipe = tmp_path / "real", tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(real)
    assert run("redact", "-o", link, *OFF, stdin="안녕").code == 0
    assert link.is_symlink()
    assert real.read_text() == "안녕"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run("redact", "-o", pipe, *OFF, stdin="안녕").code == 0
        assert os.read(reader, 100).decode() == "안녕"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_mapping_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    """A wrong passphrase and a changed file are one error; an existing mapping is not replaced unasked."""
    mapping = tmp_path / "m"
    assert run("redact", "--keep", mapping, *OFF, stdin=TEXT).code == 0
    kept = mapping.read_bytes()
    assert kept[0] == 1
    assert mapping.stat().st_mode & 0o077 == 0
    again = run("redact", "--keep", mapping, *OFF, stdin=TEXT)
    assert (again.code, again.out, mapping.read_bytes()) == (2, b"", kept)
    assert "another file" in again.err
    wrong = run("restore", "--mapping", mapping, stdin="x", passphrase="다른 말")
    mapping.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    changed = run("restore", "--mapping", mapping, stdin="x")
    assert (wrong.code, changed.code, wrong.out, changed.out) == (2, 2, b"", b"")
    assert wrong.err == changed.err
    assert "SOVGUARD_PASSPHRASE" in run("redact", "--keep", tmp_path / "n", stdin="x", passphrase="").err
    assert "check its name" in run("restore", "--mapping", tmp_path / "n", stdin="x").err


def test_restore_reports_what_it_does_not_know(tmp_path: Path) -> None:
    """A surrogate of another session stays, is counted and listed, and makes the exit code 1."""
    mapping = tmp_path / "m"
    run("redact", "--keep", mapping, *OFF, stdin=TEXT)
    out = run("restore", "--mapping", mapping, stdin="PHONE-K7QM001R, PHONE-K7QM001R")
    assert (out.code, out.text) == (1, "PHONE-K7QM001R, PHONE-K7QM001R")
    assert "1 surrogate is unknown" in out.err
    assert "PHONE-K7QM001R" in out.err
    rows = '{"a": ["PHONE-K7QM001R"]}\n"\\u0050HONE-K7QM002R"\n'
    out = run("restore", "--mapping", mapping, "--format", "jsonl", "--json", stdin=rows)
    assert out.code == 1
    assert json.loads(out.out) == {
        "file": "<stdin>",
        "text": rows,
        "unresolved": ["PHONE-K7QM001R", "PHONE-K7QM002R"],
    }


def test_scan_tells_where_and_why_but_not_what() -> None:
    """Piped, scan prints a line a detection without values, and exits with 1 if there was one."""
    out = run_apart("scan", stdin=TEXT.encode())
    rows = [line.split("\t") for line in out.text.splitlines()]
    assert (out.code, out.err) == (1, "")
    assert [(*row[:4],) for row in rows] == [
        ("<stdin>", "2", "6", "PERSON"),
        ("<stdin>", "2", "14", "PHONE_NUMBER"),
        ("<stdin>", "4", "6", "KR_RRN"),
        ("<stdin>", "4", "25", "EMAIL_ADDRESS"),
        ("<stdin>", "5", "6", "KR_BANK_ACCOUNT"),
    ]
    assert all(len(row) == 7 and float(row[4]) >= 0.5 for row in rows)
    assert rows[4][6] == "계좌번호"
    assert not any(value in out.text for value in VALUES)
    shown = run("scan", "--show-values", *OFF, stdin=TEXT).text.splitlines()
    assert [line.rpartition("\t")[2] for line in shown] == [PHONE, RRN, EMAIL, ACCOUNT]
    clean = run("scan", *OFF, stdin="안녕하세요")
    assert (clean.code, clean.out) == (0, b"")


def test_scan_as_json(tmp_path: Path) -> None:
    """The JSON has offsets and evidence of each file on a line of its own, and values only when asked."""
    plain = run("scan", "--json", *OFF, "--type", "KR_RRN", stdin=TEXT)
    report = json.loads(plain.out)
    (hit,) = report["detections"]
    assert report["file"] == "<stdin>"
    assert TEXT[hit["start"] : hit["end"]] == RRN
    assert set(hit) == {"entity_type", "start", "end", "score", "recognizer", "evidence"}
    assert set(hit["evidence"]) == {"pattern", "validator", "valid", "context"}
    assert hit["evidence"]["validator"] == "resident_number"
    shown = run("scan", "--json", "--show-values", *OFF, stdin=TEXT)
    assert [hit["value"] for hit in json.loads(shown.out)["detections"]] == [PHONE, RRN, EMAIL, ACCOUNT]
    rows = tmp_path / "a.jsonl"
    rows.write_text('{"계좌번호": "110000000017", "b": "안녕"}\n')
    each = [json.loads(line) for line in run("scan", "--json", *OFF, rows, "-").text.splitlines()]
    assert [report["file"] for report in each] == [str(rows), "<stdin>"]
    assert [hit["start"] for hit in each[0]["detections"]] == [10]
    assert run("scan", *OFF, "--field", "b", rows).code == 0


def test_offsets_hold_across_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text is handed over in pieces that end where paragraphs do, and offsets stay those of the whole."""
    monkeypatch.setattr("sovguard.documents.PIECE", 400)
    paragraph = "오늘 회의에서 정한 것을 적는다.\r\n다음 주에 다시 본다.\r\n\r\n"
    text = "".join(f"{paragraph * 3}연락처\r\n{PHONE}\r\n\r\n" for _ in range(20))
    seen: list[str] = []
    scan = Guard.scan
    monkeypatch.setattr(Guard, "scan", lambda self, text: seen.append(text) or scan(self, text))
    found = json.loads(run("scan", "--json", *OFF, stdin=text).out)["detections"]
    assert [(hit["start"], hit["end"]) for hit in found] == [hit.span() for hit in re.finditer(PHONE, text)]
    assert "".join(seen) == text
    assert len(seen) > 5
    assert all(piece.endswith("\r\n\r\n") and len(piece) <= 400 for piece in seen)


@pytest.mark.parametrize("text", ["가" * 1000, "가나다\n" * 300, f"{'가' * 999}\n{PHONE}", ""])
def test_text_without_paragraphs_stays_whole(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without blank lines, a piece ends at a line end, and a line is never cut."""
    monkeypatch.setattr("sovguard.documents.PIECE", 100)
    done = run("redact", *OFF, stdin=text)
    assert re.sub("PHONE-[0-9A-Z]{8}", PHONE, done.text) == text


COLUMNS = ("사번", "이름", "계좌번호", "환자번호", "아이디")


def table(rows: int, delimiter: str = ",") -> str:
    """Return a table whose values are nothing without the header above them."""
    lines = [
        COLUMNS,
        *((f"E{n:06}", "비고", f"{314159265:}{n:03}", f"{7000000 + n}", f"user{n}x") for n in range(rows)),
    ]
    return "".join(delimiter.join(line) + "\n" for line in lines)


@pytest.mark.parametrize("delimiter", [",", "\t", "|", ";"])
def test_a_table_keeps_its_header_across_pieces(
    delimiter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table is found and swapped alike in one piece and in many, and the header appears once and comes back."""
    source, mapping = tmp_path / "a.csv", tmp_path / "m"
    text = f"제목 없는 표\n\n{table(60, delimiter)}"
    source.write_text(text)
    whole = [line.split("\t")[:4] for line in run("scan", source, *OFF).text.splitlines()]
    monkeypatch.setattr("sovguard.documents.PIECE", 500)
    lines = run("scan", source, *OFF).text.splitlines()
    assert [line.split("\t")[:4] for line in lines] == whole
    assert len(lines) == 60 * 4
    assert lines[-1].split("\t")[1] == "63"
    sent = run("redact", source, "--keep", mapping, *OFF)
    assert sent.text.count("사번") == 1
    assert not re.search("E0000|314159|70000[0-9]{2}|user[0-9]", sent.text)
    assert run("restore", "--mapping", mapping, stdin=sent.out).text == text


def test_a_header_ends_with_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows a table is read without its header, and a second table under its own."""
    monkeypatch.setattr("sovguard.documents.PIECE", 300)
    prose = "이 아래에는 표가 없다.\n" * 40
    second = table(30).replace("환자번호", "수량").replace("계좌번호", "단가")
    found = run("scan", *OFF, stdin=f"{table(30)}{prose}7000001,7000002\n{prose}{second}").text
    types = [line.split("\t")[3] for line in found.splitlines()]
    assert types.count("ID_NUMBER") == 60 + 30
    assert types.count("USERNAME") == 60


def test_a_table_that_cannot_be_cut_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a recognizer reaches from the header into the rows, scan keeps offsets in the text and redact stops."""
    monkeypatch.setattr("sovguard.documents.PIECE", 300)
    (tmp_path / "over.toml").write_text(
        'entity_type = "OVER"\nlegal_class = "identity"\nkorean = "걸친 것"\n[[patterns]]\nname = "over"\n'
        'regex = "아이디\\\\n\\\\nE[0-9]{6}"\nscore = 1.0\n'
    )
    added = ("--recognizers", tmp_path / "over.toml", *OFF)
    text = table(30)
    found = json.loads(run("scan", "--json", "--type", "OVER", *added, stdin=text).out)["detections"]
    assert found
    assert all(re.fullmatch("E[0-9]{6}", text[hit["start"] : hit["end"]]) for hit in found)
    done = run("redact", *added, stdin=text)
    assert (done.code, done.out) == (2, b"")
    assert "split the file" in done.err


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_json_file_stays_json(indent: int | None, ascii_only: bool, tmp_path: Path) -> None:
    """One JSON document: values are found with their keys and behind escapes, and all else stays as it is."""
    source, sent, mapping = tmp_path / "a.JSON", tmp_path / "b.json", tmp_path / "m"
    value = {
        "rrn": 3101013000002,
        "고객": [{"계좌번호": ACCOUNT, "메일": EMAIL, "n": 1.5}],
        "말": f"{NAME}입니다",
    }
    source.write_text(json.dumps(value, indent=indent, ensure_ascii=ascii_only) + "\n")
    assert run("redact", source, "-o", sent, "--keep", mapping).code == 0
    left = json.loads(sent.read_text())
    assert left["rrn"].startswith("RRN-")
    assert left["고객"][0]["계좌번호"].startswith("ACCOUNT-")
    assert left["고객"][0]["n"] == 1.5
    assert re.fullmatch("PERSON-[0-9A-Z]{8}입니다", left["말"])
    assert sent.read_text().count("\n") == source.read_text().count("\n")
    assert run("restore", sent, "--mapping", mapping).out == source.read_bytes()
    hits = json.loads(run("scan", source, "--json", "--show-values").out)["detections"]
    assert {hit["value"] for hit in hits} >= {"3101013000002", ACCOUNT, EMAIL}
    only = json.loads(run("redact", source, "--field", "말").text)
    assert only["rrn"] == 3101013000002
    assert only["말"] != value["말"]


def test_json_that_is_none_is_refused(tmp_path: Path) -> None:
    """A .json file that is not valid JSON is refused and may still be read as text or as lines."""
    source = tmp_path / "a.json"
    source.write_text(f'{{"전화": "{PHONE}"}}\n{{"전화": "{PHONE}"}}\n')
    done = run("redact", source, *OFF)
    assert (done.code, done.out) == (2, b"")
    assert "--format jsonl" in done.err
    assert "--format text" in done.err
    for form in ("jsonl", "text"):
        assert PHONE not in run("redact", source, "--format", form, *OFF).text
    source.write_text("")
    assert run("redact", source, *OFF).code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_failed_run_leaves_nothing(tmp_path: Path) -> None:
    """When the output cannot be written, there is no mapping, and no folder that the run made."""
    source, mapping, folder = tmp_path / "a.txt", tmp_path / "m", tmp_path / "out"
    source.write_text(TEXT)
    done = run("redact", source, "-o", "/dev/full", "--keep", mapping, *OFF)
    assert done.code == 2
    with open("/dev/full", "wb") as full:
        for options in (
            ("redact", source, "--keep", mapping, *OFF),
            ("scan", source, *OFF),
            ("scan", source, "--json", *OFF),
            ("demo",),
        ):
            running = subprocess.run(
                [sys.executable, "-m", "sovguard", *map(str, options)],
                stdout=full,
                stderr=subprocess.PIPE,
                env=os.environ | {"SOVGUARD_PASSPHRASE": PASSPHRASE},
                check=False,
            )
            assert running.returncode == 2
            assert b"standard output cannot be written (No space left" in running.stderr
            assert running.stderr.count(b"\n") == 1
    (tmp_path / "bad.txt").write_bytes(b"\xff")
    assert run("redact", source, tmp_path / "bad.txt", "-o", folder, *OFF).code == 2
    assert run("redact", source, "-o", f"{folder}/", "--keep", tmp_path / "none" / "m", *OFF).code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "bad.txt"]


def test_a_mapping_stays_when_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a run fails after it has replaced a file, the mapping that restores this file is kept."""
    first, second, mapping = tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "m"
    first.write_bytes(TEXT.encode())
    second.write_text("안녕")
    move = os.replace

    def fail(source: Path, target: Path) -> None:
        if target.name == "b.txt":
            raise PermissionError(13, "Permission denied")
        move(source, target)

    monkeypatch.setattr("sovguard.documents.os.replace", fail)
    done = run("redact", first, second, "-o", tmp_path, "--keep", mapping, *OFF)
    monkeypatch.undo()
    assert done.code == 2
    assert PHONE not in first.read_text()
    assert run("restore", first, "--mapping", mapping).out == TEXT.encode()
    assert len(list(tmp_path.iterdir())) == 3


def test_files_are_looked_for_first(tmp_path: Path) -> None:
    """A file that is not there stops the run before anything of the others is shown or asked for."""
    source = tmp_path / "a.txt"
    source.write_text(TEXT)
    for name in ("nofile", "none.csv"):
        done = run("scan", source, tmp_path / name, *OFF)
        assert (done.code, done.out) == (2, b"")
        assert "file 2" in done.err
    assert "no file" in run("redact", tmp_path / "x.txt", "--keep", tmp_path / "m", passphrase="").err


def test_a_mapping_is_never_replaced(tmp_path: Path) -> None:
    """--force replaces a file that is no mapping; a mapping stays, since nothing else restores what it can."""
    source, mapping, other = tmp_path / "a.txt", tmp_path / "m", tmp_path / "other"
    source.write_bytes(TEXT.encode())
    options = ("redact", source, "-o", source, "--force", *OFF, "--keep")
    assert run(*options, mapping).code == 0
    kept, sent = mapping.read_bytes(), source.read_bytes()
    again = run(*options, mapping)
    assert again.code == 2
    assert "never be restored" in again.err
    assert "another file" in again.err
    assert (mapping.read_bytes(), source.read_bytes()) == (kept, sent)
    other.write_text("메모")
    assert "exists" in run("redact", source, "--keep", other, *OFF).err
    assert run("redact", source, "--keep", other, "--force", *OFF).code == 0
    assert other.read_bytes()[0] == 1
    assert "exists" in run("redact", source, "--keep", tmp_path, "--force", *OFF).err


def test_a_folder_can_be_named_by_its_slash(tmp_path: Path) -> None:
    """One file and -o with a trailing slash make a folder; where a file is, none can be made."""
    source = tmp_path / "a.txt"
    source.write_text(TEXT)
    assert run("redact", source, "-o", f"{tmp_path}/new/", *OFF).code == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]
    assert "a folder" in run("redact", source, "-o", f"{source}/", *OFF).err


def test_an_endless_input_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than a file may be is refused before it fills the memory."""
    monkeypatch.setattr("sovguard.documents.LIMIT", 1 << 20)
    done = run("scan", "/dev/zero", *OFF)
    assert (done.code, done.out) == (2, b"")
    assert "split it" in done.err


def test_a_summary_for_programs(tmp_path: Path) -> None:
    """redact --json gives the text or where it went, and how many values of each type were swapped."""
    source, out = tmp_path / "a.txt", tmp_path / "b.txt"
    source.write_text(f"{PHONE} {PHONE} {EMAIL}")
    report = json.loads(run("redact", source, "--json", *OFF).out)
    assert report["file"] == str(source)
    assert report["counts"] == {"PHONE_NUMBER": 2, "EMAIL_ADDRESS": 1}
    assert "PHONE-" in report["text"]
    report = json.loads(run("redact", source, "--json", "-o", out, *OFF).out)
    assert report == {"file": str(source), "output": str(out), "counts": report["counts"]}
    assert "PHONE-" in out.read_text()


def test_own_recognizers_can_be_used(tmp_path: Path) -> None:
    """--recognizers adds types, which --type then knows; a type that nobody knows is an error."""
    (tmp_path / "tag.toml").write_text(
        'entity_type = "TAG"\nlegal_class = "identity"\nkorean = "이름표"\n[[patterns]]\nname = "tag"\n'
        'regex = "TAG[0-9]{4}"\nscore = 0.9\n'
    )
    added = ("--recognizers", tmp_path / "tag.toml")
    out = run("scan", *added, "--type", "TAG", *OFF, stdin=f"TAG0042 {PHONE}")
    assert [line.split("\t")[3] for line in out.text.splitlines()] == ["TAG"]
    assert "KR_RRN" in run("scan", "--type", "KR_RNN", *OFF, stdin="x").err
    assert "does not exist" in run("scan", "--recognizers", tmp_path / "no.toml", *OFF, stdin="x").err


@pytest.mark.parametrize(
    ("arguments", "stdin", "hints"),
    [
        (["scan"], "한글".encode("cp949"), ["offset 0 ", "--encoding cp949"]),
        (["scan"], b"\xef\xbb\xbfabc\xff", ["offset 6 "]),
        (["scan"], "한글".encode("utf-16"), ["--encoding utf-16"]),
        (["scan", "--encoding", "cp949"], b"\xff\xff", ["--encoding utf-8"]),
        (["scan", "--encoding", "cp9499"], b"x", ["--encoding"]),
        (["scan", "--encoding", "rot13"], b"x", ["--encoding"]),
        (["scan", "--encoding", "utf-7"], b"+AGE-", ["byte for byte"]),
        (["scan", "none.txt"], b"", ["file 1 (none.txt)", "no file of this name"]),
        (["scan", f"{PHONE}.csv"], b"", ["file 1 (*.csv)"]),
        (["scan", "--format", "json"], b"{'a': 1}", ["<stdin>: not one valid JSON", "--format text"]),
        (["scan", "--type", "PHONE"], b"x", ["did you mean PHONE_NUMBER?"]),
        (["scan", "--type", "전화번호"], b"x", ["did you mean PHONE_NUMBER?"]),
        (["scan", "--type", "zz"], b"x", ["known are", "KR_RRN"]),
        (["redact", "-o", "/nowhere/out/"], b"x", ["-o"]),
        (["scan", f"{NAME} {PHONE}"], b"", ["file 1", "standard input"]),
        (["scan", f"{PHONE}" * 500], b"", ["file 1"]),
        (["scan", "/"], b"", ["cannot be read"]),
        (["redact", "--format", "jsonl"], f'{{"a": 1}}\n{{"a": {PHONE}}}\n'.encode(), ["<stdin>, line 2"]),
        (["redact", "-o", "/nowhere/out.txt"], b"x", ["cannot be written"]),
        (["scan", "--colour"], b"", ["--colour", "sovguard scan --help"]),
        (["restore"], b"", ["--mapping"]),
        (["bogus"], b"", ["bogus"]),
    ],
)
def test_bad_input_says_what_to_do(arguments: list[str], stdin: bytes, hints: list[str]) -> None:
    """Bad bytes, files, options and lines exit with 2, one line of explanation and no output."""
    done = run(*arguments, stdin=stdin)
    assert (done.code, done.out) == (2, b"")
    assert all(hint in done.err for hint in hints), done.err


def test_a_file_name_cannot_drive_the_terminal(tmp_path: Path) -> None:
    """A message about a file with control characters in its name is one harmless line."""
    odd = tmp_path / "a\n\x1b[2J.jsonl"
    odd.write_text("{")
    done = run("scan", *OFF, odd)
    assert done.code == 2
    assert "\x1b" not in done.err


def test_restored_text_must_fit_the_encoding(tmp_path: Path) -> None:
    """A value that the answer's encoding lacks stops the writing."""
    mapping = tmp_path / "m"
    sent = run(
        "redact", "--keep", mapping, *OFF, stdin="메일 hong@example.com, 주소 서울특별시 강남구 똠방로 12 👍"
    )
    assert sent.code == 0
    answer = sent.text.encode("utf-8")
    assert run("restore", "--mapping", mapping, stdin=answer).code == 0
    done = run(
        "restore", "--mapping", mapping, "--encoding", "latin-1", stdin=re.sub(rb"[^\x20-\x7e]", b"", answer)
    )
    assert (done.code, done.out) == (2, b"")
    assert "UTF-8" in done.err


def test_no_value_goes_astray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails inside, with the text in its message, nothing of it is on standard error or in the output."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"cannot work on {TEXT}")

    monkeypatch.setattr("sovguard.detect.analyzer.Analyzer.analyze", fail)
    for arguments in (["scan"], ["scan", "--json"], ["redact"], ["redact", "--keep", tmp_path / "m"]):
        done = run(*arguments, *OFF, stdin=TEXT)
        assert (done.code, done.out) == (2, b"")
        assert "RuntimeError" in done.err
    monkeypatch.setattr("sovguard.cli.read_document", fail)
    done = run("scan", *OFF, stdin=TEXT)
    assert (done.code, done.out) == (2, b"")
    assert "RuntimeError" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_closed_pipe_is_quiet() -> None:
    """When the reader goes away, the run ends without a word."""
    first = subprocess.Popen(
        [sys.executable, "-m", "sovguard", "scan", "--names", "off"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert first.stdout is not None
    first.stdout.close()
    _, errors = first.communicate(f"연락처 {PHONE}\n".encode() * 2000)
    assert errors == b""
    assert first.returncode == 141


def test_a_passphrase_is_asked_for_in_korean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal a new passphrase is asked for twice, again if the two differ."""
    asked: list[str] = []
    said = iter(["가", "나", "다", "다", "라"])
    monkeypatch.delenv("SOVGUARD_PASSPHRASE", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.prompt", lambda text, **_: asked.append(text) or next(said))
    assert passphrase_for(confirm=True) == "다"
    assert passphrase_for(confirm=False) == "라"
    assert [text.partition(" (")[0] for text in asked] == ["암호", "암호 확인"] * 2 + ["암호"]
    assert "서로 다릅니다" in capsys.readouterr().err


def test_help_and_version() -> None:
    """--version and --help work, and a call without arguments shows the help."""
    assert re.fullmatch(r"sovguard, version [0-9.]+\n", run("--version").text)
    assert "redact" in run("--help").text
    bare = run_apart()
    assert bare.code == 2
    assert "Commands:" in bare.err


def test_every_command_and_option_is_documented() -> None:
    """Each command has its section in docs/cli.md, and each of its options stands on the page."""
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    common, *sections = re.split("^## `sovguard ", page, flags=re.MULTILINE)
    described = {section.partition("`")[0]: section for section in sections}
    assert set(described) == set(cli.commands)
    for name, command in cli.commands.items():
        for parameter in command.params:
            for option in (*parameter.opts, *parameter.secondary_opts):
                assert not option.startswith("-") or f"`{option}" in common + described[name], (name, option)
