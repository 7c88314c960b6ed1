"""Judge: `tally audit`, every rule over every ledger in one verified pass."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import Session, command, read_from
from tallystick.cli.references import BureauId
from tallystick.core.counted import counted
from tallystick.sdk.arguments import FILE, TEXT

if TYPE_CHECKING:
    from tallystick.audit.earlier import OldFinding
    from tallystick.audit.finding import Finding
    from tallystick.audit.life import Lives
    from tallystick.audit.words import Words
    from tallystick.sdk.auditing import Audited

FINDINGS = 1
"""The exit code where anything was found, whatever else was not covered."""

_REFERENCES_MAX = 3


def complete_rule(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The rules' names, for the shell."""
    import tallystick.audit.rules
    from tallystick.audit.rule import RULES

    assert tallystick.audit.rules  # importing them enters them
    return [id_ for id_ in RULES if id_.startswith(incomplete)]


@click.command()
@click.option(
    "--rule", "rules", multiple=True, metavar="RULE", type=TEXT, shell_complete=complete_rule, help="Only this rule."
)
@click.option(
    "--bureau",
    "bureaus",
    multiple=True,
    metavar="BUREAU",
    type=BureauId(),
    help="Only what this bureau answers for, or nobody yet of its ledger.",
)
@click.option("--since", metavar="DAY", type=TEXT, help="Only what arose on this day or later.")
@click.option("--on", "on", metavar="DAY", type=TEXT, help="Judge as of the end of this day; else today.")
@click.option(
    "--at-least",
    type=click.Choice(["note", "warning", "serious"]),
    default="note",
    show_default=True,
    help="Only what weighs so much, by the charter.",
)
@read_from
@click.option(
    "--since-report",
    type=FILE,
    metavar="FILE",
    help="An earlier audit's JSON: say what is new, still open, and closed.",
)
@command
def audit(
    session: Session,
    rules: tuple[str, ...],
    bureaus: tuple[str, ...],
    since: str | None,
    on: str | None,
    at_least: str,
    since_report: Path | None,
) -> int:
    """Read every ledger of the charter whole, verify every entry, and say what does not match and who answers for it.

    Each finding says whether it is proven, one side's word, or absent within the coverage; what is not covered stands
    at the end. Deadlines, severities and thresholds are the charter's. The same charter, coverage and day give the same
    findings. Exit code 1 where there are any; where there are none and a ledger was not read whole, what kept it from
    that: 3 unreachable, 5 not to be believed.

    \b
    Examples:
      tally audit --lang zh
      tally audit --from observer-1
      tally audit --bureau planning --at-least serious --on 2027-03-31
      tally audit --json > last.json;  tally audit --since-report last.json
    """
    from tallystick.audit.earlier import read_report
    from tallystick.audit.finding import concerns
    from tallystick.audit.life import compare
    from tallystick.audit.rule import known_rule
    from tallystick.audit.rulebook import Severity
    from tallystick.cli.coverage import check_any_read
    from tallystick.cli.day import chosen_day, judged_day
    from tallystick.cli.output import progress_bar
    from tallystick.sdk import auditing
    from tallystick.sdk.importers.json_file import read_input
    from tallystick.sdk.rulebook import rulebook_of

    chosen = [known_rule(rule) for rule in rules] or None
    selected = _selected(rules, bureaus, since, at_least)
    before = None if since_report is None else read_report(read_input(since_report), str(since_report), selected)
    with session.ledgers_as_shown() as ledgers:
        for bureau in bureaus:
            ledgers.charter.by_id(bureau)
        calendar = rulebook_of(ledgers.charter).calendar
        day = judged_day(session, on, calendar)
        since_us = 0 if since is None else calendar.start_us(chosen_day(since, calendar, "--since"))
        with progress_bar("audit", 1, of_bytes=False) as progress:
            audited = auditing.audit(ledgers, day, rules=chosen, progress=progress, before=before)
    if not audited.findings:
        check_any_read(session, ledgers.charter, audited.coverage)
    least = Severity[at_least.upper()]
    shown = [
        finding
        for finding in audited.findings
        if finding.severity >= least
        and finding.at_us >= since_us
        and (not bureaus or concerns(finding.bureau, finding.references, bureaus))
    ]
    lives = None if before is None else compare(audited.findings, before, audited.seen, audited.coverage, chosen)
    if lives is not None and bureaus:
        lives = lives.about(bureaus)
    if session.output.json:
        _document(session, audited, shown, lives, selected)
    else:
        _print(session, audited, shown, lives)
    return FINDINGS if shown else audited.coverage.exit_code


