"""Streams: however the pieces come, in order and whole; and what becomes of those that break off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sovguard import UnsupportedPayload
from sovguard.payloads.lanes import Frame
from sovguard.reroute import as_chunk
from tests.reroute.target import NAMES, USAGE, Model, called, chunk, events, of

REQUESTS: dict[str, dict[str, Any]] = {
    "OpenAI Chat Completions": {"messages": []},
    "OpenAI Responses": {"input": "x", "reasoning": {"effort": "low"}},
    "Anthropic Messages": {"messages": [], "thinking": {"type": "enabled"}, "stop_sequences": ["끝"]},
    "Ollama chat": {"messages": []},
    "Ollama generate": {"prompt": "x"},
    "CLOVA Studio v3": {"messages": []},
    "Gemini streamGenerateContent": {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}},
}
OTHERS = [name for name in NAMES if name != "OpenAI Chat Completions"]
WITH_CALLS = [name for name in OTHERS if name != "Ollama generate"]
Told = dict[str, Any]


def told(name: str, frames: Iterable[Frame]) -> Told:
    """What the events of a format say: thinking, text, and calls with their arguments."""
    found: Told = {"reasoning": "", "text": "", "calls": []}
    sources: dict[Any, list[str]] = {}
    for frame in frames:
        data = frame.data
        if name == "OpenAI Chat Completions":
            for choice in data["choices"]:
                found["text"] += choice["delta"].get("content") or ""
                found["reasoning"] += choice["delta"].get("reasoning_content") or ""
                for call in choice["delta"].get("tool_calls", []):
                    sources.setdefault(call["index"], [call["function"].get("name", "")])
                    sources[call["index"]].append(call["function"]["arguments"])
        elif name == "OpenAI Responses":
            kind = data["type"]
            if kind == "response.output_text.delta":
                found["text"] += data["delta"]
            elif kind == "response.reasoning_text.delta":
                found["reasoning"] += data["delta"]
            elif kind == "response.output_item.added" and data["item"]["type"] == "function_call":
                sources[data["output_index"]] = [data["item"]["name"]]
            elif kind == "response.function_call_arguments.delta":
                sources[data["output_index"]].append(data["delta"])
        elif name == "Anthropic Messages":
            if data["type"] == "content_block_start" and data["content_block"]["type"] == "tool_use":
                sources[data["index"]] = [data["content_block"]["name"]]
            delta = data.get("delta", {})
            found["text"] += delta.get("text", "")
            found["reasoning"] += delta.get("thinking", "")
            if "partial_json" in delta:
                sources[data["index"]].append(delta["partial_json"])
        elif name == "Gemini streamGenerateContent":
            for part in data["candidates"][0]["content"]["parts"]:
                found["reasoning" if part.get("thought") else "text"] += part.get("text", "")
                if "functionCall" in part:
                    found["calls"].append((part["functionCall"]["name"], part["functionCall"]["args"]))
        elif name == "CLOVA Studio v3":
            message = data["message"]
            if frame.name == "token":
                found["text"] += message["content"]
                found["reasoning"] += message.get("thinkingContent", "")
            for call in message.get("toolCalls", []):
                found["calls"].append((call["function"]["name"], call["function"]["arguments"]))
        else:
            message = data.get(
                "message", {"content": data.get("response"), "thinking": data.get("thinking", "")}
            )
            found["text"] += message["content"]
            found["reasoning"] += message.get("thinking", "")
            for call in message.get("tool_calls", []):
                found["calls"].append((call["function"]["name"], call["function"]["arguments"]))
    found["calls"] += [(called_as, json.loads("".join(rest))) for called_as, *rest in sources.values()]
    return found


def whole(name: str, answer: dict[str, Any]) -> Told:
    """What a whole answer of a format says."""
    found: Told = {"reasoning": "", "text": "", "calls": []}
    if name == "OpenAI Responses":
        for item in answer["output"]:
            if item["type"] == "function_call":
                found["calls"].append((item["name"], json.loads(item["arguments"])))
            else:
                kind = "text" if item["type"] == "message" else "reasoning"
                found[kind] += "".join(part["text"] for part in item["content"])
    elif name == "Anthropic Messages":
        for block in answer["content"]:
            found["text"] += block.get("text", "")
            found["reasoning"] += block.get("thinking", "")
            if block["type"] == "tool_use":
                found["calls"].append((block["name"], block["input"]))
    elif name == "CLOVA Studio v3":
        message = answer["result"]["message"]
        calls = [call["function"] for call in message.get("toolCalls", [])]
        found["text"], found["reasoning"] = message["content"], message.get("thinkingContent", "")
        found["calls"] = [(call["name"], call["arguments"]) for call in calls]
    elif name == "OpenAI Chat Completions":
        message = answer["choices"][0]["message"]
        calls = [call["function"] for call in message.get("tool_calls", [])]
        found["text"], found["reasoning"] = message["content"] or "", message.get("reasoning_content", "")
        found["calls"] = [(call["name"], json.loads(call["arguments"])) for call in calls]
    else:
        return told(name, [Frame("", answer)])
    return found


@st.composite
def cuts(draw: st.DrawFn) -> tuple[Model, list[dict[str, Any]]]:
    """A model's answer and its chunks, cut anywhere."""
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    values = st.dictionaries(st.sampled_from("abc"), st.one_of(texts, st.integers()), max_size=3)
    calls = draw(st.lists(values, max_size=3))
    written = tuple(
        (f"c{number}", f"tool{number}", json.dumps(each, ensure_ascii=number % 2 == 0))
        for number, each in enumerate(calls)
    )
    model = Model(draw(texts), draw(texts), written, "tool_calls" if written else "stop")

    def cut(text: str) -> list[str]:
        at = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
        return [text[start:end] for start, end in zip([0, *at], [*at, len(text)], strict=True)]

    return model, model.chunks(cut)


