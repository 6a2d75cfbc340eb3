"""Redaction of files that are too large to be held: read in pieces, worked on by several processes, written in order.

::

    source (bytes, gzip, zstd) ─▶ cutting (whole records) ─▶ records (lines, JSON, CSV) in worker processes ─▶ job (in order,
    atomically, with a journal by which a job that was cut off goes on)

Parquet is read by batches (``parquet``), documents as a whole (``documents``); ``kinds`` tells which is which.

What comes out does not depend on how many processes work, nor on where a job was cut off.
"""

from __future__ import annotations

from sovguard.pipeline.files.job import Job, Report
from sovguard.pipeline.files.kinds import outcome_name, work_on_file
from sovguard.pipeline.files.settings import Settings

__all__ = ["Job", "Report", "Settings", "outcome_name", "work_on_file"]
