"""Makes one virtual environment for each peer under .bench-env/ and installs its pinned packages with pip.

python benchmarks/setup_engines.py [ENVIRONMENT …]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import venv

from engine_client import ENVIRONMENTS, EngineSpec, engine_specs


def environments(specs: dict[str, EngineSpec]) -> dict[str, list[str]]:
    """What each environment needs, as pip's requirements."""
    needs: dict[str, list[str]] = {}
    for spec in specs.values():
        if spec.environment != "self":
            wanted = needs.setdefault(spec.environment, [])
            wanted.extend(item for item in spec.requirements if item not in wanted)
    return needs


def main() -> None:
    needs = environments(engine_specs())
    parser = argparse.ArgumentParser(description="Install the peers, each in its own virtual environment.")
    parser.add_argument("environment", nargs="*", help=f"default: all of {', '.join(needs)}")
    chosen = parser.parse_args().environment or list(needs)
    unknown = [name for name in chosen if name not in needs]
    if unknown:
        parser.error(f"no environment {', '.join(unknown)}; there are: {', '.join(needs)}")
    for name in chosen:
        folder = ENVIRONMENTS / name
        venv.EnvBuilder(with_pip=True, clear=True).create(folder)
        python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *needs[name]], check=True)
        print(f"{name}: {', '.join(needs[name])}")


if __name__ == "__main__":
    main()
