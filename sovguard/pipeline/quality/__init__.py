"""A corpus before and after redaction, compared: is it safe, and is it still useful.

::

    files ─▶ rows (cells, and what is found in them) ─▶ pairing (which row is which; matching: what stands in the place of what)
          ─▶ comparing (counts, samples of hashes) ─▶ reporting ─▶ figures ─▶ page (charts, words)

Nothing here knows how the corpus was redacted or has its key, and no value is in what comes out.
"""

from __future__ import annotations

from sovguard.pipeline.quality.figures import (
    ColumnFigures,
    Left,
    Place,
    QualityReport,
    RowFigures,
    TypeFigures,
)
from sovguard.pipeline.quality.reporting import quality_report

__all__ = [
    "ColumnFigures",
    "Left",
    "Place",
    "QualityReport",
    "RowFigures",
    "TypeFigures",
    "quality_report",
]
