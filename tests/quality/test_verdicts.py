from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sovguard import ConfigError, InputError
from sovguard.irreversible import pseudonym
from sovguard.pipeline import Column
from sovguard.pipeline.quality import Left, Place
from sovguard.pipeline.quality.pairing import WINDOW
from sovguard.realistic import realistic
from tests.pipeline.places import BAD, SEALED, finder
from tests.quality.corpora import OTHER_PHONE, ROWS, compared, redacted
from tests.servers import EMAIL, NAME, OTHER_NAME, PHONE, RRN

KEY = bytes(32)
WAYS: dict[str, Callable[[], Any]] = {
    "surrogate": lambda: SEALED,
    "session": lambda: finder().session("x"),
    "pseudonym": lambda: pseudonym(KEY),
    "masked": lambda: "mask",
    "removed": lambda: "remove",
    "made_up": lambda: realistic(KEY),
}


@pytest.mark.parametrize("way", list(WAYS))
def test_a_good_redaction_is_safe_whatever_the_way(way: str) -> None:
    """Nothing is left, all text outside of values is what it was, and each value has its kind of substitute."""
    report = compared(redacted(WAYS[way]()))
    assert (report.safe, report.left, dict(report.counts)) == (True, 0, {})
    assert (report.rows.before, report.rows.after, report.rows.kept, report.rows.changed) == (5, 5, 5, 0)
    assert report.words[0] == report.words[1] > 5
    kind = {"session": "surrogate", "pseudonym": "surrogate"}.get(way, way)
    assert {name: (each.found, dict(each.substitutes)) for name, each in report.types.items()} == {
        "PERSON": (6, {kind: 6}),
        "PHONE_NUMBER": (6, {kind: 6}),
        "KR_RRN": (1, {kind: 1}),
        "EMAIL_ADDRESS": (1, {kind: 1}),
    }
    assert (report.split, report.merged, report.shared, report.one_in) == (0, 0, (2, 2), 1)
    assert 0 < report.columns["memo"].share < 1
    assert (report.columns["name"].share, report.columns["region"].share) == (1, 0)
    expected = 1 if way == "removed" else 2
    assert report.columns["name"].distinct == (2, expected)
    assert sum(was for _, was, _ in report.lengths) == sum(now for _, _, now in report.lengths) == 5


def test_nothing_was_done() -> None:
    """Everything is left, and counted once."""
    report = compared(ROWS)
    assert report.left == report.counts["standing"] == 14
    assert report.share == 0
    assert all(each.left.total == each.found and not each.substitutes for each in report.types.values())


def test_a_value_that_is_left_in_its_place() -> None:
    """Is told by row, column and type, and its value has two substitutes: a surrogate and itself."""
    after = redacted()
    after[2]["phone"] = PHONE
    report = compared(after)
    assert report.places[0] == Place("standing", 3, 3, "phone", "PHONE_NUMBER")
    assert (report.left, report.columns["phone"].left) == (1, Left(1, 0, 0))
    assert (report.columns["phone"].split, report.shared) == (1, (2, 1))


def test_a_value_that_is_only_written_otherwise_is_left() -> None:
    """Without its hyphens it is the same number."""
    after = redacted()
    after[2]["phone"] = PHONE.replace("-", "")
    assert compared(after).counts["standing"] == 1


def test_a_value_that_was_moved_to_another_column_of_its_row() -> None:
    """Stands, although its own cell is a surrogate; the column it went to is not what it was."""
    after = redacted()
    after[4]["memo"] = f"끝 {PHONE}"
    report = compared(after)
    assert report.counts["standing"] == report.counts["changed"] == 1
    assert report.places[0].after == 5


def test_a_value_that_nobody_found_in_another_row() -> None:
    """Only other rows tell that it is one: it is looked for as it is spelt there."""
    before = [
        *ROWS,
        {"id": "a6", "name": "-", "phone": "-", "memo": f"전화 {PHONE.replace('-', ' ')}", "region": "서울"},
    ]
    after = redacted(rows=before)
    report = compared(after, before)
    assert report.counts == {"elsewhere": 1}
    assert report.places == (Place("elsewhere", None, 6, "memo", "PHONE_NUMBER"),)
    assert report.types["PHONE_NUMBER"].left == Left(0, 0, 1)
    once = compared(iter(after), before)
    assert (once.left, once.types["PHONE_NUMBER"].left.elsewhere) == (0, None)


def test_values_that_changed_places() -> None:
    """A number that is put in the place of another is somebody's: it is left. A name may be."""
    swap = {NAME: OTHER_NAME, OTHER_NAME: NAME, PHONE: OTHER_PHONE, OTHER_PHONE: PHONE}
    report = compared(redacted(lambda value, _: swap.get(value, "[삭제]")))
    assert report.types["PHONE_NUMBER"].left.standing == 2
    assert report.types["PERSON"].left.total == 0


