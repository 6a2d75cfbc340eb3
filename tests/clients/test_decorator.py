from __future__ import annotations

import asyncio
import dataclasses
import functools
import inspect
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from sovguard import DetectionError, Guard, InputError
from tests.fakes import WatchedVault
from tests.servers import (
    EMAIL,
    NAME,
    OTHER_NAME,
    PHONE,
    RRN,
    SURROGATE,
    TEXT,
    VALUES,
    FailingAnalyzer,
    PatternAnalyzer,
)


def holds_value(thing: Any) -> bool:
    """Tell whether any value can be read in what something prints as."""
    return any(value in repr(thing) for value in VALUES)


@pytest.fixture
def heard() -> list[Any]:
    """What the protected function was given."""
    return []


def test_a_function_gets_surrogates_and_its_caller_real_values(guard: Guard, heard: list[Any]) -> None:
    """Arguments are redacted by whatever way they are passed, and the result is restored."""

    @guard.protect
    def ask(prompt: str, *more: str, history: list[dict[str, str]], **options: Any) -> dict[str, Any]:
        """Ask."""
        heard.extend([prompt, more, history, options])
        return {"said": [prompt, *more], "history": history, **options}

    history = [{"role": "user", "content": NAME}]
    result = ask(TEXT, PHONE, EMAIL, history=history, who={"rrn": int(RRN.replace("-", ""))}, n=3, on=True)
    assert not holds_value(heard)
    assert heard[3]["n"] == 3
    assert heard[3]["on"] is True
    assert result == {
        "said": [TEXT, PHONE, EMAIL],
        "history": history,
        "who": {"rrn": int(RRN.replace("-", ""))},
        "n": 3,
        "on": True,
    }
    assert history == [{"role": "user", "content": NAME}]
    assert (ask.__name__, ask.__doc__) == ("ask", "Ask.")
    assert list(inspect.signature(ask).parameters) == ["prompt", "more", "history", "options"]


def test_a_coroutine_function_stays_one(guard: Guard, heard: list[Any]) -> None:
    """The same for async functions."""

    @guard.protect
    async def ask(prompt: str) -> str:
        heard.append(prompt)
        await asyncio.sleep(0)
        return f"{prompt}!"

    assert inspect.iscoroutinefunction(ask)
    assert asyncio.run(ask(TEXT)) == f"{TEXT}!"
    assert not holds_value(heard)


def test_restoring_can_be_left_out(guard: Guard) -> None:
    """With restore=False the caller sees surrogates."""

    @guard.protect(restore=False)
    def ask(prompt: str) -> str:
        return prompt

    @guard.protect(restore=False)
    def pieces(prompt: str) -> Generator[str, None, str]:
        yield from prompt
        return prompt

    assert SURROGATE.fullmatch(ask(NAME))
    assert SURROGATE.fullmatch("".join(pieces(NAME)))


def test_the_session_around_the_call_is_used(guard: Guard, heard: list[Any]) -> None:
    """Inside a session's block its surrogates are used, outside of it the default session's."""

    @guard.protect
    def ask(prompt: str) -> str:
        heard.append(prompt)
        return prompt

    with guard.session("conversation-1") as session:
        assert ask(NAME) == NAME
        assert heard == [session.redact(NAME).text]
    assert ask(NAME) == NAME
    assert heard[1] == guard.redact(NAME).text


class Consultant:
    """A class with protected methods."""

    def __init__(self, guard: Guard) -> None:
        self.heard: list[Any] = []
        self.ask = functools.partial(guard.protect(Consultant._ask), self)

    def _ask(self, prompt: str) -> str:
        self.heard.append(prompt)
        return prompt


