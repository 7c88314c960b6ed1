"""Begin: `tally status`, every ledger of the charter at one glance, and every observer.

Each node is asked for its newest checkpoint and what its witnesses cosigned, all at once; what it shows must be signed,
and extend what this client trusted. Of a ledger whose node is out of reach, a witness's copy is shown. An observer's is
asked what it has cosigned of each ledger. First all nodes are asked what they hold of each other's ledgers
(`sdk/gossip`); what that proves, or leaves open, stands below the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import Session, command
from tallystick.core.errors import (
    CharterForked,
    NotVouchedFor,
    Starting,
    TallystickError,
    Unreachable,
    Usage,
    VerificationFailed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tallystick.core.charter import Bureau, Charter
    from tallystick.sdk.observing import Holding
    from tallystick.sdk.profile import Profile
    from tallystick.sdk.reader import LedgerReader
    from tallystick.sdk.witnessing import Standing

_ASKED_AT_ONCE = 16


@click.command()
@command
def status(session: Session) -> int:
    """Show every ledger of the charter: how much it holds, how far it is witnessed and by whom, and whether its node
    answers and can be believed; of every observer, what it has cosigned; and what the nodes show against each other.

    Exits with 3 where a node is out of reach, and with 5 where one shows what does not extend what it showed before, or
    where the charter's holders signed two versions of it.

    \b
    Example:
      tally status --profile profiles/auditor.toml
    """
    from concurrent.futures import ThreadPoolExecutor

    from tallystick.cli.alarms import alarms
    from tallystick.sdk.gossip import gossip

    with session.ledgers_as_shown() as ledgers:
        heard = gossip(ledgers.profile)
        found = alarms(session, heard)
        readers = list(ledgers)
        observers = [bureau for bureau in ledgers.charter.bureau if bureau.is_observer]
        with ThreadPoolExecutor(min(len(readers), _ASKED_AT_ONCE)) as pool:
            holds = [pool.submit(_held, observer, ledgers.profile) for observer in observers]
            answers = list(pool.map(lambda reader: _ask(reader, ledgers.charter), readers))
        asked = zip(readers, answers, strict=True)
        aside = [each for reader, answer in asked for each in _aside(session, reader, answer)]
        rows = [_row(reader, answer) for reader, answer in zip(readers, answers, strict=True)]
    sizes = {row["bureau"]: row["entries"] for row in rows}
    held = [each.result() for each in holds]
    watching = [_observer(observer, answer, sizes) for observer, answer in zip(observers, held, strict=True)]
    errors = [*(answer.error for answer in answers), *(each for each in held if isinstance(each, TallystickError))]
    _print(session, rows, watching, aside, found)
    codes = [error.exit_code for error in errors if error is not None]
    if heard.charters.versions.unsettled is not None:
        codes.append(CharterForked.exit_code)
    return max(codes, default=0)


@dataclass(frozen=True, slots=True)
class _Answer:
    """The size this client trusted before, what is shown of the ledger now, and what its own node fails by, if it does.

    Where that is out of reach, `standing` is what a copy shows.
    """

    before: int
    standing: Standing | None
    error: TallystickError | None = None


def _ask(reader: LedgerReader, charter: Charter) -> _Answer:
    from tallystick.sdk.witnessing import copied, standing

    before = reader.trusted.size
    try:
        return _Answer(before, standing(reader, charter))
    except Unreachable as error:
        try:
            return _Answer(before, copied(reader, charter), error)
        except TallystickError:
            return _Answer(before, None, error)
    except TallystickError as error:
        return _Answer(before, None, error)


def _aside(session: Session, reader: LedgerReader, answer: _Answer) -> list[dict[str, str]]:
    """What this client was shown of a ledger before a version ended its key's word, where its node answers."""
    from tallystick.cli.acknowledged import judged_sentence
    from tallystick.sdk.aside import judged_aside

    if answer.error is not None:
        return []
    trust, name = session.profile.trust_store, reader.bureau.label(session.language)
    found = judged_aside(reader, trust, session.profile.charter)
    return [
        {
            "ledger": reader.bureau.id,
            "note": str(path),
            "verdict": each.verdict.value,
            "says": judged_sentence(session, name, each),
        }
        for path, each in found
    ]


def _held(observer: Bureau, profile: Profile) -> list[Holding] | TallystickError:
    """What an observer holds of every ledger."""
    from tallystick.sdk.dialling import DEADLINE_S
    from tallystick.sdk.observing import holdings

    try:
        return holdings(observer, profile.charter, DEADLINE_S, profile.credentials)
    except TallystickError as error:
        return error


