from __future__ import annotations

import os
from pathlib import Path

import pytest

from sovguard.private_files import placed


def test_all_of_it_is_there_or_nothing(tmp_path: Path) -> None:
    """What fails in between leaves what was there; only its owner may read what comes."""
    target = tmp_path / "a"
    target.write_text("before")
    with pytest.raises(IsADirectoryError), placed(target) as path:
        (path.write_text("half"), tmp_path.write_text("this is a folder"))
    assert (target.read_text(), os.listdir(tmp_path)) == ("before", ["a"])
    with placed(target) as path:
        path.write_text("after")
        assert target.read_text() == "before"
    assert (target.read_text(), os.listdir(tmp_path)) == ("after", ["a"])
    assert target.stat().st_mode & 0o777 == 0o600


def test_what_comes_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Not even what was not there when it began; where nothing comes it is put there."""
    target = tmp_path / "a"
    with pytest.raises(FileExistsError), placed(target, replaces=False) as path:
        (path.write_text("mine"), target.write_text("theirs"))
    assert (target.read_text(), os.listdir(tmp_path)) == ("theirs", ["a"])
    target.unlink()
    with placed(target, replaces=False) as path:
        path.write_text("mine")
    assert (target.read_text(), os.listdir(tmp_path)) == ("mine", ["a"])


def test_file_systems_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is renamed there."""

    def none(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", none)
    with placed(tmp_path / "a", replaces=False) as path:
        path.write_text("mine")
    assert os.listdir(tmp_path) == ["a"]
