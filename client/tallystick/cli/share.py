"""Share: access asked for, granted, refused and ended: `tally request`, `grant`, `deny`, `end`."""

from __future__ import annotations

from tallystick.cli.recording import recording

request = recording(
    "request",
    "AccessRequested",
    """Ask another bureau for access to a resource. It owes an answer from the day this is served.

    \b
    Example:
      tally request SCJG-0012 --provider market-regulation --purpose tax-registration --case 2026-11-0042
    """,
    another="provider",
    to_come="until",
)

grant = recording(
    "grant",
    "AccessGranted",
    """Grant the access that REF asks for. Resource, bureau, system, matter and case are those of the request.

    \b
    Example:
      tally grant taxation#1042 --condition "one enterprise at a time" --until 2027-11-01
    """,
    cites=("AccessRequested",),
)

deny = recording(
    "deny",
    "AccessDenied",
    """Refuse the access that REF asks for, and say why, in words or by a basis.

    \b
    Example:
      tally deny taxation#1042 --reason "no purpose of the regulation" --basis "Regulation 12, art. 9"
    """,
    cites=("AccessRequested",),
    one_of=("reason", "basis"),
    unless="AccessGranted",
)

end = recording(
    "end",
    "AccessEnded",
    """End the access of REF: revoke what this bureau granted, give back what it was granted, or withdraw its request.

    \b
    Example:
      tally end market-regulation#7 --how given-back --reason "the system was switched off"
    """,
    cites=("AccessGranted", "AccessRequested"),
)