@pytest.mark.parametrize("name", NAMES)
@given(answer=cuts())
@settings(max_examples=60, deadline=None)
def test_the_pieces_are_the_whole(name: str, answer: tuple[Model, list[dict[str, Any]]]) -> None:
    """However an answer is cut, its events say what the whole answer says."""
    model, chunks = answer
    how, request = of(name), REQUESTS[name]
    pieces, one = events(how.stream(request), chunks), how.answer(model.whole(), request)
    expected = {
        "reasoning": model.reasoning,
        "text": model.text,
        "calls": [(tool, json.loads(source)) for _, tool, source in model.calls],
    }
    if name == "Ollama generate":
        expected["calls"] = []
    assert told(name, pieces) == whole(name, one) == expected


@given(order=st.permutations([0] * 5 + [1] * 5 + [2] * 5), said=st.sets(st.integers(0, 14), max_size=3))
@settings(max_examples=60, deadline=None)
def test_calls_whose_fragments_are_mixed(order: list[int], said: set[int]) -> None:
    """Each call comes out whole and after another, whatever the order of the fragments and of text between them."""
    for name in WITH_CALLS:
        sources = [f'{{"n": {index}}}' for index in range(3)]
        left = [[source[at : at + 2] for at in range(0, 10, 2)] for source in sources]
        chunks = [chunk(role="assistant")]
        for place, index in enumerate(order):
            if place in said:
                chunks.append(chunk(content="말"))
            begins = {"call_id": f"c{index}", "name": f"t{index}"} if len(left[index]) == 5 else {}
            chunks.append(called(index, arguments=left[index].pop(0), **begins))
        frames = events(of(name).stream(REQUESTS[name]), [*chunks, chunk("tool_calls")])
        found = told(name, frames)
        assert found["text"] == "말" * len(said)
        assert sorted(found["calls"]) == [(f"t{index}", {"n": index}) for index in range(3)]
        if name == "Anthropic Messages":
            blocks = [(frame.data["type"], frame.data["index"]) for frame in frames if "index" in frame.data]
            assert [index for _, index in blocks] == sorted(index for _, index in blocks)


@pytest.mark.parametrize("name", WITH_CALLS)
@pytest.mark.parametrize("index", [0, None])
def test_calls_that_their_ids_alone_tell_apart(name: str, index: int | None) -> None:
    """Some servers number every call 0, or none."""
    chunks = [
        called(index, call_id="a", name="first", arguments='{"n"'),
        called(index, arguments=":1}"),
        called(index, call_id="b", name="second", arguments="{}"),
        chunk("stop"),
    ]
    frames = events(of(name).stream(REQUESTS[name]), chunks)
    assert told(name, frames)["calls"] == [("first", {"n": 1}), ("second", {})]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", [[], [{"error": {"message": "it broke off", "code": 500}}]])
def test_an_answer_that_breaks_off(name: str, ending: list[dict[str, Any]]) -> None:
    """Its events end in an error, and never as if it had been whole; no call that was cut off can be run."""
    chunks = [chunk(content="반쯤"), called(0, call_id="a", name="pay", arguments='{"won": 1'), *ending]
    stream = of(name).stream(REQUESTS[name])
    frames = events(stream, chunks)
    last = frames[-1].data
    assert "broke off" in json.dumps(last)
    assert stream.broken
    kinds = [frame.data.get("type") for frame in frames]
    assert "message_stop" not in kinds
    assert "response.completed" not in kinds
    assert kinds.count("content_block_stop") <= 1  # the text's, not the call's
    assert "pay" not in json.dumps([frame.data for frame in frames if name not in STREAMED_CALLS])


