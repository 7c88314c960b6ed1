"""Single statements to one ledger: each sealed by itself, sent, and its receipt checked before anything else happens.

Where the node falls silent, or its disk fails, it is sent again under the same id, so that it is recorded once or not
at all. What is recorded and not yet witnessed stays in the spool, as a recorder's batches do, where the charter gives
the ledger a quorum (`settling`); before the next statement it is seen, now and then, what is witnessed by now.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Lock
from typing import Final

from tallystick.core.charter import Charter
from tallystick.core.closing import Closing
from tallystick.core.compose import check_happened, compose, place
from tallystick.core.errors import Overloaded, StorageFailed, Unreachable
from tallystick.core.keys import Signer
from tallystick.core.submission import seal
from tallystick.sdk.clock import new_id, new_salt, now_us
from tallystick.sdk.closed import check_open
from tallystick.sdk.reader import LedgerReader
from tallystick.sdk.receipt import Receipt, check_receipt, check_standing, receipt_of
from tallystick.sdk.settling import Settling
from tallystick.sdk.spool import Spool
from tallystick_proto.v1.ledger_pb2 import SubmitRequest

_RETRIES: Final = 2


class Singles:
    """Records single statements under one identity, from any number of threads."""

    def __init__(
        self,
        reader: LedgerReader,
        actor: str,
        key: Signer,
        charter: Charter | None,
        spool: Spool,
        closings: Mapping[str, Closing],
    ) -> None:
        """`charter` says who witnesses the ledger; without one nothing is kept once it is recorded; `closings` who is
        closed.
        """
        self._reader = reader
        self._actor = actor
        self._key = key
        self._charter = charter
        self._closings = closings
        self._settling = Settling(reader, charter, spool)
        self._turn = Lock()  # at what is not witnessed yet

    @property
    def unwitnessed(self) -> int:
        """How many statements are recorded and not known to be witnessed yet."""
        return self._settling.count

    def say(self, kind: str, values: dict[str, object], wait_witnessed_s: float = 0.0) -> Receipt:
        """Record a statement, and wait for a quorum, if the ledger has one, at most so long.

        Raises what kept it from being recorded, and Overloaded where the spool is full of what is not witnessed yet.
        """
        reader, bureau, charter = self._reader, self._reader.bureau, self._charter
        reader.check_evidence()  # a receipt of a ledger that is two would promise nothing
        self._make_room()
        quorum = None if charter is None else charter.quorum_of(bureau)
        wait_ms = 0 if quorum is None else int(wait_witnessed_s * 1_000)
        draft = compose(kind, self._actor, values)
        check_happened(values, now_us)
        check_open(bureau.id, kind, values, self._closings)
        submission_id = new_id()
        disclosures = place(draft, bureau.origin, submission_id, 0, new_salt)
        data = draft.encode()
        submission = seal(bureau.origin, self._actor, self._key, submission_id, [data], disclosures)
        for attempt in range(_RETRIES + 1):
            known = reader.known()
            try:
                answer = reader.wire.submit(
                    SubmitRequest(submission=submission, known_size=known.size, wait_witnessed_ms=wait_ms)
                )
                checkpoint = reader.follow(known, answer.checkpoint, answer.consistency)
                break
            except (Unreachable, StorageFailed):
                if attempt == _RETRIES:
                    raise  # the same id again does no harm, a new one could record twice
        check_receipt(answer, submission, bureau, checkpoint)
        if charter is None:
            return receipt_of(answer, 0, draft.statement, bureau, checkpoint)
        cosigned = check_standing(answer, charter, bureau)
        enough = cosigned.enough(charter)
        if not enough:
            with self._turn:
                self._settling.recorded(submission_id, submission, answer)
        return receipt_of(answer, 0, draft.statement, bureau, checkpoint, cosigned, enough=enough, waited=wait_ms > 0)

    def _make_room(self) -> None:
        """See, now and then, what is witnessed by now."""
        with self._turn:
            if time.monotonic() >= self._settling.due_at or self._settling.full():
                self._settling.look()
            why = self._settling.full()
        if why:
            raise Overloaded(why, where=self._reader.bureau.id, expected="witnesses that cosign")