def test_methods_keep_their_object(guard: Guard) -> None:
    """The object that a method belongs to is passed through, in methods and class methods."""
    consultant = Consultant(guard)
    assert consultant.ask(TEXT) == TEXT
    assert not holds_value(consultant.heard)

    class Office:
        @classmethod
        @guard.protect
        def ask(cls, prompt: str) -> tuple[type, str]:
            return cls, prompt

        @staticmethod
        @guard.protect
        def answer(prompt: str) -> str:
            return prompt

        @guard.protect
        def show(self, prompt: str) -> str:
            return prompt

    assert Office.ask(NAME)[0] is Office
    assert Office.answer(NAME) == Office().show(NAME) == NAME


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda ask: ask(b"bytes"), "prompt"),
        (lambda ask: ask("a", object()), "more"),
        (lambda ask: ask("a", key={1, 2}), "options"),
        (lambda ask: ask("a", key=[{"deep": object()}]), "options"),
    ],
)
def test_arguments_that_cannot_be_looked_into_are_named(guard: Guard, call: Any, name: str) -> None:
    """An object might hold anything, so it is refused, by the name of its parameter."""

    @guard.protect
    def ask(prompt: Any, *more: Any, **options: Any) -> None:
        raise AssertionError("called")

    with pytest.raises(InputError, match=f"parameter '{name}'.* cannot work on a value of type"):
        call(ask)


def test_wrong_calls_are_type_errors(guard: Guard) -> None:
    """A call that does not fit the signature fails like any such call."""

    @guard.protect
    def ask(prompt: str) -> None:
        raise AssertionError("called")

    with pytest.raises(TypeError, match="missing a required argument: 'prompt'"):
        ask()  # type: ignore[call-arg]


def test_what_is_no_function_is_refused(guard: Guard) -> None:
    """Decorators in the wrong order and functions without a signature say what to do."""
    with pytest.raises(InputError, match=r"guard\.protect below @staticmethod"):
        guard.protect(classmethod(len))  # type: ignore[call-overload]
    with pytest.raises(InputError, match="not a str"):
        guard.protect("ask")  # type: ignore[call-overload]
    with pytest.raises(InputError, match="wrap it in one of your own"):
        guard.protect(iter)


def test_failing_detection_keeps_the_function_from_being_called(heard: list[Any]) -> None:
    """If detection fails the function is never reached."""

    @Guard(_analyzer=FailingAnalyzer()).protect
    def ask(prompt: str) -> None:
        heard.append(prompt)

    with pytest.raises(DetectionError):
        ask(TEXT)
    assert heard == []


def test_exceptions_pass_through(guard: Guard) -> None:
    """What a function raises reaches its caller as it was raised."""
    error = LookupError("nothing there")

    @guard.protect
    def ask(prompt: str) -> None:
        raise error

    with pytest.raises(LookupError) as raised:
        ask(NAME)
    assert raised.value is error


@pytest.mark.parametrize("result", [None, 5, True, object(), b"bytes", [object()], {"a": {1}}])
def test_results_that_cannot_be_looked_into_come_back_as_they_are(guard: Guard, result: Any) -> None:
    """A result of another kind is passed on, not lost."""
    assert guard.protect(lambda: result)() is result


def test_callable_objects_and_partials_are_functions_too(guard: Guard) -> None:
    """The kind of a callable object is the kind of its __call__."""

    class Ask:
        async def __call__(self, prompt: str) -> str:
            return prompt

    def show(mark: str, prompt: str) -> str:
        return mark + prompt

    assert asyncio.run(guard.protect(Ask())(NAME)) == NAME
    assert guard.protect(functools.partial(show, "!"))(NAME) == f"!{NAME}"


