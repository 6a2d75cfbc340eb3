from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sovguard import ConfigError, InputError
from sovguard.pipeline.files import Job, Settings
from sovguard.pipeline.files import cutting as cut
from sovguard.pipeline.files.csv_text import cells_of, value_of
from sovguard.pipeline.files.cutting import pieces
from sovguard.pipeline.files.source import Source
from sovguard.vaultless import Scope
from tests.servers import EMAIL, PHONE, RRN

KEY = bytes(range(64))
SCOPE = Scope("은행", dataset="상담")
SEALING = Settings(key=KEY, scope=SCOPE, names="off")
RESTORING = Settings(key=KEY, scope=SCOPE, restores=True)
VALUES = (PHONE, RRN, EMAIL)


def there_and_back(path: Path, **more: Any) -> bytes:
    """What comes out, which holds no value and from which the file comes back octet for octet."""
    middle, back = path.with_name(f"done-{path.name}"), path.with_name(f"back-{path.name}")
    report = Job(path, middle, SEALING, **more).run()
    assert report.bad == []
    Job(middle, back, RESTORING, **more).run()
    opened = {".gz": gzip.decompress, ".zst": zstd_opened}.get(path.suffix, bytes)
    assert opened(back.read_bytes()) == opened(path.read_bytes())
    out = opened(middle.read_bytes())
    for value in VALUES:
        assert value.encode() not in out
    assert not [each for each in path.parent.iterdir() if each.suffix in (".partial", ".progress")]
    return bytes(out)


def zstd_opened(data: bytes) -> bytes:
    """What zstd says, in however many frames."""
    return bytes(zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read())


LINES = f"{PHONE}로 연락\r\n\n없음\n주민번호는 {RRN}이고 메일은 {EMAIL}로\n끝에 줄바꿈 없음 {PHONE}"
OBJECTS = "\n".join(
    [
        json.dumps({"memo": f"{PHONE}로", "n": 1, "list": [EMAIL, {"in": RRN}]}, ensure_ascii=False),
        '{ "memo" :  "\\ud55c\\uae00 010-0000-1234" , "phone": 1000001234, "x": 1.50, "전화": 01 }'.replace(
            "01 }", "1e3 }"
        ),
        "",
        '  {"010-0000-1234": "열쇠"}  ',
        '"010-0000-9999"',
        "[null, true, 3]",
        "",
    ]
)
TABLE = (
    f'이름,전화,"메모, 긴 것",n\r\n가,{PHONE},"줄\n바꿈 ""따옴표"" {RRN}",1\r\n나,"{PHONE}",,2\r\n'
    f'다,,5" 관 {EMAIL},3\r\n"라","x"y,"",\r\n,{PHONE}'
)


FILES = {"a.log": LINES, "a.jsonl": OBJECTS, "a.csv": TABLE, "a.tsv": TABLE.replace(",", "\t")}


