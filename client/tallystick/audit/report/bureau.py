"""The page of one bureau (整改清单): what it answers for, with room for what it does about each; and its figures."""

from __future__ import annotations

from collections.abc import Iterator

from tallystick.audit.covered import closed, suspended
from tallystick.audit.finding import Finding
from tallystick.audit.report.findings import facts_list, finding_facts, weight
from tallystick.audit.report.markup import Html, h, join, table
from tallystick.audit.report.model import Report
from tallystick.audit.report.notes import Notes
from tallystick.audit.report.ratios import RATIOS
from tallystick.audit.report.sharing import ratio_cell
from tallystick.audit.report.sheet import Part, caption, document, foot, in_one_sentence, section
from tallystick.audit.report.worksheet import form, whole_name
from tallystick.audit.words import Words


def bureau_page(report: Report, bureau: str, language: str) -> str:
    """The page as HTML, in a language, `en` or `zh`."""
    words = Words(report.seen.charter, language)
    say, notes = words.say, Notes(words)
    title = say("What is to be put right", "整改清单")
    cover = h(
        "header",
        h("h1", title),
        h("p", whole_name(report, bureau, words), class_="said"),
        in_one_sentence(report.coverage, words),
        *(
            h("p", closed(words, closing, report.coverage), class_="said")
            for closing in report.coverage.closings
            if closing.bureau == bureau
        ),
        *(
            h("p", suspended(words, suspension), class_="said")
            for suspension in report.coverage.suspensions
            if suspension.bureau == bureau
        ),
        class_="cover",
    )
    parts = [_ratios(report, bureau, words, notes), _findings(report, bureau, words), _signatures(words)]
    parts.append(section("references", say("Entries behind the figures", "数字所据条目"), notes.section()))
    parts.append(foot(report, words))
    return document(f"{title} {bureau}", words, cover, *(part.html for part in parts))


def _ratios(report: Report, bureau: str, words: Words, notes: Notes) -> Part:
    say = words.say
    header = say("ratio;share;what it counts", "指标;占比;口径").split(";")
    rows = [
        (say(name.en, name.zh), ratio_cell(name, bureau, report, words, notes), say(name.counts_en, name.counts_zh))
        for name in RATIOS
    ]
    return section("ratios", say("Ratios", "指标"), table(header, rows, numbers=(1,)))


def _findings(report: Report, bureau: str, words: Words) -> Part:
    say = words.say
    title = say("Findings", "问题清单")
    found = report.of_bureau(bureau)
    if not found:
        return section(
            "findings", title, h("p", say("Nothing was found within the coverage.", "核查范围内未发现问题。"))
        )
    said = say(
        f"{len(found)} in all. A finding is answered on the bureau's own ledger: tally answer FINDING.",
        f"共 {len(found)} 项。答复应记入本单位台账：tally answer 编号。",
    )
    header = say("no.;finding;put right how, by whom, by when", "序号;问题;整改措施、责任人、完成时限").split(";")
    rows = [
        (
            f"{number}",
            join(
                [
                    h(
                        "p",
                        weight(finding.severity, words),
                        f" {words.rule(finding.rule)} ",
                        h("code", finding.id, class_="id"),
                    ),
                    h("p", words.sentence(finding)),
                    facts_list([*finding_facts(finding, report, words), *_life(report, finding, words)]),
                ]
            ),
            h("div", class_="blank"),
        )
        for number, finding in enumerate(found, 1)
    ]
    return section("findings", title, caption(said), table(header, rows))


def _life(report: Report, finding: Finding, words: Words) -> Iterator[tuple[str, str]]:
    if report.lives is not None:
        yield words.say("since then", "较前次审计"), report.lives.of(finding).label(words.language)


def _signatures(words: Words) -> Part:
    say = words.say
    rows: list[tuple[str, Html]] = [
        (say("signed for the bureau", "单位签章"), h("td", say("name, seal, day", "签字、盖章、日期"), class_="sign")),
        (say("checked by the auditors", "审计复核"), h("td", say("two names, day", "两人签字、日期"), class_="sign")),
    ]
    return section("signed", say("Signed", "签署"), form(rows))
