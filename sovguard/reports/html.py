"""The page: one file that needs nothing but itself, to be read, printed and filed by a privacy officer (개인정보 보호책임자).

Nothing on it is fetched, and its content security policy forbids it; it has no script. Both languages are in it: two radio
buttons and the style choose.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files

from sovguard.reports.markup import Html, joined, short, tag
from sovguard.reports.notice_cards import notices
from sovguard.reports.reading import UNLISTED
from sovguard.reports.rows import Summary
from sovguard.reports.sections import (
    answers,
    flows,
    found,
    groups,
    in_force,
    over_time,
    section,
    shares,
    stopped,
    warnings,
)
from sovguard.reports.tables import figure, moment
from sovguard.reports.words import LANGUAGES, Language, known, plain, said

_CALLED = {"ko": "한국어", "en": "English"}


def render(summary: Summary, *, language: Language = "ko", title: str | None = None) -> str:
    """Return the page.

    Args:
        summary: What is on it.
        language: Which of its languages it opens in.
        title: Its title; the default one is in both languages.
    """
    style = files("sovguard.reports").joinpath("page.css").read_text("utf-8")
    # The style is named by its hash: a style that came in with a record would not be applied either.
    hashed = b64encode(sha256(style.encode()).digest()).decode()
    rules = f"default-src 'none'; style-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'"
    heading = said("page", "title") if title is None else Html(tag("span", short(title)))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=rules),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", plain("page", "title", language) if title is None else short(title)),
        Html(f"<style>{style}</style>"),
    )
    body = tag("body", *_switch(language), tag("main", *_main(summary, heading)))
    return f"<!doctype html>\n{tag('html', head, body, lang=language)}\n"


def _switch(language: Language) -> Iterator[Html]:
    for each in reversed(LANGUAGES):  # the style has the first of them float to the right
        yield tag(
            "input", type="radio", name="language", id=f"in-{each}", class_="switch", checked=each == language
        )
        yield tag("label", _CALLED[each], for_=f"in-{each}", class_="switch", lang=each)


def _main(summary: Summary, heading: Html) -> Iterator[Html]:
    yield tag("header", tag("h1", heading), *_period(summary))
    if not summary.requests:
        yield tag("p", said("page", "empty"))
    else:
        yield _glance(summary)
        yield flows(summary)
        yield found(summary)
        yield over_time(summary)
        yield shares(summary)
        yield stopped(summary)
        yield warnings(summary)
        yield answers(summary)
        yield groups(summary)
        yield in_force(summary)
        yield notices(summary)
    yield tag("footer", tag("p", said("page", "footer")), tag("p", said("glance", "detection")))


def _period(summary: Summary) -> Iterator[Html]:
    offset = summary.offset_minutes
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    zone = said("page", "zone", offset=f"{sign}{minutes // 60:02}:{minutes % 60:02}")
    if summary.first is not None and summary.last is not None:
        span = f"{moment(summary.first, offset)} – {moment(summary.last, offset)}"
        yield tag("p", tag("strong", said("page", "period")), f" {span}. ", zone, class_="period")
    if summary.since is not None or summary.until is not None:
        since = said("page", "all_before") if summary.since is None else moment(summary.since, offset)
        until = said("page", "all_after") if summary.until is None else moment(summary.until, offset)
        yield tag("p", said("page", "asked", since=since, until=until), class_="period")


def _figure(key: str, number: str, note: Html, warn: bool = False) -> Html:
    return figure(said("glance", key), number, note, warn=warn)


def _glance(summary: Summary) -> Html:
    outcomes = summary.outcomes
    left = outcomes["send"] + outcomes["reroute"] + outcomes["dry_run"]
    abroad = sum(each.abroad for each in summary.tenants)
    sessions = said("glance", "sessions", count=_about(summary))
    not_sent = said(
        "glance", "stopped_note", block=f"{outcomes['block']:,}", refused=f"{outcomes['refused']:,}"
    )
    clear, swapped, _ = _sent_abroad(summary)
    unresolved = sum(each.unresolved for each in summary.answered)
    came = sum(each.answers for each in summary.answered)
    figures = (
        _figure("requests", f"{summary.requests:,}", sessions),
        _figure("left", f"{left:,}", said("glance", "left_share", share=f"{left / summary.requests:.1%}")),
        _figure("abroad", f"{abroad:,}", said("glance", "abroad_note")),
        _figure("stopped", f"{outcomes['block'] + outcomes['refused']:,}", not_sent),
        _figure("clear", f"{clear:,}", said("glance", "clear_note", count=f"{swapped:,}"), clear > 0),
        _figure("unresolved", f"{unresolved:,}", said("glance", "unresolved_note", count=f"{came:,}")),
    )
    points = [tag("li", each) for each in _attention(summary)]
    return section(
        "glance",
        tag("dl", *figures, class_="figures"),
        tag("h3", said("glance", "attention")),
        tag("ul", *points, class_="attention") if points else tag("p", said("glance", "none")),
    )


def _about(summary: Summary) -> Html:
    count = f"{summary.sessions:,}"
    return Html(count) if summary.sessions_exact else said("page", "estimate", count=count)


def _sent_abroad(summary: Summary) -> tuple[int, int, list[str]]:
    """Return how many values went abroad as they are, how many as surrogates, and the types of the former."""
    clear: dict[str, int] = {}
    swapped = 0
    for notice in summary.notices:
        for name, actions in notice.items.items():
            clear[name] = clear.get(name, 0) + actions.get("allow", 0)
            swapped += actions.get("tokenize", 0)
    types = sorted((name for name in clear if clear[name]), key=lambda name: -clear[name])
    return sum(clear.values()), swapped, types


def _attention(summary: Summary) -> Iterator[Html]:
    """Yield what an officer should look at, the gravest first."""
    clear, _, types = _sent_abroad(summary)
    if clear:
        named = joined((known("entity_type", name) for name in types[:6]), ", ")
        yield joined((said("glance", "clear_abroad", count=f"{clear:,}"), " (", named, ")."))
    counts = {
        "unlisted": sum(each.requests for each in summary.notices if each.place.id == UNLISTED),
        "missing_facts": sum(bool(set(each.missing) - _EVERYWHERE) for each in summary.notices),
        "sensitive_abroad": sum(each.abroad for each in summary.warnings),
        "refused": summary.outcomes["refused"],
        "unreadable": summary.unreadable,
    }
    for key, count in counts.items():
        if count:
            yield said("glance", key, count=f"{count:,}")
    if tries := sum(summary.fallbacks.values()):
        left = sum(summary.fallbacks.get(each, 0) for each in ("send", "reroute", "dry_run"))
        yield said("glance", "fallbacks", count=f"{tries:,}", left=f"{left:,}")
    if summary.dry_run.requests:
        would_stop = summary.dry_run.outcomes.get("block", 0) + summary.dry_run.outcomes.get("reroute", 0)
        yield said("glance", "dry_run", count=f"{summary.dry_run.requests:,}", stopped=f"{would_stop:,}")


_EVERYWHERE = {"contact", "refusal", "purpose"}
