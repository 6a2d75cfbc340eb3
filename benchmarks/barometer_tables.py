"""The barometer's tables, in Markdown, and the page they stand in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from barometer_frames import short
from barometer_record import Barometer
from scoring import ALL

MARKER = re.compile("(<!-- barometer: ([a-z-]+) -->\n).*?(<!-- /barometer -->)", re.DOTALL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def told(value: float | None, form: Callable[[float], str] = short) -> str:
    """A number as it is written, or a dash."""
    return "–" if value is None else form(value)


def percent(value: float | None) -> str:
    """A share in percent."""
    return told(value, lambda share: f"{100 * share:.1f}")


def about(record: Barometer) -> str:
    """Where and when the numbers were taken."""
    machine, load = record.machine, "/".join(f"{value:g}" for value in record.machine["load_average"])
    size = "a quick run, whose times mean little" if record.settings["quick"] else "a full run"
    return (
        f"From [{record.name}](../benchmarks/record/{record.name}), {size}: {machine['date']}, {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, {machine['python']}, "
        f"load {load}, {record.settings['seconds']:.0f} s for everything."
    )


def summary(record: Barometer) -> str:
    """One row for each engine."""
    rows = []
    for name in sorted(record.engines, key=lambda each: -(record.middle_rate(each) or 0)):
        peak, start, single = record.peak(name), record.start(name), record.latency("prompts", name)
        rows.append(
            [
                f"`{name}`",
                told(record.middle_rate(name)),
                told(single and single.median),
                told(single and single.high),
                told(peak and peak[1], lambda value: f"{value:.0f}"),
                told(start and start.wall, lambda value: f"{value:.2f}"),
                percent(record.leak(name)),
                percent(record.leak(name, names=False)),
                told(
                    record.false_rate("clean", name) if "clean" in record.workloads else None,
                    lambda value: f"{value:.1f}",
                ),
            ]
        )
    head = [
        "engine",
        "characters/s",
        "prompt p50 ms",
        "p99 ms",
        "MiB",
        "cold start s",
        "left %",
        "without names",
        "false in clean",
    ]
    return table(head, rows)


def workloads(record: Barometer) -> str:
    """What each workload is made of."""
    rows = []
    for name in record.workloads:
        facts = record.answers[name]
        sizes = (
            facts["texts"],
            facts["characters"],
            facts["characters"] / facts["texts"],
            facts["planted"],
            facts["names"],
        )
        rows.append([f"[{name}](../benchmarks/definitions/{name}.toml)", *(f"{size:,.0f}" for size in sizes)])
    return table(["workload", "texts", "characters", "each", "planted values", "of them names"], rows)


def speed(record: Barometer) -> str:
    """Rates by workload and engine."""
    rows = []
    for workload in record.workloads:
        rates = {name: record.rate(workload, name) for name in record.engines}
        for name in sorted(record.engines, key=lambda each: -(rates[each] or 0)):
            megabytes = record.rate(workload, name, "bytes")
            single, truth = record.latency(workload, name), record.truth(workload, name)
            rows.append(
                [
                    workload,
                    f"`{name}`",
                    told(rates[name]),
                    told(megabytes and megabytes / 1e6, lambda value: f"{value:.2f}"),
                    told(record.rate(workload, name, "documents")),
                    told(single and single.median),
                    told(single and single.high),
                    percent(record.leak(name, workload)),
                    percent(record.leak(name, workload, names=False)),
                    told(truth and truth[ALL]["false"], lambda value: f"{value:.0f}"),
                ]
            )
    head = [
        "workload",
        "engine",
        "characters/s",
        "MB/s",
        "texts/s",
        "p50 ms",
        "p99 ms",
        "left %",
        "without names",
        "false",
    ]
    return table(head, rows).replace("| --- | ---: |", "| --- | --- |", 1)


def types(record: Barometer) -> str:
    """Percent left by type of value, over all workloads."""
    totals: dict[str, dict[str, list[int]]] = {}
    for name in record.detecting:
        for workload in record.workloads:
            for kind, counts in ((record.truth(workload, name) or {}).get("types") or {}).items():
                if counts["gold"]:
                    cell = totals.setdefault(kind, {}).setdefault(name, [0, 0])
                    cell[0] += counts["leaked"]
                    cell[1] += counts["gold"]
    rows = []
    for kind, of in sorted(totals.items(), key=lambda item: -max(gold for _, gold in item[1].values())):
        planted = max(gold for _, gold in of.values())
        rows.append(
            [
                f"`{kind}`",
                f"{planted:,}",
                *(percent(of[n][0] / of[n][1]) if n in of else "–" for n in record.detecting),
            ]
        )
    return table(["type", "planted", *(f"`{name}`" for name in record.detecting)], rows)


def parallel(record: Barometer) -> str:
    """Characters a second by threads and processes."""
    found = {name: ways for name in record.engines if (ways := record.parallel(name))}
    ways = list(dict.fromkeys(way for each in found.values() for way in each))
    heads = [
        f"{count} {kind if count != '1' else kind.removesuffix('es' if kind == 'processes' else 's')}"
        for kind, _, count in (way.rpartition("-") for way in ways)
    ]
    return table(
        ["engine", *heads],
        ([f"`{name}`", *(told(each.get(way)) for way in ways)] for name, each in found.items()),
    )


def versions(record: Barometer) -> str:
    """What was installed."""
    rows = []
    for name in record.engines:
        info = record.versions[name]
        packages = ", ".join(f"{package} {version}" for package, version in info["versions"].items())
        rows.append([f"`{name}`", info["about"], packages or "–"])
    return table(["engine", "how it is set up", "versions"], rows).replace("---:", "---")


TABLES: dict[str, Callable[[Barometer], str]] = {
    "about": about,
    "summary": summary,
    "workloads": workloads,
    "speed": speed,
    "types": types,
    "parallel": parallel,
    "versions": versions,
}


def filled(page: str, record: Barometer) -> str:
    """A page with the tables of a record between its markers; exits on a marker without a table."""

    def fill(found: re.Match[str]) -> str:
        if found[2] not in TABLES:
            raise SystemExit(f"no table {found[2]}; there are: {', '.join(TABLES)}")
        return f"{found[1]}{TABLES[found[2]](record)}\n{found[3]}"

    return MARKER.sub(fill, page)
