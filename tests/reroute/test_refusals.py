"""What cannot be carried is refused by name, without a word of what it says."""

from __future__ import annotations

from typing import Any

import pytest

from sovguard import UnsupportedPayload
from tests.reroute.target import of

SECRET = "홍길동"
USER = [{"role": "user", "content": "x"}]
HOSTED_TOOL = {"type": "web_search"}


def chat(**more: Any) -> dict[str, Any]:
    """A Chat Completions request."""
    return {"messages": USER, **more}


def says(**message: Any) -> dict[str, Any]:
    """A request with one message."""
    return {"messages": [{"role": "user", **message}]}


def block(**block: Any) -> dict[str, Any]:
    """A request with one content block."""
    return says(content=[block])


def item(**item: Any) -> dict[str, Any]:
    """A Responses request with one item."""
    return {"input": [item]}


def config(**more: Any) -> dict[str, Any]:
    """A Gemini request with settings."""
    return {"contents": [{"parts": [{"text": "x"}]}], "generationConfig": more}


def part(**part: Any) -> dict[str, Any]:
    """A Gemini request with one part."""
    return {"contents": [{"parts": [part]}]}


def calling(**more: Any) -> dict[str, Any]:
    """Which functions Gemini may call."""
    return {"functionCallingConfig": more}


