from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sovguard.detect import patterns
from sovguard.detect.analyzer import Analyzer
from sovguard.detect.definitions import PatternDefinition
from sovguard.detect.packs import path_definitions
from sovguard.detect.validators import VALIDATORS
from sovguard.entities import LegalClass
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
    from sovguard.detect.packs import entry_point_definitions

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


PATTERN = GOOD.index("[[")


@pytest.mark.parametrize(
    "content",
    [
        GOOD[:PATTERN] + 'patterns = "ticket"\n',
        GOOD[:PATTERN] + '[patterns]\nname = "ticket"\n',
        GOOD[:PATTERN] + "context = []\n" + GOOD[PATTERN:],
        GOOD[:PATTERN] + "examples = [1]\n" + GOOD[PATTERN:],
        GOOD[:PATTERN] + "[fragments]\nacme = 1\n" + GOOD[PATTERN:].replace("ACME", "{{acme}}"),
        GOOD[:PATTERN] + '[fragments]\na = "{{b}}"\nb = "{{a}}"\n' + GOOD[PATTERN:].replace("ACME", "{{a}}"),
        GOOD.replace('"identity"', '["identity"]'),
        GOOD.replace('"애크미 번호"', "3"),
        GOOD + 'validator = ["handle"]\n',
        GOOD + "lead = 3\n",
        GOOD + "behind = 3\n",
        GOOD + "lead = '('\n",
        GOOD + "behind = '('\n",
        GOOD + "lead = '\\bx'\n",
        GOOD + 'ignores_labels = "no"\n',
        GOOD + 'lead_required = "no"\n',
        GOOD + 'first_digits = "34"\n',
        GOOD + "first_letters = 3\n",
        GOOD + '[context]\nwords = "표"\n',
        GOOD + '[context]\nwords = ["표"]\nbefore = "far"\n',
        GOOD + '[context]\nwords = ["표"]\nafter = "far"\n',
        GOOD + '[context]\nwords = ["표"]\nboost = "much"\n',
        GOOD + '[context]\nword = ["표"]\n',
        GOOD + '[[examples]]\ntext = "ACME-0017"\nmatch = "ACME-0017"\nflag = 1\n',
        GOOD + '[[examples]]\ntext = "ACME-0017"\n',
        GOOD + '[[examples]]\ntext = "ACME-0017"\nmatch = "ACME-0018"\n',
        'kind = "plugin"\n' + GOOD,
        GOOD.replace("0.9", "nan"),
        GOOD.replace("0.9", "1.5"),
        GOOD.replace("0.9", "true"),
        GOOD.replace("[0-9]{4}", "[0-9]{4}|"),
        "",
        GOOD[:PATTERN] + '[fragments]\nfree1 = "x"\n' + GOOD[PATTERN:].replace("ACME", "{{ free1 }}"),
        GOOD + '[context]\nlabels = [" "]\n',
        GOOD + '[context]\nlabels = ["_"]\n',
        GOOD + 'requires = "label"\n',
        GOOD + 'requires = "context"\n',
        GOOD.replace("ACME_TICKET", "SURROGATE"),
        GOOD.replace("ACME_TICKET", "KR_RRN"),
        GOOD + '[[examples]]\ntext = "표 ACMX-0017"\nmatch = "ACMX-0017"\n',
        GOOD + '[[counterexamples]]\ntext = "표 ACME-0017"\n',
    ],
    ids=lambda content: content.removeprefix(GOOD).strip()[-40:] or "empty",
)
def test_values_of_the_wrong_kind_are_errors(tmp_path: Path, content: str) -> None:
    """A field with a value of the wrong kind is a typed error when the file is read, not a failure later."""
    path = written(tmp_path, content)
    with pytest.raises(RecognizerDefinitionError, match=r"acme\.toml"):
        Analyzer(names="off", recognizers=[path]).analyze(["표 ACME-0017을 xACME-0017"])


def test_a_folder_without_definitions_is_an_error(tmp_path: Path) -> None:
    """An empty folder is a mistake, not an empty pack."""
    with pytest.raises(RecognizerDefinitionError, match="holds no"):
        Analyzer(names="off", recognizers=[tmp_path])


@pytest.mark.parametrize("name", VALIDATORS)
def test_any_check_may_be_named(tmp_path: Path, name: str) -> None:
    """A check written for other values judges these, and never stops detection."""
    content = GOOD.replace("ACME-[0-9]{4}", "ACME-?[0-9]{0,4}") + f'validator = "{name}"\n'
    analyzer = Analyzer(names="off", recognizers=[written(tmp_path, content)])
    for text in ("ACME", "ACME-0017", "ACME0"):
        assert {hit.entity_type for hit in analyzer.analyze([text])[0]} <= {"ACME_TICKET"}


def test_a_file_named_like_a_built_in_one_adds_to_it(tmp_path: Path) -> None:
    """A user's kr_brn.toml changes nothing about what the built-in recognizer of that name finds."""
    text = "사업자 정보 2208162517 확인"
    plain = Analyzer(names="off").analyze([text])
    assert [hit.entity_type for hit in plain[0]] == ["KR_BRN"]
    path = written(tmp_path, GOOD + '[context]\nwords = ["애크미"]\n', "kr_brn.toml")
    assert Analyzer(names="off", recognizers=[path]).analyze([text]) == plain


