"""Particles behind restored values: every pair, behind every final sound and every kind of value."""

from __future__ import annotations

import pytest

from sovguard.restore.particles import LONGEST, agreement, final_sound

SURROGATE = "PERSON-K7QM001R"
C, L, V = 0, 1, 2  # a consonant, ㄹ, a vowel

VALUES = [
    ("민준", C), ("서연", C), ("김하늘", L), ("한별", L), ("솔", L), ("지호", V), ("이서아", V), ("남궁민수", V),
    ("곽", C), ("표", V),
    ("홍*동", C), ("이○○", C), ("응우옌 티 란", C), ("마이클 조던", C), ("사토 유이", V),
    ("010-0000-1230", C), ("010-0000-1231", L), ("010-0000-1232", V), ("010-0000-1233", C), ("010-0000-1234", V),
    ("010-0000-1235", V), ("010-0000-1236", C), ("010-0000-1237", L), ("010-0000-1238", L), ("010-0000-1239", V),
    ("１２３", C), ("공일공 공공공공 일이삼사", V),
    ("hong@example.com", C), ("a.kim@example.net", C), ("lee@example.co.kr", L), ("park@example.org", V),
    ("choi@example.io", V),
    ("Kim Minsu", V), ("Hong Gil-dong", C), ("JI YONG HWA", V), ("Park Seok", C), ("Lee Cheol", L), ("Baek Hyun-woo", V),
    ("John Smith", V), ("Anne", C), ("Nicole", L), ("Jack", C), ("Peter", V), ("Mary", V), ("Robert", V), ("James", V),
    ("KT", V), ("JSM", C), ("JYL", L), ("SKR", L), ("Q", V), ("N", C),
    ("서울특별시 종로구 세종대로 209", V), ("역삼동 123-6", C), ("한빛아파트 101동 1203호", V), ("3층", C),
    ("2035년 1월 2일", L), ("12가3456", C), ("gildong_99", V), ("minsu.k", V), ("ミン", C), ("さくら", V),
    ("홍길동(인)", C),
]  # fmt: skip

# after a consonant, after ㄹ, after a vowel
PAIRS = [
    ("은", "은", "는"), ("이", "이", "가"), ("을", "을", "를"), ("과", "과", "와"), ("과는", "과는", "와는"), ("과의",
    "과의", "와의"),
    ("으로", "로", "로"), ("으로는", "로는", "로는"), ("으로부터", "로부터", "로부터"), ("으로서", "로서", "로서"),
    ("으로써", "로써", "로써"),
    ("이랑", "이랑", "랑"), ("이랑은", "이랑은", "랑은"), ("이나", "이나", "나"), ("이나마", "이나마", "나마"),
    ("이라", "이라", "라"), ("이라고", "이라고", "라고"), ("이라는", "이라는", "라는"), ("이라면", "이라면", "라면"),
    ("이라도", "이라도", "라도"),
    ("이란", "이란", "란"), ("이든지", "이든지", "든지"), ("이야말로", "이야말로", "야말로"), ("이어서", "이어서", "여서"),
    ("이에요", "이에요", "예요"), ("이었다", "이었다", "였다"), ("이었습니다", "이었습니다", "였습니다"), ("이었는데",
    "이었는데", "였는데"),
]  # fmt: skip


def restored(behind: str, value: str, *, called: bool = False) -> str:
    """What stands behind a value after it was restored."""
    text = SURROGATE + behind
    found = agreement(text, 0, len(SURROGATE), value, called=called)
    return behind if found is None else text[len(SURROGATE) : found.start] + found.written + text[found.end :]


@pytest.mark.parametrize(("value", "final"), VALUES, ids=range(len(VALUES)))
def test_final_sounds(value: str, final: int) -> None:
    """How a value ends when it is read aloud."""
    assert final_sound(value) == ("consonant", "rieul", "vowel")[final]


@pytest.mark.parametrize(("value", "final"), VALUES, ids=range(len(VALUES)))
@pytest.mark.parametrize("pair", PAIRS, ids=[pair[0] for pair in PAIRS])
def test_every_pair_behind_every_value(pair: tuple[str, str, str], value: str, final: int) -> None:
    """Whichever form stands there, the right one comes out."""
    for written in set(pair):
        for end in ("", " 왔다", ".", ", ", "\n", '"', "PERSON-K7QM002X"):
            assert restored(written + end, value) == pair[final] + end


