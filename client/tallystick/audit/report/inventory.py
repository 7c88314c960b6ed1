"""What there is, on a page: systems that are idle, joined to nothing or accepted by nobody; a resource's provenance."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import Final

from tallystick.audit.report.drawing import graph
from tallystick.audit.report.markup import Html, h, join, table
from tallystick.audit.report.model import Report
from tallystick.audit.report.notes import Notes, references
from tallystick.audit.report.provenance import Provenance
from tallystick.audit.report.sheet import Part, caption, section
from tallystick.audit.report.tables import SYSTEM_RULES
from tallystick.audit.words import Words

LINES_MAX: Final = 200


def systems_part(report: Report, words: Words, notes: Notes) -> Part:
    """The stock of systems by bureau, and each that a rule found."""
    say = words.say
    title = say("Idle and island systems", "僵尸系统与孤岛系统")
    said = caption(
        say(
            "Systems registered and not retired, and those of them that a rule found: used by nobody, exchanging "
            "nothing, or in use and accepted by nobody, for as long as the charter says.",
            "已登记且未下线的系统，及其中经规则认定的：无人使用、无数据交换、未经验收即投入使用；期限由章程规则定。",
        )
    )
    if not report.systems:
        return section("systems", title, said, h("p", say("No system is registered.", "无系统登记。")))
    labels = [say("registered", "在册"), say("retired", "已下线"), *map(words.rule, SYSTEM_RULES)]
    rows = []
    for each in report.systems:
        figures = (each.registered, each.retired, *(each.found[rule] for rule in SYSTEM_RULES))
        note = notes.of(f"{words.bureau(each.bureau)} · {say('systems', '系统')}", zip(labels, figures, strict=True))
        rows.append([words.bureau(each.bureau), *map(note.figure, figures), note.mark()])
    header = [say("bureau", "单位"), *labels, ""]
    return section("systems", title, said, table(header, rows, numbers=range(1, 6)), *_lines(report, words))


def _lines(report: Report, words: Words) -> Iterator[Html]:
    say = words.say
    header = say("bureau;system;name;found;last used;run by;entry", "单位;系统;名称;认定;最近使用;运维单位;条目").split(
        ";"
    )
    rows = [
        (
            words.bureau(line.finding.bureau),
            line.system,
            line.name,
            h("a", words.rule(line.finding.rule), href=f"#{line.finding.id}"),
            "–" if line.idle_since is None else words.day(line.idle_since),
            line.operator or "–",
            references(line.finding.references[:2]),
        )
        for line in report.system_lines[:LINES_MAX]
    ]
    if rows:
        yield table(header, rows)
    if len(report.system_lines) > LINES_MAX:
        said = say(f"The first {LINES_MAX}; all by ", f"只列前 {LINES_MAX} 个；全部见 ")
        command = " ".join(["tally audit", *(f"--rule {rule}" for rule in SYSTEM_RULES)])
        yield h("p", said, h("code", f"{command} --on {report.coverage.day.isoformat()}"), class_="soft")


def provenance_part(report: Report, words: Words) -> Part:
    """The graph of one resource, and its versions."""
    say, drawn = words.say, report.provenance
    title = say("Provenance", "数据来源与去向")
    if drawn is None:
        none = say("No version is recorded to be made from another.", "无版本记载来源于其他版本。")
        return section("provenance", title, h("p", none))
    declared = report.seen.catalogue.declarers(drawn.code)
    whose = say(", ", "、").join(map(words.bureau, declared)) or say("declared by nobody", "未编目")
    return section(
        "provenance",
        title,
        h("h3", f"{drawn.code} ({whose})"),
        caption(
            say(
                "Resources whose versions this one's were made from, to its left, and those made of them, to its "
                "right; an arrow says that a version of one was recorded as the source of a version of the other.",
                "左为其版本所源自的信息资源，右为由其衍生的信息资源；箭头表示一方的某版本被记载为另一方某版本的来源。",
            )
        ),
        graph(drawn, words),
        *_versions(drawn, words),
    )


def _versions(drawn: Provenance, words: Words) -> Iterator[Html]:
    say = words.say
    header = say(
        "version;provided by;entry;made from;received;recalled", "版本;提供单位;条目;来源版本;接收条目;撤回条目"
    ).split(";")
    rows = [
        (
            line.name,
            words.bureau(line.bureau),
            references([line.reference]),
            join(line.derived_from, say(", ", "、")) or "–",
            references(line.received) or "–",
            references([line.recalled]) if line.recalled else "–",
        )
        for line in drawn.versions
    ]
    if rows:
        yield table(header, rows)
    cut = []
    if drawn.cut:
        cut.append(say(f"{drawn.cut} resources further away are not drawn", f"另有 {drawn.cut} 个较远的信息资源未绘出"))
    if drawn.versions_cut:
        cut.append(say(f"{drawn.versions_cut} versions are not listed", f"另有 {drawn.versions_cut} 个版本未列出"))
    if cut:
        yield h("p", say("; ", "；").join(cut), class_="soft")
    if cut and drawn.versions:
        # Quoted as a shell reads it: a code may hold what one would run.
        one = h("code", f"tally trace {quote(drawn.versions[0].name)}")
        yield h("p", say("One version's whole chain: ", "某一版本的完整链条："), one, class_="soft")
