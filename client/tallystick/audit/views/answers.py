"""What bureaus answered to findings, on their own ledgers."""

from __future__ import annotations

from tallystick.audit.entry import On
from tallystick.audit.finding import Answer
from tallystick.audit.views.view import View, folds
from tallystick_proto.v1.statement_pb2 import ConcernAnswered


class Answers(View):
    """Answers by the id of the finding they name."""

    def __init__(self) -> None:
        self._by_finding: dict[str, list[Answer]] = {}

    @folds(ConcernAnswered)
    def _answered(self, entry: On[ConcernAnswered]) -> None:
        if entry.said.finding:
            answer = Answer(entry.bureau, entry.reference, entry.said.outcome)
            self._by_finding.setdefault(entry.said.finding, []).append(answer)

    def to(self, finding: str, bureau: str) -> tuple[Answer, ...]:
        """What the bureau that answers for a finding said to it."""
        return tuple(answer for answer in self._by_finding.get(finding, ()) if answer.bureau == bureau)
