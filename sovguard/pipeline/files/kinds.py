"""One call for a file of any kind: lines and tables, Parquet, documents, told by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sovguard.documents import is_document
from sovguard.errors import ConfigError
from sovguard.pipeline.files.job import Job, Report
from sovguard.pipeline.files.settings import Form, Settings

_PARQUET = (".parquet", ".pq")


def outcome_name(name: str) -> str:
    """Return what the outcome of a file is called that keeps its name: a PDF becomes a text."""
    return f"{name}.txt" if name.lower().endswith(".pdf") else name


def work_on_file(
    source: Path,
    target: Path,
    settings: Settings,
    *,
    workers: int = 1,
    resume: bool = False,
    rejects: Path | None = None,
    form: Form | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Redact or restore a file, and put the outcome in its place when it is whole.

    Args:
        source: The file. With ``form`` it is what that says; else its name tells.
        target: Where its outcome goes.
        settings: What is done.
        workers: How many processes work on lines, tables and Parquet. A document is worked on by this one.
        resume: Go on where it was cut off; of lines and tables. Others begin anew: there is nothing of them yet.
        rejects: Where lines or rows go that could not be worked on.
        form: As for ``Job``.
        encoding: As for ``Job``.
        delimiter: As for ``Job``.
        header: As for ``Job``.
        progress: Is told how much is done, of how much.

    Raises:
        InputError: It cannot be read or worked on.
        ConfigError: The settings do not go with it.
    """
    if form is None and is_document(source):
        from sovguard.pipeline.files.documents import work_on

        if rejects is not None or settings.columns:
            raise ConfigError(
                "--rejects and --field are for lines and tables; a document is worked on as a whole"
            )
        return work_on(source, target, settings, progress=progress)
    if form is None and source.suffix.lower() in _PARQUET:
        from sovguard.pipeline.files.parquet import work_on_parquet

        return work_on_parquet(source, target, settings, workers=workers, rejects=rejects, progress=progress)
    return Job(
        source,
        target,
        settings,
        workers=workers,
        resume=resume,
        rejects=rejects,
        form=form,
        encoding=encoding,
        delimiter=delimiter,
        header=header,
        progress=progress,
    ).run()