@pytest.mark.parametrize("pack", ["", ".gz", ".zst"])
@pytest.mark.parametrize(("name", "text"), list(FILES.items()), ids=list(FILES))
def test_files_come_back(tmp_path: Path, name: str, text: str, pack: str) -> None:
    """Octet for octet, whatever they are and however they are compressed."""
    data = text.encode()
    path = tmp_path / f"{name}{pack}"
    path.write_bytes(
        {"": bytes, ".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}[pack](data)
    )
    out = there_and_back(path)
    if name == "a.jsonl":
        objects = [json.loads(line) for line in out.decode().splitlines() if line.strip()]
        assert objects[0]["memo"].startswith("PHONE~1")
        assert objects[1]["x"] == 1.5
    if name == "a.csv":
        rows = list(csv.reader(io.StringIO(out.decode(), newline="")))
        assert rows[0] == ["이름", "전화", "메모, 긴 것", "n"]
        assert [len(row) for row in rows] == [4, 4, 4, 4, 4, 2]


@pytest.mark.parametrize(("encoding", "bom"), [("cp949", b""), ("euc-kr", b""), ("utf-8", b"\xef\xbb\xbf")])
def test_encodings_are_told_and_kept(tmp_path: Path, encoding: str, bom: bytes) -> None:
    """CP949, EUC-KR and UTF-8 with a BOM are written back as they came."""
    path = tmp_path / "a.csv"
    path.write_bytes(bom + TABLE.encode(encoding))
    there_and_back(path)
    job = Job(path, tmp_path / "x.csv", SEALING)
    shape = job.run().shape
    assert shape is not None
    assert (shape.encoding, shape.header[0]) == ("utf-8" if bom else "cp949", "이름")


def test_columns_of_a_table_are_read_with_their_names(tmp_path: Path) -> None:
    """A first row that holds values is no header; columns can be chosen."""
    path, done = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text(f"계좌번호,비고\n110-000-000017,{PHONE}\n", "utf-8")
    report = Job(path, done, SEALING).run()
    assert report.values == {"KR_BANK_ACCOUNT": 1, "PHONE_NUMBER": 1}
    Job(path, done, Settings(key=KEY, scope=SCOPE, names="off", columns=("비고",))).run()
    assert "110-000-000017" in done.read_text("utf-8")
    assert PHONE not in done.read_text("utf-8")
    path.write_text(f"홍길동,서울\n{EMAIL},x\n", "utf-8")
    shape = Job(path, done, SEALING).run().shape
    assert shape is not None
    assert shape.header == ()


CELLS = st.text(st.sampled_from('가a",\n\t 0-'), max_size=8) | st.sampled_from(
    [PHONE, f"{EMAIL},", f'"{PHONE}"']
)
ROWS = st.lists(CELLS, min_size=1, max_size=4).filter(lambda row: row != [""])


@given(ROWS, st.booleans(), st.sampled_from(["\r\n", "\n"]))
@settings(max_examples=80, deadline=None)
def test_any_row_is_read_as_csv_writes_it(row: list[str], everything: bool, end: str) -> None:
    """Its cells are those of the csv module, and what stands between them is kept."""
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL
    csv.writer(text, quoting=quoting, lineterminator=end).writerow(row)
    cells = list(cells_of(text.getvalue(), ","))
    assert [value_of(written) for written, _ in cells] == row
    assert "".join(written + behind for written, behind in cells) == text.getvalue()


@given(
    st.lists(st.text(st.sampled_from('가a",\n-'), max_size=6), max_size=30),
    st.integers(1, 12),
    st.sampled_from([b"", b","]),
)
@settings(max_examples=100, deadline=None)
def test_pieces_are_the_whole_file(lines: list[str], size: int, delimiter: bytes) -> None:
    """However small: none is lost, none is twice, and where they are cut does not depend on where a job begins."""
    import tempfile

    data = "\n".join(lines).encode()
    before = cut.PIECE
    cut.PIECE = size
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a"
            path.write_bytes(data)
            source = Source(path)
            with source.opened() as stream:
                found = list(pieces(source, stream, delimiter=delimiter))
            assert b"".join(piece.data for piece in found) == data
            at = 0
            for piece in found:
                assert (piece.offset, piece.line) == (at, 1 + data[:at].count(b"\n"))
                at += piece.size
            for piece in found[1:3]:
                with source.opened() as stream:
                    stream.seek(piece.offset)
                    rest = list(
                        pieces(source, stream, delimiter=delimiter, offset=piece.offset, line=piece.line)
                    )
                assert [each.data for each in rest] == [each.data for each in found[found.index(piece) :]]
    finally:
        cut.PIECE = before


def test_bad_records_are_named_and_kept_apart(tmp_path: Path) -> None:
    """By their lines, without what they say; the rest is done, and they go where they were asked to go."""
    path, done, rejects = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "rejects"
    bad = [b'{"a": \n', b'{"a": "\xff\xfe"}\n', b'{"a": 1, "a": 2}\n']
    good = f'{{"a": "{PHONE}"}}\n'.encode()
    path.write_bytes(good + bad[0] + good + bad[1] + bad[2])
    report = Job(path, done, SEALING, rejects=rejects).run()
    assert (report.records, report.bad_count, [line for line, _ in report.bad]) == (2, 3, [2, 4, 5])
    assert rejects.read_bytes() == b"".join(bad)
    assert len(done.read_bytes().splitlines()) == 2
    assert not any(value in repr(report.bad) for value in VALUES)


def test_a_line_without_an_end_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, and what is behind it is done; memory does not grow with it."""
    monkeypatch.setattr(cut, "LIMIT", 1 << 16)
    monkeypatch.setattr(cut, "PIECE", 1 << 14)
    path, done = tmp_path / "a.log", tmp_path / "b.log"
    path.write_bytes(f"{PHONE}\n".encode() + b"x" * 1_000_000 + f"\n{PHONE}\n".encode())
    report = Job(path, done, SEALING).run()
    assert (report.records, [line for line, _ in report.bad]) == (2, [2])
    assert report.octets == path.stat().st_size


def test_files_that_cannot_be_worked_on(tmp_path: Path) -> None:
    """Damaged, cut short, of no encoding, or opening to a thousand times its size: an error that names it."""
    packed = gzip.compress(f"{PHONE}\n".encode() * 2000)
    bomb = tmp_path / "bomb.log.gz"
    with gzip.open(bomb, "wb") as file:
        for _ in range(1100):
            file.write(bytes(1 << 20))
    for name, data in (
        ("cut.log.gz", packed[:-20]),
        ("bad.log.gz", packed[:40] + bytes(20) + packed[60:]),
        ("bad.log.zst", b"\x28\xb5\x2f\xfd" + b"x" * 40),
        ("wide.log", "가나다".encode("utf-16-le")),
        ("half.log", b"\xff\xfea\0b"),
        ("odd.log", b"\xff\xfe\xfd\xfc\n" * 3),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(InputError):
            Job(path, tmp_path / "out", SEALING).run()
        assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match=r"no text|1000 times"):
        Job(bomb, tmp_path / "out", SEALING).run()
    with pytest.raises(InputError, match="1000 times"):
        Job(bomb, tmp_path / "out", SEALING, encoding="utf-8").run()
    with pytest.raises(InputError, match="cannot be read"):
        Job(tmp_path / "none", tmp_path / "out", SEALING)
    path = tmp_path / "a.log"
    path.write_text("x")
    with pytest.raises(ConfigError, match="only copy"):
        Job(path, path, SEALING)
    for settings_ in ({"action": "hide"}, {"key": None}, {"action": "mask", "restores": True}):
        with pytest.raises(ConfigError):
            Settings(**{"key": KEY, "scope": SCOPE, **settings_})
    assert "0, 1" not in repr(SEALING)


def large(path: Path, lines: int) -> bytes:
    """A file with numbers that differ."""
    said = [f'{{"n": {n}, "memo": "010-0000-{n % 10_000:04} {"가" * 40}"}}' for n in range(lines)]
    data = "\n".join([*said, ""]).encode()
    path.write_bytes(data)
    return data


def test_workers_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process or three give the same octets."""
    monkeypatch.setattr(cut, "PIECE", 1 << 15)
    path = tmp_path / "a.jsonl"
    large(path, 3000)
    for workers in (1, 3):
        report = Job(path, tmp_path / f"{workers}", SEALING, workers=workers).run()
        assert (report.records, report.bad_count) == (3000, 0)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "3").read_bytes()


