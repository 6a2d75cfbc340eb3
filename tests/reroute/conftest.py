from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sovguard.demo_server import LocalServer, serve
from tests.reroute.target import Model, rerouting

Rerouted = Callable[..., tuple[LocalServer, list[dict[str, Any]]]]


@pytest.fixture
def rerouted() -> Iterator[Rerouted]:
    """Runs servers that reroute what they are asked, and gives what their models were asked."""
    with ExitStack() as stack:

        def run(model: Model | None = None) -> tuple[LocalServer, list[dict[str, Any]]]:
            asked: list[dict[str, Any]] = []
            return stack.enter_context(serve(rerouting(asked, model))), asked

        yield run


@pytest.fixture
def kept() -> Iterator[ExitStack]:
    """Closes the clients of a test."""
    with ExitStack() as stack:
        yield stack
