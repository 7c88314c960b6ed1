"""`tally import systems`: the stock of existing systems, from a spreadsheet's CSV, as registrations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.import_account import (
    cut_rows,
    named,
    raise_error,
    recorded_fact,
    remarks_json,
    remarks_rows,
    section,
    where_recorded,
)
from tallystick.cli.options import Session, command
from tallystick.sdk.arguments import FILE

if TYPE_CHECKING:
    from tallystick.sdk.importers.bring_in import Compared
    from tallystick.sdk.importers.systems import Account, Skipped

_REASONS_ZH = {"not a day": "不是日期", "not a code": "不是系统编码", "beyond the first row": "超出表头"}


@click.command(short_help="Register every system of a CSV file.")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
@command
def systems(session: Session, file: Path, dry_run: bool) -> None:
    """Register every system of a CSV file in this bureau's inventory.

    The first row names the columns: code 编码, name 名称, project 项目, approved_on 批复日期, accepted_on 验收日期,
    operator 运维单位, replaces 替代系统; code and name must be there. A second run records nothing; a row that changed
    is registered again, which supersedes; a system that was retired since is left so.

    \b
    Example:
      tally import systems stock.csv --dry-run
    """
    from tallystick.cli.output import progress_bar
    from tallystick.core.errors import Refused
    from tallystick.sdk.importers.bring_in import Compared, Outcome, compare, record
    from tallystick.sdk.importers.json_file import read_input
    from tallystick.sdk.importers.systems import read_stock, standing_systems

    data = read_input(file)
    try:
        stock = read_stock(data)
    except Refused as error:
        raise error.at(str(file)) from None
    with session.node() as node:
        bureau = node.bureau.id
        standing = standing_systems(node)
        retired = [r for r in stock.registrations if (s := standing.get(r.code)) and s.retired is not None]
        gone = {registration.code for registration in retired}
        running = [registration for registration in stock.registrations if registration.code not in gone]
        compared, outcome = Compared(), Outcome()
        wanted = list(compare(running, {code: each.registered for code, each in standing.items()}, compared))
        if not dry_run and wanted:
            with progress_bar(file.name, len(wanted), of_bytes=False) as progress:
                outcome = record(node, wanted, progress and (lambda done: progress(done, len(wanted))))
    report = {
        "file": str(file),
        "bureau": bureau,
        "dry_run": dry_run,
        **_report(stock.account, compared),
        **where_recorded(bureau, outcome),
        "retired": [{"line": r.line, "code": r.code, "entry": f"{bureau}#{standing[r.code].retired}"} for r in retired],
        "no_longer_listed": stock.gone(standing),
    }
    if session.json:
        session.output.document(report)
    else:
        _print(session, report)
    raise_error(outcome, len(wanted))


def _report(account: Account, compared: Compared) -> dict[str, Any]:
    return {
        "encoding": account.encoding,
        "rows": account.rows,
        "new": compared.new,
        "changed": compared.changed,
        "unchanged": compared.unchanged,
        "empty": account.empty,
        "skipped": [_skipped(each) for each in account.skipped],
        "repeated": [_skipped(each) for each in account.repeated],
        "unknown_columns": account.unknown_columns,
        "dropped": remarks_json(account.dropped),
        "cut": [{"field": f, "longest": most, "count": n} for (f, most), n in account.cut.most_common()],
    }


def _skipped(each: Skipped) -> dict[str, Any]:
    return {"line": each.line, "code": each.code, "reason": each.reason}


def _print(session: Session, report: Mapping[str, Any]) -> None:
    output = session.output
    say = output.say
    output.facts(
        [
            (say("rows", "行"), str(report["rows"])),
            (say("read as", "编码"), report["encoding"]),
            recorded_fact(session, report, report["new"] + len(report["changed"])),
            (say("  new", "  新增"), str(report["new"])),
            (say("  changed", "  变更"), named(report["changed"])),
            (say("unchanged", "未变"), str(report["unchanged"])),
            (say("retired since", "已下线"), named([r["code"] for r in report["retired"]])),
            (say("repeated in the file", "文件内重复"), str(len(report["repeated"]))),
            (say("skipped", "跳过"), str(len(report["skipped"]))),
            (say("empty", "空行"), str(report["empty"])),
            (say("columns dropped", "舍去的列"), named(report["unknown_columns"])),
            (say("no longer listed", "已不在表中"), named(report["no_longer_listed"])),
        ]
    )
    left_out = (
        (say("Skipped, and why:", "跳过及原因："), report["skipped"]),
        (say("Repeated in the file:", "文件内重复："), report["repeated"]),
    )
    for title, rows in left_out:
        section(
            session,
            title,
            [(say(f"line {r['line']}", f"第 {r['line']} 行"), r["code"], r["reason"]) for r in rows],
            most=len(rows),  # what was not registered is named, each and every one
        )
    section(
        session,
        say("Retired since, and left so:", "已登记下线，不再登记："),
        [(say(f"line {r['line']}", f"第 {r['line']} 行"), r["code"], r["entry"]) for r in report["retired"]],
    )
    section(session, say("Cut to the length a field holds:", "超长截短："), cut_rows(session, report["cut"]))
    section(
        session,
        say("Dropped, how often, and why:", "舍去的内容、次数及原因："),
        remarks_rows(session, report["dropped"], _REASONS_ZH),
    )
