from __future__ import annotations

import httpx2
import pytest
from openai import OpenAI

from sovguard import Guard
from sovguard.demo_server import run_demo_server
from tests.servers import EMAIL, NAME, PHONE, RRN, TEXT, VALUES, assert_only_surrogates


def test_the_answer_is_made_of_what_arrived(guard: Guard) -> None:
    """The demo's model quotes the customer and uses each surrogate, one of them in a changed form."""
    with run_demo_server() as server, guard.wrap(OpenAI(api_key="-", base_url=server.base_url)) as client:
        said = client.chat.completions.create(model="m", messages=[{"role": "user", "content": TEXT}])
        raw = httpx2.post(f"{server.base_url}/chat/completions", content=server.received[0].body).json()
    answer = said.choices[0].message.content or ""
    plain = raw["choices"][0]["message"]["content"]
    assert TEXT in answer
    assert answer.count(NAME) == 2
    assert answer.count(PHONE) == 3
    assert answer.count(EMAIL) == 2
    assert answer.count(RRN) == 2
    assert "phone\\-" in plain
    assert not any(value in plain for value in VALUES)
    assert_only_surrogates(server)


def test_another_question_gets_another_answer(guard: Guard) -> None:
    """The answer depends on the request alone."""
    with run_demo_server() as server, guard.http_client() as client:

        def ask(text: str) -> str:
            request = {"messages": [{"role": "user", "content": text}]}
            answer = client.post(f"{server.base_url}/chat/completions", json=request)
            content: str = answer.json()["choices"][0]["message"]["content"]
            return content

        assert ask("안녕하세요") != ask(f"{NAME}입니다") != ask(TEXT)
        assert "안녕하세요" in ask("안녕하세요")
        assert ask(f"{NAME}입니다") == ask(f"{NAME}입니다")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"messages": []}', b'{"messages": [{"role": "user"}]}'])
def test_what_it_cannot_answer_is_an_error(body: bytes) -> None:
    """Requests without a question get status 400, other paths 404."""
    with run_demo_server() as server:
        assert httpx2.post(f"{server.base_url}/chat/completions", content=body).status_code == 400
        assert httpx2.get(f"{server.base_url}/models").status_code == 404
        assert server.received[0].method == "POST"
        assert server.received[0].body == body


def test_what_arrived_is_not_printed(guard: Guard) -> None:
    """The record of a request shows neither its headers nor its body unless asked."""
    with run_demo_server() as server:
        httpx2.post(f"{server.base_url}/chat/completions", json={"a": NAME})
        assert NAME not in repr(server.received)
        assert NAME in server.received[0].text