RUN = """
import os, signal, sys
from pathlib import Path
from sovguard.pipeline.files import Job, Settings, cutting, job
from sovguard.vaultless import Scope

def step(event, said):
    # Opening, renaming and removing what belongs to the job, and waiting for the disk.
    global left
    if event in ("open", "os.rename", "os.remove") and not str(said[0]).startswith(folder):
        return
    if event in ("open", "os.rename", "os.remove", "fsync"):
        left -= 1
        if not left:
            os.killpg(0, signal.SIGKILL)

def fsync(handle, do=os.fsync):
    step("fsync", ())
    do(handle)
    step("fsync", ())

if __name__ == "__main__":
    source, target, workers, left = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    folder = os.path.dirname(target)
    cutting.PIECE, job._EVERY = 1 << 14, 0.0
    settings = Settings(key=bytes(range(64)), scope=Scope("은행", dataset="상담"), names="off")
    work = Job(Path(source), Path(target), settings, workers=workers, resume=True)
    os.fsync = fsync
    sys.addaudithook(step)
    work.run()
"""


@pytest.mark.parametrize(("pack", "workers"), [("", 1), (".gz", 1), ("", 2)])
def test_a_job_that_is_killed_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: str, workers: int
) -> None:
    """At whatever step, however often: the output is that of a job that nobody disturbed, and is not there before."""
    path, done = tmp_path / f"a.jsonl{pack}", tmp_path / f"b.jsonl{pack}"
    data = large(path, 3000)
    if pack:
        path.write_bytes(gzip.compress(data))
    monkeypatch.setattr(cut, "PIECE", 1 << 14)
    Job(path, tmp_path / "whole", SEALING).run()
    whole = (tmp_path / "whole").read_bytes()
    script = tmp_path / "run.py"
    script.write_text(RUN, "utf-8")
    command = [sys.executable, str(script), str(path), str(done), str(workers)]
    drawn = random.Random(workers)  # noqa: S311  not keys
    kills = 0
    while not done.exists():
        assert kills < 100
        code = subprocess.run(
            [*command, str(drawn.randint(1, 80))], start_new_session=True, check=False
        ).returncode
        assert code == -signal.SIGKILL or (code == 0 and done.exists())
        kills += code != 0
    assert done.read_bytes() == whole
    if code:  # it was put in its place, and what stands beside it is still there
        subprocess.run([*command, "0"], check=True)
        assert done.read_bytes() == whole
    assert kills > 3
    assert not [each for each in tmp_path.iterdir() if each.suffix in (".partial", ".progress")]


