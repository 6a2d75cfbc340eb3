"""The code in the documentation runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
BLOCK = re.compile("^```(python|toml)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(name: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return [code for kind, code in BLOCK.findall((DOCS / name).read_text("utf-8")) if kind == language]


@pytest.mark.parametrize("code", blocks("presidio.md", "python"))
def test_examples_of_the_presidio_page_run(code: str) -> None:
    """Each block runs by itself, and what it asserts holds."""
    exec(compile(code, "presidio.md", "exec"), {})  # noqa: S102  the project's own documentation


def test_the_list_of_the_names_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The staff directory of the page finds its people."""
    (definition,) = blocks("names.md", "toml")
    (code,) = blocks("names.md", "python")
    (tmp_path / "staff.csv").write_text("사번,성명\nE1,가온누리\n", "utf-8")
    (tmp_path / "staff.toml").write_text(definition, "utf-8")
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    exec(compile(code, "names.md", "exec"), space)  # noqa: S102
    (hit,) = [hit for hit in space["guard"].scan("가온누리과장님께") if hit.recognizer == "staff"]  # type: ignore[attr-defined]
    assert (hit.start, hit.end) == (0, 4)


def test_the_examples_of_the_pipelines_page_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches, columns, frames and streams, as they stand there; Spark's need a session, and are tested by themselves."""
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from datasets import Dataset

    from sovguard.format_preserving import FormatPreserving
    from sovguard.vaultless import Scope

    table = pa.table(
        {
            "memo": ["010-0000-1234로 연락"],
            "note": ["x"],
            "customer": ["아무개"],
            "account": ["110-000-000017"],
            "profile": [{"address": "서울시 강남구 테헤란로 1"}],
            "region": ["서울"],
            "birth_year": [1990],
            "sex": ["여"],
            "diagnosis": ["x"],
        }
    )
    connection = duckdb.connect()
    connection.register("calls", table)
    space = {
        "key": bytes(range(64)),
        "corpus_key": bytes(range(32)),
        "other_key": bytes(32),
        "scope": Scope("은행", dataset="상담"),
        "table": table,
        "frame": pl.DataFrame({"memo": ["010-0000-1234"]}),
        "pandas_or_polars": pd.DataFrame({"memo": ["010-0000-1234"]}),
        "pl": pl,
        "connection": connection,
        "dataset": Dataset.from_dict({"memo": ["010-0000-1234"]}),
        "json_rows": [{"memo": "010-0000-1234"}],
        "FormatPreserving": FormatPreserving,
    }
    batch, columns, frames, _, corpora, quality = blocks("pipelines.md", "python")
    for code in (
        batch,
        columns,
        frames.replace("num_proc=2", "load_from_cache_file=False"),
        corpora,
        quality,
    ):
        exec(compile(code, "pipelines.md", "exec"), space)  # noqa: S102
    assert space["row"] != {"memo": "010-0000-1234"}
    connection.close()
