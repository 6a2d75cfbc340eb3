"""Redaction of columns, frames and streams: the same guard, with surrogates that need a key and no vault.

::

    frames, Spark, DuckDB, files ─▶ arrow (a batch) ─▶ arrays (the texts in it) ─▶ cells (found, then replaced by a way)
    ways: surrogates that hold their values · a session's surrogates · masks · removal · pseudonyms · values of the same shape

Rows are independent of each other: what becomes of one does not depend on which others are in its batch, so that a job may be
cut, repeated and resumed anywhere. pyarrow, pandas, polars, duckdb, datasets and pyspark are imported where they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sovguard.pipeline.columns import Column
from sovguard.pipeline.ways import Mode

if TYPE_CHECKING:
    from sovguard.pipeline.arrow import redact_batch, restore_batch
    from sovguard.pipeline.frames import redact_frame, redact_series, restore_frame, restore_series
    from sovguard.pipeline.quality import QualityReport, quality_report
    from sovguard.pipeline.streams import redact_rows, restore_rows

_LATER = {
    **dict.fromkeys(("redact_batch", "restore_batch"), "arrow"),
    **dict.fromkeys(("redact_frame", "redact_series", "restore_frame", "restore_series"), "frames"),
    **dict.fromkeys(("redact_rows", "restore_rows"), "streams"),
    **dict.fromkeys(("QualityReport", "quality_report"), "quality"),
}

__all__ = [
    "Column",
    "Mode",
    "QualityReport",
    "quality_report",
    "redact_batch",
    "redact_frame",
    "redact_rows",
    "redact_series",
    "restore_batch",
    "restore_frame",
    "restore_rows",
    "restore_series",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