def test_what_a_job_goes_on_from_has_to_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another file, other settings, another key, a journal that is none: each is told, and nothing is lost."""
    monkeypatch.setattr(cut, "PIECE", 1 << 14)
    monkeypatch.setattr("sovguard.pipeline.files.job._EVERY", 0.0)
    path, done = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    large(path, 2000)

    def stopped(finished: int, total: int) -> None:
        if finished > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Job(path, done, SEALING, progress=stopped).run()
    journal = tmp_path / "b.jsonl.progress"
    assert journal.exists()
    assert KEY.hex() not in journal.read_text("utf-8")
    for other in (
        Settings(key=KEY[::-1], scope=SCOPE, names="off"),
        Settings(key=KEY, scope=SCOPE, names="fast"),
    ):
        with pytest.raises(ConfigError, match="other settings"):
            Job(path, done, other, resume=True).run()
    os.utime(path, (time.time() + 5, time.time() + 5))
    with pytest.raises(InputError, match="not the file"):
        Job(path, done, SEALING, resume=True).run()
    journal.write_text("{}", "utf-8")
    with pytest.raises(ConfigError, match="begin anew"):
        Job(path, done, SEALING, resume=True).run()
    report = Job(path, done, SEALING).run()
    assert report.records == 2000


@pytest.mark.parametrize("cut_off", [1, 5, 200])
def test_zstd_that_is_cut_short(tmp_path: Path, cut_off: int) -> None:
    """In its first frame or its second: an error, and no outcome that looks whole; several whole frames are one file."""
    lines = "".join(f"{number} {random.Random(number).random()}\n" for number in range(3000)).encode()  # noqa: S311
    frame = zstandard.ZstdCompressor().compress(lines)
    path, done = tmp_path / "a.log.zst", tmp_path / "b.log.zst"
    for data in (frame[:-cut_off], frame + frame[:-cut_off]):
        path.write_bytes(data)
        with pytest.raises(InputError, match="cut short"):
            Job(path, done, SEALING).run()
        assert not done.exists()
    path.write_bytes(frame + frame)
    assert Job(path, done, SEALING).run().records == 6000


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    """Not the file by its rejects or by what grows beside the outcome, not what a link leads to, not what is no file."""
    path = tmp_path / "a.log"
    path.write_text(PHONE, "utf-8")
    other = tmp_path / "other"
    other.write_text("x", "utf-8")
    done = tmp_path / "b.log"
    for target, rejects in ((done, path), (done, tmp_path / "b.log.partial"), (done, done)):
        with pytest.raises(ConfigError, match="different files"):
            Job(path, target, SEALING, rejects=rejects)
    path.rename(tmp_path / "b.log.partial")
    with pytest.raises(ConfigError, match="different files"):
        Job(tmp_path / "b.log.partial", done, SEALING)
    (tmp_path / "b.log.partial").rename(path)
    with pytest.raises(ConfigError, match="exists"):
        Job(path, done, SEALING, rejects=other).run()
    (tmp_path / "b.log.partial").symlink_to(other)
    Job(path, done, SEALING).run()
    assert other.read_text("utf-8") == "x"
    assert not done.is_symlink()
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="is no file"):
        Job(path, tmp_path / "folder", SEALING)


@pytest.mark.parametrize("size", [7, 64, 1 << 20])
def test_line_ends_within_quotes_are_no_ends_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """In the last column too, and wherever the file is cut."""
    monkeypatch.setattr(cut, "PIECE", size)
    path, done = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_bytes(f'name,memo\r\nx,"call\r\n{PHONE}"\r\ny,"a ""b""\n"\r\n"z\n",{PHONE}\r\n'.encode())
    report = Job(path, done, Settings(key=KEY, scope=SCOPE, names="off", columns=("memo",))).run()
    assert (report.records, report.bad) == (3, [])
    assert PHONE.encode() not in done.read_bytes()
    there_and_back(path)


def test_headers_that_are_odd(tmp_path: Path) -> None:
    """With octets of no encoding, quotes and line ends, with what own recognizers find; and none on the way back."""
    path, done, back = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"
    path.write_bytes(b"name" + b"\xff" * 16 + f",phone\n{PHONE},x\nb,c\nd,e\nf,g\n".encode())
    report = Job(path, done, SEALING).run()
    assert [line for line, _ in report.bad] == [1]
    assert PHONE.encode() not in done.read_bytes()
    path.write_text(f'"a ""q""\nb",phone\nx,{PHONE}\n', "utf-8")
    report = Job(path, done, Settings(key=KEY, scope=SCOPE, names="off", columns=("phone",))).run()
    assert (report.records, PHONE in done.read_text("utf-8")) == (1, False)
    path.write_text(f"{PHONE},x\n010-0000-9999,y\n", "utf-8")
    Job(path, done, SEALING).run()
    Job(done, back, RESTORING).run()
    assert back.read_bytes() == path.read_bytes()
    (tmp_path / "badge.toml").write_text(BADGE, "utf-8")
    path.write_text("BDG-ABCD-QX,x\nBDG-EFGH-QY,y\n", "utf-8")
    own = Settings(key=KEY, scope=SCOPE, names="off", recognizers=(str(tmp_path / "badge.toml"),))
    Job(path, done, own).run()
    assert "BDG" not in done.read_text("utf-8")


BADGE = """
entity_type = "ID_NUMBER"
legal_class = "identity"
korean = "출입증"
[[patterns]]
name = "badge"
regex = "BDG-[A-Z]{4}-[A-Z]{2}"
score = 0.9
"""


def test_fields_that_are_not_there(tmp_path: Path) -> None:
    """With a slip of the pen everything would be as it was: it is an error, and nothing comes out."""
    for name, text in (
        ("a.csv", f"전화,비고\n{PHONE},x\n"),
        ("a.jsonl", f'{{"memo": "{PHONE}"}}\n'),
        ("a.log", PHONE),
    ):
        path, done = tmp_path / name, tmp_path / "out"
        path.write_text(text, "utf-8")
        with pytest.raises(ConfigError, match=r"no column|has the field|no fields"):
            Job(path, done, Settings(key=KEY, scope=SCOPE, names="off", columns=("phnoe",))).run()
        assert not done.exists()


def test_a_quote_that_is_never_closed_costs_its_row_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However large the file is."""
    monkeypatch.setattr(cut, "LIMIT", 1 << 16)
    monkeypatch.setattr(cut, "PIECE", 1 << 14)
    path, done = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text('n,memo\n1,"oops\n' + f"2,{PHONE}\n" * 20_000, "utf-8")
    report = Job(path, done, SEALING).run()
    assert report.bad == []
    assert PHONE not in done.read_text("utf-8")
    assert done.read_bytes().count(b"\n") == 20_002


