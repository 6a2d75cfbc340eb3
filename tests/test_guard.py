from __future__ import annotations

import re
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sovguard.entities import Detection
from sovguard.errors import ConfigError, DetectionError, InputError, VaultError
from sovguard.guard import Guard, Redaction, Restoration
from sovguard.session import Session
from sovguard.vault import MemoryVault, SessionRef
from tests.fakes import Nothing, Spans, Words, detection

CANARY = "홍길동-카나리아"
WORDS = {
    "홍길동": "PERSON",
    "홍길순": "PERSON",
    "010-0000-1234": "PHONE_NUMBER",
    "1000001234": "PHONE_NUMBER",
    "37.5": "KR_ADDRESS",
    "hong@example.com": "EMAIL_ADDRESS",
}


@pytest.fixture
def analyzer() -> Words:
    """Return an analyzer that finds a few made-up values."""
    return Words(WORDS)


@pytest.fixture
def guard(analyzer: Words) -> Guard:
    """Return a guard with that analyzer."""
    return Guard(_analyzer=analyzer)


# What goes in and what comes out


def test_a_text_is_redacted_and_restored(guard: Guard) -> None:
    """A str gives a Redaction without the values, and its answer a Restoration with them."""
    red = guard.redact("홍길동님 번호는 010-0000-1234입니다")
    assert isinstance(red, Redaction)
    assert "홍길동" not in red.text
    assert "010-0000" not in red.text
    assert [(hit.entity_type, hit.start, hit.end) for hit in red.detections] == [
        ("PERSON", 0, 3),
        ("PHONE_NUMBER", 9, 22),
    ]
    answer = guard.restore(f"네, {red.text}")
    assert isinstance(answer, Restoration)
    assert answer.text == "네, 홍길동님 번호는 010-0000-1234입니다"
    assert answer.unresolved == []


def test_text_without_findings_stays_as_it_is(guard: Guard) -> None:
    """Nothing found means nothing changed."""
    red = guard.redact("오늘 날씨 어때요? A-100")
    assert (red.text, red.detections) == ("오늘 날씨 어때요? A-100", [])


def test_scan_finds_and_changes_nothing(guard: Guard, analyzer: Words) -> None:
    """scan gives detections of a text, or a list of them for each of several texts in one batch."""
    assert [hit.entity_type for hit in guard.scan("홍길동")] == ["PERSON"]
    assert [len(found) for found in guard.scan(["홍길동", "없음", "홍길동 홍길순"])] == [1, 0, 2]
    assert guard.scan(("홍길동",))[0] == guard.session().scan("홍길동")
    assert analyzer.batches[1] == ["홍길동", "없음", "홍길동 홍길순"]
    assert guard.scan([]) == []


def test_json_like_values_keep_their_shape(guard: Guard) -> None:
    """Lists, tuples and dicts keep shape and order, lose their values and restore exactly."""
    value = {
        "고객": {"이름": "홍길동", "연락처": ["010-0000-1234", "hong@example.com"]},
        "메모": ("홍길동님 통화", None, True, 3),
        "홍길순": [],
        "빈칸": "",
    }
    redacted = guard.redact(value)
    assert not any(word in repr(redacted) for word in WORDS)
    assert next(iter(redacted)) == "고객"
    assert list(redacted)[2].startswith("PERSON-")
    assert redacted["메모"][1:] == (None, True, 3)
    assert isinstance(redacted["메모"], tuple)
    assert redacted["메모"][0] == f"{redacted['고객']['이름']}님 통화"
    assert guard.restore(redacted) == value
    assert list(guard.restore(redacted)) == list(value)


def test_the_callers_object_is_not_changed(guard: Guard) -> None:
    """Redacting and restoring work on copies."""
    value = {"이름": ["홍길동"]}
    redacted = guard.redact(value)
    guard.restore(redacted)
    assert value == {"이름": ["홍길동"]}
    assert redacted != value


def test_all_texts_of_an_object_go_to_the_analyzer_at_once(guard: Guard, analyzer: Words) -> None:
    """One object is one batch, each value with its key."""
    guard.redact([{"이름": "홍길동", "나이": 30}, "끝"])
    assert analyzer.batches == [["이름: 홍길동", "나이: 30", "끝"]]


