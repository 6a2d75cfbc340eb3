from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.command import EMAIL, NAME, PHONE, RRN, VALUES, run

ROWS = [
    {"접수": "a1", "전화": PHONE, "비고": f"{PHONE}로 연락\n다시"},
    {"접수": "a2", "전화": "010-0000-5678", "비고": f'"따옴표", 메일 {EMAIL}'},
    {"접수": "a3", "전화": PHONE, "비고": "끝"},
]
CANARIES = (*VALUES, "010-0000-5678")


def as_jsonl(rows: list[dict[str, Any]]) -> str:
    """Rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_csv(rows: list[dict[str, Any]], delimiter: str = ",", header: bool = True) -> str:
    """Rows as CSV."""
    out = io.StringIO()
    written = csv.writer(out, delimiter=delimiter)
    if header:
        written.writerow(rows[0])
    written.writerows(row.values() for row in rows)
    return out.getvalue()


FORMS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "jsonl": lambda rows: as_jsonl(rows).encode(),
    "csv": lambda rows: b"\xef\xbb\xbf" + as_csv(rows).encode(),
    "cp949.csv": lambda rows: as_csv(rows).encode("cp949"),
    "bare.csv": lambda rows: as_csv(rows, header=False).encode(),
    "tsv": lambda rows: as_csv(rows, "\t").encode(),
    "log": lambda rows: "\n".join(" ".join(row.values()) for row in rows).encode("cp949"),
    "jsonl.gz": lambda rows: gzip.compress(as_jsonl(rows).encode()),
}


def compared(before: Path, after: Path, *options: object) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON of a comparison; no value is in anything that it gives out."""
    page = before.parent / "report.html"
    done = run("compare", before, after, "--names", "off", "--json", "-o", page, *options)
    plain = run("compare", before, after, "--names", "off", *options)
    assert plain.code == done.code
    for told in (done.text, done.err, plain.text, plain.err, page.read_text("utf-8")):
        assert not any(value in told for value in CANARIES)
    return done.code, json.loads(done.text)


@pytest.mark.parametrize("action", ["mask", "remove", "surrogate"])
@pytest.mark.parametrize("name", list(FORMS))
def test_what_redact_makes_of_files_is_safe(tmp_path: Path, name: str, action: str) -> None:
    """In whatever form, encoding and compression, and with line ends in cells."""
    before, after = tmp_path / f"before.{name}", tmp_path / f"after.{name}"
    before.write_bytes(FORMS[name](ROWS))
    way: tuple[object, ...] = ("--action", action)
    if action == "surrogate":
        run("key", tmp_path / "key")
        way = ("--dataset", "x", "--key", tmp_path / "key")
    assert run("redact", before, "-o", after, "--names", "off", *way).code == 0
    code, told = compared(before, after)
    rows = 4 if name == "log" else 3
    assert (code, told["safe"], told["left"], told["counts"]) == (0, True, 0, {})
    assert (told["rows"]["before"], told["rows"]["kept"], told["words"][0]) == (rows, rows, told["words"][1])
    assert told["types"]["PHONE_NUMBER"]["found"] == 4
    assert told["types"]["EMAIL_ADDRESS"]["found"] == 1
    assert (told["rows"]["broken"], told["shared"][0] - told["shared"][1]) == ([0, 0], 0)


def test_a_value_that_is_left_is_told_by_its_line(tmp_path: Path) -> None:
    """Of CSV whose cells have line ends, too; the exit code is 1."""
    before, after = tmp_path / "a.csv", tmp_path / "b.csv"
    before.write_text(as_csv(ROWS), "utf-8")
    rows = [{**row, "비고": row["비고"].replace(PHONE, "[삭제]").replace(EMAIL, "[삭제]")} for row in ROWS]
    rows[0]["전화"] = rows[1]["전화"] = "[삭제]"
    after.write_bytes(as_csv(rows).encode("cp949"))
    code, told = compared(before, after)
    assert (code, told["counts"]) == (1, {"standing": 1})
    assert told["places"] == [
        {"what": "standing", "before": 5, "after": 5, "column": "전화", "entity_type": "PHONE_NUMBER"}
    ]


