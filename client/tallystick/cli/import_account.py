"""What every import reports alike: sections of what was left out, names with their number, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tallystick.cli.options import Session
    from tallystick.sdk.importers.bring_in import Outcome, Remarks

_NAMED_MAX = 5
_ROWS_MAX = 60


def section(session: Session, title: str, rows: Sequence[tuple[str, ...]], most: int = _ROWS_MAX) -> None:
    """Rows under a title, nothing where there are none; beyond `most` their number."""
    if not rows:
        return
    output = session.output
    output.line()
    output.line(title)
    output.table(None, rows[:most])
    if len(rows) > most:
        left = len(rows) - most
        output.line(output.say(f"… and {left} more, all of them with --json", f"……另有 {left} 项，见 --json"))


def named(codes: Sequence[str]) -> str:
    """How many there are, and the first of them."""
    if not codes:
        return "0"
    return f"{len(codes)}: " + ", ".join(codes[:_NAMED_MAX]) + (", …" if len(codes) > _NAMED_MAX else "")


def where_recorded(bureau: str, outcome: Outcome) -> dict[str, Any]:
    """How many statements were recorded, and the first and last of them, for a report."""
    return {
        "recorded": outcome.recorded,
        "first": None if outcome.first is None else f"{bureau}#{outcome.first}",
        "last": None if outcome.last is None else f"{bureau}#{outcome.last}",
    }


def recorded_fact(session: Session, report: Mapping[str, Any], planned: int) -> tuple[str, str]:
    """The line of a report that says how many statements were, or would be, recorded."""
    say = session.output.say
    if report["dry_run"]:
        return say("would be recorded", "将记录"), str(planned)
    where = f" ({report['first']} … {report['last']})" if report["first"] else ""
    return say("recorded", "已记录"), f"{report['recorded']}{where}"


def remarks_json(remarks: Remarks) -> list[dict[str, Any]]:
    """Remarks in a report."""
    return [
        {"field": each.field, "reason": each.why, "count": each.count, "examples": list(each.examples)}
        for each in remarks
    ]


def remarks_rows(
    session: Session, remarks: Sequence[Mapping[str, Any]], reasons_zh: Mapping[str, str]
) -> list[tuple[str, ...]]:
    """Remarks of a report as rows: how often, what, why, and the first places."""
    say = session.output.say
    return [
        (
            str(each["count"]),
            each["field"],
            say(each["reason"], reasons_zh.get(each["reason"], each["reason"])),
            "; ".join(each["examples"]) + ("; …" if each["count"] > len(each["examples"]) else ""),
        )
        for each in remarks
    ]


def cut_rows(session: Session, cut: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """What was shortened, of a report, as rows."""
    say = session.output.say
    return [
        (str(each["count"]), each["field"], say(f"{each['longest']} characters", f"{each['longest']} 字"))
        for each in cut
    ]


def raise_error(outcome: Outcome, wanted: int) -> None:
    """Raise what stopped an import, if anything did, saying how far it came."""
    if outcome.error is not None:
        raise outcome.error.at(f"{outcome.recorded} of {wanted} were recorded, run it again")