DECLARED = [{"functionDeclarations": [{"name": "a"}]}]
CHAT, RESPONSES, MESSAGES = "OpenAI Chat Completions", "OpenAI Responses", "Anthropic Messages"
OLLAMA, GENERATE, CLOVA, GEMINI = (
    "Ollama chat",
    "Ollama generate",
    "CLOVA Studio v3",
    "Gemini generateContent",
)
CUSTOM = {"type": "custom", "custom": {"name": SECRET}}
LOGPROBS = ["message.output_text.logprobs"]
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (CHAT, chat(audio={"voice": SECRET}), "audio"),
    (CHAT, chat(modalities=["text", "audio"]), "modalities"),
    (CHAT, chat(functions=[{"name": SECRET}]), "functions"),
    (CHAT, chat(function_call={"name": SECRET}), "function_call"),
    (CHAT, chat(logit_bias={"1": 1}), "logit_bias"),
    (CHAT, chat(moderation={"model": SECRET}), "moderation"),
    (CHAT, chat(web_search_options={"a": 1}), "web_search_options"),
    (CHAT, chat(tools=[CUSTOM]), "tools[0]"),
    (CHAT, chat(tool_choice=CUSTOM), "tool_choice"),
    (CHAT, chat(stream_options={"other": True}), "stream_options.other"),
    (CHAT, {"messages": SECRET}, "messages"),
    (CHAT, {"messages": [SECRET]}, "messages[0]"),
    (CHAT, says(role="function", content=SECRET), "messages[0]"),
    (CHAT, says(audio={"id": SECRET}), "messages[0].audio"),
    (CHAT, says(tool_calls=[CUSTOM]), "messages[0].tool_calls[0]"),
    (CHAT, block(type="file", file={"file_id": SECRET}), "messages[0].content[0]"),
    (RESPONSES, {"input": "x", "previous_response_id": SECRET}, "previous_response_id"),
    (RESPONSES, {"input": "x", "conversation": SECRET}, "conversation"),
    (RESPONSES, {"input": "x", "prompt": {"id": SECRET}}, "prompt"),
    (RESPONSES, {"input": "x", "background": True}, "background"),
    (RESPONSES, {"input": "x", "context_management": [{}]}, "context_management"),
    (RESPONSES, {"input": "x", "top_logprobs": 3}, "top_logprobs"),
    (RESPONSES, {"input": "x", "include": LOGPROBS}, "include"),
    (RESPONSES, {"input": "x", "new": SECRET}, "new"),
    (RESPONSES, {"input": 3}, "input"),
    (RESPONSES, {"input": "x", "tools": [HOSTED_TOOL]}, "tools[0]"),
    (RESPONSES, {"input": "x", "tools": [{"type": "custom", "name": SECRET}]}, "tools[0]"),
    (
        RESPONSES,
        {
            "input": "x",
            "tools": [{"type": "function", "name": "a"}],
            "tool_choice": {"type": "allowed_tools"},
        },
        "tool_choice",
    ),
    (RESPONSES, {"input": "x", "text": {"format": {"type": "grammar"}}}, "text.format.type"),
    (RESPONSES, item(type="item_reference", id=SECRET), "input[0]"),
    (RESPONSES, item(type="web_search_call", id=SECRET), "input[0]"),
    (RESPONSES, item(type="custom_tool_call", input=SECRET), "input[0]"),
    (RESPONSES, item(role="critic", content=SECRET), "input[0].role"),
    (
        RESPONSES,
        item(role="user", content=[{"type": "input_file", "file_id": SECRET}]),
        "input[0].content[0]",
    ),
    (
        RESPONSES,
        item(role="user", content=[{"type": "input_image", "file_id": SECRET}]),
        "input[0].content[0].file_id",
    ),
    (
        RESPONSES,
        item(
            type="function_call_output", call_id="c", output=[{"type": "input_image", "image_url": "data:,"}]
        ),
        "input[0].output",
    ),
    (MESSAGES, chat(container=SECRET), "container"),
    (MESSAGES, chat(mcp_servers=[{"url": SECRET}]), "mcp_servers"),
    (MESSAGES, chat(tools=[{"type": "web_search_20250305", "name": SECRET}]), "tools[0]"),
    (MESSAGES, chat(tools=[{"name": "a", "defer_loading": True}]), "tools[0].defer_loading"),
    (MESSAGES, chat(tools=[{"name": "a"}], tool_choice={"type": SECRET}), "tool_choice.type"),
    (MESSAGES, chat(output_config={"format": {"type": SECRET}}), "output_config.format"),
    (MESSAGES, {"messages": [*USER, {"role": "assistant", "content": SECRET}]}, "messages"),
    (MESSAGES, says(role="critic", content=SECRET), "messages[0].role"),
    (MESSAGES, block(type="server_tool_use", id=SECRET), "messages[0].content[0]"),
    (
        MESSAGES,
        block(type="image", source={"type": "file", "file_id": SECRET}),
        "messages[0].content[0].source",
    ),
    (
        MESSAGES,
        block(type="document", source={"type": "base64", "data": ""}),
        "messages[0].content[0].source",
    ),
    (
        MESSAGES,
        block(type="document", source={"type": "text", "data": SECRET}, citations={"enabled": True}),
        "messages[0].content[0].citations",
    ),
    (
        MESSAGES,
        block(
            type="tool_result",
            tool_use_id="t",
            content=[{"type": "image", "source": {"type": "url", "url": SECRET}}],
        ),
        "messages[0].content[0].content",
    ),
    (OLLAMA, chat(logprobs=True), "logprobs"),
    (OLLAMA, chat(format="yaml"), "format"),
    (OLLAMA, chat(tools=[{"type": "other"}]), "tools[0]"),
    (OLLAMA, says(content="x", images=["AAAA"]), "messages[0].images[0]"),
    (OLLAMA, says(role="system", content="x", images=["iVBORw0KGgo="]), "messages[0].images"),
    (OLLAMA, says(role="tool", content=SECRET), "messages[0]"),
    (OLLAMA, says(role="critic", content=SECRET), "messages[0].role"),
    (GENERATE, {"prompt": ""}, "prompt"),
    (GENERATE, {"prompt": "x", "suffix": SECRET}, "suffix"),
    (GENERATE, {"prompt": "x", "template": SECRET}, "template"),
    (GENERATE, {"prompt": "x", "raw": True}, "raw"),
    (GENERATE, {"prompt": "x", "context": [1]}, "context"),
    (CLOVA, chat(responseFormat={"type": SECRET}), "responseFormat.type"),
    (CLOVA, chat(tools=[{"type": "other"}]), "tools[0]"),
    (CLOVA, chat(other=SECRET), "other"),
    (CLOVA, block(type="video"), "messages[0].content[0]"),
    (CLOVA, block(type="image_url"), "messages[0].content[0]"),
    (CLOVA, says(role="critic", content=SECRET), "messages[0].role"),
    (GEMINI, config(candidateCount=2), "generationConfig.candidateCount"),
    (GEMINI, config(responseLogprobs=True), "generationConfig.responseLogprobs"),
    (GEMINI, config(speechConfig={"a": SECRET}), "generationConfig.speechConfig"),
    (GEMINI, config(responseModalities=["IMAGE"]), "generationConfig.responseModalities"),
    (GEMINI, config(responseMimeType="text/x.enum"), "generationConfig.responseMimeType"),
    (GEMINI, config(other=SECRET), "generationConfig.other"),
    (GEMINI, {**config(), "cachedContent": SECRET}, "cachedContent"),
    (GEMINI, {**config(), "tools": [{"googleSearch": {}}]}, "tools[0].googleSearch"),
    (
        GEMINI,
        {**config(), "tools": [{"functionDeclarations": [{"name": "a", "behavior": "NON_BLOCKING"}]}]},
        "tools[0].functionDeclarations[0].behavior",
    ),
    (
        GEMINI,
        {
            **config(),
            "tools": [{"functionDeclarations": [{"name": "a"}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}},
        },
        "toolConfig.functionCallingConfig.mode",
    ),
    (GEMINI, part(fileData={"fileUri": SECRET}), "contents[0].parts[0].fileData"),
    (GEMINI, part(executableCode={"code": SECRET}), "contents[0].parts[0].executableCode"),
    (
        GEMINI,
        part(inlineData={"mimeType": "audio/wav", "data": "AAAA"}),
        "contents[0].parts[0].inlineData",
    ),
    (
        GEMINI,
        part(functionResponse={"name": "a", "response": {"b": SECRET}}),
        "contents[0].parts[0]",
    ),
    (GEMINI, {"contents": [{"role": "critic", "parts": []}]}, "contents[0].role"),
    (GEMINI, {"contents": [{"role": "model", "parts": [{"text": SECRET}]}]}, "contents"),
    (GEMINI, {**config(), "toolConfig": calling(mode="ANY")}, "toolConfig.functionCallingConfig"),
    (GEMINI, {**config(), "toolConfig": calling(mode=[SECRET])}, "toolConfig.functionCallingConfig.mode"),
    (
        GEMINI,
        {**config(), "tools": DECLARED, "toolConfig": calling(mode="ANY", allowedFunctionNames=[SECRET])},
        "toolConfig.functionCallingConfig",
    ),
    (OLLAMA, {"messages": [*USER, {"role": "assistant", "content": SECRET}]}, "messages"),
    (RESPONSES, {"input": "x", "include": 5}, "include"),
    (CLOVA, chat(stop=SECRET), "stop"),
]