def test_a_key_gives_its_value_context() -> None:
    """A value that only its key makes recognisable is covered; the key, being no value, stays."""

    class ByKey:
        def analyze(self, texts: list[str]) -> list[list[Detection]]:
            return [
                [detection("ID_NUMBER", 4, len(text))] if text.startswith("사번: ") else [] for text in texts
            ]

    guard = Guard(_analyzer=ByKey())
    redacted = guard.redact({"사번": "A1234", "상품": "A1234", "속": {"사번": ["B1", 77]}})
    assert redacted["사번"].startswith("ID-")
    assert redacted["상품"] == "A1234"
    assert [item[:3] for item in redacted["속"]["사번"]] == ["ID-", "ID-"]
    assert guard.restore(redacted) == {"사번": "A1234", "상품": "A1234", "속": {"사번": ["B1", 77]}}


@pytest.mark.parametrize("number", [1000001234, -1000001234, 37.5])
def test_numbers_become_surrogates_and_numbers_again(guard: Guard, number: float) -> None:
    """A detected number is replaced as a whole and comes back with its type; in prose, as digits."""
    redacted = guard.redact({"번호": number, number: [number]})
    surrogate = redacted["번호"]
    assert isinstance(surrogate, str)
    assert redacted == {"번호": surrogate, surrogate: [surrogate]}
    restored = guard.restore(redacted)
    assert restored == {"번호": number, number: [number]}
    assert type(restored["번호"]) is type(number)
    assert guard.restore(f"{surrogate}번").text == f"{number}번"


def test_numbers_and_their_texts_are_different_values(guard: Guard) -> None:
    """1000001234 and "1000001234" each come back as what they were."""
    value = [1000001234, "1000001234"]
    redacted = guard.redact(value)
    assert redacted[0] != redacted[1]
    assert [type(item) for item in guard.restore(redacted)] == [int, str]


def test_undetected_numbers_booleans_and_none_stay(guard: Guard) -> None:
    """What is not personal information keeps its type and identity."""
    value = [1, 2.5, True, False, None, 10**40]
    assert guard.redact(value) == value
    assert [type(item) for item in guard.redact(value)] == [type(item) for item in value]


json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(list(WORDS)),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.sampled_from(list(WORDS)) | st.integers(), inner)
        | st.lists(inner).map(tuple)
    ),
    max_leaves=15,
)


@given(st.lists(json_like | st.sampled_from([1000001234, 37.5])))
def test_any_json_like_value_comes_back_exactly(value: list[Any]) -> None:
    """restore(redact(x)) == x for any JSON-like value, with every type as it was."""
    guard = Guard(_analyzer=Words(WORDS))
    restored = guard.restore(guard.redact(value))
    assert restored == value
    assert repr(restored) == repr(value)


@pytest.mark.parametrize("value", [b"x", {"a"}, 5, 1.5, None, True, object(), iter([])])
def test_other_types_are_refused_with_advice(guard: Guard, value: Any) -> None:
    """Bytes, sets, bare scalars and objects are an InputError that names the type and never the value."""
    for verb in (guard.redact, guard.restore, guard.scan):
        with pytest.raises(InputError, match=f"type {type(value).__name__}: "):
            verb(value)


def test_bad_elements_are_refused(guard: Guard) -> None:
    """A list of texts holds str and nothing else; one text is not a list."""
    session = guard.session()
    for call in (guard.scan, session.redact_texts):
        with pytest.raises(InputError, match="decode it first"):
            call(["홍길동", "홍길순".encode()])
    with pytest.raises(InputError, match="put the one text in a list"):
        session.redact_texts("홍길동")
    with pytest.raises(InputError, match="type bytes"):
        session.restore_text(b"x")  # type: ignore[arg-type]


# Sessions


