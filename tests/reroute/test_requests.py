"""What of a request arrives at the model that it is rerouted to."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sovguard.reroute import streamed, translation
from sovguard.reroute.schemas import json_schema
from tests.reroute.target import of

PNG = "iVBORw0KGgo="
SEEN = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
TEXT = {"type": "text", "text": "보세요"}
SCHEMA = {"type": "object", "properties": {"who": {"type": "string"}}}
FUNCTION = {
    "type": "function",
    "function": {"name": "notify", "description": "알림", "parameters": SCHEMA},
}
ONE = {"type": "function", "function": {"name": "notify"}}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
STREAM = {"stream": True, "stream_options": {"include_usage": True}}


def call(call_id: str = "c1", arguments: str = '{"who":"a"}') -> dict[str, Any]:
    """A call of the tool, as the model sees it."""
    return {"id": call_id, "type": "function", "function": {"name": "notify", "arguments": arguments}}


TURNS = [
    {"role": "system", "content": "짧게"},
    {"role": "user", "content": [TEXT, SEEN]},
    {"role": "assistant", "content": "알릴게요", "tool_calls": [call()]},
    {"role": "tool", "tool_call_id": "c1", "content": "알렸음"},
    {"role": "user", "content": "고마워"},
]
SETTINGS = {"temperature": 0, "top_p": 0.5, "max_tokens": 9}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "OpenAI Chat Completions": (
        {
            "model": "m",
            "messages": [{"role": "developer", "content": "짧게"}, *TURNS[1:]],
            "temperature": 0,
            "top_p": 0.5,
            "max_completion_tokens": 9,
            "tools": [FUNCTION],
            "tool_choice": ONE,
            "response_format": FORM,
            "stop": ["끝"],
            "n": 2,
            "seed": 1,
            "stream": True,
            "stream_options": {"include_usage": True, "include_obfuscation": False},
            "store": True,
            "user": "u",
            "reasoning_effort": "low",
            "metadata": {"a": "b"},
            "modalities": ["text"],
        },
        {
            "messages": TURNS,
            **SETTINGS,
            "tools": [FUNCTION],
            "tool_choice": ONE,
            "response_format": FORM,
            "stop": ["끝"],
            "n": 2,
            "seed": 1,
            **STREAM,
        },
    ),
    "OpenAI Responses": (
        {
            "model": "m",
            "instructions": "짧게",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "보세요"},
                        {"type": "input_image", "image_url": SEEN["image_url"]["url"], "detail": "auto"},  # type: ignore[index]
                    ],
                },
                {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "x"},
                {
                    "type": "message",
                    "id": "m1",
                    "role": "assistant",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": "알릴게요", "annotations": []}],
                },
                {
                    "type": "function_call",
                    "id": "f",
                    "call_id": "c1",
                    "name": "notify",
                    "arguments": '{"who":"a"}',
                },
                {"type": "function_call_output", "call_id": "c1", "output": "알렸음"},
                {"role": "user", "content": "고마워"},
            ],
            "temperature": 0,
            "top_p": 0.5,
            "max_output_tokens": 9,
            "tools": [{"type": "function", **FUNCTION["function"], "strict": True}],  # type: ignore[dict-item]
            "tool_choice": {"type": "function", "name": "notify"},
            "parallel_tool_calls": False,
            "text": {
                "format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True},
                "verbosity": "low",
            },
            "stream": True,
            "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "low"},
            "store": False,
            "previous_response_id": None,
        },
        {
            "messages": TURNS,
            **SETTINGS,
            "tools": [{"type": "function", "function": {**FUNCTION["function"], "strict": True}}],  # type: ignore[dict-item]
            "tool_choice": ONE,
            "parallel_tool_calls": False,
            "response_format": FORM,
            **STREAM,
        },
    ),
    "Anthropic Messages": (
        {
            "model": "m",
            "system": [{"type": "text", "text": "짧게", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "보세요"},
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                        },
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "음", "signature": "s"},
                        {"type": "text", "text": "알릴게요", "citations": None},
                        {"type": "tool_use", "id": "c1", "name": "notify", "input": {"who": "a"}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "c1",
                            "content": [{"type": "text", "text": "알렸음"}],
                        },
                        {"type": "text", "text": "고마워"},
                    ],
                },
            ],
            "temperature": 0,
            "top_p": 0.5,
            "top_k": 3,
            "max_tokens": 9,
            "stop_sequences": ["끝"],
            "tools": [{"name": "notify", "description": "알림", "input_schema": SCHEMA}],
            "tool_choice": {"type": "tool", "name": "notify", "disable_parallel_tool_use": True},
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
            "stream": True,
            "metadata": {"user_id": "u"},
        },
        {
            "messages": TURNS,
            **SETTINGS,
            "stop": ["끝"],
            "tools": [FUNCTION],
            "tool_choice": ONE,
            "parallel_tool_calls": False,
            "response_format": FORM,
            **STREAM,
        },
    ),
    "Ollama chat": (
        {
            "model": "m",
            "messages": [
                TURNS[0],
                {"role": "user", "content": "보세요", "images": [PNG]},
                {
                    "role": "assistant",
                    "content": "알릴게요",
                    "thinking": "음",
                    "tool_calls": [
                        {"id": "c1", "function": {"index": 0, "name": "notify", "arguments": {"who": "a"}}}
                    ],
                },
                {"role": "tool", "tool_name": "notify", "content": "알렸음"},
                TURNS[4],
            ],
            "options": {
                "temperature": 0,
                "top_p": 0.5,
                "num_predict": 9,
                "seed": 1,
                "stop": ["끝"],
                "num_ctx": 8,
            },
            "tools": [FUNCTION],
            "format": SCHEMA,
            "think": False,
            "keep_alive": "5m",
        },
        {
            "messages": TURNS,
            **SETTINGS,
            "seed": 1,
            "stop": ["끝"],
            "tools": [FUNCTION],
            "response_format": FORM,
            **STREAM,
        },
    ),
    "Ollama generate": (
        {
            "model": "m",
            "system": "짧게",
            "prompt": "보세요",
            "images": [PNG],
            "format": "json",
            "stream": False,
        },
        {"messages": TURNS[:2], "response_format": {"type": "json_object"}},
    ),
    "CLOVA Studio v3": (
        {
            "messages": [
                TURNS[0],
                {
                    "role": "user",
                    "content": [TEXT, {"type": "image_url", "dataUri": {"data": PNG}}],
                },
                {
                    "role": "assistant",
                    "content": "알릴게요",
                    "thinkingContent": "음",
                    "toolCalls": [
                        {
                            "id": "c1",
                            "type": "function",
                            "function": {"name": "notify", "arguments": {"who": "a"}},
                        }
                    ],
                },
                {"role": "tool", "toolCallId": "c1", "content": "알렸음"},
                TURNS[4],
            ],
            "temperature": 0,
            "topP": 0.5,
            "topK": 0,
            "maxCompletionTokens": 9,
            "repetitionPenalty": 1.1,
            "includeAiFilters": True,
            "stop": ["끝"],
            "seed": 1,
            "tools": [FUNCTION],
            "toolChoice": ONE,
            "responseFormat": {"type": "json", "schema": SCHEMA},
            "thinking": {"effort": "low"},
        },
        {
            "messages": TURNS,
            **SETTINGS,
            "stop": ["끝"],
            "seed": 1,
            "tools": [FUNCTION],
            "tool_choice": ONE,
            "response_format": FORM,
        },
    ),
    "Gemini streamGenerateContent": (
        {
            "systemInstruction": {"role": "user", "parts": [{"text": "짧게"}]},
            "contents": [
                {
                    "role": "user",
                    "parts": [{"text": "보세요"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}],
                },
                {
                    "role": "model",
                    "parts": [
                        {"text": "음", "thought": True},
                        {"text": "알릴게요", "thoughtSignature": "s"},
                        {"functionCall": {"id": "c1", "name": "notify", "args": {"who": "a"}}},
                    ],
                },
                {
                    "role": "user",
                    "parts": [
                        {"functionResponse": {"name": "notify", "response": {"result": "알렸음"}}},
                        {"text": "고마워"},
                    ],
                },
            ],
            "generationConfig": {
                "temperature": 0,
                "topP": 0.5,
                "topK": 3,
                "maxOutputTokens": 9,
                "stopSequences": ["끝"],
                "seed": 1,
                "candidateCount": 1,
                "responseMimeType": "application/json",
                "responseSchema": {"type": "OBJECT", "properties": {"who": {"type": "STRING"}}},
            },
            "tools": [
                {
                    "functionDeclarations": [
                        {"name": "notify", "description": "알림", "parametersJsonSchema": SCHEMA}
                    ]
                }
            ],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["notify"]}},
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        },
        {
            "messages": [
                *TURNS[:3],
                {"role": "tool", "tool_call_id": "c1", "content": '{"result":"알렸음"}'},
                TURNS[4],
            ],
            **SETTINGS,
            "stop": ["끝"],
            "seed": 1,
            "tools": [FUNCTION],
            "tool_choice": ONE,
            "response_format": FORM,
            **STREAM,
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_carried(name: str) -> None:
    """Everything that Chat Completions can say arrives, under its names there, and nothing else does."""
    body, expected = CASES[name]
    before = copy.deepcopy(body)
    assert of(name).to_chat(body, "domestic") == {"model": "domestic", **expected}
    assert body == before


@pytest.mark.parametrize("name", ["OpenAI Embeddings", "Ollama embed", "something else"])
def test_formats_that_have_no_translation(name: str) -> None:
    """Embeddings of another model mean something else."""
    assert translation(name) is None


@pytest.mark.parametrize(
    ("choice", "expected"), [("auto", "auto"), ("any", "required"), ("none", "none"), ("tool", ONE)]
)
def test_choices_of_anthropic(choice: str, expected: Any) -> None:
    """Every way to choose a tool has its counterpart."""
    named = {"name": "notify"} if choice == "tool" else {}
    body = {
        "messages": [{"role": "user", "content": "x"}],
        "tools": [{"name": "notify", "input_schema": {}}],
        "tool_choice": {"type": choice, **named},
    }
    assert of("Anthropic Messages").to_chat(body, "m")["tool_choice"] == expected


def test_some_of_the_tools_of_gemini() -> None:
    """Tools that may not be called are not offered, since Chat Completions cannot name those that may."""
    declared = [{"name": name} for name in "abc"]
    config = {"mode": "ANY", "allowedFunctionNames": ["a", "c"]}
    chat = of("Gemini generateContent").to_chat(
        {
            "contents": {"parts": [{"text": "x"}]},
            "tools": [{"functionDeclarations": declared}],
            "toolConfig": {"functionCallingConfig": config},
        },
        "m",
    )
    assert [tool["function"]["name"] for tool in chat["tools"]] == ["a", "c"]
    assert chat["tool_choice"] == "required"


def test_calls_without_ids_get_the_same_ones_each_time() -> None:
    """Results find their calls by the tool's name, then by order, and ids that are there are not used twice."""

    def turn(*calls: dict[str, Any]) -> dict[str, Any]:
        return {"role": "model", "parts": [{"functionCall": each} for each in calls]}

    def gave(name: str, result: int) -> dict[str, Any]:
        return {"functionResponse": {"name": name, "response": {"n": result}}}

    body = {
        "contents": [
            {"parts": [{"text": "x"}]},
            turn({"name": "a"}, {"name": "b", "id": "call_2"}, {"name": "a"}),
            {"parts": [gave("b", 1), gave("a", 2), gave("a", 3)]},
            turn({"name": "a"}),
            {"parts": [gave("a", 4)]},
        ]
    }
    first, again = (of("Gemini generateContent").to_chat(copy.deepcopy(body), "m") for _ in range(2))
    assert first == again
    messages = first["messages"]
    made = [each["id"] for each in messages[1]["tool_calls"]]
    assert made == ["call_0", "call_2", "call_3"]
    assert [(each["tool_call_id"], each["content"]) for each in messages[2:5]] == [
        ("call_2", '{"n":1}'),
        ("call_0", '{"n":2}'),
        ("call_3", '{"n":3}'),
    ]
    assert messages[6]["tool_call_id"] == messages[5]["tool_calls"][0]["id"] not in made


