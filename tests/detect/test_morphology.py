from __future__ import annotations

import ast
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import sovguard
from sovguard.detect import morphology
from sovguard.detect.morphology import CHUNK, chunks, morphemes
from sovguard.errors import DetectionError


def test_offsets_are_of_the_given_text() -> None:
    """Each morpheme's offsets point into its own text, in a batch with texts of other lengths."""
    first, second = morphemes(["담당자 홍길동입니다", "민호가 왔다"])
    assert ("홍길동", "NNP") in {("담당자 홍길동입니다"[m.start : m.end], m.tag) for m in first}
    assert ("민호", "NNP") in {("민호가 왔다"[m.start : m.end], m.tag) for m in second}


def test_offsets_survive_characters_outside_the_basic_plane() -> None:
    """An emoji counts as one character, as in Python, and not as two."""
    text = "😀😀 홍길동입니다"
    (found,) = morphemes([text])
    assert "홍길동" in {text[m.start : m.end] for m in found}


def test_texts_without_hangul_give_nothing() -> None:
    """A text without Hangul, or an empty one, has no morphemes and keeps its place in the answer."""
    assert [bool(each) for each in morphemes(["", "plain text 123", "홍길동"])] == [False, False, True]


@pytest.mark.parametrize("text", ["김\x00민수 씨", "김\ud800민수 씨", "\udfff", "홍길동\ud83d 님"])
def test_characters_kiwi_refuses_are_replaced_one_to_one(text: str) -> None:
    """NUL and lone surrogates neither crash nor move the offsets of what stands behind them."""
    (found,) = morphemes([text])
    assert all(0 <= m.start <= m.end <= len(text) for m in found)
    if "씨" in text:
        assert "씨" in {text[m.start : m.end] for m in found}


@pytest.mark.parametrize("unit", ["홍길동이 왔다.\n", "가나다 ", "가", "가나다. "])
def test_chunks_cover_the_text_in_order(unit: str) -> None:
    """The stretches join up to the whole text, none is too long, and cuts fall behind borders."""
    text = unit * 3000
    spans = list(chunks(text))
    assert [a for a, _ in spans[1:]] == [b for _, b in spans[:-1]]
    assert (spans[0][0], spans[-1][1]) == (0, len(text))
    assert max(b - a for a, b in spans) <= CHUNK
    if unit != "가":
        assert all(text[b - 1] in "\n " for _, b in spans[:-1])


def test_long_text_is_read_like_its_parts() -> None:
    """Cutting a long text at line ends changes no morpheme."""
    line = "담당자 홍길동입니다. 문의가 있습니다.\n"
    count = 3 * CHUNK // len(line)
    (whole,) = morphemes([line * count])
    (one,) = morphemes([line])
    assert [m.tag for m in whole] == [m.tag for m in one] * count


def test_one_instance_is_shared_by_threads() -> None:
    """Threads that ask at the same time for the first time get one Kiwi and the same answers."""
    morphology._forget()
    answers: list[object] = []
    seen: set[int] = set()
    ready = threading.Barrier(8)

    def ask() -> None:
        ready.wait()
        answers.append(list(morphemes(["홍길동이 왔다"])))
        seen.add(id(morphology._kiwi))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1
    assert len(answers) == 8
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_child_builds_its_own() -> None:
    """A child forked after Kiwi's threads have run can still analyse a batch, and ends."""
    program = """
import os, sys
from sovguard.detect.morphology import morphemes
parent = [list(m) for m in morphemes(["홍길동이 왔다", "민호가 갔다"])]
child = os.fork()
if child == 0:
    os._exit(0 if [list(m) for m in morphemes(["홍길동이 왔다", "민호가 갔다"])] == parent else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], timeout=60, check=False)
    assert done.returncode == 0


def test_failure_is_a_typed_error_without_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """If Kiwi fails, the error says so, chains no cause and holds nothing of the text."""

    class Broken:
        def tokenize(self, text: str) -> list[object]:
            raise RuntimeError(text)

    monkeypatch.setattr(morphology, "_shared", Broken)
    with pytest.raises(DetectionError) as caught:
        list(morphemes(["홍길동"]))
    assert "홍길동" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_missing_kiwi_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where kiwipiepy cannot be imported the error says what to do."""
    monkeypatch.setitem(sys.modules, "kiwipiepy", None)
    with pytest.raises(DetectionError, match="names='fast'"):
        morphology._load()


def test_kiwi_is_imported_in_one_module_only() -> None:
    """No other module of the package imports kiwipiepy."""
    root = Path(sovguard.__file__).parent
    importers = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            if any(name.split(".")[0] == "kiwipiepy" for name in names):
                importers.add(path.relative_to(root).as_posix())
    assert importers == {"detect/morphology.py"}
