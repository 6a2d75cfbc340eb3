"""Short texts: what people write to one another and to a model, and what programs write about them."""

from __future__ import annotations

import random

from planting import Planted, joined, plant

CHAT = (
    "{given}아 내일 몇 시에 볼까? 나는 {hour}시쯤 끝나",
    "야 {given}이한테 물어봤어? 아직 답이 없네 ㅋㅋ",
    "제 번호 {phone} 이에요 저장해 주세요~",
    "{name}{title}, 요청하신 서류 방금 메일로 보냈습니다.",
    "계좌는 {bank} {account} 예금주 {name}이에요",
    "주소 찍어 줄게 {address} 여기로 와",
    "택배 받는 사람 {name}, 연락처 {phone}로 해 주세요",
    "{email} 여기로 견적서 부탁드려도 될까요?",
    "카톡 아이디 {user}인데 친구 추가 좀",
    "차 좀 빼 주세요 {plate} 차주분 어디 계세요?",
    "{name}{title}이 회의실 바꾸자고 하시네요, {hour}시로요",
    "병원 예약 {name} 이름으로 했고 생년월일은 {birth}이라고 말하면 돼",
    "여권 사진 찍었어? 번호는 {passport} 맞지?",
    "{given} 언니 생일이 다음 주 맞죠? 선물 뭐 하지",
)
CHATTER = (
    "ㅋㅋㅋㅋ 아 진짜 웃겨 죽는 줄 알았네",
    "오늘 저녁 뭐 먹지? {food} 어때",
    "넵 확인했습니다!",
    "비 온대 우산 챙겨~",
    "{when} 그 영화 봤어? {how} 재밌더라",
    "주문번호 {order} 배송 언제 되나요?",
    "운송장 {tracking} 조회가 안 돼요 ㅠㅠ",
    "{price}원 입금했어요 확인 부탁드려요",
    "회의 {hour}시로 미뤄졌대요 다들 참고하세요",
    "버전 {version} 깔면 그 오류 안 나던데",
    "{when} 사랑니 뺐더니 밥을 못 먹겠다 하루 종일 죽만 먹음",
    "이번 주 안에는 정리해서 올릴게요, 조금만 기다려 주세요",
    "{count}명 정도 올 것 같아요 자리 넉넉히 잡아 주세요",
    "하늘이 진짜 맑다 산책하기 딱 좋은 날씨",
    "{when} 주문한 {thing} 아직 안 왔어요 {topic} 되긴 하나요?",
    "{food} 먹다가 {food} 생각남 ㅋㅋ 나만 그래?",
    "{topic} 때문에 {dept}에 전화했는데 {how} 오래 걸리네",
    "{thing} {thing} 중에 뭐가 나을까 {how} 고민됨",
    "아 그거 모델명 {product} 맞아요, 색상은 검정이요",
)


def chat_line(rng: random.Random) -> Planted:
    """One message of a chat; four in ten hold something."""
    first = plant(rng.choice(CHAT if rng.random() < 0.4 else CHATTER), rng)
    if rng.random() < 0.3:
        return joined(" ", [first, plant(rng.choice(CHATTER), rng)])
    return first


