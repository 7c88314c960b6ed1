"""What only the writer can decide of a prepared submission: its author's standing, its id, and what it says of actors.

Admission refuses only what is malformed or not authentic. A true statement about a broken rule is recorded, and the
audit reports it.
"""

from __future__ import annotations

from tallystick.core.actors import Actors
from tallystick.core.entry import Entry
from tallystick.core.errors import NotAllowed, NotAuthentic, SubmissionConflict, VerificationFailed
from tallystick.core.kinds import KINDS, TERM_FIELDS, role_label
from tallystick.core.limits import SUBMISSION_AHEAD_MAX_US
from tallystick.core.statement import read
from tallystick.core.submission import Prepared
from tallystick_node import access
from tallystick_node.ledger import Ledger
from tallystick_node.ledger_state import State
from tallystick_proto.v1.statement_pb2 import Statement

_ABOUT_ACTORS = frozenset(number for number, kind in KINDS.items() if kind.name in ("ActorRegistered", "ActorRevoked"))


def load_actors(ledger: Ledger, actors: Actors) -> Actors:
    """Fold the registrations and revocations a ledger holds, found through its index, into the charter's keys.

    Raises StoreDamaged where one of them is not what was recorded.
    """
    size = ledger.state.size
    found = {
        index
        for number in _ABOUT_ACTORS
        for index in ledger.candidates([(TERM_FIELDS["kind"], str(number).encode())], 0, size, newest_first=False)
    }
    for index in sorted(found):
        entry = ledger.decoded(index)
        try:
            actors.fold(index, read(entry.statement).statement, entry.recorded_at_us)
        except (VerificationFailed, NotAuthentic) as error:
            raise ledger.damaged(index, error) from None
    return actors


def admit(submission: Prepared, first: int, actors: Actors, at_us: int) -> None:
    """Check the author's key and role for recording at `first`, then, and fold what the submission says of actors.

    `actors` is changed; on an error it must be thrown away. Raises NotAuthentic or NotAllowed.
    """
    registered = actors.authorise(submission.actor, submission.signature.key, first)
    for number in set(submission.kinds):
        kind = KINDS[number]
        if not access.may_record(registered.role, kind):
            raise NotAllowed(
                f"{submission.actor} may not record {kind.name}",
                where="actor",
                expected=f"{access.signers(kind)}, not {role_label(registered.role, 'en')}",
            )
    if not touches_actors(submission):
        return
    for offset, (number, data) in enumerate(zip(submission.kinds, submission.statements, strict=True)):
        if number in _ABOUT_ACTORS:
            actors.fold(first + offset, Statement.FromString(data), at_us)


class Recent:
    """Where an id can stand at all, by its time alone: most new ids nowhere, and then there is nothing to look for.

    What was recorded before this node started has ids of at most 5 minutes after its last entry, since that is how far
    ahead an id may be; of what was recorded since, the latest id is known.
    """

    def __init__(self, started: State) -> None:
        self._started_size = started.size
        self._before_us = started.recorded_at_us + SUBMISSION_AHEAD_MAX_US
        self._since_us = 0

    def note(self, submission: Prepared) -> None:
        """It is going to be recorded; whether that succeeds does not matter here."""
        self._since_us = max(self._since_us, submission.id_time_us)

    def where(self, submission: Prepared, size: int) -> range:
        """The indexes below `size` at which its id may stand."""
        start = 0 if submission.id_time_us <= self._before_us else self._started_size
        stop = size if submission.id_time_us <= self._since_us else self._started_size
        return range(start, stop)


def find_recorded(ledger: Ledger, submission: Prepared, recent: Recent) -> int | None:
    """Where these very statements already stand under this id; None where the id is new.

    Raises SubmissionConflict where the actor used the id for other bytes, StoreDamaged.
    """
    within = recent.where(submission, ledger.state.size)
    entry = find_submission(ledger, submission.actor, submission.submission_id, within) if within else None
    if entry is None or entry.signed is None:
        return None
    recorded = [each.statement for each in ledger.decoded_all(entry.index, entry.index + entry.signed.count)]
    if recorded != submission.statements:
        raise conflict(submission, entry.index)
    return entry.index


def find_submission(ledger: Ledger, actor: str, submission_id: bytes, within: range) -> Entry | None:
    """The first entry of an actor's submission that stands within a range; ids are scoped to their actor.

    Raises StoreDamaged.
    """
    term = (TERM_FIELDS["submission"], submission_id)
    for index in ledger.candidates([term], within.start, within.stop, newest_first=True):
        entry = ledger.decoded(index)
        if entry.signed is None or entry.signed.submission_id != submission_id:
            continue
        if _actor_of(ledger, entry) == actor:
            return entry
    return None


def _actor_of(ledger: Ledger, entry: Entry) -> str:
    try:
        return read(entry.statement).statement.head.actor
    except VerificationFailed as error:
        raise ledger.damaged(entry.index, error) from None


def touches_actors(submission: Prepared) -> bool:
    """Whether a submission registers or revokes anybody."""
    return not _ABOUT_ACTORS.isdisjoint(submission.kinds)


def conflict(submission: Prepared, index: int) -> SubmissionConflict:
    """The same id, other bytes."""
    return SubmissionConflict(
        f"submission {submission.submission_id.hex()} was recorded at #{index} with other statements",
        expected="the same bytes again, or a new id",
        known=index,
    )
