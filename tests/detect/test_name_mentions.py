from __future__ import annotations

import pytest

from sovguard.detect.name_lexicon import load
from sovguard.detect.name_mentions import Forms, mentions


def mentioned(text: str, *names: str) -> list[str]:
    """What of ``text`` mentions one of ``names``."""
    lexicon = load()
    return [text[start:end] for start, end, _ in mentions(text, Forms(names, lexicon), lexicon)]


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        (
            "길동이는 늦었고 길동아 부르니 길동이랑 홍길동만 갔다",
            "홍길동",
            ["길동", "길동", "길동", "홍길동"],
        ),
        ("길동 씨, 길동 대리님, 길동언니, 길동에게", "홍길동", ["길동", "길동", "길동", "길동"]),
        ("길동역과 서길동, 홍길동전", "홍길동", []),
        ("하늘이 맑다. 하늘은 높고 하늘 아래", "김하늘", []),
        ("하늘이가 왔다. 하늘아! 하늘 씨, 하늘에게", "김하늘", ["하늘", "하늘", "하늘", "하늘"]),
        ("김하늘이 하늘을 봤다", "김하늘", ["김하늘"]),
        ("보라색과 보라가", "이보라", []),
        ("민수는 갔다. 남궁민수님", "남궁민수", ["민수", "남궁민수"]),
        ("조던은 뛰었고 마이클 조던이", "마이클 조던", ["조던", "마이클 조던"]),
        ("Minsu는, Minsuk, KimMinsu, Kim Minsu님", "Kim Minsu", ["Minsu", "Kim Minsu"]),
        ("과장이 왔다", "과장", []),
        ("김솔이 왔다 솔이", "김솔", ["김솔"]),
    ],
)
def test_further_mentions_are_found(text: str, name: str, found: list[str]) -> None:
    """A person is found again by full name, given name or part, where the sentence lets it be one."""
    assert mentioned(text, name) == found


def test_a_whole_name_wins_over_a_part() -> None:
    """Where a full name stands, its given name is not reported beside it; of two people each is found."""
    assert mentioned("이민준과 김민준", "김민준", "이민준") == ["이민준", "김민준"]


def test_no_more_names_are_looked_for_than_a_text_can_hold() -> None:
    """Thousands of names are no error and find what they name."""
    names = [f"김{chr(0xAC00 + 28 * n)}{chr(0xB098 + 28 * n)}" for n in range(300)]
    assert len(mentioned(" ".join(names), *names)) == 300
