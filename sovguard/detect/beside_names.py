"""What stands beside a person's name and says more about the person: a birth date or an issued number in brackets.

Such values carry no label (옥시윤(1989.03.08), 동재윤 (P-0098127)): the name before them is what tells them from any other
date or code. They are found once the names are known.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator

from sovguard.detect.validators import Verdict, birth_date, issued_number
from sovguard.entities import Detection, Evidence

_SCORE = 0.7
_PATTERN = "beside a name"
_RECENT = 6
"""Years: a date nearer than this beside a name is more often that of a visit or a contract."""

# At most one word, a title, stands between the name and the bracket.
_BRACKET = re.compile(r"(?: ?[가-힣]{1,6}| ?선생님)? ?[(\[]([^()\[\]\n]{4,60})[)\]]")
_LISTED = re.compile(r" ?[,/|\t] ?([12][0-9]{3}(?:[-./]? ?[0-9]{2}){2})(?![0-9A-Za-z]|[-.][0-9])")
_PART = re.compile("[^,/ ][^,/]*(?<! )")
_DATE = re.compile(
    r"(?P<year>(?:19|20)[0-9]{2}|[0-9]{2})(?:(?P<gap>[-./]) ?[0-9]{1,2}(?P=gap) ?[0-9]{1,2}\.?|[0-9]{4}"
    "|년 ?[0-9]{1,2}월 ?[0-9]{1,2}일)(?:생)?"
)
_NUMBER = re.compile("(?:ID:? ?|No[.:]? ?)?(?P<value>[A-Z]{1,4}-?[0-9]{4,10}(?:-[0-9]{1,6})?|[0-9]{7,10})")


def beside_names(text: str, names: Iterable[Detection]) -> Iterator[Detection]:
    """Yields the birth dates and issued numbers that stand directly behind ``names`` in ``text``."""
    for name in names:
        bracket = _BRACKET.match(text, name.end)
        if bracket is not None:
            for part in _PART.finditer(text, *bracket.span(1)):
                yield from _of_part(part)
        elif (listed := _LISTED.match(text, name.end)) is not None and _is_birth(listed[1]):
            yield _detection("DATE_OF_BIRTH", "date_of_birth", *listed.span(1))


def _of_part(part: re.Match[str]) -> Iterator[Detection]:
    number = _NUMBER.fullmatch(part[0])
    if _is_birth(part[0]):
        yield _detection("DATE_OF_BIRTH", "date_of_birth", *part.span())
    elif number is not None and issued_number(number["value"]) is not Verdict.REFUTED:
        low, high = number.span("value")
        yield _detection("ID_NUMBER", "id_number", part.start() + low, part.start() + high)


def _is_birth(value: str) -> bool:
    date = _DATE.fullmatch(value)
    if date is None or birth_date(value) is Verdict.REFUTED:
        return False
    year, today = int(date["year"]), datetime.date.today().year
    return year <= today - _RECENT if year >= 100 else not today - _RECENT < 2000 + year <= today


def _detection(entity_type: str, recognizer: str, start: int, end: int) -> Detection:
    return Detection(entity_type, start, end, _SCORE, recognizer, Evidence(_PATTERN))
