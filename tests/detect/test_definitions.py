from __future__ import annotations

from pathlib import Path

import pytest

from sovguard.detect import patterns
from sovguard.detect.analyzer import Analyzer
from sovguard.errors import PatternTimeout, RecognizerDefinitionError

GOOD = """\
entity_type = "ACME_TICKET"
korean = "애크미 번호"
legal_class = "identity"
[[patterns]]
name = "ticket"
regex = '''ACME-[0-9]{4}'''
score = 0.9
"""


def written(folder: Path, content: str | bytes, name: str = "acme.toml") -> Path:
    """Returns a file with that content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_pack_of_ones_own(tmp_path: Path) -> None:
    """A user's file, alone or in a folder, adds an entity type."""
    path = written(tmp_path, GOOD)
    for given in (path, tmp_path):
        (hit,) = Analyzer(names="off", recognizers=[given]).analyze(["표 ACME-0017을"])[0]
        assert (hit.entity_type, hit.start, hit.end) == ("ACME_TICKET", 2, 11)


def test_a_pack_of_another_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution adds recognizers through the entry-point group."""
    package = tmp_path / "acme_pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    written(package, GOOD)
    info = tmp_path / "acme_pack-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-pack\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[sovguard.recognizers]\nacme = acme_pack\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    from sovguard.detect.definitions import entry_point_definitions

    entry_point_definitions.cache_clear()
    try:
        assert [hit.entity_type for hit in Analyzer(names="off").analyze(["ACME-0017"])[0]] == ["ACME_TICKET"]
    finally:
        entry_point_definitions.cache_clear()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("entity_type = ", "TOML"),
        (b"\xff\xfe", "UTF-8"),
        (GOOD.replace("identity", "secret"), "legal_class"),
        (GOOD.replace('legal_class = "identity"\n', ""), "legal_class"),
        (GOOD.replace("ACME_TICKET", "ticket"), "upper-case"),
        (GOOD + "colour = 1\n", "unknown field"),
        (GOOD + 'validator = "nobody"\n', "unknown validator"),
        (GOOD.replace("ACME-", r"\bACME-"), "Hangul"),
        (GOOD.replace("[0-9]{4}", "([0-9]{4}"), "regex"),
        (GOOD.replace("ACME-[0-9]{4}", "[0-9]*"), "empty string"),
        (GOOD.replace("0.9", '"high"'), "score"),
        (GOOD + GOOD[GOOD.index("[[") :], "names must differ"),
        (GOOD[: GOOD.index("[[")], "patterns"),
        (GOOD.replace("ACME-", "{{acme}}"), "fragment"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_it(tmp_path: Path, content: str | bytes, says: str) -> None:
    """Nothing in a definition is skipped or guessed."""
    path = written(tmp_path, content)
    with pytest.raises(RecognizerDefinitionError, match=says) as caught:
        Analyzer(names="off", recognizers=[path])
    assert "acme.toml" in str(caught.value)


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    """A path that leads nowhere is named."""
    with pytest.raises(RecognizerDefinitionError, match="does not exist"):
        Analyzer(names="off", recognizers=[tmp_path / "none.toml"])


def test_a_pattern_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catastrophic backtracking ends in an error that names the pattern and shows no text."""
    monkeypatch.setattr(patterns, "TIME_LIMIT", 0.2)
    path = written(
        tmp_path, GOOD.replace("ACME-[0-9]{4}", r"(?:(?:a|aa)+)+(?:a|aa)+[0-9]!\\1?$").replace(r"\\1?", "")
    )
    analyzer = Analyzer(names="off", recognizers=[path])
    with pytest.raises(PatternTimeout, match="'ticket'") as caught:
        analyzer.analyze(["a" * 5000])
    assert "aaa" not in str(caught.value)
