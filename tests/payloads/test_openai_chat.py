from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from sovguard import Guard, UnsupportedPayload
from sovguard.payloads.openai_chat import REQUEST, restore_answer
from sovguard.session import Session
from tests.servers import EMAIL, NAME, OTHER_NAME, PHONE, RRN, SURROGATE, TEXT, VALUES, PatternAnalyzer


@pytest.fixture
def analyzer() -> PatternAnalyzer:
    """An analyzer that counts its calls."""
    return PatternAnalyzer()


@pytest.fixture
def session(analyzer: PatternAnalyzer) -> Session:
    """A fresh session."""
    return Guard(_analyzer=analyzer).session()


def says(content: Any, **message: Any) -> dict[str, Any]:
    """Return a request with one user message."""
    return {"model": "m", "messages": [{"role": "user", "content": content, **message}]}


def answer(**message: Any) -> dict[str, Any]:
    """Return an answer with one choice."""
    return {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", **message}}]}


def surrogate_of(session: Session, value: str) -> str:
    """Return the surrogate of a value."""
    return session.redact(value).text


FULL = {
    "model": "gpt-4o",
    "temperature": 0.2,
    "seed": 3512123123456,
    "n": 1,
    "stream": False,
    "logit_bias": {"50256": -100},
    "tool_choice": {"type": "function", "function": {"name": "notify"}},
    "user": EMAIL,
    "safety_identifier": PHONE,
    "prompt_cache_key": RRN,
    "metadata": {"customer": NAME},
    "stop": [f"{NAME}:", "끝"],
    "prediction": {"type": "content", "content": [{"type": "text", "text": TEXT}]},
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "note",
            "schema": {"type": "object", "properties": {"고객": {"description": f"예: {NAME}"}}},
        },
    },
    "web_search_options": {"user_location": {"type": "approximate", "approximate": {"city": TEXT}}},
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "notify",
                "description": f"{NAME}에게 알림",
                "strict": True,
                "parameters": {
                    "type": "object",
                    "title": f"{NAME}",
                    "properties": {
                        "to": {"type": "string", "enum": [PHONE, "없음"], "default": PHONE},
                        "id": {"const": RRN, "examples": [EMAIL]},
                        NAME: {"type": "string", "maxLength": 20},
                    },
                    "required": ["to", NAME],
                },
            },
        },
        {"type": "custom", "custom": {"name": "sql", "description": TEXT}},
    ],
    "functions": [{"name": "old", "description": TEXT, "parameters": {"type": "object"}}],
    "messages": [
        {"role": "system", "content": f"상담원은 {OTHER_NAME}"},
        {"role": "developer", "content": [{"type": "text", "text": TEXT}]},
        {"role": "user", "name": NAME, "content": TEXT},
        {
            "role": "assistant",
            "content": None,
            "refusal": f"{NAME} 님 죄송합니다",
            "reasoning_content": TEXT,
            "annotations": [{"type": "url_citation", "url_citation": {"title": NAME}}],
            "audio": {"id": "audio_1"},
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "notify", "arguments": json.dumps({"to": PHONE, NAME: [TEXT]})},
                },
                {"id": "call_2", "type": "custom", "custom": {"name": "sql", "input": TEXT}},
            ],
        },
        {"role": "assistant", "function_call": {"name": "old", "arguments": f"{{broken {TEXT}"}},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": TEXT}]},
        {"role": "tool", "tool_call_id": "call_1", "content": json.dumps({"고객": NAME})},
        {"role": "function", "name": "old", "content": TEXT},
    ],
}


def test_no_value_is_left_anywhere_in_a_full_request(session: Session) -> None:
    """Every place of a request where text may stand is swapped, in plain and in escaped form."""
    redacted = REQUEST.redact(FULL, session)
    for written in (json.dumps(redacted), json.dumps(redacted, ensure_ascii=False)):
        for value in VALUES:
            assert value not in written
            assert json.dumps(value)[1:-1] not in written
            assert json.dumps(json.dumps(value))[3:-3] not in written


