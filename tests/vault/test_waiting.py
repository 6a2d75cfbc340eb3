"""Asynchronous vaults as asynchronous code uses them: the loop goes on, one value has one surrogate, and nothing hangs."""

from __future__ import annotations

import asyncio
import builtins
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sovguard import ConfigError, Guard, VaultError
from sovguard.entities import Detection
from sovguard.vault import (
    Entry,
    Keyring,
    SealedVault,
    SessionRef,
    create_vault_async,
    in_loop,
    open_vault_async,
    waiting,
)
from sovguard.vault.administration import erase_session, sessions
from tests.servers import TEXT, PatternAnalyzer
from tests.vault.places import Place

A = SessionRef("acme", "a")
KEYS = Keyring.generate()


@pytest.fixture(params=["postgres", "redis"])
def address(request: pytest.FixtureRequest) -> str:
    """Where a vault can be made."""
    place: Place = request.getfixturevalue(request.param)
    return place.address


@asynccontextmanager
async def made(address: str, **settings: Any) -> Any:
    """A new vault."""
    vault = await create_vault_async(address, KEYS, **settings)
    try:
        yield vault
    finally:
        await in_loop(vault.close)


async def ticking(work: Awaitable[Any]) -> tuple[Any, int]:
    """What ``work`` gives, and how often the loop came round meanwhile."""
    task, rounds = asyncio.ensure_future(work), 0
    while not task.done():
        rounds += 1
        await asyncio.sleep(0)
    return task.result(), rounds


def test_many_tasks_mint_one_surrogate_for_one_value(address: str) -> None:
    """Upon one session and with few connections; and a vault opened anew resolves all of them."""
    entries = [Entry("PERSON", str(number)) for number in range(40)]

    async def run() -> None:
        async with made(address) as vault:

            def work(turn: int) -> list[str]:
                vault.open(A)
                mine = entries[turn:] + entries[:turn]
                surrogates = [vault.put(A, [entry])[0] for entry in mine]
                return surrogates[len(entries) - turn :] + surrogates[: len(entries) - turn]

            results = await asyncio.gather(*[in_loop(work, turn) for turn in range(24)])
            assert all(result == results[0] for result in results)
            assert len(set(results[0])) == len(entries)
        again = await open_vault_async(address, KEYS)
        found = await in_loop(again.get, A, results[0])
        assert list(found.values()) == entries
        await in_loop(again.close)

    asyncio.run(run())


def test_a_guard_redacts_in_the_loop_and_detects_in_a_thread(address: str) -> None:
    """The round trip holds, and the loop goes on while the server and the detection are waited for."""
    detected: list[threading.Thread] = []

    class Noted(PatternAnalyzer):
        def analyze(self, texts: Sequence[str]) -> list[list[Detection]]:
            detected.append(threading.current_thread())
            return super().analyze(texts)

    async def run() -> None:
        async with made(address) as vault:
            guard = Guard(_analyzer=Noted(), vault=vault)
            with guard.session("상담"):
                sent, rounds = await ticking(guard.aside(guard.current_session().redact, TEXT))
                assert rounds > 5
                assert (await guard.aside(guard.current_session().restore, sent.text)).text == TEXT
            assert detected[0] is not threading.current_thread()
            # From a thread of the caller's own as well.
            assert (await asyncio.to_thread(guard.session("상담").restore, sent.text)).text == TEXT

    asyncio.run(run())


def test_administration_works_on_it(address: str) -> None:
    """Sessions are listed and erased."""

    async def run() -> None:
        async with made(address) as vault:
            await in_loop(vault.open, A)
            (surrogate,) = await in_loop(vault.put, A, [Entry("PERSON", "홍길동")])
            assert [each.ref for each in await in_loop(lambda: list(sessions(vault)))] == [A]
            await in_loop(erase_session, vault, A)
            state = await in_loop(vault.open, A)
            assert surrogate.split("-")[1][:4] in state.former

    asyncio.run(run())


def test_what_is_cancelled_gives_its_connection_back(address: str) -> None:
    """However often a request is cut off where it waits, those that come after it are answered, and nothing is half done."""

    async def run() -> None:
        async with made(address) as vault:
            await in_loop(vault.open, A)
            for number in range(60):
                put = asyncio.ensure_future(in_loop(vault.put, A, [Entry("PERSON", str(number))]))
                for _ in range(number % 12):
                    await asyncio.sleep(0.0005)
                put.cancel()
                await asyncio.wait([put])
            entries = [Entry("PERSON", str(number)) for number in range(61)]
            surrogates = await asyncio.wait_for(in_loop(vault.put, A, entries), 20)
            assert len(set(surrogates)) == 61
            assert list((await in_loop(vault.get, A, surrogates)).values()) == entries

    asyncio.run(run())


def test_what_would_hang_is_an_error(address: str) -> None:
    """A plain call in the loop, a call from another loop, and one after the loop has ended say what to do."""

    async def run() -> Guard:
        vault = await create_vault_async(address, KEYS)
        guard = Guard(_analyzer=PatternAnalyzer(), vault=vault)
        with pytest.raises(VaultError, match=r"await guard\.aside"):
            guard.redact(TEXT)

        def elsewhere() -> None:
            with pytest.raises(VaultError, match="another event loop"):
                asyncio.run(guard.aside(guard.redact, TEXT))

        await asyncio.to_thread(elsewhere)
        await in_loop(vault.close)
        return guard

    guard = asyncio.run(run())
    with pytest.raises(VaultError, match="has ended"):
        guard.redact(TEXT)


def test_a_server_that_is_not_there_is_an_error() -> None:
    """As for a synchronous store."""
    for address in ("postgresql://127.0.0.1:1/none?connect_timeout=1", "redis://127.0.0.1:1/0"):
        with pytest.raises(VaultError, match=r"be reached|be had"):
            asyncio.run(in_loop(_opened, address))


def _opened(address: str) -> SealedVault:
    from sovguard.vault.postgres import AsyncPostgresStore
    from sovguard.vault.redis import AsyncRedisStore

    kind: Callable[..., Any] = AsyncPostgresStore if address.startswith("postgresql") else AsyncRedisStore
    return SealedVault(kind(address, wait=0.5), KEYS)


def test_there_is_none_for_a_file(tmp_path: Any) -> None:
    """Asynchronous code asks a file in a thread, so the way to open it is the usual one."""
    with pytest.raises(ConfigError, match="open_vault"):
        asyncio.run(open_vault_async(f"sqlite:///{tmp_path}/vault.db", KEYS))


def test_an_asynchronous_store_is_made_in_a_loop() -> None:
    """Made elsewhere there would be nothing to wait for it."""
    with pytest.raises(ConfigError, match="open_vault_async"):
        _opened("redis://127.0.0.1:1/0")


def test_without_greenlet_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said when the vault is opened."""
    real = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "greenlet":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(waiting, "_kind", None)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match=r"sovguard\[async\]"):
        asyncio.run(open_vault_async("redis://127.0.0.1:1/0", KEYS))


def test_errors_and_context_go_through() -> None:
    """What a function raises within the loop reaches its caller, and it sees the caller's session."""
    guard = Guard(_analyzer=PatternAnalyzer())

    def fails() -> None:
        raise LookupError("so")

    async def run() -> None:
        with pytest.raises(LookupError, match="so"):
            await in_loop(fails)
        with guard.session("a") as session:
            assert await in_loop(guard.current_session) is session

    asyncio.run(run())