def test_a_tool_that_failed() -> None:
    """What Anthropic says in a field of its own is said in the text."""
    talk = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "a", "input": {}}]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t", "content": "없음", "is_error": True}],
        },
    ]
    chat = of("Anthropic Messages").to_chat({"messages": talk}, "m")
    assert chat["messages"][-1] == {"role": "tool", "tool_call_id": "t", "content": "Error: 없음"}


def test_a_document_that_is_text() -> None:
    """Its title, context and text become one part."""
    document = {
        "type": "document",
        "title": "제목",
        "source": {"type": "text", "media_type": "text/plain", "data": "본문"},
    }
    talk = [{"role": "user", "content": [document, {"type": "text", "text": "요약해 줘"}]}]
    chat = of("Anthropic Messages").to_chat({"messages": talk}, "m")
    assert chat["messages"] == [{"role": "user", "content": "제목\n본문\n요약해 줘"}]


def test_what_the_system_says_becomes_one_message() -> None:
    """Many chat templates refuse a second system message at the start."""
    body = {
        "instructions": "하나",
        "input": [{"role": "developer", "content": "둘"}, {"role": "user", "content": "x"}],
    }
    messages = of("OpenAI Responses").to_chat(body, "m")["messages"]
    assert messages[0] == {"role": "system", "content": "하나\n\n둘"}


