from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from datasets import Dataset, DatasetDict

from sovguard import ConfigError, InputError
from sovguard.pipeline import Column, redact_frame, redact_series, restore_frame, restore_series
from sovguard.pipeline.frames import duckdb_functions, polars_namespace, redact_dataset
from tests.pipeline.places import BAD, SEALED, finder
from tests.servers import EMAIL, NAME, OTHER_NAME, PHONE, RRN, TEXT, VALUES

GUARD = finder()


def pandas_frame() -> Any:
    """A frame of every kind of column, with an index of its own."""
    frame = pd.DataFrame(
        {
            "memo": pd.Series([TEXT, None, "", NAME], dtype=object),
            "typed": pd.Series([PHONE, pd.NA, "x", RRN], dtype="string"),
            "new": [NAME, OTHER_NAME, None, "x"],
            "kind": pd.Categorical([NAME, "x", NAME, None], categories=["x", NAME, "unused"], ordered=True),
            "mixed": pd.Series([NAME, 3, [PHONE, {"a": EMAIL}], None], dtype=object),
            "n": [1, 2, 3, 4],
            "when": pd.to_datetime(["2031-01-01"] * 4),
        },
        index=pd.Index(["a", "b", "b", "c"], name="key"),
    )
    frame[7] = ["x", NAME, "y", None]
    return frame


def test_a_pandas_frame_comes_back() -> None:
    """With its index, its columns and their types; nothing in it is a value, and the frame that came in is as it was."""
    frame, before = pandas_frame(), pandas_frame()
    done = redact_frame(frame, SEALED, guard=GUARD)
    pd.testing.assert_frame_equal(frame, before)
    assert list(done.columns) == list(frame.columns)
    assert done.index.equals(frame.index)
    assert {name: str(kind) for name, kind in done.dtypes.items() if name != "kind"} == {
        name: str(kind) for name, kind in frame.dtypes.items() if name != "kind"
    }
    assert done["kind"].dtype.ordered
    said = str(done.to_dict("split")) + str(list(done["kind"].cat.categories))
    assert not any(value in said for value in VALUES)
    back = restore_frame(done, SEALED)
    pd.testing.assert_frame_equal(
        back.drop(columns="kind"), before.drop(columns="kind"), check_column_type=False
    )
    assert back["kind"].astype(object).where(back["kind"].notna(), None).tolist() == [NAME, "x", NAME, None]


def test_chosen_columns_and_errors_of_pandas() -> None:
    """What was not chosen is as it was; what is wrong is told by row, and is null."""
    frame = pd.DataFrame({"a": [NAME, f"{NAME} {BAD}"], "b": [NAME, NAME]})
    done = redact_frame(frame, SEALED, columns=["a"], guard=GUARD, errors="wrong")
    assert done["b"].tolist() == [NAME, NAME]
    assert pd.isna(done["a"][1])
    assert [isinstance(each, str) and "took too long" in each for each in done["wrong"]] == [False, True]
    with pytest.raises(InputError, match="row 1: a:") as caught:
        redact_frame(frame, SEALED, guard=GUARD)
    assert NAME not in str(caught.value)
    for columns, said in ((["c"], "no column"), (["n"], "holds no text")):
        with pytest.raises(ConfigError, match=said):
            redact_frame(frame.assign(n=1), SEALED, columns=columns, guard=GUARD)
    with pytest.raises(ConfigError, match="already"):
        redact_frame(frame, SEALED, guard=GUARD, errors="b")
    with pytest.raises(ConfigError, match="one name"):
        redact_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]), SEALED, guard=GUARD)


def polars_frame() -> pl.DataFrame:
    """A frame of every kind of column."""
    return pl.DataFrame(
        {
            "memo": [TEXT, None, "", NAME],
            "kind": pl.Series([NAME, "x", NAME, None], dtype=pl.Categorical),
            "list": [[PHONE, None], [], None, ["x"]],
            "struct": [{"a": EMAIL, "n": 1}, {"a": None, "n": 2}, {"a": "x", "n": None}, {"a": RRN, "n": 4}],
            "n": pl.Series([1, 2, None, 4], dtype=pl.Int16),
            "octets": [b"a", None, b"b", b"c"],
            "span": pl.Series([1, 2, 3, None], dtype=pl.Duration("ms")),
        }
    )


