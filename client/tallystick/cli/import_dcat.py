"""`tally import dcat`: an agency's catalogue as declarations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.import_account import cut_rows, named, raise_error, recorded_fact, section, where_recorded
from tallystick.cli.options import Session, command
from tallystick.cli.references import Scheme
from tallystick.sdk.arguments import FILE

if TYPE_CHECKING:
    from tallystick.sdk.importers.bring_in import Compared
    from tallystick.sdk.importers.dcat import Catalogue

_REASONS_ZH = {
    "no place in a declaration": "编目中无此项",
    "a person": "属个人信息",
    "public data needs neither basis nor condition": "公开数据无须依据或条件",
    "the smallest unit is the steward": "以最小单位为主管部门",
    "not text": "不是文本",
    "blank": "空白",
    "not `irregular` or an ISO 8601 repeating duration": "不是更新周期",
}


@click.command(short_help="Declare every data set of a DCAT-US 1.1 catalogue.")
@click.argument("file", type=FILE)
@click.option("--scheme", type=Scheme(), help="The scheme the identifiers belong to; else dcat-us.<bureau>.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
@command
def dcat(session: Session, file: Path, scheme: str | None, dry_run: bool) -> None:
    """Declare every data set of a DCAT-US 1.1 catalogue, an agency's `data.json`, in this bureau's name.

    A second run records nothing; a data set that changed is declared again, which supersedes. Identifiers are unique
    within one agency's catalogue, so each bureau's are a scheme of their own unless --scheme says otherwise.

    \b
    Example:
      tally import dcat data.json --dry-run
    """
    from tallystick.cli.output import progress_bar
    from tallystick.core.errors import Refused
    from tallystick.sdk.importers.bring_in import Compared, Outcome, compare, record
    from tallystick.sdk.importers.dcat import read_catalogue, scheme_of
    from tallystick.sdk.importers.json_file import read_input
    from tallystick.sdk.standing import all_standing

    data = read_input(file)
    try:
        catalogue = read_catalogue(data, scheme or scheme_of(session.profile.bureau.id))
    except Refused as error:
        raise error.at(str(file)) from None
    with session.node() as node:
        standing = all_standing(node)
        compared, outcome = Compared(), Outcome()
        stands = {code: each.declared for code, each in standing.items()}
        wanted = list(compare(catalogue.declarations, stands, compared))
        if not dry_run and wanted:
            with progress_bar(file.name, len(wanted), of_bytes=False) as progress:
                outcome = record(node, wanted, progress and (lambda done: progress(done, len(wanted))))
        bureau = node.bureau.id
    report = {
        "file": str(file),
        "bureau": bureau,
        "dry_run": dry_run,
        **_report(catalogue, compared),
        **where_recorded(bureau, outcome),
        "no_longer_listed": catalogue.gone(standing),
    }
    if session.json:
        session.output.document(report)
    else:
        _print(session, report)
    raise_error(outcome, len(wanted))


def _report(catalogue: Catalogue, compared: Compared) -> dict[str, Any]:
    account = catalogue.account
    withheld = [d for d in catalogue.declarations if d.values["sharing"] == "withheld"]
    conditional = [d for d in catalogue.declarations if d.values["sharing"] == "conditional"]
    return {
        "scheme": catalogue.scheme,
        "source": catalogue.declarations[0].values["source"] if catalogue.declarations else None,
        "data_sets": account.data_sets,
        "new": compared.new,
        "changed": compared.changed,
        "unchanged": compared.unchanged,
        "skipped": [{"position": s.position, "identifier": s.identifier, "reason": s.reason} for s in account.skipped],
        "dropped": [{"field": f, "reason": why, "count": n} for (f, why), n in account.dropped.most_common()],
        "cut": [{"field": f, "longest": most, "count": n} for (f, most), n in account.cut.most_common()],
        "read_as": [
            {"given": given, "read_as": level, "count": n} for (given, level), n in account.read_as.most_common()
        ],
        "withheld": len(withheld),
        "withheld_without_basis": sum(not d.body.HasField("basis") for d in withheld),
        "conditional": len(conditional),
        "conditional_without_condition": sum(not d.body.HasField("condition") for d in conditional),
    }


def _print(session: Session, report: Mapping[str, Any]) -> None:
    output = session.output
    say = output.say
    output.facts(
        [
            (say("data sets", "数据集"), str(report["data_sets"])),
            recorded_fact(session, report, report["new"] + len(report["changed"])),
            (say("  new", "  新增"), str(report["new"])),
            (say("  changed", "  变更"), named(report["changed"])),
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
            (say("no longer listed", "已不在目录"), named(report["no_longer_listed"])),
        ]
    )
    none = say("(nameless)", "（无名）")
    section(
        session,
        say("Skipped, and why:", "跳过及原因："),
        [(f"[{s['position']}] {s['identifier'] or none}", s["reason"]) for s in report["skipped"]],
        most=len(report["skipped"]),  # what was not declared is named, each and every one
    )
    section(
        session,
        say("Read in spite of its spelling:", "拼写不规范，按下列读取："),
        [(str(r["count"]), r["given"], r["read_as"]) for r in report["read_as"]],
    )
    section(
        session,
        say("Cut to the length a declaration holds:", "超长截短："),
        cut_rows(session, report["cut"]),
    )
    section(
        session,
        say("Dropped, how often, and why:", "舍去的字段、次数及原因："),
        [
            (str(d["count"]), d["field"], say(d["reason"], _REASONS_ZH.get(d["reason"], d["reason"])))
            for d in report["dropped"]
        ],
    )
