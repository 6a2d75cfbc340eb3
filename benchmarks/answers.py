"""What an engine found, short enough to be kept in a definition and exact enough that a wrong answer shows.

A number of detections stays the same when one is lost and another is invented. So a curated workload expects of
sovguard how many spans of each type there are, which says what changed, and a digest of all of them, which says
that something did.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence

from definitions import Answer, Definition
from scoring import Span

DIGEST = "digest"


def answer_of(found: Sequence[Sequence[Span]]) -> dict[str, int | str]:
    """How many spans of each type were found in a list of texts, with a digest of where they are."""
    types = Counter(entity_type for spans in found for _, _, entity_type in spans)
    places = json.dumps([sorted(map(list, spans)) for spans in found], separators=(",", ":"))
    return {DIGEST: hashlib.sha256(places.encode()).hexdigest()[:16], **dict(sorted(types.items()))}


def spans_in(answer: Answer) -> int:
    """How many spans an answer counts."""
    if isinstance(answer, int):
        return answer
    return sum(count for count in answer.values() if isinstance(count, int))


def difference(expected: Answer | None, seen: Answer) -> str | None:
    """What is wrong with an answer, in words, or ``None``."""
    if expected is None:
        return f"has no expected answer (it gave {spans_in(seen)} spans): --refresh-expected writes it"
    if expected == seen:
        return None
    if isinstance(expected, int) or isinstance(seen, int):
        return f"gave {spans_in(seen)} spans, not {spans_in(expected)}"
    changed = [
        f"{seen.get(name, 0)} {name}, not {expected.get(name, 0)}"
        for name in sorted({*expected, *seen} - {DIGEST})
        if seen.get(name, 0) != expected.get(name, 0)
    ]
    return f"gave {'; '.join(changed) or 'as many spans of each type, but not the same ones'}"


def wrong_answers(definition: Definition, seen: Mapping[str, Mapping[str, Answer]]) -> list[str]:
    """Where an engine's answer is not what the definition expects."""
    problems = []
    for engine, answers in seen.items():
        for workload, answer in answers.items():
            wrong = difference(definition.expected.get(engine, {}).get(workload), answer)
            if wrong:
                problems.append(f"{definition.name}: {engine} on {workload} {wrong}")
    return problems
