"""Answer: notices, questions and disputes: `tally acknowledge`, `ask`, `dispute`, `incident`, `answer`."""

from __future__ import annotations

from tallystick.cli.recording import recording

acknowledge = recording(
    "acknowledge",
    "NoticeAcknowledged",
    """Acknowledge a notice, such as the recall of a version, and say what was done about it.

    \b
    Example:
      tally acknowledge market-regulation#31 --action stopped
    """,
)

ask = recording(
    "ask",
    "ConcernRaised",
    """Ask what an entry means; while the question is open, the clock of the entry stands still.

    An audit's finding is raised with a bureau by its id.

    \b
    Examples:
      tally ask taxation#1042 --words "which enterprises?"
      tally ask F-3KQ0ZV8M1T5R --to planning --words "who supervises this?"
    """,
    argument="about",
    fixed={"sort": "clarification"},
    finding={"sort": "finding"},
)

dispute = recording(
    "dispute",
    "ConcernRaised",
    """Dispute what an entry brought: data that is wrong, or that never arrived.

    \b
    Example:
      tally dispute market-regulation#12 --words "line 40 has no owner"
    """,
    argument="about",
    choices={"sort": ("quality", "not_received")},
)

incident = recording(
    "incident",
    "ConcernRaised",
    """Report a security incident to a bureau.

    \b
    Example:
      tally incident market-regulation --version SCJG-0012@2027-03 --words "seen on an open server"
    """,
    fixed={"sort": "incident"},
)

answer = recording(
    "answer",
    "ConcernAnswered",
    """Answer a question or dispute, by its REF, or an audit's finding, by its id.

    \b
    Examples:
      tally answer taxation#77 --outcome corrected --corrected SCJG-0012@2027-03b
      tally answer F-3KQ0ZV8M1T5R --outcome explained --words "the supervisor was named on 9 March"
    """,
    cites=("ConcernRaised",),
    finding={},
)
