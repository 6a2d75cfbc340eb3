from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from openai import OpenAI

from sovguard import Guard
from sovguard.demo_server import LocalServer, Received, Reply, run_demo_server
from tests.servers import PHONE, RRN, assert_only_surrogates, echo, last_text

Serve = Callable[[Callable[[Received], Reply]], LocalServer]
GUARD = Guard()
SAID = f"주민등록번호 {RRN}로 조회하고 {PHONE}으로 전화해 주세요."


def test_with_the_real_analyzer_only_surrogates_arrive(run_server: Serve) -> None:
    """The whole way with the recognizers of the package: prose, escaped JSON and tool arguments."""
    server = run_server(echo)
    arguments = json.dumps({"주민등록번호": int(RRN.replace("-", "")), "메모": f"전화\n{PHONE}"})
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": arguments}}
    messages: Any = [
        {"role": "user", "content": SAID},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": json.dumps({"메모": SAID + "\n" + PHONE})},
        {"role": "user", "content": SAID},
    ]
    tools: Any = [
        {
            "type": "function",
            "function": {
                "name": "look_up",
                "description": "고객을 조회합니다",
                "parameters": {
                    "type": "object",
                    "properties": {"주민등록번호": {"type": "integer"}, "메모": {"type": "string"}},
                    "required": ["주민등록번호"],
                },
            },
        }
    ]
    with GUARD.wrap(OpenAI(api_key="key", base_url=server.base_url)) as client:
        answer = client.chat.completions.create(
            model="gpt-4o-2024-08-06", messages=messages, tools=tools, tool_choice="auto", seed=1234567
        )
    assert answer.choices[0].message.content == f"받은 말: {SAID}"
    assert_only_surrogates(server)
    sent = server.received[0].json()
    assert sent["tools"] == tools
    assert last_text(server.received[0]).startswith("주민등록번호 RRN-")


def test_the_demo_with_the_real_analyzer() -> None:
    """The demo's model is given surrogates and its answer is read with real values."""
    with run_demo_server() as server:
        with GUARD.wrap(OpenAI(api_key="-", base_url=server.base_url)) as client:
            answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": SAID}])
        assert_only_surrogates(server)
    said = answer.choices[0].message.content or ""
    assert said.count(PHONE) == 3
    assert said.count(RRN) == 2
