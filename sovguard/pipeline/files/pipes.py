"""What comes through a pipe worked on as it comes: nothing is kept, and nothing can be gone on with."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import BinaryIO

from sovguard.pipeline.files.cutting import pieces
from sovguard.pipeline.files.job import Report, check_fields, count, told, worked_on
from sovguard.pipeline.files.journal import Progress
from sovguard.pipeline.files.settings import Form, Settings
from sovguard.pipeline.files.shapes import shape_for
from sovguard.pipeline.files.source import Pipe


def work_on_pipe(
    stream: BinaryIO,
    write: Callable[[bytes], object],
    settings: Settings,
    *,
    workers: int = 1,
    form: Form | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Redact or restore what comes through a pipe, piece by piece of about a mebibyte.

    Args:
        stream: What is read; plain, gzip or zstd.
        write: Is given what comes out, compressed as that is.
        settings: What is done.
        workers: How many processes work.
        form: What its records are; text by default.
        encoding: As for ``Job``.
        delimiter: As for ``Job``.
        header: As for ``Job``.
        progress: Is told how many octets have come, of nobody knows how many.

    Raises:
        InputError: It is damaged, or its encoding cannot be told.
        ConfigError: A column is asked for that it does not have. What was written before that was known is written.
    """
    begun = time.monotonic()
    source = Pipe(stream)
    shape, skipped = shape_for(
        source, settings, form=form, encoding=encoding, delimiter=delimiter, header=header
    )
    state = Progress("", [])
    source.begin()
    with source.opened() as opened:
        head = source.read(opened, skipped)
        write(shape.stored(head))
        state.offset, state.line = skipped, 1 + head.count(b"\n")
        between = shape.delimiter.encode() if shape.form == "csv" else b""
        found = pieces(source, opened, delimiter=between, offset=state.offset, line=state.line)
        for piece, done in worked_on(found, settings, shape, workers):
            write(done.data)
            count(state, piece, done)
            progress(source.done, 0)
    check_fields(source, settings, shape, state)
    return told(state, shape, time.monotonic() - begun)
