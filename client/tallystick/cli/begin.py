"""Begin: `tally status`, every ledger of the charter at one glance.

Each node is asked for its newest checkpoint, all at once; what it shows must be signed, and extend what this client
trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import Session, command
from tallystick.core.errors import TallystickError, Unreachable, VerificationFailed

if TYPE_CHECKING:
    from tallystick.core.checkpoint import Checkpoint
    from tallystick.sdk.reader import LedgerReader

_ASKED_AT_ONCE = 16


@click.command()
@command
def status(session: Session) -> int:
    """Show every ledger of the charter: how much it holds, and whether its node answers and can be believed.

    Exits with 3 where a node is out of reach, and with 5 where one shows what does not extend what it showed before.

    \b
    Example:
      tally status --profile profiles/auditor.toml
    """
    from concurrent.futures import ThreadPoolExecutor

    with session.ledgers() as ledgers:
        readers = list(ledgers)
        with ThreadPoolExecutor(min(len(readers), _ASKED_AT_ONCE)) as pool:
            answers = list(pool.map(_ask, readers))
        rows = [_row(reader, before, answer) for reader, (before, answer) in zip(readers, answers, strict=True)]
    errors = [answer for _, answer in answers if isinstance(answer, TallystickError)]
    _print(session, rows)
    return max((error.exit_code for error in errors), default=0)


def _ask(reader: LedgerReader) -> tuple[int, Checkpoint | TallystickError]:
    """The size this client trusted before, and what the node answers now."""
    before = reader.trusted.size
    try:
        return before, reader.refresh()
    except TallystickError as error:
        return before, error


def _row(reader: LedgerReader, before: int, answer: Checkpoint | TallystickError) -> dict[str, Any]:
    row: dict[str, Any] = {
        "bureau": reader.bureau.id,
        "origin": reader.bureau.origin,
        "endpoint": reader.bureau.endpoint,
        "trusted_before": before,
        "entries": None,
        "root": None,
    }
    match answer:
        case Unreachable():
            return row | {"state": "unreachable", "why": str(answer)}
        case VerificationFailed():
            return row | {"state": "misbehaves", "why": str(answer)}
        case TallystickError():
            return row | {"state": "refuses", "why": str(answer)}
        case _:
            return row | {"entries": answer.size, "root": answer.root.hex(), "state": "answers", "why": None}


def _print(session: Session, rows: list[dict[str, Any]]) -> None:
    charter = session.profile.charter
    answering = [row for row in rows if row["state"] == "answers"]
    output = session.output
    coverage = output.say(
        f"{len(answering)} of {len(rows)} ledgers answered, {sum(row['entries'] for row in answering)} entries, "
        f"under charter {charter.name} version {charter.version}. Each answer is signed and extends what "
        "this client trusted; entries were counted, not read.",
        f"{len(rows)} 本台账中 {len(answering)} 本有应答，共 {sum(row['entries'] for row in answering)} 条，"
        f"依据章程 {charter.name} 第 {charter.version} 版。应答均有签名，"
        "且承接此前已核对的账目；条目只计数，未逐条核查。",
    )
    if output.json:
        output.document(
            {"charter": charter.name, "charter_version": charter.version, "ledgers": rows, "coverage": coverage}
        )
        return
    header = (
        ("ledger", "entries", "root", "endpoint", "answers")
        if output.language == "en"
        else ("台账", "条目", "树根", "地址", "应答")
    )
    table = []
    for row, bureau in zip(rows, charter.bureau, strict=True):
        name = bureau.label("zh") if output.language == "zh" else bureau.id
        entries = "-" if row["entries"] is None else str(row["entries"])
        table.append((name, entries, (row["root"] or "-")[:12], row["endpoint"], _state(session, row)))
    output.table(header, table)
    output.line(coverage)


def _state(session: Session, row: dict[str, Any]) -> str:
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
        case "unreachable":
            return say(f"unreachable: {row['why']}", f"无法连接：{row['why']}")
        case "misbehaves":
            return say(f"NOT TO BE BELIEVED: {row['why']}", f"不可信：{row['why']}")
        case _:
            return say(f"refuses: {row['why']}", f"拒绝：{row['why']}")