def test_a_value_keeps_its_surrogate_within_a_session(guard: Guard) -> None:
    """The same value has the same surrogate in every request of a conversation, in texts and objects."""
    with guard.session("conversation-42", tenant="acme", purpose="상담 요약") as s:
        first = s.redact("홍길동").text
        assert s.redact(["홍길동"]) == [first]
        assert s.redact({"홍길동": 1}) == {first: 1}
        assert (s.id, s.tenant, s.purpose) == ("conversation-42", "acme", "상담 요약")
        assert s.redact("홍길동").session_id == "conversation-42"


def test_entering_again_continues_the_session(guard: Guard) -> None:
    """The same tenant and id on the same vault, in another Session or another Guard, is the same session."""
    with guard.session("c", tenant="acme") as s:
        red = s.redact("홍길동")
    other = Guard(vault=guard.vault, _analyzer=Words(WORDS))
    with other.session("c", tenant="acme") as s:
        assert s.restore(red.text).text == "홍길동"
        assert s.redact("홍길동").text == red.text


def test_sessions_never_resolve_each_other(guard: Guard) -> None:
    """Another id, another tenant or the default session leaves a surrogate unresolved."""
    red = guard.session("a", tenant="acme").redact("홍길동")
    for other in (guard.session("b", tenant="acme"), guard.session("a"), guard.session(), guard):
        result = other.restore(red.text)
        assert result.text == red.text
        assert result.unresolved == [red.text]


@given(st.lists(st.sampled_from(list(WORDS)), min_size=1, max_size=6), st.text())
def test_no_session_gives_away_what_another_knows(values: list[str], between: str) -> None:
    """Whatever one session redacted, another that knows the same and other values restores nothing of it."""
    guard = Guard(_analyzer=Words(WORDS))
    one, two = guard.session(), guard.session()
    two.redact(list(WORDS))
    red = one.redact(between.join(values)).text
    assert two.restore(red).text == red
    assert one.restore(red).text == between.join(values)


def test_the_default_session_is_one_and_random(guard: Guard, analyzer: Words) -> None:
    """Calls on a guard share one session with an id nobody can guess; another guard has another."""
    first, second = guard.redact("홍길동"), guard.redact("홍길동")
    assert (first.text, first.session_id) == (second.text, second.session_id)
    assert len(first.session_id) >= 32
    assert Guard(_analyzer=analyzer).redact("홍길동").session_id != first.session_id


def test_sessions_without_an_id_get_random_ones(guard: Guard) -> None:
    """Two sessions that are given no id are two sessions."""
    assert guard.session().id != guard.session(None).id


@pytest.mark.parametrize("bad", ["", 5, b"x"])
def test_session_ids_are_texts(guard: Guard, bad: Any) -> None:
    """An empty id or another type is refused before anything is stored."""
    with pytest.raises(InputError, match="session id"):
        guard.session(bad)
    with pytest.raises(InputError, match="tenant"):
        guard.session("a", tenant=bad)


def test_the_current_session_is_the_innermost_entered(guard: Guard, analyzer: Words) -> None:
    """Within a with block it is that session, after it the one around, outside the default session."""
    other = Guard(_analyzer=analyzer)
    default = guard.current_session()
    with guard.session("a") as a:
        assert guard.current_session() is a
        with other.session("x"), guard.session("b") as b:
            assert guard.current_session() is b
            with a:
                assert guard.current_session() is a
            assert guard.current_session() is b
        assert guard.current_session() is a
        assert other.current_session() is not a
    assert guard.current_session() is default
    assert default.redact("홍길동").text == guard.redact("홍길동").text


def test_the_current_session_belongs_to_its_thread(guard: Guard) -> None:
    """Another thread does not get into a with block that it did not enter."""
    seen: list[Session] = []
    with guard.session("a") as a:
        thread = threading.Thread(target=lambda: seen.append(guard.current_session()))
        thread.start()
        thread.join()
    assert seen[0] is not a


def test_an_exception_leaves_the_session(guard: Guard) -> None:
    """A with block that fails is left all the same, and the exception passes."""
    with pytest.raises(KeyError), guard.session("a"):
        raise KeyError("x")
    assert guard.current_session().id != "a"


