from __future__ import annotations

import importlib
import sys
import tomllib
import unicodedata
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

from sovguard.detect.topics import REACH, TopicHit, Topics, load
from sovguard.errors import RecognizerDefinitionError
from sovguard.policy.rules import TOPICS

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
TABLE = tomllib.loads(resources.files("sovguard.recognizers").joinpath("topics.toml").read_text("utf-8"))
SMALL: dict[str, Any] = {
    "tails": {"particles": ["은", "는", "이", "가", "로"], "verbs": ["했", "걸리"]},
    "person": {"words": ["환자", "*님", "I"], "not": ["별님"]},
    "health": {
        "law": "Art. 23",
        "strong": ["당뇨", "우울증", "HIV", "약 복용"],
        "weak": ["수술", "기침"],
        "names": ["아스피린", "타이레놀"],
        "not": ["당뇨원"],
        "before": ["급성"],
        "after": ["약", "치료"],
    },
}


def found(text: str, topics: Topics | None = None) -> list[tuple[str, str, str]]:
    """The topic, the word and its class of each hit."""
    (hits,) = (topics or load()).find([text])
    return [(hit.topic, text[hit.start : hit.end], hit.word_class) for hit in hits]


def about(text: str) -> set[str]:
    """The topics of a text."""
    return {topic for topic, _, _ in found(text)}


def test_the_topics_are_those_of_the_policy() -> None:
    """The lists have a section with its law for every topic that a rule can be about, in the same order."""
    assert load().topics == TOPICS
    assert all("PIPA Art. 23" in TABLE[topic]["law"] for topic in TOPICS)
    assert sum(len(TABLE[topic]["strong"]) for topic in TOPICS) > 1000


@pytest.mark.parametrize(
    "text",
    [
        "당뇨가 있어요",
        "아버지가당뇨라서 걱정",
        "(당뇨)",
        "2형당뇨입니다",
        "당뇨약을 드신다",
        "당뇨환자분들께",
        "당뇨",
        "「당뇨」로",
    ],
)
def test_a_short_word_is_found_with_what_is_glued_to_it(text: str) -> None:
    """Particles, endings and listed compounds may touch a word of two syllables on either side."""
    at = text.index("당뇨")
    assert at in [hit.start for hit in load().find([text])[0]]


@pytest.mark.parametrize(
    "text",
    [
        "암호를 재설정하고 암기 카드를 만든다",
        "당일 배송이며 당근도 팝니다",
        "시간 간격과 중간 간판",
        "노조미 씨가 왔다",
        "이전과 오전과 직전과는 다르다",
        "바이러스 백신 프로그램",
        "네트워크 장애로 고객님께 불편을 드렸습니다",
        "게이트웨이와 게이머",
        "유전 알고리즘",
        "다음 지문을 읽고 학생이 답한다",
        "안면도에 고객님과 갔다",
        "신도시의 신자유주의",
        "배달의민족 고객님",
        "수사적 표현과 방화벽, 구속력",
        "보수 공사와 정당한 사유",
        "문화유산을 어머니와 보았다",
        "Race condition, union all and a strikethrough",
        "hearing aids for my dog",
    ],
)
def test_false_friends_are_no_topics(text: str) -> None:
    """Words that contain a word of the lists and mean something else are passed over."""
    assert about(text) == set()


def test_a_short_word_inside_another_is_not_found() -> None:
    """Before two syllables nothing may stand but a prefix or particle, and behind them nothing but what is listed."""
    topics = Topics(SMALL)
    assert not found("가당뇨", topics)
    assert not found("당뇨흙", topics)
    assert not found("당뇨원은", topics)
    assert found("급성당뇨로", topics)
    assert found("환자가당뇨", topics)
    assert found("당뇨치료약은", topics)


def test_a_shorter_word_counts_where_the_longest_is_none() -> None:
    """A long match that is no word of its own does not hide the word that it contains."""
    table = {**SMALL, "health": {"strong": ["당뇨", "|당뇨가지|"], "weak": []}}
    table["health"]["after"] = ["가지"]
    assert found("당뇨가지했다", Topics(table)) == [("health", "당뇨", "strong")]


