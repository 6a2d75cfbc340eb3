"""The sections of the page, each of them drawings and the tables that have their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sovguard.entities import LegalClass
from sovguard.reports.drawing import Label, legend, name_label, place_label
from sovguard.reports.flow_chart import OTHERS, flow_chart
from sovguard.reports.markup import Html, short, tag
from sovguard.reports.plots import Series, columns, rates, shown_names
from sovguard.reports.reading import OTHER_CLASS, OUTCOMES, side
from sovguard.reports.rows import Group, InForce, Stopped, Summary
from sovguard.reports.tables import Share, folded, moment, table
from sovguard.reports.words import country, known, named, plainly, said

CLASSES = (*(each.value for each in LegalClass), OTHER_CLASS)
_WARM = (1, 4, 6, 3, 5, 0, 2)
ACTIONS = ("allow", "tokenize", "mask", "remove")


def section(name: str, *children: object) -> Html:
    """Return a section with its heading and, if it has one, its introduction."""
    return tag("section", tag("h2", said(name, "heading")), *children, id=name)


def _intro(name: str, key: str = "intro", **filled: Any) -> Html:
    return tag("p", said(name, key, **filled), class_="intro")


def _head(*keys: str) -> list[Html]:
    return [said("column", key) for key in keys]


def _actions(actions: Mapping[str, int]) -> list[int]:
    return [actions.get(each, 0) for each in ACTIONS]


def _arrived(actions: Mapping[str, int]) -> int:
    """Return how many values reached a destination, in whatever form."""
    return sum(actions.get(each, 0) for each in ("allow", "tokenize", "mask"))


def flows(summary: Summary) -> Html:
    """Where it went."""
    colours = legend((f"s-{each}", said("side", each)) for each in ("own", "home", "abroad", "unknown"))
    classes = [each for each in CLASSES if any(each in flow.classes for flow in summary.flows)]
    whole = []
    by_class, in_detail = [], []
    for flow in summary.flows:
        names = (named(flow.provider), country(flow.jurisdiction), country(flow.region))
        actions = [sum(each.get(action, 0) for each in flow.values.values()) for action in ACTIONS]
        whole.append((*names, flow.requests, flow.dry_run, *actions))
        arrived = (_arrived(flow.classes.get(each, {})) for each in classes)
        by_class.append((*names, *arrived))
        in_detail += [
            (*names, said("legal_class", each), *_actions(flow.classes[each]))
            for each in classes
            if each in flow.classes
        ]
    where = ("provider", "jurisdiction", "region")
    words = [said("action", each) for each in ACTIONS]
    return section(
        "flows",
        _intro("flows"),
        colours,
        flow_chart(summary.flows),
        table(said("flows", "chart"), [*_head(*where, "requests"), said("flows", "dry_run"), *words], whole),
        table(
            said("flows", "classes"),
            [*_head(*where), *(said("legal_class", each) for each in classes)],
            by_class,
        ),
        folded(
            table(
                said("flows", "in_detail"),
                [*_head(*where, "legal_class"), *words],
                in_detail,
                most=len(in_detail),
            )
        ),
    )


def found(summary: Summary) -> Html:
    """What went."""
    rows = [
        (known("entity_type", each.entity_type), said("legal_class", each.legal_class), *_actions(each.sent), each.held)
        for each in sorted(summary.found, key=lambda each: CLASSES.index(each.legal_class))
    ]  # fmt: skip
    heads = [
        *_head("entity_type", "legal_class"),
        *(said("action", each) for each in ACTIONS),
        said("found", "held"),
    ]
    return section("found", _intro("found"), table(said("found", "caption"), heads, rows, quiet=True))


def over_time(summary: Summary) -> Html:
    """What became of requests over time."""
    series = [
        Series(each, f"o-{each}", Label(said("outcome", each), plainly("outcome", each)))
        for each in OUTCOMES
        if summary.outcomes[each]
    ]
    names = [each.name for each in summary.timeline]
    counted = [each.outcomes for each in summary.timeline]
    unit = said("time", summary.unit)
    description = plainly("time", "chart_desc").replace("{unit}", plainly("time", summary.unit))
    rows = [(each.name, *(each.outcomes.get(part.key, 0) for part in series)) for each in summary.timeline]
    return section(
        "time",
        columns(plainly("time", "chart"), description, names, counted, series),
        folded(
            table(said("time", "chart"), [unit, *(part.label.shown for part in series)], rows, most=len(rows))
        ),
    )


def shares(summary: Summary) -> Html:
    """Whose technology, and whose law, over time."""
    names = [each.name for each in summary.timeline]
    unit = said("time", summary.unit)
    parts = []
    for what, counted in (
        ("providers", [each.providers for each in summary.timeline]),
        ("jurisdictions", [each.jurisdictions for each in summary.timeline]),
    ):
        label = name_label if what == "providers" else place_label
        own, rest = shown_names(counted)
        series = [Series(each, _colour(what, each, own), label(each)) for each in own]
        if rest:
            series.append(
                Series(OTHERS, "c-others", Label(said("page", "others"), plainly("page", "others")))
            )
        folded_in = [
            {**each, OTHERS: sum(each.get(name, 0) for name in rest)} if rest else each for each in counted
        ]
        rows = [
            (name, *(each.get(part.key, 0) for part in series))
            for name, each in zip(names, folded_in, strict=True)
        ]
        title, description = plainly("share", what), plainly("share", f"{what}_desc")
        shown = [_in_table(part, what) for part in series]
        parts += [
            tag("h3", said("share", what)),
            columns(title, description, names, folded_in, series, shares=True),
            folded(table(said("share", what), [unit, *shown], rows, most=len(rows))),
        ]
    return section("share", *parts)


def _colour(what: str, name: str, names: Sequence[str]) -> str:
    """Return the colour of a part: of laws, one's own and Korea keep theirs from the flows, and no other is like them."""
    if what == "providers":
        return f"c-{names.index(name)}"
    if side(name) != "abroad":
        return f"s-{side(name)}"
    return f"c-{_WARM[[each for each in names if side(each) == 'abroad'].index(name)]}"


