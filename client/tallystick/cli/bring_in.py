"""Bring in: `tally import`, other people's records as statements, with an account of what was left out."""

from __future__ import annotations

import click

from tallystick.cli.import_dcat import dcat
from tallystick.cli.import_systems import systems
from tallystick.cli.import_xroad import xroad
from tallystick.cli.options import shared_options


@click.group("import")
@shared_options
def import_() -> None:
    """Bring in records that other programs keep. Each import says what it skipped or dropped, and why."""


for _each in (dcat, xroad, systems):
    import_.add_command(_each)
