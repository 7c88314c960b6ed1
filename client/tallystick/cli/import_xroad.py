"""`tally import xroad`: X-Road's operational-monitoring records as this bureau's halves of exchanges."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.import_account import (
    cut_rows,
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
    from tallystick.sdk.importers.xroad import Account

_KINDS_ZH = {"DataSent": "数据发送", "DataReceived": "数据接收", "ExchangeFailed": "交换失败"}
_REASONS_ZH = {
    "missing": "缺失",
    "not in the map": "映射表中没有",
    "not text": "不是文本",
    "not a whole number": "不是整数",
    "not a time": "不是时间",
    "unknown value": "取值不明",
    "stands twice, with two values": "出现两次且取值不同",
    "names a field twice": "同一字段出现两次",
    "not what the record stands under": "与所在一方不符",
    "another record of this message and side says otherwise": "同一消息同一方的另一条记录内容不同",
    "not an object": "不是对象",
    "not JSON": "不是 JSON",
    "not UTF-8 text": "不是 UTF-8 文本",
    "too long": "过长",
    "nested too deeply": "嵌套过深",
    "its quotes do not end": "引号未闭合",
    "another number of columns": "列数不符",
    "stands before the line that names the columns": "位于表头之前",
    "neither a client's nor a producer's": "双方记录均无",
    "a person": "属个人信息",
    "no place in an exchange": "交换中无此项",
}


@click.command(short_help="Record this bureau's halves of X-Road exchanges.")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option(
    "--map",
    "map_file",
    type=FILE,
    help="A TOML file from X-Road identifiers to bureaus; only a dry run can do without.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
@command
def xroad(session: Session, files: tuple[Path, ...], map_file: Path | None, dry_run: bool) -> None:
    """Record this bureau's halves of exchanges from X-Road operational-monitoring records.

    A FILE is JSON as the operational-monitoring service gives it, documents as X-Road Metrics exports them, or a table
    as its open data is; `-` is standard input. A line of the map is "INSTANCE/CLASS/MEMBER/SUBSYSTEM" = "bureau", the
    subsystem may be left out; --dry-run lists what the map lacks. A second run records nothing.

    \b
    Example:
      tally import xroad opendata.tsv --map map.toml --dry-run
    """
    from tallystick.cli.output import progress_bar
    from tallystick.sdk.importers.bring_in import Outcome, record
    from tallystick.sdk.importers.xroad import XRoadImport
    from tallystick.sdk.importers.xroad_half import standing_halves
    from tallystick.sdk.importers.xroad_input import check_forms, opened_in_turn
    from tallystick.sdk.importers.xroad_map import XRoadMap, load_map

    if map_file is None and not dry_run:
        raise click.UsageError("--map is missing; a dry run does without, and lists what a map needs")
    total = check_forms(files)
    charter = session.live_profile.charter
    bureaus = XRoadMap({}) if map_file is None else load_map(map_file, charter)
    with session.node() as node:
        bureau = node.bureau.id
        importing = XRoadImport(bureau, bureaus, standing_halves(node))
        with progress_bar("xroad", total, of_bytes=True) as progress:
            at = None if progress is None else (lambda taken: progress(taken, total))
            wanted = importing.wanted(opened_in_turn(files, at))
            outcome = Outcome()
            if not dry_run:
                outcome = record(node, wanted)
            else:
                for _ in wanted:
                    pass
    account = importing.account
    report = {
        "files": [str(file) for file in files],
        "map": None if map_file is None else str(map_file),
        "bureau": bureau,
        "dry_run": dry_run,
        **_report(account),
        **where_recorded(bureau, outcome),
    }
    if session.json:
        session.output.document(report)
    else:
        _print(session, report)
    raise_error(outcome, account.imported)
    _raise_cut_short(account)


def _raise_cut_short(account: Account) -> None:
    from tallystick.core.errors import Refused

    for name, why in account.cut_short[:1]:
        others = f", and {len(account.cut_short) - 1} more files" if len(account.cut_short) > 1 else ""
        raise Refused(
            f"the rest could not be read ({why}){others}", where=name, expected="whole files; what was read is recorded"
        )


def _report(account: Account) -> dict[str, Any]:
    return {
        "records": account.records,
        "imported": account.imported,
        "duplicates": account.duplicates,
        "others": account.others.total(),
        "skipped": account.skipped.total(),
        "kinds": dict(account.kinds.most_common()),
        "on_the_ledger": account.compared.unchanged,
        "repeated": account.compared.repeated,
        "others_by_bureau": dict(account.others.most_common()),
        "reasons": remarks_json(account.skipped),
        "unmapped": [{"identifier": str(each), "count": n} for each, n in account.unmapped.most_common()],
        "cut_short": [{"file": name, "reason": why} for name, why in account.cut_short],
        "without": [{"field": name, "count": n} for name, n in account.without.most_common()],
        "read_as": [
            {"field": name, "given": given, "read_as": meant, "count": n}
            for (name, given, meant), n in account.read_as.most_common()
        ],
        "cut": [{"field": name, "longest": most, "count": n} for (name, most), n in account.cut.most_common()],
        "dropped": [{"field": name, "reason": why, "count": n} for (name, why), n in account.dropped.most_common()],
    }


def _print(session: Session, report: Mapping[str, Any]) -> None:
    output = session.output
    say = output.say
    output.facts(
        [
            (say("records", "记录"), str(report["records"])),
            recorded_fact(session, report, report["imported"]),
            *((f"  {say(kind, _KINDS_ZH[kind])}", str(n)) for kind, n in report["kinds"].items()),
            (
                say("duplicates", "重复"),
                say(
                    f"{report['duplicates']}, of which on the ledger {report['on_the_ledger']}",
                    f"{report['duplicates']}，其中台账已有 {report['on_the_ledger']}",
                ),
            ),
            (say("of other bureaus", "属其他单位"), str(report["others"])),
            *((f"  {bureau}", str(n)) for bureau, n in report["others_by_bureau"].items()),
            (say("skipped", "跳过"), str(report["skipped"])),
        ]
    )
    section(
        session,
        say("Skipped, how often, and why:", "跳过次数及原因："),
        remarks_rows(session, report["reasons"], _REASONS_ZH),
    )
    section(
        session,
        say("Identifiers the map lacks, and in how many records:", "映射表中没有的标识及记录数："),
        [(str(each["count"]), f'"{each["identifier"]}"') for each in report["unmapped"]],
        most=len(report["unmapped"]),  # what a map is to be written from is named, each and every one
    )
    section(
        session,
        say("Not read to the end:", "未能读完："),
        [(each["file"], each["reason"]) for each in report["cut_short"]],
    )
    section(
        session,
        say("Recorded without:", "缺下列内容："),
        [(str(each["count"]), each["field"]) for each in report["without"]],
    )
    section(
        session,
        say("Read in spite of its spelling:", "拼写不规范，按下列读取："),
        [(str(each["count"]), each["field"], each["given"], each["read_as"]) for each in report["read_as"]],
    )
    section(session, say("Cut to the length a field holds:", "超长截短："), cut_rows(session, report["cut"]))
    section(
        session,
        say("Dropped from this bureau's records, how often, and why:", "本单位记录中舍去的字段、次数及原因："),
        [
            (str(each["count"]), each["field"], say(each["reason"], _REASONS_ZH.get(each["reason"], each["reason"])))
            for each in report["dropped"]
        ],
    )
