"""The barometer's drawings, each a function from a record to an SVG file; ``CHARTS`` has them by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from barometer_frames import (
    HEAD,
    MARGIN,
    WIDTH,
    bounds,
    card,
    decades,
    dot,
    horizontal_axis,
    label,
    linear,
    logarithmic,
    mark,
    name_of,
    rule,
    short,
    steps,
    style_class,
    width_of,
)
from barometer_lines import against, sizes
from barometer_record import Barometer
from engine_client import engine_specs

from sovguard.reports.markup import Html, joined, tag

KOREAN = {
    "chat": "대화",
    "prompts": "프롬프트",
    "logs": "로그",
    "csv": "표",
    "long-documents": "긴 문서",
    "clean": "개인정보가 없는 글",
    "dense": "빽빽한 서식",
    "hostile": "적대적인 글",
}
ROW = 21
NAMES = 152.0


def is_ours(engine: str) -> bool:
    """Whether an engine is a mode of sovguard."""
    return engine_specs()[engine].is_ours


def _panels(
    record: Barometer, rows: int, draw: Callable[[str, float, float, float], Html]
) -> tuple[float, Html]:
    """A panel for each workload, two beside one another, and how high all of them are."""
    high, width = 34 + rows * ROW + 34, (WIDTH - 3 * MARGIN) / 2
    pieces = []
    for place, workload in enumerate(record.workloads):
        left, top = MARGIN + place % 2 * (width + MARGIN), HEAD + place // 2 * high
        heading = label(left, top + 16, f"{workload} · {KOREAN[workload]}", "head")
        pieces.append(joined((heading, draw(workload, left, top + 30, width))))
    return HEAD + -(-len(record.workloads) // 2) * high + 6, joined(pieces)


def speed(record: Barometer) -> str:
    """Characters a second of each engine on each workload, the fastest first."""
    every = [rate for w in record.workloads for e in record.engines if (rate := record.rate(w, e))]
    ends = bounds(every)

    def panel(workload: str, left: float, top: float, width: float) -> Html:
        rates = {name: rate for name in record.engines if (rate := record.rate(workload, name))}
        at = logarithmic(*ends, left + NAMES, left + width - 30)
        pieces = [horizontal_axis(decades(*ends), at, top, top + len(rates) * ROW, mark)]
        for row, (name, rate) in enumerate(sorted(rates.items(), key=lambda item: -item[1])):
            y, x, told = top + row * ROW + 11, at(rate), short(rate)
            # Where there is no room behind the point, the number stands before it.
            room = x + 10 + width_of(told, 12) < left + width
            pieces += [
                name_of(left + NAMES - 10, y + 4, name, is_ours(name)),
                rule(at(ends[0]), y, x, y, f"{style_class(name)}"),
                dot(x, y, name, f"{name} on {workload}: {rate:,.0f} characters a second"),
                label(x + 10 if room else x - 10, y + 4, told, "small" if room else "small end"),
            ]
        return joined(pieces)

    height, pieces = _panels(record, len(record.engines), panel)
    under = "Characters a second, a whole list in one call, warm; median of the rounds. Each line is ten times the last."
    return card("Speed by workload", under, height, [pieces])


def latency(record: Barometer) -> str:
    """Milliseconds for one text: the median and the 99th percentile."""
    found = {(w, e): each for w in record.workloads for e in record.engines if (each := record.latency(w, e))}
    ends = bounds(part for each in found.values() for part in (each.median, each.high))

    def panel(workload: str, left: float, top: float, width: float) -> Html:
        of = {name: found[workload, name] for name in record.engines if (workload, name) in found}
        at = logarithmic(*ends, left + NAMES, left + width - 92)
        pieces = [horizontal_axis(decades(*ends), at, top, top + len(of) * ROW, mark)]
        for row, (name, each) in enumerate(sorted(of.items(), key=lambda item: item[1].median)):
            y = top + row * ROW + 11
            told = f"{name} on {workload}: median {each.median:.2f} ms, 99 of 100 within {each.high:.2f} ms"
            bar = tag("rect", x=at(each.high) - 1.5, y=y - 6, width=3, height=12, class_=style_class(name))
            pieces += [
                name_of(left + NAMES - 10, y + 4, name, is_ours(name)),
                rule(at(each.median), y, at(each.high), y, style_class(name)),
                dot(at(each.median), y, name, told),
                bar,
                label(left + width, y + 4, f"{short(each.median)} – {short(each.high)}", "small end"),
            ]
        return joined(pieces)

    height, pieces = _panels(record, len(record.engines), panel)
    under = "Milliseconds for one text by itself: ● median, ▮ 99 of 100 are faster. Each line is ten times the last."
    return card("What one text waits", under, height, [pieces])


def leaks(record: Barometer) -> str:
    """Percent of the planted values that are left, by workload, with and without names."""
    columns = [name for name in record.workloads if record.answers[name]["planted"]]
    rows = sorted(record.detecting, key=lambda name: (record.leak(name) or 0, name))
    left, cell, high = MARGIN + NAMES, (WIDTH - 2 * MARGIN - NAMES) / (len(columns) + 1), 26
    pieces, top = [], float(HEAD)
    for title, names in (("every planted value", True), ("without names of people", False)):
        pieces.append(label(MARGIN, top + 16, title, "head"))
        for place, heading in enumerate([*columns, "all"]):
            x = left + cell * (place + 0.5)
            pieces.append(label(x, top + 36, heading, "tick middle"))
            if heading in KOREAN:
                pieces.append(label(x, top + 52, KOREAN[heading], "tick middle"))
        for row, name in enumerate(rows):
            y = top + 60 + row * high
            pieces.append(name_of(left - 10, y + 17, name, is_ours(name)))
            for place, workload in enumerate([*columns, None]):
                value = record.leak(name, workload, names=names)
                pieces.append(
                    _cell(value, left + cell * place, y, cell, high, f"{name}, {workload or 'all'}")
                )
        top += 60 + len(rows) * high + 22
    under = (
        "Percent of planted values of which at least one character is left. Less is better; the fewest first."
    )
    return card("What is left in the text", under, top, pieces)


def _cell(value: float | None, x: float, y: float, width: float, height: float, told: str) -> Html:
    if value is None:
        return label(x + width / 2, y + 17, "–", "tick middle")
    tint = tag(
        "rect",
        tag("title", f"{told}: {value:.1%}"),
        x=x + 1,
        y=y + 1,
        width=width - 2,
        height=height - 2,
        rx=3,
        class_="e-ko-pii",
        stroke_width=0,
        fill_opacity=0.06 + 0.6 * value,
    )
    return joined((tint, label(x + width / 2, y + 17, f"{100 * value:.1f}", "middle")))


def _bars(
    record: Barometer,
    values: dict[str, Sequence[tuple[float, float]]],
    said: dict[str, str],
    unit: str,
    told: Callable[[float], str],
    title: str,
    under: str,
) -> str:
    """Bars of one part or of several, each with its opacity, the shortest first; what each adds up to stands behind it."""
    totals = {name: sum(value for value, _ in parts) for name, parts in values.items()}
    marks = steps(max(totals.values(), default=1.0))
    left, bottom = MARGIN + NAMES, HEAD + 8 + len(values) * 28
    at = linear(0, marks[-1], left, WIDTH - MARGIN - 170)
    pieces = [horizontal_axis(marks, at, HEAD, bottom, told)]
    pieces.append(label(at(marks[-1]) + 22, bottom + 18, unit, "tick"))
    for row, name in enumerate(sorted(values, key=lambda each: totals[each])):
        y, x = HEAD + 8 + row * 28, left
        pieces.append(name_of(left - 10, y + 15, name, is_ours(name)))
        for value, opacity in values[name]:
            wide = max(at(value) - left, 1.0 if value else 0.0)
            shape = {
                "x": x,
                "y": y + 1,
                "width": wide,
                "height": 18,
                "fill_opacity": opacity,
                "stroke_width": 0,
            }
            pieces.append(
                tag("rect", tag("title", f"{name}: {said[name]}"), class_=style_class(name), **shape)
            )
            x += wide
        pieces.append(label(x + 8, y + 15, said[name], "small"))
    pieces.append(rule(left, HEAD, left, bottom, "base"))
    return card(title, under, bottom + 34, pieces)


def false_spans(record: Barometer) -> str:
    """What is taken out of texts that hold nothing."""
    rates = {
        name: rate for name in record.detecting if (rate := record.false_rate("clean", name)) is not None
    }
    return _bars(
        record,
        {name: [(rate, 0.85)] for name, rate in rates.items()},
        {name: f"{rate:.1f}" for name, rate in rates.items()},
        "in 10,000 characters",
        mark,
        "What is taken for nothing",
        "Spans found in texts about nobody (clean · 개인정보가 없는 글), for 10,000 characters. Less is better.",
    )


def memory(record: Barometer) -> str:
    """The most memory of each engine's process."""
    peaks = {name: peak for name in record.engines if (peak := record.peak(name))}
    return _bars(
        record,
        {name: [(low, 0.85), (high - low, 0.4)] for name, (low, high) in peaks.items()},
        {name: f"{low:.0f} – {high:.0f}" for name, (low, high) in peaks.items()},
        "MiB",
        mark,
        "Memory",
        "MiB of an engine's process at its highest: on the workload that needs least, and (paler) on that which needs most.",
    )


