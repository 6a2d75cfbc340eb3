"""The code in the documentation runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
BLOCK = re.compile("^```(python|toml)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(name: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return [code for kind, code in BLOCK.findall((DOCS / name).read_text("utf-8")) if kind == language]


@pytest.mark.parametrize("code", blocks("presidio.md", "python"))
def test_examples_of_the_presidio_page_run(code: str) -> None:
    """Each block runs by itself, and what it asserts holds."""
    exec(compile(code, "presidio.md", "exec"), {})  # noqa: S102  the project's own documentation


def test_the_list_of_the_names_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The staff directory of the page finds its people."""
    (definition,) = blocks("names.md", "toml")
    (code,) = blocks("names.md", "python")
    (tmp_path / "staff.csv").write_text("사번,성명\nE1,가온누리\n", "utf-8")
    (tmp_path / "staff.toml").write_text(definition, "utf-8")
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    exec(compile(code, "names.md", "exec"), space)  # noqa: S102
    (hit,) = [hit for hit in space["guard"].scan("가온누리과장님께") if hit.recognizer == "staff"]  # type: ignore[attr-defined]
    assert (hit.start, hit.end) == (0, 4)
