"""Runs a curated workload: how fast each engine is, how long one text takes, how much memory that needs, what is left.

Every workload has processes of its own, so that the memory of one does not show in the next. The answers are asked for
after everything that is timed, and they are the answers to the timed texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from answers import answer_of, spans_in, wrong_answers
from curated import documents
from definitions import Answer, Definition
from engine_client import Engine, EngineError, EngineSpec
from measurements import Run
from scoring import ALL, Document, score
from throughput import run_round, running, warm_up

SECONDS_ALLOWED = 300
WITHOUT_NAMES = "without_names"


def run_workload(definition: Definition, specs: Sequence[EngineSpec], quick: bool) -> Run:
    """Rounds over whole lists, each on new texts; then one text a call; then memory; then the answers."""
    run = Run([], [], {})
    settings = definition.settings
    count = settings["quick_documents" if quick else "documents"]
    rounds = {
        f"{'quick' if quick else 'seed'}-{seed}": documents(definition.name, count, seed)
        for seed in settings["seeds"][: 1 if quick else None]
    }
    with running(specs, run) as engines:
        warm_up(engines, texts_of(documents(definition.name, min(count, 50), seed=0)), run)
        for number, (workload, made) in enumerate(rounds.items()):
            run_round(definition, workload, number, texts_of(made), engines, run)
        single = texts_of(documents(definition.name, count if quick else settings["single_texts"], seed=-1))
        for name, engine in list(engines.items()):
            try:
                run.facts[name] = _one_by_one(engine, single)
                if engine.spec.detects:
                    run.facts[name] |= _truth(engine, rounds)
            except EngineError as error:
                run.problems.append(str(error))
                del engines[name]
    run.problems.extend(_two_minds(specs, run))
    return run


def texts_of(made: Sequence[Document]) -> list[str]:
    """The documents' texts."""
    return [document.text for document in made]


def _one_by_one(engine: Engine, texts: list[str]) -> dict[str, Any]:
    engine.ask("load", texts=texts)
    times = engine.ask("each", seconds=SECONDS_ALLOWED, threads=1)["microseconds"]
    return {"microseconds": times, **engine.ask("memory")}


def _truth(engine: Engine, rounds: dict[str, list[Document]]) -> dict[str, Any]:
    """An engine's answer for each round, and what it leaves and takes of what was planted in all of them."""
    answers, every, predicted = {}, [], []
    for workload, made in rounds.items():
        engine.ask("load", texts=texts_of(made))
        found = [
            [(start, end, engine.spec.our_type(entity_type)) for start, end, entity_type in spans]
            for spans in engine.ask("detect", seconds=SECONDS_ALLOWED)["spans"]
        ]
        answers[workload] = answer_of(found)
        every += made
        predicted += found
    with_names, without = score(every, predicted), score(every, predicted, exclude=["PERSON"])
    types = {name: counts for name, counts in sorted(with_names.counts.items()) if name != ALL}
    return {
        "answers": answers,
        "characters": with_names.characters,
        ALL: asdict(with_names.of(ALL)),
        WITHOUT_NAMES: asdict(without.of(ALL)),
        "types": {
            name: {"gold": counts.gold, "leaked": counts.leaked, "false": counts.false}
            for name, counts in types.items()
        },
    }


def answers_of(specs: Sequence[EngineSpec], run: Run) -> dict[str, dict[str, Answer]]:
    """The answers of sovguard's engines, as a definition keeps them."""
    ours = {spec.name for spec in specs if spec.is_ours}
    return {name: fact["answers"] for name, fact in run.facts.items() if name in ours}


def _two_minds(specs: Sequence[EngineSpec], run: Run) -> list[str]:
    """Where sovguard's timed run did not find as much as the answers that were asked for after it."""
    answers = answers_of(specs, run)
    return [
        f"{row.definition}: {row.engine} on {row.workload} gave {row.spans} spans when timed, then {counted}"
        for row in run.rows
        if row.engine in answers and row.spans != (counted := spans_in(answers[row.engine][row.workload]))
    ]


def wrong(definition: Definition, specs: Sequence[EngineSpec], run: Run) -> list[str]:
    """Where sovguard's answers are not the expected ones."""
    return wrong_answers(definition, answers_of(specs, run))