def test_a_new_form_of_a_built_in_type(tmp_path: Path) -> None:
    """A file may add forms to a built-in type, whose Korean name and legal class it need not repeat."""
    content = """
    entity_type = "KR_BANK_ACCOUNT"
    [[patterns]]
    name = "acme"
    regex = "ACME[0-9]{8}"
    score = 0.9
    """
    path = written(tmp_path, content)
    (hit,) = Analyzer(names="off", recognizers=[path]).analyze(["ACME00000017로 입금"])[0]
    assert hit.entity_type == "KR_BANK_ACCOUNT"
    (definition,) = path_definitions([path])
    assert (definition.korean, definition.legal_class) == ("계좌번호", LegalClass.FINANCIAL)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("표번호: 12345678", True),
        ("표번호는12345678이고", True),
        ("값 12345678", False),
    ],
)
def test_labels_of_a_pack_of_ones_own(tmp_path: Path, text: str, found: bool) -> None:
    """A user's labels count like built-in ones."""
    content = GOOD.replace("ACME-[0-9]{4}", "(?<![0-9])[0-9]{8}(?![0-9])")
    path = written(tmp_path, f'{content}requires = "label"\n[context]\nlabels = ["표번호"]\n')
    hits = Analyzer(names="off", recognizers=[path]).analyze([text])[0]
    assert [hit.entity_type for hit in hits] == ["ACME_TICKET"] * found


@pytest.mark.parametrize("text", ["이름,표번호\n홍길동,12345678", "표번호는 일이삼사 오육칠팔이고"])
def test_a_pack_of_ones_own_sees_tables_and_what_is_said(tmp_path: Path, text: str) -> None:
    """Headers of tables and digits read aloud are there for a user's patterns, too."""
    content = GOOD.replace("ACME-[0-9]{4}", "(?<![0-9])[0-9]{4} ?[0-9]{4}(?![0-9])")
    path = written(tmp_path, f'{content}requires = "label"\n[context]\nlabels = ["표번호"]\n')
    (hit,) = Analyzer(names="off", recognizers=[path]).analyze([text])[0]
    assert text[hit.start : hit.end] in ("12345678", "일이삼사 오육칠팔")


def test_a_pack_of_ones_own_sees_one_text_at_a_time(tmp_path: Path) -> None:
    """A user's pattern that spans lines never spans two texts."""
    path = written(tmp_path, GOOD.replace("ACME-[0-9]{4}", "ACME[^!]{0,9}[0-9]{4}"))
    analyzer = Analyzer(names="off", recognizers=[path])
    assert analyzer.analyze(["ACME", "0017"]) == [[], []]
    assert [hit.end for hit in analyzer.analyze(["ACME\n0017"])[0]] == [9]


@pytest.mark.parametrize("field", ["lead", "behind"])
def test_what_stands_before_is_stopped_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    """A lead that backtracks without end is stopped like any pattern."""
    monkeypatch.setattr(patterns, "TIME_LIMIT", 0.2)
    path = written(tmp_path, GOOD + f"{field} = '(?:a|aa)+!'\n")
    analyzer = Analyzer(names="off", recognizers=[path])
    # Short enough to end by itself one day; every letter more takes as long again by half.
    with pytest.raises(PatternTimeout, match="'ticket'") as caught:
        analyzer.analyze(["a" * 34 + "ACME-0017"])
    assert "aaa" not in str(caught.value)


DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "recognizers.md"


def test_the_documented_example_works(tmp_path: Path) -> None:
    """The file shown in docs/recognizers.md finds its examples and nothing in its counterexamples."""
    blocks = re.findall("```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    (content,) = [block for block in blocks if "entity_type" in block]
    path = written(tmp_path, content)
    (definition,) = path_definitions([path])
    assert definition.examples
    assert definition.counterexamples
    analyzer = Analyzer(names="off", recognizers=[path])
    for example in definition.examples:
        hits = analyzer.analyze([example.text])[0]
        assert [example.text[hit.start : hit.end] for hit in hits] == [example.match]
        assert hits[0].entity_type == definition.entity_type
    for example in definition.counterexamples:
        assert analyzer.analyze([example.text])[0] == []


def test_the_document_names_every_field_and_check() -> None:
    """docs/recognizers.md leaves out no field of a pattern, no check and no legal class."""
    text = DOCUMENT.read_text(encoding="utf-8")
    fields = {
        *PatternDefinition.__slots__,
        "labels",
        "words",
        "before",
        "after",
        "boost",
        "fragments",
        "korean",
    }
    assert {
        name
        for name in (*fields, *VALIDATORS, *LegalClass)
        if f"`{name}`" not in text and f"`[{name}]`" not in text
    } == set()


def test_the_document_shows_valid_toml() -> None:
    """Every TOML block of docs/recognizers.md parses."""
    for block in re.findall("```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL):
        assert tomllib.loads(block)


def test_fragments_may_have_any_name(tmp_path: Path) -> None:
    """A fragment is put in whatever it is called."""
    content = (
        GOOD[:PATTERN] + '[fragments]\nFree-1 = "ACME"\n' + GOOD[PATTERN:].replace("ACME-", "{{Free-1}}-")
    )
    analyzer = Analyzer(names="off", recognizers=[written(tmp_path, content)])
    assert [hit.entity_type for hit in analyzer.analyze(["표 ACME-0017을"])[0]] == ["ACME_TICKET"]


def test_files_of_windows_editors_are_read(tmp_path: Path) -> None:
    """A byte order mark and an ending in capitals are no reason to pass a file over."""
    (tmp_path / "acme.TOML").write_text(f"\ufeff{GOOD}", encoding="utf-8")
    analyzer = Analyzer(names="off", recognizers=[tmp_path])
    assert [hit.recognizer for hit in analyzer.analyze(["표 ACME-0017을"])[0]] == ["acme"]


def test_an_error_says_in_which_folder_the_file_lies(tmp_path: Path) -> None:
    """Of two files of one name, the message tells which."""
    with pytest.raises(RecognizerDefinitionError, match=re.escape(str(tmp_path))):
        Analyzer(names="off", recognizers=[written(tmp_path, GOOD + "x = 1\n")])
