"""Drawings in SVG: a bar that divides a whole, and the graph of a resource's provenance.

They carry no meaning that the tables beside them do not carry in words. Bars are told apart by lightness on paper.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from tallystick.audit.report.markup import Html, h
from tallystick.audit.report.provenance import Node, Provenance
from tallystick.audit.words import Words
from tallystick.core.safe_text import sanitise

_BOX = (172, 60)
_GAP = (44, 16)
_MARGIN = 6
_COLUMNS_MAX = 23  # what fits a box at 12 px, a Chinese character being two


def bar(parts: Sequence[tuple[str, int]]) -> Html:
    """A whole divided: what each part is called, and how large it is. Nothing where the whole is 0."""
    whole = sum(size for _, size in parts)
    if not whole:
        return Html("")
    drawn: list[Html] = []
    begin = 0
    for shade, (label, size) in enumerate(parts):
        left, begin = 1000 * begin // whole, begin + size
        if size:
            width = max(4, 1000 * begin // whole - left)
            drawn.append(h("rect", h("title", f"{label} {size:,}"), x=left, width=width, height=8, class_=f"s{shade}"))
    said = ", ".join(f"{label} {size:,}" for label, size in parts)
    return h("svg", *drawn, class_="bar", viewBox="0 0 1000 8", preserveAspectRatio="none", role="img", aria_label=said)


def legend(labels: Iterable[str]) -> Html:
    """What the shades of bars stand for."""
    return h(
        "div",
        *(
            h("span", h("svg", h("rect", width=8, height=8, class_=f"s{shade}"), viewBox="0 0 8 8"), label)
            for shade, label in enumerate(labels)
        ),
        class_="legend",
    )


def graph(drawn: Provenance, words: Words) -> Html:
    """The graph from left to right: sources, the resource, what was made of it."""
    places = _places(drawn.nodes)
    width = max(x for x, _ in places.values()) + _BOX[0] + _MARGIN
    height = max(y for _, y in places.values()) + _BOX[1] + _MARGIN
    edges = [_edge(places[begin], places[end], count) for (begin, end), count in drawn.edges.items()]
    boxes = [_box(node, *places[node.code], words, own=node.code == drawn.code) for node in drawn.nodes]
    label = words.say(f"provenance of {drawn.code}", f"{drawn.code} 的数据来源与去向")
    picture = h(
        "svg", *edges, *boxes, viewBox=f"0 0 {width} {height}", width=width, height=height, role="img", aria_label=label
    )
    return h("div", picture, class_="wide graph")


def _places(nodes: Sequence[Node]) -> Mapping[str, tuple[int, int]]:
    """Where each box's corner stands: a column for each depth, each column centred on the tallest."""
    columns: dict[int, list[Node]] = {}
    for node in nodes:
        columns.setdefault(node.depth, []).append(node)
    tallest = max(map(len, columns.values()))
    step_x, step_y = _BOX[0] + _GAP[0], _BOX[1] + _GAP[1]
    places = {}
    for column, depth in enumerate(sorted(columns)):
        top = _MARGIN + (tallest - len(columns[depth])) * step_y // 2
        for row, node in enumerate(columns[depth]):
            places[node.code] = _MARGIN + column * step_x, top + row * step_y
    return places


def _edge(begin: tuple[int, int], end: tuple[int, int], count: int) -> Html:
    """An arrow from the right of one box to the left of another; how many versions it stands for beside its tip."""
    x, y = begin[0] + _BOX[0], begin[1] + _BOX[1] // 2
    to_x, to_y = end[0], end[1] + _BOX[1] // 2
    bend = max(_GAP[0] // 2, abs(to_x - x) // 2)
    line = h("path", d=f"M{x} {y} C{x + bend} {y} {to_x - bend} {to_y} {to_x - 7} {to_y}")
    tip = h("path", d=f"M{to_x} {to_y} l-8 -4 v8 z", class_="tip")
    times = [h("text", f"×{count}", x=to_x - 12, y=to_y - 6, text_anchor="end", class_="small")] if count > 1 else []
    return h("g", line, tip, *times)


def _box(node: Node, x: int, y: int, words: Words, *, own: bool) -> Html:
    say = words.say
    lines = [fitted(node.code), fitted(node.title or words.bureau(node.bureau))]
    if not node.known:
        lines[1:] = [say("not in the coverage", "核查范围内未见")]
    else:
        versions = say(f"{node.versions} version{'s' * (node.versions != 1)}", f"{node.versions} 个版本")
        holders = say(f", held by {len(node.holders)}", f"，{len(node.holders)} 个单位持有") if node.holders else ""
        lines.append(versions + holders)
    recalled = say(f"{node.recalled} recalled", f"{node.recalled} 个已撤回") if node.recalled else ""
    said = [
        h("text", line, x=x + 10, y=y + 19 + 16 * row, class_="small" if row else None)
        for row, line in enumerate(lines)
    ]
    if recalled:
        said.append(h("text", recalled, x=x + _BOX[0] - 8, y=y + 19, text_anchor="end", class_="small bad"))
    whole = h("title", f"{node.code} {node.title}".strip())
    frame = h("rect", x=x, y=y, width=_BOX[0], height=_BOX[1], rx=3, class_="box")
    return h("g", whole, frame, *said, class_="own" if own else None if node.known else "unknown")


def fitted(said: str, columns: int = _COLUMNS_MAX) -> str:
    """As much of a text as fits so many columns, a wide character being two; an ellipsis where it was cut."""
    used, said = 0, sanitise(said)
    for position, character in enumerate(said):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > columns:
            return said[: max(0, position - 1)] + "…"
    return said