def cold_start(record: Barometer) -> str:
    """From the start of a process to its first answer."""
    starts = {name: start for name in record.engines if (start := record.start(name))}
    return _bars(
        record,
        {
            name: [
                (start.load, 0.85),
                (start.first, 0.55),
                (max(0.0, start.wall - start.load - start.first), 0.25),
            ]
            for name, start in starts.items()
        },
        {name: f"{start.wall:.2f} s" for name, start in starts.items()},
        "s",
        mark,
        "Cold start",
        "Seconds from the start of a process to the spans of one line: loading, (paler) the first answer, the interpreter.",
    )


def parallel(record: Barometer) -> str:
    """How much more is done in the same time by more threads and more processes."""
    found = {name: ways for name in record.engines if (ways := record.parallel(name)).get("threads-1")}
    ways = [
        way for way in dict.fromkeys(way for each in found.values() for way in each) if not way.endswith("-1")
    ]
    gains = {
        name: {way: each[way] / each[f"{way.rpartition('-')[0]}-1"] for way in ways if way in each}
        for name, each in found.items()
    }
    marks = steps(max([2.0, *(gain for each in gains.values() for gain in each.values())]))
    left, bottom = MARGIN + NAMES + 70, HEAD + len(found) * (len(ways) * 18 + 14)
    at = linear(0, marks[-1], left, WIDTH - MARGIN - 150)
    pieces = [
        horizontal_axis(marks, at, HEAD, bottom, lambda times: f"{times:g} ×"),
        rule(at(1), HEAD, at(1), bottom, "base"),
    ]
    y = float(HEAD)
    for name in sorted(gains, key=lambda each: -max(gains[each].values(), default=0.0)):
        pieces.append(name_of(MARGIN + NAMES - 10, y + 18 * len(ways) / 2 + 8, name, is_ours(name)))
        for way, gain in gains[name].items():
            kind, _, count = way.rpartition("-")
            opacity = 0.9 if kind == "processes" else 0.55
            shape = {"x": left, "y": y + 5, "width": at(gain) - left, "height": 13, "fill_opacity": opacity}
            pieces += [
                label(left - 8, y + 16, f"{count} {kind}", "small end"),
                tag("rect", class_=style_class(name), stroke_width=0, **shape),
                label(WIDTH - MARGIN, y + 16, f"{gain:.2f} × = {short(found[name][way])}/s", "small end"),
            ]
            y += 18
        y += 14
    under = f"Prompts, one a call: times the characters a second of one thread or process. {record.machine['cores']} cores."
    return card("Threads and processes", under, bottom + 34, pieces)


CHARTS: dict[str, Callable[[Barometer], str]] = {
    "against": against,
    "speed": speed,
    "latency": latency,
    "leaks": leaks,
    "false-spans": false_spans,
    "memory": memory,
    "cold-start": cold_start,
    "sizes": sizes,
    "parallel": parallel,
}
