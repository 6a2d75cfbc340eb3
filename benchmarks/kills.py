"""Files: jobs that are killed (SIGKILL) at random moments and go on: is the outcome that of one that nobody disturbed?

python benchmarks/kills.py [--kills 20] [--megabytes 60] [--workers 1,2] [--seed 1] [--folder DIR] [--out FILE.json]

For each number of workers one job runs undisturbed. Then jobs with --resume are killed with all their processes after a time
drawn between nothing and what that one took, and begun again; one that ends is compared octet for octet, and the next begins.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from files import write
from machine import machine

_RUN = """
import sys
from pathlib import Path
from sovguard.pipeline.files import Job, Settings
from sovguard.vaultless import Scope
if __name__ == "__main__":
    settings = Settings(key=bytes(range(64)), scope=Scope("bench", dataset="lines"), names="off")
    Job(Path(sys.argv[1]), Path(sys.argv[2]), settings, workers=int(sys.argv[3]), resume=True).run()
"""


def killed(folder: Path, source: Path, workers: int, kills: int, drawn: random.Random) -> dict[str, Any]:
    """Kill jobs until there were so many kills; return how often they went on, and in how many outcomes something differed."""
    script, whole, done = folder / "run.py", folder / "whole.jsonl", folder / "done.jsonl"
    script.write_text(_RUN, "utf-8")
    begun = time.monotonic()
    subprocess.run([sys.executable, str(script), str(source), str(whole), str(workers)], check=True)
    took = time.monotonic() - begun
    expected = whole.read_bytes()
    dealt = ended = different = went_on = 0
    while dealt < kills or not ended:
        began_anew = not done.with_name(f"{done.name}.progress").exists()
        process = subprocess.Popen(
            [sys.executable, str(script), str(source), str(done), str(workers)], start_new_session=True
        )
        try:
            # The last one is left alone, so that at least one outcome is compared.
            code = process.wait(drawn.uniform(0, took) if dealt < kills else None)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            dealt += 1
            went_on += not began_anew
            if not done.exists():
                continue
            code = 0  # it was killed when the outcome had been put in its place: it has to be whole
        if code:
            raise SystemExit("a job failed by itself")
        ended += 1
        different += done.read_bytes() != expected
        done.unlink()
    whole.unlink()
    return {
        "workers": workers,
        "undisturbed_seconds": round(took, 1),
        "kills": dealt,
        "kills_of_jobs_that_had_gone_on": went_on,
        "outcomes_compared": ended,
        "outcomes_that_differ": different,
    }


def main() -> None:
    """Measure, print and write; ends with 1 if anything differed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--megabytes", type=int, default=60)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark-kills"))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    source = asked.folder / "lines.jsonl"
    write(source, asked.megabytes)
    drawn = random.Random(asked.seed)  # noqa: S311  not keys
    rows = []
    for workers in map(int, asked.workers.split(",")):
        rows.append(killed(asked.folder, source, workers, asked.kills, drawn))
        print(rows[-1], flush=True)
    source.unlink()
    if asked.out is not None:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        told = {"machine": machine(), "megabytes": asked.megabytes, "seed": asked.seed, "runs": rows}
        asked.out.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    wrong = sum(row["outcomes_that_differ"] for row in rows)
    raise SystemExit(int(wrong > 0))


if __name__ == "__main__":
    main()
