from __future__ import annotations

import json
from collections.abc import Iterable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sovguard import Guard
from sovguard.session import Session
from sovguard.vault.store import Entry
from tests.servers import EMAIL, NAME, PHONE, RRN, PatternAnalyzer

SESSION = Guard(_analyzer=PatternAnalyzer()).session()
PERSON, NUMBER, RESIDENT, MAIL = (SESSION.redact(value).text for value in (NAME, PHONE, RRN, EMAIL))
# Words that begin with letters which escapes end with.
OTHER_WORDS = [
    SESSION.surrogate(f"값 {name}", name)
    for name in (
        "MAC_ADDRESS",
        "KR_DRIVER_LICENSE",
        "KR_MILITARY_ID",
        "KR_ADDRESS",
        "DATE_OF_BIRTH",
        "CREDIT_CARD",
    )
]
SURROGATES = (PERSON, NUMBER, RESIDENT, MAIL, *OTHER_WORDS)


def full_width(text: str) -> str:
    """Return the text in full-width letters."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


# Every spelling that restoring accepts, among pieces that begin or end like one and lead nowhere.
CHANGED = [
    changed
    for surrogate in SURROGATES
    for changed in (
        surrogate,
        surrogate.lower(),
        surrogate.replace("-", "\\-"),
        surrogate.replace("-", " - "),
        surrogate.replace("-", "–"),
        full_width(surrogate),
        "\u200b".join(surrogate),
        surrogate.replace("-", "-\r\n  "),
        surrogate[:-4] + "\n" + surrogate[-4:],
        f"**{surrogate.replace('-', '**-')}",
        f"`{surrogate.replace('-', '`-`')}`",
        surrogate.replace("-", "-**") + "**",
        surrogate.replace("-", "&#45;"),
        surrogate.replace("-", "&nbsp;&ndash;"),
        "".join(f"&#x{ord(char):X};" for char in surrogate),
        "".join(f"%{ord(char):02x}" for char in surrogate),
        surrogate.replace("-", "%E2%80%91"),
        surrogate.replace("-", "\\u002d"),
        "".join(f"\\u{ord(char):04x}" for char in surrogate),
        surrogate.replace("-", "-\\n"),
        "".join(f"&#0{ord(char):06};" for char in surrogate),
        f"AB%4{surrogate}",
        f"x\\u00{surrogate}",
        surrogate[0] + "\\u200b" + surrogate[1:],
        surrogate[:-1] + ("0" if surrogate[-1] != "0" else "1"),
        surrogate[:9],
        surrogate[3:],
    )
]
OTHER = [
    "PERSON",
    "P",
    "CARD",
    "-",
    " ",
    "\\",
    "\u200b",
    "님",
    "은 ",
    "\n",
    "AB",
    "-ABCD0123",
    "a1",
    "．",
    "&",
    "&#",
    "&#4",
    "%2",
    "%",
    "\\u00",
    "\\\\",
    "**",
    "\r",
    "\t",
    "𝐏",
]
AROUND = [
    "은", "는", "가", "이", "를", "으로", "야", "이었", "다", "이야말로", "은(는)", "(으)로", "(", ")",
    "[", '"', "*", "`", "``", "```", "\n```\n",
    "~~~", "\n", " ", "<", "</b>", "</", '{"', "님", ".", "담당자(", "가" * 30,
]  # fmt: skip
PROSE = st.lists(st.sampled_from([*SURROGATES, *AROUND]), max_size=9).map("".join)
TEXTS = st.lists(st.sampled_from(CHANGED + OTHER), max_size=6).map("".join)


def through(session: Session, pieces: Iterable[str]) -> list[str]:
    """Return what a lane gives out for each piece, and at the end."""
    lane = session.stream()
    return [*(lane.feed(piece) for piece in pieces), lane.flush()]


@settings(max_examples=100, deadline=None)
@given(TEXTS)
@example(PERSON + NUMBER + RESIDENT)
@example(f"{PERSON}{PERSON.lower()}-{PERSON}")
@example("AB-AAAAPERS" + PERSON[4:])
@example("\u200b".join(PERSON))
def test_every_split_in_two_gives_what_restoring_the_whole_gives(text: str) -> None:
    """Wherever a text is cut, the two pieces together restore like the whole."""
    whole = SESSION.restore_text(text).text
    for cut in range(len(text) + 1):
        assert "".join(through(SESSION, (text[:cut], text[cut:]))) == whole


@settings(max_examples=400, deadline=None)
@given(PROSE, st.lists(st.integers(1, 7), min_size=1))
@example(f"`{PERSON}`는 ```\n{PERSON}는\n```\n{PERSON}는", [1])
@example(f'{{"{PERSON}는"', [1])
@example(f"{PERSON}</b>가", [3])
def test_particles_are_the_same_at_every_split(text: str, sizes: list[int]) -> None:
    """Particles, marks and fences may be cut anywhere."""
    whole = SESSION.restore_text(text).text
    for cut in range(len(text) + 1):
        assert "".join(through(SESSION, (text[:cut], text[cut:]))) == whole
    pieces, at = [], 0
    while at < len(text):
        pieces.append(text[at : at + sizes[len(pieces) % len(sizes)]])
        at += len(pieces[-1])
    assert "".join(through(SESSION, pieces)) == whole


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from([NAME, PHONE, EMAIL, *SURROGATES, *AROUND]), max_size=9).map("".join))
@example(f"{NAME}가 {NAME}은 {PHONE}를 {EMAIL}를")
@example(f"{NAME}가{PHONE}")
def test_what_was_redacted_comes_back_with_the_particles_it_had(text: str) -> None:
    """A user's own particles stay as they stood, right or wrong."""
    assert SESSION.restore(SESSION.redact(text).text).text == text


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.lists(st.integers(1, 6)))
def test_any_pieces_give_what_restoring_the_whole_gives(text: str, lengths: list[int]) -> None:
    """However a text is cut up, single characters included, the pieces together restore like the whole."""
    pieces, rest = [], text
    for length in lengths:
        pieces.append(rest[:length])
        rest = rest[length:]
    whole = SESSION.restore_text(text).text
    assert "".join(through(SESSION, [*pieces, rest])) == whole
    assert "".join(through(SESSION, text)) == whole