def test_values_that_need_quotes_get_them(tmp_path: Path) -> None:
    """Where a tool has taken those of a surrogate away, and where a mask is the delimiter."""
    path, done, back = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"
    value = '서울시, "강남구"\n101호'
    path.write_text(
        f"a,b\nx,{Settings(key=KEY, scope=SCOPE)._mode().surrogate(value, 'KR_ADDRESS')}\n", "utf-8"
    )  # type: ignore[union-attr]
    Job(path, back, RESTORING).run()
    assert list(csv.reader(io.StringIO(back.read_text("utf-8"), newline="")))[1] == ["x", value]
    path.write_text(f"a*b\nx*{PHONE}\n", "utf-8")
    Job(path, done, Settings(action="mask", names="off"), form="csv", delimiter="*").run()
    assert done.read_text("utf-8") == 'a*b\nx*"010-****-1234"\n'


def test_keys_that_would_become_one(tmp_path: Path) -> None:
    """Are a bad record: one of them would be lost."""
    path, done = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    path.write_text('{"010-0000-1234": 1, "010-0000-1235": 2}\n{"010-0000-1234": 1}\n', "utf-8")
    report = Job(path, done, Settings(action="remove", names="off")).run()
    assert [(line, "the same" in what) for line, what in report.bad] == [(1, True)]


def test_what_cannot_be_opened_is_counted(tmp_path: Path) -> None:
    """With another key nothing comes back, and that is said."""
    path, done, back = tmp_path / "a.log", tmp_path / "b.log", tmp_path / "c.log"
    path.write_text(PHONE, "utf-8")
    Job(path, done, SEALING).run()
    report = Job(done, back, Settings(key=KEY[::-1], scope=SCOPE, restores=True)).run()
    assert (report.unresolved, back.read_bytes()) == (1, done.read_bytes())


