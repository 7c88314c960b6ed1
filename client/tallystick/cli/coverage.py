"""What every answer about several ledgers ends with: which ledgers, how far, and what is not covered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallystick.cli.options import Session

if TYPE_CHECKING:
    from tallystick.audit.coverage import Coverage
    from tallystick.core.charter import Charter


def print_coverage(session: Session, charter: Charter, coverage: Coverage) -> None:
    """The coverage, a sentence a line, after a blank one."""
    from tallystick.audit.words import Words

    session.output.line()
    for sentence in Words(charter, session.language).coverage(coverage):
        session.output.line(sentence)
