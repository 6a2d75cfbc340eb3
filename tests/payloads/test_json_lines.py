from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard import Guard, InputError
from sovguard.payloads.json_lines import JsonLine, as_one, batches, picked, put_back, rewritten, scan_lines
from tests.servers import NAME, PHONE, RRN, PatternAnalyzer

GUARD = Guard(_analyzer=PatternAnalyzer())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([NAME, PHONE, RRN]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def lines(text: str, size: int = 1000) -> list[JsonLine]:
    """Return the lines of a document."""
    return [line for batch in batches("a.jsonl", text, size) for line in batch]


def redacted(text: str, *fields: str, encoding: str = "utf-8") -> str:
    """Return a document redacted as the command line does it."""
    read = lines(text)
    parts = GUARD.session().redact_values([picked(line, fields) for line in read])
    return "".join(
        rewritten(line, put_back(line, part, fields), encoding)
        for line, part in zip(read, parts, strict=True)
    )


@given(value=VALUES, indent=st.booleans(), ascii_only=st.booleans())
def test_any_value_comes_back(value: Any, indent: bool, ascii_only: bool) -> None:
    """A line redacted and restored says what it said, whatever it was and however it was written."""
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(" , ", " : ") if indent else None) + "\r\n"
    session = GUARD.session()
    (line,) = lines(text)
    (after,) = session.redact_values([line.value])
    sent = rewritten(line, after, "utf-8")
    (left,) = lines(sent)
    back = rewritten(left, session.restore([left.value])[0], "utf-8")
    assert repr(json.loads(back)) == repr(json.loads(text))
    for secret in (PHONE, RRN):
        assert secret not in sent


def test_only_what_changes_is_written_anew() -> None:
    """Spaces, number forms, escapes and line ends of everything else stay character for character."""
    text = f'{{ "a" :1.50,\t"b": ["{PHONE}" , 1E5],"c":"\\u00e9\\/" }}\r\n\n  \r\n{{"d": "그대로"}}'
    done = redacted(text)
    head, tail = done.split("PHONE-")
    assert head == '{ "a" :1.50,\t"b": ["'
    assert tail[8:] == '" , 1E5],"c":"\\u00e9\\/" }\r\n\n  \r\n{"d": "그대로"}'


def test_numbers_and_keys_are_redacted_and_come_back() -> None:
    """A number becomes a string and a number again; a key stays a key."""
    text = json.dumps({PHONE: [3512123123456]}) + "\n"
    session = GUARD.session()
    (line,) = lines(text)
    sent = rewritten(line, session.redact_values([line.value])[0], "utf-8")
    assert PHONE not in sent
    assert "3512123123456" not in sent
    (left,) = lines(sent)
    assert rewritten(left, session.restore([left.value])[0], "utf-8") == text


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_what_an_encoding_cannot_hold_is_escaped(encoding: str) -> None:
    """A string of escapes stays in escapes, and so does half of a UTF-16 pair and what the encoding lacks."""
    text = f'["{PHONE} \\ud83d\\ude00", "가 {PHONE} \\ud83d\\ude00", "\\ud800 {PHONE}"]\n'
    done = redacted(text, encoding=encoding)
    assert done.encode(encoding)
    assert json.loads(done)[0].endswith("😀")
    assert done.count("\\ud83d\\ude00") == (1 if encoding == "utf-8" else 2)
    assert json.loads(done)[2].startswith("\ud800")


def test_fields_choose_what_is_looked_at() -> None:
    """Only the named top-level fields are redacted, at any depth below, and their own names stay."""
    row = {"a": PHONE, NAME: {"b": [PHONE], PHONE: 1}, "c": {NAME: PHONE}}
    done = json.loads(redacted(json.dumps(row), NAME))
    assert done["a"] == PHONE
    assert done["c"] == {NAME: PHONE}
    assert PHONE not in json.dumps(done[NAME])
    assert redacted("\n \n", "a") == "\n \n"
    for other in ("3", "[]", "null"):
        with pytest.raises(InputError, match="line 2: not an object"):
            redacted(f'{{"a": 1}}\n{other}\n', "a")


