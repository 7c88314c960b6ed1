"""The whole report as JSON: a document of an audit (`report.json`), which a later `--since-report` reads, and beside it

    "command": "tally report …", "software": "0.1.0",
    "ratios": {"answered-on-time": {"": {"part": 17, "whole": 20}, "taxation": {…} or null where no deadline is set}},
    "sharing": [{"bureau", "unconditional": F, "conditional": F, "withheld": F, "public": F}],
    "times": [{"bureau", "rule", "on_time": F, "late": F, "open": F, "overdue": F, "days": 31}],
    "exchanges": [{"from", "to", "matched": F, "differing": F, "sent_only": F, "received_only": F, "failed": F}],
    "gave_and_took": [{"bureau", "sent": F, "received": F, "granted": F, "obtained": F}],
    "systems": [{"bureau", "registered": F, "retired": F, "zombie-system": F, …}],
    "provenance": {"resource", "nodes": […], "edges": [{"from", "to", "versions"}], "versions": […]} or null

where F is {"count": 12, "references": ["taxation#1042", …]}, the references being the first of them. `days` are the
working days that the answers took together. `life` of a finding stands where an earlier audit was given.
"""

from __future__ import annotations

from typing import Any

from tallystick.audit.report.figures import Figure
from tallystick.audit.report.json import coverage_json, finding_json, lives_json
from tallystick.audit.report.model import Report
from tallystick.audit.report.provenance import Provenance
from tallystick.audit.report.ratios import Ratio
from tallystick.audit.words import Words


def report_json(report: Report) -> dict[str, Any]:
    """The report for programs."""
    seen, lives = report.seen, report.lives
    english, chinese = (Words(seen.charter, language) for language in ("en", "zh"))
    document: dict[str, Any] = {
        "coverage": coverage_json(report.coverage),
        "findings": [
            finding_json(finding, english, chinese, seen)
            | ({} if lives is None else {"life": lives.of(finding).name.lower()})
            for finding in report.findings
        ],
        "command": report.imprint.command,
        "software": report.imprint.software,
        "ratios": {
            id_: {bureau: _ratio(ratio) for bureau, ratio in each.items()} for id_, each in report.ratios.items()
        },
        "sharing": [
            {
                "bureau": each.bureau,
                **{id_: _figure(figure) for id_, figure in each.classes.items()},
                "public": _figure(each.public),
            }
            for each in report.sharing
        ],
        "times": [
            {
                "bureau": each.bureau,
                "rule": each.rule,
                **{fate.name.lower(): _figure(figure) for fate, figure in each.fates.items()},
                "days": each.days,
            }
            for each in report.dealings
        ],
        "exchanges": [
            {
                "from": pair.sender,
                "to": pair.receiver,
                "matched": _figure(pair.matched),
                "differing": _figure(pair.differing),
                "sent_only": _figure(pair.sent_only),
                "received_only": _figure(pair.received_only),
                "failed": _figure(pair.failed),
            }
            for pair in report.pairs
        ],
        "gave_and_took": [
            {
                "bureau": each.bureau,
                "sent": _figure(each.gave),
                "received": _figure(each.took),
                "granted": _figure(each.granted),
                "obtained": _figure(each.obtained),
            }
            for each in report.gave_and_took
        ],
        "systems": [
            {
                "bureau": each.bureau,
                "registered": _figure(each.registered),
                "retired": _figure(each.retired),
                **{rule: _figure(figure) for rule, figure in each.found.items()},
            }
            for each in report.systems
        ],
        "provenance": None if report.provenance is None else _provenance(report.provenance),
    }
    return document if lives is None else document | lives_json(lives)


def _figure(figure: Figure) -> dict[str, Any]:
    return {"count": figure.count, "references": list(figure.references)}


def _ratio(ratio: Ratio) -> dict[str, int] | None:
    return None if ratio.unset else {"part": ratio.part.count, "whole": ratio.whole}


def _provenance(drawn: Provenance) -> dict[str, Any]:
    return {
        "resource": drawn.code,
        "nodes": [
            {
                "resource": node.code,
                "title": node.title,
                "bureau": node.bureau,
                "depth": node.depth,
                "versions": node.versions,
                "recalled": node.recalled,
                "holders": list(node.holders),
                "covered": node.known,
            }
            for node in drawn.nodes
        ],
        "edges": [{"from": begin, "to": end, "versions": count} for (begin, end), count in drawn.edges.items()],
        "versions": [
            {
                "version": line.name,
                "bureau": line.bureau,
                "reference": line.reference,
                "derived_from": list(line.derived_from),
                "received": list(line.received),
                "recalled": line.recalled or None,
            }
            for line in drawn.versions
        ],
    }
