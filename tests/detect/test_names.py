from __future__ import annotations

import re
import threading
import tomllib
from importlib import resources
from itertools import pairwise

import pytest

from sovguard import Guard
from sovguard.detect import morphology
from sovguard.detect.name_lexicon import load, tail_of
from sovguard.detect.names import NameRecognizer
from sovguard.entities import Detection
from sovguard.errors import ConfigError
from sovguard.guard import Names
from tests.growth import assert_linear

PACK = resources.files("sovguard.recognizers")
PERSON = tomllib.loads(PACK.joinpath("person.toml").read_text("utf-8"))
WORD_LISTS = sorted(
    path.name
    for path in PACK.iterdir()
    if path.name.endswith(".txt")
    and path.name.startswith(("surnames", "given", "titles", "name_", "foreign_surnames", "latin_words"))
)
LETTER = """안녕하세요, 구매팀 홍길동 대리입니다.
지난주 김영희 과장님과 통화한 내용을 정리합니다. 영희 과장님은 다음 주에 휴가입니다.
첨부: 견적서, 담당: 박철수 (010-0000-1234), 영문 Park Chulsu
길동이가 보내는 마지막 메일이라고 전해 주세요. 문의는 이 과장에게 하지 마시고 제게 주세요.
"""


@pytest.fixture(scope="module")
def full() -> NameRecognizer:
    """One recognizer with Kiwi for the whole file."""
    return NameRecognizer("full")


@pytest.fixture(scope="module")
def fast() -> NameRecognizer:
    """One recognizer without Kiwi for the whole file."""
    return NameRecognizer("fast")


def found(recognizer: NameRecognizer, text: str) -> list[str]:
    """The names found, as they stand in the text."""
    return [text[hit.start : hit.end] for hit in recognizer.find([text])[0]]


@pytest.mark.parametrize("example", PERSON["examples"], ids=lambda e: e["text"].strip()[:24])
def test_examples_of_the_pack_are_found(example: dict[str, object], full: NameRecognizer) -> None:
    """Each example of person.toml gives exactly the names it lists."""
    assert found(full, str(example["text"])) == example["match"]


