"""Starts an engine's server and asks it things; the other end of engine_server.py."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parent / ".bench-env"


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """One contestant of engines.toml, with its types."""

    name: str
    module: str
    environment: str
    about: str = ""
    detects: bool = True
    requirements: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        """Whether this is sovguard, whose numbers of detections are checked."""
        return self.module == "sovguard"

    def interpreter(self) -> Path:
        """The Python that runs it; exits with the command to run where there is none yet."""
        if self.environment == "self":
            return Path(sys.executable)
        folder = "Scripts" if sys.platform == "win32" else "bin"
        python = ENVIRONMENTS / self.environment / folder / "python"
        if not python.exists():
            raise SystemExit(
                f"{self.name} is not installed: run `python benchmarks/setup_engines.py {self.environment}`"
            )
        return python

    def our_type(self, name: str) -> str:
        """This project's name for one of the engine's types."""
        if self.is_ours:
            return name
        if name not in self.types:
            raise SystemExit(
                f"engines.toml does not say what {self.name}'s type {name} is called here: add it"
            )
        return self.types[name]


class EngineError(Exception):
    """The engine's process ended without an answer."""


class EngineTimeoutError(EngineError):
    """The engine took longer than it was allowed and was ended."""


def engine_specs(path: Path = HERE / "engines.toml") -> dict[str, EngineSpec]:
    """Every engine of engines.toml by name."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        name: EngineSpec(
            name=name,
            **{**table, "requirements": tuple(table.get("requirements", ()))},
            types=tables["types"].get(table["module"], {}),
        )
        for name, table in tables["engine"].items()
    }


def chosen_engines(names: Iterable[str]) -> list[EngineSpec]:
    """The named engines in the order given; exits on a name that is not in engines.toml."""
    specs = engine_specs()
    unknown = [name for name in names if name not in specs]
    if unknown:
        raise SystemExit(f"no engine {', '.join(unknown)}; there are: {', '.join(specs)}")
    return [specs[name] for name in names]


def comma_separated(text: str) -> list[str]:
    """The parts of a comma-separated list on the command line."""
    return [part.strip() for part in text.split(",") if part.strip()]


class Engine:
    """A running engine; a context manager that ends its process."""

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed in __exit__, it lives as long as the process
        self._process = subprocess.Popen(
            [
                str(spec.interpreter()),
                "-P",
                str(HERE / "engine_server.py"),
                spec.module,
                json.dumps(spec.options),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def ask(self, op: str, seconds: float | None = None, **values: Any) -> dict[str, Any]:
        """The answer to one request.

        Raises:
            EngineTimeoutError: ``seconds`` passed; the process was ended.
            EngineError: The process ended by itself.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise EngineError(f"{self.spec.name} has no pipe")
        late = threading.Event()

        def end() -> None:
            late.set()
            self._process.kill()

        alarm = threading.Timer(seconds or 0, end)
        if seconds is not None:
            alarm.start()
        try:
            self._process.stdin.write(json.dumps({"op": op, **values}).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        finally:
            alarm.cancel()
        if late.is_set():
            raise EngineTimeoutError(f"{self.spec.name} gave no answer to {op} in {seconds} s")
        if not line:
            self._process.wait()
            self._errors.seek(0)
            last = self._errors.read().decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise EngineError(f"{self.spec.name} ended without an answer to {op}: {last[0]}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise EngineError(f"{self.spec.name}: {answer['error']}")
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()
