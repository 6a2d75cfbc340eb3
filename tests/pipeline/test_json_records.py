from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovguard import DetectionError
from sovguard.guard import Guard
from sovguard.pipeline.files.cutting import Piece
from sovguard.pipeline.files.json_records import JsonRecords, OddJsonRecord
from sovguard.pipeline.files.records import Shape, Worked, Worker
from sovguard.pipeline.files.settings import Settings
from sovguard.vaultless import Scope, Vaultless
from tests.servers import EMAIL, PHONE, RRN

SCOPE = Scope("은행", dataset="상담")
SEALING = Settings(key=bytes(range(64)), scope=SCOPE, names="off")
MADE = Vaultless(bytes(range(64)), SCOPE).surrogate(PHONE, "PHONE_NUMBER")
BAD = "터져라"
TEXTS = st.sampled_from(
    [
        "",
        "없음",
        PHONE,
        f"{PHONE}로 연락",
        RRN,
        EMAIL,
        MADE,
        "~1",
        BAD,
        "010-****-5678",
        'a\tb\\"\n',
        "\ud83d\ude00",
        "\u2028",
        "한\u0000",
        "x" * 70,
    ]
)
KEYS = st.one_of(TEXTS, st.sampled_from(["text", "id", "연락처", "role", "k" * 64, "k" * 65]))
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([int(PHONE.replace("-", "")), int(RRN.replace("-", "")), 10**30]),
)
VALUES = st.recursive(
    st.one_of(TEXTS, NUMBERS, st.none(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=8,
)
WRITTEN = st.builds(
    lambda value, ascii_only, tight: json.dumps(
        value, ensure_ascii=ascii_only, separators=(",", ":") if tight else None
    ),
    st.one_of(st.dictionaries(KEYS, VALUES, max_size=5), VALUES),
    st.booleans(),
    st.booleans(),
)
ODD = st.sampled_from(
    [
        "",
        " ",
        "\u3000",
        "\r",
        "not json",
        '{"a": 1, "a": 2}',
        f'{{"{PHONE}": 1, "\\u0030{PHONE[1:]}": 2}}',
        '{"a": {"b": 1, "b": 2}}',
        f'{{"{PHONE}": 1, "010-****-{PHONE[-4:]}": 2}}',
        '{"n": -0, "m": 1.50, "o": 1E5, "p": NaN, "q": -Infinity}',
        f'{{"전화": {PHONE.replace("-", "")[1:]}, "phone": 1.{RRN[:6]}{RRN[7:]}}}',
        f'{{"{PHONE}": {"[" * 300 + "]" * 300}}}',
        f'{{"text": {"[" * 150 + json.dumps(PHONE) + "]" * 150}}}',
        "[" * 5000,
        f'{{"n": {"1" * 5000}}}',
        f'{{"n": {"1" * 700}}}',
        '{"half": "\\ud800"}',
        '{"pair": "\\ud83d\\ude00"}',
        "\ufeff{}",
        ' {"text": "' + PHONE + '"} ',
        '{"text":\t"' + PHONE + '" , "id" : 7}',
        f'"{PHONE}"',
        f'["{PHONE}", 1, "text"]',
        '{"a": "tab\tinside"}',
        '{"text": "\\u0030' + PHONE[1:] + '"}',
    ]
)
CUT = st.builds(lambda text, place: text[: place % (len(text) + 1)], WRITTEN, st.integers(0, 200))
LINES = st.lists(
    st.tuples(st.one_of(WRITTEN, WRITTEN, ODD, CUT), st.sampled_from(["\n", "\r\n", "\r\r\n"])), max_size=6
)


def scan(self: Guard, texts: Any) -> Any:
    """What a detector does that cannot finish with some texts."""
    if any(BAD in text for text in texts):
        raise DetectionError("detection failed")
    return self._analyze(texts)


def piece(data: bytes) -> Piece:
    """A piece of a file that begins at its fifth line."""
    return Piece(data, 0, 5, False, len(data), data.count(b"\n"))


class LongWay(JsonRecords):
    """Reads every line the long way."""

    def read(self, line: int, raw: bytes, whole: str, seen: set[str]) -> OddJsonRecord:
        """Return the record that a line is."""
        return self.read_odd(line, raw, whole, seen)


def outcome(done: Worked) -> Sequence[Any]:
    """All that is said of a piece."""
    return done.data, done.bad, done.rejected, done.values, done.unresolved, done.records, done.seen


WORKERS: dict[tuple[Any, ...], Worker] = {}


def worker(columns: tuple[str, ...], action: str, encoding: str) -> Worker:
    """A worker of some settings, made once."""
    made = WORKERS.get((columns, action, encoding))
    if made is None:
        chosen = replace(SEALING, columns=columns, action=action)
        made = WORKERS[columns, action, encoding] = Worker(chosen, Shape("jsonl", encoding))
    return made


@settings(max_examples=400, deadline=None)
@given(
    LINES,
    st.sampled_from([(), ("text",), ("연락처", "id")]),
    st.sampled_from(["surrogate", "mask", "remove"]),
    st.sampled_from(["utf-8", "cp949", "ascii", "johab"]),
    st.binary(max_size=2),
    st.booleans(),
)
def test_the_short_way_gives_what_the_long_way_gives(
    lines: list[tuple[str, str]],
    columns: tuple[str, ...],
    action: str,
    encoding: str,
    junk: bytes,
    whole: bool,
) -> None:
    """The same octets come out, the same lines are bad for the same reasons, and the same is counted."""
    said = [(text + end).encode(encoding, "ignore") for text, end in lines]
    data = junk.join(said) if len(junk) == 2 else b"".join(said)
    data = data if whole else data.rstrip(b"\r\n")
    works = worker(columns, action, encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Guard, "scan", scan)
        short = outcome(works.work(piece(data)))
        patch.setattr("sovguard.pipeline.files.records.JsonRecords", LongWay)
        assert short == outcome(works.work(piece(data)))


def test_a_key_of_a_line_that_is_none_is_looked_at_in_the_next() -> None:
    """A key is asked for once in a piece, and no line that is thrown away has asked for it."""
    deep = f'{{"{PHONE}": {"[" * 300 + "]" * 300}}}\n{{"{PHONE}": 1}}\n'
    done = worker((), "surrogate", "utf-8").work(piece(deep.encode()))
    assert [line for line, _ in done.bad] == [5]
    assert PHONE.encode() not in done.data
    assert done.records == 1


@pytest.mark.parametrize("text", ['{"a": "x"}', '["x", {"b": [1, 2.50]}]', '"x"', "7"])
def test_lines_as_most_are_go_the_short_way(text: str) -> None:
    """What nothing is odd about is not read twice."""
    record = JsonRecords(()).read(1, text.encode(), text, set())
    assert not isinstance(record, OddJsonRecord)