def test_something_is_found_after_that_was_not_there() -> None:
    """In a row that is new, and in text that somebody wrote."""
    after = redacted()
    after.append({"id": "a6", "name": OTHER_NAME, "phone": "", "memo": "", "region": ""})
    report = compared(after)
    assert report.counts == {"added": 1, "found": 1}
    assert Place("found", None, 6, "name", "PERSON") in report.places


def test_a_value_with_two_surrogates() -> None:
    """Within a column it is split, and the columns do not join on it."""
    after = redacted()
    after[4]["phone"] = after[4]["phone"].replace("PHONE~1", "PHONE~1A")
    report = compared(after)
    assert (report.left, report.split, report.merged, report.shared) == (0, 1, 0, (2, 1))
    assert report.columns["phone"].distinct == (2, 3)


def test_two_values_with_one_surrogate() -> None:
    """Are merged; a word for what was removed, which stands for all of them, is not counted so."""
    after = redacted()
    after[1]["phone"] = after[3]["phone"] = after[0]["phone"]
    report = compared(after)
    assert (report.left, report.split, report.merged) == (0, 0, 1)
    assert report.columns["phone"].distinct == (2, 1)
    removed = compared(redacted("remove"))
    assert (removed.merged, removed.columns["phone"].distinct) == (0, (2, 1))


def test_columns_that_do_not_join() -> None:
    """Each is consistent by itself, with a surrogate of its own scope."""
    from sovguard.pipeline import redact_rows

    modes = ["name", "memo", Column("phone", join_group="다른 곳")]
    report = compared(list(redact_rows(ROWS, SEALED, columns=modes, guard=finder())))
    assert (report.left, report.split, report.merged, report.shared) == (0, 0, 0, (2, 1))


@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_row_that_is_missing_and_one_that_is_new(place: int) -> None:
    """All others are compared with their own."""
    after = redacted()
    row = after.pop(place)
    report = compared(after)
    assert report.counts == {"missing": 1}
    assert report.places == (Place("missing", place + 1, None),)
    assert (report.rows.kept, report.split, report.left) == (4, 0, 0)
    after.insert(place, row)
    after.insert(place, {**row, "id": "new"})
    more = compared(after)
    assert (more.counts, more.rows.added, more.rows.kept) == ({"added": 1}, 1, 5)


def test_rows_in_another_order() -> None:
    """Are found within a window, and counted; beyond it one is missing and one is new."""
    after = redacted()
    after[0], after[3] = after[3], after[0]
    report = compared(after)
    assert set(report.counts) == {"moved"}
    assert (report.rows.kept, report.rows.moved <= 2, report.left, report.split) == (5, True, 0, 0)
    many: list[Any] = [f"{number} 번째 줄" for number in range(WINDOW * 2)]
    assert compared([*many[1:], many[0]], many).counts == {"missing": 1, "added": 1}
    assert compared([*many[1:9], many[0], *many[9:]], many).counts == {"moved": 1}


@pytest.mark.parametrize("way", list(WAYS))
def test_text_outside_of_values_that_changed(way: str) -> None:
    """Is counted by row, with how many of its words are still there; values of the row are judged all the same."""
    after = redacted(WAYS[way]())
    after[0]["memo"] = after[0]["memo"].replace("고객이", "손님이")
    report = compared(after)
    assert report.counts == {"changed": 1}
    assert report.rows.changed == 1
    assert 0 < report.words[0] - report.words[1] <= 2


def test_text_that_somebody_wrote_into_a_gap() -> None:
    """A surrogate and more is no substitute."""
    after = redacted()
    after[2]["memo"] = after[2]["memo"].replace(" 확인", " 아주 긴 말을 더 하고 확인")
    assert compared(after).counts == {"changed": 1}


def test_fields_that_are_missing_new_or_called_otherwise() -> None:
    """Counted by row; what is in them is compared all the same."""
    after = redacted()
    del after[0]["region"]
    after[1]["more"] = 1
    after[2] = {("tel" if key == "phone" else key): value for key, value in after[2].items()}
    report = compared(after)
    assert report.rows.fields == 3
    assert (report.columns["region"].cells, report.columns["tel"].cells) == ((5, 4), (0, 1))
    assert report.left == 0
    turned = [dict(reversed(row.items())) for row in redacted()]
    assert dict(compared(turned).counts) == {}


def test_a_cell_that_is_gone_with_its_value_elsewhere_in_the_row() -> None:
    """The value stands."""
    after = redacted()
    del after[4]["phone"]
    after[4]["memo"] = f"끝 {PHONE}"
    assert compared(after).counts["standing"] == 1