def _print(session: Session, audited: Audited, shown: list[Finding], lives: Lives | None) -> None:
    from tallystick.audit.life import Life
    from tallystick.audit.words import Words
    from tallystick.cli.coverage import print_coverage

    output, charter = session.output, audited.seen.charter
    words = Words(charter, session.language)
    rows = []
    for finding in shown:
        answers = audited.seen.answers.to(finding.id, finding.bureau)
        notes = [] if lives is None else [lives.of(finding).label(session.language)]
        notes += (
            [output.say("answered ", "已答复 ") + ", ".join(answer.reference for answer in answers)] if answers else []
        )
        rows.append(
            [
                finding.severity.label(session.language),
                words.rule(finding.rule),
                words.bureau(finding.bureau),
                words.sentence(finding),
                _references(session, finding.references),
                finding.id,
                output.say("; ", "；").join(notes),
            ]
        )
    output.table(None, [row[: None if any(each[-1] for each in rows) else -1] for row in rows])
    for life, gone in () if lives is None else ((Life.CLOSED, lives.closed), (Life.UNJUDGED, lives.unjudged)):
        if gone:
            output.line()
            output.line(output.say(f"{life.label('en')}:", f"{life.label('zh')}："))
            gone_rows = [
                [words.rule(old.rule), words.bureau(old.bureau), old.id, _last_found(words, old)] for old in gone
            ]
            output.table(None, gone_rows)
    if rows or lives is not None:
        output.line()
    count = len(shown)
    output.line(output.say(f"{counted(count, 'finding')}.", f"{count} 个问题。"))
    print_coverage(session, charter, audited.coverage)


def _last_found(words: Words, old: OldFinding) -> str:
    """When an audit last found what this one does not."""
    if old.found is None:
        return ""
    day = words.day(old.found)
    return words.say(f"last found {day}", f"最近发现于{day}")


def _references(session: Session, references: tuple[str, ...]) -> str:
    more = len(references) - _REFERENCES_MAX
    named = " ".join(references[:_REFERENCES_MAX])
    return named if more <= 0 else named + session.output.say(f" and {more} more", f" 等 {len(references)} 条")


def _selected(rules: tuple[str, ...], bureaus: tuple[str, ...], since: str | None, at_least: str) -> tuple[str, ...]:
    """The options by which only some findings are shown, the same however they were put."""
    chosen = [("--rule", rule) for rule in sorted(set(rules))] + [
        ("--bureau", bureau) for bureau in sorted(set(bureaus))
    ]
    chosen += [("--since", since)] if since is not None else []
    chosen += [("--at-least", at_least)] if at_least != "note" else []
    return tuple(chain.from_iterable(chosen))


def _document(
    session: Session, audited: Audited, shown: list[Finding], lives: Lives | None, selected: tuple[str, ...]
) -> None:
    from tallystick.audit.report.json import coverage_json, finding_json, lives_json
    from tallystick.audit.words import Words

    english, chinese = (Words(audited.seen.charter, language) for language in ("en", "zh"))
    document: dict[str, Any] = {
        "coverage": coverage_json(audited.coverage),
        "findings": [
            finding_json(finding, english, chinese, audited.seen)
            | ({} if lives is None else {"life": lives.of(finding).name.lower()})
            for finding in shown
        ],
    }
    if selected:
        document["selected"] = selected
    session.output.document(document if lives is None else document | lives_json(lives))