TASKS = (
    "다음 상담 내용을 세 줄로 요약해 줘.",
    "아래 메일에 정중하게 거절하는 답장을 써 줘. 너무 딱딱하지 않게.",
    "밑에 있는 메모를 표로 정리하고 빠진 정보가 있으면 알려 줘.",
    "다음 글의 맞춤법을 고치고 어색한 문장을 자연스럽게 다듬어 줘.",
    "이 내용을 바탕으로 사내 공지문 초안을 만들어 줘.",
    "아래 민원에 대한 답변서를 공문 형식으로 작성해 줘.",
)
MATERIAL = (
    "안녕하세요, {name}입니다. 지난주에 신청한 건이 아직 처리되지 않아 다시 연락드립니다.",
    "연락처는 {phone}이고 급하면 {email} 쪽이 더 빠릅니다.",
    "고객 {name}{title} 통화 내용: 요금이 두 번 빠져나갔다고 하심. 카드번호는 {card}로 확인함.",
    "담당자 {name}{title}이 {date}까지 회신하기로 했고, 이후 진행 상황은 공유받지 못했습니다.",
    "주민등록번호 {rrn} 확인했고 본인 인증은 {date}에 완료되었습니다.",
    "배송지는 {address}이며 부재 시 경비실에 맡겨 달라고 요청하셨습니다.",
    "환불 계좌는 {bank} {account}, 예금주는 {name}입니다.",
    "거래처 사업자등록번호는 {brn}이고 대표자는 {name}{title}입니다.",
    "외국인등록번호 {frn} 소지자로 체류 기간은 내년 {month}월까지라고 합니다.",
    "사번 {employee} 직원의 휴가 신청이 반려되어 이의를 제기한 상황입니다.",
    "환자번호 {patient}, 생년월일 {birth}, 지난달부터 두통을 호소하고 있습니다.",
)
PASSAGES = (
    "{thing} 자체는 {how} 만족스럽지만 {topic} 안내가 부족해서 처음에 많이 헤맸습니다.",
    "{when} 회의에서는 {topic} 예산을 줄이는 방안과 일정을 늦추는 방안을 함께 검토하기로 했습니다.",
    "주문번호 {order}, 결제 금액 {price}원, 상품은 {product} 한 대입니다.",
    "지난 분기보다 문의가 {count}퍼센트 늘었고 대부분 {topic} 지연에 관한 것이었습니다.",
    "가능하면 {topic} 결과를 이번 주 안으로 알려 주시면 감사하겠습니다.",
    "계약서 제{score}조 제2항에 따르면 해지는 한 달 전에 알려야 합니다.",
    "처음에는 이유를 몰랐는데 펌웨어를 {version}으로 올린 뒤부터 생긴 문제였습니다.",
    "사진 세 장을 함께 보내 드리니 확인해 주시기 바랍니다.",
    "{dept}에 {when} 전화하고 {how} 기다렸지만 {topic} 안내가 없어서 결국 다른 곳에 예약을 했습니다.",
    "{when} 받은 {thing} 제품은 색이 사진과 {how} 달라서 {topic} 절차를 알고 싶습니다.",
    "{dept}에서는 {topic} 문제와 {topic} 문제를 나누어 {how} 자세히 적어 달라고 했습니다.",
    "{thing} {count}대와 {thing} {score}대를 함께 주문했는데 {when} 일부만 도착했습니다.",
    "앞으로는 같은 일이 생기지 않도록 절차를 고쳐 주셨으면 합니다.",
)


def prompt(rng: random.Random) -> Planted:
    """A question to a model with pasted material under it, one to four sentences of which hold something."""
    body = [plant(rng.choice(MATERIAL), rng) for _ in range(rng.randint(1, 4))]
    body += [plant(rng.choice(PASSAGES), rng) for _ in range(rng.randint(3, 9))]
    rng.shuffle(body)
    return joined("\n\n", [plant(rng.choice(TASKS), rng), joined(" ", body)])


LOGS = (
    "{date} {clock}.{score}12 INFO  [auth] login ok user={user} ip={ip} trace={hex}",
    '{ip} - - [{date}T{clock}+09:00] "GET /v1/orders?page={count} HTTP/1.1" 200 {ms}',
    '{{"ts":"{date}T{clock}Z","level":"warn","msg":"{topic} 메일 발송 실패","to":"{email}","retry":{score}}}',
    "{date} {clock} ERROR [payment] 결제 실패: 카드 {card} 승인 거절, 주문 {order}",
    '{{"level":"info","event":"profile.update","name":"{name}","phone":"{phone}","req":"{uuid}"}}',
    "{date} {clock} WARN  [sms] 발송 지연 수신자={phone} 지연={ms}ms",
    "{date} {clock} INFO  [dhcp] lease {ip} -> {mac} ttl=3600",
)
NOISE = (
    "{date} {clock}.{score}48 INFO  [batch] done rows={count}21 in {ms} ms build={version} trace={hex}",
    '{{"ts":"{date}T{clock}Z","level":"debug","msg":"{topic} 캐시 갱신","key":"{uuid}","hits":{count}}}',
    "{date} {clock} WARN  [gc] pause {ms} ms heap={count}% node=worker-{score}",
    "{date} {clock} INFO  [order] 주문 {order} {thing} 상태 변경: 결제완료 -> {topic}대기 금액={price}",
    "{date} {clock} ERROR [worker-{score}] java.lang.IllegalStateException: retry limit at Job.java:{count}",
    "{date} {clock} INFO  [shipping] 운송장 {tracking} 등록 완료 상품={product} 바코드={barcode}",
    "kernel: [{ms}.{tracking}] usb 1-{score}: new high-speed device number {count}",
)


def log_line(rng: random.Random) -> Planted:
    """One line of a log; three in ten hold something."""
    return plant(rng.choice(LOGS if rng.random() < 0.3 else NOISE), rng)