def test_cells_that_nobody_could_look_at() -> None:
    """Are not taken for safe."""
    rows = [{"memo": BAD}, {"memo": "좋은 글"}]
    report = compared(rows, rows)
    assert (report.safe, report.rows.unread, report.left) == (False, 2, 2)


def test_more_was_replaced_than_is_found_here() -> None:
    """A surrogate tells what it stands for, so that text beside it is compared all the same."""
    before = [{"memo": f"담당 이몽룡, 번호 {PHONE} 입니다"}, {"memo": "담당 이몽룡, 끝"}]
    made = redacted(rows=[{"memo": f"담당 {NAME}, 번호 {PHONE} 입니다"}, {"memo": f"담당 {NAME}, 끝"}])
    report = compared(made, before)
    assert dict(report.counts) == {}
    assert report.types["PERSON"].substitutes == {"surrogate": 2}
    assert report.split == 0
    made[0]["memo"] = made[0]["memo"].partition("번호")[0] + f"번호 {PHONE} 입니다"
    assert compared(made, before).counts == {"standing": 1}


def test_what_only_looks_like_a_surrogate() -> None:
    """A product code that was there before is no surrogate."""
    before = ["제품 ABC-2024AB12 문의", f"제품 ABC-2024AB12, {PHONE}"]
    report = compared(redacted(rows=before), before)
    assert dict(report.counts) == {}
    assert {name: each.found for name, each in report.types.items()} == {"PHONE_NUMBER": 1}


def test_dicts_within_dicts_lists_numbers_and_names_of_fields() -> None:
    """Values are found at any depth; the name of a field in which something is found is not shown."""
    before = [{"a": {"b": [PHONE, "x", None, True, 3]}, NAME: {"memo": "글"}, "n": 3512123123456}]
    report = compared(before, before)
    assert report.columns["a.b"].found == {"PHONE_NUMBER": 1}
    assert report.columns["n"].found == {"KR_RRN": 1}
    assert report.columns["•"].left.standing == 1
    assert "•.memo" in report.columns
    shown = compared(before, before, columns=["a", "n"])
    assert shown.left == 3  # the name of the field is looked at in any case


def test_columns_that_are_chosen() -> None:
    """Only these are looked at, whole cells are what a column is said to hold, and a slip of the pen is an error."""
    before = [{"who": "이몽룡", "memo": PHONE}, {"who": "성춘향", "memo": ""}]
    report = compared(before, before, columns=[Column("who", is_a="PERSON")])
    assert {name: each.found for name, each in report.types.items()} == {"PERSON": 2}
    assert compared(before, before, columns=[Column("memo", types={"KR_RRN"})]).left == 0
    for settings in ({"columns": ["whom"]}, {"quasi_identifiers": ["whom"]}, {"quasi_identifiers": "who"}):
        with pytest.raises(ConfigError):
            compared(before, before, **settings)


def test_rows_that_are_none() -> None:
    """Are named by their number and type alone."""
    with pytest.raises(InputError, match="row 2 is a tuple"):
        compared([], ["a", (PHONE,)])


def test_k_anonymity_before_and_after() -> None:
    """A null counts as a value; a column that was redacted one to one tells as much as before."""
    rows = [*ROWS, {"id": "x", "region": None}]
    report = compared(redacted(rows=rows), rows, quasi_identifiers=["region", "name"])
    assert report.anonymity is not None
    was, now = report.anonymity
    assert (was.k, was.alone, was.classes, was.rows) == (1, 2, 4, 6)
    assert was == now
    assert "k-익명성" in report.html()


def test_nothing_to_compare() -> None:
    """Of no rows there is a page; of rows that all went, too."""
    report = compared([], [])
    assert (report.safe, report.share, report.lengths) == (True, 0, ())
    assert "비교할 행이 없습니다" in report.html()
    gone = compared([])
    assert (gone.rows.missing, gone.rows.kept, gone.left) == (5, 0, 0)


def test_many_rows_that_are_missing_or_new() -> None:
    """Rows behind them are compared with their own again, but for some that are taken for changed before that is clear."""
    many = [f"{number} 번째 줄" for number in range(3000)]
    report = compared(many[2000:], many)
    assert (report.rows.missing, report.rows.changed) == (2000, 64)
    assert compared(many, many[2000:]).counts == {"added": 2000, "changed": 64}
    assert compared([f"{row}!" for row in many], many).counts == {"changed": 3000}


def test_few_places_of_each_kind_are_kept() -> None:
    """All are counted."""
    rows = [f"{number}: {EMAIL} {RRN}" for number in range(100)]
    report = compared(rows, rows)
    assert (report.left, len(report.places)) == (200, 20)