def test_settings_and_structure_stay_as_they_were(session: Session) -> None:
    """What is no text is passed on unchanged, and the shape is the same throughout."""
    redacted = REQUEST.redact(FULL, session)
    for key in ("model", "temperature", "seed", "n", "stream", "logit_bias", "tool_choice"):
        assert redacted[key] == FULL[key]
    assert list(redacted) == list(FULL)
    assert [list(message) for message in redacted["messages"]] == [
        list(message) for message in FULL["messages"]
    ]
    assert redacted["tools"][0]["function"]["name"] == "notify"
    assert redacted["tools"][0]["function"]["strict"] is True


def test_restoring_every_string_gives_the_request_back(session: Session) -> None:
    """The redacted request restores to exactly what was passed in, tool arguments as JSON."""
    redacted = REQUEST.redact(FULL, session)
    restored = session.restore(redacted)
    expected = copy.deepcopy(FULL)
    for message in (restored, expected):
        function = message["messages"][3]["tool_calls"][0]["function"]
        function["arguments"] = json.loads(function["arguments"])
        tool = message["messages"][6]
        tool["content"] = json.loads(tool["content"])
    assert restored == expected


def test_the_request_passed_in_is_not_changed(session: Session) -> None:
    """Redaction works on a new object."""
    before = copy.deepcopy(FULL)
    REQUEST.redact(FULL, session)
    assert before == FULL


def test_same_request_gives_the_same_result_twice(session: Session) -> None:
    """A retry that redacts again sends the same."""
    assert REQUEST.redact(FULL, session) == REQUEST.redact(FULL, session)


def test_texts_go_through_one_batch(session: Session, analyzer: PatternAnalyzer) -> None:
    """However many texts there are and whoever wrote them, detection is called once."""
    REQUEST.redact(FULL, session)
    assert len(analyzer.batches) == 1


def test_surrogates_of_the_session_stay_in_what_models_and_tools_said(session: Session) -> None:
    """A tool result that quotes a surrogate still holds it, so that it stands for the same person."""
    surrogate = surrogate_of(session, NAME)
    messages = [
        {"role": role, "content": f"{surrogate} 확인, {PHONE}"} for role in ("assistant", "tool", "function")
    ]
    redacted = REQUEST.redact({"messages": messages}, session)
    for message in redacted["messages"]:
        assert message["content"].startswith(f"{surrogate} 확인, PHONE-")


def test_surrogates_typed_by_a_person_are_covered(session: Session) -> None:
    """What only looks like a surrogate in a user's message cannot fetch someone's data."""
    surrogate = surrogate_of(session, NAME)
    redacted = REQUEST.redact(says(f"{surrogate} 누구야?"), session)
    assert surrogate not in redacted["messages"][0]["content"]
    assert session.restore(redacted)["messages"][0]["content"] == f"{surrogate} 누구야?"


def test_arguments_stay_json_and_numbers_in_them_are_swapped(session: Session) -> None:
    """Arguments are redacted inside the JSON, a number that identifies someone included."""
    arguments = f'{{"memo": "{NAME}\\n{PHONE}", "id": {RRN.replace("-", "")}, "n": 3}}'
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    redacted = REQUEST.redact({"messages": [{"role": "assistant", "tool_calls": [call]}]}, session)
    sent = json.loads(redacted["messages"][0]["tool_calls"][0]["function"]["arguments"])
    assert sent["n"] == 3
    assert SURROGATE.fullmatch(sent["id"])
    assert all(SURROGATE.fullmatch(line) for line in sent["memo"].split("\n"))
    assert session.restore(sent) == json.loads(arguments)


