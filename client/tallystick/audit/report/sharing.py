"""Sharing on a page: ratios, sharing classes, and how long answers took, bureau by bureau."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tallystick.audit.report.drawing import bar, legend
from tallystick.audit.report.markup import Html, h, join, table
from tallystick.audit.report.model import Report
from tallystick.audit.report.notes import Notes
from tallystick.audit.report.ratios import RATIOS, RatioName, has_deadline
from tallystick.audit.report.sheet import Part, caption, section
from tallystick.audit.report.watched import Fate
from tallystick.audit.words import Words

_CLASS_NAMES: Final = {
    "unconditional": ("unconditional", "无条件共享"),
    "conditional": ("conditional", "有条件共享"),
    "withheld": ("withheld", "不予共享"),
}


def ratios_part(report: Report, words: Words, notes: Notes) -> Part:
    """Every ratio of every bureau, as a share and as a part of a whole."""
    say = words.say
    header = [say("bureau", "单位"), *(say(name.en, name.zh) for name in RATIOS)]
    rows = [
        [_name(bureau, words), *(ratio_cell(name, bureau, report, words, notes) for name in RATIOS)]
        for bureau in [*report.bureaus, ""]
    ]
    counts = h(
        "ul", *(h("li", h("b", say(name.en, name.zh)), ": ", say(name.counts_en, name.counts_zh)) for name in RATIOS)
    )
    none = say(
        "Where the whole is 0, or the rulebook sets no deadline, a ratio has no basis and says so.",
        "分母为零，或规则未设期限的，无从计算，如实注明。",
    )
    return section(
        "ratios",
        say("Ratios", "指标"),
        table(header, rows, numbers=range(1, 7)),
        h("div", counts, h("p", none), class_="caption"),
    )


def _name(bureau: str, words: Words) -> str:
    return words.bureau(bureau) if bureau else h("b", words.say("all", "合计"))


def ratio_cell(name: RatioName, bureau: str, report: Report, words: Words, notes: Notes) -> Html:
    """A share, and the part of the whole it is, leading to what was counted and what was not; or why there is none."""
    say, ratio = words.say, report.ratios[name.id][bureau]
    if not ratio.text:
        none = say("no deadline set", "未设期限") if ratio.unset else say("no basis", "无基数")
        return h("span", none, class_="soft")
    whose = words.bureau(bureau) if bureau else say("all bureaus", "各单位合计")
    lines = [(say(*name.part), ratio.part), (say(*name.rest), ratio.rest)]
    note = notes.of(f"{whose} · {say(name.en, name.zh)}", lines)
    part = note.lead(f"{ratio.part.count:,}/{ratio.whole:,}")
    return join([ratio.text, h("br"), part, " ", note.mark()])


def classes_part(report: Report, words: Words, notes: Notes) -> Part:
    """What every bureau declares, by sharing class."""
    say = words.say
    labels = [say(*label) for label in _CLASS_NAMES.values()]
    title = say("Sharing classes", "共享属性")
    said = caption(
        say(
            "Resources declared and not withdrawn, by how their bureau says it shares them; apart from that, those "
            "open to the public.",
            "已编目且未撤销的信息资源，按单位所列共享属性计；“向社会开放”另计。",
        )
    )
    if not report.sharing:
        return section("sharing", title, said, h("p", say("Nobody declares anything.", "无编目。")))
    rows = []
    for each in report.sharing:
        public = say("public", "向社会开放")
        lines = [*((say(*_CLASS_NAMES[id_]), figure) for id_, figure in each.classes.items()), (public, each.public)]
        note = notes.of(f"{words.bureau(each.bureau)} · {title}", lines)
        parts = [(label, each.classes[id_].count) for label, id_ in zip(labels, _CLASS_NAMES, strict=True)]
        figures = [note.figure(each.classes[id_]) for id_ in _CLASS_NAMES]
        rows.append(
            [
                words.bureau(each.bureau),
                bar(parts),
                *figures,
                f"{each.declared:,}",
                note.figure(each.public),
                note.mark(),
            ]
        )
    header = [say("bureau", "单位"), "", *labels, say("declared", "编目合计"), say("public", "向社会开放"), ""]
    return section("sharing", title, said, legend(labels), table(header, rows, numbers=(2, 3, 4, 5, 6)))


def times_part(report: Report, words: Words, notes: Notes) -> Part:
    """How every bureau dealt with what it owed."""
    say = words.say
    title = say("Response times", "办理时效")
    said = caption(
        say(
            "What each bureau owed others, by what became of it until the day judged; the average is of working days "
            "until the answer, of those that were answered.",
            "各单位应办事项，按截止日的办理情况计；平均用时为已答复事项自受理次日起的工作日数。",
        )
    )
    if not report.dealings:
        return section("times", title, said, h("p", say("Nobody owed anybody anything.", "无应办事项。")))
    labels = [fate.label(words.language) for fate in Fate]
    header = [say("bureau", "单位"), say("owed", "应办事项"), "", *labels, say("average", "平均用时"), ""]
    return section(
        "times", title, said, legend(labels), table(header, _times(report, words, notes), numbers=range(3, 8))
    )


def _times(report: Report, words: Words, notes: Notes) -> Iterator[list[str]]:
    say = words.say
    before = ""
    for each in report.dealings:
        owed = say(*OWED[each.rule])
        note = notes.of(
            f"{words.bureau(each.bureau)} · {owed}", [(fate.label(words.language), each.fates[fate]) for fate in Fate]
        )
        timed = has_deadline(each.rule, report.seen.rulebook)
        shown = owed if timed else join([owed, " ", h("span", say("(no deadline set)", "（未设期限）"), class_="soft")])
        yield [
            h("span", words.bureau(each.bureau), class_="again" if each.bureau == before else None),
            shown,
            bar([(fate.label(words.language), each.fates[fate].count) for fate in Fate]),
            *(note.figure(each.fates[fate]) for fate in Fate),
            each.average or "–",
            note.mark(),
        ]
        before = each.bureau


OWED: Final = {
    "request-overdue": ("answer to a request", "答复共享申请"),
    "granted-not-served": ("serving a grant", "按同意提供数据"),
    "sent-not-received": ("acknowledging a delivery", "签收所发数据"),
    "dispute-overdue": ("answer to a concern", "答复疑义"),
    "recall-unheeded": ("heeding a recall", "处置撤回通知"),
    "derived-not-corrected": ("correcting what was derived", "更正衍生数据"),
    "duty-unaccepted": ("accepting a duty", "认领责任"),
    "stale-resource": ("promised update", "按周期更新"),
}
"""What is owed under each obligation, by its rule."""