def test_a_long_word_may_stand_anywhere() -> None:
    """Three syllables are enough: whatever is glued to them."""
    assert found("산후우울증같은거", Topics(SMALL)) == [("health", "우울증", "strong")]


def test_a_space_in_a_word_may_be_missing() -> None:
    """Words of two parts are found with the space and without."""
    topics = Topics(SMALL)
    assert found("약 복용 후", topics) == [("health", "약 복용", "strong")]
    assert found("약복용 후", topics) == [("health", "약복용", "strong")]


def test_weak_words_need_a_person_or_company() -> None:
    """A weak word counts with a person or another weak word in reach, and not for itself or for its own repetition."""
    topics = Topics(SMALL)
    assert not found("서버 수술, 또 수술", topics)
    assert found("환자 수술", topics) == [("health", "수술", "weak")]
    assert found("수술받은 지현님", topics) == []  # 받 is no listed ending here
    assert found("수술했다고 지현님이", topics) == [("health", "수술", "weak")]
    assert found("수술은 기침", topics) == [("health", "수술", "weak"), ("health", "기침", "weak")]
    assert not found("수술은 별님이", topics)


def test_evidence_must_be_in_reach() -> None:
    """A person or a weak word on another page proves nothing."""
    topics = Topics(SMALL)
    near, far = " " * (REACH - 1), " " * (REACH + 1)
    for evidence in ("환자", "기침"):
        for text in (f"{evidence}{{}}수술", f"수술{{}}{evidence}"):
            assert found(text.format(near), topics)
            assert not found(text.format(far), topics)


def test_names_of_one_kind_are_no_company_to_each_other() -> None:
    """Two names are a list; a name beside a person, or beside a weak word, says something."""
    topics = Topics(SMALL)
    assert not found("아스피린 타이레놀", topics)
    assert found("환자 아스피린", topics) == [("health", "아스피린", "weak")]
    assert found("아스피린 기침", topics) == [("health", "아스피린", "weak"), ("health", "기침", "weak")]
    assert about("국민의힘과 더불어민주당의 역사") == set()
    assert about("그 직원은 국민의힘 쪽이에요") == {"politics"}


def test_latin_words_are_words() -> None:
    """Latin words touch no other Latin letters, in any case unless they are capitals; Hangul may follow."""
    topics = Topics(SMALL)
    assert found("HIV에 걸린", topics) == [("health", "HIV", "strong")]
    assert found("hiv ARCHIVE HIV_ID", topics) == []
    assert found("I기침", topics) == [("health", "기침", "weak")]
    assert found("i기침", topics) == []
    assert about("Diagnosed With diabetes") == {"health"}
    assert about("He is GAY.") == {"sex_life"}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: text.replace("HIV", "ＨＩＶ"),
        lambda text: text.replace("우울", "우\u200b울"),
        lambda text: text.replace("우울증", "**우울증**"),
        lambda text: "İ" + text,
        lambda text: "\ud800" + text,
        lambda text: "🙂" + text,
    ],
)
def test_offsets_are_those_of_the_original(change: Any) -> None:
    """However a text is written, the hits' characters are the words in it."""
    plain = "환자는 HIV 양성, 우울증을 앓음."
    text = change(plain)
    words = [unicodedata.normalize("NFKC", word).replace("\u200b", "") for _, word, _ in found(text)]
    assert words == [word for _, word, _ in found(plain)]
    assert {"HIV", "우울증"} <= set(words)


def test_texts_are_apart() -> None:
    """Each text has its own hits, and a person in one is no evidence in the next."""
    topics = Topics(SMALL)
    assert topics.find(["환자", "수술", "", "당뇨"]) == [[], [], [], [TopicHit("health", 0, 2, "strong")]]


def test_redacted_texts_keep_their_topics() -> None:
    """A surrogate of a person is a person."""
    assert about("PERSON-K7QM001R 수술 문의") == {"health"}
    assert about("서버 수술 문의") == set()