@pytest.mark.parametrize(("value", "final"), VALUES, ids=range(len(VALUES)))
def test_both_forms_side_by_side(value: str, final: int) -> None:
    """은(는) and (으)로 are resolved."""
    for closed, rieul, vowel in PAIRS[:4]:
        right = (closed, rieul, vowel)[final]
        for first, second in ((closed, vowel), (vowel, closed)):
            for written in (f"{first}({second})", f"{first}/{second}", f"{first}（{second}）"):
                assert restored(f"{written} 왔다", value) == f"{right} 왔다"
    assert restored("(으)로 보내", value) == ("으로", "로", "로")[final] + " 보내"
    assert restored("(이)라고 해", value) == ("이라고", "이라고", "라고")[final] + " 해"
    assert restored("(이)랑", value) == ("이랑", "이랑", "랑")[final]


@pytest.mark.parametrize(
    ("opened", "closed"),
    ['""', "''", "“”", "‘’", "「」", "『』", "<>", "``", "**", ("**", "**"), "__", "()", "[]"],
)
def test_marks_between(opened: str, closed: str) -> None:
    """Quotation marks, brackets and emphasis do not come between a value and its particle."""
    text = f"어제 {opened}{SURROGATE}{closed}가 왔다"
    start = text.index(SURROGATE)
    found = agreement(text, start, start + len(SURROGATE), "민준")
    assert found is not None
    assert (text[found.start : found.end], found.written) == ("가", "이")


@pytest.mark.parametrize("before", ["담당자", "담당자 이름", "KT", "2팀"])
def test_a_value_in_brackets_behind_a_word_leaves_the_particle_to_the_word(before: str) -> None:
    """담당자(민준)가 agrees with 담당자."""
    text = f"{before}({SURROGATE})가 왔다"
    start = text.index(SURROGATE)
    assert agreement(text, start, start + len(SURROGATE), "민준") is None


@pytest.mark.parametrize(
    "behind",
    [
        "이사", "이사가", "과장", "과장님이", "가족", "가족이", "은행", "은행에", "와이프", "와이프가", "아버지",
    "아버님께", "이모", "이모부는", "나라", "라디오",
        "을지로", "은퇴", "가게", "가방을", "이름", "이메일로", "이유는", "과제", "과목", "와인", "로비", "아내",
    "아들이", "야근", "랑데부", "여동생", "님", "님은",
        "씨", "씨가", "에게", "에게는", "의", "도", "만", "까지", "부터", "한테", "께서", "하고", "처럼", "보다",
    "입니다", "인데", "이다", "이고", "이며", "이지만",
        " 이", " 은", " 가", "\n은", "(이)", "a은", "1이", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", ["민준", "지호", "한별"])
def test_what_is_no_particle_that_changes_is_left(behind: str, value: str) -> None:
    """Titles, nouns and particles of one form stay."""
    if (behind, value) not in {("이다", ""), ("(이)", "")}:
        assert restored(behind, value, called=True) == behind


@pytest.mark.parametrize(
    ("value", "written", "right"),
    [
        ("민준", "고 합니다", "이고 합니다"),
        ("민준", "며", "이며"),
        ("민준", "지만", "이지만"),
        ("민준", "니까요", "이니까요"),
        ("민준", "다.", "이다."),
        ("지호", "고 합니다", "고 합니다"),
        ("지호", "이가", "가"),
        ("지호", "이는", "는"),
        ("지호", "이한테", "한테"),
        ("민준", "이가", "이가"),
        ("민준", "이한테", "이한테"),
        ("지호", "이예요", "예요"),
        ("지호", "에요", "예요"),
        ("민준", "에요", "이에요"),
    ],
)
def test_the_copula_and_names_with_an_added_i(value: str, written: str, right: str) -> None:
    """이다 behind consonants, 민준이 as names are called."""
    assert restored(written, value) == right


@pytest.mark.parametrize(
    ("value", "called", "written", "right"),
    [
        ("민준", True, "야, 밥 먹자", "아, 밥 먹자"),
        ("민준", True, "야 밥 먹자", "아 밥 먹자"),
        ("지호", True, "아! 밥 먹자", "야! 밥 먹자"),
        ("민준", True, "야.", "이야."),
        ("민준", False, "야!", "이야!"),
        ("지호", False, "아 그래", "아 그래"),
        ("지호", True, "이야?", "야?"),
    ],
)
def test_calling_and_being(value: str, called: bool, written: str, right: str) -> None:
    """야 calls somebody or says what something is."""
    assert restored(written, value, called=called) == right


@pytest.mark.parametrize("value", ["李明博", "900101-1******", "", " ", "…", "\U0001f600"])
def test_a_value_whose_sound_is_unknown_changes_nothing(value: str) -> None:
    """Nothing is guessed."""
    assert final_sound(value) is None
    assert restored("은 왔다", value) == "은 왔다"


def test_what_a_stream_holds_is_long_enough() -> None:
    """No particle is longer than a stream holds."""
    from sovguard.restore.particles import _forms

    assert max(map(len, _forms())) + 6 <= LONGEST
