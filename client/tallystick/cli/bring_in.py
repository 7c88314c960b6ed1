"""Bring in: `tally import`, other people's records as statements, with an account of what was left out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import Session, command, shared_options

if TYPE_CHECKING:
    from tallystick.sdk.importers.bring_in import Outcome, Plan
    from tallystick.sdk.importers.dcat import Catalogue

_NAMED_MAX = 5
_ROWS_MAX = 60
_REASONS_ZH = {
    "no place in a declaration": "编目中无此项",
    "a person": "属个人信息",
    "public data needs neither basis nor condition": "公开数据无须依据或条件",
    "the smallest unit is the steward": "以最小单位为主管部门",
    "not text": "不是文本",
    "blank": "空白",
    "not `irregular` or an ISO 8601 repeating duration": "不是更新周期",
}


@click.group("import")
@shared_options
def import_() -> None:
    """Bring in records that other programs keep. Each import says what it skipped or dropped, and why."""


@import_.command(short_help="Declare every data set of a DCAT-US 1.1 catalogue.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scheme", default="dcat-us", show_default=True, help="The scheme the identifiers belong to.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
@command
def dcat(session: Session, file: Path, scheme: str, dry_run: bool) -> None:
    """Declare every data set of a DCAT-US 1.1 catalogue, an agency's `data.json`, in this bureau's name.

    A second run records nothing; a data set that changed is declared again, which supersedes.

    \b
    Example:
      tally import dcat data.json --dry-run
    """
    from tallystick.cli.output import progress_bar
    from tallystick.core.errors import Refused
    from tallystick.sdk.importers.bring_in import Outcome, plan, record
    from tallystick.sdk.importers.dcat import read_catalogue
    from tallystick.sdk.importers.json_file import read_input
    from tallystick.sdk.standing import all_standing

    data = read_input(file)
    try:
        catalogue = read_catalogue(data, scheme)
    except Refused as error:
        raise error.at(str(file)) from None
    with session.node() as node:
        planned = plan(catalogue, all_standing(node))
        outcome = Outcome(0, None, None, None)
        if not dry_run:
            with progress_bar(file.name, len(planned.new) + len(planned.changed), of_bytes=False) as progress:
                outcome = record(node, planned, progress)
        report = _report(file, node.bureau.id, scheme, dry_run, catalogue, planned, outcome)
    if session.json:
        session.output.document(report)
    else:
        _print(session, report)
    if outcome.error is not None:
        raise outcome.error.at(
            f"{outcome.recorded} of {len(planned.new) + len(planned.changed)} were recorded, run it again"
        )


def _report(
    file: Path, bureau: str, scheme: str, dry_run: bool, catalogue: Catalogue, planned: Plan, outcome: Outcome
) -> dict[str, Any]:
    account = catalogue.account
    withheld = [d for d in catalogue.declarations if d.values["sharing"] == "withheld"]
    conditional = [d for d in catalogue.declarations if d.values["sharing"] == "conditional"]
    return {
        "file": str(file),
        "bureau": bureau,
        "scheme": scheme,
        "source": catalogue.declarations[0].values["source"] if catalogue.declarations else None,
        "dry_run": dry_run,
        "data_sets": account.data_sets,
        "recorded": outcome.recorded,
        "first": None if outcome.first is None else f"{bureau}#{outcome.first}",
        "last": None if outcome.last is None else f"{bureau}#{outcome.last}",
        "new": len(planned.new),
        "changed": [declaration.code for declaration in planned.changed],
        "unchanged": planned.unchanged,
        "skipped": [{"position": s.position, "identifier": s.identifier, "reason": s.reason} for s in account.skipped],
        "dropped": [{"field": f, "reason": why, "count": n} for (f, why), n in account.dropped.most_common()],
        "cut": [{"field": f, "longest": most, "count": n} for (f, most), n in account.cut.most_common()],
        "read_as": [
            {"given": given, "read_as": level, "count": n} for (given, level), n in account.read_as.most_common()
        ],
        "no_longer_listed": list(planned.gone),
        "withheld": len(withheld),
        "withheld_without_basis": sum(not d.body.HasField("basis") for d in withheld),
        "conditional": len(conditional),
        "conditional_without_condition": sum(not d.body.HasField("condition") for d in conditional),
    }


def _print(session: Session, report: dict[str, Any]) -> None:
    output = session.output
    say = output.say
    if report["dry_run"]:
        did = say("would be recorded", "将记录")
        recorded = report["new"] + len(report["changed"])
    else:
        did, recorded = say("recorded", "已记录"), report["recorded"]
    where = f" ({report['first']} … {report['last']})" if report["first"] else ""
    output.facts(
        [
            (say("data sets", "数据集"), str(report["data_sets"])),
            (did, f"{recorded}{where}"),
            (say("  new", "  新增"), str(report["new"])),
            (say("  changed", "  变更"), _named(report["changed"])),
            (say("unchanged", "未变"), str(report["unchanged"])),
            (say("skipped", "跳过"), str(len(report["skipped"]))),
            (
                say("withheld", "不予共享"),
                say(
                    f"{report['withheld']}, of which without a basis {report['withheld_without_basis']}",
                    f"{report['withheld']}，其中未列依据 {report['withheld_without_basis']}",
                ),
            ),
            (
                say("conditional", "有条件共享"),
                say(
                    f"{report['conditional']}, of which without a condition {report['conditional_without_condition']}",
                    f"{report['conditional']}，其中未列条件 {report['conditional_without_condition']}",
                ),
            ),
            (say("no longer listed", "已不在目录"), _named(report["no_longer_listed"])),
        ]
    )
    none = say("(nameless)", "（无名）")
    _section(
        session,
        say("Skipped, and why:", "跳过及原因："),
        [(f"[{s['position']}] {s['identifier'] or none}", s["reason"]) for s in report["skipped"]],
        most=len(report["skipped"]),  # what was not declared is named, each and every one
    )
    _section(
        session,
        say("Read in spite of its spelling:", "拼写不规范，按下列读取："),
        [(str(r["count"]), r["given"], r["read_as"]) for r in report["read_as"]],
    )
    _section(
        session,
        say("Cut to the length a declaration holds:", "超长截短："),
        [(str(c["count"]), c["field"], say(f"{c['longest']} characters", f"{c['longest']} 字")) for c in report["cut"]],
    )
    _section(
        session,
        say("Dropped, how often, and why:", "舍去的字段、次数及原因："),
        [
            (str(d["count"]), d["field"], say(d["reason"], _REASONS_ZH.get(d["reason"], d["reason"])))
            for d in report["dropped"]
        ],
    )


def _section(session: Session, title: str, rows: list[tuple[str, ...]], most: int = _ROWS_MAX) -> None:
    if not rows:
        return
    output = session.output
    output.line()
    output.line(title)
    output.table(None, rows[:most])
    if len(rows) > most:
        left = len(rows) - most
        output.line(output.say(f"… and {left} more, all of them with --json", f"……另有 {left} 项，见 --json"))


def _named(codes: list[str]) -> str:
    if not codes:
        return "0"
    return f"{len(codes)}: " + ", ".join(codes[:_NAMED_MAX]) + (", …" if len(codes) > _NAMED_MAX else "")
