"""Duties: `tally duty`, who answers for what. Nobody is released before somebody else has accepted."""

from __future__ import annotations

import click

from tallystick.cli.options import shared_options
from tallystick.cli.recording import recording


@click.group(short_help="Who answers for what.")
@shared_options
def duty() -> None:
    """Who answers for a resource, a system, a matter or a bureau: assign a duty, accept or decline it, release it."""


duty.add_command(
    recording(
        "assign",
        "DutyAssigned",
        """Assign a duty to a bureau, over what the options name; with none of them, over the bureau itself.

        \b
        Example:
          tally duty assign planning --duty supervisor --matter 310115-GH-03 --unit "Approvals" --since 2027-03-09
        """,
        cites=("DutyAssigned",),
    )
)
duty.add_command(
    recording(
        "accept",
        "DutyAnswered",
        """Accept the duty that REF assigns.

        \b
        Example:
          tally duty accept planning#4
        """,
        fixed={"answer": "accepted"},
        cites=("DutyAssigned",),
    )
)
duty.add_command(
    recording(
        "decline",
        "DutyAnswered",
        """Decline the duty that REF assigns.

        \b
        Example:
          tally duty decline planning#4 --reason "the matter was abolished"
        """,
        fixed={"answer": "declined"},
        cites=("DutyAssigned",),
    )
)
duty.add_command(
    recording(
        "release",
        "DutyReleased",
        """Release the holder of the duty that REF assigned; `--to` says whom it is handed over to.

        \b
        Example:
          tally duty release planning#4 --to data-office
        """,
        cites=("DutyAssigned",),
        apart=("to",),
    )
)
