"""Long documents about a few people, and texts about nobody that are full of look-alikes."""

from __future__ import annotations

import random

from planting import Planted, joined, name, phone, plant

TITLES = (
    "상담 이력 보고서",
    "용역 계약 검토 의견",
    "월간 운영 회의록",
    "민원 처리 결과 보고",
    "환자 경과 기록 요약",
)
SECTIONS = ("개요", "경위", "확인 사항", "조치 내용", "협의 결과", "향후 계획", "붙임")
ABOUT = (
    "{who}{title}은 {date} 오전에 처음 문의를 남겼고, 담당 부서는 같은 날 접수를 마쳤다.",
    "이후 {who}{title}과 통화하여 사실 관계를 다시 확인하였다(연락처 {number}).",
    "담당자 {other}{title}은 관련 자료를 {email} 주소로 전달하였다.",
    "{other}{title}의 설명에 따르면 처리가 늦어진 것은 내부 결재가 밀렸기 때문이다.",
    "{who}{title}이 제출한 신청서에는 주소가 {address}로 기재되어 있다.",
    "신분 확인을 위해 주민등록번호 {rrn}을 조회하였으며 이상이 없었다.",
    "환급액은 {bank} {account} 계좌로 입금하기로 하였다.",
    "현장에는 {plate} 차량이 서 있었고 사진은 따로 보관한다.",
    "{who}{title}은 이번 결과에 동의하며 추가 이의를 제기하지 않기로 하였다.",
    "관련 업체의 사업자등록번호는 {brn}이며 담당은 {name}{title}이다.",
)
PROSE = (
    "이번 분기에는 {topic} 문의가 지난 분기보다 {count}퍼센트 늘었으나 처리 시간은 오히려 줄었다.",
    "{dept}에서는 같은 {topic} 문제가 되풀이되지 않도록 안내 문구를 고치고 점검 주기를 줄이기로 했다.",
    "계약서 제{score}조에 따라 해지 의사는 한 달 전에 서면으로 알려야 한다.",
    "자료를 검토한 결과 금액 {price}원은 규정에 맞게 계산된 것으로 보인다.",
    "{when} 열린 회의에서는 {topic} 예산과 {topic} 일정, 그리고 인력 배치를 차례로 논의하였다.",
    "다만 {topic}의 세부 사항은 아직 정해지지 않아 다음 회의에서 다시 다루기로 하였다.",
    "시스템을 {version} 버전으로 올린 뒤 {topic} 오류 건수는 {how} 줄었다.",
    "운송장 {tracking}으로 발송된 물품은 {date}에 도착한 것으로 확인된다.",
    "이용자가 가장 많이 지적한 점은 안내가 늦다는 것이었고, 그다음은 절차가 복잡하다는 것이었다.",
    "{when} {dept}의 현장 조사에서는 별다른 문제가 발견되지 않았으며 사진과 기록을 남겨 두었다.",
    "관련 법령은 개인정보 보호법과 전자상거래 등에서의 소비자 보호에 관한 법률이다.",
    "{topic} 비용을 줄이는 방법과 {topic}의 품질을 지키는 방법 사이에서 의견이 나뉘었다.",
    "주문번호 {order}에 대한 환불은 카드사 사정으로 사흘가량 걸릴 수 있다.",
    "{topic} 통계는 매달 초에 갱신되며, 이전 자료는 문서 보관함에 그대로 남는다.",
    "참석자들은 {topic} 시범 운영 결과를 본 뒤 확대 여부를 결정하자는 데 뜻을 모았다.",
    "{dept}의 점검은 {month}월 {day}일 새벽에 진행되며 그동안 접속이 원활하지 않을 수 있다.",
    "{when} 들어온 {thing} 가운데 {count}대는 포장이 {how} 상해 있어 따로 두었다.",
    "{dept}의 의견은 {topic} 절차를 {how} 줄이자는 것이었고, {dept}의 의견은 달랐다.",
    "{thing} 구매와 {thing} 임대를 견주면 앞의 것이 {how} 싸다는 계산이 나왔다.",
    "보고서의 그림과 표는 이해를 돕기 위한 것으로 실제 수치와 조금 다를 수 있다.",
    "{topic}에 추가로 필요한 서류가 있으면 {dept}에서 따로 알려 드릴 예정이다.",
)


