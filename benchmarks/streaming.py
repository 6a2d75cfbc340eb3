"""What restoring costs while an answer streams, and what a large answer costs at once.

python benchmarks/streaming.py [--out FILE.json]

Pieces of three letters through a lane; the same as events of a Chat Completions stream, beside reading and writing their JSON
alone, which every proxy has to do; the first piece through a guarded
client beside a bare one, from a local server; and an answer of a million characters with a thousand surrogates, restored whole.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

from machine import machine
from openai import OpenAI

from sovguard import Guard
from sovguard.clients.streaming import RestoredEvents
from sovguard.demo_server import Received, Reply, serve
from sovguard.payloads.openai_chat_stream import ChatStream

ROUNDS = 40
NAMES = ["김민준", "이서아", "박한별", "최지호", "정예나"]


def answer(surrogates: list[str], length: int) -> str:
    """An answer of about ``length`` characters that mentions people again and again."""
    lines = [
        f"{each}은 어제 상담을 마쳤고 {each}에게 회신이 필요합니다. 다음 일정은 추후 안내드리겠습니다.\n"
        for each in surrogates
    ]
    text = "".join(lines)
    return text * (length // len(text) + 1)


def chunks(text: str) -> list[bytes]:
    """The events of a stream that says ``text``, three letters at a time."""
    parts = [text[at : at + 3] for at in range(0, len(text), 3)]
    data = [
        {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "delta": {"content": part}}],
        }
        for part in parts
    ]
    return [f"data: {json.dumps(each, ensure_ascii=False)}\n\n".encode() for each in data]


def microseconds(step: Any, pieces: list[Any]) -> list[float]:
    """How long ``step`` takes for each piece."""
    times = []
    for piece in pieces:
        start = time.perf_counter()
        step(piece)
        times.append(1e6 * (time.perf_counter() - start))
    return times


def first_piece(client: Any) -> float:
    """Milliseconds until the first piece of an answer."""
    start = time.perf_counter()
    with client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "안녕"}], stream=True
    ) as stream:
        next(iter(stream))
        return 1000 * (time.perf_counter() - start)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    guard = Guard(names="off")
    session = guard.session()
    surrogates = [session.surrogate(name, "PERSON") for name in NAMES]
    text = answer(surrogates, 6000)
    lane = session.stream("answer")
    record: dict[str, Any] = {"machine": machine()}
    record["lane_us"] = statistics.median(
        microseconds(lane.feed, [text[at : at + 3] for at in range(0, len(text), 3)])
    )
    events = RestoredEvents(ChatStream(session))
    record["event_us"] = statistics.median(microseconds(events.feed, chunks(text)))
    record["json_us"] = statistics.median(
        microseconds(lambda chunk: b"data: %b\n\n" % json.dumps(json.loads(chunk[6:])).encode(), chunks(text))
    )
    spaced = "가나다라 마바사. " * 99
    large = "".join(f"{surrogates[number % 5]}은 {spaced}\n" for number in range(1000))
    record["large_characters"] = len(large)
    times = [microseconds(session.restore, [large])[0] / 1000 for _ in range(7)]
    record["large_ms"] = statistics.median(times)

    def stream(request: Received) -> Reply:
        return Reply(
            b"",
            headers={"content-type": "text/event-stream"},
            pieces=tuple(chunks("안녕하세요. 무엇을 도와드릴까요?")),
        )

    with serve(stream) as server:
        bare = OpenAI(api_key="key", base_url=server.base_url)
        both = {"bare": bare, "guarded": guard.wrap(OpenAI(api_key="key", base_url=server.base_url))}
        waits: dict[str, list[float]] = {name: [] for name in both}
        for _ in range(ROUNDS):
            for name, client in both.items():
                waits[name].append(first_piece(client))
        record["first_piece_ms"] = {name: statistics.median(times) for name, times in waits.items()}
    print(
        f"a piece of three letters: lane {record['lane_us']:.1f} us, event {record['event_us']:.1f} us, "
        f"of which its JSON {record['json_us']:.1f} us (medians)"
    )
    print(f"{len(large):,} characters with 1,000 surrogates: {record['large_ms']:.1f} ms")
    waited = record["first_piece_ms"]
    print(f"first piece: bare client {waited['bare']:.2f} ms, guarded {waited['guarded']:.2f} ms")
    if args.out:
        args.out.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
