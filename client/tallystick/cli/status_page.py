"""What `tally status` shows: a table of the ledgers, one of the observers, what is amiss, and what all of it covers.

A row is what JSON says of a ledger or an observer; the tables say the same in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallystick.core.counted import counted, counted_entries

if TYPE_CHECKING:
    from tallystick.cli.options import Session

NOT_SEEN = ("unreachable", "not_asked")
"""The states of a row whose node did not answer."""

# The columns that may be copied, by their numbers in either table.
_ENDPOINT, _OBSERVERS_ENDPOINT = 6, 4


def print_status(
    session: Session,
    rows: list[dict[str, Any]],
    observers: list[dict[str, Any]],
    aside: list[dict[str, str]],
    found: list[dict[str, Any]],
) -> None:
    """Show it in the language asked for, or as one JSON document."""
    from tallystick.cli.alarms import print_alarms
    from tallystick.cli.certificate import certificate_document, certificate_warning

    charter = session.profile.charter
    answering = [row for row in rows if row["state"] == "answers"]
    entries = sum(row["entries"] for row in answering)
    output = session.output
    coverage = output.say(
        f"{len(answering)} of {counted(len(rows), 'ledger')} answered, {counted_entries(entries)}, "
        f"under charter {charter.name} version {charter.version}. Each answer is signed and extends what "
        "this client trusted; entries were counted, not read. Witnessed is what a quorum's cosignatures cover; which "
        "of its witnesses are behind is the node's word.",
        f"{len(rows)} 本台账中 {len(answering)} 本有应答，共 {entries} 条，"
        f"依据章程 {charter.name} 第 {charter.version} 版。应答均有签名，"
        "且承接此前已核对的账目；条目只计数，未逐条核查。已见证者以达到门限的副署为证；何家滞后，据其节点所述。",
    )
    if observers:
        coverage += output.say(
            " An observer holds what it has cosigned; that it holds no more is its word.",
            "观察者持有其已副署者；是否止于此，据其所述。",
        )
    if any(row["state"] in NOT_SEEN for row in (*rows, *observers)):
        coverage += output.say(
            " Who does not answer was last seen when it cosigned another's ledger, or another its own, by the clock of"
            " who cosigned.",
            "未应答者，以其副署他人台账或他人副署其台账之时为最近所见，依副署者时钟。",
        )
    if output.json:
        output.document(
            {
                "charter": charter.name,
                "charter_version": charter.version,
                "ledgers": rows,
                "observers": observers,
                "set_aside": aside,
                "alarms": found,
                "certificate": certificate_document(session),
                "coverage": coverage,
            }
        )
        return
    header = (
        ("ledger", "entries", "witnessed", "behind", "last seen", "root", "endpoint", "answers")
        if output.language == "en"
        else ("台账", "条目", "已见证", "滞后", "最近所见", "树根", "地址", "应答")
    )
    table = []
    for row, bureau in zip(rows, charter.ledgers, strict=True):
        name = bureau.label("zh") if output.language == "zh" else bureau.id
        entries = "-" if row["entries"] is None else str(row["entries"])
        witnessed = _witnessed(session, row)
        root = (row["root"] or "-")[:12]
        behind, seen = _behind(session, row), _last_seen(session, row)
        table.append((name, entries, witnessed, behind, seen, root, row["endpoint"], _state(session, row)))
    output.table(header, table, kept=[_ENDPOINT])
    if observers:
        output.line()
        output.table(
            ("observer", "cosigned", "behind", "last seen", "endpoint", "answers")
            if output.language == "en"
            else ("观察者", "已副署", "滞后", "最近所见", "地址", "应答"),
            [_observer_cells(session, row) for row in observers],
            kept=[_OBSERVERS_ENDPOINT],
        )
    for each in aside:
        output.line(f"{each['note']}: {each['says']}")
    print_alarms(session, found)
    if warning := certificate_warning(session):
        output.line(warning)
    output.line(coverage)


def _observer_cells(session: Session, row: dict[str, Any]) -> tuple[str, ...]:
    charter, say, zh = session.profile.charter, session.output.say, session.output.language == "zh"

    def name(bureau: str) -> str:
        return charter.by_id(bureau).label("zh") if zh else bureau

    answers = say("yes", "是") if row["state"] == "answers" else _answer(session, row)
    cosigned = [f"{name(each['ledger'])} {each['cosigned']}" for each in row["holds"]]
    late = [f"{name(each['ledger'])} {each['lag']}" for each in row["holds"] if each["lag"]]
    comma = "、" if zh else ", "
    behind, seen = comma.join(late) or "-", _last_seen(session, row)
    return name(row["bureau"]), comma.join(cosigned) or "-", behind, seen, row["endpoint"], answers


def _last_seen(session: Session, row: dict[str, Any]) -> str:
    """Now, where its node is seen; else the moment of the cosignature that shows it last."""
    from tallystick.core.moments import moment_text

    if row["state"] not in NOT_SEEN:
        return session.output.say("now", "现时")
    return "-" if row["last_seen"] is None else moment_text(row["last_seen"] * 1_000_000, session.zone)


def _witnessed(session: Session, row: dict[str, Any]) -> str:
    """Up to which size; that its witnesses do not show it now is not said to be nothing."""
    if row["witnessed"] is not None:
        return str(row["witnessed"])
    return "-" if row["quorum"] is None else session.output.say("not shown now", "此刻未示")


def _behind(session: Session, row: dict[str, Any]) -> str:
    """The witnesses that have not cosigned all of it, and by how many entries each lags."""
    if row["quorum"] is not None and row["witnessed"] is None:
        return _witnessed(session, row)
    charter, zh = session.profile.charter, session.output.language == "zh"
    late = []
    for each in row["witnesses"]:
        name = charter.by_id(each["witness"]).label("zh") if zh else each["witness"]
        if each["lag"] is None:
            late.append(f"{name} {session.output.say('not heard', '未闻')}")
        elif each["lag"]:
            late.append(f"{name} {each['lag']}")
    return ("、" if zh else ", ").join(late) or "-"


def _state(session: Session, row: dict[str, Any]) -> str:
    state, why = _answer(session, row), row["not_recording"]
    bureau = session.profile.charter.by_id(row["bureau"])
    if bureau.state != "active":
        state = bureau.state_in(session.language) + session.output.say("; ", "；") + state
    elif why is not None:
        state += session.output.say(f"; records nothing now: {why}", f"；暂不记录：{why}")
    if row["keeper"]:
        zh = session.language == "zh"
        name = session.profile.charter.by_id(row["keeper"]).label("zh") if zh else row["keeper"]
        state += session.output.say(f"; this is what the copy of {name} shows", f"；所列据{name}所存副本")
    return state


def _answer(session: Session, row: dict[str, Any]) -> str:
    say = session.output.say
    match row["state"]:
        case "answers" if row["trusted_before"] == 0:
            return say("yes, seen for the first time", "是，首次见到")
        case "answers" if row["trusted_before"] == row["entries"]:
            return say("yes, as trusted before", "是，与此前一致")
        case "answers":
            return say(
                f"yes, extends the {row['trusted_before']} trusted before", f"是，承接此前的 {row['trusted_before']} 条"
            )
        case "starting":
            return say(f"starting, shows nothing yet: {row['why']}", f"启动中，尚无可示：{row['why']}")
        case "unreachable":
            return say(f"unreachable: {row['why']}", f"无法连接：{row['why']}")
        case "not_asked":
            return say(f"not asked: {row['why']}", f"未询问：{row['why']}")
        case "other_charter":
            return say(f"not checked, by this version: {row['why']}", f"依本版章程无法核验：{row['why']}")
        case "misbehaves":
            return say(f"NOT TO BE BELIEVED: {row['why']}", f"不可信：{row['why']}")
        case _:
            return say(f"refuses: {row['why']}", f"拒绝：{row['why']}")