def test_many_threads_share_a_session(guard: Guard) -> None:
    """Texts redacted at once in one session all restore, and one value has one surrogate."""
    session = guard.session("a")
    texts = [f"{turn} 홍길동 010-0000-1234 {'홍길순' if turn % 2 else ''}" for turn in range(400)]
    with ThreadPoolExecutor(8) as pool:
        redacted = list(pool.map(lambda text: session.redact(text).text, texts))
        restored = list(pool.map(lambda text: session.restore(text).text, redacted))
    assert restored == texts
    assert len({text.split()[1] for text in redacted}) == 1


def test_redact_texts_is_one_batch(guard: Guard, analyzer: Words) -> None:
    """Many texts go to the analyzer together and come back one redaction each."""
    session = guard.session("a")
    first, second = session.redact_texts(["홍길동", "없음"])
    assert analyzer.batches == [["홍길동", "없음"]]
    assert session.restore_text(first.text).text == "홍길동"
    assert (second.text, second.detections, second.session_id) == ("없음", [], "a")
    assert session.redact_texts([]) == []


def test_live_surrogates_can_be_kept(guard: Guard) -> None:
    """What a model said keeps its surrogates if asked to, and is covered like any text if not."""
    session = guard.session()
    live = session.redact("홍길동").text
    (kept,) = session.redact_texts([f"{live}님과 홍길순님"], keep_surrogates=True)
    (covered,) = session.redact_texts([f"{live}님과 홍길순님"])
    assert kept.text.startswith(f"{live}님과 PERSON-")
    assert live not in covered.text
    assert session.restore_text(kept.text).text == "홍길동님과 홍길순님"
    assert session.restore_text(covered.text).text == f"{live}님과 홍길순님"


# Failing closed


class _Failing:
    def analyze(self, texts: list[str]) -> list[list[Detection]]:
        raise ValueError(f"cannot read {texts}")


@pytest.mark.parametrize(
    "analyzer",
    [
        _Failing(),
        Spans(),
        Spans([], []),
        Spans([detection("PERSON", 0, 99)]),
        Spans([detection("PERSON", 2, 2)]),
        Spans([detection("PERSON", -1, 2)]),
    ],
    ids=["raises", "too few", "too many", "beyond the end", "empty", "before the start"],
)
def test_failed_detection_stops_everything(analyzer: Any) -> None:
    """A detection that fails or answers nonsense is an error; it and its causes hold no text."""
    guard = Guard(_analyzer=analyzer)
    for call in (guard.redact, guard.scan, lambda text: guard.redact([text])):
        with pytest.raises(DetectionError) as caught:
            call(CANARY)
        assert CANARY not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__context__ is None


class _Broken(MemoryVault):
    def __init__(self, method: str) -> None:
        super().__init__()
        self.method = method

    def _fail(self, method: str) -> None:
        if method == self.method:
            raise OSError(f"no space for {CANARY}")

    def open(self, *args: Any) -> Any:
        self._fail("open")
        return super().open(*args)

    def put(self, *args: Any, **kwargs: Any) -> Any:
        self._fail("put")
        return super().put(*args, **kwargs)

    def get(self, *args: Any) -> Any:
        self._fail("get")
        return super().get(*args)


@pytest.mark.parametrize("method", ["open", "put"])
def test_a_failing_vault_stops_everything(method: str) -> None:
    """If the vault cannot open or store, redaction is a VaultError and nothing is returned."""
    guard = Guard(vault=_Broken(method), _analyzer=Words({CANARY: "PERSON"}))
    for value in (CANARY, [CANARY]):
        with pytest.raises(VaultError) as caught:
            guard.redact(value)
        assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_vault_that_cannot_read_stops_restoring(guard: Guard) -> None:
    """If a value cannot be read, restoring is an error rather than a text with holes."""
    vault = _Broken("nothing")
    guard = Guard(vault=vault, _analyzer=Words(WORDS))
    red = guard.redact("홍길동")
    vault.method = "get"
    for value in (red.text, [red.text]):
        with pytest.raises(VaultError):
            guard.restore(value)


