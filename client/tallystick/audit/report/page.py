"""The whole report as one page: a cover, coverage, findings in numbers, ratios, sharing, times, exchanges, systems and
provenance, then every finding, and the entries behind every figure."""

from __future__ import annotations

from collections.abc import Iterable

from tallystick.audit.report.findings import counts, each_part, findings_part
from tallystick.audit.report.flows import balance_part, exchanges_part
from tallystick.audit.report.inventory import provenance_part, systems_part
from tallystick.audit.report.markup import Html, h
from tallystick.audit.report.model import Report
from tallystick.audit.report.notes import Notes
from tallystick.audit.report.sharing import classes_part, ratios_part, times_part
from tallystick.audit.report.sheet import Part, coverage_part, document, foot, in_one_sentence, section
from tallystick.audit.words import Words


def page(report: Report, language: str) -> str:
    """The report as a page in a language, `en` or `zh`."""
    words = Words(report.seen.charter, language)
    say, notes = words.say, Notes(words)
    parts = [
        coverage_part(report, words),
        findings_part(report, words),
        ratios_part(report, words, notes),
        classes_part(report, words, notes),
        times_part(report, words, notes),
        exchanges_part(report, words, notes),
        balance_part(report, words, notes),
        systems_part(report, words, notes),
        provenance_part(report, words),
        each_part(report, words),
    ]
    parts.append(section("references", say("Entries behind the figures", "数字所据条目"), notes.section()))
    parts.append(foot(report, words))
    title = say(f"Audit of {report.coverage.charter}", f"{report.coverage.charter} 审计报告")
    cover = h(
        "header",
        h("h1", title),
        h("p", say(f"As of {words.day(report.coverage.day)}", f"截至{words.day(report.coverage.day)}")),
        in_one_sentence(report.coverage, words),
        counts(report, words),
        class_="cover",
    )
    return document(title, words, cover, _contents(parts, words), *(part.html for part in parts))


def _contents(parts: Iterable[Part], words: Words) -> Html:
    """The table of contents."""
    items = [h("li", h("a", part.title, href=f"#{part.id}")) for part in parts]
    return h("nav", h("h2", words.say("Contents", "目录")), h("ol", *items))
