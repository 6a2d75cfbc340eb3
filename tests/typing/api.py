"""How the public surface types; checked by mypy, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, assert_type

import sovguard
from sovguard import Detection, Guard, Redaction, Restoration, Session
from sovguard.policy import Judges
from sovguard.policy.explain import Explanation
from sovguard.vault import MemoryVault, Vault, in_loop

vault: Vault = MemoryVault()
guard = Guard(names="fast", vault=vault, recognizers=["a.toml", Path("b.toml")], restore_tools=("notify",))
Guard(name_model=Path("model"))
Guard(names="some")  # type: ignore[arg-type]
Guard("full")  # type: ignore[call-arg]

assert_type(guard.scan("x"), list[Detection])
assert_type(guard.scan(["x"]), list[list[Detection]])
assert_type(guard.redact("x"), Redaction)
assert_type(guard.redact(["x"]), list[str])
assert_type(guard.redact(("x", "y")), tuple[str, ...])
assert_type(guard.redact({"a": "x"}), dict[str, str])
mixed: dict[str, Any] = {"a": 1, "b": ["x"]}
assert_type(guard.redact(mixed), dict[Any, Any])
assert_type(guard.restore("x"), Restoration)
assert_type(guard.restore([1, "x"]), list[Any])
guard.redact(b"x")  # type: ignore[call-overload]
guard.redact({"x"})  # type: ignore[call-overload]
guard.restore(5)  # type: ignore[call-overload]

red = guard.redact("x")
assert_type(red.text, str)
assert_type(red.detections, list[Detection])
assert_type(red.session_id, str)
red.text = "y"  # type: ignore[misc]
assert_type(guard.restore(red.text).unresolved, list[str])

with guard.session("a", tenant="acme", purpose="상담 요약") as s:
    assert_type(s, Session)
    assert_type(s.redact("x"), Redaction)
    assert_type(s.redact_texts(["x"], keep_surrogates=True), list[Redaction])
    assert_type(s.restore_text("x"), Restoration)
    assert_type(s.scan(["x"]), list[list[Detection]])
assert_type(guard.current_session(), Session)


@guard.protect
def ask(prompt: str, *, temperature: float = 0.0) -> str:
    """Keep the type of a plain function."""
    return prompt


@guard.protect(restore=False)
async def ask_later(prompt: str) -> list[str]:
    """Keep the type of a coroutine function."""
    return [prompt]


@guard.protect()
def pieces(prompt: str) -> Iterator[str]:
    """Keep the type of a generator function."""
    yield prompt


@sovguard.protect
async def later_pieces(prompt: str) -> AsyncIterator[str]:
    """Keep the type of an asynchronous generator function."""
    yield prompt


assert_type(ask("x", temperature=1.0), str)
ask(5)  # type: ignore[arg-type]
ask("x", heat=1.0)  # type: ignore[call-arg]
awaitable: Callable[[str], Awaitable[list[str]]] = ask_later
assert_type(pieces("x"), Iterator[str])
assert_type(later_pieces("x"), AsyncIterator[str])


class Client:
    """Any client."""


assert_type(guard.wrap(Client()), Client)
assert_type(sovguard.redact("x"), Redaction)
assert_type(sovguard.redact({"a": "x"}), dict[str, str])
assert_type(sovguard.restore("x"), Restoration)
assert_type(sovguard.scan("x"), list[Detection])


async def asynchronous() -> None:
    """Keep the types of what is run beside the event loop, and of what decides."""
    assert_type(await guard.aside(guard.redact, "x"), Redaction)
    assert_type(await in_loop(len, "x"), int)
    assert_type(Guard(policy="kr-finance", ledger=None).policy, Judges)
    assert_type(guard.policy.explain([], destination="openai"), Explanation)
