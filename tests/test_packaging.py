from __future__ import annotations

import ast
import re
import sys
import tomllib
from fnmatch import fnmatch
from importlib import resources
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = {
    package: ROOT / "recognizers" if package == "sovguard.recognizers" else ROOT.joinpath(*package.split("."))
    for package in SETTINGS["tool"]["setuptools"]["packages"]
}


def test_every_data_file_is_shipped() -> None:
    """No file beside the modules is left out of the wheel: the package data names it."""
    shipped: dict[str, list[str]] = SETTINGS["tool"]["setuptools"]["package-data"]
    for package, folder in FOLDERS.items():
        for path in folder.rglob("*"):
            others = [other for name, other in FOLDERS.items() if name != package and folder in other.parents]
            if (
                path.is_dir()
                or path.suffix in (".py", ".pyc")
                or any(other in path.parents for other in others)
            ):
                continue
            name = path.relative_to(folder).as_posix()
            assert any(fnmatch(name, pattern) for pattern in shipped.get(package, ())), f"{package}: {name}"


def test_the_pack_is_flat_and_read_from_the_package() -> None:
    """The installed package sovguard.recognizers holds the checkout's files, none of them in a folder below."""
    assert not [
        path for path in FOLDERS["sovguard.recognizers"].iterdir() if path.is_dir() and path.name[0] != "_"
    ]
    installed = {
        item.name: item.read_bytes()
        for item in resources.files("sovguard.recognizers").iterdir()
        if item.name.endswith((".toml", ".txt", ".npz"))
    }
    here = {
        path.name: path.read_bytes()
        for path in FOLDERS["sovguard.recognizers"].iterdir()
        if path.suffix in (".toml", ".txt", ".npz")
    }
    assert installed == here


def test_the_pack_holds_no_code() -> None:
    """The only module of the pack is a docstring, so that a privacy officer has read it all."""
    modules = list(FOLDERS["sovguard.recognizers"].glob("*.py"))
    assert [path.name for path in modules] == ["__init__.py"]
    body = ast.parse(modules[0].read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)


IMPORTED_AS = {
    "haystack_ai": "haystack",
    "libffx": "ffx",
    "llama_index_core": "llama_index",
    "opentelemetry_api": "opentelemetry",
}


def declared(requirements: list[str]) -> set[str]:
    """Returns the names of requirements as they are imported."""
    names = {re.split("[^A-Za-z0-9_-]", line)[0].replace("-", "_").lower() for line in requirements}
    return names | {IMPORTED_AS[name] for name in names & IMPORTED_AS.keys()}


def test_every_import_is_declared() -> None:
    """What the package imports comes with Python, with its dependencies, or with one of its extras."""
    project = SETTINGS["project"]
    known = declared(project["dependencies"])
    for extra, requirements in project["optional-dependencies"].items():
        if extra != "dev":
            known |= declared(requirements)
    for path in FOLDERS["sovguard"].rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name}: relative import"
                names = [node.module or ""]
            for name in names:
                top = name.split(".")[0]
                assert top in sys.stdlib_module_names or top == "sovguard" or top in known, (
                    f"{path.name}: {name}"
                )


def test_the_command_exists() -> None:
    """The script that pyproject.toml names leads to a function."""
    module, _, function = SETTINGS["project"]["scripts"]["sovguard"].partition(":")
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
