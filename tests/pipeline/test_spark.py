"""Spark on this machine, with two workers; it needs Java 17 or newer."""

from __future__ import annotations

import base64
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sovguard import ConfigError
from sovguard.pipeline import Column
from sovguard.pipeline.spark import (
    ERRORS,
    EnvironmentKey,
    Metrics,
    redact_dataframe,
    register,
    restore_dataframe,
)
from sovguard.vaultless import Scope, Vaultless
from tests.servers import EMAIL, PHONE, RRN
from tests.vault.places import missing

# PySpark warns of a newer pandas, whose tables are not used here.
pytestmark = pytest.mark.filterwarnings("default")
KEY = bytes(range(64))
VARIABLE = "SOVGUARD_TEST_PIPELINE_KEY"
SCOPE = Scope("은행", dataset="상담")
SEALED = Vaultless(KEY, SCOPE)
OURS: dict[str, Any] = {"scope": SCOPE, "key": EnvironmentKey(VARIABLE), "names": "off"}
VALUES = (PHONE, RRN, EMAIL)
ROWS = [
    (1, f"{PHONE}로 연락", [EMAIL, None], {"memo": RRN, "n": 1}, {"k": PHONE}),
    (2, None, None, None, None),
    (3, "", [], {"memo": None, "n": None}, {}),
]
SCHEMA = (
    "id int, memo string, tags array<string>, inner struct<memo: string, n: int>, more map<string, string>"
)


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A session with two workers, each of which may try a task three times."""
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        missing("Java", FileNotFoundError("there is no java"))
    from pyspark.sql import SparkSession

    before = {name: os.environ.get(name) for name in (VARIABLE, "PYSPARK_PYTHON", "SPARK_LOCAL_IP")}
    os.environ |= {
        VARIABLE: base64.b64encode(KEY).decode(),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    builder: Any = SparkSession.builder
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.memory": "1g",
    }.items():
        builder = builder.config(name, value)
    session = builder.master("local[2,3]").appName("sovguard").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()
    for name, said in before.items():
        if said is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = said


def rows_of(frame: Any) -> list[Any]:
    """Its rows by their ids, as plain values."""
    return sorted((row.asDict(recursive=True) for row in frame.collect()), key=lambda row: row["id"])


def test_a_dataframe_comes_back(spark: Any) -> None:
    """With its schema and its nulls, in whatever partitions; its workers say how much they did."""
    frame = spark.createDataFrame(ROWS, SCHEMA)
    metrics = Metrics(spark)
    done = redact_dataframe(frame, **OURS, detections="found", metrics=metrics)
    rows = rows_of(done)
    assert done.drop("found", ERRORS).schema == frame.schema
    assert not any(value in repr(rows) for value in VALUES)
    assert [row[ERRORS] for row in rows] == [None] * 3
    assert {(hit["column"], hit["type"]) for hit in rows[0]["found"]} == {
        ("memo", "PHONE_NUMBER"),
        ("tags", "EMAIL_ADDRESS"),
        ("inner.memo", "KR_RRN"),
        ("more.value", "PHONE_NUMBER"),
    }
    assert (metrics.rows, metrics.bad_rows) == (3, 0)
    assert metrics.values == {"PHONE_NUMBER": 2, "EMAIL_ADDRESS": 1, "KR_RRN": 1}
    again = rows_of(redact_dataframe(frame.repartition(3), **OURS, errors=None))
    assert again == [{name: row[name] for name in again[0]} for row in rows]
    back = restore_dataframe(done.drop("found", ERRORS), scope=SCOPE, key=EnvironmentKey(VARIABLE))
    assert rows_of(back) == rows_of(frame)
    assert rows[0]["tags"][0] == SEALED.surrogate(EMAIL, "EMAIL_ADDRESS")


def test_columns_and_actions(spark: Any) -> None:
    """Some columns, a mask, what cells are, and a group to join by."""
    frame = spark.createDataFrame([(1, PHONE, PHONE, PHONE)], "id int, a string, b string, c string")
    columns = [Column("a", action="mask"), Column("b", is_a="PHONE_NUMBER", join_group="고객")]
    (row,) = rows_of(redact_dataframe(frame, **OURS, columns=columns))
    assert (row["a"], row["c"]) == ("010-****-1234", PHONE)
    assert row["b"] == Vaultless(KEY, Scope("은행", join_group="고객")).surrogate(PHONE, "PHONE_NUMBER")
    (masked,) = rows_of(redact_dataframe(frame, action="remove", names="off"))
    assert masked["a"] == "[삭제]"


def test_the_key_goes_nowhere_but_to_workers_that_have_it(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither in what is sent to them nor in the settings of Spark; without it the job stops and says why."""
    from pyspark import cloudpickle
    from pyspark.errors import PythonException

    frame = spark.createDataFrame(ROWS, SCHEMA)
    sent: list[bytes] = []
    mapped = type(frame).mapInArrow

    def watched(self: Any, function: Any, schema: Any) -> Any:
        sent.append(cloudpickle.dumps(function))
        return mapped(self, function, schema)

    monkeypatch.setattr(type(frame), "mapInArrow", watched)
    redact_dataframe(frame, **OURS).collect()
    told = sent[0] + repr(spark.sparkContext.getConf().getAll()).encode()
    assert VARIABLE.encode() in told
    assert KEY not in told
    assert base64.b64encode(KEY) not in told
    other = redact_dataframe(frame, **OURS | {"key": EnvironmentKey("SOVGUARD_TEST_NO_KEY")})
    with pytest.raises(PythonException, match="SOVGUARD_TEST_NO_KEY") as caught:
        other.collect()
    assert not any(value in str(caught.value) for value in VALUES)