def test_offsets_are_those_of_the_document() -> None:
    """A detection's place is where the value is written: behind escapes, in keys, as a number."""
    text = f'{{"x": 1}}\n{{"\\ud64d\\uae38\\ub3d9": ["a", "b"], "m": "\\ud83d\\ude00\\n{PHONE}", "n": 3512123123456}}'
    found = scan_lines(lines(text), GUARD.scan)
    assert sorted(text[hit.start : hit.end] for hit in found) == sorted(
        ["\\ud64d\\uae38\\ub3d9", PHONE, "3512123123456"]
    )
    chosen = scan_lines(lines(text)[1:], GUARD.scan, [NAME, "m"])
    assert [text[hit.start : hit.end] for hit in chosen] == [PHONE]


@pytest.mark.parametrize(
    "bad", [f"{{'a': '{PHONE}'}}", f'{{"a": 1, "a": "{PHONE}"}}', f'"{PHONE}', f'"a" "{PHONE}"', "[" * 300]
)
def test_a_bad_line_is_named_by_its_number(bad: str) -> None:
    """What cannot be read for certain is refused, with the number of the line and nothing of it."""
    with pytest.raises(InputError, match=r"a[.]jsonl, line 3: ") as refused:
        lines(f"{{}}\n\n{bad}\n")
    assert PHONE not in str(refused.value)
    assert refused.value.__cause__ is None


def test_deep_nesting_is_refused_by_line() -> None:
    """Nesting that JSON allows and redaction does not is refused by its line."""
    with pytest.raises(InputError, match=r"a[.]jsonl, line 1: .*levels deep"):
        lines("[" * 300 + "]" * 300)


def test_keys_that_would_become_one_are_refused() -> None:
    """When a restored key meets the same key written out, nothing is lost silently."""
    session = GUARD.session()
    surrogate = session.redact(NAME).text
    (line,) = lines(json.dumps({surrogate: 1, NAME: 2}))
    with pytest.raises(InputError, match="line 1: two keys"):
        rewritten(line, session.restore([line.value])[0], "utf-8")


@given(value=VALUES, indent=st.sampled_from([None, 0, 2, "\t"]), ascii_only=st.booleans())
def test_any_document_comes_back(value: Any, indent: int | str | None, ascii_only: bool) -> None:
    """A whole document, on one line or many, redacted and restored says what it said and has as many lines."""
    source = json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=(", ", " \n: "))
    text = f"{source}\r\n"
    session = GUARD.session()
    line = as_one("a.json", text)
    sent = rewritten(line, session.redact_values([line.value])[0], "utf-8")
    left = as_one("a.json", sent)
    back = rewritten(left, session.restore([left.value])[0], "utf-8")
    assert repr(json.loads(back)) == repr(json.loads(text))
    assert sent.count("\n") == text.count("\n")
    for secret in (PHONE, RRN):
        assert secret not in sent


def test_offsets_in_a_document_count_its_lines() -> None:
    """A detection's place in a document of many lines is where the value is written."""
    text = f'\n{{\n  "a"\n  : [\n    "{PHONE}"\n  ]\n}}\n'
    assert [text[hit.start : hit.end] for hit in scan_lines([as_one("a.json", text)], GUARD.scan)] == [PHONE]


def test_a_document_that_is_no_json_is_refused() -> None:
    """What is not one JSON value is refused with what to do, and nothing of it."""
    for bad in (f'["{PHONE}",]', f'["{PHONE}"]\n["{PHONE}"]', f"// {PHONE}\n{{}}"):
        with pytest.raises(
            InputError, match=r"a[.]json: not one valid JSON value.*--format jsonl.*text"
        ) as refused:
            as_one("a.json", bad)
        assert PHONE not in str(refused.value)


def test_batches_hold_whole_lines_in_order() -> None:
    """Batches stay under their size, unless a line is longer, and put together are the document."""
    text = "".join(f'"{"가" * size}"\r\n' for size in (1, 40, 3, 200, 5, 5))
    each = list(batches("a", text, 50))
    assert "".join(line.text + line.end for batch in each for line in batch) == text
    assert all(len(batch) == 1 or sum(line.size for line in batch) <= 50 for batch in each)
    assert len(each) == 4
    assert [text[line.start] for batch in each for line in batch] == ['"'] * 6


def test_a_line_separator_inside_a_string_ends_no_line() -> None:
    """U+2028, U+0085 and a form feed belong to what a line says."""
    assert len(lines('"a\u2028b\u0085c"\n"d"')) == 2


def test_lines_do_not_show_what_they_hold() -> None:
    """The representation of a line has no value in it."""
    assert PHONE not in repr(lines(json.dumps([PHONE])))