def test_a_header_that_changed_and_rows_that_are_too_short(tmp_path: Path) -> None:
    """Other names are other fields; the cells are compared by their places."""
    before, after = tmp_path / "a.csv", tmp_path / "b.csv"
    before.write_text("id,note\n1,x\n2,y\n", "utf-8")
    after.write_text("id,memo\n1,x\n2\n", "utf-8")
    code, told = compared(before, after)
    assert (code, told["rows"]["fields"], told["rows"]["broken"]) == (0, 2, [0, 1])
    assert told["columns"]["memo"]["cells"] == [0, 1]


def test_broken_json_and_another_encoding(tmp_path: Path) -> None:
    """Are counted by line, and compared as text."""
    before, after = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    before.write_text('{"a": "가"}\n\n{"a": "나"}\n[1, "다"]\nbroken\n', "utf-8")
    after.write_bytes('{"a": "가"\n{"a": "나"}\n[1, "다"]\nbroken\n'.encode())
    code, told = compared(before, after)
    assert (code, told["rows"]["broken"], told["rows"]["before"]) == (0, [1, 2], 4)
    assert [(each["what"], each["before"], each["after"]) for each in told["places"]] == [
        ("fields", 1, 1), ("broken", 1, 1), ("changed", 1, 1),
    ]  # fmt: skip
    after.write_bytes('{"a": "가"}\n{"a": "나"}\n[1, "다"]\nbroken\n'.encode() + b'{"a": "\xff"}\n')
    assert compared(before, after)[1]["rows"]["broken"] == [1, 2]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt"])
def test_empty_files(tmp_path: Path, name: str) -> None:
    """Of nothing there is a report; of a redaction that lost everything, too."""
    before, after = tmp_path / name, tmp_path / f"after-{name}"
    before.write_text("")
    after.write_text("")
    assert compared(before, after)[1]["rows"]["before"] == 0
    before.write_bytes(FORMS[name.partition(".")[2].replace("txt", "log")](ROWS))
    code, told = compared(before, after)
    assert (code, told["rows"]["missing"]) == (0, told["rows"]["before"])
    code, told = compared(after, before)
    assert (code, told["rows"]["added"]) == (1, told["rows"]["after"])


def test_quasi_identifiers_fields_and_delimiters(tmp_path: Path) -> None:
    """As they are named; a name that no row has is an error."""
    before = tmp_path / "a.txt"
    before.write_text(f"지역|전화\n서울|{PHONE}\n부산|{PHONE}\n서울|x\n", "utf-8")
    after = tmp_path / "b.txt"
    after.write_text("지역|전화\n서울|[삭제]\n부산|[삭제]\n서울|x\n", "utf-8")
    code, told = compared(
        before, after, "--delimiter", "|", "--quasi-identifier", "지역", "--field", "전화", "--header"
    )
    assert (code, [each["k"] for each in told["anonymity"]]) == (0, [1, 1])
    for options in (("--quasi-identifier", "없음"), ("--field", "없음"), ("--delimiter", "||")):
        assert run("compare", before, after, "--names", "off", *options).code == 2


def test_files_that_cannot_be_compared(tmp_path: Path) -> None:
    """One that is not there, one file twice, a page that would replace one of them: an error, and nothing is written."""
    before = tmp_path / "a.txt"
    before.write_text(f"{NAME} {RRN}\n", "utf-8")
    after = tmp_path / "b.txt"
    after.write_text("x\n", "utf-8")
    page = tmp_path / "page.html"
    for arguments in ((before, tmp_path / "none"), (before, before), (before, after, "-o", after)):
        done = run("compare", *arguments, "--names", "off", *(() if "-o" in arguments else ("-o", page)))
        assert done.code == 2
    assert not page.exists()
    assert after.read_text() == "x\n"


def test_a_title_of_ones_own(tmp_path: Path) -> None:
    """Stands on the page, as text."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("x\n")
    page = tmp_path / "page.html"
    assert (
        run(
            "compare",
            tmp_path / "a.txt",
            tmp_path / "b.txt",
            "--names",
            "off",
            "-o",
            page,
            "--title",
            "<b>말뭉치",
        ).code
        == 0
    )
    assert "&lt;b&gt;말뭉치" in page.read_text("utf-8")
