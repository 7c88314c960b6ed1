"""Findings as CSV that a spreadsheet opens as it is meant: UTF-8 with a byte order mark, CRLF, every cell in quotes.

What a spreadsheet would take for a formula begins with an apostrophe, which shows it as text: at the beginning of a
cell, and after a semicolon in it, since a spreadsheet that separates cells by those may cut there, quotes or not. Line
ends and control characters are shown by their escapes, so that a row is a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.audit.finding import Finding
from tallystick.audit.report.model import Report
from tallystick.audit.words import Words
from tallystick.core.kinds import enum_label
from tallystick.core.safe_text import sanitise
from tallystick_proto.v1.statement_pb2 import ConcernAnswered

MARK: Final = "\ufeff"
# Also in their full width, which some spreadsheets take for the same; and an escape, which was a tab or a line end.
_COMMANDING: Final = re.compile(r"""(^|;)(?=[\s"]*(?:[=+\-@＝＋－＠]|\\[trn]))""")
_OUTCOME: Final = ConcernAnswered.Outcome.DESCRIPTOR


def findings_csv(report: Report, findings: Iterable[Finding], language: str) -> str:
    """A header and a line for each finding, in a language, `en` or `zh`."""
    words = Words(report.seen.charter, language)
    header = words.say(
        "finding;severity;rule;rule in words;bureau;bureau in words;standing;sentence;references;arose;times;"
        "citation;answers;since the earlier audit;unwitnessed references",
        "编号;程度;规则;规则名称;单位;单位名称;证明程度;问题;所据条目;发生日;次数;法规依据;单位答复;较前次审计;未经见证的条目",
    ).split(";")
    rows = [header, *(_row(finding, report, words) for finding in findings)]
    return MARK + "".join(f"{','.join(map(cell, row))}\r\n" for row in rows)


def _row(finding: Finding, report: Report, words: Words) -> Iterator[str]:
    seen, language = report.seen, words.language
    yield finding.id
    yield finding.severity.label(language)
    yield finding.rule
    yield words.rule(finding.rule)
    yield finding.bureau
    yield seen.charter.by_id(finding.bureau).label(language) if _is_known(finding.bureau, report) else finding.bureau
    yield finding.standing.label(language)
    yield words.sentence(finding)
    yield " ".join(finding.references)
    yield seen.day_of(finding.at_us) if finding.at_us else ""
    yield str(finding.times)
    yield seen.rulebook.citation(finding.rule, language)
    yield " ".join(
        f"{enum_label(_OUTCOME, answer.outcome, language)} {answer.reference}"
        for answer in seen.answers.to(finding.id, finding.bureau)
    )
    yield "" if report.lives is None else report.lives.of(finding).label(language)
    yield " ".join(report.coverage.unwitnessed(finding.references))


def _is_known(bureau: str, report: Report) -> bool:
    return any(bureau == known.id for known in report.seen.charter.bureau)


def cell(said: str) -> str:
    """One cell, which is text to whatever opens it."""
    safe = _COMMANDING.sub(r"\1'", sanitise(said))
    return '"' + safe.replace('"', '""') + '"'