def long_document(rng: random.Random) -> Planted:
    """A report of two to six thousand characters about two people who are named again and again."""
    known = {
        "who": ("PERSON", name(rng)),
        "other": ("PERSON", name(rng)),
        "number": ("PHONE_NUMBER", phone(rng)),
    }
    parts, left = [plant(f"{rng.choice(TITLES)}\n작성일 {{date}}", rng)], rng.randint(2000, 6000)
    number = 0
    while left > 0:
        sentences = [
            plant(rng.choice(ABOUT if rng.random() < 0.22 else PROSE), rng, known)
            for _ in range(rng.randint(4, 8))
        ]
        paragraph = joined(" ", sentences)
        if number % 3 == 0:
            heading = Planted(f"{number // 3 + 1}. {SECTIONS[number // 3 % len(SECTIONS)]}")
            paragraph = joined("\n", [heading, paragraph])
        parts.append(paragraph)
        left -= len(paragraph.text)
        number += 1
    return joined("\n\n", parts)


CLEAN = (
    "주문번호 {order} {thing} {product} 결제 금액 {price}원, 운송장 {tracking}으로 조회하세요.",
    "ISBN {isbn} 초판 {count}쇄, 정가 {price}원. 바코드는 {barcode}입니다.",
    "서버를 {version}에서 {version}으로 올렸더니 응답이 {ms}ms에서 {ms}ms로 바뀌었다.",
    "커밋 {hex}에서 고친 문제로 요청 {uuid}이 다시 성공했다.",
    "김치와 이불, 박수와 최고, 정말 조금씩 다른 말인데 왜 자꾸 이름으로 읽히는지 모르겠다.",
    "사랑과 하늘, 바다와 나라, 이슬과 보람은 모두 {when} 들은 노래 가사에 {how} 자주 나오는 말이다.",
    "한가람 미술관 옆 찻집은 유자차가 맛있고 오전에는 손님이 적어 조용하다.",
    "고객 여러분께 알립니다. {topic} 정기 점검은 {month}월 {day}일 새벽 2시부터 4시까지입니다.",
    "{dept} 팀장 회의는 {hour}시, {dept} 과장 교육은 그다음 주 월요일로 정해졌습니다.",
    "제{score}조 제2항 제3호에 따라 과태료는 {price}원 이하로 한다.",
    "좌표 {place} 부근에서 지진이 있었고 규모는 3.{score}이었다.",
    "시험 점수는 {count}점, 등수는 {count}등, 문제 번호는 {score}번부터 다시 풀면 된다.",
    "강남역에서 이수역까지 {count}분, 서울대입구역까지는 더 걸린다.",
    "오이와 고추, 배와 감, 홍시와 유자를 {count}개씩 사고 {price}원을 냈다.",
    "회의실 {count}호, 사물함 {count}-{score}번, 좌석 {score}열 {count}번을 써 주세요.",
    "이 함수는 user_id와 created_at을 받아 rows[{score}]의 합계를 돌려준다.",
    "@Override와 @Test는 주석이 아니라 표시이고, a @ b는 행렬의 곱이다.",
    "전화 주세요, 메일 주세요라는 말만 있고 번호도 주소도 적혀 있지 않았다.",
    "주민등록번호는 열세 자리이고 사업자등록번호는 열 자리라고 안내문에 적혀 있다.",
    "모델 {product}의 부품 번호는 P-{barcode}가 아니라 {tracking}이다.",
    "안녕하세요, 문의하신 {thing} 제품은 {date}에 다시 들어올 예정이며 가격은 {price}원입니다.",
    "{when} {food} 먹은 것이 언제였나 싶게, 장마가 끝나고 나서야 허리가 덜 아프다고 하신 것이 벌써 {count}일 전이다.",
    "민주주의와 정의, 진실과 한계에 관한 책을 {count}쪽까지 읽었다.",
    "{when} 새로 산 {thing} 때문에 {topic} 절차를 {how} 자세히 알아보았다.",
    "{food}보다 {food} 쪽이 {how} 낫다는 사람이 {count}퍼센트였다.",
    "{dept} 공지: {topic} 신청은 {month}월 {day}일까지, 문의는 {dept} 게시판으로.",
    "송장 {order}, 견적 {order}, 세금계산서 {barcode} 세 건을 한 번에 처리했다.",
)


def clean_text(rng: random.Random) -> Planted:
    """Three to six sentences about nobody, most with something that looks like somebody."""
    return joined(" ", [plant(line, rng) for line in rng.sample(CLEAN, rng.randint(3, 6))])
