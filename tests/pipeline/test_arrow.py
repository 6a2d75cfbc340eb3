from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sovguard import ConfigError, Guard, InputError
from sovguard.format_preserving import FormatPreserving
from sovguard.irreversible import pseudonym
from sovguard.pipeline import Column, redact_batch, restore_batch
from sovguard.vaultless import Scope, Vaultless
from tests.pipeline.places import BAD, KEY, SCOPE, SEALED, finder
from tests.servers import EMAIL, NAME, OTHER_NAME, PHONE, RRN, TEXT, VALUES

GUARD = finder()
DEEP = pa.struct(
    [("memo", pa.string()), ("n", pa.int64()), ("log", pa.list_(pa.struct([("by", pa.string())])))]
)
COLUMNS: dict[str, Any] = {
    "text": pa.array([TEXT, None, "", "아무것도 없음"]),
    "large": pa.array([NAME, NAME, None, PHONE], pa.large_string()),
    "view": pa.array([NAME, None, "x", RRN], pa.string_view()),
    "category": pa.array([NAME, OTHER_NAME, NAME, None]).dictionary_encode(),
    "list": pa.array([[PHONE, None, "x"], [], None, [EMAIL]]),
    "large_list": pa.array([[PHONE], [], None, [EMAIL]], pa.large_list(pa.string())),
    "list_view": pa.array([[PHONE], [], None, [EMAIL]], pa.list_view(pa.string())),
    "fixed": pa.array([[PHONE, "x"], None, [None, NAME], ["a", "b"]], pa.list_(pa.string(), 2)),
    "struct": pa.array(
        [
            {"memo": TEXT, "n": 1, "log": [{"by": NAME}, None]},
            None,
            {"memo": None, "n": 2, "log": None},
            {"memo": "x", "n": None, "log": []},
        ],
        DEEP,
    ),
    "map": pa.array([[(NAME, PHONE)], None, [], [("k", "v")]], pa.map_(pa.string(), pa.string())),
    "run_end": pa.RunEndEncodedArray.from_arrays([2, 4], [NAME, "x"]),
    "number": pa.array([1, 2, None, 4]),
    "octets": pa.array([b"a", None, b"b", b"c"]),
    "time": pa.array([1, None, 3, 4], pa.timestamp("ms", "Asia/Seoul")),
}
TABLE = pa.table(COLUMNS)


def said(data: Any) -> str:
    """Everything that a table shows, and every octet of its texts, behind nulls too."""
    table = data if isinstance(data, pa.Table) else pa.Table.from_batches([data])
    octets = b"".join(
        bytes(buffer)
        for column in table.columns
        for chunk in column.chunks
        for buffer in chunk.buffers()
        if buffer
    )
    return json.dumps(table.to_pylist(), ensure_ascii=False, default=str) + octets.decode("utf-8", "ignore")


@pytest.mark.parametrize("name", list(COLUMNS))
def test_every_kind_of_column_comes_back(name: str) -> None:
    """With its type, its nulls and its order; what holds texts holds no value, and the rest is as it was."""
    table = TABLE.select([name])
    done = redact_batch(table, SEALED, guard=GUARD)
    assert (done.schema, done.num_rows) == (table.schema, 4)
    assert not any(value in said(done) for value in VALUES)
    assert [each.as_py() is None for each in done[name]] == [each.as_py() is None for each in table[name]]
    assert restore_batch(done, SEALED).to_pylist() == table.to_pylist()
    assert (redact_batch(table, "remove", guard=GUARD) == table) is (name in ("number", "octets", "time"))


def test_all_kinds_at_once_as_batch_and_table() -> None:
    """A batch gives a batch, a table a table, an empty one an empty one; the metadata stays."""
    table = TABLE.replace_schema_metadata({"a": "b"})
    (batch,) = table.to_batches()
    done = redact_batch(batch, SEALED, guard=GUARD)
    assert isinstance(done, pa.RecordBatch)
    assert done.schema.metadata == {b"a": b"b"}
    assert restore_batch(done, SEALED).to_pylist() == batch.to_pylist()
    for empty in (table.slice(0, 0), batch.slice(0, 0), table.schema.empty_table()):
        assert redact_batch(empty, SEALED, guard=GUARD).equals(empty)


