from __future__ import annotations

import pytest

from sovguard.detect.names import NameRecognizer
from tests.growth import assert_linear


@pytest.fixture(scope="module")
def full() -> NameRecognizer:
    """One recognizer with Kiwi for the whole file."""
    return NameRecognizer("full")


def found(recognizer: NameRecognizer, text: str) -> list[str]:
    """The names found, as they stand in the text."""
    return [text[hit.start : hit.end] for hit in recognizer.find([text])[0]]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("성명: 김 도 윤", "김 도 윤"),
        ("성 명 : 김 도 윤", "김 도 윤"),
        ("이름 : 홍 길 동", "홍 길 동"),
        ("성명: 홍 길 동이며 연락처는 아래와 같음", "홍 길 동"),
        ("예금주 : 홍 길 동", "홍 길 동"),
        ("홍 길 동 (인)", "홍 길 동"),
        ("대표이사 홍 길 동", "홍 길 동"),
        ("신청인은 아래와 같고 신청인 홍 길 동은 동의함", "홍 길 동"),
        ("홍 길 동 고객님", "홍 길 동"),
        ("홍 길동 고객님께서", "홍 길동"),
        ("홍 길 동님께서는", "홍 길 동"),
        ("위 본인 홍 길 동 (서명)", "홍 길 동"),
        ("법정대리인  남궁 민 수(서명 또는 인)", "남궁 민 수"),
        ("번호;성명;부서\n1;홍 길 동;총무", "홍 길 동"),
    ],
)
def test_name_with_spaces_is_one_span(text: str, name: str, full: NameRecognizer) -> None:
    """Syllables set apart, as forms write them, are covered as a whole behind a label or before (인), 님."""
    assert found(full, text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "이 번 주 회의",
        "전 화 번 호 : 010",
        "이 사 람 (인)",
        "고객 한 두 명",
        "우 리 나 라",
        "김 이 박 최",
        "오 늘 도 화 이 팅",
        "전 본인 확인",
    ],
)
def test_single_syllables_are_no_names(text: str, full: NameRecognizer) -> None:
    """Words set apart, counted people and surnames in a row are left."""
    assert found(full, text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("이름: 이윤", "이윤"),
        ("이름: 사공", "사공"),
        ("이름: 강산", "강산"),
        ("이름: 이윤이고 나이는 서른", "이윤"),
        ("제 이름은 이윤이에요", "이윤"),
        ("제 이름은 이윤입니다만", "이윤"),
        ("성명 이산", "이산"),
        ("성명: 정상", "정상"),
        ("성명: 이윤 연락처: 010-0000-1234", "이윤"),
        ("성명(한글): 이윤", "이윤"),
        ("고객명: 이윤님", "이윤"),
        ("이름: 왕 웨이", "왕 웨이"),
        ("이름: 마이클", "마이클"),
        ("이름: 홍길동A", "홍길동A"),
        ("**이름**: 김구", "김구"),
        ('{"name": "이윤", "phone": "010-0000-1234"}', "이윤"),
        ("○ 유출 항목: 성명 서문*우, 아이디", "서문*우"),
    ],
)
def test_value_of_a_name_field_is_a_name(text: str, name: str, full: NameRecognizer) -> None:
    """A field that asks for a name outright decides, whatever the word means elsewhere."""
    assert found(full, text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "담당자: 미정",
        "담당자: 고객지원팀",
        "이름: 없음",
        "이름: 해당 없음",
        "이름: 확인 필요",
        "이름은 비밀입니다",
        "이름 변경",
        "성명 기재 요망",
        "성명: 미상",
        "성명: 별도 기재",
        "제품 이름: 김치",
        "파일 이름: 이윤",
        'name: "Alpine Linux"',
        '{"name": "김치", "price": 3000}',
        "name: 테스트 실행",
    ],
)
def test_what_stands_for_no_name_is_left(text: str, full: NameRecognizer) -> None:
    """A field that says there is no name, or names a thing, gives none."""
    assert found(full, text) == []


