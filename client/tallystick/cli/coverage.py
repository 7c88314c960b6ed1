"""What every answer about several ledgers ends with: which ledgers, how far, and what is not covered.

Where no ledger was read there is no answer to give: an empty one would pass for good news.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallystick.cli.options import Session
from tallystick.core.counted import counted
from tallystick.core.errors import Refused, TallystickError, Unreachable, Usage, VerificationFailed

if TYPE_CHECKING:
    from tallystick.audit.coverage import Coverage
    from tallystick.core.charter import Charter


_BY_EXIT_CODE: Final = {each.exit_code: each for each in (Usage, Unreachable, Refused, VerificationFailed)}


def check_any_read(session: Session, charter: Charter, coverage: Coverage) -> None:
    """Where none was read, raises what kept them from it, once remarks beside the answer say that of each."""
    from tallystick.audit.covered import covered
    from tallystick.audit.words import Words

    if coverage.read:
        return
    for sentence in covered(Words(charter, session.language), coverage):
        session.output.note(sentence)
    count = len(coverage.ledgers)
    kept_by: type[TallystickError] = _BY_EXIT_CODE[coverage.exit_code]
    raise kept_by(
        f"none of {counted(count, 'ledger')} was read, so that nothing can be said", expected="one that is, at least"
    )


def print_coverage(session: Session, charter: Charter, coverage: Coverage) -> None:
    """The coverage, a sentence a line, after a blank one."""
    from tallystick.audit.covered import covered
    from tallystick.audit.words import Words

    session.output.line()
    for sentence in covered(Words(charter, session.language), coverage):
        session.output.line(sentence)