def test_a_polars_frame_comes_back() -> None:
    """Eager and lazy, with its columns and their types."""
    frame = polars_frame()
    done = redact_frame(frame, SEALED, guard=GUARD)
    assert done.schema == frame.schema
    assert not any(value in repr(done.to_dicts()) for value in VALUES)
    assert restore_frame(done, SEALED).equals(frame)
    lazy = redact_frame(frame.lazy(), SEALED, guard=GUARD)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect().equals(done)
    assert lazy.filter(pl.col("n") > 1).select("memo").collect()["memo"].to_list() == [None, done["memo"][3]]


def test_an_enum_of_polars_can_hold_no_surrogate() -> None:
    """Its words are fixed: it is an error that says so, and what was not chosen stays."""
    frame = pl.DataFrame({"a": pl.Series([NAME], dtype=pl.Enum([NAME])), "b": [NAME]})
    assert redact_frame(frame, SEALED, columns=["b"], guard=GUARD).schema == frame.schema
    with pytest.raises(ConfigError, match="Enum"):
        redact_frame(frame, SEALED, guard=GUARD)


def test_errors_of_polars() -> None:
    """In a column, eager and lazy."""
    frame = pl.DataFrame({"a": [NAME, BAD]})
    for given in (frame, frame.lazy()):
        done: Any = redact_frame(given, SEALED, guard=GUARD, errors="wrong")
        done = done.collect() if isinstance(done, pl.LazyFrame) else done
        assert done["wrong"].to_list() == [None, "a: a pattern took too long"]
        assert done["a"][1] is None


@pytest.mark.parametrize("kind", [pd.Series, pl.Series])
def test_a_series_comes_back(kind: Any) -> None:
    """With its name; without one too."""
    named = kind([TEXT, None, NAME], name="메모") if kind is pd.Series else kind("메모", [TEXT, None, NAME])
    for series in (named, kind([TEXT, NAME])):
        done = redact_series(series, SEALED, guard=GUARD)
        assert done.name == series.name
        assert not any(value in str(list(done)) for value in VALUES)
        back = restore_series(done, SEALED)
        assert [None if each is None or each != each else each for each in back] == [
            None if each is None or each != each else each for each in series
        ]
    masked = redact_series(named, "mask", column=Column("x", types={"PERSON"}), guard=GUARD)
    assert (masked[2], PHONE in masked[0]) == ("홍*동", True)


def test_what_is_no_frame_is_refused() -> None:
    """A list, a dict, a table of another kind."""
    for thing in ([1], {"a": 1}, "x"):
        with pytest.raises(InputError, match="frame is worked on"):
            redact_frame(thing, SEALED, guard=GUARD)
        with pytest.raises(InputError, match="Series is worked on"):
            redact_series(thing, SEALED, guard=GUARD)


def test_expressions_of_polars() -> None:
    """In a select, a filter and a group, and back."""
    polars_namespace()
    column: Any = pl.col("a")
    frame = pl.DataFrame({"a": [NAME, PHONE, NAME], "n": [1, 2, 3]})
    done = frame.with_columns(column.sovguard.redact(SEALED, guard=GUARD))
    assert not any(value in repr(done.to_dicts()) for value in VALUES)
    counted = done.group_by("a").agg(pl.col("n").sum()).sort("n")
    assert counted["n"].to_list() == [2, 4]
    assert done.select(column.sovguard.restore(SEALED))["a"].to_list() == [NAME, PHONE, NAME]


def test_functions_of_duckdb() -> None:
    """In SQL, with nulls, joins and more rows than one batch has, and back."""
    connection = duckdb.connect()
    duckdb_functions(connection, SEALED, guard=GUARD)
    connection.execute(
        "CREATE TABLE calls AS SELECT * FROM (VALUES (?, 1), (?, 2), (NULL, 3)) t(memo, n)", [TEXT, NAME]
    )
    connection.execute("CREATE TABLE people AS SELECT ? AS who", [NAME])
    rows = connection.execute("SELECT redact(memo), n FROM calls ORDER BY n").fetchall()
    assert not any(value in repr(rows) for value in VALUES)
    assert rows[2] == (None, 3)
    joined = "SELECT n FROM calls JOIN people ON redact(memo) = redact(who)"
    assert connection.execute(joined).fetchall() == [(2,)]
    back = connection.execute("SELECT restore(redact(memo)) FROM calls ORDER BY n").fetchall()
    assert back == [(TEXT,), (NAME,), (None,)]
    many = "SELECT count(DISTINCT redact(? || (i % 7))) FROM range(10000) t(i)"
    assert connection.execute(many, [f"{NAME} "]).fetchall() == [(7,)]
    connection.close()