STREAMED_CALLS = {"OpenAI Chat Completions", "OpenAI Responses", "Anthropic Messages"}


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_of_which_nothing_came(name: str) -> None:
    """No chunk at all is a broken answer too."""
    frames = of(name).stream(REQUESTS[name]).end()
    assert "broke off" in json.dumps(frames[-1].data)


FINISHES = [
    ("stop", "end_turn", "completed", "stop", "STOP", "stop"),
    ("length", "max_tokens", "incomplete", "length", "MAX_TOKENS", "length"),
    ("content_filter", "refusal", "incomplete", "stop", "SAFETY", "content_filter"),
    ("tool_calls", "tool_use", "completed", "stop", "STOP", "tool_calls"),
]


@pytest.mark.parametrize(("finish", "anthropic", "responses", "ollama", "gemini", "clova"), FINISHES)
def test_why_an_answer_ended(
    finish: str, anthropic: str, responses: str, ollama: str, gemini: str, clova: str
) -> None:
    """The reason is mapped, whole and streamed alike."""
    calls = (("c", "notify", "{}"),) if finish == "tool_calls" else ()
    model = Model("말", calls=calls, finish=finish)
    read: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
        "Anthropic Messages": (lambda data: data["stop_reason"], lambda data: data["delta"]["stop_reason"]),
        "OpenAI Responses": (lambda data: data["status"], lambda data: data["response"]["status"]),
        "Ollama chat": (lambda data: data["done_reason"],) * 2,
        "Gemini streamGenerateContent": (lambda data: data["candidates"][0]["finishReason"],) * 2,
        "CLOVA Studio v3": (lambda data: data["result"]["finishReason"], lambda data: data["finishReason"]),
    }
    for (name, (of_whole, of_end)), expected in zip(
        read.items(), (anthropic, responses, ollama, gemini, clova), strict=True
    ):
        how, request = of(name), REQUESTS[name]
        frames = events(how.stream(request), model.chunks(list))
        last = frames[-2 if name == "Anthropic Messages" else -1].data
        assert of_whole(how.answer(model.whole(), request)) == of_end(last) == expected


def test_the_stop_sequence_that_ended_an_answer() -> None:
    """vLLM says which it was, and Anthropic's format too."""
    how, request = of("Anthropic Messages"), REQUESTS["Anthropic Messages"]
    answer = Model("말").whole()
    answer["choices"][0]["stop_reason"] = "끝"
    given = how.answer(answer, request)
    assert (given["stop_reason"], given["stop_sequence"]) == ("stop_sequence", "끝")
    last = chunk("stop")
    last["choices"][0]["stop_reason"] = "끝"
    assert events(how.stream(request), [chunk(content="말"), last])[-2].data["delta"]["stop_sequence"] == "끝"


def test_the_limit_of_tokens_within_a_call() -> None:
    """Formats that give arguments as objects leave the call out; the others give what there is and say that it is not all."""
    chunks = [called(0, call_id="a", name="pay", arguments='{"won": 1'), chunk("length")]
    for name in WITH_CALLS:
        frames = events(of(name).stream(REQUESTS[name]), chunks)
        assert ("pay" in json.dumps([frame.data for frame in frames])) is (name in STREAMED_CALLS)
    final = events(of("OpenAI Responses").stream(REQUESTS["OpenAI Responses"]), chunks)[-1].data["response"]
    assert final["output"][0]["status"] == final["status"] == "incomplete"


@pytest.mark.parametrize("name", WITH_CALLS)
def test_streamed_arguments_that_are_no_object(name: str) -> None:
    """They cannot be given as one, and nothing is made up."""
    chunks = [called(0, call_id="a", name="pay", arguments="[1]"), chunk("tool_calls")]
    stream = of(name).stream(REQUESTS[name])
    with pytest.raises(UnsupportedPayload, match="not a JSON object"):
        events(stream, chunks)
    stream.fail()
    assert stream.broken
    ending = stream.end()
    assert "broke off" in json.dumps(ending[-1].data)
    assert not any(frame.data.get("done") for frame in ending)


def test_arguments_that_go_on_after_their_end() -> None:
    """What a call would have been run without is an error, not a loss."""
    stream = of("Anthropic Messages").stream(REQUESTS["Anthropic Messages"])
    stream.feed(called(0, call_id="a", name="pay", arguments="{}"))
    stream.feed(called(1, call_id="b", name="pay", arguments="{}"))
    stream.feed(called(0, arguments=" "))
    with pytest.raises(UnsupportedPayload, match="went on"):
        stream.feed(called(0, arguments="x"))


