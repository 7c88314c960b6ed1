"""Judge: `tally report`, an audit written down: a page, a bureau's list, a worksheet, a table, a document."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.options import Session, command, force, new_file, read_from
from tallystick.cli.references import Code
from tallystick.core.counted import counted
from tallystick.core.errors import NotFound, TallystickError, Usage
from tallystick.sdk.arguments import FILE, TEXT

if TYPE_CHECKING:
    from tallystick.audit.earlier import OldReport
    from tallystick.audit.finding import Finding
    from tallystick.audit.report.model import Report
    from tallystick.audit.report.worksheet import Exhibit
    from tallystick.sdk.ledgers import Ledgers

_STANDARD = Path("-")
_FORMS = ("worksheet", "bureau")


@click.command()
@new_file("Where to; - for standard output, which is where CSV and JSON go by themselves")
@force
@click.option("--on", "on", metavar="DAY", type=TEXT, help="Judge as of the end of this day; else today.")
@click.option(
    "--form",
    nargs=2,
    type=(click.Choice(_FORMS), TEXT),
    metavar="worksheet FINDING | bureau ID",
    help="One finding's worksheet, or what one bureau answers for; else the whole report.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["html", "csv", "json"]),
    default="html",
    show_default=True,
    help="A page; findings for a spreadsheet; everything for programs.",
)
@click.option(
    "--resource", metavar="CODE", type=Code(), help="Whose provenance to draw; else that of which most was made."
)
@click.option(
    "--since-report",
    type=FILE,
    metavar="FILE",
    help="An earlier audit's or report's JSON: say what is new, still open, and closed.",
)
@read_from
@command
def report(
    session: Session,
    target: Path | None,
    force: bool,
    on: str | None,
    form: tuple[str, str] | None,
    format_: str,
    resource: str | None,
    since_report: Path | None,
) -> None:
    """Audit every ledger of the charter, and write what was found as one page that needs nothing else.

    The page is meant for a screen, a phone and A4 paper alike. Every figure leads to the entries behind it; the foot
    says how it was made. The same charter, checkpoints and day give the same bytes.
    Exit code 0 once it is written, whatever was found.

    \b
    Examples:
      tally report -o audit.html --lang zh
      tally report --form bureau planning -o planning.html --on 2027-03-31
      tally report --form worksheet F-3KQ0ZV8M1T5R -o worksheet.html
      tally report --format json -o march.json;  tally report --since-report march.json -o april.html
    """
    from tallystick.audit.life import compare
    from tallystick.audit.report.model import Imprint, report_of
    from tallystick.audit.report.watched import Watched
    from tallystick.cli.coverage import check_any_read
    from tallystick.cli.day import judged_day
    from tallystick.cli.output import progress_bar
    from tallystick.sdk import auditing
    from tallystick.sdk.rulebook import rulebook_of

    target = _target(target, form, format_, force=force)
    before, digest = (None, "") if since_report is None else _earlier(since_report)
    with session.ledgers_as_shown() as ledgers:
        if form is not None and form[0] == "bureau":
            ledgers.charter.by_id(form[1])
        day = judged_day(session, on, rulebook_of(ledgers.charter).calendar)
        watched = Watched()
        with progress_bar("report", 1, of_bytes=False) as progress:
            audited = auditing.audit(ledgers, day, progress=progress, watching=watched, before=before)
        if not audited.findings:
            check_any_read(session, ledgers.charter, audited.coverage)
        asked = _asked(day, session, form, format_, resource, digest)
        imprint = Imprint(_version(), asked, digest)
        made = report_of(
            audited.findings,
            audited.seen,
            audited.coverage,
            watched,
            imprint,
            lives=None if before is None else compare(audited.findings, before, audited.seen, audited.coverage),
            resource=resource,
        )
        text = _written(session, ledgers, made, form, format_)
    _put(session, target, text.encode(), len(_shown(made, form)), complete=not audited.coverage.exit_code)


def _target(target: Path | None, form: tuple[str, str] | None, format_: str, *, force: bool) -> Path:
    """Where to write, known to be possible before the ledgers are read. Raises Usage."""
    from tallystick.core.identifiers import check_bureau_id, check_finding_id
    from tallystick.sdk.files import check_new

    if form is not None:
        if format_ == "json" or (format_ == "csv" and form[0] == "worksheet"):
            raise Usage(f"a {form[0]} is not written as {format_}", where="--form", expected="--format html")
        (check_finding_id if form[0] == "worksheet" else check_bureau_id)(form[1])
    if target is None:
        if format_ == "html":
            raise Usage("where the page goes is not said", expected="-o FILE, or -o - for standard output")
        return _STANDARD
    if target != _STANDARD:
        check_new(target, force=force)
    return target


def _asked(
    day: date, session: Session, form: tuple[str, str] | None, format_: str, resource: str | None, since: str
) -> str:
    """The command line that makes the report again, the same however it was put; files are not named in it."""
    written = ["tally", "report", "--on", day.isoformat(), "--lang", session.language]
    written += ["--form", *form] if form is not None else []
    written += ["--format", format_] if format_ != "html" else []
    written += ["--resource", resource] if resource is not None else []
    written += ["--from", session.source] if session.source else []
    written += ["--since-report", "FILE"] if since else []
    return shlex.join([*written, "-o", "FILE"])


def _earlier(path: Path) -> tuple[OldReport, str]:
    """An earlier audit, and the digest of its file."""
    from tallystick.audit.earlier import read_report
    from tallystick.core.hashing import chain_hash, format_digest
    from tallystick.sdk.importers.json_file import read_input

    data = read_input(path)
    return read_report(data, str(path)), format_digest(chain_hash(data))


def _version() -> str:
    from importlib.metadata import version

    return version("tallystick")


def _written(session: Session, ledgers: Ledgers, made: Report, form: tuple[str, str] | None, format_: str) -> str:
    """The report in the form and format asked for."""
    from tallystick.audit.report.bureau import bureau_page
    from tallystick.audit.report.csv import findings_csv
    from tallystick.audit.report.page import page
    from tallystick.audit.report.worksheet import worksheet

    language = session.language
    if format_ == "csv":
        return findings_csv(made, _shown(made, form), language)
    if format_ == "json":
        return _json(made)
    match form:
        case ("bureau", bureau):
            return bureau_page(made, bureau, language)
        case ("worksheet", _):
            (finding,) = _shown(made, form)
            return worksheet(made, finding, list(_exhibits(session, ledgers, finding)), language)
    return page(made, language)


def _json(made: Report) -> str:
    import json

    from tallystick.audit.report.document import report_json
    from tallystick.core.safe_text import sanitise_json

    return sanitise_json(json.dumps(report_json(made), ensure_ascii=False, indent=2, allow_nan=False)) + "\n"


def _shown(made: Report, form: tuple[str, str] | None) -> Sequence[Finding]:
    """The findings that what was asked for is about. Raises NotFound where there is none of that id."""
    match form:
        case ("bureau", bureau):
            return made.of_bureau(bureau)
        case ("worksheet", id_):
            found = [finding for finding in made.findings if finding.id == id_]
            if not found:
                day = made.coverage.day.isoformat()
                raise NotFound(f"no finding {id_} as of {day}", expected="one that tally audit lists for that day")
            return found
    return made.findings


def _exhibits(session: Session, ledgers: Ledgers, finding: Finding) -> Iterator[Exhibit]:
    """The entries that show a finding, each verified again with its author."""
    from tallystick.audit.report.findings import REFERENCES_SHOWN_MAX
    from tallystick.audit.report.worksheet import Exhibit
    from tallystick.cli.describe import Describer
    from tallystick.core.hashing import leaf_hash

    describer, say = Describer(ledgers.charter, session.language, session.zone), session.output.say
    for reference in finding.references[:REFERENCES_SHOWN_MAX]:
        try:
            proven = ledgers.show(reference)
        except TallystickError as error:
            yield Exhibit(reference, gap=str(error))
            continue
        facts = [
            (say("kind", "类别"), describer.kind(proven.read)),
            (say("recorded", "入账时间"), describer.moment(proven.entry.recorded_at_us)),
            (say("signed by", "签署"), proven.author.actor),
            *((label, say("; ", "；").join(values)) for label, values in describer.facts(proven.read)),
            (say("leaf", "叶散列"), leaf_hash(proven.entry.raw).hex()),
        ]
        yield Exhibit(reference, facts)


def _put(session: Session, target: Path, data: bytes, count: int, *, complete: bool) -> None:
    from tallystick.sdk.files import write_whole

    output = session.output
    if target == _STANDARD:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
    else:
        write_whole(target, data)
        if output.json:
            output.document({"file": str(target), "bytes": len(data), "findings": count, "complete": complete})
        else:
            findings = output.say(counted(count, "finding"), f"{count} 个问题")
            output.line(f"{target}  {findings}")
    if not complete:
        output.note(
            output.say(
                "Not every ledger was read whole; its coverage says which.", "台账未能全部核查，详见其中“核查范围”。"
            )
        )
