"""Events are read wherever the network cuts them, and what is not changed goes on byte for byte."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sovguard.clients.sse import EventReader, event

ENDS = ("\n", "\r\n", "\r")
LINES = st.sampled_from(
    ["data: 가나다", "data:x", "data", "data: ", ": 주석", "event: delta", "id: 7", "retry: 10", "data: {}", "묻다: 값", ""]
)  # fmt: skip


def streams() -> st.SearchStrategy[str]:
    """Streams of lines that end in one way, or each in its own."""
    lines = st.lists(st.tuples(LINES, st.sampled_from(ENDS)), max_size=12)
    return lines.map(lambda pairs: "".join(line + end for line, end in pairs))


def reference(text: str) -> list[str]:
    """The data of each event, after the standard: lines first, then fields."""
    found: list[str] = []
    data: list[str] = []
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    *lines, rest = text.split("\n")
    for line in [*lines, rest, ""] if rest or data else [*lines, ""]:
        if not line:
            if data:
                found.append("\n".join(data))
            data = []
            continue
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
    return found


@settings(max_examples=300, deadline=None)
@given(streams(), st.lists(st.integers(1, 5), min_size=1))
def test_every_cut_gives_the_same_events_and_all_bytes(text: str, sizes: list[int]) -> None:
    """Multi-byte letters, line ends and fields may be cut anywhere."""
    raw = text.encode()
    whole = EventReader()
    once = [*whole.feed(raw), *whole.rest()]
    assert b"".join(each.raw for each in once) == raw
    assert [each.data for each in once if each.data is not None] == reference(text)
    reader, events, at = EventReader(), [], 0
    while at < len(raw):
        size = sizes[at % len(sizes)]
        events += reader.feed(raw[at : at + size])
        at += size
    events += reader.rest()
    assert b"".join(each.raw for each in events) == raw
    assert [each.data for each in events if each.data is not None] == reference(text)


def test_other_data_leaves_the_rest_of_an_event() -> None:
    """Names, ids, comments and line ends stay."""
    reader = EventReader()
    (first, second) = reader.feed(
        b": c\r\nid: 1\r\ndata: a\r\ndata: b\r\nevent: e\r\n\r\nevent: f\ndata:z\n\n"
    )
    assert (first.name, first.data) == ("e", "a\nb")
    assert first.with_data("가\n나") == ": c\r\nid: 1\r\ndata: 가\r\ndata: 나\r\nevent: e\r\n\r\n".encode()
    assert second.with_data("y") == b"event: f\ndata: y\n\n"
    assert event("g", "h", like=first) == b"event: g\r\ndata: h\r\n\r\n"
    assert event("", "h") == b"data: h\n\n"


def test_a_byte_order_mark_and_what_is_not_utf_8_pass() -> None:
    """Neither hides an event nor is one."""
    reader = EventReader()
    events = [*reader.feed(b"\xef"), *reader.feed(b"\xbb\xbfdata: a\n\n"), *reader.feed(b"data: \xff\n\n")]
    assert [each.data for each in events] == [None, "a", None]
    assert b"".join(each.raw for each in events) == b"\xef\xbb\xbfdata: a\n\ndata: \xff\n\n"
