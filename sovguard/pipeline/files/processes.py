"""Processes that work on the pieces of a file, and give back what became of them in the order of the pieces."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from sovguard.errors import SovguardError

PieceT = TypeVar("PieceT")
DoneT = TypeVar("DoneT")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def worked(
    pieces: Iterable[PieceT],
    work: Callable[[PieceT], DoneT],
    workers: int,
    prepare: Callable[..., None],
    *arguments: Any,
) -> Iterator[tuple[PieceT, DoneT]]:
    """Yield pieces with what became of them, in their order.

    Args:
        pieces: What is worked on.
        work: Works on one; a function of a module.
        workers: How many processes.
        prepare: Is called once in each, with ``arguments``; a function of a module.
        arguments: What a process needs to know. They go to it through a pipe.

    Raises:
        SovguardError: A process has ended.
    """
    waiting: deque[tuple[PieceT, Future[DoneT]]] = deque()
    with _pool(workers, prepare, arguments) as pool:
        for piece in pieces:
            waiting.append((piece, pool.submit(work, piece)))
            # As many as keep everybody busy, and no more: memory does not grow with the file.
            while len(waiting) > 2 * workers or (waiting and waiting[0][1].done()):
                yield _next(waiting)
        while waiting:
            yield _next(waiting)


def _next(waiting: deque[tuple[PieceT, Future[DoneT]]]) -> tuple[PieceT, DoneT]:
    piece, future = waiting.popleft()
    try:
        return piece, future.result()
    except BrokenProcessPool:
        raise SovguardError(
            "a worker process has ended; what is written stays: begin again with --resume, perhaps with fewer workers"
        ) from None


@contextmanager
def _pool(
    workers: int, prepare: Callable[..., None], arguments: tuple[Any, ...]
) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes that are begun anew, so that they hold nothing of this one."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))  # a core each, and not all cores for all
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), prepare, arguments)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, said in before.items():
            if said is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = said
