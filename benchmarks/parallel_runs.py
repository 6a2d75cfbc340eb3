"""What more threads and more processes are worth: the same texts, one a call, from one caller or from several."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from curated import documents
from curated_runs import SECONDS_ALLOWED, texts_of
from definitions import Definition
from engine_client import Engine, EngineError, EngineSpec
from measurements import Row, Run
from throughput import rotated, running, size_of, warm_up


def run_parallel(definition: Definition, specs: Sequence[EngineSpec], quick: bool) -> Run:
    """Threads inside one process, then processes beside one another, each engine by itself on the machine."""
    run = Run([], [], {})
    settings = definition.settings
    count = settings["quick_documents" if quick else "documents"]
    texts = texts_of(documents(settings["workload"], count, settings["seed"]))
    rounds = 1 if quick else settings["rounds"]
    prefix = "quick-" if quick else ""
    with running(specs, run) as engines:
        warm_up(engines, texts[:50], run)
        for number in range(rounds):
            for threads in settings["threads"]:
                for position, (name, engine) in rotated(list(engines.items()), number):
                    where = (definition.name, name, f"{prefix}threads-{threads}", number, position)
                    try:
                        _measure(run, where, [engine], texts, threads)
                    except EngineError as error:
                        run.problems.append(str(error))
                        del engines[name]
    for processes in settings["processes"]:
        for position, spec in enumerate(specs):
            try:
                with contextlib.ExitStack() as stack:
                    crowd = [stack.enter_context(Engine(spec)) for _ in range(processes)]
                    for engine in crowd:
                        engine.ask("load", texts=texts[:50])
                        engine.ask("run")
                    for number in range(rounds):
                        where = (
                            definition.name,
                            spec.name,
                            f"{prefix}processes-{processes}",
                            number,
                            position,
                        )
                        _measure(run, where, crowd, texts, 1)
            except EngineError as error:
                run.problems.append(str(error))
    return run


def _measure(
    run: Run, where: tuple[str, str, str, int, int], crowd: Sequence[Engine], texts: list[str], threads: int
) -> None:
    """A row for texts that are dealt out to the processes of a crowd; its clock stops when the last has answered."""
    for place, engine in enumerate(crowd):
        engine.ask("load", texts=texts[place :: len(crowd)])

    def work(engine: Engine) -> dict[str, Any]:
        return engine.ask("each", seconds=SECONDS_ALLOWED, threads=threads)

    with ThreadPoolExecutor(len(crowd)) as pool:
        started = time.perf_counter()
        answers = list(pool.map(work, crowd))
        wall = time.perf_counter() - started
    # Of one process its own clock is the better one: ours has the pipe's time in it.
    seconds = answers[0]["seconds"] if len(crowd) == 1 else wall
    spans, cpu = (sum(answer[part] for answer in answers) for part in ("spans", "cpu_seconds"))
    run.rows.append(
        Row(*where, **size_of(texts), spans=spans, seconds=seconds, cpu_seconds=cpu, wall_seconds=wall)
    )