@pytest.mark.parametrize("example", PERSON["counterexamples"], ids=lambda e: e["text"].strip()[:24])
def test_counterexamples_of_the_pack_are_left(
    example: dict[str, str], full: NameRecognizer, fast: NameRecognizer
) -> None:
    """No counterexample of person.toml gives a name, in either mode."""
    assert found(full, example["text"]) == []
    assert found(fast, example["text"]) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("홍길동 고객님, 문의 감사합니다.", ["홍길동"]),
        ("성명: 김민준", ["김민준"]),
        ("변주무관님께 전달했습니다.", ["변"]),
        ("보호자 이영희 님", ["이영희"]),
        ("김모씨", ["김"]),
        ("홍*동님", ["홍*동"]),
    ],
)
def test_fast_mode_works_without_kiwi(
    text: str, names: list[str], fast: NameRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fast mode finds names beside titles and labels and never asks for Kiwi."""

    def refuse() -> None:
        raise AssertionError("fast mode asked for Kiwi")

    monkeypatch.setattr(morphology, "_shared", refuse)
    assert found(fast, text) == names


@pytest.mark.parametrize(
    ("text", "pattern", "context"),
    [
        ("박 과장님께 전달해 주세요.", "surname+title", "과장"),
        ("홍길동 대리가 확인했습니다.", "name+title", "대리"),
        ("예금주: 김영희", "label", "예금주"),
        ("지은아, 밥 먹었어?", "vocative", None),
        ("성명: 홍*동", "masked", None),
        ("김모씨가 신고했다.", "surname+모", "모"),
        ("작성자: Hong Gil-dong", "romanised", "작성자"),
    ],
)
def test_evidence_names_the_rule_and_the_word(
    text: str, pattern: str, context: str | None, full: NameRecognizer
) -> None:
    """A detection says which rule found it and which title or label spoke for it."""
    (hit,) = full.find([text])[0]
    assert (hit.entity_type, hit.recognizer) == ("PERSON", "person")
    assert hit.evidence.pattern == pattern
    assert (hit.evidence.context or "").removesuffix("님") == (context or "")
    assert 0.5 <= hit.score <= 1.0


def test_given_name_of_a_found_name_is_found(full: NameRecognizer) -> None:
    """A given name alone is found once the full name stands elsewhere in the text, with any particle."""
    text = "홍길동 대리가 왔다. 길동이는 늦었고 길동아 부르니 답했다. 나중에 홍길동은 갔다."
    assert found(full, text) == ["홍길동", "길동", "길동", "홍길동"]


def test_common_word_is_not_swept_up_by_a_name(full: NameRecognizer) -> None:
    """A given name that is a common word does not make that word a name."""
    assert found(full, "김보라 님이 보라색 가방을 샀다.") == ["김보라"]


def test_one_list_per_text_in_order(full: NameRecognizer) -> None:
    """Every text has its own answer at its own place, also where nothing is found."""
    texts = ["", "성명: 홍길동", "no names here", "12345", "성명: 김영희"]
    assert [[t[h.start : h.end] for h in hits] for t, hits in zip(texts, full.find(texts), strict=True)] == [
        [],
        ["홍길동"],
        [],
        [],
        ["김영희"],
    ]


def test_batch_and_single_answers_agree(full: NameRecognizer) -> None:
    """A text gives the same names alone as among more texts than one round of the recognizer takes."""
    texts = [f"{LETTER}\n{number}쪽" for number in range(300)]
    assert full.find(texts) == [full.find([text])[0] for text in texts[:1]] * 300


def test_detections_do_not_overlap_and_are_ordered(full: NameRecognizer, fast: NameRecognizer) -> None:
    """Spans come in order, free of overlaps and within the text."""
    for recognizer in (full, fast):
        hits = recognizer.find([LETTER])[0]
        assert len(hits) >= 3
        assert all(a.end <= b.start for a, b in pairwise(hits))
        assert hits[-1].end <= len(LETTER)


def test_threads_share_one_recognizer(full: NameRecognizer) -> None:
    """Sixteen threads with one recognizer get what one thread gets, every time."""
    texts = [LETTER, "성명: 김영희", "박 과장님과 변주무관님", "하린이가 왔어요"]
    expected = full.find(texts)
    answers: list[list[list[Detection]]] = []

    def ask() -> None:
        answers.extend(full.find(texts) for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 80
    assert all(answer == expected for answer in answers)


@pytest.mark.parametrize(
    "text", ["김\x00민수 씨", "김\ud800민수 씨", "\udfff", "성명: 홍길동\ud83d", "님" * 50]
)
def test_strange_characters_do_not_crash(text: str, full: NameRecognizer, fast: NameRecognizer) -> None:
    """NUL, lone surrogates and words of titles alone are survived by both modes."""
    for recognizer in (full, fast):
        assert all(0 <= hit.start < hit.end <= len(text) for hit in recognizer.find([text])[0])


def test_offsets_hold_far_into_a_long_text(full: NameRecognizer) -> None:
    """A name behind more text than Kiwi is given at once is found where it stands."""
    text = "오늘 회의는 오후 세 시에 시작합니다.\n" * 400 + "성명: 홍길동"
    assert [(hit.start, hit.end) for hit in full.find([text])[0]] == [(len(text) - 3, len(text))]


@pytest.mark.parametrize(
    "unit",
    [
        "홍길동 대리가 ",
        "홍길동,",
        "김",
        "김 ",
        "김*",
        "Kim Minsu ",
        "A. ",
        "응우옌 반 ",
        "대리",
        "님",
        "(",
        "A",
    ],
    ids=lambda unit: unit.strip(),
)
def test_cost_grows_in_proportion(unit: str, fast: NameRecognizer) -> None:
    """Sixteen times the text takes nowhere near sixteen times sixteen times as long, whatever is repeated."""
    assert_linear(lambda text: fast.find([text]), (unit * 10_000)[:10_000], (unit * 160_000)[:160_000])


def test_megabyte_of_text_is_read(full: NameRecognizer) -> None:
    """A text of a million characters is read to its end."""
    text = "오늘 회의는 오후에 합니다.\n" * 66_000 + "성명: 홍길동"
    assert len(text) > 1_000_000
    assert full.find([text])[0][-1].end == len(text)


def test_unknown_mode_is_refused() -> None:
    """A mode that is neither fast nor full is an error, not a default."""
    with pytest.raises(ConfigError, match="'fast' or 'full'"):
        NameRecognizer("off")  # type: ignore[arg-type]


def test_repr_of_a_hit_holds_no_name(full: NameRecognizer) -> None:
    """Nothing a detection shows of itself contains the name."""
    assert "길동" not in repr(full.find(["담당자 홍길동입니다. 길동이가 갑니다."]))


@pytest.mark.parametrize("name", WORD_LISTS)
def test_word_lists_are_clean(name: str) -> None:
    """Each list begins with a comment, has one entry a line, none twice and none empty."""
    lines = PACK.joinpath(name).read_text("utf-8").splitlines()
    entries = [line for line in lines if not line.startswith("#")]
    assert lines[0].startswith("# ")
    assert all(entry == entry.strip() and entry for entry in entries)
    assert len(entries) == len(set(entries))


def test_surname_tiers_do_not_overlap() -> None:
    """A surname is either common or rare."""
    lexicon = load()
    assert lexicon.surnames.isdisjoint(lexicon.rare_surnames)
    assert all(re.fullmatch("[가-힣]{1,2}", surname) for surname in lexicon.surnames | lexicon.rare_surnames)


@pytest.mark.parametrize(
    ("form", "consonant", "kind"),
    [
        ("", True, "none"),
        ("은", True, "particle"),
        ("은", False, None),
        ("는", False, "particle"),
        ("이가", True, "infix"),
        ("님께서", True, "honorific"),
        ("과장님", True, "title"),
        ("교수가", False, "title"),
        ("이언니가", True, "title"),
        ("색", False, None),
        ("과장" * 40, True, None),
    ],
)
def test_tail_agrees_with_the_final_sound(form: str, consonant: bool, kind: str | None) -> None:
    """Only a particle that fits the name's last sound, or a title, may follow in the same word."""
    tail = tail_of(form, consonant)
    assert (tail.kind if tail else None) == kind


@pytest.mark.parametrize("names", ["fast", "full"])
@pytest.mark.parametrize(
    "word", ["role", "at", "lang", "target", "answer", "channel", "to", "host", "gender"]
)
def test_names_of_fields_are_nobodys(names: Names, word: str) -> None:
    """A lower-case word by itself is the key of a record; beside a label it may be somebody."""
    guard = Guard(names=names)
    assert guard.scan(word) == []
    assert guard.scan(f"id,{word},text") == []
    assert [hit.entity_type for hit in guard.scan("예금주: gildong hong")][:1] == ["PERSON"]
