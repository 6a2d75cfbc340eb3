from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sovguard.errors import ConfigError, InputError
from sovguard.pipeline.files import Settings, work_on_file
from tests.command import EMAIL, PHONE, RRN, run
from tests.pipeline.places import BAD, KEY, SCOPE, finder

VALUES = (PHONE, EMAIL, RRN)
SEALING = Settings(key=KEY, scope=SCOPE, names="off")
BACK = Settings(key=KEY, scope=SCOPE, restores=True)


def table(rows: int = 40) -> pa.Table:
    """A table of every kind of column that may hold text, and some that do not."""
    return pa.table(
        {
            "memo": pa.array(
                [f"전화 {PHONE}" if row % 3 == 0 else None if row % 3 == 1 else "" for row in range(rows)]
            ),
            "tags": pa.array(
                [[EMAIL, "없음"] if row % 2 else [] for row in range(rows)], pa.list_(pa.large_string())
            ),
            "who": pa.array([{"rrn": RRN, "age": row} for row in range(rows)]),
            "kind": pa.array([f"{PHONE}" if row % 2 else "b" for row in range(rows)]).dictionary_encode(),
            "n": pa.array(range(rows), pa.int16()),
            "when": pa.array(range(rows), pa.timestamp("us", "Asia/Seoul")),
        }
    ).replace_schema_metadata({"문의": f"담당 {EMAIL}", "pandas": "{}"})


def octets(path: Path) -> bytes:
    """A file as it is stored."""
    return path.read_bytes()


@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_table_goes_and_comes_back(tmp_path: Path, compression: str, workers: int) -> None:
    """With its types, nulls, row groups, compression and metadata; no value stands in its octets, statistics included."""
    path, done, back = (tmp_path / name for name in ("a.parquet", "b.parquet", "c.parquet"))
    pq.write_table(table(), path, compression=compression, row_group_size=16)
    told: list[tuple[int, int]] = []
    report = work_on_file(path, done, SEALING, workers=workers, progress=lambda *at: told.append(at))
    size = path.stat().st_size
    assert (told[-1], sorted(told) == told) == ((size, size), True)
    assert (report.records, report.bad_count, report.values["KR_RRN"] > 0) == (40, 0, True)
    before, made = pq.ParquetFile(path), pq.ParquetFile(done)
    if compression == "none":
        assert [value for value in VALUES if value.encode() in octets(path)] == list(VALUES)
        assert not any(value.encode() in octets(done) for value in VALUES)
    said = str(made.read().to_pylist()) + str(made.schema_arrow.metadata) + str(made.metadata.to_dict())
    assert not any(value in said for value in VALUES)
    assert made.schema_arrow.equals(before.schema_arrow)
    groups = [made.metadata.row_group(number) for number in range(made.metadata.num_row_groups)]
    assert [group.num_rows for group in groups] == [16, 16, 8]
    named = {"none": "UNCOMPRESSED"}.get(compression, compression.upper())
    assert {group.column(0).compression for group in groups} == {named}
    work_on_file(done, back, BACK, workers=workers)
    assert pq.read_table(back).equals(pq.read_table(path), check_metadata=True)


def test_chosen_columns_and_masks(tmp_path: Path) -> None:
    """The others stay; one that is not there or holds no text is an error, and nothing comes out."""
    path, done = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(table(), path)
    work_on_file(path, done, Settings("mask", names="off", columns=("memo",)))
    assert pq.read_table(done).drop_columns("memo").equals(pq.read_table(path).drop_columns("memo"))
    assert PHONE not in str(pq.read_table(done).column("memo"))
    for column in ("없음", "n"):
        with pytest.raises(ConfigError):
            work_on_file(path, tmp_path / "c.parquet", Settings("mask", names="off", columns=(column,)))
    assert sorted(os.listdir(tmp_path)) == ["a.parquet", "b.parquet"]


def test_bad_rows_are_named_and_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are done."""
    monkeypatch.setattr(Settings, "guard", lambda self: finder())
    path, done, rejects = (tmp_path / name for name in ("a.parquet", "b.parquet", "r.parquet"))
    pq.write_table(pa.table({"a": ["x", BAD, PHONE, BAD], "error": [1, 2, 3, 4]}), path, row_group_size=3)
    report = work_on_file(path, done, SEALING, rejects=rejects)
    assert (report.records, report.bad_count, [line for line, _ in report.bad]) == (2, 2, [2, 4])
    assert pq.read_table(done).column("error").to_pylist() == [1, 3]
    kept = pq.read_table(rejects)
    assert (kept.column("a").to_pylist(), kept.column("error").to_pylist()) == ([BAD, BAD], [2, 4])
    with pytest.raises(ConfigError, match="exists"):
        work_on_file(path, tmp_path / "c.parquet", SEALING, rejects=rejects)


@pytest.mark.parametrize("data", [b"", b"PAR1 no", b"PAR1" + bytes(100) + b"PAR1", "한글".encode()])
def test_what_is_no_parquet(tmp_path: Path, data: bytes) -> None:
    """Says so, and nothing comes out."""
    path = tmp_path / "a.parquet"
    path.write_bytes(data)
    with pytest.raises(InputError, match="no Parquet"):
        work_on_file(path, tmp_path / "b.parquet", SEALING)
    assert os.listdir(tmp_path) == ["a.parquet"]


def test_a_damaged_page(tmp_path: Path) -> None:
    """Is an error, and nothing comes out."""
    path = tmp_path / "a.parquet"
    pq.write_table(table(2000), path, compression="zstd")
    data = bytearray(path.read_bytes())
    data[60:400] = bytes(340)
    path.write_bytes(data)
    with pytest.raises(InputError):
        work_on_file(path, tmp_path / "b.parquet", SEALING)
    assert os.listdir(tmp_path) == ["a.parquet"]


def test_no_rows_and_the_command_line(tmp_path: Path) -> None:
    """An empty table stays one; a folder is worked on; a file is not replaced by itself."""
    folder, key = tmp_path / "in", tmp_path / "key"
    folder.mkdir()
    pq.write_table(table().slice(0, 0), folder / "empty.parquet")
    pq.write_table(table(), folder / "a.pq")
    run("key", key)
    scope = ("--dataset", "d", "--key", key)
    made = run("redact", folder, "-o", tmp_path / "out", *scope, "--names", "off")
    assert (made.code, "40 records" in made.err) == (0, True)
    assert pq.read_table(tmp_path / "out" / "empty.parquet").schema.equals(table().schema)
    assert run("restore", tmp_path / "out" / "a.pq", "-o", tmp_path / "a.pq", *scope).code == 0
    assert pq.read_table(tmp_path / "a.pq").equals(pq.read_table(folder / "a.pq"))
    with pytest.raises(ConfigError, match="only copy"):
        work_on_file(folder / "a.pq", folder / "a.pq", SEALING)
