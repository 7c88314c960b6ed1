"""Begin: `tally status`, every ledger of the charter at one glance, and every observer.

Each node is asked for its newest checkpoint and what its witnesses cosigned, all at once; what it shows must be signed,
and extend what this client trusted. Of a ledger whose node is out of reach, a witness's copy is shown. An observer's is
asked what it has cosigned of each ledger. First all nodes are asked what they hold of each other's ledgers
(`sdk/gossip`); what that proves, or leaves open, stands below the tables.

A node that answers is seen now. One that does not was last seen when the newest cosignature was made that shows it: its
own of another's ledger, or another's of its own, which it must have been there to have.
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


@click.command()
@command
def status(session: Session) -> int:
    """Show every ledger of the charter: how much it holds, how far it is witnessed and by whom, and whether its node
    answers and can be believed; of every observer, what it has cosigned; and what the nodes show against each other.

    Exits with 3 where a node is out of reach, unless it is a closed bureau's and a copy is shown, and with 5 where one
    shows what does not extend what it showed before, or where the charter's holders signed two versions of it.

    \b
    Example:
      tally status --profile profiles/auditor.toml
    """
    from concurrent.futures import ThreadPoolExecutor

    from tallystick.cli.alarms import alarms
    from tallystick.cli.status_page import print_status
    from tallystick.sdk.dialling import ASKED_AT_ONCE
    from tallystick.sdk.gossip import gossip

    with session.ledgers_as_shown() as ledgers:
        heard = gossip(ledgers.profile)
        found = alarms(session, heard)
        readers = list(ledgers)
        observers = [bureau for bureau in ledgers.charter.bureau if bureau.is_observer]
        with ThreadPoolExecutor(min(len(readers), ASKED_AT_ONCE)) as pool:
            holds = [pool.submit(_held, observer, ledgers.profile) for observer in observers]
            answers = list(pool.map(lambda reader: _ask(reader, ledgers.charter), readers))
        asked = zip(readers, answers, strict=True)
        aside = [each for reader, answer in asked for each in _aside(session, reader, answer)]
        rows = [_row(reader, answer) for reader, answer in zip(readers, answers, strict=True)]
    sizes = {row["bureau"]: row["entries"] for row in rows}
    held = [each.result() for each in holds]
    watching = [_observer(observer, answer, sizes) for observer, answer in zip(observers, held, strict=True)]
    _see(rows, watching)
    # A closed bureau's node need not run any more, where another shows all of its ledger.
    needed = [
        answer.error
        for reader, answer in zip(readers, answers, strict=True)
        if answer.standing is None or reader.bureau.state != "closed"
    ]
    errors = [*needed, *(each for each in held if isinstance(each, TallystickError))]
    print_status(session, rows, watching, aside, found)
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
        return holdings(observer, profile.charter, DEADLINE_S, profile.credentials, profile.patience)
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


def _see(rows: list[dict[str, Any]], observers: list[dict[str, Any]]) -> None:
    """Say in every row when its node was last seen: seconds since 1970, None where nothing shows it."""
    from tallystick.cli.status_page import NOT_SEEN
    from tallystick.sdk.clock import now_us

    cosigned = [(row["bureau"], each["witness"], each["cosigned_at"]) for row in rows for each in row["witnesses"]]
    cosigned += [(each["ledger"], row["bureau"], each["cosigned_at"]) for row in observers for each in row["holds"]]
    now_s = now_us() // 1_000_000
    for row in (*rows, *observers):
        shown = [at_s for ledger, cosigner, at_s in cosigned if at_s and row["bureau"] in (ledger, cosigner)]
        row["last_seen"] = max(shown, default=None) if row["state"] in NOT_SEEN else now_s


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
        "charter_state": reader.bureau.state,
        "successor": reader.bureau.successor or None,
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
        "witnessed": None if standing.quorum is None else standing.witnessed,  # or it is not shown now
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