def pieces_of(text: str, size: int) -> list[str]:
    """Return a text in pieces."""
    return [text[index : index + size] for index in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_generator_gives_the_restored_text_in_pieces(guard: Guard, heard: list[Any], size: int) -> None:
    """Wherever the pieces are cut, together they are the restored text; its return value is restored."""

    @guard.protect
    def ask(prompt: str) -> Generator[str, None, str]:
        heard.append(prompt)
        yield from pieces_of(f"답: {prompt}입니다", size)
        return prompt

    assert inspect.isgeneratorfunction(ask)
    shown: list[str] = []
    results: list[str] = []

    def read() -> Generator[str, None, None]:
        results.append((yield from ask(TEXT)))

    shown += read()
    assert "".join(shown) == f"답: {TEXT}입니다"
    assert results == [TEXT]
    assert not holds_value(heard)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_an_async_generator_gives_the_restored_text_in_pieces(
    guard: Guard, heard: list[Any], size: int
) -> None:
    """The same for asynchronous generators."""

    @guard.protect
    async def ask(prompt: str) -> AsyncGenerator[str, None]:
        heard.append(prompt)
        for piece in pieces_of(f"답: {prompt}입니다", size):
            yield piece

    async def run() -> str:
        return "".join([piece async for piece in ask(TEXT)])

    assert inspect.isasyncgenfunction(ask)
    assert asyncio.run(run()) == f"답: {TEXT}입니다"
    assert not holds_value(heard)


def test_other_things_a_generator_yields_are_restored_each(guard: Guard) -> None:
    """Objects are restored one by one, after the text that was held before them."""

    @guard.protect
    def ask(prompt: str) -> Generator[Any, None, None]:
        yield prompt[:4]
        yield {"who": [prompt]}
        yield 5
        yield prompt

    person = guard.redact(NAME).text
    assert list(ask(NAME)) == ["", person[:4], {"who": [NAME]}, 5, NAME]


def test_what_is_sent_into_a_generator_is_redacted(guard: Guard, heard: list[Any]) -> None:
    """send() reaches the generator with surrogates in it, one answer for each."""

    @guard.protect
    def talk(prompt: str) -> Generator[str, Any, None]:
        said: Any = prompt
        while said != "끝":
            heard.append(said)
            said = yield f"{said}."

    conversation = talk(NAME)
    assert next(conversation) == f"{NAME}."
    assert conversation.send(PHONE) == f"{PHONE}."
    assert conversation.send(OTHER_NAME) == f"{OTHER_NAME}."
    with pytest.raises(StopIteration):
        conversation.send("끝")
    assert not holds_value(heard)
    assert len(heard) == 3


def test_what_is_sent_into_an_async_generator_is_redacted(guard: Guard, heard: list[Any]) -> None:
    """The same with asend(), athrow() and aclose()."""

    @guard.protect
    async def talk(prompt: str) -> AsyncGenerator[str, Any]:
        said: Any = prompt
        try:
            while True:
                heard.append(said)
                try:
                    said = yield f"{said}."
                except LookupError:
                    said = prompt
        finally:
            heard.append("closed")

    async def run() -> None:
        conversation = talk(NAME)
        assert await anext(conversation) == f"{NAME}."
        assert await conversation.asend(PHONE) == f"{PHONE}."
        assert await conversation.athrow(LookupError()) == f"{NAME}."
        await conversation.aclose()

    asyncio.run(run())
    assert not holds_value(heard)
    assert heard[-1] == "closed"


def test_an_async_generator_asks_a_vault_that_waits_beside_the_loop() -> None:
    """For what it is given, what it yields, what is held at its end, and what is sent into it."""
    vault = WatchedVault()
    guard = Guard(_analyzer=PatternAnalyzer(), vault=vault)

    @guard.protect
    async def talk(prompt: str) -> AsyncGenerator[str, Any]:
        said = yield f"{prompt}."
        yield f"{said}, {prompt}"

    async def run() -> None:
        conversation = talk(NAME)
        assert await anext(conversation) == f"{NAME}."
        assert await conversation.asend(PHONE) + "".join([each async for each in conversation]) == (
            f"{PHONE}, {NAME}"
        )

    with guard.session():
        asyncio.run(run())
    assert vault.asked["on the loop"] == 0
    assert vault.asked["beside"] >= 4


def test_thrown_exceptions_and_close_reach_the_generator(guard: Guard, heard: list[Any]) -> None:
    """throw() arrives where the generator waits, and close() lets it clean up."""

    @guard.protect
    def talk(prompt: str) -> Generator[str, None, None]:
        try:
            while True:
                try:
                    yield prompt
                except LookupError as error:
                    heard.append(error)
        finally:
            heard.append("closed")

    conversation = talk(NAME)
    error = LookupError()
    assert next(conversation) == NAME
    assert conversation.throw(error) == NAME
    conversation.close()
    assert heard == [error, "closed"]
    other = talk(NAME)
    next(other)
    with pytest.raises(ValueError, match="other"):
        other.throw(ValueError("other"))
    assert heard[-1] == "closed"


def test_held_text_comes_before_an_exception(guard: Guard) -> None:
    """What was still held when a generator fails is shown first."""

    @guard.protect
    def ask(prompt: str) -> Generator[str, None, None]:
        yield f"{prompt} PERS"
        raise LookupError

    @guard.protect
    async def ask_async(prompt: str) -> AsyncGenerator[str, None]:
        yield f"{prompt} PERS"
        raise LookupError

    async def run() -> None:
        async for piece in ask_async(NAME):
            seen.append(piece)

    shown: list[str] = []
    seen: list[str] = []
    with pytest.raises(LookupError):
        shown += iter(ask(NAME))
    with pytest.raises(LookupError):
        asyncio.run(run())
    assert shown == seen == [f"{NAME} ", "PERS"]


def test_a_value_that_cannot_be_sent_stops_the_generator(guard: Guard, heard: list[Any]) -> None:
    """An object sent into a generator is refused, and the generator is closed."""

    @guard.protect
    def talk() -> Generator[str, Any, None]:
        try:
            yield "a"
        finally:
            heard.append("closed")

    conversation = talk()
    next(conversation)
    with pytest.raises(InputError):
        conversation.send(object())
    assert heard == ["closed"]


def test_bound_methods_are_protected_as_they_are(guard: Guard, heard: list[Any]) -> None:
    """A bound method has no self among its parameters, and an argument of that name is redacted."""

    class Clerk:
        def note(self, prompt: str) -> str:
            heard.append(prompt)
            return prompt

    assert guard.protect(Clerk().note)(NAME) == NAME
    assert not holds_value(heard)


def test_a_parameter_named_self_is_an_argument_like_any(guard: Guard, heard: list[Any]) -> None:
    """Only in a class is self the object; in a plain function its value is inspected."""

    @guard.protect
    def ask(self: str, cls: str) -> str:
        heard.extend([self, cls])
        return self

    assert ask(TEXT, PHONE) == TEXT
    assert not holds_value(heard)


def test_default_texts_are_redacted(guard: Guard, heard: list[Any]) -> None:
    """A text that stands in the signature leaves no other way than one that was passed."""

    @guard.protect
    def ask(n: int = 3, prompt: str = TEXT, *, more: str = PHONE) -> str:
        heard.extend([n, prompt, more])
        return prompt

    assert ask() == TEXT
    assert ask(1, more="없음") == TEXT
    assert not holds_value(heard)
    assert heard[0] == 3
    assert heard[5] == "없음"


def test_objects_in_a_result_keep_nothing_else_from_being_restored(guard: Guard) -> None:
    """A result that holds something that is no JSON has real values around it."""
    thing = object()

    @guard.protect
    def ask(prompt: str) -> dict[str, Any]:
        return {"text": prompt, "thing": thing, "list": [prompt, {thing}]}

    assert ask(TEXT) == {"text": TEXT, "thing": thing, "list": [TEXT, {thing}]}


def test_wrong_arguments_say_of_which_function(guard: Guard) -> None:
    """The error of a call that does not fit names the function, as Python's own does."""

    @guard.protect
    def ask(prompt: str) -> str:
        return prompt

    with pytest.raises(TypeError, match=r"^ask\(\): missing"):
        ask()  # type: ignore[call-arg]  # what a caller may get wrong


@dataclasses.dataclass
class Question:
    """What a caller passes on."""

    text: str
    user: object = None


def test_fields_choose_what_is_redacted(guard: Guard) -> None:
    """Parameters by name, parts of them by path; the others pass unread, whatever they are."""
    seen: list[Any] = []

    @guard.protect(fields=("prompt", "question.text"))
    def ask(prompt: str, question: Question, client: object, note: str = NAME) -> Question:
        seen.extend((prompt, question.text, question.user, client, note))
        return Question(f"{prompt} {question.text}", client)

    client, user = object(), object()
    answer = ask(NAME, Question(PHONE, user), client=client)
    assert answer == Question(f"{NAME} {PHONE}", client)
    assert NAME not in seen[0]
    assert PHONE not in seen[1]
    assert seen[2:] == [user, client, NAME]


def test_fields_that_are_no_parameters_are_refused(guard: Guard) -> None:
    """When the function is decorated, not when it is called."""
    with pytest.raises(InputError, match="no parameter"):
        guard.protect(lambda text: text, fields=("prompt",))
    with pytest.raises(InputError, match="tuple"):
        guard.protect(lambda text: text, fields="text")


def test_a_parameter_that_cannot_be_read_says_how_to_leave_it_out(guard: Guard) -> None:
    """Without fields everything is inspected, or nothing is called."""
    with pytest.raises(InputError, match="fields="):
        guard.protect(lambda text, client: text)("a", object())