@pytest.mark.parametrize(("name", "body", "path"), REFUSED, ids=[f"{each[0]}-{each[2]}" for each in REFUSED])
def test_what_is_refused(name: str, body: dict[str, Any], path: str) -> None:
    """The message names the field and says that the request could not be rerouted, and holds no value."""
    with pytest.raises(UnsupportedPayload) as caught:
        of(name).to_chat(body, "domestic")
    message = str(caught.value)
    assert message.startswith(f"the request could not be rerouted: {path} ")
    assert "; " in message
    assert SECRET not in message


@pytest.mark.parametrize("name", [CHAT, RESPONSES, MESSAGES, OLLAMA, CLOVA])
def test_a_field_that_asks_for_nothing_is_no_reason_to_refuse(name: str) -> None:
    """Clients send fields that are null, false or empty."""
    said = {"input": "x"} if name == RESPONSES else {"messages": USER}
    more: dict[str, Any] = {
        "logprobs": False,
        "top_logprobs": None,
        "background": False,
        "container": None,
        "tools": [],
    }
    assert of(name).to_chat({**said, **more}, "domestic")["messages"] == USER


@pytest.mark.parametrize("name", [RESPONSES, MESSAGES, OLLAMA, GENERATE, CLOVA, GEMINI])
@pytest.mark.parametrize("given", [{}, {"choices": []}, {"choices": [{"message": None}]}, [SECRET], None])
def test_an_answer_that_is_none(name: str, given: Any) -> None:
    """What is no Chat Completions answer is not made into an empty one."""
    with pytest.raises(UnsupportedPayload, match="could not be given back") as caught:
        of(name).answer(given, {"messages": USER})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", [MESSAGES, OLLAMA, CLOVA, GEMINI])
@pytest.mark.parametrize("finish", ["tool_calls", "length"])
def test_arguments_that_are_no_object(name: str, finish: str) -> None:
    """They are refused where the format needs an object, unless the limit of tokens cut them off: then the call is left out."""
    function = {"name": "notify", "arguments": f'{{"who": "{SECRET}'}
    message = {"role": "assistant", "content": "x", "tool_calls": [{"id": "c", "function": function}]}
    given = {"choices": [{"message": message, "finish_reason": finish}]}
    if finish == "length":
        assert SECRET not in repr(of(name).answer(given, {"messages": USER}))
        return
    with pytest.raises(UnsupportedPayload, match="not a JSON object") as caught:
        of(name).answer(given, {"messages": USER})
    assert SECRET not in str(caught.value)
