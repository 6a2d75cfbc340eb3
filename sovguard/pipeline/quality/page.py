"""The page of a comparison: one file that needs nothing but itself, in Korean with English at a click, light or dark."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.resources import files

from sovguard.pipeline.quality.charts import BARS, length_columns, paired_bars, share_bars
from sovguard.pipeline.quality.figures import ColumnFigures, QualityReport
from sovguard.pipeline.quality.substitutes import KINDS
from sovguard.pipeline.quality.words import (
    column_label,
    column_name,
    said,
    type_label,
    type_name,
    words,
)
from sovguard.reports.markup import Html, joined, short, tag
from sovguard.reports.tables import Share, figure, folded, table

_LANGUAGES = (("en", "English"), ("ko", "한국어"))
_ATTENTION = (
    "standing", "found", "elsewhere", "unread", "missing", "added", "moved", "changed", "fields", "broken",
)  # fmt: skip


def render(report: QualityReport, *, title: str | None = None) -> str:
    """Return the page.

    Args:
        report: What is on it.
        title: Its title; the default one is in both languages.
    """
    style = files("sovguard.reports").joinpath("page.css").read_text("utf-8")
    style += files("sovguard.pipeline.quality").joinpath("page.css").read_text("utf-8")
    hashed = b64encode(sha256(style.encode()).digest()).decode()
    rules = f"default-src 'none'; style-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=rules),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", words()["page"]["title"][0] if title is None else short(title)),
        Html(f"<style>{style}</style>"),
    )
    heading = said("page", "title") if title is None else Html(tag("span", short(title)))
    body = tag("body", *_switch(), tag("main", *_main(report, heading)))
    return f"<!doctype html>\n{tag('html', head, body, lang='ko')}\n"


def _switch() -> Iterator[Html]:
    for language, called in _LANGUAGES:  # the style has the first of them float to the right
        yield tag(
            "input",
            type="radio",
            name="language",
            id=f"in-{language}",
            class_="switch",
            checked=language == "ko",
        )
        yield tag("label", called, for_=f"in-{language}", class_="switch", lang=language)


def _main(report: QualityReport, heading: Html) -> Iterator[Html]:
    rows = report.rows
    told = said("page", "period", before=f"{rows.before:,}", after=f"{rows.after:,}", names=report.names)
    yield tag("header", tag("h1", heading), tag("p", told, class_="period"))
    if not rows.before and not rows.after:
        yield tag("p", said("page", "empty"))
    else:
        yield _glance(report)
        yield _safe(report)
        yield _useful(report)
        if report.anonymity is not None:
            yield _anonymity(report)
    yield tag("footer", tag("p", said("page", "footer")), tag("p", said("page", "detection")))


def _section(name: str, *children: object) -> Html:
    return tag("section", tag("h2", said(name, "heading")), *children, id=name)


def _figure(key: str, number: str, note: Html, *, warn: bool) -> Html:
    return figure(said("glance", key), number, note, warn=warn)


def _glance(report: QualityReport) -> Html:
    rows = report.rows
    found = sum(each.found for each in report.types.values())
    characters = sum(each.characters for each in report.columns.values())
    values = sum(each.values for each in report.columns.values())
    shared, joined_values = report.shared
    whole = rows.kept - rows.changed
    odd = report.split + report.merged
    figures = (
        _figure(
            "left", f"{report.left:,}", said("glance", "left_note", count=f"{found:,}"), warn=report.left > 0
        ),
        _figure(
            "rows",
            f"{rows.kept:,} / {rows.before:,}",
            said("glance", "rows_note", added=f"{rows.added:,}", moved=f"{rows.moved:,}"),
            warn=bool(rows.missing or rows.added or rows.moved),
        ),
        _figure(
            "outside",
            _percent(whole, rows.kept),
            said("glance", "outside_note", kept=f"{report.words[1]:,}", before=f"{report.words[0]:,}"),
            warn=rows.changed > 0,
        ),
        _figure(
            "share", f"{report.share:.1%}", said("glance", "share_note", count=f"{characters:,}"), warn=False
        ),
        _figure(
            "consistency", f"{odd:,}", said("glance", "consistency_note", count=f"{values:,}"), warn=odd > 0
        ),
        _figure(
            "joins",
            f"{joined_values:,} / {shared:,}",
            said("glance", "joins_note", count=f"{shared:,}"),
            warn=joined_values < shared,
        ),
    )
    points = [tag("li", each) for each in _attention(report)]
    verdict = said("glance", "safe" if report.safe else "unsafe")
    return _section(
        "glance",
        tag("p", verdict, class_="verdict" if report.safe else "verdict warn"),
        tag("dl", *figures, class_="figures"),
        tag("h3", said("glance", "attention")),
        tag("ul", *points, class_="attention") if points else tag("p", said("glance", "none")),
    )


def _percent(part: int, whole: int) -> str:
    """Return a share, which is whole only where it is."""
    if not whole:
        return "–"
    shown = f"{part / whole:.1%}"
    return shown if part == whole or shown != "100.0%" else "99.9%"


def _attention(report: QualityReport) -> Iterator[Html]:
    for key in _ATTENTION:
        if count := report.counts.get(key, 0):
            yield said("glance", key, count=f"{count:,}")
    if any(each.left.elsewhere is None for each in report.types.values()):
        yield said("glance", "not_elsewhere")
    shared, joined_values = report.shared
    for key, count in (
        ("split", report.split),
        ("merged", report.merged),
        ("unjoined", shared - joined_values),
    ):
        if count:
            yield said("glance", key, count=f"{count:,}")
    if report.one_in > 1:
        yield said("page", "sampled", one_in=f"{report.one_in:,}")


def _safe(report: QualityReport) -> Html:
    listed = sorted(report.types.items(), key=lambda item: (-item[1].found, item[0]))
    if not listed:
        return _section("safe", tag("p", said("safe", "nothing")))
    entries = [(type_label(name), each.found, each.left.total) for name, each in listed[:BARS]]
    heads = ("type", "found", *KINDS, "standing", "newly", "elsewhere")
    rows = [
        (
            type_name(name),
            each.found,
            *(each.substitutes.get(kind, 0) for kind in KINDS),
            each.left.standing,
            each.left.found,
            0 if each.left.elsewhere is None else each.left.elsewhere,
        )
        for name, each in listed
    ]
    columns = [
        (
            column_name(name),
            joined((type_name(each_type) for each_type in each.found), ", "),
            sum(each.found.values()),
            each.left.total,
        )
        for name, each in report.columns.items()
        if each.found or each.left.total
    ]
    return _section(
        "safe",
        tag("p", said("safe", "intro"), class_="intro"),
        paired_bars("safe", "chart", entries, ("safe", "left"), alarm=True),
        table(said("safe", "types"), _heads(*heads), rows),
        table(said("safe", "columns"), _heads("name", "types", "found", "left"), columns),
        *_places(report),
    )


def _places(report: QualityReport) -> Iterator[Html]:
    if not report.places:
        return
    order = {key: place for place, key in enumerate(_ATTENTION)}
    rows = [
        (
            said("what", each.what),
            "–" if each.before is None else f"{each.before:,}",
            "–" if each.after is None else f"{each.after:,}",
            column_name(each.column) if each.column else "–",
            type_name(each.entity_type) if each.entity_type else "–",
        )
        for each in sorted(report.places, key=lambda each: order[each.what])
    ]
    yield tag("h3", said("safe", "places"))
    yield tag("p", said("safe", "places_intro"), class_="intro")
    heads = _heads("what", "row_before", "row_after", "name", "type")
    yield table(said("safe", "places"), heads, rows, most=len(rows), quiet=True)
    if any(count > 20 for count in report.counts.values()):
        yield tag("p", said("page", "more"), class_="note")


def _useful(report: QualityReport) -> Html:
    rows = report.rows
    counted = (
        ("total", rows.before, rows.after),
        ("kept", rows.kept, rows.kept),
        ("missing", rows.missing, 0),
        ("added", 0, rows.added),
        ("moved", 0, rows.moved),
        ("changed", 0, rows.changed),
        ("fields", 0, rows.fields),
        ("broken", *rows.broken),
        ("words", *report.words),
    )
    both = [said("page", "before"), said("page", "after")]
    columns = sorted(report.columns.items(), key=lambda item: (-item[1].share, item[0]))
    changed = [(column_label(name), each.share) for name, each in columns[:BARS]]
    widest = sorted(report.columns.items(), key=lambda item: (-item[1].distinct[0], item[0]))
    distinct = [(column_label(name), *each.distinct) for name, each in widest[:BARS]]
    lengths = [(f"≤ {most:,}", was, now) for most, was, now in report.lengths]
    return _section(
        "useful",
        table(
            said("useful", "rows"),
            [*_heads("figure"), *both],
            [(said("rows", key), was, now) for key, was, now in counted],
        ),
        tag("h3", said("useful", "lengths")),
        length_columns(report.lengths),
        folded(table(said("useful", "lengths"), [*_heads("up_to"), *both], lengths)),
        tag("h3", said("useful", "share")),
        share_bars(changed),
        tag("h3", said("useful", "distinct")),
        tag("p", said("useful", "distinct_intro"), class_="intro"),
        paired_bars("useful", "distinct_chart", distinct, ("page", "after"), alarm=False),
        _by_column(report.columns),
    )


def _by_column(columns: Mapping[str, ColumnFigures]) -> Html:
    heads = [*_heads("name", "cells", "share"), said("page", "before"), said("page", "after")]
    rows = [
        (
            column_name(name),
            f"{each.cells[0]:,} → {each.cells[1]:,}",
            Share(each.share),
            *each.distinct,
            each.values,
            each.split,
            each.merged,
        )
        for name, each in columns.items()
    ]
    return table(said("useful", "distinct"), [*heads, *_heads("values", "split", "merged")], rows)


def _anonymity(report: QualityReport) -> Html:
    assert report.anonymity is not None  # noqa: S101
    was, now = report.anonymity
    named = joined((column_name(name) for name in was.columns), ", ")
    rows = [
        (said("anonymity", "k"), was.k, now.k),
        (said("anonymity", "classes"), was.classes, now.classes),
        (said("anonymity", "alone"), was.alone, now.alone),
        *((said("anonymity", "below", k=k), was.below[k], now.below[k]) for k in was.below),
    ]
    return _section(
        "anonymity",
        tag(
            "p",
            said("anonymity", "intro", columns=named, rows=f"{report.anonymity_rows:,}"),
            class_="intro",
        ),
        table(
            said("anonymity", "heading"),
            [*_heads("figure"), said("page", "before"), said("page", "after")],
            rows,
        ),
    )


def _heads(*keys: str) -> list[Html]:
    return [said("column", key) for key in keys]
