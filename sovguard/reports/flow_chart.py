"""The drawing of what went where: bands from providers over laws to regions, as wide as the requests are many."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sovguard.reports.drawing import Label, clip, drawing, name_label, place_label
from sovguard.reports.markup import Html, joined, tag
from sovguard.reports.reading import side
from sovguard.reports.rows import Flow
from sovguard.reports.words import plainly, said

OTHERS = "\0others"
_SHOWN = 10
_COLUMNS = (210, 445, 690)
_BAR, _HEIGHT, _LEAST, _SLOT, _GAP, _TOP = 14, 250, 1.5, 18.0, 9, 34
_SIDES = ("own", "home", "abroad", "unknown")
_LABELED = (202, 223, 248)


@dataclass(slots=True)
class _Node:
    """One name in a column: where it stands, and how far its bands have been laid from its top on either side."""

    name: str
    side: str
    requests: int = 0
    height: float = 0.0
    top: float = 0.0
    left: float = 0.0
    right: float = 0.0


def flow_chart(flows: Sequence[Flow]) -> Html:
    """Return the drawing."""
    bands, columns = _gathered(flows)
    total = sum(flow.requests for flow in flows)
    scale = _HEIGHT / max(1, total)
    for place, column in enumerate(columns):
        for (before, name), count in _links(bands, place):
            width = max(_LEAST, count * scale)
            columns[place - 1][before].right += width
            column[name].left += width
    for column in columns:
        for node in column.values():
            node.height, node.left, node.right = max(node.left, node.right), 0.0, 0.0
    tall = max(_stack(column.values()) for column in columns)
    for column in columns:
        _shift(column.values(), (tall - _stack(column.values())) / 2)
    drawn = [
        _band(*each, columns, scale) for place in (1, 2) for each in _sorted_links(bands, columns, place)
    ]
    heads = (("provider", 0), ("jurisdiction", 1), ("region", 2))
    titles = [
        tag(
            "text",
            said("column", key, in_svg=True),
            x=_COLUMNS[place] + _BAR / 2,
            y=14.0,
            class_="head middle",
        )
        for key, place in heads
    ]
    nodes = [_drawn(node, place, total) for place, column in enumerate(columns) for node in column.values()]
    return drawing(
        plainly("flows", "chart"), plainly("flows", "chart_desc"), tall + _TOP + 8, (*drawn, *titles, *nodes)
    )


_Bands = Counter[tuple[str, str, str]]
_Columns = Sequence[dict[str, _Node]]


def _gathered(flows: Sequence[Flow]) -> tuple[_Bands, _Columns]:
    """Return the bands, with the names that few requests go by put together, and the nodes in the order they are drawn."""
    getters: tuple[Callable[[Flow], str], ...] = (
        lambda flow: flow.provider,
        lambda flow: flow.jurisdiction,
        lambda flow: flow.region,
    )
    shown = []
    for get in getters:
        counted: Counter[str] = Counter()
        for flow in flows:
            counted[get(flow)] += flow.requests
        kept = sorted(counted, key=lambda name: (-counted[name], name))
        shown.append(set(kept if len(kept) <= _SHOWN else kept[: _SHOWN - 1]))
    bands: _Bands = Counter()
    sides: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for flow in flows:
        names = [
            name if name in shown[place] else OTHERS
            for place, name in enumerate(get(flow) for get in getters)
        ]
        bands[names[0], names[1], names[2]] += flow.requests
        # A provider is as far away as its law. What was put together is as far away as the most of it.
        for place, where in enumerate((flow.jurisdiction, flow.jurisdiction, flow.region)):
            sides[place, names[place]][side(where)] += flow.requests
    columns: list[dict[str, _Node]] = [{}, {}, {}]
    for names_of, count in bands.items():
        for place, name in enumerate(names_of):
            of = sides[place, name]
            node = columns[place].setdefault(name, _Node(name, max(_SIDES, key=lambda each: of[each])))
            node.requests += count
    ordered = [
        dict(
            sorted(
                column.items(),
                key=lambda each: (_SIDES.index(each[1].side), each[0] == OTHERS, -each[1].requests, each[0]),
            )
        )
        for column in columns
    ]
    return bands, ordered


def _links(bands: _Bands, place: int) -> Iterable[tuple[tuple[str, str], int]]:
    """Return the bands between a column and the one before it; none for the first."""
    if not place:
        return ()
    links: Counter[tuple[str, str]] = Counter()
    for names, count in bands.items():
        links[names[place - 1], names[place]] += count
    return links.items()


def _sorted_links(bands: _Bands, columns: _Columns, place: int) -> list[tuple[str, str, int, int]]:
    """Return them from top to bottom, so that few cross."""
    rows = [{name: row for row, name in enumerate(column)} for column in columns]
    return [
        (before, name, count, place)
        for (before, name), count in sorted(
            _links(bands, place),
            key=lambda each: (rows[place - 1][each[0][0]], rows[place][each[0][1]]),
        )
    ]


def _stack(nodes: Iterable[_Node]) -> float:
    """Put the nodes of a column below one another, each with room for its label; return how tall they are."""
    y = 0.0
    for node in nodes:
        slot = max(node.height, _SLOT)
        node.top = _TOP + y + (slot - node.height) / 2
        y += slot + _GAP
    return y - _GAP


def _shift(nodes: Iterable[_Node], by: float) -> None:
    for node in nodes:
        node.top += by


def _band(before: str, name: str, count: int, place: int, columns: _Columns, scale: float) -> Html:
    start, end = columns[place - 1][before], columns[place][name]
    width = max(_LEAST, count * scale)
    y1, y2 = start.top + start.right + width / 2, end.top + end.left + width / 2
    start.right += width
    end.left += width
    x1, x2 = _COLUMNS[place - 1] + _BAR, _COLUMNS[place]
    middle = (x1 + x2) / 2
    path = f"M{x1} {y1:.1f}C{middle} {y1:.1f} {middle} {y2:.1f} {x2} {y2:.1f}"
    told = f"{_called(start, place - 1).plain} → {_called(end, place).plain}: {count:,}"
    return tag(
        "path",
        tag("title", told),
        d=path,
        stroke_width=round(width, 2),
        class_=f"band s-{_farther(start.side, end.side)}",
    )


def _farther(one: str, other: str) -> str:
    """Return the side of a band: a region in Korea under foreign law is not at home."""
    ranked = ("abroad", "unknown", "home", "own")
    return min(one, other, key=ranked.index)


def _called(node: _Node, place: int) -> Label:
    if node.name == OTHERS:
        return Label(said("page", "others", in_svg=True), plainly("page", "others"))
    return name_label(node.name) if place == 0 else place_label(node.name)


def _drawn(node: _Node, place: int, total: int) -> Html:
    called = _called(node, place)
    x, y = _COLUMNS[place], node.top + node.height / 2 + 4.5
    count = f"{node.requests:,} ({node.requests / total:.0%})" if total else "0"
    at = (x - 8, "end") if place == 0 else (x + _BAR + 8, "start")
    shown = clip(called, _LABELED[place])
    label = tag(
        "text",
        joined((shown, tag("tspan", f"  {count}", class_="count"))),
        x=at[0],
        y=y,
        class_=f"label {at[1]}",
    )
    bar = tag(
        "rect",
        tag("title", f"{called.plain}: {count}"),
        x=x,
        y=node.top,
        width=_BAR,
        height=node.height,
        class_=f"node s-{node.side}",
    )
    return joined((bar, label))
