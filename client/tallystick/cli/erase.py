"""Trust: `tally erase`, by which an officer has what opens a commitment erased for good."""

from __future__ import annotations

from typing import Any

import click

from tallystick.cli.fields import argument_of, option_of, uses_of, values_of
from tallystick.cli.options import Session, command
from tallystick.cli.recording import Recording, print_recorded
from tallystick.cli.references import Committed
from tallystick.core.kinds import BY_NAME, sensitive_path

_KIND = BY_NAME["DisclosureErased"]
_ENTRY, _FIELD = "entry", "field_path"


def _parameters() -> list[click.Parameter]:
    entry = _KIND.use(_ENTRY)
    assert entry is not None
    asked = uses_of(_KIND, without={_ENTRY, _FIELD})
    return [
        argument_of(entry),
        click.Argument([_FIELD], metavar="FIELD", type=Committed()),
        *(option_of(_KIND, use, required=use.required) for use in asked),
    ]


@click.command("erase", cls=Recording, kind=_KIND.name, params=_parameters())
@command
def erase(session: Session, /, **given: Any) -> None:
    """Erase for good the value and salt that open the commitment in FIELD of the entry REF, and record why.

    The entry stays, and every proof of it; nothing opens its commitment any more. Refused within the time that the
    charter has disclosures kept. Backups, and databases that were put aside, keep it until they are removed.

    \b
    Example:
      tally erase taxation#1088 subject --reason "the case is closed" --basis "Art. 47"
    """
    from tallystick.sdk.citing import cite

    values = values_of(_KIND, session, given)
    with session.node() as node:
        shown = cite(node.peers, str(values[_ENTRY]))
        path = sensitive_path(shown.read.kind, str(values[_FIELD]))
        receipt = node.record(_KIND.name, **{**values, _ENTRY: shown.ref, _FIELD: path})
    print_recorded(session, receipt)
