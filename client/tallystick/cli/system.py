"""Systems: `tally system`, the inventory of what runs, how much it is used, and when it ended."""

from __future__ import annotations

import click

from tallystick.cli.options import shared_options
from tallystick.cli.recording import recording


@click.group()
@shared_options
def system() -> None:
    """The inventory of systems: register one, report its use, retire it."""


system.add_command(
    recording(
        "register",
        "SystemRegistered",
        """Register a system in this bureau's inventory.

        \b
        Example:
          tally system register TAX-REG --name "Tax registration" --accepted-on 2024-06-30 --operator "cloud centre"
        """,
    )
)
system.add_command(
    recording(
        "used",
        "SystemUsed",
        """Report how much a system was used in a period. One that runs and that nobody uses is worth knowing.

        \b
        Example:
          tally system used TAX-REG --since 2026-10-01 --until 2026-10-31 --users 412 --operations 96000
        """,
    )
)
system.add_command(
    recording(
        "retire",
        "SystemRetired",
        """Record that a system was switched off.

        \b
        Example:
          tally system retire OLD-PORTAL --replaced-by NEW-PORTAL
        """,
    )
)