def test_arguments_without_findings_stay_character_for_character(session: Session) -> None:
    """Nothing is rewritten where nothing was found: prompt caches depend on it."""
    arguments = '{ "b" : 1.50, "a":"\\uac00" }'
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    redacted = REQUEST.redact({"messages": [{"role": "assistant", "tool_calls": [call]}]}, session)
    assert redacted["messages"][0]["tool_calls"][0]["function"]["arguments"] == arguments


def test_a_second_equal_key_in_arguments_does_not_hide_a_value(session: Session) -> None:
    """JSON in which a key stands twice is redacted as plain text, since a parser would see one of the two."""
    arguments = f'{{"a": "{PHONE}", "a": "없음"}}'
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    redacted = REQUEST.redact({"messages": [{"role": "assistant", "tool_calls": [call]}]}, session)
    assert PHONE not in json.dumps(redacted)


def test_ids_of_calls_still_match_after_redaction(session: Session) -> None:
    """An id that reads like personal information is swapped in both of its places alike."""
    messages = [
        {"role": "assistant", "tool_calls": [{"id": RRN, "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": RRN, "content": "ok"},
    ]
    redacted = REQUEST.redact({"messages": messages}, session)["messages"]
    assert redacted[0]["tool_calls"][0]["id"] == redacted[1]["tool_call_id"] != RRN


@pytest.mark.parametrize(
    "hidden",
    [
        json.dumps({"이름": NAME, "전화": PHONE}),
        json.dumps({"메모": f"전화\n{PHONE}\t{NAME}"}, ensure_ascii=False),
        f"요약: {json.dumps([NAME])[:-1]}",
        json.dumps(json.dumps({"이름": NAME, "메모": f"\n{PHONE}"})),
        "\\u0030\\u0031\\u0030-0000-1234",
    ],
)
def test_values_behind_json_escapes_are_found(session: Session, hidden: str) -> None:
    """Prompts quote JSON, often with Korean escaped: what the escapes hide is swapped too."""
    sent = REQUEST.redact(says(hidden), session)["messages"][0]["content"]
    assert SURROGATE.search(sent)
    for value in (NAME, PHONE):
        assert value not in sent
        assert json.dumps(value)[1:-1] not in sent


@pytest.mark.parametrize(
    "text", [r"정규식 [\uac00-\ud7a3]+ 설명", r"C:\new\temp 경로", f"{NAME}: [\\uac00-힣]"]
)
def test_escapes_that_hide_nothing_go_out_as_written(session: Session, text: str) -> None:
    """Code and paths are not rewritten, also where a value stands beside them."""
    sent = REQUEST.redact(says(text), session)["messages"][0]["content"]
    assert session.restore_text(sent).text == text


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (says([{"type": "image_url", "image_url": {"url": "data:"}}]), "messages[0].content[0]"),
        (says([{"type": "input_audio", "input_audio": {"data": ""}}]), "messages[0].content[0]"),
        (says([{"type": "file", "file": {"file_data": ""}}]), "messages[0].content[0]"),
        (says([{"type": "video_url"}]), "messages[0].content[0]"),
        (says(["text"]), "messages[0].content[0]"),
        (says([{"type": "text", "text": "a", "extra": "b"}]), "messages[0].content[0].extra"),
        (says([{"type": "text", "text": 5}]), "messages[0].content[0].text"),
        (says({"text": "a"}), "messages[0].content"),
        (says("a", memo="b"), "messages[0].memo"),
        (says("a", audio={"data": "AAAA"}), "messages[0].audio.data"),
        (says("a", tool_calls="b"), "messages[0].tool_calls"),
        (says("a", tool_calls=[{"type": "mcp"}]), "messages[0].tool_calls[0]"),
        (says("a", function_call="b"), "messages[0].function_call"),
        ({"messages": ["a"]}, "messages[0]"),
        ({"messages": [{"role": "ipython", "content": "a"}]}, "messages[0].role"),
        ({"messages": [{"content": "a"}]}, "messages[0].role"),
        ({"messages": [], "tools": [{"type": "mcp"}]}, "tools[0]"),
        ({"messages": [], "tools": {"type": "function"}}, "tools"),
        ({"messages": [], "extra_body": {"deep": [{"note": "글"}]}}, "extra_body.deep[0].note"),
        ({"messages": [], "guided_regex": "a"}, "guided_regex"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_path(
    session: Session, analyzer: PatternAnalyzer, body: Any, path: str
) -> None:
    """An unknown shape is refused before any detection, and the message says where it is."""
    for attempt in (lambda: REQUEST.redact(body, session), lambda: REQUEST.check(body)):
        with pytest.raises(UnsupportedPayload) as refused:
            attempt()
        assert f" {path} " in str(refused.value)
    assert analyzer.batches == []


@pytest.mark.parametrize("body", [None, [], "a", {}, {"messages": None}, {"messages": {"role": "user"}}])
def test_what_is_no_chat_request_is_refused(session: Session, body: Any) -> None:
    """A body without a list of messages is not sent."""
    with pytest.raises(UnsupportedPayload, match="list"):
        REQUEST.redact(body, session)


@pytest.mark.parametrize(
    "extra", [5, True, None, 0.5, [1, 2], {"enable_thinking": False, "budget": 1024}, {}]
)
def test_unknown_parameters_without_text_pass(session: Session, extra: Any) -> None:
    """Numbers and flags of servers we do not know go through."""
    assert REQUEST.redact({**says("a"), "top_k": extra}, session)["top_k"] == extra


@pytest.mark.parametrize("number", [3512123123456, 3512123123456.0])
def test_a_number_that_identifies_someone_is_refused_in_unknown_parameters(
    session: Session, number: float
) -> None:
    """A resident number is personal information as a number too."""
    with pytest.raises(UnsupportedPayload) as refused:
        REQUEST.redact({**says("a"), "customer": {"rrn": number}}, session)
    assert " customer.rrn " in str(refused.value)
    assert "3512123" not in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        {**says("a"), NAME: "x"},
        {**says("a"), "extra": {NAME: 1}},
        {**says("a"), "extra": {"a": {PHONE: 1}}},
        {**says("a"), "model": f"ft:{NAME}"},
        {**says("a"), "logit_bias": {PHONE: 1}},
        says("a", **{EMAIL: "x"}),
        says(RRN, extra=TEXT),
        {**says("a"), "tools": [{"type": "function", "function": {"name": RRN}}]},
    ],
)
def test_no_message_says_a_value(session: Session, body: Any) -> None:
    """Refusals name paths and never what stands there, also where a key is the value."""
    with pytest.raises(UnsupportedPayload) as refused:
        REQUEST.redact(body, session)
    said = f"{refused.value!r} {refused.value.__cause__!r} {refused.value.__context__!r}"
    assert not any(value in said for value in VALUES)


def test_content_of_answers_is_restored(session: Session) -> None:
    """Every text of an answer that people read holds real values again."""
    person = surrogate_of(session, NAME)
    said = answer(
        content=f"{person} 확인",
        refusal=f"{person} 거절",
        reasoning_content=f"{person} 생각",
        reasoning=f"{person} 이유",
        annotations=[person],
        audio={"transcript": person, "data": "AA=="},
    )
    before = copy.deepcopy(said)
    message = restore_answer(said, session)["choices"][0]["message"]
    assert said == before
    assert message == {
        **before["choices"][0]["message"],
        "content": f"{NAME} 확인",
        "refusal": f"{NAME} 거절",
        "reasoning_content": f"{NAME} 생각",
        "reasoning": f"{NAME} 이유",
        "audio": {"transcript": NAME, "data": "AA=="},
    }


def test_every_choice_and_part_is_restored(session: Session) -> None:
    """All choices and all text parts are restored, other parts are left alone."""
    person = surrogate_of(session, NAME)
    parts = [{"type": "text", "text": person}, {"type": "refusal", "refusal": person}, {"url": person}, 5]
    said = {"choices": [{"message": {"content": parts}}, {"message": {"content": person}}]}
    restored = restore_answer(said, session)["choices"]
    assert restored[0]["message"]["content"] == [
        {"type": "text", "text": NAME},
        {"type": "refusal", "refusal": NAME},
        {"url": person},
        5,
    ]
    assert restored[1]["message"]["content"] == NAME


class _Quoting:
    """Finds everything from < to >."""

    def analyze(self, texts: Any) -> Any:
        """Return one detection for each text that holds such a stretch."""
        from sovguard import Detection, Evidence

        return [
            [Detection("ID_NUMBER", t.index("<"), t.index(">") + 1, 1.0, "t", Evidence("t"))]
            if "<" in t
            else []
            for t in texts
        ]


def test_answers_in_json_stay_json_with_any_value() -> None:
    """A value with quotes, backslashes and line breaks is escaped where the answer is JSON."""
    session = Guard(_analyzer=_Quoting()).session()
    value = '<"a\\b"\n>'
    surrogate = surrogate_of(session, value)
    content = f'{{"who": "{surrogate}", "n": 1.50}}'
    restored = restore_answer(answer(content=content), session)["choices"][0]["message"]["content"]
    assert json.loads(restored) == {"who": value, "n": 1.5}
    assert restored.endswith('"n": 1.50}')
    plain = restore_answer(answer(content=f"{{{surrogate}"), session)["choices"][0]["message"]["content"]
    assert plain == f"{{{value}"


def test_tool_arguments_keep_surrogates_unless_the_tool_is_named() -> None:
    """Only tools that the caller named are given real values; in them, JSON stays JSON."""
    session = Guard(_analyzer=_Quoting()).session()
    value = '<"a\\b"\n>'
    surrogate = surrogate_of(session, value)
    arguments = f'{{"n": 1.50, "{surrogate}": ["{surrogate}"]}}'
    calls = [
        {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}
        for name in ("notify", "send")
    ]
    calls.append({"id": "3", "type": "custom", "custom": {"name": "notify", "input": surrogate}})
    calls.append({"id": "4", "type": "custom", "custom": {"name": "send", "input": surrogate}})
    calls.append({"id": "5", "function": {"name": "notify", "arguments": f"{{broken {surrogate}"}})
    said = answer(content=None, tool_calls=calls, function_call={"name": "notify", "arguments": arguments})
    message = restore_answer(said, session, frozenset({"notify"}))["choices"][0]["message"]
    restored = message["tool_calls"]
    assert json.loads(restored[0]["function"]["arguments"]) == {"n": 1.5, value: [value]}
    assert restored[0]["function"]["arguments"].startswith('{"n": 1.50, ')
    assert json.loads(message["function_call"]["arguments"]) == {"n": 1.5, value: [value]}
    assert restored[1] == calls[1]
    assert restored[2]["custom"]["input"] == value
    assert restored[3] == calls[3]
    # Arguments cut short are written as a stream of them would be.
    assert restored[4]["function"]["arguments"] == "{broken " + json.dumps(value)[1:-1]
    assert restore_answer(said, session) == said


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        "a",
        {"error": {"message": "PERSON"}},
        {"choices": None},
        {"choices": [None, {"message": None}, {"text": "a"}]},
        {"choices": [{"message": {"tool_calls": [None, {"function": None}, {"function": {"name": []}}]}}]},
        {"choices": [{"message": {"content": 5, "tool_calls": {}, "function_call": "f"}}]},
    ],
)
def test_answers_of_another_shape_come_back_as_they_are(session: Session, said: Any) -> None:
    """What is not understood in an answer is left alone: surrogates leak nothing."""
    assert restore_answer(said, session, frozenset({"f"})) == said
