"""The worksheet of a finding (审计取证单): what was found, the entries that show it word for word, and room to sign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tallystick.audit.finding import Finding
from tallystick.audit.report.findings import facts_list, finding_facts
from tallystick.audit.report.markup import Html, h, join
from tallystick.audit.report.model import Report
from tallystick.audit.report.sheet import document, foot, in_one_sentence
from tallystick.audit.words import Words


@dataclass(frozen=True, slots=True)
class Exhibit:
    """An entry that shows a finding: what it says, labelled, and who signed it; or, in `gap`, why it is not shown."""

    reference: str
    facts: Sequence[tuple[str, str]] = ()
    gap: str = ""


def worksheet(report: Report, finding: Finding, exhibits: Sequence[Exhibit], language: str) -> str:
    """The worksheet as a page, in a language, `en` or `zh`."""
    words = Words(report.seen.charter, language)
    say = words.say
    title = say("Audit worksheet", "审计取证单")
    return document(
        f"{title} {finding.id}",
        words,
        h("header", h("h1", title), in_one_sentence(report.coverage, words), class_="cover"),
        form(_rows(report, finding, exhibits, words)),
        foot(report, words).html,
    )


def _rows(report: Report, finding: Finding, exhibits: Sequence[Exhibit], words: Words) -> Iterator[tuple[str, Html]]:
    say = words.say
    yield say("number", "编号"), h("td", h("code", finding.id))
    yield say("bureau", "被审计单位"), h("td", whole_name(report, finding.bureau, words))
    yield say("matter", "审计事项"), h("td", f"{words.rule(finding.rule)} ({finding.severity.label(words.language)})")
    yield say("what was found", "审计发现"), h("td", words.sentence(finding))
    yield say("particulars", "具体情况"), h("td", facts_list(finding_facts(finding, report, words)))
    yield say("evidence", "取证材料"), h("td", *(_exhibit(each, words) for each in exhibits))
    yield say("words of the bureau", "被审计单位意见"), h("td", class_="blank")
    yield say("signed for the bureau", "单位签章"), h("td", say("name, seal, day", "签字、盖章、日期"), class_="sign")
    yield say("auditors", "审计人员"), h("td", say("two names, day", "两人签字、日期"), class_="sign")


def _exhibit(exhibit: Exhibit, words: Words) -> Html:
    heading = h("p", h("b", h("span", exhibit.reference, class_="ref")))
    if exhibit.gap:
        return join(
            [heading, h("p", words.say(f"Not shown: {exhibit.gap}.", f"未能出示：{exhibit.gap}。"), class_="gap")]
        )
    proof = words.say("prove it offline: ", "离线证明：")
    return join(
        [
            heading,
            facts_list(exhibit.facts),
            h("p", proof, h("code", f"tally prove {exhibit.reference} -o FILE"), class_="soft"),
        ]
    )


def form(rows: Iterable[tuple[str, Html]]) -> Html:
    """A form: what each box is for, and the box."""
    return h("table", h("tbody", *(h("tr", h("th", label), box) for label, box in rows)), class_="form")


def whole_name(report: Report, bureau: str, words: Words) -> Html:
    """A bureau as a paper names it: its whole name, credit code and id."""
    for known in report.seen.charter.bureau:
        if known.id == bureau:
            name = words.say(known.name.en, known.name.zh)
            return join([name, h("span", f" {known.credit_code} ", class_="soft"), h("code", bureau)])
    return h("code", bureau)
