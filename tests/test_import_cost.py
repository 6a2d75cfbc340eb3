from __future__ import annotations

import json
import subprocess
import sys

HEAVY = (
    "click",
    "httpx",
    "httpx2",
    "kiwipiepy",
    "openai",
    "presidio_analyzer",
    "presidio_anonymizer",
    "pydantic",
)
HEAVY += ("regex", "rich", "spacy", "cryptography", "numpy", "anthropic", "sovguard.detect.analyzer")


def test_importing_the_package_loads_nothing_heavy() -> None:
    """A fresh interpreter that has made a Guard has loaded no model, no client and no other package."""
    code = (
        "import json, sys; before = set(sys.modules); import sovguard; sovguard.Guard(); "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert "sovguard.guard" in loaded
    heavy = [name for name in loaded if name in HEAVY or name.split(".")[0] in HEAVY]
    assert heavy == []
    foreign = {name.split(".")[0] for name in loaded} - set(sys.stdlib_module_names) - {"sovguard"}
    assert foreign == set()