COLUMN = [
    "이윤",
    "김구",
    "이산",
    "강산",
    "이슬",
    "정상",
    "하늘",
    "박하",
    "마이클",
    "왕 웨이",
    "이 몽룡",
    "홍길동A",
]


@pytest.mark.parametrize("header", ["이름,부서", "성명,금액", "name,phone", "고객명,금액"])
def test_every_cell_of_a_name_column_is_a_name(header: str, full: NameRecognizer) -> None:
    """A column headed 이름 holds names, short and foreign ones too; 없음 and 미정 stay."""
    rows = [f"{name},1200" for name in [*COLUMN, "없음", "미정", "해당 없음", "-"]]
    assert found(full, "\n".join([header, *rows])) == COLUMN


def test_columns_of_other_tables(full: NameRecognizer) -> None:
    """Quoted cells, rules of Markdown and columns in the middle are read; a table of things has no names."""
    assert found(full, '"번호","이름","주소"\n"1","이윤","부산, 3층"') == ["이윤"]
    assert found(full, "| 이름 | 부서 | 내선 |\n|---|:-:|---|\n| 하늘 | 전산 | 1234 |") == ["하늘"]
    assert found(full, "품명,이름,가격\n사과,부사,1000\n배,신고,2000") == []
    assert found(full, "품목,수량\n정상,1\n하늘,2") == []


@pytest.mark.parametrize("text", ["| 이름 | 부서 | 내선 | 휴대폰 |", "이름,부서,내선,휴대폰"])
def test_header_row_holds_no_names(text: str, full: NameRecognizer) -> None:
    """Words beside the header 이름 are headers too."""
    assert found(full, text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("홍길동 번호 알려줘", "홍길동"),
        ("홍길동 010-0000-1234", "홍길동"),
        ("홍길동 환불 건", "홍길동"),
        ("어제 홍길동의 번호를 물어봤어", "홍길동"),
        ("김민준 연락처가 바뀌었어", "김민준"),
        ("혹시 김민준 계좌번호로는 보냈어?", "김민준"),
        ("김유리 연락처", "김유리"),
        ("최영수 환불은 언제 되나요", "최영수"),
    ],
)
def test_full_name_before_what_it_owns(text: str, name: str, full: NameRecognizer) -> None:
    """A full name before a number, an address or a refund is a name without a title."""
    assert found(full, text) == [name]


@pytest.mark.parametrize("after", ["번호 알려줘", "010-0000-1234", "환불 건", "연락처가 바뀌었어", "주소로"])
@pytest.mark.parametrize(
    "word",
    [
        "이유",
        "정보",
        "강조",
        "조사",
        "최고",
        "하나",
        "문제",
        "장점",
        "배송지",
        "정상화",
        "한국어",
        "이메일",
        "신길동",
    ],
)
def test_common_word_before_a_belonging_is_left(word: str, after: str, full: NameRecognizer) -> None:
    """Words built like names own nothing."""
    assert found(full, f"{word} {after}") == []


@pytest.mark.parametrize("text", ["강남 지점장", "제주 지점장님께서", "수원 센터장"])
def test_place_before_its_head_is_no_name(text: str, full: NameRecognizer) -> None:
    """Two syllables before the head of a branch are the branch."""
    assert found(full, text) == []


@pytest.mark.parametrize(
    "unit", ["이름: 이윤 ", "성명,", "홍 길 동 ", "이름,부서\n", "성 ", "성명 ", '"이름",']
)
def test_cost_of_fields_grows_in_proportion(unit: str) -> None:
    """Sixteen times the text takes nowhere near sixteen times sixteen times as long, whatever field is repeated."""
    recognizer = NameRecognizer("fast")
    assert_linear(lambda text: recognizer.find([text]), (unit * 10_000)[:10_000], (unit * 160_000)[:160_000])