def test_schemas_of_gemini() -> None:
    """Types, counts and null are written as JSON Schema has them; a property may have any name."""
    schema = {
        "type": "OBJECT",
        "properties": {
            "type": {"type": "STRING", "format": "enum", "enum": ["a"], "nullable": True},
            "format": {"type": "ARRAY", "items": {"type": "INTEGER", "format": "int32"}, "minItems": "2"},
            "nullable": {"anyOf": [{"type": "BOOLEAN"}, {"type": "NUMBER"}], "description": "d"},
        },
        "required": ["type"],
        "propertyOrdering": ["type"],
    }
    assert json_schema(schema) == {
        "type": "object",
        "properties": {
            "type": {"type": ["string", "null"], "enum": ["a", None]},
            "format": {"type": "array", "items": {"type": "integer", "format": "int32"}, "minItems": 2},
            "nullable": {"anyOf": [{"type": "boolean"}, {"type": "number"}], "description": "d"},
        },
        "required": ["type"],
    }


def test_snake_case_of_gemini() -> None:
    """Google reads both, and its client sends schemas of tools in snake case."""
    body = {
        "system_instruction": {"parts": [{"text": "짧게"}]},
        "contents": [
            {"parts": [{"text": "보세요"}, {"inline_data": {"mime_type": "image/png", "data": PNG}}]},
            {"role": "model", "parts": [{"function_call": {"name": "notify", "args": {"max_n": 1}}}]},
            {"parts": [{"function_response": {"name": "notify", "response": {"max_n": 1}}}]},
        ],
        "generation_config": {"max_output_tokens": 9, "thinking_config": {"include_thoughts": True}},
        "tools": [{"function_declarations": [{"name": "notify", "parameters_json_schema": SCHEMA}]}],
    }
    chat = of("Gemini generateContent").to_chat(body, "m")
    assert chat["max_tokens"] == 9
    assert chat["tools"] == [{"type": "function", "function": {"name": "notify", "parameters": SCHEMA}}]
    assert chat["messages"][1]["content"][1] == SEEN
    assert chat["messages"][2]["tool_calls"][0]["function"]["arguments"] == '{"max_n":1}'
    assert chat["messages"][3]["content"] == '{"max_n":1}'


