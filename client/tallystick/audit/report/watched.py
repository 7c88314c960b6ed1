"""What a report keeps of a pass beyond the views: the first references behind what the views only count.

Given to the audit as `watching`. Memory grows with bureaus and resources, not with entries.
"""

from __future__ import annotations

from enum import Enum

from tallystick.audit.entry import On
from tallystick.audit.report.figures import Gathered
from tallystick.audit.views.exchanges import Exchange
from tallystick.audit.views.owed import Owed
from tallystick_proto.v1.statement_pb2 import DataSent, VersionProvided


class Fate(Enum):
    """What became of something owed."""

    ON_TIME = ("on time", "按期")
    OPEN = ("open, not due", "未到期")
    LATE = ("late", "逾期办结")
    OVERDUE = ("overdue", "逾期未办")

    def label(self, language: str) -> str:
        """What it is called, in `zh` or `en`."""
        return self.value[1] if language == "zh" else self.value[0]


class Watched:
    """Looks on: `owed` by bureau, rule and fate; `matched` by sender and receiver; the codes each bureau has in use."""

    def __init__(self) -> None:
        self.owed: dict[tuple[str, str, Fate], Gathered] = {}
        self.matched: dict[tuple[str, str], Gathered] = {}
        self.differing: dict[tuple[str, str], Gathered] = {}
        self.in_use: dict[tuple[str, str], str] = {}

    def __call__(self, record: object) -> None:
        """See one record of the pass."""
        match record:
            case On(said=VersionProvided() | DataSent()) if record.code:
                self.in_use.setdefault((record.bureau, record.code), record.reference)
            case Owed():
                self._owed(record)
            case Exchange():
                self._exchange(record)

    def _owed(self, owed: Owed) -> None:
        if owed.met is None:
            fate = Fate.OVERDUE if owed.late else Fate.OPEN
        else:
            fate = Fate.LATE if owed.late else Fate.ON_TIME
        answer = () if owed.met is None else (owed.met.reference,)
        gathered = self.owed.setdefault((owed.bureau, owed.rule, fate), Gathered())
        gathered.add(owed.opened.reference, *answer)

    def _exchange(self, exchange: Exchange) -> None:
        sent, received = exchange.sent, exchange.received
        if sent is None or received is None:
            return
        pair = exchange.key.sender, exchange.key.receiver
        self.matched.setdefault(pair, Gathered()).add(sent.reference, received.reference)
        if exchange.differences:
            self.differing.setdefault(pair, Gathered()).add(sent.reference, received.reference)