OTHER_SESSION = Guard(_analyzer=PatternAnalyzer()).session()
OTHERS = tuple(OTHER_SESSION.redact(value).text for value in (NAME, PHONE, RRN, EMAIL))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*SURROGATES, *OTHERS, *OTHER]), max_size=8).map("".join), st.integers(0, 60))
def test_two_sessions_never_resolve_each_other(text: str, cut: int) -> None:
    """Whatever stands together, each session takes its own alone, whole and in pieces."""
    for session, others in ((SESSION, OTHERS), (OTHER_SESSION, SURROGATES)):
        whole = session.restore_text(text)
        assert sum(whole.text.count(other) for other in others) == sum(text.count(other) for other in others)
        assert "".join(through(session, (text[:cut], text[cut:]))) == whole.text


def test_korean_text_is_given_out_at_once() -> None:
    """Only what can still become a surrogate is held."""
    assert through(SESSION, ["안녕하세요, ", "고객님!", " 123"]) == ["안녕하세요, ", "고객님!", " 123", ""]


def test_a_whole_surrogate_is_given_out_at_once() -> None:
    """A piece that is a surrogate to its end is not held back until the next one."""
    assert through(SESSION, [PERSON, "님 ", f"({NUMBER}", ")"]) == [NAME, "님 ", f"({PHONE}", "", ")"]


def test_what_is_held_is_short() -> None:
    """No more is held than the longest spelling of one surrogate, whatever comes."""
    lane = SESSION.stream()
    fed, shown = 0, 0
    for piece in ["A" * 40, "PERSON-", "0" * 40, "A\u200b" * 60, PERSON * 5, "PERSON-AAAA" * 9]:
        for char in piece:
            fed += 1
            shown += len(lane.feed(char))
            assert len(lane._held) <= 64
    assert shown > 0


def test_a_lane_shows_lengths_only() -> None:
    """What debuggers print of a lane holds no text."""
    lane = SESSION.stream()
    lane.feed("말 PERSON-AB")
    assert repr(lane) == "Lane(9 characters held)"


def test_what_was_restored_is_not_reported_once_its_beginning_is_forgotten() -> None:
    """A long text letter by letter: only strings that stand for nothing are named, as for the whole."""
    other = Guard(_analyzer=PatternAnalyzer()).redact(NAME).text
    text = f"{PERSON} {NUMBER} 가나다 " * 30 + other + " 마바사" * 50
    for sink in ("prose", "json"):
        lane = SESSION.stream(sink)
        restored = "".join([*map(lane.feed, text), lane.flush()])
        assert restored == SESSION.restore_text(text).text
        assert lane.unresolved == SESSION.restore_text(text).unresolved == [other]


def test_the_source_of_json_stays_json_at_every_split() -> None:
    """Values are escaped; a string that is all surrogate of a number becomes it, but no key does."""
    session = Guard(_analyzer=PatternAnalyzer()).session()
    quoting, number = 'he said "\\\n', 1012345678
    text = session.surrogate(quoting, "ID_NUMBER")
    (entry,) = session._vault.put([Entry("PHONE_NUMBER", str(number), "int")], ())
    given = {text: [text, f"{text}은"], entry: entry, "n": 1.5, "in": f"{entry}번", "l": [entry, [entry]]}
    wanted = {
        quoting: [quoting, f"{quoting}은"],
        str(number): number,
        "n": 1.5,
        "in": f"{number}번",
        "l": [number, [number]],
    }
    for source in (json.dumps(given, ensure_ascii=False), json.dumps(given, ensure_ascii=False, indent=2)):
        for cut in range(len(source) + 1):
            lane = session.stream("json")
            restored = lane.feed(source[:cut]) + lane.feed(source[cut:]) + lane.flush()
            assert json.loads(restored) == wanted