def test_a_stream_is_asked_for() -> None:
    """A request becomes one for a stream with the numbers of tokens, and stays as it was itself."""
    chat = {"model": "m"}
    assert streamed(chat) == {"model": "m", **STREAM}
    assert chat == {"model": "m"}


def test_two_names_of_one_setting() -> None:
    """Both lists of CLOVA's are heeded, and a number of tokens that is written as a fraction."""
    clova = {"messages": [], "stop": ["끝"], "stopBefore": ["그만"]}
    assert of("CLOVA Studio v3").to_chat(clova, "m")["stop"] == ["끝", "그만"]
    for said, expected in ((128.0, 128), (-1, None), (True, None), (1e300, None)):
        body = {"messages": [], "options": {"num_predict": said}}
        assert of("Ollama chat").to_chat(body, "m").get("max_tokens") == expected


def test_a_call_of_anthropic_without_input() -> None:
    """It is a call without arguments."""
    use = {"type": "tool_use", "id": "t", "name": "now"}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
    talk = [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    messages = of("Anthropic Messages").to_chat({"messages": talk}, "m")["messages"]
    assert messages[0]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_names_without_a_mode_of_gemini() -> None:
    """They choose what is offered, as they do with one."""
    tools = [{"functionDeclarations": [{"name": name} for name in "abc"]}]
    config = {"functionCallingConfig": {"allowedFunctionNames": ["a", "c"]}}
    body = {"contents": [], "tools": tools, "toolConfig": config}
    chat = of("Gemini generateContent").to_chat(body, "m")
    assert [each["function"]["name"] for each in chat["tools"]] == ["a", "c"]
    assert "tool_choice" not in chat


def test_schemas_within_schemas_of_gemini() -> None:
    """Those of further properties and of the first items are translated too."""
    string = {"type": "STRING"}
    schema = {"type": "OBJECT", "additionalProperties": {"type": "ARRAY", "prefixItems": [string]}}
    inner = {"type": "array", "prefixItems": [{"type": "string"}]}
    assert json_schema(schema) == {"type": "object", "additionalProperties": inner}
    assert json_schema({"type": "OBJECT", "additionalProperties": False})["additionalProperties"] is False