def test_a_job_that_died_while_it_was_put_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is done, whichever side of that it died on; its rejects have to stay where they are."""
    path, done = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    large(path, 100)
    from sovguard.pipeline.files.journal import Journal

    for stage in ("before", "behind"):
        with monkeypatch.context() as patch:
            if stage == "before":
                patch.setattr(Path, "replace", lambda *_: killed())
                patch.setattr(Journal, "write", written)
            else:
                patch.setattr(Journal, "end", lambda self: killed() if done.exists() else None)
            with pytest.raises(KeyboardInterrupt):
                Job(path, done, SEALING).run()
        with pytest.raises(ConfigError, match="rejects"):
            Job(path, done, SEALING, resume=True, rejects=tmp_path / "r").run()
        assert Job(path, done, SEALING, resume=True).run().records == 100
        assert done.read_bytes().count(b"\n") == 100
        done.unlink()


def written(journal: Any, progress: Any) -> None:
    """Write how far a job has come, in place."""
    journal._path.write_text(json.dumps({"version": 1, **asdict(progress)}))


def killed() -> None:
    """Somebody presses Ctrl-C."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["nope", "rot13", "utf-7", "utf-32"])
def test_encodings_that_files_are_not_read_in(tmp_path: Path, name: str) -> None:
    """Are an error that names some."""
    path = tmp_path / "a.log"
    path.write_text(PHONE, "utf-8")
    with pytest.raises(ConfigError, match="cp949"):
        Job(path, tmp_path / "b", SEALING, encoding=name).run()
    Job(path, tmp_path / "b", SEALING, encoding="utf-8-sig").run()
    assert PHONE not in (tmp_path / "b").read_text("utf-8")


FULL = """
import resource, sys
from pathlib import Path
from sovguard.pipeline.files import Job, Settings
from sovguard.vaultless import Scope
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
settings = Settings(key=bytes(range(64)), scope=Scope("은행", dataset="상담"), names="off")
Job(Path(sys.argv[1]), Path(sys.argv[2]), settings).run()
"""


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """The job ends with an error, no outcome is there, and when there is room again it goes on."""
    path, done = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    large(path, 30_000)
    command = [sys.executable, "-c", FULL, str(path), str(done), str(2 << 20)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, "OSError" in ended.stderr) == (1, True)
    assert not done.exists()
    Job(path, done, SEALING, resume=True).run()
    Job(path, tmp_path / "whole", SEALING).run()
    assert done.read_bytes() == (tmp_path / "whole").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a.jsonl", "b.jsonl", "whole"]


@pytest.mark.parametrize("wide", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("pack", ["", ".gz"])
def test_what_windows_calls_unicode(tmp_path: Path, wide: str, name: str, pack: str) -> None:
    """UTF-16 is read by its BOM, or by its name without one, and comes out as it was."""
    for bom, told in (("\ufeff", None), ("", wide)):
        path, done, back = (tmp_path / f"{stem}{name}{pack}" for stem in ("a-", "b-", "c-"))
        data = (bom + FILES[name]).encode(wide)
        path.write_bytes(gzip.compress(data) if pack else data)
        report = Job(path, done, SEALING, encoding=told, workers=2 if pack else 1).run()
        assert (report.bad, report.values["PHONE_NUMBER"] > 0) == ([], True)
        said = (gzip.decompress(done.read_bytes()) if pack else done.read_bytes()).decode(wide)
        assert said.startswith(bom)
        assert not any(value in said for value in VALUES)
        Job(done, back, RESTORING, encoding=told).run()
        assert (gzip.decompress(back.read_bytes()) if pack else back.read_bytes()) == data


def test_half_a_pair_of_utf_16(tmp_path: Path) -> None:
    """Costs its line alone, and is kept as it came."""
    path, done, rejects = tmp_path / "a.log", tmp_path / "b.log", tmp_path / "r"
    path.write_bytes(f"\ufeff가\r\n나\ud800\r\n{PHONE}\r\n".encode("utf-16-le", "surrogatepass"))
    report = Job(path, done, SEALING, rejects=rejects).run()
    assert report.bad == [(2, "it is not utf-16-le")]
    assert done.read_bytes().decode("utf-16").startswith("가\r\nPHONE~1")
    assert rejects.read_bytes() == "나\ud800\r\n".encode("utf-16-le", "surrogatepass")