def test_a_word_may_have_two_topics() -> None:
    """헌팅턴병 is a disease and says something about genes."""
    assert about("헌팅턴병") == {"health", "genetic"}


def test_hits_show_no_text() -> None:
    """The repr of a hit has the topic, the class and two numbers, and nothing of the text."""
    (hit,) = load().find(["가나다 우울증"])[0]
    assert repr(hit) == "TopicHit(topic='health', start=4, end=7, word_class='strong')"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"health": {"strong": "당뇨"}}, "list of words"),
        ({"health": {"strong": [""]}}, "list of words"),
        ({"health": {"strength": []}}, "strength"),
        ({"health": []}, "table"),
        ({"tails": None}, "table"),
        ({"health": {"strong": ["당뇨"], "not": ["당뇨"]}}, "two lists"),
        ({"health": {"before": ["아홉글자보다긴낱말"]}}, "before"),
    ],
)
def test_wrong_lists_are_refused(change: dict[str, Any], said: str) -> None:
    """What is wrong in the lists is an error that says where."""
    with pytest.raises(RecognizerDefinitionError, match=said):
        Topics({**SMALL, **change})


@pytest.mark.parametrize(
    "word",
    [
        "치료 ",
        "당뇨 ",
        "국민의힘 ",
        "노조",
        "제가당뇨라서",
        "○○ 수술 ",
        "급성",
        "his ",
        "가",
        "진단진단받",
        "ａ우\u200b울증",
    ],
)
def test_the_work_grows_with_the_length(word: str) -> None:
    """Four times the text takes four times the calls of Python and C functions, and not more."""

    def calls(text: str) -> int:
        count = 0

        def note(_frame: FrameType, _event: str, _argument: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(note)
        try:
            load().find([text])
        finally:
            sys.setprofile(None)
        return count

    load().find([word])
    short, long = calls(word * 500), calls(word * 2000)
    assert long <= 4 * short + 200


@pytest.fixture(scope="module")
def bench() -> Iterator[ModuleType]:
    """The program that measures, importable while this file's tests run."""
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("topics")
    sys.path.remove(str(BENCHMARKS))
    for name in ("topics", "machine", "scoring"):
        sys.modules.pop(name, None)


def test_enough_is_labelled(bench: ModuleType) -> None:
    """The made-up texts are many, half of them without a topic or nearly so, and every topic is among them."""
    texts = [text for text in bench.labelled() if text.split != "corpus"]
    assert len(texts) >= 360
    assert sum(not text.topics for text in texts) >= 150
    for split in ("dev", "test"):
        chosen = [text for text in texts if text.split == split]
        assert {topic for text in chosen for topic in text.topics} == set(TOPICS)
        assert len({text.text for text in chosen}) == len(chosen)


@pytest.mark.parametrize(
    ("split", "precision", "recall", "flagged"),
    [("dev", 0.90, 0.97, 0.10), ("test", 0.94, 0.94, 0.06), ("corpus", 0.90, 0.90, 0.02)],
)
def test_the_figures_do_not_fall(
    bench: ModuleType, split: str, precision: float, recall: float, flagged: float
) -> None:
    """Precision, recall and the share of texts flagged for nothing stay where docs/topics.md says they are."""
    texts = [text for text in bench.labelled() if text.split == split]
    pairs = list(zip(texts, bench.found(load(), [text.text for text in texts]), strict=True))
    total = bench.tally(pairs)[bench.ALL]
    wrong, without = bench.flagged(pairs)
    assert total.precision >= precision
    assert total.recall >= recall
    assert wrong <= flagged * without


def test_no_topic_falls_behind(bench: ModuleType) -> None:
    """Each topic keeps its precision and recall in both made-up splits."""
    for split in ("dev", "test"):
        texts = [text for text in bench.labelled() if text.split == split]
        counts = bench.tally(zip(texts, bench.found(load(), [text.text for text in texts]), strict=True))
        for topic in TOPICS:
            assert counts[topic].precision >= 0.83, (split, topic)
            assert counts[topic].recall >= 0.85, (split, topic)
