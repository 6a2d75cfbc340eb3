"""The facts of notices about transfers abroad, on the page: one card a recipient, in the order of PIPA Art. 28-8(2)."""

from __future__ import annotations

from collections.abc import Iterator

from sovguard.reports.markup import Html, joined, tag
from sovguard.reports.reading import HOME, OWN, UNKNOWN
from sovguard.reports.rows import Notice, Summary
from sovguard.reports.sections import section
from sovguard.reports.tables import moment
from sovguard.reports.words import country, known, named, said

_FORMS = ("allow", "tokenize", "mask")
_MOST_PURPOSES = 12


def notices(summary: Summary) -> Html:
    """Return the section."""
    if not summary.notices:
        return section("notice", tag("p", said("notice", "none")))
    cards = (_card(each, summary.offset_minutes) for each in summary.notices)
    return section(
        "notice",
        tag("p", said("notice", "intro"), class_="intro"),
        tag("p", said("notice", "surrogates"), class_="intro"),
        *cards,
    )


def _card(notice: Notice, offset: int) -> Html:
    rows = [
        tag("div", tag("dt", said("notice", key)), tag("dd", told), class_="row")
        for key, told in _facts(notice, offset)
    ]
    return tag(
        "article",
        tag("h3", _known(notice.place.legal_entity), " ", tag("span", named(notice.place.id), class_="id")),
        tag("dl", *rows),
        class_="notice",
    )


def _facts(notice: Notice, offset: int) -> Iterator[tuple[str, Html]]:
    place = notice.place
    yield "items", _items(notice)
    yield "country", _countries(notice)
    yield (
        "when",
        said(
            "notice",
            "method",
            count=f"{notice.requests:,}",
            first=moment(notice.first, offset),
            last=moment(notice.last, offset),
        ),
    )
    yield "recipient", _known(place.legal_entity)
    yield "contact", _to_fill_in()
    yield "purpose", _purposes(notice)
    yield "retention", _known(place.retention, "retention")
    yield "training", _known(place.training_use, "training")
    yield "refusal", _to_fill_in()


def _items(notice: Notice) -> Html:
    if not notice.items:
        return said("notice", "no_items")
    listed = []
    for name, actions in notice.items.items():
        forms = joined(
            (joined((said("action", each), f" {actions[each]:,}")) for each in _FORMS if each in actions),
            ", ",
        )
        listed.append(joined((known("entity_type", name), tag("span", " (", forms, ")", class_="forms"))))
    items = joined(listed, " · ")
    if "KR_RRN" in notice.items:
        return joined((items, tag("p", said("notice", "resident"), class_="caution")))
    return items


def _countries(notice: Notice) -> Html:
    place = notice.place
    facts = (
        ("law", place.jurisdiction),
        ("inference", place.inference_region),
        ("storage", place.storage_region),
    )
    told = joined(
        (
            joined((said("notice", key), ": ", _to_fill_in() if code == UNKNOWN else country(code)))
            for key, code in facts
        ),
        " · ",
    )
    here = {HOME, OWN}
    if notice.abroad == ("jurisdiction",) and {place.inference_region, place.storage_region} <= here:
        return joined((told, tag("p", said("notice", "law_only"), class_="caution")))
    return told


def _purposes(notice: Notice) -> Html:
    named_ones = [(name, count) for name, count in notice.purposes.items() if name]
    listed = [joined((named(name), f" ({count:,})")) for name, count in named_ones[:_MOST_PURPOSES]]
    if len(named_ones) > _MOST_PURPOSES:
        listed.append(said("page", "others"))
    if "" in notice.purposes:
        unnamed = f" ({notice.purposes['']:,})"
        listed.append(joined((_to_fill_in(), " ", said("page", "unnamed"), unnamed)))
    return joined(listed, " · ")


def _known(value: str, section_of: str = "") -> Html:
    if value == UNKNOWN:
        return _to_fill_in()
    return known(section_of, value) if section_of else named(value)


def _to_fill_in() -> Html:
    return tag("mark", said("page", "to_fill_in"))
