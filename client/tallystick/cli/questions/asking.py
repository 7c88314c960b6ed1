"""What every question has in common: the day it is asked for, where its answer comes from, and what it ends with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.coverage import check_any_read, print_coverage
from tallystick.cli.options import Session
from tallystick.sdk.arguments import TEXT

if TYPE_CHECKING:
    from tallystick.audit.inquiry import Inquiry
    from tallystick.sdk.auditing import Audited
    from tallystick.sdk.ledgers import Ledgers

NOTHING = 4
"""The exit code where nothing is there of what was asked about."""

on_day = click.option("--on", "on", metavar="DAY", type=TEXT, help="As of the end of this day; else today.")


def from_indexes(
    session: Session,
    ledgers: Ledgers,
    on: str | None,
    inquiry: Inquiry,
    watching: Callable[[object], None] | None = None,
) -> Audited:
    """What the ledgers' indexes answer. `watching` is shown every record of the pass that rules would be.

    Raises as `check_any_read`.
    """
    from tallystick.cli.day import judged_day
    from tallystick.sdk.asking import ask
    from tallystick.sdk.rulebook import rulebook_of

    day = judged_day(session, on, rulebook_of(ledgers.charter).calendar)
    audited = ask(ledgers, day, inquiry, watching=watching)
    check_any_read(session, ledgers.charter, audited.coverage)
    return audited


def from_full_pass(
    session: Session,
    ledgers: Ledgers,
    on: str | None,
    watching: Callable[[object], None] | None = None,
    *,
    absent: Collection[str] = (),
) -> Audited:
    """What every ledger holds, read whole. `watching` is shown every record that rules would be.

    `absent` are the rules whose absences the answer states; the coverage says what of them could not be judged. Raises
    as `check_any_read`.
    """
    from tallystick.cli.day import judged_day
    from tallystick.cli.output import progress_bar
    from tallystick.sdk.auditing import survey
    from tallystick.sdk.rulebook import rulebook_of

    day = judged_day(session, on, rulebook_of(ledgers.charter).calendar)
    with progress_bar("reading", 1, of_bytes=False) as progress:
        audited = survey(ledgers, day, progress=progress, watching=watching)
    check_any_read(session, ledgers.charter, audited.coverage)
    unjudged = audited.coverage.unjudged.items()
    audited.coverage.unjudged = {(rule, bureau): count for (rule, bureau), count in unjudged if rule in absent}
    return audited


def end(session: Session, audited: Audited, document: Mapping[str, Any], code: int = 0) -> int:
    """Print the answer where programs read it, else the coverage that people read below it; the exit code.

    A gap in the coverage counts first: what was not found, or does not match, may be what was not read. `code` is what
    the answer itself means (`NOTHING`, findings).
    """
    from tallystick.audit.report.json import coverage_json

    if session.output.json:
        session.output.document({**document, "coverage": coverage_json(audited.coverage)})
    else:
        print_coverage(session, audited.seen.charter, audited.coverage)
    return audited.coverage.exit_code or code
