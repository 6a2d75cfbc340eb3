from __future__ import annotations

from pathlib import Path

import pytest

from sovguard import Guard
from sovguard.errors import RecognizerDefinitionError


def listed(folder: Path, values: str, settings: str = 'file = "staff.txt"', name: str = "staff.txt") -> Guard:
    """A guard with one list, whose file lies beside its definition."""
    (folder / name).write_text(values, "utf-8")
    (folder / "staff.toml").write_text(f'entity_type = "PERSON"\n[list]\n{settings}\n', "utf-8")
    return Guard(names="off", recognizers=[folder / "staff.toml"])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("어제 꽃별하늘님이 왔다", ["꽃별하늘"]),
        ("꽃별하늘이라고 합니다", ["꽃별하늘"]),
        ("담당:꽃별하늘, 해당화과장께", ["꽃별하늘", "해당화"]),
        ("해당화가 폈다는 해당화꽃은", ["해당화"]),
        ("왕꽃별하늘은 아니다", []),
        ("ask Zed Q. or zed", ["Zed Q."]),
        ("XZed Q. and Zed Q.5", []),
    ],
)
def test_values_are_found_as_words(text: str, found: list[str], tmp_path: Path) -> None:
    """A value is found glued to particles, titles and marks, and never inside another word."""
    guard = listed(tmp_path, "# 직원\n꽃별하늘\n\n해당화\nZed Q.\n")
    assert [text[hit.start : hit.end] for hit in guard.scan(text)] == found


def test_a_column_of_a_table_is_a_list(tmp_path: Path) -> None:
    """A CSV file gives the column that is named, quoted cells read as CSV says."""
    values = '사번,성명\nE1,"꽃별, 하늘"\nE2,해당화\n'
    guard = listed(tmp_path, values, 'file = "staff.csv"\ncolumn = "성명"\nscore = 0.95', "staff.csv")
    (hit,) = guard.scan("E2 해당화에게")
    assert (hit.entity_type, hit.score, hit.recognizer, hit.evidence.pattern) == (
        "PERSON",
        0.95,
        "staff",
        "list",
    )
    assert guard.scan("E1 꽃별, 하늘에게")


def test_a_value_is_found_however_it_is_written(tmp_path: Path) -> None:
    """Decomposed Hangul and full-width letters are the same value, in the list and in the text."""
    guard = listed(tmp_path, "가온누리\nＡＢＣ\n")
    text = "가온누리가 ABC를"
    assert [text[hit.start : hit.end] for hit in guard.scan(text)] == ["가온누리", "ABC"]


@pytest.mark.parametrize(
    ("values", "settings", "said"),
    [
        ("김\n", 'file = "staff.txt"', "value 1 of 'staff.txt' is shorter"),
        ("# 없음\n", 'file = "staff.txt"', "holds no value"),
        ("a,b\n1,2\n", 'file = "staff.txt"\ncolumn = "성명"', "has no column '성명'"),
        ("x", 'file = "other.txt"', "cannot be read"),
        ("x", 'file = "../staff.txt"', "must lie beside"),
        ("x", 'file = "/etc/passwd"', "must lie beside"),
        ("x", 'file = "staff.txt"\nfold = true', "fold"),
    ],
)
def test_what_is_wrong_with_a_list_is_said(values: str, settings: str, said: str, tmp_path: Path) -> None:
    """A list that cannot be used is an error that names the file and shows no value."""
    with pytest.raises(RecognizerDefinitionError, match=said):
        listed(tmp_path, values, settings).scan("글")


def test_the_examples_of_a_list_are_run(tmp_path: Path) -> None:
    """An example that the list does not find stops it from being used."""
    (tmp_path / "staff.txt").write_text("해당화\n", "utf-8")
    body = (
        'entity_type = "PERSON"\n[list]\nfile = "staff.txt"\n[[examples]]\ntext = "장미가"\nmatch = "장미"\n'
    )
    (tmp_path / "staff.toml").write_text(body, "utf-8")
    with pytest.raises(RecognizerDefinitionError, match="example 1"):
        Guard(names="off", recognizers=[tmp_path / "staff.toml"]).scan("글")


def test_a_long_list_is_as_fast_to_search(tmp_path: Path) -> None:
    """Two hundred thousand values load, and each is found."""
    syllables = [chr(0xAC00 + 28 * number) for number in range(60)]
    values = [a + b + c + "늘" for a in syllables for b in syllables for c in syllables]
    guard = listed(tmp_path, "\n".join(values))
    for value in (values[0], values[777], values[-1]):
        assert len(guard.scan(f"그때 {value}님께 전했다")) == 1
