"""What moved, on a page: the matrix of exchanges between bureaus, pair by pair, and what each gave and took."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tallystick.audit.report.markup import Html, h, table
from tallystick.audit.report.model import Report
from tallystick.audit.report.notes import Notes
from tallystick.audit.report.sheet import Part, caption, section
from tallystick.audit.report.tables import Pair, ordered
from tallystick.audit.words import Words

MATRIX_MAX: Final = 16
PAIRS_MAX: Final = 240
BALANCES_MAX: Final = 240
_HEAT_MAX: Final = 45  # percent: text must stay legible on it


def exchanges_part(report: Report, words: Words, notes: Notes) -> Part:
    """Matrix and pairs."""
    say = words.say
    title = say("Exchanges between bureaus", "单位间数据交换")
    if not report.pairs:
        return section("exchanges", title, h("p", say("No exchange is recorded.", "无数据交换记录。")))
    return section(
        "exchanges",
        title,
        caption(
            say(
                "Exchanges that either side recorded, from the bureau of the row to that of the column; a count "
                "leads to its pair below.",
                "任一方有记录的交换数，行为发送单位，列为接收单位；数字链接到下表相应一行。",
            )
        ),
        *_matrix(report, words),
        h("h3", say("Pair by pair", "逐对明细")),
        caption(
            say(
                "Matched: both halves are there, and some of those differ. One half only: the other is not in the "
                "coverage, which proves nothing of who is right. Failed: said to have failed by either side.",
                "双方均有：收发两方皆有记录，其中可有内容不符；仅一方：核查范围内未见另一方记录，不证明孰是孰非；失败：任一方记为失败。",
            )
        ),
        _pairs(report, words, notes),
        *_cut(len(report.pairs) - PAIRS_MAX, PAIRS_MAX, ("pairs", "对"), words),
    )


def _matrix(report: Report, words: Words) -> list[Html]:
    say = words.say
    moved: Counter[str] = Counter()
    for pair in report.pairs:
        moved[pair.sender] += pair.count
        moved[pair.receiver] += pair.count
    known = {bureau.id for bureau in report.seen.charter.bureau}
    busiest = sorted(moved, key=lambda bureau: (bureau not in known, -moved[bureau], bureau))[:MATRIX_MAX]
    bureaus = ordered(busiest, report.seen)
    by_ends = {(pair.sender, pair.receiver): pair for pair in report.pairs}
    most = max(pair.count for pair in report.pairs)
    shown = {(pair.sender, pair.receiver) for pair in report.pairs[:PAIRS_MAX]}

    def cell(sender: str, receiver: str) -> Html:
        pair = by_ends.get((sender, receiver))
        if pair is None or not pair.count:
            return h("td", "", class_="n")
        heat = max(4, _HEAT_MAX * pair.count // most)
        lead = f"#{_anchor(pair)}" if (sender, receiver) in shown else None
        return h(
            "td", h("a", f"{pair.count:,}", href=lead), class_="n", style=f"background: rgba(var(--heat), .{heat:02d})"
        )

    head = h("tr", h("th", say("from \\ to", "发送 \\ 接收")), *(h("th", words.bureau(each)) for each in bureaus))
    rows = [h("tr", h("td", words.bureau(row)), *(cell(row, column) for column in bureaus)) for row in bureaus]
    drawn = [h("div", h("table", h("thead", head), h("tbody", *rows), class_="matrix"), class_="wide")]
    if len(moved) > MATRIX_MAX:
        drawn.append(
            caption(
                say(
                    f"The {MATRIX_MAX} bureaus that exchanged most, those of the charter first, of {len(moved)}; the "
                    "others stand in the pairs.",
                    f"只列交换最多的 {MATRIX_MAX} 个单位（章程所列单位优先），共 {len(moved)} 个；其余见逐对明细。",
                )
            )
        )
    return drawn


def _pairs(report: Report, words: Words, notes: Notes) -> Html:
    say = words.say
    labels = say(
        "matched;of those differing;sent only;received only;failed", "双方均有;其中不符;仅发送方;仅接收方;失败"
    ).split(";")
    rows = []
    for pair in report.pairs[:PAIRS_MAX]:
        figures = (pair.matched, pair.differing, pair.sent_only, pair.received_only, pair.failed)
        ends = f"{words.bureau(pair.sender)} → {words.bureau(pair.receiver)}"
        note = notes.of(ends, zip(labels, figures, strict=True))
        rows.append([h("span", ends, id=_anchor(pair)), *map(note.figure, figures), note.mark()])
    return table([say("from → to", "发送 → 接收"), *labels, ""], rows, numbers=range(1, 6))


def _cut(more: int, shown: int, of: tuple[str, str], words: Words) -> list[Html]:
    if more <= 0:
        return []
    en, zh = of
    said = words.say(f"The first {shown} {en}; {more:,} more by ", f"只列前 {shown} {zh}，余 {more:,} {zh}见 ")
    return [h("p", said, h("code", "tally report --format json"), class_="soft")]


def balance_part(report: Report, words: Words, notes: Notes) -> Part:
    """What each bureau gave and took."""
    say = words.say
    title = say("Gave and took", "供给与获取")
    labels = say("sent;received;granted to others;granted by others", "发送次数;接收次数;同意他方;获他方同意").split(
        ";"
    )
    rows = []
    for each in report.gave_and_took[:BALANCES_MAX]:
        figures = (each.gave, each.took, each.granted, each.obtained)
        note = notes.of(f"{words.bureau(each.bureau)} · {title}", zip(labels, figures, strict=True))
        rows.append([words.bureau(each.bureau), *map(note.figure, figures), note.mark()])
    said = say(
        "Exchanges that each bureau is recorded to have sent and received, by either side's word, and the grants it "
        "gave and was given, ended or not.",
        "各单位发送、接收的交换次数（以任一方记录为准），及其同意他方、获他方同意共享的件数（含已终止）。",
    )
    shown = table([say("bureau", "单位"), *labels, ""], rows, numbers=range(1, 5))
    cut = _cut(len(report.gave_and_took) - BALANCES_MAX, BALANCES_MAX, ("bureaus", "个单位"), words)
    return section("balance", title, caption(said), shown, *cut)


def _anchor(pair: Pair) -> str:
    return f"p-{pair.sender}--{pair.receiver}"
