from __future__ import annotations

import hashlib
import shutil
import threading
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest

from sovguard import Guard
from sovguard.detect import name_model
from sovguard.errors import ConfigError

PACK = resources.files("sovguard.recognizers")
FILES = ("name_model.toml", "name_quick.npz", "name_full.npz")
TEXTS = [
    "홍길동 과장님께 전달해 주세요.",
    "",
    "no hangul here",
    "회의는 세 시입니다.\n" * 30 + "담당자: 박서연 대리" + "\n회의는 네 시입니다." * 30,
    "김민준, 이서윤, 최하린",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the built-in model in a folder of one's own."""
    for name in FILES:
        (tmp_path / name).write_bytes(PACK.joinpath(name).read_bytes())
    return tmp_path


def test_weights_are_small_and_say_where_they_come_from() -> None:
    """The model is under 20 MB, holds no pickle and carries its origin and licence."""
    octets = [PACK.joinpath(name).read_bytes() for name in FILES]
    assert sum(map(len, octets)) < 20_000_000
    for data in octets[1:]:
        _, about = name_model.unpacked(data, hashlib.sha256(data).hexdigest())
        assert about["licence"] == "CC-BY-SA-4.0"
        assert any("KLUE" in line for line in about["trained_on"])


@pytest.mark.parametrize("full", [True, False])
def test_a_text_has_the_same_names_in_any_company(full: bool) -> None:
    """Names do not depend on the texts beside, nor on where a text is cut for Kiwi."""
    model = name_model.built_in()
    together = model.names(TEXTS, full=full)
    for text, names in zip(TEXTS, together, strict=True):
        (alone,) = model.names([text], full=full)
        assert [name[:2] for name in names] == [name[:2] for name in alone]
        assert all(a.end <= b.start for a, b in pairwise(names))
        assert all(0 <= name.start < name.end <= len(text) for name in names)
    assert any(TEXTS[3][start:end] == "박서연" for start, end, _ in together[3])


def test_a_model_of_ones_own_is_used(folder: Path) -> None:
    """A Guard reads its model from the folder that it is given."""
    settings = (folder / "name_model.toml").read_text("utf-8")
    lines = ["lean = -50.0" if line.startswith("lean") else line for line in settings.splitlines()]
    (folder / "name_model.toml").write_text("\n".join(lines), "utf-8")
    text = "어제 김민준이 왔다"
    assert [hit.entity_type for hit in Guard().scan(text)] == ["PERSON"]
    assert Guard(name_model=folder).scan(text) == []


@pytest.mark.parametrize("name", FILES)
def test_a_model_that_is_not_whole_is_refused(name: str, folder: Path) -> None:
    """A missing or changed file is an error that says what to do."""
    path = folder / name
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if name.endswith(".npz") else b"[quick]")
    with pytest.raises(ConfigError, match="install"):
        name_model.load(folder)
    path.unlink()
    with pytest.raises(ConfigError, match="install"):
        Guard(name_model=folder).scan("글")


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    """A folder that is not there is refused."""
    shutil.rmtree(tmp_path)
    with pytest.raises(ConfigError):
        name_model.load(tmp_path)


def test_thirty_two_threads_find_what_one_finds() -> None:
    """One Guard gives every thread the same spans."""
    guard = Guard()
    expected = [[(h.start, h.end, h.entity_type) for h in hits] for hits in guard.scan(TEXTS)]
    answers: list[object] = []

    def ask() -> None:
        for _ in range(3):
            answers.append([[(h.start, h.end, h.entity_type) for h in hits] for hits in guard.scan(TEXTS)])

    threads = [threading.Thread(target=ask) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 96
