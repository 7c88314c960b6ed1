"""Findings on a page: how many of what weight, by rule and by bureau, what became of those before, and each in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tallystick.audit.earlier import OldFinding
from tallystick.audit.finding import Finding
from tallystick.audit.life import Life
from tallystick.audit.report.markup import Html, h, join, table
from tallystick.audit.report.model import Group, Report
from tallystick.audit.report.notes import references
from tallystick.audit.report.sheet import Part, caption, section
from tallystick.audit.report.tables import ordered
from tallystick.audit.rulebook import Severity
from tallystick.audit.words import Words
from tallystick.core.kinds import enum_label
from tallystick_proto.v1.statement_pb2 import ConcernAnswered

GROUP_SHOWN_MAX: Final = 200
REFERENCES_SHOWN_MAX: Final = 12
_WORST_FIRST: Final = tuple(sorted(Severity, reverse=True))
_OUTCOME: Final = ConcernAnswered.Outcome.DESCRIPTOR


def counts(report: Report, words: Words) -> Html:
    """How many findings there are of each weight, each count leading to the first of them."""
    counted = Counter(finding.severity for finding in report.findings)
    items = []
    for severity in _WORST_FIRST:
        number = h("b", f"{counted[severity]:,}", class_=severity.label("en") if counted[severity] else "none")
        lead = h("a", number, href=f"#{severity.label('en')}") if counted[severity] else number
        items.append(h("li", lead, severity.label(words.language)))
    return h("ul", *items, class_="counts")


def findings_part(report: Report, words: Words) -> Part:
    """Everything about findings."""
    say = words.say
    title = say("Findings", "审计问题")
    if not report.findings:
        none = say("No rule found anything within the coverage.", "核查范围内，各规则均未发现问题。")
        return section("findings", title, h("p", none), *_lives(report, words))
    return section(
        "findings",
        title,
        caption(
            say(
                "What the rules found, by what the charter weighs it. Each says how far it is proven; "
                "absence holds within the coverage only.",
                "各规则所见，轻重由章程规则定。每条载明证明程度；凡称“无记录”，仅就核查范围而言。",
            )
        ),
        _by_rule(report, words),
        _by_bureau(report, words),
        *_lives(report, words),
    )


def each_part(report: Report, words: Words) -> Part:
    """Every finding, by weight, bureau and rule."""
    title = words.say("Every finding", "问题明细")
    if not report.findings:
        return section("each", title, h("p", words.say("None.", "无。")))
    said = words.say(
        "Below each sentence: the entries that show it, the day it arose, and the id it keeps from audit to audit.",
        "各条之下依次为：所据条目、发生日、编号（历次审计不变）。",
    )
    return section("each", title, caption(said), *_listed(report, words))


def _by_rule(report: Report, words: Words) -> Html:
    say = words.say
    by_rule: dict[tuple[int, str], list[Group]] = {}
    for group in report.groups():
        by_rule.setdefault((-group.severity, group.rule), []).append(group)
    rows = []
    for (_, rule), groups in sorted(by_rule.items()):
        each = (
            join([words.bureau(group.bureau), " ", h("a", f"{len(group.findings):,}", href=f"#{_anchor(group)}")])
            for group in groups
        )
        total = sum(len(group.findings) for group in groups)
        rows.append((words.rule(rule), weight(groups[0].severity, words), f"{total:,}", join(each, say(", ", "，"))))
    return table(say("rule;weight;findings;by bureau", "规则;程度;问题数;按单位").split(";"), rows, numbers=(2,))


def _by_bureau(report: Report, words: Words) -> Html:
    counted = Counter((finding.bureau, finding.severity) for finding in report.findings)
    first = {(group.bureau, group.severity): _anchor(group) for group in reversed(report.groups())}
    header = [
        words.say("bureau", "单位"),
        *(each.label(words.language) for each in _WORST_FIRST),
        words.say("all", "合计"),
    ]

    def cell(bureau: str, severity: Severity) -> str:
        number = counted[bureau, severity]
        return h("a", f"{number:,}", href=f"#{first[bureau, severity]}") if number else h("span", "0", class_="none")

    rows = []
    for bureau in ordered((finding.bureau for finding in report.findings), report.seen):
        total = sum(counted[bureau, severity] for severity in Severity)
        rows.append((words.bureau(bureau), *(cell(bureau, each) for each in _WORST_FIRST), f"{total:,}"))
    return table(header, rows, numbers=(1, 2, 3, 4))


def _lives(report: Report, words: Words) -> Iterator[Html]:
    """What became of the findings of the earlier audit."""
    lives, say = report.lives, words.say
    if lives is None:
        return
    counted = Counter(lives.of(finding) for finding in report.findings)
    counted |= Counter({Life.CLOSED: len(lives.closed), Life.UNJUDGED: len(lives.unjudged)})
    day = words.day(lives.day)
    yield h("h3", say(f"Since the audit as of {day}", f"较截至{day}的审计"))
    header = say("what became of them;findings", "整改情况;问题数").split(";")
    yield table(header, [(life.label(words.language), f"{counted[life]:,}") for life in Life], numbers=(1,))
    for life, gone in ((Life.CLOSED, lives.closed), (Life.UNJUDGED, lives.unjudged)):
        if gone:
            yield h("h3", life.label(words.language))
            yield table(
                say("bureau;rule;finding;last found;was", "单位;规则;编号;最近发现于;原问题").split(";"),
                [_gone(old, words) for old in gone[:GROUP_SHOWN_MAX]],
            )
            if len(gone) > GROUP_SHOWN_MAX:
                yield _cut(len(gone), "tally audit --since-report FILE", words)


def _gone(old: OldFinding, words: Words) -> tuple[str, ...]:
    said = old.sentence.get(words.language) or " ".join(old.references)
    found = "" if old.found is None else words.day(old.found)
    return words.bureau(old.bureau), words.rule(old.rule), h("code", old.id, class_="id"), found, said


def _listed(report: Report, words: Words) -> Iterator[Html]:
    """Every finding, group by group, up to so many of a group."""
    severity = None
    for group in report.groups():
        first, severity = group.severity is not severity, group.severity
        title = f" {words.rule(group.rule)} · {words.bureau(group.bureau)} ({len(group.findings):,})"
        heading = h("h3", weight(group.severity, words), title, id=_anchor(group))
        yield h("div", heading, id=group.severity.label("en")) if first else heading
        citation = report.seen.rulebook.citation(group.rule, words.language)
        if citation:
            yield caption(words.say(f"Under: {citation}", f"法规依据：{citation}"))
        yield from (finding_entry(finding, report, words) for finding in group.findings[:GROUP_SHOWN_MAX])
        if len(group.findings) > GROUP_SHOWN_MAX:
            day = report.coverage.day.isoformat()
            command = f"tally audit --rule {group.rule} --bureau {group.bureau} --on {day}"
            yield _cut(len(group.findings), command, words)


def _cut(count: int, command: str, words: Words) -> Html:
    said = words.say(
        f"The first {GROUP_SHOWN_MAX} of {count:,}; all by ", f"只列前 {GROUP_SHOWN_MAX} 项，共 {count:,} 项；全部见 "
    )
    return h("p", said, h("code", command), class_="soft")


def finding_entry(finding: Finding, report: Report, words: Words) -> Html:
    """One finding: its sentence, and on a line below what shows it, when it arose, its id, and its life."""
    parts = [shown_by(finding.references, words)]
    if finding.at_us:
        parts.append(h("span", words.day(report.seen.rulebook.calendar.day_of(finding.at_us))))
    parts.append(h("a", finding.id, href=f"#{finding.id}", class_="id"))
    answered = answers(finding, report, words)
    if answered:
        parts.append(h("span", words.say("answered: ", "已答复："), answered))
    if report.lives is not None:
        parts.append(h("b", report.lives.of(finding).label(words.language)))
    said = h("p", words.sentence(finding), class_="said")
    return h("article", said, h("p", *parts, class_="beside"), class_="finding", id=finding.id)


def finding_facts(finding: Finding, report: Report, words: Words) -> Iterator[tuple[str, str]]:
    """What stands beside a finding's sentence, labelled: entries, when it arose, the law, what the bureau answered."""
    say, seen = words.say, report.seen
    yield say("shown by", "所据条目"), shown_by(finding.references, words)
    if finding.at_us:
        yield say("arose", "发生日"), words.day(seen.rulebook.calendar.day_of(finding.at_us))
    citation = seen.rulebook.citation(finding.rule, words.language)
    if citation:
        yield say("under", "法规依据"), citation
    answered = answers(finding, report, words)
    if answered:
        yield say("answered", "单位答复"), answered


def answers(finding: Finding, report: Report, words: Words) -> Html:
    """What the bureau answered to a finding, and where; nothing where it did not."""
    said = (
        join([enum_label(_OUTCOME, answer.outcome, words.language), " ", references([answer.reference])])
        for answer in report.seen.answers.to(finding.id, finding.bureau)
    )
    return join(said, words.say(", ", "，"))


def shown_by(some: Sequence[str], words: Words) -> Html:
    """References, up to so many."""
    more = len(some) - REFERENCES_SHOWN_MAX
    cut = (
        words.say(f" and {more:,} more, in the CSV and JSON", f" 等 {len(some):,} 条，余见 CSV、JSON")
        if more > 0
        else ""
    )
    return h("span", references(some[:REFERENCES_SHOWN_MAX]), cut)


def facts_list(facts: Iterable[tuple[str, str]]) -> Html:
    """Labels and what they say."""
    return h("dl", *(part for label, said in facts for part in (h("dt", label), h("dd", said))), class_="facts")


def weight(severity: Severity, words: Words) -> Html:
    """A severity as a word."""
    return h("b", severity.label(words.language), class_=f"weight {severity.label('en')}")


def _anchor(group: Group) -> str:
    return f"f-{group.bureau}-{group.rule}"
