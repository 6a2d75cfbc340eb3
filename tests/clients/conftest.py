from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from sovguard import Guard
from sovguard.demo_server import LocalServer, Received, Reply, serve
from tests.servers import PatternAnalyzer

Serve = Callable[[Callable[[Received], Reply]], LocalServer]


@pytest.fixture
def guard() -> Guard:
    """A guard that finds the made-up values of these tests."""
    return Guard(_analyzer=PatternAnalyzer())


@pytest.fixture
def run_server() -> Iterator[Serve]:
    """Starts servers that end with the test."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(serve(answer))