def test_no_repr_or_error_shows_a_value(guard: Guard) -> None:
    """A canary that went through every entry point is in no repr; ids, which may name a person, neither."""
    guard = Guard(_analyzer=Words({CANARY: "PERSON"}))
    session = guard.session(CANARY, tenant=CANARY, purpose=CANARY)
    red = session.redact(CANARY)
    things = [guard, session, red, session.restore(red.text), red.detections, guard.vault, session._vault]
    assert CANARY not in "".join(map(repr, things))
    assert repr(session) == f"Session(id of {len(CANARY)} characters)"
    assert repr(guard) == "Guard(names='full')"
    with pytest.raises(InputError) as caught:
        guard.redact([CANARY, {CANARY: CANARY.encode()}])
    assert CANARY not in str(caught.value)


# Settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"names": "some"}, "names"),
        ({"names": None}, "names"),
        ({"recognizers": "pack.toml"}, "put it in a list"),
        ({"recognizers": Path("pack.toml")}, "put it in a list"),
        ({"restore_tools": "notify"}, "put it in a tuple"),
    ],
)
def test_wrong_settings_are_errors(settings: dict[str, Any], message: str) -> None:
    """A setting that does not parse is a ConfigError at once and never a default."""
    with pytest.raises(ConfigError, match=message):
        Guard(**settings)


def test_settings_are_keyword_only_and_known() -> None:
    """A positional or unknown setting is refused."""
    with pytest.raises(TypeError):
        Guard("full")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Guard(policy=None)  # type: ignore[call-arg]


def test_restore_tools_are_kept() -> None:
    """The names of tools are there for the clients to read; none by default."""
    assert Guard(restore_tools=["notify", "mail"]).restore_tools == {"notify", "mail"}
    assert Guard().restore_tools == frozenset()


def test_the_analyzer_is_made_once_and_only_when_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a Guard loads nothing; sixteen threads that need the analyzer at once share one."""
    made: list[dict[str, Any]] = []

    def analyzer(**settings: Any) -> Any:
        made.append(settings)
        return Nothing()

    monkeypatch.setattr("sovguard.detect.analyzer.Analyzer", analyzer)
    guard = Guard(names="off", recognizers=[Path("a.toml")])
    guard.session("a").restore("PERSON-ABC01234")
    assert made == []
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(guard.redact, ["없음"] * 64))
    assert made == [{"names": "off", "recognizers": (Path("a.toml"),), "name_model": None}]


def test_guards_have_vaults_of_their_own_unless_given_one() -> None:
    """The default vault is this process's memory, one for each guard."""
    assert Guard().vault is not Guard().vault
    vault = MemoryVault()
    assert Guard(vault=vault).vault is vault
    vault.open(SessionRef("acme", "a"))


_SHOWN = "[A-Z]{2,16}-[0-9A-Z]{8}"


def test_what_one_text_of_a_request_tells_covers_the_others() -> None:
    """A name with its title in one text is that person in the next, where it stands bare; so is an issued number."""
    guard = Guard()
    texts = [
        "고객 정보: 홍길동 고객님, 회원번호 C-220900",
        "홍길동 확인, C-220900 환불 되었나?",
        "아무 일도 없음",
    ]
    for redacted in (
        [each.text for each in guard.session().redact_texts(texts)],
        guard.redact(texts),
        list(guard.redact({"system": texts[0], "user": texts[1], "rest": texts[2]}).values()),
    ):
        assert not any("홍길동" in text or "C-220900" in text for text in redacted)
        assert redacted[2] == texts[2]
        assert set(re.findall(_SHOWN, redacted[1])) == set(re.findall(_SHOWN, redacted[0]))
    assert guard.scan(["홍길동 고객님", "홍길동 확인"])[1] == guard.scan("홍길동 확인")


@pytest.mark.parametrize("text", ["개홍길동물", "XC-220900", "C-2209001"])
def test_carried_values_stand_alone(text: str) -> None:
    """A value within a longer word or number is another one."""
    redacted = Guard().redact(["홍길동 고객님, 회원번호 C-220900", text])
    assert redacted[1] == text