def test_thinking_that_nobody_asked_to_see() -> None:
    """It is left out, whole and streamed."""
    model = Model("말", "생각")
    for name, request in (
        ("OpenAI Responses", {"input": "x"}),
        ("Anthropic Messages", {"messages": []}),
        ("Ollama chat", {"messages": [], "think": False}),
        ("CLOVA Studio v3", {"messages": [], "thinking": {"effort": "none"}}),
        ("Gemini streamGenerateContent", {}),
    ):
        frames = events(of(name).stream(request), model.chunks(list))
        assert told(name, frames)["reasoning"] == ""
        assert "생각" not in json.dumps(of(name).answer(model.whole(), request), ensure_ascii=False)


def test_servers_that_say_little() -> None:
    """Neither id nor time nor usage nor the other name for thinking is needed."""
    for name in OTHERS:
        bare = {"choices": [{"message": {"content": "말", "reasoning": "음"}, "finish_reason": "stop"}]}
        said = whole(name, of(name).answer(bare, REQUESTS[name]))
        assert (said["text"], said["reasoning"]) == ("말", "음")
        chunks = [{"choices": [{"delta": {"content": "말", "reasoning": "음"}, "finish_reason": "stop"}]}]
        assert told(name, events(of(name).stream(REQUESTS[name]), chunks)) == said


def test_nothing_of_an_answer_is_in_a_repr() -> None:
    """Objects that hold texts say how many."""
    for name in NAMES:
        stream = of(name).stream(REQUESTS[name])
        frames = stream.feed(chunk(content="홍길동"))
        assert "홍길동" not in repr(stream) + repr(frames)


@pytest.mark.parametrize("name", OTHERS)
def test_each_chunk_gives_what_it_brings(name: str) -> None:
    """Nothing of a text waits for the next chunk."""
    stream = of(name).stream(REQUESTS[name])
    for piece in ("하나", "둘"):
        assert told(name, stream.feed(chunk(content=piece)))["text"] == piece


def test_usage_comes_after_the_last_word() -> None:
    """The numbers stand in the last events, which wait for them."""
    frames = events(of("Anthropic Messages").stream({"messages": []}), Model("말").chunks(list))
    assert frames[-2].data["usage"]["output_tokens"] == USAGE["completion_tokens"]
    frames = events(of("OpenAI Responses").stream({"input": "x"}), Model("말").chunks(list))
    assert frames[-1].data["response"]["usage"]["total_tokens"] == USAGE["total_tokens"]


@pytest.mark.parametrize("name", WITH_CALLS)
@pytest.mark.parametrize("index", [0, None])
def test_calls_that_nothing_but_their_names_tell_apart(name: str, index: int | None) -> None:
    """Two of one tool and one of another, from a server that gives neither ids nor numbers; whole ones or in pieces."""
    chunks = [
        called(index, name="pay", arguments='{"won"'),
        called(index, arguments=": 1}"),
        called(index, name="pay", arguments='{"won": 2}'),
        called(index, name="notify", arguments=""),
        called(index, arguments="{}"),
        chunk("tool_calls"),
    ]
    frames = events(of(name).stream(REQUESTS[name]), chunks)
    assert told(name, frames)["calls"] == [("pay", {"won": 1}), ("pay", {"won": 2}), ("notify", {})]


@pytest.mark.parametrize("name", WITH_CALLS)
def test_a_name_that_is_said_with_every_piece(name: str) -> None:
    """It is one call all the same."""
    chunks = [called(0, name="pay", arguments=piece) for piece in ('{"won"', ": 1", "}")]
    frames = events(of(name).stream(REQUESTS[name]), [*chunks, chunk("tool_calls")])
    assert told(name, frames)["calls"] == [("pay", {"won": 1})]


PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "곰곰"}]},
    {"type": "text", "text": "하나"},
    {"type": "text", "text": "둘"},
]


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_in_the_words_of_other_servers(name: str) -> None:
    """Content in parts, arguments as an object, and the call of the old form are each read, whole and streamed."""
    call = {"id": "a", "type": "function", "function": {"name": "pay", "arguments": {"누구": "나"}}}
    old = {"name": "pay", "arguments": '{"누구": "나"}'}
    expected = {"reasoning": "곰곰", "text": "하나둘", "calls": [("pay", {"누구": "나"})]}
    if name == "Ollama generate":
        expected["calls"] = []
    how, request = of(name), REQUESTS[name]
    for calls in (
        {"tool_calls": [call]},
        {"function_call": old},
        {"tool_calls": [call], "function_call": old},
    ):
        choice = {"message": {"content": PARTS, **calls}, "finish_reason": "tool_calls", "index": None}
        assert whole(name, how.answer({"choices": [choice]}, request)) == expected
        assert told(name, events(how.stream(request), [as_chunk({"choices": [choice]})])) == expected
        chunks = [chunk(content=PARTS), chunk(**calls), chunk("tool_calls")]
        for each in chunks:
            each["choices"][0]["index"] = None
        assert told(name, events(how.stream(request), chunks)) == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "message",
    [
        {"content": {"text": "가"}},
        {"content": 3},
        {"content": [{"type": "text", "text": {"value": "가"}}]},
        {"content": [{"type": "image_url"}]},
        {"content": ["가"]},
        {"tool_calls": {"a": 1}},
        {"tool_calls": ["a"]},
        {"tool_calls": [{"function": {"name": "pay", "arguments": [1]}}]},
    ],
)
def test_an_answer_that_cannot_be_read(name: str, message: dict[str, Any]) -> None:
    """It is an error, and nothing of it is left out without a word."""
    how, request = of(name), REQUESTS[name]
    with pytest.raises(UnsupportedPayload, match="could not be given back"):
        how.answer({"choices": [{"message": message}]}, request)
    with pytest.raises(UnsupportedPayload, match="could not be given back"):
        events(how.stream(request), [chunk(**message), chunk("stop")])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [float("inf"), float("nan"), -1, 10**400, 1.7e12, "x", True, None])
def test_numbers_that_no_server_should_say(name: str, number: Any) -> None:
    """Times in milliseconds, infinities and the like neither break an answer nor come out as they are."""
    model = Model("말", usage={"prompt_tokens": number, "completion_tokens": number})
    how, request = of(name), REQUESTS[name]
    chunks = [{**each, "created": number} for each in model.chunks(list)]
    assert told(name, events(how.stream(request), chunks))["text"] == "말"
    answer = how.answer({**model.whole(), "created": number}, request)
    assert whole(name, answer)["text"] == "말"
    if name in OTHERS and number != -1:
        json.dumps(answer, allow_nan=False)


@pytest.mark.parametrize("name", WITH_CALLS)
def test_calls_that_share_what_they_should_not(name: str) -> None:
    """One id for two calls, two calls in one chunk without ids, an id for every piece: each comes out once and whole."""
    both = [{"function": {"name": "now", "arguments": ""}}, {"function": {"name": "now", "arguments": ""}}]
    for chunks, expected in (
        (
            [
                called(0, call_id="c", name="pay", arguments='{"n": 1}'),
                called(1, call_id="c", name="pay2", arguments='{"n": 2}'),
            ],
            [("pay", {"n": 1}), ("pay2", {"n": 2})],
        ),
        (
            [called(0, call_id="c", name="pay", arguments='{"n"'), called(0, call_id="d", arguments=": 1}")],
            [("pay", {"n": 1})],
        ),
        ([chunk(tool_calls=both)], [("now", {}), ("now", {})]),
    ):
        frames = events(of(name).stream(REQUESTS[name]), [*chunks, chunk("tool_calls")])
        if name != "OpenAI Chat Completions":
            assert told(name, frames)["calls"] == expected
        ids = [
            block["id"]
            for frame in frames
            if (block := frame.data.get("content_block", {})).get("type") == "tool_use"
        ]
        assert len(set(ids)) == len(ids)


def test_one_of_two_choices_that_breaks_off() -> None:
    """Is no whole answer, though the other is."""
    one, two = chunk("stop", content="하나"), chunk(content="둘")
    two["choices"][0]["index"] = 1
    stream = of("OpenAI Chat Completions").stream({"messages": []})
    frames = events(stream, [one, two])
    assert stream.broken
    assert "error" in frames[-1].data


def test_a_chunk_that_names_calls_oddly_is_no_error_of_ours() -> None:
    """Numbers that are lists, and calls of other choices that are no objects."""
    odd = chunk(tool_calls=[{"index": [1], "id": "c", "function": {"name": "pay", "arguments": "{}"}}])
    frames = events(of("Ollama chat").stream({"messages": []}), [odd, chunk("tool_calls")])
    assert told("Ollama chat", frames)["calls"] == [("pay", {})]
    good = {"message": {"content": "x"}, "finish_reason": "stop"}
    with pytest.raises(UnsupportedPayload):
        as_chunk({"choices": [good, {"message": {"tool_calls": ["x"]}}]})