@given(st.integers(0, 4), st.integers(0, 4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_slices_hold_nothing_of_what_was_cut_off(start: int, count: int) -> None:
    """Neither in front of them nor behind, nor in a dictionary; and they come back."""
    part = TABLE.slice(start, count)
    done = redact_batch(part, SEALED, guard=GUARD)
    assert not any(value in said(done) for value in VALUES)
    assert restore_batch(done, SEALED).to_pylist() == part.to_pylist()


TEXTS = (
    st.none()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from([TEXT, *VALUES])
)
CELLS = st.lists(
    st.fixed_dictionaries(
        {
            "a": TEXTS,
            "b": st.none() | st.lists(TEXTS, max_size=3),
            "c": st.none()
            | st.fixed_dictionaries({"d": TEXTS, "e": st.none() | st.lists(st.lists(TEXTS), max_size=2)}),
        }
    ),
    max_size=12,
)
SCHEMA = pa.schema(
    [
        ("a", pa.string()),
        ("b", pa.list_(pa.string())),
        ("c", pa.struct([("d", pa.string()), ("e", pa.list_(pa.list_(pa.string())))])),
    ]
)


@given(CELLS, st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_whatever_is_in_it_comes_back(rows: list[dict[str, Any]], size: int) -> None:
    """However it is cut into batches, which changes nothing of what comes out."""
    whole = redact_batch(pa.Table.from_pylist(rows, SCHEMA), SEALED, guard=GUARD)
    pieces = [pa.Table.from_pylist(rows[at : at + size], SCHEMA) for at in range(0, len(rows), size)]
    parts = [redact_batch(piece, SEALED, guard=GUARD).to_pylist() for piece in pieces]
    assert [row for part in parts for row in part] == whole.to_pylist()
    assert restore_batch(whole, SEALED).to_pylist() == rows
    assert not any(value in said(whole) for value in VALUES)


def test_columns_join() -> None:
    """A value is the same in every column and table of a scope, in a group beyond it, and nowhere else."""
    one = redact_batch(pa.table({"a": [NAME, PHONE], "b": [NAME, PHONE]}), SEALED, guard=GUARD).to_pydict()
    assert one["a"] == one["b"]
    other = Vaultless(KEY, Scope("은행", dataset="다른 것"))
    assert redact_batch(pa.table({"a": [NAME]}), other, guard=GUARD)["a"][0].as_py() != one["a"][0]
    grouped = [Column("a", join_group="고객")]
    joined = [
        redact_batch(pa.table({"a": [NAME]}), each, columns=grouped, guard=GUARD)["a"][0].as_py()
        for each in (SEALED, other)
    ]
    assert joined[0] == joined[1] != one["a"][0]
    back = restore_batch(pa.table({"a": joined}), other, columns=grouped)
    assert back["a"].to_pylist() == [NAME, NAME]


def test_options_of_columns() -> None:
    """Some types alone, another action, what a whole cell is, and columns that are left as they are."""
    table = pa.table(
        {"memo": [TEXT], "who": ["아무개"], "phone": [PHONE], "note": [TEXT], "s": [{"a": TEXT, "b": TEXT}]}
    )
    shaped = FormatPreserving(bytes(32), SCOPE)
    columns = [
        Column("memo", types={"PHONE_NUMBER"}),
        Column("who", is_a="PERSON"),
        Column("phone", is_a="PHONE_NUMBER", action=shaped),
        Column("s.a", action="mask"),
    ]
    (done,) = redact_batch(table, SEALED, columns=columns, guard=GUARD).to_pylist()
    assert NAME in done["memo"]
    assert PHONE not in done["memo"]
    assert done["who"].startswith("PERSON~1")
    assert (done["phone"][:4], len(done["phone"]), done["phone"] != PHONE) == ("010-", 13, True)
    assert done["note"] == done["s"]["b"] == TEXT
    assert "홍*동" in done["s"]["a"]
    undone = restore_batch(
        redact_batch(table, SEALED, columns=columns[:3], guard=GUARD), SEALED, columns=columns[:3]
    )
    assert undone.equals(table)
    words = pseudonym(bytes(32))
    assert (
        redact_batch(table.select(["who"]), words, columns=[Column("who", is_a="PERSON")])["who"][0]
        .as_py()
        .startswith("PERSON#")
    )


def test_a_session_of_a_vault() -> None:
    """Its surrogates are those of its conversation, and it puts them back."""
    session = GUARD.session("표")
    table = pa.table({"memo": [TEXT, None, NAME], "x": [NAME, "", "b"]})
    done = redact_batch(
        table, session, columns=["memo", Column("x", types=())], guard=GUARD, detections="found"
    )
    assert done["x"].to_pylist() == [NAME, "", "b"]
    assert session.redact(NAME).text == done["memo"][2].as_py()
    assert [hit["type"] for hit in done["found"][2].as_py()] == ["PERSON"]
    assert restore_batch(done.drop_columns(["found"]), session).equals(table)


def test_detections_say_where_and_never_what() -> None:
    """By row, with the names that lead to the cell; offsets are of the cell in characters."""
    done = redact_batch(TABLE, SEALED, guard=GUARD, detections="found")
    found = done["found"].to_pylist()
    first = next(hit for hit in found[0] if hit["column"] == "struct.memo" and hit["type"] == "PHONE_NUMBER")
    assert TEXT[first["start"] : first["end"]] == PHONE
    assert {hit["column"] for hit in found[0]} >= {"text", "struct.log.by", "map.key", "map.value", "fixed"}
    assert [len(row) > 0 for row in found] == [True, True, True, True]
    assert not any(value in said(done.select(["found"])) for value in VALUES)


def test_a_bad_row_is_told_and_loses_no_other() -> None:
    """In a column of errors, to whoever takes dead letters, or as an error; what could not be worked on never comes out."""
    rows = [NAME, f"{BAD} {NAME}", PHONE, None]
    table = pa.table({"a": rows, "b": [["x"], [BAD, NAME], [], None], "n": [1, 2, 3, 4]})
    done = redact_batch(table, SEALED, guard=GUARD, errors="wrong")
    assert done["wrong"].to_pylist() == [
        None,
        "a: a pattern took too long; b: a pattern took too long",
        None,
        None,
    ]
    assert done["a"].to_pylist()[1] is None
    assert done["b"][1].as_py()[0] is None
    assert done["n"].to_pylist() == [1, 2, 3, 4]
    assert restore_batch(done.select(["a"]), SEALED)["a"].to_pylist() == [NAME, None, PHONE, None]
    letters: list[pa.Table] = []
    kept = redact_batch(table, SEALED, guard=GUARD, dead_letter=letters.append)
    assert kept["n"].to_pylist() == [1, 3, 4]
    assert letters[0].select(["a", "b", "n"]).equals(table.slice(1, 1))
    assert letters[0]["error"].to_pylist() == done["wrong"].to_pylist()[1:2]
    with pytest.raises(InputError, match="row 1: a: a pattern") as caught:
        redact_batch(table, SEALED, guard=GUARD)
    assert NAME not in str(caught.value)


def test_a_row_far_in_is_named_by_its_number() -> None:
    """Of the table, not of the batch that it was worked on in."""
    table = pa.table({"a": ["x"] * 20_000 + [BAD]})
    with pytest.raises(InputError, match="row 20000"):
        redact_batch(table, SEALED, guard=GUARD)


def test_what_cannot_be_swapped_is_a_bad_row() -> None:
    """A value without the shape that is to be kept, on the way in and back."""
    shaped = FormatPreserving(bytes(32), SCOPE)
    columns = [Column("p", is_a="PHONE_NUMBER")]
    table = pa.table({"p": [PHONE, "없음", None, ""]})
    done = redact_batch(table, shaped, columns=columns, guard=GUARD, errors="e")
    assert [each is None for each in done["e"].to_pylist()] == [True, False, True, True]
    assert restore_batch(done.select(["p"]), shaped, columns=columns)["p"].to_pylist() == [
        PHONE,
        None,
        None,
        "",
    ]


def test_unresolved_surrogates_are_listed() -> None:
    """Of another key, by row; they stay as they are."""
    other = Vaultless(KEY[::-1], SCOPE).surrogate(NAME, "PERSON")
    done = restore_batch(pa.table({"a": [other, None]}), SEALED, unresolved="left")
    assert done.to_pydict() == {"a": [other, None], "left": [[other], []]}


@pytest.mark.parametrize(
    ("change", "said_of"),
    [
        ({"columns": ["none"]}, "no column 'none'"),
        ({"columns": ["n"]}, "holds no text"),
        ({"columns": ["a", "a"]}, "twice"),
        ({"columns": "a"}, "put it in a list"),
        ({"detections": "a"}, "already"),
        ({"detections": "x", "errors": "x"}, "different names"),
        ({"mode": "hide"}, "mode has to be"),
        ({"mode": 3}, "no way"),
        ({"mode": "mask", "columns": [Column("a", join_group="g")]}, "join_group"),
        ({"mode": FormatPreserving(bytes(32), SCOPE)}, "is_a"),
        ({"data": {"a": [NAME]}}, "not a dict"),
    ],
)
def test_what_cannot_be_asked_for(change: dict[str, Any], said_of: str) -> None:
    """Each is an error that says what to do, before anything is worked on."""
    asked: dict[str, Any] = {
        "data": pa.table({"a": [NAME], "n": [1]}),
        "mode": SEALED,
        "guard": GUARD,
    } | change
    with pytest.raises(ConfigError, match=said_of):
        redact_batch(asked.pop("data"), asked.pop("mode"), **asked)


@pytest.mark.parametrize(
    "settings", [{"types": "PERSON"}, {"types": ("PERSON",), "is_a": "PERSON"}, {"name": 3}]
)
def test_columns_that_mean_nothing(settings: dict[str, Any]) -> None:
    """One type that is no collection, two answers to one question, and no name."""
    with pytest.raises(ConfigError):
        Column(**{"name": "a", **settings})


def test_a_mask_is_not_undone() -> None:
    """It is said, and not passed over."""
    for mode in ("mask", FormatPreserving(bytes(32), SCOPE)):
        with pytest.raises(ConfigError, match=r"cannot be undone|what the cells are"):
            restore_batch(pa.table({"a": ["홍*동"]}), mode)


def test_equal_cells_are_looked_at_once() -> None:
    """However many there are."""
    guard = finder()
    redact_batch(pa.table({"a": [NAME, PHONE] * 2000}), SEALED, guard=guard)
    analyzer: Any = guard._analyzer
    assert [len(batch) for batch in analyzer.batches] == [2]


def test_the_real_analyzer_reads_cells_with_the_name_of_their_column() -> None:
    """Bare names and numbers are told by it, as they are in a dict."""
    guard = Guard(names="fast")
    table = pa.table({"이름": ["김나래"], "생년월일": ["1990-01-02"], "메모": ["010-0000-1234로 연락"]})
    (row,) = redact_batch(table, "remove", guard=guard).to_pylist()
    assert row == {"이름": "[삭제]", "생년월일": "[삭제]", "메모": "[삭제]로 연락"}


def test_words_of_an_ordered_dictionary_keep_their_order() -> None:
    """Those that nobody uses are gone, and a bad one is null."""
    words = pa.array(["높음", f"{NAME}", "낮음", PHONE])
    array = pa.DictionaryArray.from_arrays(pa.array([2, 1, None, 0], pa.int8()), words, ordered=True)
    table = pa.table({"a": array})
    done = redact_batch(table, SEALED, guard=GUARD)
    assert not any(value in said(done) for value in VALUES)
    assert done.schema == table.schema
    back = restore_batch(done, SEALED)
    assert back["a"].to_pylist() == ["낮음", NAME, None, "높음"]
    assert back["a"].chunk(0).dictionary.to_pylist() == ["높음", NAME, "낮음"]
    bad = pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array([BAD, NAME]), ordered=True)
    assert redact_batch(pa.table({"a": bad}), SEALED, guard=GUARD, errors="e")["a"][0].as_py() is None


def test_kinds_of_columns_that_are_not_looked_into() -> None:
    """Unions of texts and dictionaries of lists are an error, and not passed on; a table without columns is as it was."""
    union = pa.UnionArray.from_dense(
        pa.array([0, 1], pa.int8()), pa.array([0, 0], pa.int32()), [pa.array([PHONE]), pa.array([1])]
    )
    lists = pa.DictionaryArray.from_arrays(pa.array([0]), pa.array([[PHONE]]))
    for array in (union, lists):
        with pytest.raises(ConfigError, match="leave it out"):
            redact_batch(pa.table({"a": array}), SEALED, guard=GUARD)
    bare = pa.table({"a": [1, 2]}).select([])
    assert redact_batch(bare, SEALED, guard=GUARD).num_rows == bare.num_rows


def test_bad_cells_of_other_engines() -> None:
    """Octets that are no UTF-8 in a column of texts, a bad key of a map, and a column that may hold no nulls."""
    octets = pa.array([b"\xff\xfe", PHONE.encode(), None], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 3, octets.buffers())
    done = redact_batch(pa.table({"a": text}), SEALED, guard=GUARD, errors="e")
    assert done["e"].to_pylist() == ["a: it is not UTF-8", None, None]
    assert PHONE not in said(done)
    maps = pa.array([[(BAD, "x"), ("k", PHONE)], [("k", NAME)], None], pa.map_(pa.string(), pa.string()))
    done = redact_batch(pa.table({"m": maps}), SEALED, guard=GUARD, errors="e")
    assert [each is None for each in done["m"].to_pylist()] == [True, False, True]
    assert restore_batch(done.select(["m"]), SEALED)["m"][1].as_py() == [("k", NAME)]
    firm = pa.table({"a": [BAD]}, schema=pa.schema([pa.field("a", pa.string(), nullable=False)]))
    assert redact_batch(firm, SEALED, guard=GUARD, errors="e").schema.field("a").nullable