def _in_table(part: Series, what: str) -> Html:
    if part.key == OTHERS:
        return said("page", "others")
    return named(part.key) if what == "providers" else country(part.key)


def _stopped(caption: Html, rows: Iterable[Stopped]) -> Html:
    return table(
        caption,
        _head("outcome", "rule", "destination", "instead", "requests"),
        [
            (
                said("outcome", each.outcome),
                known("reason", each.rule) if each.outcome == "refused" else tag("code", short(each.rule)),
                named(each.destination),
                named(each.instead) if each.instead else "",
                each.requests,
            )
            for each in rows
        ],
        quiet=True,
    )


def stopped(summary: Summary) -> Html:
    """What did not go where it was to go."""
    heading = said("stopped", "heading")
    parts: list[object] = [tag("p", said("stopped", "none"))]
    if summary.stopped:
        parts = [_intro("stopped"), _stopped(heading, summary.stopped)]
    tried = summary.dry_run
    if tried.requests:
        counts = {each: f"{tried.outcomes.get(each, 0):,}" for each in ("send", "reroute", "block")}
        parts += [
            tag("h3", said("stopped", "dry_heading")),
            _intro("stopped", "dry_intro", count=f"{tried.requests:,}", **counts),
        ]
        if tried.stopped:
            parts.append(_stopped(said("stopped", "dry_heading"), tried.stopped))
    return section("stopped", *parts)


def warnings(summary: Summary) -> Html:
    """Sensitive topics."""
    if not summary.warnings:
        return section("warnings", tag("p", said("warnings", "none")))
    rows = [(known("topic", each.topic), each.requests, each.abroad) for each in summary.warnings]
    heads = [*_head("topic", "requests"), said("warnings", "abroad")]
    return section(
        "warnings", _intro("warnings"), table(said("warnings", "heading"), heads, rows, quiet=True)
    )


def answers(summary: Summary) -> Html:
    """What came back, and how long it took."""
    notes = None
    if summary.unmatched:
        notes = tag("p", said("answers", "unmatched", count=f"{summary.unmatched:,}"), class_="note")
    if not summary.answered:
        return section("answers", tag("p", said("answers", "none")), notes)
    rows = [
        (
            named(each.destination),
            named(each.model),
            *(each.answers, each.failed, each.restored, each.unresolved),
            Share(each.rate) if each.restored + each.unresolved else 0,
        )
        for each in summary.answered
    ]
    heads = [
        *_head("destination", "model"),
        *(said("answers", each) for each in ("answers", "failed", "restored", "unresolved", "rate")),
    ]
    waited = [
        (named(each.destination), each.answers, *map(round, (each.p50, each.p95, each.p99, each.greatest)))
        for each in summary.waited
    ]
    percentiles = ["p50", "p95", "p99", said("answers", "greatest")]
    return section(
        "answers",
        _intro("answers"),
        rates(summary.answered),
        table(said("answers", "chart"), heads, rows),
        table(
            said("answers", "waited"),
            [*_head("destination"), said("answers", "answers"), *percentiles],
            waited,
        )
        if waited
        else None,
        notes,
    )


def groups(summary: Summary) -> Html:
    """Who, and what for."""

    def of(key: str, caption: str, rows: Sequence[Group]) -> Html:
        outcomes = [each for each in OUTCOMES if summary.outcomes[each]]
        heads = [*_head(key), *(said("outcome", each) for each in outcomes), *_head("abroad", "values")]
        return table(
            said("groups", caption),
            heads,
            [
                (named(each.name), *(each.outcomes[name] for name in outcomes), each.abroad, each.values)
                for each in rows
            ],
        )

    return section(
        "groups", of("tenant", "tenants", summary.tenants), of("purpose", "purposes", summary.purposes)
    )


def in_force(summary: Summary) -> Html:
    """Policies and detectors."""

    def of(caption: str, heads: Sequence[Html], rows: Sequence[InForce], digest: int) -> Html:
        return table(
            said("force", caption),
            [*heads, *_head("first", "last", "requests")],
            [
                (
                    *(
                        tag("code", short(each, 17)) if place == digest else named(each)
                        for place, each in enumerate(row.what)
                    ),
                    moment(row.first, summary.offset_minutes),
                    moment(row.last, summary.offset_minutes),
                    row.requests,
                )
                for row in rows
            ],
        )

    policy = [said("column", "name"), said("force", "digest")]
    detectors = [said("force", each) for each in ("version", "names", "pack")]
    return section(
        "force",
        of("policies", policy, summary.policies, 1),
        of("detectors", detectors, summary.detectors, 2),
    )