def _fault(error: TallystickError) -> dict[str, Any]:
    match error:
        case Starting():
            state = "starting"
        case Unreachable():
            state = "unreachable"
        case Usage():
            state = "not_asked"
        case NotVouchedFor():
            state = "other_charter"
        case VerificationFailed():
            state = "misbehaves"
        case _:
            state = "refuses"
    return {"state": state, "why": str(error)}


def _observer(
    observer: Bureau, answer: list[Holding] | TallystickError, sizes: Mapping[str, int | None]
) -> dict[str, Any]:
    row: dict[str, Any] = {"bureau": observer.id, "endpoint": observer.endpoint, "holds": []}
    if isinstance(answer, TallystickError):
        return row | _fault(answer)
    for held in answer:
        size = sizes[held.ledger]
        lag = None if size is None else max(0, size - held.size)
        row["holds"].append(
            {"ledger": held.ledger, "cosigned": held.size, "lag": lag, "cosigned_at": held.at_s or None}
        )
    return row | {"state": "answers", "why": None}


def _row(reader: LedgerReader, answer: _Answer) -> dict[str, Any]:
    row: dict[str, Any] = {
        "bureau": reader.bureau.id,
        "origin": reader.bureau.origin,
        "endpoint": reader.bureau.endpoint,
        "trusted_before": answer.before,
        "entries": None,
        "root": None,
        "witnessed": None,
        "quorum": None,
        "witnesses": [],
        "keeper": reader.keeper or None,
        "not_recording": None,
    }
    if answer.standing is not None:
        row |= _shown(answer.standing)
    return row | (_fault(answer.error) if answer.error is not None else {"state": "answers", "why": None})


def _shown(standing: Standing) -> dict[str, Any]:
    size = standing.checkpoint.size
    return {
        "entries": size,
        "root": standing.checkpoint.root.hex(),
        "witnessed": None if standing.quorum is None else standing.witnessed,
        "quorum": None if standing.quorum is None else standing.quorum.needed,
        "witnesses": [
            {
                "witness": each.witness,
                "cosigned": each.size,
                "lag": None if each.size is None else max(0, size - each.size),
                "cosigned_at": each.at_s,
            }
            for each in standing.witnesses
        ],
        "not_recording": None if standing.not_recording is None else str(standing.not_recording),
    }


def _print(
    session: Session,
    rows: list[dict[str, Any]],
    observers: list[dict[str, Any]],
    aside: list[dict[str, str]],
    found: list[dict[str, Any]],
) -> None:
    from tallystick.cli.alarms import print_alarms
    from tallystick.cli.certificate import certificate_document, certificate_warning

    charter = session.profile.charter
    answering = [row for row in rows if row["state"] == "answers"]
    output = session.output
    coverage = output.say(
        f"{len(answering)} of {len(rows)} ledgers answered, {sum(row['entries'] for row in answering)} entries, "
        f"under charter {charter.name} version {charter.version}. Each answer is signed and extends what "
        "this client trusted; entries were counted, not read. Witnessed is what a quorum's cosignatures cover; which "
        "of its witnesses are behind is the node's word.",
        f"{len(rows)} 本台账中 {len(answering)} 本有应答，共 {sum(row['entries'] for row in answering)} 条，"
        f"依据章程 {charter.name} 第 {charter.version} 版。应答均有签名，"
        "且承接此前已核对的账目；条目只计数，未逐条核查。已见证者以达到门限的副署为证；何家滞后，据其节点所述。",
    )
    if observers:
        coverage += output.say(
            " An observer holds what it has cosigned; that it holds no more is its word.",
            "观察者持有其已副署者；是否止于此，据其所述。",
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
        ("ledger", "entries", "witnessed", "behind", "root", "endpoint", "answers")
        if output.language == "en"
        else ("台账", "条目", "已见证", "滞后", "树根", "地址", "应答")
    )
    table = []
    for row, bureau in zip(rows, charter.ledgers, strict=True):
        name = bureau.label("zh") if output.language == "zh" else bureau.id
        entries = "-" if row["entries"] is None else str(row["entries"])
        witnessed = "-" if row["witnessed"] is None else str(row["witnessed"])
        behind = _behind(session, row)
        table.append(
            (name, entries, witnessed, behind, (row["root"] or "-")[:12], row["endpoint"], _state(session, row))
        )
    output.table(header, table)
    if observers:
        output.line()
        output.table(
            ("observer", "cosigned", "behind", "endpoint", "answers")
            if output.language == "en"
            else ("观察者", "已副署", "滞后", "地址", "应答"),
            [_observer_cells(session, row) for row in observers],
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
    return name(row["bureau"]), comma.join(cosigned) or "-", comma.join(late) or "-", row["endpoint"], answers


def _behind(session: Session, row: dict[str, Any]) -> str:
    """The witnesses that have not cosigned all of it, and by how many entries each lags."""
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
    if why is not None:
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
