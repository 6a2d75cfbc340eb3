"""Redaction of Spark DataFrames, plain and streaming, and functions for Spark SQL.

What goes to the workers is the settings alone: each worker process makes its own guard when it is first needed, and takes the
key from its own environment or a key service. Rows depend on nothing but themselves and the key, so that a task that is run
again, or twice at once, gives the same rows.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from sovguard.errors import ConfigError
from sovguard.pipeline.cells import Ask, Cells, Outcome
from sovguard.pipeline.columns import Column, Columns, chosen
from sovguard.pipeline.ways import Mode
from sovguard.vaultless import KEY_LENGTH, Scope, Vaultless

if TYPE_CHECKING:
    from sovguard.guard import Names

ENVIRONMENT = "SOVGUARD_PIPELINE_KEY"
"""The variable of a worker that holds the key: 64 octets in base64."""
ERRORS = "sovguard_error"
KeySource = Callable[[], bytes]
_MADE: dict[_Settings, Cells] = {}
"""What this worker process has made: a guard is loaded once, however many tasks it runs."""


@dataclass(frozen=True, slots=True)
class EnvironmentKey:
    """A key in a variable of the worker's environment.

    Attributes:
        name: The variable; it holds 64 octets in base64.
    """

    name: str = ENVIRONMENT

    def __call__(self) -> bytes:
        """Return the key.

        Raises:
            ConfigError: The variable is not set, or holds none.
        """
        said = os.environ.get(self.name)
        if not said:
            raise ConfigError(
                f"the key of the pipeline is not in {self.name} on this worker; set it in the environment of the executors"
            )
        try:
            key = base64.b64decode(said, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_LENGTH:
            raise ConfigError(f"{self.name} does not hold {KEY_LENGTH} octets in base64")
        return key


@dataclass(frozen=True, slots=True)
class _Settings:
    """What a worker needs to know; no key."""

    scope: Scope | None
    action: Literal["surrogate", "mask", "remove"]
    key: KeySource
    names: Names
    recognizers: tuple[str, ...]

    def cells(self) -> Cells:
        """Return what works on cells in this process."""
        made = _MADE.get(self)
        if made is None:
            from sovguard.guard import Guard

            mode: Mode = self.action if self.action != "surrogate" else self._sealed()
            made = _MADE[self] = Cells(Guard(names=self.names, recognizers=self.recognizers), mode)
        return made

    def _sealed(self) -> Vaultless:
        assert self.scope is not None  # noqa: S101  it was asked for
        return Vaultless(self.key(), self.scope)


class Metrics:
    """Counts of a job, told by its workers: how many rows, values by type, bad rows.

    A task that Spark runs again is counted again: these are for watching a job, and no ledger.

    Args:
        spark: The session.
    """

    def __init__(self, spark: Any) -> None:
        from pyspark.accumulators import AccumulatorParam

        class _Counts(AccumulatorParam[Any]):
            def zero(self, value: Any) -> Any:
                return Counter()

            def addInPlace(self, value1: Any, value2: Any) -> Any:  # noqa: N802  Spark's name
                value1.update(value2)
                return value1

        self._counts = spark.sparkContext.accumulator(Counter(), _Counts())

    def __repr__(self) -> str:
        return f"Metrics({self.rows} rows)"

    @property
    def accumulator(self) -> Any:
        """What workers add to."""
        return self._counts

    @property
    def rows(self) -> int:
        """How many rows were worked on."""
        return int(self._counts.value["rows"])

    @property
    def bad_rows(self) -> int:
        """In how many of them something could not be worked on."""
        return int(self._counts.value["bad rows"])

    @property
    def values(self) -> dict[str, int]:
        """How many values were replaced, by entity type; equal cells of a batch count once."""
        return {name[6:]: count for name, count in self._counts.value.items() if name.startswith("value ")}


@dataclass(frozen=True, slots=True)
class _Task:
    """Works on the batches of one partition."""

    settings: _Settings
    columns: tuple[Column, ...]
    restores: bool
    errors: str | None
    detections: str | None
    counts: Any

    def __call__(self, batches: Iterable[Any]) -> Iterator[Any]:
        from sovguard.pipeline.arrow import worked_on

        cells = self.settings.cells()
        for batch in batches:
            done = worked_on(
                batch,
                self.columns,
                lambda asks: self._work(cells, asks),
                errors=self.errors,
                detections=self.detections,
            )
            if self.counts is not None:
                bad = 0 if self.errors is None else done.num_rows - done.column(self.errors).null_count
                self.counts.add(Counter({"rows": done.num_rows, "bad rows": bad}))
            yield done

    def _work(self, cells: Cells, asks: Sequence[Ask]) -> list[Outcome]:
        if self.restores:
            return cells.restore(asks)
        outcomes = cells.redact(asks)
        if self.counts is not None:
            types = (hit.entity_type for each in outcomes for hits in each.found for hit in hits)
            self.counts.add(Counter(f"value {name}" for name in types))
        return outcomes


def redact_dataframe(
    frame: Any,
    *,
    scope: Scope | None = None,
    columns: Columns | None = None,
    action: Literal["surrogate", "mask", "remove"] = "surrogate",
    key: KeySource | None = None,
    names: Names = "full",
    recognizers: Sequence[str] = (),
    detections: str | None = None,
    errors: str | None = ERRORS,
    metrics: Metrics | None = None,
) -> Any:
    """Return a Spark DataFrame, plain or streaming, whose texts have what was found in them replaced.

    Args:
        frame: The DataFrame.
        scope: Within what equal values have equal surrogates; needed for surrogates.
        columns: Which columns, by name or as ``Column``; by default every one that holds texts. An action of a column's own is
            ``"mask"`` or ``"remove"``.
        action: ``"surrogate"`` for surrogates that hold their values, ``"mask"`` or ``"remove"``.
        key: Called on each worker for the key of surrogates; by default what ``SOVGUARD_PIPELINE_KEY`` holds there. It is sent
            to the workers as it is: it has to fetch the key, and not to hold it.
        names: How names are found, as for ``Guard``.
        recognizers: Paths of recognizers that are on every worker.
        detections: Add a column of this name that says what was replaced where, without values.
        errors: The name of a column that is added: for a row in which something could not be worked on, what is wrong; that is
            null then. ``None``: such a row stops the job.
        metrics: Counts what workers do.

    Raises:
        ConfigError: A column is not there or holds no text, or there is no scope for surrogates.
    """
    settings = _settings(scope, action, key, names, recognizers)
    return _mapped(
        frame, settings, columns, restores=False, detections=detections, errors=errors, metrics=metrics
    )


def restore_dataframe(
    frame: Any,
    *,
    scope: Scope,
    columns: Columns | None = None,
    key: KeySource | None = None,
    errors: str | None = None,
) -> Any:
    """Return a DataFrame with the values back, as ``redact_dataframe`` returns it redacted. What cannot be opened stays."""
    settings = _settings(scope, "surrogate", key, "off", ())
    return _mapped(frame, settings, columns, restores=True, detections=None, errors=errors, metrics=None)


def register(
    spark: Any,
    *,
    scope: Scope | None = None,
    action: Literal["surrogate", "mask", "remove"] = "surrogate",
    key: KeySource | None = None,
    names: Names = "full",
    recognizers: Sequence[str] = (),
    label: str = "text",
    redact: str = "redact",
    restore: str | None = "restore",
) -> None:
    """Add functions of one string to Spark SQL: ``SELECT redact(memo) FROM calls``. What cannot be worked on stops the query.

    Args:
        spark: The session.
        scope: As for ``redact_dataframe``.
        action: As for ``redact_dataframe``.
        key: As for ``redact_dataframe``.
        names: As for ``redact_dataframe``.
        recognizers: As for ``redact_dataframe``.
        label: What texts are read together with; a function does not know the name of its column.
        redact: What the function is called.
        restore: What the one that puts values back is called; ``None`` for none.
    """
    settings = _settings(scope, action, key, names, recognizers)
    spark.udf.register(redact, _function(settings, label, restores=False))
    if restore is not None and action == "surrogate":
        spark.udf.register(restore, _function(replace(settings, names="off"), label, restores=True))


def _function(settings: _Settings, label: str, *, restores: bool) -> Any:
    import pyarrow as pa
    from pyspark.sql import functions

    task = _Task(settings, (Column(label),), restores, None, None, None)

    def worked(values: pa.Array) -> pa.Array:
        (done,) = task([pa.RecordBatch.from_arrays([values], names=[label])])
        return done.column(0)

    worked.__annotations__ = {"values": pa.Array, "return": pa.Array}
    return functions.arrow_udf(worked, "string")  # type: ignore[attr-defined]  # newer than its types


def _settings(
    scope: Scope | None, action: str, key: KeySource | None, names: Names, recognizers: Sequence[str]
) -> _Settings:
    if action not in ("surrogate", "mask", "remove"):
        raise ConfigError("action is 'surrogate', 'mask' or 'remove'")
    if action == "surrogate" and scope is None:
        raise ConfigError(
            "surrogates need a Scope: a tenant, and either a dataset or a join_group of datasets that may be joined"
        )
    return _Settings(
        scope,
        action,  # type: ignore[arg-type]  # one of those
        EnvironmentKey() if key is None else key,
        names,
        tuple(map(str, recognizers)),
    )


def _mapped(
    frame: Any,
    settings: _Settings,
    columns: Columns | None,
    *,
    restores: bool,
    detections: str | None,
    errors: str | None,
    metrics: Metrics | None,
) -> Any:
    from pyspark.sql.types import ArrayType, FloatType, IntegerType, StringType, StructField, StructType

    schema = frame.schema
    wanted = chosen(columns, [field.name for field in schema if _has_text(field.dataType)])
    for column in wanted.values():
        if column.action is not None and column.action not in ("mask", "remove"):
            raise ConfigError(
                "an action of a column's own is 'mask' or 'remove' here: others hold a key, which would be sent to workers"
            )
        if column.name.partition(".")[0] not in schema.names and column.name not in schema.names:
            raise ConfigError(
                f"there is no column {column.name!r}; there are: {', '.join(map(repr, schema.names))}"
            )
    added = [StructField(errors, StringType())] if errors is not None else []
    if detections is not None:
        hit = StructType(
            [
                StructField("column", StringType()),
                StructField("type", StringType()),
                StructField("start", IntegerType()),
                StructField("end", IntegerType()),
                StructField("score", FloatType()),
            ]
        )
        added.insert(0, StructField(detections, ArrayType(hit)))
    if clash := {field.name for field in added} & set(schema.names):
        raise ConfigError(f"there is a column {min(clash)!r} already; name the one to add otherwise")
    counts = None if metrics is None else metrics.accumulator
    task = _Task(settings, tuple(wanted.values()), restores, errors, detections, counts)
    return frame.mapInArrow(task, StructType([*schema.fields, *added]))


def _has_text(kind: Any) -> bool:
    name = type(kind).__name__
    if name == "VariantType":
        raise ConfigError(
            "a Variant is not looked into; cast it to string or a struct, or name the other columns"
        )
    if name in ("StringType", "CharType", "VarcharType"):
        return True
    if name == "StructType":
        return any(_has_text(field.dataType) for field in kind.fields)
    if name == "MapType":
        return _has_text(kind.keyType) or _has_text(kind.valueType)
    return name == "ArrayType" and _has_text(kind.elementType)