def test_functions_of_sql(spark: Any) -> None:
    """There and back, with joins."""
    register(spark, **OURS)
    spark.createDataFrame(ROWS, SCHEMA).createOrReplaceTempView("calls")
    rows = spark.sql(
        "SELECT id, redact(memo) AS memo, restore(redact(memo)) AS back FROM calls ORDER BY id"
    ).collect()
    assert not any(value in rows[0]["memo"] for value in VALUES)
    assert [row["back"] for row in rows] == [row[1] for row in ROWS]
    joined = spark.sql(
        "SELECT a.id FROM calls a JOIN calls b ON redact(a.more['k']) = redact(b.more['k']) WHERE a.more['k'] IS NOT NULL"
    )
    assert [row["id"] for row in joined.collect()] == [1]


def test_a_task_that_is_run_again_gives_the_same_rows(spark: Any, tmp_path: Path) -> None:
    """Each row once, with the surrogates it would have had."""
    frame = spark.createDataFrame(
        [(number, f"{PHONE[:-4]}{number:04}") for number in range(200)], "id int, memo string"
    )
    marker = str(tmp_path / "failed")

    def failing(batches: Any) -> Any:
        for batch in batches:
            if not os.path.exists(marker):
                with open(marker, "w"):
                    pass
                raise RuntimeError("a worker is lost")
            yield batch

    done = redact_dataframe(frame.repartition(4), **OURS, errors=None)
    rows = rows_of(done.mapInArrow(failing, done.schema))
    assert os.path.exists(marker)
    assert [row["id"] for row in rows] == list(range(200))
    assert rows == rows_of(done)


def test_a_stream_of_files(spark: Any, tmp_path: Path) -> None:
    """Structured streaming takes up files as they come, and writes them redacted."""
    (tmp_path / "in").mkdir()
    stream = spark.readStream.schema("id int, memo string").json(str(tmp_path / "in"))
    query = (
        redact_dataframe(stream, **OURS)
        .writeStream.format("parquet")
        .option("checkpointLocation", str(tmp_path / "state"))
        .start(str(tmp_path / "out"))
    )
    try:
        for number in range(2):
            (tmp_path / "in" / f"{number}.json").write_text(
                f'{{"id": {number}, "memo": "{PHONE}"}}\n', "utf-8"
            )
            query.processAllAvailable()
        end = time.monotonic() + 60
        while time.monotonic() < end and query.status["isTriggerActive"]:
            time.sleep(0.1)
    finally:
        query.stop()
    rows = rows_of(spark.read.parquet(str(tmp_path / "out")))
    sealed = SEALED.surrogate(PHONE, "PHONE_NUMBER")
    assert [(row["id"], row["memo"]) for row in rows] == [(0, sealed), (1, sealed)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scope": None}, "Scope"),
        ({"columns": ["none"]}, "no column"),
        ({"columns": [Column("memo", action=SEALED)]}, "hold a key"),
        ({"errors": "memo"}, "already"),
        ({"action": "hide"}, "action is"),
    ],
)
def test_what_cannot_be_asked_for(spark: Any, change: dict[str, Any], said: str) -> None:
    """It is said before a job begins."""
    with pytest.raises(ConfigError, match=said):
        redact_dataframe(spark.createDataFrame(ROWS, SCHEMA), **OURS | change)


def test_keys_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 octets in base64, or an error that does not show them."""
    monkeypatch.setenv("A_KEY", base64.b64encode(KEY).decode())
    assert EnvironmentKey("A_KEY")() == KEY
    for said in ("", "short", base64.b64encode(KEY[:32]).decode()):
        monkeypatch.setenv("A_KEY", said)
        with pytest.raises(ConfigError) as caught:
            EnvironmentKey("A_KEY")()
        assert not said or said not in str(caught.value)