def test_datasets_of_hugging_face() -> None:
    """By ``map``, with lists and structs in them; features stay."""
    dataset = Dataset.from_dict(
        {"text": [TEXT, None], "talk": [[{"role": "user", "content": NAME}], []], "n": [1, 2]}
    )
    done = redact_dataset(dataset, SEALED, guard=GUARD, load_from_cache_file=False)
    assert done.features == dataset.features
    assert not any(value in repr(done[:]) for value in VALUES)
    assert done["n"] == dataset["n"]
    some = redact_dataset(dataset, SEALED, columns=["talk.content"], guard=GUARD, load_from_cache_file=False)
    assert some["text"][0] == TEXT
    assert NAME not in repr(some["talk"][:])


def test_columns_of_pandas_that_are_arrows() -> None:
    """Of texts, lists, structs and dictionaries, as Parquet files are read."""
    table = pa.table(
        {
            "text": [PHONE, None],
            "list": [[NAME, None], None],
            "struct": [{"a": EMAIL}, {"a": None}],
            "kind": pa.array([NAME, "x"]).dictionary_encode(),
            "n": [1, 2],
        }
    )
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    done = redact_frame(frame, SEALED, guard=GUARD)
    assert not any(value in str(done.to_dict("list")) for value in VALUES)
    assert [str(kind) for kind in done.dtypes] == [str(kind) for kind in frame.dtypes]
    assert (
        pa.Table.from_pandas(restore_frame(done, SEALED), preserve_index=False).to_pylist()
        == table.to_pylist()
    )
    arrays = table.select(["list"]).to_pandas()
    assert not any(value in str(redact_frame(arrays, SEALED, guard=GUARD)) for value in VALUES)


def test_columns_of_polars_that_cannot_be_looked_into() -> None:
    """Enums within others, and Python objects; fields of a name with a dot are worked on as Arrow's are."""
    for kind in (pl.List(pl.Enum([NAME])), pl.Struct({"a": pl.Enum([NAME])})):
        value: Any = [NAME] if isinstance(kind, pl.List) else {"a": NAME}
        with pytest.raises(ConfigError, match="Enum"):
            redact_frame(pl.DataFrame({"x": pl.Series([value], dtype=kind)}), SEALED, guard=GUARD)
    things = pl.DataFrame({"x": pl.Series([NAME], dtype=pl.Object), "y": [NAME]})
    with pytest.raises(ConfigError, match="Python objects"):
        redact_frame(things, SEALED, guard=GUARD)
    assert redact_frame(things, SEALED, columns=["y"], guard=GUARD).columns == ["x", "y"]
    both = pl.DataFrame({"a": [{"b": NAME}], "a.b": [NAME]})
    assert NAME not in repr(redact_frame(both, SEALED, columns=["a.b"], guard=GUARD).to_dicts())


@pytest.mark.parametrize("form", ["numpy", "pandas", "arrow", "polars"])
def test_datasets_in_the_form_of_another_library(form: str) -> None:
    """What they hold is looked at as it is, and given in that form afterwards; several at once too."""
    dataset = Dataset.from_dict({"a": [PHONE], "n": [1]}).with_format(form, columns=["n"])
    done = redact_dataset(DatasetDict({"train": dataset}), SEALED, guard=GUARD, load_from_cache_file=False)[
        "train"
    ]
    assert done.format["type"] == form
    assert not any(value in repr(done.with_format(None)[:]) for value in VALUES)
    with pytest.raises(ConfigError, match="no column"):
        redact_dataset(dataset, SEALED, columns=["zzz"], guard=GUARD)
