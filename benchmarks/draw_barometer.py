"""Draws a record of the barometer: SVG files into docs/barometer/, tables between the markers of docs/barometer.md.

python benchmarks/draw_barometer.py [benchmarks/record/DATE] [--docs docs]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from barometer_charts import CHARTS
from barometer_record import Barometer, newest_record, read_barometer
from barometer_tables import filled
from machine import ROOT


def draw(record: Barometer, docs: Path) -> list[Path]:
    """Write every drawing and fill the page; the paths of what was written."""
    folder, page = docs / "barometer", docs / "barometer.md"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, chart in CHARTS.items():
        path = folder / f"{name}.svg"
        path.write_text(chart(record), encoding="utf-8")
        written.append(path)
    page.write_text(filled(page.read_text(encoding="utf-8"), record), encoding="utf-8")
    return [*written, page]


def main(argv: Sequence[str] | None = None) -> int:
    """Draw it; 0."""
    parser = argparse.ArgumentParser(description="Draw a record of the barometer.")
    parser.add_argument("record", type=Path, nargs="?", help="its folder; default: the newest")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where barometer.md is")
    args = parser.parse_args(argv)
    record = read_barometer(args.record or newest_record())
    for path in draw(record, args.docs):
        print(path.relative_to(args.docs))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
