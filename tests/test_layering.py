from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "sovguard"
LAYERS = [
    {"entities", "errors", "text", "private_files", "postgres_errors"},
    {"detect"},
    {"surrogates", "escapes", "spellings", "vault"},
    {
        "people",
        "vaultless",
        "irreversible",
        "realistic",
        "restore",
        "redaction",
        "shapes",
        "payloads",
        "policy",
        "egress",
        "ledger",
        "reroute",
    },
    {"session", "sending", "telemetry", "reports", "format_preserving"},
    {"guard"},
    {"clients", "presidio", "pipeline", "demo_server", "documents", "outputs"},
    {"demo", "doctor", "findings"},
    {
        "document_runs",
        "cli_demo",
        "cli_doctor",
        "cli_vault",
        "cli_mapping",
        "cli_policy",
        "cli_ledger",
        "cli_reports",
        "cli_files",
        "cli_bench",
        "cli_quality",
    },
    {"cli"},
    {"__main__", "__init__"},
]


def imported(path: Path, *, top_level: bool) -> set[str]:
    """Returns the modules that a file imports, anywhere or at its top level."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def layer(module: str) -> int:
    """Returns how far up a module of the package stands."""
    return next(level for level, names in enumerate(LAYERS) if module in names)


def test_imports_point_one_way() -> None:
    """No module imports at its top what stands above it."""
    for path in ROOT.rglob("*.py"):
        own = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for name in imported(path, top_level=True):
            parts = name.split(".")
            if parts[0] == "sovguard" and len(parts) > 1 and parts[1] != "recognizers":
                assert layer(parts[1]) <= layer(own), f"{path.name} imports {name}"


def test_heavy_libraries_have_one_door() -> None:
    """Kiwi, the automaton and the cryptography library are each imported in one module."""
    doors = {
        "kiwipiepy": {"morphology.py"},
        "cryptography": {"crypto.py", "signing.py"},
        "ahocorasick_rs": {"literals.py"},
    }
    for path in ROOT.rglob("*.py"):
        for name in imported(path, top_level=False):
            door = doors.get(name.split(".")[0])
            assert door is None or path.name in door, f"{path.name} imports {name}"


def test_packages_are_listed() -> None:
    """pyproject.toml lists exactly the packages there are."""
    import tomllib

    settings = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(settings["tool"]["setuptools"]["packages"])
    found = {".".join(p.parent.relative_to(ROOT.parent).parts) for p in ROOT.rglob("__init__.py")}
    assert listed == found | {"sovguard.recognizers"}


def test_no_module_imports_itself_through_others() -> None:
    """The imports at the top of the modules make no circle."""
    modules = {
        ".".join(("sovguard", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in ROOT.rglob("*.py")
    }
    graph = {name: imported(path, top_level=True) & set(modules) - {name} for name, path in modules.items()}
    assert sum(map(len, graph.values())) > len(modules)  # the names are those that imports use
    tuple(TopologicalSorter(graph).static_order())  # a CycleError names the circle
